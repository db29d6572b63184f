/* image/activate.h - activation scripts of conda packages (etc/conda/activate.d/NAME.sh) that do nothing but set variables. Pure. */
#ifndef IMAGE_ACTIVATE_H
#define IMAGE_ACTIVATE_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/buf.h"

struct activate_pair {
        sv key, value;
};
struct activate {
        sv prefix;                     /* what $CONDA_PREFIX is */
        sv (*env)(void *arg, sv name); /* variables that are there already: the base's; NULL: none */
        void *arg;
        struct activate_pair *set; /* what was set, in order; the later of two counts */
        size_t n_set, cap_set;
};
/**
 * Take one script in: lines `export K=V` (quotes, $NAME, ${NAME}, ${NAME:-word}), blank lines and comments.
 * @return false: it does more than that, and nothing of it was taken
 */
bool activate_read(struct activate *x, struct arena *a, sv script);

#endif
