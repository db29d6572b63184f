#include "install/deb.h"

#define STATIC_IDS 100 /* Policy 9.2.2: below are those that are the same on every system */

static bool merged_dir(sv path, sv *ret_rest)
{
        static const char *const dirs[] = { "bin", "sbin", "lib", "lib64" };

        for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
                sv d = sv_from(dirs[i]);
                if (sv_starts(path, d) && (path.n == d.n || path.p[d.n] == '/')) {
                        *ret_rest = sv_skip(path, d.n);
                        return true;
                }
        }
        return false;
}

sv deb_usrmerge(struct arena *a, sv path)
{
        sv rest;
        return merged_dir(path, &rest) ? arena_fmt(a, "usr/%.*s", SV_ARG(path)) : path;
}

static int judge(const struct archive_item *it, sv path, struct err *e)
{
        const char *why;

        if (!entry_path_safe(path, &why))
                return err_set(e, ERR_INTEGRITY, "the package holds the path '%.*s': %s", SV_ARG(it->path), why);
        if (it->type != ARCHIVE_FILE && it->type != ARCHIVE_DIR && it->type != ARCHIVE_SYMLINK &&
            it->type != ARCHIVE_HARDLINK)
                return err_set(e, ERR_FAILED, "the package holds a device or pipe, '%.*s', which an image can't",
                               SV_ARG(path));
        if (it->uid >= STATIC_IDS || it->gid >= STATIC_IDS)
                return err_set(e, ERR_FAILED,
                               "'%.*s' belongs to %llu:%llu: ids from 100 on differ from system to system",
                               SV_ARG(path), (unsigned long long)it->uid, (unsigned long long)it->gid);
        if (it->type == ARCHIVE_SYMLINK && it->link.n == 0)
                return err_set(e, ERR_INTEGRITY, "the link '%.*s' has no target", SV_ARG(path));
        return 0;
}

int deb_item_of(struct arena *a, const struct archive_item *it, bool usrmerged, struct deb_item *ret, struct err *e)
{
        static const enum entry_type types[] = { [ARCHIVE_FILE] = ENTRY_FILE,
                                                 [ARCHIVE_DIR] = ENTRY_DIR,
                                                 [ARCHIVE_SYMLINK] = ENTRY_SYMLINK,
                                                 [ARCHIVE_HARDLINK] = ENTRY_HARDLINK };
        sv path = entry_path_plain(it->path), rest;
        struct entry *en = &ret->entry;

        if (path.n == 0 && it->type == ARCHIVE_DIR)
                return 0;
        if (judge(it, path, e) < 0)
                return -(int)e->code;
        ret->wrote = arena_fmt(a, "/%.*s", SV_ARG(path));
        path = sv_skip(ret->wrote, 1);
        if (usrmerged && it->type != ARCHIVE_SYMLINK && merged_dir(path, &rest) && rest.n == 0)
                return 0;
        *en = (struct entry){ .path = path,
                              .type = types[it->type],
                              .mode = it->mode,
                              .uid = (uint32_t)it->uid,
                              .gid = (uint32_t)it->gid,
                              .mtime = it->mtime < ENTRY_MTIME_FLOOR ? ENTRY_MTIME_FLOOR : it->mtime,
                              .size = it->type == ARCHIVE_FILE ? it->size : 0 };
        if (usrmerged && !(merged_dir(path, &rest) && rest.n == 0))
                en->path = deb_usrmerge(a, path);
        if (it->type == ARCHIVE_SYMLINK) {
                en->target = arena_sv(a, it->link);
        } else if (it->type == ARCHIVE_HARDLINK) {
                const char *why;

                en->target = arena_sv(a, entry_path_plain(it->link));
                if (!entry_path_safe(en->target, &why))
                        return err_set(e, ERR_INTEGRITY, "the hard link '%.*s' leads to '%.*s': %s", SV_ARG(path),
                                       SV_ARG(it->link), why);
                if (usrmerged)
                        en->target = deb_usrmerge(a, en->target);
        }
        return 1;
}
