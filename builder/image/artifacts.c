#include <stdlib.h>

#include "image/image_priv.h"

void artifacts_add(struct arena *a, struct lock_platform *into, const struct artifact *v, size_t n)
{
        struct artifact *all = arena_array(a, struct artifact, into->n_artifact + n);

        for (size_t i = 0; i < into->n_artifact; i++)
                all[i] = into->artifact[i];
        for (size_t i = 0; i < n; i++)
                all[into->n_artifact + i] = v[i];
        into->artifact = all;
        into->n_artifact += n;
        if (into->n_artifact)
                qsort(all, into->n_artifact, sizeof(*all), artifact_cmp);
}

bool artifact_is_upgraded(const struct image_request *r, sv name)
{
        for (size_t i = 0; i < r->n_upgrade; i++)
                if (sv_eq_nocase(r->upgrade[i], name))
                        return true;
        return r->upgrade_all;
}
