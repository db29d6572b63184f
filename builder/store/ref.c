#include "store/store_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "ext/hash.h"

#define FROM    "dev.envbuild.from"
#define REF_MAX ((size_t)64 * 1024)

static bool is_word(char c)
{
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* What may stand in org.opencontainers.image.ref.name; runs of separators are tolerated, as repositories have "__". */
static bool valid_name(sv name)
{
        bool word = false;

        if (name.n > 512)
                return false;
        for (size_t i = 0; i < name.n; i++) {
                word = is_word(name.p[i]);
                if (!word && (i == 0 || !memchr("-._:@+/[]", name.p[i], 9)))
                        return false;
        }
        return word;
}

/* "train:latest" is "train". */
static sv short_name(sv name)
{
        return sv_ends(name, SV(":latest")) ? sv_from_to(name, 0, name.n - 7) : name;
}

/* refs/ is flat: a name with slashes and capitals fits no folder of every file system, its hash does. */
static char *ref_path(const struct store *s, size_t root, sv name)
{
        AUTO(free_ptr) char *full =
                fs_path(sv_rfind(name, ':') > sv_rfind(name, '/') ? "%.*s" : "%.*s:latest", SV_ARG(name));
        sha256 d = sha256_of(sv_from(full));

        return fs_path("%s/refs/%s", s->root[root], sha256_hex(&d).s);
}

static int parse(struct arena *a, sv text, const char *what, struct store_ref *ret, struct err *e)
{
        struct store_ref r = { 0 };

        if (oci_desc_parse(a, text, what, &r.desc, e) < 0)
                return -(int)e->code;
        r.name = oci_desc_annotation(&r.desc, OCI_REF_NAME);
        r.from = oci_desc_annotation(&r.desc, FROM);
        if (!valid_name(r.name))
                return err_set(e, ERR_INTEGRITY, "%s names nothing", what);
        *ret = r;
        return 0;
}

static void write_ref(sv name, const struct oci_desc *d, sv from, struct buf *out)
{
        AUTO(arena_done) struct arena a = { 0 };
        struct oci_desc ref = *d;

        ref.annotation = arena_array(&a, struct oci_pair, d->n_annotation + 2);
        ref.n_annotation = 0;
        for (size_t i = 0; i < d->n_annotation; i++)
                if (!sv_is(d->annotation[i].key, OCI_REF_NAME) && !sv_is(d->annotation[i].key, FROM))
                        ref.annotation[ref.n_annotation++] = d->annotation[i];
        ref.annotation[ref.n_annotation++] = (struct oci_pair){ SV(OCI_REF_NAME), name };
        if (from.n)
                ref.annotation[ref.n_annotation++] = (struct oci_pair){ SV(FROM), from };
        oci_desc_write(&ref, out);
}

int store_ref_put(struct store *s, sv name, const struct oci_desc *d, sv from, struct err *e)
{
        AUTO(buf_done) struct buf text = BUF_INIT(REF_MAX);
        AUTO(free_ptr) char *path = NULL;

        name = short_name(name);
        if (store_must_write(s, e) < 0)
                return -(int)e->code;
        if (!valid_name(name))
                return err_set(e, ERR_USAGE, "'%.*s' cannot be an image's name", SV_ARG(name));
        path = ref_path(s, 0, name);
        write_ref(name, d, from, &text);
        if (buf_check(&text, e) < 0 || store_replace(s, path, buf_sv(&text), e) < 0 || store_index_sync(s, e) < 0)
                return err_while(e, "naming an image '%.*s'", SV_ARG(name));
        return 0;
}

int store_ref_get(struct store *s, struct arena *a, sv name, struct store_ref *ret, struct err *e)
{
        for (size_t i = 0; i < s->n_root; i++) {
                AUTO(free_ptr) char *path = ref_path(s, i, short_name(name));
                AUTO(buf_done) struct buf text = BUF_INIT(REF_MAX);
                AUTO(err_done) struct err one = { 0 };
                if (fs_read(path, &text, &one) == 0)
                        return parse(a, arena_sv(a, buf_sv(&text)), path, ret, e);
                if (one.code != ERR_NOT_FOUND)
                        return err_move(e, &one);
        }
        return err_set(e, ERR_NOT_FOUND, "no image in the store is named '%.*s'", SV_ARG(name));
}

int store_ref_drop(struct store *s, sv name, struct err *e)
{
        AUTO(free_ptr) char *path = ref_path(s, 0, short_name(name));

        if (store_must_write(s, e) < 0)
                return -(int)e->code;
        if (unlink(path) < 0)
                return errno == ENOENT
                               ? err_set(e, ERR_NOT_FOUND, "no image in the store is named '%.*s'", SV_ARG(name))
                               : err_errno(e, "cannot remove '%s'", path);
        return store_index_sync(s, e);
}

static int by_name(const void *a, const void *b)
{
        return sv_cmp(((const struct store_ref *)a)->name, ((const struct store_ref *)b)->name);
}

int store_ref_read(struct store *s, size_t root, struct arena *a, struct store_ref **v, size_t *n, size_t *cap,
                   struct err *e)
{
        AUTO(free_ptr) char *folder = fs_path("%s/refs", s->root[root]);
        AUTO(free_ptr) char **names = NULL;
        size_t n_names = 0;

        if (!fs_is_dir(folder))
                return 0;
        if (fs_list(folder, &names, &n_names, e) < 0)
                return -(int)e->code;
        for (size_t i = 0; i < n_names; i++) {
                AUTO(free_ptr) char *path = fs_path("%s/%s", folder, names[i]);
                AUTO(buf_done) struct buf text = BUF_INIT(REF_MAX);
                AUTO(err_done) struct err one = { 0 };
                struct store_ref r;
                sha256 ignored;

                if (!sha256_read(sv_from(names[i]), &ignored)) /* a file made for freshness, or not ours */
                        continue;
                if (fs_read(path, &text, &one) < 0) {
                        if (one.code == ERR_NOT_FOUND)
                                continue; /* dropped just now */
                        return err_move(e, &one);
                }
                if (parse(a, arena_sv(a, buf_sv(&text)), path, &r, &one) < 0) {
                        op_say(s->op, OP_WARN, "%s: this name is left out", one.cause);
                        continue;
                }
                *arena_push(a, *v, *n, *cap) = r;
        }
        return 0;
}

static bool named(const struct store_ref *v, size_t n, sv name)
{
        for (size_t i = 0; i < n; i++)
                if (sv_eq(v[i].name, name))
                        return true;
        return false;
}

int store_ref_list(struct store *s, struct arena *a, struct store_ref **ret, size_t *ret_n, struct err *e)
{
        struct store_ref *v = NULL;
        size_t n = 0, cap = 0;

        for (size_t i = 0; i < s->n_root; i++) {
                size_t before = n, keep = n;
                if (store_ref_read(s, i, a, &v, &n, &cap, e) < 0)
                        return -(int)e->code;
                for (size_t k = before; k < n; k++) /* a name of an earlier root hides those of later ones */
                        if (!named(v, before, v[k].name))
                                v[keep++] = v[k];
                n = keep;
        }
        if (n)
                qsort(v, n, sizeof(*v), by_name);
        *ret = v;
        *ret_n = n;
        return 0;
}
