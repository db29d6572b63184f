/* pkg/tags.h - wheel compatibility tags of a target (PEP 425, 600, 656; specs/pypi.md §8). Pure: the target is data, never probed. */
#ifndef PKG_TAGS_H
#define PKG_TAGS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/map.h"
#include "base/sv.h"

enum libc_kind { LIBC_GLIBC, LIBC_MUSL };

struct tags_target {
        uint32_t major, minor; /* of CPython */
        bool free_threaded;    /* cp313t: abi3t instead of abi3 */
        sv arch;               /* as in tags: "x86_64", "aarch64", "i686", "armv7l", … */
        enum libc_kind libc;
        uint32_t libc_major, libc_minor;
};
struct tags { /* all supported tags, best first */
        struct arena *arena;
        sv *v; /* "cp313-cp313-manylinux_2_41_x86_64" */
        size_t n, cap;
        struct map rank; /* tag → its place in v + 1, as a pointer-sized number */
};

void tags_make(struct arena *a, const struct tags_target *t, struct tags *ret);
/** The same for platforms that somebody else names, best first ("macosx_14_0_arm64"): t's arch and libc are not looked at. */
void tags_make_for(struct arena *a, const struct tags_target *t, const sv *platform, size_t n, struct tags *ret);
/** The same from a list somebody else made (test vectors). */
void tags_from(struct arena *a, const sv *v, size_t n, struct tags *ret);
/** The best rank (0 is best) of a wheel's compressed tag sets, or -1 when none is supported. */
int64_t tags_rank(const struct tags *t, sv python, sv abi, sv platform);
/** Platform tags alone, best first. */
void tags_platforms(struct arena *a, const struct tags_target *t, sv **ret, size_t *ret_n);

#endif
