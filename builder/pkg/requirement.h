/* pkg/requirement.h - a dependency specifier (PEP 508): name [extras] (specifiers | @ URL) [; marker]. Pure. */
#ifndef PKG_REQUIREMENT_H
#define PKG_REQUIREMENT_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/sv.h"
#include "pkg/marker.h"
#include "version/pep440.h"

struct requirement {
        sv name;       /* as written */
        sv normalised; /* PEP 503 */
        sv *extras;    /* normalised, sorted, without duplicates */
        uint32_t n_extras;
        struct pep440_spec spec;
        sv url; /* empty unless a direct reference */
        const struct marker *marker;
};

/** Strict, for users' files: false with a sentence and the byte offset where it went wrong. */
bool requirement_parse(struct arena *a, sv text, struct requirement *ret, sv *ret_why, size_t *ret_at);
/** Lenient, for third parties' METADATA: repairs what uv repairs (missing comma, trailing comma, `>=1.*`, stray quotes). */
bool requirement_parse_lenient(struct arena *a, sv text, struct requirement *ret, sv *ret_why);
/** Normalised text: "flask[async]>=2,<3; python_version < \"3.9\"". What the lock's `request` hashes. */
void requirement_write(const struct requirement *r, struct buf *out);

#endif
