#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "catalog/conda_scan.h"
#include "catalog/conda_repodata.h"
#include "ext/archive.h"

/* An index of less text than this is made faster than it is looked up. */
enum { KEEP_INDEX_FROM = 1 << 20 };

int conda_unzstd(sv packed, struct buf *out, struct err *e)
{
        struct mem_reader from;
        struct buf_writer to;
        struct reader *zstd = zstd_reader_new(mem_reader_init(&from, packed));
        int r = reader_copy(zstd, buf_writer_init(&to, out), NULL, e);

        decode_reader_free(zstd);
        return r;
}

static int copy_zstd(struct reader *from, struct writer *to, struct err *e)
{
        struct reader *zstd = zstd_reader_new(from);
        int r = reader_copy(zstd, to, NULL, e);

        decode_reader_free(zstd);
        return r;
}

static int read_more(void *arg, void *p, size_t max, size_t *ret_n, struct err *e)
{
        return reader_read(arg, p, max, ret_n, e);
}

/* bzip2 is libarchive's: a file that is packed and no archive is one entry to it. */
static int copy_bz2(struct reader *from, struct writer *to, struct err *e)
{
        const struct archive_opts o = { .flags = ARCHIVE_RAW | ARCHIVE_DECODE, .read = read_more, .arg = from };
        const struct archive_table *t = NULL;
        const struct archive_item *item;
        struct archive_reader *a = NULL;
        char piece[65536];
        size_t n = 1, all = 0;
        int r;

        if (archive_load(&t, e) < 0 || t->open(&o, &a, e) < 0)
                return -(int)e->code;
        r = t->next(a, &item, e);
        while (r > 0 && n > 0) {
                if (t->read(a, piece, sizeof(piece), &n, e) < 0 || (n && writer_write(to, piece, n, e) < 0))
                        r = -(int)e->code;
                else if ((all += n) > CONDA_TEXT_MAX)
                        r = err_set(e, ERR_LIMIT, "it unpacks to more than %u MiB", CONDA_TEXT_MAX >> 20);
        }
        t->close(a);
        return r < 0 ? r : 0;
}

int conda_unpack_file(struct store *s, const char *path, enum conda_form form, sha256 *ret, struct err *e)
{
        AUTO(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
        AUTO(store_put_abort) struct store_put put = { 0 };
        struct fd_reader file;
        struct writer *w;

        if (fd < 0)
                return err_errno(e, "cannot read '%s'", path);
        if (store_put_begin(s, STORE_INDEX, &put, &w, e) < 0)
                return -(int)e->code;
        fd_reader_init(&file, fd, path);
        if ((form == CONDA_ZST ? copy_zstd(&file.r, w, e) : copy_bz2(&file.r, w, e)) < 0 ||
            store_put_commit(&put, NULL, e) < 0)
                return -(int)e->code;
        *ret = put.hash.digest;
        return 0;
}

int conda_whole_open_text(struct store *s, const sha256 *text, struct conda_whole *r, struct err *e)
{
        AUTO(free_ptr) char *path = store_find(s, STORE_INDEX, text);
        struct stat st;

        if (!path)
                return err_set(e, ERR_NOT_FOUND, "repodata sha256:%s is not in the store any more", sha256_hex(text).s);
        r->fd = open(path, O_RDONLY | O_CLOEXEC);
        if (r->fd < 0 || fstat(r->fd, &st) < 0)
                return err_errno(e, "cannot read '%s'", path);
        r->text_size = (uint64_t)st.st_size;
        return 0;
}

int conda_whole_open_index(struct store *s, const sha256 *source, sha256 *index, struct conda_whole *r, struct op *op,
                           struct err *e)
{
        AUTO(err_done) struct err none = { 0 };

        if (!sha256_is_zero(index) && store_map(s, STORE_INDEX, index, &r->bytes.map, &none) == 0) {
                if (conda_index_open(conda_bytes_sv(&r->bytes), r->text_size, source, &r->index))
                        return 0;
                conda_bytes_done(&r->bytes);
        }
        *index = (sha256){ 0 };
        if (conda_whole_index(r, source, op, e) < 0)
                return -(int)e->code;
        if (r->text_size < KEEP_INDEX_FROM)
                return 0;
        return store_put_bytes(s, STORE_INDEX, conda_bytes_sv(&r->bytes), index, e);
}
