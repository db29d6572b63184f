#include <stdlib.h>

#include "base/cleanup.h"
#include "catalog/conda_subdir.h"

/* Shards: small files named by their hash, which never change, so that what is kept is never asked for again. */

enum { PACKED_MAX = 8 << 20, SHARD_MAX = 32 << 20 };

static sha256 key_of(const struct conda_shard_get *g)
{
        return page_key(SV("conda shard"), sv_from(sha256_hex(&g->shard->digest).s));
}

static bool is_it(const struct conda_shard_get *g, sv packed)
{
        sha256 got = sha256_of(packed);

        return sha256_eq(&got, &g->shard->digest);
}

static void read_local(struct conda_shard_get *g, const char *path)
{
        AUTO(buf_done) struct buf b = BUF_INIT(PACKED_MAX);

        if (fs_read(path, &b, &g->err) == 0)
                g->packed = arena_sv(&g->arena, buf_sv(&b));
        if (!g->err.code && !is_it(g, g->packed))
                err_set(&g->err, ERR_INTEGRITY, "'%s' is not the shard that its name says: its sha256 differs", path);
}

void conda_shard_begin(struct conda_shard_get *g, int priority)
{
        struct conda_subdir *s = g->sub;
        sha256 key = key_of(g);
        sv url = arena_fmt(&g->arena, "%.*s%s.msgpack.zst", SV_ARG(s->shards_base), sha256_hex(&g->shard->digest).s);
        AUTO(free_ptr) char *path = conda_url_path(url);
        struct net_request r = { .max_body = PACKED_MAX, .priority = priority };

        g->begun = true;
        if (path) {
                read_local(g, path);
                g->done = true;
                return;
        }
        if (page_kept(&s->w->cache, &key, PACKED_MAX, &g->arena, &g->packed) && is_it(g, g->packed)) {
                g->done = true;
                return;
        }
        r.url = conda_subdir_request(s, &g->arena, url);
        g->job = net_begin(s->w->cache.net, &r);
}

static void take_answer(struct conda_shard_get *g)
{
        struct page_cache *c = &g->sub->w->cache;
        struct net_answer got = { 0 };
        sha256 key = key_of(g), is;

        g->done = true;
        if (net_wait(c->net, STEAL(g->job), &g->arena, &got, &g->err) < 0)
                return;
        if (got.status != 200) {
                net_status_err(&got, &g->err);
                if (page_absent(&got))
                        err_hint(&g->err, "the channel has changed meanwhile: --refresh reads its index again");
                return;
        }
        is = sha256_of(got.body);
        if (!sha256_eq(&is, &g->shard->digest)) {
                err_set(&g->err, ERR_INTEGRITY, "the shard %s of %.*s is damaged: its sha256 is %s",
                        sha256_hex(&g->shard->digest).s, SV_ARG(g->sub->subject), sha256_hex(&is).s);
                return;
        }
        g->packed = got.body;
        page_keep(c, &key, got.body);
}

void conda_shard_step(struct conda_shard_get *g)
{
        if (g->begun && !g->done && net_ready(g->sub->w->cache.net, g->job))
                take_answer(g);
}

int conda_shard_take(struct conda_shard_get *g, sv name, struct arena *a, struct conda_list *list, struct err *e)
{
        AUTO(buf_done) struct buf b = BUF_INIT(SHARD_MAX);

        if (conda_unzstd(g->packed, &b, e) < 0 ||
            conda_shard_add(arena_sv(a, buf_sv(&b)), &g->sub->place, name, a, list, e) < 0)
                return err_while(e, "reading what %.*s has of '%.*s'", SV_ARG(g->sub->subject), SV_ARG(name));
        conda_shard_free(g);
        return 0;
}

void conda_shard_free(struct conda_shard_get *g)
{
        if (g->job)
                net_drop(g->sub->w->cache.net, STEAL(g->job));
        err_done(&g->err);
        arena_done(&g->arena);
        g->packed = (sv){ 0 };
}
