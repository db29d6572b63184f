#include "registry/client.h"

struct reg_repo reg_repo_of(const struct reference *r)
{
        return (struct reg_repo){ r->registry, r->repository };
}

bool reg_repo_eq(const struct reg_repo *a, const struct reg_repo *b)
{
        return sv_eq(a->registry, b->registry) && sv_eq(a->repository, b->repository);
}

int reg_repo_parse(struct arena *a, sv text, struct reg_repo *ret, struct err *e)
{
        struct reference r;
        const char *why = NULL;

        if (!reference_parse(a, text, false, &r, &why))
                return err_set(e, ERR_USAGE, "'%.*s' is not a repository: %s", SV_ARG(text), why);
        if (r.has_digest || r.tag.n) {
                err_set(e, ERR_USAGE, "'%.*s' names an image, not a repository", SV_ARG(text));
                err_hint(e, "leave the tag away: %.*s/%.*s", SV_ARG(r.registry), SV_ARG(r.repository));
                return -(int)e->code;
        }
        *ret = reg_repo_of(&r);
        return 0;
}

sv reg_repo_text(struct arena *a, const struct reg_repo *r)
{
        return arena_fmt(a, "%.*s/%.*s", SV_ARG(r->registry), SV_ARG(r->repository));
}
