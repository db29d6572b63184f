/* The targets. */
#include "run/target/target.h"

extern const struct run_target run_target_local, run_target_process;
extern const struct run_target run_target_podman, run_target_docker;
extern const struct run_target run_target_slurm;
extern const struct run_target run_target_kubernetes, run_target_azureml;

const struct run_target *const run_targets[] = {
        &run_target_local, &run_target_process,    &run_target_podman,  &run_target_docker,
        &run_target_slurm, &run_target_kubernetes, &run_target_azureml, NULL,
};

const struct run_target *run_target_find(sv name)
{
        for (size_t i = 0; run_targets[i]; i++)
                if (sv_is(name, run_targets[i]->name))
                        return run_targets[i];
        return NULL;
}
