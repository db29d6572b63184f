/* pkg/marker.h - environment markers (PEP 508; specs/pypi.md §5): parsed once, evaluated for the *target* image. Pure. */
#ifndef PKG_MARKER_H
#define PKG_MARKER_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/sv.h"

struct marker; /* an expression tree in an arena; NULL is the marker that always holds */

enum marker_var {
        MARKER_OS_NAME,
        MARKER_SYS_PLATFORM,
        MARKER_PLATFORM_MACHINE,
        MARKER_PLATFORM_PYTHON_IMPLEMENTATION,
        MARKER_PLATFORM_RELEASE,
        MARKER_PLATFORM_SYSTEM,
        MARKER_PLATFORM_VERSION,
        MARKER_PYTHON_VERSION,
        MARKER_PYTHON_FULL_VERSION,
        MARKER_IMPLEMENTATION_NAME,
        MARKER_IMPLEMENTATION_VERSION,
        MARKER_EXTRA,
        MARKER_N_VARS, /* extras, dependency_groups parse too, and evaluate against env->extras when given */
};
struct marker_env {
        sv value[MARKER_N_VARS]; /* MARKER_EXTRA: the one extra that is active (normalised), "" for none */
        const sv *extras; /* lock files' `extras` (normalised); usually NULL: a marker that asks for them is an error */
        size_t n_extras;
};

/** "linux", "x86_64", CPython, python "3.13.5": everything but MARKER_EXTRA. machine as uname -m prints it. */
void marker_env_linux(struct arena *a, sv python_full, sv machine, struct marker_env *ret);

/** False with a sentence in *ret_why; *ret_at is the byte where it went wrong. */
bool marker_parse(struct arena *a, sv text, const struct marker **ret, sv *ret_why, size_t *ret_at);
void marker_write(const struct marker *m, struct buf *out); /* as packaging prints it */

enum marker_result { MARKER_FALSE, MARKER_TRUE, MARKER_ERROR /* sys_platform ~= "linux": undefined comparison */ };
enum marker_result marker_eval(const struct marker *m, const struct marker_env *env);
/** The marker mentions `extra` at all. */
bool marker_has_extra(const struct marker *m);

#endif
