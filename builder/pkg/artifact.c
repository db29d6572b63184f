#include "pkg/artifact.h"

#include "base/attr.h"

static const char *const names[] = { [ARTIFACT_WHEEL] = "wheel", [ARTIFACT_CONDA] = "conda", [ARTIFACT_DEB] = "deb" };

const char *artifact_kind_name(enum artifact_kind k)
{
        return names[k];
}

bool artifact_kind_read(sv text, enum artifact_kind *ret)
{
        for (size_t i = 0; i < ARRAY_LEN(names); i++)
                if (sv_is(text, names[i])) {
                        *ret = (enum artifact_kind)i;
                        return true;
                }
        return false;
}

int artifact_cmp(const void *pa, const void *pb)
{
        static const int rank[] = { [ARTIFACT_DEB] = 0, [ARTIFACT_CONDA] = 1, [ARTIFACT_WHEEL] = 2 };
        const struct artifact *a = pa, *b = pb;

        return a->kind != b->kind ? rank[a->kind] - rank[b->kind] : sv_cmp(a->name, b->name);
}
