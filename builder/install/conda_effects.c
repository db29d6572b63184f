#include <stdlib.h>

#include "install/conda_priv.h"

/* Link scripts that were read, and that an image does without: they only print, or fill caches that programs fill by themselves. The
 * table decides about a warning and never about bytes: a package's layer is a function of its lock block alone, so a script that makes
 * files could only act in the last layer. Sorted. */
static const struct {
        const char *sha256;
        const char *why;
} table[] = {
        { "0000000000000000000000000000000000000000000000000000000000000000", "" },
};

bool conda_script_needless(const sha256 *script)
{
        sv text = { 0 };
        sha256_text hex = sha256_hex(script);

        text = (sv){ hex.s, 64 };
        for (size_t i = 0; i < ARRAY_LEN(table); i++)
                if (sv_is(text, table[i].sha256))
                        return true;
        return false;
}
