/* Which rank this is. mpirun's variables come before srun's: below an mpirun in a Slurm job SLURM_PROCID is that of the daemon it was started by. */
#include "shim/shim.h"

static const struct source {
        const char *rank, *local, *node;
} sources[] = {
        { "OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_LOCAL_RANK", NULL },
        { "SLURM_PROCID", "SLURM_LOCALID", "SLURM_NODEID" },
        { "PMIX_RANK", NULL, NULL },
        { "JOB_COMPLETION_INDEX", NULL, NULL },
        { "RANK", "LOCAL_RANK", "NODE_RANK" }, /* operators that give pods PyTorch's own names */
};

/* False: not there. */
static bool number(char *const *env, const char *name, uint64_t *ret)
{
        const char *text = name ? shim_env_get(env, name) : NULL;

        return text && sv_u64(sv_from(text), ret) && *ret < 1000000;
}

static int in_range(const struct shim_options *o, const char *name, uint64_t rank, struct err *e)
{
        return rank < o->ranks ? 0
                               : err_set(e, ERR_USAGE, "%s is %lu, but there are %u ranks", name, (unsigned long)rank,
                                         o->ranks);
}

int shim_place_find(const struct shim_options *o, char *const *env, struct shim_place *ret, struct err *e)
{
        uint64_t rank = 0, local, node;
        const struct source *s = NULL;

        if (o->rank >= 0)
                rank = (uint64_t)o->rank;
        for (size_t i = 0; o->rank < 0 && !s && i < ARRAY_LEN(sources); i++)
                if (number(env, sources[i].rank, &rank))
                        s = &sources[i];
        if (!s && o->rank < 0 && o->ranks > 1)
                return err_set(
                        e, ERR_USAGE,
                        "cannot tell which of the %u ranks this is: no --rank, and neither OMPI_COMM_WORLD_RANK, "
                        "SLURM_PROCID, PMIX_RANK nor JOB_COMPLETION_INDEX is set",
                        o->ranks);
        if (s && o->ranks == 1) /* a single rank is rank 0, whatever job it was started from */
                s = NULL, rank = 0;
        if (s && in_range(o, s->rank, rank, e) < 0)
                return -(int)e->code;
        ret->rank = (unsigned)rank;
        ret->local = s && number(env, s->local, &local) ? (unsigned)local : (unsigned)rank % o->per_node;
        ret->node = s && number(env, s->node, &node) ? (unsigned)node : (unsigned)rank / o->per_node;
        return 0;
}
