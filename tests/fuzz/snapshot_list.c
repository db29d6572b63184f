/* The list of a snapshot, and the index of a source: what was read as a list is written as the same text, and no link of it hangs the check. */
#include <stdlib.h>

#include "base/cleanup.h"
#include "run/code/index.h"
#include "run/code/list.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void read_index(sv text)
{
        struct run_seen seen = { 1, 2, 3, 4 };
        struct run_index x;
        sha256 d;

        if (run_index_open(text, &x))
                while (x.has)
                        run_index_find(&x, SV("\xff\xff"), &seen, &d);
}

/* With the check value that it would need. */
static void read_mended_index(sv text)
{
        AUTO(buf_done) struct buf b = BUF_INIT(1 << 20);

        buf_add(&b, text);
        run_index_end(&b);
        read_index(buf_sv(&b));
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(err_done) struct err e = { 0 };
        AUTO(buf_done) struct buf out = BUF_INIT(1 << 20);
        sv text = { (const char *)p, n };
        struct run_snapshot s;
        size_t at = 0;

        read_index(text);
        read_mended_index(text);
        if (run_list_parse(&a, text, &s, &e) < 0)
                return 0;
        run_list_write(&s, &out);
        if (!sv_eq(buf_sv(&out), text))
                abort();
        while (run_link_leaves(&s, &at))
                ;
        return 0;
}
