/* What most likely went wrong, and what to type: from how it ended and the last lines it said. */
#include "base/fs.h"
#include "run/record/report.h"

struct adviser {
        struct arena *a;
        const struct run_record *r;
        const struct run_rank *k;
        sv log;
        const struct run_lock_view *lock;
        struct run_advice *v;
        size_t n, cap;
};

static void say(struct adviser *d, sv text, sv hint)
{
        *arena_push(d->a, d->v, d->n, d->cap) = (struct run_advice){ text, hint };
}

/* What stands behind the last place of a text. */
static bool after_last(sv log, sv what, sv *ret)
{
        bool found = false;
        ptrdiff_t at;

        while ((at = sv_find_sv(log, what)) >= 0) {
                log = sv_skip(log, (size_t)at + what.n);
                *ret = log;
                found = true;
        }
        return found;
}

/* The first part of a dotted module; empty when it is no such name. */
static sv top_module(sv text)
{
        size_t n = 0;

        while (n < text.n && n < 100 &&
               ((text.p[n] >= 'a' && text.p[n] <= 'z') || (text.p[n] >= 'A' && text.p[n] <= 'Z') ||
                (text.p[n] >= '0' && text.p[n] <= '9') || text.p[n] == '_'))
                n++;
        return n < text.n && (text.p[n] == '\'' || text.p[n] == '.') ? sv_from_to(text, 0, n) : (sv){ 0 };
}

/* Where the run's own source has it; empty: nowhere we look. */
static sv in_source(struct adviser *d, sv module)
{
        static const char *const place[] = { "", "src/", "lib/", "python/" };

        for (size_t i = 0; i < ARRAY_LEN(place); i++)
                if (fs_exists(run_path(d->a, d->r, "code/%s%.*s.py", place[i], SV_ARG(module)).p) ||
                    fs_is_dir(run_path(d->a, d->r, "code/%s%.*s", place[i], SV_ARG(module)).p))
                        return *place[i] ? sv_from(place[i]) : SV("./");
        return (sv){ 0 };
}

static void no_module(struct adviser *d)
{
        sv rest, module, dist, version = { 0 }, where;

        if (!after_last(d->log, SV("No module named '"), &rest))
                return;
        module = top_module(rest);
        if (!module.n)
                return;
        where = in_source(d, module);
        if (where.n) {
                say(d,
                    arena_fmt(d->a, "'%.*s' is in the source (%.*s), but not where Python looks", SV_ARG(module),
                              SV_ARG(where)),
                    arena_fmt(d->a, "-e PYTHONPATH=%.*s", SV_ARG(where)));
                return;
        }
        dist = run_module_supplier(module);
        if (d->lock && d->lock->has && d->lock->has(d->lock->arg, dist, &version)) {
                say(d,
                    arena_fmt(d->a,
                              "the environment has %.*s %.*s, which supplies '%.*s': another interpreter ran than its "
                              "own",
                              SV_ARG(dist), SV_ARG(version), SV_ARG(module)),
                    SV("start the script with `python`, without a path, and without a shebang of another one"));
                return;
        }
        if (d->r->spec->environment.kind == RUN_ENV_HOST) {
                say(d, arena_fmt(d->a, "'%.*s' is supplied by %.*s", SV_ARG(module), SV_ARG(dist)),
                    arena_fmt(d->a, "python3 -m pip install %.*s, with the python that ran it", SV_ARG(dist)));
                return;
        }
        say(d,
            arena_fmt(d->a, "'%.*s' is supplied by %.*s%s", SV_ARG(module), SV_ARG(dist),
                      d->lock && d->lock->has ? ", which the environment does not have" : ""),
            arena_fmt(d->a,
                      "add `%.*s` to the environment's dependencies (under pip:, or in requirements.txt) and run it "
                      "again",
                      SV_ARG(dist)));
}

/* Sentences that always mean the same. */
static void known_sentences(struct adviser *d)
{
        static const struct {
                const char *said, *text, *hint;
        } rows[] = {
                { "It is required that you pass in a value for the \"algorithms\" argument",
                  "PyJWT 2 decodes nothing unless it is told the algorithms that are allowed; version 1 did",
                  "jwt.decode(token, key, algorithms=[\"HS256\"]), or `PyJWT<2` in the environment" },
                { "libGL.so.1: cannot open shared object file",
                  "opencv-python wants a screen's libraries, which an image for jobs does not have",
                  "opencv-python-headless in place of opencv-python" },
                { "killed by signal: Bus error", "/dev/shm was full: data loaders hand their batches over there",
                  "shm_size: 8g under resources, or --shm-size 8g" },
                { "CUDA out of memory", "the GPU's memory was full", "a smaller batch" },
                { "No space left on device", "a disk was full", "envbuild cache size; df -h" },
        };
        sv rest;

        for (size_t i = 0; i < ARRAY_LEN(rows); i++)
                if (after_last(d->log, sv_from(rows[i].said), &rest))
                        say(d, sv_from(rows[i].text), sv_from(rows[i].hint));
}

static void by_memory(struct adviser *d)
{
        enum { KILL = 9, BUS = 7, KILLED = 137 };
        const struct run_status *s = &d->r->status;
        bool killed = s->term_signal == KILL || (s->reason == RUN_R_EXIT_CODE && s->exit_code == KILLED);
        sv most = { 0 };

        if (d->k && d->k->maxrss_kb)
                most = arena_fmt(d->a, " (its largest process had %llu MB)",
                                 (unsigned long long)d->k->maxrss_kb / 1024);
        if (s->reason == RUN_R_OOM)
                say(d, arena_fmt(d->a, "it needed more memory than it was given%.*s", SV_ARG(most)),
                    SV("memory: 16Gi under x-envbuild, or a smaller batch"));
        else if (killed && (!d->k || !d->k->stopped.n))
                say(d,
                    arena_fmt(d->a, "something outside killed it, most likely because memory ran out%.*s",
                              SV_ARG(most)),
                    SV("dmesg | tail says whether; a smaller batch, or more memory"));
        if (s->term_signal == BUS)
                say(d, SV("a bus error is most often a full /dev/shm"), SV("shm_size: 8g under resources"));
}

static void by_code(struct adviser *d)
{
        enum { NOT_EXECUTABLE = 126, NOT_FOUND = 127 };
        const struct run_status *s = &d->r->status;

        if (s->reason == RUN_R_TIMEOUT)
                say(d, arena_fmt(d->a, "its limit is %llu seconds", (unsigned long long)d->r->spec->timeout_s),
                    SV("limits: timeout, --timeout, or checkpoints that a next run goes on from"));
        else if (s->exit_code == NOT_FOUND)
                say(d, SV("a program was not found: it is not in the environment, or its name is misspelt"), SV(""));
        else if (s->exit_code == NOT_EXECUTABLE)
                say(d, SV("a program may not be executed: chmod +x, or a wrong #! line"), SV(""));
}

void run_advise(struct arena *a, const struct run_record *r, const struct run_rank *k, sv log,
                const struct run_lock_view *lock, struct run_advice **ret, size_t *ret_n)
{
        struct adviser d = { .a = a, .r = r, .k = k, .log = log, .lock = lock };

        if (r->status.state == RUN_FAILED) {
                no_module(&d);
                known_sentences(&d);
                by_memory(&d);
                by_code(&d);
        }
        *ret = d.v;
        *ret_n = d.n;
}
