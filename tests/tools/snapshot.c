/* snapshot STORE take DIR | place DIGEST DIR | tar DIGEST PREFIX [PATH=FILE]: what the tests and the bench of a run's source call. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "run/code/snapshot.h"

static int take(struct run_ctx *c, const char *dir, struct err *e)
{
        AUTO(arena_done) struct arena a = { 0 };
        struct run_snapshot s = { 0 };

        if (run_snapshot_take(c, &a, dir, &s, e) == 0)
                printf("%s %llu files %llu bytes, moved %llu files %llu bytes\n", sha256_hex(&s.digest).s,
                       (unsigned long long)s.files, (unsigned long long)s.bytes, (unsigned long long)s.moved_files,
                       (unsigned long long)s.moved_bytes);
        for (size_t i = 0; i < c->diags->n; i++) {
                const struct diag *d = &c->diags->v[i];
                printf("%s %.*s: %.*s\n", d->code, SV_ARG(d->file), SV_ARG(d->text));
        }
        return -(int)e->code;
}

static int out(struct run_ctx *c, int argc, char **argv, const struct run_snapshot *s, struct err *e)
{
        struct run_extra extra = { .mode = 0755 };
        struct fd_writer w;
        char *eq;

        if (strcmp(argv[2], "place") == 0)
                return run_snapshot_place(c, s, argv[4], e);
        if (argc > 5 && (eq = strchr(argv[5], '='))) {
                *eq = '\0';
                extra.path = argv[5];
                extra.from = eq + 1;
        }
        return run_snapshot_tar(c, s, argv[4], &extra, argc > 5, fd_writer_init(&w, STDOUT_FILENO, "stdout"), e);
}

static int act(struct run_ctx *c, int argc, char **argv, struct err *e)
{
        AUTO(arena_done) struct arena a = { 0 };
        struct run_snapshot s;
        sha256 digest;

        if (strcmp(argv[2], "take") == 0)
                return take(c, argv[3], e);
        if (argc < 5 || !sha256_read(sv_from(argv[3]), &digest))
                return err_set(e, ERR_USAGE, "place and tar need a digest, and a folder or a prefix");
        return run_snapshot_load(c, &a, &digest, &s, e) < 0 ? -(int)e->code : out(c, argc, argv, &s, e);
}

int main(int argc, char **argv)
{
        AUTO(store_closep) struct store *store = NULL;
        AUTO(err_done) struct err e = { 0 };
        AUTO(diags_done) struct diags ds = { 0 };
        struct op op = { .jobs = 2 };
        struct run_ctx c = { .op = &op, .diags = &ds };

        if (argc < 4)
                return 2;
        if (store_open(argv[1], true, &op, &store, &e) == 0) {
                c.store = store;
                act(&c, argc, argv, &e);
        }
        if (e.code)
                fprintf(stderr, "%s\n%s", e.cause, e.trail ? e.trail : "");
        return err_exit_code(e.code);
}
