/* envbuild inspect: layers, packages and bytes of an image. */
#include <stdio.h>

#include "base/cleanup.h"
#include "cli/app.h"
#include "cli/inspect_attached.h"
#include "cli/opts.h"
#include "ext/json.h"
#include "image/pull.h"
#include "registry/pull.h"

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

/* What others wrote may hold what a terminal takes for orders. Cut at a whole character. */
static sv clean(struct arena *a, sv text, size_t max)
{
        bool cut = text.n > max;
        char *p = arena_str(a, cut ? sv_from_to(text, 0, max) : text);
        size_t n = cut ? max : text.n;

        while (cut && n && ((unsigned char)p[n - 1] & 0xc0) == 0x80)
                n--;
        if (cut && n && ((unsigned char)p[n - 1] & 0x80))
                n--;
        for (size_t i = 0; i < n; i++)
                if ((unsigned char)p[i] < ' ' || p[i] == 127 ||
                    ((unsigned char)p[i] == 0xc2 && i + 1 < n && (unsigned char)p[i + 1] < 0xa0))
                        p[i] = '?';
        return cut ? arena_fmt(a, "%.*s…", (int)n, p) : (sv){ p, n };
}

#define TEXT_MAX  100  /* of what made a layer: buildkit writes whole scripts */
#define VALUE_MAX 4096 /* of a variable */

struct shown { /* an image, from the store or from afar */
        struct image_view v;
        struct store *store; /* NULL: from afar */
        struct inspect_attached attached;
};

static sv annotation(const struct image_view *v, const char *key)
{
        for (size_t i = 0; i < v->manifest.n_annotation; i++)
                if (sv_is(v->manifest.annotation[i].key, key))
                        return v->manifest.annotation[i].value;
        return (sv){ 0 };
}

static bool is_here(const struct shown *s, size_t layer)
{
        return !s->store || store_has(s->store, STORE_BLOB, &s->v.manifest.layer[layer].digest, NULL);
}

static void write_head(struct arena *a, const struct shown *s, struct buf *out)
{
        const struct image_view *v = &s->v;
        sv base = annotation(v, "org.opencontainers.image.base.name"),
           digest = annotation(v, "org.opencontainers.image.base.digest");

        buf_fmt(out, "name        %.*s\n", SV_ARG(v->name));
        buf_fmt(out, "digest      sha256:%s\n", sha256_hex(&v->digest).s);
        if (v->has_index) {
                buf_fmt(out, "platforms   %.*s\n", SV_ARG(clean(a, reg_index_platforms(a, &v->index), VALUE_MAX)));
                buf_fmt(out, "manifest    sha256:%s\n", sha256_hex(&v->manifest_digest).s);
        }
        buf_fmt(out, "image id    sha256:%s\n", sha256_hex(&v->manifest.config.digest).s);
        buf_fmt(out, "platform    %.*s/%.*s\n", SV_ARG(clean(a, v->config.os, VALUE_MAX)),
                SV_ARG(clean(a, v->config.arch, VALUE_MAX)));
        if (base.n)
                buf_fmt(out, "base        %.*s%s%.*s\n", SV_ARG(clean(a, base, VALUE_MAX)), digest.n ? "@" : "",
                        SV_ARG(clean(a, digest, VALUE_MAX)));
}

static void write_text(struct arena *a, const struct shown *s, struct buf *out)
{
        const struct image_view *v = &s->v;
        uint64_t total = 0, missing = 0;
        size_t n_missing = 0;
        char size[16];

        for (size_t i = 0; i < v->manifest.n_layer; i++) {
                total += v->manifest.layer[i].size;
                if (!is_here(s, i)) {
                        n_missing++;
                        missing += v->manifest.layer[i].size;
                }
        }
        write_head(a, s, out);
        buf_fmt(out, "layers      %zu, %s\n", v->manifest.n_layer, ui_size(total, size));
        if (n_missing)
                buf_fmt(out, "not here    %zu layer%s, %s%s%.*s\n", n_missing, n_missing == 1 ? "" : "s",
                        ui_size(missing, size), v->from.n ? ": at " : "", SV_ARG(v->from));
        for (size_t i = 0; i < v->config.n_env; i++)
                buf_fmt(out, "%-11s %.*s\n", i ? "" : "env", SV_ARG(clean(a, v->config.env[i], VALUE_MAX)));
        buf_fmt(out, "\n%10s  %-12s  %s\n", "BYTES", "DIGEST", "WHAT");
        for (size_t i = 0; i < v->manifest.n_layer; i++) {
                sv text = layer_text(&v->config, i);
                if (sv_starts(text, SV("envbuild ")))
                        text = sv_skip(text, 9);
                buf_fmt(out, "%10s  %.12s  %.*s\n", ui_size(v->manifest.layer[i].size, size),
                        sha256_hex(&v->manifest.layer[i].digest).s, SV_ARG(clean(a, text, TEXT_MAX)));
        }
        inspect_attached_text(&s->attached, out);
}

static void put_digest(struct arena *a, struct js *j, const char *key, const sha256 *d)
{
        js_put_str(a, j, key, arena_fmt(a, "sha256:%s", sha256_hex(d).s));
}

static void put_platforms(struct arena *a, const struct image_view *v, struct js *j)
{
        struct js *list = js_new_arr(a);
        sv rest = reg_index_platforms(a, &v->index), one;

        while (sv_cut(&rest, ',', &one))
                js_add(a, list, js_new_str(a, sv_trim(one)));
        js_put(a, j, SV("platforms"), list);
}

static void write_json(struct arena *a, const struct shown *s, struct buf *out)
{
        struct js *j = js_new_obj(a), *layers = js_new_arr(a), *env = js_new_arr(a);
        const struct image_view *v = &s->v;
        sv base = annotation(v, "org.opencontainers.image.base.name");

        js_put_str(a, j, "name", v->name);
        put_digest(a, j, "digest", &v->digest);
        put_digest(a, j, "manifest-digest", &v->manifest_digest);
        put_digest(a, j, "image-id", &v->manifest.config.digest);
        js_put_str(a, j, "platform", arena_fmt(a, "%.*s/%.*s", SV_ARG(v->config.os), SV_ARG(v->config.arch)));
        if (v->has_index)
                put_platforms(a, v, j);
        if (base.n) {
                js_put_str(a, j, "base", base);
                js_put_str(a, j, "base-digest", annotation(v, "org.opencontainers.image.base.digest"));
        }
        if (v->from.n)
                js_put_str(a, j, "from", v->from);
        for (size_t i = 0; i < v->config.n_env; i++)
                js_add(a, env, js_new_str(a, v->config.env[i]));
        js_put(a, j, SV("env"), env);
        for (size_t i = 0; i < v->manifest.n_layer; i++) {
                struct js *one = js_new_obj(a);
                put_digest(a, one, "digest", &v->manifest.layer[i].digest);
                js_put_int(a, one, "size", (int64_t)v->manifest.layer[i].size);
                js_put_str(a, one, "media-type", v->manifest.layer[i].media_type);
                js_put_str(a, one, "of", layer_text(&v->config, i));
                if (s->store)
                        js_put(a, one, SV("here"), js_new_bool(a, is_here(s, i)));
                js_add(a, layers, one);
        }
        js_put(a, j, SV("layers"), layers);
        inspect_attached_json(a, &s->attached, j);
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

/* In the store under the name as it was written, or as it is written in full. */
static int find_here(struct app *app, sv text, sv platform, struct shown *ret, struct err *e)
{
        struct err missing = { 0 };
        AUTO(err_done) struct err none = { 0 };
        struct reference ref;
        sv full;

        ret->store = NULL;
        if (image_open(&app->image, text, platform, &app->arena, &ret->v, &missing) < 0) {
                if (missing.code != ERR_NOT_FOUND || image_reference(&app->arena, text, false, &ref, &none) < 0)
                        return err_move(e, &missing);
                full = reg_reference_text(&app->arena, &ref);
                if (image_open(&app->image, full, platform, &app->arena, &ret->v, &none) < 0)
                        return err_move(e, &missing);
                err_done(&missing);
        }
        ret->store = app->image.store;
        return 0;
}

/* The store first, then the registry that the name means. */
static int find_image(struct app *app, sv text, sv platform, struct shown *ret, struct err *e)
{
        bool afar = sv_starts(text, SV("docker://"));
        struct err missing = { 0 };
        struct reference ref;

        if (!afar) {
                if (find_here(app, text, platform, ret, &missing) == 0)
                        return 0;
                if (missing.code != ERR_NOT_FOUND || sv_starts(text, SV("sha256:")) || app->image.offline)
                        return err_move(e, &missing);
                err_done(&missing);
        }
        if (image_reference(&app->arena, text, false, &ref, e) < 0 ||
            image_look(&app->image, &ref, platform, &app->arena, &ret->v, e) < 0)
                return afar ? -(int)e->code
                            : err_while(e, "looking for '%.*s', which is not in the store", SV_ARG(text));
        return 0;
}

int cmd_inspect(struct app *app, void *opts, int argc, char **argv, struct err *e)
{
        AUTO(buf_done) struct buf out = BUF_INIT((size_t)64 << 20);
        const struct read_opts *o = opts;
        struct shown s = { 0 };

        if (argc != 1)
                return err_set(e, ERR_USAGE, "inspect needs one image: envbuild inspect NAME");
        if (opts_registry(app, &o->registry, e) < 0)
                return -(int)e->code;
        if (opts_is_definition(argv[0])) {
                if (inspect_lock(app, o, argc, argv, &out, e) < 0)
                        return -(int)e->code;
        } else {
                if (find_image(app, sv_from(argv[0]), o->platform, &s, e) < 0 ||
                    inspect_attached_read(app, &s.v, s.store != NULL, &s.attached, e) < 0)
                        return -(int)e->code;
                if (o->json)
                        write_json(&app->arena, &s, &out);
                else
                        write_text(&app->arena, &s, &out);
        }
        if (buf_check(&out, e) < 0)
                return -(int)e->code;
        fwrite(out.p, 1, out.n, stdout);
        return 0;
}
