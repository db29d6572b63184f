/* catalog/conda_channels.h - the repodata of channels as a conda_source (specs/conda.md §1-3): sharded (CEP 16) where the channel has it,
 * else repodata.json.zst, else repodata.json (.bz2 last), with validators and lifetimes in the store; a large one is indexed once into a
 * mapped file (catalog/conda_index.h). http(s):// and file:// channels. Only records that are asked for are decoded. */
#ifndef CATALOG_CONDA_CHANNELS_H
#define CATALOG_CONDA_CHANNELS_H

#include "base/op.h"
#include "catalog/conda_source.h"
#include "net/net.h"
#include "pkg/conda_channel.h"
#include "store/store.h"

struct conda_channels_opts {
        const struct conda_channel *channel; /* priority order */
        size_t n_channel;
        sv subdir;                         /* the platform's: "linux-64"; noarch is read too */
        const struct conda_mirror *mirror; /* .condarc: asked instead of the channel's own URL, in order */
        size_t n_mirror;
        bool refresh; /* ignore lifetimes */
        bool no_shards;
};
struct conda_mirror {
        sv channel; /* base URL of the channel */
        sv url;     /* base URL asked instead */
};
/** -ERR_NOT_FOUND later, from records(): a channel without noarch/ and platform folder names its URL. */
int conda_channels_open(const struct conda_channels_opts *o, struct net *net, struct store *store, struct op *op,
                        struct conda_source **ret, struct err *e);

/**
 * The URL to ask for a file of one of these channels (a record's url): of a mirror, or with the channel's login and token. For requests
 * only, never to be kept or shown. i: 0 first, then what to try when that failed. False: there is no i-th.
 */
bool conda_request_url(struct arena *a, sv url, const struct conda_channels_opts *o, size_t i, sv *ret);

/** Repodata files on disk, plain or .zst, one a (channel, subdir): for tests, benchmarks and the corpus. No network, no store: the index of
 *  a file is made in memory, or mapped from index_dir (made there when absent or stale) when that is given. */
struct conda_file {
        sv path, channel, subdir; /* channel: canonical URL; files of one channel stand together */
};
int conda_files_open(const struct conda_file *file, size_t n, const char *index_dir, struct op *op,
                     struct conda_source **ret, struct err *e);

#endif
