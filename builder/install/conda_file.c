#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "install/conda_priv.h"

#define OUT_MAX ((size_t)256 << 20) /* what a piece, or a text of CONDA_TEXT_MAX, may become */

static int lies(const struct conda_path *p, const char *what, const char *is, const char *listed, struct err *e)
{
        return err_set(e, ERR_INTEGRITY, "'%.*s' has the %s %s, but info/paths.json says %s", SV_ARG(p->path), what, is,
                       listed);
}

int conda_check_digest(const struct conda_path *p, const sha256 *have, struct err *e)
{
        if (!p->has_sha256 || p->type != CONDA_HARDLINK || sha256_eq(have, &p->sha256))
                return 0;
        return lies(p, "sha256", sha256_hex(have).s, sha256_hex(&p->sha256).s, e);
}

int conda_check_size(const struct conda_path *p, uint64_t have, struct err *e)
{
        char is[24], listed[24];

        if (!p->has_size || p->type != CONDA_HARDLINK || have == p->size)
                return 0;
        snprintf(is, sizeof(is), "%llu", (unsigned long long)have);
        snprintf(listed, sizeof(listed), "%llu", (unsigned long long)p->size);
        return lies(p, "size", is, listed, e);
}

/* Bytes of the member; *ret_n 0: its end. */
static int member_read(struct conda *c, void *p, size_t max, size_t *ret_n, struct err *e)
{
        *ret_n = 0;
        if (!c->left)
                return 0;
        if (conda_tar_read(c->apart ? c->apart : c->tar, p, max < c->left ? max : (size_t)c->left, ret_n, e) < 0)
                return -(int)e->code;
        if (!*ret_n)
                return err_set(e, ERR_INTEGRITY, "'%.*s' is cut off", SV_ARG(c->given->path));
        c->left -= *ret_n;
        return 0;
}

static int stream_plain(void *arg, void *p, size_t max, size_t *ret_n, struct err *e)
{
        struct conda *c = arg;

        return member_read(c, p, max, ret_n, e) < 0 ? conda_installing(c, e) : 0;
}

static int original_end(struct conda *c, struct err *e)
{
        hash_end(c->hash, c->given->original.b);
        return conda_check_digest(c->given, &c->given->original, e);
}

/* More bytes of a rewritten file into c->out. */
static int replace_more(struct conda *c, struct err *e)
{
        size_t n;

        buf_clear(&c->out);
        c->out_at = 0;
        while (!c->out.n && !c->input_ended) {
                if (member_read(c, c->piece, sizeof(c->piece), &n, e) < 0)
                        return -(int)e->code;
                hash_add(c->hash, c->piece, n);
                c->input_ended = c->left == 0;
                if (conda_prefix_add(c->prefix, (sv){ c->piece, n }, &c->out, e) < 0)
                        return -(int)e->code;
                if (c->input_ended && (conda_prefix_end(c->prefix, &c->out, e) < 0 || original_end(c, e) < 0))
                        return -(int)e->code;
        }
        return buf_check(&c->out, e);
}

static int stream_replaced(void *arg, void *p, size_t max, size_t *ret_n, struct err *e)
{
        struct conda *c = arg;
        size_t n;

        if (c->out_at == c->out.n && replace_more(c, e) < 0)
                return conda_installing(c, e);
        n = c->out.n - c->out_at < max ? c->out.n - c->out_at : max;
        if (n)
                memcpy(p, c->out.p + c->out_at, n);
        c->out_at += n;
        *ret_n = n;
        return 0;
}

void conda_out_begin(struct conda *c, size_t max)
{
        buf_clear(&c->out);
        c->out.max = max;
        c->out_at = 0;
}

static struct conda_replace how_of(const struct conda *c, const struct conda_path *p)
{
        return (struct conda_replace){
                .placeholder = p->placeholder, .prefix = c->ctx.prefix, .mode = p->mode, .file = p->path
        };
}

static void replaced_begin(struct conda *c, struct conda_path *p, struct content *ret)
{
        struct conda_replace how = how_of(c, p);

        c->prefix = conda_prefix_new(&how);
        c->input_ended = false;
        conda_out_begin(c, OUT_MAX);
        *ret = (struct content){ .kind = CONTENT_STREAM, .arg = c, .read = stream_replaced };
}

/* Its new length must be known before its header: the whole file, in memory. */
static int text_content(struct conda *c, struct conda_path *p, struct content *ret, struct err *e)
{
        AUTO(conda_prefix_freep) struct conda_prefix *prefix = NULL;
        struct conda_replace how = how_of(c, p);
        size_t n;

        conda_out_begin(c, OUT_MAX);
        prefix = conda_prefix_new(&how);
        do {
                if (member_read(c, c->piece, sizeof(c->piece), &n, e) < 0)
                        return -(int)e->code;
                hash_add(c->hash, c->piece, n);
                if (conda_prefix_add(prefix, (sv){ c->piece, n }, &c->out, e) < 0)
                        return -(int)e->code;
        } while (n);
        if (conda_prefix_end(prefix, &c->out, e) < 0 || original_end(c, e) < 0)
                return -(int)e->code;
        c->entry.size = c->out.n;
        if (c->out.n)
                *ret = (struct content){ .kind = CONTENT_BYTES, .p = c->out.p, .n = c->out.n };
        return 0;
}

/* How long a text becomes that is too large to be kept: it is read once for that, and again for its bytes. */
static int text_measure(struct conda *c, struct conda_path *p, const struct conda_member *m, uint64_t *ret,
                        struct err *e)
{
        AUTO(conda_prefix_freep) struct conda_prefix *prefix = NULL;
        AUTO(conda_tar_freep) struct conda_tar *tar = NULL;
        struct conda_replace how = how_of(c, p);
        struct conda_member again;
        size_t n = 1;
        int rc = conda_member_find(c, m->path, &tar, &again, e);

        if (rc < 0)
                return rc;
        prefix = conda_prefix_new(&how);
        for (*ret = 0; rc && n; *ret += c->out.n) {
                conda_out_begin(c, OUT_MAX);
                if (conda_tar_read(tar, c->piece, sizeof(c->piece), &n, e) < 0 ||
                    (n ? conda_prefix_add(prefix, (sv){ c->piece, n }, &c->out, e)
                       : conda_prefix_end(prefix, &c->out, e)) < 0)
                        return -(int)e->code;
        }
        return 0;
}

int conda_file_begin(struct conda *c, struct conda_path *p, const struct conda_member *m, struct content *ret,
                     struct err *e)
{
        static const sha256 none;
        uint8_t forgotten[32];

        c->left = c->entry.size = p->seen_size = m->size;
        p->original = p->installed = none;
        if (conda_check_size(p, m->size, e) < 0)
                return -(int)e->code;
        if (!m->size)
                return 0;
        if (!p->placeholder.n) {
                *ret = (struct content){ .kind = CONTENT_STREAM, .arg = c, .read = stream_plain };
                return 0;
        }
        hash_end(c->hash, forgotten); /* of a file that nobody read to its end */
        if (p->mode == CONDA_TEXT && m->size <= CONDA_TEXT_MAX)
                return text_content(c, p, ret, e);
        if (p->mode == CONDA_TEXT && text_measure(c, p, m, &c->entry.size, e) < 0)
                return -(int)e->code;
        replaced_begin(c, p, ret);
        return 0;
}
