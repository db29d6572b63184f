/* envbuild sbom: what an image is made of, as SPDX. */
#include <stdio.h>

#include "attest/sbom.h"
#include "attest/version.h"
#include "base/cleanup.h"
#include "cli/app.h"
#include "cli/opts.h"
#include "image/base_packages.h"
#include "image/source.h"

/* What this store knows of the base image. */
static void add_base(struct app *app, const struct lock_platform *p, struct sbom_image *im)
{
        AUTO(err_done) struct err ignored = { 0 };
        struct sbom_deb *base = NULL;

        if (p->base.n_layer && image_ctx_store(&app->image, false, &ignored) == 0)
                base_packages_find(app->image.store, p, &app->arena, &base, &im->n_base);
        im->base = base;
}

/* The manifest in whatever encoding it was built: the first. */
static void of_lock(struct app *app, const struct lock *l, const struct lock_platform *p, struct buf *out)
{
        struct sbom_image im = { .name = l->name, .version = attest_version() };

        im.has_manifest = p->has_image && p->image.n_manifest;
        if (im.has_manifest)
                im.manifest = p->image.manifest[0].digest;
        add_base(app, p, &im);
        sbom_spdx_write(l, p, &im, out);
}

static int of_file(struct app *app, const struct sbom_opts *o, int argc, char **argv, struct buf *out, struct err *e)
{
        const struct lock_platform *p;
        struct lock *l;

        if (opts_read_lock(app, argc, argv, &l, e) < 0)
                return -(int)e->code;
        p = opts_platform(app, l, o->platform, e);
        if (!p)
                return -(int)e->code;
        of_lock(app, l, p, out);
        return 0;
}

static int of_source(struct app *app, const struct sbom_opts *o, const struct image_source *s, struct buf *out,
                     struct err *e)
{
        struct sbom_image im = { .name = sv_basename(s->name), .has_manifest = true, .version = attest_version() };
        const struct lock_platform *p;

        if (source_platform(&app->image, s, o->platform, &app->arena, &p, &im.manifest, e) < 0)
                return -(int)e->code;
        if (s->repo.registry.n)
                im.repository = reg_repo_text(&app->arena, &s->repo);
        add_base(app, p, &im);
        sbom_spdx_write(s->lock, p, &im, out);
        return 0;
}

/* What hangs on the image was made when it was pushed: it is printed as it is. Without one, its lock says the same. */
static int of_image(struct app *app, const struct sbom_opts *o, sv ref, struct buf *out, struct err *e)
{
        struct image_source s;
        struct err none = { 0 };
        sv text;
        int r = source_find(&app->image, ref, &app->arena, &s, e);

        if (r == 0 && s.in_store)
                return of_source(app, o, &s, out, e);
        if (source_sbom(&app->image, ref, o->platform, &app->arena, &text, &none) == 0) {
                err_done(e);
                buf_add(out, text);
                return 0;
        }
        err_done(&none);
        return r < 0 ? r : of_source(app, o, &s, out, e);
}

int cmd_sbom(struct app *app, void *opts, int argc, char **argv, struct err *e)
{
        AUTO(buf_done) struct buf out = BUF_INIT((size_t)256 << 20);
        const struct sbom_opts *o = opts;
        int r;

        if (argc > 1)
                return err_set(e, ERR_USAGE, "sbom takes one image or file: envbuild sbom IMAGE");
        if (opts_registry(app, &o->registry, e) < 0)
                return -(int)e->code;
        r = argc == 0 || opts_is_definition(argv[0]) ? of_file(app, o, argc, argv, &out, e)
                                                     : of_image(app, o, sv_from(argv[0]), &out, e);
        if (r < 0 || buf_check(&out, e) < 0)
                return -(int)e->code;
        progress_pause(app->progress);
        fwrite(out.p, 1, out.n, stdout);
        return 0;
}
