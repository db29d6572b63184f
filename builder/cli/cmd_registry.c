/* envbuild registry list, registry prune: what a repository holds, and what of it nobody needs. */
#include <stdio.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "cli/app.h"
#include "cli/opts.h"
#include "ext/json.h"
#include "image/repository.h"

static sv tags_of(struct arena *a, const struct repository_item *x)
{
        AUTO(buf_done) struct buf b = BUF_INIT((size_t)1 << 20);

        for (size_t i = 0; i < x->n_tag; i++)
                buf_fmt(&b, "%s%.*s", i ? ", " : "", SV_ARG(x->tag[i]));
        return arena_sv(a, buf_sv(&b));
}

static struct js *item_json(struct arena *a, const struct repository_item *x, bool judged)
{
        struct js *j = js_new_obj(a), *tags = js_new_arr(a);
        char date[24];

        for (size_t i = 0; i < x->n_tag; i++)
                js_add(a, tags, js_new_str(a, x->tag[i]));
        js_put_str(a, j, "kind", sv_from(repository_kind_name(x->kind)));
        js_put_str(a, j, "digest", arena_fmt(a, "sha256:%s", sha256_hex(&x->digest).s));
        js_put(a, j, SV("tags"), tags);
        js_put_int(a, j, "size", (int64_t)x->bytes);
        if (x->created) {
                time_format(x->created, date);
                js_put_str(a, j, "created", arena_sv(a, sv_from(date)));
        }
        if (judged) {
                js_put(a, j, SV("kept"), js_new_bool(a, x->kept));
                if (x->why)
                        js_put_str(a, j, "why", sv_from(x->why));
        }
        return j;
}

static int print_json(struct app *app, const struct js *j, struct err *e)
{
        AUTO(buf_done) struct buf out = BUF_INIT((size_t)64 << 20);

        js_write_pretty(j, &out);
        if (buf_check(&out, e) < 0)
                return -(int)e->code;
        progress_pause(app->progress);
        fwrite(out.p, 1, out.n, stdout);
        return 0;
}

static void print_row(struct app *app, const struct repository_item *x, const char *fate)
{
        char size[16], date[24] = "";

        if (x->created)
                time_format(x->created, date);
        printf("%s%-10s  %.12s  %8s  %-10.10s  %.*s%s%s%s\n", fate, repository_kind_name(x->kind),
               sha256_hex(&x->digest).s, x->bytes ? ui_size(x->bytes, size) : "", date, SV_ARG(tags_of(&app->arena, x)),
               x->why ? " (" : "", x->why ? x->why : "", x->why ? ")" : "");
}

static int one_word(int argc, const char *usage, struct err *e)
{
        if (argc > 0)
                return 0;
        err_set(e, ERR_USAGE, "a repository is missing");
        err_hint(e, "%s", usage);
        return -(int)e->code;
}

int cmd_registry_list(struct app *app, void *opts, int argc, char **argv, struct err *e)
{
        const struct repository_cli *o = opts;
        struct arena *a = &app->arena;
        struct js *all = js_new_arr(a);
        struct repository r;

        if (one_word(argc, "envbuild registry list REGISTRY/NAME", e) < 0)
                return -(int)e->code;
        if (argc > 1)
                return err_set(e, ERR_USAGE, "registry list takes one repository, not '%s' too", argv[1]);
        if (opts_registry(app, &o->registry, e) < 0 || repository_list(&app->image, sv_from(argv[0]), a, &r, e) < 0)
                return -(int)e->code;
        if (o->json) {
                for (size_t i = 0; i < r.n; i++)
                        js_add(a, all, item_json(a, &r.v[i], false));
                return print_json(app, all, e);
        }
        progress_pause(app->progress);
        for (size_t i = 0; i < r.n; i++)
                print_row(app, &r.v[i], "");
        return 0;
}

/* --- prune */

static int read_keep(struct app *app, const struct repository_cli *o, struct repository_keep *ret, struct err *e)
{
        if (!o->keep.n && !o->older.n) {
                err_set(e, ERR_USAGE, "registry prune needs to know what stays");
                err_hint(e, "envbuild registry prune REGISTRY/NAME --keep-locked DIR, or --older-than 90d");
                return -(int)e->code;
        }
        if (o->older.n && time_read(o->older, clock_unix(), &ret->before, e) < 0)
                return err_while(e, "reading --older-than");
        for (size_t i = 0; i < o->keep.n; i++)
                if (repository_keep_locks(&app->image, o->keep.v[i], &app->arena, ret, e) < 0)
                        return -(int)e->code;
        return 0;
}

static size_t going(const struct repository *r)
{
        size_t n = 0;

        for (size_t i = 0; i < r->n; i++)
                n += !r->v[i].kept;
        return n;
}

static int prune_one(struct app *app, const struct repository_cli *o, sv repo, const struct repository_keep *keep,
                     struct js *all, struct err *e)
{
        struct arena *a = &app->arena;
        struct repository r;
        struct js *j = js_new_obj(a), *items = js_new_arr(a);
        size_t deleted = 0;

        if (repository_list(&app->image, repo, a, &r, e) < 0)
                return -(int)e->code;
        repository_judge(&r, keep);
        if (!o->json)
                progress_pause(app->progress);
        for (size_t i = 0; i < r.n; i++) {
                js_add(a, items, item_json(a, &r.v[i], true));
                if (!o->json)
                        print_row(app, &r.v[i], r.v[i].kept ? "keep    " : o->yes ? "delete  " : "would   ");
        }
        if (o->yes && repository_prune(&app->image, &r, &deleted, e) < 0)
                return err_while(e, "pruning '%.*s'", SV_ARG(repo));
        js_put_str(a, j, "repository", repo);
        js_put(a, j, SV("manifests"), items);
        js_put_int(a, j, "deleted", (int64_t)deleted);
        js_add(a, all, j);
        if (o->json)
                return 0;
        if (o->yes)
                printf("%.*s: %zu manifests deleted; the registry's garbage collection frees their bytes\n",
                       SV_ARG(repo), deleted);
        else
                printf("%.*s: %zu of %zu would be deleted; --yes does it\n", SV_ARG(repo), going(&r), r.n);
        return 0;
}

int cmd_registry_prune(struct app *app, void *opts, int argc, char **argv, struct err *e)
{
        const struct repository_cli *o = opts;
        struct repository_keep keep = { 0 };
        struct js *all = js_new_arr(&app->arena);

        if (one_word(argc, "envbuild registry prune REGISTRY/NAME --keep-locked DIR", e) < 0 ||
            opts_registry(app, &o->registry, e) < 0 || read_keep(app, o, &keep, e) < 0)
                return -(int)e->code;
        for (int i = 0; i < argc; i++)
                if (prune_one(app, o, sv_from(argv[i]), &keep, all, e) < 0)
                        return -(int)e->code;
        return o->json ? print_json(app, all, e) : 0;
}
