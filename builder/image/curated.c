#include "image/curated.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "base/data_dirs.h"
#include "base/fs.h"

#define NAME_MAX_LEN 128

static void curated_dirs(struct arena *a, sv **ret, size_t *ret_n)
{
        data_dirs(a, "ENVBUILD_CURATED", "curated", ENVBUILD_DATADIR "/curated", ret, ret_n);
}

/* What an image may be called, in one part: nothing here can lead out of the folder. */
static bool is_set_name(sv name)
{
        for (size_t i = 0; i < name.n; i++) {
                char c = name.p[i];
                bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
                if (!plain && (i == 0 || i + 1 == name.n || (c != '-' && c != '_' && c != '.')))
                        return false;
        }
        return name.n > 0 && name.n <= NAME_MAX_LEN;
}

bool curated_is_name(sv word, sv *ret_name)
{
        sv name = sv_starts(word, SV("curated/")) ? sv_skip(word, 8) : (sv){ 0 };

        if (!is_set_name(name))
                return false;
        *ret_name = name;
        return true;
}

static bool is_set(sv dir, sv name)
{
        AUTO(free_ptr) char *file = fs_path("%.*s/%.*s/env.yml", SV_ARG(dir), SV_ARG(name));

        return is_set_name(name) && fs_exists(file);
}

int curated_names(struct arena *a, sv **ret, size_t *ret_n, struct err *e)
{
        sv *dirs, *v = NULL;
        size_t n_dirs, n = 0, cap = 0, kept = 0;

        curated_dirs(a, &dirs, &n_dirs);
        for (size_t i = 0; i < n_dirs; i++) {
                AUTO(free_ptr) char **names = NULL;
                size_t n_names = 0;

                if (!fs_is_dir(dirs[i].p))
                        continue;
                if (fs_list(dirs[i].p, &names, &n_names, e) < 0)
                        return err_while(e, "looking for curated sets");
                for (size_t k = 0; k < n_names; k++)
                        if (is_set(dirs[i], sv_from(names[k])))
                                *arena_push(a, v, n, cap) = arena_sv(a, sv_from(names[k]));
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
        sv *v = NULL;
        size_t n = 0;

        if (curated_names(a, &v, &n, e) < 0)
                return -(int)e->code;
        for (size_t i = 0; i < n; i++)
                buf_fmt(&list, "%s%.*s", i ? ", " : "", SV_ARG(v[i]));
        err_set(e, ERR_NOT_FOUND, "there is no curated set '%.*s'", SV_ARG(name));
        if (list.n)
                err_hint(e, "there are %s", list.p);
        else
                err_hint(e, "no folder of curated sets was found: set ENVBUILD_CURATED to it");
        return -(int)e->code;
}

int curated_find(struct arena *a, sv name, struct curated_set *ret, struct err *e)
{
        struct curated_set s = { .name = arena_sv(a, name) };
        sv *dirs;
        size_t n;

        curated_dirs(a, &dirs, &n);
        for (size_t i = 0; i < n && s.dir.n == 0; i++)
                if (is_set(dirs[i], name))
                        s.dir = arena_fmt(a, "%.*s/%.*s", SV_ARG(dirs[i]), SV_ARG(name));
        if (s.dir.n == 0)
                return not_found(a, name, e);
        s.file = arena_fmt(a, "%.*s/env.yml", SV_ARG(s.dir));
        s.lock_file = arena_fmt(a, "%.*s/%.*s.lock", SV_ARG(s.dir), SV_ARG(name));
        s.test = arena_fmt(a, "%.*s/test.py", SV_ARG(s.dir));
        if (!fs_exists(s.test.p))
                s.test = (sv){ 0 };
        *ret = s;
        return 0;
}

static sv label(const struct lock *l, const char *key)
{
        for (size_t i = 0; i < l->config.n_labels; i++)
                if (sv_is(l->config.labels[i].key, key))
                        return l->config.labels[i].value;
        return (sv){ 0 };
}

int curated_open(struct arena *a, sv name, struct diags *ds, struct curated_set *ret, struct err *e)
{
        AUTO(buf_done) struct buf text = BUF_INIT(LOCK_MAX);
        struct curated_set s;

        if (curated_find(a, name, &s, e) < 0)
                return -(int)e->code;
        if (!fs_exists(s.lock_file.p)) {
                err_set(e, ERR_STALE, "the curated set '%.*s' has no lock", SV_ARG(name));
                err_hint(e, "envbuild lock %.*s makes it", SV_ARG(s.file));
                return -(int)e->code;
        }
        if (fs_read(s.lock_file.p, &text, e) < 0 ||
            lock_parse(a, arena_sv(a, buf_sv(&text)), s.lock_file, ds, &s.lock, e) < 0)
                return err_while(e, "reading the lock of the curated set '%.*s'", SV_ARG(name));
        if (!sv_eq(s.lock->name, name))
                return err_set(e, ERR_USAGE, "the curated set '%.*s' calls itself '%.*s'", SV_ARG(name),
                               SV_ARG(s.lock->name));
        s.description = label(s.lock, "org.opencontainers.image.description");
        *ret = s;
        return 0;
}
