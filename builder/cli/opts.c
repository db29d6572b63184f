/* Words and options of a command → requests of image/. */
#include "cli/opts.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "cli/app.h"
#include "image/curated.h"

static const char *const default_names[] = { "env.yml", "environment.yml", "env.yaml", "environment.yaml",
                                             "requirements.txt" };

static const char *default_file(void)
{
        for (size_t i = 0; i < ARRAY_LEN(default_names); i++)
                if (fs_exists(default_names[i]))
                        return default_names[i];
        return NULL;
}

/* "curated/minimal", unless a file here is called so. */
static bool names_curated(const char *word, sv *ret_name)
{
        return curated_is_name(sv_from(word), ret_name) && (!fs_exists(word) || fs_is_dir(word));
}

static int check_curated_platforms(struct app *app, const struct curated_set *s, const struct image_request *r,
                                   struct err *e)
{
        struct curated_set whole;

        if (curated_open(&app->arena, s->name, &app->diags, &whole, e) < 0)
                return -(int)e->code;
        for (size_t i = 0; i < r->n_platform; i++)
                if (!lock_find_platform(whole.lock, r->platform[i])) {
                        err_set(e, ERR_USAGE, "'curated/%.*s' is not for %.*s", SV_ARG(s->name),
                                SV_ARG(r->platform[i]));
                        err_hint(e, "envbuild curated show %.*s says for which it is", SV_ARG(s->name));
                        return -(int)e->code;
                }
        return 0;
}

/* A set is what was locked and tested: it is built as it is, for this machine unless told, and nothing is written beside it. */
static int as_curated(struct app *app, const struct curated_set *s, const struct request_opts *o,
                      struct image_request *r, struct err *e)
{
        if (r->n_file > 1 || r->n_pip || r->n_conda || r->n_channel || r->n_env || r->n_upgrade || r->upgrade_all ||
            r->upgrade_base || r->base.n || r->exclude_newer.n || r->pre || r->index_strategy.n) {
                err_set(e, ERR_USAGE, "'curated/%.*s' is taken as it is: no file and no option adds to it",
                        SV_ARG(s->name));
                err_hint(e, "change a copy: cp %.*s mine.yml", SV_ARG(s->file));
                return -(int)e->code;
        }
        r->locked = !o->frozen;
        if (r->n_platform == 0) {
                sv *host = arena_new(&app->arena, sv);

                *host = image_host_platform(&app->arena);
                r->platform = host;
                r->n_platform = 1;
        }
        return o->frozen ? 0 : check_curated_platforms(app, s, r, e);
}

int opts_request(struct app *app, const struct request_opts *o, int argc, char **argv, struct image_request *ret,
                 struct err *e)
{
        struct opt_list file = { 0 };
        struct curated_set set = { 0 };
        sv name;

        if (opts_registry(app, &o->registry, e) < 0)
                return -(int)e->code;
        for (int i = 0; i < argc; i++) {
                bool curated = names_curated(argv[i], &name);
                if (curated && curated_find(&app->arena, name, &set, e) < 0)
                        return -(int)e->code;
                *arena_push(&app->arena, file.v, file.n, file.cap) = curated ? set.file : sv_from(argv[i]);
        }
        for (size_t i = 0; i < o->file.n; i++)
                *arena_push(&app->arena, file.v, file.n, file.cap) = o->file.v[i];
        if (file.n == 0 && o->pip.n == 0 && o->conda.n == 0) {
                const char *found = default_file();
                if (!found) {
                        err_set(e, ERR_USAGE, "no definition: there is no env.yml or environment.yml here");
                        err_hint(
                                e,
                                "name one: envbuild build FILE, or give requirements: envbuild build --pip 'requests'");
                        return -(int)e->code;
                }
                *arena_push(&app->arena, file.v, file.n, file.cap) = sv_from(found);
        }
        if (o->locked && o->frozen)
                return err_set(e, ERR_USAGE,
                               "--locked and --frozen say different things: the lock must fit, or is not looked at");
        *ret = (struct image_request){
                .file = file.v,
                .n_file = file.n,
                .pip = o->pip.v,
                .n_pip = o->pip.n,
                .conda = o->conda.v,
                .n_conda = o->conda.n,
                .channel = o->channel.v,
                .n_channel = o->channel.n,
                .env = o->env.v,
                .n_env = o->env.n,
                .platform = o->platform.v,
                .n_platform = o->platform.n,
                .upgrade = o->upgrade.v,
                .n_upgrade = o->upgrade.n,
                .upgrade_all = o->upgrade_all,
                .upgrade_base = o->upgrade_base,
                .base = o->base,
                .exclude_newer = o->exclude_newer,
                .pre = o->pre,
                .index_strategy = o->strategy,
                .locked = o->locked,
                .frozen = o->frozen,
                .refresh = o->refresh,
        };
        return set.name.n ? as_curated(app, &set, o, ret, e) : 0;
}

static bool is_curated(const char *word)
{
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(err_done) struct err missing = { 0 };
        struct curated_set set;
        sv name;

        return names_curated(word, &name) && curated_find(&a, name, &set, &missing) == 0;
}

sv opts_curated_word(struct app *app, const char *word, struct err *e)
{
        sv text = arena_fmt(&app->arena, "%s%s", sv_starts(sv_from(word), SV("curated/")) ? "" : "curated/", word),
           name;

        if (curated_is_name(text, &name))
                return text;
        err_set(e, ERR_USAGE, "'%s' cannot be the name of a curated set", word);
        err_hint(e, "envbuild curated list shows them");
        return (sv){ 0 };
}

enum oci_codec opts_codec(sv text)
{
        return sv_is(text, "zstd") ? OCI_CODEC_ZSTD : sv_is(text, "none") ? OCI_CODEC_NONE : OCI_CODEC_GZIP;
}

bool opts_is_definition(const char *word)
{
        sv s = sv_from(word);

        if (is_curated(word))
                return true;
        return !strchr(word, '@') && fs_exists(word) && !fs_is_dir(word) &&
               (sv_ends(s, SV(".yml")) || sv_ends(s, SV(".yaml")) || sv_ends(s, SV(".txt")) || sv_ends(s, SV(".in")) ||
                sv_ends(s, SV(".lock")));
}

int opts_read_lock(struct app *app, int argc, char **argv, struct lock **ret, struct err *e)
{
        struct request_opts none = { .frozen = true };
        struct image_locked l = { 0 };
        struct image_request r;

        if (opts_request(app, &none, argc, argv, &r, e) < 0 || image_lock(&app->image, &r, &app->arena, &l, e) < 0)
                return -(int)e->code;
        *ret = l.lock;
        return 0;
}

const struct lock_platform *opts_platform(struct app *app, const struct lock *l, sv want, struct err *e)
{
        const struct lock_platform *p = lock_find_platform(l, want.n ? want : image_host_platform(&app->arena));

        if (!p && !want.n && l->n_platform == 1)
                p = &l->platform[0];
        if (!p)
                err_set(e, ERR_USAGE, "the lock of '%.*s' has nothing for %.*s", SV_ARG(l->name),
                        SV_ARG((want.n ? want : image_host_platform(&app->arena))));
        return p;
}
