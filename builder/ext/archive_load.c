#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/fs.h"
#include "ext/archive.h"

/* Linked in, or NULL: tests bring the table along. */
#pragma weak envbuild_archive_table

static bool try_open(const char *dir, const char *sub, const struct archive_table **ret, struct buf *why)
{
        AUTO(free_ptr) char *path = fs_path("%s/%sarchive.so", dir, sub);
        const struct archive_table *table;
        void *module;

        if (!fs_exists(path))
                return false;
        if (!(module = dlopen(path, RTLD_NOW | RTLD_LOCAL))) {
                buf_fmt(why, "%s%s", why->n ? "; " : "", dlerror());
                return false;
        }
        table = dlsym(module, ARCHIVE_TABLE_SYMBOL);
        if (table && table->version == ARCHIVE_TABLE_VERSION) {
                *ret = table;
                return true;
        }
        buf_fmt(why, "%s%s is of another version of envbuild", why->n ? "; " : "", path);
        dlclose(module);
        return false;
}

/* The folder of the running program; false when it is not known. */
static bool own_dir(char *path, size_t size)
{
        ssize_t n = readlink("/proc/self/exe", path, size - 1);
        char *slash;

        if (n <= 0)
                return false;
        path[n] = '\0';
        slash = strrchr(path, '/');
        if (slash)
                *slash = '\0';
        return slash != NULL;
}

int archive_load(const struct archive_table **ret, struct err *e)
{
        AUTO(buf_done) struct buf why = BUF_INIT(4096);
        const char *set = getenv("ENVBUILD_LIBDIR");
        char own[4096];

        if (&envbuild_archive_table) {
                *ret = &envbuild_archive_table;
                return 0;
        }
        if (set && try_open(set, "", ret, &why))
                return 0;
        if (own_dir(own, sizeof(own)) && (try_open(own, "", ret, &why) || try_open(own, "../ext/", ret, &why)))
                return 0; /* "../ext/": where the build tree has it */
        if (try_open(ENVBUILD_LIBDIR, "", ret, &why))
                return 0;
        err_set(e, ERR_FAILED, "cannot load archive.so, which reads tar archives: %s",
                why.n ? why.p : "it is not installed");
        err_hint(e, "it stands beside the program or in %s; ENVBUILD_LIBDIR names another folder", ENVBUILD_LIBDIR);
        return -(int)e->code;
}
