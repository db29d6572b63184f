/* pkg/artifact.h - one package file that an environment is made of: exactly what its block in the lock says (design/lock.md).
 * Nothing else may decide the bytes of its layer (design/layers.md §1). Data only; every text lives in the arena of its lock. */
#ifndef PKG_ARTIFACT_H
#define PKG_ARTIFACT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hex.h"
#include "base/sv.h"

enum artifact_kind { ARTIFACT_WHEEL, ARTIFACT_CONDA, ARTIFACT_DEB };

struct artifact {
        enum artifact_kind kind;
        sv name;     /* wheel: PEP 503 normalised; deb and conda: as in the index */
        sv version;  /* wheel: PEP 440 normalised; deb: with epoch */
        sv build;    /* conda only */
        sv arch;     /* deb only: "amd64", "all" */
        bool recipe; /* deb only: of the base's recipe, not of `apt:` (the two are planned apart) */
        sv url; /* absolute, or relative to its index or mirror ("pool/main/…"); ${TOKEN} unexpanded, never a credential */
        bool direct; /* wheel: a URL requirement: direct_url.json is written and the url is part of the key */
        sha256 sha256;
        uint64_t size;      /* bytes of the file */
        int64_t uploaded;   /* seconds since 1970; 0: not known */
        sv md5;             /* conda only: hex, when the channel says it */
        sv noarch;          /* conda only: "python", "generic", or empty */
        sv site_packages;   /* conda's python only: its python_site_packages_path, or empty */
        sv *track_features; /* conda only */
        size_t n_track_features;
        sv *dists; /* conda only: distributions it supplies, "numpy 1.26.4", sorted */
        size_t n_dists;
        sv *needs; /* names it needs in this lock, sorted; conda: its depends as written */
        size_t n_needs;
        sv *constrains; /* conda only, as written */
        size_t n_constrains;
        sv *by; /* who asked: "env.yml: PyJWT<2", "requests 2.34.2" */
        size_t n_by;
        sv why; /* advisory, pin; usually empty */
};

const char *artifact_kind_name(enum artifact_kind k); /* "wheel", "conda", "deb" */
bool artifact_kind_read(sv text, enum artifact_kind *ret);
/** Order of the lock: debs, conda, wheels; then name. For qsort over struct artifact. */
int artifact_cmp(const void *a, const void *b);

#endif
