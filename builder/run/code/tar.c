/* A snapshot as a tar: folders 0755, files 0644 or 0755, root's, times 0, sorted by path. */
#include "layer/tar.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "run/code/list.h"

struct item {
        struct entry entry;
        const char *from; /* of an extra */
};
struct tar {
        struct run_ctx *c;
        struct arena a;
        struct item *v;
        size_t n, cap;
        struct writer *w;
};

static void tar_done(struct tar *t)
{
        arena_done(&t->a);
}

static void add(struct tar *t, struct entry en, const char *from)
{
        *arena_push(&t->a, t->v, t->n, t->cap) = (struct item){ en, from };
}

static void add_file(struct tar *t, sv prefix, const struct run_file *f)
{
        struct entry en = { .path = prefix.n ? arena_fmt(&t->a, "%.*s/%.*s", SV_ARG(prefix), SV_ARG(f->path))
                                             : f->path };

        switch (f->kind) {
        case RUN_FILE:
                en.type = ENTRY_FILE;
                en.mode = f->executable ? 0755 : 0644;
                en.size = f->size;
                en.sha256 = f->digest;
                break;
        case RUN_FILE_LINK:
                en.type = ENTRY_SYMLINK;
                en.mode = 0777;
                en.target = f->target;
                break;
        case RUN_FILE_DIR:
                en.type = ENTRY_DIR;
                en.mode = 0755;
                break;
        }
        add(t, en, NULL);
}

static int add_extra(struct tar *t, const struct run_extra *x, struct err *e)
{
        struct entry en = { .path = entry_path_plain(sv_from(x->path)), .type = ENTRY_FILE, .mode = x->mode & 07777 };
        const char *why;
        struct stat st;

        if (sv_starts(en.path, SV("/")))
                en.path = sv_skip(en.path, 1);
        if (!entry_path_safe(en.path, &why))
                return err_set(e, ERR_USAGE, "'%s' cannot be a path in a layer: %s", x->path, why);
        if (stat(x->from, &st) < 0)
                return err_errno(e, "cannot read '%s'", x->from);
        en.size = (uint64_t)st.st_size;
        add(t, en, x->from);
        return 0;
}

static int by_path(const void *a, const void *b)
{
        return entry_cmp(&((const struct item *)a)->entry, &((const struct item *)b)->entry);
}

static void add_folder(struct tar *t, sv path)
{
        add(t, (struct entry){ .path = path, .type = ENTRY_DIR, .mode = 0755 }, NULL);
}

/* Those above everything, and prefix itself. What is sorted behind its neighbour shares most of them with it. */
static void add_folders(struct tar *t, sv prefix)
{
        size_t n = t->n;
        sv last = { 0 };

        if (prefix.n)
                add_folder(t, prefix);
        for (sv up = entry_parent(prefix); up.n; up = entry_parent(up))
                add_folder(t, up);
        for (size_t i = 0; i < n; i++) {
                sv dir = entry_parent(t->v[i].entry.path);
                if (sv_eq(dir, last))
                        continue;
                last = dir;
                for (; dir.n; dir = entry_parent(dir))
                        add_folder(t, dir);
        }
}

/* Folders that were named more than once become one. */
static int settle(struct tar *t, struct err *e)
{
        size_t n = 0;

        if (t->n)
                qsort(t->v, t->n, sizeof(*t->v), by_path);
        for (size_t i = 0; i < t->n; i++) {
                const struct entry *en = &t->v[i].entry, *last = n ? &t->v[n - 1].entry : NULL;
                if (last && sv_eq(last->path, en->path)) {
                        if (last->type != ENTRY_DIR || en->type != ENTRY_DIR)
                                return err_set(e, ERR_USAGE, "'%.*s' is in the layer twice", SV_ARG(en->path));
                        continue;
                }
                t->v[n++] = t->v[i];
        }
        t->n = n;
        return 0;
}

static int zeros(struct writer *w, size_t n, struct err *e)
{
        static const char block[2 * TAR_BLOCK];

        return n ? writer_write(w, block, n, e) : 0;
}

static int write_content(struct tar *t, const struct item *x, struct err *e)
{
        AUTO(free_ptr) char *path =
                x->from ? fs_path("%s", x->from) : store_find(t->c->store, STORE_CODE, &x->entry.sha256);
        AUTO(close_fd) int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
        struct fd_reader r;
        uint64_t n = 0;

        if (fd < 0)
                return err_set(e, ERR_NOT_FOUND, "the store has lost '%.*s' of the snapshot (sha256:%s)",
                               SV_ARG(x->entry.path), sha256_hex(&x->entry.sha256).s);
        if (reader_copy(fd_reader_init(&r, fd, path), t->w, &n, e) < 0)
                return -(int)e->code;
        if (n != x->entry.size)
                return err_set(e, ERR_INTEGRITY, "'%s' has %llu bytes, not %llu", path, (unsigned long long)n,
                               (unsigned long long)x->entry.size);
        return zeros(t->w, tar_pad(n), e);
}

static int write_items(struct tar *t, struct err *e)
{
        struct tar_head head;

        for (size_t i = 0; i < t->n; i++) {
                const struct entry *en = &t->v[i].entry;
                if (en->path.n + 1 >= TAR_PATH_MAX)
                        return err_set(e, ERR_USAGE, "the path '%.*s' is too long for a layer", SV_ARG(en->path));
                tar_head(en, &head);
                if (op_check(t->c->op, e) < 0 || writer_write(t->w, head.b, head.n, e) < 0 ||
                    (en->type == ENTRY_FILE && write_content(t, &t->v[i], e) < 0))
                        return -(int)e->code;
        }
        return zeros(t->w, (size_t)2 * TAR_BLOCK, e);
}

int run_snapshot_tar(struct run_ctx *c, const struct run_snapshot *s, const char *prefix, const struct run_extra *extra,
                     size_t n_extra, struct writer *w, struct err *e)
{
        AUTO(tar_done) struct tar t = { .c = c, .w = w };
        sv below = sv_from(prefix);

        while (below.n && below.p[0] == '/')
                below = sv_skip(below, 1);
        while (below.n && below.p[below.n - 1] == '/')
                below.n--;
        for (size_t i = 0; i < s->n; i++)
                add_file(&t, below, &s->v[i]);
        for (size_t i = 0; i < n_extra; i++)
                if (add_extra(&t, &extra[i], e) < 0)
                        return -(int)e->code;
        add_folders(&t, below);
        return settle(&t, e) < 0 ? -(int)e->code : write_items(&t, e);
}
