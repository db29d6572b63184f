#include "catalog/conda_record.h"

#include <string.h>

#include "base/cleanup.h"

/* A record that is nested deeper is none; jansson, which reads the other documents, gives up at the same depth. */
enum { DEPTH_MAX = 2048 };

struct cursor {
        const char *p, *end;
        struct arena *a;
};

static void skip_blanks(struct cursor *c)
{
        while (c->p < c->end && (*c->p == ' ' || *c->p == '\n' || *c->p == '\r' || *c->p == '\t'))
                c->p++;
}

static bool take(struct cursor *c, char want)
{
        skip_blanks(c);
        if (c->p == c->end || *c->p != want)
                return false;
        c->p++;
        return true;
}

static char peek(struct cursor *c)
{
        skip_blanks(c);
        return c->p == c->end ? '\0' : *c->p;
}

/* --- strings --- */

/* A string up to its closing quote; *ret_plain: it stands there as it is, ASCII without escapes. */
static bool take_raw(struct cursor *c, sv *ret, bool *ret_plain)
{
        const char *from;
        bool plain = true;

        if (!take(c, '"'))
                return false;
        for (from = c->p; c->p < c->end && *c->p != '"'; c->p++) {
                unsigned char b = (unsigned char)*c->p;

                if (b >= 0x20 && b != '\\' && b < 0x80)
                        continue;
                plain = false;
                if (b == '\\' && ++c->p == c->end)
                        return false;
        }
        if (c->p == c->end)
                return false;
        *ret = (sv){ from, (size_t)(c->p - from) };
        *ret_plain = plain;
        c->p++;
        return true;
}

static bool hex4(sv s, size_t at, uint32_t *ret)
{
        *ret = 0;
        if (s.n - at < 4)
                return false;
        for (size_t i = at; i < at + 4; i++) {
                char c = s.p[i];
                uint32_t digit = c >= '0' && c <= '9'   ? (uint32_t)(c - '0')
                                 : c >= 'a' && c <= 'f' ? (uint32_t)(c - 'a' + 10)
                                 : c >= 'A' && c <= 'F' ? (uint32_t)(c - 'A' + 10)
                                                        : 16;

                if (digit == 16)
                        return false;
                *ret = *ret << 4 | digit;
        }
        return true;
}

static size_t put_utf8(char *to, uint32_t c)
{
        if (c < 0x80) {
                to[0] = (char)c;
                return 1;
        }
        if (c < 0x800) {
                to[0] = (char)(0xc0 | c >> 6);
                to[1] = (char)(0x80 | (c & 0x3f));
                return 2;
        }
        if (c < 0x10000) {
                to[0] = (char)(0xe0 | c >> 12);
                to[1] = (char)(0x80 | (c >> 6 & 0x3f));
                to[2] = (char)(0x80 | (c & 0x3f));
                return 3;
        }
        to[0] = (char)(0xf0 | c >> 18);
        to[1] = (char)(0x80 | (c >> 12 & 0x3f));
        to[2] = (char)(0x80 | (c >> 6 & 0x3f));
        to[3] = (char)(0x80 | (c & 0x3f));
        return 4;
}

/* The escape at raw[*at], behind its backslash; a \u pair makes one character. */
static bool take_escape(sv raw, size_t *at, char *to, size_t *n)
{
        static const char code[] = "\"\\/bfnrt", means[] = "\"\\/\b\f\n\r\t";
        const char *found;
        uint32_t c, low;

        if (*at >= raw.n)
                return false;
        if (raw.p[*at] != 'u') {
                found = raw.p[*at] ? strchr(code, raw.p[*at]) : NULL;
                if (!found)
                        return false;
                to[(*n)++] = means[found - code];
                ++*at;
                return true;
        }
        if (!hex4(raw, *at + 1, &c))
                return false;
        *at += 5;
        if (c >= 0xdc00 && c <= 0xdfff)
                return false;
        if (c >= 0xd800 && c <= 0xdbff) {
                if (raw.n - *at < 6 || raw.p[*at] != '\\' || raw.p[*at + 1] != 'u' || !hex4(raw, *at + 2, &low) ||
                    low < 0xdc00 || low > 0xdfff)
                        return false;
                c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
                *at += 6;
        }
        *n += put_utf8(to + *n, c);
        return true;
}

bool conda_text_decode(struct arena *a, sv raw, sv *ret)
{
        char *to = arena_alloc(a, raw.n + 1, 1);
        size_t n = 0;

        for (size_t i = 0; i < raw.n;) {
                unsigned char b = (unsigned char)raw.p[i++];

                if (b < 0x20)
                        return false;
                if (b != '\\')
                        to[n++] = (char)b;
                else if (!take_escape(raw, &i, to, &n))
                        return false;
        }
        *ret = (sv){ to, n };
        return sv_utf8(*ret);
}

static bool take_text(struct cursor *c, sv *ret)
{
        bool plain;
        sv raw;

        if (!take_raw(c, &raw, &plain))
                return false;
        *ret = raw;
        return plain || conda_text_decode(c->a, raw, ret);
}

/* --- values --- */

/* A fraction is cut off. False: an exponent, or more than 63 bits; the number was passed over. */
static bool take_number(struct cursor *c, int64_t *ret)
{
        bool minus = *c->p == '-', fraction = false, good = true, digits = false;
        int64_t n = 0;

        c->p += minus;
        for (; c->p < c->end && *c->p && strchr("0123456789.eE+-", *c->p); c->p++) {
                bool digit = *c->p >= '0' && *c->p <= '9';

                fraction = fraction || *c->p == '.';
                digits = digits || digit;
                if (!digit)
                        good = good && *c->p == '.';
                else if (!fraction)
                        good = good && !__builtin_mul_overflow(n, 10, &n) &&
                               !__builtin_add_overflow(n, *c->p - '0', &n);
        }
        *ret = minus ? -n : n;
        return good && digits;
}

static bool take_word(struct cursor *c, const char *word)
{
        size_t n = strlen(word);

        if ((size_t)(c->end - c->p) < n || memcmp(c->p, word, n) != 0)
                return false;
        c->p += n;
        return true;
}

/* Whatever stands here, to its end, not kept. Brackets must fit; which commas and colons stand between is not looked at. */
static bool skip_value(struct cursor *c)
{
        uint8_t object[DEPTH_MAX / 8];
        size_t depth = 0;
        bool plain;
        sv text;

        do {
                char b = peek(c);

                if (b == '{' || b == '[') {
                        if (depth == DEPTH_MAX)
                                return false;
                        object[depth / 8] =
                                (uint8_t)((object[depth / 8] & ~(1u << depth % 8)) | (b == '{' ? 1u << depth % 8 : 0));
                        depth++;
                        c->p++;
                } else if (b == '}' || b == ']') {
                        if (depth-- == 0 || (object[depth / 8] >> depth % 8 & 1) != (b == '}'))
                                return false;
                        c->p++;
                } else if (b == '"') {
                        if (!take_raw(c, &text, &plain))
                                return false;
                } else if (c->p < c->end && (depth == 0 ? strchr("-0123456789tfn", b) != NULL : b > ' ')) {
                        do /* a number, a word; within brackets a comma or a colon */
                                c->p++;
                        while (c->p < c->end &&
                               ((*c->p >= 'a' && *c->p <= 'z') || (*c->p && strchr("0123456789.eE+-", *c->p))));
                } else {
                        return false;
                }
        } while (depth);
        return true;
}

/* A list of texts; one that holds something else is passed over and told as such. */
static bool take_list(struct cursor *c, struct conda_value *ret)
{
        struct cursor back = *c;
        size_t cap = 0;

        *ret = (struct conda_value){ .type = CONDA_TEXTS };
        c->p++;
        if (take(c, ']'))
                return true;
        do {
                sv text;

                if (peek(c) != '"') {
                        *c = back;
                        *ret = (struct conda_value){ .type = CONDA_OTHER };
                        return skip_value(c);
                }
                if (!take_text(c, &text))
                        return false;
                *arena_push(c->a, ret->v, ret->n, cap) = text;
        } while (take(c, ','));
        return take(c, ']');
}

static bool take_value(struct cursor *c, struct conda_value *ret)
{
        *ret = (struct conda_value){ .type = CONDA_OTHER };
        switch (peek(c)) {
        case '"':
                ret->type = CONDA_TEXT;
                return take_text(c, &ret->text);
        case '[':
                return take_list(c, ret);
        case '{':
                return skip_value(c);
        case 't':
                ret->type = CONDA_TRUE;
                return take_word(c, "true");
        case 'f':
                ret->type = CONDA_FALSE;
                return take_word(c, "false");
        case 'n':
                ret->type = CONDA_NULL;
                return take_word(c, "null");
        default:
                if (c->p == c->end || !strchr("-0123456789", *c->p))
                        return false;
                ret->type = CONDA_INT;
                if (take_number(c, &ret->num))
                        return true;
                ret->type = CONDA_OTHER; /* too large for us */
                return true;
        }
}

/* Members of an object, one after the other. 1: *ret_key, its value follows; 0: the end; -1: broken. */
static int next_member(struct cursor *c, bool *first, sv *ret_key)
{
        if (take(c, '}'))
                return 0;
        if (!*first && !take(c, ','))
                return -1;
        *first = false;
        return take_text(c, ret_key) && take(c, ':') ? 1 : -1;
}

bool conda_record_decode(struct arena *a, sv json, struct conda_record *ret, const char **ret_why)
{
        struct cursor c = { json.p, json.p + json.n, a };
        bool first = true;
        int more = -1;
        sv key;

        *ret_why = "its JSON is broken";
        if (!take(&c, '{'))
                return false;
        while ((more = next_member(&c, &first, &key)) > 0) {
                enum conda_field f = conda_field_find(key);
                struct conda_value v;

                if (f == CONDA_F_NONE) {
                        if (!skip_value(&c))
                                return false;
                        continue;
                }
                if (!take_value(&c, &v))
                        return false;
                if (!conda_field_set(f, &v, a, ret)) {
                        *ret_why = arena_fmt(a, "its '%.*s' is not what it should be", SV_ARG(key)).p;
                        return false;
                }
        }
        if (more < 0 || (skip_blanks(&c), c.p != c.end))
                return false;
        *ret_why = conda_record_check(a, ret);
        return !*ret_why;
}

/* The last string under a key, as JSON readers have it. */
static bool object_text(struct arena *a, sv json, const char *name, sv *ret)
{
        struct cursor c = { json.p, json.p + json.n, a };
        bool first = true, found = false;
        sv key;

        if (!take(&c, '{'))
                return false;
        for (;;) {
                struct conda_value v;
                int more = next_member(&c, &first, &key);

                if (more <= 0)
                        return more == 0 && found;
                if (!sv_is(key, name)) {
                        if (!skip_value(&c))
                                return false;
                        continue;
                }
                if (!take_value(&c, &v))
                        return false;
                found = v.type == CONDA_TEXT;
                *ret = v.text;
        }
}

bool conda_record_name(struct arena *a, sv json, sv *ret)
{
        return object_text(a, json, "name", ret);
}

sv conda_object_text(struct arena *a, sv json, const char *key)
{
        sv r = { 0 };

        return object_text(a, json, key, &r) ? r : (sv){ 0 };
}
