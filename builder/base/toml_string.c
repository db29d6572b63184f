#include <string.h>

#include "base/buf.h"
#include "base/toml_priv.h"

static void add_utf8(struct buf *out, uint32_t c)
{
        if (c < 0x80) {
                buf_byte(out, (char)c);
        } else if (c < 0x800) {
                buf_byte(out, (char)(0xc0 | c >> 6));
                buf_byte(out, (char)(0x80 | (c & 0x3f)));
        } else if (c < 0x10000) {
                buf_byte(out, (char)(0xe0 | c >> 12));
                buf_byte(out, (char)(0x80 | (c >> 6 & 0x3f)));
                buf_byte(out, (char)(0x80 | (c & 0x3f)));
        } else {
                buf_byte(out, (char)(0xf0 | c >> 18));
                buf_byte(out, (char)(0x80 | (c >> 12 & 0x3f)));
                buf_byte(out, (char)(0x80 | (c >> 6 & 0x3f)));
                buf_byte(out, (char)(0x80 | (c & 0x3f)));
        }
}

static int hex_digit(char c)
{
        return c >= '0' && c <= '9'   ? c - '0'
               : c >= 'a' && c <= 'f' ? c - 'a' + 10
               : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                      : -1;
}

/* After \u or \U. */
static bool code_point(struct toml_reader *r, int digits, struct buf *out)
{
        const char *at = r->p;
        uint32_t c = 0;

        for (int i = 0; i < digits; i++, r->p++) {
                int d = r->p < r->end ? hex_digit(*r->p) : -1;

                if (d < 0)
                        return toml_bad(r, at, "a \\u escape takes 4 hexadecimal digits, \\U takes 8");
                c = c << 4 | (uint32_t)d;
        }
        if (c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
                return toml_bad(r, at, "this escape is no Unicode character");
        add_utf8(out, c);
        return true;
}

/* A backslash at the end of a line takes the line end and all blank space behind it away. */
static bool trim_line(struct toml_reader *r, const char *at)
{
        toml_blanks(r);
        if (!toml_at(r, '\n') && !(toml_at(r, '\r') && r->p + 1 < r->end && r->p[1] == '\n'))
                return toml_bad(r, at, "a backslash must be followed by one of b t n f r \" \\ u U");
        for (; r->p < r->end; r->p++) {
                bool crlf = *r->p == '\r' && r->p + 1 < r->end && r->p[1] == '\n';

                if (*r->p != ' ' && *r->p != '\t' && *r->p != '\n' && !crlf)
                        break;
        }
        return true;
}

static bool escape(struct toml_reader *r, bool multi, struct buf *out)
{
        static const char from[] = "btnfr\"\\", to[] = "\b\t\n\f\r\"\\";
        const char *at = r->p++, *known;

        if (r->p >= r->end)
                return toml_bad(r, at, "the string does not end");
        known = *r->p ? strchr(from, *r->p) : NULL;
        if (known) {
                buf_byte(out, to[known - from]);
                r->p++;
                return true;
        }
        if (*r->p == 'u' || *r->p == 'U')
                return code_point(r, *r->p++ == 'u' ? 4 : 8, out);
        if (multi)
                return trim_line(r, at);
        return toml_bad(r, at, "a backslash must be followed by one of b t n f r \" \\ u U");
}

/* One character that stands for itself. */
static bool plain(struct toml_reader *r, bool multi, struct buf *out)
{
        unsigned char c = (unsigned char)*r->p;

        if (c == '\r' && r->p + 1 < r->end && r->p[1] == '\n' && multi) {
                buf_byte(out, '\n');
                r->p += 2;
                return true;
        }
        if (c == '\n' && !multi)
                return toml_bad(r, r->p, "the string does not end on its line");
        if ((c < ' ' && c != '\t' && c != '\n') || c == 0x7f)
                return toml_bad(r, r->p, "a control character must be written as an escape");
        buf_byte(out, *r->p++);
        return true;
}

/* Up to and with the closing quotes of a string that spans lines: up to two quotes more belong to the text. */
static bool closing(struct toml_reader *r, char quote, struct buf *out, bool *ret_end)
{
        size_t n = 0;

        while (r->p + n < r->end && r->p[n] == quote && n < 5)
                n++;
        *ret_end = n >= 3;
        for (size_t i = 0; i < (n >= 3 ? n - 3 : n); i++)
                buf_byte(out, quote);
        r->p += n;
        return true;
}

static bool body(struct toml_reader *r, char quote, bool multi, const char *at, struct buf *out)
{
        for (;;) {
                bool end = true;

                if (r->p >= r->end)
                        return toml_bad(r, at, "the string does not end");
                if (*r->p == quote) {
                        if (!multi)
                                r->p++;
                        else
                                closing(r, quote, out, &end);
                        if (end)
                                return true;
                } else if (*r->p == '\\' && quote == '"') {
                        if (!escape(r, multi, out))
                                return false;
                } else if (!plain(r, multi, out)) {
                        return false;
                }
        }
}

bool toml_string(struct toml_reader *r, bool may_span, sv *ret)
{
        struct buf out = BUF_INIT((size_t)(r->end - r->p) + 8);
        const char *at = r->p;
        char quote = *r->p++;
        bool multi = r->end - r->p >= 2 && r->p[0] == quote && r->p[1] == quote, ok;

        if (multi && !may_span)
                return toml_bad(r, at, "a key cannot span lines");
        if (multi) {
                r->p += 2;
                if (toml_at(r, '\r') && r->p + 1 < r->end && r->p[1] == '\n')
                        r->p++;
                if (toml_at(r, '\n')) /* the first line end is not part of it */
                        r->p++;
        }
        ok = body(r, quote, multi, at, &out);
        *ret = arena_sv(r->a, buf_sv(&out));
        buf_done(&out);
        return ok;
}
