/* Which rank this is, and what its command is told. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shim/shim.h"

#include "../unit.h"

enum { VARS = 8 };

static struct shim_options options(unsigned ranks, unsigned nodes, enum shim_dist dist)
{
        return (struct shim_options){ .dir = "/mnt/run",
                                      .run_id = "train-20260101-abcdef",
                                      .image = "r.example/e@sha256:00",
                                      .attempt = 1,
                                      .ranks = ranks,
                                      .nodes = nodes,
                                      .per_node = (ranks + nodes - 1) / nodes,
                                      .rank = -1,
                                      .dist = dist };
}

static const struct {
        const char *env[VARS];
        int rank; /* --rank */
        unsigned ranks, nodes;
        int want, local, node; /* want -1: refused */
} places[] = {
        { { NULL }, 3, 4, 2, 3, 1, 1 },
        { { "SLURM_PROCID=0" }, 3, 4, 2, 3, 1, 1 }, /* what is said wins */
        { { NULL }, -1, 1, 1, 0, 0, 0 },
        { { NULL }, -1, 2, 1, -1, 0, 0 },
        { { "SLURM_PROCID=5", "SLURM_LOCALID=1", "SLURM_NODEID=2" }, -1, 6, 3, 5, 1, 2 },
        { { "SLURM_PROCID=1", "SLURM_LOCALID=0", "SLURM_NODEID=1" }, -1, 4, 2, 1, 0, 1 }, /* cyclic */
        { { "OMPI_COMM_WORLD_RANK=3", "OMPI_COMM_WORLD_LOCAL_RANK=1", "SLURM_PROCID=0" }, -1, 4, 2, 3, 1, 1 },
        { { "PMIX_RANK=2" }, -1, 4, 2, 2, 0, 1 },
        { { "JOB_COMPLETION_INDEX=1" }, -1, 2, 2, 1, 0, 1 },
        { { "RANK=1" }, -1, 2, 2, 1, 0, 1 },
        { { "SLURM_PROCID=4" }, -1, 4, 2, -1, 0, 0 },
        { { "SLURM_PROCID=x" }, -1, 4, 2, -1, 0, 0 },
        { { "SLURM_PROCID=" }, -1, 4, 2, -1, 0, 0 },
        { { "SLURM_PROCID=3" }, -1, 1, 1, 0, 0, 0 }, /* a run of one rank, started inside somebody else's job */
};

static void place_rows(void **state)
{
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(places); i++) {
                struct shim_options o = options(places[i].ranks, places[i].nodes, SHIM_DIST_NONE);
                struct shim_place p = { 0 };
                struct err e = { 0 };
                int r;

                o.rank = places[i].rank;
                r = shim_place_find(&o, (char *const *)places[i].env, &p, &e);
                if (places[i].want < 0 ? r == 0
                                       : r < 0 || (int)p.rank != places[i].want || (int)p.local != places[i].local ||
                                                 (int)p.node != places[i].node) {
                        bad++;
                        print_error("row %zu: %d, rank %u local %u node %u %s\n", i, r, p.rank, p.local, p.node,
                                    e.cause ? e.cause : "");
                }
                err_done(&e);
        }
        assert_int_equal(bad, 0);
}

#define TF_LOCAL                                                                                                       \
        "{\"cluster\":{\"worker\":[\"127.0.0.1:7000\",\"127.0.0.1:7001\"],\"ps\":[\"127.0.0.1:7002\"]},"               \
        "\"task\":{\"type\":\"ps\",\"index\":0}}"
#define TF_PODS "{\"cluster\":{\"worker\":[\"j-0.j:7000\",\"j-1.j:7000\"]},\"task\":{\"type\":\"worker\",\"index\":1}}"
#define TF_NODES                                                                                                       \
        "{\"cluster\":{\"worker\":[\"a:7000\",\"a:7001\",\"b:7000\"],\"ps\":[\"b:7001\"]},"                            \
        "\"task\":{\"type\":\"worker\",\"index\":2}}"

static const struct {
        const char *own[VARS];
        const char *file;
        size_t file_n;
        unsigned ranks, nodes;
        int rank;
        enum shim_dist dist;
        const char *master, *hosts, *path_first, *home;
        unsigned port, servers;
        const char *want[VARS]; /* "K=V" there, "!K" not there */
        const char *says;       /* refused */
} vars[] = {
#define FILE_OF(text) .file = text, .file_n = sizeof(text) - 1
        { .own = { "A=own", "B=own", "PYTHONUNBUFFERED=0", "PATH=/bin" },
          FILE_OF("B=file\0C=1=2\0C=\0PYTHONUNBUFFERED=\0"),
          .ranks = 1,
          .nodes = 1,
          .want = { "A=own", "B=file", "C=", "PYTHONUNBUFFERED=1", "ENVBUILD_RUN_ID=train-20260101-abcdef",
                    "ENVBUILD_OUTPUTS=/mnt/run/outputs", "PATH=/bin", "!RANK" } },
        { .own = { "PATH=/bin" },
          .ranks = 1,
          .nodes = 1,
          .path_first = "/opt/py/bin",
          .home = "/h",
          .want = { "PATH=/opt/py/bin:/bin", "HOME=/h", "ENVBUILD_ATTEMPT=1", "ENVBUILD_LOGS=/mnt/run/logs",
                    "ENVBUILD_IMAGE=r.example/e@sha256:00" } },
        { .ranks = 1,
          .nodes = 1,
          .want = { "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "!HOME" } },
        { .ranks = 1, .nodes = 1, FILE_OF("A=1\0B"), .says = "cut" },
        { .ranks = 1, .nodes = 1, FILE_OF("A=1\0B\0"), .says = "entry 2" },
        { .ranks = 1, .nodes = 1, FILE_OF("=1\0"), .says = "entry 1" },
        { .ranks = 4,
          .nodes = 2,
          .rank = 3,
          .dist = SHIM_DIST_PYTORCH,
          .master = "n1",
          .port = 6105,
          .want = { "MASTER_ADDR=n1", "MASTER_PORT=6105", "WORLD_SIZE=4", "RANK=3", "LOCAL_RANK=1", "NODE_RANK=1",
                    "LOCAL_WORLD_SIZE=2", "NNODES=2" } },
        { .own = { "MASTER_ADDR=n7", "MASTER_PORT=1234" },
          .ranks = 2,
          .nodes = 2,
          .rank = 1,
          .dist = SHIM_DIST_PYTORCH,
          .want = { "MASTER_ADDR=n7", "MASTER_PORT=1234", "RANK=1" } },
        { .own = { "MASTER_ADDR=n7" },
          .ranks = 2,
          .nodes = 1,
          .dist = SHIM_DIST_PYTORCH,
          .want = { "MASTER_ADDR=127.0.0.1", "RANK=0" } },
        { .ranks = 2, .nodes = 2, .dist = SHIM_DIST_PYTORCH, .says = "neither --master" },
        { .ranks = 2,
          .nodes = 1,
          .rank = 1,
          .dist = SHIM_DIST_MPI,
          .port = 9,
          .want = { "AZ_BATCH_MASTER_NODE=127.0.0.1:9", "OMPI_COMM_WORLD_RANK=1", "OMPI_COMM_WORLD_SIZE=2",
                    "OMPI_COMM_WORLD_LOCAL_RANK=1", "OMPI_COMM_WORLD_LOCAL_SIZE=2", "!RANK" } },
        { .own = { "OMPI_COMM_WORLD_LOCAL_SIZE=7" },
          .ranks = 2,
          .nodes = 1,
          .dist = SHIM_DIST_MPI,
          .want = { "OMPI_COMM_WORLD_LOCAL_SIZE=7" } },
        { .ranks = 3,
          .nodes = 1,
          .rank = 2,
          .dist = SHIM_DIST_TENSORFLOW,
          .servers = 1,
          .port = 7000,
          .want = { "TF_CONFIG=" TF_LOCAL } },
        { .ranks = 2,
          .nodes = 2,
          .rank = 1,
          .dist = SHIM_DIST_TENSORFLOW,
          .hosts = "j-0.j,j-1.j",
          .port = 7000,
          .want = { "TF_CONFIG=" TF_PODS } },
        { .ranks = 4,
          .nodes = 2,
          .rank = 2,
          .dist = SHIM_DIST_TENSORFLOW,
          .servers = 1,
          .hosts = "a,b",
          .port = 7000,
          .want = { "TF_CONFIG=" TF_NODES } },
        { .ranks = 2, .nodes = 2, .dist = SHIM_DIST_TENSORFLOW, .says = "needs --hosts" },
        { .own = { "TF_CONFIG=theirs" },
          .ranks = 2,
          .nodes = 2,
          .dist = SHIM_DIST_TENSORFLOW,
          .want = { "TF_CONFIG=theirs" } },
        { .ranks = 3, .nodes = 3, .dist = SHIM_DIST_TENSORFLOW, .hosts = "a,b", .says = "names 2 hosts" },
        { .ranks = 2, .nodes = 2, .dist = SHIM_DIST_TENSORFLOW, .hosts = "a\",b", .says = "cannot be" },
#undef FILE_OF
};

static bool holds(char *const *env, const char *want)
{
        const char *eq = strchr(want, '=');
        char name[64];

        if (*want == '!')
                return !shim_env_get(env, want + 1);
        snprintf(name, sizeof(name), "%.*s", (int)(eq - want), want);
        return shim_env_get(env, name) && strcmp(shim_env_get(env, name), eq + 1) == 0;
}

static void vars_rows(void **state)
{
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(vars); i++) {
                struct shim_options o = options(vars[i].ranks, vars[i].nodes, vars[i].dist);
                struct shim_place p;
                struct arena a = { 0 };
                struct err e = { 0 };
                char **env = NULL;
                int r;

                o.rank = vars[i].rank;
                o.master = vars[i].master;
                o.hosts = vars[i].hosts;
                o.path_first = vars[i].path_first;
                o.port = vars[i].port;
                o.servers = vars[i].servers;
                o.workers = vars[i].ranks - vars[i].servers;
                assert_int_equal(shim_place_find(&o, NULL, &p, &e), 0);
                r = shim_vars_make(&a, &o, &p, (char *const *)vars[i].own, (sv){ vars[i].file, vars[i].file_n },
                                   vars[i].home, &env, &e);
                if (vars[i].says ? r == 0 || !strstr(e.cause, vars[i].says) : r < 0) {
                        bad++;
                        print_error("row %zu: %d %s\n", i, r, e.cause ? e.cause : "");
                }
                for (size_t j = 0; r == 0 && j < VARS && vars[i].want[j]; j++)
                        if (!holds(env, vars[i].want[j])) {
                                bad++;
                                print_error("row %zu: not %s, TF_CONFIG=%s\n", i, vars[i].want[j],
                                            shim_env_get(env, "TF_CONFIG"));
                        }
                err_done(&e);
                arena_done(&a);
        }
        assert_int_equal(bad, 0);
}

/* Ranks agree on a port without talking; other runs have another. */
static void vars_port(void **state)
{
        struct shim_options o = options(2, 1, SHIM_DIST_PYTORCH);
        struct arena a = { 0 };
        struct err e = { 0 };
        char *port[3];

        (void)state;
        for (int i = 0; i < 3; i++) {
                struct shim_place p = { .rank = i == 1 };
                char **env;

                o.run_id = i == 2 ? "other-20260101-abcdef" : "train-20260101-abcdef";
                assert_int_equal(shim_vars_make(&a, &o, &p, NULL, (sv){ 0 }, NULL, &env, &e), 0);
                port[i] = (char *)shim_env_get(env, "MASTER_PORT");
                assert_in_range(atoi(port[i]), 20000, 39999);
        }
        assert_string_equal(port[0], port[1]);
        assert_string_not_equal(port[0], port[2]);
        arena_done(&a);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(place_rows),
                cmocka_unit_test(vars_rows),
                cmocka_unit_test(vars_port),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
