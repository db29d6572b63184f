/* Any bytes as a conda package; or, when 'T' is first, the tars of one (two bytes: length of info's in blocks), whose headers get their
 * checksums. Whatever is installed lies below the prefix, under safe and different paths, none below another that is no folder, and
 * a second pass says the same. */
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/map.h"
#include "install/conda_priv.h"
#include "tests/unit/install/conda_make.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static uint64_t octal(const char *p, size_t n)
{
        uint64_t v = 0;

        for (size_t i = 0; i < n && p[i] >= '0' && p[i] <= '7'; i++)
                v = v << 3 | (uint64_t)(p[i] - '0');
        return v;
}

static void fix_tar(struct buf *b)
{
        for (size_t at = 0; at + 512 <= b->n;) {
                char *h = b->p + at;
                unsigned sum = 8 * ' ';
                uint64_t size = octal(h + 124, 11);

                if (h[0] == '\0') {
                        at += 512;
                        continue;
                }
                for (size_t i = 0; i < 512; i++)
                        sum += i < 148 || i >= 156 ? (unsigned char)h[i] : 0;
                snprintf(h + 148, 8, "%06o", sum & 0777777);
                if (size > b->n)
                        return;
                at += 512 + (size + 511) / 512 * 512;
        }
}

static void add_part(struct buf *zst, const uint8_t *p, size_t n)
{
        AUTO(buf_done) struct buf tar = BUF_INIT((size_t)1 << 20);

        buf_add(&tar, (sv){ (const char *)p, n });
        fix_tar(&tar);
        made_zstd(zst, buf_sv(&tar));
}

static void wrap(const uint8_t *p, size_t n, struct buf *out)
{
        AUTO(buf_done) struct buf info = BUF_INIT((size_t)1 << 20), pkg = BUF_INIT((size_t)1 << 20);
        size_t first = n < 3 ? 0 : ((size_t)p[1] | (size_t)p[2] << 8) * 512;
        struct zip_made z;

        if (n < 3)
                return;
        p += 3;
        n -= 3;
        first = first < n ? first : n;
        add_part(&info, p, first);
        add_part(&pkg, p + first, n - first);
        {
                const struct zip_file f[] = { { .name = "pkg-x-1-0.tar.zst", .data = pkg.p, .n_data = pkg.n },
                                              { .name = "info-x-1-0.tar.zst", .data = info.p, .n_data = info.n } };
                zip_make(&z, f, ARRAY_LEN(f), "", 0);
        }
        *out = z.buf;
}

static void read_all(const struct content *c, struct entry *en, struct err *e)
{
        AUTO(hash_freep) struct hash *h = hash_new(HASH_SHA256);
        char piece[1024];
        uint64_t sum = 0;
        size_t n = 0;

        if (c->kind == CONTENT_BYTES) {
                hash_add(h, c->p, c->n);
                sum = c->n;
        } else if (c->kind == CONTENT_STREAM) {
                do {
                        if (c->read(c->arg, piece, sizeof(piece), &n, e) < 0)
                                return;
                        hash_add(h, piece, n);
                        sum += n;
                } while (n);
        }
        if (sum != en->size)
                abort();
        hash_end(h, en->sha256.b);
}

static size_t walk(struct arena *a, struct entry_source *s, bool read, struct err *e)
{
        struct map seen = { 0 };
        struct content c;
        struct entry *en;
        const char *why;
        size_t n = 0;

        for (; s->ops->next(s, &en, &c, e) > 0; n++) {
                struct entry *copy = arena_new(a, struct entry);

                *copy = *en;
                copy->path = arena_sv(a, en->path);
                if (!entry_path_safe(en->path, &why) || !sv_starts(en->path, SV("opt/env/")) ||
                    map_get(&seen, en->path))
                        abort();
                for (sv up = entry_parent(copy->path); up.n; up = entry_parent(up)) {
                        const struct entry *over = map_get(&seen, up);
                        if (over && over->type != ENTRY_DIR)
                                abort();
                }
                if (en->type == ENTRY_HARDLINK && !map_get(&seen, en->target))
                        abort();
                map_put(&seen, a, copy->path, copy);
                if (read && en->type == ENTRY_FILE)
                        read_all(&c, en, e);
                if (e->code)
                        break;
        }
        return n;
}

static void install(sv bytes)
{
        AUTO(entry_source_freep) struct entry_source *s = NULL;
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(diags_done) struct diags ds = { 0 };
        AUTO(err_done) struct err e = { 0 };
        struct artifact art = { .kind = ARTIFACT_CONDA, .url = SV("https://c.example/c/noarch/x-1-0.conda") };
        struct install_ctx ctx = { .prefix = SV("/opt/env"),
                                   .root = SV("opt"),
                                   .python = SV("3.11"),
                                   .site_packages = SV("lib/python3.11/site-packages") };
        struct conda_archive ar;
        struct conda_info info;
        size_t n;

        if (conda_archive_open(&a, bytes, &ar, &e) < 0 || conda_info_read(&a, &ar, &art, &info, &e) < 0)
                return;
        art.name = info.index.name;
        art.version = info.index.version;
        art.build = info.index.build;
        if (install_conda(&art, bytes, &ctx, &ds, &s, &e) < 0)
                return;
        n = walk(&a, s, true, &e);
        if (e.code || s->ops->rewind(s, &e) < 0)
                return;
        if (walk(&a, s, false, &e) != n || e.code)
                abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
        AUTO(buf_done) struct buf made = { 0 };

        if (n && p[0] == 'T' && n < 500000) {
                wrap(p, n, &made);
                install(buf_sv(&made));
        } else {
                install((sv){ (const char *)p, n });
        }
        return 0;
}
