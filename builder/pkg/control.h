/* pkg/control.h - Debian's control files (deb822(5)): paragraphs, fields, dependency fields (deb-control(5)). Pure and without copies:
 * every text is a piece of the input, so that a Packages file of 50 MB can be walked in a mapping with no memory of its own. */
#ifndef PKG_CONTROL_H
#define PKG_CONTROL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/sv.h"
#include "version/debian.h"

/** The next paragraph (without the blank lines around it); false at the end. Costs one search for a blank line. */
bool control_next(sv *rest, sv *ret_paragraph);

/**
 * The next field of a paragraph. Comment lines ('#') are passed over.
 *
 * @param ret_value  trimmed at both ends; the lines of a folded value keep their leading blank
 * @return 1 · 0 at the end · -1: the line at *rest is no field (no colon, a name with blanks, a continuation without a field)
 */
int control_field(sv *rest, sv *ret_name, sv *ret_value);
/** A field's value by name (any case); empty when it is absent. The first one counts. */
sv control_get(sv paragraph, const char *name);
/** 0, or -ERR_INTEGRITY: the text is not one paragraph of proper fields, or a field occurs twice. */
int control_check(sv text, struct err *e);

/* One term of a dependency: "libc6:any (>= 2.36)". */
struct deb_dep {
        sv name;
        sv arch; /* "any", "amd64", "native"; empty: not said */
        enum deb_op op;
        sv version; /* empty with DEB_ANY */
};
struct deb_rel { /* "a | b (>= 2)": one of them */
        struct deb_dep *alt;
        uint32_t n;
        sv text; /* as written, trimmed; restrictions included */
};

/**
 * A dependency field: a comma list of alternatives. A term whose architecture list ("[amd64 !arm64]") does not hold for `arch`, or whose
 * build profiles ("<!nocheck>") do not hold with no profile set, is left out, and with its last term the relation. Empty elements are
 * passed over, as dpkg does.
 *
 * @param ret  in the arena; texts borrowed from `text`
 * @return 0 · -ERR_FAILED: "'foo (>= )' is not a dependency: …"
 */
int control_deps(struct arena *a, sv text, sv arch, struct deb_rel **ret, size_t *ret_n, struct err *e);
/** One term as control files write it: "foo:any (>= 1.2)". */
void control_dep_write(const struct deb_dep *d, struct buf *out);
const char *deb_op_text(enum deb_op op); /* ">=", "" for DEB_ANY */
/** Policy 5.6.1: lower-case letters, digits, + - . , at least two, begins with an alphanumeric. */
bool deb_name_valid(sv name);

#endif
