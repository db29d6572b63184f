/* An image's User against its own passwd and group: input is three texts, each ended by NUL. */
#include <stdint.h>

#include "base/cleanup.h"
#include "sandbox/sandbox_priv.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
        sv rest = { (const char *)p, n }, user = { 0 }, passwd = { 0 }, group = { 0 };
        AUTO(err_done) struct err e = { 0 };
        struct sandbox_user u;

        sv_cut(&rest, '\0', &user);
        sv_cut(&rest, '\0', &passwd);
        sv_cut(&rest, '\0', &group);
        sandbox_user_find(user, passwd, group, &u, &e);
        return 0;
}
