#include "sandbox/sandbox_priv.h"

#include <string.h>

bool sandbox_path_clean(sv path, char ret[static SANDBOX_PATH_MAX + 1])
{
        size_t n = 0, depth = 0;
        sv part;

        while (sv_cut(&path, '/', &part)) {
                if (part.n == 0 || sv_is(part, "."))
                        continue;
                if (sv_is(part, "..")) {
                        while (n && ret[n - 1] != '/')
                                n--;
                        n -= n > 0; /* its slash */
                        depth -= depth > 0;
                        continue;
                }
                if (n + part.n + 1 > SANDBOX_PATH_MAX || ++depth > SANDBOX_DEPTH_MAX || memchr(part.p, '\0', part.n))
                        return false;
                if (n)
                        ret[n++] = '/';
                memcpy(ret + n, part.p, part.n);
                n += part.n;
        }
        ret[n] = '\0';
        return true;
}
