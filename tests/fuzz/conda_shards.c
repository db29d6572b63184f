#include "base/cleanup.h"
#include "catalog/conda_shards.h"

/* Any bytes as an index of shards and as a shard: what comes out is in order and can be used. */

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(err_done) struct err e = { 0 };
        struct conda_place place = { .channel = SV("https://h/c"),
                                     .subdir = SV("noarch"),
                                     .base = SV("https://h/c/noarch/") };
        struct conda_shards s = { 0 };
        struct conda_list list = { 0 };
        sv bytes = { (const char *)p, n };

        if (conda_shards_parse(&a, bytes, &s, &e) == 0)
                for (size_t i = 0; i < s.n; i++)
                        if ((i && sv_cmp(s.v[i - 1].name, s.v[i].name) > 0) || !conda_shards_find(&s, s.v[i].name))
                                __builtin_trap();
        err_done(&e);
        if (conda_shard_add(bytes, &place, SV("a"), &a, &list, &e) == 0)
                for (size_t i = 0; i < list.n; i++)
                        if (!sv_is(list.v[i].name, "a") || !list.v[i].version.n ||
                            !sv_starts(list.v[i].url, place.base) || (i && sv_cmp(list.v[i - 1].fn, list.v[i].fn) >= 0))
                                __builtin_trap();
        return 0;
}
