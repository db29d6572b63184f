/* tests/unit/run/record_place.h - runs in a folder of their own, with a store, gone afterwards; and a target that does as it is told. */
#ifndef TESTS_UNIT_RUN_RECORD_PLACE_H
#define TESTS_UNIT_RUN_RECORD_PLACE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "run/record/record_priv.h"
#include "run/target/submit.h"
#include "tests/unit/unit.h"

struct place {
        char path[64], runs[80];
        struct arena arena;
        struct diags diags;
        struct op op;
        struct run_ctx ctx;
        struct run_spec spec;
};

static inline int place_setup(void **state)
{
        struct place *p = calloc(1, sizeof(*p));
        struct err e = { 0 };
        char store[80];

        snprintf(p->path, sizeof(p->path), "/tmp/envbuild-test-XXXXXX");
        if (!mkdtemp(p->path))
                return -1;
        snprintf(p->runs, sizeof(p->runs), "%s/runs", p->path);
        setenv("ENVBUILD_RUNS_DIR", p->runs, 1);
        setenv("XDG_CONFIG_HOME", p->path, 1);
        p->op.jobs = 1;
        p->ctx = (struct run_ctx){ .op = &p->op, .diags = &p->diags, .program = "/bin/false", .rank = "/bin/false" };
        snprintf(store, sizeof(store), "%s/store", p->path);
        if (store_open(store, true, NULL, &p->ctx.store, &e) < 0)
                return -1;
        run_job_init(&p->spec);
        p->spec.name = SV("Train It");
        p->spec.experiment = SV("exp");
        *state = p;
        return 0;
}

static inline int place_teardown(void **state)
{
        struct place *p = *state;
        struct err e = { 0 };
        int r;

        store_close(p->ctx.store);
        r = fs_remove(p->path, &e);
        err_done(&e);
        diags_done(&p->diags);
        arena_done(&p->arena);
        free(p);
        return r;
}

static inline void must(int r, struct err *e)
{
        if (r < 0)
                fail_msg("%s", e->cause ? e->cause : "(no cause)");
}

static inline struct run_record *place_record(struct place *p)
{
        struct run_record *r = NULL;
        struct err e = { 0 };

        must(run_record_create(&p->ctx, &p->arena, sv_from(p->runs), &p->spec, &r, &e), &e);
        r->target = SV("fake");
        must(run_record_write(r, &e), &e);
        return r;
}

static inline struct run_record *place_read(struct place *p, const struct run_record *r)
{
        struct run_record *ret = NULL;
        struct err e = { 0 };

        must(run_record_open(&p->arena, r->dir, &ret, &e), &e);
        return ret;
}

static inline void place_write(struct place *p, const struct run_record *r, const char *name, const char *text)
{
        sv path = run_path(&p->arena, r, "%s", name);
        struct err e = { 0 };

        must(fs_write(path.p, sv_from(text), 0644, &e), &e);
}

static inline sv place_text(struct place *p, const struct run_record *r, const char *name)
{
        AUTO(buf_done) struct buf b = BUF_INIT(1 << 20);
        struct err e = { 0 };

        must(fs_read(run_path(&p->arena, r, "%s", name).p, &b, &e), &e);
        return arena_sv(&p->arena, buf_sv(&b));
}

#endif
