#include "ext/ed25519.h"

#include "base/attr.h"
#include "base/cleanup.h"
#include "base/hex.h"
#include "tests/unit/unit.h"

/* RFC 8032 §7.1, test 2. */
#define PRIVATE                                                                                                        \
        "-----BEGIN PRIVATE KEY-----\n"                                                                                \
        "MC4CAQAwBQYDK2VwBCIEIEzNCJso/5banbbDRuwRTg9bijGfNaumJNqM9u1PuKb7\n"                                           \
        "-----END PRIVATE KEY-----\n"
#define LINE "MCowBQYDK2VwAyEAPUAXw+hDiVqStwqnTRt+vJyYLM8uxJaMwM1V8Sr0Zgw="
#define RAW  "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"
#define SIGNATURE                                                                                                      \
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb430" \
        "2aeeb00d291612bb0c00"

static void the_rfc_s_vector(void **state)
{
        AUTO(ed25519_key_freep) struct ed25519_key *k = NULL;
        struct ed25519_signature s;
        struct ed25519_public p, pem;
        struct err e = { 0 };
        char text[129];

        (void)state;
        assert_int_equal(ed25519_public_read(SV(LINE), &p, &e), 0);
        hex_write(p.b, sizeof(p.b), text);
        assert_string_equal(text, RAW);
        assert_int_equal(
                ed25519_public_read(SV("-----BEGIN PUBLIC KEY-----\n" LINE "\n-----END PUBLIC KEY-----\n"), &pem, &e),
                0);
        assert_memory_equal(pem.b, p.b, sizeof(p.b));
        assert_int_equal(ed25519_key_read(SV(PRIVATE), &k, &e), 0);
        assert_int_equal(ed25519_sign(k, SV("r"), &s, &e), 0);
        hex_write(s.b, sizeof(s.b), text);
        assert_string_equal(text, SIGNATURE);
        assert_true(ed25519_verify(&p, SV("r"), &s));
        assert_false(ed25519_verify(&p, SV("s"), &s));
        assert_false(ed25519_verify(&p, SV(""), &s));
        s.b[63] ^= 1;
        assert_false(ed25519_verify(&p, SV("r"), &s));
}

/* Keys of other kinds. */
static const char p256_public[] = "-----BEGIN PUBLIC KEY-----\n"
                                  "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEPavHm0Hlra2lqAVHzsRIxfFH2zTz"
                                  "s3F1yv1Rn7pFRFaqD7Kx4JmWJWdZHBTXiUpG7a2XXbJ0Q5w3Yv0zYkXWnw==\n"
                                  "-----END PUBLIC KEY-----\n";
static const char encrypted[] = "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
                                "MIGjMF8GCSqGSIb3DQEFDTBSMDEGCSqGSIb3DQEFDDAkBBA=\n"
                                "-----END ENCRYPTED PRIVATE KEY-----\n";

static void other_texts_are_refused(void **state)
{
        static const char *const bad[] = {
                "",
                "MCowBQYDK2VwAyEAPUAXw+hDiVqStwqnTRt+vJyYLM8uxJaMwM1V8Sr0Zg==",
                "MCowBQYDK2VxAyEAPUAXw+hDiVqStwqnTRt+vJyYLM8uxJaMwM1V8Sr0Zgw=",
                "????????????????????????????????????????????????????????????",
                p256_public,
                encrypted,
        };
        int wrong = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
                AUTO(err_done) struct err e = { 0 }, e2 = { 0 };
                struct ed25519_key *k = NULL;
                struct ed25519_public p;

                if (ed25519_public_read(sv_from(bad[i]), &p, &e) != -ERR_USAGE || !e.hint ||
                    ed25519_key_read(sv_from(bad[i]), &k, &e2) != -ERR_USAGE || k)
                        wrong++, print_error("row %zu\n", i);
        }
        assert_int_equal(wrong, 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_rfc_s_vector),
                cmocka_unit_test(other_texts_are_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
