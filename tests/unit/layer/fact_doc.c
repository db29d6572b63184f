#include "layer/fact_doc.h"

#include <string.h>

#include "base/attr.h"
#include "base/cleanup.h"
#include "ext/hash.h"
#include "tests/unit/unit.h"

#define H1    "1111111111111111111111111111111111111111111111111111111111111111"
#define H2    "2222222222222222222222222222222222222222222222222222222222222222"
#define H3    "3333333333333333333333333333333333333333333333333333333333333333"
#define H4    "4444444444444444444444444444444444444444444444444444444444444444"
#define EMPTY "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"

#define GZIP  "{\"digest\":\"sha256:" H2 "\",\"mediaType\":\"" OCI_LAYER_GZIP "\",\"size\":7}"
#define ZSTD  "{\"digest\":\"sha256:" H3 "\",\"mediaType\":\"" OCI_LAYER_ZSTD "\",\"size\":6}"
#define PATHS "{\"digest\":\"sha256:" H4 "\",\"mediaType\":\"" PATHS_MEDIA_TYPE "\",\"size\":5}"
#define TEXT  "{\"digest\":\"sha256:" H3 "\",\"mediaType\":\"" FACT_TEXT_TYPE "\",\"size\":4}"
#define MEMBER                                                                                                         \
        "{\"annotations\":{\"dev.envbuild.key\":\"" H2 "\"},\"digest\":\"sha256:" H3                                   \
        "\",\"mediaType\":\"" PATHS_MEDIA_TYPE "\",\"size\":3}"
#define NOTES(key)                                                                                                     \
        "\"dev.envbuild.diff-id\":\"sha256:" H2 "\",\"dev.envbuild.key\":\"" key                                       \
        "\",\"dev.envbuild.layer-format\":\"1\""
#define CONFIG                                                                                                         \
        "\"config\":{\"digest\":\"sha256:" EMPTY "\",\"mediaType\":\"application/vnd.oci.empty.v1+json\",\"size\":2}"
#define DOC(notes, type, config, layers)                                                                               \
        "{\"annotations\":{" notes "},\"artifactType\":\"" type "\"," config ",\"layers\":[" layers                    \
        "],\"mediaType\":\"" OCI_MANIFEST "\",\"schemaVersion\":2}"

static sha256 of(char digit)
{
        char text[65];
        sha256 d;

        memset(text, digit, 64);
        text[64] = 0;
        assert_true(sha256_read((sv){ text, 64 }, &d));
        return d;
}

static struct fact_doc whole(void)
{
        static struct fact_blob text;
        struct fact_doc d = { .key = of('1'), .diff_id = of('2'), .n_encoding = 2, .paths = { of('4'), 5 } };

        /* the order of encodings is the document's, whatever it is here */
        d.encoding[0] = (struct layer_encoding){ OCI_CODEC_ZSTD, of('3'), 6 };
        d.encoding[1] = (struct layer_encoding){ OCI_CODEC_GZIP, of('2'), 7 };
        text = (struct fact_blob){ of('3'), 4 };
        d.text = &text;
        d.n_text = 1;
        return d;
}

static void write_doc(const struct fact_doc *d, struct buf *out)
{
        AUTO(arena_done) struct arena a = { 0 };
        struct reg_artifact art;

        fact_doc_artifact(d, &a, &art);
        reg_artifact_write(&art, out);
        buf_byte(out, '\0');
        out->n--;
}

/* Bytes that are published for ever. */
static void the_manifest(void **state)
{
        static const char want[] = DOC(NOTES(H1), FACT_TYPE, CONFIG, GZIP "," ZSTD "," PATHS "," TEXT);
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(buf_done) struct buf text = BUF_INIT(4096), again = BUF_INIT(4096);
        struct fact_doc d = whole(), got;
        struct reg_artifact art;
        struct err e = { 0 };

        (void)state;
        write_doc(&d, &text);
        assert_string_equal(text.p, want);
        fact_doc_artifact(&d, &a, &art);
        assert_string_equal(art.tag.p, "lk-" H1);
        assert_int_equal(fact_doc_parse(&a, buf_sv(&text), &d.key, &got, &e), 0);
        assert_int_equal(got.n_encoding, 2);
        assert_int_equal(fact_doc_encoding(&got, OCI_CODEC_ZSTD)->size, 6);
        assert_null(fact_doc_encoding(&got, OCI_CODEC_NONE));
        assert_int_equal(got.n_text, 1);
        assert_int_equal(got.n_member, 0);
        write_doc(&got, &again);
        assert_string_equal(again.p, want);
}

static void a_bucket(void **state)
{
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(buf_done) struct buf text = BUF_INIT(4096);
        struct fact_doc d = whole(), got;
        struct fact_member m[2] = { { of('5'), { of('3'), 3 } }, { of('6'), { of('3'), 3 } } };
        sha256 keys[2] = { m[0].key, m[1].key };
        AUTO(err_done) struct err e = { 0 };

        (void)state;
        d.key = layer_key_bucket(keys, 2);
        d.member = m;
        d.n_member = 2;
        write_doc(&d, &text);
        assert_int_equal(fact_doc_parse(&a, buf_sv(&text), &d.key, &got, &e), 0);
        assert_int_equal(got.n_member, 2);
        assert_true(sha256_eq(&got.member[1].key, &m[1].key));
        buf_clear(&text);
        d.n_member = 1; /* a member less: the key says so */
        write_doc(&d, &text);
        assert_int_equal(fact_doc_parse(&a, buf_sv(&text), &d.key, &got, &e), -ERR_INTEGRITY);
}

static void hostile_documents(void **state)
{
#define GOOD GZIP "," PATHS
        static const char *const bad[] = {
                "",
                "[]",
                "{}",
                DOC(NOTES(H2), FACT_TYPE, CONFIG, GOOD),            /* another key */
                DOC(NOTES(H1), "application/x", CONFIG, GOOD),      /* something else */
                DOC(NOTES(H1), FACT_TYPE, CONFIG, PATHS),           /* no layer */
                DOC(NOTES(H1), FACT_TYPE, CONFIG, GZIP),            /* no path list */
                DOC(NOTES(H1), FACT_TYPE, CONFIG, PATHS "," GZIP),  /* not in order */
                DOC(NOTES(H1), FACT_TYPE, CONFIG, GZIP "," GOOD),   /* an encoding twice */
                DOC(NOTES(H1), FACT_TYPE, CONFIG, ZSTD "," GOOD),   /* not in order */
                DOC(NOTES(H1), FACT_TYPE, CONFIG, GOOD "," PATHS),  /* a list of nobody */
                DOC(NOTES(H1), FACT_TYPE, CONFIG, GOOD "," MEMBER), /* members of another bucket */
                DOC(NOTES(H1), FACT_TYPE, CONFIG, GZIP "," MEMBER), /* a member's list as its own */
                DOC(NOTES(H1), FACT_TYPE, CONFIG, GOOD "," TEXT "," GZIP),
                DOC(NOTES(H1) ",\"x\":\"y\"", FACT_TYPE, CONFIG, GOOD),
                DOC(NOTES(H1) ",\"dev.envbuild.signature\":\"00\"", FACT_TYPE, CONFIG, GOOD),
                DOC("\"dev.envbuild.key\":\"" H1 "\",\"dev.envbuild.layer-format\":\"1\"", FACT_TYPE, CONFIG, GOOD),
                DOC("\"dev.envbuild.diff-id\":\"sha256:" H2 "\",\"dev.envbuild.key\":\"" H1
                    "\",\"dev.envbuild.layer-format\":\"2\"",
                    FACT_TYPE, CONFIG, GOOD),
                DOC("\"dev.envbuild.diff-id\":\"" H2 "\",\"dev.envbuild.key\":\"" H1
                    "\",\"dev.envbuild.layer-format\":\"1\"",
                    FACT_TYPE, CONFIG, GOOD),
                DOC(NOTES(H1), FACT_TYPE,
                    "\"config\":{\"digest\":\"sha256:" H1 "\",\"mediaType\":\"application/vnd.oci.empty.v1+json\","
                    "\"size\":2}",
                    GOOD),
                DOC(NOTES(H1), FACT_TYPE, CONFIG ",\"subject\":" GZIP, GOOD),
                DOC(NOTES(H1), FACT_TYPE, CONFIG,
                    GZIP ",{\"digest\":\"sha256:" H4 "\",\"mediaType\":\"" PATHS_MEDIA_TYPE "\",\"size\":67108865}"),
                DOC(NOTES(H1), FACT_TYPE, CONFIG,
                    GOOD ",{\"digest\":\"sha256:" H4 "\",\"mediaType\":\"" FACT_TEXT_TYPE "\",\"size\":1048577}"),
                DOC(NOTES(H1), FACT_TYPE, CONFIG,
                    "{\"digest\":\"sha512:" H4 H4 "\",\"mediaType\":\"" OCI_LAYER_GZIP "\",\"size\":1}," PATHS),
        };
        sha256 key = of('1');
        int wrong = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
                AUTO(arena_done) struct arena a = { 0 };
                AUTO(err_done) struct err e = { 0 };
                struct fact_doc d;

                if (fact_doc_parse(&a, sv_from(bad[i]), &key, &d, &e) != -ERR_INTEGRITY || !strstr(e.cause, "1111"))
                        wrong++, print_error("row %zu: %s\n", i, e.cause ? e.cause : "taken");
        }
        assert_int_equal(wrong, 0);
}

#define PRIVATE                                                                                                        \
        "-----BEGIN PRIVATE KEY-----\n"                                                                                \
        "MC4CAQAwBQYDK2VwBCIEIEzNCJso/5banbbDRuwRTg9bijGfNaumJNqM9u1PuKb7\n"                                           \
        "-----END PRIVATE KEY-----\n"
#define PUBLIC "MCowBQYDK2VwAyEAPUAXw+hDiVqStwqnTRt+vJyYLM8uxJaMwM1V8Sr0Zgw="
#define OTHER  "MCowBQYDK2VwAyEAVGpPk/S5ROvEWxqwFw0AnLZb6Xxo4SXxBeQnVVzZnc4="

/* Every field is signed. */
static void signatures(void **state)
{
        AUTO(ed25519_key_freep) struct ed25519_key *k = NULL;
        AUTO(buf_done) struct buf text = BUF_INIT(4096);
        AUTO(arena_done) struct arena a = { 0 };
        struct ed25519_public trust[2];
        struct fact_doc d = whole(), got;
        struct err e = { 0 };

        (void)state;
        assert_int_equal(ed25519_key_read(SV(PRIVATE), &k, &e), 0);
        assert_int_equal(ed25519_public_read(SV(OTHER), &trust[0], &e), 0);
        assert_int_equal(ed25519_public_read(SV(PUBLIC), &trust[1], &e), 0);
        assert_false(fact_doc_is_signed(&d, trust, 2));
        assert_int_equal(fact_doc_sign(&d, k, &e), 0);
        write_doc(&d, &text);
        assert_int_equal(fact_doc_parse(&a, buf_sv(&text), &d.key, &got, &e), 0);
        assert_true(fact_doc_is_signed(&got, trust, 2));
        assert_false(fact_doc_is_signed(&got, trust, 1));
        got = d, got.key.b[0] ^= 1;
        assert_false(fact_doc_is_signed(&got, trust, 2));
        got = d, got.diff_id.b[0] ^= 1;
        assert_false(fact_doc_is_signed(&got, trust, 2));
        got = d, got.encoding[1].digest.b[31] ^= 1;
        assert_false(fact_doc_is_signed(&got, trust, 2));
        got = d, got.encoding[0].size++;
        assert_false(fact_doc_is_signed(&got, trust, 2));
        got = d, got.paths.digest.b[7] ^= 1;
        assert_false(fact_doc_is_signed(&got, trust, 2));
        got = d, got.n_text = 0;
        assert_false(fact_doc_is_signed(&got, trust, 2));
        got = d, got.n_encoding = 1;
        assert_false(fact_doc_is_signed(&got, trust, 2));
        got = d, got.n_member = 1, got.member = &(struct fact_member){ of('1'), { of('1'), 1 } };
        assert_false(fact_doc_is_signed(&got, trust, 2));
}

/* Frozen: who signed last year is believed this year. */
static void the_signed_text(void **state)
{
        AUTO(buf_done) struct buf text = BUF_INIT(4096);
        struct fact_doc d = whole();

        (void)state;
        d.member = &(struct fact_member){ of('5'), { of('3'), 3 } };
        d.n_member = 1;
        fact_doc_signed_text(&d, &text);
        buf_byte(&text, '\0');
        assert_string_equal(text.p, "envbuild layer fact, format 1\nkey " H1 "\ndiff-id " H2 "\ngzip " H2 " 7\nzstd " H3
                                    " 6\npaths " H4 " 5\n"
                                    "member 5555555555555555555555555555555555555555555555555555555555555555\n"
                                    "paths " H3 " 3\ntext " H3 " 4\n");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_manifest), cmocka_unit_test(a_bucket),        cmocka_unit_test(hostile_documents),
                cmocka_unit_test(signatures),   cmocka_unit_test(the_signed_text),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
