/* catalog/pypi_source.h - where a PyPI catalog's pages and metadata come from: indexes on the network (catalog/pypi_net.c), or test data.
 * What is asked for twice is answered from memory. One thread asks. */
#ifndef CATALOG_PYPI_SOURCE_H
#define CATALOG_PYPI_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/hex.h"
#include "base/sv.h"

struct pypi_hash {
        sv alg, hex;
};
struct pypi_file {              /* one file of a project's page, any kind */
        sv filename, url;       /* url absolute, without fragment; credentials of the index are not in it */
        struct pypi_hash *hash; /* as the page says; sha256 also in sha256 when it is there */
        uint32_t n_hash;
        sha256 sha256;    /* zero: not said */
        uint64_t size;    /* 0: not said */
        int64_t uploaded; /* 0: not said */
        sv requires_python;
        bool yanked;
        sv yanked_reason;
        bool has_metadata;      /* PEP 658: url + ".metadata" exists */
        sha256 metadata_sha256; /* zero: not said */
        uint32_t index;         /* which of the indexes: pypi_opts.index, then find_links */
};
struct pypi_page {
        bool absent;         /* no index has the project */
        struct pypi_file *v; /* page order, indexes in order */
        size_t n;
        uint32_t later_index; /* first-index strategy: another index has it too (for hints); UINT32_MAX: not known */
};

struct pypi_source;
struct pypi_source_ops {
        /** A project's page (name normalised), all that the strategy lets in. 0 (absent is an answer), -ERR_NET, -ERR_AUTH, -ERR_OFFLINE. */
        int (*page)(struct pypi_source *s, sv name, const struct pypi_page **ret, struct err *e);
        bool (*page_ready)(struct pypi_source *s, sv name);
        void (*page_soon)(struct pypi_source *s, sv name); /* begin, do not wait */
        /** METADATA of a file (wheels; sdists only in test data). -ERR_INTEGRITY, -ERR_NOT_FOUND: unusable, the candidate is banned. */
        int (*metadata)(struct pypi_source *s, const struct pypi_file *f, sv *ret, struct err *e);
        bool (*metadata_ready)(struct pypi_source *s, const struct pypi_file *f);
        void (*metadata_soon)(struct pypi_source *s, const struct pypi_file *f);
        void (*free)(struct pypi_source *s);
        /* From here on NULL will do: nothing to wait for, no other index, hashes and sizes stay as the pages told them. */
        /** Wait until something that was asked for "soon" may have come. */
        int (*wait)(struct pypi_source *s, struct err *e);
        /** First-index strategy: the page of the first later index that has the name too, for hints; *ret NULL: none. */
        int (*later)(struct pypi_source *s, sv name, const struct pypi_page **ret, uint32_t *ret_index, struct err *e);
        /** Fill in sha256 and size of all of these, asking or downloading what the pages did not say. */
        int (*complete)(struct pypi_source *s, struct pypi_file *const *f, size_t n, struct err *e);
};
struct pypi_source {
        const struct pypi_source_ops *ops;
};

#endif
