#include "store/store_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"

#define LAYOUT "{\"imageLayoutVersion\":\"1.0.0\"}"

const char *const store_folder[] = { [STORE_BLOB] = "oci/blobs/sha256",
                                     [STORE_PACKAGE] = "packages",
                                     [STORE_BODY] = "layers/bodies",
                                     [STORE_INDEX] = "indexes",
                                     [STORE_CODE] = "code" };

uint64_t store_random(void)
{
        uint64_t n = 0;

        while (getrandom(&n, sizeof(n), 0) < 0 && errno == EINTR)
                ;
        return n;
}

char *store_path(const struct store *s, size_t root, enum store_kind kind, const sha256 *d)
{
        return fs_path("%s/%s/%s", s->root[root], store_folder[kind], sha256_hex(d).s);
}

int store_must_write(const struct store *s, struct err *e)
{
        return s->write ? 0 : err_set(e, ERR_USAGE, "the store '%s' was opened for reading", s->root[0]);
}

/* A command may change its folder later. */
static char *absolute(const char *path)
{
        AUTO(free_ptr) char *cwd = NULL;

        if (path[0] == '/' || !(cwd = getcwd(NULL, 0)))
                return xstrdup(path);
        return fs_path("%s/%s", cwd, path);
}

static int find_root(const char *root, char **ret, struct err *e)
{
        const char *dir = root && *root ? root : getenv("ENVBUILD_CACHE_DIR");
        const char *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");

        if (dir && *dir)
                *ret = absolute(dir);
        else if (xdg && xdg[0] == '/')
                *ret = fs_path("%s/envbuild", xdg);
        else if (home && home[0] == '/')
                *ret = fs_path("%s/.cache/envbuild", home);
        else {
                err_set(e, ERR_USAGE, "there is no place for the store: HOME is not set");
                err_hint(e, "set ENVBUILD_CACHE_DIR to a folder of yours");
                return -(int)e->code;
        }
        return 0;
}

static int add_roots(struct store *s, const char *root, struct err *e)
{
        sv rest = sv_from(getenv("ENVBUILD_CACHE_RO")), one;
        size_t cap = 0;

        s->root = xgrow(NULL, &cap, 1, sizeof(*s->root));
        if (find_root(root, &s->root[0], e) < 0)
                return -(int)e->code;
        s->n_root = 1;
        while (sv_cut(&rest, ':', &one)) {
                AUTO(free_ptr) char *path = xstrndup(one.p, one.n);
                if (!one.n)
                        continue;
                s->root = xgrow(s->root, &cap, s->n_root + 1, sizeof(*s->root));
                s->root[s->n_root++] = absolute(path);
        }
        return 0;
}

static int make_folders(struct store *s, struct err *e)
{
        static const char *const names[] = { "oci/blobs/sha256", "refs",    "packages", "layers/bodies",
                                             "images",           "http",    "texts",    "indexes",
                                             "claims",           "leases",  "tmp",      "trash",
                                             "origins",          "sources", "code",     "trees" };
        AUTO(free_ptr) char *layout = fs_path("%s/oci/oci-layout", s->root[0]);

        for (size_t i = 0; i < ARRAY_LEN(names); i++) {
                AUTO(free_ptr) char *path = fs_path("%s/%s", s->root[0], names[i]);
                if (!fs_is_dir(path) && fs_mkdirs(path, 0777, e) < 0)
                        return err_while(e, "opening the store");
        }
        return fs_exists(layout) ? 0 : store_replace(s, layout, SV(LAYOUT), e);
}

static char *host_name(void)
{
        char name[128] = "";

        gethostname(name, sizeof(name) - 1);
        for (char *p = name; *p; p++)
                if (*p == '/' || *p == '-' || (unsigned char)*p <= ' ')
                        *p = '_';
        return xstrdup(name[0] ? name : "host");
}

static struct store *new_store(bool write, struct op *op)
{
        struct store *s = xcalloc(1, sizeof(*s));
        pthread_condattr_t attr;

        s->write = write;
        s->op = op;
        s->host = host_name();
        s->times = (struct store_times){ .claim_touch = 10000, .claim_dead = 60000, .lease_touch = 60000 };
        pthread_mutex_init(&s->lock, NULL);
        pthread_condattr_init(&attr);
        pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
        pthread_cond_init(&s->wake, &attr);
        pthread_condattr_destroy(&attr);
        return s;
}

int store_open(const char *root, bool write, struct op *op, struct store **ret, struct err *e)
{
        AUTO(store_closep) struct store *s = new_store(write, op);

        if (add_roots(s, root, e) < 0)
                return -(int)e->code;
        if (write && make_folders(s, e) < 0)
                return -(int)e->code;
        if (store_unpacked_open(s, e) < 0)
                return -(int)e->code;
        if (write && store_index_sync(s, e) < 0)
                return err_while(e, "opening the store '%s'", s->root[0]);
        *ret = STEAL(s);
        return 0;
}

void store_close(struct store *s)
{
        if (!s)
                return;
        store_beat_stop(s);
        for (size_t i = 0; i < s->n_root; i++)
                free(s->root[i]);
        for (size_t i = 0; i < s->n_beat; i++)
                free(s->beat[i].path);
        free(s->root);
        free(s->beat);
        free(s->watch);
        free(s->host);
        free(s->unpacked);
        free(s->unpack);
        pthread_cond_destroy(&s->wake);
        pthread_mutex_destroy(&s->lock);
        free(s);
}

const char *store_root(const struct store *s)
{
        return s->root[0];
}
