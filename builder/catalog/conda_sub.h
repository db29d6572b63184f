/* catalog/conda_sub.h - one subdir of one channel, wherever it is: on the network or in a folder, sharded or in one piece. What channels
 * (catalog/conda_channels.c) are made of. One thread. */
#ifndef CATALOG_CONDA_SUB_H
#define CATALOG_CONDA_SUB_H

#include "catalog/conda_channels.h"
#include "catalog/conda_shards.h"
#include "catalog/conda_text.h"

/* All subdirs of a source share it. */
struct conda_web {
        struct page_cache cache;
        struct op *op;
        bool no_shards;
};

enum conda_sub_kind { CONDA_SUB_ABSENT, CONDA_SUB_WHOLE, CONDA_SUB_SHARDED };
struct conda_sub {
        struct conda_web *w;
        struct arena *a; /* the source's */
        sv channel_url;  /* no '/' at its end */
        sv folder;       /* URL, '/' at its end */
        sv subject;      /* "conda-forge/linux-64" */
        const sv *base;  /* what stands in for channel_url in requests: with a token, or mirrors, in order */
        size_t n_base, i_base;
        struct conda_place place; /* channel, subdir, channel_no: the caller's */
        enum conda_sub_kind kind; /* once it is done */
        bool done, asks_index, asks_text;
        struct err err; /* when done: of the first base that failed, unless a later one worked */
        struct page_fetch page;
        struct conda_text text;
        struct conda_repo repo;
        struct conda_shards shards;
        uint64_t *marks; /* of the shards' names, once near was asked */
        sv shards_base;  /* URL, '/' at its end */
};
void conda_sub_begin(struct conda_sub *s);
void conda_sub_step(struct conda_sub *s); /* without waiting, but for a disk */
void conda_sub_free(struct conda_sub *s);
void conda_sub_near(struct conda_sub *s, struct conda_near *n); /* once it is done */
/** A URL of the channel as it is asked of the base in use. Others stay. */
sv conda_sub_request(struct conda_sub *s, struct arena *a, sv url);
/* catalog/conda_base.c: what stands in for a channel's URL in requests, and a URL with it. */
const sv *conda_bases(struct arena *a, const struct conda_channel *c, const struct conda_mirror *mirror,
                      size_t n_mirror, size_t *ret_n);
sv conda_rebase(struct arena *a, sv url, sv channel_url, sv base);
/** file:///x → heap path; NULL: another URL. */
char *conda_url_path(sv url);

/* catalog/conda_local.c: a subdir in a folder. Sets kind; -code as it is in *e. */
int conda_local_open(struct conda_sub *s, const char *folder, struct err *e);
/* catalog/conda_sub.c: the index of shards as it came, packed. -ERR_INTEGRITY: something else. */
int conda_sub_sharded(struct conda_sub *s, sv packed, struct err *e);

/* One name's shard of one subdir. */
struct conda_shard_get {
        struct conda_sub *sub;
        const struct conda_shard *shard;
        struct net_job *job;
        struct arena arena;
        sv packed; /* once it is there */
        bool begun, done;
        struct err err;
};
enum { CONDA_SHARD_SOON = 0, CONDA_SHARD_NOW = 10 };
void conda_shard_begin(struct conda_shard_get *g, int priority);
void conda_shard_step(struct conda_shard_get *g);
/** Its records; the bytes are given back. */
int conda_shard_take(struct conda_shard_get *g, sv name, struct arena *a, struct conda_list *list, struct err *e);
void conda_shard_free(struct conda_shard_get *g);

#endif
