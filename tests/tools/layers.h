/* tests/tools/layers.h - a package's layers, made in a store: what the tools do with -n. */
#ifndef TESTS_TOOLS_LAYERS_H
#define TESTS_TOOLS_LAYERS_H

#include <stdio.h>

#include "base/cleanup.h"
#include "layer/layer.h"

/** Prints the paths of the blobs. */
static inline int tool_layers(const char *dir, enum layer_style style, unsigned parts, const struct artifact *art,
                              const struct install_ctx *ctx, struct entry_source *s, struct err *e)
{
        AUTO(store_closep) struct store *store = NULL;
        struct op op = { .jobs = style == LAYER_CHUNK ? 2 : 1 };
        struct layer_make m = { .style = style, .root = ctx->root, .subject = art->name };
        struct layer_fact fact[8] = { 0 };
        sha256 key[8];

        for (unsigned i = 0; i < parts; i++)
                key[i] = layer_key_package(art, ctx, i, parts);
        if (store_open(dir, true, &op, &store, e) < 0 || layer_make(store, &m, key, parts, false, s, &op, fact, e) < 0)
                return -(int)e->code;
        for (unsigned i = 0; i < parts; i++) {
                AUTO(free_ptr) char *path = store_find(store, STORE_BLOB, &fact[i].encoding[0].digest);
                printf("%s\n", path);
        }
        return 0;
}

#endif
