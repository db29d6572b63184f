/* run/record/follow_priv.h - the pieces of following: waking up (watch.c), log files (tail.c), asking (refresh.c). */
#ifndef RUN_RECORD_FOLLOW_PRIV_H
#define RUN_RECORD_FOLLOW_PRIV_H

#include "run/record/follow.h"

/** Wakes when run.json, the ranks' records or logs of the current attempt change. A network file system tells nobody: there only time passes. */
struct run_watch {
        int fd; /* inotify; -1: none */
        int idle_ms;
};
void run_watch_init(struct run_watch *w, const struct run_record *r);
void run_watch_done(struct run_watch *w);
/** Until something changed, a signal came, or at most a second. busy: something was read just now, so look again soon. */
void run_watch_wait(struct run_watch *w, bool busy);

/** The log files of an attempt, read as they grow. */
struct run_tail {
        struct run_tail_file {
                unsigned rank;
                sv path;
                off_t at;
                struct buf part; /* of a line that has no end yet; only with several */
        } *v;
        size_t n;
        struct op *op; /* a signal ends a long read early; NULL: none */
        struct arena arena;
};
/** rank -1: all of them. tail_lines > 0: begin so many lines before the end. */
void run_tail_init(struct run_tail *t, const struct run_record *r, int rank, unsigned tail_lines);
void run_tail_done(struct run_tail *t);
/** Everything there is beyond what was read. *ret_some: there was something. */
int run_tail_read(struct run_tail *t, const struct run_sink *sink, bool *ret_some, struct err *e);
/** What is left of lines without an end. */
int run_tail_flush(struct run_tail *t, const struct run_sink *sink, struct err *e);

#endif
