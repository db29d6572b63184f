/* The command line. Numbers are checked here, so that nothing behind it overflows. */
#include <string.h>

#include "shim/shim.h"

enum kind { TEXT, NUMBER, RANK, DIST, FLAG };
static const struct option {
        const char *name;
        enum kind kind;
        size_t at; /* of the field */
        uint64_t min, max;
} table[] = {
#define AT(field) offsetof(struct shim_options, field)
        { "dir", TEXT, AT(dir), 0, 0 },
        { "run-id", TEXT, AT(run_id), 0, 0 },
        { "image", TEXT, AT(image), 0, 0 },
        { "master", TEXT, AT(master), 0, 0 },
        { "hosts", TEXT, AT(hosts), 0, 0 },
        { "env-file", TEXT, AT(env_file), 0, 0 },
        { "path-first", TEXT, AT(path_first), 0, 0 },
        { "code-from", TEXT, AT(code_from), 0, 0 },
        { "outputs", TEXT, AT(outputs), 0, 0 },
        { "workdir", TEXT, AT(workdir), 0, 0 },
        { "termination-log", TEXT, AT(termination_log), 0, 0 },
        { "attempt", NUMBER, AT(attempt), 1, 1000000 },
        { "ranks", NUMBER, AT(ranks), 1, 1000000 },
        { "per-node", NUMBER, AT(per_node), 1, 1000000 },
        { "nodes", NUMBER, AT(nodes), 1, 1000000 },
        { "port", NUMBER, AT(port), 1, 65535 },
        { "workers", NUMBER, AT(workers), 0, 1000000 },
        { "servers", NUMBER, AT(servers), 0, 1000000 },
        { "timeout", NUMBER, AT(timeout_s), 0, UINT32_MAX / 2 },
        { "grace", NUMBER, AT(grace_s), 0, UINT32_MAX / 2 },
        { "peer-grace", NUMBER, AT(peer_grace_s), 0, UINT32_MAX / 2 },
        { "cancel-every", NUMBER, AT(cancel_every_ms), 10, 3600000 },
        { "rank", RANK, AT(rank), 0, 999999 },
        { "dist", DIST, AT(dist), 0, 0 },
        { "console", FLAG, AT(console), 0, 0 },
        { "own-group-only", FLAG, AT(own_group_only), 0, 0 },
#undef AT
};

static const struct option *find(const char *word)
{
        for (size_t i = 0; i < ARRAY_LEN(table); i++)
                if (strncmp(word, "--", 2) == 0 && strcmp(word + 2, table[i].name) == 0)
                        return &table[i];
        return NULL;
}

static int dist_read(const char *value, enum shim_dist *ret, struct err *e)
{
        static const char *const names[] = { [SHIM_DIST_PYTORCH] = "pytorch",
                                             [SHIM_DIST_MPI] = "mpi",
                                             [SHIM_DIST_TENSORFLOW] = "tensorflow" };

        for (size_t i = SHIM_DIST_PYTORCH; i < ARRAY_LEN(names); i++)
                if (strcmp(value, names[i]) == 0) {
                        *ret = (enum shim_dist)i;
                        return 0;
                }
        return err_set(e, ERR_USAGE, "--dist is pytorch, mpi or tensorflow, not '%s'", value);
}

static int take(const struct option *t, const char *value, struct shim_options *ret, struct err *e)
{
        void *field = (char *)ret + t->at;
        uint64_t n = 0;

        switch (t->kind) {
        case TEXT:
                *(const char **)field = *value ? value : NULL;
                return 0;
        case DIST:
                return dist_read(value, field, e);
        case FLAG:
                *(bool *)field = true;
                return 0;
        default:
                break;
        }
        if (!sv_u64(sv_from(value), &n) || n < t->min || n > t->max)
                return err_set(e, ERR_USAGE, "--%s is a number from %lu to %lu, not '%s'", t->name,
                               (unsigned long)t->min, (unsigned long)t->max, value);
        if (t->kind == RANK)
                *(int *)field = (int)n;
        else
                *(unsigned *)field = (unsigned)n;
        return 0;
}

static int complete(struct shim_options *o, struct err *e)
{
        if (!o->dir || o->dir[0] != '/')
                return err_set(e, ERR_USAGE, "--dir must be an absolute path");
        if (!o->attempt || !o->ranks)
                return err_set(e, ERR_USAGE, "--attempt and --ranks are needed");
        if (!o->per_node)
                o->per_node = o->nodes ? (o->ranks + o->nodes - 1) / o->nodes : o->ranks;
        if (!o->nodes)
                o->nodes = (o->ranks + o->per_node - 1) / o->per_node;
        if (o->dist == SHIM_DIST_TENSORFLOW && !o->workers && !o->servers)
                o->workers = o->ranks;
        if (o->dist == SHIM_DIST_TENSORFLOW && o->workers + o->servers != o->ranks)
                return err_set(e, ERR_USAGE, "--workers %u and --servers %u do not make --ranks %u", o->workers,
                               o->servers, o->ranks);
        if (o->rank >= 0 && (unsigned)o->rank >= o->ranks)
                return err_set(e, ERR_USAGE, "--rank %d is not below --ranks %u", o->rank, o->ranks);
        return 0;
}

int shim_options_parse(int argc, char **argv, struct shim_options *ret, struct err *e)
{
        int i;

        *ret = (struct shim_options){ .rank = -1, .grace_s = 30, .peer_grace_s = 30, .cancel_every_ms = 1000 };
        for (i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
                const struct option *t = find(argv[i]);

                if (!t)
                        return err_set(e, ERR_USAGE, "'%s' is no option of envbuild-rank", argv[i]);
                if (t->kind != FLAG && i + 1 >= argc)
                        return err_set(e, ERR_USAGE, "--%s needs a value", t->name);
                if (take(t, t->kind == FLAG ? "" : argv[i + 1], ret, e) < 0)
                        return -(int)e->code;
                if (t->kind != FLAG)
                        i++;
        }
        if (i + 1 >= argc)
                return err_set(e, ERR_USAGE, "no command: envbuild-rank OPTIONS -- COMMAND");
        ret->argv = argv + i + 1;
        return complete(ret, e);
}
