#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "catalog/conda_fetch.h"
#include "catalog/conda_priv.h"
#include "net/url.h"

struct locking {
        struct catalog_conda *c;
        struct arena *a;
        const struct resolution *r;
        const struct spec *s;
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

struct asked { /* of one name: its artifact, and the packages that need it */
        struct artifact *art;
        sv *by;
        size_t n, cap;
        const struct conda_cand *last;
};

/* The lines of the definition about a name, in their order. */
static void user_by(struct locking *l, const struct conda_name *n, struct artifact *ret)
{
        size_t cap = 0;

        for (size_t i = 0; l->s && i < l->s->n_conda; i++) {
                const struct spec_text *t = &l->s->conda[i];
                const struct conda_says *says = map_get(&l->c->says, t->text);
                if (says && says->name == n)
                        *arena_push(l->a, ret->by, ret->n_by, cap) =
                                arena_fmt(l->a, "%.*s: %.*s", SV_ARG(sv_basename(t->at.file)), SV_ARG(t->text));
        }
}

static void package_by(struct locking *l, const struct conda_cand *k, struct asked *asked)
{
        for (size_t i = 0; k->says && i < k->r->n_depends; i++) {
                const struct conda_name *n = k->says[i]->name;
                struct asked *x = n ? &asked[n->pub.of] : NULL;
                if (!x || !x->art || x->last == k || sv_eq(n->pub.text, k->r->name))
                        continue;
                x->last = k;
                *arena_push(l->a, x->by, x->n, x->cap) =
                        arena_fmt(l->a, "%.*s %.*s", SV_ARG(k->r->name), SV_ARG(k->r->version));
        }
}

static void join_by(struct arena *a, struct asked *x)
{
        struct artifact *art = x->art;
        sv *all = arena_array(a, sv, art->n_by + x->n);

        qsort(x->by, x->n, sizeof(*x->by), sv_qsort);
        for (size_t i = 0; i < art->n_by + x->n; i++)
                all[i] = i < art->n_by ? art->by[i] : x->by[i - art->n_by];
        art->by = all;
        art->n_by += x->n;
}

/* The user's lines first, then packages by name. v: the artifacts of the picks that are no virtual packages, in that order. */
static void write_by(struct locking *l, struct artifact *v)
{
        AUTO(arena_done) struct arena tmp = { 0 };
        struct asked *asked = arena_array(&tmp, struct asked, l->c->n_name + 1);

        for (size_t i = 0; i < l->r->n; i++) {
                struct conda_name *n = l->c->name[l->r->pick[i].name];
                if (n->is_virtual)
                        continue;
                user_by(l, n, v);
                asked[n->pub.of].art = v++;
        }
        for (size_t i = 0; i < l->r->n; i++)
                package_by(l, &l->c->name[l->r->pick[i].name]->cand[l->r->pick[i].cand], asked);
        for (size_t i = 0; i < l->c->n_name; i++)
                if (asked[i].n)
                        join_by(l->a, &asked[i]);
}

int conda_artifacts(struct catalog_conda *c, const struct spec *s, const struct resolution *r, struct net *net,
                    struct store *store, struct arena *a, struct diags *ds, struct artifact **ret, size_t *ret_n,
                    struct err *e)
{
        struct locking l = { .c = c, .a = a, .r = r, .s = s };
        struct conda_ask ask = { .net = net, .store = store, .op = c->op };
        struct artifact *v = arena_array(a, struct artifact, r->n + 1);
        size_t n = 0;

        (void)ds;
        ask.channels = (struct conda_channels_opts){ .channel = c->opts.channel,
                                                     .n_channel = c->opts.n_channel,
                                                     .mirror = c->opts.mirror,
                                                     .n_mirror = c->opts.n_mirror };
        for (size_t i = 0; i < r->n; i++) {
                const struct conda_record *rec = conda_record_of(c, &r->pick[i]);
                if (!rec)
                        continue;
                write_record(a, rec, &v[n++]);
        }
        write_by(&l, v);
        if (conda_complete(&ask, v, n, e) < 0)
                return -(int)e->code;
        *ret = v;
        *ret_n = n;
        return 0;
}
