/* A rank's file of variables, and what is made of it; the first byte chooses the distribution, what is before the first NUL are --hosts. */
#include <stdint.h>

#include "base/cleanup.h"
#include "shim/shim.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
        struct shim_options o = {
                .dir = "/d", .attempt = 1, .ranks = 4, .per_node = 2, .nodes = 2, .workers = 3, .servers = 1
        };
        struct shim_place place = { .rank = 3, .local = 1, .node = 1 };
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(err_done) struct err e = { 0 };
        sv rest = { (const char *)p, n < 65536 ? n : 65536 }, hosts;
        char **env;

        if (rest.n == 0)
                return 0;
        o.dist = (enum shim_dist)(rest.p[0] & 3);
        rest = sv_skip(rest, 1);
        if (!sv_cut(&rest, '\0', &hosts))
                return 0;
        o.hosts = hosts.n ? arena_str(&a, hosts) : NULL;
        if (shim_vars_make(&a, &o, &place, NULL, rest, NULL, &env, &e) == 0 && !shim_env_get(env, "ENVBUILD_OUTPUTS"))
                __builtin_trap();
        return 0;
}
