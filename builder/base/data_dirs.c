#include "base/data_dirs.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"

#define UP_MAX 5 /* folders above the program */

static sv beside_program(struct arena *a, const char *name)
{
        char path[4096];
        ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);
        sv dir = { path, n < 0 ? 0 : (size_t)n };

        for (int i = 0; i < UP_MAX && sv_rfind(dir, '/') > 0; i++) {
                AUTO(free_ptr) char *at = NULL;

                dir.n = (size_t)sv_rfind(dir, '/');
                at = fs_path("%.*s/%s", SV_ARG(dir), name);
                if (fs_is_dir(at))
                        return arena_sv(a, sv_from(at));
        }
        return (sv){ 0 };
}

void data_dirs(struct arena *a, const char *variable, const char *name, const char *installed, sv **ret, size_t *ret_n)
{
        sv rest = sv_from(getenv(variable)), one, *v = NULL;
        size_t n = 0, cap = 0;

        while (sv_cut(&rest, ':', &one))
                if (one.n)
                        *arena_push(a, v, n, cap) = arena_sv(a, one);
        one = beside_program(a, name);
        if (one.n)
                *arena_push(a, v, n, cap) = one;
        *arena_push(a, v, n, cap) = arena_sv(a, sv_from(installed));
        *ret = v;
        *ret_n = n;
}
