/* tests/unit/install/conda_make.h - small conda packages made in memory, right ones and wrong ones. zstd frames hold stored blocks, so
 * that the bytes are the same with every library; info/index.json and info/paths.json are made of what is given. */
#ifndef TESTS_UNIT_INSTALL_CONDA_MAKE_H
#define TESTS_UNIT_INSTALL_CONDA_MAKE_H

#include <stdio.h>

#include "install/install.h"
#include "tests/unit/zip_make.h"

#define PLACEHOLDER "/placehold_placehold_placehold_placehold_placehold"

struct made_file {
        const char *path, *text, *link; /* a path that ends in '/' is a folder; a link makes a symbolic one */
        unsigned mode;                  /* 0: 0644 */
        char type;                      /* tar's; 0: by the rest. '1': hard link, '3': device */
        const char *placeholder;        /* in paths.json, with its mode */
        const char *file_mode;
        size_t n; /* 0: strlen(text) */
        bool unlisted;
        const char *sha256, *path_type; /* instead of the true ones; path_type "" leaves it out */
        uint64_t size;                  /* instead of the true one */
        uint32_t mtime;                 /* 0: 1500000000 */
};

static inline size_t made_size(const struct made_file *f)
{
        return f->n ? f->n : f->text ? strlen(f->text) : 0;
}

static inline char made_type(const struct made_file *f)
{
        return f->type ? f->type : f->link ? '2' : f->path[strlen(f->path) - 1] == '/' ? '5' : '0';
}

static inline void made_tar(struct buf *b, const struct made_file *f, size_t n)
{
        static const char zero[1024];

        for (size_t i = 0; i < n; i++) {
                char h[512] = { 0 };
                unsigned sum = 8 * ' ';

                snprintf(h, 100, "%s", f[i].path);
                snprintf(h + 100, 8, "%07o", f[i].mode ? f[i].mode : 0644);
                snprintf(h + 108, 8, "%07o", 1000);
                snprintf(h + 116, 8, "%07o", 1000);
                snprintf(h + 124, 12, "%011zo", made_size(&f[i]));
                snprintf(h + 136, 12, "%011o", f[i].mtime ? f[i].mtime : 1500000000);
                h[156] = made_type(&f[i]);
                snprintf(h + 157, 100, "%s", f[i].link ? f[i].link : "");
                memcpy(h + 257, "ustar\00000", 8);
                for (size_t k = 0; k < sizeof(h); k++)
                        sum += (unsigned char)h[k];
                snprintf(h + 148, 8, "%06o", sum);
                buf_add(b, (sv){ h, sizeof(h) });
                buf_add(b, (sv){ f[i].text, made_size(&f[i]) });
                buf_add(b, (sv){ zero, (512 - made_size(&f[i]) % 512) % 512 });
        }
        buf_add(b, (sv){ zero, sizeof(zero) });
}

/* One frame: its size, blocks of at most 100,000 stored bytes. */
static inline void made_zstd(struct buf *b, sv bytes)
{
        zip_put(b, 0xfd2fb528, 4);
        zip_put(b, 0xa0, 1);
        zip_put(b, bytes.n, 4);
        do {
                size_t n = bytes.n < 100000 ? bytes.n : 100000;

                zip_put(b, n << 3 | (n == bytes.n), 3);
                buf_add(b, sv_from_to(bytes, 0, n));
                bytes = sv_skip(bytes, n);
        } while (bytes.n);
}

static inline void made_row(struct buf *b, const struct made_file *f, bool first)
{
        char type = made_type(f);
        sha256 d = sha256_of((sv){ f->text, made_size(f) });
        const char *kind = f->path_type  ? f->path_type
                           : type == '2' ? "softlink"
                           : type == '5' ? "directory"
                                         : "hardlink";

        buf_fmt(b, "%s{\"_path\":\"%.*s\"", first ? "" : ",", (int)(strlen(f->path) - (type == '5')), f->path);
        if (*kind)
                buf_fmt(b, ",\"path_type\":\"%s\"", kind);
        if (type == '0' || f->sha256)
                buf_fmt(b, ",\"sha256\":\"%s\",\"size_in_bytes\":%llu", f->sha256 ? f->sha256 : sha256_hex(&d).s,
                        (unsigned long long)(f->size ? f->size : made_size(f)));
        if (f->placeholder)
                buf_fmt(b, ",\"prefix_placeholder\":\"%s\",\"file_mode\":\"%s\"", f->placeholder,
                        f->file_mode ? f->file_mode : "text");
        buf_fmt(b, "}");
}

static inline void made_paths(struct buf *b, const struct made_file *f, size_t n)
{
        bool first = true;

        buf_fmt(b, "{\"paths\":[");
        for (size_t i = 0; i < n; i++)
                if (!f[i].unlisted) {
                        made_row(b, &f[i], first);
                        first = false;
                }
        buf_fmt(b, "],\"paths_version\":1}");
}

#define MADE_INDEX                                                                                                     \
        "{\"arch\":\"x86_64\",\"build\":\"h1_0\",\"build_number\":0,\"constrains\":[\"old\"],\"depends\":[\"old "      \
        ">=1\"],"                                                                                                      \
        "\"license\":\"MIT\",\"name\":\"demo\",\"platform\":null,\"subdir\":\"linux-64\",\"timestamp\":1600000000000," \
        "\"version\":\"1.0\"}"
#define MADE_NOARCH                                                                                                    \
        "{\"build\":\"py_0\",\"build_number\":0,\"depends\":[\"python\"],\"name\":\"demo\",\"noarch\":\"python\","     \
        "\"subdir\":\"noarch\",\"version\":\"1.0\"}"
#define MADE_FORMAT "{\"conda_pkg_format_version\": 2}"

struct made {
        const char *index, *link, *paths; /* paths: instead of what is made; "" leaves it out */
        const struct made_file *file;
        size_t n;
        const struct made_file *info; /* besides */
        size_t n_info;
};

static inline void made_info(struct buf *b, const struct made *m)
{
        struct buf paths = BUF_INIT((size_t)1 << 20);
        struct made_file f[16] = { { .path = "info/index.json", .text = m->index ? m->index : MADE_INDEX } };
        size_t n = 1;

        made_paths(&paths, m->file, m->n);
        if (!m->paths || *m->paths)
                f[n++] = (struct made_file){ .path = "info/paths.json", .text = m->paths ? m->paths : paths.p };
        if (m->link)
                f[n++] = (struct made_file){ .path = "info/link.json", .text = m->link };
        for (size_t i = 0; i < m->n_info; i++)
                f[n++] = m->info[i];
        made_tar(b, f, n);
        buf_done(&paths);
}

/* A .conda. The caller releases *ret. */
static inline void made_conda(const struct made *m, struct buf *ret)
{
        struct buf pkg = BUF_INIT((size_t)64 << 20), info = BUF_INIT((size_t)64 << 20);
        struct buf pkg_zst = BUF_INIT((size_t)64 << 20), info_zst = BUF_INIT((size_t)64 << 20);
        struct zip_made z;

        made_tar(&pkg, m->file, m->n);
        made_info(&info, m);
        made_zstd(&pkg_zst, buf_sv(&pkg));
        made_zstd(&info_zst, buf_sv(&info));
        {
                const struct zip_file f[] = {
                        { .name = "metadata.json", .data = MADE_FORMAT },
                        { .name = "pkg-demo-1.0-h1_0.tar.zst", .data = pkg_zst.p, .n_data = pkg_zst.n },
                        { .name = "info-demo-1.0-h1_0.tar.zst", .data = info_zst.p, .n_data = info_zst.n },
                };
                zip_make(&z, f, ARRAY_LEN(f), "", 0);
        }
        *ret = z.buf;
        buf_done(&pkg);
        buf_done(&info);
        buf_done(&pkg_zst);
        buf_done(&info_zst);
}

static inline struct artifact made_artifact(const struct buf *archive, bool noarch)
{
        static sv needs[] = { { "libc >=2", 8 }, { "zlib", 4 } }, constrains[] = { { "other <2", 8 } };

        return (struct artifact){ .kind = ARTIFACT_CONDA,
                                  .name = SV("demo"),
                                  .version = SV("1.0"),
                                  .build = noarch ? SV("py_0") : SV("h1_0"),
                                  .noarch = noarch ? SV("python") : (sv){ 0 },
                                  .url = noarch ? SV("https://c.example/forge/noarch/demo-1.0-py_0.conda")
                                                : SV("https://c.example/forge/linux-64/demo-1.0-h1_0.conda"),
                                  .sha256 = sha256_of(buf_sv(archive)),
                                  .size = archive->n,
                                  .needs = needs,
                                  .n_needs = 2,
                                  .constrains = constrains,
                                  .n_constrains = 1 };
}

#endif
