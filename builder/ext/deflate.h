/* ext/deflate.h - whole buffers compressed to raw deflate by libdeflate (one of its two includers). Its bytes are part of layer-format 1
 * (design/layers.md §5): level 6, guarded by golden tests on each library version. One struct per thread. */
#ifndef EXT_DEFLATE_H
#define EXT_DEFLATE_H

#include <stddef.h>

struct deflate; /* heap */

struct deflate *deflate_new(int level);
void deflate_free(struct deflate *d);              /* NULL is fine */
size_t deflate_bound(struct deflate *d, size_t n); /* room that deflate_run needs for n bytes */
/** One complete raw deflate stream; max is at least deflate_bound(n), so it cannot fail. Returns its size. */
size_t deflate_run(struct deflate *d, const void *p, size_t n, void *out, size_t max);

#endif
