/* Signatures out of a registry: payloads and bundles that anybody may have put there. */
#include <stdint.h>
#include <stdlib.h>

#include "attest/bundle.h"
#include "attest/cosign.h"
#include "base/cleanup.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(buf_done) struct buf statement = BUF_INIT(4096), bundle = BUF_INIT((size_t)1 << 24);
        sv text = { (const char *)p, n }, signature = { 0 };
        sha256 d = { { 0x11 } };

        cosign_payload_means(text, &d);
        cosign_statement_write(&d, &statement);
        bundle_has(&a, text, buf_sv(&statement), &signature);
        if (n > (size_t)1 << 20) /* what is written is read again, whatever is in it */
                return 0;
        bundle_write(text, text, text, &bundle);
        if (!bundle_has(&a, buf_sv(&bundle), text, &signature) || !sv_eq(signature, text))
                abort();
        return 0;
}
