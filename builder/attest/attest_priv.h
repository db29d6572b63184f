/* attest/attest_priv.h - what the files of attest/ share. */
#ifndef ATTEST_PRIV_H
#define ATTEST_PRIV_H

#include "base/hex.h"
#include "ext/json.h"

/* dsse.c: the envelope; signature in DER */
sv base64_text(struct arena *a, sv bytes);
struct js *dsse_js(struct arena *a, sv type, sv payload, sv signature);
/* statement.c: in-toto's statement v1 without its subjects: an empty list *ret_subject to add to */
struct js *statement_js(struct arena *a, sv predicate_type, struct js *predicate, struct js **ret_subject);
/* {"sha256": "…"} */
struct js *digest_js(struct arena *a, const sha256 *d);

#endif
