#include "base/cleanup.h"
#include "run/target/slurm_priv.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void inside(sv text, sv part)
{
        if (part.n && (part.p < text.p || part.p + part.n > text.p + text.n))
                __builtin_trap();
}

/* What Slurm's programs print, each reader in turn; what is read is decided upon. */
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
        AUTO(arena_done) struct arena a = { 0 };
        const sv text = { (const char *)p, n };
        const struct slurm_seen seen = { .ranks = RUN_STATUS_INIT };
        struct run_status s = RUN_STATUS_INIT;
        struct slurm_job j = { 0 };
        sv id, cluster;

        if (slurm_job_parse(text, &j)) {
                inside(text, j.state);
                inside(text, j.name);
                inside(text, j.reason);
                if (slurm_decide(&a, &j, &seen, &s) && s.state == RUN_COMPLETED)
                        __builtin_trap(); /* never on Slurm's word alone */
        }
        if (slurm_sacct_parse(text, &j))
                slurm_decide(&a, &j, &seen, &s);
        inside(text, slurm_queue_parse(text, SV("a.1")));
        inside(text, slurm_fault_line(text));
        slurm_fault_of(text);
        id = slurm_submitted_parse(text);
        if (id.n && !slurm_handle_parse(id, &id, &cluster))
                __builtin_trap();
        return 0;
}
