/* The first line is a path, what follows are the patterns of a root and of its folder "a". Any answer will do, soon. */
#include "base/cleanup.h"
#include "run/code/ignore.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
        AUTO(arena_done) struct arena a = { 0 };
        struct run_ignore *g = run_ignore_new(&a);
        sv rest = { (const char *)p, n }, path;

        if (!sv_cut(&rest, '\n', &path) || !path.n)
                return 0;
        run_ignore_add(g, SV(""), rest);
        run_ignore_add(g, SV("a"), rest);
        run_ignore_match(g, path, false);
        run_ignore_match(g, path, true);
        run_ignore_cut(g, 1);
        run_ignore_match(g, path, false);
        return 0;
}
