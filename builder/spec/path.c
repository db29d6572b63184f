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

/* A relative path and an absolute one, or a folder above where we stand: nothing to say in terms of the other. */
static bool comparable(sv dir, sv path)
{
        return !spec_is_url(path) && !spec_is_url(dir) && root_len(dir) == root_len(path) && !sv_is(dir, "..") &&
               !sv_starts(dir, SV("../"));
}

sv spec_path_relative(struct arena *a, sv dir, sv path)
{
        sv from = spec_path_join(a, dir, SV(".")), to = spec_path_join(a, SV(""), path), rest, part;
        size_t same = 0, up = 0;
        char *out, *p;

        if (!comparable(from, to))
                return path;
        from = sv_skip(from, root_len(from));
        to = sv_skip(to, root_len(to));
        for (size_t i = 0; i <= from.n && i <= to.n; i++) {
                bool end_from = i == from.n || from.p[i] == '/', end_to = i == to.n || to.p[i] == '/';
                if (end_from && end_to)
                        same = i;
                if (i == from.n || i == to.n || from.p[i] != to.p[i])
                        break;
        }
        rest = sv_skip(from, same);
        while (sv_cut(&rest, '/', &part))
                up += part.n > 0;
        to = sv_skip(to, same);
        if (to.n && to.p[0] == '/')
                to = sv_skip(to, 1);
        out = p = arena_alloc(a, 3 * up + to.n + 1, 1);
        for (size_t i = 0; i < up; i++, p += 3)
                __builtin_memcpy(p, "../", 3);
        if (to.n)
                __builtin_memcpy(p, to.p, to.n);
        return (sv){ out, 3 * up + to.n };
}
