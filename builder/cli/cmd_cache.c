/* envbuild cache dir, size, verify: the store's keeping. */
#include <stdio.h>

#include "base/cleanup.h"
#include "cli/app.h"
#include "cli/opts.h"
#include "ext/json.h"
#include "store/store.h"

int cmd_cache_dir(struct app *app, void *opts, int argc, char **argv, struct err *e)
{
        (void)opts, (void)argc, (void)argv;
        if (image_ctx_store(&app->image, true, e) < 0)
                return -(int)e->code;
        printf("%s\n", store_root(app->image.store));
        return 0;
}

int cmd_cache_size(struct app *app, void *opts, int argc, char **argv, struct err *e)
{
        AUTO(buf_done) struct buf out = BUF_INIT(65536);
        const struct read_opts *o = opts;
        struct js *j = js_new_obj(&app->arena);
        struct store_usage u[8];
        uint64_t all = 0;
        size_t n = 0;
        char text[16];

        (void)argc, (void)argv;
        if (image_ctx_store(&app->image, true, e) < 0 || store_usage(app->image.store, u, &n, e) < 0)
                return -(int)e->code;
        for (size_t i = 0; i < n; i++) {
                all += u[i].bytes;
                js_put_int(&app->arena, j, u[i].what, (int64_t)u[i].bytes);
                buf_fmt(&out, "%-10s %8llu files %10s\n", u[i].what, (unsigned long long)u[i].files,
                        ui_size(u[i].bytes, text));
        }
        if (o->json) {
                buf_clear(&out);
                js_write_pretty(j, &out);
        } else {
                buf_fmt(&out, "%-10s %14s %10s\n", "total", "", ui_size(all, text));
        }
        fwrite(out.p, 1, out.n, stdout);
        return 0;
}

static const char *const kind_name[] = {
        [STORE_BLOB] = "blob", [STORE_PACKAGE] = "package", [STORE_BODY] = "body", [STORE_INDEX] = "index"
};

int cmd_cache_verify(struct app *app, void *opts, int argc, char **argv, struct err *e)
{
        AUTO(buf_done) struct buf out = BUF_INIT((size_t)16 << 20);
        const struct read_opts *o = opts;
        struct store_damage *d = NULL;
        struct js *list = js_new_arr(&app->arena);
        uint64_t checked = 0;
        size_t n = 0;

        (void)argc, (void)argv;
        if (image_ctx_store(&app->image, true, e) < 0 ||
            store_verify(app->image.store, &app->op, &app->arena, &d, &n, &checked, e) < 0)
                return -(int)e->code;
        for (size_t i = 0; i < n; i++) {
                struct js *one = js_new_obj(&app->arena);
                js_put_str(&app->arena, one, "kind", sv_from(kind_name[d[i].kind]));
                js_put_str(&app->arena, one, "sha256", arena_fmt(&app->arena, "%s", sha256_hex(&d[i].name).s));
                js_add(&app->arena, list, one);
                buf_fmt(&out, "damaged: %s %s, dropped\n", kind_name[d[i].kind], sha256_hex(&d[i].name).s);
        }
        if (o->json) {
                buf_clear(&out);
                js_write_pretty(list, &out);
        } else {
                buf_fmt(&out, "%llu files checked, %zu damaged\n", (unsigned long long)checked, n);
        }
        fwrite(out.p, 1, out.n, stdout);
        return n ? ERR_INTEGRITY : 0;
}
