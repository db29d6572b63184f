#include "base/alloc.h"
#include "tests/unit/catalog/conda_oracle.h"

/* The scanner against a full parse: the same records. What is no JSON only has to be survived. */

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
        AUTO(err_done) struct err e = { 0 };
        AUTO(conda_whole_done) struct conda_whole repo = { .place = { .subdir = SV("linux-64"),
                                                                      .base = SV("https://h/c/") },
                                                           .text = xmalloc(n + 1),
                                                           .text_size = n };
        struct oracle o = { 0 };
        sv text = { (const char *)p, n };
        sha256 source = { { 1 } };
        bool good = oracle_read(&o, text, repo.place.subdir);

        if (n)
                memcpy(repo.text, p, n);
        if (conda_whole_index(&repo, &source, NULL, &e) < 0) {
                if (good)
                        __builtin_trap();
        } else if (good) {
                if (!oracle_agrees(&o, &repo) && !o.unsure)
                        __builtin_trap();
        } else {
                struct conda_list list = { 0 };

                for (uint32_t i = 0; i < repo.index.n_name; i++)
                        conda_whole_add(&repo, conda_index_name(&repo.index, i), &o.a, &list, &e);
        }
        arena_done(&o.a);
        return 0;
}
