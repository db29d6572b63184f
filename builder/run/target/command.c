/* What a target starts a rank with: envbuild-rank's command line, which anybody may read, and its file of variables, which only the user may. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "run/target/submit.h"

#define ENV_FILE "submit/rank.env"

struct words {
        struct arena *a;
        const char **v;
        size_t n, cap;
};

static void word(struct words *w, sv text)
{
        *arena_push(w->a, w->v, w->n, w->cap) = arena_str(w->a, text);
}

static void option(struct words *w, const char *name, sv value)
{
        if (value.n == 0)
                return;
        word(w, sv_from(name));
        word(w, value);
}

static void number(struct words *w, const char *name, uint64_t value)
{
        option(w, name, arena_fmt(w->a, "%llu", (unsigned long long)value));
}

static void distribution(struct words *w, const struct run_spec *s)
{
        static const char *const names[] = { "", "pytorch", "mpi", "tensorflow" };
        unsigned ranks = run_job_ranks(s), nodes = s->nodes ? s->nodes : 1;

        number(w, "--ranks", ranks);
        number(w, "--per-node", s->per_node ? s->per_node : (ranks + nodes - 1) / nodes);
        number(w, "--nodes", nodes);
        option(w, "--dist", sv_from(names[s->dist]));
        if (s->dist == RUN_DIST_TENSORFLOW && s->workers + s->servers > 0) {
                number(w, "--workers", s->workers);
                number(w, "--servers", s->servers);
        }
}

/* Folders that the command is told to write into: `outputs: {model: {type: uri_folder}}`. A file's folder is outputs/ itself. */
static sv output_folders(struct arena *a, const struct run_spec *s)
{
        struct buf b = BUF_INIT(65536);
        sv ret;

        for (size_t i = 0; i < s->n_output; i++)
                if (!sv_is(s->output[i].type, "uri_file"))
                        buf_fmt(&b, "%s%.*s", b.n ? "," : "", SV_ARG(s->output[i].name));
        ret = arena_sv(a, buf_sv(&b));
        buf_done(&b);
        return ret;
}

/* The user's own command. `python` is the interpreter that the description names, whatever that is called. */
static void command(struct words *w, const struct run_spec *s, const struct run_place *p)
{
        word(w, SV("--"));
        if (s->n_argv == 0) {
                word(w, SV("/bin/sh"));
                word(w, SV("-c"));
                word(w, s->command);
        }
        for (size_t i = 0; i < s->n_argv; i++)
                word(w, i == 0 && p->python && sv_is(s->argv[0], "python") ? sv_from(p->python) : s->argv[i]);
}

int run_command_make(struct run *r, const struct run_place *p, int rank, struct run_command *ret, struct err *e)
{
        const struct run_record *rec = r->rec;
        const struct run_spec *s = rec->spec;
        struct words w = { .a = r->arena };

        if (s->n_argv == 0 && s->command.n == 0)
                return err_set(e, ERR_USAGE, "the run '%.*s' has no command", SV_ARG(rec->id));
        word(&w, sv_from(p->rank));
        option(&w, "--dir", sv_from(p->dir));
        number(&w, "--attempt", rec->attempt);
        if (rank >= 0)
                number(&w, "--rank", (uint64_t)rank);
        distribution(&w, s);
        option(&w, "--run-id", rec->id);
        option(&w, "--image", rec->image);
        if (s->timeout_s)
                number(&w, "--timeout", s->timeout_s);
        number(&w, "--grace", s->grace_s);
        if (p->cancel_every_ms > 0)
                number(&w, "--cancel-every", (uint64_t)p->cancel_every_ms);
        option(&w, "--outputs", output_folders(r->arena, s));
        option(&w, "--env-file", arena_fmt(r->arena, "%s/" ENV_FILE, p->dir));
        if (p->python && strchr(p->python, '/'))
                option(&w, "--path-first", sv_dirname(sv_from(p->python)));
        command(&w, s, p);
        ret->n = w.n;
        *arena_push(w.a, w.v, w.n, w.cap) = NULL;
        ret->argv = w.v;
        return 0;
}

static int entry(struct buf *b, sv name, sv value, struct err *e)
{
        if (name.n == 0 || sv_find(name, '=') >= 0 || sv_find(name, '\0') >= 0 || sv_find(value, '\0') >= 0)
                return err_set(e, ERR_USAGE,
                               "the variable '%.*s' cannot be one: its name is empty or holds '=', or it holds a NUL",
                               SV_ARG(name));
        buf_add(b, name);
        buf_byte(b, '=');
        buf_add(b, value);
        buf_byte(b, '\0');
        return 0;
}

/* Where a rank finds an input (docs/internals/run.md, "Who sees what where"). */
static sv input_value(struct arena *a, const struct run_spec *s, const struct run_input *in, const char *dir)
{
        if (in->kind != RUN_INPUT_FILE && in->kind != RUN_INPUT_FOLDER)
                return in->value;
        if (in->download)
                return arena_fmt(a, "%s/inputs/%.*s", dir, SV_ARG(in->name));
        return s->environment.kind == RUN_ENV_HOST ? in->value : arena_fmt(a, "/mnt/inputs/%.*s", SV_ARG(in->name));
}

static int from_host(struct buf *b, const struct run_spec *s, struct err *e)
{
        for (size_t i = 0; i < s->n_host_env; i++) {
                AUTO(free_ptr) char *name = fs_path("%.*s", SV_ARG(s->host_env[i]));
                const char *value = getenv(name);

                if (!value) {
                        err_set(e, ERR_USAGE, "the description takes the variable '%s' from here, but it is not set",
                                name);
                        err_hint(e, "set it (export %s=…), or take it out of env_from_host", name);
                        return -(int)e->code;
                }
                if (entry(b, sv_from(name), sv_from(value), e) < 0)
                        return -(int)e->code;
        }
        return 0;
}

int run_rank_env_write(struct run *r, const char *dir, struct err *e)
{
        enum { TEXT_MAX = 16 << 20 };
        const struct run_spec *s = r->rec->spec;
        AUTO(buf_done) struct buf b = BUF_INIT(TEXT_MAX);
        sv path = arena_fmt(r->arena, "%.*s/" ENV_FILE, SV_ARG(r->rec->dir));

        if (from_host(&b, s, e) < 0)
                return -(int)e->code;
        for (size_t i = 0; i < s->n_env; i++)
                if (entry(&b, s->env[i].name, s->env[i].value, e) < 0)
                        return -(int)e->code;
        for (size_t i = 0; i < s->n_input; i++) {
                sv name = arena_fmt(r->arena, "ENVBUILD_INPUT_%.*s", SV_ARG(s->input[i].name));

                if (entry(&b, name, input_value(r->arena, s, &s->input[i], dir), e) < 0)
                        return -(int)e->code;
        }
        if (buf_check(&b, e) < 0)
                return err_while(e, "writing the variables of the run");
        return fs_write(path.p, buf_sv(&b), 0600, e);
}

void run_rank_env_drop(const struct run_record *r)
{
        AUTO(free_ptr) char *path = fs_path("%.*s/" ENV_FILE, SV_ARG(r->dir));

        unlink(path);
}
