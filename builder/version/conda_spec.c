#include <string.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "version/conda_priv.h"
#include "version/pattern.h"

#define SPEC_MAX  ((size_t)64 * 1024)
#define DEPTH_MAX 64

enum spec_kind {
        SPEC_ALL,
        SPEC_AND,
        SPEC_OR,
        SPEC_RANGE, /* from low to high */
        SPEC_GLOB,  /* of the text as it is written */
        SPEC_REGEX,
        SPEC_TEXT /* the text itself: what has an '@' is no version, but conda compares it */
};
struct conda_spec {
        uint8_t kind;
        bool outside;                    /* RANGE: outside of it */
        bool low_in, high_in;            /* the ends belong to it */
        struct conda_key low, high;      /* n 0: no end on this side */
        const struct conda_version *one; /* "1.2", "==1.2" */
        const struct pattern *regex;
        const struct conda_spec **part; /* AND, OR */
        size_t n_part;
        sv text;
};

/* ---- one clause ---- */

struct clause {
        struct arena *a;
        struct conda_spec *s;
        sv why;
};

static bool refuse(struct clause *c, sv why)
{
        c->why = why;
        return false;
}

static bool refuse_version(struct clause *c, sv text, const char *why)
{
        return refuse(c, arena_fmt(c->a, "'%.*s' is not a version: %s", SV_ARG(sv_from_to(text, 0, 80)), why));
}

/* The ends of what "p.*" matches; low may be NULL. */
static bool bounds(struct clause *c, sv p, struct conda_key *low, struct conda_key *high)
{
        unsigned char buf[CONDA_KEY_MAX];
        struct conda_runs r;
        const char *why;

        for (int above = low ? 0 : 1; above < 2; above++) {
                struct conda_key *key = above ? high : low;

                if (!conda_runs_split(p, &r, &why))
                        return refuse_version(c, p, why);
                conda_runs_bound(&r, above);
                *key = conda_runs_key(&r, buf);
                key->p = memcpy(arena_alloc(c->a, key->n, 1), key->p, key->n);
        }
        return true;
}

static bool version_key(struct clause *c, sv text, const struct conda_version **ret, struct conda_key *ret_key)
{
        const char *why;

        *ret = conda_version_parse(c->a, text, &why);
        if (!*ret)
                return refuse_version(c, text, why);
        *ret_key = (*ret)->key;
        return true;
}

static bool starts(struct clause *c, sv prefix, bool outside)
{
        c->s->kind = SPEC_RANGE;
        c->s->outside = outside;
        return bounds(c, prefix, &c->s->low, &c->s->high);
}

static bool equal(struct clause *c, sv text, bool outside)
{
        const struct conda_version *v;

        if (!version_key(c, text, &v, &c->s->low))
                return false;
        c->s->kind = SPEC_RANGE;
        c->s->outside = outside;
        c->s->high = c->s->low;
        c->s->low_in = c->s->high_in = true;
        c->s->one = outside ? NULL : v;
        return true;
}

static bool compare(struct clause *c, sv op, sv text)
{
        bool in = op.n == 2;
        const struct conda_version *v;
        struct conda_key key;

        if (!version_key(c, text, &v, &key))
                return false;
        c->s->kind = SPEC_RANGE;
        if (op.p[0] == '>') {
                c->s->low = key;
                c->s->low_in = in;
        } else {
                c->s->high = key;
                c->s->high_in = in;
        }
        return true;
}

/* From the version on, as long as all before its last part is the same. */
static bool compatible(struct clause *c, sv text)
{
        ptrdiff_t dot = sv_rfind(text, '.');
        const struct conda_version *v;

        if (!version_key(c, text, &v, &c->s->low))
                return false;
        if (dot < 0)
                return refuse(c, arena_fmt(c->a, "'~=%.*s' needs at least two numbers, as in '~=1.4'", SV_ARG(text)));
        c->s->kind = SPEC_RANGE;
        c->s->low_in = true;
        return bounds(c, sv_from_to(text, 0, (size_t)dot), NULL, &c->s->high);
}

/* The operator off the front; empty: none of those that there are. */
static sv op_take(sv *rest)
{
        static const char *const ops[] = { "==", "!=", "<=", ">=", "~=", "=", "<", ">" };

        for (size_t i = 0; i < ARRAY_LEN(ops); i++)
                if (sv_starts(*rest, sv_from(ops[i]))) {
                        *rest = sv_skip(*rest, strlen(ops[i]));
                        return sv_from(ops[i]);
                }
        return (sv){ 0 };
}

/* What is wrong with an operator and what follows it; empty: nothing. */
static sv relation_why(struct arena *a, sv text, sv op, sv rest)
{
        sv shown = sv_from_to(text, 0, 80);

        if (!op.n)
                return arena_fmt(
                        a, "'%.*s' begins with no operator of conda: write = == != < <= > >= or ~=", SV_ARG(shown));
        if (!rest.n)
                return arena_fmt(a, "'%.*s' has no version after its operator", SV_ARG(shown));
        if (strchr("=<>!~", rest.p[0])) {
                while (rest.n && strchr("=<>!~", rest.p[0]))
                        rest = sv_skip(rest, 1);
                return arena_fmt(a, "there is no operator '%.*s'", SV_ARG(sv_from_to(shown, 0, text.n - rest.n)));
        }
        for (size_t i = 0; i < rest.n; i++) {
                if (conda_is_blank(rest.p[i]))
                        return arena_fmt(a, "'%.*s' has a blank inside: write '%.*s%.*s'", SV_ARG(shown), SV_ARG(op),
                                         SV_ARG(sv_from_to(conda_trim(rest), 0, 80)));
                if (strchr("=<>!~", rest.p[i]) && rest.p[i] != '!')
                        return arena_fmt(a, "a comma is missing before '%.*s'",
                                         SV_ARG(sv_from_to(sv_skip(rest, i), 0, 80)));
        }
        return (sv){ 0 };
}

static bool relation(struct clause *c, sv text)
{
        sv rest = text, op = op_take(&rest), why = relation_why(c->a, text, op, rest);
        bool any = sv_ends(rest, SV(".*"));

        if (why.n)
                return refuse(c, why);
        if (any && sv_is(op, "~="))
                return refuse(c, arena_fmt(c->a, "'%.*s': '~=' takes no '.*'", SV_ARG(sv_from_to(text, 0, 80))));
        if (any)
                rest.n -= 2;
        if (sv_is(op, "="))
                return starts(c, rest, false);
        if (sv_is(op, "!="))
                return any ? starts(c, rest, true) : equal(c, rest, true);
        if (sv_is(op, "=="))
                return equal(c, rest, false);
        return sv_is(op, "~=") ? compatible(c, rest) : compare(c, op, rest);
}

static bool regex(struct clause *c, sv text)
{
        sv why = { 0 };

        if (text.n < 2 || text.p[0] != '^' || text.p[text.n - 1] != '$')
                return refuse(c, SV("a regular expression begins with '^' and ends with '$'"));
        c->s->kind = SPEC_REGEX;
        c->s->regex = pattern_parse(c->a, text, &why);
        return c->s->regex ||
               refuse(c, arena_fmt(c->a, "'%.*s' cannot be used: %.*s", SV_ARG(sv_from_to(text, 0, 80)), SV_ARG(why)));
}

static bool is_version_char(char c)
{
        return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || (c && strchr("*._+!-@", c));
}

/* conda makes a regular expression of a glob and leaves what has a meaning there as it is: nobody means that. */
static bool as_text(struct clause *c, sv text, enum spec_kind kind)
{
        for (size_t i = 0; i < text.n; i++)
                if (!is_version_char(text.p[i]) || (text.p[i] == '!' && i + 1 == text.n))
                        return refuse(c, arena_fmt(c->a, "'%c' has no place in '%.*s'", text.p[i],
                                                   SV_ARG(sv_from_to(text, 0, 80))));
        c->s->kind = (uint8_t)kind;
        return true;
}

static sv strip_end(sv s, char c)
{
        while (s.n && s.p[s.n - 1] == c)
                s.n--;
        return s;
}

/* What begins with no operator. */
static bool plain(struct clause *c, sv text)
{
        sv body = strip_end(text, '*');

        if (sv_is(text, "*")) {
                c->s->kind = SPEC_ALL;
                return true;
        }
        if (sv_find(body, '*') >= 0)
                return as_text(c, text, SPEC_GLOB);
        if (sv_ends(text, SV("**"))) /* conda asks for a version with an asterisk in it: there is none */
                return starts(c, strip_end(sv_from_to(text, 0, text.n - 1), '.'), false);
        if (body.n < text.n) {
                body = strip_end(body, '.');
                c->s->text = arena_fmt(c->a, "%.*s.*", SV_ARG(body)); /* "1.7*" is read as "1.7.*" */
                return starts(c, body, false);
        }
        if (sv_find(text, '@') < 0)
                return equal(c, text, false);
        return as_text(c, text, SPEC_TEXT);
}

static const struct conda_spec *clause_parse(struct arena *a, sv text, sv *ret_why)
{
        struct conda_spec *s = arena_new(a, struct conda_spec);
        struct clause c = { a, s, { 0 } };
        bool ok;

        text = conda_trim(text);
        s->text = arena_sv(a, text);
        if (!text.n)
                ok = refuse(&c, SV("a version is missing"));
        else if (text.p[0] == '^' || text.p[text.n - 1] == '$')
                ok = regex(&c, s->text);
        else if (strchr("=<>!~", text.p[0]))
                ok = relation(&c, s->text);
        else
                ok = plain(&c, s->text);
        *ret_why = c.why;
        return ok ? s : NULL;
}

/* ---- the tree ---- */

struct level { /* one pair of parentheses: alternatives of lists, as far as they are read */
        const struct conda_spec **either, **all;
        size_t n_either, cap_either, n_all, cap_all;
};
struct tree {
        struct arena *a;
        sv text;
        size_t at;
        struct level level[DEPTH_MAX];
        int depth;
        bool want; /* an operand comes next */
        sv why;
        size_t why_at;
};

static bool tree_refuse(struct tree *t, size_t at, sv why)
{
        t->why = why;
        t->why_at = at;
        return false;
}

/* "a|b" inside of "x,(a|b)" keeps its parentheses. */
static void part_write(const struct conda_spec *s, enum spec_kind inside, struct buf *b)
{
        bool group = s->kind == SPEC_OR && inside == SPEC_AND;

        buf_add(b, group ? SV("(") : (sv){ 0 });
        buf_add(b, s->text);
        buf_add(b, group ? SV(")") : (sv){ 0 });
}

/* Parts of the same kind become one list. One part alone is itself. */
static const struct conda_spec *join(struct arena *a, enum spec_kind kind, const struct conda_spec **part, size_t n)
{
        AUTO(buf_done) struct buf text = BUF_INIT(4 * SPEC_MAX);
        struct conda_spec *s;
        size_t cap = 0;

        if (n == 1)
                return part[0];
        s = arena_new(a, struct conda_spec);
        s->kind = (uint8_t)kind;
        for (size_t i = 0; i < n; i++) {
                bool same = part[i]->kind == kind;
                size_t inner = same ? part[i]->n_part : 1;

                for (size_t k = 0; k < inner; k++)
                        *arena_push(a, s->part, s->n_part, cap) = same ? part[i]->part[k] : part[i];
        }
        for (size_t i = 0; i < s->n_part; i++) {
                buf_add(&text, i ? (kind == SPEC_OR ? SV("|") : SV(",")) : (sv){ 0 });
                part_write(s->part[i], kind, &text);
        }
        s->text = arena_sv(a, buf_sv(&text));
        return s;
}

static void operand(struct tree *t, const struct conda_spec *s)
{
        struct level *l = &t->level[t->depth];

        *arena_push(t->a, l->all, l->n_all, l->cap_all) = s;
        t->want = false;
}

/* The list before a '|', a ')' or the end. */
static void list_end(struct tree *t)
{
        struct level *l = &t->level[t->depth];

        *arena_push(t->a, l->either, l->n_either, l->cap_either) = join(t->a, SPEC_AND, l->all, l->n_all);
        l->all = NULL; /* the tree may hold it */
        l->n_all = l->cap_all = 0;
}

static const struct conda_spec *level_end(struct tree *t)
{
        list_end(t);
        return join(t->a, SPEC_OR, t->level[t->depth].either, t->level[t->depth].n_either);
}

static bool open_group(struct tree *t)
{
        if (!t->want)
                return tree_refuse(t, t->at, SV("a ',' or '|' is missing before '('"));
        if (t->depth + 1 >= DEPTH_MAX)
                return tree_refuse(t, t->at, SV("parentheses are nested too deeply"));
        t->level[++t->depth] = (struct level){ 0 };
        return true;
}

static bool close_group(struct tree *t)
{
        const struct conda_spec *s;

        if (t->want)
                return tree_refuse(t, t->at, SV("a version is missing before ')'"));
        if (!t->depth)
                return tree_refuse(t, t->at, SV("')' has no '('"));
        s = level_end(t);
        t->depth--;
        operand(t, s);
        return true;
}

static bool operator_take(struct tree *t, char c)
{
        if (c == '(')
                return open_group(t);
        if (c == ')')
                return close_group(t);
        if (t->want)
                return tree_refuse(t, t->at, arena_fmt(t->a, "a version is missing before '%c'", c));
        if (c == '|')
                list_end(t);
        t->want = true;
        return true;
}

/* Where a clause ends: before ( ) | , but a regular expression goes on to its '$'. */
static size_t clause_scan(sv text)
{
        ptrdiff_t end = text.p[0] == '^' ? sv_find(text, '$') : -1;
        size_t n = 0;

        if (end > 0)
                return (size_t)end + 1;
        while (n < text.n && !strchr("()|,", text.p[n]))
                n++;
        return n;
}

static bool clause_take(struct tree *t, size_t n)
{
        const struct conda_spec *s;
        sv why;

        if (!t->want)
                return tree_refuse(t, t->at, SV("a ',' or '|' is missing"));
        s = clause_parse(t->a, sv_from_to(t->text, t->at, t->at + n), &why);
        if (!s)
                return tree_refuse(t, t->at, why);
        operand(t, s);
        return true;
}

static bool tree_read(struct tree *t)
{
        while (t->at < t->text.n) {
                sv rest = sv_skip(t->text, t->at);
                size_t n = 1;

                if (conda_is_blank(rest.p[0])) {
                        t->at++;
                        continue;
                }
                if (strchr("()|,", rest.p[0])) {
                        if (!operator_take(t, rest.p[0]))
                                return false;
                } else {
                        n = clause_scan(rest);
                        if (!clause_take(t, n))
                                return false;
                }
                t->at += n;
        }
        if (t->want)
                return tree_refuse(t, t->at, SV("a version is missing"));
        return t->depth ? tree_refuse(t, t->at, SV("'(' has no ')'")) : true;
}

const struct conda_spec *conda_spec_parse(struct arena *a, sv text, sv *ret_why, size_t *ret_at)
{
        struct tree t; /* its levels are set when they are entered */

        t.a = a;
        t.text = text;
        t.at = t.why_at = 0;
        t.depth = 0;
        t.level[0] = (struct level){ 0 };
        t.want = true;
        if (text.n > SPEC_MAX)
                tree_refuse(&t, SPEC_MAX, SV("it is longer than 64 KiB"));
        else if (memchr(text.n ? text.p : "", 0, text.n))
                tree_refuse(&t, 0, SV("it holds a NUL byte"));
        else if (tree_read(&t))
                return level_end(&t);
        if (ret_why)
                *ret_why = t.why;
        if (ret_at)
                *ret_at = t.why_at;
        return NULL;
}

/* ---- answers ---- */

static bool range_has(const struct conda_spec *s, const struct conda_version *v)
{
        int c;

        if (s->low.n) {
                c = conda_key_cmp(&v->key, &s->low);
                if (c < 0 || (c == 0 && !s->low_in))
                        return s->outside;
        }
        if (s->high.n) {
                c = conda_key_cmp(&v->key, &s->high);
                if (c > 0 || (c == 0 && !s->high_in))
                        return s->outside;
        }
        return !s->outside;
}

bool conda_spec_has(const struct conda_spec *s, const struct conda_version *v)
{
        switch ((enum spec_kind)s->kind) {
        case SPEC_ALL:
                return true;
        case SPEC_RANGE:
                return range_has(s, v);
        case SPEC_GLOB:
                return glob_has(s->text, v->raw, false);
        case SPEC_REGEX:
                return pattern_has(s->regex, v->raw, false);
        case SPEC_TEXT:
                return sv_eq(s->text, v->raw);
        default:
                for (size_t i = 0; i < s->n_part; i++)
                        if (conda_spec_has(s->part[i], v) == (s->kind == SPEC_OR))
                                return s->kind == SPEC_OR;
                return s->kind == SPEC_AND;
        }
}

bool conda_spec_any(const struct conda_spec *s)
{
        return s->kind == SPEC_ALL;
}

const struct conda_version *conda_spec_exact(const struct conda_spec *s)
{
        return s->one;
}

sv conda_spec_text(const struct conda_spec *s)
{
        return s->text;
}
