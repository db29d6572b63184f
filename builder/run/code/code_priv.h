/* run/code/code_priv.h - what the files of code/ share. */
#ifndef RUN_CODE_CODE_PRIV_H
#define RUN_CODE_CODE_PRIV_H

#include "run/code/index.h"
#include "run/code/list.h"

struct run_found {
        struct run_file file;
        struct run_seen seen;
        bool known; /* its digest is */
        bool fresh; /* it was read just now */
        int fault;  /* 0, an errno, or RUN_FAULT_CHANGED */
};
#define RUN_FAULT_CHANGED (-1)

struct run_source {
        struct run_ctx *c;
        struct arena *a;
        sv dir;              /* as the user named it */
        int fd;              /* of it */
        struct run_found *v; /* sorted by path once it was walked */
        size_t n, cap;
};
/** Everything that counts, files not read yet. Faults go to c->diags, the walk goes on. -ERR_CANCELLED, -ERR_IO. */
int run_source_walk(struct run_source *s, struct err *e);
/** "DIR/PATH", for diagnostics. */
sv run_source_name(const struct run_source *s, sv path);
/** EB523 or EB525, as f->fault says. */
void run_source_fault(const struct run_source *s, const struct run_found *f);
/** EB520 and EB521. */
void run_source_warn(const struct run_source *s, const struct run_snapshot *x);
/** A name that people give to keys and passwords. Pure. */
bool run_path_is_secret(sv path);

#endif
