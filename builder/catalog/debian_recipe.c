#include "catalog/debian.h"

#include <stdlib.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/data_dirs.h"
#include "base/fs.h"
#include "catalog/pypi.h" /* fetch_artifact */
#include "ext/hash.h"

/* --- where recipes are */

static void recipe_dirs(struct arena *a, sv **ret, size_t *ret_n)
{
        data_dirs(a, "ENVBUILD_RECIPES", "recipes", ENVBUILD_DATADIR "/recipes", ret, ret_n);
}

int debian_recipe_list(struct arena *a, sv **ret, size_t *ret_n, struct err *e)
{
        sv *v = NULL, *dirs;
        size_t n = 0, cap = 0, kept = 0, n_dirs;

        recipe_dirs(a, &dirs, &n_dirs);
        for (size_t i = 0; i < n_dirs; i++) {
                const char *dir = dirs[i].p;
                AUTO(free_ptr) char **names = NULL;
                size_t n_names = 0;

                if (!fs_is_dir(dir))
                        continue;
                if (fs_list(dir, &names, &n_names, e) < 0)
                        return -(int)e->code;
                for (size_t k = 0; k < n_names; k++) {
                        sv name = sv_from(names[k]);
                        if (sv_ends(name, SV(".yml")))
                                *arena_push(a, v, n, cap) = arena_sv(a, sv_from_to(name, 0, name.n - 4));
                }
        }
        if (n)
                qsort(v, n, sizeof(*v), sv_qsort);
        for (size_t i = 0; i < n; i++)
                if (kept == 0 || !sv_eq(v[kept - 1], v[i]))
                        v[kept++] = v[i];
        *ret = v;
        *ret_n = kept;
        return 0;
}

static int not_found(struct arena *a, sv name, struct err *e)
{
        AUTO(buf_done) struct buf list = BUF_INIT(4096);
        AUTO(err_done) struct err none = { 0 };
        sv *v = NULL;
        size_t n = 0;

        debian_recipe_list(a, &v, &n, &none);
        for (size_t i = 0; i < n; i++)
                buf_fmt(&list, "%s%.*s", i ? ", " : "", SV_ARG(v[i]));
        err_set(e, ERR_NOT_FOUND, "there is no recipe '%.*s'", SV_ARG(name));
        if (list.n)
                err_hint(e, "there are %s; a file of your own is given by its path", list.p);
        else
                err_hint(e, "no folder of recipes was found: set ENVBUILD_RECIPES to it");
        return -(int)e->code;
}

static sv find(struct arena *a, sv name)
{
        sv *dirs;
        size_t n_dirs;

        if (sv_find(name, '/') >= 0 || sv_ends(name, SV(".yml")))
                return arena_sv(a, name);
        recipe_dirs(a, &dirs, &n_dirs);
        for (size_t i = 0; i < n_dirs; i++) {
                sv path = arena_fmt(a, "%.*s/%.*s.yml", SV_ARG(dirs[i]), SV_ARG(name));
                if (fs_exists(path.p))
                        return path;
        }
        return (sv){ 0 };
}

int debian_recipe_load(struct arena *a, sv name, struct diags *ds, struct recipe **ret, struct err *e)
{
        AUTO(buf_done) struct buf text = BUF_INIT(RECIPE_MAX);
        sv path = find(a, name);

        if (path.n == 0 || !fs_exists(path.p))
                return not_found(a, name, e);
        if (fs_read(path.p, &text, e) < 0)
                return err_while(e, "reading the recipe '%.*s'", SV_ARG(path));
        return recipe_parse(a, arena_sv(a, buf_sv(&text)), path, ds, ret, e);
}

int debian_effects_load(struct arena *a, const struct recipe *r, sv arch, struct diags *ds, struct effects **ret,
                        struct err *e)
{
        AUTO(buf_done) struct buf text = BUF_INIT(EFFECTS_MAX);

        if (r->effects.n == 0) {
                *ret = arena_new(a, struct effects);
                return 0;
        }
        if (fs_read(arena_sv(a, r->effects).p, &text, e) < 0)
                return err_while(e, "reading what maintainer scripts do, for the recipe '%.*s'", SV_ARG(r->name));
        return effects_parse(a, arena_sv(a, buf_sv(&text)), r->effects, arch, ds, ret, e);
}

void debian_recipe_opts(struct arena *a, const struct recipe *r, sv arch, struct debian_opts *ret)
{
        sv *suite = arena_array(a, sv, r->n_extra + 1), *mirror = arena_array(a, sv, r->n_extra + 1);

        for (size_t i = 0; i < r->n_extra; i++) {
                suite[i] = r->extra[i].suite;
                mirror[i] = r->extra[i].mirror;
        }
        *ret = (struct debian_opts){ .mirror = r->mirror,
                                     .suite = r->suite,
                                     .component = r->component,
                                     .n_component = r->n_component,
                                     .extra_suite = suite,
                                     .extra_mirror = mirror,
                                     .n_extra = r->n_extra,
                                     .arch = arch,
                                     .keys = arena_sv(a, r->keys).p,
                                     .check_valid_until = true };
}

/* --- fetching */

static bool absolute(sv url)
{
        return sv_starts(url, SV("http://")) || sv_starts(url, SV("https://"));
}

/* "http://deb.debian.org/debian-security" + "pool/…" → SNAPSHOT/debian-security/20261121T093012Z/pool/… */
static sv snapshot_url(struct arena *a, const struct recipe *r, int64_t release, sv url)
{
        sv mirror = r->mirror, path = url;
        time_t t = (time_t)release;
        struct tm tm;
        char stamp[20];

        if (r->snapshot.n == 0 || release <= 0 || !gmtime_r(&t, &tm))
                return (sv){ 0 };
        for (size_t i = 0; absolute(url) && i < r->n_extra; i++)
                if (sv_starts(url, r->extra[i].mirror) && url.n > r->extra[i].mirror.n &&
                    url.p[r->extra[i].mirror.n] == '/') {
                        mirror = r->extra[i].mirror;
                        path = sv_skip(url, mirror.n + 1);
                }
        if (absolute(path))
                return (sv){ 0 };
        strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", &tm);
        return arena_fmt(a, "%.*s/%.*s/%s/%.*s", SV_ARG(r->snapshot), SV_ARG(sv_basename(mirror)), stamp, SV_ARG(path));
}

int debian_fetch(const struct recipe *r, int64_t release, const struct artifact *art, struct net *net,
                 struct store *store, struct op *op, struct err *e)
{
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(err_done) struct err first = { 0 }, second = { 0 };
        sv url = absolute(art->url) ? art->url : arena_fmt(&a, "%.*s/%.*s", SV_ARG(r->mirror), SV_ARG(art->url)), old;

        if (store_has(store, STORE_PACKAGE, &art->sha256, NULL) ||
            fetch_artifact(net, store, art, url, op, &first) == 0)
                return 0;
        old = snapshot_url(&a, r, release, art->url);
        if (first.code != ERR_NOT_FOUND || old.n == 0)
                return err_move(e, &first);
        if (fetch_artifact(net, store, art, old, op, &second) == 0)
                return 0;
        err_move(e, &second);
        return err_while(e, "looking in the snapshot archive: the mirror has no '%.*s' any more", SV_ARG(url));
}
