#include "ext/archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/alloc.h"
#include "base/cleanup.h"

#define DEFAULT_ITEMS ((uint64_t)16 << 20)
#define XATTRS_MAX    256

struct archive_reader {
        struct archive *a;
        struct archive_opts opts;
        locale_t utf8; /* libarchive gives PAX names in the thread's character set */
        struct archive_item item;
        struct archive_xattr xattr[XATTRS_MAX];
        uint64_t n_items, n_bytes;
        struct err from; /* what opts.read failed with */
        char chunk[65536];
};

/* What libarchive says when the fault is its input's. */
static int damaged(struct archive_reader *r, struct err *e)
{
        const char *text;

        if (r->from.code != ERR_NONE)
                return e->code == ERR_NONE ? err_move(e, &r->from) : -(int)e->code;
        text = archive_error_string(r->a);
        return err_set(e, ERR_INTEGRITY, "the archive is damaged: %s", text ? text : "it ends early");
}

static la_ssize_t give(struct archive *a, void *arg, const void **ret)
{
        struct archive_reader *r = arg;
        size_t n = 0;

        if (r->opts.read(r->opts.arg, r->chunk, sizeof(r->chunk), &n, &r->from) < 0) {
                archive_set_error(a, EIO, "cannot be read");
                return -1;
        }
        *ret = r->chunk;
        return (la_ssize_t)n;
}

static void support(struct archive *a, unsigned flags)
{
        archive_read_support_format_empty(a);
        if (flags & ARCHIVE_TAR)
                archive_read_support_format_tar(a);
        if (flags & ARCHIVE_AR)
                archive_read_support_format_ar(a);
        if (flags & ARCHIVE_RAW)
                archive_read_support_format_raw(a);
        if (flags & ARCHIVE_DECODE) {
                archive_read_support_filter_gzip(a);
                archive_read_support_filter_bzip2(a);
                archive_read_support_filter_xz(a);
                archive_read_support_filter_zstd(a);
        }
}

static void reader_close(struct archive_reader *r)
{
        if (!r)
                return;
        archive_read_free(r->a);
        if (r->utf8)
                freelocale(r->utf8);
        err_done(&r->from);
        free(r);
}

static int reader_open(const struct archive_opts *o, struct archive_reader **ret, struct err *e)
{
        struct archive_reader *r = xcalloc(1, sizeof(*r));
        int ok;

        r->opts = *o;
        if (!r->opts.max_items)
                r->opts.max_items = DEFAULT_ITEMS;
        r->utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
        r->a = archive_read_new();
        if (!r->a) {
                reader_close(r);
                return err_set(e, ERR_FAILED, "libarchive cannot be started");
        }
        support(r->a, o->flags);
        if (o->read)
                ok = archive_read_open(r->a, r, NULL, give, NULL);
        else
                ok = archive_read_open_memory(r->a, o->bytes.n ? o->bytes.p : "", o->bytes.n);
        if (ok != ARCHIVE_OK) {
                damaged(r, e);
                reader_close(r);
                return -(int)e->code;
        }
        *ret = r;
        return 0;
}

static bool type_of(struct archive_entry *ae, enum archive_type *ret)
{
        if (archive_entry_hardlink(ae)) {
                *ret = ARCHIVE_HARDLINK;
                return true;
        }
        switch (archive_entry_filetype(ae)) {
        case AE_IFREG:
                *ret = ARCHIVE_FILE;
                return true;
        case AE_IFDIR:
                *ret = ARCHIVE_DIR;
                return true;
        case AE_IFLNK:
                *ret = ARCHIVE_SYMLINK;
                return true;
        case AE_IFIFO:
                *ret = ARCHIVE_FIFO;
                return true;
        case AE_IFCHR:
                *ret = ARCHIVE_CHAR;
                return true;
        case AE_IFBLK:
                *ret = ARCHIVE_BLOCK;
                return true;
        default:
                return false;
        }
}

static void read_xattrs(struct archive_reader *r, struct archive_entry *ae)
{
        const char *name;
        const void *value;
        size_t n;

        archive_entry_xattr_reset(ae);
        while (r->item.n_xattr < XATTRS_MAX && archive_entry_xattr_next(ae, &name, &value, &n) == ARCHIVE_OK)
                r->xattr[r->item.n_xattr++] = (struct archive_xattr){ sv_from(name), { value, n } };
        r->item.xattr = r->xattr;
}

static int fill(struct archive_reader *r, struct archive_entry *ae, struct err *e)
{
        struct archive_item *it = &r->item;
        int64_t size = archive_entry_size(ae);

        *it = (struct archive_item){ .path = sv_from(archive_entry_pathname(ae)) };
        if (!it->path.n)
                return err_set(e, ERR_INTEGRITY, "the archive is damaged: an entry has no name");
        if (!type_of(ae, &it->type))
                return err_set(e, ERR_INTEGRITY, "the archive is damaged: '%.*s' is of no known type",
                               SV_ARG(it->path));
        it->link = sv_from(it->type == ARCHIVE_HARDLINK  ? archive_entry_hardlink(ae)
                           : it->type == ARCHIVE_SYMLINK ? archive_entry_symlink(ae)
                                                         : NULL);
        it->mode = archive_entry_perm(ae) & 07777;
        it->uid = (uint64_t)archive_entry_uid(ae);
        it->gid = (uint64_t)archive_entry_gid(ae);
        it->mtime = archive_entry_mtime(ae);
        it->mtime_ns = (uint32_t)archive_entry_mtime_nsec(ae);
        it->major = archive_entry_rdevmajor(ae);
        it->minor = archive_entry_rdevminor(ae);
        if (it->type == ARCHIVE_FILE) {
                it->size = size > 0 ? (uint64_t)size : 0;
                r->n_bytes += it->size;
                if (r->opts.max_bytes && (it->size > r->opts.max_bytes || r->n_bytes > r->opts.max_bytes))
                        return err_set(e, ERR_LIMIT, "the archive holds more than %llu bytes",
                                       (unsigned long long)r->opts.max_bytes);
        }
        read_xattrs(r, ae);
        return 1;
}

/* A warning mostly says that a name is no UTF-8, which is for the caller to judge; but a header that cannot be understood may have named
 * another file. */
static bool only_warned(struct archive_reader *r)
{
        const char *text = archive_error_string(r->a);

        return !text || (!strstr(text, "alformed") && !strstr(text, "nvalid") && !strstr(text, "amaged"));
}

static int next_item(struct archive_reader *r, const struct archive_item **ret, struct err *e)
{
        struct archive_entry *ae;
        int ok = archive_read_next_header(r->a, &ae);

        if (ok == ARCHIVE_EOF)
                return r->from.code != ERR_NONE ? damaged(r, e) : 0;
        if (ok != ARCHIVE_OK && (ok != ARCHIVE_WARN || !only_warned(r)))
                return damaged(r, e);
        if (++r->n_items > r->opts.max_items)
                return err_set(e, ERR_LIMIT, "the archive has more than %llu entries",
                               (unsigned long long)r->opts.max_items);
        if (fill(r, ae, e) < 0)
                return -(int)e->code;
        *ret = &r->item;
        return 1;
}

static int reader_next(struct archive_reader *r, const struct archive_item **ret, struct err *e)
{
        locale_t old = r->utf8 ? uselocale(r->utf8) : (locale_t)0;
        int n = next_item(r, ret, e);

        if (old)
                uselocale(old);
        return n;
}

static int reader_read(struct archive_reader *r, void *p, size_t max, size_t *ret_n, struct err *e)
{
        la_ssize_t n = archive_read_data(r->a, p, max);

        if (n < 0)
                return damaged(r, e);
        *ret_n = (size_t)n;
        return 0;
}

const struct archive_table envbuild_archive_table = {
        .version = ARCHIVE_TABLE_VERSION,
        .open = reader_open,
        .next = reader_next,
        .read = reader_read,
        .close = reader_close,
};
