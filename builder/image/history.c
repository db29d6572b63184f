/* conda-meta/history and conda-meta/state: what conda itself reads to know who asked for what (design/layers.md §3 "last"). */
#include "base/cleanup.h"
#include "base/clock.h"
#include "ext/json.h"
#include "image/image_priv.h"
#include "pkg/conda_channel.h"

/* "conda-forge/linux-64::numpy-1.26.4-py311_0", as conda writes it; a channel without a name by its URL. */
static void write_dist(struct arena *a, const struct artifact *art, struct buf *out)
{
        ptrdiff_t slash = sv_rfind(art->url, '/');
        sv folder = sv_from_to(art->url, 0, slash < 0 ? 0 : (size_t)slash), subdir, channel, why;
        struct conda_channel_settings defaults = { 0 };
        struct conda_channel ch;

        slash = sv_rfind(folder, '/');
        subdir = sv_skip(folder, slash < 0 ? folder.n : (size_t)slash + 1);
        channel = sv_from_to(folder, 0, slash < 0 ? 0 : (size_t)slash);
        if (conda_channel_parse(a, channel, &defaults, &ch, &why))
                channel = ch.name;
        buf_fmt(out, "+%.*s/%.*s::%.*s-%.*s-%.*s\n", SV_ARG(channel), SV_ARG(subdir), SV_ARG(art->name),
                SV_ARG(art->version), SV_ARG(art->build));
}

void history_write(const struct lock *l, const struct lock_platform *p, struct buf *out)
{
        AUTO(arena_done) struct arena a = { 0 };
        struct js *specs = js_new_arr(&a);
        char when[24];

        time_format(l->created, when);
        buf_fmt(out, "==> %.10s %.8s <==\n", when, when + 11);
        for (size_t i = 0; i < l->n_conda_specs; i++)
                js_add(&a, specs, js_new_str(&a, l->conda_specs[i]));
        if (l->n_conda_specs) {
                buf_add(out, SV("# update specs: "));
                js_write(specs, out);
                buf_add(out, SV("\n"));
        }
        for (size_t i = 0; i < p->n_artifact; i++)
                if (p->artifact[i].kind == ARTIFACT_CONDA)
                        write_dist(&a, &p->artifact[i], out);
}

bool state_write(const struct lock *l, struct buf *out)
{
        AUTO(arena_done) struct arena a = { 0 };
        struct js *doc = js_new_obj(&a), *vars = js_new_obj(&a);

        for (size_t i = 0; i < l->config.n_env; i++) {
                sv key, value = l->config.env[i];
                if (sv_cut(&value, '=', &key))
                        js_put(&a, vars, arena_sv(&a, key), js_new_str(&a, value));
        }
        if (l->config.n_env == 0)
                return false;
        js_put(&a, doc, SV("env_vars"), vars);
        js_put_int(&a, doc, "version", 1);
        js_write(doc, out);
        return true;
}
