/* envbuild sweep: one build, one copy of the source, a run for each combination of values, so many at once, and a table of what came of them. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>

#include "base/clock.h"
#include "base/cleanup.h"
#include "cli/sweep_table.h"
#include "run/record/follow.h"

enum { TICK_MS = 100, ASK_FIRST_MS = 500, ASK_MAX_MS = 10000 };

struct sweep {
        struct app *app;
        struct run_ctx ctx;
        struct run_sweep set;
        struct sweep_run *run;
        size_t n, next, active;
        size_t at_once;
        sv id;
        unsigned times; /* Ctrl-C */
        bool stopped;   /* nothing more is started */
};

static int read_sets(struct app *app, const struct run_opts *o, struct sweep *s, struct err *e)
{
        for (size_t i = 0; i < o->set.n; i++)
                if (run_sweep_add(&app->arena, &s->set, o->set.v[i], e) < 0)
                        return -(int)e->code;
        if (s->set.n)
                return 0;
        err_set(e, ERR_USAGE, "a sweep needs values");
        err_hint(e, "envbuild sweep job.yml --set lr=0.1,0.01 --set seed=1..5");
        return -ERR_USAGE;
}

/* Every combination's description, before anything is built: a name that is wrong is wrong in all of them. */
static int make_runs(struct app *app, const struct run_opts *o, const struct run_spec *base, struct sweep *s,
                     struct err *e)
{
        uint64_t *which;

        if (run_sweep_choose(&app->arena, &s->set, o->random, o->seed, &which, &s->n, e) < 0)
                return -(int)e->code;
        s->run = arena_array(&app->arena, struct sweep_run, s->n + 1);
        for (size_t i = 0; i < s->n; i++) {
                struct sweep_run *r = &s->run[i];
                *r = (struct sweep_run){ .which = which[i], .status = RUN_STATUS_INIT };
                if (run_sweep_spec(&app->arena, base, &s->set, which[i], &r->spec, e) < 0)
                        return -(int)e->code;
                r->text = run_sweep_text(&app->arena, &s->set, which[i]);
        }
        return 0;
}

static sv fresh_id(struct arena *a)
{
        time_t now = time(NULL);
        uint32_t n = 0;
        char date[16];
        struct tm tm;

        if (getrandom(&n, sizeof(n), 0) != (ssize_t)sizeof(n))
                n = (uint32_t)clock_ms();
        gmtime_r(&now, &tm);
        strftime(date, sizeof(date), "%Y%m%d", &tm);
        return arena_fmt(a, "sweep-%s-%06x", date, n & 0xffffff);
}

static void say(struct sweep *s, const struct sweep_run *r, const char *what)
{
        if (!s->app->opt_quiet)
                op_say(&s->app->op, OP_NOTE, "%zu of %zu  %.*s  %s", (size_t)(r - s->run) + 1, s->n, SV_ARG(r->text),
                       what);
}

/* Texts of the status live as long as the arena: only numbers are kept. */
static void keep(struct sweep_run *r, const struct run_record *rec)
{
        r->status = rec->status;
        r->status.engine_state = r->status.message = (sv){ 0 };
        r->attempt = rec->attempt;
}

static void ended(struct sweep *s, struct sweep_run *r)
{
        r->over = true;
        s->active--;
        say(s, r, run_state_name(r->status.state));
}

static int launch(struct sweep *s, const struct run_ready *ready, struct sweep_run *r, struct err *e)
{
        struct run_record *rec = NULL;
        int k = run_launch(s->app, ready, r->spec, s->id, (sv){ 0 }, &rec, e);

        if (!rec)
                return k;
        r->id = rec->id;
        r->dir = rec->dir;
        r->launched = true;
        r->ask_every = ASK_FIRST_MS;
        s->active++;
        keep(r, rec);
        if (k < 0) {
                ended(s, r);
                return k;
        }
        say(s, r, arena_str(&s->app->arena, r->id));
        return 0;
}

/* Something of the run's folder is newer than when it was asked last. */
static bool changed(struct sweep_run *r)
{
        AUTO(arena_done) struct arena a = { 0 };
        const sv paths[] = { arena_fmt(&a, "%.*s/run.json", SV_ARG(r->dir)),
                             arena_fmt(&a, "%.*s/status/%u", SV_ARG(r->dir), r->attempt) };
        bool ret = false;

        for (size_t i = 0; i < 2; i++) {
                struct stat st = { 0 };
                if (stat(paths[i].p, &st) < 0)
                        continue;
                ret |= st.st_mtim.tv_sec != r->seen[i].tv_sec || st.st_mtim.tv_nsec != r->seen[i].tv_nsec;
                r->seen[i] = st.st_mtim;
        }
        return ret;
}

/* Seldom of what goes on for long: an engine is asked for each run. */
static int ask(struct sweep *s, struct sweep_run *r, struct err *e)
{
        AUTO(arena_done) struct arena a = { 0 };
        struct run_record *rec;
        bool is_new = changed(r);

        if (!is_new && clock_ms() < r->ask_at)
                return 0;
        if (run_record_open(&a, r->dir, &rec, e) < 0 || run_refresh(&s->ctx, &a, rec, e) < 0)
                return -(int)e->code;
        keep(r, rec);
        r->ask_every = is_new ? ASK_FIRST_MS : r->ask_every * 3 / 2 < ASK_MAX_MS ? r->ask_every * 3 / 2 : ASK_MAX_MS;
        r->ask_at = clock_ms() + r->ask_every;
        if (run_state_final(rec->status.state))
                ended(s, r);
        return 0;
}

static int cancel_one(struct sweep *s, struct sweep_run *r, struct err *e)
{
        AUTO(arena_done) struct arena a = { 0 };
        struct run_record *rec;
        struct run_profile p;
        struct run run = { &s->ctx, &a, NULL, &p };

        if (run_record_open(&a, r->dir, &rec, e) < 0)
                return -(int)e->code;
        run.rec = rec;
        if (run_state_final(rec->status.state))
                return 0;
        r->ask_at = 0;
        r->ask_every = ASK_FIRST_MS;
        return run_profile_of(&s->ctx, &a, rec, &p, e) < 0 ? -(int)e->code : run_cancel(&run, e);
}

/* Once: all of them shall end. Again, or when we are told to end: they go on without us. */
static int interrupted(struct sweep *s, struct err *e)
{
        int sig = atomic_load(&s->app->op.signal);

        err_done(e);
        progress_pause(s->app->progress);
        if (sig != SIGINT || s->times++ > 0) {
                fprintf(stderr, "%zu run%s on: envbuild runs list\n", s->active, s->active == 1 ? " goes" : "s go");
                return err_set(e, ERR_CANCELLED, "interrupted");
        }
        atomic_store(&s->app->op.signal, 0);
        s->stopped = true;
        fprintf(stderr, "asking %zu run%s to end; Ctrl-C again leaves them alone\n", s->active,
                s->active == 1 ? "" : "s");
        for (size_t i = 0; i < s->next; i++)
                if (s->run[i].launched && !s->run[i].over && cancel_one(s, &s->run[i], e) < 0)
                        return -(int)e->code;
        return 0;
}

static void pause_ms(int ms)
{
        struct timespec t = { ms / 1000, (long)(ms % 1000) * 1000000 };

        nanosleep(&t, NULL); /* a signal ends it early */
}

/* As many as may be; the first that cannot be started is the last that is tried. */
static int fill(struct sweep *s, const struct run_ready *ready, struct err *e)
{
        while (!s->stopped && s->next < s->n && s->active < s->at_once) {
                if (op_check(&s->app->op, e) < 0 || launch(s, ready, &s->run[s->next++], e) < 0)
                        return -(int)e->code;
        }
        return 0;
}

static int step(struct sweep *s, const struct run_ready *ready, struct err *e)
{
        if (fill(s, ready, e) < 0)
                return -(int)e->code;
        for (size_t i = 0; i < s->next; i++) {
                struct sweep_run *r = &s->run[i];
                if (op_check(&s->app->op, e) < 0 || (r->launched && !r->over && ask(s, r, e) < 0))
                        return -(int)e->code;
        }
        return 0;
}

/* Until all are over. What stops the start of further runs is told at the end: those that go on are waited for. */
static int follow(struct sweep *s, const struct run_ready *ready, struct err *e)
{
        AUTO(err_done) struct err first = { 0 };

        while (s->active || (!s->stopped && s->next < s->n)) {
                if (step(s, ready, e) < 0) {
                        if (atomic_load(&s->app->op.signal)) {
                                if (interrupted(s, e) < 0)
                                        return -(int)e->code;
                                continue;
                        }
                        if (s->stopped) /* it is not the start: a record cannot be read, an engine has gone mad */
                                return first.code ? err_move(e, &first) : -(int)e->code;
                        s->stopped = true;
                        err_move(&first, e);
                }
                pause_ms(TICK_MS);
        }
        return first.code ? err_move(e, &first) : 0;
}

static int status_of(const struct sweep *s)
{
        for (size_t i = 0; i < s->n; i++)
                if (s->run[i].status.state != RUN_COMPLETED)
                        return s->times ? ERR_CANCELLED : 1;
        return 0;
}

/* One machine runs one at a time, a cluster queues what it is given. */
static size_t at_once(const struct run_opts *o, const struct run_ready *ready)
{
        if (o->concurrent)
                return o->concurrent;
        return ready->profile.target->caps & RUN_CAP_MULTI_NODE ? RUN_SWEEP_MAX : 1;
}

int cmd_sweep(struct app *app, void *opts, int argc, char **argv, struct err *e)
{
        const struct run_opts *o = opts;
        struct sweep s = { .app = app };
        struct run_ready ready = { 0 };
        struct run_spec *base;
        struct sweep_table table;
        int r;

        if (argc == 0) {
                err_set(e, ERR_USAGE, "sweep needs the description of a run");
                err_hint(e, "envbuild sweep job.yml --set lr=0.1,0.01");
                return -ERR_USAGE;
        }
        if (read_sets(app, o, &s, e) < 0)
                return -(int)e->code;
        r = argc > 1 && strcmp(argv[1], "--") == 0 ? 2 : 1;
        if (run_flags_spec(app, o, argv[0], argc - r, argv + r, &base, e) < 0 || make_runs(app, o, base, &s, e) < 0 ||
            run_make_ready(app, o, base, false, &ready, e) < 0 || run_context(app, &s.ctx, e) < 0)
                return -(int)e->code;
        for (size_t i = 0; i < s.n; i++)
                s.run[i].spec->environment = base->environment; /* as it was made ready */
        s.id = fresh_id(&app->arena);
        s.at_once = at_once(o, &ready);
        ui_diags(app);
        r = follow(&s, &ready, e);
        if (r < 0 && e->code == ERR_CANCELLED)
                return r;
        table = (struct sweep_table){ s.id, ready.image, o->metric, &s.set, s.run, s.n };
        progress_pause(app->progress);
        if (o->json)
                sweep_table_json(&app->arena, &table);
        else
                sweep_table_print(&app->arena, &table);
        return r < 0 ? r : status_of(&s);
}
