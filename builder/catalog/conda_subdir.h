/* catalog/conda_subdir.h - one subdir of one channel, wherever it is: on the network or in a folder, sharded or in one piece. What channels
 * (catalog/conda_channels.c) are made of. One thread. */
#ifndef CATALOG_CONDA_SUBDIR_H
#define CATALOG_CONDA_SUBDIR_H

#include "catalog/conda_channels.h"
#include "catalog/conda_shards.h"
#include "catalog/conda_repodata.h"

/* All subdirs of a source share it. */
struct conda_web {
        struct page_cache cache;
        struct op *op;
        bool no_shards;
};

enum conda_subdir_kind { CONDA_SUBDIR_ABSENT, CONDA_SUBDIR_WHOLE, CONDA_SUBDIR_SHARDED };
struct conda_subdir {
        struct conda_web *w;
        struct arena *a; /* the source's */
        sv channel_url;  /* no '/' at its end */
        sv folder;       /* URL, '/' at its end */
        sv subject;      /* "conda-forge/linux-64" */
        const sv *base;  /* what stands in for channel_url in requests: with a token, or mirrors, in order */
        size_t n_base, i_base;
        struct conda_place place;    /* channel, subdir, channel_no: the caller's */
        enum conda_subdir_kind kind; /* once it is done */
        bool done, asks_index, asks_text;
        struct err err; /* when done: of the first base that failed, unless a later one worked */
        struct page_fetch page;
        struct conda_repodata text;
        struct conda_whole repo;
        struct conda_shards shards;
        uint64_t *marks; /* of the shards' names, once near was asked */
        sv shards_base;  /* URL, '/' at its end */
};
void conda_subdir_begin(struct conda_subdir *s);
void conda_subdir_step(struct conda_subdir *s); /* without waiting, but for a disk */
void conda_subdir_free(struct conda_subdir *s);
void conda_subdir_near(struct conda_subdir *s, struct conda_near *n); /* once it is done */
/** A URL of the channel as it is asked of the base in use. Others stay. */
sv conda_subdir_request(struct conda_subdir *s, struct arena *a, sv url);
/* catalog/conda_request.c: what stands in for a channel's URL in requests, and a URL with it. */
const sv *conda_bases(struct arena *a, const struct conda_channel *c, const struct conda_mirror *mirror,
                      size_t n_mirror, size_t *ret_n);
sv conda_rebase(struct arena *a, sv url, sv channel_url, sv base);
/** file:///x → heap path; NULL: another URL. */
char *conda_url_path(sv url);

/* catalog/conda_local.c: a subdir in a folder. Sets kind; -code as it is in *e. */
int conda_local_open(struct conda_subdir *s, const char *folder, struct err *e);
/* catalog/conda_subdir.c: the index of shards as it came, packed. -ERR_INTEGRITY: something else. */
int conda_subdir_sharded(struct conda_subdir *s, sv packed, struct err *e);

/* One name's shard of one subdir. */
struct conda_shard_get {
        struct conda_subdir *sub;
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
