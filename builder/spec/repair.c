#include "base/cleanup.h"
#include "pkg/requirement.h"
#include "spec/requirements.h"

/* Guesses at what a faulty requirement was meant to be. Each rewrites the text or gives up; a guess is only shown when it parses, so
 * that they may be bold. Order matters: the first that parses is taken. */

static bool blank(char c)
{
        return c == ' ' || c == '\t';
}

static bool operator_char(char c)
{
        return c == '=' || c == '<' || c == '>' || c == '!' || c == '~';
}

static bool version_start(char c)
{
        return c >= '0' && c <= '9';
}

static sv head_of(sv text) /* without the marker */
{
        ptrdiff_t at = sv_find(text, ';');

        return at < 0 ? text : (sv){ text.p, (size_t)at };
}

/* "foo # why" where the blank is missing: "foo==1# why" */
static bool comment_glued(sv s, struct buf *out)
{
        ptrdiff_t at = sv_find(s, '#');

        if (at <= 0 || sv_find_sv(s, SV("://")) >= 0)
                return false;
        buf_fmt(out, "%.*s %.*s", (int)at, s.p, SV_ARG(sv_skip(s, (size_t)at)));
        return true;
}

static bool quotes_around(sv s, struct buf *out)
{
        if (s.n < 3 || (s.p[0] != '"' && s.p[0] != '\'') || s.p[s.n - 1] != s.p[0])
                return false;
        buf_add(out, sv_from_to(s, 1, s.n - 1));
        return true;
}

/* "'foo==1'," copied out of a program, "foo==1'" */
static bool stray_quotes(sv s, struct buf *out)
{
        sv head = head_of(s);

        for (size_t i = 0; i < head.n; i++)
                if (head.p[i] != '"' && head.p[i] != '\'')
                        buf_byte(out, head.p[i]);
        buf_add(out, sv_skip(s, head.n));
        return out->n < s.n;
}

/* "pytest >= 2 [tests]": extras stand behind the name */
static bool extras_last(sv s, struct buf *out)
{
        sv head = sv_trim(head_of(s));
        ptrdiff_t open = sv_rfind(head, '[');
        size_t i = 0;

        while (i < head.n && !operator_char(head.p[i]) && !blank(head.p[i]))
                i++;
        if (open < 0 || (size_t)open < i || head.p[head.n - 1] != ']')
                return false;
        buf_fmt(out, "%.*s%.*s%.*s%.*s", (int)i, s.p, SV_ARG(sv_skip(head, (size_t)open)),
                SV_ARG(sv_trim(sv_from_to(head, i, (size_t)open))), SV_ARG(sv_skip(s, head_of(s).n)));
        return true;
}

static bool comma_at_end(sv s, struct buf *out)
{
        s = sv_trim(s);
        if (s.n < 2 || (s.p[s.n - 1] != ',' && s.p[s.n - 1] != ';'))
                return false;
        buf_add(out, sv_trim(sv_from_to(s, 0, s.n - 1)));
        return true;
}

/* "=<" "=>" "=!" turned round, "=", "===" of numbers and conda's "=1.2=build" made "==". */
static bool operators(sv s, struct buf *out)
{
        sv head = head_of(s);
        bool changed = false;

        for (size_t i = 0; i < head.n; i++) {
                size_t n = 0;
                while (i + n < head.n && operator_char(head.p[i + n]))
                        n++;
                if (n == 0) {
                        buf_byte(out, head.p[i]);
                        continue;
                }
                sv op = { head.p + i, n };
                sv good = sv_is(op, "=<")                     ? SV("<")
                          : sv_is(op, "=>")                   ? SV(">=")
                          : sv_is(op, "=!")                   ? SV("!=")
                          : sv_is(op, "=~") || sv_is(op, "~") ? SV("~=")
                          : sv_is(op, "=")                    ? SV("==")
                          : sv_is(op, "<>")                   ? SV("!=")
                                                              : op;
                changed |= !sv_eq(op, good);
                buf_add(out, good);
                i += n - 1;
        }
        buf_add(out, sv_skip(s, head.n));
        return changed;
}

/* "numpy=1.26.4=py310h5f9d8c6_0": the build goes */
static bool conda_build(sv s, struct buf *out)
{
        ptrdiff_t first = sv_find(s, '='), second;
        size_t from;

        if (first <= 0)
                return false;
        from = (size_t)first + 1;
        while (from < s.n && s.p[from] == '=')
                from++;
        second = sv_find(sv_skip(s, from), '=');
        if (second <= 0)
                return false;
        buf_fmt(out, "%.*s==%.*s", (int)first, s.p, SV_ARG(sv_trim(sv_from_to(s, from, from + (size_t)second))));
        return true;
}

/* "foo>=1 <2" and "foo>=1<2": the comma between clauses */
static bool comma_missing(sv s, struct buf *out)
{
        sv head = head_of(s);
        bool in_version = false, changed = false;

        for (size_t i = 0; i < head.n; i++) {
                char c = head.p[i];
                if (operator_char(c) && in_version) {
                        while (out->n && blank(out->p[out->n - 1]))
                                out->p[--out->n] = '\0';
                        if (out->n && out->p[out->n - 1] != ',') {
                                buf_byte(out, ',');
                                changed = true;
                        }
                        in_version = false;
                }
                if (!operator_char(c) && !blank(c) && i &&
                    (operator_char(head.p[i - 1]) ||
                     (blank(head.p[i - 1]) && out->n && operator_char(out->p[out->n - 1]))))
                        in_version = true;
                if (!(blank(c) && out->n && operator_char(out->p[out->n - 1])))
                        buf_byte(out, c);
        }
        buf_add(out, sv_skip(s, head.n));
        return changed;
}

/* "foo 1.2", "foo: 1.2", "foo@1.2" → "foo==1.2" */
static bool version_apart(sv s, struct buf *out)
{
        size_t i = 0, k;

        while (i < s.n && !blank(s.p[i]) && s.p[i] != ':' && s.p[i] != '@' && !operator_char(s.p[i]))
                i++;
        k = i;
        while (k < s.n && (blank(s.p[k]) || s.p[k] == ':' || s.p[k] == '@'))
                k++;
        if (i == 0 || k == i || k == s.n || !version_start(s.p[k]))
                return false;
        buf_fmt(out, "%.*s==%.*s", (int)i, s.p, SV_ARG(sv_skip(s, k)));
        return true;
}

/* ">=1.*" says no more than ">=1" */
static bool star_on_order(sv s, struct buf *out)
{
        sv head = head_of(s);
        bool order = false, changed = false;

        for (size_t i = 0; i < head.n; i++) {
                if (operator_char(head.p[i]))
                        order = (head.p[i] != '=' && head.p[i] != '!') || (order && i && operator_char(head.p[i - 1]));
                if (order && head.p[i] == '.' && i + 1 < head.n && head.p[i + 1] == '*') {
                        i++;
                        changed = true;
                        continue;
                }
                buf_byte(out, head.p[i]);
        }
        buf_add(out, sv_skip(s, head.n));
        return changed;
}

/* "azureml-widgets~=Latest": a requirement without a version is the newest */
static bool latest(sv s, struct buf *out)
{
        size_t i = 0, k;

        while (i < s.n && !operator_char(s.p[i]) && !blank(s.p[i]))
                i++;
        k = i;
        while (k < s.n && (operator_char(s.p[k]) || blank(s.p[k])))
                k++;
        if (i == 0 || k == i || !(sv_eq_nocase(sv_skip(s, k), SV("latest")) || k == s.n || sv_is(sv_skip(s, k), "*")))
                return false;
        buf_add(out, sv_from_to(s, 0, i));
        return true;
}

/* "foo~=1" has nothing to be compatible with */
static bool compatible_alone(sv s, struct buf *out)
{
        sv head = head_of(s);
        ptrdiff_t at = sv_find_sv(head, SV("~="));
        size_t k;

        if (at < 0)
                return false;
        k = (size_t)at + 2;
        while (k < head.n && blank(head.p[k]))
                k++;
        buf_add(out, sv_from_to(s, 0, (size_t)at));
        buf_add(out, SV("=="));
        for (; k < head.n && version_start(head.p[k]); k++)
                buf_byte(out, head.p[k]);
        buf_add(out, SV(".*"));
        buf_add(out, sv_skip(s, k));
        return true;
}

static bool good(struct arena *a, const struct buf *b)
{
        struct requirement r;
        sv why, text = sv_trim(buf_sv(b)), bare = text;
        size_t at;
        ptrdiff_t comment = sv_find_sv(text, SV(" #"));

        if (comment >= 0) /* comment_glued: a guess that still has its comment */
                bare.n = (size_t)comment;
        return !b->over && requirement_parse(a, bare, &r, &why, &at);
}

sv spec_requirement_repair(struct arena *a, sv text)
{
        static bool (*const guesses[])(sv s, struct buf *out) = {
                comment_glued, quotes_around, comma_at_end,  latest,           operators,    comma_missing,
                conda_build,   version_apart, star_on_order, compatible_alone, stray_quotes, extras_last,
        };
        AUTO(buf_done) struct buf one = BUF_INIT(8192), two = BUF_INIT(8192);

        if (text.n > 1000)
                return SV("");
        for (size_t i = 0; i < ARRAY_LEN(guesses); i++) {
                buf_clear(&one);
                if (!guesses[i](text, &one))
                        continue;
                if (good(a, &one))
                        return arena_sv(a, buf_sv(&one));
                for (size_t k = 0; k < ARRAY_LEN(guesses); k++) { /* two mistakes in one line */
                        buf_clear(&two);
                        if (k != i && guesses[k](buf_sv(&one), &two) && good(a, &two))
                                return arena_sv(a, buf_sv(&two));
                }
        }
        return SV("");
}
