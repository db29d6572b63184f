#include "attest/provenance.h"

#include <string.h>

#include "base/cleanup.h"
#include "ext/json.h"
#include "tests/unit/attest/made_lock.h"

static struct js *statement(struct arena *a, const struct lock *l, size_t n_definition)
{
        struct buf b = BUF_INIT(1 << 20);
        const sha256 subject[] = { made_digest(0xe1), made_digest(0xe2) };
        const struct provenance_text definition[] = { { SV("env.yml"), made_digest(0xd1) },
                                                      { SV("more.txt"), made_digest(0xd2) } };
        const struct provenance v = { .lock = l,
                                      .name = SV("ghcr.io/team/train"),
                                      .subject = subject,
                                      .n_subject = 2,
                                      .lock_text = { SV("train.lock"), made_digest(0xcc) },
                                      .definition = definition,
                                      .n_definition = n_definition,
                                      .compression = SV("gzip"),
                                      .version = SV("0.1.0") };
        struct err e = { 0 };
        struct js *j;

        provenance_write(&v, &b);
        assert_null(strstr(b.p, "PASS"));
        assert_null(strstr(b.p, "TOKEN"));
        assert_int_equal(js_parse(a, arena_sv(a, buf_sv(&b)), &j, &e), 0);
        buf_done(&b);
        return j;
}

static sv digest_of(const struct js *j)
{
        return js_get_str(js_get(j, "digest"), "sha256");
}

static void slsa_v1(void **state)
{
        AUTO(arena_done) struct arena a = { 0 };
        struct js *s = statement(&a, made_lock(&a), 2), *p = js_get(s, "predicate"), *d = js_get(p, "buildDefinition");
        struct js *ext = js_get(d, "externalParameters"), *deps = js_get(d, "resolvedDependencies");
        sv last = { 0 };

        (void)state;
        assert_true(sv_is(js_get_str(s, "_type"), "https://in-toto.io/Statement/v1"));
        assert_true(sv_is(js_get_str(s, "predicateType"), "https://slsa.dev/provenance/v1"));
        assert_int_equal(js_get(s, "subject")->n, 2);
        assert_true(sv_is(digest_of(js_get(s, "subject")->v[1].value), HEX("e2")));
        assert_true(sv_is(js_get_str(js_get(s, "subject")->v[0].value, "name"), "ghcr.io/team/train"));
        assert_true(sv_is(js_get_str(d, "buildType"), "https://envbuild.dev/build/v1"));
        assert_true(sv_is(digest_of(js_get(ext, "lock")), HEX("cc")));
        assert_true(sv_is(digest_of(js_get(ext, "definition")->v[1].value), HEX("d2")));
        assert_true(sv_is(js_get_str(js_get(ext, "options"), "compression"), "gzip"));
        assert_true(sv_is(js_str(js_get(js_get(ext, "options"), "platforms")->v[0].value), "linux/amd64"));
        assert_true(js_get_str(js_get(js_get(p, "runDetails"), "builder"), "id").n > 0);
        assert_null(js_get(js_get(p, "runDetails"), "metadata")); /* when and by whom is nobody's word */
        assert_int_equal(deps->n, 5);                             /* the recipe and four packages */
        for (size_t i = 0; i < deps->n; i++) {
                sv uri = js_get_str(deps->v[i].value, "uri");

                assert_true(sv_cmp(last, uri) < 0);
                assert_int_equal(digest_of(deps->v[i].value).n, 64);
                last = uri;
        }
}

static void without_definition(void **state)
{
        AUTO(arena_done) struct arena a = { 0 };
        struct js *s = statement(&a, made_lock_on_image(&a, "docker.io/library/python:3.11"), 0);
        struct js *d = js_get(js_get(s, "predicate"), "buildDefinition"), *deps = js_get(d, "resolvedDependencies");
        bool base = false;

        (void)state;
        assert_null(js_get(js_get(d, "externalParameters"), "definition"));
        for (size_t i = 0; i < deps->n; i++)
                base = base || sv_is(digest_of(deps->v[i].value), HEX("aa"));
        assert_true(base);
}

/* What two platforms share is one dependency. */
static void platforms_share(void **state)
{
        AUTO(arena_done) struct arena a = { 0 };
        struct lock *l = made_lock(&a);
        struct lock_platform *p = arena_array(&a, struct lock_platform, 2);
        struct js *s;

        (void)state;
        p[0] = p[1] = l->platform[0];
        p[1].platform = SV("linux/arm64");
        l->platform = p;
        l->n_platform = 2;
        s = statement(&a, l, 1);
        assert_int_equal(js_get(js_get(js_get(s, "predicate"), "buildDefinition"), "resolvedDependencies")->n, 5);
}

int main(void)
{
        const struct CMUnitTest tests[] = { cmocka_unit_test(slsa_v1), cmocka_unit_test(without_definition),
                                            cmocka_unit_test(platforms_share) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
