/* Folder by folder, names sorted, each looked at through its folder's descriptor: no path is walked twice, and nothing follows a link. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "base/pool.h"
#include "run/code/code_priv.h"
#include "run/code/ignore.h"

#define DEPTH_MAX  256 /* descriptors, and stack */
#define PIECES     4
#define SMALL      256
#define IGNORE_MAX ((size_t)1 << 20)

struct name {
        sv s;
        unsigned char type; /* DT_…, never DT_UNKNOWN */
};
struct walk {
        struct run_source *s;
        struct run_ignore *ignore;
        const char *ignore_file; /* ".amlignore" or ".gitignore" */
        unsigned depth;
};

sv run_source_name(const struct run_source *s, sv path)
{
        return path.n ? arena_fmt(s->a, "%.*s/%.*s", SV_ARG(s->dir), SV_ARG(path)) : s->dir;
}

static void unreadable(struct walk *w, sv path, int why)
{
        diag_add(w->s->c->diags, run_source_name(w->s, path), 0, 0, "EB523", "cannot be read: %s", strerror(why));
}

static sv join(struct arena *a, sv dir, sv name)
{
        char *p;

        if (!dir.n)
                return name;
        p = arena_alloc(a, dir.n + 1 + name.n + 1, 1);
        memcpy(p, dir.p, dir.n);
        p[dir.n] = '/';
        memcpy(p + dir.n + 1, name.p, name.n);
        return (sv){ p, dir.n + 1 + name.n };
}

static unsigned char type_of(const struct stat *st)
{
        return S_ISREG(st->st_mode) ? DT_REG : S_ISDIR(st->st_mode) ? DT_DIR : S_ISLNK(st->st_mode) ? DT_LNK : DT_SOCK;
}

/* As if a folder's name ended with its slash: then paths come out sorted. */
static int by_name(const void *pa, const void *pb)
{
        const struct name *a = pa, *b = pb;
        size_t n = a->s.n < b->s.n ? a->s.n : b->s.n;
        int order = memcmp(a->s.p, b->s.p, n);
        unsigned char ca, cb;

        if (order)
                return order;
        ca = a->s.n > n ? (unsigned char)a->s.p[n] : a->type == DT_DIR ? '/' : 0;
        cb = b->s.n > n ? (unsigned char)b->s.p[n] : b->type == DT_DIR ? '/' : 0;
        return ca < cb ? -1 : ca > cb;
}

/* As the kernel writes it; names are read by the folder's own descriptor, without a DIR for each of a thousand folders. */
struct raw_dirent {
        uint64_t inode;
        int64_t next;
        unsigned short size;
        unsigned char type;
        char name[];
};

static void add_name(struct walk *w, int fd, const struct raw_dirent *de, struct name **v, size_t *n, size_t *cap)
{
        unsigned char type = de->type;
        struct stat st;

        if (strcmp(de->name, ".") == 0 || strcmp(de->name, "..") == 0)
                return;
        if (type == DT_UNKNOWN)
                type = fstatat(fd, de->name, &st, AT_SYMLINK_NOFOLLOW) == 0 ? type_of(&st) : DT_REG;
        *arena_push(w->s->a, *v, *n, *cap) = (struct name){ arena_sv(w->s->a, sv_from(de->name)), type };
}

static bool read_names(struct walk *w, sv path, int fd, struct name **ret, size_t *ret_n)
{
        _Alignas(8) char room[16384];
        size_t cap = 0;
        long n;

        while ((n = syscall(SYS_getdents64, fd, room, sizeof(room))) > 0)
                for (long at = 0; at < n;) {
                        const struct raw_dirent *de = (const struct raw_dirent *)(room + at);
                        add_name(w, fd, de, ret, ret_n, &cap);
                        at += de->size;
                }
        if (n < 0) {
                unreadable(w, path, errno);
                return false;
        }
        if (*ret_n)
                qsort(*ret, *ret_n, sizeof(**ret), by_name);
        return true;
}

/* --- pattern files */
static int read_fd(int fd, struct buf *ret)
{
        char chunk[16384];
        ssize_t n;

        while ((n = read(fd, chunk, sizeof(chunk))) != 0) {
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return errno;
                buf_add(ret, (sv){ chunk, (size_t)n });
                if (ret->over)
                        return EFBIG;
        }
        return 0;
}

/* git does not follow a link here either. */
static void add_patterns(struct walk *w, int fd, sv dir, const char *name)
{
        AUTO(close_fd) int file = openat(fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        AUTO(buf_done) struct buf text = BUF_INIT(IGNORE_MAX);
        sv path = join(w->s->a, dir, sv_from(name));
        int why = file < 0 ? errno : read_fd(file, &text);

        if (why == ELOOP) {
                diag_warn(w->s->c->diags, run_source_name(w->s, path), 0, 0, "EB527",
                          "patterns are not read through a link, as git does not either");
                return;
        }
        if (why == ENOENT || why == ENOTDIR || why == EISDIR)
                return;
        if (why)
                unreadable(w, path, why);
        run_ignore_add(w->ignore, dir, arena_sv(w->s->a, buf_sv(&text)));
}

static bool has_patterns(const struct walk *w, const struct name *v, size_t n)
{
        for (size_t i = 0; i < n; i++)
                if (sv_is(v[i].s, w->ignore_file))
                        return v[i].type == DT_REG || v[i].type == DT_LNK;
        return false;
}

static void choose_patterns(struct walk *w, const struct name *v, size_t n)
{
        w->ignore_file = ".amlignore";
        if (has_patterns(w, v, n))
                return;
        w->ignore_file = ".gitignore";
        add_patterns(w, w->s->fd, SV(""), ".git/info/exclude");
}

/* --- what is found */
static struct run_found *add(struct walk *w, sv path, enum run_file_kind kind)
{
        struct run_source *s = w->s;
        struct run_found *f = arena_push(s->a, s->v, s->n, s->cap);

        *f = (struct run_found){ .file = { .path = path, .kind = kind } };
        return f;
}

static void found_link(struct walk *w, int fd, const struct name *name, sv path)
{
        char target[RUN_PATH_MAX + 1];
        ssize_t n = readlinkat(fd, name->s.p, target, sizeof(target));

        if (n < 0)
                unreadable(w, path, errno);
        else if (n == 0 || n > RUN_PATH_MAX)
                unreadable(w, path, ENAMETOOLONG);
        else
                add(w, path, RUN_FILE_LINK)->file.target = arena_sv(w->s->a, (sv){ target, (size_t)n });
}

static int walk_folder(struct walk *w, int fd, sv path, struct err *e);

static int enter(struct walk *w, int fd, const struct name *name, sv path, struct err *e)
{
        AUTO(close_fd) int sub = -1;
        int r;

        if (w->depth == DEPTH_MAX) {
                diag_add(w->s->c->diags, run_source_name(w->s, path), 0, 0, "EB526",
                         "folders are nested more than %d deep", DEPTH_MAX);
                return 0;
        }
        sub = openat(fd, name->s.p, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (sub < 0) {
                if (errno != ENOENT)
                        unreadable(w, path, errno);
                return 0;
        }
        w->depth++;
        r = walk_folder(w, sub, path, e);
        w->depth--;
        return r;
}

static int found(struct walk *w, int fd, sv dir, const struct name *name, struct err *e)
{
        sv path = join(w->s->a, dir, name->s);

        if (sv_is(name->s, ".git") || (!dir.n && run_path_is_reserved(path)) ||
            run_ignore_match(w->ignore, path, name->type == DT_DIR))
                return 0;
        if (path.n > RUN_PATH_MAX) {
                diag_add(w->s->c->diags, run_source_name(w->s, path), 0, 0, "EB526", "the path is longer than %d bytes",
                         RUN_PATH_MAX);
                return 0;
        }
        switch (name->type) {
        case DT_REG:
                add(w, path, RUN_FILE);
                return 0;
        case DT_LNK:
                found_link(w, fd, name, path);
                return 0;
        case DT_DIR:
                return enter(w, fd, name, path, e);
        }
        diag_warn(w->s->c->diags, run_source_name(w->s, path), 0, 0, "EB524",
                  "is no file, folder or link and is left out");
        return 0;
}

static int walk_folder(struct walk *w, int fd, sv path, struct err *e)
{
        size_t before = run_ignore_depth(w->ignore), n = 0;
        struct name *v = NULL;

        if (op_check(w->s->c->op, e) < 0)
                return -(int)e->code;
        if (!read_names(w, path, fd, &v, &n))
                return 0;
        if (!path.n)
                choose_patterns(w, v, n);
        if (has_patterns(w, v, n))
                add_patterns(w, fd, path, w->ignore_file);
        if (path.n && !n)
                add(w, path, RUN_FILE_DIR);
        for (size_t i = 0; i < n; i++)
                if (found(w, fd, path, &v[i], e) < 0)
                        return -(int)e->code;
        run_ignore_cut(w->ignore, before);
        return 0;
}

static int by_path(const void *a, const void *b)
{
        return run_file_cmp(&((const struct run_found *)a)->file, &((const struct run_found *)b)->file);
}

static void sort(struct run_source *s)
{
        for (size_t i = 1; i < s->n; i++)
                if (by_path(&s->v[i - 1], &s->v[i]) > 0) { /* empty folders stand where the slash would be */
                        qsort(s->v, s->n, sizeof(*s->v), by_path);
                        return;
                }
}

/* --- stat: a third of all the time, and in pieces */
struct piece {
        struct run_source *s;
        size_t from, to;
};

static void look(struct run_source *s, struct run_found *f)
{
        struct stat st;

        if (f->file.kind != RUN_FILE)
                return;
        if (fstatat(s->fd, f->file.path.p, &st, AT_SYMLINK_NOFOLLOW) < 0) {
                f->fault = errno;
                return;
        }
        if (!S_ISREG(st.st_mode))
                f->fault = RUN_FAULT_CHANGED;
        f->file.size = (uint64_t)st.st_size;
        f->file.executable = st.st_mode & S_IXUSR;
        f->seen = run_seen_of(&st);
}

static int look_job(void *arg, struct err *e)
{
        struct piece *p = arg;

        for (size_t i = p->from; i < p->to; i++)
                look(p->s, &p->s->v[i]);
        return op_check(p->s->c->op, e);
}

static int look_at_all(struct run_source *s, struct err *e)
{
        struct piece piece[PIECES];
        struct pool_job job[PIECES];
        size_t n = s->n < SMALL ? 1 : PIECES;

        for (size_t i = 0; i < n; i++) {
                piece[i] = (struct piece){ s, s->n * i / n, s->n * (i + 1) / n };
                job[i] = (struct pool_job){ .run = look_job, .arg = &piece[i] };
        }
        return pool_run(s->c->op, job, n, e);
}

/* What is gone meanwhile had never been there. */
static void drop_faults(struct run_source *s)
{
        size_t n = 0;

        for (size_t i = 0; i < s->n; i++)
                if (!s->v[i].fault)
                        s->v[n++] = s->v[i];
                else if (s->v[i].fault != ENOENT)
                        run_source_fault(s, &s->v[i]);
        s->n = n;
}

void run_source_fault(const struct run_source *s, const struct run_found *f)
{
        sv name = run_source_name(s, f->file.path);

        if (f->fault == RUN_FAULT_CHANGED)
                diag_add(s->c->diags, name, 0, 0, "EB525", "changed while it was read");
        else
                diag_add(s->c->diags, name, 0, 0, "EB523", "cannot be read: %s", strerror(f->fault));
}

int run_source_walk(struct run_source *s, struct err *e)
{
        struct walk w = { .s = s, .ignore = run_ignore_new(s->a) };

        if (walk_folder(&w, s->fd, SV(""), e) < 0)
                return -(int)e->code;
        sort(s);
        if (look_at_all(s, e) < 0)
                return -(int)e->code;
        drop_faults(s);
        return 0;
}
