#include "base/cleanup.h"
#include "catalog/pypi_priv.h"

/* While the solver waits for one page, the pages and metadata that it will probably ask for next are fetched: of each requirement the
 * best candidate that fits, and what that requires. Nothing here interns a name or a set or bans a candidate, so what comes when
 * changes no answer. */

enum { AHEAD_MAX = 1000 }; /* projects */

void pypi_ahead_add(struct catalog_pypi *p, struct pkg *pkg, const struct requirement *r)
{
        if (pkg->ahead || p->n_ahead >= AHEAD_MAX || r->url.n || pkg->n_url || pkg->fixed)
                return;
        pkg->ahead = true;
        p->source->ops->page_soon(p->source, pkg->name);
        *arena_push(&p->arena, p->ahead, p->n_ahead, p->cap_ahead) = (struct ahead){
                .pkg = pkg, .spec = &r->spec, .extra = r->extras, .n_extra = r->n_extras, .cand = UINT32_MAX
        };
}

static uint32_t likely_cand(const struct ahead *x)
{
        const struct pkg *pkg = x->pkg;
        uint32_t second = UINT32_MAX;

        for (uint32_t i = 0; i < pkg->n; i++) {
                if (pkg->cand[i].ban || !pep440_spec_has(x->spec, pkg->ver[i].v, pep440_text(pkg->ver[i].v)))
                        continue;
                if (pkg->cand[i].tier == TIER_NORMAL || pep440_spec_opens_pre(x->spec))
                        return i;
                if (second == UINT32_MAX)
                        second = i;
        }
        return second;
}

static void follow(struct catalog_pypi *p, const struct ahead *x)
{
        AUTO(err_done) struct err e = { 0 };
        const struct dist *d;
        struct ahead copy = *x; /* adding moves the array */

        if (pypi_read(p, copy.pkg, copy.cand, &e) < 0)
                return;
        d = copy.pkg->ver[copy.cand].dist;
        for (size_t i = 0; d && i < d->n; i++) {
                bool active = pypi_req_active(p, &d->req[i], (sv){ 0 });

                for (size_t k = 0; k < copy.n_extra && !active; k++)
                        active = pypi_req_active(p, &d->req[i], copy.extra[k]);
                if (active)
                        pypi_ahead_add(p, pypi_pkg(p, d->req[i].normalised), &d->req[i]);
        }
}

/* True when there is nothing more to do for it. */
static bool step(struct catalog_pypi *p, struct ahead *x)
{
        AUTO(err_done) struct err e = { 0 };
        const struct pypi_source_ops *ops = p->source->ops;

        if (!x->pkg->loaded) {
                if (x->pkg->n_url || !ops->page_ready(p->source, x->pkg->name))
                        return x->pkg->n_url > 0;
                if (pypi_pkg_load(p, x->pkg, &e) < 0)
                        return true; /* whoever asks in earnest is told */
        }
        if (x->cand == UINT32_MAX) {
                x->cand = likely_cand(x);
                if (x->cand == UINT32_MAX)
                        return true;
                ops->metadata_soon(p->source, x->pkg->ver[x->cand].file);
        }
        if (x->cand >= x->pkg->n) /* candidates changed meanwhile */
                return true;
        if (!ops->metadata_ready(p->source, x->pkg->ver[x->cand].file))
                return false;
        follow(p, x);
        return true;
}

void pypi_ahead_pump(struct catalog_pypi *p)
{
        for (size_t i = p->ahead_begun; i < p->n_ahead; i++) {
                struct ahead x = p->ahead[i]; /* step() may move the array */
                bool done = !x.pkg || step(p, &x);

                if (done)
                        x.pkg = NULL;
                p->ahead[i] = x;
        }
        while (p->ahead_begun < p->n_ahead && !p->ahead[p->ahead_begun].pkg)
                p->ahead_begun++;
}

/* Ask for the metadata of up to `more` candidates of a set, the best first. */
static uint32_t ask_for(struct catalog_pypi *p, struct pkg *pkg, set_id set, uint32_t from, uint32_t more)
{
        for (uint32_t i = sets_next(p->catalog.sets, set, from, pkg->n); i < pkg->n && more;
             i = sets_next(p->catalog.sets, set, i + 1, pkg->n)) {
                if (pkg->cand[i].ban || pkg->ver[i].read)
                        continue;
                p->source->ops->metadata_soon(p->source, pkg->ver[i].file);
                more--;
        }
        return more;
}

void pypi_soon(struct catalog *c, name_id n, set_id likely, uint32_t tried)
{
        struct catalog_pypi *p = pypi_self(c);
        struct pkg *pkg = p->entry[n]->pkg;
        uint32_t more = tried < 5 ? 1 : tried < 10 ? 5 : tried < 20 ? 10 : 50;

        if (!pkg->loaded) {
                if (!pkg->n_url && !pkg->fixed)
                        p->source->ops->page_soon(p->source, pkg->name);
                return;
        }
        more = ask_for(p, pkg, likely, 0, more);
        /* A pin leaves one: after it come its neighbours, as when each boto3 names another botocore. */
        if (tried >= 5)
                ask_for(p, pkg, SET_ALL, sets_next(p->catalog.sets, likely, 0, pkg->n), more);
}
