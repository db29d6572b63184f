#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "net/net_priv.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define IS_ADDRESS_SANITIZED 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define IS_ADDRESS_SANITIZED 1
#endif

#ifdef IS_ADDRESS_SANITIZED
/* GnuTLS, which net.so brings along, first uses its thread-local variables in its destructor, at times before LeakSanitizer looks: their block
 * comes from malloc. The sanitizers up to gcc 13 and LLVM 16 take a block 16 bytes past a page's start for one of glibc 2.19 with a header
 * before it, read the chunk's own header as its size and start, and LeakSanitizer dies of scanning that: "Tracer caught signal 11", in one of
 * 128 programs. Not noting such blocks takes no leak away: what malloc gave to the loader counts as reachable, as it does in the other 127.
 * ASAN_OPTIONS goes on top of this. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
        return "intercept_tls_get_addr=0";
}
#endif

/* The folder of the running program, or NULL. */
static char *own_dir(void)
{
        char path[4096];
        ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);
        char *slash;

        if (n <= 0)
                return NULL;
        path[n] = '\0';
        if (!(slash = strrchr(path, '/')))
                return NULL;
        *slash = '\0';
        return strdup(path);
}

static bool try_open(struct net *n, const char *dir, const char *sub, struct buf *why)
{
        AUTO(free_ptr) char *path = fs_path("%s/%snet.so", dir, sub);
        const struct curl_table *table;

        if (!fs_exists(path))
                return false;
        /* Lazy: most of what 30 libraries could call is never called. What the module itself calls is looked up at once (-z now). */
        if (!(n->module = dlopen(path, RTLD_LAZY | RTLD_LOCAL))) {
                buf_fmt(why, "%s%s", why->n ? "; " : "", dlerror());
                return false;
        }
        table = dlsym(n->module, CURL_TABLE_SYMBOL);
        if (table && table->version == CURL_TABLE_VERSION) {
                n->table = table;
                return true;
        }
        buf_fmt(why, "%s%s is of another version of envbuild", why->n ? "; " : "", path);
        dlclose(STEAL(n->module));
        return false;
}

int net_transport_open(struct net *n, struct err *e)
{
        AUTO(buf_done) struct buf why = BUF_INIT(4096);
        AUTO(free_ptr) char *own = own_dir();
        const char *set = getenv("ENVBUILD_LIBDIR");

        /* "../ext/": where the build tree has it. */
        if ((set && try_open(n, set, "", &why)) ||
            (own && (try_open(n, own, "", &why) || try_open(n, own, "../ext/", &why))) ||
            try_open(n, ENVBUILD_LIBDIR, "", &why))
                return 0;
        err_set(e, ERR_FAILED, "cannot load net.so, which does the transfers: %s",
                why.n ? why.p : "it is not installed");
        err_hint(e, "it stands beside the program or in %s; ENVBUILD_LIBDIR names another folder", ENVBUILD_LIBDIR);
        return -(int)e->code;
}

void net_transport_close(struct net *n)
{
        /* The module stays loaded: libcurl and its TLS library have per-thread state that does not survive dlclose. */
        n->table = NULL;
        n->module = NULL;
}
