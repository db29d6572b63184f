/* A path list is the one text that its entries give, or an error. */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "tree/paths.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
        struct arena a = { 0 };
        struct paths list = { 0 };
        struct err e = { 0 };
        AUTO(buf_done) struct buf again = BUF_INIT(n + 1);

        if (paths_parse(&a, (sv){ (const char *)p, n }, &list, &e) == 0) {
                paths_write(&list, &again);
                if (again.n != n || (n && memcmp(again.p, p, n) != 0))
                        abort();
        }
        err_done(&e);
        arena_done(&a);
        return 0;
}
