#include "image/persist.h"

#include <string.h>
#include <time.h>

#include "base/clock.h"

enum { TRIES = 4, PAUSE_MS = 250 };

static int pause_ms(struct op *op, int64_t ms, struct err *e)
{
        int64_t until = clock_ms() + ms, left;

        while ((left = until - clock_ms()) > 0) {
                struct timespec nap = { .tv_nsec = (left < 50 ? left : 50) * 1000000L };

                if (op_check(op, e) < 0)
                        return -(int)e->code;
                nanosleep(&nap, NULL);
        }
        return 0;
}

static bool is_half_written(const struct err *e)
{
        return e->code == ERR_NET && strstr(e->cause, "BLOB_UNKNOWN");
}

int persist_artifact(struct reg_client *c, const struct reg_repo *repo, const struct reg_artifact *x, struct err *e)
{
        struct oci_desc made;

        for (unsigned tried = 1; reg_artifact_push(c, repo, x, &made, e) < 0; tried++) {
                if (!is_half_written(e) || tried == TRIES)
                        return -(int)e->code;
                err_done(e);
                if (pause_ms(reg_op(c), (int64_t)PAUSE_MS << (tried - 1), e) < 0)
                        return -(int)e->code;
        }
        return 0;
}
