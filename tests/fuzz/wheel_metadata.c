#include "base/cleanup.h"
#include "catalog/wheel_metadata.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

/* The end of a wheel as a server may send it: the first byte says how many bytes (in 64ths) come before the piece. */
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(err_done) struct err e = { 0 };
        sv piece, text = { 0 };
        const struct zip_member *m;
        uint64_t size, need = 0;
        struct zip z;

        if (n < 1)
                return 0;
        piece = arena_sv(&a, (sv){ (const char *)p + 1, n - 1 });
        size = piece.n + p[0];
        if (p[0] == 0)
                wheel_metadata_read(&a, piece, SV("foo-1.0-py3-none-any.whl"), &text, &e);
        err_done(&e);
        if (zip_open(&a, piece, size, &z, &need, &e) < 0)
                return 0;
        m = wheel_metadata_find(&z, SV("foo-1.0-py3-none-any.whl"));
        if (!m || m->header_at < p[0])
                return 0;
        err_done(&e);
        if (wheel_metadata_unpack(&a, m, sv_skip(piece, (size_t)m->header_at - p[0]), &text, &need, &e) == 0 &&
            text.n != m->size)
                __builtin_trap();
        return 0;
}
