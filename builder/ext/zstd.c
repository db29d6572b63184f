#include "ext/zstd.h"

#include <stdlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "base/alloc.h"

#define WINDOW_LOG_MAX 27

struct zstd_in {
        ZSTD_DCtx *c;
        bool between; /* no frame is open */
};

struct zstd_in *zstd_in_new(void)
{
        struct zstd_in *z = xmalloc(sizeof(*z));

        z->c = ZSTD_createDCtx();
        z->between = true;
        if (!z->c || ZSTD_isError(ZSTD_DCtx_setParameter(z->c, ZSTD_d_windowLogMax, WINDOW_LOG_MAX)))
                abort(); /* out of memory: base/alloc.h */
        return z;
}

void zstd_in_free(struct zstd_in *z)
{
        if (!z)
                return;
        ZSTD_freeDCtx(z->c);
        free(z);
}

int zstd_in_step(struct zstd_in *z, sv *in, void *out, size_t max, size_t *ret_n, bool *ret_done, struct err *e)
{
        ZSTD_inBuffer i = { in->p, in->n, 0 };
        ZSTD_outBuffer o = { out, max, 0 };
        size_t rc = ZSTD_decompressStream(z->c, &o, &i);

        if (ZSTD_isError(rc) && ZSTD_getErrorCode(rc) == ZSTD_error_frameParameter_windowTooLarge)
                return err_set(e, ERR_LIMIT, "a zstd frame wants a window of more than %d MiB",
                               1 << (WINDOW_LOG_MAX - 20));
        if (ZSTD_isError(rc))
                return err_set(e, ERR_INTEGRITY, "broken zstd stream: %s", ZSTD_getErrorName(rc));
        if (i.pos || o.pos)
                z->between = rc == 0;
        *in = sv_skip(*in, i.pos);
        *ret_n = o.pos;
        *ret_done = z->between;
        return 0;
}

struct zstd_out {
        ZSTD_CCtx *c;
};

struct zstd_out *zstd_out_new(int level, unsigned workers)
{
        struct zstd_out *z = xmalloc(sizeof(*z));

        z->c = ZSTD_createCCtx();
        if (!z->c || ZSTD_isError(ZSTD_CCtx_setParameter(z->c, ZSTD_c_compressionLevel, level)) ||
            ZSTD_isError(ZSTD_CCtx_setParameter(z->c, ZSTD_c_nbWorkers, workers > 0 ? (int)workers : 1)))
                abort(); /* out of memory, or a libzstd without threads, which meson.build refuses */
        return z;
}

void zstd_out_free(struct zstd_out *z)
{
        if (!z)
                return;
        ZSTD_freeCCtx(z->c);
        free(z);
}

int zstd_out_step(struct zstd_out *z, sv *in, void *out, size_t max, bool end, size_t *ret_n, bool *ret_done,
                  struct err *e)
{
        ZSTD_inBuffer i = { in->p, in->n, 0 };
        ZSTD_outBuffer o = { out, max, 0 };
        size_t rc = ZSTD_compressStream2(z->c, &o, &i, end ? ZSTD_e_end : ZSTD_e_continue);

        if (ZSTD_isError(rc))
                return err_set(e, ERR_FAILED, "zstd: %s", ZSTD_getErrorName(rc));
        *in = sv_skip(*in, i.pos);
        *ret_n = o.pos;
        *ret_done = end && rc == 0;
        return 0;
}
