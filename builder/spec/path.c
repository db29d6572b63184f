#include "spec/spec_priv.h"

bool spec_is_url(sv path)
{
        return (path.n > 7 && sv_eq_nocase((sv){ path.p, 7 }, SV("http://"))) ||
               (path.n > 8 && sv_eq_nocase((sv){ path.p, 8 }, SV("https://")));
}

/* "https://host" of a URL: what no ".." leads out of. */
static size_t root_len(sv path)
{
        ptrdiff_t slash;

        if (!spec_is_url(path))
                return path.n && path.p[0] == '/' ? 1 : 0;
        slash = sv_find(sv_skip(path, 8), '/');
        return slash < 0 ? path.n : (size_t)slash + 9;
}

sv spec_path_dir(struct arena *a, sv path)
{
        ptrdiff_t query = spec_is_url(path) ? sv_find(path, '?') : -1;
        size_t root = root_len(path);
        ptrdiff_t slash;

        if (query >= 0)
                path.n = (size_t)query;
        slash = sv_rfind(path, '/');
        if (slash < 0)
                return SV("");
        return arena_sv(a, (sv){ path.p, (size_t)slash < root ? root : (size_t)slash });
}

sv spec_path_join(struct arena *a, sv dir, sv path)
{
        sv whole, rest, part, *kept;
        size_t root, n = 0, parts = 1;
        char *out, *p;

        if (dir.n == 0 || spec_is_url(path) || (path.n && path.p[0] == '/' && !spec_is_url(dir)))
                whole = path;
        else if (path.n && path.p[0] == '/') /* "/x" on a server */
                whole = arena_fmt(a, "%.*s%.*s", (int)(root_len(dir) - 1), dir.p, SV_ARG(path));
        else
                whole = arena_fmt(a, "%.*s/%.*s", SV_ARG(dir), SV_ARG(path));
        root = root_len(whole);
        for (size_t i = 0; i < whole.n; i++)
                parts += whole.p[i] == '/';
        kept = arena_array(a, sv, parts);
        rest = sv_skip(whole, root);
        while (sv_cut(&rest, '/', &part)) {
                if (part.n == 0 || sv_is(part, "."))
                        continue;
                if (sv_is(part, "..") && (root || (n && !sv_is(kept[n - 1], ".."))))
                        n -= n > 0;
                else
                        kept[n++] = part;
        }
        out = p = arena_alloc(a, whole.n + 2, 1);
        __builtin_memcpy(p, whole.p, root);
        p += root;
        for (size_t i = 0; i < n; i++) {
                if (i)
                        *p++ = '/';
                __builtin_memcpy(p, kept[i].p, kept[i].n);
                p += kept[i].n;
        }
        return (sv){ out, (size_t)(p - out) };
}

sv spec_path_relative(struct arena *a, sv dir, sv path)
{
        sv inside = spec_path_join(a, dir, SV("."));

        if (inside.n == 0 || !sv_starts(path, inside) || path.n <= inside.n || path.p[inside.n] != '/')
                return path;
        return sv_skip(path, inside.n + 1);
}
