/* lock/export.h - a lock in the formats of other tools. Pure. What a format cannot say (the base, Debian packages, the image's config) stands
 * in a comment at its head. */
#ifndef LOCK_EXPORT_H
#define LOCK_EXPORT_H

#include "lock/lock.h"

/** conda-lock.yml v1 (CEP 37): conda and pip packages of the platforms given (p NULL: of all). -ERR_USAGE: a platform that conda has no
 *  name for. */
int lock_export_conda_lock(const struct lock *l, const struct lock_platform *p, struct buf *out, struct err *e);
/** "@EXPLICIT": conda packages of one platform, what is needed before who needs it; wheels as conda-lock's comments. */
int lock_export_explicit(const struct lock *l, const struct lock_platform *p, struct buf *out, struct err *e);
/** environment.yml with every version and build pinned, for one platform. */
void lock_export_environment(const struct lock *l, const struct lock_platform *p, struct buf *out);
/** Requirements with hashes, for `pip install --no-deps --require-hashes -r`: wheels of one platform. */
void lock_export_requirements(const struct lock *l, const struct lock_platform *p, struct buf *out);

#endif
