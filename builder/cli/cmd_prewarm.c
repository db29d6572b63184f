/* envbuild prewarm, envbuild curated push: many images to many places, and what became of each. */
#include <stdio.h>

#include "base/cleanup.h"
#include "cli/app.h"
#include "cli/attached.h"
#include "cli/opts.h"
#include "ext/json.h"
#include "image/prewarm.h"

/* --- for people */

static sv image_name(const struct prewarm_image *im)
{
        return im->name.n ? im->name : im->set->what;
}

static sv state_text(const struct prewarm_result *r, struct arena *a)
{
        switch (r->state) {
        case PREWARM_THERE:
                return SV("there");
        case PREWARM_PUSHED:
                if (r->place->local)
                        return SV("loaded");
                return arena_fmt(a, "%zu sent, %zu mounted, %zu there", r->sent, r->mounted, r->present);
        case PREWARM_MISSING:
                if (r->counted)
                        return arena_fmt(a, "would send %zu layers, %zu there", r->sent, r->present);
                return r->place->local ? SV("would be loaded") : SV("would be pushed");
        case PREWARM_FAILED:
                break;
        }
        return SV("failed");
}

static sv time_text(int64_t ms, struct arena *a)
{
        return arena_fmt(a, "%lld.%lld s", (long long)(ms / 1000), (long long)(ms % 1000 / 100));
}

struct row {
        sv cell[5]; /* image, place, state, bytes, time */
};
struct rows {
        struct arena *a;
        struct row *v;
        size_t n, cap, width[5];
};

static void add_row(struct rows *t, sv image, sv place, sv state, sv bytes, sv time)
{
        struct row r = { { image, place, state, bytes, time } };

        for (size_t i = 0; i < ARRAY_LEN(r.cell); i++)
                t->width[i] = r.cell[i].n > t->width[i] ? r.cell[i].n : t->width[i];
        *arena_push(t->a, t->v, t->n, t->cap) = r;
}

static void image_rows(struct rows *t, const struct prewarm_image *im)
{
        sv none = SV("-");
        char size[16];

        if (im->fault.code)
                add_row(t, image_name(im), none, SV("failed"), none, time_text(im->ms, t->a));
        for (size_t i = 0; i < im->n_at; i++) {
                const struct prewarm_result *r = &im->at[i];
                sv bytes = r->bytes ? arena_sv(t->a, sv_from(ui_size(r->bytes, size))) : none;
                add_row(t, image_name(im), r->place->text, state_text(r, t->a), bytes, time_text(r->ms, t->a));
        }
}

static void write_table(const struct prewarm_report *r, struct arena *a, struct buf *out)
{
        struct rows t = { .a = a };

        add_row(&t, SV("IMAGE"), SV("AT"), SV("STATE"), SV("BYTES"), SV("TIME"));
        for (size_t i = 0; i < r->n_image; i++)
                image_rows(&t, &r->image[i]);
        for (size_t i = 0; i < t.n; i++) {
                const sv *c = t.v[i].cell;
                buf_fmt(out, "%-*.*s  %-*.*s  %-*.*s  %*.*s  %*.*s\n", (int)t.width[0], SV_ARG(c[0]), (int)t.width[1],
                        SV_ARG(c[1]), (int)t.width[2], SV_ARG(c[2]), (int)t.width[3], SV_ARG(c[3]), (int)t.width[4],
                        SV_ARG(c[4]));
        }
}

/* --- for programs */

static struct js *fault_json(struct arena *a, const struct prewarm_fault *f)
{
        struct js *j = js_new_obj(a);

        js_put_int(a, j, "exit", err_exit_code(f->code));
        js_put_str(a, j, "cause", f->cause);
        if (f->hint.n)
                js_put_str(a, j, "hint", f->hint);
        return j;
}

static void put_seconds(struct arena *a, struct js *j, int64_t ms)
{
        struct js *real = arena_new(a, struct js);

        *real = (struct js){ .type = JS_REAL,
                             .str = arena_fmt(a, "%lld.%03lld", (long long)(ms / 1000), (long long)(ms % 1000)) };
        js_put(a, j, SV("seconds"), real);
}

static struct js *result_json(struct arena *a, const struct prewarm_result *r)
{
        static const char *const state[] = { [PREWARM_THERE] = "there",
                                             [PREWARM_PUSHED] = "pushed",
                                             [PREWARM_MISSING] = "missing",
                                             [PREWARM_FAILED] = "failed" };
        struct js *j = js_new_obj(a), *blobs = js_new_obj(a);

        js_put_str(a, j, "at", r->place->text);
        if (r->reference.n)
                js_put_str(a, j, "reference", r->reference);
        js_put_str(a, j, "state", sv_from(r->place->local && r->state == PREWARM_PUSHED ? "loaded" : state[r->state]));
        if (r->counted) {
                js_put_int(a, blobs, "present", (int64_t)r->present);
                js_put_int(a, blobs, "mounted", (int64_t)r->mounted);
                js_put_int(a, blobs, "sent", (int64_t)r->sent);
                js_put(a, j, SV("blobs"), blobs);
        }
        js_put_int(a, j, "bytes", (int64_t)r->bytes);
        put_seconds(a, j, r->ms);
        if (r->fault.code)
                js_put(a, j, SV("error"), fault_json(a, &r->fault));
        return j;
}

static struct js *image_json(struct arena *a, const struct prewarm_image *im)
{
        struct js *j = js_new_obj(a), *at = js_new_arr(a), *made = js_new_obj(a);

        js_put_str(a, j, "set", im->set->what);
        if (im->name.n)
                js_put_str(a, j, "name", im->name);
        if (im->has_digest)
                js_put_str(a, j, "digest", arena_fmt(a, "sha256:%s", sha256_hex(&im->digest).s));
        js_put_int(a, made, "layers", (int64_t)im->count.layers);
        js_put_int(a, made, "reused", (int64_t)im->count.reused);
        js_put_int(a, made, "remote", (int64_t)im->count.remote);
        js_put_int(a, made, "fetched", (int64_t)im->count.fetched);
        put_seconds(a, made, im->ms);
        if (im->built)
                js_put(a, j, SV("build"), made);
        for (size_t i = 0; i < im->n_at; i++)
                js_add(a, at, result_json(a, &im->at[i]));
        js_put(a, j, SV("places"), at);
        if (im->fault.code)
                js_put(a, j, SV("error"), fault_json(a, &im->fault));
        return j;
}

static void write_json(const struct prewarm_report *r, bool dry_run, struct arena *a, struct buf *out)
{
        struct js *j = js_new_obj(a), *images = js_new_arr(a);

        for (size_t i = 0; i < r->n_image; i++)
                js_add(a, images, image_json(a, &r->image[i]));
        js_put(a, j, SV("images"), images);
        js_put_int(a, j, "failed", (int64_t)r->n_failed);
        js_put(a, j, SV("dry-run"), js_new_bool(a, dry_run));
        js_write_pretty(j, out);
}

/* --- what went wrong: each fault once, with whom it hit */

static void report_fault(struct app *app, sv image, sv place, const struct prewarm_fault *f)
{
        struct err e = { 0 };
        sv rest = f->trail, line;

        if (sv_ends(place, SV(":")))
                place.n--;
        err_set(&e, f->code, "%.*s%s%.*s: %.*s", SV_ARG(image), place.n ? " at " : "", SV_ARG(place), SV_ARG(f->cause));
        while (sv_cut(&rest, '\n', &line))
                err_while(&e, "%.*s", SV_ARG(line));
        if (f->hint.n)
                err_hint(&e, "%.*s", SV_ARG(f->hint));
        ui_report(app, &e);
        err_done(&e);
}

static void report_faults(struct app *app, const struct prewarm_image *im)
{
        const struct prewarm_fault *last = NULL;

        if (im->fault.code)
                report_fault(app, image_name(im), (sv){ 0 }, &im->fault);
        for (size_t i = 0; i < im->n_at; i++) {
                const struct prewarm_fault *f = &im->at[i].fault;
                if (f->code && (!last || !sv_eq(last->cause, f->cause)))
                        report_fault(app, image_name(im), im->at[i].place->text, f);
                last = f->code ? f : last;
        }
}

/* --- the commands */

static int read_places(struct app *app, const struct prewarm_cli *o, struct prewarm_place **ret, struct err *e)
{
        if (o->to.n == 0) {
                err_set(e, ERR_USAGE, "nothing says where the images should go");
                err_hint(e, "--to REGISTRY, as in --to localhost:5000/team; it may be given several times");
                return -(int)e->code;
        }
        *ret = arena_array(&app->arena, struct prewarm_place, o->to.n);
        for (size_t i = 0; i < o->to.n; i++)
                if (prewarm_place_read(&app->arena, o->to.v[i], &(*ret)[i], e) < 0)
                        return -(int)e->code;
        return 0;
}

static int run(struct app *app, const struct prewarm_cli *o, const sv *word, size_t n, struct err *e)
{
        AUTO(buf_done) struct buf out = BUF_INIT((size_t)64 << 20);
        AUTO(attach_done) struct attach_opts attach = { 0 };
        struct prewarm_opts p = { .n_place = o->to.n,
                                  .tag = o->tag.v,
                                  .n_tag = o->tag.n,
                                  .platform = o->platform.v,
                                  .n_platform = o->platform.n,
                                  .codec = opts_codec(o->codec),
                                  .attach = &attach,
                                  .dry_run = o->dry_run,
                                  .locked = o->locked };
        struct prewarm_report r = { 0 };
        struct prewarm_place *place;
        struct prewarm_set *set;

        if (opts_registry(app, &o->registry, e) < 0 || attach_read(&o->attach, &attach, e) < 0 ||
            read_places(app, o, &place, e) < 0)
                return -(int)e->code;
        prewarm_sets(&app->arena, word, n, &set, &p.n_set);
        p.set = set;
        p.place = place;
        if (prewarm(&app->image, &p, &app->arena, &r, e) < 0)
                return -(int)e->code;
        if (o->json)
                write_json(&r, o->dry_run, &app->arena, &out);
        else
                write_table(&r, &app->arena, &out);
        if (buf_check(&out, e) < 0)
                return -(int)e->code;
        progress_pause(app->progress);
        fwrite(out.p, 1, out.n, stdout);
        fflush(stdout);
        ui_diags(app);
        for (size_t i = 0; i < r.n_image; i++)
                report_faults(app, &r.image[i]);
        return err_exit_code(r.code);
}

int cmd_prewarm(struct app *app, void *opts, int argc, char **argv, struct err *e)
{
        sv *word = arena_array(&app->arena, sv, (size_t)argc);

        if (argc == 0) {
                err_set(e, ERR_USAGE, "prewarm needs a definition, a folder of them, or curated/NAME");
                err_hint(e, "envbuild prewarm env.yml --to REGISTRY");
                return -(int)e->code;
        }
        for (int i = 0; i < argc; i++)
                word[i] = sv_from(argv[i]);
        return run(app, opts, word, (size_t)argc, e);
}

int cmd_curated_push(struct app *app, void *opts, int argc, char **argv, struct err *e)
{
        sv *word = arena_array(&app->arena, sv, (size_t)argc);

        if (argc == 0) {
                err_set(e, ERR_USAGE, "curated push needs a name");
                err_hint(e, "envbuild curated list shows them");
                return -(int)e->code;
        }
        for (int i = 0; i < argc; i++) {
                word[i] = opts_curated_word(app, argv[i], e);
                if (word[i].n == 0)
                        return -(int)e->code;
        }
        return run(app, opts, word, (size_t)argc, e);
}
