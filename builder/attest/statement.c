#include "attest/attest_priv.h"

struct js *digest_js(struct arena *a, const sha256 *d)
{
        struct js *j = js_new_obj(a);

        js_put_str(a, j, "sha256", arena_sv(a, sv_from(sha256_hex(d).s)));
        return j;
}

struct js *statement_js(struct arena *a, sv predicate_type, struct js *predicate, struct js **ret_subject)
{
        struct js *j = js_new_obj(a);

        *ret_subject = js_new_arr(a);
        js_put_str(a, j, "_type", SV("https://in-toto.io/Statement/v1"));
        js_put(a, j, SV("subject"), *ret_subject);
        js_put_str(a, j, "predicateType", predicate_type);
        js_put(a, j, SV("predicate"), predicate);
        return j;
}
