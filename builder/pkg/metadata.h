/* pkg/metadata.h - core metadata (METADATA, PKG-INFO): RFC 822 headers of a distribution. Pure; texts borrow from the input. */
#ifndef PKG_METADATA_H
#define PKG_METADATA_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/sv.h"

struct metadata {
        sv metadata_version, name, version, requires_python, summary, license;
        sv *requires_dist, *provides_extra, *dynamic; /* as written; continuation lines joined */
        size_t n_requires_dist, n_provides_extra, n_dynamic;
};

/** Unknown headers are skipped; of repeated ones the first counts. The headers end at an empty line, or where a line is none (as for pip).
 *  -ERR_INTEGRITY when Name or Version is not among them. */
int metadata_parse(struct arena *a, sv text, struct metadata *ret, struct err *e);

#endif
