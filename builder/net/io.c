#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "net/net_priv.h"

void net_job_free(struct net_job *j)
{
        arena_wipe(&j->asked); /* Authorization */
        arena_done(&j->got);
        buf_done(&j->body);
        err_done(&j->err);
        free(j);
}

/* --- ending a try --- */

static bool try_again_status(long status)
{
        return status == 408 || status == 429 || (status >= 500 && status <= 599 && status != 501 && status != 505);
}

static void end_job(struct net *n, struct net_job *j)
{
        bool gone;

        for (size_t i = 0; i < n->n_job; i++)
                if (n->job[i] == j) {
                        n->job[i] = n->job[--n->n_job];
                        break;
                }
        if (j->told)
                net_tell(n, j, OP_END);
        pthread_mutex_lock(&n->lock);
        gone = j->dropped && !net_job_borrows(j); /* else net_drop waits and frees */
        j->done = true;
        n->finished++;
        pthread_cond_broadcast(&n->done);
        pthread_mutex_unlock(&n->lock);
        if (gone)
                net_job_free(j);
}

static int64_t retry_after(const struct net_job *j)
{
        sv v = net_answer_header(j, "retry-after");
        uint64_t seconds;
        int64_t date, ms = 0;

        if (sv_u64(v, &seconds))
                ms = seconds > NET_RETRY_AFTER_MAX_MS / 1000 ? NET_RETRY_AFTER_MAX_MS : (int64_t)seconds * 1000;
        else if (v.n && time_parse_rfc2822(v, &date))
                ms = (date - clock_unix()) * 1000;
        return ms < 0 ? 0 : ms > NET_RETRY_AFTER_MAX_MS ? NET_RETRY_AFTER_MAX_MS : ms;
}

static void wait_for_next_try(struct net *n, struct net_job *j)
{
        int64_t ms = n->backoff_ms << (j->tries - 1 < 10 ? j->tries - 1 : 10), told = retry_after(j);

        if (ms > NET_BACKOFF_MAX_MS)
                ms = NET_BACKOFF_MAX_MS;
        ms += (int64_t)(sv_hash(j->url) % 100) * ms / 400; /* so that 32 refused transfers do not come back as one */
        j->not_before = clock_ms() + (told > ms ? told : ms);
        j->url = j->first; /* what it led to may have been signed for a minute */
        j->foreign = false;
        j->hops = 0;
}

/* What came back does not exclude that the server acted on it, and it should not act twice. */
static bool may_have_acted(const struct net_job *j)
{
        if (net_is_repeatable(j))
                return false;
        return j->t.fault == CURL_FAULT_NONE ? j->status != 408 && j->status != 429 && j->status != 503 : j->t.asked;
}

static bool may_try_again(const struct net *n, const struct net_job *j)
{
        unsigned most = n->tries;

        if (j->r.once || may_have_acted(j))
                return false;
        switch (j->t.fault) {
        case CURL_FAULT_NONE:
                if (!try_again_status(j->status))
                        return false;
                break;
        case CURL_FAULT_RESOLVE:
                most = most < 3 ? most : 3; /* a misspelt host should not take 10 s to say so */
                break;
        case CURL_FAULT_CONNECT:
        case CURL_FAULT_TIMEOUT:
        case CURL_FAULT_TLS:
        case CURL_FAULT_BROKEN:
                break;
        case CURL_FAULT_PROXY:
        case CURL_FAULT_CERT:
        case CURL_FAULT_CA:
        case CURL_FAULT_KEY:
        case CURL_FAULT_STOPPED:
        case CURL_FAULT_URL:
        case CURL_FAULT_OTHER:
                return false;
        }
        if (j->received > 0 && (!j->r.keep_partial || !j->validator.n || j->r.range_last))
                return false; /* `into` can't be rewound */
        return j->tries < most;
}

static void end_try(struct net *n, struct net_job *j)
{
        n->running--;
        j->is_running = false;
        j->sent += j->t.sent;
        if (j->t.fault == CURL_FAULT_STOPPED && j->unread) {
                j->t.fault = CURL_FAULT_NONE; /* stopped on purpose: the status is the answer */
                if (j->status == 200)
                        buf_clear(&j->body);
        }
        if (j->err.code)
                return end_job(n, j);
        if (j->no_resume) {
                err_set(&j->err, ERR_NET, "'%.*s' changed on the server while it was fetched",
                        SV_ARG(url_masked(&j->asked, j->r.url)));
                return end_job(n, j);
        }
        if (j->t.fault == CURL_FAULT_NONE && net_is_followed(j)) {
                if (net_follow(j) < 0)
                        end_job(n, j);
                return;
        }
        if (j->t.fault == CURL_FAULT_NONE && (!try_again_status(j->status) || j->r.once || may_have_acted(j)))
                return end_job(n, j);
        if (may_try_again(n, j))
                return wait_for_next_try(n, j);
        net_fault_set(j, &j->err);
        end_job(n, j);
}

/* --- the loop --- */

static void tell_progress(struct net *n, int64_t now)
{
        for (size_t i = 0; i < n->n_job; i++) {
                struct net_job *j = n->job[i];

                if (!j->is_running || !j->r.subject.n || now - j->told_ms < 100)
                        continue;
                net_tell(n, j, OP_STEP);
                j->told_ms = now;
        }
}

/* Take in what callers handed over; true when it is time to end. */
static bool take(struct net *n, bool *ret_drops)
{
        struct net_job *in;
        bool stop;

        pthread_mutex_lock(&n->lock);
        in = n->inbox;
        n->inbox = NULL;
        *ret_drops = n->drops;
        n->drops = false;
        stop = n->stop;
        pthread_mutex_unlock(&n->lock);
        for (; in; in = in->next) {
                n->job = xgrow(n->job, &n->cap_job, n->n_job + 1, sizeof(struct net_job *));
                n->job[n->n_job++] = in;
        }
        return stop;
}

static void abandon(struct net *n, struct net_job *j)
{
        if (j->is_running) {
                n->table->drop(n->io, &j->t);
                n->running--;
        }
        if (!j->err.code && op_check(n->op, &j->err) == 0)
                err_set(&j->err, ERR_CANCELLED, "the transfer was cancelled");
        end_job(n, j);
}

static void abandon_dropped(struct net *n)
{
        for (size_t i = n->n_job; i--;) {
                struct net_job *j = n->job[i];
                bool dropped;

                pthread_mutex_lock(&n->lock);
                dropped = j->dropped;
                pthread_mutex_unlock(&n->lock);
                if (dropped)
                        abandon(n, j);
        }
}

static void abandon_all(struct net *n)
{
        while (n->n_job)
                abandon(n, n->job[n->n_job - 1]);
}

static struct net_job *next_to_start(struct net *n, int64_t now)
{
        struct net_job *best = NULL;

        for (size_t i = 0; i < n->n_job; i++) {
                struct net_job *j = n->job[i];

                if (!j->is_running && j->not_before <= now &&
                    (!best || j->r.priority > best->r.priority ||
                     (j->r.priority == best->r.priority && j->seq < best->seq)))
                        best = j;
        }
        return best;
}

static int pause_ms(struct net *n, int64_t now)
{
        int64_t ms = 100; /* how often the op is looked at */

        if (n->n_job == 0)
                return 60000;
        for (size_t i = 0; i < n->n_job && n->running < n->parallel; i++)
                if (!n->job[i]->is_running && n->job[i]->not_before - now < ms)
                        ms = n->job[i]->not_before - now;
        return ms < 0 ? 0 : (int)ms;
}

void *net_io_main(void *arg)
{
        struct net *n = arg;
        bool drops;

        while (!take(n, &drops)) {
                struct err stop = { 0 };
                struct curl_transfer *t;
                struct net_job *j;
                int64_t now = clock_ms();

                if (drops)
                        abandon_dropped(n);
                if (n->n_job && op_check(n->op, &stop) < 0)
                        abandon_all(n);
                err_done(&stop);
                while (n->running < n->parallel && (j = next_to_start(n, now)))
                        if (!net_try_start(n, j))
                                end_try(n, j);
                tell_progress(n, now);
                for (t = n->table->turn(n->io, pause_ms(n, now)); t; t = n->table->turn(n->io, 0))
                        end_try(n, t->arg);
        }
        abandon_all(n);
        return NULL;
}
