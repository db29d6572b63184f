#include "attest/cosign.h"

#include "attest/attest_priv.h"
#include "base/cleanup.h"

#define PAYLOAD_KIND "cosign container image signature"

sv cosign_tag(struct arena *a, const sha256 *manifest)
{
        return arena_fmt(a, "sha256-%s.sig", sha256_hex(manifest).s);
}

void cosign_payload_write(sv repository, const sha256 *manifest, struct buf *out)
{
        AUTO(arena_done) struct arena a = { 0 };
        struct js *j = js_new_obj(&a), *critical = js_new_obj(&a), *identity = js_new_obj(&a), *image = js_new_obj(&a);
        struct js *none = js_new_obj(&a);

        none->type = JS_NULL;
        js_put_str(&a, identity, "docker-reference", repository);
        js_put_str(&a, image, "docker-manifest-digest", arena_fmt(&a, "sha256:%s", sha256_hex(manifest).s));
        js_put(&a, critical, SV("identity"), identity);
        js_put(&a, critical, SV("image"), image);
        js_put_str(&a, critical, "type", SV(PAYLOAD_KIND));
        js_put(&a, j, SV("critical"), critical);
        js_put(&a, j, SV("optional"), none);
        js_write(j, out);
}

bool cosign_payload_means(sv payload, const sha256 *manifest)
{
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(err_done) struct err ignored = { 0 };
        const struct js *critical;
        struct js *j;
        sha256 d;

        if (payload.n > COSIGN_PAYLOAD_MAX || js_parse(&a, payload, &j, &ignored) < 0)
                return false;
        critical = js_get(j, "critical");
        return sv_is(js_get_str(critical, "type"), PAYLOAD_KIND) &&
               sha256_read(js_get_str(js_get(critical, "image"), "docker-manifest-digest"), &d) &&
               sha256_eq(&d, manifest);
}

void cosign_config_write(const struct oci_desc *layer, size_t n, struct buf *out)
{
        AUTO(arena_done) struct arena a = { 0 };
        struct js *j = js_new_obj(&a), *rootfs = js_new_obj(&a), *ids = js_new_arr(&a);

        for (size_t i = 0; i < n; i++)
                js_add(&a, ids, js_new_str(&a, arena_fmt(&a, "sha256:%s", sha256_hex(&layer[i].digest).s)));
        js_put(&a, rootfs, SV("diff_ids"), ids);
        js_put_str(&a, rootfs, "type", SV("layers"));
        js_put_str(&a, j, "architecture", (sv){ 0 });
        js_put(&a, j, SV("config"), js_new_obj(&a));
        js_put_str(&a, j, "created", SV("0001-01-01T00:00:00Z")); /* as cosign: nothing here is dated */
        js_put_str(&a, j, "os", (sv){ 0 });
        js_put(&a, j, SV("rootfs"), rootfs);
        js_write(j, out);
}

void cosign_statement_write(const sha256 *manifest, struct buf *out)
{
        AUTO(arena_done) struct arena a = { 0 };
        struct js *subjects, *one = js_new_obj(&a);
        struct js *j = statement_js(&a, SV(COSIGN_PREDICATE_TYPE), js_new_obj(&a), &subjects);

        js_put(&a, one, SV("digest"), digest_js(&a, manifest));
        js_add(&a, subjects, one);
        js_write(j, out);
}
