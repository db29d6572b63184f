/* Where envbuild-rank is: looked for as archive.so is (ext/archive_load.c). */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "run/target/submit.h"

#define NAME "envbuild-rank"

static bool there(struct arena *a, sv dir, const char *sub, const char **ret)
{
        sv path = arena_fmt(a, "%.*s/%s" NAME, SV_ARG(dir), sub);

        if (dir.n == 0 || access(path.p, X_OK) < 0)
                return false;
        *ret = path.p;
        return true;
}

/* The folder of the running program; empty when it is not known. */
static sv own_dir(struct arena *a)
{
        char path[4096];
        ssize_t n = readlink("/proc/self/exe", path, sizeof(path));

        return n > 0 && (size_t)n < sizeof(path) ? arena_sv(a, sv_dirname((sv){ path, (size_t)n })) : (sv){ 0 };
}

int run_rank_program(struct arena *a, const char **ret, struct err *e)
{
        sv set = sv_from(getenv("ENVBUILD_LIBDIR")), own = own_dir(a);

        /* "../shim/": where the build tree has it; engines are given the path, so it must be whole */
        if ((sv_starts(set, SV("/")) && (there(a, set, "", ret) || there(a, set, "../shim/", ret))) ||
            there(a, own, "", ret) || there(a, own, "../shim/", ret) || there(a, SV(ENVBUILD_LIBDIR), "", ret))
                return 0;
        err_set(e, ERR_NOT_FOUND, "cannot find " NAME ", which runs beside every command");
        err_hint(e, "it stands beside the program or in %s; ENVBUILD_LIBDIR names another folder", ENVBUILD_LIBDIR);
        return -(int)e->code;
}
