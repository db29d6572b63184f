#include "version/conda_priv.h"

#include <string.h>

/* ---- text → runs ---- */

static bool is_digit(char c)
{
        return c >= '0' && c <= '9';
}

static bool is_allowed(char c)
{
        return is_digit(c) || (c >= 'a' && c <= 'z') || c == '.' || c == '_' || c == '+' || c == '!' || c == '*';
}

bool conda_is_blank(char c)
{
        return c == ' ' || (c >= '\t' && c <= '\r') || (c >= 0x1c && c <= 0x1f);
}

sv conda_trim(sv s)
{
        while (s.n && conda_is_blank(s.p[0]))
                s = sv_skip(s, 1);
        while (s.n && conda_is_blank(s.p[s.n - 1]))
                s.n--;
        return s;
}

/* Lower-case into r->buf; a '-' becomes '_' when there is none of those. False: a character that no version has. */
static bool text_fold(sv text, struct conda_runs *r)
{
        bool dash = false, low = false;

        for (size_t i = 0; i < text.n; i++) {
                char c = text.p[i];

                c = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
                dash |= c == '-';
                low |= c == '_';
                if (!is_allowed(c) && c != '-')
                        return false;
                r->buf[i] = c;
        }
        if (dash && low)
                return false;
        for (size_t i = 0; dash && i < text.n; i++)
                if (r->buf[i] == '-')
                        r->buf[i] = '_';
        r->text = (sv){ r->buf, text.n };
        return true;
}

static struct conda_run *run_add(struct conda_runs *r, size_t at, size_t n, enum conda_run_kind kind)
{
        struct conda_run *run = &r->v[r->n++];

        *run = (struct conda_run){ (uint16_t)at, (uint16_t)n, (uint8_t)kind, false };
        return run;
}

static void number_add(struct conda_runs *r, size_t at, size_t n)
{
        for (; n && r->buf[at] == '0'; n--)
                at++;
        run_add(r, at, n, CONDA_RUN_NUM);
}

static void word_add(struct conda_runs *r, size_t at, size_t n)
{
        run_add(r, at, n, n == 4 && !memcmp(r->buf + at, "post", 4) ? CONDA_RUN_POST : CONDA_RUN_WORD);
}

/* Digits, asterisks and what is neither are runs of their own; a 0 goes before a segment that begins with no digit. */
static bool segment_add(struct conda_runs *r, size_t at, size_t end)
{
        if (at == end)
                return false;
        if (!is_digit(r->buf[at]))
                run_add(r, at, 0, CONDA_RUN_NUM);
        while (at < end) {
                size_t n = 1;
                bool digit = is_digit(r->buf[at]), star = r->buf[at] == '*';

                while (at + n < end && is_digit(r->buf[at + n]) == digit && (r->buf[at + n] == '*') == star)
                        n++;
                if (digit)
                        number_add(r, at, n);
                else
                        word_add(r, at, n);
                at += n;
        }
        r->v[r->n - 1].ends = true;
        return true;
}

/* Segments end at '.' and '_', but with keep_last a '_' at the very end stays where it is ("1.0.1_"). */
static bool list_add(struct conda_runs *r, size_t at, size_t end, bool keep_last)
{
        size_t stop = keep_last && end > at && r->buf[end - 1] == '_' ? end - 1 : end;

        for (;;) {
                size_t n = at;

                while (n < stop && r->buf[n] != '.' && r->buf[n] != '_')
                        n++;
                if (!segment_add(r, at, n < stop ? n : end))
                        return false;
                if (n >= stop)
                        return true;
                at = n + 1;
        }
}

/* "5!": its runs are the first; without one it is 0. Returns where the version begins, or -1 with *ret_why. */
static ptrdiff_t epoch_add(struct conda_runs *r, const char **ret_why)
{
        ptrdiff_t bang = sv_find(r->text, '!');

        if (bang < 0) {
                run_add(r, 0, 0, CONDA_RUN_NUM)->ends = true;
                return 0;
        }
        if (sv_find(sv_skip(r->text, (size_t)bang + 1), '!') >= 0) {
                *ret_why = "there are two '!'";
                return -1;
        }
        for (ptrdiff_t i = 0; i < bang; i++)
                if (!is_digit(r->buf[i]))
                        bang = 0;
        if (!bang) {
                *ret_why = "what stands before '!' must be a number";
                return -1;
        }
        number_add(r, 0, (size_t)bang);
        r->v[0].ends = true;
        return bang + 1;
}

static bool lists_add(struct conda_runs *r, const char **ret_why)
{
        ptrdiff_t begin = epoch_add(r, ret_why), plus;
        size_t end = r->text.n;

        if (begin < 0)
                return false;
        plus = sv_find(r->text, '+');
        if (plus >= 0) {
                end = (size_t)plus;
                if (sv_find(sv_skip(r->text, end + 1), '+') >= 0) {
                        *ret_why = "there are two '+'";
                        return false;
                }
        }
        if (end <= (size_t)begin) {
                *ret_why = plus >= 0 ? "nothing stands before '+'" : "nothing follows '!'";
                return false;
        }
        if (!list_add(r, (size_t)begin, end, true)) {
                *ret_why = "a part between two separators is empty";
                return false;
        }
        r->n_main = r->n;
        r->has_local = plus >= 0;
        if (r->has_local && !list_add(r, end + 1, r->text.n, false)) {
                *ret_why = "a part of what follows '+' is empty";
                return false;
        }
        return true;
}

bool conda_runs_split(sv text, struct conda_runs *ret, const char **ret_why)
{
        ret->n = 0;
        text = conda_trim(text);
        if (!text.n) {
                *ret_why = "it is empty";
                return false;
        }
        if (text.n > CONDA_VERSION_MAX) {
                *ret_why = "it is longer than 1,024 bytes";
                return false;
        }
        if (!text_fold(text, ret)) {
                *ret_why = "a version has letters, digits and . _ + ! (and '-', but not beside '_')";
                return false;
        }
        return lists_add(ret, ret_why);
}

/* ---- runs → key ---- */

enum { /* the bytes that a key is made of, in their order */
       KEY_LOW = 0x01,
       KEY_WORD = 0x10,      /* its bytes, then 0 */
       KEY_ZERO_DOWN = 0x20, /* a 0, and the next other run is less than one */
       KEY_END_DOWN = 0x30,  /* of a segment, likewise */
       KEY_LAST_DOWN,        /* of the last one; a local part that is less than none follows */
       KEY_LAST,
       KEY_LAST_UP,
       KEY_END_UP,
       KEY_ZERO_UP = 0x40,
       KEY_NUM = 0x50, /* + value, up to KEY_SMALL */
       KEY_SMALL = 127,
       KEY_WIDE = 0xd0, /* + how many bytes, then those */
       KEY_LONG = 0xe0, /* how many digits (2 bytes), then those */
       KEY_POST = 0xf0,
       KEY_HIGH = 0xfe
};

struct writer { /* from the end to the beginning: what follows is known */
        unsigned char *p;
        int sign; /* where the last run that is no zero leads: -1, 0 (there was none), 1 */
};

static void put(struct writer *w, unsigned byte)
{
        *--w->p = (unsigned char)byte;
}

static void put_text(struct writer *w, const char *p, size_t n)
{
        w->p -= n;
        memcpy(w->p, p, n);
}

static void put_number(struct writer *w, sv digits)
{
        uint64_t n;

        if (!digits.n) {
                put(w, w->sign < 0 ? KEY_ZERO_DOWN : KEY_ZERO_UP);
                return;
        }
        w->sign = 1;
        if (!sv_u64(digits, &n)) {
                put_text(w, digits.p, digits.n);
                put(w, (unsigned)digits.n & 0xff);
                put(w, (unsigned)digits.n >> 8);
                put(w, KEY_LONG);
        } else if (n <= KEY_SMALL) {
                put(w, KEY_NUM + (unsigned)n);
        } else {
                unsigned bytes = 0;
                for (; n; n >>= 8, bytes++)
                        put(w, n & 0xff);
                put(w, KEY_WIDE + bytes);
        }
}

static void put_word(struct writer *w, sv word, bool beyond)
{
        w->sign = -1;
        put(w, beyond ? 0xff : 0);
        if (sv_is(word, "dev"))
                put_text(w, "DEV", 3); /* less than '_' and every letter, as conda has it */
        else
                put_text(w, word.p, word.n);
        put(w, KEY_WORD);
}

static void put_run(struct writer *w, const struct conda_runs *r, const struct conda_run *run)
{
        sv text = { r->buf + run->at, run->n };

        switch ((enum conda_run_kind)run->kind) {
        case CONDA_RUN_NUM:
                put_number(w, text);
                break;
        case CONDA_RUN_WORD:
        case CONDA_RUN_BEYOND:
                put_word(w, text, run->kind == CONDA_RUN_BEYOND);
                break;
        case CONDA_RUN_LOW:
                w->sign = -1;
                put(w, KEY_LOW);
                break;
        default:
                w->sign = 1;
                put(w, run->kind == CONDA_RUN_POST ? KEY_POST : KEY_HIGH);
        }
}

/* The runs first … end - 1. Zeros at the end of a segment, and segments of zeros at the end, are not there. */
static void put_list(struct writer *w, const struct conda_runs *r, size_t first, size_t end, unsigned last)
{
        bool trailing = true;

        w->sign = 0;
        for (size_t i = end; i-- > first;) {
                const struct conda_run *run = &r->v[i];
                bool zero = run->kind == CONDA_RUN_NUM && !run->n;

                if (run->ends) {
                        trailing = true;
                        if (w->sign)
                                put(w, w->sign < 0 ? KEY_END_DOWN : KEY_END_UP);
                }
                if (zero && trailing)
                        continue;
                trailing = false;
                if (!w->sign)
                        put(w, last);
                put_run(w, r, run);
        }
        if (!w->sign)
                put(w, last);
}

struct conda_key conda_runs_key(const struct conda_runs *r, unsigned char *buf)
{
        struct writer w = { buf + CONDA_KEY_MAX, 0 };
        struct conda_key key = { 0 };
        unsigned last = KEY_LAST;

        if (r->has_local) {
                unsigned char *end = w.p;

                put_list(&w, r, r->n_main, r->n, KEY_LAST);
                if (w.sign)
                        last = w.sign < 0 ? KEY_LAST_DOWN : KEY_LAST_UP;
                else
                        w.p = end; /* of zeros only: the same as none */
        }
        put_list(&w, r, 0, r->n_main, last);
        key.p = w.p;
        key.n = (uint32_t)(buf + CONDA_KEY_MAX - w.p);
        for (uint32_t i = 0; i < 8; i++)
                key.head = key.head << 8 | (i < key.n ? key.p[i] : 0);
        return key;
}

void conda_runs_bound(struct conda_runs *r, bool above)
{
        struct conda_run *last = &r->v[r->n - 1];

        if (above && last->kind == CONDA_RUN_WORD) {
                last->kind = CONDA_RUN_BEYOND;
                return;
        }
        last->ends = false;
        run_add(r, 0, 0, above ? CONDA_RUN_HIGH : CONDA_RUN_LOW)->ends = true;
        if (!r->has_local)
                r->n_main = r->n;
}

/* ---- versions ---- */

/* Hardly any version has a capital. */
static sv lower(struct arena *a, sv s)
{
        for (size_t i = 0; i < s.n; i++)
                if (s.p[i] >= 'A' && s.p[i] <= 'Z')
                        return arena_lower(a, s);
        return s;
}

const struct conda_version *conda_version_parse(struct arena *a, sv text, const char **ret_why)
{
        unsigned char buf[CONDA_KEY_MAX];
        struct conda_runs r;
        const char *why = NULL;
        struct conda_version *v;
        char *p;

        if (!conda_runs_split(text, &r, &why)) {
                if (ret_why)
                        *ret_why = why;
                return NULL;
        }
        text = conda_trim(text);
        v = arena_new(a, struct conda_version);
        v->key = conda_runs_key(&r, buf);
        p = arena_alloc(a, v->key.n + text.n + 1, 1);
        v->key.p = memcpy(p, v->key.p, v->key.n);
        v->raw = (sv){ memcpy(p + v->key.n, text.p, text.n), text.n };
        v->text = lower(a, v->raw);
        return v;
}

int conda_version_cmp(const struct conda_version *a, const struct conda_version *b)
{
        return conda_key_cmp(&a->key, &b->key);
}

bool conda_version_starts(const struct conda_version *v, const struct conda_version *p)
{
        unsigned char buf[CONDA_KEY_MAX];
        const char *why;

        for (int above = 0; above < 2; above++) {
                struct conda_runs r;
                struct conda_key bound;

                if (!conda_runs_split(p->text, &r, &why))
                        return false;
                conda_runs_bound(&r, above);
                bound = conda_runs_key(&r, buf);
                if ((conda_key_cmp(&v->key, &bound) > 0) == above)
                        return false;
        }
        return true;
}

sv conda_version_text(const struct conda_version *v)
{
        return v->text;
}
