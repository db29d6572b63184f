/* All runs, and one of them by a word. A list reads the first lines of each run.json and no description. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "run/record/record_priv.h"

enum { HEAD = 4096, STILL_MADE_S = 60 };

struct rows {
        struct run_row *v;
        size_t n, cap;
};

static void close_folder(DIR **d)
{
        if (*d)
                closedir(*d);
}

/* A folder without run.json: being made just now (nothing to say), or left by a kill. */
static bool being_made(int root, const char *id)
{
        struct stat st;

        return fstatat(root, id, &st, 0) == 0 && run_now_us() / 1000000 - st.st_mtime < STILL_MADE_S;
}

static void warn(struct run_ctx *c, sv root, const char *id, const char *why, const char *hint)
{
        AUTO(free_ptr) char *path = fs_path("%.*s/%s/run.json", SV_ARG(root), id);
        size_t i;

        if (!c->diags)
                return;
        i = diag_warn(c->diags, sv_from(path), 0, 0, "EB590", "the run '%s' cannot be read: %s", id, why);
        diag_hint(c->diags, i, "%s", hint);
}

static int read_whole(struct arena *a, int fd, const char *id, struct run_row *ret, struct err *e)
{
        AUTO(buf_done) struct buf text = BUF_INIT(RUN_JSON_MAX);
        ssize_t n;

        do {
                char *p = buf_room(&text, HEAD * 4);
                if (!p)
                        return buf_check(&text, e);
                n = pread(fd, p, HEAD * 4, (off_t)text.n);
                if (n < 0)
                        return err_errno(e, "cannot read '%s/run.json'", id);
                text.n += (size_t)n;
        } while (n);
        return run_doc_row(a, arena_sv(a, buf_sv(&text)), true, ret, e);
}

/* A row whose texts stand in a buffer that goes away. */
static void keep(struct arena *a, struct run_row *r)
{
        sv *const text[] = { &r->name,  &r->experiment,          &r->target,        &r->compute, &r->sweep,
                             &r->image, &r->status.engine_state, &r->status.message };

        for (size_t i = 0; i < ARRAY_LEN(text); i++)
                if (text[i]->n)
                        *text[i] = arena_sv(a, *text[i]);
}

/* 0, 1: nothing to show and nothing to say, or -code. */
static int read_row(struct arena *a, int root, const char *id, struct run_row *ret, struct err *e)
{
        AUTO(close_fd) int fd = -1;
        char path[RUN_ID_MAX + 16], head[HEAD];
        ssize_t n;
        int r;

        snprintf(path, sizeof(path), "%s/run.json", id);
        fd = openat(root, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        if (fd < 0 && errno == ENOENT && being_made(root, id))
                return 1;
        if (fd < 0)
                return err_errno(e, "cannot open it");
        n = pread(fd, head, sizeof(head), 0);
        if (n < 0)
                return err_errno(e, "cannot read it");
        r = run_doc_row(a, (sv){ head, (size_t)n }, n < HEAD, ret, e);
        if (r == 1)
                return read_whole(a, fd, id, ret, e);
        if (r == 0)
                keep(a, ret);
        return r;
}

static int read_root(struct run_ctx *c, struct arena *a, sv root, struct rows *out, struct err *e)
{
        AUTO(close_folder) DIR *d = opendir(root.p);
        const struct dirent *de;

        if (!d && (errno == ENOENT || errno == ENOTDIR))
                return 0;
        if (!d)
                return err_errno(e, "cannot read '%s'", root.p);
        while ((de = readdir(d))) {
                AUTO(err_done) struct err why = { 0 };
                struct run_row row = { 0 };
                int r;

                if (!run_id_ok(sv_from(de->d_name)) || (de->d_type != DT_DIR && de->d_type != DT_UNKNOWN))
                        continue;
                if (op_check(c->op, e) < 0)
                        return -(int)e->code;
                r = read_row(a, dirfd(d), de->d_name, &row, &why);
                if (r == 0) {
                        /* the folder's name is what it is called by, even if somebody moved it */
                        row.id = arena_sv(a, sv_from(de->d_name));
                        row.dir = arena_fmt(a, "%s/%s", root.p, de->d_name);
                        *arena_push(a, out->v, out->n, out->cap) = row;
                } else if (r < 0) {
                        AUTO(free_ptr) char *hint = fs_path("envbuild runs rm %s", de->d_name);
                        warn(c, root, de->d_name, why.cause, why.hint ? why.hint : hint);
                }
        }
        return 0;
}

static int newest_first(const void *a, const void *b)
{
        const struct run_row *x = a, *y = b;

        if (x->created_us != y->created_us)
                return x->created_us < y->created_us ? 1 : -1;
        return sv_cmp(y->id, x->id);
}

int run_list(struct run_ctx *c, struct arena *a, struct run_row **ret, size_t *ret_n, struct err *e)
{
        struct rows rows = { 0 };
        size_t n = 0;
        sv *root = NULL;

        if (run_roots(c, a, &root, &n, e) < 0)
                return -(int)e->code;
        for (size_t i = 0; i < n; i++)
                if (read_root(c, a, root[i], &rows, e) < 0)
                        return -(int)e->code;
        if (rows.n)
                qsort(rows.v, rows.n, sizeof(*rows.v), newest_first);
        *ret = rows.v;
        *ret_n = rows.n;
        return 0;
}

/* --- one of them */

static int none_such(struct err *e, sv word)
{
        err_set(e, ERR_NOT_FOUND, "there is no run '%.*s'", SV_ARG(word));
        err_hint(e, "envbuild runs list shows those there are");
        return -(int)e->code;
}

static int find_latest(struct run_ctx *c, struct arena *a, sv *ret, struct err *e)
{
        struct run_row *v = NULL;
        size_t n = 0;

        if (run_list(c, a, &v, &n, e) < 0)
                return -(int)e->code;
        for (size_t i = 0; i < n; i++)
                if (!v[i].archived) {
                        *ret = v[i].dir;
                        return 0;
                }
        err_set(e, ERR_NOT_FOUND, "there are no runs yet");
        err_hint(e, "envbuild run --source DIR -- COMMAND");
        return -(int)e->code;
}

static int several(struct err *e, sv word, const sv *dir, size_t n)
{
        AUTO(buf_done) struct buf names = BUF_INIT(4096);
        enum { SHOWN = 5 };

        for (size_t i = 0; i < n && i < SHOWN; i++)
                buf_fmt(&names, "%s%.*s", i ? ", " : "", SV_ARG(sv_basename(dir[i])));
        if (n > SHOWN)
                buf_fmt(&names, " and %zu more", n - SHOWN);
        err_set(e, ERR_USAGE, "%zu runs begin with '%.*s'", n, SV_ARG(word));
        err_hint(e, "write more of the name: %.*s", SV_ARG(buf_sv(&names)));
        return -(int)e->code;
}

/* Every folder whose name begins so; one that is called exactly so stands alone. */
static int find_named(struct run_ctx *c, struct arena *a, sv word, sv **ret, size_t *ret_n, struct err *e)
{
        size_t n_root = 0, n = 0, cap = 0;
        sv *root = NULL, *v = NULL;

        if (run_roots(c, a, &root, &n_root, e) < 0)
                return -(int)e->code;
        for (size_t i = 0; i < n_root; i++) {
                AUTO(close_folder) DIR *d = opendir(root[i].p);
                const struct dirent *de;
                while (d && (de = readdir(d))) {
                        sv name = sv_from(de->d_name);
                        if (!run_id_ok(name) || !sv_starts(name, word))
                                continue;
                        *arena_push(a, v, n, cap) = arena_fmt(a, "%s/%s", root[i].p, de->d_name);
                        if (name.n == word.n) {
                                *ret = &v[n - 1];
                                *ret_n = 1;
                                return 0;
                        }
                }
        }
        *ret = v;
        *ret_n = n;
        return 0;
}

int run_record_dir(struct run_ctx *c, struct arena *a, sv word, sv *ret, struct err *e)
{
        size_t n = 0;
        sv *v = NULL;

        if (sv_is(word, "@latest"))
                return find_latest(c, a, ret, e);
        if (!word.n)
                return err_set(e, ERR_USAGE, "the name of a run is missing");
        if (find_named(c, a, word, &v, &n, e) < 0)
                return -(int)e->code;
        if (!n)
                return none_such(e, word);
        if (n > 1)
                return several(e, word, v, n);
        *ret = v[0];
        return 0;
}

int run_record_find(struct run_ctx *c, struct arena *a, sv word, struct run_record **ret, struct err *e)
{
        sv dir;

        if (run_record_dir(c, a, word, &dir, e) < 0)
                return -(int)e->code;
        return run_record_open(a, dir, ret, e);
}
