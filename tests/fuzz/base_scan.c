/* A layer of a base from anybody, read for its facts: a tar as it comes out of the decoder, twice, as two layers of one image. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "image/image_priv.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void look(const struct scan *s, struct arena *a)
{
        AUTO(err_done) struct err e = { 0 };
        sv env[] = { SV("PATH=/usr/bin:/bin"), SV("PYTHON_VERSION=3.12.1") };
        struct oci_config cfg = { .env = env, .n_env = 2 };
        struct lock_facts f;
        struct lock_python py;
        bool has = false;

        for (size_t i = 1; i < s->n; i++)
                if (sv_cmp(s->v[i - 1]->path, s->v[i]->path) >= 0)
                        abort(); /* sorted, each path once */
        if (facts_read(s, a, &f, &e) < 0)
                return;
        if (facts_python(s, &cfg, a, &has, &py, &e) == 0 && has && py.version.n == 0)
                abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(err_done) struct err e = { 0 };
        AUTO(close_fd) int fd = memfd_create("layer", MFD_CLOEXEC);
        sha256 d = sha256_of((sv){ (const char *)p, n }), diff_id[2] = { d, d };
        struct oci_desc layer[2] = { { .media_type = SV(OCI_LAYER), .digest = d, .size = n },
                                     { .media_type = SV(OCI_LAYER), .digest = d, .size = n } };
        char path[64];
        const char *blob[2] = { path, path };
        struct scan s;

        if (fd < 0 || fs_write_all(fd, p, n, "memfd", &e) < 0)
                return 0;
        snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        if (scan_layers(blob, layer, diff_id, 2, NULL, &a, &s, &e) == 0)
                look(&s, &a);
        return 0;
}
