/* Where conda and pip meet (design §4): what conda supplies is fixed for the pip part; `pip-replaces` lets a wheel win, and then the conda
 * package is not part of the image at all. */
#include <stdlib.h>

#include "base/cleanup.h"
#include "image/image_priv.h"
#include "pkg/pyname.h"

static sv dist_name(sv dist, sv *ret_version)
{
        sv name;

        *ret_version = dist;
        return sv_cut(ret_version, ' ', &name) ? name : dist;
}

static bool is_replaced(const struct spec *s, struct arena *a, sv dist)
{
        for (size_t i = 0; i < s->n_pip_replaces; i++)
                if (sv_eq(pyname_normalise(a, s->pip_replaces[i].text), dist))
                        return true;
        return false;
}

void joint_fixed(struct joint *j)
{
        size_t cap = 0;

        for (size_t i = 0; i < j->platform->n_artifact; i++) {
                const struct artifact *art = &j->platform->artifact[i];

                for (size_t k = 0; art->kind == ARTIFACT_CONDA && k < art->n_dists; k++) {
                        sv version, name = dist_name(art->dists[k], &version);

                        if (is_replaced(j->spec, j->arena, name))
                                continue;
                        *arena_push(j->arena, j->fixed, j->n_fixed, cap) =
                                (struct pypi_fixed){ name, version,
                                                     arena_fmt(j->arena, "conda's %.*s %.*s%s%.*s%s", SV_ARG(art->name),
                                                               SV_ARG(art->version), art->n_by ? " (" : "",
                                                               SV_ARG(art->n_by ? art->by[0] : (sv){ 0 }),
                                                               art->n_by ? ")" : "") };
                }
        }
}

static const struct artifact *supplier(const struct joint *j, sv dist)
{
        for (size_t i = 0; i < j->platform->n_artifact; i++) {
                const struct artifact *art = &j->platform->artifact[i];
                sv version;

                for (size_t k = 0; art->kind == ARTIFACT_CONDA && k < art->n_dists; k++)
                        if (sv_eq(dist_name(art->dists[k], &version), dist))
                                return art;
        }
        return NULL;
}

/* ".../numpy-1.26.4.dist-info/METADATA" of the distribution. */
static bool is_metadata(struct arena *a, sv path, sv dist)
{
        sv folder = entry_parent(path), name = sv_basename(folder), rest = name;
        ptrdiff_t dash = sv_find(name, '-');

        if (!sv_is(sv_basename(path), "METADATA") || !sv_ends(name, SV(".dist-info")) || dash < 0)
                return false;
        rest = sv_from_to(name, 0, (size_t)dash);
        return sv_eq(pyname_normalise(a, rest), dist);
}

struct finding {
        struct arena *arena;
        sv dist, *ret;
};

static int take_metadata(void *arg, const struct entry *en, const struct content *c, struct err *e)
{
        const struct finding *x = arg;
        struct content text;

        if (!is_metadata(x->arena, en->path, x->dist))
                return 0;
        if (content_hold(en, c, x->arena, &text, e) < 0)
                return -(int)e->code;
        *x->ret = (sv){ text.p, text.n };
        return 1;
}

static int find_metadata(struct joint *j, const struct artifact *art, sv dist, sv *ret, struct err *e)
{
        struct package_shop shop = { .c = j->c, .platform = j->platform, .arena = j->arena };
        struct conda_setup conda;
        struct package p;
        int r;

        conda_setup_again(j->c, j->spec, j->arena, &conda);
        shop.conda = conda_ask(j->c, &conda);
        package_init(&p, art, j->platform, true, 1);
        pthread_mutex_init(&shop.mutex, NULL);
        r = package_walk(&shop, &p, take_metadata, &(struct finding){ j->arena, dist, ret }, e);
        pthread_mutex_destroy(&shop.mutex);
        return r;
}

int joint_metadata(void *arg, sv name, sv *ret, struct err *e)
{
        struct joint *j = arg;
        const struct artifact *art = supplier(j, name);

        *ret = (sv){ 0 };
        return art ? find_metadata(j, art, name, ret, e) : 0;
}

static bool is_among(const struct artifact *wheel, size_t n, sv name)
{
        for (size_t i = 0; i < n; i++)
                if (sv_eq(wheel[i].name, name))
                        return true;
        return false;
}

static const struct spec_where *where_said(const struct joint *j, sv dist)
{
        for (size_t i = 0; i < j->spec->n_pip_replaces; i++)
                if (sv_eq(pyname_normalise(j->arena, j->spec->pip_replaces[i].text), dist))
                        return &j->spec->pip_replaces[i].at;
        return &j->spec->base.at;
}

/* 1: it goes; 0: it stays. */
static int goes(struct joint *j, const struct artifact *art, const struct artifact *wheel, size_t n, struct err *e)
{
        sv gone = { 0 }, stays = { 0 };

        for (size_t k = 0; k < art->n_dists; k++) {
                sv version, name = dist_name(art->dists[k], &version);

                if (is_replaced(j->spec, j->arena, name) && is_among(wheel, n, name))
                        gone = name;
                else
                        stays = name;
        }
        if (gone.n && stays.n) {
                const struct spec_where *at = where_said(j, gone);

                diag_hint(j->c->diags,
                          diag_add(j->c->diags, at->file, at->line, at->col, "EB113",
                                   "conda's %.*s supplies '%.*s' besides '%.*s', which pip is to replace",
                                   SV_ARG(art->name), SV_ARG(stays), SV_ARG(gone)),
                          "let pip supply both: name '%.*s' in pip-replaces and under pip:", SV_ARG(stays));
                return err_set(e, ERR_USAGE, "pip cannot replace one half of a conda package");
        }
        return gone.n > 0;
}

int joint_replace(struct joint *j, const struct artifact *wheel, size_t n, struct err *e)
{
        struct lock_platform *p = j->platform;
        size_t kept = 0;

        for (size_t i = 0; i < p->n_artifact; i++) {
                int r = p->artifact[i].kind == ARTIFACT_CONDA ? goes(j, &p->artifact[i], wheel, n, e) : 0;

                if (r < 0)
                        return r;
                if (r == 0)
                        p->artifact[kept++] = p->artifact[i];
        }
        p->n_artifact = kept;
        return 0;
}
