#include "attest/purl.h"

#include "base/cleanup.h"
#include "tests/unit/attest/made_lock.h"

static void artifacts(void **state)
{
        static const struct {
                struct artifact art;
                const char *os, *version, *purl, *location;
        } rows[] = {
                { { .kind = ARTIFACT_WHEEL, .name = SV("pyjwt"), .version = SV("1.7.1"), .url = SV("https://h/x.whl") },
                  "debian",
                  "13",
                  "pkg:pypi/pyjwt@1.7.1",
                  "https://h/x.whl" },
                { { .kind = ARTIFACT_WHEEL,
                    .name = SV("torch"),
                    .version = SV("2.1.0+cu121"),
                    .url = SV("https://me:secret@h/torch.whl") },
                  "debian",
                  "13",
                  "pkg:pypi/torch@2.1.0%2Bcu121",
                  "https://h/torch.whl" },
                { { .kind = ARTIFACT_WHEEL,
                    .name = SV("a"),
                    .version = SV("1!2"),
                    .url = SV("https://${USER}:${PASS}@h:8080/a.whl") },
                  "debian",
                  "13",
                  "pkg:pypi/a@1%212",
                  "https://h:8080/a.whl" },
                { { .kind = ARTIFACT_WHEEL, .name = SV("a"), .version = SV("1"), .url = SV("wheels/a.whl") },
                  "debian",
                  "13",
                  "pkg:pypi/a@1",
                  "" },
                { { .kind = ARTIFACT_DEB,
                    .name = SV("libstdc++6"),
                    .version = SV("1:2.41~rc1-12"),
                    .arch = SV("amd64"),
                    .url = SV("pool/main/g/x.deb") },
                  "debian",
                  "13",
                  "pkg:deb/debian/libstdc%2B%2B6@1%3A2.41~rc1-12?arch=amd64&distro=debian-13",
                  "https://deb.debian.org/debian/pool/main/g/x.deb" },
                { { .kind = ARTIFACT_DEB,
                    .name = SV("tzdata"),
                    .version = SV("2026a"),
                    .arch = SV("all"),
                    .url = SV("http://mirror.example/debian-security/pool/x.deb") },
                  "",
                  "",
                  "pkg:deb/debian/tzdata@2026a?arch=all",
                  "http://mirror.example/debian-security/pool/x.deb" },
                { { .kind = ARTIFACT_DEB, .name = SV("a"), .version = SV("1"), .url = SV("x") },
                  "ubuntu",
                  "24.04",
                  "pkg:deb/ubuntu/a@1?distro=ubuntu-24.04",
                  "" },
                { { .kind = ARTIFACT_CONDA,
                    .name = SV("numpy"),
                    .version = SV("1.26.4"),
                    .build = SV("py311h64a7726_0"),
                    .url = SV("https://conda.anaconda.org/conda-forge/linux-64/numpy-1.26.4-py311h64a7726_0.conda") },
                  "debian",
                  "13",
                  "pkg:conda/numpy@1.26.4?build=py311h64a7726_0&channel=conda-forge&subdir=linux-64&type=conda",
                  "https://conda.anaconda.org/conda-forge/linux-64/numpy-1.26.4-py311h64a7726_0.conda" },
                { { .kind = ARTIFACT_CONDA,
                    .name = SV("zlib"),
                    .version = SV("1.3"),
                    .build = SV("h_0"),
                    .url = SV("https://repo.anaconda.com/pkgs/main/noarch/zlib-1.3-h_0.tar.bz2") },
                  "debian",
                  "13",
                  "pkg:conda/zlib@1.3?build=h_0&channel=main&subdir=noarch&type=tar.bz2",
                  "https://repo.anaconda.com/pkgs/main/noarch/zlib-1.3-h_0.tar.bz2" },
                { { .kind = ARTIFACT_CONDA,
                    .name = SV("x"),
                    .version = SV("1"),
                    .build = SV("0"),
                    .url = SV("https://conda.anaconda.org/t/tk-secret/team/label/dev/linux-64/x-1-0.conda") },
                  "debian",
                  "13",
                  "pkg:conda/x@1?build=0&channel=team%2Flabel%2Fdev&subdir=linux-64&type=conda",
                  "https://conda.anaconda.org/team/label/dev/linux-64/x-1-0.conda" },
                { { .kind = ARTIFACT_CONDA,
                    .name = SV("x"),
                    .version = SV("1"),
                    .build = SV("0"),
                    .url = SV("https://h/t/${TOKEN}/team/linux-64/x-1-0.conda") },
                  "debian",
                  "13",
                  "pkg:conda/x@1?build=0&channel=team&subdir=linux-64&type=conda",
                  "https://h/team/linux-64/x-1-0.conda" },
        };
        AUTO(arena_done) struct arena a = { 0 };
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                struct lock_platform p = { .facts = { .os_name = sv_from(rows[i].os),
                                                      .os_version = sv_from(rows[i].version) } };
                sv purl = purl_artifact(&a, &p, &rows[i].art), location = download_location(&a, &rows[i].art);

                if (!sv_is(purl, rows[i].purl) || !sv_is(location, rows[i].location))
                        bad++, print_error("row %zu: %.*s at %.*s\n", i, SV_ARG(purl), SV_ARG(location));
        }
        assert_int_equal(bad, 0);
}

static void images(void **state)
{
        static const struct {
                const char *ref, *purl;
        } rows[] = {
                { "docker.io/library/python:3.11",
                  "pkg:oci/python@sha256%3A" HEX("aa") "?arch=arm64&repository_url=docker.io%2Flibrary%2Fpython" },
                { "ubuntu:24.04",
                  "pkg:oci/ubuntu@sha256%3A" HEX("aa") "?arch=arm64&repository_url=docker.io%2Flibrary%2Fubuntu" },
                { "oci:/home/me/bases/debian:12", "pkg:oci/debian@sha256%3A" HEX("aa") "?arch=arm64" },
                { "oci:base", "pkg:oci/base@sha256%3A" HEX("aa") "?arch=arm64" },
        };
        AUTO(arena_done) struct arena a = { 0 };
        sha256 d = made_digest(0x0b);
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                struct lock_platform p = { .platform = SV("linux/arm64"),
                                           .base = { .ref = sv_from(rows[i].ref), .manifest = made_digest(0xaa) } };
                sv purl = purl_base(&a, &p);

                if (!sv_is(purl, rows[i].purl))
                        bad++, print_error("row %zu: %.*s\n", i, SV_ARG(purl));
        }
        assert_int_equal(bad, 0);
        assert_true(sv_eq(purl_image(&a, SV("team/train"), &d, SV(""), SV("h:5000/team/train")),
                          SV("pkg:oci/train@sha256%3A" HEX("0b") "?repository_url=h%3A5000%2Fteam%2Ftrain")));
        assert_true(sv_eq(purl_image(&a, SV("train"), &d, SV(""), SV("")), SV("pkg:oci/train@sha256%3A" HEX("0b"))));
}

int main(void)
{
        const struct CMUnitTest tests[] = { cmocka_unit_test(artifacts), cmocka_unit_test(images) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
