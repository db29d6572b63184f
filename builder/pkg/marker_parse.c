#include "pkg/marker_priv.h"

#include <string.h>

#include "base/attr.h"
#include "pkg/pyname.h"

/* Nesting and length that no real marker reaches: recursion is bounded by them. */
enum { DEPTH_MAX = 100, KIDS_MAX = 10000 };

const char *const marker_op_text[] = { "==", "!=", "<=", ">=", "<", ">", "~=", "===", "in", "not in" };

struct spelling {
        const char *name;
        int var;
};
static const struct spelling names[] = {
        { "os_name", MARKER_OS_NAME },
        { "sys_platform", MARKER_SYS_PLATFORM },
        { "platform_machine", MARKER_PLATFORM_MACHINE },
        { "platform_python_implementation", MARKER_PLATFORM_PYTHON_IMPLEMENTATION },
        { "platform_release", MARKER_PLATFORM_RELEASE },
        { "platform_system", MARKER_PLATFORM_SYSTEM },
        { "platform_version", MARKER_PLATFORM_VERSION },
        { "python_version", MARKER_PYTHON_VERSION },
        { "python_full_version", MARKER_PYTHON_FULL_VERSION },
        { "implementation_name", MARKER_IMPLEMENTATION_NAME },
        { "implementation_version", MARKER_IMPLEMENTATION_VERSION },
        { "extra", MARKER_EXTRA },
        { "extras", MARKER_EXTRAS },
        { "dependency_groups", MARKER_GROUPS },
};
static const struct spelling older[] = {
        { "os.name", MARKER_OS_NAME },
        { "sys.platform", MARKER_SYS_PLATFORM },
        { "platform.machine", MARKER_PLATFORM_MACHINE },
        { "platform.version", MARKER_PLATFORM_VERSION },
        { "platform.python_implementation", MARKER_PLATFORM_PYTHON_IMPLEMENTATION },
        { "python_implementation", MARKER_PLATFORM_PYTHON_IMPLEMENTATION },
};

struct parser {
        struct arena *a;
        sv text;
        size_t at;
        int depth;
        sv why;
};

int marker_var_find(sv name)
{
        for (size_t i = 0; i < ARRAY_LEN(names); i++)
                if (sv_is(name, names[i].name))
                        return names[i].var;
        return MARKER_LITERAL;
}

bool marker_clause(struct arena *a, enum marker_op op, sv version, struct pep440_clause *ret)
{
        return pep440_clause_parse(a, arena_fmt(a, "%s%.*s", marker_op_text[op], SV_ARG(version)), ret);
}

bool marker_var_is_version(int var)
{
        return var == MARKER_PYTHON_VERSION || var == MARKER_PYTHON_FULL_VERSION ||
               var == MARKER_IMPLEMENTATION_VERSION || var == MARKER_PLATFORM_RELEASE;
}

static sv rest_of(const struct parser *p)
{
        return sv_skip(p->text, p->at);
}

static bool is_word(char c)
{
        return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' ||
               (unsigned char)c >= 0x80;
}

static void skip_blanks(struct parser *p)
{
        while (p->at < p->text.n && (p->text.p[p->at] == ' ' || p->text.p[p->at] == '\t'))
                p->at++;
}

/* A whole word: no word character before or after it. */
static bool take_word(struct parser *p, const char *word)
{
        sv rest = rest_of(p), w = sv_from(word);

        if (!sv_starts(rest, w) || (p->at && is_word(p->text.p[p->at - 1])) || (rest.n > w.n && is_word(rest.p[w.n])))
                return false;
        p->at += w.n;
        return true;
}

static bool take_char(struct parser *p, char c)
{
        if (p->at >= p->text.n || p->text.p[p->at] != c)
                return false;
        p->at++;
        return true;
}

static bool fail(struct parser *p, sv why)
{
        p->why = why;
        return false;
}

/* ---- literals: Python's rules, since that is what writes and reads them ---- */

static void utf8_add(char *out, size_t *n, uint32_t c)
{
        if (c < 0x80) {
                out[(*n)++] = (char)c;
        } else if (c < 0x800) {
                out[(*n)++] = (char)(0xc0 | c >> 6);
                out[(*n)++] = (char)(0x80 | (c & 0x3f));
        } else {
                if (c >= 0x10000) {
                        out[(*n)++] = (char)(0xf0 | c >> 18);
                        out[(*n)++] = (char)(0x80 | (c >> 12 & 0x3f));
                } else {
                        out[(*n)++] = (char)(0xe0 | c >> 12);
                }
                out[(*n)++] = (char)(0x80 | (c >> 6 & 0x3f));
                out[(*n)++] = (char)(0x80 | (c & 0x3f));
        }
}

static int digit_of(char c, int base)
{
        int d = c >= '0' && c <= '9'   ? c - '0'
                : c >= 'a' && c <= 'f' ? c - 'a' + 10
                : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                       : 99;

        return d < base ? d : -1;
}

/* Up to max digits of a base; how many there were. */
static size_t number_read(sv s, size_t max, int base, uint32_t *ret)
{
        size_t n = 0;

        *ret = 0;
        while (n < max && n < s.n && digit_of(s.p[n], base) >= 0)
                *ret = *ret * (uint32_t)base + (uint32_t)digit_of(s.p[n++], base);
        return n;
}

/* One escape after its backslash; how many bytes it takes, 0 when Python would not have it. */
static size_t escape_read(sv s, char *out, size_t *n)
{
        static const char from[] = "\\'\"abfnrtv", to[] = "\\'\"\a\b\f\n\r\t\v";
        const char *simple = s.n && s.p[0] ? strchr(from, s.p[0]) : NULL;
        size_t digits, want;
        uint32_t c;

        if (!s.n)
                return 0;
        if (simple) {
                out[(*n)++] = to[simple - from];
                return 1;
        }
        if (s.p[0] == '\n') /* a joined line */
                return 1;
        digits = number_read(s, 3, 8, &c);
        if (digits) {
                utf8_add(out, n, c);
                return digits;
        }
        want = s.p[0] == 'x' ? 2 : s.p[0] == 'u' ? 4 : s.p[0] == 'U' ? 8 : 0;
        if (!want) { /* not an escape: both bytes stay */
                out[(*n)++] = '\\';
                out[(*n)++] = s.p[0];
                return s.p[0] == 'N' ? 0 : 1;
        }
        if (number_read(sv_skip(s, 1), want, 16, &c) != want || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
                return 0;
        utf8_add(out, n, c);
        return 1 + want;
}

static bool literal_decode(struct parser *p, sv raw, sv *ret)
{
        char *out = arena_alloc(p->a, raw.n + 1, 1); /* no escape is shorter than what it stands for */
        size_t n = 0;

        for (size_t i = 0; i < raw.n; i++) {
                size_t took;

                if (raw.p[i] == '\n' || raw.p[i] == '\r' || !raw.p[i])
                        return fail(p, SV("a quoted text cannot go over the end of a line"));
                if (raw.p[i] != '\\') {
                        out[n++] = raw.p[i];
                        continue;
                }
                took = escape_read(sv_skip(raw, i + 1), out, &n);
                if (!took)
                        return fail(p, SV("the quoted text has an invalid '\\' escape"));
                i += took;
        }
        *ret = (sv){ out, n };
        return true;
}

static bool take_literal(struct parser *p, struct marker_side *ret)
{
        sv rest = rest_of(p), raw;
        ptrdiff_t end;

        if (!rest.n || (rest.p[0] != '"' && rest.p[0] != '\''))
                return false;
        end = sv_find(sv_skip(rest, 1), rest.p[0]);
        if (end < 0)
                return fail(p, SV("the quote is not closed"));
        raw = sv_from_to(rest, 1, (size_t)end + 1);
        if (!literal_decode(p, raw, &ret->text))
                return false;
        ret->var = MARKER_LITERAL;
        p->at += (size_t)end + 2;
        return true;
}

static bool take_variable(struct parser *p, struct marker_side *ret)
{
        for (size_t i = 0; i < ARRAY_LEN(names) + ARRAY_LEN(older); i++) {
                const struct spelling *s = i < ARRAY_LEN(names) ? &names[i] : &older[i - ARRAY_LEN(names)];

                if (!take_word(p, s->name))
                        continue;
                ret->var = s->var;
                for (size_t k = 0; k < ARRAY_LEN(names); k++)
                        if (names[k].var == s->var)
                                ret->text = sv_from(names[k].name);
                return true;
        }
        return false;
}

/* ---- grammar ---- */

static bool parse_side(struct parser *p, struct marker_side *ret)
{
        if (take_variable(p, ret) || take_literal(p, ret))
                return true;
        return p->why.n ? false
                        : fail(p, SV("a variable (python_version, sys_platform, extra, …) or a quoted text should "
                                     "stand here"));
}

static bool parse_op(struct parser *p, enum marker_op *ret)
{
        static const enum marker_op signs[] = { MARKER_ARBITRARY, MARKER_EQ, MARKER_COMPATIBLE, MARKER_NE,
                                                MARKER_LE,        MARKER_GE, MARKER_LT,         MARKER_GT };

        if (take_word(p, "in")) {
                *ret = MARKER_IN;
                return true;
        }
        if (take_word(p, "not")) {
                size_t blanks = p->at;

                skip_blanks(p);
                *ret = MARKER_NOT_IN;
                return (p->at > blanks && take_word(p, "in")) || fail(p, SV("'in' should follow 'not'"));
        }
        for (size_t i = 0; i < ARRAY_LEN(signs); i++)
                if (sv_starts(rest_of(p), sv_from(marker_op_text[signs[i]]))) {
                        *ret = signs[i];
                        p->at += strlen(marker_op_text[signs[i]]);
                        return true;
                }
        return fail(p, SV("one of == != <= >= < > ~= === in 'not in' should stand here"));
}

/* Names of extras and groups are compared by their normal form (PEP 685). */
static void normalise(struct parser *p, struct marker *m)
{
        if (m->left.var == MARKER_EXTRA && m->right.var == MARKER_LITERAL)
                m->right.text = pyname_normalise(p->a, m->right.text);
        else if (m->left.var == MARKER_LITERAL && m->right.var >= MARKER_EXTRA && m->right.var <= MARKER_GROUPS)
                m->left.text = pyname_normalise(p->a, m->left.text);
}

/* Done once here, not at every evaluation. No clause is fine: then the texts are compared. */
static void prepare(struct parser *p, struct marker *m)
{
        if (marker_var_is_version(m->left.var) && m->op < MARKER_IN)
                m->has_clause = marker_clause(p->a, m->op, m->right.text, &m->clause);
}

static bool parse_comparison(struct parser *p, struct marker *m)
{
        skip_blanks(p);
        if (!parse_side(p, &m->left))
                return false;
        skip_blanks(p);
        if (!parse_op(p, &m->op))
                return false;
        skip_blanks(p);
        if (!parse_side(p, &m->right))
                return false;
        skip_blanks(p);
        normalise(p, m);
        prepare(p, m);
        return true;
}

static bool parse_list(struct parser *p, struct marker **ret);

static bool parse_atom(struct parser *p, struct marker **ret)
{
        skip_blanks(p);
        if (take_char(p, '(')) {
                if (p->depth == DEPTH_MAX)
                        return fail(p, SV("parentheses are nested more than 100 deep"));
                p->depth++;
                if (!parse_list(p, ret))
                        return false;
                p->depth--;
                if (!take_char(p, ')'))
                        return fail(p, SV("a ')' is missing"));
        } else {
                *ret = arena_new(p->a, struct marker);
                if (!parse_comparison(p, *ret))
                        return false;
        }
        skip_blanks(p);
        return true;
}

static bool parse_list(struct parser *p, struct marker **ret)
{
        struct marker *list = arena_new(p->a, struct marker);

        for (bool is_or = false;;) {
                struct marker *kid = NULL;
                size_t n = list->n;

                if (n == KIDS_MAX)
                        return fail(p, SV("more than 10,000 comparisons"));
                if (!parse_atom(p, &kid))
                        return false;
                *arena_push(p->a, list->is_or, n, list->cap_or) = is_or;
                *arena_push(p->a, list->kid, list->n, list->cap) = kid;
                is_or = take_word(p, "or");
                if (!is_or && !take_word(p, "and"))
                        break;
        }
        *ret = list;
        return true;
}

bool marker_parse_at(struct arena *a, sv text, size_t *at, struct marker **ret, sv *ret_why)
{
        struct parser p = { .a = a, .text = text, .at = *at };
        bool ok = parse_list(&p, ret);

        *at = p.at;
        *ret_why = p.why;
        return ok;
}

bool marker_parse(struct arena *a, sv text, const struct marker **ret, sv *ret_why, size_t *ret_at)
{
        struct marker *m;

        *ret_at = 0;
        if (!marker_parse_at(a, text, ret_at, &m, ret_why))
                return false;
        if (*ret_at != text.n) {
                *ret_why = SV("'and', 'or' or the end of the marker should stand here");
                return false;
        }
        *ret = m;
        return true;
}

/* ---- writing ---- */

static void side_write(const struct marker_side *s, struct buf *out)
{
        const char *quote = sv_find(s->text, '"') < 0 ? "\"" : "'";

        if (s->var != MARKER_LITERAL)
                buf_add(out, s->text);
        else
                buf_fmt(out, "%s%.*s%s", quote, SV_ARG(s->text), quote);
}

static void node_write(const struct marker *m, bool first, struct buf *out)
{
        while (m->n == 1)
                m = m->kid[0];
        if (!m->n) {
                side_write(&m->left, out);
                buf_fmt(out, " %s ", marker_op_text[m->op]);
                side_write(&m->right, out);
                return;
        }
        buf_add(out, first ? SV("") : SV("("));
        for (size_t i = 0; i < m->n; i++) {
                if (i)
                        buf_add(out, m->is_or[i] ? SV(" or ") : SV(" and "));
                node_write(m->kid[i], false, out);
        }
        buf_add(out, first ? SV("") : SV(")"));
}

void marker_write(const struct marker *m, struct buf *out)
{
        if (m)
                node_write(m, true, out);
}
