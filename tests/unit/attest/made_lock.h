/* tests/unit/attest/made_lock.h - a lock with one of every kind of package, for documents about it. */
#ifndef MADE_LOCK_H
#define MADE_LOCK_H

#include "lock/lock.h"
#include "tests/unit/unit.h"

#define EIGHT(c) c c c c c c c c
#define HEX(c)   EIGHT(c) EIGHT(c) EIGHT(c) EIGHT(c)

static inline struct lock *made_lock_of(struct arena *a, const char *base)
{
        static const char head[] = "lock: 1\n"
                                   "layer-format: 1\n"
                                   "plan: 1\n"
                                   "name: train\n"
                                   "definition: env.yml\n"
                                   "request: sha256:" HEX("9c") "\n"
                                                                "created: 2026-11-21T09:30:12Z\n"
                                                                "options:\n"
                                                                "  indexes: [https://pypi.org/simple]\n"
                                                                "  index-strategy: first\n"
                                                                "platforms:\n"
                                                                "  linux/amd64:\n"
                                                                "    virtual: {__glibc: \"2.41\", __linux: \"4.18\"}\n";
        static const char tail[] =
                "    facts: {root: opt, usrmerged: true, libc: glibc 2.41, os: debian 13, odd-dirs: []}\n"
                "    artifacts:\n"
                "    - kind: deb\n"
                "      name: libc6\n"
                "      version: 1:2.41-12\n"
                "      arch: amd64\n"
                "      url: pool/main/g/glibc/libc6_2.41-12_amd64.deb\n"
                "      sha256: " HEX(
                        "77") "\n"
                              "      size: 2200000\n"
                              "      by: [recipe debian-13]\n"
                              "    - kind: conda\n"
                              "      name: _libgcc_mutex\n"
                              "      version: \"0.1\"\n"
                              "      build: conda_forge\n"
                              "      url: "
                              "https://conda.anaconda.org/conda-forge/linux-64/_libgcc_mutex-0.1-conda_forge.tar.bz2\n"
                              "      sha256: " HEX(
                                      "01") "\n"
                                            "      size: 2562\n"
                                            "      by: [numpy 1.26.4]\n"
                                            "    - kind: conda\n"
                                            "      name: numpy\n"
                                            "      version: 1.26.4\n"
                                            "      build: py312_0\n"
                                            "      url: "
                                            "https://${USER}:${PASS}@repo.example/t/${TOKEN}/team/linux-64/"
                                            "numpy-1.26.4-py312_0.conda\n"
                                            "      sha256: " HEX(
                                                    "02") "\n"
                                                          "      size: 2562\n"
                                                          "      needs: [_libgcc_mutex, \"_libgcc_mutex >=0.1\", "
                                                          "gone]\n"
                                                          "      dists: [numpy 1.26.4]\n"
                                                          "      by: [\"env.yml: numpy\"]\n"
                                                          "    - kind: wheel\n"
                                                          "      name: torch\n"
                                                          "      version: 2.1.0+cu121\n"
                                                          "      url: "
                                                          "https://files.example/"
                                                          "torch-2.1.0%2Bcu121-cp312-cp312-linux_x86_64.whl\n"
                                                          "      sha256: " HEX("5c") "\n"
                                                                                     "      size: 18928\n"
                                                                                     "      needs: [numpy]\n"
                                                                                     "      by: [\"env.yml: torch\"]\n";
        struct diags ds = { 0 };
        struct err e = { 0 };
        struct lock *l = NULL;
        sv text = arena_fmt(a, "%s%s%s", head, base, tail);

        if (lock_parse(a, text, SV("train.lock"), &ds, &l, &e) < 0)
                fail_msg("%s: %.*s", e.cause, ds.n ? (int)ds.v[0].text.n : 0, ds.n ? ds.v[0].text.p : "");
        diags_done(&ds);
        return l;
}

static inline struct lock *made_lock(struct arena *a)
{
        return made_lock_of(a, "    base: {recipe: debian-13, sha256: " HEX(
                                       "41") ", suite: trixie, release: 2026-11-21T09:30:12Z}\n");
}

/* On an image of a registry. */
static inline struct lock *made_lock_on_image(struct arena *a, const char *ref)
{
        sv base = arena_fmt(a,
                            "    base:\n"
                            "      ref: %s\n"
                            "      manifest: sha256:" HEX(
                                    "aa") "\n"
                                          "      config: sha256:" HEX(
                                                  "bb") "\n"
                                                        "      layers:\n"
                                                        "      - {diff_id: sha256:" HEX("cc") ", digest: sha256:" HEX(
                                                                "dd") ", size: 5, type: "
                                                                      "application/vnd.oci.image.layer.v1.tar+gzip}\n",
                            ref);

        return made_lock_of(a, base.p);
}

static inline sha256 made_digest(uint8_t byte)
{
        sha256 d;

        for (size_t i = 0; i < sizeof(d.b); i++)
                d.b[i] = byte;
        return d;
}

#endif
