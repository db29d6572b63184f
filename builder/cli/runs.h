/* cli/runs.h - shared by the commands `runs …`. */
#ifndef CLI_RUNS_H
#define CLI_RUNS_H

#include "cli/app.h"
#include "cli/opts.h"
#include "run/record/follow.h"
#include "run/record/report.h"
#include "run/target/submit.h"

/** The store, and the programs that a run may need again (one that is not found is only missed when it is needed). */
int runs_context(struct app *app, struct run_ctx *ret, struct err *e);
/** The run of the only word. */
int runs_one(struct app *app, struct run_ctx *c, int argc, char **argv, struct run_record **ret, struct err *e);
/** Its target, for whoever asks something of the engine. */
int runs_target(struct app *app, struct run_ctx *c, struct run_record *r, struct run_profile *p, struct run *ret,
                struct err *e);
/** Text of others on a terminal: control characters become '?'. lines: line ends and tabs stay. */
void runs_put(struct buf *out, sv text, bool lines);
/** "1 h 02 min", "12.3 s", "" of 0. */
const char *runs_span(int64_t us, char ret[static 24]);
/** "2026-11-24 17:00:00" UTC. */
const char *runs_date(int64_t us, char ret[static 24]);
/** The rank whose log is of interest: the first bad one, else 0. NULL when it left no record. */
const struct run_rank *runs_bad_rank(const struct run_record *r, const struct run_rank *v, size_t n,
                                     unsigned *ret_rank);
/** What probably went wrong, with what its environment has (when this store made it). */
void runs_advise(struct app *app, const struct run_record *r, const struct run_rank *k, sv log, struct run_advice **ret,
                 size_t *ret_n);

#endif
