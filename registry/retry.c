#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "registry/blob_priv.h"
#include "registry/client_priv.h"

bool reg_may_mend(int r, long status)
{
        return r == -ERR_NET || (r == 0 && (status == 408 || status == 429 || status >= 499));
}

bool reg_is_half_written(const struct err *e)
{
        return e->code == ERR_NET && (strstr(e->cause, "BLOB_UNKNOWN") || strstr(e->cause, "DIGEST_INVALID"));
}

static int64_t told_ms(const struct net_answer *ans)
{
        sv v = ans ? net_header_get(ans, "retry-after") : (sv){ 0 };
        uint64_t seconds;
        int64_t date, ms = 0;

        if (sv_u64(v, &seconds))
                ms = seconds > REG_RETRY_MAX_MS / 1000 ? REG_RETRY_MAX_MS : (int64_t)seconds * 1000;
        else if (v.n && time_parse_rfc2822(v, &date))
                ms = (date - clock_unix()) * 1000;
        return ms < 0 ? 0 : ms > REG_RETRY_MAX_MS ? REG_RETRY_MAX_MS : ms;
}

int reg_pause(struct reg_client *c, unsigned tried, const struct net_answer *ans, struct err *e)
{
        int64_t own = (c->backoff_ms ? c->backoff_ms : REG_BACKOFF_MS) << (tried < 6 ? tried : 6), told = told_ms(ans),
                until = clock_ms() + (told > own ? told : own), left;
        int r;

        while ((r = op_check(c->op, e)) == 0 && (left = until - clock_ms()) > 0) {
                struct timespec nap = { .tv_nsec = (left < 50 ? left : 50) * 1000000L };

                nanosleep(&nap, NULL);
        }
        return r;
}
