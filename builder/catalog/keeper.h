/* catalog/keeper.h - writes notes into the store behind the caller's back: each costs two fsyncs, 10 ms on a plain disk, and a resolution
 * keeps hundreds. Several at once share the disk's commit. What is lost in a crash is only asked again. */
#ifndef CATALOG_KEEPER_H
#define CATALOG_KEEPER_H

#include "base/op.h"
#include "store/store.h"

struct keeper;
struct keeper *keeper_new(struct store *store, struct op *op);
/** text is copied. Waits only while too much is queued. The first failure is told as OP_WARN; the rest are dropped. */
void keeper_put(struct keeper *k, enum store_note kind, const sha256 *key, sv text);
void keeper_free(struct keeper *k); /* everything is written first; accepts NULL */

#endif
