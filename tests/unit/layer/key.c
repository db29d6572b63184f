#include "layer/layer.h"
#include "base/cleanup.h"
#include "ext/hash.h"
#include "tests/unit/unit.h"

#define HEX "5c6eca3c2940464d106b99ba83b00c6add741c9becaec087fb7ccdefea71350e"

static struct artifact artifact(enum artifact_kind kind)
{
        struct artifact a = { .kind = kind, .name = SV("x"), .version = SV("1") };

        sha256_read(SV(HEX), &a.sha256);
        return a;
}

static const struct install_ctx venv = { .prefix = { "/opt/env", 8 },
                                         .root = { "opt", 3 },
                                         .python = { "3.13", 4 },
                                         .site_packages = { "lib/python3.13/site-packages", 28 },
                                         .usrmerged = true };

static void text_is(const struct artifact *a, const struct install_ctx *ctx, uint32_t part, uint32_t parts,
                    const char *want)
{
        AUTO(buf_done) struct buf b = BUF_INIT(4096);
        sha256 key = layer_key_package(a, ctx, part, parts), d;

        layer_key_package_text(a, ctx, part, parts, &b);
        assert_string_equal(b.p, want);
        d = sha256_of(buf_sv(&b));
        assert_true(sha256_eq(&key, &d));
}

static void packages_have_the_texts_of_the_design(void **state)
{
        struct artifact w = artifact(ARTIFACT_WHEEL), c = artifact(ARTIFACT_CONDA), d = artifact(ARTIFACT_DEB);
        struct install_ctx plain = venv;
        sv needs[] = { SV("python >=3.9"), SV("b") }, constrains[] = { SV("z <2") };

        (void)state;
        plain.python = plain.site_packages = (sv){ 0 };
        w.url = SV(
                "https://host/x-1-py3-none-any.whl"); /* where it came from is no input, unless it was asked for by URL */
        text_is(&w, &venv, 0, 1,
                "{\"artifact\":{\"kind\":\"wheel\",\"sha256\":\"" HEX
                "\"},\"bytecode\":false,\"layer-format\":1,\"part\":[0,1],"
                "\"prefix\":\"/opt/env\",\"python\":\"3.13\",\"root\":\"opt\",\"site-packages\":\"lib/python3.13/"
                "site-packages\"}");
        w.direct = true;
        text_is(&w, &venv, 1, 2,
                "{\"artifact\":{\"kind\":\"wheel\",\"sha256\":\"" HEX
                "\",\"url\":\"https://host/x-1-py3-none-any.whl\"},"
                "\"bytecode\":false,\"layer-format\":1,\"part\":[1,2],\"prefix\":\"/opt/"
                "env\",\"python\":\"3.13\",\"root\":\"opt\","
                "\"site-packages\":\"lib/python3.13/site-packages\"}");
        c.url = SV("https://host/conda-forge/linux-64/x-1-0.conda");
        c.needs = needs;
        c.n_needs = 2;
        c.constrains = constrains;
        c.n_constrains = 1;
        text_is(&c, &plain, 0, 1,
                "{\"artifact\":{\"channel\":\"https://host/conda-forge\",\"constrains\":[\"z "
                "<2\"],\"depends\":[\"python >=3.9\",\"b\"],"
                "\"kind\":\"conda\",\"sha256\":\"" HEX
                "\",\"url\":\"https://host/conda-forge/linux-64/x-1-0.conda\"},\"bytecode\":false,"
                "\"layer-format\":1,\"part\":[0,1],\"prefix\":\"/opt/env\",\"root\":\"opt\"}");
        text_is(&d, &venv, 0, 1,
                "{\"artifact\":{\"kind\":\"deb\",\"sha256\":\"" HEX
                "\"},\"layer-format\":1,\"part\":[0,1],\"usrmerged\":true}");
}

static void key_is(sha256 key, const char *text)
{
        sha256 want = sha256_of(sv_from(text));

        assert_string_equal(sha256_hex(&key).s, sha256_hex(&want).s);
}

static void other_layers_too(void **state)
{
        struct artifact a = artifact(ARTIFACT_WHEEL);
        struct entry parent = { .path = SV("opt"), .type = ENTRY_DIR, .mode = 0755 };
        struct install_venv v = { .root = SV("opt"),
                                  .prefix = SV("/opt/env"),
                                  .python = SV("/usr/bin/python3.13"),
                                  .python_version = SV("3.13.5"),
                                  .parent = &parent,
                                  .n_parent = 1 };
        struct layer_key_os os = { .deb = &a.sha256, .n_deb = 1, .effects = a.sha256, .os = a.sha256 };
        sha256 two[] = { a.sha256, a.sha256 };

        (void)state;
        key_is(layer_key_bucket(two, 2), "{\"bucket\":[\"" HEX "\",\"" HEX "\"],\"layer-format\":1}");
        key_is(layer_key_os(&os),
               "{\"debs\":[\"" HEX "\"],\"effects\":\"" HEX "\",\"layer-format\":1,\"os\":\"" HEX "\"}");
        key_is(layer_key_venv(&v),
               "{\"env\":\"venv\",\"layer-format\":1,\"parents\":[[\"opt\",493,0,0]],\"prefix\":\"/opt/env\","
               "\"python\":\"/usr/bin/python3.13\",\"python-version\":\"3.13.5\",\"root\":\"opt\"}");
        key_is(layer_key_last(&a.sha256), "{\"last\":\"" HEX "\",\"layer-format\":1}");
}

/* The digests of the design's own examples, frozen. */
static void keys_are_frozen(void **state)
{
        struct artifact w = artifact(ARTIFACT_WHEEL);
        sha256 key = layer_key_package(&w, &venv, 0, 1);

        (void)state;
        assert_string_equal(sha256_hex(&key).s, "a280b8fd0871570a024af7ec0337fc3e4bd172a4e055f52ddf6da89b900be8f5");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(packages_have_the_texts_of_the_design),
                cmocka_unit_test(other_layers_too),
                cmocka_unit_test(keys_are_frozen),
        };
        return cmocka_run_group_tests_name("key", tests, NULL, NULL);
}
