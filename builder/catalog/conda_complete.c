#include <string.h>

#include "base/cleanup.h"
#include "catalog/conda_fetch.h"
#include "net/url.h"

struct md5_writer { /* what passes, while it goes on */
        struct writer w;
        struct hash *hash;
};

static int md5_write(struct writer *w, const void *p, size_t n, struct err *e)
{
        hash_add(((struct md5_writer *)w)->hash, p, n);
        return writer_write(w->next, p, n, e);
}

static int md5_finish(struct writer *w, struct err *e)
{
        return writer_finish(w->next, e);
}

static const struct writer_ops md5_ops = { "md5", md5_write, md5_finish };

static int check_md5(const struct artifact *art, struct hash *hash, struct err *e)
{
        uint8_t got[16], want[16];
        char hex[33];

        hash_end(hash, got);
        if (!art->md5.n || !hex_read(art->md5, want, sizeof(want)) || !memcmp(got, want, sizeof(got)))
                return 0;
        hex_write(got, sizeof(got), hex);
        err_set(e, ERR_INTEGRITY, "'%.*s' has md5 %s, but its channel says %.*s", SV_ARG(art->url), hex,
                SV_ARG(art->md5));
        err_hint(e, "the file was replaced on its server, or something on the way changes it; nothing was kept of it");
        return -(int)e->code;
}

static int get_web(const struct conda_ask *ask, const struct artifact *art, sv url, struct writer *into,
                   struct arena *a, struct err *e)
{
        struct net_request r = { .url = url, .into = into, .keep_partial = true, .expect = art->size };
        struct net_answer got = { 0 };

        r.subject = arena_fmt(a, "%.*s %.*s", SV_ARG(art->name), SV_ARG(art->version));
        if (net_do(ask->net, &r, a, &got, e) < 0)
                return -(int)e->code;
        return got.status == 200 ? 0 : net_status_err(&got, e);
}

static int get_local(sv url, struct writer *into, struct arena *a, struct err *e)
{
        AUTO(fs_map_close) struct fs_map map = { 0 };

        if (fs_map_open(arena_str(a, url_decode(a, sv_skip(url, strlen("file://")))), &map, e) < 0)
                return -(int)e->code;
        return writer_write(into, map.p, map.n, e);
}

/* Into the store: it will be wanted from there anyway. */
static int read_from(const struct conda_ask *ask, struct artifact *art, sv url, struct arena *a, struct err *e)
{
        AUTO(store_put_abort) struct store_put put = { 0 };
        AUTO(hash_freep) struct hash *hash = hash_new(HASH_MD5);
        struct md5_writer md5 = { .w = { .ops = &md5_ops }, .hash = hash };
        int r;

        if (store_put_begin(ask->store, STORE_PACKAGE, &put, &md5.w.next, e) < 0)
                return -(int)e->code;
        r = sv_starts(url, SV("file://")) ? get_local(url, &md5.w, a, e) : get_web(ask, art, url, &md5.w, a, e);
        if (r < 0 || check_md5(art, hash, e) < 0 ||
            store_put_commit(&put, sha256_is_zero(&art->sha256) ? NULL : &art->sha256, e) < 0)
                return -(int)e->code;
        if (art->size && art->size != put.hash.size)
                return err_set(e, ERR_INTEGRITY, "'%.*s' has %llu bytes, but its channel says %llu", SV_ARG(art->url),
                               (unsigned long long)put.hash.size, (unsigned long long)art->size);
        art->sha256 = put.hash.digest;
        art->size = put.hash.size;
        return 0;
}

/* What a mirror refuses, the next one may have. */
static int learn_by_reading(const struct conda_ask *ask, struct artifact *art, struct err *e)
{
        AUTO(arena_done) struct arena a = { 0 };
        int r = -1;
        sv url;

        for (size_t i = 0; r < 0 && conda_request_url(&a, art->url, &ask->channels, i, &url); i++) {
                err_done(e);
                r = read_from(ask, art, url, &a, e);
        }
        return r < 0 ? err_while(e, "reading '%.*s', of which its channel does not say all", SV_ARG(art->url)) : 0;
}

static int take_head(const struct conda_ask *ask, struct net_job *job, struct artifact *art, struct err *e)
{
        AUTO(arena_done) struct arena a = { 0 };
        struct net_answer got = { 0 };

        if (net_wait(ask->net, job, &a, &got, e) < 0)
                return err_while(e, "asking for the size of '%.*s'", SV_ARG(art->url));
        if (got.status == 200 && sv_u64(net_header_get(&got, "content-length"), &art->size) && art->size > 0)
                return 0;
        art->size = 0;
        return learn_by_reading(ask, art, e);
}

static struct net_job *begin_head(const struct conda_ask *ask, const struct artifact *art)
{
        AUTO(arena_done) struct arena a = { 0 };
        sv url;

        if (!conda_request_url(&a, art->url, &ask->channels, 0, &url) || sv_starts(url, SV("file://")))
                return NULL;
        return net_begin(ask->net, &(struct net_request){ .url = url, .method = NET_HEAD });
}

/* Sizes are asked for all at once; what has no sha256 is read. */
int conda_complete(const struct conda_ask *ask, struct artifact *v, size_t n, struct err *e)
{
        AUTO(arena_done) struct arena tmp = { 0 };
        struct net_job **job = arena_array(&tmp, struct net_job *, n + 1);
        int r = 0;

        for (size_t i = 0; i < n; i++)
                if (v[i].kind == ARTIFACT_CONDA && !v[i].size && !sha256_is_zero(&v[i].sha256) &&
                    !store_has(ask->store, STORE_PACKAGE, &v[i].sha256, &v[i].size))
                        job[i] = begin_head(ask, &v[i]);
        for (size_t i = 0; i < n; i++) {
                if (job[i] && r == 0)
                        r = take_head(ask, STEAL(job[i]), &v[i], e);
                else
                        net_drop(ask->net, job[i]);
                if (r == 0 && v[i].kind == ARTIFACT_CONDA && (!v[i].size || sha256_is_zero(&v[i].sha256)))
                        r = learn_by_reading(ask, &v[i], e);
        }
        return r;
}
