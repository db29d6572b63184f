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
                write_record(a, rec, &v[n]);
                write_by(&l, c->name[r->pick[i].name], &v[n++]);
        }
        if (conda_complete(&ask, v, n, e) < 0)
                return -(int)e->code;
        *ret = v;
        *ret_n = n;
        return 0;
}
