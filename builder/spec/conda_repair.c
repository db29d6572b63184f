#include "base/cleanup.h"
#include "pkg/matchspec.h"
#include "spec/spec_priv.h"

/* Guesses at what a faulty MatchSpec was meant to be. Each takes the text a step further, or leaves it; after each step the text is tried, and
 * the first that parses is shown. */

static bool blank(char c)
{
        return c == ' ' || c == '\t';
}

static bool operator_char(char c)
{
        return c == '=' || c == '<' || c == '>' || c == '!' || c == '~';
}

static bool version_char(char c)
{
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '.' || c == '*' || c == '_' || c == '!' ||
               c == '+';
}

/* "torchvision -c pytorch", "foo=1 --force-reinstall": what stands behind `conda install` */
static void command_line(sv s, struct buf *out)
{
        ptrdiff_t channel = sv_find_sv(s, SV(" -c ")), option = sv_find_sv(s, SV(" -"));

        if (channel > 0 && channel == option)
                buf_fmt(out, "%.*s::", SV_ARG(sv_trim(sv_skip(s, (size_t)channel + 4))));
        buf_add(out, option > 0 ? sv_trim(sv_from_to(s, 0, (size_t)option)) : s);
}

/* "'foo=1'," copied out of a program, "foo=1$" out of a pattern */
static void stray_marks(sv s, struct buf *out)
{
        while (s.n && (s.p[s.n - 1] == ',' || s.p[s.n - 1] == ';' || s.p[s.n - 1] == '$' || s.p[s.n - 1] == '\\' ||
                       blank(s.p[s.n - 1])))
                s.n--;
        for (size_t i = 0; i < s.n; i++)
                if (s.p[i] != '"' && s.p[i] != '\'' && s.p[i] != '`')
                        buf_byte(out, s.p[i]);
}

/* "=>1", "=<1", "=!1", "===1" */
static void operators(sv s, struct buf *out)
{
        static const struct {
                const char *wrong, *right;
        } ops[] = {
                { "===", "==" }, { "==>", ">=" }, { "==<", "<=" }, { ">==", ">=" }, { "<==", "<=" }, { "=>", ">=" },
                { "=<", "<=" },  { "=!", "!=" },  { "=~", "~=" },  { "~>", "~=" },  { ">>", ">" },   { "<<", "<" }
        };

        while (s.n) {
                size_t i = 0;
                while (i < ARRAY_LEN(ops) && !sv_starts(s, sv_from(ops[i].wrong)))
                        i++;
                if (i < ARRAY_LEN(ops))
                        buf_add(out, sv_from(ops[i].right));
                else
                        buf_byte(out, s.p[0]);
                s = sv_skip(s, i < ARRAY_LEN(ops) ? sv_from(ops[i].wrong).n : 1);
        }
}

/* "scikit-learn=" */
static void no_version(sv s, struct buf *out)
{
        while (s.n && (operator_char(s.p[s.n - 1]) || blank(s.p[s.n - 1])))
                s.n--;
        buf_add(out, s);
}

/* Blanks beside operators and commas: "foo  >=  1 , < 2" */
static void no_blanks(sv s, struct buf *out)
{
        for (size_t i = 0; i < s.n; i++) {
                size_t next = i;
                while (next < s.n && blank(s.p[next]))
                        next++;
                if (next > i &&
                    (next == s.n || operator_char(s.p[next]) || s.p[next] == ',' || s.p[next] == '|' || out->n == 0 ||
                     operator_char(out->p[out->n - 1]) || out->p[out->n - 1] == ',' || out->p[out->n - 1] == '|')) {
                        i = next - 1;
                        continue;
                }
                buf_byte(out, s.p[i]);
        }
}

/* ">=1.2<2" is ">=1.2,<2" */
static void commas(sv s, struct buf *out)
{
        bool seen = false;

        for (size_t i = 0; i < s.n; i++) {
                bool op = operator_char(s.p[i]) && s.p[i] != '=';
                if (op && seen && i && version_char(s.p[i - 1]))
                        buf_byte(out, ',');
                seen |= operator_char(s.p[i]);
                buf_byte(out, s.p[i]);
        }
}

typedef void step(sv s, struct buf *out);
static step *const steps[] = { command_line, stray_marks, operators, no_version, no_blanks, commas };

sv spec_conda_repair(struct arena *a, sv text)
{
        struct matchspec m;

        text = sv_trim(text);
        for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
                AUTO(buf_done) struct buf b = BUF_INIT(4096);
                steps[i](text, &b);
                if (b.over || sv_eq(buf_sv(&b), text))
                        continue;
                text = arena_sv(a, buf_sv(&b));
                if (matchspec_parse(a, text, NULL, &m, NULL, NULL))
                        return text;
        }
        return SV("");
}
