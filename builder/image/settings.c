#include "image/settings.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "registry/client.h"
#include "spec/fields.h"

#define TEXT_MAX ((size_t)1 << 20)
#define FILE_N   2

struct reading {
        struct fields f;
        struct settings *ret;
        size_t cap_repository, cap_trust;
        bool kept; /* keep-packages was said */
};

static void add_repository(struct reading *r, const struct yaml *at, sv text)
{
        AUTO(err_done) struct err e = { 0 };
        struct reg_repo repo;
        sv name;

        if (reg_repo_parse(r->f.a, text, &repo, &e) < 0) {
                size_t i = diag_add(r->f.ds, r->f.file, at->line, at->col, "EB141", "%s", e.cause);
                if (e.hint)
                        diag_hint(r->f.ds, i, "%s", e.hint);
                return;
        }
        name = reg_repo_text(r->f.a, &repo);
        for (size_t i = 0; i < r->ret->n_repository; i++)
                if (sv_eq(r->ret->repository[i], name))
                        return;
        *arena_push(r->f.a, r->ret->repository, r->ret->n_repository, r->cap_repository) = name;
}

static void add_trust(struct reading *r, const struct yaml *at, sv text)
{
        AUTO(err_done) struct err e = { 0 };
        struct ed25519_public key;

        if (ed25519_public_read(text, &key, &e) < 0) {
                diag_hint(r->f.ds, diag_add(r->f.ds, r->f.file, at->line, at->col, "EB141", "%s", e.cause), "%s",
                          e.hint);
                return;
        }
        *arena_push(r->f.a, r->ret->trust, r->ret->n_trust, r->cap_trust) = key;
}

static void read_list(struct reading *r, const struct yaml *y, void (*add)(struct reading *, const struct yaml *, sv))
{
        size_t n = fields_list(&r->f, y);

        for (size_t i = 0; i < n; i++) {
                const struct yaml *one = y->v[i].value;

                if (one->type != YAML_SCALAR || !one->text.n)
                        fields_fault(&r->f, one, "EB141", "a text is expected here", (sv){ 0 });
                else
                        add(r, one, one->text);
        }
}

static void read_keep(struct reading *r, const struct yaml *y)
{
        bool yes = y && sv_is(y->text, "true");

        if (!y)
                return;
        if (y->type != YAML_SCALAR || !y->plain || (!yes && !sv_is(y->text, "false"))) {
                fields_fault(&r->f, y, "EB141", "true or false is expected here", y->text);
                return;
        }
        if (!r->kept)
                r->ret->keep_packages = yes;
        r->kept = true;
}

static void read_cache(struct reading *r, const struct yaml *y)
{
        const struct yaml *repositories = NULL, *trust = NULL, *keep = NULL;
        sv sign = { 0 };

        FIELDS_READ(&r->f, y, { "repositories", FIELD_NODE, &repositories, false },
                    { "trust", FIELD_NODE, &trust, false }, { "sign", FIELD_BESIDE, &sign, false },
                    { "keep-packages", FIELD_NODE, &keep, false });
        read_list(r, repositories, add_repository);
        read_list(r, trust, add_trust);
        read_keep(r, keep);
        if (!r->ret->sign.n)
                r->ret->sign = arena_sv(r->f.a, sign);
}

static void read_text(struct reading *r, const struct settings_text *t)
{
        AUTO(err_done) struct err told = { 0 }; /* its faults are in ds */
        const struct yaml *cache = NULL;
        struct yaml *y = NULL;

        r->f.file = t->file;
        diag_source(r->f.ds, t->file, t->text);
        if (yaml_parse(r->f.a, t->text, t->file, r->f.ds, &y, &told) < 0 || yaml_is_null(y))
                return;
        FIELDS_READ(&r->f, y, { "cache", FIELD_NODE, &cache, false });
        if (cache && !yaml_is_null(cache))
                read_cache(r, cache);
}

int settings_parse(struct arena *a, const struct settings_text *v, size_t n, struct diags *ds, struct settings *ret,
                   struct err *e)
{
        struct reading r = { .f = { .a = a, .ds = ds, .what = "config.yml" }, .ret = ret };
        size_t before = ds->n_errors;

        *ret = (struct settings){ 0 };
        for (size_t i = 0; i < n; i++)
                read_text(&r, &v[i]);
        if (ds->n_errors == before)
                return 0;
        return err_set(e, ERR_USAGE, "%zu %s in envbuild's settings", ds->n_errors - before,
                       ds->n_errors - before == 1 ? "fault" : "faults");
}

static int read_file(struct arena *a, const char *path, struct settings_text *v, size_t *n, struct err *e)
{
        AUTO(buf_done) struct buf b = BUF_INIT(TEXT_MAX);
        struct err missing = { 0 };

        if (fs_read(path, &b, &missing) < 0) {
                if (missing.code != ERR_NOT_FOUND)
                        return err_move(e, &missing);
                err_done(&missing);
                return 0;
        }
        v[(*n)++] = (struct settings_text){ arena_sv(a, buf_sv(&b)), arena_sv(a, sv_from(path)) };
        return 0;
}

int settings_load(struct arena *a, struct diags *ds, struct settings *ret, struct err *e)
{
        const char *xdg = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
        AUTO(free_ptr) char *own = xdg && *xdg == '/'     ? fs_path("%s/envbuild/config.yml", xdg)
                                   : home && *home == '/' ? fs_path("%s/.config/envbuild/config.yml", home)
                                                          : NULL;
        struct settings_text v[FILE_N];
        size_t n = 0;

        if ((own && read_file(a, own, v, &n, e) < 0) || read_file(a, "/etc/envbuild/config.yml", v, &n, e) < 0)
                return err_while(e, "reading envbuild's settings");
        return settings_parse(a, v, n, ds, ret, e);
}
