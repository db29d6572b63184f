/* Any bytes as the wheel x 1.0: whatever it installs lies below the prefix, under safe and different paths, and a second pass says the same. */
#include <stdlib.h>

#include "base/cleanup.h"
#include "ext/hash.h"
#include "stream/deflate_walk.h"
#include "install/install.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void inflate_some(const struct content *c)
{
        AUTO(deflate_walk_freep) struct deflate_walk *z = deflate_walk_new();
        AUTO(err_done) struct err e = { 0 };
        static char part[4096];
        size_t n;

        deflate_walk_begin(z, (sv){ c->p, c->n }, DEFLATE_CLOSED);
        for (int i = 0; i < 16 && deflate_walk_next(z, part, sizeof(part), &n, NULL, &e) == 0 && n; i++)
                ;
}

static size_t walk(struct entry_source *s, sv *path, size_t max, struct err *e)
{
        struct content c;
        struct entry *en;
        const char *why;
        size_t n = 0;

        for (; s->ops->next(s, &en, &c, e) > 0; n++) {
                if (!entry_path_safe(en->path, &why) || !sv_starts(en->path, SV("opt/env/")))
                        abort();
                if (c.kind == CONTENT_DEFLATE)
                        inflate_some(&c);
                else if (c.n != en->size)
                        abort();
                else
                        crc32_add(0, c.p, c.n); /* touches every byte */
                if (n < max)
                        path[n] = en->path;
        }
        for (size_t i = 0; i < n && i < max; i++)
                for (size_t k = i + 1; k < n && k < max; k++)
                        if (sv_eq(path[i], path[k]))
                                abort();
        return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
        AUTO(entry_source_freep) struct entry_source *s = NULL;
        AUTO(diags_done) struct diags ds = { 0 };
        AUTO(err_done) struct err e = { 0 };
        struct artifact art = {
                .kind = ARTIFACT_WHEEL, .name = SV("x"), .version = SV("1.0"), .url = SV("x-1.0.whl"), .direct = true
        };
        struct install_ctx ctx = { .prefix = SV("/opt/env"),
                                   .root = SV("opt"),
                                   .python = SV("3.13"),
                                   .site_packages = SV("lib/python3.13/site-packages") };
        sv path[64];

        if (install_wheel(&art, (sv){ (const char *)p, n }, &ctx, &ds, &s, &e) == 0) {
                size_t first = walk(s, path, ARRAY_LEN(path), &e);

                s->ops->rewind(s, &e);
                if (!e.code && walk(s, path, ARRAY_LEN(path), &e) != first)
                        abort();
        }
        return 0;
}
