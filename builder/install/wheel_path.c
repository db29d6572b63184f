#include <string.h>

#include "install/wheel_priv.h"

/* The name without "." and empty parts, as normpath would have it; NULL with ret_why when it leaves its folder. */
static bool path_clean(struct arena *a, sv name, sv *ret, const char **ret_why)
{
        char *p = arena_alloc(a, name.n + 1, 1);
        size_t n = 0;
        sv part;

        if (name.n && name.p[0] == '/') {
                *ret_why = "it is absolute";
                return false;
        }
        while (sv_cut(&name, '/', &part)) {
                if (sv_is(part, "..")) {
                        *ret_why = "it has a '..' part";
                        return false;
                }
                if (!part.n || sv_is(part, "."))
                        continue;
                if (n)
                        p[n++] = '/';
                memcpy(p + n, part.p, part.n);
                n += part.n;
        }
        *ret = (sv){ p, n };
        return true;
}

/* ".data/KEY/rest": the folder of each key, relative to the prefix. */
static bool scheme_of(struct wheel *w, sv key, sv *ret)
{
        if (sv_is(key, "purelib") || sv_is(key, "platlib"))
                *ret = w->ctx.site_packages;
        else if (sv_is(key, "scripts"))
                *ret = SV("bin");
        else if (sv_is(key, "data"))
                *ret = (sv){ 0 };
        else if (sv_is(key, "headers"))
                *ret = arena_fmt(&w->arena, "include/python%.*s/%.*s", SV_ARG(w->ctx.python), SV_ARG(w->art->name));
        else
                return false;
        return true;
}

static int data_path(struct wheel *w, sv name, sv rest, sv *ret, enum wheel_item_kind *ret_kind, struct err *e)
{
        sv key = { 0 }, folder;

        if (!sv_cut(&rest, '/', &key) || !rest.n)
                return err_set(e, ERR_INTEGRITY, "unexpected file '%.*s': a .data folder holds KEY/PATH", SV_ARG(name));
        if (!scheme_of(w, key, &folder))
                return err_set(e, ERR_INTEGRITY,
                               "unknown scheme '%.*s' of '%.*s': a .data folder holds data, headers, platlib, purelib "
                               "and scripts",
                               SV_ARG(key), SV_ARG(name));
        if (sv_is(key, "scripts"))
                *ret_kind = ITEM_SCRIPT;
        *ret = folder.n ? arena_fmt(&w->arena, "%.*s/%.*s", SV_ARG(folder), SV_ARG(rest)) : rest;
        return 1;
}

/* Files that installers write (we write ours) or that a signed RECORD leaves behind when it is written anew. */
static bool is_ours(sv dist_info, sv path)
{
        static const char *const name[] = { "RECORD",    "RECORD.jws", "RECORD.p7s",
                                            "INSTALLER", "REQUESTED",  "direct_url.json" };
        sv rest = path, folder = { 0 };

        if (!sv_cut(&rest, '/', &folder) || !sv_eq(folder, dist_info))
                return false;
        for (size_t i = 0; i < ARRAY_LEN(name); i++)
                if (sv_is(rest, name[i]))
                        return true;
        return false;
}

int wheel_path(struct wheel *w, const struct zip_member *m, sv *ret_path, enum wheel_item_kind *ret_kind, struct err *e)
{
        sv path, rest, top = { 0 };
        const char *why = "";
        int rc = 1;

        if (!path_clean(&w->arena, m->name, &path, &why))
                return err_set(e, ERR_INTEGRITY, "unsafe path '%.*s' in the wheel: %s", SV_ARG(m->name), why);
        if (m->dir || is_ours(w->dist_info, path))
                return 0;
        *ret_kind = ITEM_MEMBER;
        rest = path;
        sv_cut(&rest, '/', &top);
        if (top.n < path.n && sv_ends(top, SV(".data")))
                rc = data_path(w, m->name, rest, &path, ret_kind, e);
        else
                path = arena_fmt(&w->arena, "%.*s/%.*s", SV_ARG(w->ctx.site_packages), SV_ARG(path));
        if (rc > 0 && !entry_path_safe(path, &why))
                return err_set(e, ERR_INTEGRITY, "unsafe path '%.*s' in the wheel: %s", SV_ARG(m->name), why);
        *ret_path = path;
        return rc;
}
