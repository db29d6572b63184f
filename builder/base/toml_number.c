#include <string.h>

#include "base/toml_priv.h"

static bool is_digit(char c)
{
        return c >= '0' && c <= '9';
}

/* What a number, time or word is made of; a blank only between a date and its time. */
static sv take_word(struct toml_reader *r)
{
        const char *at = r->p;

        while (r->p < r->end && (is_digit(*r->p) || (*r->p >= 'a' && *r->p <= 'z') || (*r->p >= 'A' && *r->p <= 'Z') ||
                                 (*r->p && strchr("+-_.:", *r->p))))
                r->p++;
        if (r->p - at == 10 && at[4] == '-' && r->end - r->p > 3 && *r->p == ' ' && is_digit(r->p[1]) &&
            is_digit(r->p[2]) && r->p[3] == ':') {
                r->p++;
                while (r->p < r->end && (is_digit(*r->p) || (*r->p && strchr("+-.:Zz", *r->p))))
                        r->p++;
        }
        return (sv){ at, (size_t)(r->p - at) };
}

/* Exactly n digits into *ret, which must lie between low and high. */
static bool two(sv *s, size_t n, int low, int high, int *ret)
{
        int v = 0;

        if (s->n < n)
                return false;
        for (size_t i = 0; i < n; i++) {
                if (!is_digit(s->p[i]))
                        return false;
                v = v * 10 + (s->p[i] - '0');
        }
        *s = sv_skip(*s, n);
        *ret = v;
        return v >= low && v <= high;
}

static bool mark(sv *s, char c)
{
        bool ok = s->n && s->p[0] == c;

        if (ok)
                *s = sv_skip(*s, 1);
        return ok;
}

static bool is_date(sv *s)
{
        static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
        int year, month, day;
        bool leap;

        if (!two(s, 4, 0, 9999, &year) || !mark(s, '-') || !two(s, 2, 1, 12, &month) || !mark(s, '-') ||
            !two(s, 2, 1, 31, &day))
                return false;
        leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
        return day <= days[month - 1] + (month == 2 && leap);
}

static bool is_clock(sv *s)
{
        int ignored;
        size_t digits = 0;

        if (!two(s, 2, 0, 23, &ignored) || !mark(s, ':') || !two(s, 2, 0, 59, &ignored) || !mark(s, ':') ||
            !two(s, 2, 0, 60, &ignored))
                return false;
        if (!mark(s, '.'))
                return true;
        while (digits < s->n && is_digit(s->p[digits]))
                digits++;
        *s = sv_skip(*s, digits);
        return digits > 0;
}

static bool is_offset(sv *s)
{
        int ignored;

        if (mark(s, 'Z') || mark(s, 'z'))
                return true;
        return (mark(s, '+') || mark(s, '-')) && two(s, 2, 0, 23, &ignored) && mark(s, ':') &&
               two(s, 2, 0, 59, &ignored);
}

static bool is_time(sv s)
{
        sv whole = s;

        if (is_clock(&s) && !s.n)
                return true;
        s = whole;
        if (!is_date(&s))
                return false;
        if (!s.n)
                return true;
        if (!mark(&s, 'T') && !mark(&s, 't') && !mark(&s, ' '))
                return false;
        return is_clock(&s) && (!s.n || (is_offset(&s) && !s.n));
}

static int digit_of(char c)
{
        return is_digit(c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : 99;
}

/* Digits with single underscores between them; *ret_over: more than 64 bits. */
static bool digits(sv s, int base, uint64_t *ret, bool *ret_over)
{
        uint64_t v = 0;

        *ret_over = false;
        if (!s.n || s.p[0] == '_' || s.p[s.n - 1] == '_')
                return false;
        for (size_t i = 0; i < s.n; i++) {
                int d = digit_of(s.p[i]);

                if (s.p[i] == '_') {
                        if (s.p[i + 1] == '_')
                                return false;
                        continue;
                }
                if (d >= base)
                        return false;
                *ret_over = *ret_over || v > (UINT64_MAX - (unsigned)d) / (unsigned)base;
                v = v * (unsigned)base + (unsigned)d;
        }
        *ret = v;
        return true;
}

static bool leads_with_zero(sv s)
{
        return s.n > 1 && s.p[0] == '0';
}

/* 1: an integer; 0: none; -1: one, but out of range. */
static int read_int(sv s, int64_t *ret)
{
        static const struct {
                const char *prefix;
                int base;
        } kinds[] = { { "0x", 16 }, { "0o", 8 }, { "0b", 2 } };
        bool minus, signs, over;
        uint64_t v;

        for (size_t i = 0; i < 3; i++)
                if (sv_starts(s, sv_from(kinds[i].prefix))) {
                        if (!digits(sv_skip(s, 2), kinds[i].base, &v, &over))
                                return 0;
                        *ret = (int64_t)v;
                        return over || v > INT64_MAX ? -1 : 1;
                }
        minus = s.n && s.p[0] == '-';
        signs = minus || (s.n && s.p[0] == '+');
        s = sv_skip(s, signs);
        if (leads_with_zero(s) || !digits(s, 10, &v, &over))
                return 0;
        if (over || v > (uint64_t)INT64_MAX + minus)
                return -1;
        *ret = minus ? (int64_t)(0 - v) : (int64_t)v;
        return 1;
}

static bool is_float(sv s)
{
        sv whole, fraction, power;
        uint64_t v;
        bool over, has_fraction, has_power;
        ptrdiff_t at;

        if (s.n && (s.p[0] == '+' || s.p[0] == '-'))
                s = sv_skip(s, 1);
        if (sv_is(s, "inf") || sv_is(s, "nan"))
                return true;
        at = sv_find(s, 'e') >= 0 ? sv_find(s, 'e') : sv_find(s, 'E');
        has_power = at >= 0;
        power = has_power ? sv_skip(s, (size_t)at + 1) : (sv){ 0 };
        whole = has_power ? sv_from_to(s, 0, (size_t)at) : s;
        if (power.n && (power.p[0] == '+' || power.p[0] == '-'))
                power = sv_skip(power, 1);
        at = sv_find(whole, '.');
        has_fraction = at >= 0;
        fraction = has_fraction ? sv_skip(whole, (size_t)at + 1) : (sv){ 0 };
        whole = has_fraction ? sv_from_to(whole, 0, (size_t)at) : whole;
        return (has_fraction || has_power) && !leads_with_zero(whole) && digits(whole, 10, &v, &over) &&
               (!has_fraction || digits(fraction, 10, &v, &over)) && (!has_power || digits(power, 10, &v, &over));
}

bool toml_scalar(struct toml_reader *r, struct toml **ret)
{
        const char *at = r->p;
        sv word = take_word(r);
        struct toml *t = toml_new(r, TOML_BOOL, at);
        int is_int;

        *ret = t;
        if (sv_is(word, "true") || sv_is(word, "false")) {
                t->num = sv_is(word, "true");
                return true;
        }
        is_int = read_int(word, &t->num);
        if (is_int < 0)
                return toml_bad(r, at, "this number does not fit into 64 bits");
        t->type = is_int ? TOML_INT : is_float(word) ? TOML_FLOAT : TOML_TIME;
        if (t->type == TOML_TIME && !is_time(word))
                return toml_bad(r, at, word.n ? "this is no value: texts stand in quotes" : "a value is missing");
        t->str = arena_sv(r->a, word);
        return true;
}
