#include "version/pattern.h"

#include <limits.h>
#include <string.h>

#define STATES_MAX 2048
#define DEPTH_MAX  50

static char folded(char c, bool fold)
{
        return fold && c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Whatever the last '*' swallowed may have to grow; those before it never do. */
bool glob_has(sv glob, sv text, bool fold)
{
        size_t g = 0, t = 0, star = SIZE_MAX, from = 0;

        while (t < text.n) {
                if (g < glob.n && glob.p[g] == '*') {
                        star = g++;
                        from = t;
                } else if (g < glob.n && glob.p[g] == folded(text.p[t], fold)) {
                        g++;
                        t++;
                } else if (star != SIZE_MAX) {
                        g = star + 1;
                        t = ++from;
                } else {
                        return false;
                }
        }
        while (g < glob.n && glob.p[g] == '*')
                g++;
        return g == glob.n;
}

/* ---- regular expressions ---- */

/* A program for a machine that is in many states at once (Thompson's): no text makes it slow. */

enum op { OP_SET, OP_ANY, OP_SPLIT, OP_JUMP, OP_BEGIN, OP_END, OP_DONE };
struct node {
        uint8_t op;
        uint16_t to, other;  /* JUMP, SPLIT */
        const uint32_t *set; /* SET: 256 bits */
};
struct pattern {
        struct node *v;
        size_t n, cap;
};

struct parser {
        struct arena *a;
        struct pattern *p;
        sv rest;
        sv why;
        int depth;
};

static bool fail(struct parser *ps, sv why)
{
        if (!ps->why.n)
                ps->why = why;
        return false;
}

static bool add(struct parser *ps, enum op op, size_t to, size_t other)
{
        struct pattern *p = ps->p;

        if (p->n >= STATES_MAX)
                return fail(ps, SV("the pattern is too long"));
        *arena_push(ps->a, p->v, p->n, p->cap) = (struct node){ (uint8_t)op, (uint16_t)to, (uint16_t)other, NULL };
        return true;
}

/* ---- sets of bytes ---- */

static uint32_t *set_new(struct parser *ps)
{
        return arena_array(ps->a, uint32_t, 8);
}

static void set_add(uint32_t *set, unsigned char c)
{
        set[c / 32] |= (uint32_t)1 << (c % 32);
}

static bool set_has(const uint32_t *set, unsigned char c)
{
        return set[c / 32] >> (c % 32) & 1;
}

static void set_invert(uint32_t *set)
{
        for (int i = 0; i < 8; i++)
                set[i] = ~set[i];
}

static bool class_has(char name, unsigned char c)
{
        bool digit = c >= '0' && c <= '9';

        switch (name) {
        case 'd':
                return digit;
        case 's':
                return c == ' ' || (c >= '\t' && c <= '\r') || (c >= 0x1c && c <= 0x1f);
        default:
                return digit || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        }
}

/* "\d", "\.", the backslash already taken; a letter of its own meaning that is not known here is refused, as Python refuses it. */
static bool escape_add(struct parser *ps, uint32_t *set, int *ret_char)
{
        char c, low;

        if (!ps->rest.n)
                return fail(ps, SV("it ends in a backslash"));
        c = ps->rest.p[0];
        low = (char)(c | 0x20);
        ps->rest = sv_skip(ps->rest, 1);
        *ret_char = -1;
        if (low == 'd' || low == 's' || low == 'w') {
                for (int i = 0; i < 256; i++)
                        if (class_has(low, (unsigned char)i) == (c == low))
                                set_add(set, (unsigned char)i);
                return true;
        }
        if (class_has('w', (unsigned char)c) && c != '_')
                return fail(ps, arena_fmt(ps->a, "'\\%c' is not judged here", c));
        *ret_char = (unsigned char)c;
        set_add(set, (unsigned char)c);
        return true;
}

/* One member of a class: ret_char is it, or -1 for a whole set. */
static bool member_add(struct parser *ps, uint32_t *set, int *ret_char)
{
        if (!ps->rest.n)
                return fail(ps, SV("'[' has no ']'"));
        *ret_char = (unsigned char)ps->rest.p[0];
        ps->rest = sv_skip(ps->rest, 1);
        if (*ret_char == '\\')
                return escape_add(ps, set, ret_char);
        if (*ret_char >= 0x80)
                return fail(ps, SV("a class of characters beyond ASCII is not judged here"));
        set_add(set, (unsigned char)*ret_char);
        return true;
}

static bool set_node(struct parser *ps, const uint32_t *set)
{
        if (!add(ps, OP_SET, 0, 0))
                return false;
        ps->p->v[ps->p->n - 1].set = set;
        return true;
}

/* The '[' is taken. */
static bool class_parse(struct parser *ps)
{
        uint32_t *set = set_new(ps);
        bool invert = sv_starts(ps->rest, SV("^")), first = true;

        ps->rest = sv_skip(ps->rest, invert);
        for (;; first = false) {
                int from, to;

                if (!first && sv_starts(ps->rest, SV("]")))
                        break;
                if (!member_add(ps, set, &from))
                        return false;
                if (ps->rest.n < 2 || ps->rest.p[0] != '-' || ps->rest.p[1] == ']')
                        continue;
                ps->rest = sv_skip(ps->rest, 1);
                if (!member_add(ps, set, &to))
                        return false;
                if (from < 0 || to < from)
                        return fail(ps, SV("a range in '[...]' leads nowhere"));
                for (; from < to; from++)
                        set_add(set, (unsigned char)from);
        }
        ps->rest = sv_skip(ps->rest, 1);
        if (invert)
                set_invert(set);
        return set_node(ps, set);
}

/* ---- the grammar ---- */

static bool either(struct parser *ps);

static bool group_parse(struct parser *ps)
{
        if (sv_starts(ps->rest, SV("?:")))
                ps->rest = sv_skip(ps->rest, 2);
        else if (sv_starts(ps->rest, SV("?")))
                return fail(ps, SV("'(?' is not judged here"));
        if (ps->depth >= DEPTH_MAX)
                return fail(ps, SV("groups are nested too deeply"));
        ps->depth++;
        if (!either(ps))
                return false;
        ps->depth--;
        if (!sv_starts(ps->rest, SV(")")))
                return fail(ps, SV("'(' has no ')'"));
        ps->rest = sv_skip(ps->rest, 1);
        return true;
}

static bool literal(struct parser *ps, unsigned char c)
{
        uint32_t *set = set_new(ps);

        set_add(set, c);
        return set_node(ps, set);
}

/* A byte of a longer character is followed by the others, so that a repetition means all of them. */
static bool character(struct parser *ps, unsigned char c)
{
        if (!literal(ps, c))
                return false;
        while (c >= 0xc0 && ps->rest.n && ((unsigned char)ps->rest.p[0] & 0xc0) == 0x80) {
                if (!literal(ps, (unsigned char)ps->rest.p[0]))
                        return false;
                ps->rest = sv_skip(ps->rest, 1);
        }
        return true;
}

static bool atom(struct parser *ps)
{
        unsigned char c = (unsigned char)ps->rest.p[0];
        int single;

        ps->rest = sv_skip(ps->rest, 1);
        switch (c) {
        case '(':
                return group_parse(ps);
        case '[':
                return class_parse(ps);
        case '.':
                return add(ps, OP_ANY, 0, 0);
        case '^':
                return add(ps, OP_BEGIN, 0, 0);
        case '$':
                return add(ps, OP_END, 0, 0);
        case '*':
        case '+':
        case '?':
                return fail(ps, arena_fmt(ps->a, "'%c' has nothing to repeat", c));
        case '\\': {
                uint32_t *set = set_new(ps);
                return escape_add(ps, set, &single) && set_node(ps, set);
        }
        default:
                return character(ps, c);
        }
}

/* "{2}", "{2,}", "{,3}", "{2,3}". False: nothing taken, the brace is a character like any other. */
static bool counts_take(struct parser *ps, unsigned *min, unsigned *max)
{
        ptrdiff_t end = sv_find(ps->rest, '}');
        sv inside, low;
        uint64_t a = 0, b = 0;
        bool comma;

        if (!sv_starts(ps->rest, SV("{")) || end < 2)
                return false;
        inside = sv_from_to(ps->rest, 1, (size_t)end);
        comma = sv_find(inside, ',') >= 0;
        sv_cut(&inside, ',', &low);
        if ((low.n && !sv_u64(low, &a)) || (inside.n && !sv_u64(inside, &b)) || (!comma && !low.n))
                return false;
        *min = a > STATES_MAX ? STATES_MAX : (unsigned)a;
        *max = !comma ? *min : !inside.n ? UINT_MAX : b > STATES_MAX ? STATES_MAX : (unsigned)b;
        ps->rest = sv_skip(ps->rest, (size_t)end + 1);
        return true;
}

/* The states from `from` on once more; jumps inside them move along. */
static bool copy(struct parser *ps, size_t from, size_t n)
{
        struct pattern *p = ps->p;
        size_t by = p->n - from;

        for (size_t i = 0; i < n; i++) {
                struct node s = p->v[from + i];

                if (!add(ps, (enum op)s.op, s.to + by, s.other + by))
                        return false;
                p->v[p->n - 1].set = s.set;
        }
        return true;
}

/* Put a state before those from `from` on. */
static bool insert(struct parser *ps, size_t from, enum op op, size_t to, size_t other)
{
        struct pattern *p = ps->p;

        if (!add(ps, op, 0, 0))
                return false;
        memmove(p->v + from + 1, p->v + from, (p->n - 1 - from) * sizeof(*p->v));
        for (size_t i = from + 1; i < p->n; i++) {
                p->v[i].to++;
                p->v[i].other++;
        }
        p->v[from] = (struct node){ (uint8_t)op, (uint16_t)to, (uint16_t)other, NULL };
        return true;
}

static bool optional(struct parser *ps, size_t from)
{
        return insert(ps, from, OP_SPLIT, from + 1, ps->p->n + 1);
}

static bool star(struct parser *ps, size_t from)
{
        return insert(ps, from, OP_SPLIT, from + 1, ps->p->n + 2) && add(ps, OP_JUMP, from, 0);
}

/* The states from `from` on are there once; make that min … max times. */
static bool repeat(struct parser *ps, size_t from, unsigned min, unsigned max)
{
        struct pattern *p = ps->p;
        size_t n = p->n - from;

        if (max < min)
                return fail(ps, SV("a repetition has its bounds the wrong way round"));
        if (max == 0) {
                p->n = from;
                return true;
        }
        for (unsigned i = 1; i < min; i++)
                if (!copy(ps, from, n))
                        return false;
        if (max == UINT_MAX) {
                if (min && !copy(ps, from, n))
                        return false;
                return star(ps, p->n - n);
        }
        for (unsigned i = min ? min : 1; i < max; i++)
                if (!copy(ps, from, n) || !optional(ps, p->n - n))
                        return false;
        return min || optional(ps, from);
}

/* "*", "+", "?" or counts off the front. False: there is none, once is meant. */
static bool repeat_take(struct parser *ps, unsigned *min, unsigned *max)
{
        char c = ps->rest.n ? ps->rest.p[0] : 0;

        if (c == '{')
                return counts_take(ps, min, max);
        if (c != '*' && c != '+' && c != '?')
                return false;
        *min = c == '+';
        *max = c == '?' ? 1 : UINT_MAX;
        ps->rest = sv_skip(ps->rest, 1);
        return true;
}

static bool piece(struct parser *ps)
{
        size_t from = ps->p->n;
        unsigned min, max;

        if (!atom(ps))
                return false;
        if (!repeat_take(ps, &min, &max))
                return true;
        if (sv_starts(ps->rest, SV("+")))
                return fail(ps, SV("a possessive repetition is not judged here"));
        if (sv_starts(ps->rest, SV("?"))) /* lazy: the same texts match */
                ps->rest = sv_skip(ps->rest, 1);
        if (repeat_take(ps, &(unsigned){ 0 }, &(unsigned){ 0 }))
                return fail(ps, SV("it repeats a repetition"));
        return repeat(ps, from, min, max);
}

/* One side of '|'. */
static bool sequence(struct parser *ps)
{
        while (ps->rest.n && ps->rest.p[0] != '|' && ps->rest.p[0] != ')')
                if (!piece(ps))
                        return false;
        return true;
}

static bool either(struct parser *ps)
{
        size_t from = ps->p->n, jump;

        if (!sequence(ps))
                return false;
        while (sv_starts(ps->rest, SV("|"))) {
                ps->rest = sv_skip(ps->rest, 1);
                if (!insert(ps, from, OP_SPLIT, from + 1, ps->p->n + 2) || !add(ps, OP_JUMP, 0, 0))
                        return false;
                jump = ps->p->n - 1;
                if (!sequence(ps))
                        return false;
                ps->p->v[jump].to = (uint16_t)ps->p->n;
        }
        return true;
}

const struct pattern *pattern_parse(struct arena *a, sv text, sv *ret_why)
{
        struct pattern *p = arena_new(a, struct pattern);
        struct parser ps = { .a = a, .p = p, .rest = text };

        if (!either(&ps) || (ps.rest.n && !fail(&ps, SV("')' has no '('"))) || !add(&ps, OP_DONE, 0, 0)) {
                *ret_why = ps.why;
                return NULL;
        }
        return p;
}

/* ---- matching ---- */

struct states {
        uint16_t v[STATES_MAX];
        size_t n;
        uint32_t in[STATES_MAX / 32];
};

static void mark(struct states *s, size_t i)
{
        if (s->in[i / 32] >> (i % 32) & 1)
                return;
        s->in[i / 32] |= (uint32_t)1 << (i % 32);
        s->v[s->n++] = (uint16_t)i;
}

/* Whatever the states lead to without a character joins them. True: the end of the program is among them. */
static bool settle(const struct pattern *p, struct states *s, bool begin, bool end)
{
        for (size_t k = 0; k < s->n; k++) {
                const struct node *node = &p->v[s->v[k]];

                if (node->op == OP_DONE)
                        return true;
                if (node->op == OP_JUMP || node->op == OP_SPLIT)
                        mark(s, node->to);
                if (node->op == OP_SPLIT)
                        mark(s, node->other);
                if ((node->op == OP_BEGIN && begin) || (node->op == OP_END && end))
                        mark(s, s->v[k] + (size_t)1);
        }
        return false;
}

static void states_clear(const struct pattern *p, struct states *s)
{
        s->n = 0;
        memset(s->in, 0, (p->n + 31) / 32 * sizeof(*s->in));
}

bool pattern_has(const struct pattern *p, sv text, bool fold)
{
        struct states both[2], *now = &both[0], *next = &both[1], *was;

        states_clear(p, now);
        mark(now, 0);
        for (size_t i = 0;; i++) {
                if (settle(p, now, i == 0, i == text.n))
                        return true;
                if (i == text.n || !now->n)
                        return false;
                states_clear(p, next);
                for (size_t k = 0; k < now->n; k++) {
                        const struct node *node = &p->v[now->v[k]];
                        unsigned char c = (unsigned char)folded(text.p[i], fold);

                        if (node->op == OP_ANY ? c != '\n' : node->op == OP_SET && set_has(node->set, c))
                                mark(next, now->v[k] + (size_t)1);
                }
                was = now;
                now = next;
                next = was;
        }
}
