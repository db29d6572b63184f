/* run/sweep/sweep.h - one description, many values: which combinations there are, which of them are run, and what came of one. Pure but for
 * run_sweep_metric. A combination is a number below run_sweep_total(): the last parameter changes fastest. */
#ifndef RUN_SWEEP_SWEEP_H
#define RUN_SWEEP_SWEEP_H

#include "run/job/job.h"

#define RUN_SWEEP_MAX 10000 /* runs of a sweep, and values of a parameter */

struct run_sweep_param {
        sv name;
        sv *value;
        size_t n; /* at least 1 */
};
struct run_sweep {
        struct run_sweep_param *param;
        size_t n, cap;
};

/**
 * Add what `--set` says: NAME=V1,V2,… A value may be a range of numbers, both ends included: 1..5, 10..2:-4, 0..1:0.25 ("\," and "\\" are a comma
 * and a backslash of a text). -ERR_USAGE: no name, no value, twice the same name or value, a range without end.
 */
int run_sweep_add(struct arena *a, struct run_sweep *s, sv text, struct err *e);
/** Combinations in all; UINT64_MAX when there are more. */
uint64_t run_sweep_total(const struct run_sweep *s);
/**
 * Which ones are run, each once: all of them in order, or `random` of them (never more than there are), the same for the same seed everywhere.
 * -ERR_LIMIT: more than RUN_SWEEP_MAX.
 */
int run_sweep_choose(struct arena *a, const struct run_sweep *s, size_t random, uint64_t seed, uint64_t **ret,
                     size_t *ret_n, struct err *e);
/** The value of each parameter in a combination; ret: s->n of them. */
void run_sweep_values(const struct run_sweep *s, uint64_t which, sv *ret);
/** "lr=0.1 seed=2" */
sv run_sweep_text(struct arena *a, const struct run_sweep *s, uint64_t which);
/** The description with the values of a combination in it, also as tags; base stays as it is. -ERR_USAGE: it has no such parameter. */
int run_sweep_spec(struct arena *a, const struct run_spec *base, const struct run_sweep *s, uint64_t which,
                   struct run_spec **ret, struct err *e);
/** A number (or text) of outputs/metrics.json in a run's folder: a JSON object, or lines of them of which the last counts. False: there is none. */
bool run_sweep_metric(struct arena *a, sv dir, sv name, struct js *ret);

#endif
