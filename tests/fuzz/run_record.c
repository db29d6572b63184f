/* run.json: whatever the text, it is taken or told. What is taken is written and read again with the same meaning; the quick reader of lists says what
 * the whole one says. */
#include <stdlib.h>

#include "base/cleanup.h"
#include "run/record/record_priv.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void check(bool ok)
{
        if (!ok)
                abort();
}

static void same_row(struct arena *a, sv text)
{
        AUTO(err_done) struct err e = { 0 }, f = { 0 };
        struct run_row head = { 0 }, whole = { 0 };
        int r = run_doc_row(a, text, false, &head, &e), w = run_doc_row(a, text, true, &whole, &f);

        if (r == 0 && w == 0)
                check(sv_eq(head.id, whole.id) && head.status.state == whole.status.state &&
                      head.created_us == whole.created_us && sv_eq(head.name, whole.name));
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(err_done) struct err e = { 0 }, again = { 0 };
        AUTO(buf_done) struct buf one = BUF_INIT(RUN_JSON_MAX), two = BUF_INIT(RUN_JSON_MAX);
        struct run_record *r = NULL, *back = NULL;
        struct run_row row;
        sv text = { (const char *)p, n };

        same_row(&a, text);
        if (run_doc_parse(&a, text, SV("/runs/x"), &r, &e) < 0) {
                check(e.code == ERR_INTEGRITY && e.cause);
                return 0;
        }
        run_doc_write(r, &one);
        check(run_doc_parse(&a, buf_sv(&one), SV("/runs/x"), &back, &again) == 0);
        run_doc_write(back, &two);
        check(sv_eq(buf_sv(&one), buf_sv(&two)));
        check(run_doc_row(&a, buf_sv(&one), true, &row, &again) == 0 && sv_eq(row.id, r->id));
        return 0;
}
