#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "oci/oci.h"
#include "tests/unit/unit.h"

#define D1   "sha256:1111111111111111111111111111111111111111111111111111111111111111"
#define D2   "sha256:2222222222222222222222222222222222222222222222222222222222222222"
#define CONF "{\"mediaType\":\"" OCI_CONFIG "\",\"digest\":\"" D1 "\",\"size\":7}"
#define LAY  "{\"mediaType\":\"" OCI_LAYER_GZIP "\",\"digest\":\"" D2 "\",\"size\":9}"

static enum err_code manifest_code(const char *text)
{
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(err_done) struct err e = { 0 };
        struct oci_manifest m;

        oci_manifest_parse(&a, sv_from(text), "the manifest", &m, &e);
        return e.code;
}

static void manifest_rows(void **state)
{
        static const struct {
                const char *text;
                enum err_code code;
        } rows[] = {
                { "{\"schemaVersion\":2,\"config\":" CONF ",\"layers\":[" LAY "]}", ERR_NONE },
                { "{\"schemaVersion\":2,\"config\":" CONF ",\"layers\":[" LAY "],\"annotations\":null}", ERR_NONE },
                { "{\"schemaVersion\":2,\"config\":" CONF ",\"layers\":[" LAY "],\"manifests\":[]}", ERR_INTEGRITY },
                { "{\"schemaVersion\":2,\"config\":" CONF ",\"layers\":[]}", ERR_INTEGRITY },
                { "{\"schemaVersion\":2,\"layers\":[" LAY "]}", ERR_INTEGRITY },
                { "{\"schemaVersion\":2,\"mediaType\":\"" OCI_INDEX "\",\"config\":" CONF ",\"layers\":[" LAY "]}",
                  ERR_INTEGRITY },
                { "{\"schemaVersion\":\"2\",\"config\":" CONF ",\"layers\":[" LAY "]}", ERR_INTEGRITY },
                { "{\"schemaVersion\":2,\"schemaVersion\":2,\"config\":" CONF ",\"layers\":[" LAY "]}", ERR_INTEGRITY },
                { "[]", ERR_INTEGRITY },
                { "", ERR_INTEGRITY },
                /* a valid digest that names its content by another hash is not broken, only not for us */
                { "{\"schemaVersion\":2,\"config\":{\"mediaType\":\"a/"
                  "b\",\"digest\":\"x+y:Q_=-\",\"size\":1},\"layers\":[" LAY "]}",
                  ERR_FAILED },
                /* what is embedded must be what is named */
                { "{\"schemaVersion\":2,\"config\":{\"mediaType\":\"a/b\",\"digest\":\"" D1
                  "\",\"size\":2,\"data\":\"e30=\"},\"layers\":[" LAY "]}",
                  ERR_INTEGRITY },
        };
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++)
                if (manifest_code(rows[i].text) != rows[i].code)
                        bad++, print_error("row %zu: code %d\n", i, manifest_code(rows[i].text));
        assert_int_equal(bad, 0);
}

static void foreign_layers_keep_their_urls(void **state)
{
        static const char text[] = "{\"schemaVersion\":2,\"config\":" CONF ",\"layers\":[{\"mediaType\":\"application/"
                                   "vnd.docker.image.rootfs.foreign.diff.tar.gzip\",\"digest\":\"" D2
                                   "\",\"size\":9,\"urls\":[\"https://a/x\",\"https://b/x\"]}]}";
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(buf_done) struct buf out = BUF_INIT(4096);
        struct oci_manifest m, again;
        struct err e = { 0 };

        (void)state;
        assert_int_equal(oci_manifest_parse(&a, sv_from(text), "the manifest", &m, &e), 0);
        assert_int_equal(m.layer[0].n_url, 2);
        assert_true(sv_is(m.layer[0].url[1], "https://b/x"));
        assert_true(oci_layer_foreign(m.layer[0].media_type) && !oci_layer_foreign(SV(OCI_LAYER_GZIP)));
        oci_manifest_write(&m, &out);
        assert_int_equal(oci_manifest_parse(&a, buf_sv(&out), "the manifest", &again, &e), 0);
        assert_int_equal(again.layer[0].n_url, 2);
        assert_true(oci_layer_foreign(again.layer[0].media_type));
}

static void schema_1_is_refused_with_a_way_out(void **state)
{
        static const char *const texts[] = {
                "{\"schemaVersion\":1,\"name\":\"x\",\"fsLayers\":[],\"history\":[]}",
                "{\"schemaVersion\":2,\"mediaType\":\"application/vnd.docker.distribution.manifest.v1+prettyjws\"}",
        };

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
                AUTO(arena_done) struct arena a = { 0 };
                AUTO(err_done) struct err e = { 0 };
                struct oci_manifest m;
                assert_int_equal(oci_manifest_parse(&a, sv_from(texts[i]), "the manifest of 'x'", &m, &e),
                                 -ERR_INTEGRITY);
                assert_non_null(strstr(e.cause, "the manifest of 'x' is in Docker's schema 1"));
                assert_non_null(strstr(e.hint, "skopeo copy"));
        }
}

static void a_docker_manifest_is_written_as_oci(void **state)
{
        static const char text[] =
                "{\"schemaVersion\":2,\"mediaType\":\"application/"
                "vnd.docker.distribution.manifest.v2+json\",\"config\":{"
                "\"mediaType\":\"application/vnd.docker.container.image.v1+json\",\"size\":7,\"digest\":\"" D1
                "\"},\"layers\":[{"
                "\"mediaType\":\"application/vnd.docker.image.rootfs.diff.tar.gzip\",\"size\":9,\"digest\":\"" D2
                "\"}]}";
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(buf_done) struct buf out = BUF_INIT(4096);
        struct oci_manifest m;
        struct err e = { 0 };
        enum oci_codec c = OCI_CODEC_NONE;

        (void)state;
        assert_int_equal(oci_manifest_parse(&a, sv_from(text), "x", &m, &e), 0);
        assert_true(oci_layer_codec(m.layer[0].media_type, &c) && c == OCI_CODEC_GZIP);
        oci_manifest_write(&m, &out);
        assert_string_equal(out.p, "{\"config\":{\"digest\":\"" D1 "\",\"mediaType\":\"" OCI_CONFIG
                                   "\",\"size\":7},\"layers\":[{\"digest\":\"" D2 "\",\"mediaType\":\"" OCI_LAYER_GZIP
                                   "\",\"size\":9}],\"mediaType\":\"" OCI_MANIFEST "\",\"schemaVersion\":2}");
}

static void an_artifact_says_its_type_and_subject(void **state)
{
        static const char text[] =
                "{\"artifactType\":\"a/b\",\"config\":{\"digest\":\"" D1 "\",\"mediaType\":\"" OCI_EMPTY
                "\",\"size\":2},\"layers\":[" LAY "],\"mediaType\":\"" OCI_MANIFEST
                "\",\"schemaVersion\":2,\"subject\":{\"digest\":\"" D2 "\",\"mediaType\":\"" OCI_MANIFEST
                "\",\"size\":5}}";
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(buf_done) struct buf out = BUF_INIT(4096);
        struct oci_manifest m, again;
        struct err e = { 0 };

        (void)state;
        assert_int_equal(oci_manifest_parse(&a, sv_from(text), "x", &m, &e), 0);
        assert_true(sv_is(m.artifact_type, "a/b") && m.has_subject && m.subject.size == 5 &&
                    m.subject.digest.b[0] == 0x22 && sv_is(m.subject.media_type, OCI_MANIFEST));
        oci_manifest_write(&m, &out);
        assert_int_equal(oci_manifest_parse(&a, buf_sv(&out), "x", &again, &e), 0);
        assert_true(sv_is(again.artifact_type, "a/b") && again.has_subject && again.subject.digest.b[0] == 0x22);
}

static void a_descriptor_keeps_its_artifact_type(void **state)
{
        static const char text[] =
                "{\"artifactType\":\"a/b\",\"digest\":\"" D1 "\",\"mediaType\":\"" OCI_MANIFEST "\",\"size\":2}";
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(buf_done) struct buf out = BUF_INIT(4096);
        struct oci_desc d;
        struct err e = { 0 };

        (void)state;
        assert_int_equal(oci_desc_parse(&a, sv_from(text), "x", &d, &e), 0);
        oci_desc_write(&d, &out);
        assert_string_equal(out.p, text);
}

static void docker_types_are_written_on_request(void **state)
{
        struct oci_pair note = { SV("k"), SV("v") };
        struct oci_desc layer[2] = {
                { .media_type = SV(OCI_LAYER_GZIP), .size = 9, .annotation = &note, .n_annotation = 1 },
                { .media_type = SV(OCI_LAYER), .size = 8 }
        };
        struct oci_manifest m = { .config = { .media_type = SV(OCI_CONFIG), .size = 7 },
                                  .layer = layer,
                                  .n_layer = 2,
                                  .annotation = &note,
                                  .n_annotation = 1 };
        struct oci_index x = { &(struct oci_desc){ .media_type = SV(OCI_DOCKER_MANIFEST), .size = 3 }, 1 };
        AUTO(buf_done) struct buf out = BUF_INIT(4096);
        AUTO(buf_done) struct buf index = BUF_INIT(4096);
        sv type = { 0 };

        (void)state;
        sha256_read(SV(D1), &m.config.digest);
        sha256_read(SV(D2), &layer[0].digest);
        sha256_read(SV(D2), &layer[1].digest);
        sha256_read(SV(D1), &x.v[0].digest);
        assert_true(oci_manifest_write_docker(&m, &out, &type));
        assert_string_equal(out.p, "{\"config\":{\"digest\":\"" D1
                                   "\",\"mediaType\":\"application/vnd.docker.container.image.v1+json\",\"size\":7},"
                                   "\"layers\":[{\"digest\":\"" D2
                                   "\",\"mediaType\":\"application/vnd.docker.image.rootfs.diff.tar.gzip\",\"size\":9},"
                                   "{\"digest\":\"" D2
                                   "\",\"mediaType\":\"application/vnd.docker.image.rootfs.diff.tar\",\"size\":8}],"
                                   "\"mediaType\":\"" OCI_DOCKER_MANIFEST "\",\"schemaVersion\":2}");
        oci_index_write_docker(&x, &index);
        assert_string_equal(index.p, "{\"manifests\":[{\"digest\":\"" D1 "\",\"mediaType\":\"" OCI_DOCKER_MANIFEST
                                     "\",\"size\":3}],\"mediaType\":\"" OCI_DOCKER_INDEX "\",\"schemaVersion\":2}");
        layer[1].media_type = SV(OCI_LAYER_ZSTD);
        buf_clear(&out);
        assert_false(oci_manifest_write_docker(&m, &out, &type));
        assert_true(sv_is(type, OCI_LAYER_ZSTD) && out.n == 0);
}

static void documents_are_told_apart(void **state)
{
        static const struct {
                const char *text;
                bool index;
        } rows[] = {
                { "{\"mediaType\":\"" OCI_INDEX "\"}", true },
                { "{\"mediaType\":\"" OCI_MANIFEST "\",\"manifests\":[]}", false },
                { "{\"mediaType\":\"application/vnd.docker.distribution.manifest.list.v2+json\"}", true },
                { "{\"manifests\":[]}", true },
                { "{\"layers\":[]}", false },
                { "nonsense", false },
        };
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                AUTO(arena_done) struct arena a = { 0 };
                if (oci_is_index(&a, sv_from(rows[i].text)) != rows[i].index)
                        bad++, print_error("row %zu\n", i);
        }
        assert_int_equal(bad, 0);
}

#define M OCI_MANIFEST
static const struct oci_pair attestation = { SV("vnd.docker.reference.type"), SV("attestation-manifest") };

static void pick_rows(void **state)
{
        static const struct {
                const char *want;
                int at; /* in the list below, or -1 */
        } rows[] = {
                { "linux/amd64", 1 },    { "linux/amd64/v1", 1 },
                { "linux/amd64/v2", 1 }, { "linux/amd64/v4", 3 },
                { "linux/arm64", 4 },    { "linux/arm64/v8", 4 },
                { "linux/arm", 6 },      { "linux/arm/v6", 5 },
                { "linux/arm/v5", -1 },  { "windows/amd64", -1 },
                { "linux/s390x", 8 },    { "unknown/unknown", -1 },
                { "linux/ppc64le", -1 }, { "", -1 },
        };
        struct oci_desc v[] = {
                { .media_type = SV(M), .os = SV("unknown"), .arch = SV("unknown") },
                { .media_type = SV(M), .os = SV("linux"), .arch = SV("amd64") },
                { .media_type = SV(M), .os = SV("linux"), .arch = SV("amd64") }, /* first match wins */
                { .media_type = SV(M), .os = SV("linux"), .arch = SV("amd64"), .variant = SV("v3") },
                { .media_type = SV(M), .os = SV("linux"), .arch = SV("arm64"), .variant = SV("v8") },
                { .media_type = SV(M), .os = SV("linux"), .arch = SV("arm"), .variant = SV("v6") },
                { .media_type = SV(M), .os = SV("linux"), .arch = SV("arm"), .variant = SV("v7") },
                { .media_type = SV("application/x"), .os = SV("linux"), .arch = SV("ppc64le") },
                { .media_type = SV(OCI_INDEX), .os = SV("linux"), .arch = SV("s390x") },
                { .media_type = SV(M),
                  .os = SV("linux"),
                  .arch = SV("ppc64le"),
                  .annotation = (struct oci_pair *)&attestation,
                  .n_annotation = 1 },
        };
        struct oci_index x = { v, ARRAY_LEN(v) };
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                const struct oci_desc *d = oci_index_pick(&x, sv_from(rows[i].want));
                if ((d ? (int)(d - v) : -1) != rows[i].at)
                        bad++, print_error("%s: entry %d\n", rows[i].want, d ? (int)(d - v) : -1);
        }
        assert_int_equal(bad, 0);
}

static void one_image_that_does_not_say_is_taken(void **state)
{
        struct oci_desc v[] = { { .media_type = SV(M) }, { .media_type = SV("application/x") } };
        struct oci_index x = { v, 2 };

        (void)state;
        assert_ptr_equal(oci_index_pick(&x, SV("linux/amd64")), &v[0]);
        v[1].media_type = SV(M);
        assert_null(oci_index_pick(&x, SV("linux/amd64")));
}

static void an_index_keeps_its_childrens_types(void **state)
{
        static const char text[] =
                "{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":\"application/"
                "vnd.docker.distribution.manifest.v2+json\",\"size\":1,"
                "\"digest\":\"" D1
                "\",\"platform\":{\"os\":\"linux\",\"architecture\":\"arm\",\"variant\":\"v7\"},\"annotations\":{\"b\":"
                "\"2\",\"a\":\"1\"}},{\"mediaType\":\"a/b\",\"size\":1,\"digest\":\"other:AA\"}]}";
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(buf_done) struct buf out = BUF_INIT(4096);
        struct oci_index x;
        struct err e = { 0 };

        (void)state;
        assert_int_equal(oci_index_parse(&a, sv_from(text), "x", &x, &e), 0);
        assert_int_equal(x.n, 1); /* the other names its content by a hash that we do not know */
        assert_true(sv_is(oci_desc_annotation(&x.v[0], "b"), "2"));
        assert_int_equal(oci_desc_annotation(&x.v[0], "c").n, 0);
        oci_index_write(&x, &out);
        assert_string_equal(
                out.p,
                "{\"manifests\":[{\"annotations\":{\"a\":\"1\",\"b\":\"2\"},\"digest\":\"" D1
                "\",\"mediaType\":\"application/vnd.docker.distribution.manifest.v2+json\",\"platform\":{"
                "\"architecture\":\"arm\",\"os\":\"linux\",\"variant\":\"v7\"},\"size\":1}],\"mediaType\":\"" OCI_INDEX
                "\",\"schemaVersion\":2}");
}

#define ROOTFS "\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"" D1 "\",\"" D2 "\"]}"

static void a_history_that_does_not_fit_is_none(void **state)
{
        static const struct {
                const char *history;
                bool fits;
        } rows[] = {
                { "[{},{\"empty_layer\":true},{}]", true },
                { "[{},{\"empty_layer\":true}]", false }, /* buildah's, on a base without one */
                { "[{},{},{}]", false },
        };
        AUTO(arena_done) struct arena a = { 0 };

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                sv text = arena_fmt(&a, "{\"architecture\":\"amd64\",\"os\":\"linux\"," ROOTFS ",\"history\":%s}",
                                    rows[i].history);
                struct err e = { 0 };
                struct oci_config c;

                assert_int_equal(oci_config_parse(&a, text, "x", &c, &e), 0);
                assert_int_equal(c.history != NULL, rows[i].fits);
        }
}

static void config_rows(void **state)
{
        static const struct {
                const char *text;
                enum err_code code;
        } rows[] = {
                { "{\"architecture\":\"amd64\",\"os\":\"linux\"," ROOTFS "}", ERR_NONE },
                { "{\"architecture\":\"amd64\",\"os\":\"linux\"," ROOTFS ",\"config\":null,\"history\":null}",
                  ERR_NONE },
                { "{\"architecture\":\"amd64\",\"os\":\"linux\"," ROOTFS ",\"history\":[]}", ERR_NONE },
                { "{\"architecture\":\"amd64\",\"os\":\"linux\"," ROOTFS ",\"history\":[{},{\"empty_layer\":true},{}]}",
                  ERR_NONE },
                { "{\"architecture\":\"amd64\",\"os\":\"linux\"," ROOTFS ",\"history\":[{},{\"empty_layer\":true}]}",
                  ERR_NONE },
                { "{\"architecture\":\"amd64\",\"os\":\"linux\"," ROOTFS ",\"history\":[1]}", ERR_INTEGRITY },
                { "{\"architecture\":\"amd64\",\"os\":\"linux\"," ROOTFS ",\"config\":{\"Env\":[\"A\"]}}",
                  ERR_INTEGRITY },
                { "{\"architecture\":\"amd64\",\"os\":\"linux\"," ROOTFS ",\"config\":{\"Env\":[\"=x\"]}}",
                  ERR_INTEGRITY },
                { "{\"architecture\":\"amd64\",\"os\":\"linux\"," ROOTFS ",\"config\":{\"Cmd\":[1]}}", ERR_INTEGRITY },
                { "{\"architecture\":\"amd64\",\"os\":\"linux\"," ROOTFS ",\"config\":{\"Labels\":{\"a\":1}}}",
                  ERR_INTEGRITY },
                { "{\"architecture\":\"amd64\"," ROOTFS "}", ERR_INTEGRITY },
                { "{\"architecture\":\"amd64\",\"os\":\"linux\"}", ERR_INTEGRITY },
                { "{\"architecture\":\"amd64\",\"os\":\"linux\",\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"sha256:"
                  "12\"]}}",
                  ERR_INTEGRITY },
        };
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                AUTO(arena_done) struct arena a = { 0 };
                AUTO(err_done) struct err e = { 0 };
                struct oci_config c;
                oci_config_parse(&a, sv_from(rows[i].text), "the config", &c, &e);
                if (e.code != rows[i].code)
                        bad++, print_error("row %zu: code %d %s\n", i, e.code, e.cause ? e.cause : "");
        }
        assert_int_equal(bad, 0);
}

static void a_config_keeps_what_it_does_not_know(void **state)
{
        static const char text[] =
                "{\"Shell\":[\"/bin/sh\"],\"architecture\":\"amd64\",\"config\":{\"Cmd\":[\"sh\"],\"Env\":[\"A=b=c\"],"
                "\"Entrypoint\":[\"tini\",\"--\"],\"OnBuild\":null,\"User\":\"1:2\",\"WorkingDir\":\"/w\"},"
                "\"docker_version\":\"20.10\",\"os\":\"linux\"," ROOTFS ",\"variant\":\"v2\"}";
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(buf_done) struct buf out = BUF_INIT(4096);
        struct oci_config c;
        struct err e = { 0 };

        (void)state;
        assert_int_equal(oci_config_parse(&a, sv_from(text), "x", &c, &e), 0);
        assert_true(sv_is(c.arch, "amd64") && sv_is(c.os, "linux") && sv_is(c.variant, "v2"));
        assert_true(c.n_env == 1 && sv_is(c.env[0], "A=b=c"));
        assert_true(c.n_entrypoint == 2 && sv_is(c.entrypoint[1], "--") && c.n_cmd == 1);
        assert_true(sv_is(c.user, "1:2") && sv_is(c.workdir, "/w"));
        assert_true(c.n_diff_id == 2 && c.diff_id[1].b[0] == 0x22 && !c.history);
        js_write(c.doc, &out);
        assert_non_null(strstr(out.p, "\"Shell\":[\"/bin/sh\"]"));
        assert_non_null(strstr(out.p, "\"docker_version\":\"20.10\""));
        assert_non_null(strstr(out.p, "\"OnBuild\":null"));
}

static void a_fault_names_document_and_field(void **state)
{
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(err_done) struct err e = { 0 };
        struct oci_manifest m;

        (void)state;
        oci_manifest_parse(&a,
                           SV("{\"schemaVersion\":2,\"config\":" CONF ",\"layers\":[" LAY
                              ",{\"mediaType\":\"a/b\",\"size\":-1,\"digest\":\"" D1 "\"}]}"),
                           "the manifest of 'h/x:1'", &m, &e);
        assert_string_equal(e.cause,
                            "the manifest of 'h/x:1' is not a valid document: layers[1].size is not a number of bytes");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(manifest_rows),
                cmocka_unit_test(foreign_layers_keep_their_urls),
                cmocka_unit_test(schema_1_is_refused_with_a_way_out),
                cmocka_unit_test(a_docker_manifest_is_written_as_oci),
                cmocka_unit_test(an_artifact_says_its_type_and_subject),
                cmocka_unit_test(a_descriptor_keeps_its_artifact_type),
                cmocka_unit_test(docker_types_are_written_on_request),
                cmocka_unit_test(documents_are_told_apart),
                cmocka_unit_test(pick_rows),
                cmocka_unit_test(one_image_that_does_not_say_is_taken),
                cmocka_unit_test(an_index_keeps_its_childrens_types),
                cmocka_unit_test(config_rows),
                cmocka_unit_test(a_history_that_does_not_fit_is_none),
                cmocka_unit_test(a_config_keeps_what_it_does_not_know),
                cmocka_unit_test(a_fault_names_document_and_field),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
