#include "base/sv.h"

#include <string.h>

sv sv_from(const char *s)
{
        return s ? (sv){ s, strlen(s) } : (sv){ 0 };
}

bool sv_eq(sv a, sv b)
{
        return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool sv_is(sv a, const char *s)
{
        return sv_eq(a, sv_from(s));
}

static char lower(char c)
{
        return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool sv_eq_nocase(sv a, sv b)
{
        if (a.n != b.n)
                return false;
        for (size_t i = 0; i < a.n; i++)
                if (lower(a.p[i]) != lower(b.p[i]))
                        return false;
        return true;
}

int sv_cmp(sv a, sv b)
{
        size_t n = a.n < b.n ? a.n : b.n;
        int c = n ? memcmp(a.p, b.p, n) : 0;
        return c ? c : (a.n > b.n) - (a.n < b.n);
}

int sv_qsort(const void *a, const void *b)
{
        return sv_cmp(*(const sv *)a, *(const sv *)b);
}

bool sv_starts(sv s, sv prefix)
{
        return s.n >= prefix.n && sv_eq((sv){ s.p, prefix.n }, prefix);
}

bool sv_ends(sv s, sv suffix)
{
        return s.n >= suffix.n && sv_eq(sv_skip(s, s.n - suffix.n), suffix);
}

bool sv_cut(sv *rest, char sep, sv *ret_head)
{
        ptrdiff_t at;

        if (rest->n == 0)
                return false;
        at = sv_find(*rest, sep);
        *ret_head = (sv){ rest->p, at < 0 ? rest->n : (size_t)at };
        *rest = sv_skip(*rest, ret_head->n + (at >= 0));
        return true;
}

bool sv_line(sv *rest, sv *ret_line)
{
        if (!sv_cut(rest, '\n', ret_line))
                return false;
        if (ret_line->n && ret_line->p[ret_line->n - 1] == '\r')
                ret_line->n--;
        return true;
}

ptrdiff_t sv_find(sv s, char c)
{
        const char *p = s.n ? memchr(s.p, c, s.n) : NULL;
        return p ? p - s.p : -1;
}

ptrdiff_t sv_rfind(sv s, char c)
{
        for (size_t i = s.n; i-- > 0;)
                if (s.p[i] == c)
                        return (ptrdiff_t)i;
        return -1;
}

ptrdiff_t sv_find_sv(sv s, sv what)
{
        const char *p = what.n ? (s.n ? memmem(s.p, s.n, what.p, what.n) : NULL) : s.p;
        return p ? p - s.p : (what.n ? -1 : 0);
}

sv sv_from_to(sv s, size_t from, size_t to)
{
        if (to > s.n)
                to = s.n;
        if (from > to)
                from = to;
        return s.p ? (sv){ s.p + from, to - from } : s;
}

sv sv_skip(sv s, size_t n)
{
        return sv_from_to(s, n, s.n);
}

static bool space(char c)
{
        return c == ' ' || (c >= '\t' && c <= '\r');
}

sv sv_trim(sv s)
{
        while (s.n && space(s.p[0]))
                s = sv_skip(s, 1);
        while (s.n && space(s.p[s.n - 1]))
                s.n--;
        return s;
}

sv sv_basename(sv path)
{
        return sv_skip(path, (size_t)(sv_rfind(path, '/') + 1));
}

sv sv_dirname(sv path)
{
        ptrdiff_t slash = sv_rfind(path, '/');

        return slash < 0 ? SV(".") : slash == 0 ? SV("/") : sv_from_to(path, 0, (size_t)slash);
}

bool sv_u64(sv s, uint64_t *ret)
{
        uint64_t v = 0;

        if (s.n == 0)
                return false;
        for (size_t i = 0; i < s.n; i++) {
                unsigned d = (unsigned)(s.p[i] - '0');
                if (d > 9 || v > (UINT64_MAX - d) / 10)
                        return false;
                v = v * 10 + d;
        }
        *ret = v;
        return true;
}

bool sv_utf8(sv s)
{
        const unsigned char *p = (const unsigned char *)s.p, *end = p + s.n;

        while (p < end) {
                unsigned n = *p < 0x80                  ? 0
                             : *p >= 0xc2 && *p <= 0xdf ? 1
                             : (*p & 0xf0) == 0xe0      ? 2
                             : *p >= 0xf0 && *p <= 0xf4 ? 3
                                                        : 9;
                if (n == 9 || (size_t)(end - p) <= n)
                        return false;
                if (n >= 2 && ((*p == 0xe0 && p[1] < 0xa0) || (*p == 0xed && p[1] > 0x9f) ||
                               (*p == 0xf0 && p[1] < 0x90) || (*p == 0xf4 && p[1] > 0x8f)))
                        return false;
                for (p++; n; n--, p++)
                        if ((*p & 0xc0) != 0x80)
                                return false;
        }
        return true;
}

uint64_t sv_hash(sv s)
{
        uint64_t h = 0xcbf29ce484222325u;

        for (size_t i = 0; i < s.n; i++)
                h = (h ^ (unsigned char)s.p[i]) * 0x100000001b3u;
        return h;
}

unsigned sv_distance(sv a, sv b, unsigned max)
{
        unsigned char row[3][66];
        unsigned char *before = row[0], *prev = row[1], *cur = row[2];

        if (a.n > 64 || b.n > 64 || (a.n > b.n ? a.n - b.n : b.n - a.n) > max)
                return max + 1;
        for (size_t j = 0; j <= b.n; j++)
                prev[j] = (unsigned char)j;
        for (size_t i = 1; i <= a.n; i++) {
                unsigned char *t;
                cur[0] = (unsigned char)i;
                for (size_t j = 1; j <= b.n; j++) {
                        unsigned d = prev[j - 1] + (a.p[i - 1] != b.p[j - 1]);
                        if (prev[j] + 1u < d)
                                d = prev[j] + 1u;
                        if (cur[j - 1] + 1u < d)
                                d = cur[j - 1] + 1u;
                        if (i > 1 && j > 1 && a.p[i - 1] == b.p[j - 2] && a.p[i - 2] == b.p[j - 1] &&
                            before[j - 2] + 1u < d)
                                d = before[j - 2] + 1u;
                        cur[j] = (unsigned char)d;
                }
                t = before;
                before = prev;
                prev = cur;
                cur = t;
        }
        return prev[b.n] > max ? max + 1 : prev[b.n];
}
