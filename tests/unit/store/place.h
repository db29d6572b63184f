/* tests/unit/store/place.h - a store in a folder of its own, gone afterwards, and images small enough to read. */
#ifndef TESTS_UNIT_STORE_PLACE_H
#define TESTS_UNIT_STORE_PLACE_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "store/store_priv.h"
#include "tests/unit/unit.h"

struct place {
        char path[64];
};

static inline int place_setup(void **state)
{
        struct place *p = calloc(1, sizeof(*p));

        snprintf(p->path, sizeof(p->path), "/tmp/envbuild-test-XXXXXX");
        *state = p;
        return p && mkdtemp(p->path) ? 0 : -1;
}

static inline int place_teardown(void **state)
{
        struct place *p = *state;
        struct err e = { 0 };
        int r = fs_remove(p->path, &e);

        err_done(&e);
        free(p);
        return r;
}

static inline struct store *place_open(void **state)
{
        struct place *p = *state;
        struct store *s = NULL;
        struct err e = { 0 };

        if (store_open(p->path, true, NULL, &s, &e) < 0)
                fail_msg("%s", e.cause);
        return s;
}

/* An image of one layer with this content: its manifest's descriptor. With `sparse` the layer is not put. */
static inline int image_put(struct store *s, const char *content, bool sparse, struct oci_desc *ret, struct err *e)
{
        AUTO(buf_done) struct buf config = BUF_INIT(4096), manifest = BUF_INIT(4096);
        struct oci_desc layer = { .media_type = SV(OCI_LAYER),
                                  .digest = sha256_of(sv_from(content)),
                                  .size = sv_from(content).n };
        struct oci_manifest m = { .layer = &layer, .n_layer = 1, .config = { .media_type = SV(OCI_CONFIG) } };

        if (!sparse && store_put_bytes(s, STORE_BLOB, sv_from(content), NULL, e) < 0)
                return -(int)e->code;
        buf_fmt(&config,
                "{\"architecture\":\"amd64\",\"os\":\"linux\",\"rootfs\":{\"diff_ids\":[\"sha256:%s\"],\"type\":"
                "\"layers\"}}",
                sha256_hex(&layer.digest).s);
        if (store_put_bytes(s, STORE_BLOB, buf_sv(&config), &m.config.digest, e) < 0)
                return -(int)e->code;
        m.config.size = config.n;
        oci_manifest_write(&m, &manifest);
        *ret = (struct oci_desc){ .media_type = SV(OCI_MANIFEST), .size = manifest.n };
        return store_put_bytes(s, STORE_BLOB, buf_sv(&manifest), &ret->digest, e);
}

/* How many files a folder of the store has. */
static inline size_t files_in(struct store *s, const char *folder)
{
        AUTO(free_ptr) char *path = fs_path("%s/%s", store_root(s), folder);
        AUTO(free_ptr) char **v = NULL;
        struct err e = { 0 };
        size_t n = 0;

        if (fs_list(path, &v, &n, &e) < 0)
                fail_msg("%s", e.cause);
        return n;
}

static inline char *index_text(struct store *s)
{
        AUTO(free_ptr) char *path = fs_path("%s/oci/index.json", store_root(s));
        struct buf b = BUF_INIT(1 << 20);
        struct err e = { 0 };

        if (fs_read(path, &b, &e) < 0)
                fail_msg("%s", e.cause);
        return b.p;
}

#endif
