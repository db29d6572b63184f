#include "tree/entry.h"

static const char *part_fault(sv part)
{
        if (!part.n)
                return "it has an empty part";
        if (sv_is(part, ".") || sv_is(part, ".."))
                return "it has a part '.' or '..'";
        return NULL;
}

static bool parts_are(sv path, bool whiteouts, const char **ret_why)
{
        sv rest = path, part;

        while (sv_cut(&rest, '/', &part)) {
                *ret_why = part_fault(part);
                if (!*ret_why && !whiteouts && sv_starts(part, SV(".wh.")))
                        *ret_why = "a name with '.wh.' first means 'deleted' in a layer";
                if (*ret_why)
                        return false;
        }
        return true;
}

static bool path_is(sv path, bool whiteouts, const char **ret_why)
{
        *ret_why = NULL;
        if (!path.n)
                *ret_why = "it is empty";
        else if (path.n > ENTRY_PATH_MAX)
                *ret_why = "it is longer than 4095 bytes";
        else if (path.p[0] == '/' || path.p[path.n - 1] == '/')
                *ret_why = "it begins or ends with '/'";
        else if (sv_find(path, '\0') >= 0)
                *ret_why = "it has a NUL byte";
        else if (!sv_utf8(path))
                *ret_why = "it is not UTF-8";
        return !*ret_why && parts_are(path, whiteouts, ret_why);
}

bool entry_path_safe(sv path, const char **ret_why)
{
        return path_is(path, false, ret_why);
}

bool entry_path_layer(sv path, const char **ret_why)
{
        return path_is(path, true, ret_why);
}

sv entry_path_plain(sv path)
{
        while (sv_starts(path, SV("./")))
                path = sv_skip(path, 2);
        while (path.n && path.p[path.n - 1] == '/')
                path.n--;
        return sv_is(path, ".") ? (sv){ 0 } : path;
}

int entry_cmp(const void *a, const void *b)
{
        return sv_cmp(((const struct entry *)a)->path, ((const struct entry *)b)->path);
}

sv entry_parent(sv path)
{
        ptrdiff_t at = sv_rfind(path, '/');

        return at < 0 ? (sv){ 0 } : (sv){ path.p, (size_t)at };
}
