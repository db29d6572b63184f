#include "registry/manifest.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "tests/unit/registry/fake_registry.h"
#include "tests/unit/unit.h"

#define D1 "sha256:1111111111111111111111111111111111111111111111111111111111111111"
#define TEXT                                                                                                           \
        "{\"schemaVersion\":2,\"mediaType\":\"" OCI_MANIFEST "\",\"config\":{\"mediaType\":\"" OCI_CONFIG              \
        "\",\"digest\":\"" D1 "\",\"size\":7},\"layers\":[{\"mediaType\":\"" OCI_LAYER_GZIP "\",\"digest\":\"" D1      \
        "\",\"size\":9}]}"

static struct reg_manifest manifest_of(sv bytes)
{
        return (struct reg_manifest){ .bytes = bytes, .media_type = SV(OCI_MANIFEST), .digest = sha256_of(bytes) };
}

static int get(struct fake_test *t, sv ref, struct reg_manifest *ret)
{
        err_done(&t->e);
        return reg_manifest_get(t->c, &t->repo, ref, &t->a, ret, &t->e);
}

static void says(const struct fake_test *t, const char *part)
{
        if (!t->e.cause || !strstr(t->e.cause, part))
                fail_msg("'%s' does not say '%s'", t->e.cause ? t->e.cause : "", part);
}

static void a_manifest_is_its_bytes(void **state)
{
        struct reg_manifest m = manifest_of(SV(TEXT)), got;
        struct fake_test t;
        sv digest;

        (void)state;
        fake_begin(&t, NULL);
        digest = arena_fmt(&t.a, "sha256:%s", sha256_hex(&m.digest).s);
        assert_int_equal(reg_manifest_put(t.c, &t.repo, SV("v1"), &m, NULL, &t.e), 0);
        assert_true(sv_is(fake_manifest(&t.repo, "v1"), TEXT));
        assert_int_equal(get(&t, SV("v1"), &got), 0);
        assert_true(sv_is(got.bytes, TEXT) && sv_is(got.media_type, OCI_MANIFEST) && sha256_eq(&got.digest, &m.digest));
        assert_int_equal(get(&t, digest, &got), 0);
        assert_int_equal(get(&t, SV("v2"), &got), -ERR_NOT_FOUND);
        says(&t, "localhost:5000/team/x:v2");
        fake_end(&t);
}

static void what_servers_say_is_checked(void **state)
{
        static const struct {
                const char *type, *text; /* the type of the answer */
                const char *ref, *says;
        } rows[] = {
                { OCI_INDEX, TEXT, "v1", "calls it" },
                { OCI_MANIFEST, TEXT, D1, "is sha256:" },
                { OCI_MANIFEST, "not json", "v1", "is not JSON" },
                { "application/vnd.docker.distribution.manifest.v1+prettyjws", "{\"schemaVersion\":1}", "v1",
                  "schema 1" },
                { OCI_MANIFEST, "{\"schemaVersion\":1,\"fsLayers\":[]}", "v1", "schema 1" },
        };
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                struct reg_manifest got;
                struct fake_test t;

                fake_begin(&t, &(struct fake_settings){ .no_digest = true });
                fake_manifest_add(&t.repo, rows[i].ref, rows[i].type, sv_from(rows[i].text));
                if (get(&t, sv_from(rows[i].ref), &got) != -ERR_INTEGRITY || !strstr(t.e.cause, rows[i].says))
                        bad++, print_error("row %zu: %s\n", i, t.e.cause ? t.e.cause : "taken");
                fake_end(&t);
        }
        assert_int_equal(bad, 0);
}

static void a_type_may_have_parameters_or_miss(void **state)
{
        struct reg_manifest got;
        struct fake_test t;

        (void)state;
        fake_begin(&t, NULL);
        fake_manifest_add(&t.repo, "v1", OCI_MANIFEST "; charset=utf-8", SV(TEXT));
        assert_int_equal(get(&t, SV("v1"), &got), 0);
        fake_manifest_add(&t.repo, "v2", "", SV(TEXT));
        assert_int_equal(get(&t, SV("v2"), &got), 0);
        assert_true(sv_is(got.media_type, OCI_MANIFEST));
        fake_manifest_add(&t.repo, "v3", OCI_INDEX, SV("{\"manifests\":[]}"));
        assert_int_equal(get(&t, SV("v3"), &got), 0);
        assert_true(sv_is(got.media_type, OCI_INDEX));
        fake_end(&t);
}

static void a_head_says_digest_and_size(void **state)
{
        for (int digest = 0; digest < 2; digest++) {
                struct fake_settings set = { .no_digest = !digest };
                struct reg_manifest m = manifest_of(SV(TEXT));
                struct oci_desc d;
                struct fake_test t;

                (void)state;
                fake_begin(&t, &set);
                fake_manifest_add(&t.repo, "v1", OCI_MANIFEST, SV(TEXT));
                assert_int_equal(reg_manifest_head(t.c, &t.repo, SV("v1"), &t.a, &d, &t.e), 0);
                assert_true(sha256_eq(&d.digest, &m.digest) && d.size == sizeof(TEXT) - 1 &&
                            sv_is(d.media_type, OCI_MANIFEST));
                assert_int_equal(fake_count("GET "), !digest); /* who does not say it is read */
                assert_int_equal(reg_manifest_head(t.c, &t.repo, SV("v2"), &t.a, &d, &t.e), -ERR_NOT_FOUND);
                fake_end(&t);
        }
}

static void a_lost_answer_is_looked_into(void **state)
{
        struct reg_manifest m = manifest_of(SV(TEXT));
        struct fake_test t;

        (void)state;
        fake_begin(&t, NULL);
        fake_fault(&(struct fake_fault){ .match = "PUT ", .times = 1, .after = true });
        assert_int_equal(reg_manifest_put(t.c, &t.repo, SV("v1"), &m, NULL, &t.e), 0);
        assert_int_equal(fake_count("PUT "), 1);
        assert_int_equal(fake_count("HEAD "), 1);
        fake_end(&t);
        fake_begin(&t, NULL);
        fake_fault(&(struct fake_fault){ .match = "PUT ", .times = 3, .status = 502 });
        assert_int_equal(reg_manifest_put(t.c, &t.repo, SV("v1"), &m, NULL, &t.e), 0);
        assert_int_equal(fake_count("PUT "), 4);
        fake_end(&t);
        fake_begin(&t, NULL);
        fake_fault(&(struct fake_fault){ .match = "PUT ", .status = 500, .body = "out of disk" });
        assert_int_equal(reg_manifest_put(t.c, &t.repo, SV("v1"), &m, NULL, &t.e), -ERR_NET);
        assert_int_equal(fake_count("PUT "), 5);
        says(&t, "out of disk");
        fake_end(&t);
        fake_begin(&t, NULL);
        fake_fault(&(struct fake_fault){
                .match = "PUT ", .status = 400, .body = "{\"errors\":[{\"code\":\"MANIFEST_INVALID\"}]}" });
        assert_int_equal(reg_manifest_put(t.c, &t.repo, SV("v1"), &m, NULL, &t.e), -ERR_NET);
        assert_int_equal(fake_count("PUT "), 1);
        says(&t, "MANIFEST_INVALID");
        says(&t, "localhost:5000/team/x:v1");
        fake_end(&t);
}

static void what_is_too_large_is_not_sent(void **state)
{
        struct reg_manifest m = { .media_type = SV(OCI_MANIFEST) };
        struct fake_test t;

        (void)state;
        fake_begin(&t, NULL);
        m.bytes = (sv){ arena_alloc(&t.a, OCI_DOC_MAX + 1, 1), OCI_DOC_MAX + 1 };
        assert_int_equal(reg_manifest_put(t.c, &t.repo, SV("v1"), &m, NULL, &t.e), -ERR_LIMIT);
        assert_int_equal(fake_count(""), 0);
        fake_end(&t);
}

static void deleting(void **state)
{
        struct fake_test t;

        (void)state;
        fake_begin(&t, NULL);
        fake_manifest_add(&t.repo, "v1", OCI_MANIFEST, SV(TEXT));
        assert_int_equal(reg_manifest_delete(t.c, &t.repo, SV("v1"), &t.e), 0);
        assert_int_equal(fake_manifest(&t.repo, "v1").n, 0);
        assert_int_equal(reg_manifest_delete(t.c, &t.repo, SV("v1"), &t.e), -ERR_NOT_FOUND);
        fake_end(&t);
        fake_begin(&t, &(struct fake_settings){ .no_delete = true });
        fake_manifest_add(&t.repo, "v1", OCI_MANIFEST, SV(TEXT));
        assert_int_equal(reg_manifest_delete(t.c, &t.repo, SV("v1"), &t.e), -ERR_FAILED);
        assert_non_null(strstr(t.e.hint, "by digest only"));
        fake_end(&t);
}

static void tags_of_all_pages_are_sorted(void **state)
{
        static const char *const names[] = { "v2", "v10", "a", "latest", "v1" };
        struct fake_test t;
        sv *v;
        size_t n;

        (void)state;
        fake_begin(&t, &(struct fake_settings){ .page = 2 });
        for (size_t i = 0; i < ARRAY_LEN(names); i++)
                fake_manifest_add(&t.repo, names[i], OCI_MANIFEST, SV(TEXT));
        assert_int_equal(reg_tags(t.c, &t.repo, &t.a, &v, &n, &t.e), 0);
        assert_int_equal(n, 5);
        assert_true(sv_is(v[0], "a") && sv_is(v[2], "v1") && sv_is(v[4], "v2"));
        assert_int_equal(fake_count("tags/list"), 3);
        fake_end(&t);
}

static void lists_of_tags_are_checked(void **state)
{
        static const struct {
                long status;
                const char *text;
                int code;
        } rows[] = {
                { 200, "{\"name\":\"x\",\"tags\":null}", 0 },
                { 200, "{\"name\":\"x\"}", 0 },
                { 200, "{\"tags\":[1]}", -ERR_INTEGRITY },
                { 200, "{\"tags\":\"v1\"}", -ERR_INTEGRITY },
                { 200, "<html>", -ERR_INTEGRITY },
                { 200, "[]", -ERR_INTEGRITY },
                { 404, "", -ERR_NOT_FOUND },
                { 403, "", -ERR_AUTH },
        };
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                struct fake_test t;
                sv *v;
                size_t n = 7;
                int r;

                fake_begin(&t, NULL);
                fake_fault(
                        &(struct fake_fault){ .match = "tags/list", .status = rows[i].status, .body = rows[i].text });
                r = reg_tags(t.c, &t.repo, &t.a, &v, &n, &t.e);
                if (r != rows[i].code || (r == 0 && n != 0))
                        bad++, print_error("row %zu: %d %s\n", i, r, t.e.cause ? t.e.cause : "");
                fake_end(&t);
        }
        assert_int_equal(bad, 0);
}

static void a_list_does_not_lead_elsewhere(void **state)
{
        struct fake_test t;
        sv *v;
        size_t n;

        (void)state;
        fake_begin(&t, &(struct fake_settings){ .page = 1, .location = "http://evil.test" });
        fake_manifest_add(&t.repo, "v1", OCI_MANIFEST, SV(TEXT));
        fake_manifest_add(&t.repo, "v2", OCI_MANIFEST, SV(TEXT));
        assert_int_equal(reg_tags(t.c, &t.repo, &t.a, &v, &n, &t.e), -ERR_INTEGRITY);
        says(&t, "another host");
        fake_end(&t);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_manifest_is_its_bytes),
                cmocka_unit_test(what_servers_say_is_checked),
                cmocka_unit_test(a_type_may_have_parameters_or_miss),
                cmocka_unit_test(a_head_says_digest_and_size),
                cmocka_unit_test(a_lost_answer_is_looked_into),
                cmocka_unit_test(what_is_too_large_is_not_sent),
                cmocka_unit_test(deleting),
                cmocka_unit_test(tags_of_all_pages_are_sorted),
                cmocka_unit_test(lists_of_tags_are_checked),
                cmocka_unit_test(a_list_does_not_lead_elsewhere),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
