#include "base/op.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"

int op_check(struct op *op, struct err *e)
{
        int sig = op ? atomic_load_explicit(&op->signal, memory_order_relaxed) : 0;

        if (sig)
                return err_set(e, ERR_CANCELLED, sig == SIGTERM ? "terminated" : "interrupted");
        if (op && op->deadline_ms && clock_ms() > op->deadline_ms)
                return err_set(e, ERR_FAILED, "the time limit is over");
        return 0;
}

void op_event(struct op *op, enum op_phase phase, enum op_state state, sv subject, uint64_t done, uint64_t total)
{
        if (op && op->event)
                op->event(op->arg, &(struct op_event){ phase, state, subject, done, total });
}

void op_say(struct op *op, enum op_phase phase, const char *fmt, ...)
{
        char *text = NULL;
        va_list ap;

        if (!op || !op->event)
                return;
        va_start(ap, fmt);
        if (vasprintf(&text, fmt, ap) >= 0)
                op_event(op, phase, OP_END, sv_from(text), 0, 0);
        va_end(ap);
        free(text);
}
