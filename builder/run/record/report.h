/* run/record/report.h - what is told of a run besides its record: the end of a log, events, use of memory, advice, and all of it as a page. */
#ifndef RUN_RECORD_REPORT_H
#define RUN_RECORD_REPORT_H

#include "run/record/record.h"

/** The last lines of a rank's log, at most `max` bytes of them; empty when there is none. */
sv run_log_end(struct arena *a, const struct run_record *r, unsigned rank, unsigned lines, size_t max);

struct run_event { /* of events.jsonl */
        int64_t t_us;
        sv from, to, why;
};
/** In order; lines that cannot be read are left out; at most the last 10,000. */
void run_events_read(struct arena *a, const struct run_record *r, struct run_event **ret, size_t *ret_n);

struct run_use { /* status/<attempt>/usage-N.jsonl, if somebody writes it: {"t":µs,"rss_kb":…,"cpu_ms":…}, cpu since the start */
        int64_t t_us, rss_kb, cpu_ms;
};
/** At most 2,000 of them, spread over all. */
void run_use_read(struct arena *a, const struct run_record *r, unsigned rank, struct run_use **ret, size_t *ret_n);

/** The distribution of PyPI that supplies a module: "cv2" → "opencv-python"; the module's own name when no other is known. */
sv run_module_supplier(sv module);
extern const char *const run_modules[][2]; /* module, distribution; sorted by module; ends with NULL */

struct run_advice {
        sv text; /* what it most likely is */
        sv hint; /* what to type; may be empty */
};
struct run_lock_view { /* what the environment has; NULL functions: not known */
        void *arg;
        bool (*has)(void *arg, sv distribution, sv *ret_version);
};
/** From the status and the end of the first failing rank's log. `k`: that rank's record, or NULL. */
void run_advise(struct arena *a, const struct run_record *r, const struct run_rank *k, sv log,
                const struct run_lock_view *lock, struct run_advice **ret, size_t *ret_n);
/** "Completed", "Failed: exit code 7 of rank 3", "Failed: killed by SIGSEGV", "Failed: over its time limit". */
sv run_status_text(struct arena *a, const struct run_status *s, unsigned ranks);

/** A folder with all that is in it, to `to` (made if it is not there; nothing in it is written over). Links stay links. */
int run_folder_copy(const char *from, const char *to, struct op *op, struct err *e);
/** What is in `from` into `to` (made when missing), name by name by rename(), folders that both have joined. Fine when `from` is no folder. */
int run_folder_move(const char *from, const char *to, struct err *e);

/** One page that needs neither network nor scripts. Every text in it is hostile: escaped. Values of variables named like secrets are not shown. */
void run_html_write(const struct run_record *r, const struct run_rank *rank, size_t n_rank,
                    const struct run_advice *advice, size_t n_advice, struct buf *out);

#endif
