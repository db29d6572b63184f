/* cli/sweep_table.h - what came of the runs of a sweep, for people and for programs. */
#ifndef CLI_SWEEP_TABLE_H
#define CLI_SWEEP_TABLE_H

#include <time.h>

#include "cli/run_cli.h"
#include "run/sweep/sweep.h"

struct sweep_run {
        uint64_t which;
        sv text; /* "lr=0.1 seed=2" */
        struct run_spec *spec;
        sv id, dir;               /* empty: not started */
        struct run_status status; /* without texts */
        unsigned attempt;
        bool launched, over;
        int64_t ask_at; /* clock_ms */
        int ask_every;
        struct timespec seen[2]; /* run.json, the ranks' records */
};
struct sweep_table {
        sv id, image, metric; /* metric empty: none is read */
        const struct run_sweep *set;
        const struct sweep_run *run;
        size_t n;
};
/** On stdout. */
void sweep_table_print(struct arena *a, const struct sweep_table *t);
void sweep_table_json(struct arena *a, const struct sweep_table *t);

#endif
