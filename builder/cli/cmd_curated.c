/* envbuild curated list, show, build: environments that are shipped, each with its lock. */
#include <stdio.h>

#include "base/cleanup.h"
#include "cli/app.h"
#include "cli/opts.h"
#include "ext/json.h"
#include "image/curated.h"

static uint64_t image_size(const struct lock_platform *p)
{
        uint64_t n = 0;

        for (size_t i = 0; p->has_image && i < p->image.n_layer; i++)
                if (p->image.layer[i].n_encoding)
                        n += p->image.layer[i].encoding[0].size;
        return n;
}

/* This machine's, else the first. */
static const struct lock_platform *nearest(struct app *app, const struct lock *l)
{
        const struct lock_platform *p = lock_find_platform(l, image_host_platform(&app->arena));

        return p ? p : l->n_platform ? &l->platform[0] : NULL;
}

static struct js *digest_of(struct arena *a, const sha256 *d)
{
        return js_new_str(a, arena_fmt(a, "sha256:%s", sha256_hex(d).s));
}

/* What an image of all platforms is called by: the index, or the one manifest. */
static const sha256 *image_digest(const struct lock *l)
{
        const struct lock_platform *p = l->platform;

        if (l->n_platform != 1)
                return l->has_index ? &l->index : NULL;
        return p->has_image && p->image.n_manifest ? &p->image.manifest[0].digest : NULL;
}

/* --- list */

static struct js *list_json(struct app *app, const struct curated_set *s)
{
        struct arena *a = &app->arena;
        const struct lock_platform *p = nearest(app, s->lock);
        struct js *j = js_new_obj(a), *platforms = js_new_arr(a);

        js_put_str(a, j, "name", s->name);
        js_put_str(a, j, "description", s->description);
        for (size_t i = 0; i < s->lock->n_platform; i++)
                js_add(a, platforms, js_new_str(a, s->lock->platform[i].platform));
        js_put(a, j, SV("platforms"), platforms);
        js_put_int(a, j, "packages", p ? (int64_t)p->n_artifact : 0);
        js_put_int(a, j, "size", p ? (int64_t)image_size(p) : 0);
        if (image_digest(s->lock))
                js_put(a, j, SV("digest"), digest_of(a, image_digest(s->lock)));
        js_put_str(a, j, "definition", s->file);
        js_put_str(a, j, "lock", s->lock_file);
        return j;
}

static void list_row(struct app *app, const struct curated_set *s, size_t width, struct buf *out)
{
        const struct lock_platform *p = nearest(app, s->lock);
        char size[16];

        buf_fmt(out, "%-*.*s  %8zu  %8s  %.*s\n", (int)width, SV_ARG(s->name), p ? p->n_artifact : 0,
                ui_size(p ? image_size(p) : 0, size), SV_ARG(s->description));
}

/* One that cannot be read hides no other. */
static void list_broken(struct app *app, sv name, const struct err *bad, size_t width, struct js *all, struct buf *out)
{
        struct js *j = js_new_obj(&app->arena);

        js_put_str(&app->arena, j, "name", name);
        js_put_str(&app->arena, j, "error", arena_sv(&app->arena, sv_from(bad->cause)));
        js_add(&app->arena, all, j);
        buf_fmt(out, "%-*.*s  %8s  %8s  %s\n", (int)width, SV_ARG(name), "-", "-", bad->cause);
}

int cmd_curated_list(struct app *app, void *opts, int argc, char **argv, struct err *e)
{
        AUTO(buf_done) struct buf out = BUF_INIT((size_t)1 << 20);
        const struct read_opts *o = opts;
        struct js *all = js_new_arr(&app->arena);
        size_t n, width = 4;
        sv *name;

        (void)argc, (void)argv;
        if (curated_names(&app->arena, &name, &n, e) < 0)
                return -(int)e->code;
        for (size_t i = 0; i < n; i++)
                width = name[i].n > width ? name[i].n : width;
        buf_fmt(&out, "%-*s  %8s  %8s  %s\n", (int)width, "NAME", "PACKAGES", "SIZE", "WHAT IT HOLDS");
        for (size_t i = 0; i < n; i++) {
                AUTO(err_done) struct err bad = { 0 };
                struct curated_set s;
                if (curated_open(&app->arena, name[i], &app->diags, &s, &bad) < 0) {
                        list_broken(app, name[i], &bad, width, all, &out);
                        if (e->code == ERR_NONE)
                                err_move(e, &bad);
                        continue;
                }
                js_add(&app->arena, all, list_json(app, &s));
                list_row(app, &s, width, &out);
        }
        if (o->json) {
                buf_clear(&out);
                js_write_pretty(all, &out);
        }
        if (buf_check(&out, e) < 0)
                return -(int)e->code;
        fwrite(out.p, 1, out.n, stdout);
        return -(int)e->code;
}

/* --- show */

static struct js *package_json(struct arena *a, const struct artifact *x)
{
        struct js *j = js_new_obj(a);

        js_put_str(a, j, "kind", sv_from(artifact_kind_name(x->kind)));
        js_put_str(a, j, "name", x->name);
        js_put_str(a, j, "version", x->version);
        js_put_int(a, j, "size", (int64_t)x->size);
        js_put_str(a, j, "sha256", arena_fmt(a, "%s", sha256_hex(&x->sha256).s));
        return j;
}

static struct js *platform_json(struct arena *a, const struct lock_platform *p)
{
        struct js *j = js_new_obj(a), *packages = js_new_arr(a);

        js_put_str(a, j, "platform", p->platform);
        if (p->has_python)
                js_put_str(a, j, "python", p->python.version);
        js_put_str(a, j, "os", arena_fmt(a, "%.*s %.*s", SV_ARG(p->facts.os_name), SV_ARG(p->facts.os_version)));
        if (p->has_image && p->image.n_manifest)
                js_put(a, j, SV("digest"), digest_of(a, &p->image.manifest[0].digest));
        js_put_int(a, j, "layers", (int64_t)p->image.n_layer);
        js_put_int(a, j, "size", (int64_t)image_size(p));
        for (size_t i = 0; i < p->n_artifact; i++)
                js_add(a, packages, package_json(a, &p->artifact[i]));
        js_put(a, j, SV("packages"), packages);
        return j;
}

static struct js *show_json(struct app *app, const struct curated_set *s)
{
        struct arena *a = &app->arena;
        struct js *j = list_json(app, s), *platforms = js_new_arr(a), *env = js_new_arr(a);

        if (s->test.n)
                js_put_str(a, j, "test", s->test);
        for (size_t i = 0; i < s->lock->config.n_env; i++)
                js_add(a, env, js_new_str(a, s->lock->config.env[i]));
        js_put(a, j, SV("env"), env);
        for (size_t i = 0; i < s->lock->n_platform; i++)
                js_add(a, platforms, platform_json(a, &s->lock->platform[i]));
        js_put(a, j, SV("platforms"), platforms);
        return j;
}

/* Debian's packages are many and the same everywhere: counted. */
static void show_platform(const struct lock_platform *p, struct buf *out)
{
        size_t n_deb = 0;
        char size[16];

        for (size_t i = 0; i < p->n_artifact; i++)
                n_deb += p->artifact[i].kind == ARTIFACT_DEB;
        buf_fmt(out, "\n%.*s: %.*s %.*s", SV_ARG(p->platform), SV_ARG(p->facts.os_name), SV_ARG(p->facts.os_version));
        if (p->has_python)
                buf_fmt(out, ", python %.*s", SV_ARG(p->python.version));
        if (p->has_image)
                buf_fmt(out, ", %zu layers, %s", p->image.n_layer, ui_size(image_size(p), size));
        buf_fmt(out, "\n%10s  %-6s %zu packages\n", "", artifact_kind_name(ARTIFACT_DEB), n_deb);
        for (size_t i = 0; i < p->n_artifact; i++) {
                const struct artifact *x = &p->artifact[i];
                if (x->kind != ARTIFACT_DEB)
                        buf_fmt(out, "%10s  %-6s %.*s %.*s\n", ui_size(x->size, size), artifact_kind_name(x->kind),
                                SV_ARG(x->name), SV_ARG(x->version));
        }
}

static void show_text(const struct curated_set *s, struct buf *out)
{
        buf_fmt(out, "name         %.*s\n", SV_ARG(s->name));
        if (s->description.n)
                buf_fmt(out, "holds        %.*s\n", SV_ARG(s->description));
        buf_fmt(out, "definition   %.*s\n", SV_ARG(s->file));
        buf_fmt(out, "lock         %.*s\n", SV_ARG(s->lock_file));
        if (s->test.n)
                buf_fmt(out, "test         %.*s\n", SV_ARG(s->test));
        if (image_digest(s->lock))
                buf_fmt(out, "digest       sha256:%s\n", sha256_hex(image_digest(s->lock)).s);
        for (size_t i = 0; i < s->lock->config.n_env; i++)
                buf_fmt(out, "%-12s %.*s\n", i ? "" : "env", SV_ARG(s->lock->config.env[i]));
        for (size_t i = 0; i < s->lock->n_platform; i++)
                show_platform(&s->lock->platform[i], out);
}

/* "minimal" and "curated/minimal" are the same here. */
static int one_word(struct app *app, int argc, char **argv, const char *verb, sv *ret, struct err *e)
{
        if (argc != 1) {
                err_set(e, ERR_USAGE, "curated %s needs one name", verb);
                err_hint(e, "envbuild curated list shows them");
                return -(int)e->code;
        }
        *ret = opts_curated_word(app, argv[0], e);
        return ret->n ? 0 : -(int)e->code;
}

int cmd_curated_show(struct app *app, void *opts, int argc, char **argv, struct err *e)
{
        AUTO(buf_done) struct buf out = BUF_INIT((size_t)64 << 20);
        const struct read_opts *o = opts;
        struct curated_set s;
        sv word, name;

        if (one_word(app, argc, argv, "show", &word, e) < 0)
                return -(int)e->code;
        curated_is_name(word, &name);
        if (curated_open(&app->arena, name, &app->diags, &s, e) < 0)
                return -(int)e->code;
        if (o->json)
                js_write_pretty(show_json(app, &s), &out);
        else
                show_text(&s, &out);
        if (buf_check(&out, e) < 0)
                return -(int)e->code;
        fwrite(out.p, 1, out.n, stdout);
        return 0;
}

int cmd_curated_build(struct app *app, void *opts, int argc, char **argv, struct err *e)
{
        char *words[1];
        sv word;

        if (one_word(app, argc, argv, "build", &word, e) < 0)
                return -(int)e->code;
        words[0] = arena_str(&app->arena, word);
        return cmd_build(app, opts, 1, words, e);
}
