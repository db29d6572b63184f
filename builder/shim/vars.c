/* The command's variables. What launchers of the distribution's kind call things: PyTorch's MASTER_ADDR …, OpenMPI's, TensorFlow's TF_CONFIG. */
#include <string.h>

#include "shim/shim.h"

#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* Ranks of a run must agree on it without talking, and two runs on one host should not meet. */
static unsigned port_of(const struct shim_options *o, char *const *env)
{
        enum { FIRST = 20000, RANGE = 20000, MAX = 65535 };
        const char *set = shim_env_get(env, "MASTER_PORT");
        uint64_t n;

        if (o->port)
                return o->port;
        if (set && sv_u64(sv_from(set), &n) && n > 0 && n <= MAX)
                return (unsigned)n;
        return FIRST + (unsigned)(sv_hash(sv_from(o->run_id)) % RANGE);
}

static sv host_at(const char *hosts, unsigned n)
{
        sv rest = sv_from(hosts), host = { 0 };

        for (unsigned i = 0; i <= n; i++)
                if (!sv_cut(&rest, ',', &host))
                        return (sv){ 0 };
        return host;
}

static unsigned host_count(const char *hosts)
{
        sv rest = sv_from(hosts), host;
        unsigned n = 0;

        while (sv_cut(&rest, ',', &host))
                n++;
        return n;
}

/* Where rank 0 is; NULL: not known. */
static const char *master_of(struct arena *a, const struct shim_options *o, char *const *env)
{
        const char *set = shim_env_get(env, "MASTER_ADDR");

        if (o->master)
                return o->master;
        if (o->hosts)
                return arena_str(a, host_at(o->hosts, 0));
        if (o->nodes == 1)
                return "127.0.0.1";
        return set && *set ? set : NULL;
}

static int master_need(struct arena *a, const struct shim_options *o, char *const *env, const char **ret, struct err *e)
{
        *ret = master_of(a, o, env);
        return *ret ? 0
                    : err_set(e, ERR_USAGE,
                              "the ranks are on %u nodes, but neither --master nor MASTER_ADDR says where "
                              "the first is",
                              o->nodes);
}

static int pytorch(struct shim_env *s, const struct shim_options *o, const struct shim_place *p, struct err *e)
{
        unsigned port = port_of(o, s->v);
        const char *master;

        if (master_need(s->a, o, s->v, &master, e) < 0)
                return -(int)e->code;
        shim_env_set(s, SV("MASTER_ADDR"), sv_from(master));
        shim_env_fmt(s, "MASTER_PORT", "%u", port);
        shim_env_fmt(s, "WORLD_SIZE", "%u", o->ranks);
        shim_env_fmt(s, "RANK", "%u", p->rank);
        shim_env_fmt(s, "LOCAL_RANK", "%u", p->local);
        shim_env_fmt(s, "NODE_RANK", "%u", p->node);
        shim_env_fmt(s, "LOCAL_WORLD_SIZE", "%u", o->per_node);
        shim_env_fmt(s, "NNODES", "%u", o->nodes);
        return 0;
}

static void unless_set(struct shim_env *s, const char *name, unsigned value)
{
        if (!shim_env_get(s->v, name))
                shim_env_fmt(s, name, "%u", value);
}

/* Under srun nobody sets OpenMPI's variables before MPI_Init, but scripts read them earlier. */
static int mpi(struct shim_env *s, const struct shim_options *o, const struct shim_place *p, struct err *e)
{
        const char *master;

        if (master_need(s->a, o, s->v, &master, e) < 0)
                return -(int)e->code;
        shim_env_fmt(s, "AZ_BATCH_MASTER_NODE", "%s:%u", master, port_of(o, s->v));
        unless_set(s, "OMPI_COMM_WORLD_RANK", p->rank);
        unless_set(s, "OMPI_COMM_WORLD_SIZE", o->ranks);
        unless_set(s, "OMPI_COMM_WORLD_LOCAL_RANK", p->local);
        unless_set(s, "OMPI_COMM_WORLD_LOCAL_SIZE", o->per_node);
        return 0;
}

/* Host of a rank by --hosts: one for each rank, or one for each node. */
static sv tf_host(const struct shim_options *o, unsigned n_hosts, unsigned rank)
{
        if (!o->hosts)
                return SV("127.0.0.1");
        return host_at(o->hosts, n_hosts == o->ranks ? rank : rank / o->per_node);
}

static void tf_list(struct buf *b, const struct shim_options *o, unsigned n_hosts, unsigned from, unsigned to,
                    unsigned port)
{
        for (unsigned i = from; i < to; i++) {
                sv host = tf_host(o, n_hosts, i);
                unsigned before = 0; /* ranks of the same host have a port each */

                for (unsigned j = 0; j < i; j++)
                        before += sv_eq(tf_host(o, n_hosts, j), host);
                buf_fmt(b, "%s\"%.*s:%u\"", i > from ? "," : "", SV_ARG(host), port + before);
        }
}

static int tensorflow(struct shim_env *s, const struct shim_options *o, const struct shim_place *p, struct err *e)
{
        enum { TF_MAX = 1 << 20, TF_RANKS = 4096 };
        unsigned n_hosts = o->hosts ? host_count(o->hosts) : 1, port = port_of(o, s->v);
        struct buf b = BUF_INIT(TF_MAX);
        bool server = p->rank >= o->workers;

        if (!o->hosts && o->nodes > 1)
                return shim_env_get(s->v, "TF_CONFIG")
                               ? 0
                               : err_set(e, ERR_USAGE, "TensorFlow on %u nodes needs --hosts", o->nodes);
        if (o->hosts && n_hosts != o->ranks && n_hosts != o->nodes)
                return err_set(e, ERR_USAGE, "--hosts names %u hosts for %u ranks on %u nodes", n_hosts, o->ranks,
                               o->nodes);
        if (o->ranks > TF_RANKS || (o->hosts && strpbrk(o->hosts, "\"\\")))
                return err_set(e, ERR_USAGE, "these --hosts cannot be TensorFlow's");
        buf_fmt(&b, "{\"cluster\":{\"worker\":[");
        tf_list(&b, o, n_hosts, 0, o->workers, port);
        buf_fmt(&b, "]");
        if (o->servers) {
                buf_fmt(&b, ",\"ps\":[");
                tf_list(&b, o, n_hosts, o->workers, o->ranks, port);
                buf_fmt(&b, "]");
        }
        buf_fmt(&b, "},\"task\":{\"type\":\"%s\",\"index\":%u}}", server ? "ps" : "worker",
                server ? p->rank - o->workers : p->rank);
        if (buf_check(&b, e) == 0)
                shim_env_set(s, SV("TF_CONFIG"), buf_sv(&b));
        buf_done(&b);
        return -(int)e->code;
}

static void ours(struct shim_env *s, const struct shim_options *o, const char *home)
{
        const char *path = shim_env_get(s->v, "PATH");

        if (o->run_id)
                shim_env_set(s, SV("ENVBUILD_RUN_ID"), sv_from(o->run_id));
        if (o->image)
                shim_env_set(s, SV("ENVBUILD_IMAGE"), sv_from(o->image));
        shim_env_fmt(s, "ENVBUILD_ATTEMPT", "%u", o->attempt);
        shim_env_fmt(s, "ENVBUILD_OUTPUTS", "%s/outputs", o->dir);
        shim_env_fmt(s, "ENVBUILD_LOGS", "%s/logs", o->dir);
        shim_env_set(s, SV("PYTHONUNBUFFERED"), SV("1"));
        if (home)
                shim_env_set(s, SV("HOME"), sv_from(home));
        if (!path || !*path)
                path = DEFAULT_PATH;
        if (o->path_first)
                shim_env_fmt(s, "PATH", "%s:%s", o->path_first, path);
        else
                shim_env_set(s, SV("PATH"), sv_from(path));
}

int shim_vars_make(struct arena *a, const struct shim_options *o, const struct shim_place *p, char *const *own, sv file,
                   const char *home, char ***ret, struct err *e)
{
        struct shim_env s = { .a = a };
        int r = 0;

        for (; own && *own; own++) {
                const char *eq = strchr(*own, '=');

                if (eq && eq != *own)
                        shim_env_set(&s, (sv){ *own, (size_t)(eq - *own) }, sv_from(eq + 1));
        }
        if (shim_env_read(&s, file, e) < 0)
                return -(int)e->code;
        ours(&s, o, home);
        if (o->dist == SHIM_DIST_PYTORCH)
                r = pytorch(&s, o, p, e);
        else if (o->dist == SHIM_DIST_MPI)
                r = mpi(&s, o, p, e);
        else if (o->dist == SHIM_DIST_TENSORFLOW)
                r = tensorflow(&s, o, p, e);
        if (r == 0)
                *ret = s.v;
        return r;
}
