/* pkg/matchspec_priv.h - the fields of a match spec by their keys, shared by reading, matching and writing. */
#ifndef PKG_MATCHSPEC_PRIV_H
#define PKG_MATCHSPEC_PRIV_H

#include "pkg/matchspec.h"

/* ">=2", "3", "*": what a build number must be. */
struct build_number {
        enum { BUILD_ANY, BUILD_EQ, BUILD_NE, BUILD_LT, BUILD_LE, BUILD_GT, BUILD_GE } op;
        uint64_t n;
};
bool build_number_read(sv text, struct build_number *ret);

#endif
