/* Where to ask: the registry itself. */
#include "registry/client_priv.h"

int reg_endpoints(struct reg_client *c, const struct reg_repo *repo, bool by_digest, struct arena *a,
                  struct reg_endpoint **ret, size_t *ret_n, struct err *e)
{
        (void)c;
        (void)by_digest;
        (void)e;
        *ret = arena_new(a, struct reg_endpoint);
        (*ret)->repo = *repo;
        *ret_n = 1;
        return 0;
}
