#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "catalog/pypi_net_priv.h"
#include "catalog/wheel_metadata.h"
#include "ext/hash.h"
#include "net/url.h"

/* Most wheels keep their .dist-info at the end: the directory and METADATA of nine in ten come with the first piece. */
enum { TAIL_SIZE = 32 << 10, TAIL_MAX = 32 << 20, LOCAL_SLACK = 512 };

static sha256 cache_key(const struct pypi_file *f)
{
        sha256_text hex = sha256_hex(&f->sha256);

        return sha256_is_zero(&f->sha256) ? page_key(SV("METADATA of url"), f->url)
                                          : page_key(SV("METADATA"), sv_from(hex.s));
}

static struct host *host_of(struct pypi_net *s, sv url)
{
        struct url u;
        sv origin = url_parse(url, &u) ? sv_from_to(url, 0, (size_t)(u.path.p - url.p)) : url;
        struct host *h = map_get(&s->hosts, origin);

        if (!h) {
                h = arena_new(&s->arena, struct host);
                h->origin = arena_sv(&s->arena, origin);
                map_put(&s->hosts, &s->arena, h->origin, h);
        }
        return h;
}

static void done(struct pypi_net *s, struct meta *m, sv text, bool keep)
{
        sha256 key = cache_key(m->f);

        m->text = arena_sv(&s->arena, text);
        if (keep)
                page_keep(&s->cache, &key, m->text);
        m->step = META_DONE;
        arena_done(&m->arena);
}

static void fail(struct meta *m)
{
        err_while(&m->err, "reading the metadata of %.*s", SV_ARG(m->f->filename));
        m->step = META_DONE;
        arena_done(&m->arena);
}

static int read_whole(struct pypi_net *s, struct meta *m, sv archive)
{
        sv text;

        if (wheel_metadata_read(&m->arena, archive, m->f->filename, &text, &m->err) < 0) {
                fail(m);
                return -1;
        }
        done(s, m, text, true);
        return 0;
}

static void read_path(struct pypi_net *s, struct meta *m, const char *path)
{
        AUTO(fs_map_close) struct fs_map map = { 0 };

        if (fs_map_open(path, &map, &m->err) < 0)
                return fail(m);
        read_whole(s, m, (sv){ (const char *)map.p, map.n });
}

/* --- the ways, cheapest first --- */

static void begin_side(struct pypi_net *s, struct meta *m)
{
        struct net_request r = { .max_body = WHEEL_METADATA_MAX, .priority = m->wanted ? PRIORITY_NOW : PRIORITY_SOON };

        r.url = arena_fmt(&m->arena, "%.*s.metadata", SV_ARG(m->f->url));
        m->job = net_begin(s->net, &r);
        m->step = META_SIDE;
}

static void begin_tail(struct pypi_net *s, struct meta *m, uint64_t n)
{
        struct net_request r = {
                .url = m->f->url, .has_range = true, .range_last = true, .to = n, .max_body = TAIL_MAX
        };

        r.priority = m->wanted ? PRIORITY_NOW : PRIORITY_SOON;
        m->need = n;
        m->job = net_begin(s->net, &r);
        m->step = META_TAIL;
}

static void begin_member(struct pypi_net *s, struct meta *m, uint64_t n)
{
        struct net_request r = { .url = m->f->url, .has_range = true, .max_body = TAIL_MAX };

        r.from = m->member->header_at;
        r.to = r.from + n - 1 < m->size ? r.from + n - 1 : m->size - 1;
        r.priority = m->wanted ? PRIORITY_NOW : PRIORITY_SOON;
        m->need = n;
        m->job = net_begin(s->net, &r);
        m->step = META_MEMBER;
}

static void begin_whole(struct pypi_net *s, struct meta *m)
{
        struct net_request r = { .url = m->f->url, .keep_partial = true, .max_body = m->f->size, .expect = m->f->size };
        struct writer *w;

        if (store_put_begin(s->store, STORE_PACKAGE, &m->put, &w, &m->err) < 0)
                return fail(m);
        r.into = w;
        r.subject = m->f->filename;
        r.priority = PRIORITY_NOW;
        m->job = net_begin(s->net, &r);
        m->step = META_WHOLE;
}

static void next_way(struct pypi_net *s, struct meta *m)
{
        const struct host *h = host_of(s, m->f->url);

        if (m->step < META_SIDE && m->f->has_metadata && !h->no_side)
                begin_side(s, m);
        else if (m->step < META_TAIL && !h->no_ranges && !m->broken_range)
                begin_tail(s, m, TAIL_SIZE);
        else if (m->wanted)
                begin_whole(s, m);
        else
                m->step = META_PAUSE;
}

static void begin(struct pypi_net *s, struct meta *m)
{
        AUTO(free_ptr) char *have = NULL;
        sha256 key = cache_key(m->f);
        const char *path = pypi_file_path(&m->arena, m->f->url);
        sv text;

        if (!sv_ends(m->f->filename, SV(".whl"))) {
                err_set(&m->err, ERR_NOT_FOUND, "'%.*s' is not a wheel: its metadata is known only after building it",
                        SV_ARG(m->f->filename));
                return fail(m);
        }
        if (path)
                return read_path(s, m, path);
        if (page_kept(&s->cache, &key, WHEEL_METADATA_MAX, &m->arena, &text))
                return done(s, m, text, false);
        if (!sha256_is_zero(&m->f->sha256) && (have = store_find(s->store, STORE_PACKAGE, &m->f->sha256)))
                return read_path(s, m, have);
        next_way(s, m);
}

/* --- what came --- */

static void take_side(struct pypi_net *s, struct meta *m, const struct net_answer *got)
{
        sha256 is = sha256_of(got->body);

        if (got->status == 404 || got->status == 410) { /* promised and not kept: no reason to give up on the file */
                host_of(s, m->f->url)->no_side = true;
                return next_way(s, m);
        }
        if (got->status != 200) {
                net_status_err(got, &m->err);
                return fail(m);
        }
        if (!sha256_is_zero(&m->f->metadata_sha256) && !sha256_eq(&is, &m->f->metadata_sha256)) {
                err_set(&m->err, ERR_INTEGRITY, "'%.*s.metadata' has sha256:%s, and the index says sha256:%s",
                        SV_ARG(m->f->url), sha256_hex(&is).s, sha256_hex(&m->f->metadata_sha256).s);
                return fail(m);
        }
        done(s, m, got->body, true);
}

static void no_more_ranges(struct pypi_net *s, struct meta *m)
{
        m->broken_range = true;
        m->step = META_MEMBER;
        next_way(s, m);
}

/* True when the answer is a piece; else the file goes another way. */
static bool is_piece(struct pypi_net *s, struct meta *m, const struct net_answer *got)
{
        if (got->ranged)
                return true;
        if (got->status == 200 || got->status == 405 || got->status == 416 || got->status == 501) {
                host_of(s, m->f->url)->no_ranges = true;
                no_more_ranges(s, m);
        } else {
                net_status_err(got, &m->err);
                fail(m);
        }
        return false;
}

/* The "/1234" of "bytes 0-99/1234". */
static bool total_of(const struct net_answer *got, uint64_t *ret)
{
        sv v = net_header_get(got, "content-range");
        ptrdiff_t slash = sv_rfind(v, '/');

        return slash >= 0 && sv_u64(sv_trim(sv_skip(v, (size_t)slash + 1)), ret);
}

static void unpack(struct pypi_net *s, struct meta *m, sv piece)
{
        AUTO(err_done) struct err e = { 0 };
        uint64_t need = 0;
        sv text;

        if (wheel_metadata_unpack(&m->arena, m->member, piece, &text, &need, &e) == 0)
                done(s, m, text, true);
        else if (e.code == ERR_LIMIT && need <= TAIL_MAX && need > piece.n && need > m->need)
                begin_member(s, m, need);
        else
                no_more_ranges(s, m);
}

static void take_tail(struct pypi_net *s, struct meta *m, const struct net_answer *got)
{
        AUTO(err_done) struct err e = { 0 };
        uint64_t need = 0;

        if (!is_piece(s, m, got))
                return;
        if (!total_of(got, &m->size) || got->body.n > m->size)
                return no_more_ranges(s, m);
        if (zip_open(&m->arena, got->body, m->size, &m->zip, &need, &e) < 0) {
                if (e.code == ERR_LIMIT && need > m->need && need <= TAIL_MAX)
                        return begin_tail(s, m, need);
                return no_more_ranges(s, m); /* the whole file says what is wrong with it */
        }
        m->member = wheel_metadata_find(&m->zip, m->f->filename);
        if (!m->member)
                return no_more_ranges(s, m);
        m->need = 0;
        if (m->member->header_at >= m->size - got->body.n)
                return unpack(s, m, sv_skip(got->body, (size_t)(m->member->header_at - (m->size - got->body.n))));
        if (m->member->packed > TAIL_MAX - 4096)
                return no_more_ranges(s, m);
        begin_member(s, m, 30 + m->member->name.n + LOCAL_SLACK + m->member->packed);
}

static void take_member(struct pypi_net *s, struct meta *m, const struct net_answer *got)
{
        if (is_piece(s, m, got))
                unpack(s, m, got->body);
}

static void take_whole(struct pypi_net *s, struct meta *m, const struct net_answer *got)
{
        AUTO(free_ptr) char *path = NULL;
        const sha256 *want = sha256_is_zero(&m->f->sha256) ? NULL : &m->f->sha256;
        sha256 is;

        if (got->status != 200) {
                net_status_err(got, &m->err);
                return fail(m);
        }
        if (store_put_commit(&m->put, want, &m->err) < 0)
                return fail(m);
        is = m->put.hash.digest;
        path = store_find(s->store, STORE_PACKAGE, &is);
        if (!path) {
                err_set(&m->err, ERR_IO, "the file vanished from the store");
                return fail(m);
        }
        read_path(s, m, path);
}

struct meta *pypi_meta_get(struct pypi_net *s, const struct pypi_file *f)
{
        struct meta *m = arena_new(&s->arena, struct meta);

        m->f = f;
        m->key = f->url;
        return m;
}

bool pypi_meta_moves(struct pypi_net *s, const struct meta *m)
{
        if (m->step == META_PAUSE)
                return m->wanted;
        return m->step == META_BEGIN || (m->job && net_ready(s->net, m->job));
}

void pypi_meta_step(struct pypi_net *s, struct meta *m)
{
        static void (*const take[])(struct pypi_net *, struct meta *, const struct net_answer *) = {
                [META_SIDE] = take_side, [META_TAIL] = take_tail, [META_MEMBER] = take_member, [META_WHOLE] = take_whole
        };
        struct net_answer got = { 0 };

        if (m->step == META_DONE)
                return;
        if (m->step == META_BEGIN)
                return begin(s, m);
        if (m->step == META_PAUSE)
                return next_way(s, m);
        if (net_wait(s->net, STEAL(m->job), &m->arena, &got, &m->err) < 0)
                return fail(m);
        take[m->step](s, m, &got);
}

void pypi_meta_free(struct pypi_net *s, struct meta *m)
{
        net_drop(s->net, m->job);
        store_put_abort(&m->put);
        arena_done(&m->arena);
        err_done(&m->err);
}

/* --- hashes and sizes --- */

/* From the bytes: a local file, or a download into the store. */
static int learn_by_reading(struct pypi_net *s, struct pypi_file *f, struct err *e)
{
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(store_put_abort) struct store_put put = { 0 };
        AUTO(fs_map_close) struct fs_map map = { 0 };
        const char *path = pypi_file_path(&a, f->url);
        struct net_request r = { .url = f->url, .keep_partial = true, .subject = f->filename };
        struct net_answer got = { 0 };

        if (path) {
                if (fs_map_open(path, &map, e) < 0)
                        return -(int)e->code;
                f->sha256 = sha256_of((sv){ (const char *)map.p, map.n });
                f->size = map.n;
                return 0;
        }
        if (store_put_begin(s->store, STORE_PACKAGE, &put, &r.into, e) < 0 || net_do(s->net, &r, &a, &got, e) < 0)
                return -(int)e->code;
        if (got.status != 200)
                return net_status_err(&got, e);
        if (store_put_commit(&put, sha256_is_zero(&f->sha256) ? NULL : &f->sha256, e) < 0)
                return err_while(e, "fetching '%.*s'", SV_ARG(f->url));
        f->sha256 = put.hash.digest;
        f->size = put.hash.size;
        return 0;
}

static int take_head(struct pypi_net *s, struct net_job *job, struct pypi_file *f, struct err *e)
{
        AUTO(arena_done) struct arena a = { 0 };
        struct net_answer got = { 0 };

        if (net_wait(s->net, job, &a, &got, e) < 0)
                return -(int)e->code;
        if (got.status == 200 && sv_u64(net_header_get(&got, "content-length"), &f->size) && f->size > 0)
                return 0;
        f->size = 0;
        return learn_by_reading(s, f, e);
}

int pypi_meta_complete(struct pypi_source *src, struct pypi_file *const *f, size_t n, struct err *e)
{
        struct pypi_net *s = (struct pypi_net *)src;
        AUTO(arena_done) struct arena a = { 0 };
        struct net_job **job = arena_array(&a, struct net_job *, n);
        int r = 0;

        for (size_t i = 0; i < n; i++) { /* sizes are asked for all at once */
                bool web = !sv_starts(f[i]->url, SV("file://"));

                if (f[i]->size || sha256_is_zero(&f[i]->sha256) || !web)
                        continue;
                if (!store_has(s->store, STORE_PACKAGE, &f[i]->sha256, &f[i]->size))
                        job[i] = net_begin(s->net, &(struct net_request){ .url = f[i]->url, .method = NET_HEAD });
        }
        for (size_t i = 0; i < n; i++) {
                if (job[i] && r == 0)
                        r = take_head(s, STEAL(job[i]), f[i], e);
                else
                        net_drop(s->net, job[i]);
                if (r == 0 && (!f[i]->size || sha256_is_zero(&f[i]->sha256)))
                        r = learn_by_reading(s, f[i], e);
        }
        return r;
}
