/* One line a package: "@EXPLICIT" and requirements.txt. */
#include "base/cleanup.h"
#include "lock/export_priv.h"
#include "pkg/conda_channel.h"

static void hash(const struct artifact *a, struct buf *out)
{
        if (!sha256_is_zero(&a->sha256))
                buf_fmt(out, " --hash=sha256:%s", sha256_hex(&a->sha256).s);
        buf_byte(out, '\n');
}

static void wheel(const struct artifact *a, struct buf *out)
{
        if (a->direct)
                buf_fmt(out, "%.*s @ %.*s", SV_ARG(a->name), SV_ARG(a->url));
        else
                buf_fmt(out, "%.*s==%.*s", SV_ARG(a->name), SV_ARG(a->version));
        hash(a, out);
}

int lock_export_explicit(const struct lock *l, const struct lock_platform *p, struct buf *out, struct err *e)
{
        AUTO(arena_done) struct arena scratch = { 0 };
        sv subdir = conda_subdir_of(p->platform);
        uint32_t *order;
        size_t n;

        if (!subdir.n)
                return err_set(e, ERR_USAGE, "conda has no name for the platform %.*s", SV_ARG(p->platform));
        export_head(l, p, false, out);
        buf_fmt(out, "# platform: %.*s\n@EXPLICIT\n", SV_ARG(subdir));
        order = export_order(p, &scratch, &n);
        for (size_t i = 0; i < n; i++) {
                const struct artifact *a = &p->artifact[order[i]];
                buf_add(out, a->url);
                if (a->md5.n) /* every conda and mamba checks it; sha256 only newer ones */
                        buf_fmt(out, "#%.*s", SV_ARG(a->md5));
                else if (!sha256_is_zero(&a->sha256))
                        buf_fmt(out, "#sha256:%s", sha256_hex(&a->sha256).s);
                buf_byte(out, '\n');
        }
        for (size_t i = 0; i < p->n_artifact; i++) {
                const struct artifact *a = &p->artifact[i];
                if (a->kind != ARTIFACT_WHEEL)
                        continue;
                buf_fmt(out, "# pip %.*s @ %.*s", SV_ARG(a->name), SV_ARG(a->url));
                hash(a, out);
        }
        return 0;
}

void lock_export_requirements(const struct lock *l, const struct lock_platform *p, struct buf *out)
{
        export_head(l, p, true, out);
        for (size_t i = 0; i < l->n_indexes; i++)
                buf_fmt(out, "%s %.*s\n", i + 1 == l->n_indexes ? "--index-url" : "--extra-index-url",
                        SV_ARG(l->indexes[i]));
        for (size_t i = 0; i < l->n_find_links; i++)
                buf_fmt(out, "--find-links %.*s\n", SV_ARG(l->find_links[i]));
        for (size_t i = 0; i < p->n_artifact; i++)
                if (p->artifact[i].kind == ARTIFACT_WHEEL)
                        wheel(&p->artifact[i], out);
}
