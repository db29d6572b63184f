/* The order of writes: what is on disk before the engine is asked, and after. docs/internals/run.md has the table of kills. */
#include "run/target/submit.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/pool.h"
#include "ext/hash.h"

void run_fault(const char *where)
{
        const char *want = getenv("ENVBUILD_FAULT");

        if (want && strcmp(want, where) == 0)
                kill(getpid(), SIGKILL);
}

/* --- who submits */

sha256 run_submit_key(const struct run_record *rec)
{
        AUTO(arena_done) struct arena tmp = { 0 };

        return sha256_of(arena_fmt(&tmp, "envbuild submit %.*s", SV_ARG(rec->id)));
}

/* 0: ours; POOL_AGAIN: somebody alive is at it. */
static int hold(struct run *r, struct store_claim *ret, struct err *e)
{
        sha256 key = run_submit_key(r->rec);

        return store_claim_take(r->ctx->store, &key, ret, e);
}

/* What is on disk now, the description kept: others may have written since. */
static int reload(struct run *r, struct err *e)
{
        struct run_spec *spec = r->rec->spec;
        struct run_record *disk;

        if (run_record_open(r->arena, r->rec->dir, &disk, e) < 0)
                return -(int)e->code;
        *r->rec = *disk;
        r->rec->spec = spec;
        return 0;
}

/* --- states */

static int take(struct run *r, enum run_state state, enum run_reason reason, const char *message, struct err *e)
{
        struct run_status s = r->rec->status;

        s.state = state;
        s.reason = reason;
        if (message)
                s.message = arena_sv(r->arena, sv_from(message));
        return run_record_take(r->rec, &s, message ? message : "", NULL, e);
}

/* It did not come to pass: said in the record, and the reason goes on to the caller. */
static int refused(struct run *r, struct err *e)
{
        AUTO(err_done) struct err second = { 0 };

        take(r, RUN_FAILED, RUN_R_LAUNCH_FAILED, e->cause ? e->cause : "it could not be submitted", &second);
        run_rank_env_drop(r->rec);
        return -(int)e->code;
}

static int canceled_before(struct run *r, struct err *e)
{
        int k = take(r, RUN_CANCELED, RUN_R_NONE, "cancelled before it was submitted", e);

        run_rank_env_drop(r->rec);
        return k;
}

/* --- submit */

/* A supervisor writes its own handle, since it owns run.json from its first moment; of every other target we write it. */
static int submitted(struct run *r, sv handle, struct err *e)
{
        AUTO(err_done) struct err ignored = { 0 };
        struct run_record mine = *r->rec;

        run_fault("before-record");
        if (reload(r, &ignored) < 0 || !sv_eq(r->rec->token, mine.token) || !r->rec->handle.n) {
                *r->rec = mine;
                r->rec->handle = arena_sv(r->arena, handle);
                if (run_record_write(r->rec, e) < 0)
                        return -(int)e->code;
        }
        run_fault("after-record");
        if (!run_state_final(r->rec->status.state) && run_cancel_wanted(r->rec))
                return r->profile->target->cancel(r, e); /* asked for while the engine was */
        return 0;
}

/* Nobody knows whether it arrived: ask, and leave the record as it is when there is no answer. */
static int uncertain(struct run *r, struct err *e)
{
        AUTO(err_done) struct err second = { 0 };
        sv handle = { 0 };

        if (e->code == ERR_NET && r->profile->target->find(r, &handle, &second) == 0 && handle.n) {
                err_done(e);
                return submitted(r, handle, e);
        }
        err_hint(e, "whether it was submitted is not known; `envbuild runs wait %.*s` finds out and goes on",
                 SV_ARG(r->rec->id));
        return -(int)e->code;
}

static int ask(struct run *r, struct err *e)
{
        sv handle = { 0 };

        run_fault("before-submit");
        if (r->profile->target->submit(r, &handle, e) < 0)
                return e->code == ERR_NET || e->code == ERR_CANCELLED ? uncertain(r, e) : refused(r, e);
        run_fault("after-submit");
        return submitted(r, handle, e);
}

static int write_token(struct run *r, struct err *e)
{
        struct run_status s = r->rec->status;

        run_fault("before-token");
        r->rec->token = arena_fmt(r->arena, "%.*s.%u", SV_ARG(r->rec->id), r->rec->attempt);
        r->rec->handle = (sv){ 0 };
        s.state = RUN_STARTING;
        s.submitted_us = run_now_us();
        return run_record_take(r->rec, &s, "", NULL, e);
}

/* The claim is ours. */
static int submit_held(struct run *r, struct err *e)
{
        if (run_cancel_wanted(r->rec))
                return canceled_before(r, e);
        if (r->profile->target->render(r, e) < 0)
                return refused(r, e);
        if (write_token(r, e) < 0)
                return -(int)e->code;
        return ask(r, e);
}

int run_submit(struct run *r, struct err *e)
{
        AUTO(store_claim_drop) struct store_claim claim = { 0 };
        int k = hold(r, &claim, e);

        if (k == POOL_AGAIN)
                return err_set(e, ERR_FAILED, "another envbuild is submitting '%.*s'", SV_ARG(r->rec->id));
        if (k < 0 || submit_held(r, e) < 0)
                return err_while(e, "submitting '%.*s' to %s", SV_ARG(r->rec->id), r->profile->target->name);
        return 0;
}

int run_resume(struct run *r, struct err *e)
{
        AUTO(store_claim_drop) struct store_claim claim = { 0 };
        sv handle = { 0 };
        int k = hold(r, &claim, e);

        if (k < 0)
                return -(int)e->code;
        if (reload(r, e) < 0)
                return -(int)e->code;
        if (k == POOL_AGAIN || r->rec->handle.n || run_state_final(r->rec->status.state))
                return 0;
        if (!r->rec->token.n) /* killed between two attempts; a first one without a token was never asked for */
                return r->rec->attempt > 1 ? submit_held(r, e) : 0;
        if (r->profile->target->find(r, &handle, e) < 0)
                return err_while(e, "looking for '%.*s' at %s", SV_ARG(r->rec->token), r->profile->target->name);
        if (handle.n)
                return submitted(r, handle, e);
        if (run_cancel_wanted(r->rec))
                return canceled_before(r, e);
        return ask(r, e); /* what it is given was rendered before the token was written */
}

/* --- cancel */

/* CancelRequested, unless somebody owns the record: he sees status/cancel himself. */
static int write_wish(struct run *r, struct err *e)
{
        AUTO(store_claim_drop) struct store_claim claim = { 0 };
        sha256 key = run_record_key(r->rec);
        int k = store_claim_take(r->ctx->store, &key, &claim, e);

        if (k < 0)
                return -(int)e->code;
        if (k == POOL_AGAIN)
                return 0;
        if (reload(r, e) < 0)
                return -(int)e->code;
        return take(r, RUN_CANCEL_REQUESTED, r->rec->status.reason, NULL, e);
}

int run_cancel(struct run *r, struct err *e)
{
        if (run_state_final(r->rec->status.state))
                return 0;
        if (run_cancel_write(r->rec, e) < 0)
                return -(int)e->code;
        run_fault("after-cancel-file");
        if (!r->rec->handle.n) {
                AUTO(store_claim_drop) struct store_claim claim = { 0 };
                sv handle = { 0 };
                int k = hold(r, &claim, e);
                if (k < 0)
                        return -(int)e->code;
                if (k == POOL_AGAIN || reload(r, e) < 0)
                        return k == POOL_AGAIN ? 0 : -(int)e->code; /* who submits looks at the wish afterwards */
                if (run_state_final(r->rec->status.state))
                        return 0;
                if (!r->rec->token.n)
                        return run_maker_gone(r->rec) ? canceled_before(r, e) : 0;
                if (!r->rec->handle.n && r->profile->target->find(r, &handle, e) < 0)
                        return err_while(e, "looking for '%.*s'", SV_ARG(r->rec->token));
                if (!r->rec->handle.n && !handle.n)
                        return canceled_before(r, e);
                if (!r->rec->handle.n)
                        return submitted(r, handle, e); /* cancels */
        }
        if (write_wish(r, e) < 0)
                return -(int)e->code;
        if (run_state_final(r->rec->status.state))
                return 0;
        if (r->profile->target->cancel(r, e) < 0)
                return err_while(e, "cancelling '%.*s'", SV_ARG(r->rec->id));
        return 0;
}

/* --- retry */

/* "node_fail" of a description is "node-fail" of ours. */
static bool same_word(sv a, const char *b)
{
        size_t n = strlen(b);

        if (a.n != n)
                return false;
        for (size_t i = 0; i < n; i++)
                if ((a.p[i] == '_' ? '-' : a.p[i]) != b[i])
                        return false;
        return true;
}

bool run_retry_wanted(const struct run *r, const struct run_status *s)
{
        const struct run_spec *spec = r->rec->spec;

        if (s->state != RUN_FAILED || r->rec->attempt > spec->retries || !(r->profile->target->caps & RUN_CAP_RETRY) ||
            run_cancel_wanted(r->rec))
                return false;
        if (!spec->n_retry_on)
                return s->reason == RUN_R_NODE_FAIL || s->reason == RUN_R_PREEMPTED;
        for (size_t i = 0; i < spec->n_retry_on; i++)
                if (same_word(spec->retry_on[i], run_reason_name(s->reason)))
                        return true;
        return false;
}

/* The next attempt's folders and its clean record; its token comes with its submission. */
static int next_attempt(struct run *r, struct err *e)
{
        struct run_record *rec = r->rec;
        struct run_status fresh = RUN_STATUS_INIT, old = rec->status;
        sv why = arena_fmt(r->arena, "attempt %u ended: %s", rec->attempt, run_reason_name(old.reason));

        fresh.state = RUN_PREPARING;
        rec->attempt++;
        if (fs_mkdirs(run_path(r->arena, rec, "status/%u", rec->attempt).p, 0777, e) < 0 ||
            fs_mkdirs(run_path(r->arena, rec, "user_logs/retry_%03u", rec->attempt - 1).p, 0777, e) < 0 ||
            run_record_event(rec, run_state_name(old.state), run_state_name(fresh.state), why.p, e) < 0)
                return -(int)e->code;
        rec->status = fresh;
        rec->token = rec->handle = (sv){ 0 };
        rec->unanswered_us = 0;
        return run_record_write(rec, e);
}

int run_retry(struct run *r, bool *ret, struct err *e)
{
        AUTO(store_claim_drop) struct store_claim claim = { 0 };
        AUTO(err_done) struct err ignored = { 0 };
        int k;

        *ret = false;
        if (!run_retry_wanted(r, &r->rec->status))
                return 0;
        k = hold(r, &claim, e);
        if (k != 0)
                return k == POOL_AGAIN ? 0 : -(int)e->code;
        if (r->profile->target->cleanup)
                r->profile->target->cleanup(r, &ignored); /* another token, so what stays is only litter */
        if (next_attempt(r, e) < 0)
                return -(int)e->code;
        run_fault("before-retry");
        *ret = true;
        if (submit_held(r, e) < 0)
                return err_while(e, "submitting attempt %u of '%.*s'", r->rec->attempt, SV_ARG(r->rec->id));
        return 0;
}
