/* The conda part of a platform: channels, virtual packages, solve, artifacts, and the python that the solve chose. */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "catalog/conda.h"
#include "catalog/conda_channels.h"
#include "image/image_priv.h"
#include "resolve/resolve.h"

static void catalog_conda_done(struct catalog_conda **c)
{
        if (*c)
                catalog_free(conda_catalog(*c));
}

/* "1=x86_64" is a version and a build; the build is 0 unless said. */
static void virtual_packages(const struct lock_platform *p, struct arena *a, struct conda_opts *ret)
{
        struct conda_virtual *v = arena_array(a, struct conda_virtual, p->n_virtual);

        for (size_t i = 0; i < p->n_virtual; i++) {
                sv build = p->virtual_[i].value, version;

                if (!sv_cut(&build, '=', &version))
                        version = build;
                v[i] = (struct conda_virtual){ p->virtual_[i].key, version, build.n ? build : SV("0") };
        }
        ret->virtual_ = v;
        ret->n_virtual = p->n_virtual;
}

static enum conda_priority priority_of(sv text)
{
        return sv_is(text, "flexible") ? CONDA_FLEXIBLE : sv_is(text, "disabled") ? CONDA_DISABLED : CONDA_STRICT;
}

static int preferences(struct catalog_conda *conda, const struct image_request *r, const struct lock_platform *old,
                       struct arena *a, struct resolve_opts *o, struct err *e)
{
        struct term *v = old ? arena_array(a, struct term, old->n_artifact) : NULL;

        for (size_t i = 0; old && i < old->n_artifact; i++) {
                const struct artifact *art = &old->artifact[i];

                if (art->kind == ARTIFACT_CONDA && !artifact_is_upgraded(r, art->name) &&
                    conda_prefer(conda, art, &v[o->n_prefer], e))
                        o->n_prefer++;
                if (e->code)
                        return -(int)e->code;
        }
        o->prefer = v;
        return 0;
}

const struct artifact *conda_artifact_find(const struct lock_platform *p, const char *name)
{
        return lock_find(p, ARTIFACT_CONDA, sv_from(name));
}

/* "4_cp311", "8_cp313t" of python_abi; without it, CPython of the version. */
static sv abi_of(const struct lock_platform *p, struct arena *a, sv minor)
{
        const struct artifact *abi = conda_artifact_find(p, "python_abi");
        ptrdiff_t at = abi ? sv_rfind(abi->build, '_') : -1;
        sv tag = at >= 0 ? sv_skip(abi->build, (size_t)at + 1) : (sv){ 0 }, rest = minor, major;

        if (sv_starts(tag, SV("cp")))
                return tag;
        sv_cut(&rest, '.', &major);
        return arena_fmt(a, "cp%.*s%.*s", SV_ARG(major), SV_ARG(rest));
}

void conda_python(struct lock_platform *p, struct arena *a)
{
        const struct artifact *python = conda_artifact_find(p, "python");
        sv rest, part, minor;

        p->has_python = python != NULL;
        p->python = (struct lock_python){ 0 };
        if (!python)
                return;
        rest = python->version;
        sv_cut(&rest, '.', &part);
        sv_cut(&rest, '.', &part);
        minor = sv_from_to(python->version, 0, (size_t)(part.p + part.n - python->version.p));
        p->python = (struct lock_python){
                .version = python->version,
                .path = arena_fmt(a, IMAGE_PREFIX "/bin/python%.*s", SV_ARG(minor)),
                .abi = abi_of(p, a, minor),
                .site_packages = python->site_packages.n ? python->site_packages
                                                         : arena_fmt(a, "lib/python%.*s/site-packages", SV_ARG(minor)),
                .from = SV("conda"),
        };
}

static void keep_texts(const struct spec *s, const struct conda_setup *x, struct arena *a, struct lock *l)
{
        l->channels = arena_array(a, sv, x->n_channel);
        l->n_channels = x->n_channel;
        for (size_t i = 0; i < x->n_channel; i++)
                l->channels[i] = x->channel[i].url;
        l->channel_priority = x->priority;
        l->conda_specs = arena_array(a, sv, s->n_conda);
        l->n_conda_specs = s->n_conda;
        for (size_t i = 0; i < s->n_conda; i++)
                l->conda_specs[i] = s->conda[i].text;
        l->pip_replaces = arena_array(a, sv, s->n_pip_replaces);
        l->n_pip_replaces = s->n_pip_replaces;
        for (size_t i = 0; i < s->n_pip_replaces; i++)
                l->pip_replaces[i] = s->pip_replaces[i].text;
        if (l->n_pip_replaces)
                qsort(l->pip_replaces, l->n_pip_replaces, sizeof(sv), sv_qsort);
}

static int open_catalog(struct image_ctx *c, const struct image_request *r, const struct spec *s,
                        const struct conda_setup *x, struct arena *a, const struct lock_platform *into,
                        struct catalog_conda **ret, struct err *e)
{
        struct conda_channels_opts co = { .channel = x->channel,
                                          .n_channel = x->n_channel,
                                          .subdir = conda_subdir_of(into->platform),
                                          .mirror = x->mirror,
                                          .n_mirror = x->n_mirror,
                                          .refresh = r->refresh };
        struct conda_opts o = { .channel = x->channel,
                                .n_channel = x->n_channel,
                                .settings = x->settings,
                                .priority = priority_of(x->priority),
                                .exclude_newer = s->exclude_newer,
                                .mirror = x->mirror,
                                .n_mirror = x->n_mirror };
        struct conda_source *source = NULL;

        virtual_packages(into, a, &o);
        if (image_ctx_net(c, e) < 0 || image_ctx_store(c, true, e) < 0 ||
            conda_channels_open(&co, c->net, c->store, c->op, &source, e) < 0)
                return -(int)e->code;
        return conda_open(&o, source, c->op, ret, e);
}

int conda_resolve(struct image_ctx *c, const struct image_request *r, const struct spec *s,
                  const struct lock_platform *old, struct arena *a, struct lock *lock, struct lock_platform *into,
                  struct err *e)
{
        AUTO(catalog_conda_done) struct catalog_conda *conda = NULL;
        struct resolve_opts opts = { .order = ORDER_CEILING };
        struct resolve_want *want = NULL;
        struct resolution *res = NULL;
        struct conda_setup x = { 0 };
        struct artifact *v = NULL;
        struct conda_ask ask;
        size_t n_want = 0, n = 0;

        if (s->n_conda == 0)
                return 0;
        if (conda_setup(c, s, a, &x, e) < 0 || open_catalog(c, r, s, &x, a, into, &conda, e) < 0 ||
            conda_wants(conda, s->conda, s->n_conda, a, c->diags, &want, &n_want, e) < 0 ||
            preferences(conda, r, old, a, &opts, e) < 0)
                return -(int)e->code;
        keep_texts(s, &x, a, lock);
        if (resolve(conda_catalog(conda), want, n_want, &opts, c->op, a, &res, e) < 0)
                return e->code == ERR_CONFLICT && res
                               ? conflict_explain(c, conda_catalog(conda), want, n_want, &opts, res, e)
                               : -(int)e->code;
        if (conda_artifacts(conda, s, res, c->net, c->store, a, c->diags, &v, &n, e) < 0)
                return -(int)e->code;
        ask = conda_ask(c, &x);
        if (conda_peek(&ask, v, n, false, a, e) < 0)
                return err_while(e, "looking into conda packages for the Python distributions in them");
        op_event(c->op, OP_RESOLVE, OP_END, arena_fmt(a, "%zu conda packages", n), n, n);
        artifacts_add(a, into, v, n);
        conda_python(into, a);
        return 0;
}
