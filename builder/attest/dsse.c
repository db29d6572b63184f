#include "attest/dsse.h"

#include "attest/attest_priv.h"
#include "base/base64.h"

void dsse_signed_bytes(sv type, sv payload, struct buf *out)
{
        buf_fmt(out, "DSSEv1 %zu %.*s %zu ", type.n, SV_ARG(type), payload.n);
        buf_add(out, payload);
}

sv base64_text(struct arena *a, sv bytes)
{
        struct buf b = { .max = bytes.n * 2 + 4 };
        sv text;

        base64_write(bytes, &b);
        text = arena_sv(a, buf_sv(&b));
        buf_done(&b);
        return text;
}

struct js *dsse_js(struct arena *a, sv type, sv payload, sv signature)
{
        struct js *j = js_new_obj(a), *list = js_new_arr(a), *one = js_new_obj(a);

        js_put_str(a, one, "sig", base64_text(a, signature));
        js_add(a, list, one);
        js_put_str(a, j, "payload", base64_text(a, payload));
        js_put_str(a, j, "payloadType", type);
        js_put(a, j, SV("signatures"), list);
        return j;
}
