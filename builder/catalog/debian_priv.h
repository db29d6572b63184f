/* catalog/debian_priv.h - inside of the Debian catalog: Release files, Packages indexes. */
#ifndef CATALOG_DEBIAN_PRIV_H
#define CATALOG_DEBIAN_PRIV_H

#include "base/fs.h"
#include "base/map.h"
#include "catalog/debian.h"
#include "pkg/control.h"

/* --- debian_verify.c: who signed an InRelease file */

/**
 * Check a clear-signed file (RFC 9580 §7, the narrow form that archives use: one message, nothing before or behind) with gpgv, else sqv.
 * The text is cut out here and handed over with its signature apart, so that what is read is what was verified.
 *
 * @param keys  keyring file, binary
 * @param dir   a scratch folder of the caller's
 * @param ret   the signed text, in the arena
 * @return 0 · -ERR_INTEGRITY: not clear-signed, or no good signature of these keys · -ERR_NOT_FOUND: neither program is installed
 */
int debian_verify(sv signed_text, const char *keys, const char *dir, struct op *op, struct arena *a, sv *ret,
                  struct err *e);
/** The first half: text and armored signature. -ERR_INTEGRITY. Pure. */
int debian_clearsign_split(sv signed_text, struct arena *a, sv *ret_text, sv *ret_signature, struct err *e);

/* --- debian_release.c */
struct debian_file { /* a line of the SHA256 table */
        sv path;
        sha256 sha256;
        uint64_t size;
};
struct debian_release {
        sv suite, codename;
        int64_t date, valid_until; /* 0: not said */
        bool by_hash;
        struct debian_file *file; /* sorted by path */
        size_t n_file;
};
/** Texts are borrowed from `text`. -ERR_INTEGRITY. Pure. */
int debian_release_parse(struct arena *a, sv text, struct debian_release *ret, struct err *e);
const struct debian_file *debian_release_find(const struct debian_release *r, sv path);

struct debian_from { /* one suite of one mirror */
        sv mirror, suite;
};
/** Fetch (or take from the store, when the server says so or we are offline), verify, parse; dates and names are checked. */
int debian_release_get(const struct debian_opts *o, const struct debian_from *from, struct net *net,
                       struct store *store, struct op *op, struct arena *a, struct debian_release *ret, struct err *e);
/** The Packages index of one component, uncompressed, mapped from the store. An index that the Release file does not name is empty. */
int debian_packages_get(const struct debian_from *from, const struct debian_release *r, sv component, sv arch,
                        struct net *net, struct store *store, struct op *op, struct fs_map *ret, struct err *e);

/* --- debian_index.c: what the Packages files hold, found by name */
struct debian_pkg {
        sv name, version;
        sv text;       /* its paragraph */
        uint32_t from; /* which suite: earlier ones win a tie */
};
struct debian_provide {
        sv name;      /* what is provided */
        sv version;   /* empty: unversioned */
        bool any;     /* "name:any" */
        uint32_t pkg; /* by which package: index into debian_index.pkg */
};
struct debian_index {
        struct debian_pkg *pkg; /* by name, then best version first; one of each version */
        size_t n_pkg;
        struct debian_provide *provide; /* by name, then provider */
        size_t n_provide;
};
struct debian_text {
        sv text;
        uint32_t from;
};
/** -ERR_INTEGRITY: a paragraph without a proper name or version. Pure; the texts are borrowed. */
int debian_index_make(struct arena *a, const struct debian_text *v, size_t n, sv arch, struct debian_index *ret,
                      struct err *e);
/** First package of a name, and how many there are. */
size_t debian_index_find(const struct debian_index *x, sv name, size_t *ret_n);
size_t debian_index_provided(const struct debian_index *x, sv name, size_t *ret_n);
/** The name that is most like it, or empty. */
sv debian_index_near(const struct debian_index *x, sv name);

/* --- debian.c */
/** Over an index that is already there: what debian_open ends with, and what tests begin with. The index and arch live as long. */
struct catalog_debian *debian_over(const struct debian_index *x, sv arch);

#endif
