/* Recipes and effects files: whatever the text, faults are reported and nothing else happens; one that was read has a stable digest. */
#include <stdlib.h>

#include "base/cleanup.h"
#include "install/effects.h"
#include "spec/recipe.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(diags_done) struct diags ds = { 0 };
        AUTO(err_done) struct err e = { 0 };
        sv text = { (const char *)p, n };
        struct recipe *r = NULL;
        struct effects *x = NULL;

        if (recipe_parse(&a, text, SV("r.yml"), &ds, &r, &e) == 0) {
                AUTO(buf_done) struct buf out = BUF_INIT(64 << 20);
                recipe_write(r, &out);
                if (out.n == 0)
                        abort();
        } else if (e.code != ERR_USAGE || ds.n_errors == 0) {
                abort();
        }
        err_done(&e);
        if (effects_parse(&a, text, SV("x.yml"), SV("arm64"), &ds, &x, &e) == 0)
                (void)effects_digest(x, &(sv){ "a", 1 }, 1);
        return 0;
}
