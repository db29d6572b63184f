/* Tar archives from registries and packages, and ar: whatever the bytes are, reading ends, within the limits given. */
#include <stdint.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "ext/archive.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

#define MAX_BYTES ((uint64_t)1 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
        const struct archive_table *t = &envbuild_archive_table;
        struct archive_opts o = { .flags = ARCHIVE_TAR | ARCHIVE_AR | ARCHIVE_DECODE,
                                  .max_items = 1000,
                                  .max_bytes = MAX_BYTES,
                                  .bytes = { (const char *)p, n } };
        AUTO(err_done) struct err e = { 0 };
        struct archive_reader *r = NULL;
        const struct archive_item *it;
        uint64_t total = 0;
        char chunk[4096];
        size_t got = 1;

        if (t->open(&o, &r, &e) < 0)
                return 0;
        while (t->next(r, &it, &e) == 1)
                for (got = 1; got && t->read(r, chunk, sizeof(chunk), &got, &e) == 0;)
                        if ((total += got) > MAX_BYTES)
                                abort(); /* more than the headers said */
        t->close(r);
        return 0;
}
