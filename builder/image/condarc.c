/* Where conda looks for its settings on this machine. */
#include "image/image_priv.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"

struct finder {
        struct arena *a;
        struct condarc_text *v;
        size_t n, cap;
        struct err *e;
};

/* A file that is not there says nothing; one that cannot be read might say who may be asked. */
static int file_read(struct finder *f, const char *path)
{
        AUTO(buf_done) struct buf b = BUF_INIT((size_t)1 << 20);

        for (size_t i = 0; i < f->n; i++) /* $CONDA_ROOT and $CONDA_PREFIX are often the same */
                if (sv_is(f->v[i].where, path))
                        return 0;
        if (!fs_exists(path) || fs_is_dir(path))
                return 0;
        if (fs_read(path, &b, f->e) < 0)
                return err_while(f->e, "reading conda's settings");
        *arena_push(f->a, f->v, f->n, f->cap) =
                (struct condarc_text){ arena_sv(f->a, buf_sv(&b)), arena_sv(f->a, sv_from(path)) };
        return 0;
}

/* "condarc.d": its files that end in .yml or .yaml, by name. */
static int folder_read(struct finder *f, const char *path)
{
        AUTO(free_ptr) char **name = NULL;
        size_t n = 0;
        int r = 0;

        if (!fs_is_dir(path))
                return 0;
        if (fs_list(path, &name, &n, f->e) < 0)
                return err_while(f->e, "reading conda's settings");
        for (size_t i = 0; i < n && r == 0; i++) {
                AUTO(free_ptr) char *file = fs_path("%s/%s", path, name[i]);
                sv s = sv_from(name[i]);

                if (sv_ends(s, SV(".yml")) || sv_ends(s, SV(".yaml")) || sv_is(s, ".condarc") || sv_is(s, "condarc"))
                        r = file_read(f, file);
        }
        return r;
}

static int place_read(struct finder *f, const char *folder)
{
        AUTO(free_ptr) char *dotted = fs_path("%s/.condarc", folder);
        AUTO(free_ptr) char *plain = fs_path("%s/condarc", folder);
        AUTO(free_ptr) char *several = fs_path("%s/condarc.d", folder);

        return file_read(f, dotted) < 0 || file_read(f, plain) < 0 || folder_read(f, several) < 0 ? -(int)f->e->code
                                                                                                  : 0;
}

static int below_read(struct finder *f, const char *base, const char *folder)
{
        AUTO(free_ptr) char *path = NULL;

        if (!base || !*base)
                return 0;
        path = fs_path("%s%s", base, folder);
        return place_read(f, path);
}

/* Of an installed conda: $CONDA_ROOT, or the folder that its program's bin/ lies in. */
static int root_read(struct finder *f)
{
        const char *root = getenv("CONDA_ROOT"), *exe = getenv("CONDA_EXE");
        sv path = sv_from(exe);

        if ((root && *root) || !sv_ends(path, SV("/bin/conda")))
                return below_read(f, root, "");
        return below_read(f, arena_str(f->a, sv_from_to(path, 0, path.n - strlen("/bin/conda"))), "");
}

static int user_read(struct finder *f)
{
        const char *home = getenv("HOME");
        AUTO(free_ptr) char *own = home && *home ? fs_path("%s/.condarc", home) : NULL;

        if (below_read(f, getenv("XDG_CONFIG_HOME"), "/conda") < 0 || below_read(f, home, "/.config/conda") < 0 ||
            below_read(f, home, "/.conda") < 0)
                return -(int)f->e->code;
        return own ? file_read(f, own) : 0;
}

/* $CONDARC: a file, or a folder of files. */
static int named_read(struct finder *f)
{
        const char *path = getenv("CONDARC");

        if (!path || !*path)
                return 0;
        return fs_is_dir(path) ? folder_read(f, path) : file_read(f, path);
}

int condarc_load(struct arena *a, struct condarc *ret, struct err *e)
{
        struct finder f = { .a = a, .e = e };
        AUTO(free_ptr) char *cwd = getcwd(NULL, 0);

        if (place_read(&f, "/etc/conda") < 0 || place_read(&f, "/var/lib/conda") < 0 || root_read(&f) < 0 ||
            user_read(&f) < 0 || below_read(&f, getenv("CONDA_PREFIX"), "") < 0 || named_read(&f) < 0)
                return -(int)e->code;
        return condarc_parse(a, f.v, f.n, image_environment, a, arena_sv(a, sv_from(cwd)), ret, e);
}
