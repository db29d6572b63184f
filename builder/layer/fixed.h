/* layer/fixed.h - the frozen deflate encoder of layer-format 1 (design/layers.md §5): one fixed-Huffman block a run, greedy, a handful
 * of candidate distances that suit tar headers. Its output is part of every wheel layer's digest: any change raises layer-format.
 *
 * A *run* is a maximal stretch of tar bytes that are not copied payload: the padding after a copied member, the headers that follow,
 * generated contents and their padding, up to the next copied member or the end. It ends byte-aligned, by an empty stored block. The
 * window is the last 32 KiB of the body, payload included (fixed_pass), and is empty at fixed_begin. Offsets count from there. */
#ifndef LAYER_FIXED_H
#define LAYER_FIXED_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "stream/stream.h"

#define FIXED_NO_HEADER UINT64_MAX

struct fixed; /* heap, about 150 KiB */

struct fixed *fixed_new(void);
void fixed_free(struct fixed *f); /* NULL is fine */
/** A new body: window, header blocks and offsets begin again. out is borrowed until the last fixed_end. */
void fixed_begin(struct fixed *f, struct writer *out);
/** Open a run. first_header: offset of its first header block, FIXED_NO_HEADER when it has none. */
void fixed_run(struct fixed *f, uint64_t first_header);
/** A header block begins at this offset of the open run: a candidate for the runs after it. */
void fixed_header(struct fixed *f, uint64_t at);
int fixed_add(struct fixed *f, const void *p, size_t n, struct err *e);
/** Close the run: everything of it is in `out`. */
int fixed_end(struct fixed *f, struct err *e);
/** Copied payload, between two runs. */
void fixed_pass(struct fixed *f, const void *p, size_t n);

#endif
