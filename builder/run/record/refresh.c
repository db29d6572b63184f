/* Asking the target what became of a run, and taking it in. */
#include "base/cleanup.h"
#include "base/pool.h"
#include "run/record/follow.h"
#include "run/record/follow_priv.h"
#include "run/record/record_priv.h"
#include "run/target/submit.h"

enum { SILENCE_US = 5 * 60 * 1000000 };

int run_profile_of(struct run_ctx *c, struct arena *a, const struct run_record *r, struct run_profile *ret,
                   struct err *e)
{
        AUTO(diags_done) struct diags faults = { 0 };
        AUTO(err_done) struct err ignored = { 0 };
        const struct run_target *t = run_target_find(r->target);

        (void)c;
        if (!t) {
                err_set(e, ERR_USAGE, "this envbuild knows no target '%.*s', which the run '%.*s' is on",
                        SV_ARG(r->target), SV_ARG(r->id));
                err_hint(e, "use the envbuild that made this run, or a newer one");
                return -(int)e->code;
        }
        /* a profile that is gone, or became another target's, leaves what the target does without one */
        if (run_profile_find(a, r->compute.n ? r->compute : r->target, &faults, ret, &ignored) < 0 || ret->target != t)
                *ret = (struct run_profile){ .name = r->target, .target = t };
        return 0;
}

static int reload(struct arena *a, struct run_record *r, struct err *e)
{
        struct run_record *disk;

        if (run_record_open(a, r->dir, &disk, e) < 0)
                return -(int)e->code;
        *r = *disk;
        return 0;
}

/* Whoever made it ready is gone before the engine was asked. */
static int lost_before(struct run *run, struct err *e)
{
        AUTO(store_claim_drop) struct store_claim claim = { 0 };
        sha256 key = run_submit_key(run->rec);
        struct run_status s;
        int k = store_claim_take(run->ctx->store, &key, &claim, e);

        if (k < 0 || (k == 0 && reload(run->arena, run->rec, e) < 0))
                return -(int)e->code;
        if (k == POOL_AGAIN || run->rec->token.n || run->rec->status.state != RUN_PREPARING)
                return 0;
        s = run->rec->status;
        s.state = RUN_FAILED;
        s.reason = RUN_R_LOST;
        s.message = SV("envbuild was ended before it submitted this run");
        return run_record_take(run->rec, &s, s.message.p, NULL, e);
}

/* The engine is silent: since when, and after five minutes that is its state. */
static int unanswered(struct run *run, struct err *why, struct err *e)
{
        struct run_record *r = run->rec;
        struct run_status s = r->status;

        if (!r->unanswered_us) {
                r->unanswered_us = run_now_us();
                return run_record_write(r, e);
        }
        if (run_now_us() - r->unanswered_us < SILENCE_US)
                return 0;
        s.state = RUN_NOT_RESPONDING;
        s.message = arena_sv(run->arena, sv_from(why->cause));
        return run_record_take(r, &s, s.message.p, NULL, e);
}

/* What the ranks wrote is the truth about the command; why the engine ended it is the engine's to say. */
static void ranks_say(struct run *run, struct run_status *s)
{
        AUTO(err_done) struct err ignored = { 0 };
        struct run_status judged = *s;
        struct run_rank *v = NULL;
        size_t n = 0;

        if (run_ranks_read(run->arena, run->rec, &v, &n, &ignored) < 0 ||
            !run_ranks_judge(run->rec, v, n, run_cancel_wanted(run->rec), &judged))
                return;
        s->exit_code = judged.exit_code;
        s->term_signal = judged.term_signal;
        s->first_bad_rank = judged.first_bad_rank;
        s->started_us = judged.started_us;
        s->ended_us = judged.ended_us;
        if (s->reason == RUN_R_NONE || s->reason == RUN_R_EXIT_CODE || s->reason == RUN_R_SIGNAL) {
                s->state = judged.state;
                s->reason = judged.reason;
        }
}

/* 1: not now, the engine does not answer. */
static int collect(struct run *run, struct run_status *s, struct err *e)
{
        AUTO(err_done) struct err why = { 0 };
        struct run_status f = run->rec->status;
        int k;

        if (!run->profile->target->collect)
                return 0;
        f.state = RUN_FINALIZING;
        if (run_record_take(run->rec, &f, "collecting what it made", NULL, e) < 0)
                return -(int)e->code;
        k = run->profile->target->collect(run, &why);
        if (k == -ERR_CANCELLED)
                return err_move(e, &why);
        if (k == -ERR_NET)
                return unanswered(run, &why, e) < 0 ? -(int)e->code : 1;
        ranks_say(run, s);
        if (k == 0)
                return 0;
        s->message = arena_fmt(run->arena, "what it made could not be kept: %s", why.cause);
        if (s->state == RUN_COMPLETED) {
                s->state = RUN_FAILED;
                s->reason = RUN_R_OUTPUTS;
        }
        return 0;
}

/* Final on disk first, then the engine's leftovers: killed between the two only litter stays, which rm asks for again. */
static int finish(struct run *run, struct store_claim *claim, struct run_status *s, struct err *e)
{
        AUTO(err_done) struct err ignored = { 0 };
        int k = collect(run, s, e);
        bool again;

        if (k)
                return k < 0 ? k : 0;
        if (run_retry_wanted(run, s)) {
                run->rec->status = *s;
                store_claim_drop(claim); /* a supervisor of the next attempt takes it */
                return run_retry(run, &again, e);
        }
        run_rank_env_drop(run->rec);
        if (run_record_take(run->rec, s, s->message.n ? arena_str(run->arena, s->message) : "", NULL, e) < 0)
                return -(int)e->code;
        if (run->profile->target->cleanup)
                run->profile->target->cleanup(run, &ignored);
        return 0;
}

static int ask(struct run *run, struct err *e)
{
        AUTO(store_claim_drop) struct store_claim claim = { 0 };
        AUTO(err_done) struct err why = { 0 };
        sha256 key = run_record_key(run->rec);
        struct run_status s;
        int k = store_claim_take(run->ctx->store, &key, &claim, e);

        if (k == POOL_AGAIN)
                return 0; /* a supervisor, or another who asks, writes what it learns */
        if (k < 0 || reload(run->arena, run->rec, e) < 0)
                return -(int)e->code;
        if (run_state_final(run->rec->status.state) || !run->rec->handle.n)
                return 0;
        s = run->rec->status;
        k = run->profile->target->poll(run, &s, &why);
        if (k == -ERR_NET)
                return unanswered(run, &why, e);
        if (k < 0)
                return err_move(e, &why);
        if (run->rec->unanswered_us) {
                run->rec->unanswered_us = 0;
                if (run_record_write(run->rec, e) < 0)
                        return -(int)e->code;
        }
        if (run_state_final(s.state))
                return finish(run, &claim, &s, e);
        return run_record_take(run->rec, &s, "", NULL, e);
}

int run_refresh(struct run_ctx *c, struct arena *a, struct run_record *r, struct err *e)
{
        struct run_profile p;
        struct run run = { c, a, r, &p };

        if (run_state_final(r->status.state))
                return 0;
        if (reload(a, r, e) < 0)
                return -(int)e->code;
        if (run_state_final(r->status.state))
                return 0;
        if (!r->handle.n && !r->token.n && r->attempt == 1)
                return r->status.state == RUN_PREPARING && run_maker_gone(r) ? lost_before(&run, e) : 0;
        if (run_profile_of(c, a, r, &p, e) < 0)
                return -(int)e->code;
        if (!r->handle.n) {
                AUTO(err_done) struct err why = { 0 };
                int k = run_resume(&run, &why);
                if (k == -ERR_NET)
                        return 0;
                if (k < 0 && !run_state_final(r->status.state))
                        return err_move(e, &why); /* else the record says why */
        }
        if (!r->handle.n || run_state_final(r->status.state))
                return 0;
        return ask(&run, e);
}
