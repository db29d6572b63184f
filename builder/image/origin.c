#include "image/origin.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "ext/hash.h"
#include "ext/json.h"

#define NOTE_MAX ((size_t)1 << 20)

/* --- texts */

static bool is_scheme(char c)
{
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+' || c == '.' ||
               c == '-';
}

/* From the scheme to the next blank: quotes and commas may be part of a password. */
static sv url_around(sv text, size_t scheme_end)
{
        size_t from = scheme_end, end = scheme_end;

        while (from > 0 && is_scheme(text.p[from - 1]))
                from--;
        while (end < text.n && (unsigned char)text.p[end] > ' ')
                end++;
        return sv_from_to(text, from, end);
}

/* Each "://" is looked at by itself: two URLs need no blank between them. */
sv origin_public_text(struct arena *a, sv text)
{
        for (size_t i = 0; i + 3 <= text.n; i++) {
                sv url, shown;
                if (memcmp(text.p + i, "://", 3) != 0)
                        continue;
                url = url_around(text, i);
                shown = spec_channel_public(a, url);
                if (!sv_eq(url, shown))
                        text = arena_fmt(a, "%.*s%.*s%.*s", (int)(url.p - text.p), text.p, SV_ARG(shown),
                                         SV_ARG(sv_skip(text, (size_t)(url.p - text.p) + url.n)));
        }
        return text;
}

/* --- the definition's files */

struct files {
        struct arena *a;
        struct origin_text *v;
        size_t n, cap;
        sv *path; /* where each was, for meeting it again */
        size_t n_path, cap_path;
};

static bool is_url(sv path)
{
        return sv_find_sv(path, SV("://")) >= 0;
}

static int add_file(struct files *f, sv path, struct err *e)
{
        AUTO(buf_done) struct buf b = BUF_INIT(LOCK_MAX);
        struct origin_text t = { .name = arena_sv(f->a, sv_basename(path)) };

        for (size_t i = 0; i < f->n_path; i++)
                if (sv_eq(f->path[i], path))
                        return 0;
        *arena_push(f->a, f->path, f->n_path, f->cap_path) = arena_sv(f->a, path);
        if (is_url(path))
                return 0;
        if (fs_read(arena_str(f->a, path), &b, e) < 0)
                return -(int)e->code;
        t.text = origin_public_text(f->a, arena_sv(f->a, buf_sv(&b)));
        t.digest = sha256_of(t.text);
        *arena_push(f->a, f->v, f->n, f->cap) = t;
        return 0;
}

static int add_where(struct files *f, const struct spec_where *at, struct err *e)
{
        return at->line && at->file.n ? add_file(f, at->file, e) : 0;
}

/* Those named on the command line, then those that they name in turn (-r, -c). */
static int add_files(struct files *f, const struct image_request *r, const struct spec *s, struct err *e)
{
        for (size_t i = 0; i < r->n_file; i++)
                if (add_file(f, r->file[i], e) < 0)
                        return -(int)e->code;
        for (size_t i = 0; i < s->n_pip; i++)
                if (add_where(f, &s->pip[i].at, e) < 0)
                        return -(int)e->code;
        for (size_t i = 0; i < s->n_constraints; i++)
                if (add_where(f, &s->constraints[i].at, e) < 0)
                        return -(int)e->code;
        return 0;
}

/* --- the note: names and digests; the texts are blobs */

static struct js *text_js(struct arena *a, const struct origin_text *t)
{
        struct js *j = js_new_obj(a);

        js_put_str(a, j, "name", t->name);
        js_put_str(a, j, "digest", arena_fmt(a, "sha256:%s", sha256_hex(&t->digest).s));
        return j;
}

static void write_note(const struct origin *o, struct buf *out)
{
        AUTO(arena_done) struct arena a = { 0 };
        struct js *j = js_new_obj(&a), *definition = js_new_arr(&a);

        for (size_t i = 0; i < o->n_definition; i++)
                js_add(&a, definition, text_js(&a, &o->definition[i]));
        js_put(&a, j, SV("lock"), text_js(&a, &o->lock));
        js_put(&a, j, SV("definition"), definition);
        js_write(j, out);
}

static bool read_text(struct image_ctx *c, const struct js *j, struct arena *a, struct origin_text *ret)
{
        AUTO(err_done) struct err ignored = { 0 };
        AUTO(buf_done) struct buf b = BUF_INIT(LOCK_MAX);

        ret->name = js_get_str(j, "name");
        if (!ret->name.n || !sha256_read(js_get_str(j, "digest"), &ret->digest) ||
            store_read(c->store, STORE_BLOB, &ret->digest, &b, &ignored) < 0)
                return false;
        ret->text = arena_sv(a, buf_sv(&b));
        return true;
}

/* A note of ours that cannot be read, or whose texts are gone, is as none. */
static bool read_note(struct image_ctx *c, sv text, struct arena *a, struct origin *ret)
{
        AUTO(err_done) struct err ignored = { 0 };
        const struct js *list;
        struct js *j;

        *ret = (struct origin){ 0 };
        if (js_parse(a, text, &j, &ignored) < 0 || !read_text(c, js_get(j, "lock"), a, &ret->lock))
                return false;
        list = js_get(j, "definition");
        if (!list || list->type != JS_ARR)
                return false;
        ret->definition = arena_array(a, struct origin_text, list->n);
        for (size_t i = 0; i < list->n; i++)
                if (!read_text(c, list->v[i].value, a, &ret->definition[ret->n_definition++]))
                        return false;
        return true;
}

static bool find(struct image_ctx *c, const sha256 *image, struct arena *a, struct origin *ret)
{
        AUTO(err_done) struct err ignored = { 0 };
        AUTO(buf_done) struct buf b = BUF_INIT(NOTE_MAX);

        return store_note_get(c->store, STORE_SOURCE, image, &b, &ignored) == 0 &&
               read_note(c, arena_sv(a, buf_sv(&b)), a, ret);
}

int origin_find(struct image_ctx *c, const sha256 *image, struct arena *a, struct origin *ret, struct err *e)
{
        struct origin o;

        if (image_ctx_store(c, false, e) < 0)
                return -(int)e->code;
        if (!find(c, image, a, &o))
                return err_set(e, ERR_NOT_FOUND, "the store does not know what sha256:%s was made from",
                               sha256_hex(image).s);
        *ret = o;
        return 0;
}

/* --- keeping */

static bool has_images(const struct lock *l)
{
        for (size_t i = 0; i < l->n_platform; i++)
                if (!l->platform[i].has_image)
                        return false;
        return true;
}

/* The kept lock has an image half and pins the same things. */
static bool says_more(const struct lock *l, const struct origin *was)
{
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(diags_done) struct diags ds = { 0 };
        AUTO(err_done) struct err ignored = { 0 };
        AUTO(buf_done) struct buf now = BUF_INIT(LOCK_MAX), then = BUF_INIT(LOCK_MAX);
        struct lock *old;

        if (has_images(l) || lock_parse(&a, was->lock.text, was->lock.name, &ds, &old, &ignored) < 0 ||
            !has_images(old))
                return false;
        lock_write_resolution(l, &now);
        lock_write_resolution(old, &then);
        return sv_eq(buf_sv(&now), buf_sv(&then));
}

static int lock_text(const struct image_locked *l, struct arena *a, struct origin_text *ret, struct err *e)
{
        AUTO(buf_done) struct buf b = BUF_INIT(LOCK_MAX);

        lock_write(l->lock, &b);
        if (buf_check(&b, e) < 0)
                return -(int)e->code;
        ret->name = sv_basename(l->path);
        ret->text = arena_sv(a, buf_sv(&b));
        ret->digest = sha256_of(ret->text);
        return 0;
}

/* A build from a lock knows no definition: an earlier one from the definition did. */
static int gather(struct image_ctx *c, const struct image_request *r, const struct image_locked *l, const sha256 *image,
                  struct arena *a, struct origin *ret, struct err *e)
{
        struct files f = { .a = a };
        struct origin was;
        bool had = find(c, image, a, &was);

        if (lock_text(l, a, &ret->lock, e) < 0 || (l->spec && add_files(&f, r, l->spec, e) < 0))
                return -(int)e->code;
        ret->definition = f.v;
        ret->n_definition = f.n;
        if (had && says_more(l->lock, &was))
                ret->lock = was.lock;
        if (had && !f.n) {
                ret->definition = was.definition;
                ret->n_definition = was.n_definition;
        }
        return 0;
}

static int put_text(struct image_ctx *c, const struct origin_text *t, struct err *e)
{
        sha256 got;

        return store_has(c->store, STORE_BLOB, &t->digest, NULL)
                       ? 0
                       : store_put_bytes(c->store, STORE_BLOB, t->text, &got, e);
}

static int put_texts(struct image_ctx *c, const struct origin *o, struct err *e)
{
        for (size_t i = 0; i < o->n_definition; i++)
                if (put_text(c, &o->definition[i], e) < 0)
                        return -(int)e->code;
        return put_text(c, &o->lock, e);
}

/* The image itself, and what an index lists. */
static int put_notes(struct image_ctx *c, const sha256 *image, sv note, struct arena *a, struct err *e)
{
        AUTO(buf_done) struct buf b = BUF_INIT(OCI_DOC_MAX);
        struct oci_index x = { 0 };

        if (store_read(c->store, STORE_BLOB, image, &b, e) < 0 ||
            (oci_is_index(a, buf_sv(&b)) && oci_index_parse(a, buf_sv(&b), "index", &x, e) < 0))
                return -(int)e->code;
        for (size_t i = 0; i < x.n; i++)
                if (store_note_put(c->store, STORE_SOURCE, &x.v[i].digest, note, e) < 0)
                        return -(int)e->code;
        return store_note_put(c->store, STORE_SOURCE, image, note, e);
}

int origin_keep(struct image_ctx *c, const struct image_request *r, const struct image_locked *l, const sha256 *image,
                struct err *e)
{
        AUTO(buf_done) struct buf note = BUF_INIT(NOTE_MAX), was = BUF_INIT(NOTE_MAX);
        AUTO(arena_done) struct arena a = { 0 };
        struct origin o = { 0 };
        bool known = find(c, image, &a, &o);

        if (known && !l->changed)
                return 0;
        if (known)
                write_note(&o, &was);
        if (gather(c, r, l, image, &a, &o, e) < 0)
                return err_while(e, "keeping what the image was made from");
        write_note(&o, &note);
        if (buf_check(&note, e) < 0 || put_texts(c, &o, e) < 0)
                return -(int)e->code;
        return known && sv_eq(buf_sv(&was), buf_sv(&note)) ? 0 : put_notes(c, image, buf_sv(&note), &a, e);
}
