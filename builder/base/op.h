/* base/op.h - what whoever can wait (net, store, registry, catalog, build) is lent at _init: cancellation, a deadline, an event
 * sink, the job limit. One struct op for one command; shared between threads (the sink serialises itself).
 * Loops that block poll op_check(); events are facts, only cli/ draws them. Times are milliseconds of the monotonic clock. */
#ifndef BASE_OP_H
#define BASE_OP_H

#include <stdatomic.h>
#include <stdint.h>

#include "base/err.h"
#include "base/sv.h"

enum op_phase { OP_READ, OP_RESOLVE, OP_FETCH, OP_LAYER, OP_IMAGE, OP_UNPACK, OP_PUSH, OP_NOTE, OP_WARN };

/* subject is what the line is about ("numpy 2.1.0"); done and total are bytes, or counts for OP_RESOLVE; total 0: not known.
 * state tells begin, progress and end apart; OP_NOTE and OP_WARN carry a finished sentence in subject. */
enum op_state { OP_BEGIN, OP_STEP, OP_END };
struct op_event {
        enum op_phase phase;
        enum op_state state;
        sv subject;
        uint64_t done, total;
};

struct op {
        atomic_int signal;   /* 0, or the signal that asked us to stop; set by a handler */
        int64_t deadline_ms; /* 0: none */
        unsigned jobs;       /* >= 1: how many things at once */
        void (*event)(void *arg, const struct op_event *ev); /* may be NULL; any thread */
        void *arg;
};

/** 0, or -ERR_CANCELLED ("interrupted"), or -ERR_FAILED past the deadline. NULL op never stops. */
int op_check(struct op *op, struct err *e);
void op_event(struct op *op, enum op_phase phase, enum op_state state, sv subject, uint64_t done, uint64_t total);
/** A finished sentence for people (OP_NOTE or OP_WARN). */
void op_say(struct op *op, enum op_phase phase, const char *fmt, ...) PRINTF(3, 4);

#endif
