/* catalog/pypi_page.h - a project's page of the Simple API (PEP 503, 691, 700, 714) as a list of files. Pure: bytes in, structs out.
 * Texts live in the arena or borrow from the body. Links of any kind are listed; which are wheels is the caller's question. */
#ifndef CATALOG_PYPI_PAGE_H
#define CATALOG_PYPI_PAGE_H

#include "base/arena.h"
#include "base/err.h"
#include "catalog/pypi_source.h"

#define PYPI_PAGE_MAX ((size_t)64 << 20) /* bytes of a page */

struct pypi_links {
        struct pypi_file *v;
        size_t n, cap;
};

/**
 * @param body          NUL-terminated after its n bytes
 * @param url           of the page after redirects: what relative links are relative to
 * @param content_type  as the header says; empty: by the first byte
 * @return 0 · -ERR_FAILED: not such a page, or of an API version that is not 1.x
 */
int pypi_page_parse(struct arena *a, sv body, sv url, sv content_type, struct pypi_links *ret, struct err *e);
int pypi_json_parse(struct arena *a, sv body, sv url, struct pypi_links *ret, struct err *e);
int pypi_html_parse(struct arena *a, sv body, sv url, struct pypi_links *ret, struct err *e);

/** ref against base, the path percent-coded the one way pip writes it; its "#fragment" is split off. */
sv pypi_link_url(struct arena *a, sv base, sv ref, sv *ret_fragment);
/** Add "alg=hex" to a file's hashes when the algorithm is one that is known. */
void pypi_file_add_hash(struct arena *a, struct pypi_file *f, sv alg, sv hex);
/** "1.4" is fine, "2.0" is not; empty is. */
bool pypi_api_version_ok(sv text);

#endif
