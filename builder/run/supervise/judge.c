/* run/supervise/judge.c - an end that no rank's record tells of: what is known of the launchers says why. And the answer to `poll`. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "run/supervise/supervise_priv.h"

#define LOG_TAIL   ((off_t)4096)
#define DISK_FULL  ((uint64_t)1 << 20) /* bytes left that are as good as none */
#define BACKSTOP_S 10                  /* what the ranks' own envbuild-rank has on top of the grace */

const struct run_rank *run_rank_of(const struct run_rank *rank, size_t n, unsigned number)
{
        for (size_t i = 0; i < n; i++)
                if (rank[i].rank == number)
                        return &rank[i];
        return NULL;
}

/* What a program of ours says last is a hint; the line before it says why. Of others the last line that is not empty. */
static sv reason_of(sv all)
{
        sv line, found = { 0 }, last = { 0 };

        while (sv_line(&all, &line)) {
                line = sv_trim(line);
                if (line.n)
                        last = line;
                if (sv_starts(line, SV("error: ")))
                        found = sv_skip(line, 7);
                else if (sv_starts(line, SV("warning: ")))
                        found = sv_skip(line, 9);
        }
        return found.n ? found : last;
}

static sv last_words(struct arena *a, const char *path)
{
        AUTO(buf_done) struct buf text = BUF_INIT((size_t)LOG_TAIL);
        FILE *f = fopen(path, "re");
        sv line;

        if (!f)
                return (sv){ 0 };
        if (fseeko(f, -LOG_TAIL, SEEK_END) < 0)
                rewind(f);
        text.n = 0;
        if (buf_room(&text, (size_t)LOG_TAIL - 1))
                text.n = fread(text.p, 1, (size_t)LOG_TAIL - 1, f);
        fclose(f);
        line = reason_of(buf_sv(&text));
        return sv_utf8(line) ? arena_sv(a, line) : (sv){ 0 };
}

static bool disk_full(const struct run_record *r)
{
        struct statvfs st;

        return statvfs(r->dir.p, &st) == 0 && (uint64_t)st.f_bavail * st.f_frsize < DISK_FULL;
}

static void how(int status, char ret[static 64])
{
        if (WIFSIGNALED(status))
                snprintf(ret, 64, "was killed by signal %d", WTERMSIG(status));
        else
                snprintf(ret, 64, "ended with %d", WEXITSTATUS(status));
}

static void never_began(struct arena *a, const struct run_record *r, const struct run_gone *g, struct run_status *ret)
{
        sv line = last_words(a, run_path(a, r, "system_logs/rank-%u.log", g->rank).p);
        char what[64];

        how(g->status, what);
        ret->reason = RUN_R_LAUNCH_FAILED;
        ret->message = line.n ? arena_fmt(a, "rank %u did not start: %.*s", g->rank, SV_ARG(line))
                              : arena_fmt(a, "rank %u did not start: its launcher %s", g->rank, what);
}

static void broke_off(struct arena *a, const struct run_record *r, const struct run_gone *g, struct run_status *ret)
{
        char what[64];

        how(g->status, what);
        if (disk_full(r)) {
                ret->reason = RUN_R_OUTPUTS;
                ret->message = arena_fmt(
                        a, "no space is left for the run's folder '%.*s': how rank %u ended could not be written",
                        SV_ARG(r->dir), g->rank);
                return;
        }
        ret->reason = RUN_R_LOST;
        ret->message =
                arena_fmt(a, "rank %u: envbuild-rank %s before it could say how the command ended", g->rank, what);
}

void run_judge_lost(struct arena *a, const struct run_record *r, const struct run_rank *rank, size_t n_rank,
                    const struct run_gone *gone, size_t n_gone, bool cancel, struct run_status *ret)
{
        const struct run_gone *g = NULL;

        ret->state = cancel ? RUN_CANCELED : RUN_FAILED;
        ret->exit_code = -1;
        ret->ended_us = run_now_us();
        if (cancel) {
                ret->reason = RUN_R_NONE;
                return;
        }
        for (size_t i = 0; i < n_gone && !g; i++) {
                const struct run_rank *k = run_rank_of(rank, n_rank, gone[i].rank);
                if (!k || !k->end_us)
                        g = &gone[i];
        }
        if (!g) {
                ret->reason = RUN_R_LOST;
                ret->message = SV("whoever ran it is gone without a word: killed, or the machine went down");
                return;
        }
        ret->first_bad_rank = (int)g->rank;
        if (run_rank_of(rank, n_rank, g->rank))
                broke_off(a, r, g, ret);
        else
                never_began(a, r, g, ret);
}

/* --- poll: only asked by who holds the run's claim, so there is no supervisor, or one that lost it while it stood still */

/* When the ranks should have been over, by the wall clock: nobody watches another. 0: never. */
static int64_t overdue_us(const struct run_record *r, const struct run_rank *rank, size_t n, bool cancel)
{
        AUTO(arena_done) struct arena a = { 0 };
        int64_t extra = (int64_t)(r->spec->grace_s + BACKSTOP_S) * 1000000, at = 0;
        struct stat st;

        if (cancel && stat(run_path(&a, r, "status/cancel").p, &st) == 0)
                return (int64_t)st.st_mtim.tv_sec * 1000000 + extra;
        for (size_t i = 0; r->spec->timeout_s && i < n; i++)
                if (!rank[i].end_us && rank[i].start_us > at)
                        at = rank[i].start_us;
        return at ? at + (int64_t)r->spec->timeout_s * 1000000 + extra : 0;
}

static int judge(struct run *r, const struct run_identity *id, struct run_status *ret, struct err *e)
{
        bool cancel = run_cancel_wanted(r->rec);
        struct run_procs left = { 0 };
        struct run_rank *rank = NULL;
        int64_t overdue;
        size_t n = 0;

        run_procs_of(r->rec->id, 0, &left); /* before the records: a rank that ends in between has written */
        if (run_ranks_read(r->arena, r->rec, &rank, &n, e) < 0)
                return -(int)e->code;
        overdue = overdue_us(r->rec, rank, n, cancel);
        if (run_ranks_judge(r->rec, rank, n, cancel, ret)) {
                run_procs_of(r->rec->id, SIGKILL, &left);
                return 0;
        }
        if (left.ranks && !(overdue && run_now_us() > overdue)) {
                ret->message = SV("its supervisor is gone; the ranks go on and say themselves how they end");
                return 0;
        }
        if (!run_identity_here(id))
                return err_set(e, ERR_NET,
                               "the run was started on '%.*s': only there it can be seen whether it goes on",
                               SV_ARG(id->host));
        for (int tries = 0; left.all && tries < 100; tries++) { /* what forks all the time is not caught at once */
                run_procs_of(r->rec->id, SIGKILL, &left);
                nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
        }
        run_judge_lost(r->arena, r->rec, rank, n, NULL, 0, cancel, ret);
        return 0;
}

int run_supervise_poll(struct run *r, struct run_status *ret, struct err *e)
{
        AUTO(err_done) struct err none = { 0 };
        struct run_identity id = { 0 };

        if (run_identity_read(r->arena, r->rec, &id, &none) < 0) {
                if (none.code != ERR_NOT_FOUND)
                        return err_move(e, &none);
                run_judge_lost(r->arena, r->rec, NULL, 0, NULL, 0, run_cancel_wanted(r->rec), ret);
        } else if (!run_identity_alive(&id) && judge(r, &id, ret, e) < 0) {
                return -(int)e->code;
        }
        if (run_state_final(ret->state))
                run_rank_env_drop(r->rec);
        return 0;
}
