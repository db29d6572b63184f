/* A package of hostile members: any raw deflate stream is an error or joined so that the whole inflates to the tar that was digested.
 * Input: members, each one byte kind, two bytes size, two bytes packed length, then that many bytes. */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "layer/layer_priv.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static bool take_member(sv *in, struct entry *en, struct content *c)
{
        static const enum content_kind kinds[] = { CONTENT_DEFLATE, CONTENT_STORED, CONTENT_BYTES, CONTENT_DEFLATE };
        const uint8_t *p = (const uint8_t *)in->p;
        size_t packed;

        if (in->n < 5)
                return false;
        packed = (size_t)p[3] | (size_t)p[4] << 8;
        *in = sv_skip(*in, 5);
        if (packed > in->n)
                packed = in->n;
        *en = (struct entry){
                .path = SV("opt/env/x"), .type = ENTRY_FILE, .mode = 0644, .size = (uint64_t)p[1] | (uint64_t)p[2] << 8
        };
        *c = (struct content){ .kind = kinds[p[0] & 3], .p = in->p, .n = packed };
        if (c->kind != CONTENT_DEFLATE)
                en->size = packed;
        c->crc = crc32_add(0, in->p, packed);
        *in = sv_skip(*in, packed);
        return true;
}

/* The CRC that the member should have: so that valid streams are not all refused. */
static void guess_crc(struct content *c)
{
        AUTO(deflate_walk_freep) struct deflate_walk *z = deflate_walk_new();
        AUTO(err_done) struct err e = { 0 };
        uint8_t piece[4096];
        size_t k = 1;

        if (c->kind != CONTENT_DEFLATE)
                return;
        c->crc = 0;
        deflate_walk_begin(z, (sv){ c->p, c->n }, DEFLATE_CLOSED);
        while (k && deflate_walk_next(z, piece, sizeof(piece), &k, NULL, &e) == 0)
                c->crc = crc32_add(c->crc, piece, k);
}

static void check(const struct buf *packed, const sha256 *tar, uint64_t tar_size, uint32_t crc)
{
        AUTO(deflate_walk_freep) struct deflate_walk *z = deflate_walk_new();
        AUTO(err_done) struct err e = { 0 };
        struct hash *h = hash_new(HASH_SHA256);
        uint8_t piece[4096];
        uint64_t size = 0;
        uint32_t got = 0;
        size_t k = 1;
        sha256 d;

        deflate_walk_begin(z, buf_sv(packed), DEFLATE_CLOSED);
        while (k) {
                if (deflate_walk_next(z, piece, sizeof(piece), &k, NULL, &e) < 0)
                        abort();
                hash_add(h, piece, k);
                got = crc32_add(got, piece, k);
                size += k;
        }
        hash_end(h, d.b);
        hash_free(h);
        if (!sha256_eq(&d, tar) || size != tar_size || got != crc)
                abort();
}

static void make(sv in, enum layer_style style)
{
        AUTO(buf_done) struct buf packed = BUF_INIT((size_t)64 << 20);
        AUTO(body_done) struct body b = { 0 };
        AUTO(err_done) struct err e = { 0 };
        struct hash *tar = hash_new(HASH_SHA256);
        struct buf_writer out;
        struct entry en;
        struct content c;
        bool ok = true;
        sha256 d;

        body_begin(&b, style, buf_writer_init(&out, &packed), tar, NULL);
        while (ok && take_member(&in, &en, &c)) {
                guess_crc(&c);
                ok = body_entry(&b, &en, &c, &e) == 0;
        }
        if (ok && body_end(&b, &e) < 0)
                abort();
        hash_end(tar, d.b);
        hash_free(tar);
        if (!ok)
                return;
        buf_add(&packed, (sv){ "\x03\x00", 2 });
        check(&packed, &d, b.tar_size, b.tar_crc);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
        make((sv){ (const char *)p, n }, LAYER_JOIN);
        make((sv){ (const char *)p, n }, LAYER_CHUNK);
        return 0;
}
