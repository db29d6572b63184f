#include "catalog/conda_near.h"

#include "base/alloc.h"

/* Which bytes a name has, a bit each (letters and digits have their own), and its length in the highest byte. A slip changes the length by
 * one at most, and the bytes by two. */
static uint64_t mark_of(sv name)
{
        uint64_t r = (uint64_t)(name.n < 255 ? name.n : 255) << 56;

        for (size_t i = 0; i < name.n; i++) {
                unsigned char c = (unsigned char)name.p[i];

                r |= (uint64_t)1 << (c >= 'a' && c <= 'z' ? c - 'a' : c >= '0' && c <= '9' ? c - '0' + 26 : 36 + c % 8);
        }
        return r;
}

void conda_near_begin(struct conda_near *n, sv name)
{
        *n = (struct conda_near){ .name = name, .mark = mark_of(name) };
        n->best = name.n < 5 ? 2 : 3; /* one slip in a short name, two in a long one */
}

uint64_t *conda_near_marks(conda_name_at *at, const void *of, size_t n)
{
        uint64_t *mark = xcalloc(n + 1, sizeof(*mark));

        for (size_t i = 0; i < n; i++)
                mark[i] = mark_of(at(of, i));
        return mark;
}

void conda_near_look(struct conda_near *near, const uint64_t *mark, conda_name_at *at, const void *of, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                int gap = (int)(mark[i] >> 56) - (int)(near->mark >> 56);
                uint64_t differ = (mark[i] ^ near->mark) << 8;
                unsigned d;

                if (gap >= (int)near->best || -gap >= (int)near->best ||
                    (unsigned)__builtin_popcountll(differ) > 2 * (near->best - 1))
                        continue;
                d = sv_distance(near->name, at(of, i), near->best);
                if (d == 0 || d >= near->best)
                        continue;
                near->best = d;
                near->found = at(of, i);
        }
}
