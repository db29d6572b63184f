/* What can be said of a description before anything is done: paths that are not there, contradictions. */
#include <string.h>
#include <sys/stat.h>

#include "run/job/job_priv.h"

unsigned run_job_ranks(const struct run_spec *s)
{
        if (s->dist == RUN_DIST_TENSORFLOW)
                return s->workers + s->servers ? s->workers + s->servers : 1;
        return s->nodes * (s->per_node ? s->per_node : 1);
}

/* File or folder; 0: not there. */
static mode_t kind_of(sv path)
{
        char name[4096];
        struct stat st;

        if (!path.n || path.n >= sizeof(name))
                return 0;
        memcpy(name, path.p, path.n);
        name[path.n] = '\0';
        return stat(name, &st) == 0 ? st.st_mode & S_IFMT : 0;
}

static void inputs(const struct run_spec *s, struct diags *ds)
{
        for (size_t i = 0; i < s->n_input; i++) {
                const struct run_input *in = &s->input[i];
                mode_t mode = in->kind == RUN_INPUT_FILE || in->kind == RUN_INPUT_FOLDER ? kind_of(in->value) : S_IFREG;
                if (!mode)
                        diag_add(ds, s->file, in->line, in->col, "EB559", "input '%.*s': there is no '%.*s'",
                                 SV_ARG(in->name), SV_ARG(in->value));
                else if (in->type.n && in->kind == RUN_INPUT_FILE && mode == S_IFDIR)
                        diag_hint(ds,
                                  diag_add(ds, s->file, in->line, in->col, "EB559", "input '%.*s': '%.*s' is a folder",
                                           SV_ARG(in->name), SV_ARG(in->value)),
                                  "write 'type: uri_folder'");
                else if (sv_is(in->type, "uri_folder") && in->kind == RUN_INPUT_FOLDER && mode != S_IFDIR)
                        diag_hint(ds,
                                  diag_add(ds, s->file, in->line, in->col, "EB559", "input '%.*s': '%.*s' is a file",
                                           SV_ARG(in->name), SV_ARG(in->value)),
                                  "write 'type: uri_file'");
        }
}

static void environment(const struct run_spec *s, struct diags *ds)
{
        const struct run_environment *v = &s->environment;
        sv file = v->kind == RUN_ENV_FILE ? v->text : v->kind == RUN_ENV_INLINE ? v->conda_file : (sv){ 0 };

        if (file.n && !kind_of(file))
                diag_hint(ds,
                          diag_add(ds, s->file, v->line, v->col, "EB559", "the environment's '%.*s' is not there",
                                   SV_ARG(file)),
                          "paths are relative to the file that names them");
}

/* The words that start programs of ranks, where a command may begin. */
static bool launches(sv command, sv *ret)
{
        static const char *const launchers[] = { "mpirun", "mpiexec", "deepspeed", "horovodrun", "srun" };
        static const char *const before[] = { "exec", "time", "env", "sudo", "&&", "||", ";", "|" };
        bool begin = true;
        sv word;

        while (sv_cut(&command, ' ', &word)) {
                word = sv_trim(word);
                if (!word.n)
                        continue;
                for (size_t i = 0; begin && i < ARRAY_LEN(launchers); i++)
                        if (sv_is(sv_basename(word), launchers[i])) {
                                *ret = word;
                                return true;
                        }
                if (begin && sv_find(word, '=') > 0)
                        continue;
                begin = word.p[word.n - 1] == ';';
                for (size_t i = 0; i < ARRAY_LEN(before); i++)
                        begin |= sv_is(word, before[i]);
        }
        return false;
}

int run_job_check(const struct run_spec *s, struct diags *ds, struct err *e)
{
        size_t errors = ds->n_errors;
        sv word;

        if (s->code.n && kind_of(s->code) != S_IFDIR)
                diag_add(ds, s->file, 0, 0, "EB559", "the source '%.*s' is %s", SV_ARG(s->code),
                         kind_of(s->code) ? "no folder" : "not there");
        inputs(s, ds);
        environment(s, ds);
        if (s->dist == RUN_DIST_MPI && launches(s->n_argv ? s->argv[0] : s->command, &word))
                diag_hint(ds,
                          diag_add(ds, s->file, 0, 0, "EB554",
                                   "the command begins with '%.*s', but the ranks of 'mpi' are started for it",
                                   SV_ARG(word)),
                          "take '%.*s' out of the command, or take 'distribution' out", SV_ARG(word));
        if (!s->command.n && !s->n_argv && !s->azureml)
                diag_add(ds, s->file, 0, 0, "EB553", "there is no command");
        if (ds->n_errors > errors)
                return err_set(e, ERR_USAGE, "the run has %zu fault%s", ds->n_errors - errors,
                               ds->n_errors - errors == 1 ? "" : "s");
        return 0;
}
