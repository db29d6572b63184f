#include "install/install.h"

struct venv {
        struct entry *entry;
        struct content *content;
        size_t n;
};

static struct entry *add(struct venv *v, sv path, enum entry_type type, uint32_t mode)
{
        struct entry *en = &v->entry[v->n++];

        *en = (struct entry){ .path = path, .type = type, .mode = mode, .mtime = ENTRY_MTIME_FLOOR, .generated = true };
        return en;
}

static sv dirname_of(sv path)
{
        ptrdiff_t slash = sv_rfind(path, '/');

        return slash > 0 ? sv_from_to(path, 0, (size_t)slash) : SV("/");
}

/* "3.13.5" → "3.13" */
static sv minor_of(sv version)
{
        sv rest = version, part;

        sv_cut(&rest, '.', &part);
        sv_cut(&rest, '.', &part);
        return sv_from_to(version, 0, (size_t)(part.p + part.n - version.p));
}

void install_venv(struct arena *a, const struct install_venv *v, struct entry **ret, struct content **ret_content,
                  size_t *ret_n)
{
        size_t max = v->n_parent + 4;
        struct venv out = { arena_array(a, struct entry, max), arena_array(a, struct content, max), 0 };
        sv cfg = arena_fmt(a, "home = %.*s\ninclude-system-site-packages = false\nversion = %.*s\n",
                           SV_ARG(dirname_of(v->python)), SV_ARG(v->python_version));

        for (size_t i = 0; i < v->n_parent; i++)
                out.entry[out.n++] = v->parent[i];
        add(&out, arena_fmt(a, "%.*s/env/bin/python", SV_ARG(v->root)), ENTRY_SYMLINK, 0777)->target =
                arena_sv(a, v->python);
        add(&out, arena_fmt(a, "%.*s/env/bin/python3", SV_ARG(v->root)), ENTRY_SYMLINK, 0777)->target = SV("python");
        add(&out, arena_fmt(a, "%.*s/env/bin/python%.*s", SV_ARG(v->root), SV_ARG(minor_of(v->python_version))),
            ENTRY_SYMLINK, 0777)
                ->target = SV("python");
        out.content[out.n] = (struct content){ .kind = CONTENT_BYTES, .p = cfg.p, .n = cfg.n };
        add(&out, arena_fmt(a, "%.*s/env/pyvenv.cfg", SV_ARG(v->root)), ENTRY_FILE, 0644)->size = cfg.n;
        *ret = out.entry;
        *ret_content = out.content;
        *ret_n = out.n;
}

void install_conda_env(struct arena *a, const struct install_venv *v, struct entry **ret, struct content **ret_content,
                       size_t *ret_n)
{
        size_t max = v->n_parent + 1;
        struct venv out = { arena_array(a, struct entry, max), arena_array(a, struct content, max), 0 };

        for (size_t i = 0; i < v->n_parent; i++)
                out.entry[out.n++] = v->parent[i];
        add(&out, arena_fmt(a, "%.*s/env", SV_ARG(v->root)), ENTRY_DIR, 0755);
        *ret = out.entry;
        *ret_content = out.content;
        *ret_n = out.n;
}
