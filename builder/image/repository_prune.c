/* Deleting: what hangs on an image before the image, an index before what is below it, so that a stop in between leaves nothing that points
 * nowhere. */
#include "base/attr.h"
#include "base/cleanup.h"
#include "image/repository.h"
#include "registry/manifest.h"
#include "registry/referrers.h"

struct prune {
        struct image_ctx *c;
        struct reg_client *rc;
        const struct repository *r;
        size_t n; /* deleted */
};

/* Some other item that stays needs it. */
static bool needed(const struct repository *r, const sha256 *d)
{
        for (size_t i = 0; i < r->n; i++) {
                const struct repository_item *x = &r->v[i];

                if (!x->kept)
                        continue;
                if (sha256_eq(&x->digest, d))
                        return true;
                for (size_t k = 0; k < x->n_child; k++)
                        if (sha256_eq(&x->child[k], d))
                                return true;
        }
        return false;
}

static int delete_one(struct prune *p, const sha256 *d, struct err *e)
{
        AUTO(arena_done) struct arena a = { 0 };
        struct err why = { 0 };
        sv ref = arena_fmt(&a, "sha256:%s", sha256_hex(d).s);

        if (op_check(p->c->op, e) < 0)
                return -(int)e->code;
        if (needed(p->r, d))
                return 0;
        if (reg_manifest_delete(p->rc, &p->r->repo, ref, &why) == 0) {
                p->n++;
                return 0;
        }
        if (why.code != ERR_NOT_FOUND) /* gone already: somebody else prunes, too */
                return err_move(e, &why);
        err_done(&why);
        return 0;
}

/* By the API; what the tag schema lists is an item of its own. */
static int delete_referrers(struct prune *p, const sha256 *subject, struct err *e)
{
        AUTO(arena_done) struct arena a = { 0 };
        struct reg_referrer *v;
        size_t n;

        if (reg_referrers(p->rc, &p->r->repo, subject, (sv){ 0 }, &a, &v, &n, e) < 0)
                return -(int)e->code;
        for (size_t i = 0; i < n; i++)
                if (delete_one(p, &v[i].desc.digest, e) < 0)
                        return -(int)e->code;
        return 0;
}

static int delete_item(struct prune *p, const struct repository_item *x, struct err *e)
{
        bool image = x->kind == REPOSITORY_IMAGE || x->kind == REPOSITORY_INDEX;

        for (size_t i = 0; image && i < x->n_child; i++)
                if (!needed(p->r, &x->child[i]) && delete_referrers(p, &x->child[i], e) < 0)
                        return -(int)e->code;
        if ((image && delete_referrers(p, &x->digest, e) < 0) || delete_one(p, &x->digest, e) < 0)
                return -(int)e->code;
        for (size_t i = 0; i < x->n_child; i++)
                if (delete_one(p, &x->child[i], e) < 0)
                        return -(int)e->code;
        return 0;
}

int repository_prune(struct image_ctx *c, const struct repository *r, size_t *ret_n, struct err *e)
{
        static const enum repository_kind order[] = { REPOSITORY_ATTACHED, REPOSITORY_INDEX, REPOSITORY_IMAGE,
                                                      REPOSITORY_FACT };
        struct prune p = { .c = c, .r = r };
        int ret = image_ctx_registry(c, &p.rc, e);

        for (size_t k = 0; k < ARRAY_LEN(order) && ret == 0; k++)
                for (size_t i = 0; i < r->n && ret == 0; i++)
                        if (r->v[i].kind == order[k] && !r->v[i].kept)
                                ret = delete_item(&p, &r->v[i], e);
        *ret_n = p.n;
        return ret < 0 ? err_while(e, "after %zu manifests were deleted", p.n) : 0;
}
