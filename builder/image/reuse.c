#include "image/reuse_priv.h"

#include "base/cleanup.h"
#include "oci/reference.h"

/* --- repositories --- */

struct reuse_repo *reuse_repo(struct reuse *r, sv name)
{
        AUTO(err_done) struct err none = { 0 };
        struct reuse_repo *x;
        struct reg_repo repo;

        if (reg_repo_parse(r->arena, name, &repo, &none) < 0)
                return NULL;
        for (size_t i = 0; i < r->n_repo; i++)
                if (reg_repo_eq(&r->repo[i]->repo, &repo))
                        return r->repo[i];
        x = arena_new(r->arena, struct reuse_repo);
        x->repo = repo;
        x->name = reg_repo_text(r->arena, &repo);
        *arena_push(r->arena, r->repo, r->n_repo, r->cap_repo) = x;
        return x;
}

static void believe(struct reuse *r, sv name, bool implied)
{
        struct reuse_repo *x = reuse_repo(r, name);

        if (!x || x->facts)
                return;
        x->facts = true;
        x->implied = implied;
        r->n_facts++;
}

/* A flag is checked like a setting: nobody finds out weeks later that a cache was never asked. */
static int from_flags(struct reuse *r, struct err *e)
{
        struct reg_repo repo;

        for (size_t i = 0; i < r->o->n_cache_repo; i++) {
                if (reg_repo_parse(r->arena, r->o->cache_repo[i], &repo, e) < 0)
                        return err_while(e, "reading --cache-repo");
                believe(r, r->o->cache_repo[i], false);
        }
        return 0;
}

/* `-t registry.example/team/train`: the image's own repository for blobs, and its layers' for facts. */
static void from_tag(struct reuse *r)
{
        const char *why = NULL;
        struct reference ref;
        struct reg_repo repo;
        sv name;

        if (!r->o->tag.n || !reference_parse(r->arena, r->o->tag, true, &ref, &why) || !ref.registry.n)
                return;
        repo = reg_repo_of(&ref);
        name = reg_repo_text(r->arena, &repo);
        r->target = reuse_repo(r, name);
        believe(r, arena_fmt(r->arena, "%.*s-layers", SV_ARG(name)), true);
}

int reuse_open(struct image_ctx *c, const struct image_build_opts *o, struct arena *a, struct reuse **ret,
               struct err *e)
{
        struct reuse *r = arena_new(a, struct reuse);

        *r = (struct reuse){ .c = c, .o = o, .arena = a };
        if (image_ctx_settings(c, &r->settings, e) < 0)
                return -(int)e->code;
        *ret = r;
        if (from_flags(r, e) < 0)
                return -(int)e->code;
        for (size_t i = 0; i < r->settings->n_repository; i++)
                believe(r, r->settings->repository[i], false);
        from_tag(r);
        return 0;
}

void reuse_platform(struct reuse *r, const struct lock_platform *p)
{
        r->pin = (struct map){ 0 };
        for (size_t i = 0; p->has_image && i < p->image.n_layer; i++)
                map_put(&r->pin, r->arena, reuse_key(&p->image.layer[i].key), &p->image.layer[i]);
}

bool reuse_anew(const struct reuse *r)
{
        return r && r->o->no_cache;
}

/* --- what is told, and what ends a build --- */

/* A repository that was only guessed at need not be there, nor be ours to read. */
static bool is_quiet(const struct reuse_repo *repo, const struct err *why)
{
        return repo->implied && why->code == ERR_AUTH;
}

/* Who cannot be reached under one name is not waited for under another. */
static void leave_out(struct reuse *r, const struct reuse_repo *repo)
{
        for (size_t i = 0; i < r->n_repo; i++)
                if (sv_eq(r->repo[i]->repo.registry, repo->repo.registry))
                        atomic_store(&r->repo[i]->off, true);
}

int reuse_failed(struct reuse *r, struct reuse_repo *repo, struct err *why, struct err *e)
{
        enum err_code code = why->code;
        bool told;

        if (code == ERR_CANCELLED)
                return err_move(e, why);
        if (code == ERR_NOT_FOUND) {
                err_done(why);
                return 0;
        }
        told = atomic_exchange(&repo->off, true);
        if (code == ERR_NET)
                leave_out(r, repo);
        if (!told)
                op_say(r->c->op, is_quiet(repo, why) ? OP_NOTE : OP_WARN, "%.*s is not asked for layers any more: %s",
                       SV_ARG(repo->name), why->cause);
        err_done(why);
        return 0;
}

int reuse_check(const struct reuse *r, const sha256 *key, const sha256 *diff_id, const char *who, struct err *e)
{
        const struct lock_layer *pin = map_get(&r->pin, reuse_key(key));

        if (!pin || sha256_eq(&pin->diff_id, diff_id))
                return 0;
        err_set(e, ERR_INTEGRITY, "key %.12s ('%.*s') is the layer sha256:%s in the lock, but sha256:%s by %s",
                sha256_hex(key).s, SV_ARG(pin->of), sha256_hex(&pin->diff_id).s, sha256_hex(diff_id).s, who);
        err_hint(e,
                 "envbuild build --no-cache makes it from its packages; if that agrees with neither the lock, the lock "
                 "was edited");
        return -(int)e->code;
}
