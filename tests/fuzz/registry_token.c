#include "base/cleanup.h"
#include "registry/client_priv.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

/* A token goes into a header; what a server says goes onto a terminal. */
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
        AUTO(arena_wipe) struct arena a = { 0 };
        AUTO(err_done) struct err e = { 0 };
        struct net_answer ans = { .status = 400, .body = { (const char *)p, n } };
        struct reg_token_answer t;
        sv said = reg_answer_text(&a, &ans);

        if (!sv_utf8(said))
                __builtin_trap();
        for (size_t i = 0; i < said.n; i++)
                if ((unsigned char)said.p[i] < ' ')
                        __builtin_trap();
        if (reg_token_read(&a, ans.body, 1700000000, &t, &e) < 0)
                return 0;
        for (size_t i = 0; i < t.token.n; i++)
                if (t.token.p[i] <= ' ' || t.token.p[i] > '~')
                        __builtin_trap();
        if (t.life_s < REG_TOKEN_MIN_LIFE || t.age_s < 0 || t.age_s >= t.life_s)
                __builtin_trap();
        return 0;
}
