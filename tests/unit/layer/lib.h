/* tests/unit/layer/lib.h - packages made of memory, a store in a temporary folder, and zlib as the judge of what was written. */
#ifndef TESTS_UNIT_LAYER_LIB_H
#define TESTS_UNIT_LAYER_LIB_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/fs.h"
#include "layer/layer_priv.h"
#include "tests/unit/unit.h"

#define TEST_MAX ((size_t)256 << 20)

/* --- a world --- */

struct world {
        char dir[32];
        struct store *store;
        struct arena arena;
        struct op op;
};

static inline void world_open(struct world *w, unsigned jobs)
{
        struct err e = { 0 };

        *w = (struct world){ .dir = "/tmp/unit-layer-XXXXXX", .op = { .jobs = jobs } };
        assert_non_null(mkdtemp(w->dir));
        assert_int_equal(store_open(w->dir, true, &w->op, &w->store, &e), 0);
}

static inline void world_done(struct world *w)
{
        struct err e = { 0 };

        store_close(w->store);
        arena_done(&w->arena);
        assert_int_equal(fs_remove(w->dir, &e), 0);
}

/* --- packages --- */

struct pack {
        struct arena *arena;
        struct entry *entry;
        struct content *content;
        size_t n, cap, cap_content;
        bool record; /* a RECORD of all digests comes last: what generated entries do */
};

/* What a zip member holds: raw deflate by zlib. */
static inline sv raw_deflate(struct arena *a, sv plain, int level, int strategy)
{
        z_stream s = { 0 };
        size_t room = plain.n + plain.n / 8 + 1000;
        char *out = arena_alloc(a, room, 1);

        assert_int_equal(deflateInit2(&s, level, Z_DEFLATED, -15, 8, strategy), Z_OK);
        s.next_in = (Bytef *)plain.p;
        s.avail_in = (uInt)plain.n;
        s.next_out = (Bytef *)out;
        s.avail_out = (uInt)room;
        assert_int_equal(deflate(&s, Z_FINISH), Z_STREAM_END);
        deflateEnd(&s);
        return (sv){ out, s.total_out };
}

static inline struct entry *pack_add(struct pack *p, sv path, enum entry_type type, uint32_t mode)
{
        *arena_push(p->arena, p->content, p->n, p->cap_content) = (struct content){ 0 };
        p->n--;
        *arena_push(p->arena, p->entry, p->n, p->cap) = (struct entry){
                .path = arena_sv(p->arena, path), .type = type, .mode = mode, .mtime = ENTRY_MTIME_FLOOR
        };
        return &p->entry[p->n - 1];
}

static inline struct entry *pack_file(struct pack *p, const char *path, sv bytes, enum content_kind kind)
{
        struct entry *en = pack_add(p, sv_from(path), ENTRY_FILE, 0644);
        struct content *c = &p->content[p->n - 1];
        sv packed = kind == CONTENT_DEFLATE ? raw_deflate(p->arena, bytes, 6, Z_DEFAULT_STRATEGY) : bytes;

        en->size = bytes.n;
        *c = (struct content){ .kind = kind,
                               .p = packed.p,
                               .n = packed.n,
                               .crc = (uint32_t)crc32(0, (const Bytef *)bytes.p, (uInt)bytes.n) };
        return en;
}

static inline void pack_link(struct pack *p, const char *path, enum entry_type type, const char *target)
{
        pack_add(p, sv_from(path), type, 0777)->target = sv_from(target);
}

/* --- their source --- */

struct pack_source {
        struct entry_source s;
        struct pack *pack;
        struct entry *copy;
        size_t at;
        unsigned passes;
        sv stream; /* what is left of a CONTENT_STREAM */
        struct buf record;
        struct entry record_entry;
};

static inline int pack_read(void *arg, void *p, size_t max, size_t *ret_n, struct err *e)
{
        struct pack_source *s = arg;
        size_t n = s->stream.n < max ? s->stream.n : max;

        (void)e;
        n = n > 1000 ? 1000 + n % 7 : n; /* uneven pieces */
        memcpy(p, s->stream.p, n);
        s->stream = sv_skip(s->stream, n);
        *ret_n = n;
        return 0;
}

static inline void pack_record(struct pack_source *s, struct entry **ret, struct content *ret_content)
{
        buf_clear(&s->record);
        for (size_t i = 0; i < s->pack->n; i++)
                if (s->copy[i].type == ENTRY_FILE)
                        buf_fmt(&s->record, "%.*s,%s\n", SV_ARG(s->copy[i].path),
                                sha256_is_zero(&s->copy[i].sha256) ? "?" : sha256_hex(&s->copy[i].sha256).s);
        s->record_entry = (struct entry){ .path = SV("opt/env/RECORD"),
                                          .type = ENTRY_FILE,
                                          .mode = 0644,
                                          .mtime = ENTRY_MTIME_FLOOR,
                                          .size = s->record.n,
                                          .generated = true };
        *ret = &s->record_entry;
        *ret_content = (struct content){ .kind = CONTENT_BYTES, .p = s->record.p, .n = s->record.n };
}

static inline int pack_next(struct entry_source *es, struct entry **ret, struct content *ret_content, struct err *e)
{
        struct pack_source *s = (struct pack_source *)es;
        size_t i = s->at++;

        (void)e;
        if (i == s->pack->n && s->pack->record) {
                pack_record(s, ret, ret_content);
                return 1;
        }
        if (i >= s->pack->n)
                return 0;
        *ret = &s->copy[i];
        *ret_content = s->pack->content[i];
        if (ret_content->kind == CONTENT_STREAM) {
                s->stream = (sv){ ret_content->p, ret_content->n };
                ret_content->arg = s;
                ret_content->read = pack_read;
        }
        return 1;
}

static inline int pack_rewind(struct entry_source *es, struct err *e)
{
        struct pack_source *s = (struct pack_source *)es;

        (void)e;
        s->at = 0;
        s->passes++;
        return 0;
}

static inline void pack_free(struct entry_source *es)
{
        struct pack_source *s = (struct pack_source *)es;

        buf_done(&s->record);
        free(s->copy);
        free(s);
}

static inline struct entry_source *pack_source(struct pack *p)
{
        static const struct entry_source_ops ops = { pack_next, pack_rewind, pack_free };
        struct pack_source *s = xcalloc(1, sizeof(*s));

        s->s.ops = &ops;
        s->pack = p;
        s->record = (struct buf)BUF_INIT(TEST_MAX);
        s->copy = xmalloc(p->n * sizeof(*s->copy) + 1);
        if (p->n)
                memcpy(s->copy, p->entry, p->n * sizeof(*s->copy));
        return &s->s;
}

static inline int pack_remake(void *arg, struct entry_source **ret, struct err *e)
{
        (void)e;
        *ret = pack_source(arg);
        return 0;
}

static inline struct layer_make make_of(enum layer_style style)
{
        return (struct layer_make){ .style = style, .root = SV("opt"), .subject = SV("test") };
}

static inline sha256 key_of(unsigned n)
{
        return sha256_of((sv){ (const char *)&n, sizeof(n) });
}

static inline int pack_make(struct world *w, struct pack *p, enum layer_style style, unsigned key, bool only_body,
                            struct layer_fact *ret, struct err *e)
{
        AUTO(entry_source_freep) struct entry_source *src = pack_source(p);
        struct layer_make m = make_of(style);
        sha256 k = key_of(key);

        return layer_make(w->store, &m, &k, 1, only_body, src, &w->op, ret, e);
}

/* --- judging --- */

/* One gzip member that fills the bytes, by zlib; its CRC and size are checked there. */
static inline void gunzip_one(sv packed, struct buf *ret)
{
        z_stream s = { 0 };
        int rc = Z_OK;

        assert_int_equal(inflateInit2(&s, 31), Z_OK);
        s.next_in = (Bytef *)packed.p;
        s.avail_in = (uInt)packed.n;
        while (rc == Z_OK) {
                char *room = buf_room(ret, 1 << 20);

                assert_non_null(room);
                s.next_out = (Bytef *)room;
                s.avail_out = 1 << 20;
                rc = inflate(&s, Z_NO_FLUSH);
                ret->n += (1 << 20) - s.avail_out;
        }
        assert_int_equal(rc, Z_STREAM_END);
        assert_int_equal(s.avail_in, 0);
        inflateEnd(&s);
}

static inline void blob_read(struct world *w, const sha256 *digest, struct buf *ret)
{
        struct err e = { 0 };

        assert_int_equal(store_read(w->store, STORE_BLOB, digest, ret, &e), 0);
}

/* The tar of a layer; everything the fact says of it is checked. */
static inline void layer_tar(struct world *w, const struct layer_fact *f, struct buf *ret)
{
        AUTO(buf_done) struct buf blob = BUF_INIT(TEST_MAX);
        const struct layer_encoding *en = layer_fact_encoding(f, OCI_CODEC_GZIP);
        sha256 d;

        assert_non_null(en);
        blob_read(w, &en->digest, &blob);
        assert_int_equal(blob.n, en->size);
        gunzip_one(buf_sv(&blob), ret);
        d = sha256_of(buf_sv(ret));
        assert_true(sha256_eq(&d, &f->diff_id));
        assert_int_equal(ret->n % 512, 0);
        if (f->has_body) {
                assert_true(f->body.at + f->body.size <= blob.n);
                assert_int_equal((uint32_t)crc32(0, (const Bytef *)ret->p + ret->n - 1024 - f->body.tar_size,
                                                 (uInt)f->body.tar_size),
                                 f->body.tar_crc);
        }
}

/* Bytes that look like something: words, zeros and noise in turn. */
static inline sv some_bytes(struct arena *a, size_t n, uint32_t seed)
{
        char *p = arena_alloc(a, n + 1, 1);
        uint32_t x = seed * 2654435761U + 1, mode = 0;

        for (size_t i = 0; i < n; i++) {
                x = x * 1664525 + 1013904223;
                if (i % 300 == 0)
                        mode = x >> 30;
                p[i] = mode == 0 ? 0 : mode == 1 ? (char)(x >> 24) : "etaoin shrdlu\n,.()"[(x >> 20) % 18];
        }
        return (sv){ p, n };
}

#endif
