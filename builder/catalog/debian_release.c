#include "catalog/debian_priv.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "ext/xz.h"

#define RELEASE_MAX ((size_t)8 << 20)
#define INDEX_MAX   ((size_t)256 << 20) /* one Packages file, uncompressed; Debian's main is 57 MB */

/* --- parsing */

static int file_cmp(const void *a, const void *b)
{
        return sv_cmp(((const struct debian_file *)a)->path, ((const struct debian_file *)b)->path);
}

static sv word(sv *rest)
{
        sv w = *rest = sv_trim(*rest);

        for (size_t i = 0; i < rest->n; i++)
                if (rest->p[i] == ' ' || rest->p[i] == '\t') {
                        w = sv_from_to(*rest, 0, i);
                        break;
                }
        *rest = sv_skip(*rest, w.n);
        return w;
}

static int parse_table(struct arena *a, sv table, struct debian_release *ret, struct err *e)
{
        size_t cap = 0;
        sv line;

        while (sv_line(&table, &line)) {
                struct debian_file f = { 0 };
                sv digest = word(&line), size = word(&line);

                f.path = sv_trim(line);
                if (digest.n == 0)
                        continue;
                if (!sha256_read(digest, &f.sha256) || !sv_u64(size, &f.size) || f.path.n == 0)
                        return err_set(e, ERR_INTEGRITY,
                                       "a line of a Release file's SHA256 table is not digest, size and path");
                *arena_push(a, ret->file, ret->n_file, cap) = f;
        }
        if (ret->n_file)
                qsort(ret->file, ret->n_file, sizeof(*ret->file), file_cmp);
        return 0;
}

int debian_release_parse(struct arena *a, sv text, struct debian_release *ret, struct err *e)
{
        struct debian_release r = { .suite = control_get(text, "Suite"), .codename = control_get(text, "Codename") };
        sv until = control_get(text, "Valid-Until");

        if (control_check(text, e) < 0)
                return err_while(e, "reading a Release file");
        if (!time_parse_rfc2822(control_get(text, "Date"), &r.date))
                return err_set(e, ERR_INTEGRITY, "a Release file has no proper Date");
        if (until.n && !time_parse_rfc2822(until, &r.valid_until))
                return err_set(e, ERR_INTEGRITY, "Valid-Until of a Release file is no date: '%.*s'", SV_ARG(until));
        r.by_hash = sv_is(control_get(text, "Acquire-By-Hash"), "yes");
        if (parse_table(a, control_get(text, "SHA256"), &r, e) < 0)
                return -(int)e->code;
        *ret = r;
        return 0;
}

const struct debian_file *debian_release_find(const struct debian_release *r, sv path)
{
        struct debian_file key = { .path = path };
        return r->n_file ? bsearch(&key, r->file, r->n_file, sizeof(key), file_cmp) : NULL;
}

/* --- InRelease: kept in the store as its validators (two lines) and its text */

static sha256 note_key(sv url)
{
        AUTO(buf_done) struct buf b = BUF_INIT(64 << 10);
        buf_fmt(&b, "debian InRelease %.*s", SV_ARG(url));
        return sha256_of(buf_sv(&b));
}

struct kept {
        struct buf note;
        sv etag, modified, text;
        bool there;
};

static void kept_done(struct kept *k)
{
        buf_done(&k->note);
}

static void kept_read(struct store *store, const sha256 *key, struct kept *k)
{
        AUTO(err_done) struct err none = { 0 };
        sv rest;

        k->note.max = RELEASE_MAX + 4096;
        if (store_note_get(store, STORE_HTTP, key, &k->note, &none) < 0)
                return;
        rest = buf_sv(&k->note);
        k->there = sv_line(&rest, &k->etag) && sv_line(&rest, &k->modified) && rest.n;
        k->text = rest;
}

static int kept_write(struct store *store, const sha256 *key, const struct net_answer *ans, struct err *e)
{
        AUTO(buf_done) struct buf b = BUF_INIT(RELEASE_MAX + 4096);
        sv etag = net_header_get(ans, "etag"), modified = net_header_get(ans, "last-modified");

        buf_fmt(&b, "%.*s\n%.*s\n", SV_ARG(etag), SV_ARG(modified));
        buf_add(&b, ans->body);
        return buf_check(&b, e) < 0 ? -(int)e->code : store_note_put(store, STORE_HTTP, key, buf_sv(&b), e);
}

static int ask(struct net *net, sv url, const struct kept *k, struct arena *a, struct net_answer *ret, struct err *e)
{
        struct net_header h[2];
        struct net_request q = { .url = url, .header = h, .max_body = RELEASE_MAX, .priority = 1 };

        if (k->there && k->etag.n)
                h[q.n_header++] = (struct net_header){ SV("if-none-match"), k->etag };
        if (k->there && k->modified.n)
                h[q.n_header++] = (struct net_header){ SV("if-modified-since"), k->modified };
        return net_do(net, &q, a, ret, e);
}

static int inrelease_get(const struct debian_opts *o, sv url, struct net *net, struct store *store, struct arena *a,
                         sv *ret, struct err *e)
{
        AUTO(kept_done) struct kept k = { 0 };
        AUTO(err_done) struct err own = { 0 };
        struct net_answer ans = { 0 };
        sha256 key = note_key(url);

        kept_read(store, &key, &k);
        if (ask(net, url, o->refresh ? &(struct kept){ 0 } : &k, a, &ans, &own) < 0) {
                if (own.code != ERR_OFFLINE || !k.there)
                        return err_move(e, &own);
                *ret = arena_sv(a, k.text);
                return 0;
        }
        if (ans.status == 304 && k.there) {
                *ret = arena_sv(a, k.text);
                return 0;
        }
        if (ans.status != 200)
                return net_status_err(&ans, e);
        *ret = ans.body;
        return kept_write(store, &key, &ans, e);
}

static void remove_dir(char **dir)
{
        AUTO(err_done) struct err none = { 0 };

        if (*dir)
                fs_remove(*dir, &none);
        free(*dir);
}

static int check_release(const struct debian_opts *o, const struct debian_from *from, const struct debian_release *r,
                         struct err *e)
{
        char until[24];

        if (!sv_eq(r->codename, from->suite) && !sv_eq(r->suite, from->suite))
                return err_set(e, ERR_INTEGRITY, "the mirror gave the Release file of '%.*s' for '%.*s'",
                               SV_ARG(r->codename), SV_ARG(from->suite));
        if (!o->check_valid_until || r->valid_until == 0 || r->valid_until >= clock_unix())
                return 0;
        time_format(r->valid_until, until);
        err_set(e, ERR_INTEGRITY,
                "the Release file of '%.*s' was valid until %s only: the mirror is out of date, or somebody replays an "
                "old one",
                SV_ARG(from->suite), until);
        err_hint(e, "look at the machine's clock, or take another mirror");
        return -(int)e->code;
}

int debian_release_get(const struct debian_opts *o, const struct debian_from *from, struct net *net,
                       struct store *store, struct op *op, struct arena *a, struct debian_release *ret, struct err *e)
{
        AUTO(remove_dir) char *dir = NULL;
        sv url = arena_fmt(a, "%.*s/dists/%.*s/InRelease", SV_ARG(from->mirror), SV_ARG(from->suite)), body, text;

        if (inrelease_get(o, url, net, store, a, &body, e) < 0 || store_tmp_dir(store, &dir, e) < 0 ||
            debian_verify(body, o->keys, dir, op, a, &text, e) < 0 || debian_release_parse(a, text, ret, e) < 0 ||
            check_release(o, from, ret, e) < 0)
                return err_while(e, "reading '%.*s'", SV_ARG(url));
        return 0;
}

/* --- Packages: kept in the store uncompressed, by its digest, so that it can be mapped */

static int put_sink(void *arg, const void *p, size_t n, struct err *e)
{
        return writer_write(arg, p, n, e);
}

static int gunzip_into(sv gz, uint64_t max, struct writer *w, struct err *e)
{
        struct mem_reader m;
        AUTO(free_ptr) char *piece = xmalloc(64 << 10);
        struct reader *r = gunzip_reader_new(mem_reader_init(&m, gz));
        uint64_t total = 0;
        size_t n = 0;
        int err;

        do {
                err = reader_read(r, piece, 64 << 10, &n, e);
                total += err < 0 ? 0 : n;
                if (err == 0 && total > max)
                        err = err_set(e, ERR_LIMIT, "an index holds more than the %llu bytes it should",
                                      (unsigned long long)max);
                if (err == 0 && n)
                        err = writer_write(w, piece, n, e);
        } while (err == 0 && n);
        decode_reader_free(r);
        return err;
}

static int keep_plain(struct store *store, const char *suffix, sv body, const struct debian_file *plain, struct err *e)
{
        AUTO(store_put_abort) struct store_put put = { 0 };
        struct writer *w;
        int err;

        if (store_put_begin(store, STORE_PACKAGE, &put, &w, e) < 0)
                return -(int)e->code;
        if (sv_is(sv_from(suffix), ".xz"))
                err = xz_decode(body, plain->size, put_sink, w, e);
        else if (sv_is(sv_from(suffix), ".gz"))
                err = gunzip_into(body, plain->size, w, e);
        else
                err = writer_write(w, body.p, body.n, e);
        if (err < 0 || writer_finish(w, e) < 0)
                return -(int)e->code;
        return store_put_commit(&put, &plain->sha256, e);
}

static int fetch_index(const struct debian_from *from, const struct debian_release *r, const struct debian_file *f,
                       const char *suffix, const struct debian_file *plain, struct net *net, struct store *store,
                       struct err *e)
{
        AUTO(arena_done) struct arena a = { 0 };
        sv dir = sv_from_to(f->path, 0, (size_t)(sv_rfind(f->path, '/') + 1));
        sv file = r->by_hash ? arena_fmt(&a, "%.*sby-hash/SHA256/%s", SV_ARG(dir), sha256_hex(&f->sha256).s) : f->path;
        sv url = arena_fmt(&a, "%.*s/dists/%.*s/%.*s", SV_ARG(from->mirror), SV_ARG(from->suite), SV_ARG(file));
        struct net_request q = { .url = url,
                                 .max_body = f->size ? (size_t)f->size : 1,
                                 .subject = arena_fmt(&a, "%.*s %.*s", SV_ARG(from->suite), SV_ARG(f->path)),
                                 .expect = f->size };
        struct net_answer ans = { 0 };
        sha256 got;

        if (net_do(net, &q, &a, &ans, e) < 0 || (ans.status != 200 && net_status_err(&ans, e) < 0))
                return -(int)e->code;
        got = sha256_of(ans.body);
        if (ans.body.n != f->size || !sha256_eq(&got, &f->sha256)) {
                err_set(e, ERR_INTEGRITY, "'%.*s' has sha256 %s, but the Release file says %s", SV_ARG(url),
                        sha256_hex(&got).s, sha256_hex(&f->sha256).s);
                err_hint(e, "the mirror may be in the middle of an update: try again, or take another");
                return -(int)e->code;
        }
        return keep_plain(store, suffix, ans.body, plain, e);
}

int debian_packages_get(const struct debian_from *from, const struct debian_release *r, sv component, sv arch,
                        struct net *net, struct store *store, struct op *op, struct fs_map *ret, struct err *e)
{
        static const char *const suffixes[] = { ".xz", ".gz", "" };
        AUTO(arena_done) struct arena a = { 0 };
        sv path = arena_fmt(&a, "%.*s/binary-%.*s/Packages", SV_ARG(component), SV_ARG(arch));
        const struct debian_file *plain = debian_release_find(r, path);

        *ret = (struct fs_map){ 0 };
        if (!plain)
                return err_set(e, ERR_NOT_FOUND, "suite '%.*s' has no component '%.*s' for '%.*s'", SV_ARG(from->suite),
                               SV_ARG(component), SV_ARG(arch));
        if (plain->size == 0)
                return 0;
        if (plain->size > INDEX_MAX)
                return err_set(e, ERR_LIMIT, "the index '%.*s' has %llu bytes: more than 256 MiB are not read",
                               SV_ARG(path), (unsigned long long)plain->size);
        if (!store_has(store, STORE_PACKAGE, &plain->sha256, NULL)) {
                const struct debian_file *f = NULL;
                size_t i = 0;

                if (op_check(op, e) < 0)
                        return -(int)e->code;
                while (i < sizeof(suffixes) / sizeof(suffixes[0]) &&
                       !(f = debian_release_find(r, arena_fmt(&a, "%.*s%s", SV_ARG(path), suffixes[i]))))
                        i++;
                if (fetch_index(from, r, f ? f : plain, f ? suffixes[i] : "", plain, net, store, e) < 0)
                        return -(int)e->code;
        }
        return store_map(store, STORE_PACKAGE, &plain->sha256, ret, e);
}
