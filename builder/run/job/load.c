/* What a description is, told by its keys; and reading one. */
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "run/job/job_priv.h"

enum form { FORM_NONE, FORM_COMMAND, FORM_SCRIPT_RUN, FORM_RUNCONFIG };

/* How the form is told: keys that are there, and the word of `type`. */
struct marks {
        bool command, script, source_directory, v1, snake, definition, type_job, type_script_run, other_kind;
};

static void mark(struct marks *m, sv key, sv value)
{
        static const char *const types[] = { "command", "pipeline", "sweep",  "spark",
                                             "automl",  "parallel", "import", "finetuning" };

        m->command |= sv_is(key, "command");
        m->script |= sv_is(key, "script");
        m->source_directory |= job_key_is(key, "sourceDirectory");
        m->snake |= sv_is(key, "compute_target") || sv_is(key, "distributed_job_config") ||
                    sv_is(key, "docker_runtime_config");
        m->v1 |= sv_is(key, "framework") || sv_is(key, "communicator") || sv_is(key, "nodeCount") ||
                 sv_is(key, "history") || sv_is(key, "target");
        m->definition |= sv_is(key, "dependencies") || sv_is(key, "channels");
        if (!sv_is(key, "type"))
                return;
        m->type_script_run |= sv_is(value, "script_run");
        for (size_t i = 0; i < ARRAY_LEN(types); i++)
                m->type_job |= sv_is(value, types[i]);
}

static enum form form_of(const struct marks *m)
{
        if (m->type_script_run || m->source_directory || (m->snake && (m->script || m->command)))
                return FORM_SCRIPT_RUN;
        if (m->definition && !m->type_job)
                return FORM_NONE;
        if (m->v1 && !m->type_job)
                return FORM_RUNCONFIG;
        if (m->command || m->type_job)
                return FORM_COMMAND;
        return m->script ? FORM_RUNCONFIG : FORM_NONE;
}

static void mark_tree(struct marks *m, const struct yaml *top)
{
        for (size_t i = 0; top->type == YAML_MAP && i < top->n; i++) {
                const struct yaml *v = top->v[i].value;
                mark(m, top->v[i].key->text, v->type == YAML_SCALAR ? v->text : (sv){ 0 });
        }
}

/* A text that is not YAML may be meant as a description all the same: whoever reads it then says what is wrong with it. */
static void mark_lines(struct marks *m, sv text)
{
        sv line, key;

        while (sv_line(&text, &line))
                if (line.n && line.p[0] != ' ' && line.p[0] != '#' && sv_find(line, ':') > 0 &&
                    sv_cut(&line, ':', &key))
                        mark(m, key, sv_trim(line));
}

bool run_job_is(sv text)
{
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(diags_done) struct diags ds = { 0 };
        AUTO(err_done) struct err e = { 0 };
        struct marks m = { 0 };
        struct yaml *top;

        if (text.n > JOB_FILE_MAX)
                return false;
        if (yaml_parse(&a, text, SV("description"), &ds, &top, &e) == 0)
                mark_tree(&m, top);
        else
                mark_lines(&m, text);
        return form_of(&m) != FORM_NONE;
}

void run_job_init(struct run_spec *s)
{
        *s = (struct run_spec){ .experiment = SV("default"), .nodes = 1, .shm_size = (uint64_t)2 << 30, .grace_s = 30 };
}

/* A name that Azure ML makes up from the folder the job is in. */
static void default_experiment(struct job_read *r)
{
        sv name = r->s->code.n ? sv_basename(r->s->code) : (sv){ 0 };

        if (!r->s->experiment.n)
                r->s->experiment = name.n ? name : SV("default");
}

static int read_tree(struct job_read *r, const struct yaml *top)
{
        struct marks m = { 0 };

        if (top->type != YAML_MAP) {
                diag_hint(r->ds, job_fault(r, top, "EB551", "a description is a mapping of keys"),
                          "write 'command: python train.py'");
                return -1;
        }
        mark_tree(&m, top);
        switch (form_of(&m)) {
        case FORM_SCRIPT_RUN:
                job_read_script_run(r, top);
                break;
        case FORM_RUNCONFIG:
                job_read_runconfig(r, top);
                break;
        case FORM_COMMAND:
        case FORM_NONE:
                job_read_command(r, top);
        }
        if (r->s->command_written.n && !r->s->command.n)
                job_fill(r->a, r->s, r);
        default_experiment(r);
        return 0;
}

int run_job_parse(struct arena *a, sv text, sv file, sv dir, struct diags *ds, struct run_spec **ret, struct err *e)
{
        AUTO(err_done) struct err faults = { 0 };
        size_t errors = ds->n_errors;
        struct run_spec *s = arena_new(a, struct run_spec);
        struct job_read r = { .a = a, .ds = ds, .file = file, .dir = dir, .text = text, .s = s };
        struct yaml *top;

        run_job_init(s);
        s->file = arena_sv(a, file);
        s->experiment = (sv){ 0 };
        if (text.n > JOB_FILE_MAX)
                return err_set(e, ERR_LIMIT, "the description '%.*s' is longer than %zu bytes", SV_ARG(file),
                               JOB_FILE_MAX);
        diag_source(ds, file, text);
        if (yaml_parse(a, text, file, ds, &top, &faults) == 0)
                read_tree(&r, top);
        else if (faults.code != ERR_USAGE)
                return err_move(e, &faults);
        diag_sort(ds);
        if (ds->n_errors > errors)
                return err_set(e, ERR_USAGE, "the description '%.*s' has %zu fault%s", SV_ARG(file),
                               ds->n_errors - errors, ds->n_errors - errors == 1 ? "" : "s");
        *ret = s;
        return 0;
}

/* The folder of a file, absolute. */
static int folder_of(struct arena *a, sv path, sv *ret, struct err *e)
{
        AUTO(free_ptr) char *cwd = NULL;
        sv dir = sv_dirname(path);

        if (dir.n && dir.p[0] == '/') {
                *ret = arena_sv(a, dir);
                return 0;
        }
        cwd = getcwd(NULL, 0);
        if (!cwd)
                return err_errno(e, "cannot tell the working directory");
        *ret = sv_is(dir, ".") ? arena_sv(a, sv_from(cwd)) : arena_fmt(a, "%s/%.*s", cwd, SV_ARG(dir));
        return 0;
}

int run_job_load(struct arena *a, const char *path, struct diags *ds, struct run_spec **ret, struct err *e)
{
        AUTO(buf_done) struct buf text = BUF_INIT(JOB_FILE_MAX);
        sv dir;

        if (fs_read(path, &text, e) < 0 || folder_of(a, sv_from(path), &dir, e) < 0)
                return err_while(e, "reading the description '%s'", path);
        return run_job_parse(a, arena_sv(a, buf_sv(&text)), arena_sv(a, sv_from(path)), dir, ds, ret, e);
}
