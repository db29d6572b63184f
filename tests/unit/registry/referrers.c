#include "registry/referrers.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "registry/referrers_priv.h"
#include "tests/unit/registry/fake_registry.h"
#include "tests/unit/unit.h"

#define D1   "sha256:1111111111111111111111111111111111111111111111111111111111111111"
#define SPDX "application/spdx+json"

static struct oci_desc subject(void)
{
        struct oci_desc d = { .media_type = SV(OCI_MANIFEST), .size = 5 };

        sha256_read(SV(D1), &d.digest);
        return d;
}

/* A document that hangs on D1. */
static struct reg_artifact artifact(const char *type, const char *text, const struct oci_desc *s,
                                    struct reg_push_blob *layer)
{
        static const struct oci_pair note = { SV("k"), SV("v") };
        sv bytes = sv_from(text);

        *layer = (struct reg_push_blob){
                .desc = { .media_type = sv_from(type), .digest = sha256_of(bytes), .size = bytes.n },
                .bytes.text = bytes,
        };
        return (struct reg_artifact){ .type = sv_from(type),
                                      .subject = s,
                                      .layer = layer,
                                      .n_layer = 1,
                                      .annotation = &note,
                                      .n_annotation = 1 };
}

static int push(struct fake_test *t, const char *type, const char *text, struct oci_desc *ret)
{
        struct oci_desc s = subject();
        struct reg_push_blob layer;
        struct reg_artifact x = artifact(type, text, &s, &layer);

        err_done(&t->e);
        return reg_artifact_push(t->c, &t->repo, &x, ret, &t->e);
}

static size_t list(struct fake_test *t, const char *type, struct reg_referrer **v)
{
        struct oci_desc s = subject();
        size_t n = 0;

        assert_int_equal(reg_referrers(t->c, &t->repo, &s.digest, sv_from(type), &t->a, v, &n, &t->e), 0);
        return n;
}

static void an_artifact_is_written_the_same_every_time(void **state)
{
        AUTO(buf_done) struct buf out = BUF_INIT(4096);
        struct oci_desc s = subject();
        struct reg_push_blob layer;
        struct reg_artifact x = artifact(SPDX, "{}", &s, &layer);

        (void)state;
        reg_artifact_write(&x, &out);
        assert_string_equal(
                out.p,
                "{\"annotations\":{\"k\":\"v\"},\"artifactType\":\"" SPDX
                "\",\"config\":{\"digest\":\"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a\","
                "\"mediaType\":\"" OCI_EMPTY "\",\"size\":2},\"layers\":[{\"digest\":\"sha256:"
                "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a\",\"mediaType\":\"" SPDX
                "\",\"size\":2}],\"mediaType\":\"" OCI_MANIFEST "\",\"schemaVersion\":2,\"subject\":{\"digest\":\"" D1
                "\",\"mediaType\":\"" OCI_MANIFEST "\",\"size\":5}}");
        buf_clear(&out);
        x = (struct reg_artifact){ .type = SV("a/b") }; /* nothing but its annotations: one empty layer */
        reg_artifact_write(&x, &out);
        assert_non_null(strstr(out.p, "\"layers\":[{\"digest\":\"sha256:44136f"));
        assert_null(strstr(out.p, "subject"));
}

static void what_hangs_on_an_image_is_found(void **state)
{
        for (int api = 0; api < 2; api++) {
                struct fake_settings set = { .no_referrers = !api };
                struct reg_referrer *v = NULL;
                struct oci_desc a, b, again;
                struct fake_test t;
                unsigned n;

                (void)state;
                fake_begin(&t, &set);
                assert_int_equal(list(&t, "", &v), 0); /* none is no error */
                assert_int_equal(push(&t, SPDX, "one", &a), 0);
                assert_int_equal(push(&t, "a/b+c", "two", &b), 0);
                assert_int_equal(list(&t, "", &v), 2);
                assert_true(sha256_cmp(&v[0].desc.digest, &v[1].desc.digest) < 0);
                assert_int_equal(list(&t, "a/b+c", &v), 1);
                assert_true(sha256_eq(&v[0].desc.digest, &b.digest) && sv_is(v[0].artifact_type, "a/b+c"));
                assert_int_equal(list(&t, "x/y", &v), 0);
                if (api) {
                        assert_true(fake_count("artifactType=a%2Fb%2Bc") > 0);
                        assert_int_equal(fake_count("PUT /v2/team/x/manifests/sha256-"), 0);
                } else {
                        assert_int_equal(list(&t, "a/b+c", &v), 1);
                        assert_true(sv_is(oci_desc_annotation(&v[0].desc, "k"), "v"));
                }
                n = fake_count("PUT ");
                assert_int_equal(push(&t, SPDX, "one", &again), 0); /* twice changes nothing */
                assert_true(sha256_eq(&a.digest, &again.digest));
                assert_int_equal(fake_count("PUT "), n);
                fake_end(&t);
        }
}

/* --- the tag schema */

struct rival {
        struct fake_test *t;
        sv entry;
};

static void write_rival(void *arg)
{
        struct rival *r = arg;
        char tag[80] = "sha256-";

        strcat(tag, &D1[7]);
        fake_manifest_add(&r->t->repo, tag, OCI_INDEX,
                          arena_fmt(&r->t->a,
                                    "{\"schemaVersion\":2,\"mediaType\":\"" OCI_INDEX "\",\"manifests\":[%.*s]}",
                                    SV_ARG(r->entry)));
}

#define RIVAL                                                                                                          \
        "{\"mediaType\":\"" OCI_MANIFEST "\",\"digest\":\"sha256:"                                                     \
        "2222222222222222222222222222222222222222222222222222222222222222\",\"size\":3,\"artifactType\":\"r/r\"}"

/* Somebody else writes between our reading and our writing, or right after it: our entry is there in the end. */
static void a_race_loses_no_entry_of_ours(void **state)
{
        static const struct {
                const char *match;
                unsigned skip;
                size_t entries;
        } when[] = { { "PUT /v2/team/x/manifests/sha256-", 0, 1 }, { "GET /v2/team/x/manifests/sha256-", 1, 2 } };
        struct reg_referrer *v = NULL;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(when); i++) {
                struct fake_test t;
                struct rival r = { .t = &t, .entry = SV(RIVAL) };
                struct oci_desc d;
                bool ours = false;

                fake_begin(&t, &(struct fake_settings){ .no_referrers = true });
                fake_meanwhile(when[i].match, when[i].skip, write_rival, &r);
                assert_int_equal(push(&t, SPDX, "one", &d), 0);
                assert_int_equal(list(&t, "", &v), when[i].entries);
                for (size_t k = 0; k < when[i].entries; k++)
                        ours |= sha256_eq(&v[k].desc.digest, &d.digest);
                assert_true(ours);
                fake_end(&t);
        }
}

/* Others hang the same on it at the same moment: the index is refused for a manifest whose link is half written. */
static void a_half_written_entry_is_looked_at_again(void **state)
{
        struct fake_settings old = { .no_referrers = true };
        struct reg_referrer *v;
        struct fake_test t;
        struct oci_desc d;

        (void)state;
        fake_begin(&t, &old);
        fake_fault(&(struct fake_fault){ .match = "PUT /v2/team/x/manifests/sha256-",
                                         .times = 2,
                                         .status = 400,
                                         .body = "{\"errors\":[{\"code\":\"MANIFEST_BLOB_UNKNOWN\"}]}" });
        assert_int_equal(push(&t, SPDX, "{}", &d), 0);
        assert_int_equal(list(&t, SPDX, &v), 1);
        assert_true(sha256_eq(&v[0].desc.digest, &d.digest));
        fake_end(&t);
}

static void others_entries_are_kept_as_they_are(void **state)
{
        AUTO(buf_done) struct buf out = BUF_INIT(4096);
        AUTO(arena_done) struct arena a = { 0 };
        struct oci_desc entry = { .media_type = SV(OCI_MANIFEST), .artifact_type = SV("a/b"), .size = 3 };
        struct err e = { 0 };
        bool had = true;
        sv text = arena_fmt(&a, "{\"schemaVersion\":2,\"annotations\":{\"x\":\"y\"},\"manifests\":[%s]}", RIVAL);

        (void)state;
        sha256_read(SV(D1), &entry.digest);
        assert_int_equal(referrers_add(text, &entry, &out, &had, &e), 0);
        assert_false(had);
        assert_non_null(strstr(out.p, "\"annotations\":{\"x\":\"y\"}"));
        assert_non_null(strstr(out.p, "\"artifactType\":\"r/r\""));
        assert_true(strstr(out.p, D1) < strstr(out.p, "sha256:2222")); /* sorted */
        text = arena_sv(&a, buf_sv(&out));
        buf_clear(&out);
        assert_int_equal(referrers_add(text, &entry, &out, &had, &e), 0);
        assert_true(had && out.n == 0);
        assert_int_equal(referrers_add(SV("{\"layers\":[]}"), &entry, &out, &had, &e), -ERR_INTEGRITY);
        err_done(&e);
}

static void a_tag_that_means_something_else_is_left_alone(void **state)
{
        struct reg_referrer *v;
        struct fake_test t;
        struct oci_desc d, s = subject();
        char tag[80] = "sha256-";
        size_t n;

        (void)state;
        fake_begin(&t, &(struct fake_settings){ .no_referrers = true });
        strcat(tag, &D1[7]);
        fake_manifest_add(&t.repo, tag, OCI_MANIFEST, SV("{\"schemaVersion\":2,\"mediaType\":\"" OCI_MANIFEST "\"}"));
        assert_int_equal(push(&t, SPDX, "one", &d), -ERR_INTEGRITY);
        assert_non_null(strstr(t.e.cause, "not the index"));
        assert_true(sv_find_sv(fake_manifest(&t.repo, tag), SV("manifests")) < 0);
        err_done(&t.e);
        assert_int_equal(reg_referrers(t.c, &t.repo, &s.digest, (sv){ 0 }, &t.a, &v, &n, &t.e), -ERR_INTEGRITY);
        fake_end(&t);
}

static void a_fact_stands_by_itself(void **state)
{
        struct reg_push_blob layer;
        struct reg_artifact x = artifact(SPDX, "fact", NULL, &layer);
        struct fake_test t;
        struct oci_desc d;

        (void)state;
        x.tag = SV("lk-1");
        fake_begin(&t, &(struct fake_settings){ .no_referrers = true });
        assert_int_equal(reg_artifact_push(t.c, &t.repo, &x, &d, &t.e), 0);
        assert_true(fake_manifest(&t.repo, "lk-1").n == d.size);
        assert_int_equal(fake_count("referrers"), 0);
        assert_true(fake_blob_has(&t.repo, SV("{}"))); /* registries check */
        fake_end(&t);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(an_artifact_is_written_the_same_every_time),
                cmocka_unit_test(what_hangs_on_an_image_is_found),
                cmocka_unit_test(a_race_loses_no_entry_of_ours),
                cmocka_unit_test(a_half_written_entry_is_looked_at_again),
                cmocka_unit_test(others_entries_are_kept_as_they_are),
                cmocka_unit_test(a_tag_that_means_something_else_is_left_alone),
                cmocka_unit_test(a_fact_stands_by_itself),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
