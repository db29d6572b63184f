/* catalog/wheel_metadata.h - METADATA out of a wheel of which only pieces are here (fetched by range). Pure. */
#ifndef CATALOG_WHEEL_METADATA_H
#define CATALOG_WHEEL_METADATA_H

#include "base/arena.h"
#include "base/err.h"
#include "pkg/zip.h"

#define WHEEL_METADATA_MAX ((size_t)16 << 20) /* bytes of METADATA, unpacked */

/** The member "NAME-VERSION.dist-info/METADATA" of the wheel `filename`; when none is named so, the only one there is; else NULL. */
const struct zip_member *wheel_metadata_find(const struct zip *z, sv filename);
/**
 * Unpack a member.
 *
 * @param piece  archive bytes that begin at the member's local header
 * @return 0 · -ERR_LIMIT: the piece is too short, *ret_need bytes are needed · -ERR_INTEGRITY
 */
int wheel_metadata_unpack(struct arena *a, const struct zip_member *m, sv piece, sv *ret, uint64_t *ret_need,
                          struct err *e);
/** From a whole wheel. */
int wheel_metadata_read(struct arena *a, sv archive, sv filename, sv *ret, struct err *e);

#endif
