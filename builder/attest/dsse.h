/* attest/dsse.h - what a signature over a statement covers (secure-systems-lab/dsse v1.0). Pure: signing itself is ext/sign.h's. */
#ifndef ATTEST_DSSE_H
#define ATTEST_DSSE_H

#include "base/buf.h"
#include "base/sv.h"

/** "DSSEv1 LEN TYPE LEN BODY": type and body cannot be taken for each other, nor one type's document for another's. Lengths are bytes. */
void dsse_signed_bytes(sv type, sv payload, struct buf *out);

#endif
