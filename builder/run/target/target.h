/* run/target/target.h - who can run a run. A target is one file with one table, named in target/table.c. Engines are their own programs, called
 * through base/proc.h (never a shell, LC_ALL=C, a deadline); what they lose (exit codes, logs) is kept by envbuild-rank.
 * Order: render, submit, then poll any number of times; the record is written between (run/target/submit.h), so that a kill anywhere loses nothing. */
#ifndef RUN_TARGET_TARGET_H
#define RUN_TARGET_TARGET_H

#include "run/job/profile.h"
#include "run/record/record.h"

enum run_caps {
        RUN_CAP_MULTI_NODE = 1,
        RUN_CAP_SHARED_FS =
                2,          /* the run's folder is seen by the ranks: envbuild-rank writes records and logs into it */
        RUN_CAP_IMAGE = 4,  /* takes an image from a registry (name@sha256:…) */
        RUN_CAP_ROOTFS = 8, /* takes an image from our store: submit/image.json, layers unpacked where the ranks run */
        RUN_CAP_CODE_LAYER = 16,   /* the source must be a layer of the image: rec->run_image */
        RUN_CAP_HOST = 32,         /* runs without an image (RUN_ENV_HOST) */
        RUN_CAP_REMOTE_INPUT = 64, /* takes azureml: and https: inputs */
        RUN_CAP_RETRY = 128,
        RUN_CAP_LOCAL_STORE =
                256 /* takes an image from our store: put into the engine's own (image/local_stores.h), rec->run_image is what it is called there */
};
/* One run in hand; everything borrowed. */
struct run {
        struct run_ctx *ctx;
        struct arena *arena;
        struct run_record *rec; /* rec->spec is the description */
        const struct run_profile *profile;
};
struct run_probe { /* what `doctor` shows */
        bool works;
        sv version; /* "podman 4.3.1" */
        sv why;     /* when not: what is missing */
        sv hint;    /* what to do about it */
};
struct run_key { /* keys a profile may have */
        const char *name;
        enum { RUN_KEY_TEXT, RUN_KEY_BOOL, RUN_KEY_LIST, RUN_KEY_NUMBER } kind;
        const char *choice; /* "auto|bwrap|runc"; NULL: any */
};
struct run_target {
        const char *name;
        const char *summary; /* for --help and doctor */
        unsigned caps;
        const struct run_key *key; /* ends with a NULL name; NULL: none */
        /** Tools, versions, reachability; no side effect, at most a few seconds. Fills *ret; fails only when cancelled. */
        int (*probe)(struct run_ctx *c, struct arena *a, const struct run_profile *p, struct run_probe *ret,
                     struct err *e);
        /** Refuse what it cannot do (-ERR_USAGE), then write submit/…; no effect outside the run's folder. What a person may look at, submit or keep. */
        int (*render)(struct run *r, struct err *e);
        /** At most once per (id, attempt): carries rec->token. *ret_handle is not empty. -ERR_FAILED: the engine refused; -ERR_NET: nobody knows (find is asked). */
        int (*submit)(struct run *r, sv *ret_handle, struct err *e);
        /** Was it submitted after all? Empty handle: no. */
        int (*find)(struct run *r, sv *ret_handle, struct err *e);
        /** One question, at most 30 s. *ret comes in as the record has it. -ERR_NET: the engine did not answer, nothing is known. */
        int (*poll)(struct run *r, struct run_status *ret, struct err *e);
        /** Ask for the end; fine on one that is over. status/cancel is written already. */
        int (*cancel)(struct run *r, struct err *e);
        /** Bring outputs, logs and ranks' records into the run's folder, as far as they are not there; may be done again. NULL: they are. */
        int (*collect)(struct run *r, struct err *e);
        /** Remove what is left at the engine (containers, objects, secrets). For a run that is over. NULL: nothing is. */
        int (*cleanup)(struct run *r, struct err *e);
};
extern const struct run_target *const run_targets[]; /* NULL at the end; "local" first */
const struct run_target *run_target_find(sv name);   /* NULL: no such one */

#endif
