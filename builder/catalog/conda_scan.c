#include "catalog/conda_scan.h"

#include <string.h>

#include "base/cleanup.h"
#include "catalog/conda_record.h"

/* Where the brackets are: 64 bytes at a time, strings left out. Moves forward only, since whether a byte is in a string depends on all
 * bytes before it. */
struct masks {
        sv text;
        size_t block; /* offset of the 64 bytes */
        uint64_t open, close,
                starts;           /* brackets outside strings; quotes that begin a string whose first byte may be 'n' */
        uint64_t slashes;         /* backslashes */
        bool slash;               /* one was seen since this was last cleared */
        uint64_t inside, escaped; /* what goes over into the next block: all ones within a string; bit 0: escaped */
};

/* Escaped bytes: those after a backslash that is not escaped itself. */
static uint64_t escapes(struct masks *m, uint64_t slash)
{
        uint64_t r = m->escaped;

        m->escaped = 0;
        if (!slash)
                return r;
        m->slash = true;
        slash &= ~r;
        while (slash) {
                int i = __builtin_ctzll(slash);

                if (i == 63) {
                        m->escaped = 1;
                        break;
                }
                r |= (uint64_t)2 << i;
                slash &= ~((uint64_t)3 << i);
        }
        return r;
}

/* Each bit: the parity of all bits up to it. */
static uint64_t parity(uint64_t x)
{
        for (unsigned i = 1; i < 64; i *= 2)
                x ^= x << i;
        return x;
}

static void read_block(struct masks *m)
{
        uint8_t last[64];
        const uint8_t *p = (const uint8_t *)m->text.p + m->block;
        size_t left = m->text.n - m->block;
        struct conda_bits b;
        uint64_t quote, inside;

        if (left < 64) {
                memset(last, ' ', sizeof(last));
                if (left)
                        memcpy(last, p, left);
                p = last;
        }
        conda_bits_fast(p, &b);
        m->slashes = b.slash;
        quote = b.quote & ~escapes(m, b.slash);
        inside = parity(quote) ^ m->inside; /* opening quotes are inside, closing ones are not */
        m->inside = (uint64_t)((int64_t)inside >> 63);
        m->open = b.open & ~inside;
        m->close = b.close & ~inside;
        m->starts = quote & inside & (b.n >> 1 | (uint64_t)1 << 63);
}

static void masks_begin(struct masks *m, sv text)
{
        *m = (struct masks){ .text = text };
        read_block(m);
}

/* Forget all bits before `at`. */
static void masks_seek(struct masks *m, size_t at)
{
        uint64_t keep;

        while (at - m->block >= 64) {
                m->block += 64;
                read_block(m);
        }
        keep = UINT64_MAX << (at - m->block);
        m->open &= keep;
        m->close &= keep;
        m->starts &= keep;
}

struct scan {
        struct masks m;
        sv text;
        size_t at;
        const struct conda_scan_to *to;
        struct op *op;
        size_t told; /* what `passed` was told last */
        struct arena tmp;
        struct err *e;
};

static int bad(struct scan *s, const char *what)
{
        return err_set(s->e, ERR_INTEGRITY, "byte %zu: %s", s->at, what);
}

static size_t skip_blanks(sv t, size_t at)
{
        while (at < t.n && (t.p[at] == ' ' || t.p[at] == '\n' || t.p[at] == '\r' || t.p[at] == '\t'))
                at++;
        return at;
}

/* The next byte that is not blank; 0 at the end. It is not taken. */
static char peek(struct scan *s)
{
        s->at = skip_blanks(s->text, s->at);
        return s->at < s->text.n ? s->text.p[s->at] : '\0';
}

static bool take(struct scan *s, char c)
{
        if (peek(s) != c || s->at >= s->text.n)
                return false;
        s->at++;
        return true;
}

/* A string's bytes between its quotes, escapes and all; at its opening quote. */
static int take_string(struct scan *s, sv *ret)
{
        size_t from = s->at + 1, i = from;

        for (; i < s->text.n && s->text.p[i] != '"'; i++)
                if (s->text.p[i] == '\\')
                        i++;
        if (i >= s->text.n)
                return bad(s, "a string that does not end");
        *ret = sv_from_to(s->text, from, i);
        s->at = i + 1;
        return 0;
}

/* From an opening bracket behind its closing one. With ret_key: the place of the last "name" among its own keys is looked for, too. */
static int skip_brackets(struct scan *s, size_t *ret_key)
{
        struct masks *m = &s->m;
        size_t depth = 0;

        masks_seek(m, s->at);
        for (;;) {
                uint64_t bits = m->open | m->close | (ret_key && depth == 1 ? m->starts : 0), bit;

                if (!bits) {
                        if (m->text.n - m->block <= 64)
                                return bad(s, "an object or a list that does not end");
                        m->block += 64;
                        read_block(m);
                        continue;
                }
                bit = bits & -bits;
                if (m->open & bit) {
                        m->open &= ~bit;
                        depth++;
                } else if (m->close & bit) {
                        m->close &= ~bit;
                        if (--depth == 0) {
                                s->at = m->block + (size_t)__builtin_ctzll(bit) + 1;
                                return 0;
                        }
                } else {
                        size_t at = m->block + (size_t)__builtin_ctzll(bit);
                        size_t colon = at + 6;

                        m->starts &= ~bit;
                        if (colon < s->text.n && memcmp(s->text.p + at, "\"name\"", 6) == 0 &&
                            (colon = skip_blanks(s->text, colon)) < s->text.n && s->text.p[colon] == ':')
                                *ret_key = colon;
                }
                /* What lies before the bit was looked at: quotes of deeper strings must not be seen when depth is 1 again. */
                m->starts &= ~(bit - 1);
        }
}

/* Of a number, true, false or null. Nothing else may stand outside of strings, so that the masks and we see the same strings. */
static bool is_word(char c)
{
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '-' || c == '+' || c == '.' || c == 'E';
}

static int skip_value(struct scan *s)
{
        size_t from;
        sv text;

        switch (peek(s)) {
        case '{':
        case '[':
                return skip_brackets(s, NULL);
        case '"':
                return take_string(s, &text);
        default:
                from = s->at;
                while (s->at < s->text.n && is_word(s->text.p[s->at]))
                        s->at++;
                return s->at == from ? bad(s, "a value is missing") : 0;
        }
}

/* A comma and the next key with its colon, or the end of the object. *first: no comma before it. */
static int next_key(struct scan *s, bool *first, size_t *ret_at, sv *ret_key, bool *ret_end)
{
        *ret_end = take(s, '}');
        if (*ret_end)
                return 0;
        if (!*first && !take(s, ','))
                return bad(s, "a ',' or a '}' is missing");
        *first = false;
        if (peek(s) != '"')
                return bad(s, "a key is missing");
        *ret_at = s->at;
        if (take_string(s, ret_key) < 0)
                return -(int)s->e->code;
        return take(s, ':') ? 0 : bad(s, "a ':' is missing");
}

static bool is_key(struct scan *s, sv raw, const char *name)
{
        sv text = raw;

        if (sv_find(raw, '\\') >= 0 && !conda_text_decode(&s->tmp, raw, &text))
                return false;
        return sv_is(text, name);
}

/* The name of the record at text[f->record…]: mostly it lies there as it is; with a backslash somewhere the decoder is asked. */
static bool find_name(struct scan *s, struct conda_found *f, size_t colon)
{
        sv record = sv_from_to(s->text, f->record, f->record + f->length);
        size_t at;
        const char *end;

        if (s->m.slash)
                return conda_record_name(&s->tmp, record, &f->name);
        if (!colon)
                return false;
        at = skip_blanks(s->text, colon + 1);
        if (at >= s->text.n || s->text.p[at] != '"')
                return false;
        end = memchr(s->text.p + at + 1, '"', s->text.n - at - 1);
        if (!end)
                return false;
        f->name = (sv){ s->text.p + at + 1, (size_t)(end - s->text.p) - at - 1 };
        return true;
}

enum { TELL_EVERY = 16 << 20 };

static int tell_passed(struct scan *s)
{
        if (s->at - s->told < TELL_EVERY)
                return 0;
        s->told = s->at;
        if (s->to->passed)
                s->to->passed(s->to->arg, (uint32_t)s->at);
        return op_check(s->op, s->e);
}

static int read_record(struct scan *s, size_t key_at, bool v2)
{
        struct conda_found f = { .key = (uint32_t)key_at, .record = (uint32_t)s->at, .v2 = v2 };
        size_t colon = 0;
        int r = 0;

        masks_seek(&s->m, s->at);
        s->m.slash = s->m.slashes >> (s->at - s->m.block) != 0;
        if (skip_brackets(s, &colon) < 0)
                return -(int)s->e->code;
        f.length = (uint32_t)(s->at - f.record);
        if (find_name(s, &f, colon))
                r = s->to->record(s->to->arg, &f, s->e);
        if (s->tmp.bytes > 65536)
                arena_done(&s->tmp);
        return r;
}

static int read_map(struct scan *s, bool v2)
{
        bool first = true, end;
        size_t at;
        sv key;

        if (peek(s) != '{')
                return skip_value(s); /* null, mostly */
        s->at++;
        while (next_key(s, &first, &at, &key, &end) == 0) {
                if (end)
                        return 0;
                if ((peek(s) == '{' ? read_record(s, at, v2) : skip_value(s)) < 0 || tell_passed(s) < 0)
                        break;
        }
        return -(int)s->e->code;
}

static int read_member(struct scan *s, sv key)
{
        size_t from;

        if (is_key(s, key, "packages"))
                return read_map(s, false);
        if (is_key(s, key, "packages.conda"))
                return read_map(s, true);
        if (peek(s) != '{' || !is_key(s, key, "info"))
                return skip_value(s);
        from = s->at;
        if (skip_value(s) < 0)
                return -(int)s->e->code;
        s->to->info(s->to->arg, (uint32_t)from, (uint32_t)(s->at - from));
        return 0;
}

static int read_root(struct scan *s)
{
        bool first = true, end;
        size_t at;
        sv key;

        if (!take(s, '{'))
                return s->at >= s->text.n ? 0 : bad(s, "this is no JSON object");
        for (;;) {
                if (next_key(s, &first, &at, &key, &end) < 0)
                        return -(int)s->e->code;
                if (end)
                        break;
                if (read_member(s, key) < 0 || tell_passed(s) < 0)
                        return -(int)s->e->code;
        }
        peek(s);
        return s->at < s->text.n ? bad(s, "something follows the object") : 0;
}

int conda_scan(sv text, const struct conda_scan_to *to, struct op *op, struct err *e)
{
        struct scan s = { .text = text, .to = to, .op = op, .e = e };
        int r;

        if (text.n > CONDA_TEXT_MAX)
                return err_set(e, ERR_LIMIT, "it is larger than %u MiB", CONDA_TEXT_MAX >> 20);
        masks_begin(&s.m, text);
        r = read_root(&s);
        arena_done(&s.tmp);
        return r;
}
