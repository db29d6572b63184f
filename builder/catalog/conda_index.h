/* catalog/conda_index.h - where in a repodata.json the records of each name are: one block of bytes that is made by one pass over the text
 * (catalog/conda_scan.h), kept in a file and mapped. Looking up needs no parsing. The format: docs/internals/conda.md. Any bytes are
 * safe as an index: it is used only with the text it was made of, its checksum must be right, and offsets are checked when used. */
#ifndef CATALOG_CONDA_INDEX_H
#define CATALOG_CONDA_INDEX_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/hex.h"
#include "base/op.h"
#include "base/sv.h"

struct conda_index {        /* all borrowed */
        sv bytes;           /* the index */
        uint64_t text_size; /* of the repodata.json */
        uint32_t n_name;
        const struct conda_index_name *name; /* sorted */
        const struct conda_index_entry *entry;
        uint32_t n_entry;
        sv names;
        uint32_t info_at, info_length; /* the object "info", or nothing */
};
struct conda_index_name { /* one more than there are names, so that each has its end */
        uint32_t at, entry;
};
struct conda_index_entry {
        uint32_t key, record; /* offsets in the text: opening quote of the file name, '{' */
        uint32_t length;      /* of the record; the highest bit: in packages.conda */
};

/**
 * Read the text once and make its index.
 *
 * @param text    borrowed; mapped: when it is, pages that were read are given back
 * @param source  says which text it was; opening asks for the same
 * @param ret     heap block of *ret_n bytes
 * @return 0 · what conda_scan says
 */
int conda_index_make(sv text, bool mapped, const sha256 *source, struct op *op, void **ret, size_t *ret_n,
                     struct err *e);
/** False: these bytes are no index of this text; make it again. */
bool conda_index_open(sv bytes, uint64_t text_size, const sha256 *source, struct conda_index *ret);

/** The entries of a name (lower case), in the order of the text; false when it is not there. */
bool conda_index_find(const struct conda_index *x, sv name, const struct conda_index_entry **ret, size_t *ret_n);
sv conda_index_name(const struct conda_index *x, uint32_t i);
/** Where an entry's record ends in the text. False: its offsets are impossible. */
bool conda_index_entry_end(const struct conda_index *x, const struct conda_index_entry *t, uint32_t *ret_end);

#endif
