#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "catalog/conda_priv.h"
#include "net/url.h"

struct locking {
        struct catalog_conda *c;
        struct arena *a;
        const struct resolution *r;
        const struct spec *s;
        struct net *net;
        struct store *store;
};

static sv *copy_texts(struct arena *a, const sv *v, size_t n)
{
        sv *r = arena_array(a, sv, n + 1);

        for (size_t i = 0; i < n; i++)
                r[i] = arena_sv(a, v[i]);
        return r;
}

static sv md5_text(struct arena *a, const struct conda_record *r)
{
        char hex[33];

        if (!r->has_md5)
                return (sv){ 0 };
        hex_write(r->md5, sizeof(r->md5), hex);
        return arena_sv(a, sv_from(hex));
}

static void write_record(struct arena *a, const struct conda_record *r, struct artifact *ret)
{
        static const char *const noarch[] = { [CONDA_ARCHED] = "",
                                              [CONDA_NOARCH_GENERIC] = "generic",
                                              [CONDA_NOARCH_PYTHON] = "python" };

        *ret = (struct artifact){ .kind = ARTIFACT_CONDA,
                                  .name = arena_sv(a, r->name),
                                  .version = arena_sv(a, r->version),
                                  .build = arena_sv(a, r->build),
                                  .url = arena_sv(a, r->url),
                                  .size = r->size,
                                  .uploaded = (r->indexed ? r->indexed : r->timestamp) / 1000,
                                  .md5 = md5_text(a, r),
                                  .noarch = sv_from(noarch[r->noarch]),
                                  .site_packages = arena_sv(a, r->python_site_packages_path),
                                  .track_features = copy_texts(a, r->track_features, r->n_track_features),
                                  .n_track_features = r->n_track_features,
                                  .needs = copy_texts(a, r->depends, r->n_depends),
                                  .n_needs = r->n_depends,
                                  .constrains = copy_texts(a, r->constrains, r->n_constrains),
                                  .n_constrains = r->n_constrains };
        if (r->has_sha256)
                ret->sha256 = r->sha256;
}

/* ---- who asked ---- */

static bool speaks_of(struct catalog_conda *c, sv spec, const struct conda_name *n)
{
        struct conda_says *s = map_get(&c->says, spec);

        return s && s->parsed && s->name == n;
}

/* The user's lines in their order, then packages by name. */
static void write_by(struct locking *l, const struct conda_name *n, struct artifact *ret)
{
        struct arena *a = l->a;
        size_t cap = 0, user;

        for (size_t i = 0; l->s && i < l->s->n_conda; i++) {
                const struct spec_text *t = &l->s->conda[i];
                if (speaks_of(l->c, t->text, n))
                        *arena_push(a, ret->by, ret->n_by, cap) =
                                arena_fmt(a, "%.*s: %.*s", SV_ARG(sv_basename(t->at.file)), SV_ARG(t->text));
        }
        user = ret->n_by;
        for (size_t i = 0; i < l->r->n; i++) {
                const struct conda_record *r = conda_record_of(l->c, &l->r->pick[i]);
                for (size_t k = 0; r && k < r->n_depends && r->name.p != n->pub.text.p; k++)
                        if (speaks_of(l->c, r->depends[k], n)) {
                                *arena_push(a, ret->by, ret->n_by, cap) =
                                        arena_fmt(a, "%.*s %.*s", SV_ARG(r->name), SV_ARG(r->version));
                                break;
                        }
        }
        if (ret->n_by > user)
                qsort(ret->by + user, ret->n_by - user, sizeof(*ret->by), sv_qsort);
}

/* ---- what the channel does not say ---- */

struct md5_writer { /* what passes, while it goes on */
        struct writer w;
        struct hash *hash;
};

static int md5_write(struct writer *w, const void *p, size_t n, struct err *e)
{
        hash_add(((struct md5_writer *)w)->hash, p, n);
        return writer_write(w->next, p, n, e);
}

static int md5_finish(struct writer *w, struct err *e)
{
        return writer_finish(w->next, e);
}

static const struct writer_ops md5_ops = { "md5", md5_write, md5_finish };

static int check_md5(const struct artifact *art, struct hash *hash, struct err *e)
{
        uint8_t got[16], want[16];
        char hex[33];

        hash_end(hash, got);
        if (!art->md5.n || !hex_read(art->md5, want, sizeof(want)) || !memcmp(got, want, sizeof(got)))
                return 0;
        hex_write(got, sizeof(got), hex);
        err_set(e, ERR_INTEGRITY, "'%.*s' has md5 %s, but its channel says %.*s", SV_ARG(art->url), hex,
                SV_ARG(art->md5));
        err_hint(e, "the file was replaced on its server, or something on the way changes it; nothing was kept of it");
        return -(int)e->code;
}

/* Where to ask for it: of a mirror, or with the channel's login. */
static bool request_url(struct locking *l, const struct artifact *art, size_t i, struct arena *a, sv *ret)
{
        const struct conda_opts *o = &l->c->opts;
        struct conda_channels_opts channels = {
                .channel = o->channel, .n_channel = o->n_channel, .mirror = o->mirror, .n_mirror = o->n_mirror
        };

        return conda_request_url(a, art->url, &channels, i, ret);
}

static int get_web(struct locking *l, const struct artifact *art, sv url, struct writer *into, struct arena *a,
                   struct err *e)
{
        struct net_request r = { .url = url, .into = into, .keep_partial = true, .expect = art->size };
        struct net_answer got = { 0 };

        r.subject = arena_fmt(a, "%.*s %.*s", SV_ARG(art->name), SV_ARG(art->version));
        if (net_do(l->net, &r, a, &got, e) < 0)
                return -(int)e->code;
        return got.status == 200 ? 0 : net_status_err(&got, e);
}

static int get_local(sv url, struct writer *into, struct arena *a, struct err *e)
{
        AUTO(fs_map_close) struct fs_map map = { 0 };

        if (fs_map_open(arena_str(a, url_decode(a, sv_skip(url, strlen("file://")))), &map, e) < 0)
                return -(int)e->code;
        return writer_write(into, map.p, map.n, e);
}

/* Into the store: it will be wanted from there anyway. */
static int read_from(struct locking *l, struct artifact *art, sv url, struct arena *a, struct err *e)
{
        AUTO(store_put_abort) struct store_put put = { 0 };
        AUTO(hash_freep) struct hash *hash = hash_new(HASH_MD5);
        struct md5_writer md5 = { .w = { .ops = &md5_ops }, .hash = hash };
        int r;

        if (store_put_begin(l->store, STORE_PACKAGE, &put, &md5.w.next, e) < 0)
                return -(int)e->code;
        r = sv_starts(url, SV("file://")) ? get_local(url, &md5.w, a, e) : get_web(l, art, url, &md5.w, a, e);
        if (r < 0 || check_md5(art, hash, e) < 0 ||
            store_put_commit(&put, sha256_is_zero(&art->sha256) ? NULL : &art->sha256, e) < 0)
                return -(int)e->code;
        if (art->size && art->size != put.hash.size)
                return err_set(e, ERR_INTEGRITY, "'%.*s' has %llu bytes, but its channel says %llu", SV_ARG(art->url),
                               (unsigned long long)put.hash.size, (unsigned long long)art->size);
        art->sha256 = put.hash.digest;
        art->size = put.hash.size;
        return 0;
}

/* What a mirror refuses, the next one may have. */
static int learn_by_reading(struct locking *l, struct artifact *art, struct err *e)
{
        AUTO(arena_done) struct arena a = { 0 };
        int r = -1;
        sv url;

        for (size_t i = 0; r < 0 && request_url(l, art, i, &a, &url); i++) {
                err_done(e);
                r = read_from(l, art, url, &a, e);
        }
        return r < 0 ? err_while(e, "reading '%.*s', of which its channel does not say all", SV_ARG(art->url)) : 0;
}

static int take_head(struct locking *l, struct net_job *job, struct artifact *art, struct err *e)
{
        AUTO(arena_done) struct arena a = { 0 };
        struct net_answer got = { 0 };

        if (net_wait(l->net, job, &a, &got, e) < 0)
                return err_while(e, "asking for the size of '%.*s'", SV_ARG(art->url));
        if (got.status == 200 && sv_u64(net_header_get(&got, "content-length"), &art->size) && art->size > 0)
                return 0;
        art->size = 0;
        return learn_by_reading(l, art, e);
}

static struct net_job *begin_head(struct locking *l, const struct artifact *art)
{
        AUTO(arena_done) struct arena a = { 0 };
        sv url;

        if (!request_url(l, art, 0, &a, &url) || sv_starts(url, SV("file://")))
                return NULL;
        return net_begin(l->net, &(struct net_request){ .url = url, .method = NET_HEAD });
}

/* Sizes are asked for all at once; what has no sha256 is read. */
static int complete(struct locking *l, struct artifact *v, size_t n, struct err *e)
{
        AUTO(arena_done) struct arena tmp = { 0 };
        struct net_job **job = arena_array(&tmp, struct net_job *, n + 1);
        int r = 0;

        for (size_t i = 0; i < n; i++)
                if (!v[i].size && !sha256_is_zero(&v[i].sha256) &&
                    !store_has(l->store, STORE_PACKAGE, &v[i].sha256, &v[i].size))
                        job[i] = begin_head(l, &v[i]);
        for (size_t i = 0; i < n; i++) {
                if (job[i] && r == 0)
                        r = take_head(l, STEAL(job[i]), &v[i], e);
                else
                        net_drop(l->net, job[i]);
                if (r == 0 && (!v[i].size || sha256_is_zero(&v[i].sha256)))
                        r = learn_by_reading(l, &v[i], e);
        }
        return r;
}

int conda_artifacts(struct catalog_conda *c, const struct spec *s, const struct resolution *r, struct net *net,
                    struct store *store, struct arena *a, struct diags *ds, struct artifact **ret, size_t *ret_n,
                    struct err *e)
{
        struct locking l = { .c = c, .a = a, .r = r, .s = s, .net = net, .store = store };
        struct artifact *v = arena_array(a, struct artifact, r->n + 1);
        size_t n = 0;

        (void)ds;
        for (size_t i = 0; i < r->n; i++) {
                const struct conda_record *rec = conda_record_of(c, &r->pick[i]);
                if (!rec)
                        continue;
                write_record(a, rec, &v[n]);
                write_by(&l, c->name[r->pick[i].name], &v[n++]);
        }
        if (complete(&l, v, n, e) < 0)
                return -(int)e->code;
        *ret = v;
        *ret_n = n;
        return 0;
}
