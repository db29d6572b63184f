#include <string.h>

#include "base/cleanup.h"
#include "catalog/pypi_priv.h"
#include "net/url.h"
#include "pkg/metadata.h"
#include "pkg/pyname.h"

/* --- METADATA --- */

bool pypi_has_extra(const struct dist *d, sv extra)
{
        for (size_t i = 0; i < d->n_extra; i++)
                if (sv_eq(d->extra[i], extra))
                        return true;
        return false;
}

/* Lower bounds first, as people write them: ">=2,<3,!=2.5". */
static void spec_text(const struct pep440_spec *s, struct buf *out)
{
        static const struct {
                enum pep440_op op;
                const char *text;
        } rows[] = {
                { PEP440_EQ, "==" }, { PEP440_ARBITRARY, "===" }, { PEP440_COMPATIBLE, "~=" }, { PEP440_GE, ">=" },
                { PEP440_GT, ">" },  { PEP440_LT, "<" },          { PEP440_LE, "<=" },         { PEP440_NE, "!=" }
        };
        bool more = false;

        for (size_t k = 0; k < ARRAY_LEN(rows); k++)
                for (uint32_t i = 0; i < s->n; i++) {
                        const struct pep440_clause *c = &s->v[i];

                        if (c->op != rows[k].op)
                                continue;
                        buf_fmt(out, "%s%s%.*s%s", more ? "," : "", rows[k].text,
                                SV_ARG(c->v ? pep440_text(c->v) : c->text), c->v && c->prefix ? ".*" : "");
                        more = true;
                }
}

sv pypi_req_text(struct catalog_pypi *p, const struct requirement *r)
{
        AUTO(buf_done) struct buf b = BUF_INIT(1 << 20);

        buf_add(&b, r->name);
        for (uint32_t i = 0; i < r->n_extras; i++)
                buf_fmt(&b, "%s%.*s%s", i ? "," : "[", SV_ARG(r->extras[i]), i + 1 == r->n_extras ? "]" : "");
        if (r->url.n)
                buf_fmt(&b, " @ %.*s", SV_ARG(url_masked(&p->arena, r->url)));
        else
                spec_text(&r->spec, &b);
        return arena_sv(&p->arena, buf_sv(&b));
}

static void fault(struct version *v, enum cand_ban ban, sv note)
{
        v->fault = (uint8_t)ban;
        v->note = note;
}

static void read_dist(struct catalog_pypi *p, struct version *v, const struct metadata *m)
{
        struct arena *a = &p->arena;
        struct dist *d = arena_new(a, struct dist);
        sv why = { 0 };

        d->req = arena_array(a, struct requirement, m->n_requires_dist);
        d->text = arena_array(a, sv, m->n_requires_dist);
        d->extra = arena_array(a, sv, m->n_provides_extra);
        for (size_t i = 0; i < m->n_provides_extra; i++)
                d->extra[d->n_extra++] = pyname_normalise(a, sv_trim(m->provides_extra[i]));
        for (size_t i = 0; i < m->n_requires_dist; i++) {
                struct requirement *r = &d->req[d->n];

                if (!requirement_parse_lenient(a, arena_sv(a, m->requires_dist[i]), r, &why))
                        return fault(v, BAN_METADATA,
                                     arena_fmt(a, "its metadata asks for '%.*s': %.*s", SV_ARG(m->requires_dist[i]),
                                               SV_ARG(why)));
                d->text[d->n++] = pypi_req_text(p, r);
        }
        v->dist = d;
}

void pypi_read_text(struct catalog_pypi *p, struct pkg *pkg, struct version *v, sv text)
{
        AUTO(err_done) struct err e = { 0 };
        struct arena *a = &p->arena;
        const struct pep440 *own;
        struct metadata m;

        if (metadata_parse(a, text, &m, &e) < 0)
                return fault(v, BAN_METADATA, arena_sv(a, sv_from(e.cause)));
        if (!sv_eq(pyname_normalise(a, m.name), pkg->name))
                return fault(v, BAN_METADATA, arena_fmt(a, "its metadata is that of '%.*s'", SV_ARG(m.name)));
        own = pep440_parse(a, m.version);
        if (!own || pep440_cmp(own, v->v) != 0)
                return fault(v, BAN_METADATA,
                             arena_fmt(a, "its metadata is that of version '%.*s'", SV_ARG(m.version)));
        if (!pypi_python_fits(p, m.requires_python))
                return fault(v, BAN_PYTHON, arena_fmt(a, "it needs Python %.*s", SV_ARG(m.requires_python)));
        read_dist(p, v, &m);
}

int pypi_read(struct catalog_pypi *p, struct pkg *pkg, uint32_t cand, struct err *e)
{
        struct version *v = &pkg->ver[cand];
        struct err one = { 0 };
        sv text;

        if (v->read)
                return 0;
        if (p->source->ops->metadata(p->source, v->file, &text, &one) < 0) {
                if (one.code != ERR_INTEGRITY && one.code != ERR_NOT_FOUND) {
                        err_while(&one, "looking at %.*s %.*s", SV_ARG(pkg->name), SV_ARG(pep440_text(v->v)));
                        return err_move(e, &one);
                }
                fault(v, BAN_METADATA, arena_sv(&p->arena, sv_from(one.cause)));
                err_done(&one);
        } else {
                pypi_read_text(p, pkg, v, text);
        }
        v->read = true;
        return 0;
}

/* --- requirements --- */

bool pypi_req_active(struct catalog_pypi *p, const struct requirement *r, sv extra)
{
        if (!r->marker)
                return true;
        p->env.value[MARKER_EXTRA] = extra;
        return marker_eval(r->marker, &p->env) == MARKER_TRUE; /* a comparison without meaning does not hold */
}

uint8_t pypi_req_opens(const struct requirement *r)
{
        return (uint8_t)((pep440_spec_opens_pre(&r->spec) ? 1u << TIER_PRERELEASE : 0) |
                         (pep440_spec_pins(&r->spec) ? 1u << TIER_YANKED : 0));
}

/* Which of a project's candidates a requirement takes: by URL, or by version. */
static set_id make_set(struct catalog_pypi *p, struct pkg *pkg, const struct requirement *r)
{
        AUTO(arena_done) struct arena tmp = { 0 };
        uint64_t *words = arena_array(&tmp, uint64_t, pkg->n / 64u + 1);
        sv identity = r->url.n ? pypi_url_identity(&tmp, r->url) : (sv){ 0 };

        for (uint32_t i = 0; i < pkg->n; i++) {
                const struct version *v = &pkg->ver[i];
                bool in = r->url.n ? v->direct && sv_eq(v->identity, identity)
                                   : pep440_spec_has(&r->spec, v->v, pep440_text(v->v));

                if (in)
                        words[i / 64u] |= UINT64_C(1) << (i % 64u);
        }
        return sets_add(p->catalog.sets, words, pkg->n);
}

/* Of several texts for one set the shortest is shown, then the first in order: whoever asked first does not matter. */
static void remember(struct catalog_pypi *p, struct pkg *pkg, set_id set, sv spec)
{
        for (size_t i = 0; i < pkg->n_known; i++) {
                struct known_set *k = &pkg->known[i];

                if (k->set != set)
                        continue;
                if (spec.n < k->spec.n || (spec.n == k->spec.n && sv_cmp(spec, k->spec) < 0))
                        k->spec = spec;
                return;
        }
        *arena_push(&p->arena, pkg->known, pkg->n_known, pkg->cap_known) = (struct known_set){ set, spec };
}

set_id pypi_req_set(struct catalog_pypi *p, struct pkg *pkg, const struct requirement *r)
{
        AUTO(buf_done) struct buf b = BUF_INIT(1 << 20);
        struct known_set *k;

        if (r->url.n) {
                buf_fmt(&b, "@ %.*s", SV_ARG(r->url));
        } else {
                if (!r->spec.n)
                        return pkg->n ? SET_ALL : SET_NONE;
                pep440_spec_write(&r->spec, &b);
        }
        k = map_get(&pkg->spec_set, buf_sv(&b));
        if (!k) {
                k = arena_new(&p->arena, struct known_set);
                k->spec = arena_sv(&p->arena, buf_sv(&b));
                k->set = make_set(p, pkg, r);
                map_put(&pkg->spec_set, &p->arena, k->spec, k);
                buf_clear(&b);
                if (r->url.n)
                        buf_fmt(&b, "@ %.*s", SV_ARG(url_masked(&p->arena, r->url)));
                else
                        spec_text(&r->spec, &b);
                remember(p, pkg, k->set, arena_sv(&p->arena, buf_sv(&b)));
        }
        return k->set;
}

uint32_t pypi_rel_id(struct catalog_pypi *p, uint8_t kind, uint8_t opens, name_id name, set_id set)
{
        struct rel_key key;
        uint32_t *id;
        sv bytes = { (const char *)&key, sizeof(key) };

        memset(&key, 0, sizeof(key)); /* padding counts in the key */
        key.kind = kind;
        key.opens = opens;
        key.name = name;
        key.set = set;
        id = map_get(&p->rel_ids, bytes);
        if (!id) {
                id = arena_new(&p->arena, uint32_t);
                *id = p->next_rel++;
                map_put(&p->rel_ids, &p->arena, arena_sv(&p->arena, bytes), id);
        }
        return *id;
}

/* --- relations of a candidate --- */

struct making {
        struct catalog_pypi *p;
        struct entry *x;
        uint32_t cand;
        struct rel **v;
        size_t n, cap;
        sv at;
        bool changed;
};

static void add_rel(struct making *m, name_id to, set_id set, uint8_t opens, sv text)
{
        struct arena *a = &m->p->arena;
        uint32_t id = pypi_rel_id(m->p, REL_NEEDS, opens, to, set);
        struct term *term;
        struct rel *r;

        for (size_t i = 0; i < m->n; i++)
                if (m->v[i]->id == id)
                        return;
        term = arena_new(a, struct term);
        *term = (struct term){ to, set };
        r = arena_new(a, struct rel);
        *r = (struct rel){
                .id = id, .kind = REL_NEEDS, .opens = opens, .n = 1, .term = term, .text = text, .at = m->at
        };
        *arena_push(a, m->v, m->n, m->cap) = r;
}

static bool is_active(const struct making *m, const struct requirement *r)
{
        if (!m->x->extra.n)
                return pypi_req_active(m->p, r, (sv){ 0 });
        /* What holds without the extra is the project's own, which foo[x] needs anyway. */
        return pypi_req_active(m->p, r, m->x->extra) && !pypi_req_active(m->p, r, (sv){ 0 });
}

/* URL requirements first: they change candidates, and nothing may be made of the old ones. */
static void add_urls(struct making *m, const struct dist *d)
{
        struct version *v = &m->x->pkg->ver[m->cand];

        for (size_t i = 0; i < d->n && !v->fault; i++) {
                bool fresh = false;
                sv why = { 0 };

                if (!d->req[i].url.n || !is_active(m, &d->req[i]))
                        continue;
                if (!pypi_url_add(m->p, pypi_pkg(m->p, d->req[i].normalised), d->req[i].url, &fresh, &why))
                        fault(v, BAN_METADATA,
                              arena_fmt(&m->p->arena, "it needs '%.*s': %.*s", SV_ARG(d->text[i]), SV_ARG(why)));
                if (fresh)
                        pypi_pkg(m->p, d->req[i].normalised)->loaded = false;
                m->changed = m->changed || fresh;
        }
}

static void ask_pages(struct making *m, const struct dist *d)
{
        for (size_t i = 0; i < d->n; i++)
                if (is_active(m, &d->req[i]))
                        pypi_ahead_add(m->p, pypi_pkg(m->p, d->req[i].normalised), &d->req[i]);
        pypi_ahead_pump(m->p);
}

static int add_reqs(struct making *m, const struct dist *d, struct err *e)
{
        for (size_t i = 0; i < d->n; i++) {
                const struct requirement *r = &d->req[i];
                struct pkg *to = pypi_pkg(m->p, r->normalised);
                set_id set;

                if (!is_active(m, r))
                        continue;
                if (pypi_pkg_load(m->p, to, e) < 0)
                        return -(int)e->code;
                set = pypi_req_set(m->p, to, r);
                add_rel(m, pypi_entry(m->p, to, (sv){ 0 })->id, set, pypi_req_opens(r), d->text[i]);
                for (uint32_t k = 0; k < r->n_extras; k++)
                        add_rel(m, pypi_entry(m->p, to, r->extras[k])->id, set, pypi_req_opens(r), d->text[i]);
        }
        return 0;
}

static void add_own(struct making *m)
{
        struct catalog_pypi *p = m->p;
        struct pkg *pkg = m->x->pkg;
        set_id one = sets_one(p->catalog.sets, m->cand, pkg->n);

        if (m->x->extra.n)
                add_rel(m, m->x->name.of, one, 0,
                        arena_fmt(&p->arena, "%.*s==%.*s", SV_ARG(pkg->name),
                                  SV_ARG(pep440_text(pkg->ver[m->cand].v))));
}

static struct rels *finish(struct making *m)
{
        struct rels *r = arena_new(&m->p->arena, struct rels);

        *r = (struct rels){ .v = (const struct rel *const *)m->v, .n = (uint32_t)m->n };
        return r;
}

int pypi_rels(struct catalog *c, name_id n, uint32_t cand, struct rels *ret, struct err *e)
{
        struct catalog_pypi *p = pypi_self(c);
        struct entry *x = p->entry[n];
        struct pkg *pkg = x->pkg;
        struct making m = { .p = p, .x = x, .cand = cand };
        struct version *v = &pkg->ver[cand];

        *ret = (struct rels){ 0 };
        if (!x->rels)
                x->rels = arena_array(&p->arena, struct rels *, pkg->n);
        if (x->rels[cand]) {
                *ret = *x->rels[cand];
                return 0;
        }
        if (pkg->cand[cand].ban)
                return 0;
        if (pypi_read(p, pkg, cand, e) < 0 || (pkg->fixed && x->extra.n && pypi_fixed_read(p, pkg, e) < 0))
                return -(int)e->code;
        if (pkg->fixed && !x->extra.n) /* its own requirements were conda's business */
                return 0;
        m.at = arena_fmt(&p->arena, "%.*s %.*s METADATA", SV_ARG(pkg->name), SV_ARG(pep440_text(v->v)));
        if (v->dist)
                add_urls(&m, v->dist);
        if (v->fault) {
                pkg->cand[cand].ban = v->fault;
                return 0;
        }
        if (m.changed)
                return pypi_changed(p, e) < 0 ? -(int)e->code : CATALOG_CHANGED;
        add_own(&m);
        ask_pages(&m, v->dist);
        if (add_reqs(&m, v->dist, e) < 0)
                return -(int)e->code;
        x->rels[cand] = finish(&m);
        *ret = *x->rels[cand];
        return 0;
}

bool pypi_known(struct catalog *c, name_id n, uint32_t cand)
{
        struct catalog_pypi *p = pypi_self(c);
        struct entry *x = p->entry[n];
        struct version *v;
        struct making m = { .p = p, .x = x, .cand = cand };
        AUTO(err_done) struct err e = { 0 };

        if (!x->pkg->loaded || (x->rels && x->rels[cand]) || x->pkg->cand[cand].ban)
                return x->pkg->loaded;
        v = &x->pkg->ver[cand];
        if (!v->read && (!p->source->ops->metadata_ready(p->source, v->file) || pypi_read(p, x->pkg, cand, &e) < 0))
                return false;
        for (size_t i = 0; v->dist && i < v->dist->n; i++)
                if (is_active(&m, &v->dist->req[i]) && !pypi_pkg_ready(p, pypi_pkg(p, v->dist->req[i].normalised)))
                        return false;
        return true;
}

int pypi_changed(struct catalog_pypi *p, struct err *e)
{
        for (size_t i = 0; i < p->n_entry; i++)
                p->entry[i]->rels = NULL;
        memset(&p->rel_ids, 0, sizeof(p->rel_ids)); /* the numbers go on: an old id never means something else */
        for (size_t i = 0; i < p->n_entry; i++) {
                struct pkg *pkg = p->entry[i]->pkg;

                if (pkg->loaded)
                        continue;
                memset(&pkg->spec_set, 0, sizeof(pkg->spec_set));
                pkg->n_known = 0;
        }
        for (size_t i = 0; i < p->n_made; i++)
                if (pypi_want_set(p, &p->made[i], e) < 0)
                        return -(int)e->code;
        return 0;
}
