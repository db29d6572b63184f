/* What --set says: lists and ranges. Numbers of ranges are decimals, counted exactly: 0.1 + 0.2 is 0.3. */
#include "run/sweep/sweep.h"

#include <string.h>

enum { DIGITS_MAX = 15 };

struct decimal {
        int64_t n; /* the number times 10^scale */
        unsigned scale;
};

static bool decimal_parse(sv s, struct decimal *ret)
{
        bool minus = s.n && s.p[0] == '-', point = false;
        size_t i = minus, digits = 0;

        *ret = (struct decimal){ 0 };
        for (; i < s.n; i++) {
                if (s.p[i] == '.' && !point && digits) {
                        point = true;
                        continue;
                }
                if (s.p[i] < '0' || s.p[i] > '9' || ++digits > DIGITS_MAX)
                        return false;
                ret->n = ret->n * 10 + (s.p[i] - '0');
                ret->scale += point;
        }
        if (minus)
                ret->n = -ret->n;
        return digits > 0 && s.p[s.n - 1] != '.';
}

static bool rescale(struct decimal *d, unsigned scale)
{
        for (; d->scale < scale; d->scale++)
                if (__builtin_mul_overflow(d->n, 10, &d->n))
                        return false;
        return true;
}

static sv decimal_text(struct arena *a, struct decimal d)
{
        uint64_t n = d.n < 0 ? -(uint64_t)d.n : (uint64_t)d.n, unit = 1;

        while (d.scale && n % 10 == 0) {
                n /= 10;
                d.scale--;
        }
        for (unsigned i = 0; i < d.scale; i++)
                unit *= 10;
        if (!d.scale)
                return arena_fmt(a, "%s%llu", d.n < 0 ? "-" : "", (unsigned long long)n);
        return arena_fmt(a, "%s%llu.%0*llu", d.n < 0 ? "-" : "", (unsigned long long)(n / unit), (int)d.scale,
                         (unsigned long long)(n % unit));
}

static int add_value(struct arena *a, struct run_sweep_param *p, size_t *cap, sv value, struct err *e)
{
        for (size_t i = 0; i < p->n; i++)
                if (sv_eq(p->value[i], value))
                        return err_set(e, ERR_USAGE, "--set %.*s: the value '%.*s' is there twice", SV_ARG(p->name),
                                       SV_ARG(value));
        if (p->n == RUN_SWEEP_MAX)
                return err_set(e, ERR_LIMIT, "--set %.*s: more than %d values", SV_ARG(p->name), RUN_SWEEP_MAX);
        *arena_push(a, p->value, p->n, *cap) = value;
        return 0;
}

/* 1: it is a range, and was added; 0: it is a text. */
static int add_range(struct arena *a, struct run_sweep_param *p, size_t *cap, sv text, struct err *e)
{
        ptrdiff_t dots = sv_find_sv(text, SV("..")), colon;
        struct decimal from, to, by;
        sv last;
        unsigned scale;

        if (dots <= 0)
                return 0;
        last = sv_skip(text, (size_t)dots + 2);
        colon = sv_find(last, ':');
        if (!decimal_parse((sv){ text.p, (size_t)dots }, &from) ||
            !decimal_parse(colon < 0 ? last : (sv){ last.p, (size_t)colon }, &to))
                return 0;
        by = (struct decimal){ from.n <= to.n ? 1 : -1, 0 };
        if (colon >= 0 && (!decimal_parse(sv_skip(last, (size_t)colon + 1), &by) || by.n == 0))
                return err_set(e, ERR_USAGE, "--set %.*s: '%.*s' has no step that is a number", SV_ARG(p->name),
                               SV_ARG(text));
        if (colon < 0 && (from.scale || to.scale)) {
                err_set(e, ERR_USAGE, "--set %.*s: '%.*s' needs a step", SV_ARG(p->name), SV_ARG(text));
                err_hint(e, "write %.*s:0.25", SV_ARG(text));
                return -ERR_USAGE;
        }
        scale = from.scale > to.scale ? from.scale : to.scale;
        scale = scale > by.scale ? scale : by.scale;
        if (!rescale(&from, scale) || !rescale(&to, scale) || !rescale(&by, scale))
                return err_set(e, ERR_USAGE, "--set %.*s: the numbers of '%.*s' are too long", SV_ARG(p->name),
                               SV_ARG(text));
        if ((by.n > 0) != (from.n <= to.n))
                return err_set(e, ERR_USAGE, "--set %.*s: '%.*s' never arrives", SV_ARG(p->name), SV_ARG(text));
        for (; by.n > 0 ? from.n <= to.n : from.n >= to.n; from.n += by.n) {
                if (add_value(a, p, cap, decimal_text(a, from), e) < 0)
                        return -(int)e->code;
                if (by.n > 0 ? from.n > INT64_MAX - by.n : from.n < INT64_MIN - by.n)
                        break;
        }
        return 1;
}

/* One item up to a comma that is not escaped. */
static bool cut_item(struct arena *a, sv *rest, sv *ret)
{
        char *out;
        size_t n = 0, i = 0;

        if (!rest->p)
                return false;
        out = arena_alloc(a, rest->n + 1, 1);
        for (; i < rest->n && rest->p[i] != ','; i++) {
                if (rest->p[i] == '\\' && i + 1 < rest->n && (rest->p[i + 1] == ',' || rest->p[i + 1] == '\\'))
                        i++;
                out[n++] = rest->p[i];
        }
        *ret = (sv){ out, n };
        *rest = i < rest->n ? sv_skip(*rest, i + 1) : (sv){ 0 };
        return true;
}

int run_sweep_add(struct arena *a, struct run_sweep *s, sv text, struct err *e)
{
        struct run_sweep_param p = { 0 };
        ptrdiff_t eq = sv_find(text, '=');
        size_t cap = 0;
        sv rest, item;

        if (eq <= 0) {
                err_set(e, ERR_USAGE, "--set takes NAME=V1,V2,…, not '%.*s'", SV_ARG(text));
                err_hint(e, "--set lr=0.1,0.01 --set seed=1..5");
                return -ERR_USAGE;
        }
        p.name = arena_sv(a, (sv){ text.p, (size_t)eq });
        for (size_t i = 0; i < s->n; i++)
                if (sv_eq(s->param[i].name, p.name))
                        return err_set(e, ERR_USAGE, "--set %.*s is there twice", SV_ARG(p.name));
        rest = arena_sv(a, sv_skip(text, (size_t)eq + 1));
        while (cut_item(a, &rest, &item)) {
                int k = add_range(a, &p, &cap, item, e);
                if (k < 0 || (k == 0 && add_value(a, &p, &cap, item, e) < 0))
                        return -(int)e->code;
        }
        *arena_push(a, s->param, s->n, s->cap) = p;
        return 0;
}
