/* tests/fuzz/import.h - a lock of another tool: what was taken over can be written in every format, and conda-lock's form of it is read as
 * the same again. */
#ifndef TESTS_FUZZ_IMPORT_H
#define TESTS_FUZZ_IMPORT_H

#include <stdlib.h>

#include "base/cleanup.h"
#include "base/diag_print.h"
#include "lock/export.h"
#include "lock/import.h"
#include "lock/tree.h"

static void import_lists(const struct lock *l)
{
        AUTO(err_done) struct err e = { 0 };

        for (size_t i = 0; i < l->n_platform; i++) {
                AUTO(buf_done) struct buf out = BUF_INIT((size_t)1 << 26);
                if (lock_export_explicit(l, &l->platform[i], &out, &e) < 0)
                        abort();
                lock_export_environment(l, &l->platform[i], &out);
                lock_export_requirements(l, &l->platform[i], &out);
                lock_tree(&l->platform[i], &out);
        }
}

static struct lock *import_once(struct arena *a, sv text, const char *file, enum spec_form form)
{
        static const struct conda_channel_settings settings = { .cwd = { "/c", 2 }, .home = { "/h", 2 } };
        struct lock_import_opts o = { .host = SV("linux/amd64"), .settings = &settings };
        AUTO(diags_done) struct diags ds = { 0 };
        AUTO(err_done) struct err e = { 0 };
        AUTO(buf_done) struct buf shown = BUF_INIT((size_t)1 << 26);
        struct lock *l = NULL;
        int r = lock_import(a, text, sv_from(file), form, &o, &ds, &l, &e);

        if ((r == -ERR_USAGE) != (ds.n_errors > 0))
                abort();
        diag_write(&ds, false, &shown);
        return l;
}

/* A channel's URL may lose one of several platforms in its path each time that it is read: conda's rule, and nothing to us. */
static sv import_packages(const struct buf *b)
{
        return sv_skip(buf_sv(b), (size_t)sv_find_sv(buf_sv(b), SV("\npackage:")));
}

static void import_run(sv text, const char *file, enum spec_form form)
{
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(err_done) struct err e = { 0 };
        AUTO(buf_done) struct buf one = BUF_INIT((size_t)1 << 26), two = BUF_INIT((size_t)1 << 26);
        struct lock *l = import_once(&a, text, file, form);

        if (!l)
                return;
        import_lists(l);
        if (lock_export_conda_lock(l, NULL, &one, &e) < 0)
                abort();
        l = import_once(&a, buf_sv(&one), file, SPEC_FORM_CONDA_LOCK);
        if (!l || lock_export_conda_lock(l, NULL, &two, &e) < 0 || !sv_eq(import_packages(&one), import_packages(&two)))
                abort();
}

#endif
