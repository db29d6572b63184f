/* A YAML node as JSON: plain scalars that JSON has words for become those, everything else is text. */
#include "run/job/job_priv.h"

static bool digit(char c)
{
        return c >= '0' && c <= '9';
}

static size_t digits(sv s, size_t i)
{
        while (i < s.n && digit(s.p[i]))
                i++;
        return i;
}

/* JSON's own grammar of a number with a fraction or an exponent. */
static bool is_real(sv s)
{
        size_t i = s.n && s.p[0] == '-', from = i;

        i = digits(s, i);
        if (i == from || (s.p[from] == '0' && i > from + 1))
                return false;
        if (i < s.n && s.p[i] == '.') {
                from = ++i;
                i = digits(s, i);
                if (i == from)
                        return false;
        }
        if (i < s.n && (s.p[i] | 0x20) == 'e') {
                i++;
                i += i < s.n && (s.p[i] == '-' || s.p[i] == '+');
                from = i;
                i = digits(s, i);
                if (i == from)
                        return false;
        }
        return i == s.n;
}

static bool is_int(sv s, int64_t *ret)
{
        bool minus = s.n && s.p[0] == '-';
        uint64_t n;

        s = sv_skip(s, minus);
        if (!sv_u64(s, &n) || n > INT64_MAX || (s.n > 1 && s.p[0] == '0'))
                return false;
        *ret = minus ? -(int64_t)n : (int64_t)n;
        return true;
}

static struct js *scalar(struct arena *a, const struct yaml *y)
{
        struct js *j;
        int64_t n;

        if (yaml_is_null(y))
                return arena_new(a, struct js); /* JS_NULL */
        if (y->plain && (sv_is(y->text, "true") || sv_is(y->text, "false")))
                return js_new_bool(a, sv_is(y->text, "true"));
        if (y->plain && is_int(y->text, &n))
                return js_new_int(a, n);
        j = js_new_str(a, y->text);
        if (y->plain && is_real(y->text))
                j->type = JS_REAL;
        return j;
}

struct js *job_js(struct arena *a, const struct yaml *y)
{
        struct js *j;

        if (y->type == YAML_SCALAR)
                return scalar(a, y);
        j = y->type == YAML_SEQ ? js_new_arr(a) : js_new_obj(a);
        for (size_t i = 0; i < y->n; i++)
                if (y->type == YAML_SEQ)
                        js_add(a, j, job_js(a, y->v[i].value));
                else
                        js_put(a, j, y->v[i].key->text, job_js(a, y->v[i].value));
        return j;
}
