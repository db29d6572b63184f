/* tests/fuzz/yaml.c - a refusal has a fault with a place; every scalar that was read comes back from yaml_write_scalar. */
#include "ext/yaml.h"

#include <stdlib.h>

#include "base/cleanup.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void comes_back(sv text, bool flow)
{
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(diags_done) struct diags ds = { 0 };
        AUTO(err_done) struct err e = { 0 };
        AUTO(buf_done) struct buf doc = BUF_INIT((size_t)1 << 24);
        struct yaml *y;

        buf_add(&doc, flow ? SV("k: [") : SV("k: "));
        yaml_write_scalar(text, flow, &doc);
        buf_add(&doc, flow ? SV(", x]\n") : SV("\n"));
        if (yaml_parse(&a, buf_sv(&doc), SV("x"), &ds, &y, &e) < 0)
                abort();
        y = yaml_get(y, "k");
        if (!sv_eq(flow ? y->v[0].value->text : y->text, text))
                abort();
}

/* The first nodes only: aliases open to more. */
static void walk(const struct yaml *y, int *left)
{
        if (--*left < 0)
                return;
        if (!y->line || !y->col)
                abort();
        if (y->type == YAML_SCALAR) {
                comes_back(y->text, false);
                comes_back(y->text, true);
        }
        for (size_t i = 0; i < y->n; i++) {
                if (y->v[i].key)
                        walk(y->v[i].key, left);
                walk(y->v[i].value, left);
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(diags_done) struct diags ds = { 0 };
        AUTO(err_done) struct err e = { 0 };
        struct yaml *y;
        int left = 200;

        if (yaml_parse(&a, (sv){ (const char *)p, n }, SV("x"), &ds, &y, &e) == 0)
                walk(y, &left);
        else if (!ds.n_errors)
                abort();
        for (size_t i = 0; i < ds.n; i++)
                if (!ds.v[i].line || !ds.v[i].col)
                        abort();
        return 0;
}
