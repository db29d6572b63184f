/* catalog/conda_shards.h - sharded repodata (CEP 16): the index of a subdir, and one name's shard. Bytes as they are after zstd. Any bytes are
 * safe; texts are borrowed from them. Pure. */
#ifndef CATALOG_CONDA_SHARDS_H
#define CATALOG_CONDA_SHARDS_H

#include "base/arena.h"
#include "base/err.h"
#include "base/hex.h"
#include "catalog/conda_whole.h"

struct conda_shard {
        sv name;       /* as written: mostly lower case */
        sha256 digest; /* of the shard's file, as compressed */
};
struct conda_shards {
        sv base_url, shards_base_url; /* may be relative or empty */
        struct conda_shard *v;        /* sorted by name */
        size_t n;
};
/** -ERR_INTEGRITY: no index, or one of another version. */
int conda_shards_parse(struct arena *a, sv bytes, struct conda_shards *ret, struct err *e);
const struct conda_shard *conda_shards_find(const struct conda_shards *s, sv name); /* or NULL */

/** Adds the records of a shard of this name, sorted by file name. -ERR_INTEGRITY: no shard. */
int conda_shard_add(sv bytes, const struct conda_place *p, sv name, struct arena *a, struct conda_list *list,
                    struct err *e);

#endif
