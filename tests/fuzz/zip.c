/* Any bytes as a zip: the directory, every local header, every member's bytes; and the same from a tail alone. */
#include "ext/hash.h"
#include "pkg/zip.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
        struct arena a = { 0 };
        struct err e = { 0 };
        sv all = { (const char *)p, n }, packed;
        uint64_t need = 0;
        struct zip z;

        if (zip_open(&a, all, n, &z, NULL, &e) == 0) {
                for (size_t i = 0; i < z.n; i++)
                        if (zip_data(all, &z.v[i], &packed, &e) == 0)
                                crc32_add(0, packed.p, packed.n); /* touches every byte */
                        else
                                err_done(&e);
                zip_check(all, &z, &e);
        }
        err_done(&e);
        if (zip_open(&a, sv_skip(all, n / 2), n, &z, &need, &e) == -ERR_LIMIT && (need <= n - n / 2 || need > n))
                __builtin_trap(); /* it must ask for more than it got, and never for more than there is */
        err_done(&e);
        arena_done(&a);
        return 0;
}
