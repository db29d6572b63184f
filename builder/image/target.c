/* One platform in the tongues of OCI, uname and Debian; virtual packages as the lock keeps them (design §4: declared, never probed). */
#include <stdlib.h>
#include <sys/utsname.h>

#include "image/image_priv.h"

static const struct target known[] = {
        { { "linux/amd64", 11 }, { "amd64", 5 }, { "x86_64", 6 } },
        { { "linux/arm64", 11 }, { "arm64", 5 }, { "aarch64", 7 } },
};

bool target_read(sv platform, struct target *ret)
{
        for (size_t i = 0; i < ARRAY_LEN(known); i++)
                if (sv_eq(platform, known[i].platform)) {
                        *ret = known[i];
                        return true;
                }
        return false;
}

sv image_host_platform(struct arena *a)
{
        struct utsname u;

        if (uname(&u) == 0)
                for (size_t i = 0; i < ARRAY_LEN(known); i++)
                        if (sv_is(known[i].machine, u.machine))
                                return arena_sv(a, known[i].platform);
        return SV("linux/amd64");
}

static int by_key(const void *a, const void *b)
{
        return sv_cmp(((const struct lock_pair *)a)->key, ((const struct lock_pair *)b)->key);
}

static void put(struct lock_platform *p, sv key, sv value)
{
        for (size_t i = 0; i < p->n_virtual; i++)
                if (sv_eq(p->virtual_[i].key, key)) {
                        p->virtual_[i].value = value;
                        return;
                }
        p->virtual_[p->n_virtual++] = (struct lock_pair){ key, value };
}

/* "2.36" against "2.41", part by part. */
static int version_cmp(sv a, sv b)
{
        while (a.n || b.n) {
                uint64_t x = 0, y = 0;
                sv head;
                if (sv_cut(&a, '.', &head))
                        sv_u64(head, &x);
                if (sv_cut(&b, '.', &head))
                        sv_u64(head, &y);
                if (x != y)
                        return x < y ? -1 : 1;
        }
        return 0;
}

static int check_glibc(const struct spec_pair *declared, const struct lock_facts *f, struct diags *ds, struct err *e)
{
        if (!sv_is(declared->key, "glibc") || !sv_is(f->libc_name, "glibc") ||
            version_cmp(declared->value, f->libc_version) <= 0)
                return 0;
        diag_hint(ds,
                  diag_add(ds, declared->at.file, declared->at.line, declared->at.col, "EB108",
                           "glibc %.*s is declared, but the base has %.*s", SV_ARG(declared->value),
                           SV_ARG(f->libc_version)),
                  "declare at most %.*s, or take a newer base", SV_ARG(f->libc_version));
        return err_set(e, ERR_USAGE, "the definition asks for more than its base has");
}

int target_virtual(struct arena *a, const struct target *t, const struct spec *s, struct lock_platform *into,
                   struct diags *ds, struct err *e)
{
        into->virtual_ = arena_array(a, struct lock_pair, 8 + s->n_virtual);
        into->n_virtual = 0;
        put(into, SV("__archspec"), arena_fmt(a, "1=%.*s", SV_ARG(t->machine)));
        if (sv_is(into->facts.libc_name, "glibc"))
                put(into, SV("__glibc"), into->facts.libc_version);
        put(into, SV("__linux"), SV("4.18"));
        put(into, SV("__unix"), SV("0"));
        for (size_t i = 0; i < s->n_virtual; i++) {
                if (check_glibc(&s->virtual_[i], &into->facts, ds, e) < 0)
                        return -(int)e->code;
                put(into, arena_fmt(a, "__%.*s", SV_ARG(s->virtual_[i].key)), s->virtual_[i].value);
        }
        qsort(into->virtual_, into->n_virtual, sizeof(*into->virtual_), by_key);
        return 0;
}
