/* x-envbuild: what a command job has no word for. */
#include "run/job/job_priv.h"

static void take_grace(struct job_read *r, const struct yaml *key, const struct yaml *y)
{
        uint64_t n;

        if (job_number(r, key, y, 0, 86400, &n))
                r->s->grace_s = (unsigned)n;
}

static void take_max(struct job_read *r, const struct yaml *key, const struct yaml *y)
{
        uint64_t n;

        if (job_number(r, key, y, 0, 100, &n))
                r->s->retries = (unsigned)n;
}

static void take_on(struct job_read *r, const struct yaml *key, const struct yaml *y)
{
        static const char *const reasons[] = { "node_fail", "preempted", "lost", "exit-code" };

        if (!job_texts(r, key, y, &r->s->retry_on, &r->s->n_retry_on))
                return;
        for (size_t i = 0; i < y->n; i++) {
                const struct yaml *item = y->v[i].value;
                size_t k = 0;
                while (k < ARRAY_LEN(reasons) && !sv_is(item->text, reasons[k]))
                        k++;
                if (item->type == YAML_SCALAR && k == ARRAY_LEN(reasons))
                        diag_hint(r->ds,
                                  job_fault(r, item, "EB552", "'%.*s' is no reason to try again", SV_ARG(item->text)),
                                  "one of node_fail, preempted, lost, exit-code");
        }
}

static void take_retry(struct job_read *r, const struct yaml *key, const struct yaml *y)
{
        static const struct job_key keys[] = { { "max", take_max }, { "on", take_on }, { NULL, NULL } };

        (void)key;
        job_keys(r, y, keys, "of 'retry'");
}

static bool one_mount(struct job_read *r, const struct yaml *y, struct run_mount *m)
{
        static const struct job_key keys[] = { { "src", NULL }, { "dst", NULL }, { "ro", NULL }, { NULL, NULL } };
        const struct yaml *src = job_get(y, "src"), *dst = job_get(y, "dst"), *ro = job_get(y, "ro");

        job_keys(r, y, keys, "of a mount");
        if (!src || !dst) {
                diag_hint(r->ds, job_fault(r, y, "EB553", "a mount has 'src' and 'dst'"),
                          "write {src: /data, dst: /data, ro: true}");
                return false;
        }
        m->ro = false;
        if (!job_text(r, src, src, &m->src) || !job_text(r, dst, dst, &m->dst) || (ro && !job_bool(r, ro, ro, &m->ro)))
                return false;
        if (!m->dst.n || m->dst.p[0] != '/' || m->dst.n == 1) {
                job_fault(r, dst, "EB552", "'dst' is an absolute path, and not '/'");
                return false;
        }
        m->src = job_path(r, m->src);
        return true;
}

static void take_mounts(struct job_read *r, const struct yaml *key, const struct yaml *y)
{
        if (yaml_is_null(y))
                return;
        if (y->type != YAML_SEQ || y->n > 1000) {
                job_fault(r, key, "EB551", "'mounts' takes a list of {src, dst, ro}");
                return;
        }
        r->s->mount = arena_array(r->a, struct run_mount, y->n + 1);
        for (size_t i = 0; i < y->n; i++)
                if (one_mount(r, y->v[i].value, &r->s->mount[r->s->n_mount]))
                        r->s->n_mount++;
}

static void take_host_env(struct job_read *r, const struct yaml *key, const struct yaml *y)
{
        if (!job_texts(r, key, y, &r->s->host_env, &r->s->n_host_env))
                return;
        for (size_t i = 0; i < y->n; i++) {
                const struct yaml *item = y->v[i].value;
                if (item->type == YAML_SCALAR && !job_name_valid(item->text))
                        job_fault(r, item, "EB552", "'%.*s' cannot name a variable", SV_ARG(item->text));
        }
}

static void take_code(struct job_read *r, const struct yaml *key, const struct yaml *y)
{
        sv text;

        if (job_text(r, key, y, &text) && !sv_is(text, "auto"))
                diag_hint(r->ds, job_fault(r, y, "EB552", "the target says how it gets the source: 'code' is 'auto'"),
                          "take it out");
}

static void take_gpus(struct job_read *r, const struct yaml *key, const struct yaml *y)
{
        job_count(r, key, y, &r->s->gpus);
}

static void take_cpus(struct job_read *r, const struct yaml *key, const struct yaml *y)
{
        job_count(r, key, y, &r->s->cpus);
}

static void take_memory(struct job_read *r, const struct yaml *key, const struct yaml *y)
{
        job_size(r, key, y, &r->s->memory);
}

void job_x_envbuild(struct job_read *r, const struct yaml *key, const struct yaml *y)
{
        static const struct job_key keys[] = { { "grace", take_grace },
                                               { "retry", take_retry },
                                               { "mounts", take_mounts },
                                               { "code", take_code },
                                               { "env_from_host", take_host_env },
                                               { "gpus", take_gpus },
                                               { "cpus", take_cpus },
                                               { "memory", take_memory },
                                               { NULL, NULL } };

        (void)key;
        job_keys(r, y, keys, "of 'x-envbuild'");
}
