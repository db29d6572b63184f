/* catalog/conda_scan.h - skips through a repodata.json once and tells where its records are. Nothing is parsed but the way to them: in
 * strings only their ends are looked for, inside a record only its brackets and its "name". Any bytes are safe; what is found in a text
 * that is no JSON is of no use, and the decoder (catalog/conda_record.h) leaves it out. Offsets are bytes. */
#ifndef CATALOG_CONDA_SCAN_H
#define CATALOG_CONDA_SCAN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/op.h"
#include "base/sv.h"

struct conda_found {
        uint32_t key;    /* of its file name's opening quote */
        uint32_t record; /* of its '{' */
        uint32_t length; /* up to and with its '}' */
        bool v2;         /* in packages.conda */
        sv name;         /* as written, not lower-cased; borrowed until the next one */
};
struct conda_scan_to {
        /** A record whose "name" is a text. 0, or -code, which ends the scan. */
        int (*record)(void *arg, const struct conda_found *f, struct err *e);
        void (*info)(void *arg, uint32_t at, uint32_t length); /* the object "info" */
        void (*passed)(void *arg,
                       uint32_t at); /* everything before it was read and is not looked at again; now and then */
        void *arg;
};
enum { CONDA_TEXT_MAX = INT32_MAX }; /* of a repodata.json: 2 GiB, ten times the largest of today */

/** -ERR_INTEGRITY "byte 77: …": no JSON object · -ERR_LIMIT over CONDA_TEXT_MAX · -ERR_CANCELLED. An empty text is an empty object. */
int conda_scan(sv text, const struct conda_scan_to *to, struct op *op, struct err *e);

/* What 64 bytes hold, one bit each, without regard to strings. Two makers, for tests. */
struct conda_bits {
        uint64_t quote, slash, open, close, n;
};
void conda_bits_plain(const uint8_t *p, struct conda_bits *ret);
void conda_bits_fast(const uint8_t *p, struct conda_bits *ret); /* the machine's way, if we know it */

#endif
