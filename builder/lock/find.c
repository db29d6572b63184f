#include <stdlib.h>
#include <string.h>

#include "lock/lock_priv.h"

const struct lock_platform *lock_find_platform(const struct lock *l, sv platform)
{
        for (size_t i = 0; i < l->n_platform; i++)
                if (sv_eq(l->platform[i].platform, platform))
                        return &l->platform[i];
        return NULL;
}

const struct artifact *lock_find(const struct lock_platform *p, enum artifact_kind kind, sv name)
{
        struct artifact want = { .kind = kind, .name = name };

        return p->n_artifact ? bsearch(&want, p->artifact, p->n_artifact, sizeof(want), artifact_cmp) : NULL;
}

/* The package of a MatchSpec as channels write them: "python >=3.12", "numpy>=2", "conda-forge::x[version=1]". */
sv lock_spec_name(sv s)
{
        ptrdiff_t channel = sv_find_sv(s, SV("::"));
        size_t n = 0;

        if (channel >= 0)
                s = sv_skip(s, (size_t)channel + 2);
        while (n < s.n && !strchr(" =<>!~[", s.p[n]))
                n++;
        return sv_from_to(s, 0, n);
}

static sv first_word(sv s)
{
        ptrdiff_t blank = sv_find(s, ' ');

        return blank < 0 ? s : (sv){ s.p, (size_t)blank };
}

/* The conda package that supplies a distribution. */
static const struct artifact *find_dist(const struct lock_platform *p, sv name)
{
        for (size_t i = 0; i < p->n_artifact; i++)
                for (size_t k = 0; k < p->artifact[i].n_dists; k++)
                        if (sv_eq(first_word(p->artifact[i].dists[k]), name))
                                return &p->artifact[i];
        return NULL;
}

const struct artifact *lock_find_need(const struct lock_platform *p, const struct artifact *a, sv need)
{
        const struct artifact *found =
                lock_find(p, a->kind, a->kind == ARTIFACT_CONDA ? lock_spec_name(need) : first_word(need));

        return !found && a->kind == ARTIFACT_WHEEL ? find_dist(p, first_word(need)) : found;
}

static int by_key(const void *a, const void *b)
{
        return sv_cmp(((const struct lock_pair *)a)->key, ((const struct lock_pair *)b)->key);
}

static int by_file(const void *a, const void *b)
{
        return sv_cmp(((const struct lock_file *)a)->path, ((const struct lock_file *)b)->path);
}

static int by_platform(const void *a, const void *b)
{
        return sv_cmp(((const struct lock_platform *)a)->platform, ((const struct lock_platform *)b)->platform);
}

static int by_dir(const void *a, const void *b)
{
        return sv_cmp(((const struct lock_dir *)a)->path, ((const struct lock_dir *)b)->path);
}

static int by_codec(const void *a, const void *b)
{
        return sv_cmp(((const struct lock_encoding *)a)->codec, ((const struct lock_encoding *)b)->codec);
}

static void sort(void *v, size_t n, size_t size, int (*cmp)(const void *, const void *))
{
        if (n)
                qsort(v, n, size, cmp);
}

void lock_sort(struct lock *l)
{
        sort(l->config.labels, l->config.n_labels, sizeof(*l->config.labels), by_key);
        sort(l->file, l->n_file, sizeof(*l->file), by_file);
        sort(l->pip_replaces, l->n_pip_replaces, sizeof(*l->pip_replaces), sv_qsort);
        sort(l->scripts_skip, l->n_scripts_skip, sizeof(*l->scripts_skip), sv_qsort);
        sort(l->platform, l->n_platform, sizeof(*l->platform), by_platform);
        for (size_t i = 0; i < l->n_platform; i++) {
                struct lock_platform *p = &l->platform[i];
                sort(p->virtual_, p->n_virtual, sizeof(*p->virtual_), by_key);
                sort(p->facts.odd_dir, p->facts.n_odd_dir, sizeof(*p->facts.odd_dir), by_dir);
                sort(p->artifact, p->n_artifact, sizeof(*p->artifact), artifact_cmp);
                sort(p->image.manifest, p->image.n_manifest, sizeof(*p->image.manifest), by_codec);
                for (size_t k = 0; k < p->image.n_layer; k++)
                        sort(p->image.layer[k].encoding, p->image.layer[k].n_encoding, sizeof(struct lock_encoding),
                             by_codec);
        }
}
