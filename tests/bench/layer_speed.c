/* tests/bench/layer_speed.c - how fast a wheel becomes a layer. Usage: layer_speed JOBS join|chunk WHEEL... ; a line a wheel:
 * "tar-bytes blob-bytes seconds". layer_speed.py compares with pigz and zstd. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fs.h"
#include "layer/layer.h"
#include "pkg/zip.h"

struct wheel {
        struct entry_source s;
        struct arena arena;
        struct fs_map map;
        struct zip zip;
        size_t at;
        struct entry entry;
};

static int next(struct entry_source *s, struct entry **ret, struct content *ret_content, struct err *e)
{
        struct wheel *w = (struct wheel *)s;
        const struct zip_member *m;
        sv packed;

        while (w->at < w->zip.n && w->zip.v[w->at].dir)
                w->at++;
        if (w->at == w->zip.n)
                return 0;
        m = &w->zip.v[w->at++];
        if (zip_data((sv){ (const char *)w->map.p, w->map.n }, m, &packed, e) < 0)
                return -(int)e->code;
        w->entry = (struct entry){ .path = arena_fmt(&w->arena, "opt/env/lib/python3.11/site-packages/%.*s",
                                                     SV_ARG(m->name)),
                                   .type = ENTRY_FILE,
                                   .mode = 0644,
                                   .mtime = ENTRY_MTIME_FLOOR,
                                   .size = m->size };
        *ret = &w->entry;
        *ret_content = (struct content){
                .kind = m->method ? CONTENT_DEFLATE : CONTENT_STORED, .p = packed.p, .n = packed.n, .crc = m->crc
        };
        return 1;
}

static int rewind_wheel(struct entry_source *s, struct err *e)
{
        (void)e;
        ((struct wheel *)s)->at = 0;
        return 0;
}

static void free_wheel(struct entry_source *s)
{
        struct wheel *w = (struct wheel *)s;

        fs_map_close(&w->map);
        arena_done(&w->arena);
        free(w);
}

static int open_wheel(const char *path, struct entry_source **ret, struct err *e)
{
        static const struct entry_source_ops ops = { next, rewind_wheel, free_wheel };
        struct wheel *w = xcalloc(1, sizeof(*w));

        w->s.ops = &ops;
        *ret = &w->s;
        if (fs_map_open(path, &w->map, e) < 0)
                return -(int)e->code;
        return zip_open(&w->arena, (sv){ (const char *)w->map.p, w->map.n }, w->map.n, &w->zip, NULL, e);
}

static int one(struct store *s, const char *path, enum layer_style style, struct op *op, struct err *e)
{
        AUTO(entry_source_freep) struct entry_source *src = NULL;
        struct layer_make m = { .style = style, .root = SV("opt"), .subject = sv_from(path) };
        struct layer_fact f;
        sha256 key = sha256_of(sv_from(path));
        int64_t from;

        if (open_wheel(path, &src, e) < 0)
                return -(int)e->code;
        from = clock_ms();
        if (layer_make(s, &m, &key, 1, false, src, op, &f, e) < 0)
                return -(int)e->code;
        printf("%llu %llu %.3f %s\n", (unsigned long long)f.body.tar_size, (unsigned long long)f.encoding[0].size,
               (double)(clock_ms() - from) / 1000, sha256_hex(&f.encoding[0].digest).s);
        return 0;
}

int main(int argc, char **argv)
{
        char dir[] = "/tmp/layer-speed-XXXXXX";
        AUTO(err_done) struct err e = { 0 };
        AUTO(store_closep) struct store *s = NULL;
        struct op op = { .jobs = argc > 1 ? (unsigned)atoi(argv[1]) : 1 };
        enum layer_style style = argc > 2 && !strcmp(argv[2], "chunk") ? LAYER_CHUNK : LAYER_JOIN;
        int rc = 0;

        if (argc < 4 || !mkdtemp(dir) || store_open(dir, true, &op, &s, &e) < 0)
                rc = -1;
        for (int i = 3; i < argc && rc == 0; i++)
                rc = one(s, argv[i], style, &op, &e);
        if (rc < 0)
                fprintf(stderr, "%s\n", e.cause ? e.cause : "usage: layer_speed JOBS join|chunk WHEEL...");
        fs_remove(dir, &e);
        return rc < 0;
}
