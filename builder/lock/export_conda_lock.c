#include "base/cleanup.h"
#include "ext/yaml.h"
#include "lock/export_priv.h"
#include "lock/lock_priv.h"
#include "pkg/conda_channel.h"

static void pair(struct buf *out, const char *indent, const char *key, sv value)
{
        buf_fmt(out, "%s%s: ", indent, key);
        yaml_write_scalar(value, false, out);
        buf_byte(out, '\n');
}

/* What stands behind the name of a MatchSpec, as conda-lock writes it. */
static sv constraint_of(sv need)
{
        sv name = lock_spec_name(need), rest = sv_trim(sv_skip(need, (size_t)(name.p + name.n - need.p)));

        return rest.n ? rest : SV("*");
}

/* A mapping has a name once: "python >=3.8" and "python <4" are ">=3.8,<4", unless one names a build. */
static sv joined(struct arena *a, sv one, sv two)
{
        if (sv_is(two, "*") || sv_eq(one, two))
                return one;
        if (sv_is(one, "*"))
                return two;
        if (sv_find(one, ' ') >= 0 || sv_find(one, '|') >= 0 || sv_find(one, '[') >= 0)
                return one;
        if (sv_find(two, ' ') >= 0 || sv_find(two, '|') >= 0 || sv_find(two, '[') >= 0)
                return two;
        return arena_fmt(a, "%.*s,%.*s", SV_ARG(one), SV_ARG(two));
}

static void dependencies(const struct artifact *a, struct buf *out)
{
        AUTO(arena_done) struct arena scratch = { 0 };
        struct lock_pair *v = arena_array(&scratch, struct lock_pair, a->n_needs);
        size_t n = 0;

        for (size_t i = 0; i < a->n_needs; i++) {
                bool conda = a->kind == ARTIFACT_CONDA;
                struct lock_pair p = { conda ? lock_spec_name(a->needs[i]) : a->needs[i],
                                       conda ? constraint_of(a->needs[i]) : SV("*") };
                size_t k = 0;
                while (k < n && !sv_eq(v[k].key, p.key))
                        k++;
                if (k < n)
                        v[k].value = joined(&scratch, v[k].value, p.value);
                else
                        v[n++] = p;
        }
        buf_add(out, n ? SV("  dependencies:\n") : SV("  dependencies: {}\n"));
        for (size_t i = 0; i < n; i++) {
                buf_add(out, SV("    "));
                yaml_write_scalar(v[i].key, false, out);
                buf_add(out, SV(": "));
                yaml_write_scalar(v[i].value, false, out);
                buf_byte(out, '\n');
        }
}

static void package(const struct artifact *a, sv subdir, struct buf *out)
{
        bool conda = a->kind == ARTIFACT_CONDA;

        pair(out, "- ", "name", a->name);
        pair(out, "  ", "version", a->version);
        pair(out, "  ", "manager", conda ? SV("conda") : SV("pip"));
        pair(out, "  ", "platform", subdir);
        dependencies(a, out);
        pair(out, "  ", "url", a->url);
        buf_add(out, a->md5.n || !sha256_is_zero(&a->sha256) ? SV("  hash:\n") : SV("  hash: {}\n"));
        if (a->md5.n)
                pair(out, "    ", "md5", a->md5);
        if (!sha256_is_zero(&a->sha256))
                pair(out, "    ", "sha256", sv_from(sha256_hex(&a->sha256).s));
        buf_add(out, SV("  category: main\n  optional: false\n"));
}

static void platform(const struct lock_platform *p, struct buf *out)
{
        for (size_t i = 0; i < p->n_artifact; i++)
                if (p->artifact[i].kind != ARTIFACT_DEB)
                        package(&p->artifact[i], conda_subdir_of(p->platform), out);
}

static bool any_package(const struct lock *l, const struct lock_platform *only)
{
        for (size_t i = 0; i < l->n_platform; i++) {
                const struct lock_platform *p = &l->platform[i];
                for (size_t k = 0; (!only || p == only) && k < p->n_artifact; k++)
                        if (p->artifact[k].kind != ARTIFACT_DEB)
                                return true;
        }
        return false;
}

static void metadata(const struct lock *l, const struct lock_platform *only, struct buf *out)
{
        sha256_text request = sha256_hex(&l->request);

        buf_add(out, SV("version: 1\nmetadata:\n  content_hash:\n"));
        for (size_t i = 0; i < l->n_platform; i++)
                if (!only || only == &l->platform[i])
                        buf_fmt(out, "    %.*s: \"%s\"\n", SV_ARG(conda_subdir_of(l->platform[i].platform)), request.s);
        buf_add(out, l->n_channels ? SV("  channels:\n") : SV("  channels: []\n"));
        for (size_t i = 0; i < l->n_channels; i++) {
                pair(out, "  - ", "url", export_channel(l->channels[i]));
                buf_add(out, SV("    used_env_vars: []\n"));
        }
        buf_add(out, SV("  platforms:\n"));
        for (size_t i = 0; i < l->n_platform; i++)
                if (!only || only == &l->platform[i])
                        buf_fmt(out, "  - %.*s\n", SV_ARG(conda_subdir_of(l->platform[i].platform)));
        buf_add(out, SV("  sources:\n  - "));
        yaml_write_scalar(l->definition.n ? l->definition : l->name, false, out);
        buf_byte(out, '\n');
}

int lock_export_conda_lock(const struct lock *l, const struct lock_platform *only, struct buf *out, struct err *e)
{
        for (size_t i = 0; i < l->n_platform; i++) {
                if (only && only != &l->platform[i])
                        continue;
                if (!conda_subdir_of(l->platform[i].platform).n)
                        return err_set(e, ERR_USAGE, "conda has no name for the platform %.*s",
                                       SV_ARG(l->platform[i].platform));
                export_head(l, &l->platform[i], false, out);
        }
        metadata(l, only, out);
        buf_add(out, any_package(l, only) ? SV("package:\n") : SV("package: []\n"));
        for (size_t i = 0; i < l->n_platform; i++)
                if (!only || only == &l->platform[i])
                        platform(&l->platform[i], out);
        return 0;
}
