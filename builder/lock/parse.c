#include "lock/lock_priv.h"

static void read_config(struct lock_read *r, const struct yaml *y, struct lock_config *c)
{
        static const char *const known[] = { "env", "user", "workdir", "entrypoint", "cmd", "labels", NULL };

        if (!lock_is_map(r, y, "config", known))
                return;
        lock_get_list(r, y, "env", &c->env, &c->n_env, NULL);
        for (size_t i = 0; i < c->n_env; i++)
                if (sv_find(c->env[i], '=') < 1)
                        lock_fault(r, yaml_get(y, "env"), "EB122", "'env' takes NAME=VALUE, not '%.*s'",
                                   SV_ARG(c->env[i]));
        lock_get_text(r, y, "user", false, &c->user);
        lock_get_text(r, y, "workdir", false, &c->workdir);
        if (!sv_is(c->workdir, "/"))
                lock_check_path(r, y, "workdir", c->workdir, true);
        lock_get_list(r, y, "entrypoint", &c->entrypoint, &c->n_entrypoint, &c->has_entrypoint);
        lock_get_list(r, y, "cmd", &c->cmd, &c->n_cmd, &c->has_cmd);
        lock_get_pairs(r, y, "labels", &c->labels, &c->n_labels);
}

static void read_options(struct lock_read *r, const struct yaml *y, struct lock *l)
{
        static const char *const known[] = {
                "conda",      "channels",       "channel-priority", "pip-replaces", "indexes",
                "find-links", "index-strategy", "exclude-newer",    "pre",          "apt-scripts-skip",
                NULL
        };

        if (!lock_is_map(r, y, "options", known))
                return;
        lock_get_list(r, y, "conda", &l->conda_specs, &l->n_conda_specs, NULL);
        lock_get_list(r, y, "channels", &l->channels, &l->n_channels, NULL);
        lock_get_text(r, y, "channel-priority", false, &l->channel_priority);
        if (l->channel_priority.n && !sv_is(l->channel_priority, "strict") && !sv_is(l->channel_priority, "flexible") &&
            !sv_is(l->channel_priority, "disabled"))
                lock_fault(r, yaml_get(y, "channel-priority"), "EB122",
                           "'channel-priority' is strict, flexible or disabled");
        lock_get_list(r, y, "pip-replaces", &l->pip_replaces, &l->n_pip_replaces, NULL);
        lock_get_list(r, y, "indexes", &l->indexes, &l->n_indexes, NULL);
        lock_get_list(r, y, "find-links", &l->find_links, &l->n_find_links, NULL);
        lock_get_text(r, y, "index-strategy", false, &l->index_strategy);
        if (l->index_strategy.n && !sv_is(l->index_strategy, "first") && !sv_is(l->index_strategy, "pip"))
                lock_fault(r, yaml_get(y, "index-strategy"), "EB122", "'index-strategy' is first or pip");
        lock_get_time(r, y, "exclude-newer", false, &l->exclude_newer);
        lock_get_bool(r, y, "pre", &l->pre);
        lock_get_list(r, y, "apt-scripts-skip", &l->scripts_skip, &l->n_scripts_skip, NULL);
}

static void read_files(struct lock_read *r, const struct yaml *top, struct lock *l)
{
        static const char *const known[] = { "path", "source", "sha256", "size", "mode", NULL };
        const struct yaml *seq = lock_get_seq(r, top, "files");

        l->file = arena_array(r->a, struct lock_file, seq->n);
        for (size_t i = 0; i < seq->n; i++) {
                const struct yaml *y = seq->v[i].value;
                struct lock_file *f = &l->file[l->n_file];
                if (!lock_is_map(r, y, "a file", known))
                        continue;
                lock_get_text(r, y, "path", true, &f->path);
                lock_check_path(r, y, "path", f->path, true);
                lock_get_text(r, y, "source", true, &f->source);
                lock_check_clean(r, y, "source", f->source);
                lock_get_hash(r, y, "sha256", true, &f->sha256);
                lock_get_u64(r, y, "size", true, &f->size);
                lock_get_mode(r, y, "mode", &f->mode);
                l->n_file++;
        }
}

/* Versions come first: a newer lock is not faulty, it is newer. */
static int read_versions(struct lock_read *r, const struct yaml *top, struct lock *l, struct err *e)
{
        struct {
                const char *key;
                uint32_t known, *ret;
        } v[] = { { "lock", LOCK_VERSION, &l->lock },
                  { "layer-format", LAYER_FORMAT, &l->layer_format },
                  { "plan", PLAN_VERSION, &l->plan } };

        for (size_t i = 0; i < ARRAY_LEN(v); i++) {
                const struct yaml *y = yaml_get(top, v[i].key);
                uint64_t n = 0;
                lock_get_u64(r, top, v[i].key, true, &n);
                if (n > v[i].known) {
                        err_set(e, ERR_STALE,
                                "'%.*s' was written by a newer envbuild: %s %llu, and this one knows up to %u",
                                SV_ARG(r->file), v[i].key, (unsigned long long)n, v[i].known);
                        err_hint(e, "update envbuild, or make the lock again with 'envbuild lock'");
                        return -ERR_STALE;
                }
                if (n == 0 && y && y->type == YAML_SCALAR)
                        lock_fault(r, y, "EB122", "'%s' counts from 1", v[i].key);
                *v[i].ret = (uint32_t)n;
        }
        return 0;
}

static int read_top(struct lock_read *r, const struct yaml *top, struct lock *l, struct err *e)
{
        static const char *const known[] = { "lock",      "layer-format", "plan",   "name",    "definition",
                                             "request",   "created",      "config", "options", "files",
                                             "platforms", "image",        NULL };
        const struct yaml *y;

        if (top->type != YAML_MAP) {
                lock_fault(r, top, "EB122", "a lock is a mapping of keys");
                return 0;
        }
        if (read_versions(r, top, l, e) < 0)
                return -(int)e->code;
        lock_is_map(r, top, "a lock", known);
        lock_get_text(r, top, "name", true, &l->name);
        lock_check_word(r, top, "name", l->name);
        lock_get_text(r, top, "definition", false, &l->definition);
        lock_check_clean(r, top, "definition", l->definition);
        lock_get_digest(r, top, "request", true, &l->request);
        lock_get_time(r, top, "created", true, &l->created);
        if ((y = yaml_get(top, "config")))
                read_config(r, y, &l->config);
        if ((y = yaml_get(top, "options")))
                read_options(r, y, l);
        read_files(r, top, l);
        if ((y = yaml_get(top, "platforms")))
                lock_read_platforms(r, y, l);
        if ((y = yaml_get(top, "image")))
                lock_read_image(r, y, l);
        return 0;
}

/* After sorting, equal names stand side by side. */
static void check_doubles(struct lock_read *r, const struct yaml *top, const struct lock *l)
{
        for (size_t i = 1; i < l->n_file; i++)
                if (sv_eq(l->file[i - 1].path, l->file[i].path))
                        lock_fault(r, yaml_get(top, "files"), "EB122", "'%.*s' is listed twice",
                                   SV_ARG(l->file[i].path));
        for (size_t i = 0; i < l->n_platform; i++) {
                const struct lock_platform *p = &l->platform[i];
                for (size_t k = 1; k < p->n_artifact; k++)
                        if (artifact_cmp(&p->artifact[k - 1], &p->artifact[k]) == 0)
                                lock_fault(r, yaml_get(top, "platforms"), "EB122", "%s %.*s is listed twice for %.*s",
                                           artifact_kind_name(p->artifact[k].kind), SV_ARG(p->artifact[k].name),
                                           SV_ARG(p->platform));
        }
}

/* Faults of YAML have the lock's own code here. */
static void recode(struct diags *ds, size_t from)
{
        for (size_t i = from; i < ds->n; i++)
                ds->v[i].code = "EB120";
}

int lock_parse(struct arena *a, sv text, sv file, struct diags *ds, struct lock **ret, struct err *e)
{
        struct lock_read r = { a, ds, file };
        struct lock *l = arena_new(a, struct lock);
        size_t from = ds->n, errors = ds->n_errors;
        struct yaml *top;

        if (text.n > LOCK_MAX)
                return err_set(e, ERR_LIMIT, "'%.*s' is larger than %zu MiB", SV_ARG(file), LOCK_MAX >> 20);
        diag_source(ds, file, text);
        if (yaml_parse(a, text, file, ds, &top, e) < 0) {
                recode(ds, from);
                return -(int)e->code;
        }
        if (read_top(&r, top, l, e) < 0)
                return -(int)e->code;
        lock_sort(l);
        check_doubles(&r, top, l);
        if (ds->n_errors > errors)
                return err_set(e, ERR_USAGE, "%zu fault%s in '%.*s'", ds->n_errors - errors,
                               ds->n_errors - errors == 1 ? "" : "s", SV_ARG(file));
        *ret = l;
        return 0;
}
