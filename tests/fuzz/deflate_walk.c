/* Any bytes as a raw deflate stream: the walk accepts, refuses, gives and places what zlib does, whatever the steps. Input: one byte chooses
 * the steps, the rest is the stream. Then the stream with its last block's BFINAL cleared and an empty stored block must do as an open one. */
#include "tests/fuzz/deflate_ref.h"

#define MAX ((size_t)1 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

/* As layer/splice.c joins streams. */
static void check_open(sv stream)
{
        struct buf joined = BUF_INIT(stream.n + 16), want = BUF_INIT(2 * MAX), got = BUF_INIT(2 * MAX);
        struct deflate_shape shape = { 0 };
        unsigned used;

        if (walk_all(stream, DEFLATE_CLOSED, 65536, MAX, &want, &shape) && want.n <= MAX) {
                buf_add(&joined, stream);
                joined.p[shape.final_bit / 8] &= (char)~(1 << shape.final_bit % 8);
                used = shape.end_bit % 8;
                if (used)
                        joined.p[joined.n - 1] &= (char)((1U << used) - 1);
                buf_add(&joined, used == 0 || used > 5 ? SV("\0\0\0\xff\xff") : SV("\0\0\xff\xff"));
                if (!walk_all(buf_sv(&joined), DEFLATE_OPEN, 65536, MAX, &got, &shape) || got.n != want.n ||
                    (got.n && memcmp(got.p, want.p, got.n)) || shape.end_bit != joined.n * 8)
                        abort();
        }
        buf_done(&joined);
        buf_done(&want);
        buf_done(&got);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
        static const size_t step[] = { 131072, 1, 300, 305, 32768, 4099, 65536, 17 };
        sv stream = { (const char *)p + (n > 0), n ? n - 1 : 0 };

        if (ref_differs(stream, n ? step[p[0] % 8] : 1, MAX))
                abort();
        check_open(stream);
        return 0;
}
