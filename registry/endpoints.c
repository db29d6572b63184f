/* Where to ask for a repository: mirrors and other locations of registries.conf. */
#include "registry/client_priv.h"

int reg_conf_of(struct reg_client *c, const struct reg_conf **ret, struct err *e)
{
        int r = 0;

        pthread_mutex_lock(&c->lock);
        if (!c->has_conf) {
                struct reg_conf conf = { 0 };

                r = reg_conf_load(&c->arena, &c->opts, &conf, e);
                c->has_conf = r == 0;
                c->conf = conf;
        }
        pthread_mutex_unlock(&c->lock);
        *ret = &c->conf;
        return r;
}

static struct reg_repo repo_at(struct arena *a, sv location, sv rest)
{
        sv whole = arena_fmt(a, "%.*s%.*s", SV_ARG(location), SV_ARG(rest)), host = { 0 };

        sv_cut(&whole, '/', &host);
        return (struct reg_repo){ host, whole };
}

static int blocked(const struct reg_conf_entry *x, const struct reg_repo *repo, struct err *e)
{
        err_set(e, ERR_USAGE, "'%.*s' is blocked: %.*s:%u", SV_ARG(repo->registry), SV_ARG(x->file), x->line);
        err_hint(e, "whoever keeps that file does not want '%.*s' used here", SV_ARG(x->prefix));
        return -ERR_USAGE;
}

int reg_place(struct reg_client *c, const struct reg_repo *repo, struct arena *a, struct reg_repo *ret, struct err *e)
{
        const struct reg_conf *conf;
        const struct reg_conf_entry *x;
        sv rest = { 0 };

        if (reg_conf_of(c, &conf, e) < 0)
                return -(int)e->code;
        x = reg_conf_find(a, conf, repo, &rest);
        if (x && x->blocked)
                return blocked(x, repo, e);
        /* A registry by itself (a login) is what its name says. */
        *ret = x && repo->repository.n && x->location.n && !sv_eq(x->location, x->prefix)
                       ? repo_at(a, x->location, rest)
                       : *repo;
        return 0;
}

int reg_endpoints(struct reg_client *c, const struct reg_repo *repo, bool by_digest, struct arena *a,
                  struct reg_endpoint **ret, size_t *ret_n, struct err *e)
{
        const struct reg_conf *conf;
        const struct reg_conf_entry *x;
        sv rest = { 0 };
        size_t n = 0;

        if (reg_conf_of(c, &conf, e) < 0)
                return -(int)e->code;
        x = reg_conf_find(a, conf, repo, &rest);
        if (x && x->blocked)
                return blocked(x, repo, e);
        *ret = arena_array(a, struct reg_endpoint, (x ? x->n_mirror : 0) + 1);
        for (size_t i = 0; x && i < x->n_mirror; i++)
                if (x->mirror[i].use != (by_digest ? REG_MIRROR_TAG : REG_MIRROR_DIGEST))
                        (*ret)[n++] = (struct reg_endpoint){ repo_at(a, x->mirror[i].location, rest), true };
        (*ret)[n++] = (struct reg_endpoint){ *repo, false };
        *ret_n = n;
        return 0;
}
