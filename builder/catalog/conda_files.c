#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/map.h"
#include "catalog/conda_channels.h"
#include "catalog/conda_record.h"
#include "catalog/conda_repo.h"
#include "catalog/conda_scan.h"

struct files {
        struct conda_source source;
        struct arena arena;
        struct conda_repo *repo;
        size_t n;
        struct map asked; /* name → struct conda_records */
};

static int op_records(struct conda_source *src, sv name, struct conda_records *ret, struct err *e)
{
        struct files *s = (struct files *)src;
        struct conda_records *r = map_get(&s->asked, name);
        struct conda_list list = { 0 };

        (void)e;
        if (!r) {
                r = arena_new(&s->arena, struct conda_records);
                for (size_t i = 0; i < s->n; i++)
                        conda_repo_add(&s->repo[i], name, &s->arena, &list);
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
        unsigned best = conda_near_begin(name);
        sv r = { 0 };

        for (size_t i = 0; i < s->n; i++)
                conda_repo_near(&s->repo[i], name, &best, &r);
        return arena_sv(&s->arena, r);
}

static void op_free(struct conda_source *src)
{
        struct files *s = (struct files *)src;

        for (size_t i = 0; i < s->n; i++)
                conda_repo_done(&s->repo[i]);
        free(s->repo);
        arena_done(&s->arena);
        free(s);
}

/* --- opening --- */

static int unpack(const char *path, struct conda_bytes *ret, struct err *e)
{
        AUTO(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
        AUTO(buf_done) struct buf b = BUF_INIT(CONDA_TEXT_MAX);
        struct fd_reader file;
        struct buf_writer to;
        struct reader *zstd;
        char *text;
        size_t n;
        int r;

        if (fd < 0)
                return err_errno(e, "cannot read '%s'", path);
        zstd = zstd_reader_new(fd_reader_init(&file, fd, path));
        r = reader_copy(zstd, buf_writer_init(&to, &b), NULL, e);
        decode_reader_free(zstd);
        n = b.n;
        if (r < 0 || buf_take(&b, &text, e) < 0)
                return -(int)e->code;
        *ret = (struct conda_bytes){ .heap = text, .n = n };
        return 0;
}

/* The text of a repodata file: mapped where it lies, or unpacked, into index_dir when there is one. */
static int open_text(const char *path, const char *index_dir, const sha256 *source, struct conda_bytes *ret,
                     struct err *e)
{
        AUTO(free_ptr) char *plain = NULL;

        if (!sv_ends(sv_from(path), SV(".zst")))
                return fs_map_open(path, &ret->map, e);
        if (!index_dir)
                return unpack(path, ret, e);
        plain = fs_path("%s/%s.json", index_dir, sha256_hex(source).s);
        if (!fs_exists(plain)) {
                struct conda_bytes b = { 0 };
                int r = unpack(path, &b, e);

                if (r == 0)
                        r = fs_write(plain, conda_bytes_sv(&b), 0644, e);
                conda_bytes_done(&b);
                if (r < 0)
                        return r;
        }
        return fs_map_open(plain, &ret->map, e);
}

static int make_index(struct conda_repo *r, const char *path, const sha256 *source, struct op *op, struct err *e)
{
        sv text = conda_bytes_sv(&r->text);

        if (conda_index_make(text, !r->text.heap, source, op, &r->bytes.heap, &r->bytes.n, e) < 0)
                return -(int)e->code;
        if (path && fs_write(path, conda_bytes_sv(&r->bytes), 0644, e) < 0)
                return -(int)e->code;
        if (!conda_index_open(conda_bytes_sv(&r->bytes), text, source, &r->index))
                return err_set(e, ERR_FAILED, "the index just made cannot be read");
        return 0;
}

static int open_index(struct conda_repo *r, const char *index_dir, const sha256 *source, struct op *op, struct err *e)
{
        AUTO(free_ptr) char *path = NULL;
        AUTO(err_done) struct err none = { 0 };

        if (!index_dir)
                return make_index(r, NULL, source, op, e);
        path = fs_path("%s/%s.index", index_dir, sha256_hex(source).s);
        if (fs_map_open(path, &r->bytes.map, &none) == 0) {
                if (conda_index_open(conda_bytes_sv(&r->bytes), conda_bytes_sv(&r->text), source, &r->index))
                        return 0;
                conda_bytes_done(&r->bytes);
        }
        return make_index(r, path, source, op, e);
}

static int open_repo(struct files *s, const struct conda_file *f, const char *index_dir, struct op *op,
                     struct conda_repo *r, struct err *e)
{
        const char *path = arena_str(&s->arena, f->path);
        sv folder = arena_fmt(&s->arena, "%.*s/%.*s/", SV_ARG(f->channel), SV_ARG(f->subdir));
        sha256 source;
        struct stat st;

        if (stat(path, &st) < 0)
                return err_errno(e, "cannot read '%s'", path);
        source = sha256_of(arena_fmt(&s->arena, "%s\n%lld\n%lld.%09ld", path, (long long)st.st_size,
                                     (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec));
        r->place.channel = arena_sv(&s->arena, f->channel);
        r->place.subdir = arena_sv(&s->arena, f->subdir);
        if (open_text(path, index_dir, &source, &r->text, e) < 0 || open_index(r, index_dir, &source, op, e) < 0 ||
            conda_place_base(&s->arena, folder, conda_object_text(&s->arena, r->index.info, "base_url"), &r->place.base,
                             e) < 0)
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
        s->n = n;
        for (size_t i = 0; i < n; i++) {
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
