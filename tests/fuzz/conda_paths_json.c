/* Any text as info/paths.json; or, when no '{' is first, as info/files, a NUL, and info/has_prefix: only safe and different paths. */
#include <stdlib.h>

#include "base/cleanup.h"
#include "install/conda_priv.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(err_done) struct err e = { 0 };
        sv text = { (const char *)p, n };
        struct conda_paths paths = { 0 };
        struct conda_texts t = { 0 };
        const char *why;

        if (sv_starts(text, SV("{"))) {
                t.paths = text;
        } else {
                t.has_prefix = text;
                sv_cut(&t.has_prefix, '\0', &t.files);
        }
        if (conda_paths_read(&a, &t, &paths, &e) < 0)
                return 0;
        for (size_t i = 0; i < paths.n; i++) {
                const struct conda_path *c = paths.v[i];

                if (!entry_path_safe(c->path, &why) || sv_starts(c->path, SV("info/")) ||
                    map_get(&paths.by_path, c->path) != c)
                        abort();
                if (c->placeholder.n && (!sv_utf8(c->placeholder) || sv_find(c->placeholder, '\0') >= 0))
                        abort();
        }
        return 0;
}
