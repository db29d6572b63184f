/* ${{inputs.x}} and ${{outputs.x}} of a command. Literal inputs go in as text, exactly as Azure ML does it. Where paths are depends on who runs the
 * rank, so that those become variables of the shell; a reference in single quotes, where a shell sees no variables, is taken out of them. */
#include "base/buf.h"
#include "run/job/job_priv.h"

#define COMMAND_MAX ((size_t)4 << 20)

/* Where a shell is in its own text. Here-documents are read as plain text, comments not at all. */
struct shell {
        char quote; /* 0, ' or " */
        bool escaped;
};

static void step(struct shell *s, char c)
{
        if (s->escaped)
                s->escaped = false;
        else if (c == '\\' && s->quote != '\'')
                s->escaped = true;
        else if (s->quote)
                s->quote = s->quote == c ? 0 : s->quote;
        else if (c == '\'' || c == '"')
                s->quote = c;
}

struct run_input *job_input_find(const struct run_spec *s, sv name)
{
        for (size_t i = 0; i < s->n_input; i++)
                if (sv_eq(s->input[i].name, name))
                        return &s->input[i];
        return NULL;
}

static bool output_known(const struct run_spec *s, sv name)
{
        for (size_t i = 0; i < s->n_output; i++)
                if (sv_eq(s->output[i].name, name))
                        return true;
        return false;
}

/* "${{ inputs.x }}" at the beginning of rest: its length, or 0. */
static size_t reference(sv rest, sv *ret_kind, sv *ret_name)
{
        ptrdiff_t end, dot;
        sv inside;

        if (!sv_starts(rest, SV("${{")))
                return 0;
        end = sv_find_sv(rest, SV("}}"));
        if (end < 0)
                return 0;
        inside = sv_trim(sv_from_to(rest, 3, (size_t)end));
        dot = sv_find(inside, '.');
        *ret_kind = dot < 0 ? inside : (sv){ inside.p, (size_t)dot };
        *ret_name = dot < 0 ? (sv){ 0 } : sv_skip(inside, (size_t)dot + 1);
        return (size_t)end + 2;
}

/* Line and column of the n-th occurrence (from 0) of a text behind the beginning of a node; those of the node when it is not found. */
static void place(const struct job_read *r, sv what, size_t nth, uint32_t *line, uint32_t *col)
{
        sv text = r->text;
        uint32_t l = 1;
        size_t at = 0, hit;
        ptrdiff_t d;

        *line = r->command->line;
        *col = r->command->col;
        while (l < *line && (d = sv_find(sv_skip(text, at), '\n')) >= 0) {
                at += (size_t)d + 1;
                l++;
        }
        hit = at;
        do {
                d = sv_find_sv(sv_skip(text, hit), what);
                if (d < 0)
                        return;
                hit += (size_t)d + (nth ? what.n : 0);
        } while (nth--);
        for (size_t i = at; i < hit; i++)
                if (text.p[i] == '\n') {
                        l++;
                        at = i + 1;
                }
        *line = l;
        *col = (uint32_t)(hit - at + 1);
}

static void unknown(struct job_read *r, sv whole, sv kind, sv name, size_t nth)
{
        bool in = sv_is(kind, "inputs"), out = sv_is(kind, "outputs");
        uint32_t line, col;
        size_t d;

        if (!r || !r->command)
                return;
        if (r->old_references) /* as it is written in the file */
                whole = arena_fmt(r->a, "{%.*s.%.*s}", SV_ARG(kind), SV_ARG(name));
        place(r, whole, nth, &line, &col);
        if (!in && !out) {
                d = diag_add(r->ds, r->file, line, col, "EB556", "'%.*s' is no reference", SV_ARG(whole));
                diag_hint(r->ds, d, "write ${{inputs.NAME}} or ${{outputs.NAME}}");
        } else {
                d = diag_add(r->ds, r->file, line, col, "EB556", "the command asks for an %s '%.*s' that is not there",
                             in ? "input" : "output", SV_ARG(name));
                diag_hint(r->ds, d, "add '%.*s' to '%.*s:'", SV_ARG(name), SV_ARG(kind));
        }
        diag_span(r->ds, d, (uint32_t)whole.n);
}

static void variable(struct buf *out, const struct shell *s, sv text)
{
        if (s->quote == '\'')
                buf_fmt(out, "'\"%.*s\"'", SV_ARG(text));
        else
                buf_add(out, text);
}

static bool put(struct arena *a, const struct run_spec *s, const struct shell *sh, sv kind, sv name, struct buf *out)
{
        const struct run_input *in;

        if (sv_is(kind, "outputs") && output_known(s, name)) {
                variable(out, sh, arena_fmt(a, "${ENVBUILD_OUTPUTS}/%.*s", SV_ARG(name)));
                return true;
        }
        in = sv_is(kind, "inputs") ? job_input_find(s, name) : NULL;
        if (!in)
                return false;
        if (in->kind == RUN_INPUT_LITERAL)
                buf_add(out, in->value);
        else
                variable(out, sh, arena_fmt(a, "${ENVBUILD_INPUT_%.*s}", SV_ARG(name)));
        return true;
}

/* How often the same text stood before: for the place of a fault. */
static size_t before(sv text, size_t to, sv what)
{
        size_t n = 0, at = 0;
        ptrdiff_t d;

        while ((d = sv_find_sv(sv_from_to(text, at, to), what)) >= 0) {
                at += (size_t)d + what.n;
                n++;
        }
        return n;
}

void job_fill(struct arena *a, struct run_spec *s, struct job_read *r)
{
        struct buf out = BUF_INIT(COMMAND_MAX);
        struct shell sh = { 0 };
        sv text = s->command_written, kind, name;
        size_t faults = 0;

        for (size_t i = 0; i < text.n && faults < 100;) {
                size_t n = reference(sv_skip(text, i), &kind, &name);
                sv whole = { text.p + i, n };
                if (!n) {
                        step(&sh, text.p[i]);
                        buf_byte(&out, text.p[i++]);
                        continue;
                }
                if (!put(a, s, &sh, kind, name, &out)) {
                        unknown(r, whole, kind, name, before(text, i, whole));
                        buf_add(&out, whole);
                        faults++;
                }
                i += n;
        }
        if (out.over && r && r->command)
                job_fault(r, r->command, "EB552", "the command is longer than %zu bytes with its inputs put in",
                          COMMAND_MAX);
        s->command = arena_sv(a, buf_sv(&out));
        buf_done(&out);
}

sv job_new_references(struct arena *a, sv text)
{
        struct buf out = BUF_INIT(COMMAND_MAX);
        sv ret;

        for (size_t i = 0; i < text.n;) {
                sv rest = sv_skip(text, i);
                ptrdiff_t end = sv_find(rest, '}');
                bool is = (sv_starts(rest, SV("{inputs.")) || sv_starts(rest, SV("{outputs."))) && end > 0 &&
                          (i == 0 || text.p[i - 1] != '{');
                if (is) {
                        buf_fmt(&out, "${%.*s}", (int)end + 1, rest.p);
                        i += (size_t)end + 1;
                } else {
                        buf_byte(&out, text.p[i++]);
                }
        }
        ret = arena_sv(a, buf_sv(&out));
        buf_done(&out);
        return ret;
}
