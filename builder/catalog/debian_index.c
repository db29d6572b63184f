#include "catalog/debian_priv.h"

#include <stdlib.h>

#include "base/cleanup.h"

static int pkg_cmp(const void *a, const void *b)
{
        const struct debian_pkg *x = a, *y = b;
        int d = sv_cmp(x->name, y->name);

        if (d == 0)
                d = deb_version_cmp(y->version, x->version);
        if (d == 0)
                d = (x->from > y->from) - (x->from < y->from);
        return d ? d : (x->text.p > y->text.p) - (x->text.p < y->text.p);
}

static int provide_cmp(const void *a, const void *b)
{
        const struct debian_provide *x = a, *y = b;
        int d = sv_cmp(x->name, y->name);

        if (d == 0)
                d = (x->pkg > y->pkg) - (x->pkg < y->pkg);
        return d ? d : sv_cmp(x->version, y->version);
}

/* The three fields that are needed of every paragraph, in one walk over its lines. */
static bool read_pkg(sv text, sv arch, struct debian_pkg *ret)
{
        sv rest = text, line, for_arch = { 0 };

        while (sv_line(&rest, &line)) {
                if (sv_starts(line, SV("Package:")))
                        ret->name = sv_trim(sv_skip(line, 8));
                else if (sv_starts(line, SV("Version:")))
                        ret->version = sv_trim(sv_skip(line, 8));
                else if (sv_starts(line, SV("Architecture:")))
                        for_arch = sv_trim(sv_skip(line, 13));
        }
        ret->text = text;
        return sv_is(for_arch, "all") || sv_eq(for_arch, arch);
}

static int read_text(struct arena *a, const struct debian_text *t, sv arch, struct debian_index *x, size_t *cap,
                     struct err *e)
{
        sv rest = t->text, paragraph;

        while (control_next(&rest, &paragraph)) {
                struct debian_pkg p = { .from = t->from };

                if (!read_pkg(paragraph, arch, &p))
                        continue;
                if (!deb_name_valid(p.name) || !deb_version_valid(p.version))
                        return err_set(e, ERR_INTEGRITY, "an index has a package '%.*s' of version '%.*s'",
                                       SV_ARG(p.name), SV_ARG(p.version));
                *arena_push(a, x->pkg, x->n_pkg, *cap) = p;
        }
        return 0;
}

static int read_provides(struct arena *a, uint32_t i, sv arch, struct debian_index *x, size_t *cap, struct err *e)
{
        AUTO(arena_done) struct arena tmp = { 0 };
        sv text = control_get(x->pkg[i].text, "Provides");
        bool allowed = text.n && sv_is(control_get(x->pkg[i].text, "Multi-Arch"), "allowed");
        struct deb_rel *r = NULL;
        size_t n = 0;

        if (text.n == 0)
                return 0;
        if (control_deps(&tmp, text, arch, &r, &n, e) < 0)
                return err_while(e, "reading what '%.*s' provides", SV_ARG(x->pkg[i].name));
        for (size_t k = 0; k < n; k++) {
                struct debian_provide p = { .name = r[k].alt[0].name,
                                            .any = allowed || sv_is(r[k].alt[0].arch, "any"),
                                            .pkg = i };

                if (r[k].n != 1 || (r[k].alt[0].op != DEB_ANY && r[k].alt[0].op != DEB_EQ))
                        continue; /* dpkg passes such a one over, too */
                p.version = r[k].alt[0].version;
                *arena_push(a, x->provide, x->n_provide, *cap) = p;
        }
        return 0;
}

int debian_index_make(struct arena *a, const struct debian_text *v, size_t n, sv arch, struct debian_index *ret,
                      struct err *e)
{
        struct debian_index x = { 0 };
        size_t cap = 0, kept = 0, cap_provide = 0;

        for (size_t i = 0; i < n; i++)
                if (read_text(a, &v[i], arch, &x, &cap, e) < 0)
                        return -(int)e->code;
        if (x.n_pkg)
                qsort(x.pkg, x.n_pkg, sizeof(*x.pkg), pkg_cmp);
        for (size_t i = 0; i < x.n_pkg; i++) {
                const struct debian_pkg *last = kept ? &x.pkg[kept - 1] : NULL;
                if (!last || !sv_eq(last->name, x.pkg[i].name) || deb_version_cmp(last->version, x.pkg[i].version) != 0)
                        x.pkg[kept++] = x.pkg[i];
        }
        x.n_pkg = kept;
        for (size_t i = 0; i < x.n_pkg; i++)
                if (read_provides(a, (uint32_t)i, arch, &x, &cap_provide, e) < 0)
                        return -(int)e->code;
        if (x.n_provide)
                qsort(x.provide, x.n_provide, sizeof(*x.provide), provide_cmp);
        *ret = x;
        return 0;
}

/* First element of a sorted array whose name is not below `name`; each begins with its name. */
static size_t lower_bound(const void *v, size_t n, size_t size, sv name)
{
        size_t lo = 0, hi = n;

        while (lo < hi) {
                size_t mid = lo + (hi - lo) / 2;
                const sv *at = (const sv *)((const char *)v + mid * size);
                if (sv_cmp(*at, name) < 0)
                        lo = mid + 1;
                else
                        hi = mid;
        }
        return lo;
}

size_t debian_index_find(const struct debian_index *x, sv name, size_t *ret_n)
{
        size_t i = lower_bound(x->pkg, x->n_pkg, sizeof(*x->pkg), name), n = 0;

        while (i + n < x->n_pkg && sv_eq(x->pkg[i + n].name, name))
                n++;
        *ret_n = n;
        return i;
}

size_t debian_index_provided(const struct debian_index *x, sv name, size_t *ret_n)
{
        size_t i = lower_bound(x->provide, x->n_provide, sizeof(*x->provide), name), n = 0;

        while (i + n < x->n_provide && sv_eq(x->provide[i + n].name, name))
                n++;
        *ret_n = n;
        return i;
}

sv debian_index_near(const struct debian_index *x, sv name)
{
        unsigned best = name.n < 4 ? 1 : name.n < 8 ? 2 : 3;
        sv found = { 0 };

        for (size_t i = 0; i < x->n_pkg; i++) {
                unsigned d;

                if (x->pkg[i].name.n > name.n + best || x->pkg[i].name.n + best < name.n)
                        continue;
                d = sv_distance(x->pkg[i].name, name, best);
                if (d < best || (d == best && found.n == 0)) {
                        best = d;
                        found = x->pkg[i].name;
                }
        }
        return found;
}
