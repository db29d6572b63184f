/* tests/cases/run.c - stories about descriptions of runs: `cases_run FOLDER` runs each *.case in it. A case is
 *   @file NAME …lines…     the description, in the folder /p
 *   @expect …lines…        to the letter what the user reads: every diagnostic
 *   @spec …lines…          then, when the description is good: what was understood, as JSON
 * With --write the expectations are written anew, to be read in the diff. */
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/diag_print.h"
#include "base/fs.h"
#include "run/job/job.h"

struct story {
        sv name, text, expect, spec;
        struct arena arena;
};

/* The lines up to the next that begins with '@'. */
static sv section(sv *rest)
{
        sv from = *rest, line;

        while (rest->n && rest->p[0] != '@' && sv_cut(rest, '\n', &line))
                ;
        return (sv){ from.p, (size_t)(rest->p - from.p) };
}

static bool read_story(struct story *s, sv text)
{
        sv line, word;

        section(&text); /* what stands before the first '@' is for people */
        while (sv_cut(&text, '\n', &line)) {
                sv_cut(&line, ' ', &word);
                if (sv_is(word, "@file")) {
                        s->name = line;
                        s->text = section(&text);
                } else if (sv_is(word, "@expect")) {
                        s->expect = section(&text);
                } else if (sv_is(word, "@spec")) {
                        s->spec = section(&text);
                } else {
                        return false;
                }
        }
        return s->name.n > 0;
}

static void run_story(struct story *s, struct buf *told, struct buf *spec)
{
        AUTO(diags_done) struct diags ds = { 0 };
        AUTO(err_done) struct err e = { 0 };
        struct run_spec *read;

        if (!run_job_is(s->text))
                buf_add(told, SV("this is no description of a run\n"));
        if (run_job_parse(&s->arena, s->text, s->name, SV("/p"), &ds, &read, &e) == 0) {
                js_write_pretty(run_job_json(&s->arena, read), spec);
                buf_byte(spec, '\n');
        }
        diag_write(&ds, false, told);
        if (e.code && e.code != ERR_USAGE)
                buf_fmt(told, "%s\n", e.cause);
}

static int write_story(const char *path, sv text, const struct buf *told, const struct buf *spec, struct err *e)
{
        AUTO(buf_done) struct buf out = BUF_INIT(1 << 22);
        ptrdiff_t at = sv_find_sv(text, SV("@expect\n"));

        buf_add(&out, at < 0 ? text : (sv){ text.p, (size_t)at });
        buf_add(&out, SV("@expect\n"));
        buf_add(&out, buf_sv(told));
        if (spec->n) {
                buf_add(&out, SV("@spec\n"));
                buf_add(&out, buf_sv(spec));
        }
        return fs_write(path, buf_sv(&out), 0644, e);
}

static bool one(const char *path, bool rewrite)
{
        AUTO(buf_done) struct buf text = BUF_INIT(1 << 20), told = BUF_INIT(1 << 20), spec = BUF_INIT(1 << 20);
        AUTO(err_done) struct err e = { 0 };
        struct story s = { 0 };
        bool ok;

        if (fs_read(path, &text, &e) < 0 || !read_story(&s, buf_sv(&text))) {
                printf("%s: %s\n", path, e.cause ? e.cause : "not a story");
                arena_done(&s.arena);
                return false;
        }
        run_story(&s, &told, &spec);
        ok = sv_eq(s.expect, buf_sv(&told)) && sv_eq(s.spec, buf_sv(&spec));
        if (!ok && rewrite)
                ok = write_story(path, buf_sv(&text), &told, &spec, &e) == 0;
        if (!ok)
                printf("%s: expected\n%.*s%.*sbut got\n%.*s%.*s", path, SV_ARG(s.expect), SV_ARG(s.spec), (int)told.n,
                       told.p ? told.p : "", (int)spec.n, spec.p ? spec.p : "");
        arena_done(&s.arena);
        return ok;
}

int main(int argc, char **argv)
{
        AUTO(err_done) struct err e = { 0 };
        AUTO(free_ptr) char **name = NULL;
        bool rewrite = argc > 2 && strcmp(argv[1], "--write") == 0;
        size_t n = 0, passed = 0, failed = 0;
        const char *folder = argv[argc - 1];

        if (argc < 2 || fs_list(folder, &name, &n, &e) < 0)
                return 2;
        for (size_t i = 0; i < n; i++) {
                AUTO(free_ptr) char *path = fs_path("%s/%s", folder, name[i]);
                if (!sv_ends(sv_from(name[i]), SV(".case")))
                        continue;
                if (one(path, rewrite))
                        passed++;
                else
                        failed++;
        }
        printf("%zu passed, %zu failed\n", passed, failed);
        return failed || !passed;
}
