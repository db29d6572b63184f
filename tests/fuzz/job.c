/* tests/fuzz/job.c - descriptions of runs, whatever they hold: faults and result go together, and what was read survives its JSON. */
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/diag_print.h"
#include "run/job/job.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void comes_back(struct arena *a, const struct run_spec *s)
{
        AUTO(buf_done) struct buf one = BUF_INIT((size_t)1 << 26), two = BUF_INIT((size_t)1 << 26);
        AUTO(err_done) struct err e = { 0 };
        struct run_spec *back;
        struct js *j;

        js_write(run_job_json(a, s), &one);
        if (js_parse(a, buf_sv(&one), &j, &e) < 0) /* texts that are not UTF-8 do not get here: they are not YAML */
                abort();
        if (run_job_from_json(a, j, &back, &e) < 0)
                abort();
        js_write(run_job_json(a, back), &two);
        if (!sv_eq(buf_sv(&one), buf_sv(&two)))
                abort();
        for (size_t i = 0; i < back->n_input; i++)
                if (back->input[i].kind == RUN_INPUT_LITERAL &&
                    run_job_set(a, back, back->input[i].name, SV("'\"$x"), &e) < 0)
                        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(diags_done) struct diags ds = { 0 };
        AUTO(err_done) struct err e = { 0 };
        AUTO(buf_done) struct buf out = BUF_INIT((size_t)1 << 26);
        sv text = { (const char *)p, n };
        struct run_spec *s = NULL;
        int r = run_job_parse(&a, text, SV("job.yml"), SV("/p/.azureml"), &ds, &s, &e);

        run_job_is(text);
        if ((r == 0) != (ds.n_errors == 0) || (r == 0) != (s != NULL))
                abort();
        diag_write(&ds, false, &out);
        if (s) {
                if (!s->experiment.n || !s->nodes || !run_job_ranks(s))
                        abort();
                run_job_curated_name(&s->environment);
                comes_back(&a, s);
        }
        return 0;
}
