#include "image/pull.h"

#include "base/cleanup.h"
#include "image/fetch.h"
#include "image/remote.h"
#include "registry/pull.h"

#define SCHEME "docker://"

int image_reference(struct arena *a, sv text, bool local, struct reference *ret, struct err *e)
{
        bool scheme = sv_starts(text, SV(SCHEME));
        const char *why = NULL;

        if (!reference_parse(a, scheme ? sv_skip(text, sizeof(SCHEME) - 1) : text, local && !scheme, ret, &why))
                return err_set(e, ERR_USAGE, "'%.*s' is not the name of an image: %s", SV_ARG(text), why);
        return 0;
}

/* A digest names one image for ever; "latest" is what a tag without a name means, not a digest without a tag. */
static sv store_name(struct arena *a, const struct reference *r)
{
        return r->has_digest ? arena_fmt(a, "%.*s/%.*s@sha256:%s", SV_ARG(r->registry), SV_ARG(r->repository),
                                         sha256_hex(&r->digest).s)
                             : reference_local_name(a, r);
}

static int lease_image(struct store_lease *lease, const struct reg_image *x, struct arena *a, struct err *e)
{
        sha256 *d = arena_array(a, sha256, x->m.n_layer + 3);
        size_t n = 0;

        if (x->has_index)
                d[n++] = x->index.digest;
        d[n++] = x->manifest.digest;
        d[n++] = x->m.config.digest;
        for (size_t i = 0; i < x->m.n_layer; i++)
                d[n++] = x->m.layer[i].digest;
        return store_lease_add(lease, d, n, e);
}

int image_pull(struct image_ctx *c, const struct reference *ref, sv platform, struct arena *a, struct image_pulled *ret,
               struct err *e)
{
        AUTO(store_lease_dropp) struct store_lease *lease = NULL;
        struct image_pulled p = { 0 };
        const struct reg_manifest *top;
        struct reg_client *reg;
        struct reg_image x;
        sv from;

        if (image_ctx_store(c, true, e) < 0 || image_ctx_registry(c, &reg, e) < 0 ||
            store_lease_take(c->store, &lease, e) < 0 ||
            reg_image_get(reg, ref, platform.n ? platform : image_host_platform(a), a, &x, e) < 0 ||
            lease_image(lease, &x, a, e) < 0 || remote_keep(c, &x, a, e) < 0)
                return -(int)e->code;
        from = reg_repo_text(a, &x.repo);
        if (image_layers_fetch(c, x.m.layer, x.m.n_layer, from, x.name, &p.bytes, e) < 0)
                return -(int)e->code;
        top = x.has_index ? &x.index : &x.manifest;
        p.name = from;
        p.digest = top->digest;
        if (image_name(c, store_name(a, ref),
                       &(struct oci_desc){ .media_type = top->media_type, .digest = top->digest, .size = top->bytes.n },
                       a, e) < 0)
                return -(int)e->code;
        *ret = p;
        return 0;
}

/* Its name says that it may be elsewhere. */
static bool is_elsewhere(struct arena *a, sv text)
{
        AUTO(err_done) struct err ignored = { 0 };
        struct reference ref;

        return image_reference(a, text, true, &ref, &ignored) == 0 && (ref.registry.n || ref.has_digest);
}

int image_open_or_pull(struct image_ctx *c, sv text, sv platform, struct arena *a, struct image_view *ret,
                       struct err *e)
{
        struct err missing = { 0 };
        struct image_pulled pulled;
        struct reference ref;

        if (image_open(c, text, platform, a, ret, &missing) == 0)
                return 0;
        if (missing.code != ERR_NOT_FOUND || !is_elsewhere(a, text))
                return err_move(e, &missing);
        err_done(&missing);
        if (image_reference(a, text, false, &ref, e) < 0 || image_pull(c, &ref, platform, a, &pulled, e) < 0)
                return err_while(e, "pulling '%.*s', which is not in the store", SV_ARG(text));
        return image_open(c, arena_fmt(a, "%.*s@sha256:%s", SV_ARG(pulled.name), sha256_hex(&pulled.digest).s),
                          platform, a, ret, e);
}

/* --- from afar */

static int look(struct image_ctx *c, const struct reference *ref, sv platform, struct arena *a, struct reg_image *x,
                struct err *e)
{
        struct err other = { 0 };
        struct reg_client *reg;

        if (image_ctx_registry(c, &reg, e) < 0)
                return -(int)e->code;
        if (platform.n)
                return reg_image_get(reg, ref, platform, a, x, e);
        if (reg_image_get(reg, ref, image_host_platform(a), a, x, &other) == 0)
                return 0;
        if (other.code != ERR_NOT_FOUND)
                return err_move(e, &other);
        err_done(&other);
        return reg_image_get(reg, ref, (sv){ 0 }, a, x, e); /* it may be for other machines */
}

int image_look(struct image_ctx *c, const struct reference *ref, sv platform, struct arena *a, struct image_view *ret,
               struct err *e)
{
        struct reg_image x;

        if (look(c, ref, platform, a, &x, e) < 0)
                return -(int)e->code;
        *ret = (struct image_view){ .name = x.name,
                                    .digest = x.has_index ? x.index.digest : x.manifest.digest,
                                    .manifest = x.m,
                                    .config = x.config,
                                    .manifest_digest = x.manifest.digest,
                                    .has_index = x.has_index,
                                    .index = x.x,
                                    .from = reg_repo_text(a, &x.repo) };
        return 0;
}
