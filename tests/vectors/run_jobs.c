/* tests/vectors/run_jobs.c - run/manifest: every description of a run in corpus/envs (its manifest.tsv) becomes a struct run_spec that survives its
 * JSON, or is refused for a reason that stands in the table below and shows in the file. What is no description is not taken for one. */
#include <stdio.h>

#include "base/cleanup.h"
#include "base/diag_print.h"
#include "run/job/job.h"
#include "tests/vectors/vectors.h"

/* Why a file may be refused: the code of the fault, and what must then stand in the file. */
static const struct {
        const char *code, *word, *why;
} refusals[] = {
        { "EB555", "build:", "the environment is made by a Dockerfile, which is never run here" },
        { "EB555", "baseDockerfile:", "the same in a .runconfig" },
        { "EB557", "PySpark", "a Spark session would have to be started" },
        { "EB557", "pipeline", "several jobs that depend on each other" },
        { "EB557", "sweep", "`envbuild sweep` is the way to run many" },
        { "EB557", "dataReferences:", "data of a workspace that the v1 SDK brings to a run" },
        { "EB557", "data:", "the same" },
        { "EB557", "outputData:", "the same" },
        { "EB553", "script:\n", "a .runconfig whose script a program fills in" },
        { "EB553", "script: \n", "the same" },
        { "EB104", "environment_variables:", "a mapping is there twice: one of them would be lost" },
        { "EB551", "{ your environment name}", "a placeholder that is no text" },
        { "EB550", "{ your environment name}", "the same: a key that nothing has" },
        { "EB550", "{your compute name}", "the same" },
};

static bool allowed(const struct diag *d, sv text)
{
        for (size_t i = 0; i < ARRAY_LEN(refusals); i++)
                if (sv_is(sv_from(d->code), refusals[i].code) && sv_find_sv(text, sv_from(refusals[i].word)) >= 0)
                        return true;
        return false;
}

static sv json_text(struct arena *a, const struct js *j)
{
        AUTO(buf_done) struct buf out = BUF_INIT((size_t)1 << 24);

        js_write(j, &out);
        return arena_sv(a, buf_sv(&out));
}

static const char *read_well(struct arena *a, const struct run_spec *s)
{
        AUTO(err_done) struct err e = { 0 };
        struct js *j = run_job_json(a, s);
        struct run_spec *back;

        if (!s->command.n && !s->n_argv)
                return "it has no command";
        if (!s->experiment.n || !s->nodes || !run_job_ranks(s))
                return "it has no experiment, or no ranks";
        if (run_job_from_json(a, j, &back, &e) < 0)
                return "its JSON is not read";
        return sv_eq(json_text(a, j), json_text(a, run_job_json(a, back))) ? NULL : "its JSON does not come back";
}

static void one(struct vectors *v, sv file, sv folder)
{
        AUTO(diags_done) struct diags ds = { 0 };
        AUTO(err_done) struct err e = { 0 };
        AUTO(buf_done) struct buf text = { 0 }, told = BUF_INIT((size_t)1 << 24);
        sv path = arena_fmt(&v->arena, "%.*s%.*s", SV_ARG(folder), SV_ARG(file));
        const char *id = arena_str(&v->arena, file), *wrong;
        struct run_spec *s;

        if (!vectors_read(v, path.p, &text))
                return;
        if (!run_job_is(buf_sv(&text))) {
                vectors_fail(v, id, "it is not taken for a description");
                return;
        }
        if (run_job_parse(&v->arena, buf_sv(&text), file, SV("/p"), &ds, &s, &e) == 0) {
                wrong = read_well(&v->arena, s);
                vectors_check(v, !wrong, id, "%s", wrong ? wrong : "");
                return;
        }
        for (size_t i = 0; i < ds.n; i++)
                if (ds.v[i].level == DIAG_ERROR && !allowed(&ds.v[i], buf_sv(&text))) {
                        diag_write_one(&ds, &ds.v[i], false, &told);
                        vectors_fail(v, id, "it is refused: %s", told.p);
                        return;
                }
        vectors_check(v, ds.n_errors > 0, id, "it is refused without a fault");
}

static void none(struct vectors *v, sv file, sv folder)
{
        AUTO(buf_done) struct buf text = { 0 };
        sv path = arena_fmt(&v->arena, "%.*s%.*s", SV_ARG(folder), SV_ARG(file));

        if (vectors_read(v, path.p, &text))
                vectors_check(v, !run_job_is(buf_sv(&text)), arena_str(&v->arena, file),
                              "it is taken for a description");
}

static void manifest(struct vectors *v, const struct js *doc)
{
        sv folder = sv_from(v->file);

        folder.n -= sv_basename(folder).n;
        for (size_t i = 0; i < doc->n; i++) {
                const struct js *row = doc->v[i].value;
                sv file = row->n > 1 ? js_str(row->v[0].value) : (sv){ 0 },
                   kind = row->n > 1 ? js_str(row->v[1].value) : file;
                if (sv_is(kind, "aml-v2-job") || sv_is(kind, "aml-v1-runconfig"))
                        one(v, file, folder);
                else if (!sv_is(kind, "kind"))
                        none(v, file, folder);
        }
}

const struct vectors_kind vectors_run_jobs[] = {
        { "run/manifest", manifest },
        { NULL, NULL },
};
