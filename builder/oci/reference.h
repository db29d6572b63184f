/* oci/reference.h - image references: [registry/]repository[:tag][@sha256:…] (specs/oci.md §3.1) and local names. Pure. */
#ifndef OCI_REFERENCE_H
#define OCI_REFERENCE_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/hex.h"
#include "base/sv.h"

struct reference {
        sv registry;   /* "docker.io", "localhost:5000"; empty for a name that is local to the store */
        sv repository; /* "library/python", "train" */
        sv tag;        /* empty when none was written */
        bool has_digest;
        sha256 digest;
};
/** local: a bare "train:v1" is a name in our store, not docker.io/library/train. False with a sentence in *ret_why. */
bool reference_parse(struct arena *a, sv text, bool local, struct reference *ret, const char **ret_why);
/** The ref.name a store entry carries: "train" for tag latest or none, else "train:v1" (design/store.md). */
sv reference_local_name(struct arena *a, const struct reference *r);

#endif
