#include "version/debian.h"

#include <limits.h>

static bool digit(char c)
{
        return c >= '0' && c <= '9';
}

static bool alpha(char c)
{
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* "~" sorts before everything, even the end; letters before other characters. Digits and the end weigh nothing. */
static int weight(sv s, size_t i)
{
        if (i >= s.n || digit(s.p[i]))
                return 0;
        if (s.p[i] == '~')
                return -1;
        return alpha(s.p[i]) ? (unsigned char)s.p[i] : (unsigned char)s.p[i] + 256;
}

struct parts {
        sv epoch, upstream, revision;
};

static struct parts split(sv v)
{
        struct parts p = { .upstream = v };
        ptrdiff_t at = sv_find(v, ':');

        if (at >= 0) {
                p.epoch = sv_from_to(v, 0, (size_t)at);
                p.upstream = sv_skip(v, (size_t)at + 1);
        }
        at = sv_rfind(p.upstream, '-');
        if (at >= 0) {
                p.revision = sv_skip(p.upstream, (size_t)at + 1);
                p.upstream = sv_from_to(p.upstream, 0, (size_t)at);
        }
        return p;
}

/* Two runs of digits as numbers of any length. Moves both places behind them. */
static int number_cmp(sv a, size_t *i, sv b, size_t *k)
{
        int first = 0;

        while (*i < a.n && a.p[*i] == '0')
                ++*i;
        while (*k < b.n && b.p[*k] == '0')
                ++*k;
        for (; *i < a.n && digit(a.p[*i]) && *k < b.n && digit(b.p[*k]); ++*i, ++*k)
                if (!first)
                        first = a.p[*i] - b.p[*k];
        if (*i < a.n && digit(a.p[*i]))
                return 1;
        if (*k < b.n && digit(b.p[*k]))
                return -1;
        return first;
}

static int part_cmp(sv a, sv b)
{
        size_t i = 0, k = 0;

        while (i < a.n || k < b.n) {
                int d;

                while ((i < a.n && !digit(a.p[i])) || (k < b.n && !digit(b.p[k]))) {
                        d = weight(a, i) - weight(b, k);
                        if (d)
                                return d;
                        i++, k++;
                }
                d = number_cmp(a, &i, b, &k);
                if (d)
                        return d;
        }
        return 0;
}

int deb_version_cmp(sv a, sv b)
{
        struct parts x = split(a), y = split(b);
        int d = part_cmp(x.epoch, y.epoch);

        if (d == 0)
                d = part_cmp(x.upstream, y.upstream);
        return d ? d : part_cmp(x.revision, y.revision);
}

static bool epoch_valid(sv epoch)
{
        uint64_t n;
        return sv_u64(epoch, &n) && n <= INT_MAX;
}

bool deb_version_valid(sv v)
{
        struct parts p = split(v);
        bool has_epoch = sv_find(v, ':') >= 0, has_revision = sv_rfind(v, '-') > sv_find(v, ':');

        if ((has_epoch && !epoch_valid(p.epoch)) || p.upstream.n == 0 || !digit(p.upstream.p[0]) ||
            (has_revision && p.revision.n == 0))
                return false;
        for (size_t i = 0; i < p.upstream.n; i++) {
                char c = p.upstream.p[i];
                if (!digit(c) && !alpha(c) && c != '.' && c != '+' && c != '~' && !(c == '-' && has_revision) &&
                    !(c == ':' && has_epoch))
                        return false;
        }
        for (size_t i = 0; i < p.revision.n; i++) {
                char c = p.revision.p[i];
                if (!digit(c) && !alpha(c) && c != '.' && c != '+' && c != '~')
                        return false;
        }
        return true;
}

bool deb_version_match(sv version, enum deb_op op, sv bound)
{
        int d = op == DEB_ANY ? 0 : deb_version_cmp(version, bound);

        switch (op) {
        case DEB_ANY:
                return true;
        case DEB_LT:
                return d < 0;
        case DEB_LE:
                return d <= 0;
        case DEB_EQ:
                return d == 0;
        case DEB_GE:
                return d >= 0;
        case DEB_GT:
                return d > 0;
        }
        return false;
}
