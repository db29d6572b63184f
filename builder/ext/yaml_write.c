#include "ext/yaml.h"

#include "base/attr.h"

static bool digit(char c)
{
        return c >= '0' && c <= '9';
}

static size_t digits(sv s, size_t i)
{
        while (i < s.n && (digit(s.p[i]) || s.p[i] == '_'))
                i++;
        return i;
}

/* "0x1f", "0b11", "0o17" */
static bool based_number(sv s)
{
        if (s.n < 3 || s.p[0] != '0' || (s.p[1] != 'x' && s.p[1] != 'b' && s.p[1] != 'o'))
                return false;
        for (size_t i = 2; i < s.n; i++) {
                char c = s.p[i];
                if (!digit(c) && c != '_' && !(c >= 'a' && c <= 'f') && !(c >= 'A' && c <= 'F'))
                        return false;
        }
        return true;
}

/* Integers, floats and YAML 1.1's sexagesimals ("12:30", "1:2.0"): everything that some reader takes for a number. */
static bool number(sv s)
{
        size_t i = s.n && (s.p[0] == '-' || s.p[0] == '+'), from;

        if (based_number(sv_skip(s, i)))
                return true;
        from = i;
        i = digits(s, i);
        while (i > from && i + 1 < s.n && s.p[i] == ':' && digit(s.p[i + 1]))
                i = digits(s, i + 1);
        if (i < s.n && s.p[i] == '.')
                i = digits(s, i + 1);
        if (i == from || (i == from + 1 && s.p[from] == '.'))
                return false;
        if (i < s.n && (s.p[i] == 'e' || s.p[i] == 'E')) {
                i++;
                if (i < s.n && (s.p[i] == '-' || s.p[i] == '+'))
                        i++;
                if (i == s.n)
                        return false;
                i = digits(s, i);
        }
        return i == s.n;
}

/* "2021-04-22" and what may follow it: a date to YAML 1.1. */
static bool date(sv s)
{
        size_t i = digits(s, 0), k;

        if (i != 4 || i >= s.n || s.p[i] != '-')
                return false;
        k = digits(s, i + 1);
        if (k == i + 1 || k > i + 3 || k >= s.n || s.p[k] != '-')
                return false;
        i = digits(s, k + 1);
        return i > k + 1 && i <= k + 3 && (i == s.n || s.p[i] == 'T' || s.p[i] == 't' || s.p[i] == ' ');
}

static bool word(sv s)
{
        static const char *const words[] = { "null", "true", "false", "yes", "no", "on", "off", "y", "n" };
        static const char *const odd[] = { "~", "=", "<<", ".inf", "-.inf", "+.inf", ".nan" };

        for (size_t i = 0; i < ARRAY_LEN(words); i++)
                if (sv_eq_nocase(s, sv_from(words[i])))
                        return true;
        for (size_t i = 0; i < ARRAY_LEN(odd); i++)
                if (sv_eq_nocase(s, sv_from(odd[i])))
                        return true;
        return false;
}

static bool one_of(char c, const char *set)
{
        return sv_find(sv_from(set), c) >= 0;
}

static bool plain_is_safe(sv s, bool flow)
{
        if (s.n == 0 || one_of(s.p[0], " -?:,[]{}#&*!|>'\"%@`") || s.p[s.n - 1] == ' ' || s.p[s.n - 1] == ':')
                return false;
        for (size_t i = 0; i < s.n; i++) {
                unsigned char c = (unsigned char)s.p[i];
                if (c < 0x20 || c >= 0x7f || (flow && one_of(s.p[i], ",[]{}")))
                        return false;
                if (c == ':' && (s.p[i + 1] == ' ' || (flow && one_of(s.p[i + 1], ",?[]{}"))))
                        return false;
                if (c == '#' && s.p[i - 1] == ' ')
                        return false;
        }
        return !word(s) && !number(s) && !date(s);
}

/* One UTF-8 character; 0 bytes when it is broken. */
static size_t decode(sv s, uint32_t *ret)
{
        unsigned char lead = (unsigned char)s.p[0];
        size_t n = lead < 0x80 ? 1 : lead < 0xc0 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;

        if (n == 0 || n > s.n || !sv_utf8((sv){ s.p, n }))
                return 0;
        *ret = n == 1 ? lead : lead & (0xffu >> (n + 1));
        for (size_t i = 1; i < n; i++)
                *ret = *ret << 6 | ((unsigned char)s.p[i] & 0x3f);
        return n;
}

/* Characters that YAML does not allow as they are, or that end a line to some reader. */
static bool needs_escape(uint32_t c)
{
        return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x2028 || c == 0x2029 || c == 0xfeff || c == 0xfffe ||
               c == 0xffff;
}

static void write_quoted(sv s, struct buf *out)
{
        buf_byte(out, '"');
        for (size_t i = 0; i < s.n;) {
                uint32_t c = 0xfffd; /* what stands for a byte that is not UTF-8 */
                size_t n = decode(sv_skip(s, i), &c);
                if (c == '"' || c == '\\')
                        buf_fmt(out, "\\%c", (int)c);
                else if (c == '\n')
                        buf_add(out, SV("\\n"));
                else if (c == '\t')
                        buf_add(out, SV("\\t"));
                else if (needs_escape(c))
                        buf_fmt(out, "\\u%04x", c);
                else if (n == 0)
                        buf_add(out, SV("\xef\xbf\xbd"));
                else
                        buf_add(out, (sv){ s.p + i, n });
                i += n ? n : 1;
        }
        buf_byte(out, '"');
}

void yaml_write_scalar(sv s, bool flow, struct buf *out)
{
        if (plain_is_safe(s, flow))
                buf_add(out, s);
        else
                write_quoted(s, out);
}
