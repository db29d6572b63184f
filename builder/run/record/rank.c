/* What envbuild-rank wrote of each rank, and what that makes of the run. */
#include <stdlib.h>

#include "base/cleanup.h"
#include "run/record/record_priv.h"

/* --- reading */

static bool small_int(const struct js *j, const char *key, int max, int *ret)
{
        const struct js *v = js_get(j, key);
        int64_t n;

        *ret = 0;
        if (!v || v->type == JS_NULL)
                return true;
        if (!js_int(v, &n) || n < -1 || n > max)
                return false;
        *ret = n < 0 ? 0 : (int)n;
        return true;
}

static bool time_of(const struct js *j, const char *key, int64_t *ret)
{
        const struct js *v = js_get(j, key);

        *ret = 0;
        if (!v || v->type == JS_NULL)
                return true;
        return js_int(v, ret) && *ret >= 0;
}

/* True, or a number that is not 0. */
static bool flag(const struct js *j, const char *key)
{
        int64_t n;

        return js_true(js_get(j, key)) || (js_int(js_get(j, key), &n) && n);
}

bool run_rank_parse(struct arena *a, sv text, unsigned want, struct run_rank *ret)
{
        AUTO(err_done) struct err why = { 0 };
        struct run_rank k = { .rank = want };
        int64_t rank = -1, maxrss = 0;
        struct js *j;

        if (js_parse(a, text, &j, &why) < 0 || !js_int(js_get(j, "rank"), &rank) || rank != want)
                return false;
        if (!time_of(j, "start_us", &k.start_us) || !time_of(j, "end_us", &k.end_us) || !time_of(j, "pid", &k.pid) ||
            !time_of(j, "maxrss_kb", &maxrss) || !small_int(j, "exit_code", 255, &k.exit_code) ||
            !small_int(j, "signal", 127, &k.signal))
                return false;
        k.maxrss_kb = (uint64_t)maxrss;
        k.host = js_get_str(j, "host");
        k.stopped = js_get_str(j, "stopped");
        k.failed_start = flag(j, "failed_start");
        k.timed_out = flag(j, "timed_out");
        k.oom = flag(j, "oom");
        *ret = k;
        return true;
}

/* "rank-12.json" → 12. */
static bool rank_name(sv name, unsigned *ret)
{
        uint64_t n;

        if (!sv_starts(name, SV("rank-")) || !sv_ends(name, SV(".json")) || name.n <= 10)
                return false;
        name = sv_from_to(name, 5, name.n - 5);
        if (!sv_u64(name, &n) || n >= RUN_RANK_MAX || (name.n > 1 && name.p[0] == '0'))
                return false;
        *ret = (unsigned)n;
        return true;
}

static int by_rank(const void *a, const void *b)
{
        unsigned x = ((const struct run_rank *)a)->rank, y = ((const struct run_rank *)b)->rank;

        return (x > y) - (x < y);
}

int run_ranks_read(struct arena *a, const struct run_record *r, struct run_rank **ret, size_t *ret_n, struct err *e)
{
        AUTO(free_ptr) char **name = NULL;
        sv dir = run_path(a, r, "status/%u", r->attempt);
        struct run_rank *v = NULL;
        size_t n = 0, cap = 0, n_name = 0;

        *ret = NULL;
        *ret_n = 0;
        if (!fs_is_dir(dir.p))
                return 0;
        if (fs_list(dir.p, &name, &n_name, e) < 0)
                return err_while(e, "reading the ranks of '%.*s'", SV_ARG(r->id));
        for (size_t i = 0; i < n_name; i++) {
                AUTO(buf_done) struct buf text = BUF_INIT(RUN_RANK_SIZE_MAX);
                AUTO(err_done) struct err ignored = { 0 };
                struct run_rank k;
                unsigned rank;

                if (!rank_name(sv_from(name[i]), &rank))
                        continue;
                if (fs_read(arena_fmt(a, "%s/%s", dir.p, name[i]).p, &text, &ignored) < 0 ||
                    !run_rank_parse(a, buf_sv(&text), rank, &k))
                        continue;
                *arena_push(a, v, n, cap) = k;
        }
        if (n)
                qsort(v, n, sizeof(*v), by_rank);
        *ret = v;
        *ret_n = n;
        return 0;
}

/* --- judging */

static bool is_bad(const struct run_rank *k)
{
        return k->exit_code || k->signal || k->failed_start || k->timed_out;
}

/* Nobody ended it: not a peer's failure, not a cancel, not the engine. A timeout is its own. */
static bool by_itself(const struct run_rank *k)
{
        return k->stopped.n == 0 || k->timed_out;
}

/* The rank that status/<attempt>/failed names; NULL when it names none that failed. */
static const struct run_rank *named_first(const struct run_record *r, const struct run_rank *rank, size_t n)
{
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(buf_done) struct buf text = BUF_INIT(256);
        AUTO(err_done) struct err ignored = { 0 };
        uint64_t want;
        sv s;

        if (fs_read(run_path(&a, r, "status/%u/failed", r->attempt).p, &text, &ignored) < 0)
                return NULL;
        s = sv_trim(buf_sv(&text));
        if (!sv_starts(s, SV("rank ")) || !sv_u64(sv_trim(sv_skip(s, 5)), &want))
                return NULL;
        for (size_t i = 0; i < n; i++)
                if (rank[i].rank == want)
                        return is_bad(&rank[i]) ? &rank[i] : NULL;
        return NULL;
}

static const struct run_rank *first_bad(const struct run_record *r, const struct run_rank *rank, size_t n)
{
        const struct run_rank *first = named_first(r, rank, n);

        for (int own = 1; own >= 0 && !first; own--) /* whoever failed by itself before whoever was made to */
                for (size_t i = 0; i < n; i++)
                        if (is_bad(&rank[i]) && (!own || by_itself(&rank[i])) &&
                            (!first || rank[i].end_us < first->end_us))
                                first = &rank[i];
        return first;
}

static void say_bad(const struct run_rank *k, struct run_status *s)
{
        enum { SIGNALLED = 128 };

        s->first_bad_rank = (int)k->rank;
        s->term_signal = k->signal;
        s->exit_code = k->signal ? SIGNALLED + k->signal : k->exit_code;
        s->reason = k->timed_out      ? RUN_R_TIMEOUT
                    : k->failed_start ? RUN_R_LAUNCH_FAILED
                    : k->oom          ? RUN_R_OOM
                    : k->signal       ? RUN_R_SIGNAL
                                      : RUN_R_EXIT_CODE;
}

bool run_ranks_judge(const struct run_record *r, const struct run_rank *rank, size_t n, bool cancel_wanted,
                     struct run_status *ret)
{
        const struct run_rank *bad;
        int64_t start = 0, end = 0;
        unsigned want = run_job_ranks(r->spec), ended = 0;

        while (n && rank[n - 1].rank >= want)
                n--; /* of no rank that this run has */
        if (!n)
                return false;
        for (size_t i = 0; i < n; i++) {
                if (rank[i].start_us && (!start || rank[i].start_us < start))
                        start = rank[i].start_us;
                if (rank[i].end_us > end)
                        end = rank[i].end_us;
                ended += rank[i].end_us > 0;
        }
        if (start)
                ret->started_us = start;
        if (ended < want) {
                ret->state = RUN_RUNNING;
                return false;
        }
        ret->ended_us = end;
        ret->reason = RUN_R_NONE;
        ret->exit_code = 0;
        ret->term_signal = 0;
        ret->first_bad_rank = -1;
        ret->state = RUN_COMPLETED;
        bad = first_bad(r, rank, n);
        if (!bad)
                return true;
        say_bad(bad, ret);
        ret->state = cancel_wanted ? RUN_CANCELED : RUN_FAILED;
        if (cancel_wanted)
                ret->reason = RUN_R_NONE;
        return true;
}
