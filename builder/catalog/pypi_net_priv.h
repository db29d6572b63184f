/* catalog/pypi_net_priv.h - the network source in three files: pypi_net.c (pages, the loop), pypi_links.c (find-links),
 * pypi_meta.c (METADATA of files, hashes and sizes that pages do not tell). */
#ifndef CATALOG_PYPI_NET_PRIV_H
#define CATALOG_PYPI_NET_PRIV_H

#include "base/map.h"
#include "catalog/page_cache.h"
#include "catalog/pypi.h"
#include "catalog/pypi_page.h"
#include "pkg/zip.h"

enum { PRIORITY_SOON = 0, PRIORITY_NOW = 10 };

struct project { /* one name's pages */
        sv name;
        struct pypi_page page;
        size_t cap;
        struct index_ask {
                sv url;
                struct page_fetch fetch;
                bool asked, done;
        } *ask; /* one for each index */
        bool done;
        struct err err; /* kept: asked again, the same answer */
};

enum meta_step {
        META_BEGIN,
        META_SIDE,   /* GET url.metadata */
        META_TAIL,   /* range: the archive's end */
        META_MEMBER, /* range: METADATA itself */
        META_PAUSE,  /* only a download is left, and nobody waits for it */
        META_WHOLE,
        META_DONE
};
struct meta { /* one file's METADATA */
        const struct pypi_file *f;
        sv key; /* its url */
        enum meta_step step;
        bool wanted; /* somebody waits */
        struct net_job *job;
        struct arena arena; /* of pieces, until it is done */
        struct zip zip;
        const struct zip_member *member;
        uint64_t size, from, need; /* of the archive; of what was asked */
        struct store_put put;
        bool broken_range; /* pieces did not fit: no more of them for this file */
        sv text;           /* in source->arena */
        struct err err;
};
struct host { /* what one origin can do */
        sv origin;
        bool no_ranges, no_side;
};

struct pypi_net {
        struct pypi_source source;
        const struct pypi_opts *o; /* own copy */
        struct pypi_opts opts;
        struct net *net;
        struct store *store;
        struct op *op;
        struct page_cache cache;
        struct arena arena;
        struct map projects, metas, hosts, later;
        struct project **busy_page;
        size_t n_busy_page, cap_busy_page;
        struct meta **busy_meta;
        size_t n_busy_meta, cap_busy_meta;
        uint64_t seen; /* net_next */
        bool links_read;
        struct pypi_links links; /* of find-links */
        struct err links_err;
        /* Everything to be released. */
        struct project **project;
        size_t n_project, cap_project;
        struct meta **meta;
        size_t n_meta, cap_meta;
};

/** Let everything that can move on move on. */
void pypi_net_pump(struct pypi_net *s);
/** Wait for some transfer to end. */
int pypi_net_next(struct pypi_net *s, struct err *e);

/* pypi_links.c */
int pypi_links_read(struct pypi_net *s, struct err *e); /* once; the error is kept */
void pypi_links_add(struct pypi_net *s, struct project *p);
/** A folder's wheels and sdists as links ("file:///…"), sorted by name. -ERR_NOT_FOUND. */
int pypi_folder_read(struct arena *a, const char *path, struct pypi_links *ret, struct err *e);

/* pypi_meta.c */
struct meta *pypi_meta_get(struct pypi_net *s, const struct pypi_file *f);
void pypi_meta_step(struct pypi_net *s, struct meta *m);
bool pypi_meta_moves(struct pypi_net *s, const struct meta *m); /* a step would do something */
void pypi_meta_free(struct pypi_net *s, struct meta *m);
int pypi_meta_complete(struct pypi_source *s, struct pypi_file *const *f, size_t n, struct err *e);

/** A file as it is kept: texts copied, equal neighbours shared. */
struct pypi_file pypi_file_keep(struct arena *a, const struct pypi_file *f, const struct pypi_file *before,
                                uint32_t index);
const char *pypi_file_path(struct arena *a, sv url); /* of a file:// URL, else NULL */

#endif
