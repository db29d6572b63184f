#include "base/cleanup.h"
#include "base/toml.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void walk(const struct toml *t)
{
        if (t->line == 0 || t->col == 0)
                __builtin_trap();
        for (size_t i = 0; i < t->n; i++)
                walk(t->v[i].value);
}

/* Every value has a place, and so has every fault. */
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
        AUTO(arena_done) struct arena a = { 0 };
        struct toml_fault fault;
        struct toml *t;

        if (toml_parse(&a, (sv){ (const char *)p, n }, &t, &fault))
                walk(t);
        else if (!fault.text || fault.line == 0 || fault.col == 0)
                __builtin_trap();
        return 0;
}
