#include "layer/layer_priv.h"

static int bad(const struct entry *en, const char *why, struct err *e)
{
        return err_set(e, ERR_INTEGRITY, "the path '%.*s' cannot be in a layer: %s", SV_ARG(en->path), why);
}

static int check_link(const struct entry *en, struct err *e)
{
        const char *why;

        if (en->type == ENTRY_HARDLINK && !entry_path_layer(en->target, &why))
                return bad(en, why, e);
        if (!en->target.n || en->target.n > ENTRY_PATH_MAX || sv_find(en->target, '\0') >= 0 || !sv_utf8(en->target))
                return bad(en, "its link target is not a text of 1 to 4095 bytes of UTF-8", e);
        return 0;
}

int layer_entry_check(const struct layer_make *m, const struct entry *en, const struct content *c, struct entry *ret,
                      struct err *e)
{
        const char *why;

        if (m->whiteouts ? !entry_path_layer(en->path, &why) : !entry_path_safe(en->path, &why))
                return bad(en, why, e);
        if (en->mode > 07777)
                return bad(en, "its mode is more than permission bits", e);
        if (en->size > INT64_MAX)
                return bad(en, "its size is absurd", e);
        *ret = *en;
        if (ret->mtime < ENTRY_MTIME_FLOOR || en->type == ENTRY_DIR)
                ret->mtime = ENTRY_MTIME_FLOOR;
        switch (en->type) {
        case ENTRY_FILE:
                ret->target = (sv){ 0 };
                return 0;
        case ENTRY_DIR:
                ret->target = (sv){ 0 };
                break;
        case ENTRY_SYMLINK:
                ret->mode = 0777;
                /* fall through */
        case ENTRY_HARDLINK:
                if (check_link(en, e) < 0)
                        return -(int)e->code;
                break;
        default:
                return bad(en, "its type is unknown", e);
        }
        ret->size = 0;
        return c->kind == CONTENT_NONE ? 0 : bad(en, "it is no file, but has content", e);
}
