#include "ext/yaml.h"
#include "lock/export_priv.h"

static void item(struct buf *out, const char *indent, sv text)
{
        buf_add(out, sv_from(indent));
        yaml_write_scalar(text, false, out);
        buf_byte(out, '\n');
}

static void pinned(struct buf *out, const char *indent, const struct artifact *a)
{
        struct buf line = BUF_INIT(8192);

        if (a->kind == ARTIFACT_CONDA)
                buf_fmt(&line, "%.*s=%.*s=%.*s", SV_ARG(a->name), SV_ARG(a->version), SV_ARG(a->build));
        else if (a->direct)
                buf_fmt(&line, "%.*s @ %.*s", SV_ARG(a->name), SV_ARG(a->url));
        else
                buf_fmt(&line, "%.*s==%.*s", SV_ARG(a->name), SV_ARG(a->version));
        item(out, indent, buf_sv(&line));
        buf_done(&line);
}

static void variables(const struct lock *l, struct buf *out)
{
        if (l->config.n_env)
                buf_add(out, SV("variables:\n"));
        for (size_t i = 0; i < l->config.n_env; i++) {
                sv value = l->config.env[i], name;
                sv_cut(&value, '=', &name);
                buf_fmt(out, "  %.*s: ", SV_ARG(name));
                yaml_write_scalar(value, false, out);
                buf_byte(out, '\n');
        }
}

static size_t count(const struct lock_platform *p, enum artifact_kind kind)
{
        size_t n = 0;

        for (size_t i = 0; i < p->n_artifact; i++)
                n += p->artifact[i].kind == kind;
        return n;
}

void lock_export_environment(const struct lock *l, const struct lock_platform *p, struct buf *out)
{
        export_head(l, p, false, out);
        buf_add(out, SV("name: "));
        yaml_write_scalar(l->name, false, out);
        buf_byte(out, '\n');
        if (l->n_channels)
                buf_add(out, SV("channels:\n"));
        for (size_t i = 0; i < l->n_channels; i++)
                item(out, "- ", export_channel(l->channels[i]));
        if (l->n_channels)
                buf_add(out, SV("- nodefaults\n"));
        buf_add(out, p->n_artifact > count(p, ARTIFACT_DEB) ? SV("dependencies:\n") : SV("dependencies: []\n"));
        for (size_t i = 0; i < p->n_artifact; i++)
                if (p->artifact[i].kind == ARTIFACT_CONDA)
                        pinned(out, "- ", &p->artifact[i]);
        if (count(p, ARTIFACT_WHEEL))
                buf_add(out, SV("- pip:\n"));
        for (size_t i = 0; i < p->n_artifact; i++)
                if (p->artifact[i].kind == ARTIFACT_WHEEL)
                        pinned(out, "  - ", &p->artifact[i]);
        variables(l, out);
}
