/* layer/tar.h - tar headers of layer-format 1 (design/layers.md §4, specs/oci.md §2.4): ustar when everything fits, else one PAX "x"
 * header before it with only the keys that are needed. */
#ifndef LAYER_TAR_H
#define LAYER_TAR_H

#include "tree/entry.h"

#define TAR_BLOCK    512
#define TAR_PATH_MAX 4096 /* an entry's path, or link target, and a '/' */
#define TAR_HEAD_MAX (2 * TAR_BLOCK + 2 * TAR_PATH_MAX + 2 * TAR_BLOCK)

struct tar_head {
        uint8_t b[TAR_HEAD_MAX];
        size_t n;       /* a multiple of TAR_BLOCK */
        size_t main_at; /* where the entry's own header block is: 0 without PAX */
};

/** Paths and targets are checked by the caller (entry_path_layer; targets up to 4095 bytes). Directories get their '/' here. */
void tar_head(const struct entry *en, struct tar_head *ret);
/** Zeros after n bytes of content: 0…511. */
static inline unsigned tar_pad(uint64_t n)
{
        return (unsigned)(-n & (TAR_BLOCK - 1));
}

#endif
