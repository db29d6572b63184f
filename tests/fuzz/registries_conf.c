#include "base/cleanup.h"
#include "registry/registries_conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
        static const struct reg_repo repo = { { "docker.io", 9 }, { "library/x", 9 } };
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(err_done) struct err e = { 0 };
        struct reg_conf conf = { 0 };
        sv rest = { 0 };

        if (reg_conf_parse(&a, SV("f"), (sv){ (const char *)p, n }, &conf, &e) < 0)
                return 0;
        reg_conf_find(&a, &conf, &repo, &rest);
        reg_conf_insecure(&conf, SV("m:5000"));
        for (size_t i = 0; i < conf.n; i++) {
                if (!conf.v[i].prefix.n || (!conf.v[i].location.n && conf.v[i].prefix.p[0] != '*'))
                        __builtin_trap();
                for (size_t k = 0; k < conf.v[i].n_mirror; k++)
                        if (!conf.v[i].mirror[k].location.n)
                                __builtin_trap();
        }
        return 0;
}
