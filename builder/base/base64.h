/* base/base64.h - base64 (RFC 4648 §4, '+' and '/'): auth files, DSSE, signatures. Pure. */
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/sv.h"

/** With padding, without line breaks. */
void base64_write(sv bytes, struct buf *out);
/** The whole text; padding may be left away; false for any other character, for stray bits in the last one, and when out is full. */
bool base64_read(sv text, struct buf *out);

#endif
