/* A pattern is a row of steps; matching walks the text once and keeps the set of steps that may come next, so that no pattern of somebody
 * else's makes it slow. */
#include "run/code/wildmatch.h"

#include <string.h>

enum step_kind {
        STEP_CHAR,
        STEP_ANY,   /* '?' */
        STEP_SET,   /* '[…]' */
        STEP_STAR,  /* any number of characters, no '/' among them */
        STEP_STARS, /* any number of characters */
        STEP_MAYBE, /* takes nothing: the two behind it, a STEP_STARS and a '/', may be passed over */
        STEP_NEVER  /* no pattern at all */
};
struct step {
        enum step_kind kind;
        unsigned char c;
        uint8_t *set; /* 256 bits */
};
struct run_wild {
        bool path;
        struct step *v;
        size_t n, cap;
        uint64_t *now, *next; /* sets of steps, n + 1 bits: room that every match uses anew */
        size_t words;
};

static bool ascii_in(unsigned char c, unsigned char from, unsigned char to)
{
        return c >= from && c <= to;
}

/* git's tables, not the C library's: ASCII only, and neither VT nor FF are space. */
static bool class_has(sv name, unsigned char c, bool *ret_known)
{
        bool lower = ascii_in(c, 'a', 'z'), upper = ascii_in(c, 'A', 'Z'), digit = ascii_in(c, '0', '9'),
             graph = ascii_in(c, '!', '~');
        const struct {
                const char *name;
                bool has;
        } row[] = {
                { "alnum", lower || upper || digit },
                { "alpha", lower || upper },
                { "blank", c == ' ' || c == '\t' },
                { "cntrl", c < ' ' || c == 127 },
                { "digit", digit },
                { "graph", graph },
                { "lower", lower },
                { "print", graph || c == ' ' },
                { "punct", graph && !lower && !upper && !digit },
                { "space", c == ' ' || c == '\t' || c == '\n' || c == '\r' },
                { "upper", upper },
                { "xdigit", digit || ascii_in(c, 'a', 'f') || ascii_in(c, 'A', 'F') },
        };

        for (size_t i = 0; i < sizeof(row) / sizeof(*row); i++)
                if (sv_is(name, row[i].name)) {
                        *ret_known = true;
                        return row[i].has;
                }
        *ret_known = false;
        return false;
}

static void set_range(uint8_t *set, unsigned from, unsigned to)
{
        for (unsigned c = from; c <= to; c++)
                set[c / 8] = (uint8_t)(set[c / 8] | 1u << c % 8);
}

/* A reader of what stands between '[' and ']'. */
struct set_reader {
        sv p;
        size_t at;
        uint8_t *set;
        unsigned char before; /* what a '-' would begin at; 0: nothing */
};

static int peek(const struct set_reader *r, size_t ahead)
{
        return r->at + ahead < r->p.n ? (unsigned char)r->p.p[r->at + ahead] : -1;
}

/* "[:alpha:]" at r->at. 1: read, and r->at is at its ']'; 0: it is not one, the '[' is itself; -1: the pattern is none. */
static int read_class(struct set_reader *r)
{
        size_t from = r->at + 2, end = from;
        bool known = true;
        sv name;

        while (end < r->p.n && r->p.p[end] != ']')
                end++;
        if (end == r->p.n)
                return -1;
        if (end == from || r->p.p[end - 1] != ':')
                return 0;
        name = sv_from_to(r->p, from, end - 1);
        for (unsigned c = 1; c < 256; c++) /* no name holds a 0 */
                if (class_has(name, (unsigned char)c, &known))
                        set_range(r->set, c, c);
        if (!known)
                return -1;
        r->at = end;
        return 1;
}

static bool read_escaped(struct set_reader *r)
{
        r->at++;
        return r->at < r->p.n;
}

/* "-z" behind something. */
static bool read_range(struct set_reader *r)
{
        unsigned char to;

        r->at++;
        if (peek(r, 0) == '\\' && !read_escaped(r))
                return false;
        to = (unsigned char)peek(r, 0);
        if (to >= r->before)
                set_range(r->set, r->before, to);
        r->before = 0;
        return true;
}

/* One member, at r->at, which is left at its last byte. False: the pattern is none. */
static bool read_member(struct set_reader *r)
{
        int c = peek(r, 0);

        if (c < 0)
                return false;
        if (c == '-' && r->before && peek(r, 1) >= 0 && peek(r, 1) != ']')
                return read_range(r);
        if (c == '[' && peek(r, 1) == ':') {
                int is = read_class(r);
                if (is) {
                        r->before = 0;
                        return is > 0;
                }
        }
        if (c == '\\') {
                if (!read_escaped(r))
                        return false;
                c = peek(r, 0);
        }
        set_range(r->set, (unsigned)c, (unsigned)c);
        r->before = (unsigned char)c;
        return true;
}

/* From the '[' on; *at is left at its ']'. A ']' that comes first is a member. */
static bool read_set(struct arena *a, sv p, size_t *at, struct step *ret)
{
        struct set_reader r = { .p = p, .at = *at + 1, .set = arena_array(a, uint8_t, 32) };
        bool negated = peek(&r, 0) == '!' || peek(&r, 0) == '^';

        r.at += negated;
        do {
                if (!read_member(&r))
                        return false;
                r.at++;
        } while (peek(&r, 0) != ']');
        for (size_t i = 0; negated && i < 32; i++)
                r.set[i] = (uint8_t)~r.set[i];
        *at = r.at;
        *ret = (struct step){ .kind = STEP_SET, .set = r.set };
        return true;
}

/* A run of stars at *at, which is left at its last. Two or more are special only between slashes (or an end). */
static enum step_kind read_stars(sv p, size_t *at, bool path)
{
        size_t from = *at, to = from;
        bool begins, ends, slash;

        while (to < p.n && p.p[to] == '*')
                to++;
        *at = to - 1;
        if (!path)
                return STEP_STARS;
        if (to - from < 2)
                return STEP_STAR;
        slash = to < p.n && p.p[to] == '/';
        begins = from == 0 || p.p[from - 1] == '/';
        ends = to == p.n || slash || (to + 1 < p.n && p.p[to] == '\\' && p.p[to + 1] == '/');
        if (!begins || !ends)
                return STEP_STAR;
        return slash ? STEP_MAYBE : STEP_STARS;
}

static bool read_step(struct arena *a, sv p, size_t *at, bool path, struct step *ret)
{
        switch (p.p[*at]) {
        case '*':
                *ret = (struct step){ .kind = read_stars(p, at, path) };
                return true;
        case '?':
                *ret = (struct step){ .kind = STEP_ANY };
                return true;
        case '[':
                return read_set(a, p, at, ret);
        case '\\':
                if (++*at == p.n)
                        return false;
                break;
        }
        *ret = (struct step){ .kind = STEP_CHAR, .c = (unsigned char)p.p[*at] };
        return true;
}

struct run_wild *run_wild_new(struct arena *a, sv pattern, bool path)
{
        struct run_wild *w = arena_new(a, struct run_wild);

        w->path = path;
        for (size_t at = 0; at < pattern.n; at++) {
                struct step s;
                bool ok = read_step(a, pattern, &at, path, &s);
                *arena_push(a, w->v, w->n, w->cap) = ok ? s : (struct step){ .kind = STEP_NEVER };
                if (!ok)
                        break;
                if (s.kind == STEP_MAYBE)
                        *arena_push(a, w->v, w->n, w->cap) = (struct step){ .kind = STEP_STARS };
        }
        w->words = w->n / 64 + 1;
        w->now = arena_array(a, uint64_t, w->words);
        w->next = arena_array(a, uint64_t, w->words);
        return w;
}

static bool is_star(const struct step *s)
{
        return s->kind == STEP_STAR || s->kind == STEP_STARS;
}

static bool mark(uint64_t *set, size_t i)
{
        bool new = !(set[i / 64] >> i % 64 & 1);

        set[i / 64] |= (uint64_t)1 << i % 64;
        return new;
}

/* Step i may come next, and so may what is behind it when it can be empty. */
static void reach(const struct run_wild *w, uint64_t *set, size_t i)
{
        while (mark(set, i) && i < w->n) {
                if (w->v[i].kind == STEP_MAYBE) {
                        mark(set, i + 1);
                        mark(set, i + 2);
                        i += 3;
                } else if (is_star(&w->v[i]))
                        i++;
                else
                        return;
        }
}

static bool step_takes(const struct run_wild *w, const struct step *s, unsigned char c)
{
        switch (s->kind) {
        case STEP_CHAR:
                return s->c == c;
        case STEP_ANY:
        case STEP_STAR:
                return c != '/' || !w->path;
        case STEP_SET:
                return (s->set[c / 8] >> c % 8 & 1) && (c != '/' || !w->path);
        case STEP_STARS:
                return true;
        case STEP_MAYBE:
        case STEP_NEVER:
                break;
        }
        return false;
}

/* One character of the text; false: nothing goes on. */
static bool advance(const struct run_wild *w, unsigned char c)
{
        bool any = false;

        for (size_t k = 0; k < w->words; k++)
                for (uint64_t bits = w->now[k]; bits; bits &= bits - 1) {
                        size_t i = k * 64 + (size_t)__builtin_ctzll(bits);
                        if (i == w->n || !step_takes(w, &w->v[i], c))
                                continue;
                        reach(w, w->next, is_star(&w->v[i]) ? i : i + 1);
                        any = true;
                }
        return any;
}

bool run_wild_match(const struct run_wild *wild, sv text)
{
        struct run_wild w = *wild;

        memset(w.now, 0, w.words * sizeof(*w.now));
        reach(&w, w.now, 0);
        for (size_t i = 0; i < text.n; i++) {
                uint64_t *swap = w.now;
                memset(w.next, 0, w.words * sizeof(*w.next));
                if (!advance(&w, (unsigned char)text.p[i]))
                        return false;
                w.now = w.next;
                w.next = swap;
        }
        return w.now[w.n / 64] >> w.n % 64 & 1;
}
