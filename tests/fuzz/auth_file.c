#include "base/cleanup.h"
#include "registry/auth_file.h"
#include "registry/helper.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

/* Docker's and podman's files, and what helpers answer. A login that was set is found; one that was taken away is not. */
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
        static const struct reg_repo repo = { { "h:5000", 6 }, { "a/b", 3 } },
                                     hub = { { "docker.io", 9 }, { "library/x", 9 } };
        AUTO(arena_wipe) struct arena a = { 0 };
        AUTO(err_done) struct err e = { 0 };
        struct reg_login l = { .username = SV("u"), .password = SV("p:w") };
        struct auth_found found;
        struct auth_file f;
        sv *v = NULL;
        size_t k = 0, cap = 0;

        helper_answer_read(&a, (sv){ (const char *)p, n }, &l, &e);
        err_done(&e);
        l = (struct reg_login){ .username = SV("u"), .password = SV("p:w") };
        if (auth_file_parse(&a, SV("f"), (sv){ (const char *)p, n }, n % 2, &f, &e) < 0)
                return 0;
        auth_file_find(&a, &f, &hub, &found, &e);
        auth_file_find(&a, &f, &repo, &found, &e);
        auth_file_registries(&a, &f, &v, &k, &cap);
        err_done(&e);
        auth_file_set(&a, &f, repo.registry, &l, false);
        if (auth_file_find(&a, &f, &(struct reg_repo){ repo.registry, { 0 } }, &found, &e) == 0 && !found.helper.n &&
            !(sv_is(found.login.username, "u") && sv_is(found.login.password, "p:w")))
                __builtin_trap();
        auth_file_set(&a, &f, repo.registry, NULL, false);
        if (auth_file_set(&a, &f, repo.registry, NULL, false))
                __builtin_trap();
        return 0;
}
