#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "catalog/pypi_priv.h"
#include "net/url.h"

/* Everything about one project in a resolution: foo and each foo[x] that was picked. */
struct chosen {
        struct pkg *pkg;
        uint32_t cand;
        struct pypi_file *file; /* a copy that is completed */
        sv *needs, *by, *user;
        size_t n_needs, cap_needs, n_by, cap_by, n_user, cap_user;
};
struct locking {
        struct catalog_pypi *p;
        struct arena *a;
        const struct resolution *r;
        struct chosen *v; /* in the order of their names */
        size_t n;
};

static struct chosen *chosen_of(struct locking *l, const struct pkg *pkg)
{
        for (size_t i = 0; i < l->n; i++)
                if (l->v[i].pkg == pkg)
                        return &l->v[i];
        return NULL;
}

static void add_once(struct arena *a, sv **v, size_t *n, size_t *cap, sv text)
{
        for (size_t i = 0; i < *n; i++)
                if (sv_eq((*v)[i], text))
                        return;
        *arena_push(a, *v, *n, *cap) = text;
}

static int by_name(const void *a, const void *b)
{
        return sv_cmp(((const struct chosen *)a)->pkg->name, ((const struct chosen *)b)->pkg->name);
}

static void collect(struct locking *l)
{
        l->v = arena_array(l->a, struct chosen, l->r->n);
        for (size_t i = 0; i < l->r->n; i++) {
                struct pkg *pkg = l->p->entry[l->r->pick[i].name]->pkg;

                if (!pkg->fixed && !chosen_of(l, pkg))
                        l->v[l->n++] = (struct chosen){ .pkg = pkg, .cand = l->r->pick[i].cand };
        }
        if (l->n)
                qsort(l->v, l->n, sizeof(*l->v), by_name);
}

/* Who needs whom, by the relations of all that was picked. */
static int connect(struct locking *l, struct err *e)
{
        struct catalog_pypi *p = l->p;

        for (size_t i = 0; i < l->r->n; i++) {
                const struct pick *pick = &l->r->pick[i];
                const struct pkg *who = p->entry[pick->name]->pkg;
                struct chosen *from = chosen_of(l, who); /* NULL: conda's, with an extra */
                struct rels rels;

                if (pypi_rels(&p->catalog, pick->name, pick->cand, &rels, e) != 0)
                        return e->code ? -(int)e->code
                                       : err_set(e, ERR_FAILED, "the resolution is not of this catalog any more");
                for (uint32_t k = 0; k < rels.n; k++) {
                        const struct pkg *pkg = p->entry[rels.v[k]->term->name]->pkg;
                        struct chosen *to = chosen_of(l, pkg);

                        if (pkg->fixed && from)
                                add_once(l->a, &from->needs, &from->n_needs, &from->cap_needs, pkg->name);
                        if (!to || to == from)
                                continue;
                        if (from)
                                add_once(l->a, &from->needs, &from->n_needs, &from->cap_needs, to->pkg->name);
                        add_once(l->a, &to->by, &to->n_by, &to->cap_by,
                                 arena_fmt(l->a, "%.*s %.*s", SV_ARG(who->name),
                                           SV_ARG(pep440_text(who->ver[pick->cand].v))));
                }
        }
        for (size_t i = 0; i < p->n_made; i++) {
                struct chosen *to = p->made[i].want->direct ? chosen_of(l, p->made[i].pkg) : NULL;

                if (to)
                        add_once(l->a, &to->user, &to->n_user, &to->cap_user, p->made[i].by);
        }
        return 0;
}

/* An index whose path holds a secret ("/${TOKEN}/simple") gives links that hold it too: they are written as the index is. */
static sv locked_url(struct locking *l, const struct pypi_file *f)
{
        const struct pypi_opts *o = &l->p->opts;
        sv url = url_public(l->a, f->url), real, shown;
        size_t head = 0, tail = 0;

        if (f->index >= o->n_index)
                return url;
        real = url_public(l->a, o->index[f->index]);
        shown = url_public(l->a, o->index_public[f->index]);
        while (head < real.n && head < shown.n && real.p[head] == shown.p[head])
                head++;
        while (tail < real.n - head && tail < shown.n - head &&
               real.p[real.n - 1 - tail] == shown.p[shown.n - 1 - tail])
                tail++;
        if (head == real.n || !sv_starts(url, sv_from_to(real, 0, real.n - tail)))
                return url;
        return arena_fmt(l->a, "%.*s%.*s", SV_ARG(sv_from_to(shown, 0, shown.n - tail)),
                         SV_ARG(sv_skip(url, real.n - tail)));
}

static sv written_url(struct locking *l, sv wrote)
{
        ptrdiff_t hash = sv_find(wrote, '#');

        return arena_sv(l->a, url_public(l->a, hash < 0 ? wrote : sv_from_to(wrote, 0, (size_t)hash)));
}

static int complete(struct locking *l, struct err *e)
{
        struct pypi_file **v = arena_array(l->a, struct pypi_file *, l->n);
        const struct pypi_source_ops *ops = l->p->source->ops;

        for (size_t i = 0; i < l->n; i++) {
                l->v[i].file = arena_new(l->a, struct pypi_file);
                *l->v[i].file = *l->v[i].pkg->ver[l->v[i].cand].file;
                v[i] = l->v[i].file;
        }
        return ops->complete ? ops->complete(l->p->source, v, l->n, e) : 0;
}

/* The definition's own hashes, where the index told none to compare. */
static int check_hashes(const struct chosen *x, struct err *e)
{
        sha256_text is = sha256_hex(&x->file->sha256);
        bool can_tell = false;

        for (size_t i = 0; i < x->pkg->n_hash; i++) {
                if (!sv_is(x->pkg->hash[i].alg, "sha256"))
                        continue;
                can_tell = true;
                if (sv_eq_nocase(x->pkg->hash[i].hex, sv_from(is.s)))
                        return 0;
        }
        for (size_t i = 0; i < x->pkg->n_hash; i++) /* another algorithm, which the page told: it was compared then */
                for (uint32_t k = 0; k < x->file->n_hash; k++)
                        if (sv_eq_nocase(x->pkg->hash[i].alg, x->file->hash[k].alg) &&
                            sv_eq_nocase(x->pkg->hash[i].hex, x->file->hash[k].hex))
                                return 0;
        if (!can_tell)
                return 0;
        err_set(e, ERR_INTEGRITY, "'%.*s' has sha256:%s, which is none of the hashes in the definition",
                SV_ARG(x->file->filename), is.s);
        err_hint(e, "if the file is right, add --hash=sha256:%s", is.s);
        return -ERR_INTEGRITY;
}

static int cmp_sv(const void *a, const void *b)
{
        return sv_cmp(*(const sv *)a, *(const sv *)b);
}

static void write_artifact(struct locking *l, struct chosen *x, struct artifact *ret)
{
        const struct version *v = &x->pkg->ver[x->cand];
        sv *by = arena_array(l->a, sv, x->n_user + x->n_by);

        if (x->n_needs)
                qsort(x->needs, x->n_needs, sizeof(sv), cmp_sv);
        if (x->n_by)
                qsort(x->by, x->n_by, sizeof(sv), cmp_sv);
        for (size_t i = 0; i < x->n_user; i++)
                by[i] = arena_sv(l->a, x->user[i]);
        for (size_t i = 0; i < x->n_by; i++)
                by[x->n_user + i] = x->by[i];
        for (size_t i = 0; i < x->n_needs; i++)
                x->needs[i] = arena_sv(l->a, x->needs[i]);
        *ret = (struct artifact){
                .kind = ARTIFACT_WHEEL,
                .name = arena_sv(l->a, x->pkg->name),
                .version = arena_sv(l->a, pep440_text(v->v)),
                .url = v->direct ? written_url(l, v->wrote) : arena_sv(l->a, locked_url(l, x->file)),
                .direct = v->direct,
                .sha256 = x->file->sha256,
                .size = x->file->size,
                .uploaded = x->file->uploaded,
                .needs = x->needs,
                .n_needs = x->n_needs,
                .by = by,
                .n_by = x->n_user + x->n_by,
        };
}

/* --- warnings --- */

static void warn_yanked(const struct chosen *x, sv file, struct diags *ds)
{
        const struct version *v = &x->pkg->ver[x->cand];
        size_t i;

        if (!v->file->yanked)
                return;
        i = diag_warn(ds, file, 0, 0, "EB502", "%.*s %.*s was yanked by its authors%s%.*s", SV_ARG(x->pkg->name),
                      SV_ARG(pep440_text(v->v)), v->file->yanked_reason.n ? ": " : "", SV_ARG(v->file->yanked_reason));
        diag_hint(ds, i, "it is used because it is pinned; another version may be the better choice");
}

static void warn_extra(const struct locking *l, const struct pick *pick, sv file, struct diags *ds)
{
        const struct entry *x = l->p->entry[pick->name];
        const struct version *v = &x->pkg->ver[pick->cand];
        struct rels *rels = x->rels ? x->rels[pick->cand] : NULL;

        /* A marker that names it makes it known too: old metadata lacks Provides-Extra. */
        if (x->extra.n && v->dist && !pypi_has_extra(v->dist, x->extra) && rels && rels->n <= 1)
                diag_warn(ds, file, 0, 0, "EB501", "%.*s %.*s does not provide the extra '%.*s': it adds nothing",
                          SV_ARG(x->pkg->name), SV_ARG(pep440_text(v->v)), SV_ARG(x->extra));
}

static void warn(const struct locking *l, const struct spec *s, struct diags *ds)
{
        sv file = s ? s->definition : (sv){ 0 };

        for (size_t i = 0; i < l->n; i++)
                warn_yanked(&l->v[i], file, ds);
        for (size_t i = 0; i < l->r->n; i++)
                warn_extra(l, &l->r->pick[i], file, ds);
}

int pypi_artifacts(struct catalog_pypi *p, const struct spec *s, const struct resolution *r, struct arena *a,
                   struct diags *ds, struct artifact **ret, size_t *ret_n, struct err *e)
{
        struct locking l = { .p = p, .a = a, .r = r };
        struct artifact *v;

        collect(&l);
        if (connect(&l, e) < 0 || complete(&l, e) < 0)
                return -(int)e->code;
        v = arena_array(a, struct artifact, l.n);
        for (size_t i = 0; i < l.n; i++) {
                if (check_hashes(&l.v[i], e) < 0)
                        return -(int)e->code;
                write_artifact(&l, &l.v[i], &v[i]);
        }
        warn(&l, s, ds);
        *ret = v;
        *ret_n = l.n;
        return 0;
}
