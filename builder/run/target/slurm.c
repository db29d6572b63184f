/* run/target/slurm.c - a cluster run by Slurm, through its own programs. The nodes see the run's folder; what a rank did is in its record there.
 * Slurm knows when it begins, why it does not, and who killed it. */
#include "base/cleanup.h"
#include "base/fs.h"
#include "run/supervise/supervise_priv.h"
#include "run/target/slurm_ask.h"

enum { MS = 1000, CANCEL_SLACK_S = 10, AGAIN_MS = 60000, LOST_AFTER_S = 120, SIGNALLED = 128 };

static const struct run_key keys[] = {
        { "partition", RUN_KEY_TEXT, NULL },    { "account", RUN_KEY_TEXT, NULL },
        { "qos", RUN_KEY_TEXT, NULL },          { "constraint", RUN_KEY_TEXT, NULL },
        { "gres", RUN_KEY_TEXT, NULL },         { "cluster", RUN_KEY_TEXT, NULL },
        { "time", RUN_KEY_TEXT, NULL },         { "margin", RUN_KEY_NUMBER, NULL },
        { "lost_after", RUN_KEY_NUMBER, NULL }, { "sbatch_args", RUN_KEY_LIST, NULL },
        { "srun_args", RUN_KEY_LIST, NULL },    { "mode", RUN_KEY_TEXT, "auto|sandbox|pyxis|apptainer|none" },
        { "mpi", RUN_KEY_TEXT, NULL },          { "run_root", RUN_KEY_TEXT, NULL },
        { "program", RUN_KEY_TEXT, NULL },      { "rank", RUN_KEY_TEXT, NULL },
        { "scratch", RUN_KEY_TEXT, NULL },      { NULL, 0, NULL },
};

static int probe(struct run_ctx *c, struct arena *a, const struct run_profile *p, struct run_probe *ret, struct err *e)
{
        *ret = (struct run_probe){ 0 };
        if (slurm_version(c, a, p, &ret->version, &ret->why, e) < 0)
                return -(int)e->code;
        ret->works = !ret->why.n;
        if (!ret->works && !ret->version.n)
                ret->hint = SV("run it where sbatch is: on a login node of the cluster");
        else if (!ret->works)
                ret->hint = SV("scontrol ping");
        return 0;
}

/* The working copy is made here, once; nodes find it on the shared file system. */
static int submit(struct run *r, sv *ret_handle, struct err *e)
{
        if (run_prepare(r, &(struct run_launch){ 0 }, e) < 0)
                return -(int)e->code;
        return slurm_sbatch(r, ret_handle, e);
}

static sv handle_of(struct run *r, uint64_t id)
{
        sv cluster = run_profile_str(r->profile, "cluster", (sv){ 0 });

        return cluster.n ? arena_fmt(r->arena, "%llu;%.*s", (unsigned long long)id, SV_ARG(cluster))
                         : arena_fmt(r->arena, "%llu", (unsigned long long)id);
}

/* In the queue; by its own word in the run's folder, where it has begun and is forgotten; by the accounting. */
static int find(struct run *r, sv *ret_handle, struct err *e)
{
        struct slurm_job j;
        uint64_t id = 0;
        sv text = { 0 };

        *ret_handle = (sv){ 0 };
        if (slurm_squeue(r, r->rec->token, &text, e) < 0)
                return -(int)e->code;
        if (!sv_u64(text, &id) || !id)
                id = slurm_mark_job(r->rec);
        if (!id && slurm_sacct(r, (sv){ 0 }, run_profile_str(r->profile, "cluster", (sv){ 0 }), r->rec->token, &j) &&
            !sv_u64(j.id, &id))
                id = 0;
        if (id)
                *ret_handle = handle_of(r, id);
        return 0;
}

/* The job of a run: that of its handle, unless another one has begun this attempt (sbatch was not heard, and asked again: the first to begin wins). */
static int job_of(struct run *r, sv *ret_id, sv *ret_cluster, struct err *e)
{
        uint64_t begun = slurm_mark_job(r->rec);

        if (!slurm_handle_parse(r->rec->handle, ret_id, ret_cluster))
                return err_set(e, ERR_INTEGRITY, "run.json of '%.*s' holds no job of Slurm's: '%.*s'",
                               SV_ARG(r->rec->id), SV_ARG(r->rec->handle));
        if (begun)
                *ret_id = arena_fmt(r->arena, "%llu", (unsigned long long)begun);
        return 0;
}

static int look(struct run *r, const struct run_status *known, struct slurm_seen *ret, struct err *e)
{
        struct run_rank *rank;
        size_t n;

        *ret = (struct slurm_seen){ .ranks = *known, .cancel_wanted = run_cancel_wanted(r->rec) };
        if (run_ranks_read(r->arena, r->rec, &rank, &n, e) < 0)
                return -(int)e->code;
        ret->judged = run_ranks_judge(r->rec, rank, n, ret->cancel_wanted, &ret->ranks);
        for (size_t i = 0; i < n && ret->judged; i++)
                if ((int)rank[i].rank == ret->ranks.first_bad_rank)
                        ret->stopped = sv_is(rank[i].stopped, "signal");
        return 0;
}

/* The ranks end by themselves when they see the wish, with their grace. Slurm is told after that: it signals every process at once, so
 * that whoever writes a checkpoint loses his helpers before it is written. A job that waits has nobody who could see the wish. */
static void insist(struct run *r, sv id, sv cluster, const struct slurm_job *j)
{
        int64_t wished = slurm_mark_age(r->rec, "../cancel"), told = slurm_mark_age(r->rec, ".scancel");
        AUTO(err_done) struct err ignored = { 0 }; /* the next poll tries again */
        enum run_reason why;
        enum run_state state;

        if (!slurm_state_map(j->state, &state, &why) || run_state_final(state))
                return;
        if (state == RUN_QUEUED) {
                slurm_scancel(r, id, cluster, true, &ignored);
                return;
        }
        if (wished < ((int64_t)r->rec->spec->grace_s + CANCEL_SLACK_S) * MS || (told >= 0 && told < AGAIN_MS) ||
            slurm_scancel(r, id, cluster, false, &ignored) < 0)
                return;
        slurm_mark_clear(r->rec, ".scancel");
        slurm_mark_set(r->rec, ".scancel");
}

static bool lost_by_now(struct run *r)
{
        sv text = run_profile_str(r->profile, "lost_after", (sv){ 0 });
        uint64_t limit = LOST_AFTER_S;

        if (text.n && (!sv_u64(text, &limit) || limit > INT32_MAX))
                limit = LOST_AFTER_S;
        return slurm_mark_silence(r->rec) >= (int64_t)limit * MS;
}

static void lost(struct run *r, const struct slurm_seen *seen, const char *message, struct run_status *ret)
{
        ret->state = seen->cancel_wanted ? RUN_CANCELED : RUN_FAILED;
        ret->reason = seen->cancel_wanted ? RUN_R_NONE : RUN_R_LOST;
        ret->message = arena_sv(r->arena, sv_from(message));
}

/* Of a rank that is named as the first to fail: its record, or with what its launcher ended without one. Slurm's own code is the highest of all. */
static void explain_rank(struct run *r, struct run_status *s)
{
        AUTO(err_done) struct err ignored = { 0 };
        int lost_rank, status;
        struct run_rank *rank;
        size_t n, i = 0;

        if (run_ranks_read(r->arena, r->rec, &rank, &n, &ignored) < 0)
                return;
        while (i < n && (int)rank[i].rank != s->first_bad_rank)
                i++;
        if (i < n && rank[i].end_us) {
                s->reason = rank[i].failed_start ? RUN_R_LAUNCH_FAILED
                            : rank[i].signal     ? RUN_R_SIGNAL
                                                 : RUN_R_EXIT_CODE;
                s->term_signal = rank[i].signal;
                s->exit_code = rank[i].exit_code;
                return;
        }
        if (!slurm_mark_lost(r->rec, &lost_rank, &status) || lost_rank != s->first_bad_rank)
                return;
        s->reason = i == n ? RUN_R_LAUNCH_FAILED : status > SIGNALLED ? RUN_R_SIGNAL : RUN_R_LOST;
        s->term_signal = s->reason == RUN_R_SIGNAL ? status - SIGNALLED : 0;
        s->exit_code = s->reason == RUN_R_SIGNAL ? status : -1;
        s->message = i == n ? SV("the command was not reached") : SV("the rank left no record of its end");
}

/* What only the folder says of a run that has failed before all of its ranks could. */
static void explain(struct run *r, sv id, const struct slurm_seen *seen, struct run_status *s)
{
        sv words;

        if (s->state != RUN_FAILED || seen->judged)
                return;
        if (s->first_bad_rank < 0)
                s->first_bad_rank = slurm_mark_failed(r->rec);
        if (s->reason != RUN_R_LAUNCH_FAILED && s->reason != RUN_R_EXIT_CODE && s->reason != RUN_R_SIGNAL &&
            s->reason != RUN_R_LOST)
                return;
        if (s->first_bad_rank >= 0)
                explain_rank(r, s);
        words = slurm_mark_last_words(r->arena, r->rec, id);
        if (words.n)
                s->message =
                        s->message.n ? arena_fmt(r->arena, "%.*s (%.*s)", SV_ARG(s->message), SV_ARG(words)) : words;
}

/* The controller knows nothing of it any more (MinJobAge), or never did. */
static int gone(struct run *r, sv id, sv cluster, const struct slurm_seen *seen, struct run_status *ret)
{
        struct slurm_job j = { .state = SV("FAILED"), .signal = 0 };
        sv word = ret->engine_state;

        if (seen->judged) {
                *ret = seen->ranks;
                return 0;
        }
        if (slurm_sacct(r, id, cluster, (sv){ 0 }, &j) && slurm_decide(r->arena, &j, seen, ret)) {
                explain(r, id, seen, ret);
                return 0;
        }
        *ret = seen->ranks;
        j = (struct slurm_job){ .state = SV("FAILED"), .signal = 0 };
        if (slurm_mark_batch(r->rec, &j.exit_code) && j.exit_code && slurm_decide(r->arena, &j, seen, ret)) {
                ret->engine_state = word;
                explain(r, id, seen, ret);
        } else if (lost_by_now(r)) {
                lost(r, seen, "Slurm has forgotten the job, and its ranks left no record of their end", ret);
                explain(r, id, seen, ret);
        }
        return 0;
}

static int poll(struct run *r, struct run_status *ret, struct err *e)
{
        struct slurm_job j = { 0 };
        struct slurm_seen seen;
        sv id, cluster;
        bool found;

        if (look(r, ret, &seen, e) < 0)
                return -(int)e->code;
        if (seen.judged && !slurm_doubtful(&seen)) {
                *ret = seen.ranks;
                ret->engine_state = ret->message = (sv){ 0 }; /* Slurm's last word was said before the end */
                return 0;
        }
        if (job_of(r, &id, &cluster, e) < 0 || slurm_show(r, id, cluster, &j, &found, e) < 0)
                return -(int)e->code;
        /* numbers begin anew when a controller loses its memory: another's job is not ours */
        if (!found || (j.name.n && !sv_eq(j.name, r->rec->token)))
                return gone(r, id, cluster, &seen, ret);
        if (seen.cancel_wanted)
                insist(r, id, cluster, &j);
        /* records are written before a job ends, but after we looked it may have; and NFS remembers what was not there */
        slurm_mark_freshen(r->rec);
        if (look(r, ret, &seen, e) < 0)
                return -(int)e->code;
        if (slurm_decide(r->arena, &j, &seen, ret)) {
                slurm_mark_clear(r->rec, ".gone");
                explain(r, id, &seen, ret);
        } else if (lost_by_now(r)) {
                lost(r, &seen, "Slurm says that all is well, but not all ranks left a record of their end", ret);
        }
        return 0;
}

/* Best effort: the wish is written, every poll insists, and a job that begins with it ends. */
static int cancel(struct run *r, struct err *e)
{
        AUTO(err_done) struct err ignored = { 0 };
        sv id, cluster;

        if (job_of(r, &id, &cluster, e) < 0)
                return -(int)e->code;
        if (slurm_scancel(r, id, cluster, true, &ignored) < 0 && ignored.code != ERR_NET)
                return err_move(e, &ignored);
        return 0;
}

const struct run_target run_target_slurm = {
        .name = "slurm",
        .summary = "a cluster run by Slurm (sbatch, srun)",
        .caps = RUN_CAP_MULTI_NODE | RUN_CAP_SHARED_FS | RUN_CAP_IMAGE | RUN_CAP_ROOTFS | RUN_CAP_HOST | RUN_CAP_RETRY,
        .key = keys,
        .probe = probe,
        .render = slurm_render,
        .submit = submit,
        .find = find,
        .poll = poll,
        .cancel = cancel,
};
