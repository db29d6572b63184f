#include "attest/cosign.h"

#include "attest/bundle.h"
#include "attest/dsse.h"
#include "base/base64.h"
#include "base/cleanup.h"
#include "tests/unit/attest/made_lock.h"

#define PAYLOAD                                                                                                        \
        "{\"critical\":{\"identity\":{\"docker-reference\":\"ghcr.io/team/train\"},\"image\":{\"docker-manifest-"      \
        "digest\":\"sha256:" HEX("e1") "\"},\"type\":\"cosign container image signature\"},\"optional\":null}"

static void payload_is_cosigns(void **state)
{
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(buf_done) struct buf b = BUF_INIT(4096);
        sha256 d = made_digest(0xe1);

        (void)state;
        cosign_payload_write(SV("ghcr.io/team/train"), &d, &b);
        assert_string_equal(b.p, PAYLOAD);
        assert_true(sv_is(cosign_tag(&a, &d), "sha256-" HEX("e1") ".sig"));
}

static void payload_of_what(void **state)
{
        static const struct {
                const char *text;
                bool means;
        } rows[] = {
                { PAYLOAD, true },
                { "{\"critical\":{\"image\":{\"docker-manifest-digest\":\"sha256:" HEX(
                          "e2") "\"},\"type\":\"cosign container image signature\"}}",
                  false },
                { "{\"critical\":{\"image\":{\"docker-manifest-digest\":\"sha256:" HEX("e1") "\"},\"type\":\"other\"}}",
                  false },
                { "{\"critical\":{\"image\":[],\"type\":\"cosign container image signature\"}}", false },
                { "{\"critical\":7}", false },
                { "[]", false },
                { "", false },
                { "{", false },
        };
        sha256 d = made_digest(0xe1);
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++)
                if (cosign_payload_means(sv_from(rows[i].text), &d) != rows[i].means)
                        bad++, print_error("row %zu\n", i);
        assert_int_equal(bad, 0);
}

static void config_names_its_layers(void **state)
{
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(buf_done) struct buf b = BUF_INIT(4096);
        AUTO(err_done) struct err e = { 0 };
        const struct oci_desc layer[] = { { .digest = made_digest(0x01) }, { .digest = made_digest(0x02) } };
        struct oci_config c;

        (void)state;
        cosign_config_write(layer, 2, &b);
        assert_int_equal(oci_config_parse(&a, buf_sv(&b), "config", &c, &e), 0);
        assert_int_equal(c.n_diff_id, 2);
        assert_true(sha256_eq(&c.diff_id[1], &layer[1].digest));
}

/* The example of the DSSE protocol: "DSSEv1 29 http://example.com/HelloWorld 11 hello world". */
static void dsse_vector(void **state)
{
        AUTO(buf_done) struct buf b = BUF_INIT(4096);

        (void)state;
        dsse_signed_bytes(SV("http://example.com/HelloWorld"), SV("hello world"), &b);
        assert_string_equal(b.p, "DSSEv1 29 http://example.com/HelloWorld 11 hello world");
}

static void bundle_holds_its_statement(void **state)
{
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(buf_done) struct buf st = BUF_INIT(4096), other = BUF_INIT(4096), b = BUF_INIT(8192);
        AUTO(err_done) struct err e = { 0 };
        sha256 d = made_digest(0xe1), d2 = made_digest(0xe2);
        struct js *j;
        sv signature;

        (void)state;
        cosign_statement_write(&d, &st);
        cosign_statement_write(&d2, &other);
        bundle_write(buf_sv(&st), SV("sig\0nature"), SV("key"), &b);
        assert_int_equal(js_parse(&a, buf_sv(&b), &j, &e), 0);
        assert_true(sv_is(js_get_str(j, "mediaType"), "application/vnd.dev.sigstore.bundle.v0.3+json"));
        /* printf key | openssl dgst -sha256 -binary | base64 */
        assert_true(sv_is(js_get_str(js_get(js_get(j, "verificationMaterial"), "publicKey"), "hint"),
                          "LHDhK3oGRvkiefQnx7OOczTY5Tic/xZ6HcMOc/gmtoM="));
        assert_true(bundle_has(&a, buf_sv(&b), buf_sv(&st), &signature));
        assert_true(sv_eq(signature, SV("sig\0nature")));
        assert_false(bundle_has(&a, buf_sv(&b), buf_sv(&other), &signature));
        assert_false(bundle_has(&a, SV("{}"), buf_sv(&st), &signature));
        assert_false(bundle_has(&a, SV("{\"dsseEnvelope\":{\"signatures\":[]}}"), buf_sv(&st), &signature));
        assert_false(bundle_has(&a, SV("no"), buf_sv(&st), &signature));
}

int main(void)
{
        const struct CMUnitTest tests[] = { cmocka_unit_test(payload_is_cosigns), cmocka_unit_test(payload_of_what),
                                            cmocka_unit_test(config_names_its_layers), cmocka_unit_test(dsse_vector),
                                            cmocka_unit_test(bundle_holds_its_statement) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
