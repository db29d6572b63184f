/* attest/provenance.h - how an image came to be: an in-toto statement with SLSA's provenance v1 (specs/oci.md §4.2). It says what went in, by
 * digest, and that envbuild made it; who ran it, where and when is not in it. Made by the builder's user on the builder's machine, so it is SLSA
 * build level 1 and not more: it shows how to make the image again, which then is a check, and proves nothing by itself. Same input, same
 * bytes. Pure. */
#ifndef ATTEST_PROVENANCE_H
#define ATTEST_PROVENANCE_H

#include "lock/lock.h"

#define PROVENANCE_PREDICATE  "https://slsa.dev/provenance/v1"
#define PROVENANCE_BUILD_TYPE "https://envbuild.dev/build/v1"
#define PROVENANCE_BUILDER    "https://envbuild.dev/builder/local/v1"

struct provenance_text { /* something that was read: "env.yml" */
        sv name;
        sha256 digest;
};
struct provenance {
        const struct lock *lock;
        sv name;               /* of every subject: "ghcr.io/team/train" */
        const sha256 *subject; /* the index, if there is one, and each platform's manifest */
        size_t n_subject;
        struct provenance_text lock_text;
        const struct provenance_text *definition; /* may be none: built from a lock alone */
        size_t n_definition;
        sv compression; /* "gzip" */
        sv version;     /* of envbuild */
};
/** resolvedDependencies: each platform's base and every package, each once, sorted. */
void provenance_write(const struct provenance *v, struct buf *out);

#endif
