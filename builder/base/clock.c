#include "base/clock.h"

#include "base/attr.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

int64_t clock_ms(void)
{
        struct timespec ts;
        clock_gettime(CLOCK_MONOTONIC, &ts);
        return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t clock_unix(void)
{
        return (int64_t)time(NULL);
}

/* Days since 1970-01-01 in the proleptic Gregorian calendar: libc's timegm would read TZ data on some systems. */
static int64_t days(int y, int m, int d)
{
        int64_t era, yoe, doy;

        y -= m <= 2;
        era = (y >= 0 ? y : y - 399) / 400;
        yoe = y - era * 400;
        doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
        return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

static bool digits(sv *s, int n, int *ret)
{
        int v = 0;

        if (s->n < (size_t)n)
                return false;
        for (int i = 0; i < n; i++) {
                if (s->p[i] < '0' || s->p[i] > '9')
                        return false;
                v = v * 10 + (s->p[i] - '0');
        }
        *s = sv_skip(*s, (size_t)n);
        *ret = v;
        return true;
}

static bool lit(sv *s, char c)
{
        if (s->n == 0 || s->p[0] != c)
                return false;
        *s = sv_skip(*s, 1);
        return true;
}

static int month_days(int y, int m)
{
        static const int n[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
        return n[m - 1] + (m == 2 && y % 4 == 0 && (y % 100 != 0 || y % 400 == 0));
}

static bool make(int y, int mo, int d, int h, int mi, int s, int64_t *ret)
{
        if (y < 1 || mo < 1 || mo > 12 || d < 1 || d > month_days(y, mo) || h > 23 || mi > 59 || s > 60)
                return false;
        *ret = days(y, mo, d) * 86400 + h * 3600 + mi * 60 + s;
        return true;
}

bool time_parse(sv s, int64_t *ret)
{
        int y, mo, d, h = 0, mi = 0, sec = 0, oh = 0, om = 0, sign = 0;
        int64_t t;

        if (!digits(&s, 4, &y) || !lit(&s, '-') || !digits(&s, 2, &mo) || !lit(&s, '-') || !digits(&s, 2, &d))
                return false;
        if (s.n) {
                if (!lit(&s, 'T') && !lit(&s, 't') && !lit(&s, ' '))
                        return false;
                if (!digits(&s, 2, &h) || !lit(&s, ':') || !digits(&s, 2, &mi) || !lit(&s, ':') || !digits(&s, 2, &sec))
                        return false;
                if (lit(&s, '.'))
                        while (s.n && s.p[0] >= '0' && s.p[0] <= '9')
                                s = sv_skip(s, 1);
                if (s.n && (s.p[0] == '+' || s.p[0] == '-')) {
                        sign = s.p[0] == '+' ? 1 : -1;
                        s = sv_skip(s, 1);
                        if (!digits(&s, 2, &oh) || (lit(&s, ':'), !digits(&s, 2, &om)) || oh > 23 || om > 59)
                                return false;
                } else if (s.n && !lit(&s, 'Z') && !lit(&s, 'z')) {
                        return false;
                }
        }
        if (s.n || !make(y, mo, d, h, mi, sec, &t))
                return false;
        *ret = t - (int64_t)sign * (oh * 3600 + om * 60);
        return true;
}

bool time_parse_rfc2822(sv s, int64_t *ret)
{
        static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
        ptrdiff_t comma = sv_find(s, ',');
        char name[4] = "";
        const char *at;
        int y, d, h, mi, sec;

        s = sv_trim(sv_skip(s, (size_t)(comma + 1)));
        if (!digits(&s, 2, &d)) {
                if (!digits(&s, 1, &d))
                        return false;
        }
        if (!lit(&s, ' ') || s.n < 4)
                return false;
        memcpy(name, s.p, 3);
        at = strstr(months, name);
        s = sv_skip(s, 3);
        if (!at || (at - months) % 3 || !lit(&s, ' ') || !digits(&s, 4, &y) || !lit(&s, ' ') || !digits(&s, 2, &h) ||
            !lit(&s, ':') || !digits(&s, 2, &mi) || !lit(&s, ':') || !digits(&s, 2, &sec))
                return false;
        s = sv_trim(s);
        if (s.n && !sv_is(s, "UTC") && !sv_is(s, "GMT") && !sv_is(s, "+0000"))
                return false;
        return make(y, (int)(at - months) / 3 + 1, d, h, mi, sec, ret);
}

void time_format(int64_t t, char ret[static 24])
{
        int64_t z = (t >= 0 ? t : t - 86399) / 86400, rest = t - z * 86400;
        int64_t era, doe, yoe, doy, mp, y;

        z += 719468;
        era = (z >= 0 ? z : z - 146096) / 146097;
        doe = z - era * 146097;
        yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
        doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
        mp = (5 * doy + 2) / 153;
        y = yoe + era * 400 + (mp >= 10);
        snprintf(ret, 24, "%04u-%02u-%02uT%02u:%02u:%02uZ", (unsigned)(y % 10000),
                 (unsigned)(mp < 10 ? mp + 3 : mp - 9) % 100, (unsigned)(doy - (153 * mp + 2) / 5 + 1) % 100,
                 (unsigned)(rest / 3600) % 100, (unsigned)(rest % 3600 / 60) % 100, (unsigned)(rest % 60) % 100);
}

int time_read(sv text, int64_t now, int64_t *ret, struct err *e)
{
        static const struct {
                char letter;
                int64_t seconds;
        } units[] = { { 'h', 3600 }, { 'd', 86400 }, { 'w', 7 * 86400 } };
        uint64_t n;
        int64_t t;

        for (size_t i = 0; text.n > 1 && i < ARRAY_LEN(units); i++)
                if (text.p[text.n - 1] == units[i].letter && sv_u64(sv_from_to(text, 0, text.n - 1), &n) &&
                    n < 100000) {
                        *ret = now - (int64_t)n * units[i].seconds;
                        return 0;
                }
        if (time_parse(text, &t) && t > 0) {
                *ret = t;
                return 0;
        }
        err_set(e, ERR_USAGE, "'%.*s' is not a date", SV_ARG(text));
        err_hint(e, "write 2021-04-22, 2021-04-22T09:30:00Z, or how long ago: 7d");
        return -(int)e->code;
}
