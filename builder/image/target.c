/* One platform in the tongues of OCI, uname and Debian; virtual packages as the lock keeps them (design §4: declared, never probed). */
#include <stdlib.h>
#include <sys/utsname.h>

#include "base/cleanup.h"
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

int target_libc_cmp(sv a, sv b)
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
            target_libc_cmp(declared->value, f->libc_version) <= 0)
                return 0;
        diag_hint(ds,
                  diag_add(ds, declared->at.file, declared->at.line, declared->at.col, "EB108",
                           "glibc %.*s is declared, but the base has %.*s", SV_ARG(declared->value),
                           SV_ARG(f->libc_version)),
                  "declare at most %.*s, or take a newer base", SV_ARG(f->libc_version));
        return err_set(e, ERR_USAGE, "the definition asks for more than its base has");
}

/* The version of __archspec is always 1; its build is what counts. */
static sv virtual_value(struct arena *a, sv key, sv value)
{
        return sv_is(key, "archspec") && sv_find(value, '=') < 0 ? arena_fmt(a, "1=%.*s", SV_ARG(value)) : value;
}

static bool declares(const struct spec *s, const char *key)
{
        for (size_t i = 0; i < s->n_virtual; i++)
                if (sv_is(s->virtual_[i].key, key))
                        return true;
        return false;
}

/* conda's own variables (CEP 30), where the definition says nothing. They shape conda's part only, and are in the lock then. */
static void overrides(struct arena *a, const struct spec *s, struct spec_pair *ret, size_t *ret_n)
{
        static const struct {
                const char *variable, *key;
        } rows[] = { { "CONDA_OVERRIDE_ARCHSPEC", "archspec" },
                     { "CONDA_OVERRIDE_CUDA", "cuda" },
                     { "CONDA_OVERRIDE_GLIBC", "glibc" },
                     { "CONDA_OVERRIDE_LINUX", "linux" } };

        for (size_t i = 0; s->n_conda && i < ARRAY_LEN(rows); i++) {
                const char *v = getenv(rows[i].variable);

                if (v && *v && !declares(s, rows[i].key))
                        ret[(*ret_n)++] = (struct spec_pair){ sv_from(rows[i].key),
                                                              arena_sv(a, sv_from(v)),
                                                              { sv_from(rows[i].variable), 0, 0 } };
        }
}

bool target_virtual_unchanged(struct arena *a, const struct spec *s, const struct lock_platform *p)
{
        AUTO(err_done) struct err e = { 0 };
        AUTO(diags_done) struct diags ds = { 0 };
        struct lock_platform now = *p;
        struct target t;

        if (s->n_conda == 0)
                return true;
        if (!target_read(p->platform, &t) || target_virtual(a, &t, s, &now, &ds, &e) < 0 ||
            now.n_virtual != p->n_virtual)
                return false;
        for (size_t i = 0; i < now.n_virtual; i++)
                if (!sv_eq(now.virtual_[i].key, p->virtual_[i].key) ||
                    !sv_eq(now.virtual_[i].value, p->virtual_[i].value))
                        return false;
        return true;
}

int target_virtual(struct arena *a, const struct target *t, const struct spec *s, struct lock_platform *into,
                   struct diags *ds, struct err *e)
{
        struct spec_pair set[8];
        size_t n_set = 0;

        into->virtual_ = arena_array(a, struct lock_pair, 8 + ARRAY_LEN(set) + s->n_virtual);
        into->n_virtual = 0;
        overrides(a, s, set, &n_set);
        put(into, SV("__archspec"), arena_fmt(a, "1=%.*s", SV_ARG(t->machine)));
        if (sv_is(into->facts.libc_name, "glibc"))
                put(into, SV("__glibc"), into->facts.libc_version);
        put(into, SV("__linux"), SV("4.18"));
        put(into, SV("__unix"), SV("0"));
        for (size_t i = 0; i < n_set + s->n_virtual; i++) {
                const struct spec_pair *v = i < n_set ? &set[i] : &s->virtual_[i - n_set];

                if (check_glibc(v, &into->facts, ds, e) < 0)
                        return -(int)e->code;
                put(into, arena_fmt(a, "__%.*s", SV_ARG(v->key)), virtual_value(a, v->key, v->value));
        }
        qsort(into->virtual_, into->n_virtual, sizeof(*into->virtual_), by_key);
        return 0;
}
