/* ext/sha_twin.h - two SHA-256 states that are fed the same blocks, by the processor's SHA instructions, in the time of one: the rounds of
 * one state wait for each other, so those of a second one fit in between, and the message's schedule is made once. OpenSSL, which does all
 * else (ext/hash.c), has no such call. */
#ifndef EXT_SHA_TWIN_H
#define EXT_SHA_TWIN_H

#include <stddef.h>
#include <stdint.h>

/** a, b: chaining values as FIPS 180-4 has them; p: n blocks of 64 bytes. */
typedef void sha_twin_fn(uint32_t a[8], uint32_t b[8], const uint8_t *p, size_t n);

/** NULL where the processor cannot. Asking takes microseconds under some hypervisors: keep the answer. */
sha_twin_fn *sha_twin_here(void);

#endif
