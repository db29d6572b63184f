/* Which paths are ignored, by patterns: what tests/e2e/test_ignore.py compares with git. stdin: records that end with a NUL; a case is the number of
 * pattern files, for each its folder and its text; then the number of paths, and they, folders among them with a '/' at the end. Cases follow each
 * other. A line of 0s and 1s for each. */
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "run/code/ignore.h"

static bool number(sv *rest, uint64_t *ret)
{
        sv one;

        return sv_cut(rest, '\0', &one) && sv_u64(one, ret);
}

static bool one_case(sv *rest, uint64_t files)
{
        AUTO(arena_done) struct arena a = { 0 };
        struct run_ignore *g = run_ignore_new(&a);
        uint64_t paths;
        sv one, text;

        for (; files; files--) {
                if (!sv_cut(rest, '\0', &one) || !sv_cut(rest, '\0', &text))
                        return false;
                run_ignore_add(g, one, text);
        }
        if (!number(rest, &paths))
                return false;
        for (; paths && sv_cut(rest, '\0', &one); paths--) {
                bool dir = sv_ends(one, SV("/"));
                putchar(run_ignore_match(g, sv_from_to(one, 0, one.n - dir), dir) ? '1' : '0');
        }
        putchar('\n');
        return !paths;
}

int main(void)
{
        AUTO(buf_done) struct buf in = BUF_INIT((size_t)256 << 20);
        char chunk[65536];
        uint64_t files;
        size_t n;
        sv rest;

        while ((n = fread(chunk, 1, sizeof(chunk), stdin)))
                buf_add(&in, (sv){ chunk, n });
        rest = buf_sv(&in);
        while (number(&rest, &files))
                if (!one_case(&rest, files))
                        return 2;
        return 0;
}
