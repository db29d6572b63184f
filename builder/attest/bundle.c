#include "attest/bundle.h"

#include "attest/attest_priv.h"
#include "base/base64.h"
#include "base/cleanup.h"
#include "ext/hash.h"

void bundle_write(sv statement, sv signature, sv public_key, struct buf *out)
{
        AUTO(arena_done) struct arena a = { 0 };
        struct js *j = js_new_obj(&a), *material = js_new_obj(&a), *key = js_new_obj(&a);
        sha256 hint = sha256_of(public_key);

        js_put_str(&a, key, "hint", base64_text(&a, (sv){ (const char *)hint.b, sizeof(hint.b) }));
        js_put(&a, material, SV("publicKey"), key);
        js_put_str(&a, j, "mediaType", SV(BUNDLE_MEDIA_TYPE));
        js_put(&a, j, SV("verificationMaterial"), material);
        js_put(&a, j, SV("dsseEnvelope"), dsse_js(&a, SV(INTOTO_MEDIA_TYPE), statement, signature));
        js_write(j, out);
}

static bool decode(struct arena *a, sv text, sv *ret)
{
        AUTO(buf_done) struct buf b = { .max = text.n + 1 };

        if (!base64_read(text, &b))
                return false;
        *ret = arena_sv(a, buf_sv(&b));
        return true;
}

bool bundle_has(struct arena *a, sv text, sv statement, sv *ret_signature)
{
        AUTO(err_done) struct err ignored = { 0 };
        const struct js *envelope, *list;
        struct js *j;
        sv payload;

        if (js_parse(a, text, &j, &ignored) < 0)
                return false;
        envelope = js_get(j, "dsseEnvelope");
        list = js_get(envelope, "signatures");
        return sv_is(js_get_str(envelope, "payloadType"), INTOTO_MEDIA_TYPE) &&
               decode(a, js_get_str(envelope, "payload"), &payload) && sv_eq(payload, statement) && list &&
               list->type == JS_ARR && list->n == 1 && decode(a, js_get_str(list->v[0].value, "sig"), ret_signature);
}
