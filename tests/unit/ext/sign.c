/* Keys made for this test by openssl; the signature is `openssl dgst -sha256 -sign` of "hello". They guard nothing. */
#include "ext/sign.h"

#include <string.h>

#include "base/base64.h"
#include "base/cleanup.h"
#include "tests/unit/unit.h"

static const char sec1[] = "-----BEGIN EC PRIVATE KEY-----\n"
                           "MHcCAQEEIMoMLip2s4ftinEa88kd9ZRz758tnNXW1nxmvhyQWvWFoAoGCCqGSM49\n"
                           "AwEHoUQDQgAEACg5xFS6tMz8PXu4ysZ7G3RpIhby3X1kQ0C3nY//uStiGxQczMOW\n"
                           "rd9bf7txEMrqdSKPhEsAzbDWSqthJz0xCQ==\n"
                           "-----END EC PRIVATE KEY-----\n";
static const char pkcs8[] = "-----BEGIN PRIVATE KEY-----\n"
                            "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgygwuKnazh+2KcRrz\n"
                            "yR31lHPvny2c1dbWfGa+HJBa9YWhRANCAAQAKDnEVLq0zPw9e7jKxnsbdGkiFvLd\n"
                            "fWRDQLedj/+5K2IbFBzMw5at31t/u3EQyup1Io+ESwDNsNZKq2EnPTEJ\n"
                            "-----END PRIVATE KEY-----\n";
static const char encrypted[] = /* password: horse */
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
        "MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAjZrJ9D3DvOsgICCAAw\n"
        "DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEPrCl4pM7Zaf8RieyjZE+8oEgZCm\n"
        "bKo+/JFlpLlYwy2eUdHgKhY6/qAqqZFmTaQlrl6QHyAkRGK0lSgpmh58RozBZZcq\n"
        "JeO3pMnRXQ+MGir731ZLDZ9gmBqhwp2heYl6AOCFfQaUY9eLHznDvyNaWGlHFA/l\n"
        "xac0r849OgqJ0921Hn0MzIe+zQW6V37ZHwSAiNTr/iJemgDMFKON1NCEMmksLKk=\n"
        "-----END ENCRYPTED PRIVATE KEY-----\n";
static const char public_[] = "-----BEGIN PUBLIC KEY-----\n"
                              "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEACg5xFS6tMz8PXu4ysZ7G3RpIhby\n"
                              "3X1kQ0C3nY//uStiGxQczMOWrd9bf7txEMrqdSKPhEsAzbDWSqthJz0xCQ==\n"
                              "-----END PUBLIC KEY-----\n";
static const char p384[] = "-----BEGIN EC PRIVATE KEY-----\n"
                           "MIGkAgEBBDDYcIqNsfn4KAcOzzFdepr4GgI/4eSfxfNrvWkKys+7kSHT7ymUsfOx\n"
                           "qEPNOVpQ3FmgBwYFK4EEACKhZANiAASEoeOirwTFzX4TsVTSAjaHBHkXpnW0XdDD\n"
                           "BY9gVxL1Udu6D3LHl0jTOcbcv78rjXBWaDjqBYL3lEu7qkH6FONsQbiFlREMpYmY\n"
                           "UF/Toel5BZHwXoVocyJqvqF8k+L6mc0=\n"
                           "-----END EC PRIVATE KEY-----\n";
static const char ed25519[] = "-----BEGIN PRIVATE KEY-----\n"
                              "MC4CAQAwBQYDK2VwBCIEIHTOPePCVuwnKMNb5D2cfYBQibk4yrqlY71lzWVgiS5s\n"
                              "-----END PRIVATE KEY-----\n";
static const char by_openssl[] =
        "MEYCIQDhZr8gUEnxJ60YXfM4oQTeLb0IziCRrMkU4Ip0zWwzFwIhAIHgxDfVkoI2ep46KUf39iiUT6onvNka7/XheWOlr+VA";

static void keys(void **state)
{
        static const struct {
                const char *pem, *password;
                int code;
                const char *cause, *hint; /* parts of them */
        } rows[] = {
                { sec1, NULL, 0, NULL, NULL },
                { pkcs8, NULL, 0, NULL, NULL },
                { encrypted, "horse", 0, NULL, NULL },
                { sec1, "not needed", 0, NULL, NULL },
                { encrypted, NULL, ERR_USAGE, "is encrypted and no password was given", "ENVBUILD_KEY_PASSWORD" },
                { encrypted, "cow", ERR_AUTH, "the password does not open the key", "COSIGN_PASSWORD" },
                { encrypted, "", ERR_AUTH, "the password does not open the key", "COSIGN_PASSWORD" },
                { public_, NULL, ERR_USAGE, "is a public key", NULL },
                { p384, NULL, ERR_USAGE, "on another curve", "openssl ecparam -name prime256v1" },
                { ed25519, NULL, ERR_USAGE, "but ED25519", "openssl ecparam -name prime256v1" },
                { "-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED SIGSTORE PRIVATE "
                  "KEY-----\n",
                  "horse", ERR_USAGE, "cosign's own encrypted form", "cosign import-key-pair" },
                { "-----BEGIN ENCRYPTED COSIGN PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED COSIGN PRIVATE KEY-----\n",
                  NULL, ERR_USAGE, "cosign's own encrypted form", "openssl ecparam" },
                { "hello", NULL, ERR_USAGE, "not a private key in PEM form", "openssl ecparam" },
                { "", NULL, ERR_USAGE, "not a private key in PEM form", "openssl ecparam" },
                { "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", NULL, ERR_USAGE,
                  "not a private key in PEM form", NULL },
        };
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                AUTO(sign_key_freep) struct sign_key *k = NULL;
                AUTO(err_done) struct err e = { 0 };
                int r = sign_key_read(sv_from(rows[i].pem), rows[i].password, "k.pem", &k, &e);

                if (r != -rows[i].code || (r == 0) != (k != NULL) ||
                    (rows[i].cause && (!strstr(e.cause, rows[i].cause) || !strstr(e.cause, "'k.pem'"))) ||
                    (rows[i].hint && (!e.hint || !strstr(e.hint, rows[i].hint))))
                        bad++, print_error("row %zu: %d %s (%s)\n", i, r, e.cause, e.hint);
        }
        assert_int_equal(bad, 0);
}

static void too_long(void **state)
{
        AUTO(sign_key_freep) struct sign_key *k = NULL;
        AUTO(err_done) struct err e = { 0 };
        AUTO(buf_done) struct buf b = BUF_INIT(SIGN_KEY_MAX * 2);

        (void)state;
        while (b.n <= SIGN_KEY_MAX)
                buf_add(&b, SV("# a comment before the key\n"));
        buf_add(&b, sv_from(sec1));
        assert_int_equal(sign_key_read(buf_sv(&b), NULL, "k.pem", &k, &e), -ERR_USAGE);
}

/* Both forms hold one key; what one signs the public half and openssl's signature agree with. */
static void both_directions(void **state)
{
        AUTO(sign_key_freep) struct sign_key *k = NULL, *other = NULL, *pub = NULL;
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(err_done) struct err e = { 0 };
        AUTO(buf_done) struct buf openssl = BUF_INIT(256);
        sv one, two;

        (void)state;
        assert_int_equal(sign_key_read(sv_from(sec1), NULL, "k", &k, &e), 0);
        assert_int_equal(sign_key_read(sv_from(encrypted), "horse", "k", &other, &e), 0);
        assert_int_equal(sign_key_read_public(sv_from(public_), "k", &pub, &e), 0);
        assert_true(sv_eq(sign_key_public(k, &a), sign_key_public(other, &a)));
        assert_true(sv_eq(sign_key_public(k, &a), sign_key_public(pub, &a)));
        assert_int_equal(sign_key_public(k, &a).n, 91);

        assert_true(base64_read(sv_from(by_openssl), &openssl));
        assert_true(sign_is_valid(pub, SV("hello"), buf_sv(&openssl)));
        assert_false(sign_is_valid(pub, SV("hellO"), buf_sv(&openssl)));
        openssl.p[openssl.n - 1] ^= 1;
        assert_false(sign_is_valid(pub, SV("hello"), buf_sv(&openssl)));
        assert_false(sign_is_valid(pub, SV("hello"), SV("")));

        assert_int_equal(sign_make(k, SV("text"), &a, &one, &e), 0);
        assert_int_equal(sign_make(k, SV("text"), &a, &two, &e), 0);
        assert_false(sv_eq(one, two));
        assert_true(sign_is_valid(pub, SV("text"), one));
        assert_true(sign_is_valid(pub, SV("text"), two));
        assert_int_equal(sign_make(pub, SV("text"), &a, &one, &e), -ERR_FAILED);
}

static void public_keys(void **state)
{
        AUTO(sign_key_freep) struct sign_key *k = NULL;
        AUTO(err_done) struct err one = { 0 }, two = { 0 };

        (void)state;
        assert_int_equal(sign_key_read_public(sv_from(sec1), "k", &k, &one), -ERR_USAGE);
        assert_int_equal(sign_key_read_public(SV(""), "k", &k, &two), -ERR_USAGE);
        sign_key_free(NULL);
}

int main(void)
{
        const struct CMUnitTest tests[] = { cmocka_unit_test(keys), cmocka_unit_test(too_long),
                                            cmocka_unit_test(both_directions), cmocka_unit_test(public_keys) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
