#include "catalog/conda_dists.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "base/map.h"
#include "pkg/pyname.h"

/* "a/site-packages/x.dist-info/METADATA" → "x.dist-info"; what lies deeper (vendored copies) is none. */
static sv dist_folder(sv path)
{
        static const char top[] = "site-packages/";
        ptrdiff_t at = sv_find_sv(path, SV("site-packages/"));
        sv rest, part;

        if (at < 0 || (at > 0 && path.p[at - 1] != '/'))
                return (sv){ 0 };
        rest = sv_skip(path, (size_t)at + sizeof(top) - 1);
        if (!sv_cut(&rest, '/', &part))
                return (sv){ 0 };
        return sv_ends(part, SV(".dist-info")) || sv_ends(part, SV(".egg-info")) ? part : (sv){ 0 };
}

/* "Foo_Bar-1.0-py3.9.egg-info" → "foo-bar 1.0" */
static sv dist_of(struct arena *a, sv folder)
{
        sv stem = sv_from_to(folder, 0, (size_t)sv_rfind(folder, '.')), name, version = { 0 };

        if (!sv_cut(&stem, '-', &name) || !name.n)
                return (sv){ 0 };
        sv_cut(&stem, '-', &version);
        name = pyname_normalise(a, name);
        return version.n ? arena_fmt(a, "%.*s %.*s", SV_ARG(name), SV_ARG(version)) : name;
}

void conda_dists_of(const sv *path, size_t n, struct arena *a, sv **ret, size_t *ret_n)
{
        AUTO(arena_done) struct arena tmp = { 0 };
        struct map seen = { 0 };
        size_t cap = 0;

        *ret = NULL;
        *ret_n = 0;
        for (size_t i = 0; i < n; i++) {
                sv folder = dist_folder(path[i]), dist;

                if (!folder.n || map_get(&seen, folder))
                        continue;
                map_put(&seen, &tmp, arena_sv(&tmp, folder), &seen);
                dist = dist_of(a, folder);
                if (dist.n)
                        *arena_push(a, *ret, *ret_n, cap) = dist;
        }
        if (*ret_n)
                qsort(*ret, *ret_n, sizeof(sv), sv_qsort);
}
