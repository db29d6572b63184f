/* A finished resolution of another tool, given as the definition: taken as it is (design §3). What such a file does not say, the packages
 * themselves are asked. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "image/image_priv.h"
#include "lock/import.h"

static int refuse_additions(const struct image_request *r, sv path, struct err *e)
{
        const char *flag = r->n_pip ? "--pip" : r->n_conda ? "--conda" : r->n_channel ? "--channel" : NULL;

        if (!flag)
                return 0;
        err_set(e, ERR_USAGE, "'%.*s' is a finished resolution and is taken as it is: %s cannot add to it",
                SV_ARG(path), flag);
        err_hint(e, "give the definition that it was made from");
        return -(int)e->code;
}

static int read_lock(struct image_ctx *c, const struct image_request *r, sv path, sv text, enum spec_form form,
                     struct arena *a, struct lock **ret, struct err *e)
{
        struct lock_import_opts o = { .platform = r->platform, .n_platform = r->n_platform };
        AUTO(free_ptr) char *cwd = getcwd(NULL, 0);
        struct conda_setup x;

        conda_setup_again(c, NULL, a, &x);
        x.settings.cwd = sv_from(cwd);
        o.settings = &x.settings;
        o.host = image_host_platform(a);
        if (lock_import(a, text, path, form, &o, c->diags, ret, e) < 0)
                return -(int)e->code;
        if ((*ret)->n_platform == 0)
                return err_set(e, ERR_USAGE, "'%.*s' has nothing for linux/amd64 or linux/arm64", SV_ARG(path));
        return 0;
}

static struct spec *spec_of(const struct lock *l, sv path, sv text, struct arena *a)
{
        struct spec *s = arena_new(a, struct spec);

        *s = (struct spec){ .name = l->name,
                            .definition = l->definition,
                            .dir = sv_dirname(path),
                            .taken = { l->definition, sha256_of(text) } };
        s->platforms = arena_array(a, struct spec_text, l->n_platform);
        for (size_t i = 0; i < l->n_platform; i++)
                s->platforms[s->n_platforms++] = (struct spec_text){ l->platform[i].platform, { path, 0, 0 } };
        s->base.text = image_is_conda(&l->platform[0]) ? SV(DEFAULT_BASE_OF_CONDA) : SV(DEFAULT_BASE);
        return s;
}

int foreign_load(struct image_ctx *c, const struct image_request *r, struct arena *a, struct spec **ret,
                 struct lock **ret_lock, struct err *e)
{
        AUTO(buf_done) struct buf b = BUF_INIT(LOCK_MAX);
        AUTO(err_done) struct err missing = { 0 };
        enum spec_form form;
        sv path, text;

        *ret_lock = NULL;
        if (r->n_file != 1 || fs_read(arena_str(a, r->file[0]), &b, &missing) < 0)
                return 0; /* whoever reads it in earnest says what is wrong */
        path = arena_sv(a, r->file[0]);
        form = spec_form_of(path, buf_sv(&b));
        if (form != SPEC_FORM_CONDA_LOCK && form != SPEC_FORM_EXPLICIT && form != SPEC_FORM_PIXI)
                return 0;
        text = arena_sv(a, buf_sv(&b));
        if (refuse_additions(r, path, e) < 0 || read_lock(c, r, path, text, form, a, ret_lock, e) < 0)
                return -(int)e->code;
        *ret = spec_of(*ret_lock, path, text, a);
        return 0;
}

/* Wheels whose file says neither hash nor size are no use to a lock. */
static int check_wheels(const struct lock_platform *p, struct err *e)
{
        for (size_t i = 0; i < p->n_artifact; i++) {
                const struct artifact *art = &p->artifact[i];

                if (art->kind == ARTIFACT_WHEEL && sha256_is_zero(&art->sha256)) {
                        err_set(e, ERR_USAGE, "'%.*s' has no sha256 in the lock", SV_ARG(art->url));
                        err_hint(e, "lock again with the tool that made it");
                        return -(int)e->code;
                }
        }
        return 0;
}

/* Sizes of wheels: asked for all at once. */
static int size_wheels(struct image_ctx *c, struct artifact *v, size_t n, struct arena *a, struct err *e)
{
        struct net_job **job = arena_array(a, struct net_job *, n);
        int r = 0;

        for (size_t i = 0; i < n; i++)
                if (v[i].kind == ARTIFACT_WHEEL && !v[i].size)
                        job[i] = net_begin(c->net, &(struct net_request){ .url = v[i].url, .method = NET_HEAD });
        for (size_t i = 0; i < n; i++) {
                struct net_answer got = { 0 };

                if (!job[i])
                        continue;
                if (r < 0)
                        net_drop(c->net, job[i]);
                else if ((r = net_wait(c->net, job[i], a, &got, e)) == 0 && got.status != 200)
                        r = net_status_err(&got, e);
                else if (r == 0 && (!sv_u64(net_header_get(&got, "content-length"), &v[i].size)))
                        r = err_set(e, ERR_NET, "the server does not say how large '%.*s' is", SV_ARG(v[i].url));
        }
        return r;
}

int foreign_platform(struct image_ctx *c, const struct lock *from, struct arena *a, struct lock *l,
                     struct lock_platform *into, struct err *e)
{
        const struct lock_platform *p = lock_find_platform(from, into->platform);
        struct artifact *v = arena_array(a, struct artifact, p->n_artifact);
        struct conda_setup x = { 0 };
        struct conda_ask ask;

        if (image_ctx_net(c, e) < 0 || image_ctx_store(c, true, e) < 0 || check_wheels(p, e) < 0)
                return -(int)e->code;
        for (size_t i = 0; i < p->n_artifact; i++)
                v[i] = p->artifact[i];
        l->channels = from->channels;
        l->n_channels = from->n_channels;
        conda_setup_again(c, NULL, a, &x);
        ask = conda_ask(c, &x);
        if (size_wheels(c, v, p->n_artifact, a, e) < 0 || conda_complete(&ask, v, p->n_artifact, e) < 0 ||
            conda_peek(&ask, v, p->n_artifact, true, a, e) < 0)
                return -(int)e->code;
        artifacts_add(a, into, v, p->n_artifact);
        if (image_is_conda(into))
                conda_python(into, a);
        return 0;
}
