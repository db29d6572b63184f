/* The pip part of a platform: which indexes are asked, the solve for the target, the artifacts it gives. */
#include <stdlib.h>

#include "base/cleanup.h"
#include "catalog/pypi.h"
#include "image/image_priv.h"
#include "net/url.h"
#include "resolve/resolve.h"

struct indexes { /* as they are asked and as the lock writes them */
        bool pre;
        sv *ask, *show;
        size_t n;
        sv *links;
        size_t n_links;
};

static int add_index(struct arena *a, struct indexes *x, sv text, struct err *e)
{
        sv missing, full;

        if (!url_expand(a, text, image_environment, a, &full, &missing)) {
                err_set(e, ERR_USAGE, "the index '%.*s' needs the variable %.*s, which is not set",
                        SV_ARG(url_masked(a, text)), SV_ARG(missing));
                err_hint(e, "export %.*s=…", SV_ARG(missing));
                return -(int)e->code;
        }
        x->ask[x->n] = full;
        x->show[x->n++] = url_public(a, text);
        return 0;
}

/* Extra indexes before the main one, in file order (design §4); the definition wins over pip's own settings. */
static int find_indexes(struct image_ctx *c, const struct spec *s, struct arena *a, struct indexes *ret, struct err *e)
{
        size_t first = s->index_given ? 1 : 0;
        struct pip_conf conf;
        sv index;

        pip_conf_read(a, &conf);
        ret->pre = s->pre || conf.pre;
        for (size_t i = 0; i < conf.n_from; i++)
                op_event(c->op, OP_READ, OP_END, conf.from[i], 0, 0);
        ret->ask = arena_array(a, sv, s->n_index + conf.n_extra + 1);
        ret->show = arena_array(a, sv, s->n_index + conf.n_extra + 1);
        index = s->index_given ? s->index[0].text : conf.index_url.n ? conf.index_url : SV(DEFAULT_INDEX);
        if (!s->no_index && !conf.no_index) {
                for (size_t i = first; i < s->n_index; i++)
                        if (add_index(a, ret, s->index[i].text, e) < 0)
                                return -(int)e->code;
                for (size_t i = 0; s->n_index == first && i < conf.n_extra; i++)
                        if (add_index(a, ret, conf.extra[i], e) < 0)
                                return -(int)e->code;
                if (add_index(a, ret, index, e) < 0)
                        return -(int)e->code;
        }
        ret->links = arena_array(a, sv, s->n_find_links + conf.n_find_links);
        for (size_t i = 0; i < s->n_find_links; i++)
                ret->links[ret->n_links++] = s->find_links[i].text;
        for (size_t i = 0; s->n_find_links == 0 && i < conf.n_find_links; i++)
                ret->links[ret->n_links++] = conf.find_links[i];
        return 0;
}

static bool version_part(sv *rest, uint32_t *ret)
{
        uint64_t n;
        sv head;

        if (!sv_cut(rest, '.', &head) || !sv_u64(head, &n) || n > 1000000)
                return false;
        *ret = (uint32_t)n;
        return true;
}

static int make_tags(const struct lock_platform *p, sv machine, struct tags_target *ret, struct err *e)
{
        sv python = p->python.version, libc = p->facts.libc_version;

        *ret = (struct tags_target){ .arch = machine,
                                     .libc = sv_is(p->facts.libc_name, "musl") ? LIBC_MUSL : LIBC_GLIBC };
        ret->free_threaded = sv_ends(p->python.abi, SV("t"));
        if (!version_part(&python, &ret->major) || !version_part(&python, &ret->minor))
                return err_set(e, ERR_FAILED, "the base's python has no version we can read: '%.*s'",
                               SV_ARG(p->python.version));
        if (!version_part(&libc, &ret->libc_major) || !version_part(&libc, &ret->libc_minor))
                return err_set(e, ERR_FAILED, "the base's C library has no version we can read: '%.*s %.*s'",
                               SV_ARG(p->facts.libc_name), SV_ARG(p->facts.libc_version));
        return 0;
}

static int preferences(struct catalog_pypi *pypi, const struct image_request *r, const struct lock_platform *old,
                       struct arena *a, struct resolve_opts *o, struct err *e)
{
        struct term *v = old ? arena_array(a, struct term, old->n_artifact) : NULL;

        for (size_t i = 0; old && i < old->n_artifact; i++) {
                const struct artifact *art = &old->artifact[i];
                if (art->kind == ARTIFACT_WHEEL && !artifact_is_upgraded(r, art->name) &&
                    pypi_prefer(pypi, art, &v[o->n_prefer], e))
                        o->n_prefer++;
                if (e->code)
                        return -(int)e->code;
        }
        o->prefer = v;
        return 0;
}

static void keep_index_texts(const struct indexes *x, const struct spec *s, struct arena *a, struct lock *lock)
{
        lock->indexes = x->show;
        lock->n_indexes = x->n;
        lock->find_links = arena_array(a, sv, x->n_links);
        lock->n_find_links = x->n_links;
        for (size_t i = 0; i < x->n_links; i++)
                lock->find_links[i] = url_public(a, x->links[i]);
        lock->index_strategy = s->strategy == SPEC_INDEX_MERGE ? SV("pip") : SV("first");
}

static void catalog_pypi_done(struct catalog_pypi **p)
{
        if (*p)
                catalog_free(pypi_catalog(*p));
}

int pip_resolve(struct image_ctx *c, const struct image_request *r, const struct spec *s,
                const struct lock_platform *old, struct arena *a, struct lock *lock, struct lock_platform *into,
                struct err *e)
{
        AUTO(catalog_pypi_done) struct catalog_pypi *pypi = NULL;
        struct resolve_opts opts = {
                .order = ORDER_CULPRIT,
        };
        struct pypi_opts po = { .merge = s->strategy == SPEC_INDEX_MERGE,
                                .exclude_newer = s->exclude_newer,
                                .refresh = r->refresh,
                                .dir = s->dir };
        struct joint joint = { .c = c, .spec = s, .platform = into, .arena = a };
        struct pypi_source *source = NULL;
        struct resolve_want *want = NULL;
        struct resolution *res = NULL;
        struct artifact *v = NULL;
        struct indexes x = { 0 };
        struct target t;
        size_t n_want = 0, n = 0;

        if (!target_read(into->platform, &t) || find_indexes(c, s, a, &x, e) < 0)
                return -(int)e->code;
        keep_index_texts(&x, s, a, lock);
        lock->pre = x.pre;
        opts.open = x.pre ? 1u << TIER_PRERELEASE : 0;
        if (s->n_pip == 0)
                return 0;
        if (make_tags(into, t.machine, &po.tags, e) < 0 || image_ctx_net(c, e) < 0 || image_ctx_store(c, true, e) < 0)
                return -(int)e->code;
        po.index = x.ask;
        po.index_public = x.show;
        po.n_index = x.n;
        po.find_links = x.links;
        po.n_find_links = x.n_links;
        joint_fixed(&joint);
        po.fixed = joint.fixed;
        po.n_fixed = joint.n_fixed;
        po.fixed_metadata = joint_metadata;
        po.fixed_arg = &joint;
        po.python_full = into->python.version;
        po.machine = t.machine;
        if (pypi_net_open(&po, c->net, c->store, c->op, &source, e) < 0 || pypi_open(&po, source, c->op, &pypi, e) < 0)
                return -(int)e->code;
        if (pypi_wants(pypi, s, a, c->diags, &want, &n_want, e) < 0 || preferences(pypi, r, old, a, &opts, e) < 0)
                return -(int)e->code;
        if (resolve(pypi_catalog(pypi), want, n_want, &opts, c->op, a, &res, e) < 0)
                return e->code == ERR_CONFLICT && res
                               ? conflict_explain(c, pypi_catalog(pypi), want, n_want, &opts, res, e)
                               : -(int)e->code;
        if (pypi_artifacts(pypi, s, res, a, c->diags, &v, &n, e) < 0)
                return -(int)e->code;
        if (joint_replace(&joint, v, n, e) < 0)
                return -(int)e->code;
        op_event(c->op, OP_RESOLVE, OP_END, arena_fmt(a, "%zu Python packages", n), n, n);
        artifacts_add(a, into, v, n);
        return 0;
}

void pip_logins(struct image_ctx *c, const struct spec *s, struct arena *a)
{
        size_t n_spec = s ? s->n_index : 0;
        struct pip_conf conf;

        pip_conf_read(a, &conf);
        for (size_t i = 0; i < n_spec + conf.n_extra + 1; i++) {
                sv text = i < n_spec                  ? s->index[i].text
                          : i < n_spec + conf.n_extra ? conf.extra[i - n_spec]
                                                      : conf.index_url,
                   full, missing;
                if (text.n && url_expand(a, text, image_environment, a, &full, &missing))
                        net_login_add(c->net, full);
        }
}
