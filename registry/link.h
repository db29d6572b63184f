/* registry/link.h - Link headers (RFC 8288), as lists in pages are continued: `</v2/x/tags/list?n=9&last=b>; rel="next"`. Pure. */
#ifndef REGISTRY_LINK_H
#define REGISTRY_LINK_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/sv.h"

/** The target of the first link with relation `rel`, as written (borrowed); false when there is none. */
bool link_find(sv header, const char *rel, sv *ret);
/**
 * The next page's URL, resolved against the page that named it.
 * @return false: there is no further page · *ret empty: it is on another host, where a list is not followed to
 */
bool link_next(struct arena *a, sv page_url, sv header, sv *ret);

#endif
