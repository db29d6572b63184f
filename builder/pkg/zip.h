/* pkg/zip.h - zip archives as wheels and .conda files are: a directory of members over memory that holds the archive (a mapped
 * file, or the tail of one fetched by range). Pure. The central directory is the truth (design/layers.md §5). */
#ifndef PKG_ZIP_H
#define PKG_ZIP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/sv.h"

struct zip_member {
        sv name; /* UTF-8 (cp437 decoded when the flag is off), no NUL, "/" separated, as stored otherwise: not yet judged as a path */
        uint16_t method; /* 0 or 8; another is kept for the caller's error */
        uint16_t flags;
        uint32_t crc;
        uint64_t packed, size; /* bytes in the archive, bytes when inflated */
        uint64_t header_at;    /* of its local header, in the archive */
        uint32_t mode;         /* unix permission and type bits, whoever made the archive (as pip reads it); 0: none */
        bool dir;              /* the name ends with "/" */
};
struct zip {
        struct zip_member *v; /* central directory order */
        size_t n;
        uint64_t directory_at; /* where the central directory begins */
};

/**
 * Read the directory.
 *
 * @param tail   the last bytes of the archive, or all of it
 * @param size   length of the whole archive
 * @return 0 · -ERR_INTEGRITY: not a zip, duplicate names, overlapping members, counts that do not fit, encryption, a size that the packed
 *         bytes cannot hold · -ERR_LIMIT: `tail` is too short; *ret_need is how many last bytes are needed (ret_need may be NULL)
 */
int zip_open(struct arena *a, sv tail, uint64_t size, struct zip *ret, uint64_t *ret_need, struct err *e);
const struct zip_member *zip_find(const struct zip *z, sv name); /* exact name, or NULL */
/** Packed bytes of a member of a complete archive; the local header must agree in name and method. -ERR_INTEGRITY. */
int zip_data(sv archive, const struct zip_member *m, sv *ret_packed, struct err *e);
/** All bytes between members must be headers, data or data descriptors; checks every local header. -ERR_INTEGRITY. */
int zip_check(sv archive, const struct zip *z, struct err *e);

#endif
