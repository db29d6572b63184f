/* net/url.h - URLs as text (RFC 3986): joining, percent coding, taking credentials out. Pure. */
#ifndef NET_URL_H
#define NET_URL_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/sv.h"

struct url {
        sv scheme, user, host, port, path, query, fragment; /* borrowed; user is "name:password" as written */
};
bool url_parse(sv text, struct url *ret); /* absolute URLs only */
/** "https://host:443", lower case, the port always written: what a secret may be sent to again. Empty for a broken URL. */
sv url_origin(struct arena *a, sv url);
/** A reference against a base, dots removed; the fragment of ref is kept. */
sv url_join(struct arena *a, sv base, sv ref);
sv url_decode(struct arena *a, sv text); /* %XX; a broken one stays as it is */
sv url_encode(struct arena *a, sv text); /* all but unreserved characters */
/** Without user:password@ (for locks, logs, cache names). */
sv url_public(struct arena *a, sv text);
/** For messages: "****" in place of the password and of a conda token ("/t/TOKEN/"), "?..." in place of a query (signed URLs carry their
 *  secret there). */
sv url_masked(struct arena *a, sv text);
/** "${NAME}" replaced by the environment's values, for requests only; false and the name when one is not set. */
bool url_expand(struct arena *a, sv text, bool (*env)(void *arg, sv name, sv *ret), void *arg, sv *ret,
                sv *ret_missing);

#endif
