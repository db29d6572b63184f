/* Distributions that conda packages supply: fixed for the pip part (design §4). One candidate, no relations; their own requirements were
 * conda's business, but an extra asked of one needs what its METADATA says. */
#include "base/cleanup.h"
#include "catalog/pypi_priv.h"

static const struct pypi_page no_page = { .later_index = UINT32_MAX };
static const struct pypi_file no_file;
static const struct dist no_dist;

void pypi_fixed_take(struct catalog_pypi *p)
{
        struct arena *a = &p->arena;

        for (size_t i = 0; i < p->opts.n_fixed; i++) {
                const struct pypi_fixed *f = &p->opts.fixed[i];
                struct pypi_fixed *own = arena_new(a, struct pypi_fixed);
                struct pkg *pkg = pypi_pkg(p, f->name);

                *own = (struct pypi_fixed){ pkg->name, arena_sv(a, f->version), arena_sv(a, f->by) };
                pkg->fixed = own;
                pkg->page = &no_page;
        }
}

void pypi_fixed_cands(struct catalog_pypi *p, struct pkg *pkg)
{
        const struct pep440 *v = pep440_parse(&p->arena, pkg->fixed->version);

        /* An old egg may call itself what PEP 440 does not know: it is there all the same, below every version. */
        if (!v)
                v = pep440_parse(&p->arena, SV("0.dev0"));
        pkg->cand = arena_new(&p->arena, struct cand);
        pkg->ver = arena_new(&p->arena, struct version);
        pkg->ver[0] = (struct version){ .v = v, .file = &no_file, .dist = &no_dist, .read = true };
        pkg->n = 1;
}

int pypi_fixed_read(struct catalog_pypi *p, struct pkg *pkg, struct err *e)
{
        struct version *v = &pkg->ver[0];
        sv text = { 0 };

        if (pkg->fixed_read || !p->opts.fixed_metadata)
                return 0;
        if (p->opts.fixed_metadata(p->opts.fixed_arg, pkg->name, &text, e) < 0)
                return err_while(e, "reading the metadata of %.*s", SV_ARG(pkg->fixed->by));
        pkg->fixed_read = true;
        if (text.n)
                pypi_read_text(p, pkg, v, text);
        /* What does not fit in it is conda's choice: the package stays, its extras add nothing. */
        if (v->fault) {
                v->fault = BAN_NO;
                v->dist = &no_dist;
        }
        return 0;
}

void pypi_fixed_hint(const struct pkg *pkg, struct buf *out)
{
        buf_fmt(out,
                "%.*s %.*s comes with %.*s; relax one of the two, or let pip's win: envbuild: {pip-replaces: [%.*s]}\n",
                SV_ARG(pkg->name), SV_ARG(pkg->fixed->version), SV_ARG(pkg->fixed->by), SV_ARG(pkg->name));
}
