/* tests/unit/sandbox/tar.h - tar archives made by hand, hostile ones too, and a store to unpack them in. */
#ifndef TESTS_UNIT_SANDBOX_TAR_H
#define TESTS_UNIT_SANDBOX_TAR_H

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "ext/hash.h"
#include "sandbox/sandbox_priv.h"
#include "tests/unit/unit.h"

#define TAR_MAX ((size_t)64 << 20)

/* A ustar header; type '0' is followed by its bytes. */
static inline void tar_add(struct buf *out, const char *name, char type, unsigned mode, const char *link, sv bytes)
{
        static const char zeros[512];
        char h[512] = "";
        unsigned sum = 0;

        snprintf(h, 100, "%s", name);
        snprintf(h + 100, 8, "%07o", mode);
        memcpy(h + 108, "0000000", 8);
        memcpy(h + 116, "0000000", 8);
        snprintf(h + 124, 12, "%011zo", bytes.n);
        memcpy(h + 136, "07346545000", 12); /* 1000000000 */
        memset(h + 148, ' ', 8);
        h[156] = type;
        snprintf(h + 157, 100, "%s", link);
        memcpy(h + 257, "ustar\00000", 8);
        memcpy(h + 329, "0000001", 8); /* devices are 1:3, /dev/null */
        memcpy(h + 337, "0000003", 8);
        for (size_t i = 0; i < sizeof(h); i++)
                sum += (unsigned char)h[i];
        snprintf(h + 148, 8, "%06o", sum);
        buf_add(out, (sv){ h, sizeof(h) });
        buf_add(out, bytes);
        buf_add(out, (sv){ zeros, (512 - bytes.n % 512) % 512 });
}

static inline void tar_file(struct buf *out, const char *name, const char *text)
{
        tar_add(out, name, '0', 0644, "", sv_from(text));
}

static inline void tar_end(struct buf *out)
{
        static const char zeros[1024];
        buf_add(out, (sv){ zeros, sizeof(zeros) });
}

/* Put a tar as a plain layer and unpack it. */
static inline int tar_unpack(struct store *s, sv tar, sha256 *ret, struct err *e)
{
        struct oci_desc layer = { .media_type = SV(OCI_LAYER), .size = tar.n };

        if (store_put_bytes(s, STORE_BLOB, tar, &layer.digest, e) < 0)
                return -(int)e->code;
        *ret = layer.digest;
        return sandbox_unpack(s, &layer, ret, NULL, e);
}

struct place {
        char path[64];
        struct store *store;
};

static inline int place_setup(void **state)
{
        struct place *p = calloc(1, sizeof(*p));
        struct err e = { 0 };

        *state = p;
        snprintf(p->path, sizeof(p->path), "/tmp/envbuild-test-XXXXXX");
        if (!mkdtemp(p->path))
                return -1;
        AUTO(free_ptr) char *root = fs_path("%s/store", p->path);
        return store_open(root, true, NULL, &p->store, &e);
}

static inline int place_teardown(void **state)
{
        struct place *p = *state;
        struct err e = { 0 };
        int r;

        store_close(p->store);
        r = fs_remove(p->path, &e);
        err_done(&e);
        free(p);
        return r;
}

#define row(f) cmocka_unit_test_setup_teardown(f, place_setup, place_teardown)

#endif
