/* envbuild inspect: layers, packages and bytes of an image. */
#include <stdio.h>

#include "base/cleanup.h"
#include "cli/app.h"
#include "cli/opts.h"
#include "ext/json.h"

/* created_by of our layers: "envbuild numpy 2.1.0". History entries of base layers come first; empty ones are none of ours. */
static sv layer_text(const struct oci_config *c, size_t i)
{
        size_t k = 0;

        for (size_t h = 0; c->history && h < c->history->n; h++) {
                const struct js *one = c->history->v[h].value;
                if (js_true(js_get(one, "empty_layer")))
                        continue;
                if (k++ == i)
                        return js_get_str(one, "created_by");
        }
        return (sv){ 0 };
}

static void write_text(const struct image_view *v, struct buf *out)
{
        uint64_t total = 0;
        char size[16];

        for (size_t i = 0; i < v->manifest.n_layer; i++)
                total += v->manifest.layer[i].size;
        buf_fmt(out, "name        %.*s\n", SV_ARG(v->name));
        buf_fmt(out, "digest      sha256:%s\n", sha256_hex(&v->digest).s);
        buf_fmt(out, "image id    sha256:%s\n", sha256_hex(&v->manifest.config.digest).s);
        buf_fmt(out, "platform    %.*s/%.*s\n", SV_ARG(v->config.os), SV_ARG(v->config.arch));
        buf_fmt(out, "layers      %zu, %s\n", v->manifest.n_layer, ui_size(total, size));
        for (size_t i = 0; i < v->config.n_env; i++)
                buf_fmt(out, "%-11s %.*s\n", i ? "" : "env", SV_ARG(v->config.env[i]));
        buf_fmt(out, "\n%10s  %-12s  %s\n", "BYTES", "DIGEST", "WHAT");
        for (size_t i = 0; i < v->manifest.n_layer; i++) {
                sv text = layer_text(&v->config, i);
                if (sv_starts(text, SV("envbuild ")))
                        text = sv_skip(text, 9);
                buf_fmt(out, "%10s  %.12s  %.*s\n", ui_size(v->manifest.layer[i].size, size),
                        sha256_hex(&v->manifest.layer[i].digest).s, SV_ARG(text));
        }
}

static void write_json(struct arena *a, const struct image_view *v, struct buf *out)
{
        struct js *j = js_new_obj(a), *layers = js_new_arr(a), *env = js_new_arr(a);

        js_put_str(a, j, "name", v->name);
        js_put_str(a, j, "digest", arena_fmt(a, "sha256:%s", sha256_hex(&v->digest).s));
        js_put_str(a, j, "image-id", arena_fmt(a, "sha256:%s", sha256_hex(&v->manifest.config.digest).s));
        js_put_str(a, j, "platform", arena_fmt(a, "%.*s/%.*s", SV_ARG(v->config.os), SV_ARG(v->config.arch)));
        for (size_t i = 0; i < v->config.n_env; i++)
                js_add(a, env, js_new_str(a, v->config.env[i]));
        js_put(a, j, SV("env"), env);
        for (size_t i = 0; i < v->manifest.n_layer; i++) {
                struct js *one = js_new_obj(a);
                js_put_str(a, one, "digest", arena_fmt(a, "sha256:%s", sha256_hex(&v->manifest.layer[i].digest).s));
                js_put_int(a, one, "size", (int64_t)v->manifest.layer[i].size);
                js_put_str(a, one, "media-type", v->manifest.layer[i].media_type);
                js_put_str(a, one, "of", layer_text(&v->config, i));
                js_add(a, layers, one);
        }
        js_put(a, j, SV("layers"), layers);
        js_write_pretty(j, out);
}

/* --- a definition or a lock: which packages each layer is made of, and their bytes */

static bool is_of(const struct artifact *a, sv word)
{
        ptrdiff_t at = sv_find(word, ' ');

        return at > 0 && sv_eq(sv_from_to(word, 0, (size_t)at), a->name) &&
               sv_starts(sv_skip(word, (size_t)at + 1), a->version);
}

/* "bucket: idna 3.20, pyjwt 1.7.1" or "numpy 2.1.0 part 1/2". */
static void write_packages(const struct lock_platform *p, sv of, struct buf *out)
{
        sv word;
        char size[16];

        if (sv_starts(of, SV("bucket: ")))
                of = sv_skip(of, 8);
        while (sv_cut(&of, ',', &word)) {
                word = sv_trim(word);
                for (size_t i = 0; i < p->n_artifact; i++)
                        if (is_of(&p->artifact[i], word))
                                buf_fmt(out, "%10s  %-12s    %s %.*s\n", ui_size(p->artifact[i].size, size), "",
                                        artifact_kind_name(p->artifact[i].kind), SV_ARG(word));
        }
}

static int inspect_lock(struct app *app, const struct read_opts *o, int argc, char **argv, struct buf *out,
                        struct err *e)
{
        const struct lock_platform *p;
        struct lock *l;
        char size[16];

        if (opts_read_lock(app, argc, argv, &l, e) < 0)
                return -(int)e->code;
        p = opts_platform(app, l, o->platform, e);
        if (!p)
                return -(int)e->code;
        if (!p->has_image) {
                err_set(e, ERR_NOT_FOUND, "'%s' is locked but was not built", argv[0]);
                err_hint(e, "envbuild build %s", argv[0]);
                return -(int)e->code;
        }
        buf_fmt(out, "%10s  %-12s  %s\n", "BYTES", "DIGEST", "LAYER, AND THE FILES IT IS MADE OF");
        for (size_t i = 0; i < p->image.n_layer; i++) {
                const struct lock_layer *y = &p->image.layer[i];
                const struct lock_encoding *enc = y->n_encoding ? &y->encoding[0] : NULL;
                bool bucket = sv_starts(y->of, SV("bucket: "));
                buf_fmt(out, "%10s  %.12s  %.*s\n", enc ? ui_size(enc->size, size) : "",
                        enc ? sha256_hex(&enc->digest).s : "", SV_ARG((bucket ? SV("bucket") : y->of)));
                write_packages(p, y->of, out);
        }
        return 0;
}

int cmd_inspect(struct app *app, void *opts, int argc, char **argv, struct err *e)
{
        AUTO(buf_done) struct buf out = BUF_INIT((size_t)64 << 20);
        const struct read_opts *o = opts;
        struct image_view v = { 0 };

        if (argc != 1)
                return err_set(e, ERR_USAGE, "inspect needs one image: envbuild inspect NAME");
        if (opts_is_definition(argv[0])) {
                if (inspect_lock(app, o, argc, argv, &out, e) < 0 || buf_check(&out, e) < 0)
                        return -(int)e->code;
                fwrite(out.p, 1, out.n, stdout);
                return 0;
        }
        if (image_open(&app->image, sv_from(argv[0]), o->platform, &app->arena, &v, e) < 0)
                return -(int)e->code;
        if (o->json)
                write_json(&app->arena, &v, &out);
        else
                write_text(&v, &out);
        if (buf_check(&out, e) < 0)
                return -(int)e->code;
        fwrite(out.p, 1, out.n, stdout);
        return 0;
}
