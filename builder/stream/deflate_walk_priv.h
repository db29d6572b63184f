/* stream/deflate_walk_priv.h - what the two halves of the walk share: decode tables (deflate_table.c) and who reads by them.
 *
 * An entry says all about one code, in the places where the fast loop needs them:
 *   bits 0-7    how many bits to drop: the code's, and a length's or distance's extra bits
 *   bits 8-11   how many of them are the code's
 *   bits 16-30  the literal, the symbol, the base of a length or distance, or where a second table begins
 *   bit 31      literal
 *   bit 15      neither literal nor match: a second table (bit 14; bits 8-11 are its width), the block's end (bit 13), or no code */
#ifndef STREAM_DEFLATE_WALK_PRIV_H
#define STREAM_DEFLATE_WALK_PRIV_H

#include <stdbool.h>
#include <stdint.h>

#define ENTRY_LITERAL (1U << 31)
#define ENTRY_SPECIAL (1U << 15)
#define ENTRY_SECOND  (1U << 14)
#define ENTRY_END     (1U << 13)
#define ENTRY_NONE    ENTRY_SPECIAL

#define CODE_MAX 15 /* bits of a code */
#define SYMBOLS  288
/* Bits that the first tables are indexed by, and the most entries that complete codes (or one lone code) of so many symbols then need,
 * second tables included: zlib's examples/enough.c says them for 288, 32 and 19 symbols. */
#define LITERAL_BITS     11
#define LITERAL_ENTRIES  2342
#define DISTANCE_BITS    8
#define DISTANCE_ENTRIES 402
#define LENGTHS_BITS     7
#define LENGTHS_ENTRIES  128

struct deflate_meaning { /* entries without their codes' bits, by symbol */
        uint32_t literal[SYMBOLS], distance[32], length[19];
};
void deflate_meaning_init(struct deflate_meaning *m);

/**
 * A table from the lengths of canonical codes.
 *
 * @param table     room for as many entries as said above
 * @param bits      so many index the first table
 * @param lone      a set with one code of one bit, or none, is fine (its other codes are ENTRY_NONE); else sets are complete
 * @return false: over-subscribed or incomplete
 */
bool deflate_table(uint32_t *table, unsigned bits, const uint8_t *length, unsigned n, const uint32_t *meaning,
                   bool lone);

#endif
