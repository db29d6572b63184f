#include "version/pep440_priv.h"

#include <string.h>

#include "base/cleanup.h"

static bool is_digit(char c)
{
        return c >= '0' && c <= '9';
}

static char lower(char c)
{
        return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool is_alnum(char c)
{
        return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'z');
}

static bool is_separator(char c)
{
        return c == '.' || c == '-' || c == '_';
}

/* Bytes of the white space character (as Python's \s: the ASCII controls and Unicode's) that s begins with, or 0. */
static size_t blank(sv s)
{
        static const char *const wide[] = { "\xc2\x85",     "\xc2\xa0",     "\xe1\x9a\x80", "\xe2\x80\xa8",
                                            "\xe2\x80\xa9", "\xe2\x80\xaf", "\xe2\x81\x9f", "\xe3\x80\x80" };

        if (!s.n)
                return 0;
        if (s.p[0] == ' ' || (s.p[0] >= '\t' && s.p[0] <= '\r') || (s.p[0] >= 0x1c && s.p[0] <= 0x1f))
                return 1;
        if (s.n >= 3 && !memcmp(s.p, "\xe2\x80", 2) && (unsigned char)s.p[2] >= 0x80 && (unsigned char)s.p[2] <= 0x8a)
                return 3;
        for (size_t i = 0; i < ARRAY_LEN(wide); i++)
                if (sv_starts(s, sv_from(wide[i])))
                        return strlen(wide[i]);
        return 0;
}

sv pep440_blank_skip(sv s)
{
        size_t n;

        while ((n = blank(s)))
                s = sv_skip(s, n);
        return s;
}

sv pep440_blank_trim(sv s)
{
        size_t n;

        s = pep440_blank_skip(s);
        for (bool again = true; again && s.n;) {
                again = false;
                for (n = 1; n <= 3 && n <= s.n && !again; n++)
                        if (blank(sv_skip(s, s.n - n)) == n) {
                                s.n -= n;
                                again = true;
                        }
        }
        return s;
}

/* ---- grammar ---- */

static sv take_digits(sv *rest)
{
        sv d = { rest->p, 0 };

        while (d.n < rest->n && is_digit(rest->p[d.n]))
                d.n++;
        *rest = sv_skip(*rest, d.n);
        return d;
}

static bool take_word(sv *rest, const char *word)
{
        size_t n = strlen(word);

        if (rest->n < n || !sv_eq_nocase(sv_from_to(*rest, 0, n), sv_from(word)))
                return false;
        *rest = sv_skip(*rest, n);
        return true;
}

static void take_separator(sv *rest)
{
        if (rest->n && is_separator(rest->p[0]))
                *rest = sv_skip(*rest, 1);
}

/* [._-]? word [._-]? digits?: the index of the word, or -1 and nothing taken. */
static int take_part(sv *rest, const char *const *words, int n, sv *ret_digits)
{
        sv r = *rest;
        int i = 0;

        take_separator(&r);
        while (i < n && !take_word(&r, words[i]))
                i++;
        if (i == n)
                return -1;
        take_separator(&r);
        *ret_digits = take_digits(&r);
        *rest = r;
        return i;
}

struct suffix { /* what is there; digits may be empty, which means 0 */
        int stage;
        bool has_post, has_dev;
        sv pre, post, dev;
};

static struct suffix take_suffix(sv *rest)
{
        static const char *const pre[] = { "alpha", "a", "beta", "b", "preview", "pre", "c", "rc" };
        static const int stage[] = { PEP440_ALPHA, PEP440_ALPHA, PEP440_BETA, PEP440_BETA,
                                     PEP440_RC,    PEP440_RC,    PEP440_RC,   PEP440_RC };
        static const char *const post[] = { "post", "rev", "r" }, *const dev[] = { "dev" };
        struct suffix s = { .stage = PEP440_FINAL };
        int i = take_part(rest, pre, ARRAY_LEN(pre), &s.pre);

        if (i >= 0)
                s.stage = stage[i];
        if (rest->n > 1 && rest->p[0] == '-' && is_digit(rest->p[1])) { /* "1.0-1" */
                *rest = sv_skip(*rest, 1);
                s.post = take_digits(rest);
                s.has_post = true;
        } else {
                s.has_post = take_part(rest, post, ARRAY_LEN(post), &s.post) >= 0;
        }
        s.has_dev = take_part(rest, dev, ARRAY_LEN(dev), &s.dev) >= 0;
        return s;
}

void pep440_take_suffix(sv *rest)
{
        (void)take_suffix(rest);
}

struct release {
        sv epoch; /* digits, or empty */
        sv text;  /* "1.02.3" */
        uint32_t n;
};

static bool take_release(sv *rest, struct release *ret)
{
        sv r = *rest, digits, begin;

        take_word(&r, "v");
        digits = take_digits(&r);
        if (!digits.n)
                return false;
        if (r.n > 1 && r.p[0] == '!' && is_digit(r.p[1])) {
                ret->epoch = digits;
                r = sv_skip(r, 1);
                digits = take_digits(&r);
        }
        begin = digits;
        ret->n = 1;
        while (r.n > 1 && r.p[0] == '.' && is_digit(r.p[1])) {
                r = sv_skip(r, 1);
                take_digits(&r);
                ret->n++;
        }
        ret->text = (sv){ begin.p, (size_t)(r.p - begin.p) };
        *rest = r;
        return true;
}

bool pep440_take_release(sv *rest, uint32_t *ret_n)
{
        struct release r = { 0 };

        if (!take_release(rest, &r))
                return false;
        *ret_n = r.n;
        return true;
}

bool pep440_take_local(sv *rest)
{
        sv r = *rest;

        if (r.n < 2 || r.p[0] != '+' || !is_alnum(r.p[1]))
                return false;
        r = sv_skip(r, 1);
        while (r.n && (is_alnum(r.p[0]) || (is_separator(r.p[0]) && r.n > 1 && is_alnum(r.p[1]))))
                r = sv_skip(r, 1);
        *rest = r;
        return true;
}

/* ---- parsing ---- */

static struct pep440_num num_from(struct arena *a, sv digits)
{
        struct pep440_num v = { 0 };

        while (digits.n > 1 && digits.p[0] == '0')
                digits = sv_skip(digits, 1);
        if (digits.n && !sv_u64(digits, &v.n))
                v.digits = arena_sv(a, digits);
        return v;
}

static void release_fill(struct arena *a, struct pep440 *v, const struct release *r)
{
        sv rest = r->text, part;

        v->epoch = num_from(a, r->epoch);
        v->release = arena_array(a, struct pep440_num, r->n);
        while (sv_cut(&rest, '.', &part)) {
                v->release[v->n_release] = num_from(a, part);
                if (v->release[v->n_release].n || v->release[v->n_release].digits.n)
                        v->n_significant = v->n_release + 1;
                v->n_release++;
        }
}

static void local_fill(struct arena *a, struct pep440 *v, sv text)
{
        size_t cap = 1;

        for (size_t i = 0; i < text.n; i++)
                cap += is_separator(text.p[i]);
        v->local = arena_array(a, struct pep440_local, cap);
        for (size_t i = 0; i < text.n; i++) {
                struct pep440_local *l = &v->local[v->n_local++];
                size_t n = 0, digits = 0;

                while (i + n < text.n && !is_separator(text.p[i + n]))
                        digits += is_digit(text.p[i + n++]);
                if (digits == n) {
                        l->num = num_from(a, (sv){ text.p + i, n });
                } else {
                        char *w = arena_str(a, (sv){ text.p + i, n });
                        for (size_t k = 0; k < n; k++)
                                w[k] = lower(w[k]);
                        l->word = (sv){ w, n };
                }
                i += n;
        }
}

static void num_write(struct buf *b, const char *before, const struct pep440_num *n)
{
        buf_add(b, sv_from(before));
        if (n->digits.n)
                buf_add(b, n->digits);
        else
                buf_fmt(b, "%llu", (unsigned long long)n->n);
}

static void release_write(const struct pep440 *v, uint32_t n, struct buf *b)
{
        if (v->epoch.n || v->epoch.digits.n) {
                num_write(b, "", &v->epoch);
                buf_byte(b, '!');
        }
        for (uint32_t i = 0; i < n; i++)
                num_write(b, i ? "." : "", &v->release[i]);
}

static void suffix_write(const struct pep440 *v, struct buf *b)
{
        static const char *const stage[] = { "a", "b", "rc" };

        if (v->stage != PEP440_FINAL)
                num_write(b, stage[v->stage], &v->pre);
        if (v->has_post)
                num_write(b, ".post", &v->post);
        if (v->has_dev)
                num_write(b, ".dev", &v->dev);
}

static void local_write(const struct pep440 *v, struct buf *b)
{
        for (uint32_t i = 0; i < v->n_local; i++) {
                if (i)
                        buf_byte(b, '.');
                if (v->local[i].word.n)
                        buf_add(b, v->local[i].word);
                else
                        num_write(b, "", &v->local[i].num);
        }
}

static void text_fill(struct arena *a, struct pep440 *v)
{
        AUTO(buf_done) struct buf b = BUF_INIT(SIZE_MAX / 2);
        size_t at;

        release_write(v, v->n_release, &b);
        suffix_write(v, &b);
        at = b.n;
        if (v->n_local) {
                buf_byte(&b, '+');
                local_write(v, &b);
        }
        v->text = arena_sv(a, buf_sv(&b));
        v->local_text = v->n_local ? sv_skip(v->text, at + 1) : (sv){ 0 };
}

const struct pep440 *pep440_parse(struct arena *a, sv text)
{
        struct release r = { 0 };
        sv rest = pep440_blank_skip(text), local;
        struct suffix s;
        struct pep440 *v;

        if (!take_release(&rest, &r))
                return NULL;
        s = take_suffix(&rest);
        local = rest;
        if (pep440_take_local(&rest))
                local = (sv){ local.p + 1, (size_t)(rest.p - local.p) - 1 };
        else
                local.n = 0;
        if (pep440_blank_skip(rest).n)
                return NULL;
        v = arena_new(a, struct pep440);
        release_fill(a, v, &r);
        v->stage = (uint8_t)s.stage;
        v->pre = num_from(a, s.pre);
        v->has_post = s.has_post;
        v->post = num_from(a, s.post);
        v->has_dev = s.has_dev;
        v->dev = num_from(a, s.dev);
        if (local.n)
                local_fill(a, v, local);
        text_fill(a, v);
        return v;
}

/* ---- order ---- */

int pep440_num_cmp(const struct pep440_num *a, const struct pep440_num *b)
{
        if (a->digits.n != b->digits.n)
                return a->digits.n < b->digits.n ? -1 : 1;
        if (a->digits.n)
                return memcmp(a->digits.p, b->digits.p, a->digits.n);
        return (a->n > b->n) - (a->n < b->n);
}

const struct pep440_num *pep440_release_at(const struct pep440 *v, uint32_t i)
{
        static const struct pep440_num zero;

        return i < v->n_release ? &v->release[i] : &zero;
}

int pep440_release_cmp(const struct pep440 *a, const struct pep440 *b)
{
        uint32_t n = a->n_significant > b->n_significant ? a->n_significant : b->n_significant;
        int r = pep440_num_cmp(&a->epoch, &b->epoch);

        for (uint32_t i = 0; i < n && !r; i++)
                r = pep440_num_cmp(pep440_release_at(a, i), pep440_release_at(b, i));
        return r;
}

/* Where a version stands before its numbers are looked at: 1.0.dev1 comes before every pre-release of 1.0. */
static int stage_rank(const struct pep440 *v)
{
        if (v->stage == PEP440_FINAL && v->has_dev && !v->has_post)
                return -1;
        return v->stage;
}

int pep440_public_cmp(const struct pep440 *a, const struct pep440 *b)
{
        int r = pep440_release_cmp(a, b);

        if (!r)
                r = stage_rank(a) - stage_rank(b);
        if (!r)
                r = pep440_num_cmp(&a->pre, &b->pre);
        if (!r)
                r = a->has_post - b->has_post;
        if (!r)
                r = pep440_num_cmp(&a->post, &b->post);
        if (!r)
                r = b->has_dev - a->has_dev;
        return r ? r : pep440_num_cmp(&a->dev, &b->dev);
}

static int local_cmp(const struct pep440_local *a, const struct pep440_local *b)
{
        if (!a->word.n != !b->word.n)
                return a->word.n ? -1 : 1; /* a number comes after any word */
        return a->word.n ? sv_cmp(a->word, b->word) : pep440_num_cmp(&a->num, &b->num);
}

int pep440_cmp(const struct pep440 *a, const struct pep440 *b)
{
        int r = pep440_public_cmp(a, b);

        for (uint32_t i = 0; !r && (i < a->n_local || i < b->n_local); i++) {
                if (i >= a->n_local || i >= b->n_local)
                        return a->n_local < b->n_local ? -1 : 1;
                r = local_cmp(&a->local[i], &b->local[i]);
        }
        return r;
}

/* ---- what it says ---- */

bool pep440_is_prerelease(const struct pep440 *v)
{
        return v->stage != PEP440_FINAL || v->has_dev;
}

bool pep440_is_postrelease(const struct pep440 *v)
{
        return v->has_post;
}

bool pep440_is_dev(const struct pep440 *v)
{
        return v->has_dev;
}

sv pep440_text(const struct pep440 *v)
{
        return v->text;
}

sv pep440_local(const struct pep440 *v)
{
        return v->local_text;
}

sv pep440_public(const struct pep440 *v, struct arena *a)
{
        return arena_sv(a, v->n_local ? sv_from_to(v->text, 0, v->text.n - v->local_text.n - 1) : v->text);
}

sv pep440_base(const struct pep440 *v, struct arena *a)
{
        AUTO(buf_done) struct buf b = BUF_INIT(SIZE_MAX / 2);

        release_write(v, v->n_release, &b);
        return arena_sv(a, buf_sv(&b));
}

sv pep440_canonical(const struct pep440 *v, struct arena *a)
{
        AUTO(buf_done) struct buf b = BUF_INIT(SIZE_MAX / 2);

        release_write(v, v->n_significant ? v->n_significant : 1, &b);
        suffix_write(v, &b);
        if (v->n_local) {
                buf_byte(&b, '+');
                local_write(v, &b);
        }
        return arena_sv(a, buf_sv(&b));
}

uint64_t pep440_epoch(const struct pep440 *v)
{
        return v->epoch.digits.n ? UINT64_MAX : v->epoch.n;
}

size_t pep440_release(const struct pep440 *v, uint64_t *ret, size_t max)
{
        for (uint32_t i = 0; i < v->n_release && i < max; i++)
                ret[i] = v->release[i].digits.n ? UINT64_MAX : v->release[i].n;
        return v->n_release;
}
