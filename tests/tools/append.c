/* append STORE IMAGE NAME DIR: a snapshot of DIR as one more layer of an image of the store; prints the name of the new one. NAME@sha256:… */
#include <stdio.h>

#include "base/cleanup.h"
#include "image/append.h"
#include "run/code/snapshot.h"

struct source {
        struct run_ctx *c;
        struct run_snapshot s;
};

static int write_tar(void *arg, struct writer *w, struct err *e)
{
        struct source *s = arg;

        return run_snapshot_tar(s->c, &s->s, "/.envbuild/code", NULL, 0, w, e);
}

static int append(struct image_ctx *image, char **argv, struct arena *a, struct err *e)
{
        struct run_ctx c = { .op = image->op, .diags = image->diags, .store = image->store };
        struct source s = { .c = &c };
        struct image_appended made;
        struct image_view base;

        if (run_snapshot_take(&c, a, argv[4], &s.s, e) < 0 ||
            image_open(image, sv_from(argv[2]), SV(""), a, &base, e) < 0 ||
            image_append(image, &base, sv_from(argv[3]), write_tar, &s, a, &made, e) < 0)
                return -(int)e->code;
        printf("%.*s\n", SV_ARG(made.name));
        return 0;
}

int main(int argc, char **argv)
{
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(err_done) struct err e = { 0 };
        AUTO(diags_done) struct diags ds = { 0 };
        struct op op = { .jobs = 2 };
        struct image_ctx image = { .op = &op, .diags = &ds };

        if (argc != 5)
                return 2;
        if (store_open(argv[1], true, &op, &image.store, &e) == 0) {
                image.store_writable = true;
                append(&image, argv, &a, &e);
        }
        if (e.code)
                fprintf(stderr, "%s\n%s", e.cause, e.trail ? e.trail : "");
        image_ctx_done(&image);
        return err_exit_code(e.code);
}
