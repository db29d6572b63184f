/* envbuild doctor: what works here, and why the rest does not. */
#include <stdio.h>

#include "base/cleanup.h"
#include "cli/doctor.h"
#include "cli/opts.h"
#include "cli/run_cli.h"

/* --- targets */

static struct js *probed(struct app *app, struct run_ctx *c, const struct run_profile *p)
{
        struct arena *a = &app->arena;
        AUTO(err_done) struct err e = { 0 };
        struct run_probe probe = { 0 };
        struct js *j = js_new_obj(a);
        int r = p->target->probe(c, a, p, &probe, &e);

        js_put_str(a, j, "name", p->name);
        js_put_str(a, j, "target", sv_from(p->target->name));
        js_put_str(a, j, "summary", sv_from(p->target->summary));
        if (p->file.n)
                js_put_str(a, j, "file", p->file);
        js_put(a, j, SV("works"), js_new_bool(a, r == 0 && probe.works));
        if (probe.version.n)
                js_put_str(a, j, "version", probe.version);
        if (r < 0)
                js_put_str(a, j, "why", arena_sv(a, sv_from(e.cause)));
        else if (!probe.works && probe.why.n)
                js_put_str(a, j, "why", probe.why);
        if (!probe.works && probe.hint.n)
                js_put_str(a, j, "hint", probe.hint);
        return j;
}

/* Every target as it is without a profile, then every profile. Faults of profiles are in app->diags, where they are told from. */
static int targets(struct app *app, struct js **ret, struct err *e)
{
        struct run_ctx c = { .op = &app->op, .diags = &app->diags, .store = app->image.store };
        struct run_profile *v = NULL;
        size_t n = 0;

        *ret = js_new_arr(&app->arena);
        for (size_t i = 0; run_targets[i]; i++) {
                struct run_profile p = { .name = sv_from(run_targets[i]->name), .target = run_targets[i] };
                if (op_check(&app->op, e) < 0)
                        return -(int)e->code;
                js_add(&app->arena, *ret, probed(app, &c, &p));
        }
        if (run_profile_list(&app->arena, &app->diags, &v, &n, e) < 0)
                return -(int)e->code;
        for (size_t i = 0; i < n; i++) {
                if (op_check(&app->op, e) < 0)
                        return -(int)e->code;
                js_add(&app->arena, *ret, probed(app, &c, &v[i]));
        }
        return 0;
}

/* `local` makes an image's root with bwrap in the store. */
static bool local_works(const struct js *all, const struct js *store)
{
        for (size_t i = 0; i < all->n; i++)
                if (sv_is(js_get_str(all->v[i].value, "name"), "local"))
                        return js_true(js_get(all->v[i].value, "works")) && js_true(js_get(store, "works"));
        return false;
}

/* --- text */

static void text_targets(const struct js *all, struct buf *out)
{
        size_t width = 0;

        for (size_t i = 0; i < all->n; i++)
                if (js_get_str(all->v[i].value, "name").n > width)
                        width = js_get_str(all->v[i].value, "name").n;
        buf_add(out, SV("targets (envbuild run --on NAME)\n"));
        for (size_t i = 0; i < all->n; i++) {
                const struct js *t = all->v[i].value;
                bool works = js_true(js_get(t, "works")), profile = js_get_str(t, "file").n;
                sv why = js_get_str(t, works ? "version" : "why");
                buf_fmt(out, "  %-*.*s  %s  %.*s", (int)width, SV_ARG(js_get_str(t, "name")), works ? "works" : "no   ",
                        SV_ARG(why));
                if (profile)
                        buf_fmt(out, "%s(%.*s: %.*s)", why.n ? "  " : "", SV_ARG(js_get_str(t, "target")),
                                SV_ARG(js_get_str(t, "file")));
                buf_byte(out, '\n');
                if (js_get_str(t, "hint").n)
                        buf_fmt(out, "  %-*s         hint: %.*s\n", (int)width, "", SV_ARG(js_get_str(t, "hint")));
        }
}

static void text_store(const struct js *s, const struct js *k, struct buf *out)
{
        char size[16];
        int64_t free_bytes = 0;

        buf_add(out, SV("store\n"));
        if (!js_true(js_get(s, "works")))
                buf_fmt(out, "  no: %.*s\n", SV_ARG(js_get_str(s, "why")));
        else if (js_int(js_get(s, "free_bytes"), &free_bytes))
                buf_fmt(out, "  %.*s  %.*s, %s free\n", SV_ARG(js_get_str(s, "path")),
                        SV_ARG(js_get_str(s, "filesystem")), ui_size((uint64_t)free_bytes, size));
        buf_fmt(out, "kernel\n  %.*s %.*s, user namespaces: %s%.*s\n", SV_ARG(js_get_str(k, "kernel")),
                SV_ARG(js_get_str(k, "machine")),
                js_true(js_get(k, "user_namespaces")) ? "yes" : "no: ", SV_ARG(js_get_str(k, "why")));
}

static void text_logins(const struct js *j, struct buf *out)
{
        const struct js *files = js_get(j, "files"), *helpers = js_get(j, "helpers");

        buf_add(out, SV("registry logins\n"));
        if (!files->n)
                buf_add(out, SV("  none (envbuild login HOST)\n"));
        for (size_t i = 0; i < files->n; i++) {
                const struct js *f = files->v[i].value, *names = js_get(f, "registries");
                buf_fmt(out, "  %.*s ", SV_ARG(js_get_str(f, "path")));
                for (size_t k = 0; names && k < names->n; k++)
                        buf_fmt(out, "%s %.*s", k ? "," : "", SV_ARG(js_str(names->v[k].value)));
                buf_fmt(out, "%s%.*s\n", js_get_str(f, "why").n ? " cannot be used: " : "",
                        SV_ARG(js_get_str(f, "why")));
        }
        for (size_t i = 0; i < helpers->n; i++) {
                const struct js *h = helpers->v[i].value;
                buf_fmt(out, "  %.*s  %s\n", SV_ARG(js_get_str(h, "program")),
                        js_true(js_get(h, "works")) ? "is there" : "is not on PATH, though an auth file names it");
        }
}

static void text_pairs(const char *title, const struct js *all, const char *value, const char *otherwise,
                       struct buf *out)
{
        buf_fmt(out, "%s\n", title);
        if (!all->n)
                buf_fmt(out, "  %s\n", otherwise);
        for (size_t i = 0; i < all->n; i++) {
                const struct js *j = all->v[i].value;
                sv v = js_get_str(j, value), use = js_get_str(j, "for"), why = js_get_str(j, "why");
                buf_fmt(out, "  %-13.*s  %.*s", SV_ARG(js_get_str(j, "name")), SV_ARG(v));
                if (!v.n)
                        buf_fmt(out, "not there (%.*s)", SV_ARG(use));
                buf_fmt(out, "%s%.*s\n", why.n ? "  " : "", SV_ARG(why));
        }
}

static void text(const struct js *j, struct buf *out)
{
        text_targets(js_get(j, "targets"), out);
        text_store(js_get(j, "store"), js_get(j, "kernel"), out);
        text_logins(js_get(j, "logins"), out);
        text_pairs("network settings", js_get(j, "network"), "value", "none: no proxy, the system's certificates", out);
        text_pairs("programs", js_get(j, "tools"), "version", "", out);
}

int cmd_doctor(struct app *app, void *opts, int argc, char **argv, struct err *e)
{
        AUTO(buf_done) struct buf out = BUF_INIT((size_t)4 << 20);
        const struct read_opts *o = opts;
        struct arena *a = &app->arena;
        struct js *j = js_new_obj(a), *all, *store = doctor_store(app);
        bool works;

        (void)argc, (void)argv;
        if (targets(app, &all, e) < 0)
                return -(int)e->code;
        works = local_works(all, store);
        js_put(a, j, SV("works"), js_new_bool(a, works));
        js_put(a, j, SV("targets"), all);
        js_put(a, j, SV("store"), store);
        js_put(a, j, SV("kernel"), doctor_kernel(app));
        js_put(a, j, SV("logins"), doctor_logins(app));
        js_put(a, j, SV("network"), doctor_network(app));
        js_put(a, j, SV("tools"), doctor_tools(app));
        if (o->json) {
                js_write_pretty(j, &out);
                buf_byte(&out, '\n');
        } else {
                text(j, &out);
        }
        if (buf_check(&out, e) < 0)
                return -(int)e->code;
        progress_pause(app->progress);
        fwrite(out.p, 1, out.n, stdout);
        return works ? 0 : 1;
}
