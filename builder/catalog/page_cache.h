/* catalog/page_cache.h - pages of an index by HTTP, kept in the store with their validators: what is fresh is not asked for, what is stale
 * is asked with If-None-Match. Offline, whatever is there is used. A missing page (404, 410) is an answer and is kept as one.
 * Names in the store are sha256(url without credentials, Accept), so nothing secret is in them. One thread. */
#ifndef CATALOG_PAGE_CACHE_H
#define CATALOG_PAGE_CACHE_H

#include "base/arena.h"
#include "base/err.h"
#include "catalog/keeper.h"
#include "net/net.h"
#include "store/store.h"

struct page_cache {
        struct net *net;
        struct store *store;
        struct keeper *keeper;
        bool refresh, offline; /* refresh: lifetimes do not count, validators do */
};

struct page_got {
        bool absent;
        sv url, type, body; /* url: after redirects, without credentials; body NUL-terminated; in the arena given */
};

struct page_fetch {     /* one page on its way; {0} at first */
        sv url, accept; /* borrowed */
        sv name;        /* what it is kept and told as: url, unless page_begin_as said otherwise */
        struct buf note;
        size_t body_at; /* in note */
        bool kept, fresh;
        struct net_job *job;
};

/** Look into the store and, unless the page is fresh, begin to fetch it. */
void page_begin(struct page_cache *c, sv url, sv accept, size_t max, int priority, struct page_fetch *f);
/** For a page whose URL holds a secret, or that is asked of a mirror: `name` is a URL that may be kept and told. */
void page_begin_as(struct page_cache *c, sv name, sv url, sv accept, size_t max, int priority, struct page_fetch *f);
bool page_ready(struct page_cache *c, struct page_fetch *f); /* page_take would not wait */
/** Waits, keeps what is new. -ERR_NET, -ERR_AUTH, -ERR_OFFLINE (not here, and nothing may be fetched), -ERR_CANCELLED. */
int page_take(struct page_cache *c, struct page_fetch *f, struct arena *a, struct page_got *ret, struct err *e);
void page_drop(struct page_cache *c, struct page_fetch *f);

/* Things that never change once they are known, by a key: METADATA of a file. */
sha256 page_key(sv kind, sv name);
bool page_kept(struct page_cache *c, const sha256 *key, size_t max, struct arena *a, sv *ret);
void page_keep(struct page_cache *c, const sha256 *key, sv text);

/* An answer that says that there is no such page: 404, 410, and the 403 of object stores. */
bool page_absent(const struct net_answer *a);
/* An HTTP answer's lifetime: seconds it may be used unasked, from now; -1: not to be kept. For tests. */
int64_t page_lifetime(const struct net_answer *a);

#endif
