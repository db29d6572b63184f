/* Sizes as people write them. */
#include "run/job/size.h"

/* docker's units, and those of Kubernetes ("64Gi"): all count by 1024. */
bool run_size_parse(sv text, uint64_t *ret)
{
        static const char units[] = "kmgt";
        unsigned shift = 0;
        uint64_t n;
        size_t end = text.n;

        if (end && (text.p[end - 1] | 0x20) == 'b')
                end--;
        if (end && text.p[end - 1] == 'i')
                end--;
        if (end)
                for (unsigned i = 0; units[i]; i++)
                        if ((text.p[end - 1] | 0x20) == units[i])
                                shift = 10 * (i + 1);
        if (end < text.n && text.p[end] == 'i' && !shift)
                return false;
        if (shift)
                end--;
        if (!sv_u64((sv){ text.p, end }, &n) || n == 0 || n > (UINT64_MAX >> 1) >> shift)
                return false;
        *ret = n << shift;
        return true;
}
