#include <string.h>

#include "base/cleanup.h"
#include "catalog/pypi.h"
#include "net/url.h"

enum { COPY_SIZE = 256 << 10 };

static sv subject_of(struct arena *a, const struct artifact *art)
{
        return arena_fmt(a, "%.*s %.*s", SV_ARG(art->name), SV_ARG(art->version));
}

static int download(struct net *net, const struct artifact *art, sv url, struct writer *w, struct err *e)
{
        AUTO(arena_done) struct arena a = { 0 };
        struct net_answer got = { 0 };
        struct net_request r = {
                .url = url, .into = w, .keep_partial = true, .max_body = art->size, .expect = art->size
        };

        r.subject = subject_of(&a, art);
        if (net_do(net, &r, &a, &got, e) < 0)
                return -(int)e->code;
        return got.status == 200 ? 0 : net_status_err(&got, e);
}

static int copy_local(sv url, struct writer *w, struct op *op, struct err *e)
{
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(fs_map_close) struct fs_map map = { 0 };
        const char *path = arena_str(&a, url_decode(&a, sv_skip(url, strlen("file://"))));

        if (fs_map_open(path, &map, e) < 0)
                return -(int)e->code;
        for (size_t at = 0; at < map.n; at += COPY_SIZE)
                if (op_check(op, e) < 0 ||
                    writer_write(w, map.p + at, map.n - at < COPY_SIZE ? map.n - at : COPY_SIZE, e) < 0)
                        return -(int)e->code;
        return 0;
}

static int fetch_once(struct net *net, struct store *store, const struct artifact *art, sv url, struct op *op,
                      struct err *e)
{
        AUTO(store_put_abort) struct store_put put = { 0 };
        struct writer *w;
        int r;

        if (store_put_begin(store, STORE_PACKAGE, &put, &w, e) < 0)
                return -(int)e->code;
        r = sv_starts(url, SV("file://")) ? copy_local(url, w, op, e) : download(net, art, url, w, e);
        if (r < 0)
                return r;
        return store_put_commit(&put, &art->sha256, e);
}

/* What a broken copy looks like: another hash (short ones have that too), or more bytes than there should be. */
static bool is_corrupt(const struct err *e)
{
        return e->code == ERR_INTEGRITY || e->code == ERR_LIMIT;
}

static int say(const struct artifact *art, sv url, struct err *e)
{
        AUTO(arena_done) struct arena a = { 0 };

        if (e->code == ERR_LIMIT) {
                err_done(e);
                err_set(e, ERR_INTEGRITY, "'%.*s' has more than the %llu bytes that were promised",
                        SV_ARG(url_masked(&a, url)), (unsigned long long)art->size);
        }
        if (e->code == ERR_INTEGRITY)
                err_hint(e, "the file was replaced on its server, or something on the way changes it; nothing was kept "
                            "of it");
        return err_while(e, "fetching %.*s from '%.*s'", SV_ARG(subject_of(&a, art)), SV_ARG(url_masked(&a, url)));
}

static int check_size(const struct artifact *art, uint64_t size, struct err *e)
{
        if (!art->size || size == art->size)
                return 0;
        return err_set(e, ERR_INTEGRITY, "%.*s %.*s has %llu bytes and the right sha256, but %llu bytes were promised",
                       SV_ARG(art->name), SV_ARG(art->version), (unsigned long long)size,
                       (unsigned long long)art->size);
}

int fetch_artifact(struct net *net, struct store *store, const struct artifact *art, sv url, struct op *op,
                   struct err *e)
{
        struct err first = { 0 };
        uint64_t size = 0;
        int r;

        if (store_has(store, STORE_PACKAGE, &art->sha256, &size))
                return check_size(art, size, e);
        r = fetch_once(net, store, art, url, op, &first);
        if (r < 0 && is_corrupt(&first)) { /* once more: a cache on the way may have given half of it */
                err_done(&first);
                r = fetch_once(net, store, art, url, op, &first);
        }
        if (r < 0) {
                say(art, url, &first);
                return err_move(e, &first);
        }
        return store_has(store, STORE_PACKAGE, &art->sha256, &size) ? check_size(art, size, e) : 0;
}
