#include <stdlib.h>

#include "image/image_priv.h"

bool image_environment(void *arg, sv name, sv *ret)
{
        const char *v = getenv(arena_str(arg, name));

        *ret = sv_from(v);
        return v != NULL;
}
