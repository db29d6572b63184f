#include "ext/xz.h"

#include <lzma.h>

#include "base/cleanup.h"

#define MEMORY_MAX ((uint64_t)128 << 20) /* xz -9 needs 65 MiB */

static int fault(lzma_ret r, struct err *e)
{
        switch (r) {
        case LZMA_MEM_ERROR:
        case LZMA_MEMLIMIT_ERROR:
                return err_set(e, ERR_LIMIT, "an .xz stream needs more than 128 MiB to decode");
        case LZMA_FORMAT_ERROR:
                return err_set(e, ERR_INTEGRITY, "not an .xz stream");
        case LZMA_BUF_ERROR:
                return err_set(e, ERR_INTEGRITY, "an .xz stream is cut off");
        default:
                return err_set(e, ERR_INTEGRITY, "an .xz stream is damaged");
        }
}

int xz_decode(sv xz, uint64_t max, int (*sink)(void *arg, const void *p, size_t n, struct err *e), void *arg,
              struct err *e)
{
        AUTO(lzma_end) lzma_stream s = LZMA_STREAM_INIT;
        static const size_t step = 64 << 10;
        uint8_t out[64 << 10];
        lzma_ret r = lzma_stream_decoder(&s, MEMORY_MAX, LZMA_CONCATENATED);

        if (r != LZMA_OK)
                return fault(r, e);
        s.next_in = (const uint8_t *)xz.p;
        s.avail_in = xz.n;
        do {
                s.next_out = out;
                s.avail_out = step;
                r = lzma_code(&s, LZMA_FINISH);
                if (r != LZMA_OK && r != LZMA_STREAM_END)
                        return fault(r, e);
                if (s.total_out > max)
                        return err_set(e, ERR_LIMIT, "an .xz stream holds more than the %llu bytes it should",
                                       (unsigned long long)max);
                if (step != s.avail_out && sink(arg, out, step - s.avail_out, e) < 0)
                        return -(int)e->code;
        } while (r != LZMA_STREAM_END);
        return 0;
}
