/* script + arguments of the v1 SDK. An argument is one word whatever it holds; only $NAME and ${NAME} in it are the node's to put in (Azure ML's
 * own examples rely on it: --node_rank $NODE_RANK). */
#include "base/buf.h"
#include "run/job/job_priv.h"

/* "$NAME" or "${NAME}" at the beginning: its length, or 0. */
static size_t variable(sv s)
{
        size_t brace, end;

        if (s.n < 2 || s.p[0] != '$')
                return 0;
        brace = s.p[1] == '{';
        end = 1 + brace;
        while (end < s.n && job_name_valid((sv){ s.p + 1 + brace, end - brace }))
                end++;
        if (end == 1 + brace)
                return 0;
        if (!brace)
                return end;
        return end < s.n && s.p[end] == '}' ? end + 1 : 0;
}

static bool has_variable(sv s)
{
        for (size_t i = 0; i < s.n; i++)
                if (variable(sv_skip(s, i)))
                        return true;
        return false;
}

/* In double quotes, where only variables are not literal. */
static void quote(sv s, struct buf *out)
{
        buf_byte(out, '"');
        for (size_t i = 0; i < s.n;) {
                size_t n = variable(sv_skip(s, i));
                if (n) {
                        buf_add(out, (sv){ s.p + i, n });
                        i += n;
                        continue;
                }
                if (s.p[i] == '"' || s.p[i] == '\\' || s.p[i] == '$' || s.p[i] == '`')
                        buf_byte(out, '\\');
                buf_byte(out, s.p[i++]);
        }
        buf_byte(out, '"');
}

void job_script(struct job_read *r, sv interpreter, sv script, const sv *arg, size_t n)
{
        struct buf out = BUF_INIT((size_t)16 << 20);
        struct run_spec *s = r->s;
        bool any = false;

        s->argv = arena_array(r->a, sv, n + 2);
        s->argv[s->n_argv++] = interpreter;
        s->argv[s->n_argv++] = script;
        for (size_t i = 0; i < n; i++) {
                s->argv[s->n_argv++] = arg[i];
                any = any || has_variable(arg[i]);
        }
        if (!any)
                return;
        for (size_t i = 0; i < s->n_argv; i++) {
                if (i)
                        buf_byte(&out, ' ');
                quote(s->argv[i], &out);
        }
        s->command_written = s->command = arena_sv(r->a, buf_sv(&out));
        s->argv = NULL;
        s->n_argv = 0;
        buf_done(&out);
}
