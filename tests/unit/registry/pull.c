#include <string.h>

#include "base/cleanup.h"
#include "registry/pull.h"
#include "tests/unit/registry/fake_registry.h"
#include "tests/unit/unit.h"

#define D1    "sha256:1111111111111111111111111111111111111111111111111111111111111111"
#define D2    "sha256:2222222222222222222222222222222222222222222222222222222222222222"
#define LAYER "{\"mediaType\":\"" OCI_LAYER_GZIP "\",\"digest\":\"" D2 "\",\"size\":9}"
#define AMD64 "\"amd64\",\"os\":\"linux\","

static void references_say_everything(void **state)
{
        static const struct {
                const char *text, *full;
        } rows[] = {
                { "ubuntu", "docker.io/library/ubuntu:latest" },
                { "ubuntu:24.04", "docker.io/library/ubuntu:24.04" },
                { "index.docker.io/a/b", "docker.io/a/b:latest" },
                { "localhost:5000/a", "localhost:5000/a:latest" },
                { "ubuntu@" D1, "docker.io/library/ubuntu@" D1 },
                { "ubuntu:24.04@" D1, "docker.io/library/ubuntu:24.04@" D1 },
        };
        AUTO(arena_done) struct arena a = { 0 };

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                const char *why = NULL;
                struct reference r;

                assert_true(reference_parse(&a, sv_from(rows[i].text), false, &r, &why));
                assert_string_equal(reg_reference_text(&a, &r).p, rows[i].full);
        }
}

/* An index as buildkit writes it, with something of another kind besides. The sizes tell entries apart. */
static void buildkit(struct oci_desc v[static 5])
{
        sv image = SV(OCI_MANIFEST), os = SV("linux"), amd64 = SV("amd64");

        v[0] = (struct oci_desc){ .media_type = SV("application/vnd.cncf.helm"), .os = os, .arch = amd64, .size = 1 };
        v[1] = (struct oci_desc){ .media_type = image, .os = SV("unknown"), .arch = SV("unknown"), .size = 2 };
        v[2] = (struct oci_desc){ .media_type = image, .os = os, .arch = SV("arm64"), .variant = SV("v8"), .size = 3 };
        v[3] = (struct oci_desc){ .media_type = image, .os = os, .arch = amd64, .size = 4 };
        v[4] = (struct oci_desc){ .media_type = image, .os = os, .arch = amd64, .size = 5 };
}

static void an_entry_for_a_platform(void **state)
{
        static const struct {
                const char *platform;
                uint64_t size; /* 0: none */
        } rows[] = {
                { "linux/amd64", 4 }, { "linux/arm64", 3 },   { "linux/arm64/v8", 3 },  { "", 3 }, /* the first image */
                { "linux/arm", 0 },   { "windows/amd64", 0 }, { "unknown/unknown", 0 },
        };
        AUTO(arena_done) struct arena a = { 0 };
        struct oci_desc v[5];
        struct oci_index x = { v, ARRAY_LEN(v) };

        (void)state;
        buildkit(v);
        assert_string_equal(reg_index_platforms(&a, &x).p, "linux/arm64/v8, linux/amd64");
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                AUTO(err_done) struct err e = { 0 };
                const struct oci_desc *d = NULL;
                int r = reg_index_pick(&x, sv_from(rows[i].platform), SV("x:1"), &a, &d, &e);

                assert_int_equal(r, rows[i].size ? 0 : -ERR_NOT_FOUND);
                if (r == 0)
                        assert_int_equal(d->size, rows[i].size);
                else
                        assert_non_null(strstr(e.cause, "only for linux/arm64/v8, linux/amd64"));
        }
}

static void an_index_without_images(void **state)
{
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(err_done) struct err e = { 0 };
        const struct oci_desc *d;
        struct oci_desc v[5];
        struct oci_index x = { v, 2 };

        (void)state;
        buildkit(v);
        assert_int_equal(reg_index_pick(&x, SV("linux/amd64"), SV("x:1"), &a, &d, &e), -ERR_NOT_FOUND);
        assert_non_null(strstr(e.cause, "'x:1' holds no image"));
}

static void manifest_and_config_must_fit(void **state)
{
        static const struct {
                const char *config_type, *layers, *config, *platform;
                enum err_code code;
                const char *text;
        } rows[] = {
                { OCI_CONFIG, LAYER, AMD64, "linux/amd64", ERR_NONE, NULL },
                { "application/vnd.docker.container.image.v1+json", LAYER, AMD64, "linux/amd64", ERR_NONE, NULL },
                { OCI_CONFIG, LAYER, "\"arm64\",\"os\":\"linux\",", "", ERR_NONE, NULL },
                { OCI_CONFIG, LAYER, "\"arm64\",\"os\":\"linux\",", "linux/arm64", ERR_NONE, NULL },
                { OCI_CONFIG, LAYER, "\"arm64\",\"os\":\"linux\",\"variant\":\"v8\",", "linux/amd64", ERR_NOT_FOUND,
                  "only for linux/arm64/v8" },
                { OCI_CONFIG, LAYER "," LAYER, AMD64, "linux/amd64", ERR_INTEGRITY,
                  "has 2 layers, but its config names 1" },
                { "application/vnd.oci.empty.v1+json", LAYER, AMD64, "linux/amd64", ERR_FAILED,
                  "is not an image: its config is of the type application/vnd.oci.empty.v1+json" },
                { OCI_CONFIG, "{\"mediaType\":\"application/vnd.x+encrypted\",\"digest\":\"" D2 "\",\"size\":9}", AMD64,
                  "linux/amd64", ERR_FAILED,
                  "layer 1 of 'x:1' is of a type that we cannot read: application/vnd.x+encrypted" },
        };

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                AUTO(arena_done) struct arena a = { 0 };
                AUTO(err_done) struct err e = { 0 };
                struct reg_image x = { .name = SV("x:1") };

                x.manifest.bytes = arena_fmt(&a,
                                             "{\"schemaVersion\":2,\"config\":{\"mediaType\":\"%s\",\"digest\":\"" D1
                                             "\",\"size\":7},\"layers\":[%s]}",
                                             rows[i].config_type, rows[i].layers);
                x.config_text =
                        arena_fmt(&a, "{\"architecture\":%s\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"" D2 "\"]}}",
                                  rows[i].config);
                reg_image_check(&x, sv_from(rows[i].platform), &a, &e);
                if (e.code != rows[i].code || (rows[i].text && !strstr(e.cause, rows[i].text)))
                        fail_msg("row %zu: %d, %s", i, e.code, e.cause ? e.cause : "");
        }
}

/* --- with a registry */

#define CONFIG                                                                                                         \
        "{\"architecture\":\"amd64\",\"os\":\"linux\",\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"" D2 "\"]}}"

static sv digest_of(struct arena *a, sv bytes)
{
        sha256 d = sha256_of(bytes);

        return arena_fmt(a, "sha256:%s", sha256_hex(&d).s);
}

/* An image by digest; returns its entry in an index. */
static sv add_image(struct fake_test *t, const char *platform)
{
        sv config = SV(CONFIG), m;

        fake_blob_add(&t->repo, config);
        m = arena_fmt(&t->a,
                      "{\"schemaVersion\":2,\"config\":{\"mediaType\":\"" OCI_CONFIG
                      "\",\"digest\":\"%.*s\",\"size\":%zu},\"layers\":[" LAYER "]}",
                      SV_ARG(digest_of(&t->a, config)), config.n);
        fake_manifest_add(&t->repo, digest_of(&t->a, m).p, OCI_MANIFEST, m);
        return arena_fmt(&t->a,
                         "{\"mediaType\":\"" OCI_MANIFEST "\",\"digest\":\"%.*s\",\"size\":%zu,\"platform\":{%s}}",
                         SV_ARG(digest_of(&t->a, m)), m.n, platform);
}

static sv add_index(struct fake_test *t, const char *ref, sv entries)
{
        sv x = arena_fmt(&t->a, "{\"schemaVersion\":2,\"mediaType\":\"" OCI_INDEX "\",\"manifests\":[%.*s]}",
                         SV_ARG(entries));

        fake_manifest_add(&t->repo, ref ? ref : digest_of(&t->a, x).p, OCI_INDEX, x);
        return x;
}

static int get(struct fake_test *t, struct reference ref, const char *platform, struct reg_image *ret)
{
        ref.registry = t->repo.registry;
        ref.repository = t->repo.repository;
        err_done(&t->e);
        return reg_image_get(t->c, &ref, sv_from(platform), &t->a, ret, &t->e);
}

static void from_a_tag_to_the_config(void **state)
{
        struct fake_test t;
        struct reg_image x;
        sv index;

        (void)state;
        fake_begin(&t, &(struct fake_settings){ 0 });
        index = add_index(&t, "v1", add_image(&t, "\"os\":\"linux\",\"architecture\":\"amd64\""));
        assert_int_equal(get(&t, (struct reference){ .tag = SV("v1") }, "linux/amd64", &x), 0);
        assert_true(x.has_index && sv_eq(x.index.bytes, index) && sv_is(x.config.arch, "amd64"));
        assert_true(sv_ends(x.name, SV(":v1")) && sv_is(x.config_text, CONFIG));
        assert_int_equal(fake_count("blobs/" D2), 0); /* no layer */
        /* the digest decides, whatever the tag says */
        assert_int_equal(get(&t,
                             (struct reference){ .tag = SV("none"), .has_digest = true, .digest = x.manifest.digest },
                             "linux/amd64", &x),
                         0);
        assert_false(x.has_index);
        assert_int_equal(get(&t, (struct reference){ .tag = SV("v1") }, "linux/s390x", &x), -ERR_NOT_FOUND);
        assert_non_null(strstr(t.e.cause, "only for linux/amd64"));
        assert_int_equal(get(&t, (struct reference){ 0 }, "linux/amd64", &x), -ERR_NOT_FOUND); /* latest */
        fake_end(&t);
}

static void indexes_within_indexes_end(void **state)
{
        struct fake_test t;
        struct reg_image x;
        sv at;

        (void)state;
        fake_begin(&t, &(struct fake_settings){ 0 });
        at = add_image(&t, "\"os\":\"linux\",\"architecture\":\"amd64\"");
        for (int depth = 0; depth < 9; depth++) {
                sv index = add_index(&t, depth == 1 ? "two" : NULL, at);

                if (depth == 1)
                        index = add_index(&t, NULL, at);
                at = arena_fmt(&t.a, "{\"mediaType\":\"" OCI_INDEX "\",\"digest\":\"%.*s\",\"size\":%zu}",
                               SV_ARG(digest_of(&t.a, index)), index.n);
        }
        add_index(&t, "ten", at);
        assert_int_equal(get(&t, (struct reference){ .tag = SV("two") }, "linux/amd64", &x), 0);
        assert_int_equal(get(&t, (struct reference){ .tag = SV("ten") }, "linux/amd64", &x), -ERR_INTEGRITY);
        assert_non_null(strstr(t.e.cause, "indexes within indexes"));
        fake_end(&t);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(references_say_everything), cmocka_unit_test(an_entry_for_a_platform),
                cmocka_unit_test(an_index_without_images),   cmocka_unit_test(manifest_and_config_must_fit),
                cmocka_unit_test(from_a_tag_to_the_config),  cmocka_unit_test(indexes_within_indexes_end),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
