/* tests/fuzz/definition.h - a definition of which every file that it names is itself, or a small one. */
#ifndef TESTS_FUZZ_DEFINITION_H
#define TESTS_FUZZ_DEFINITION_H

#include <stdlib.h>

#include "base/cleanup.h"
#include "base/diag_print.h"
#include "spec/spec.h"

struct definition {
        const char *name;
        sv text;
};

static int definition_read(void *arg, sv path, struct buf *ret, struct err *e)
{
        const struct definition *d = arg;

        if (sv_is(path, d->name))
                buf_add(ret, d->text);
        else if (sv_starts(path, SV("no")))
                return err_set(e, ERR_NOT_FOUND, "cannot read '%.*s'", SV_ARG(path));
        else
                buf_add(ret, SV("flask<3\n-c limits.txt\n-----BEGIN CERTIFICATE-----\n"));
        return 0;
}

static bool definition_env(void *arg, sv name, sv *ret)
{
        (void)arg;
        *ret = sv_is(name, "BLANK") ? SV("a --b 'c") : SV("1.0");
        return !sv_starts(name, SV("NO"));
}

/* Faults and error go together, every fault can be shown, and the request is the same each time it is asked for. */
static void definition_run(struct definition *d)
{
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(diags_done) struct diags ds = { 0 };
        AUTO(err_done) struct err e = { 0 };
        AUTO(buf_done) struct buf out = BUF_INIT((size_t)1 << 26);
        struct spec_io io = { d, definition_read, definition_env };
        sv path = sv_from(d->name);
        struct spec *s = NULL;
        int r = spec_load(&a, &path, 1, &io, &ds, &s, &e);

        if (r == 0) {
                static const struct conda_channel_settings settings;
                s->conda_settings = &settings;
                r = spec_finish(&a, s, &io, &ds, &e);
        }
        if ((r == 0) != (ds.n_errors == 0))
                abort();
        diag_write(&ds, false, &out);
        if (r == 0) {
                sha256 one = spec_request(s), two = spec_request(s);
                if (!sha256_eq(&one, &two) || !s->name.n)
                        abort();
        }
}

#endif
