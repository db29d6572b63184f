#include "pkg/requirement.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "pkg/marker_priv.h"
#include "pkg/pyname.h"

enum { TEXT_MAX = 64 * 1024, EXTRAS_MAX = 1000 };

struct parser {
        struct arena *a;
        sv text;
        size_t at;
        sv why;
};

static sv rest_of(const struct parser *p)
{
        return sv_skip(p->text, p->at);
}

static char next(const struct parser *p)
{
        return p->at < p->text.n ? p->text.p[p->at] : 0;
}

static bool at_end(const struct parser *p)
{
        return p->at == p->text.n;
}

static bool fail(struct parser *p, sv why)
{
        p->why = why;
        return false;
}

static size_t skip_blanks(struct parser *p)
{
        size_t from = p->at;

        while (next(p) == ' ' || next(p) == '\t')
                p->at++;
        return p->at - from;
}

static bool take_char(struct parser *p, char c)
{
        if (at_end(p) || next(p) != c)
                return false;
        p->at++;
        return true;
}

static bool is_word(sv s, size_t i)
{
        unsigned char c = i < s.n ? (unsigned char)s.p[i] : ' ';

        return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' || c >= 0x80;
}

/* A letter or digit, then letters, digits, "._-", ending where a word ends. The length, or 0. */
static size_t identifier(const struct parser *p)
{
        sv s = rest_of(p);
        size_t n = 0;

        if (!is_word(s, 0) || s.p[0] == '_')
                return 0;
        while (n < s.n && (unsigned char)s.p[n] < 0x80 && (is_word(s, n) || s.p[n] == '.' || s.p[n] == '-'))
                n++;
        while (n && is_word(s, n - 1) == is_word(s, n))
                n--;
        return n;
}

static sv take_identifier(struct parser *p)
{
        size_t n = identifier(p);
        sv name = sv_from_to(rest_of(p), 0, n);

        p->at += n;
        return name;
}

/* ---- extras ---- */

static bool parse_extra_names(struct parser *p, sv *v, uint32_t *n)
{
        if (!identifier(p))
                return true;
        for (;;) {
                sv name = take_identifier(p);

                if (!name.n)
                        return fail(p, SV("the name of an extra should follow the comma"));
                if (*n == EXTRAS_MAX)
                        return fail(p, SV("more than 1,000 extras"));
                v[(*n)++] = pyname_normalise(p->a, name);
                skip_blanks(p);
                if (identifier(p))
                        return fail(p, SV("a comma is missing between two extras"));
                if (!take_char(p, ','))
                        return true;
                skip_blanks(p);
        }
}

static bool parse_extras(struct parser *p, struct requirement *r)
{
        sv *v, rest = rest_of(p);
        uint32_t n = 0;
        size_t most = 1;

        if (!take_char(p, '['))
                return true;
        for (size_t i = 0; i < rest.n && rest.p[i] != ']' && most < EXTRAS_MAX; i++)
                most += rest.p[i] == ',';
        v = arena_array(p->a, sv, most);
        skip_blanks(p);
        if (!parse_extra_names(p, v, &n))
                return false;
        skip_blanks(p);
        if (!take_char(p, ']'))
                return fail(p, SV("a ']' is missing after the extras"));
        if (n)
                qsort(v, n, sizeof(*v), sv_qsort);
        r->extras = v;
        for (uint32_t i = 0; i < n; i++)
                if (!i || !sv_eq(v[i - 1], v[i]))
                        v[r->n_extras++] = v[i];
        return true;
}

/* ---- specifiers ---- */

/* Why something stands after a name or a specifier that no rule takes. */
static sv why_trailing(struct parser *p, bool has_spec)
{
        sv rest = sv_from_to(rest_of(p), 0, 40);
        char c = next(p);

        if (c == '=')
                return SV("'=' is not an operator: write '=='");
        if (c == '#')
                return SV("a comment needs a space before its '#'");
        if (c >= '0' && c <= '9' && !has_spec)
                return arena_fmt(p->a, "a version needs an operator: '==%.*s'", SV_ARG(rest));
        if (c && strchr("<>!~", c))
                return has_spec ? arena_fmt(p->a, "missing comma before '%.*s'", SV_ARG(rest))
                                : arena_fmt(p->a, "'%.*s' is not a version specifier", SV_ARG(rest));
        if (has_spec)
                return arena_fmt(p->a, "a comma, ';' and a marker, or the end should stand before '%.*s'",
                                 SV_ARG(rest));
        return arena_fmt(p->a, "'%.*s' cannot follow the name", SV_ARG(rest));
}

static bool parse_clauses(struct parser *p, struct requirement *r, bool *ret_any)
{
        size_t begin = p->at, n, clause = 0;
        sv span, why = { 0 };

        while ((n = pep440_clause_scan(rest_of(p)))) {
                clause = p->at;
                p->at += n;
                *ret_any = true;
                if (sv_starts(rest_of(p), SV(".*")) || next(p) == '+') {
                        struct pep440_spec none;

                        (void)pep440_spec_parse(p->a, sv_from_to(p->text, clause, p->at + 2), &none, &why);
                        return fail(p, why);
                }
                skip_blanks(p);
                if (!take_char(p, ','))
                        break;
                skip_blanks(p);
        }
        span = sv_from_to(p->text, begin, p->at);
        return pep440_spec_parse(p->a, span, &r->spec, &why) || fail(p, why);
}

static bool parse_marker(struct parser *p, struct requirement *r)
{
        struct marker *m;
        sv why = { 0 };

        if (!marker_parse_at(p->a, p->text, &p->at, &m, &why))
                return fail(p, why);
        r->marker = m;
        skip_blanks(p);
        return at_end(p) || fail(p, SV("'and', 'or' or the end of the marker should stand here"));
}

static bool parse_specifier(struct parser *p, struct requirement *r)
{
        bool any = false, open = take_char(p, '(');

        skip_blanks(p);
        if (!parse_clauses(p, r, &any))
                return false;
        skip_blanks(p);
        if (open && !take_char(p, ')'))
                return fail(p, at_end(p) ? SV("a ')' is missing after the specifier") : why_trailing(p, any));
        skip_blanks(p);
        if (at_end(p))
                return true;
        return take_char(p, ';') ? parse_marker(p, r) : fail(p, why_trailing(p, any));
}

static bool parse_url(struct parser *p, struct requirement *r)
{
        size_t begin;

        skip_blanks(p);
        begin = p->at;
        while (!at_end(p) && next(p) != ' ' && next(p) != '\t')
                p->at++;
        if (p->at == begin)
                return fail(p, SV("a URL should follow the '@'"));
        r->url = arena_sv(p->a, sv_from_to(p->text, begin, p->at));
        skip_blanks(p);
        if (at_end(p))
                return true;
        return take_char(p, ';') ? parse_marker(p, r) : fail(p, SV("only ' ; marker' can follow a URL"));
}

static bool parse(struct parser *p, struct requirement *r)
{
        skip_blanks(p);
        r->name = arena_sv(p->a, take_identifier(p));
        if (!r->name.n)
                return fail(p, SV("a requirement begins with the name of a package"));
        r->normalised = pyname_normalise(p->a, r->name);
        skip_blanks(p);
        if (!parse_extras(p, r))
                return false;
        skip_blanks(p);
        return take_char(p, '@') ? parse_url(p, r) : parse_specifier(p, r);
}

bool requirement_parse(struct arena *a, sv text, struct requirement *ret, sv *ret_why, size_t *ret_at)
{
        struct parser p = { .a = a, .text = text };
        struct requirement r = { 0 };
        bool ok = text.n <= TEXT_MAX ? parse(&p, &r) : fail(&p, SV("a requirement of more than 64 KiB"));

        *ret_at = p.at;
        if (ok)
                *ret = r;
        else
                *ret_why = p.why;
        return ok;
}

/* ---- known mistakes of published metadata ---- */

static bool is_operator(char c)
{
        return c == '<' || c == '>' || c == '=' || c == '!' || c == '~';
}

static char last_solid(const struct buf *b)
{
        for (size_t i = b->n; i-- > 0;)
                if (b->p[i] != ' ')
                        return b->p[i];
        return 0;
}

/* ">=1.*" → ">=1", "!=3.0*" → "!=3.0.*": the star only means something after == and !=. */
static void star_repair(struct buf *out, bool equality)
{
        bool dot = out->n && out->p[out->n - 1] == '.';

        if (equality)
                buf_add(out, dot ? SV("*") : SV(".*"));
        else if (dot)
                out->n--;
}

/* Name and specifier of a requirement whose text was refused: ">=3.3<4", ">=1.*", "!=3.0*", stray quotes. */
static void repair(sv s, struct buf *out)
{
        bool in_clause = false, equality = false;

        for (size_t i = 0; i < s.n; i++) {
                char c = s.p[i], last = last_solid(out);

                if (c == '"' || c == '\'')
                        continue;
                if (c == '*' && in_clause) {
                        star_repair(out, equality);
                        continue;
                }
                if (is_operator(c) && !is_operator(last)) {
                        if (in_clause && last != ',')
                                buf_byte(out, ',');
                        in_clause = true;
                        equality = c == '=' || c == '!';
                }
                buf_byte(out, c);
        }
}

bool requirement_parse_lenient(struct arena *a, sv text, struct requirement *ret, sv *ret_why)
{
        AUTO(buf_done) struct buf b = BUF_INIT(2 * TEXT_MAX);
        ptrdiff_t semicolon = sv_find(text, ';');
        size_t at, head = semicolon < 0 ? text.n : (size_t)semicolon;
        sv first_why;

        if (requirement_parse(a, text, ret, &first_why, &at))
                return true;
        if (text.n <= TEXT_MAX && sv_find(sv_from_to(text, 0, head), '@') < 0) {
                repair(sv_from_to(text, 0, head), &b);
                buf_add(&b, sv_skip(text, head));
                if (requirement_parse(a, arena_sv(a, buf_sv(&b)), ret, ret_why, &at))
                        return true;
        }
        *ret_why = first_why; /* about the text as it was published */
        return false;
}

void requirement_write(const struct requirement *r, struct buf *out)
{
        buf_add(out, r->normalised);
        for (uint32_t i = 0; i < r->n_extras; i++) {
                buf_byte(out, i ? ',' : '[');
                buf_add(out, r->extras[i]);
        }
        buf_add(out, r->n_extras ? SV("]") : SV(""));
        pep440_spec_write(&r->spec, out);
        if (r->url.n)
                buf_fmt(out, " @ %.*s%s", SV_ARG(r->url), r->marker ? " " : "");
        if (r->marker) {
                buf_add(out, SV("; "));
                marker_write(r->marker, out);
        }
}
