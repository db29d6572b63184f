#include "catalog/debian_priv.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"

/* A name of the solver's: a package, or one that nothing is called. Virtual names never become one: who needs them needs one of
 * their providers. */
struct dname {
        struct name pub;
        size_t first;      /* index into pkg */
        struct rels *rels; /* per candidate; v NULL and n 0: not read yet */
        bool *read;
};

struct catalog_debian {
        struct catalog cat; /* first: this is a catalog */
        struct arena arena;
        struct debian_index index;
        struct fs_map *map;
        size_t n_map;
        struct debian_from *from; /* by debian_pkg.from */
        sv arch;
        int64_t release;
        struct dname **name;
        size_t n_name, cap_name;
        struct map by_name; /* text → struct dname */
        struct map rel;     /* what a relation says → struct rel */
        uint32_t n_rel;
};

static struct catalog_debian *of(struct catalog *c)
{
        return (struct catalog_debian *)c;
}

/* --- names */

static struct dname *name_get(struct catalog_debian *d, sv text)
{
        struct dname *n = map_get(&d->by_name, text);
        struct cand *cand;
        size_t count;

        if (n)
                return n;
        n = arena_new(&d->arena, struct dname);
        n->first = debian_index_find(&d->index, text, &count);
        cand = arena_array(&d->arena, struct cand, count + 1);
        for (size_t i = 0; i < count; i++)
                cand[i].version = (uint32_t)i;
        n->pub = (struct name){
                .text = arena_sv(&d->arena, text), .of = (name_id)d->n_name, .cand = cand, .n = (uint32_t)count
        };
        if (count == 0) {
                n->pub.absent = true;
                n->pub.near = debian_index_near(&d->index, text);
        }
        n->rels = arena_array(&d->arena, struct rels, count + 1);
        n->read = arena_array(&d->arena, bool, count + 1);
        *arena_push(&d->arena, d->name, d->n_name, d->cap_name) = n;
        map_put(&d->by_name, &d->arena, n->pub.text, n);
        return n;
}

static const struct debian_pkg *pkg_of(const struct catalog_debian *d, const struct dname *n, uint32_t cand)
{
        return &d->index.pkg[n->first + cand];
}

/* --- which candidates a term of a dependency means */

struct terms {
        struct term *v;
        size_t n, cap;
};

static void terms_add(struct catalog_debian *d, struct terms *t, const struct dname *n, set_id set)
{
        if (set == SET_NONE)
                return;
        for (size_t i = 0; i < t->n; i++)
                if (t->v[i].name == n->pub.of) {
                        t->v[i].set = sets_or(d->cat.sets, t->v[i].set, set, n->pub.n);
                        return;
                }
        *arena_push(&d->arena, t->v, t->n, t->cap) = (struct term){ n->pub.of, set };
}

static set_id set_of(struct catalog_debian *d, const uint64_t *bits, uint32_t width)
{
        return sets_add(d->cat.sets, bits, width);
}

/* libc6:any holds for packages that say Multi-Arch: allowed; another architecture's name never does: there is one. */
static bool arch_fits(const struct catalog_debian *d, const struct debian_pkg *p, sv arch)
{
        if (arch.n == 0 || sv_eq(arch, d->arch) || sv_is(arch, "native") || sv_is(arch, "all"))
                return true;
        return sv_is(arch, "any") && sv_is(control_get(p->text, "Multi-Arch"), "allowed");
}

static set_id real_set(struct catalog_debian *d, const struct dname *n, const struct deb_dep *dep, bool conflict)
{
        AUTO(free_ptr) uint64_t *bits = xcalloc(n->pub.n / 64 + 1, sizeof(*bits));

        for (uint32_t i = 0; i < n->pub.n; i++) {
                const struct debian_pkg *p = pkg_of(d, n, i);
                bool fits = arch_fits(d, p, dep->arch) || (conflict && sv_is(dep->arch, "any"));
                if (fits && deb_version_match(p->version, dep->op, dep->version))
                        bits[i / 64] |= (uint64_t)1 << i % 64;
        }
        return set_of(d, bits, n->pub.n);
}

static bool provide_fits(const struct catalog_debian *d, const struct debian_provide *p, const struct deb_dep *dep,
                         bool conflict)
{
        bool arch = dep->arch.n == 0 || sv_eq(dep->arch, d->arch) || (sv_is(dep->arch, "any") && (p->any || conflict));

        if (!arch)
                return false;
        if (dep->op == DEB_ANY)
                return true;
        return p->version.n && deb_version_match(p->version, dep->op, dep->version);
}

struct provider {
        struct dname *name;
        sv text; /* paragraph of its best candidate */
        set_id set;
};

static unsigned priority(sv paragraph)
{
        static const char *const order[] = { "required", "important", "standard", "optional" };
        sv p = control_get(paragraph, "Priority");

        for (unsigned i = 0; i < sizeof(order) / sizeof(order[0]); i++)
                if (sv_is(p, order[i]))
                        return i;
        return 9;
}

static int provider_cmp(const void *a, const void *b)
{
        const struct provider *x = a, *y = b;
        unsigned p = priority(x->text), q = priority(y->text);

        return p != q ? (p > q) - (p < q) : sv_cmp(x->name->pub.text, y->name->pub.text);
}

/* Who provides what dep asks for, but the name itself: by priority, then name. Provides are sorted by package, so equal ones meet. */
static struct provider *providers(struct catalog_debian *d, const struct deb_dep *dep, bool conflict, size_t *ret_n)
{
        size_t count, n = 0, cap = 0, at = debian_index_provided(&d->index, dep->name, &count);
        struct provider *v = NULL;

        for (size_t i = at; i < at + count; i++) {
                const struct debian_provide *p = &d->index.provide[i];
                const struct debian_pkg *pkg = &d->index.pkg[p->pkg];
                struct dname *name;
                set_id one;

                if (!provide_fits(d, p, dep, conflict) || sv_eq(pkg->name, dep->name))
                        continue;
                name = name_get(d, pkg->name);
                one = sets_one(d->cat.sets, (uint32_t)(p->pkg - name->first), name->pub.n);
                if (n && v[n - 1].name == name)
                        v[n - 1].set = sets_or(d->cat.sets, v[n - 1].set, one, name->pub.n);
                else
                        *arena_push(&d->arena, v, n, cap) =
                                (struct provider){ name, d->index.pkg[name->first].text, one };
        }
        if (n)
                qsort(v, n, sizeof(*v), provider_cmp);
        *ret_n = n;
        return v;
}

/* --- relations */

static struct rel *rel_new(struct catalog_debian *d, enum rel_kind kind, const struct terms *t, sv text, sv at)
{
        struct rel *r = arena_new(&d->arena, struct rel);

        *r = (struct rel){
                .id = d->n_rel++, .kind = (uint8_t)kind, .n = (uint32_t)t->n, .term = t->v, .text = text, .at = at
        };
        return r;
}

static struct rel *needs(struct catalog_debian *d, const struct deb_rel *dep, sv at)
{
        struct terms t = { 0 };

        for (uint32_t i = 0; i < dep->n; i++) {
                struct dname *real = name_get(d, dep->alt[i].name);
                size_t n;
                struct provider *p = providers(d, &dep->alt[i], false, &n);

                terms_add(d, &t, real, real_set(d, real, &dep->alt[i], false));
                for (size_t k = 0; k < n; k++)
                        terms_add(d, &t, p[k].name, p[k].set);
        }
        if (t.n == 0) /* nothing will do: the first name carries the proof */
                *arena_push(&d->arena, t.v, t.n, t.cap) =
                        (struct term){ name_get(d, dep->alt[0].name)->pub.of, SET_NONE };
        return rel_new(d, REL_NEEDS, &t, dep->text, at);
}

/* Conflicts and Breaks: whoever is meant, if chosen at all, is another of its candidates. One never conflicts with oneself. */
static struct rel *limits(struct catalog_debian *d, const struct deb_dep *dep, sv text, sv owner, sv at)
{
        struct terms t = { 0 };
        struct dname *real = name_get(d, dep->name);
        size_t n;
        struct provider *p = providers(d, dep, true, &n);

        if (!sv_eq(owner, dep->name) && real->pub.n) {
                set_id hit = real_set(d, real, dep, true);
                if (hit != SET_NONE)
                        *arena_push(&d->arena, t.v, t.n, t.cap) =
                                (struct term){ real->pub.of, sets_not(d->cat.sets, hit, real->pub.n) };
        }
        for (size_t i = 0; i < n; i++)
                if (!sv_eq(p[i].name->pub.text, owner))
                        *arena_push(&d->arena, t.v, t.n, t.cap) =
                                (struct term){ p[i].name->pub.of, sets_not(d->cat.sets, p[i].set, p[i].name->pub.n) };
        return t.n ? rel_new(d, REL_LIMITS, &t, text, at) : NULL;
}

/* A relation that says the same is the same one, whoever says it; `at` is the first who did. Limits depend on their owner. */
static struct rel *interned(struct catalog_debian *d, const char *field, const struct deb_rel *dep,
                            const struct debian_pkg *p, bool limit)
{
        sv key = limit ? arena_fmt(&d->arena, "%s %.*s %.*s", field, SV_ARG(p->name), SV_ARG(dep->text))
                       : arena_fmt(&d->arena, "needs %.*s", SV_ARG(dep->text));
        struct rel *r = map_get(&d->rel, key);
        static struct rel none; /* limits nobody: remembered, never given out */
        sv at, text;

        if (r)
                return r == &none ? NULL : r;
        at = arena_fmt(&d->arena, "%.*s %.*s", SV_ARG(p->name), SV_ARG(p->version));
        text = limit ? arena_fmt(&d->arena, "%s: %.*s", field, SV_ARG(dep->text)) : dep->text;
        r = limit ? limits(d, &dep->alt[0], text, p->name, at) : needs(d, dep, at);
        map_put(&d->rel, &d->arena, key, r ? r : &none);
        return r;
}

struct rel_list {
        const struct rel **v;
        size_t n, cap;
};

static int read_field(struct catalog_debian *d, const struct debian_pkg *p, const char *field, bool limit,
                      struct rel_list *list, struct err *e)
{
        struct deb_rel *dep;
        size_t n;

        if (control_deps(&d->arena, control_get(p->text, field), d->arch, &dep, &n, e) < 0)
                return err_while(e, "reading field %s of '%.*s %.*s'", field, SV_ARG(p->name), SV_ARG(p->version));
        for (size_t i = 0; i < n; i++) {
                struct rel *r = interned(d, field, &dep[i], p, limit);
                if (r)
                        *arena_push(&d->arena, list->v, list->n, list->cap) = r;
        }
        return 0;
}

/* --- what the solver asks */

static int cat_name(struct catalog *c, name_id n, const struct name **ret, struct err *e)
{
        (void)e;
        *ret = &of(c)->name[n]->pub;
        return 0;
}

static int cat_rels(struct catalog *c, name_id n, uint32_t cand, struct rels *ret, struct err *e)
{
        struct catalog_debian *d = of(c);
        struct dname *name = d->name[n];
        const struct debian_pkg *p = pkg_of(d, name, cand);
        struct rel_list list = { 0 };

        if (!name->read[cand]) {
                if (read_field(d, p, "Pre-Depends", false, &list, e) < 0 ||
                    read_field(d, p, "Depends", false, &list, e) < 0 ||
                    read_field(d, p, "Conflicts", true, &list, e) < 0 || read_field(d, p, "Breaks", true, &list, e) < 0)
                        return -(int)e->code;
                name->rels[cand] = (struct rels){ list.v, (uint32_t)list.n };
                name->read[cand] = true;
        }
        *ret = name->rels[cand];
        return 0;
}

static bool cat_known(struct catalog *c, name_id n, uint32_t cand)
{
        (void)c, (void)n, (void)cand;
        return true; /* all is in the index */
}

static void cat_soon(struct catalog *c, name_id n, set_id likely, uint32_t tried)
{
        (void)c, (void)n, (void)likely, (void)tried;
}

static void cat_text(struct catalog *c, name_id n, set_id set, struct buf *out)
{
        struct catalog_debian *d = of(c);
        const struct dname *name = d->name[n];
        uint32_t width = name->pub.n;
        const char *sep = " (= ";

        buf_add(out, name->pub.text);
        if (set == SET_ALL || width == 0)
                return;
        if (set == SET_NONE) {
                buf_add(out, SV(" (no version)"));
                return;
        }
        for (uint32_t i = sets_next(d->cat.sets, set, 0, width); i < width;
             i = sets_next(d->cat.sets, set, i + 1, width)) {
                buf_fmt(out, "%s%.*s", sep, SV_ARG(pkg_of(d, name, i)->version));
                sep = " or ";
        }
        buf_byte(out, ')');
}

static void cat_cand_text(struct catalog *c, name_id n, uint32_t cand, struct buf *out)
{
        const struct debian_pkg *p = pkg_of(of(c), of(c)->name[n], cand);
        buf_fmt(out, "%.*s %.*s", SV_ARG(p->name), SV_ARG(p->version));
}

static void cat_free(struct catalog *c)
{
        struct catalog_debian *d = of(c);

        for (size_t i = 0; i < d->n_map; i++)
                fs_map_close(&d->map[i]);
        sets_free(d->cat.sets);
        arena_done(&d->arena);
        free(d);
}

static const struct catalog_ops debian_ops = { .name = cat_name,
                                               .rels = cat_rels,
                                               .known = cat_known,
                                               .soon = cat_soon,
                                               .text = cat_text,
                                               .cand_text = cat_cand_text,
                                               .free = cat_free };

/* --- opening */

struct catalog_debian *debian_over(const struct debian_index *x, sv arch)
{
        struct catalog_debian *d = xcalloc(1, sizeof(*d));

        d->cat = (struct catalog){ &debian_ops, sets_new() };
        d->index = *x;
        d->arch = arena_sv(&d->arena, arch);
        return d;
}

static int open_suite(struct catalog_debian *d, const struct debian_opts *o, uint32_t from, struct net *net,
                      struct store *store, struct op *op, struct debian_text *text, struct err *e)
{
        AUTO(arena_done) struct arena a = { 0 };
        struct debian_release r = { 0 };

        if (debian_release_get(o, &d->from[from], net, store, op, &a, &r, e) < 0)
                return -(int)e->code;
        if (r.date > d->release)
                d->release = r.date;
        for (size_t i = 0; i < o->n_component; i++) {
                struct fs_map *m = &d->map[d->n_map];

                if (debian_packages_get(&d->from[from], &r, o->component[i], d->arch, net, store, op, m, e) < 0)
                        return err_while(e, "reading the packages of '%.*s'", SV_ARG(d->from[from].suite));
                text[d->n_map++] = (struct debian_text){ { (const char *)m->p, m->n }, from };
        }
        return 0;
}

int debian_open(const struct debian_opts *o, struct net *net, struct store *store, struct op *op,
                struct catalog_debian **ret, struct err *e)
{
        AUTO(free_ptr) struct debian_text *text = xcalloc((o->n_extra + 1) * (o->n_component + 1), sizeof(*text));
        struct catalog_debian *d = debian_over(&(struct debian_index){ 0 }, o->arch);
        int err = 0;

        d->map = arena_array(&d->arena, struct fs_map, (o->n_extra + 1) * (o->n_component + 1));
        d->from = arena_array(&d->arena, struct debian_from, o->n_extra + 1);
        d->from[0] = (struct debian_from){ arena_sv(&d->arena, o->mirror), arena_sv(&d->arena, o->suite) };
        for (size_t i = 0; i < o->n_extra; i++)
                d->from[i + 1] = (struct debian_from){ arena_sv(&d->arena, o->extra_mirror[i]),
                                                       arena_sv(&d->arena, o->extra_suite[i]) };
        for (size_t i = 0; i <= o->n_extra && err == 0; i++)
                err = open_suite(d, o, (uint32_t)i, net, store, op, text, e);
        if (err == 0)
                err = debian_index_make(&d->arena, text, d->n_map, d->arch, &d->index, e);
        if (err < 0) {
                cat_free(&d->cat);
                return err;
        }
        *ret = d;
        return 0;
}

struct catalog *debian_catalog(struct catalog_debian *d)
{
        return &d->cat;
}

int64_t debian_release_date(const struct catalog_debian *d)
{
        return d->release;
}

/* --- wants */

static int want_text(struct catalog_debian *d, sv text, sv at, struct resolve_want *ret, struct err *e)
{
        struct deb_rel *dep;
        size_t n;

        if (control_deps(&d->arena, arena_sv(&d->arena, text), d->arch, &dep, &n, e) < 0) {
                err_done(e);
                n = 0;
        }
        if (n != 1) {
                err_set(e, ERR_USAGE, "%.*s: '%.*s' is not one Debian package", SV_ARG(at), SV_ARG(text));
                err_hint(e, "write its name, or as in control files: 'python3 (>= 3.11)'");
                return -(int)e->code;
        }
        *ret = (struct resolve_want){ *needs(d, dep, arena_sv(&d->arena, at)), true };
        return 0;
}

static int want_fixed(struct catalog_debian *d, const struct artifact *art, struct resolve_want *ret, struct err *e)
{
        struct dname *n = name_get(d, art->name);
        sv text = arena_fmt(&d->arena, "%.*s (= %.*s)", SV_ARG(art->name), SV_ARG(art->version));
        struct terms t = { 0 };

        for (uint32_t i = 0; i < n->pub.n; i++)
                if (sv_eq(pkg_of(d, n, i)->version, art->version))
                        terms_add(d, &t, n, sets_one(d->cat.sets, i, n->pub.n));
        if (t.n == 0) {
                err_set(e, ERR_STALE, "the base's %.*s %.*s is not in Debian's index any more", SV_ARG(art->name),
                        SV_ARG(art->version));
                err_hint(e, "lock with --upgrade-base to take the base's packages anew");
                return -(int)e->code;
        }
        *ret = (struct resolve_want){ *rel_new(d, REL_NEEDS, &t, text, SV("base")), false };
        return 0;
}

int debian_wants(struct catalog_debian *d, const sv *text, const sv *at, size_t n, const struct artifact *fixed,
                 size_t n_fixed, struct arena *a, struct resolve_want **ret, size_t *ret_n, struct err *e)
{
        struct resolve_want *v = arena_array(a, struct resolve_want, n + n_fixed + 1);

        for (size_t i = 0; i < n_fixed; i++)
                if (want_fixed(d, &fixed[i], &v[i], e) < 0)
                        return -(int)e->code;
        for (size_t i = 0; i < n; i++)
                if (want_text(d, text[i], at[i], &v[n_fixed + i], e) < 0)
                        return -(int)e->code;
        *ret = v;
        *ret_n = n + n_fixed;
        return 0;
}

/* --- artifacts */

static const struct pick *picked(const struct resolution *r, name_id n)
{
        for (size_t i = 0; i < r->n; i++)
                if (r->pick[i].name == n)
                        return &r->pick[i];
        return NULL;
}

/* "env.yml:7:5" → "env.yml": a lock does not change with line numbers. */
static sv without_line(sv at)
{
        for (int i = 0; i < 2; i++) {
                ptrdiff_t colon = sv_rfind(at, ':');
                uint64_t n;
                if (colon > 0 && sv_u64(sv_skip(at, (size_t)colon + 1), &n))
                        at = sv_from_to(at, 0, (size_t)colon);
        }
        return at;
}

static sv asker(const struct catalog_debian *d, const struct resolution *r, const struct pick *p, struct arena *a)
{
        const struct pick *by = p->by == NAME_ROOT ? NULL : picked(r, p->by);

        if (by) {
                const struct debian_pkg *pkg = pkg_of(d, d->name[by->name], by->cand);
                return arena_fmt(a, "%.*s %.*s", SV_ARG(pkg->name), SV_ARG(pkg->version));
        }
        if (!p->because)
                return (sv){ 0 };
        if (sv_is(p->because->at, "base"))
                return SV("base");
        return arena_fmt(a, "%.*s: %.*s", SV_ARG(without_line(p->because->at)), SV_ARG(p->because->text));
}

/* The names it needs among those picked: of each relation the first term that holds. Chosen: per name_id, pick + 1. */
static void needs_of(struct catalog_debian *d, const struct rels *rels, const struct resolution *r,
                     const uint32_t *chosen, struct arena *a, struct artifact *art)
{
        size_t n = 0, kept = 0;
        sv *v = arena_array(a, sv, rels->n + 1);

        for (uint32_t i = 0; i < rels->n; i++)
                for (uint32_t k = 0; rels->v[i]->kind == REL_NEEDS && k < rels->v[i]->n; k++) {
                        const struct term *t = &rels->v[i]->term[k];
                        if (chosen[t->name] && sets_has(d->cat.sets, t->set, r->pick[chosen[t->name] - 1].cand)) {
                                v[n++] = arena_sv(a, d->name[t->name]->pub.text);
                                break;
                        }
                }
        if (n)
                qsort(v, n, sizeof(*v), sv_qsort);
        for (size_t i = 0; i < n; i++)
                if (!sv_eq(v[i], art->name) && (kept == 0 || !sv_eq(v[kept - 1], v[i])))
                        v[kept++] = v[i];
        art->needs = v;
        art->n_needs = kept;
}

static int artifact_of(const struct catalog_debian *d, const struct debian_pkg *p, struct arena *a,
                       struct artifact *ret, struct err *e)
{
        sv file = control_get(p->text, "Filename"), mirror = d->n_map ? d->from[p->from].mirror : (sv){ 0 };

        *ret = (struct artifact){ .kind = ARTIFACT_DEB,
                                  .name = arena_sv(a, p->name),
                                  .version = arena_sv(a, p->version),
                                  .arch = arena_sv(a, control_get(p->text, "Architecture")) };
        if (file.n == 0 || !sha256_read(control_get(p->text, "SHA256"), &ret->sha256) ||
            !sv_u64(control_get(p->text, "Size"), &ret->size) || sv_find_sv(file, SV("..")) >= 0 || file.p[0] == '/')
                return err_set(e, ERR_INTEGRITY,
                               "the index entry of '%.*s %.*s' has no proper Filename, Size and SHA256",
                               SV_ARG(p->name), SV_ARG(p->version));
        ret->url = mirror.n == 0 || sv_eq(mirror, d->from[0].mirror)
                           ? arena_sv(a, file)
                           : arena_fmt(a, "%.*s/%.*s", SV_ARG(mirror), SV_ARG(file));
        return 0;
}

int debian_artifacts(struct catalog_debian *d, const struct resolution *r, struct arena *a, struct artifact **ret,
                     size_t *ret_n, struct err *e)
{
        AUTO(free_ptr) uint32_t *chosen = xcalloc(d->n_name + 1, sizeof(*chosen));
        struct artifact *v = arena_array(a, struct artifact, r->n + 1);

        for (size_t i = 0; i < r->n; i++)
                chosen[r->pick[i].name] = (uint32_t)i + 1;
        for (size_t i = 0; i < r->n; i++) {
                const struct pick *p = &r->pick[i];
                struct rels rels;

                if (artifact_of(d, pkg_of(d, d->name[p->name], p->cand), a, &v[i], e) < 0 ||
                    cat_rels(&d->cat, p->name, p->cand, &rels, e) < 0)
                        return -(int)e->code;
                needs_of(d, &rels, r, chosen, a, &v[i]);
                v[i].by = arena_new(a, sv);
                *v[i].by = asker(d, r, p, a);
                v[i].n_by = v[i].by->n > 0;
        }
        if (r->n)
                qsort(v, r->n, sizeof(*v), artifact_cmp);
        *ret = v;
        *ret_n = r->n;
        return 0;
}
