#include "layer/tar.h"

#include <stdio.h>
#include <string.h>

#define OCTAL_7  2097151U      /* seven octal digits: mode, uid, gid */
#define OCTAL_11 8589934591ULL /* eleven: size, mtime */
#define NAME     100
#define PREFIX   155

struct ustar { /* POSIX.1-1988, 512 bytes */
        char name[NAME], mode[8], uid[8], gid[8], size[12], mtime[12], sum[8], type, link[100], magic[6], version[2],
                uname[32], gname[32], major[8], minor[8], prefix[PREFIX], pad[12];
};
_Static_assert(sizeof(struct ustar) == TAR_BLOCK, "a tar header is one block");

/* What goes into the fields; what does not fit is in PAX and zero (or cut) here, as Go's writer does it. */
struct fields {
        sv prefix, name, link;
        uint32_t mode, uid, gid;
        uint64_t size, mtime;
        char type;
};

static void octal(char *out, size_t size, uint64_t v)
{
        char text[24];

        snprintf(text, sizeof(text), "%0*llo", (int)size - 1, (unsigned long long)v);
        memcpy(out, text, size);
}

static void text(char *out, size_t size, sv s)
{
        memcpy(out, s.p ? s.p : "", s.n < size ? s.n : size);
}

static void write_block(const struct fields *f, uint8_t *out)
{
        struct ustar h = { .type = f->type, .magic = "ustar", .version = { '0', '0' } };
        unsigned sum = 0;

        text(h.name, sizeof(h.name), f->name);
        text(h.link, sizeof(h.link), f->link);
        text(h.prefix, sizeof(h.prefix), f->prefix);
        octal(h.mode, sizeof(h.mode), f->mode);
        octal(h.uid, sizeof(h.uid), f->uid);
        octal(h.gid, sizeof(h.gid), f->gid);
        octal(h.size, sizeof(h.size), f->size);
        octal(h.mtime, sizeof(h.mtime), f->mtime);
        octal(h.major, sizeof(h.major), 0);
        octal(h.minor, sizeof(h.minor), 0);
        memset(h.sum, ' ', sizeof(h.sum));
        memcpy(out, &h, sizeof(h));
        for (size_t i = 0; i < sizeof(h); i++)
                sum += out[i];
        snprintf(h.sum, sizeof(h.sum), "%06o", sum); /* six digits, NUL, and the blank that stands there */
        memcpy(out, &h, sizeof(h));
}

static bool is_ascii(sv s)
{
        for (size_t i = 0; i < s.n; i++)
                if ((unsigned char)s.p[i] >= 0x80)
                        return false;
        return true;
}

/* The first '/' from the left that leaves both sides small enough. */
static bool split(sv path, struct fields *f)
{
        if (!is_ascii(path))
                return false;
        if (path.n <= NAME) {
                f->name = path;
                return true;
        }
        for (size_t i = 1; i + 1 < path.n && i <= PREFIX; i++)
                if (path.p[i] == '/' && path.n - i - 1 <= NAME) {
                        f->prefix = sv_from_to(path, 0, i);
                        f->name = sv_skip(path, i + 1);
                        return true;
                }
        return false;
}

/* Records of the PAX header, "LEN key=value\n", LEN counting itself. */
struct records {
        char *p;
        size_t n;
};

static void record(struct records *r, const char *key, sv value)
{
        size_t rest = strlen(key) + value.n + 3, len = rest, digits = 0;

        for (;;) { /* the length of the length */
                size_t d = 1;

                for (size_t v = rest + digits; v >= 10; v /= 10)
                        d++;
                if (d == digits)
                        break;
                digits = d;
        }
        len = rest + digits;
        r->n += (size_t)sprintf(r->p + r->n, "%zu %s=", len, key);
        memcpy(r->p + r->n, value.p, value.n);
        r->n += value.n;
        r->p[r->n++] = '\n';
}

static void record_number(struct records *r, const char *key, int64_t v)
{
        char digits[24];
        int n = snprintf(digits, sizeof(digits), "%lld", (long long)v);

        record(r, key, (sv){ digits, (size_t)n });
}

/* What does not fit goes to PAX; order of the keys: path, linkpath, size, uid, gid, mtime. */
static void spill(const struct entry *en, sv path, struct fields *f, struct records *r)
{
        if (!split(path, f)) {
                record(r, "path", path);
                f->name = sv_from_to(path, 0, NAME);
        }
        if (f->link.n > sizeof(((struct ustar *)0)->link) || !is_ascii(f->link))
                record(r, "linkpath", f->link);
        if (f->size > OCTAL_11) {
                record_number(r, "size", (int64_t)f->size);
                f->size = 0;
        }
        if (f->uid > OCTAL_7) {
                record_number(r, "uid", f->uid);
                f->uid = 0;
        }
        if (f->gid > OCTAL_7) {
                record_number(r, "gid", f->gid);
                f->gid = 0;
        }
        f->mtime = (uint64_t)en->mtime;
        if (en->mtime < 0 || f->mtime > OCTAL_11) {
                record_number(r, "mtime", en->mtime);
                f->mtime = 0;
        }
}

static char type_flag(enum entry_type t)
{
        return t == ENTRY_DIR ? '5' : t == ENTRY_SYMLINK ? '2' : t == ENTRY_HARDLINK ? '1' : '0';
}

static void write_pax(sv path, const struct records *r, struct tar_head *ret)
{
        char name[NAME + sizeof("PaxHeaders/")] = "PaxHeaders/";
        sv base = sv_basename(path);
        struct fields f = { .mode = 0644, .size = r->n, .type = 'x' };
        size_t n = strlen(name), take = base.n < NAME ? base.n : NAME;

        memcpy(name + n, base.p, take);
        f.name = (sv){ name, n + take < NAME ? n + take : NAME };
        write_block(&f, ret->b);
        ret->n = TAR_BLOCK + r->n;
        memset(ret->b + ret->n, 0, tar_pad(r->n));
        ret->n += tar_pad(r->n);
}

void tar_head(const struct entry *en, struct tar_head *ret)
{
        char full[TAR_PATH_MAX + 1];
        size_t n = en->path.n < TAR_PATH_MAX ? en->path.n : TAR_PATH_MAX - 1;
        struct records r = { (char *)ret->b + TAR_BLOCK, 0 };
        struct fields f = { .link = en->target,
                            .mode = en->mode & 07777,
                            .uid = en->uid,
                            .gid = en->gid,
                            .type = type_flag(en->type) };

        memcpy(full, en->path.p, n);
        if (en->type == ENTRY_DIR)
                full[n++] = '/';
        if (en->type == ENTRY_FILE)
                f.size = en->size;
        ret->n = 0;
        spill(en, (sv){ full, n }, &f, &r);
        if (r.n)
                write_pax(en->path, &r, ret);
        ret->main_at = ret->n;
        write_block(&f, ret->b + ret->n);
        ret->n += TAR_BLOCK;
}
