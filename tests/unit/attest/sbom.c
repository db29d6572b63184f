#include "attest/sbom.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/map.h"
#include "ext/json.h"
#include "tests/unit/attest/made_lock.h"

static struct js *document(struct arena *a, const struct lock *l, bool built)
{
        struct buf b = BUF_INIT(1 << 20);
        struct sbom_image im = { .name = SV("train"),
                                 .repository = SV("ghcr.io/team/train"),
                                 .has_manifest = built,
                                 .manifest = made_digest(0xee),
                                 .version = SV("0.1.0") };
        struct err e = { 0 };
        struct js *j;

        sbom_spdx_write(l, &l->platform[0], &im, &b);
        assert_null(b.p ? strstr(b.p, "PASS") : NULL);
        assert_null(strstr(b.p, "TOKEN"));
        assert_int_equal(js_parse(a, arena_sv(a, buf_sv(&b)), &j, &e), 0);
        buf_done(&b);
        return j;
}

static const struct js *package(const struct js *doc, const char *id)
{
        const struct js *list = js_get(doc, "packages");

        for (size_t i = 0; i < list->n; i++)
                if (sv_is(js_get_str(list->v[i].value, "SPDXID"), id))
                        return list->v[i].value;
        fail_msg("no package %s", id);
        return NULL;
}

static sv purl_of(const struct js *p)
{
        const struct js *refs = js_get(p, "externalRefs");

        assert_int_equal(refs->n, 1);
        assert_true(sv_is(js_get_str(refs->v[0].value, "referenceCategory"), "PACKAGE-MANAGER"));
        return js_get_str(refs->v[0].value, "referenceLocator");
}

static bool related(const struct js *doc, const char *from, const char *how, const char *to)
{
        const struct js *list = js_get(doc, "relationships");
        size_t n = 0;

        for (size_t i = 0; i < list->n; i++) {
                const struct js *r = list->v[i].value;
                n += sv_is(js_get_str(r, "spdxElementId"), from) && sv_is(js_get_str(r, "relationshipType"), how) &&
                     sv_is(js_get_str(r, "relatedSpdxElement"), to);
        }
        return n == 1; /* told twice is as wrong as not at all */
}

/* What the SPDX 2.3 schema asks, and what it leaves to the text: ids are unique, of the right letters, and all that is related is there. */
static void is_valid(struct arena *a, const struct js *doc)
{
        const struct js *list = js_get(doc, "packages"), *rel = js_get(doc, "relationships");
        struct map ids = { 0 };
        sv last = { 0 };

        assert_true(sv_is(js_get_str(doc, "spdxVersion"), "SPDX-2.3"));
        assert_true(sv_is(js_get_str(doc, "dataLicense"), "CC0-1.0"));
        assert_true(sv_is(js_get_str(doc, "SPDXID"), "SPDXRef-DOCUMENT"));
        assert_true(sv_is(js_get_str(js_get(doc, "creationInfo"), "created"), "2026-11-21T09:30:12Z"));
        assert_true(js_get(js_get(doc, "creationInfo"), "creators")->n == 1);
        map_put(&ids, a, SV("SPDXRef-DOCUMENT"), a);
        for (size_t i = 0; i < list->n; i++) {
                sv id = js_get_str(list->v[i].value, "SPDXID");

                assert_true(sv_starts(id, SV("SPDXRef-")) && id.n > 8);
                for (size_t k = 0; k < id.n; k++)
                        assert_non_null(
                                strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-", id.p[k]));
                assert_null(map_get(&ids, id));
                map_put(&ids, a, id, a);
                assert_true(sv_cmp(last, id) < 0);
                last = id;
                assert_true(js_get_str(list->v[i].value, "name").n > 0);
                assert_true(js_get_str(list->v[i].value, "downloadLocation").n > 0);
                assert_int_equal(js_get(list->v[i].value, "filesAnalyzed")->type, JS_FALSE);
        }
        for (size_t i = 0; i < rel->n; i++) {
                assert_non_null(map_get(&ids, js_get_str(rel->v[i].value, "spdxElementId")));
                assert_non_null(map_get(&ids, js_get_str(rel->v[i].value, "relatedSpdxElement")));
        }
}

static void built(void **state)
{
        AUTO(arena_done) struct arena a = { 0 };
        struct js *doc = document(&a, made_lock(&a), true);

        (void)state;
        is_valid(&a, doc);
        assert_int_equal(js_get(doc, "packages")->n, 6);
        assert_true(sv_eq(js_get_str(doc, "documentNamespace"),
                          SV("https://spdx.org/spdxdocs/envbuild-0.1.0/image-" HEX("ee"))));
        assert_true(sv_eq(purl_of(package(doc, "SPDXRef-Image")),
                          SV("pkg:oci/train@sha256%3A" HEX("ee") "?arch=amd64&repository_url=ghcr.io%2Fteam%2Ftrain")));
        assert_true(sv_is(purl_of(package(doc, "SPDXRef-Package-dist-numpy")), "pkg:pypi/numpy@1.26.4"));
        assert_true(sv_is(js_get_str(package(doc, "SPDXRef-Package-conda-numpy"), "downloadLocation"),
                          "https://repo.example/team/linux-64/numpy-1.26.4-py312_0.conda"));
        assert_true(sv_is(js_get_str(package(doc, "SPDXRef-Package-wheel-torch"), "versionInfo"), "2.1.0+cu121"));
        assert_true(sv_is(
                js_get_str(js_get(package(doc, "SPDXRef-Package-deb-libc6"), "checksums")->v[0].value, "checksumValue"),
                HEX("77")));
        assert_true(related(doc, "SPDXRef-DOCUMENT", "DESCRIBES", "SPDXRef-Image"));
        assert_true(related(doc, "SPDXRef-Image", "CONTAINS", "SPDXRef-Package-deb-libc6"));
        assert_true(related(doc, "SPDXRef-Package-conda-numpy", "CONTAINS", "SPDXRef-Package-dist-numpy"));
        assert_true(related(doc, "SPDXRef-Package-conda-numpy", "DEPENDS_ON", "SPDXRef-Package-conda--libgcc-mutex"));
        assert_true(related(doc, "SPDXRef-Package-wheel-torch", "DEPENDS_ON", "SPDXRef-Package-conda-numpy"));
}

static void only_locked(void **state)
{
        AUTO(arena_done) struct arena a = { 0 };
        struct lock *l = made_lock(&a);
        struct js *doc = document(&a, l, false), *other;
        sv name = js_get_str(doc, "documentNamespace");

        (void)state;
        is_valid(&a, doc);
        assert_true(sv_starts(name, SV("https://spdx.org/spdxdocs/envbuild-0.1.0/lock-")));
        assert_null(js_get(package(doc, "SPDXRef-Image"), "externalRefs"));
        l->platform[0].artifact[0].version = SV("other");
        other = document(&a, l, false);
        assert_false(sv_eq(name, js_get_str(other, "documentNamespace")));
}

static void on_an_image(void **state)
{
        AUTO(arena_done) struct arena a = { 0 };
        struct js *doc = document(&a, made_lock_on_image(&a, "docker.io/library/python:3.11"), true);
        struct js *folder = document(&a, made_lock_on_image(&a, "oci:/home/me/base:12"), true);

        (void)state;
        is_valid(&a, doc);
        assert_true(related(doc, "SPDXRef-Image", "DESCENDANT_OF", "SPDXRef-Base"));
        assert_true(sv_is(js_get_str(package(doc, "SPDXRef-Base"), "name"), "docker.io/library/python:3.11"));
        assert_true(sv_starts(purl_of(package(doc, "SPDXRef-Base")), SV("pkg:oci/python@sha256%3Aaaaa")));
        assert_true(sv_is(js_get_str(package(folder, "SPDXRef-Base"), "name"), "base:12"));
}

/* The base's packages are the base's: they are told apart from ours, which may have the same name. */
static void with_the_base_s_packages(void **state)
{
        static const struct sbom_deb deb[] = { { SV("bash"), SV("5.2.37-2"), SV("amd64") },
                                               { SV("libc6"), SV("2.41-12"), SV("amd64") } };
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(buf_done) struct buf b = BUF_INIT(1 << 20), without = BUF_INIT(1 << 20);
        AUTO(err_done) struct err e = { 0 };
        struct sbom_image im = { .name = SV("train"), .version = SV("0.1.0"), .base = deb, .n_base = 2 };
        struct lock *l = made_lock_on_image(&a, "docker.io/library/debian:13"), *recipe = made_lock(&a);
        struct js *doc;

        (void)state;
        sbom_spdx_write(l, &l->platform[0], &im, &b);
        assert_int_equal(js_parse(&a, buf_sv(&b), &doc, &e), 0);
        is_valid(&a, doc);
        assert_true(related(doc, "SPDXRef-Base", "CONTAINS", "SPDXRef-Package-base-bash"));
        assert_true(related(doc, "SPDXRef-Image", "CONTAINS", "SPDXRef-Package-deb-libc6"));
        assert_true(sv_is(purl_of(package(doc, "SPDXRef-Package-base-libc6")),
                          "pkg:deb/debian/libc6@2.41-12?arch=amd64&distro=debian-13"));
        assert_true(js_get_str(package(doc, "SPDXRef-Package-base-bash"), "sourceInfo").n > 0);
        sbom_spdx_write(recipe, &recipe->platform[0], &im, &without); /* a recipe's debs are in the lock */
        assert_null(strstr(without.p, "Package-base"));
}

/* '_' is no letter of an SPDXID: two names become one, and are told apart. */
static void ids_stay_apart(void **state)
{
        AUTO(arena_done) struct arena a = { 0 };
        struct lock *l = made_lock(&a);
        struct artifact *v = arena_array(&a, struct artifact, 3);

        (void)state;
        for (size_t i = 0; i < 3; i++)
                v[i] = (struct artifact){ .kind = ARTIFACT_CONDA,
                                          .name = i == 0   ? SV("a-b")
                                                  : i == 1 ? SV("a.b")
                                                           : SV("a_b"),
                                          .version = SV("1"),
                                          .build = SV("0"),
                                          .url = SV("https://h/c/noarch/x-1-0.conda") };
        l->platform[0].artifact = v;
        l->platform[0].n_artifact = 3;
        lock_sort(l);
        is_valid(&a, document(&a, l, true));
}

static void same_bytes(void **state)
{
        AUTO(arena_done) struct arena a = { 0 }, b = { 0 };
        AUTO(buf_done) struct buf one = BUF_INIT(1 << 20), two = BUF_INIT(1 << 20);
        struct sbom_image im = { .name = SV("train"), .version = SV("0.1.0") };
        struct lock *l = made_lock(&a), *again = made_lock(&b);

        (void)state;
        sbom_spdx_write(l, &l->platform[0], &im, &one);
        sbom_spdx_write(again, &again->platform[0], &im, &two);
        assert_true(one.n > 0 && sv_eq(buf_sv(&one), buf_sv(&two)));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(built),          cmocka_unit_test(only_locked),
                cmocka_unit_test(on_an_image),    cmocka_unit_test(with_the_base_s_packages),
                cmocka_unit_test(ids_stay_apart), cmocka_unit_test(same_bytes)
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
