/* tests/fuzz/wheel_name.c - names of wheels and source distributions. */
#include <stdint.h>
#include <stdlib.h>

#include "pkg/pyname.h"
#include "pkg/tags.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
        struct arena a = { 0 };
        sv text = { (const char *)p, n };
        struct wheel_name strict, loose;
        struct sdist_name s;
        struct tags t;
        const sv tag = SV("py3-none-any");
        sv why = { 0 };

        tags_from(&a, &tag, 1, &t);
        if (wheel_name_parse(&a, text, false, &loose, &why))
                tags_rank(&t, loose.python, loose.abi, loose.platform);
        else if (!why.n ||
                 wheel_name_parse(&a, text, true, &strict, &why)) /* strict takes nothing that loose refuses */
                abort();
        sdist_name_parse(&a, text, SV("foo-bar"), &s, &why);
        sdist_name_parse(&a, text, (sv){ 0 }, &s, &why);
        arena_done(&a);
        return 0;
}
