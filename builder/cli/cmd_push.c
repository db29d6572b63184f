/* envbuild push: an image of the store into a registry; one line on stdout. */
#include <stdio.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "cli/opts.h"
#include "cli/pushed.h"

int push_image(struct app *app, sv image, const sv *to, size_t n_to, sv format, sv cache_repo,
               const struct attach_opts *attach, struct pushed *ret, struct err *e)
{
        struct image_push_opts o = { .docker = sv_is(format, "docker"), .cache_repo = cache_repo };

        if (image_push(&app->image, image, to, n_to, &o, &app->arena, &ret->v, &ret->n, e) < 0)
                return -(int)e->code;
        return attach_all(app, image, ret->v, ret->n, attach, e);
}

static sv full_name(struct arena *a, const struct image_pushed *x)
{
        return arena_fmt(a, "%.*s@sha256:%s", SV_ARG(reg_repo_text(a, &x->repo)), sha256_hex(&x->desc.digest).s);
}

int pushed_print(struct app *app, const struct pushed *p)
{
        progress_pause(app->progress);
        for (size_t i = 0; i < p->n; i++)
                printf("%.*s\n", SV_ARG(full_name(&app->arena, &p->v[i])));
        return 0;
}

struct js *pushed_js(struct arena *a, const struct pushed *p)
{
        struct js *list = js_new_arr(a);

        for (size_t i = 0; i < p->n; i++) {
                const struct image_pushed *x = &p->v[i];
                struct js *one = js_new_obj(a), *tags = js_new_arr(a), *blobs = js_new_obj(a);

                for (size_t k = 0; k < x->n_tag; k++)
                        js_add(a, tags, js_new_str(a, x->tag[k]));
                js_put_int(a, blobs, "present", (int64_t)x->count.present);
                js_put_int(a, blobs, "mounted", (int64_t)x->count.mounted);
                js_put_int(a, blobs, "sent", (int64_t)x->count.sent);
                js_put_int(a, blobs, "bytes", (int64_t)x->count.bytes);
                js_put_str(a, one, "image", full_name(a, x));
                js_put_str(a, one, "digest", arena_fmt(a, "sha256:%s", sha256_hex(&x->desc.digest).s));
                js_put_str(a, one, "media-type", x->desc.media_type);
                js_put(a, one, SV("tags"), tags);
                js_put(a, one, SV("blobs"), blobs);
                js_add(a, list, one);
        }
        return list;
}

static int write_metadata(struct app *app, sv path, const struct pushed *p, struct err *e)
{
        AUTO(buf_done) struct buf out = BUF_INIT((size_t)1 << 20);
        struct js *j = js_new_obj(&app->arena);

        js_put(&app->arena, j, SV("pushed"), pushed_js(&app->arena, p));
        js_write_pretty(j, &out);
        return buf_check(&out, e) < 0 ? -(int)e->code : fs_write(path.p, buf_sv(&out), 0644, e);
}

int cmd_push(struct app *app, void *opts, int argc, char **argv, struct err *e)
{
        AUTO(attach_done) struct attach_opts attach = { 0 };
        const struct push_opts *o = opts;
        struct pushed p = { 0 };
        sv *to;

        if (argc < 1) {
                err_set(e, ERR_USAGE, "push needs an image");
                err_hint(e, "envbuild push IMAGE REGISTRY/NAME:TAG");
                return -(int)e->code;
        }
        if (opts_registry(app, &o->registry, e) < 0)
                return -(int)e->code;
        to = arena_array(&app->arena, sv, (size_t)argc);
        for (int i = 1; i < argc; i++)
                to[i - 1] = sv_from(argv[i]);
        if (attach_read(&o->attach, &attach, e) < 0 ||
            push_image(app, sv_from(argv[0]), to, (size_t)argc - 1, o->format, o->cache_repo, &attach, &p, e) < 0)
                return -(int)e->code;
        if (o->metadata_file.n && write_metadata(app, o->metadata_file, &p, e) < 0)
                return -(int)e->code;
        return pushed_print(app, &p);
}
