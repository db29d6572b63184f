/* catalog/conda_source.h - where a conda catalog's records come from: channels on the network or on disk (catalog/conda_channels.c), or
 * test data. What is asked for twice is answered from memory. One thread asks. */
#ifndef CATALOG_CONDA_SOURCE_H
#define CATALOG_CONDA_SOURCE_H

#include "base/arena.h"
#include "base/err.h"
#include "pkg/conda_record.h"

struct conda_records { /* of one name: channel by channel, within one channel the platform's subdir, then noarch; .conda and .tar.bz2 both */
        const struct conda_record *v;
        size_t n;
};
struct conda_source;
struct conda_source_ops {
        /** Every record of a name (lower case). n == 0: no channel has it. May wait. Lives as long as the source.
         *  Unparsable records are left out. -ERR_NET, -ERR_AUTH, -ERR_OFFLINE, -ERR_INTEGRITY, … */
        int (*records)(struct conda_source *s, sv name, struct conda_records *ret, struct err *e);
        void (*soon)(struct conda_source *s,
                     sv name); /* will probably be asked: shards begin to come; may do nothing */
        bool (*ready)(struct conda_source *s, sv name); /* records() would not wait */
        /** The nearest name that exists, or empty. In the source's arena. Asks nothing of the network that is not there yet. */
        sv (*near)(struct conda_source *s, sv name);
        void (*free)(struct conda_source *s);
};
struct conda_source {
        const struct conda_source_ops *ops;
};
static inline void conda_source_free(struct conda_source *s)
{
        if (s)
                s->ops->free(s);
}

#endif
