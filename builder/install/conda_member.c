#include "install/conda_priv.h"

static const char *type_name(enum archive_type t)
{
        return t == ARCHIVE_FIFO ? "pipe" : t == ARCHIVE_CHAR ? "character device" : "block device";
}

int conda_member_of(struct arena *a, const struct archive_item *it, struct conda_member *ret, struct err *e)
{
        static const enum entry_type types[] = { [ARCHIVE_FILE] = ENTRY_FILE,
                                                 [ARCHIVE_DIR] = ENTRY_DIR,
                                                 [ARCHIVE_SYMLINK] = ENTRY_SYMLINK,
                                                 [ARCHIVE_HARDLINK] = ENTRY_HARDLINK };
        bool absolute = it->path.n && it->path.p[0] == '/';
        sv path = absolute ? it->path : entry_path_plain(it->path);
        const char *why;

        if (!path.n && it->type == ARCHIVE_DIR)
                return 0;
        if (!entry_path_safe(path, &why))
                return err_set(e, ERR_INTEGRITY, "the package holds the path '%.*s': %s", SV_ARG(it->path), why);
        if (it->type == ARCHIVE_FIFO || it->type == ARCHIVE_CHAR || it->type == ARCHIVE_BLOCK)
                return err_set(e, ERR_INTEGRITY,
                               "the package holds the %s '%.*s': only files, folders and links can be installed",
                               type_name(it->type), SV_ARG(path));
        *ret = (struct conda_member){ .path = arena_sv(a, path),
                                      .type = types[it->type],
                                      .mode = it->mode & 0111 ? 0755 : 0644,
                                      .mtime = it->mtime < ENTRY_MTIME_FLOOR ? ENTRY_MTIME_FLOOR : it->mtime,
                                      .size = it->type == ARCHIVE_FILE ? it->size : 0 };
        if (it->type == ARCHIVE_SYMLINK)
                ret->link = arena_sv(a, it->link);
        if (it->type != ARCHIVE_HARDLINK)
                return 1;
        ret->link = arena_sv(a, it->link.n && it->link.p[0] == '/' ? it->link : entry_path_plain(it->link));
        if (entry_path_safe(ret->link, &why))
                return 1;
        return err_set(e, ERR_INTEGRITY, "'%.*s' is a hard link to '%.*s', which is outside of the package: %s",
                       SV_ARG(path), SV_ARG(it->link), why);
}

/* Values of the map: one of each kind of path. */
static const char kinds[] = { ENTRY_FILE, ENTRY_DIR, ENTRY_SYMLINK };

static void *kind_of(enum entry_type type)
{
        return (void *)&kinds[type == ENTRY_DIR ? 1 : type == ENTRY_SYMLINK ? 2 : 0];
}

int conda_tree_add(struct conda_tree *t, struct arena *a, sv path, enum entry_type type, struct err *e)
{
        const char *have = map_get(&t->at, path);

        if (have && (*have != ENTRY_DIR || type != ENTRY_DIR))
                return err_set(e, ERR_INTEGRITY,
                               *have == ENTRY_DIR ? "the package has '%.*s' as a file and as a folder"
                                                  : "the package has '%.*s' twice",
                               SV_ARG(path));
        for (sv up = entry_parent(path); up.n; up = entry_parent(up)) {
                have = map_get(&t->at, up);
                if (have && *have == ENTRY_SYMLINK)
                        return err_set(e, ERR_INTEGRITY,
                                       "'%.*s' would be written through '%.*s', a symbolic link of the same package",
                                       SV_ARG(path), SV_ARG(up));
                if (have && *have != ENTRY_DIR)
                        return err_set(e, ERR_INTEGRITY,
                                       "'%.*s' lies below '%.*s', which is a file of the same package", SV_ARG(path),
                                       SV_ARG(up));
                if (have)
                        break;
                map_put(&t->at, a, up, kind_of(ENTRY_DIR));
        }
        map_put(&t->at, a, path, kind_of(type));
        return 0;
}
