#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/map.h"
#include "catalog/conda_channels.h"
#include "catalog/conda_whole.h"
#include "catalog/conda_scan.h"

struct files {
        struct conda_source source;
        struct arena arena;
        struct conda_whole *repo;
        size_t n;
        struct map asked; /* name → struct conda_records */
};

static int op_records(struct conda_source *src, sv name, struct conda_records *ret, struct err *e)
{
        struct files *s = (struct files *)src;
        struct conda_records *r = map_get(&s->asked, name);
        struct conda_list list = { 0 };

        if (!r) {
                for (size_t i = 0; i < s->n; i++)
                        if (conda_whole_add(&s->repo[i], name, &s->arena, &list, e) < 0)
                                return -(int)e->code;
                r = arena_new(&s->arena, struct conda_records);
                *r = (struct conda_records){ list.v, list.n };
                map_put(&s->asked, &s->arena, arena_sv(&s->arena, name), r);
        }
        *ret = *r;
        return 0;
}

static void op_soon(struct conda_source *s, sv name)
{
        (void)s, (void)name;
}

static bool op_ready(struct conda_source *s, sv name)
{
        (void)s, (void)name;
        return true;
}

static sv op_near(struct conda_source *src, sv name)
{
        struct files *s = (struct files *)src;
        struct conda_near n;

        conda_near_begin(&n, name);
        for (size_t i = 0; i < s->n; i++)
                conda_whole_near(&s->repo[i], &n);
        return arena_sv(&s->arena, n.found);
}

static void op_free(struct conda_source *src)
{
        struct files *s = (struct files *)src;

        for (size_t i = 0; i < s->n; i++)
                conda_whole_done(&s->repo[i]);
        free(s->repo);
        arena_done(&s->arena);
        free(s);
}

/* --- opening --- */

static int unpack(const char *path, struct conda_whole *r, struct err *e)
{
        AUTO(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
        AUTO(buf_done) struct buf b = BUF_INIT(CONDA_TEXT_MAX);
        struct fd_reader file;
        struct buf_writer to;
        struct reader *zstd;
        int done;

        if (fd < 0)
                return err_errno(e, "cannot read '%s'", path);
        zstd = zstd_reader_new(fd_reader_init(&file, fd, path));
        done = reader_copy(zstd, buf_writer_init(&to, &b), NULL, e);
        decode_reader_free(zstd);
        r->text_size = b.n;
        return done < 0 ? done : buf_take(&b, &r->text, e);
}

/* The text of a repodata file: where it lies, or unpacked, into index_dir when there is one. */
static int open_text(const char *path, const char *index_dir, const sha256 *source, struct conda_whole *r,
                     struct err *e)
{
        AUTO(free_ptr) char *plain = NULL;
        struct stat st;

        if (sv_ends(sv_from(path), SV(".zst"))) {
                if (!index_dir)
                        return unpack(path, r, e);
                plain = fs_path("%s/%s.json", index_dir, sha256_hex(source).s);
                if (!fs_exists(plain) &&
                    (unpack(path, r, e) < 0 || fs_write(plain, (sv){ r->text, r->text_size }, 0644, e) < 0))
                        return -(int)e->code;
                free(STEAL(r->text));
                path = plain;
        }
        r->fd = open(path, O_RDONLY | O_CLOEXEC);
        if (r->fd < 0 || fstat(r->fd, &st) < 0)
                return err_errno(e, "cannot read '%s'", path);
        r->text_size = (uint64_t)st.st_size;
        return 0;
}

static int open_index(struct conda_whole *r, const char *index_dir, const sha256 *source, struct op *op, struct err *e)
{
        AUTO(free_ptr) char *path = NULL;
        AUTO(err_done) struct err none = { 0 };

        if (!index_dir)
                return conda_whole_index(r, source, op, e);
        path = fs_path("%s/%s.index", index_dir, sha256_hex(source).s);
        if (fs_map_open(path, &r->bytes.map, &none) == 0) {
                if (conda_index_open(conda_bytes_sv(&r->bytes), r->text_size, source, &r->index))
                        return 0;
                conda_bytes_done(&r->bytes);
        }
        if (conda_whole_index(r, source, op, e) < 0)
                return -(int)e->code;
        return fs_write(path, conda_bytes_sv(&r->bytes), 0644, e);
}

static int open_repo(struct files *s, const struct conda_file *f, const char *index_dir, struct op *op,
                     struct conda_whole *r, struct err *e)
{
        const char *path = arena_str(&s->arena, f->path);
        sv folder = arena_fmt(&s->arena, "%.*s/%.*s/", SV_ARG(f->channel), SV_ARG(f->subdir));
        sv base_url;
        sha256 source;
        struct stat st;

        if (stat(path, &st) < 0)
                return err_errno(e, "cannot read '%s'", path);
        source = sha256_of(arena_fmt(&s->arena, "%s\n%lld\n%lld.%09ld", path, (long long)st.st_size,
                                     (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec));
        r->place.channel = arena_sv(&s->arena, f->channel);
        r->place.subdir = arena_sv(&s->arena, f->subdir);
        r->place.base = folder;
        if (open_text(path, index_dir, &source, r, e) < 0 || open_index(r, index_dir, &source, op, e) < 0 ||
            conda_whole_info(r, "base_url", &s->arena, &base_url, e) < 0 ||
            conda_place_base(&s->arena, folder, base_url, &r->place.base, e) < 0)
                return err_while(e, "reading the repodata '%s'", path);
        return 0;
}

int conda_files_open(const struct conda_file *file, size_t n, const char *index_dir, struct op *op,
                     struct conda_source **ret, struct err *e)
{
        static const struct conda_source_ops ops = {
                .records = op_records, .soon = op_soon, .ready = op_ready, .near = op_near, .free = op_free
        };
        struct files *s;
        uint32_t channel = 0;

        if (index_dir && fs_mkdirs(index_dir, 0755, e) < 0)
                return -(int)e->code;
        s = xcalloc(1, sizeof(*s));
        s->source.ops = &ops;
        s->repo = xcalloc(n ? n : 1, sizeof(*s->repo));
        for (size_t i = 0; i < n; i++) {
                s->repo[s->n++].fd = -1;
                if (i && !sv_eq(file[i].channel, file[i - 1].channel))
                        channel++;
                s->repo[i].place.channel_no = channel;
                if (open_repo(s, &file[i], index_dir, op, &s->repo[i], e) < 0) {
                        op_free(&s->source);
                        return -(int)e->code;
                }
        }
        *ret = &s->source;
        return 0;
}
