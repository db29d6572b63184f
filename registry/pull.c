#include "registry/pull.h"

#include "base/cleanup.h"

#define NEST_MAX      8    /* indexes within indexes */
#define PLATFORMS_MAX 4096 /* bytes of a list for people */
#define DOCKER_IMAGE  "application/vnd.docker.container.image.v1+json"

sv reg_reference_text(struct arena *a, const struct reference *r)
{
        sv name = arena_fmt(a, "%.*s/%.*s", SV_ARG(r->registry), SV_ARG(r->repository));

        if (r->tag.n || !r->has_digest)
                name = arena_fmt(a, "%.*s:%.*s", SV_ARG(name), SV_ARG((r->tag.n ? r->tag : SV("latest"))));
        return r->has_digest ? arena_fmt(a, "%.*s@sha256:%s", SV_ARG(name), sha256_hex(&r->digest).s) : name;
}

/* --- platforms */

static sv platform_text(struct arena *a, sv os, sv arch, sv variant)
{
        return variant.n ? arena_fmt(a, "%.*s/%.*s/%.*s", SV_ARG(os), SV_ARG(arch), SV_ARG(variant))
                         : arena_fmt(a, "%.*s/%.*s", SV_ARG(os), SV_ARG(arch));
}

/* The platform of an entry before it that is the same. */
static bool repeated(const struct oci_index *x, size_t i)
{
        for (size_t k = 0; k < i; k++)
                if (oci_index_is_image(&x->v[k]) && sv_eq(x->v[k].os, x->v[i].os) &&
                    sv_eq(x->v[k].arch, x->v[i].arch) && sv_eq(x->v[k].variant, x->v[i].variant))
                        return true;
        return false;
}

sv reg_index_platforms(struct arena *a, const struct oci_index *x)
{
        AUTO(buf_done) struct buf b = BUF_INIT((size_t)64 << 10);

        for (size_t i = 0; i < x->n && b.n < PLATFORMS_MAX; i++) {
                const struct oci_desc *d = &x->v[i];
                if (!oci_index_is_image(d) || !d->os.n || repeated(x, i))
                        continue;
                buf_fmt(&b, "%s%.*s", b.n ? ", " : "", SV_ARG(platform_text(a, d->os, d->arch, d->variant)));
        }
        return arena_sv(a, buf_sv(&b));
}

static int no_platform(sv name, sv platform, sv there, struct err *e)
{
        if (there.n == 0)
                return err_set(e, ERR_NOT_FOUND, "'%.*s' holds no image", SV_ARG(name));
        err_set(e, ERR_NOT_FOUND, "'%.*s' has no image for %.*s, only for %.*s", SV_ARG(name), SV_ARG(platform),
                SV_ARG(there));
        err_hint(e, "--platform takes another one of these");
        return -(int)e->code;
}

int reg_index_pick(const struct oci_index *x, sv platform, sv name, struct arena *a, const struct oci_desc **ret,
                   struct err *e)
{
        const struct oci_desc *d = NULL;

        for (size_t i = 0; i < x->n && !platform.n && !d; i++)
                if (oci_index_is_image(&x->v[i]))
                        d = &x->v[i];
        if (platform.n)
                d = oci_index_pick(x, platform);
        if (!d)
                return no_platform(name, platform, reg_index_platforms(a, x), e);
        *ret = d;
        return 0;
}

/* Images outside an index say what they run on in their config alone. */
static int check_platform(const struct reg_image *x, sv platform, struct arena *a, struct err *e)
{
        struct oci_desc own = {
                .media_type = SV(OCI_MANIFEST), .os = x->config.os, .arch = x->config.arch, .variant = x->config.variant
        };
        struct oci_index one = { &own, 1 };

        if (!platform.n || oci_index_pick(&one, platform))
                return 0;
        return no_platform(x->name, platform, platform_text(a, own.os, own.arch, own.variant), e);
}

/* --- manifest and config */

static int check_types(const struct reg_image *x, struct err *e)
{
        sv type = x->m.config.media_type;
        enum oci_codec codec;

        if (!sv_is(type, OCI_CONFIG) && !sv_is(type, DOCKER_IMAGE)) {
                err_set(e, ERR_FAILED, "'%.*s' is not an image: its config is of the type %.*s", SV_ARG(x->name),
                        SV_ARG(type));
                err_hint(e, "oras or regctl read artifacts of other kinds");
                return -(int)e->code;
        }
        for (size_t i = 0; i < x->m.n_layer; i++)
                if (!oci_layer_codec(x->m.layer[i].media_type, &codec))
                        return err_set(e, ERR_FAILED, "layer %zu of '%.*s' is of a type that we cannot read: %.*s",
                                       i + 1, SV_ARG(x->name), SV_ARG(x->m.layer[i].media_type));
        return 0;
}

static int read_manifest(struct reg_image *x, struct arena *a, struct err *e)
{
        const char *what = arena_fmt(a, "the manifest of '%.*s'", SV_ARG(x->name)).p;

        return oci_manifest_parse(a, x->manifest.bytes, what, &x->m, e) < 0 ? -(int)e->code : check_types(x, e);
}

int reg_image_check(struct reg_image *x, sv platform, struct arena *a, struct err *e)
{
        const char *what = arena_fmt(a, "the config of '%.*s'", SV_ARG(x->name)).p;

        if (read_manifest(x, a, e) < 0 || oci_config_parse(a, x->config_text, what, &x->config, e) < 0)
                return -(int)e->code;
        if (x->config.n_diff_id != x->m.n_layer)
                return err_set(e, ERR_INTEGRITY, "'%.*s' has %zu layers, but its config names %zu", SV_ARG(x->name),
                               x->m.n_layer, x->config.n_diff_id);
        return check_platform(x, platform, a, e);
}

/* --- fetching */

static int walk(struct reg_client *c, struct reg_image *x, sv platform, struct arena *a, struct err *e)
{
        const struct oci_desc *d;
        struct oci_index inner;

        for (int depth = 0; oci_is_index(a, x->manifest.bytes); depth++) {
                struct reg_manifest at = x->manifest;
                if (depth == NEST_MAX)
                        return err_set(e, ERR_INTEGRITY, "'%.*s' has indexes within indexes", SV_ARG(x->name));
                if (oci_index_parse(a, at.bytes, arena_fmt(a, "the index of '%.*s'", SV_ARG(x->name)).p, &inner, e) <
                            0 ||
                    reg_index_pick(&inner, platform, x->name, a, &d, e) < 0)
                        return -(int)e->code;
                if (!x->has_index) {
                        x->has_index = true;
                        x->index = at;
                        x->x = inner;
                }
                if (reg_manifest_get(c, &x->repo, arena_fmt(a, "sha256:%s", sha256_hex(&d->digest).s), a, &x->manifest,
                                     e) < 0)
                        return -(int)e->code;
        }
        return 0;
}

/* Wrong bytes are asked for once more: a bit that turned over on the way does not turn over again. */
static int read_config(struct reg_client *c, struct reg_image *x, struct arena *a, struct err *e)
{
        struct err wrong = { 0 };

        if (reg_blob_read(c, &x->repo, &x->m.config, OCI_DOC_MAX, a, &x->config_text, &wrong) == 0)
                return 0;
        if (wrong.code != ERR_INTEGRITY)
                return err_move(e, &wrong);
        err_done(&wrong);
        return reg_blob_read(c, &x->repo, &x->m.config, OCI_DOC_MAX, a, &x->config_text, e);
}

static int get(struct reg_client *c, struct reg_image *x, sv ref, sv platform, struct arena *a, struct err *e)
{
        if (reg_manifest_get(c, &x->repo, ref, a, &x->manifest, e) < 0 || walk(c, x, platform, a, e) < 0 ||
            read_manifest(x, a, e) < 0 || read_config(c, x, a, e) < 0)
                return -(int)e->code;
        return reg_image_check(x, platform, a, e);
}

int reg_image_get(struct reg_client *c, const struct reference *ref, sv platform, struct arena *a,
                  struct reg_image *ret, struct err *e)
{
        struct reg_image x = { .repo = reg_repo_of(ref), .name = reg_reference_text(a, ref) };
        sv what = ref->has_digest ? arena_fmt(a, "sha256:%s", sha256_hex(&ref->digest).s)
                  : ref->tag.n    ? ref->tag
                                  : SV("latest");

        if (get(c, &x, what, platform, a, e) < 0) {
                if (e->code == ERR_INTEGRITY)
                        err_hint(e, "what %.*s has is damaged, or something between here and there changes it",
                                 SV_ARG(x.repo.registry));
                return err_while(e, "looking at the image '%.*s'", SV_ARG(x.name));
        }
        *ret = x;
        return 0;
}
