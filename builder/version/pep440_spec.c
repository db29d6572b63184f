#include "version/pep440_priv.h"

#include <stdlib.h>
#include <string.h>

#include "base/attr.h"

/* Longest first: "===" before "==" before "=". */
static const struct {
        const char *text;
        enum pep440_op op;
} ops[] = {
        { "===", PEP440_ARBITRARY }, { "~=", PEP440_COMPATIBLE }, { "==", PEP440_EQ }, { "!=", PEP440_NE },
        { "<=", PEP440_LE },         { ">=", PEP440_GE },         { "<", PEP440_LT },  { ">", PEP440_GT },
};

static const char *op_text(enum pep440_op op)
{
        for (size_t i = 0; i < ARRAY_LEN(ops); i++)
                if (ops[i].op == op)
                        return ops[i].text;
        return "";
}

static bool take_op(sv *rest, enum pep440_op *ret)
{
        for (size_t i = 0; i < ARRAY_LEN(ops); i++)
                if (sv_starts(*rest, sv_from(ops[i].text))) {
                        *ret = ops[i].op;
                        *rest = sv_skip(*rest, strlen(ops[i].text));
                        return true;
                }
        return false;
}

/* "===" takes anything but white space, ";" and ")". */
static void take_arbitrary(sv *rest)
{
        while (rest->n && rest->p[0] != ';' && rest->p[0] != ')' && pep440_blank_skip(*rest).n == rest->n)
                *rest = sv_skip(*rest, 1);
}

/* One clause off the front, white space around it left alone; c->v is not parsed yet. */
static bool take_clause(sv *rest, struct pep440_clause *c)
{
        sv r = *rest, begin;
        uint32_t n;

        if (!take_op(&r, &c->op))
                return false;
        begin = r = pep440_blank_skip(r);
        c->prefix = false;
        if (c->op == PEP440_ARBITRARY) {
                take_arbitrary(&r);
        } else {
                if (!pep440_take_release(&r, &n) || (c->op == PEP440_COMPATIBLE && n < 2))
                        return false;
                c->prefix = (c->op == PEP440_EQ || c->op == PEP440_NE) && sv_starts(r, SV(".*"));
                if (c->prefix) {
                        r = sv_skip(r, 2);
                } else {
                        pep440_take_suffix(&r);
                        if (c->op == PEP440_EQ || c->op == PEP440_NE)
                                pep440_take_local(&r);
                }
        }
        c->text = (sv){ begin.p, (size_t)(r.p - begin.p) };
        *rest = r;
        return true;
}

size_t pep440_clause_scan(sv text)
{
        struct pep440_clause c;
        sv rest = text;

        return take_clause(&rest, &c) ? text.n - rest.n : 0;
}

/* ---- parsing ---- */

/* The version was read; what follows it is wrong. */
static sv why_rest(struct arena *a, const struct pep440_clause *c, sv rest)
{
        sv shown = sv_from_to(rest, 0, 60);

        if (sv_starts(rest, SV(".*")))
                return c->op == PEP440_EQ || c->op == PEP440_NE
                               ? SV("'.*' cannot follow a pre-release, post-release, dev or local part")
                               : SV("'.*' can only be used with == and !=");
        if (rest.p[0] == '+')
                return SV("a local version ('+...') can only be used with == and !=");
        if (strchr("<>=!~", rest.p[0]))
                return arena_fmt(a, "missing comma before '%.*s'", SV_ARG(shown));
        return arena_fmt(a, "'%.*s' is not part of a version", SV_ARG(shown));
}

static sv why_clause(struct arena *a, sv part)
{
        enum pep440_op op;
        uint32_t n;
        sv rest = part, shown = sv_from_to(part, 0, 60);

        if (take_op(&rest, &op)) {
                rest = pep440_blank_skip(rest);
                if (op == PEP440_COMPATIBLE && pep440_take_release(&rest, &n))
                        return SV("'~=' needs at least two numbers, as in '~=1.4'");
                return arena_fmt(a, "'%.*s' has no version after its operator", SV_ARG(shown));
        }
        if (part.p[0] == '=')
                return SV("'=' is not an operator: write '=='");
        return arena_fmt(a, "'%.*s' does not begin with one of == != <= >= < > ~= ===", SV_ARG(shown));
}

/* Operator and version as one text: clause_parse() lays them side by side. */
static sv clause_whole(const struct pep440_clause *c)
{
        size_t n = strlen(op_text(c->op));

        return (sv){ c->text.p - n, c->text.n + n };
}

static bool clause_parse(struct arena *a, sv part, struct pep440_clause *c, sv *ret_why)
{
        sv rest = part, text;

        if (!take_clause(&rest, c)) {
                *ret_why = why_clause(a, part);
                return false;
        }
        rest = pep440_blank_skip(rest);
        if (rest.n) {
                *ret_why = why_rest(a, c, rest);
                return false;
        }
        c->v = pep440_parse(a, c->prefix ? sv_from_to(c->text, 0, c->text.n - 2) : c->text);
        text = arena_fmt(a, "%s%.*s", op_text(c->op), SV_ARG(c->text));
        c->text = sv_skip(text, strlen(op_text(c->op)));
        return true;
}

bool pep440_clause_parse(struct arena *a, sv text, struct pep440_clause *ret)
{
        struct pep440_clause c = { 0 };
        sv why;

        text = pep440_blank_trim(text);
        if (!text.n || !clause_parse(a, text, &c, &why))
                return false;
        *ret = c;
        return true;
}

/* The same to packaging: "==1.0" and "==1.0.0", but not "~=1.0" and "~=1.0.0". */
static bool is_same(const struct pep440_clause *a, const struct pep440_clause *b)
{
        if (a->op != b->op || a->prefix != b->prefix)
                return false;
        if (a->op == PEP440_ARBITRARY || a->prefix)
                return sv_eq(a->text, b->text);
        return !pep440_cmp(a->v, b->v) && (a->op != PEP440_COMPATIBLE || a->v->n_release == b->v->n_release);
}

/* The order of "==1.0" and "~=1.0" as texts. */
static int clause_cmp(const void *x, const void *y)
{
        const struct pep440_clause *a = x, *b = y;

        return sv_cmp(clause_whole(a), clause_whole(b));
}

/* Sorted as packaging prints them, the first of equal ones kept; how many remain. */
static size_t canonicalise(struct pep440_clause *v, size_t n)
{
        size_t kept = 0;

        if (n)
                qsort(v, n, sizeof(*v), clause_cmp);
        for (size_t i = 0, k; i < n; i++) {
                for (k = 0; k < kept && !is_same(&v[k], &v[i]); k++)
                        ;
                if (k == kept)
                        v[kept++] = v[i];
        }
        return kept;
}

bool pep440_spec_parse(struct arena *a, sv text, struct pep440_spec *ret, sv *ret_why)
{
        struct pep440_clause *v = NULL;
        size_t n = 0, cap = 0;
        sv rest = text, part;

        while (sv_cut(&rest, ',', &part)) {
                struct pep440_clause c = { 0 };

                part = pep440_blank_trim(part);
                if (!part.n)
                        continue;
                if (n >= 1000) {
                        *ret_why = SV("more than 1,000 clauses");
                        return false;
                }
                if (!clause_parse(a, part, &c, ret_why))
                        return false;
                *arena_push(a, v, n, cap) = c;
        }
        *ret = (struct pep440_spec){ v, (uint32_t)canonicalise(v, n) };
        return true;
}

void pep440_spec_write(const struct pep440_spec *s, struct buf *out)
{
        for (uint32_t i = 0; i < s->n; i++)
                buf_fmt(out, "%s%s%.*s", i ? "," : "", op_text(s->v[i].op), SV_ARG(s->v[i].text));
}

/* ---- membership ---- */

/* The first n components of bound's release, and its epoch. */
static bool has_prefix(const struct pep440 *v, const struct pep440 *bound, uint32_t n)
{
        if (pep440_num_cmp(&v->epoch, &bound->epoch))
                return false;
        for (uint32_t i = 0; i < n; i++)
                if (pep440_num_cmp(pep440_release_at(v, i), &bound->release[i]))
                        return false;
        return true;
}

static bool is_equal(const struct pep440_clause *c, const struct pep440 *v)
{
        if (c->prefix)
                return has_prefix(v, c->v, c->v->n_release);
        return (c->v->n_local ? pep440_cmp(v, c->v) : pep440_public_cmp(v, c->v)) == 0;
}

/* Not a local version of the bound, nor a post-release of it unless the bound is one itself. */
static bool is_greater(const struct pep440 *v, const struct pep440 *bound)
{
        if (pep440_public_cmp(v, bound) <= 0)
                return false;
        if (bound->has_dev || bound->has_post || pep440_release_cmp(v, bound))
                return true;
        return v->stage != bound->stage || pep440_num_cmp(&v->pre, &bound->pre) != 0;
}

/* Not a pre-release of the bound unless the bound is one itself. */
static bool is_less(const struct pep440 *v, const struct pep440 *bound)
{
        struct pep440 first = *bound;

        if (!pep440_is_prerelease(bound)) {
                first.has_dev = true;
                first.dev = (struct pep440_num){ 0 };
        }
        return pep440_public_cmp(v, &first) < 0;
}

bool pep440_clause_has(const struct pep440_clause *c, const struct pep440 *v, sv text)
{
        if (c->op == PEP440_ARBITRARY)
                return sv_eq_nocase(c->text, text);
        if (!v)
                return false;
        switch (c->op) {
        case PEP440_EQ:
                return is_equal(c, v);
        case PEP440_NE:
                return !is_equal(c, v);
        case PEP440_LE:
                return pep440_public_cmp(v, c->v) <= 0;
        case PEP440_GE:
                return pep440_public_cmp(v, c->v) >= 0;
        case PEP440_LT:
                return is_less(v, c->v);
        case PEP440_GT:
                return is_greater(v, c->v);
        default:
                return pep440_public_cmp(v, c->v) >= 0 && has_prefix(v, c->v, c->v->n_release - 1);
        }
}

bool pep440_spec_has(const struct pep440_spec *s, const struct pep440 *v, sv text)
{
        for (uint32_t i = 0; i < s->n; i++)
                if (!pep440_clause_has(&s->v[i], v, text))
                        return false;
        return true;
}

bool pep440_spec_opens_pre(const struct pep440_spec *s)
{
        for (uint32_t i = 0; i < s->n; i++) {
                const struct pep440_clause *c = &s->v[i];
                if (c->op != PEP440_NE && !c->prefix && c->v && pep440_is_prerelease(c->v))
                        return true;
        }
        return false;
}

bool pep440_spec_pins(const struct pep440_spec *s)
{
        for (uint32_t i = 0; i < s->n; i++)
                if (s->v[i].op == PEP440_ARBITRARY || (s->v[i].op == PEP440_EQ && !s->v[i].prefix))
                        return true;
        return false;
}

size_t pep440_spec_filter(const struct pep440_spec *s, enum pep440_pre pre, const struct pep440_item *v, size_t n,
                          size_t *ret)
{
        size_t taken = 0, finals = 0, kept = 0;

        if (pre == PEP440_PRE_DEFAULT && pep440_spec_opens_pre(s))
                pre = PEP440_PRE_YES;
        for (size_t i = 0; i < n; i++) {
                if (!pep440_spec_has(s, v[i].v, v[i].text))
                        continue;
                finals += v[i].v && !pep440_is_prerelease(v[i].v);
                ret[taken++] = i;
        }
        if (pre == PEP440_PRE_YES || (pre == PEP440_PRE_DEFAULT && !finals))
                return taken;
        for (size_t i = 0; i < taken; i++) /* what is no version at all is no pre-release either */
                if (!v[ret[i]].v || !pep440_is_prerelease(v[ret[i]].v))
                        ret[kept++] = ret[i];
        return kept;
}
