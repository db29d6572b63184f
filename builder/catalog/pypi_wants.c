#include <string.h>

#include "base/cleanup.h"
#include "catalog/pypi_priv.h"
#include "net/url.h"
#include "pkg/pyname.h"

int pypi_want_set(struct catalog_pypi *p, struct made_want *m, struct err *e)
{
        struct rel *rel = &m->want->rel;

        if (pypi_pkg_load(p, m->pkg, e) < 0)
                return -(int)e->code;
        m->term->set = pypi_req_set(p, m->pkg, m->req);
        rel->id = pypi_rel_id(p, rel->kind, rel->opens, m->term->name, m->term->set);
        return 0;
}

static sv where_text(struct arena *a, const struct spec_where *at)
{
        if (!at->line)
                return arena_sv(a, at->file);
        return arena_fmt(a, "%.*s:%u:%u", SV_ARG(at->file), at->line, at->col);
}

/* A requirement as it may be shown: a URL in it could hold a password. */
static sv shown(struct catalog_pypi *p, const struct spec_req *r)
{
        return r->req.url.n ? pypi_req_text(p, &r->req) : r->wrote.n ? r->wrote : r->text;
}

/* "env.yml: PyJWT<2": what the lock says of who asked; no folders, no line numbers. */
static sv by_text(struct catalog_pypi *p, const struct spec_req *r)
{
        struct arena *a = &p->arena;
        sv file = sv_basename(r->at.file);

        if (r->req.url.n)
                return arena_fmt(a, "%.*s: %.*s @ %.*s", SV_ARG(file), SV_ARG(r->req.name),
                                 SV_ARG(url_public(a, r->req.url)));
        return arena_fmt(a, "%.*s: %.*s", SV_ARG(file), SV_ARG(shown(p, r)));
}

static void note_inactive(struct catalog_pypi *p, const struct spec_req *r, struct diags *ds)
{
        size_t i = diag_warn(ds, r->at.file, r->at.line, r->at.col, "EB205",
                             "'%.*s' is left out: its marker does not hold for the target", SV_ARG(shown(p, r)));

        ds->v[i].level = DIAG_NOTE;
}

/* --- what must be known before any candidate is made --- */

static void take_binary_rules(struct catalog_pypi *p, const struct spec *s)
{
        for (size_t i = 0; i < s->n_no_binary; i++) {
                sv t = s->no_binary[i].text;

                if (sv_is(t, ":all:"))
                        p->no_binary_all = true;
                else if (!sv_is(t, ":none:"))
                        pypi_pkg(p, pyname_normalise(&p->arena, t))->no_binary = true;
        }
}

static void take_hashes(struct catalog_pypi *p, const struct spec_req *r)
{
        struct pkg *pkg = pypi_pkg(p, r->req.normalised);
        struct spec_hash *v;

        if (!r->n_hashes)
                return;
        p->hashes_only = true;
        v = arena_array(&p->arena, struct spec_hash, pkg->n_hash + r->n_hashes);
        if (pkg->n_hash)
                memcpy(v, pkg->hash, pkg->n_hash * sizeof(*v));
        for (size_t i = 0; i < r->n_hashes; i++)
                v[pkg->n_hash++] = (struct spec_hash){ arena_sv(&p->arena, r->hashes[i].alg),
                                                       arena_sv(&p->arena, r->hashes[i].hex) };
        pkg->hash = v;
}

static bool take_url(struct catalog_pypi *p, const struct spec_req *r, struct diags *ds)
{
        bool fresh;
        sv why = { 0 };
        size_t i;

        if (!r->req.url.n || pypi_url_add(p, pypi_pkg(p, r->req.normalised), r->req.url, &fresh, &why))
                return true;
        i = diag_add(ds, r->at.file, r->at.line, r->at.col, "EB135", "'%.*s' cannot be used: %.*s", SV_ARG(shown(p, r)),
                     SV_ARG(why));
        diag_hint(ds, i, "name a wheel (…/%.*s-VERSION-.whl), or a version from an index", SV_ARG(r->req.normalised));
        return false;
}

static bool is_active(struct catalog_pypi *p, const struct spec_req *r)
{
        return pypi_req_active(p, &r->req, (sv){ 0 });
}

static bool take_rules(struct catalog_pypi *p, const struct spec *s, struct diags *ds)
{
        bool ok = true;

        take_binary_rules(p, s);
        p->hashes_only = p->hashes_only || s->require_hashes;
        for (size_t i = 0; i < s->n_pip; i++) {
                if (!is_active(p, &s->pip[i]))
                        continue;
                take_hashes(p, &s->pip[i]);
                ok = take_url(p, &s->pip[i], ds) && ok;
        }
        for (size_t i = 0; i < s->n_constraints; i++) {
                if (!is_active(p, &s->constraints[i]))
                        continue;
                take_hashes(p, &s->constraints[i]);
                ok = take_url(p, &s->constraints[i], ds) && ok;
        }
        return ok;
}

/* --- the wants --- */

struct wanting {
        struct catalog_pypi *p;
        struct arena *a;
        struct resolve_want *v;
        size_t n;
};

static void add_want(struct wanting *w, const struct spec_req *r, uint8_t kind, sv extra)
{
        struct catalog_pypi *p = w->p;
        struct resolve_want *want = &w->v[w->n++];
        struct term *term = arena_new(w->a, struct term);
        struct pkg *pkg = pypi_pkg(p, r->req.normalised);
        struct made_want m = { .want = want, .term = term, .req = &r->req, .pkg = pkg, .by = by_text(p, r) };

        term->name = pypi_entry(p, pkg, extra)->id;
        want->direct = kind == REL_NEEDS;
        want->rel = (struct rel){ .kind = kind, .opens = pypi_req_opens(&r->req), .n = 1, .term = term };
        want->rel.text = arena_sv(w->a, shown(p, r));
        want->rel.at = where_text(w->a, &r->at);
        if (kind == REL_NEEDS)
                pypi_ahead_add(p, pkg, &r->req);
        else if (!pkg->n_url && !pkg->fixed)
                p->source->ops->page_soon(p->source, pkg->name);
        *arena_push(&p->arena, p->made, p->n_made, p->cap_made) = m;
}

static size_t count_wants(const struct spec *s)
{
        size_t n = s->n_constraints;

        for (size_t i = 0; i < s->n_pip; i++)
                n += 1 + s->pip[i].req.n_extras;
        return n;
}

static void add_all(struct wanting *w, const struct spec *s, struct diags *ds)
{
        for (size_t i = 0; i < s->n_pip; i++) {
                const struct spec_req *r = &s->pip[i];

                if (!is_active(w->p, r)) {
                        note_inactive(w->p, r, ds);
                        continue;
                }
                add_want(w, r, REL_NEEDS, (sv){ 0 });
                for (uint32_t k = 0; k < r->req.n_extras; k++)
                        add_want(w, r, REL_NEEDS, r->req.extras[k]);
        }
        for (size_t i = 0; i < s->n_constraints; i++)
                if (is_active(w->p, &s->constraints[i]))
                        add_want(w, &s->constraints[i], REL_LIMITS, (sv){ 0 });
}

int pypi_wants(struct catalog_pypi *p, const struct spec *s, struct arena *a, struct diags *ds,
               struct resolve_want **ret, size_t *ret_n, struct err *e)
{
        struct wanting w = { .p = p, .a = a };

        if (!take_rules(p, s, ds))
                return err_set(e, ERR_USAGE, "the definition asks for what cannot be had");
        w.v = arena_array(a, struct resolve_want, count_wants(s));
        p->n_made = 0;
        add_all(&w, s, ds);
        for (size_t i = 0; i < p->n_made; i++) /* only now: all pages are on their way */
                if (pypi_want_set(p, &p->made[i], e) < 0)
                        return -(int)e->code;
        *ret = w.v;
        *ret_n = w.n;
        return 0;
}

/* --- the old lock --- */

/* The very file that the lock names, so that a wheel added later to a version changes nothing. */
static void keep_file(struct catalog_pypi *p, struct pkg *pkg, struct version *v, const struct artifact *art)
{
        if (v->read || pkg->n_url || pkg->fixed)
                return;
        for (size_t i = 0; i < pkg->page->n; i++) {
                const struct pypi_file *f = &pkg->page->v[i];
                struct wheel_name w;
                sv why;

                if (sha256_eq(&f->sha256, &art->sha256) && wheel_name_parse(&p->arena, f->filename, false, &w, &why) &&
                    tags_rank(&p->tags, w.python, w.abi, w.platform) >= 0 && pypi_python_fits(p, f->requires_python))
                        v->file = f;
        }
}

bool pypi_prefer(struct catalog_pypi *p, const struct artifact *art, struct term *ret, struct err *e)
{
        struct pkg *pkg = pypi_pkg(p, pyname_normalise(&p->arena, art->name));
        const struct pep440 *v = pep440_parse(&p->arena, art->version);

        if (art->kind != ARTIFACT_WHEEL || !v || pypi_pkg_load(p, pkg, e) < 0)
                return false;
        for (uint32_t i = 0; i < pkg->n; i++) {
                if (pkg->cand[i].ban || pep440_cmp(pkg->ver[i].v, v) != 0)
                        continue;
                keep_file(p, pkg, &pkg->ver[i], art);
                *ret = (struct term){ pypi_entry(p, pkg, (sv){ 0 })->id, sets_one(p->catalog.sets, i, pkg->n) };
                return true;
        }
        return false;
}
