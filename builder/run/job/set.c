/* One parameter of a sweep, and names of environments that Azure ML keeps. */
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "run/job/job_priv.h"

static void hint_names(struct arena *a, const struct run_spec *s, struct err *e)
{
        sv names = { 0 };

        for (size_t i = 0; i < s->n_input; i++)
                names = names.n ? arena_fmt(a, "%.*s, %.*s", SV_ARG(names), SV_ARG(s->input[i].name))
                                : s->input[i].name;
        if (names.n)
                err_hint(e, "its parameters are %.*s", SV_ARG(names));
        else
                err_hint(e, "write 'inputs: {NAME: value}' and ${{inputs.NAME}} in the command");
}

/* From a command line: relative to the working directory, as such paths are. */
static int set_path(struct arena *a, struct run_input *in, sv value, struct err *e)
{
        AUTO(free_ptr) char *cwd = NULL;

        if (!value.n)
                return err_set(e, ERR_USAGE, "the path of input '%.*s' is empty", SV_ARG(in->name));
        if (job_remote(value)) {
                in->kind = RUN_INPUT_REMOTE;
                in->value = arena_sv(a, value);
                return 0;
        }
        cwd = getcwd(NULL, 0);
        if (!cwd)
                return err_errno(e, "cannot tell the working directory");
        if (in->kind == RUN_INPUT_REMOTE)
                in->kind = sv_is(in->type, "uri_file") ? RUN_INPUT_FILE : RUN_INPUT_FOLDER;
        in->value = job_path_from(a, sv_from(cwd), value);
        return 0;
}

int run_job_set(struct arena *a, struct run_spec *s, sv name, sv value, struct err *e)
{
        struct run_input *in = job_input_find(s, name);

        if (in && in->kind != RUN_INPUT_LITERAL)
                return set_path(a, in, value, e);
        if (in) {
                in->value = arena_sv(a, value);
                if (s->command.n && s->command_written.n) /* a command line that took the file's place has none */
                        job_fill(a, s, NULL);
                return 0;
        }
        for (size_t i = 0; i < s->n_env; i++)
                if (sv_eq(s->env[i].name, name)) {
                        s->env[i].value = arena_sv(a, value);
                        return 0;
                }
        err_set(e, ERR_USAGE, "the description has no input and no variable '%.*s'", SV_ARG(name));
        hint_names(a, s, e);
        return -ERR_USAGE;
}

/* "azureml:NAME:V", "azureml:NAME@latest", "azureml://registries/R/environments/NAME/versions/V" → NAME */
static sv reference_name(sv text)
{
        ptrdiff_t at;

        text = sv_skip(text, 8);
        at = sv_find_sv(text, SV("/environments/"));
        if (at >= 0) {
                text = sv_skip(text, (size_t)at + 14);
                at = sv_find(text, '/');
                return at < 0 ? text : (sv){ text.p, (size_t)at };
        }
        for (size_t i = 0; i < text.n; i++)
                if (text.p[i] == ':' || text.p[i] == '@')
                        return (sv){ text.p, i };
        return text;
}

sv run_job_curated_name(const struct run_environment *v)
{
        static const struct {
                const char *begins, *name;
        } sets[] = {
                { "minimal", "minimal" },
                { "sklearn-", "sklearn" },
                { "scikit-learn-", "sklearn" },
        };
        sv name;

        if (v->kind != RUN_ENV_AZUREML || !sv_starts(v->text, SV("azureml:")))
                return (sv){ 0 };
        name = reference_name(v->text);
        if (name.n > 8 && sv_eq_nocase((sv){ name.p, 8 }, SV("AzureML-")))
                name = sv_skip(name, 8);
        else if (!sv_starts(name,
                            SV("sklearn-"))) /* Azure's newer names have no prefix; "minimal" alone is somebody's own */
                return (sv){ 0 };
        for (size_t i = 0; i < ARRAY_LEN(sets); i++) {
                sv begins = sv_from(sets[i].begins);
                bool whole = begins.p[begins.n - 1] != '-';
                if (name.n >= begins.n && (!whole || name.n == begins.n) &&
                    sv_eq_nocase((sv){ name.p, begins.n }, begins))
                        return sv_from(sets[i].name);
        }
        return (sv){ 0 };
}
