#include <stdlib.h>

#include "base/cleanup.h"
#include "install/conda_priv.h"

/* Link scripts that were read, and that an image does without: on Linux they only tell the user something. The table decides about a
 * warning and never about bytes, so it may grow: a package's layer is a function of its lock block alone. A script that makes files
 * would have to be done in the last layer. Sorted by digest. */
static const struct known {
        const char *sha256; /* of bin/.NAME-post-link.sh */
        const char *why;
} table[] = {
        { "1fed353cac95ed020551652ff444128292bb35be121ef26bdbb8bb9a487fac9f", "cudnn: names the licence" },
        { "4605bbe9bccb875db034ddd0eb5fb765dc0290b797082c08e732de5396e7fbc1", "cudatoolkit: names the licence" },
        { "5a1f383fe139be38d84f95ad0259e7497129dc75b2565964e624d6123eafe5a0", "git: signs a program on macOS" },
        { "95d5656da5de7dfeddc0d42a5317888625a46664906955aee025cffb1b16f0a1", "cuquantum: names the licence" },
        { "a6e322aabb51f24bee9f43cd31ae9a15a25ca562d980a5b31c43cf95adc2437b",
          "brian2: says that a compiler is of use" },
        { "cfa63001fea7ea40385d510bf03eaaaefad9d16a727d1f15e040c50cf7ac48f3", "build: says that it has a new name" },
        { "d6afd1ed1db3c9485e00fc590cbb114c863d8dafa493a97de6c211175ed0c9a8",
          "openmpi: says how CUDA support is switched on" },
        { "ecbb9851bed95a902df7339c83859b1ee4f55d3d0ee1f5c62876075c9ebd0070", "cusparselt: names the licence" },
};

static int by_digest(const void *key, const void *row)
{
        return sv_cmp(*(const sv *)key, sv_from(((const struct known *)row)->sha256));
}

static const char *needless(const sha256 *script)
{
        sha256_text hex = sha256_hex(script);
        sv key = { hex.s, 64 };
        const struct known *k = bsearch(&key, table, ARRAY_LEN(table), sizeof(table[0]), by_digest);

        return k ? k->why : NULL;
}

/* "bin/.NAME-post-link.sh" and its kin */
static bool is_link_script(sv path, sv name)
{
        static const char *const when[] = { "-pre-link.sh", "-post-link.sh", "-pre-unlink.sh" };
        sv rest = sv_skip(path, 5);

        if (!sv_starts(path, SV("bin/.")) || !sv_starts(rest, name))
                return false;
        for (size_t i = 0; i < ARRAY_LEN(when); i++)
                if (sv_is(sv_skip(rest, name.n), when[i]))
                        return true;
        return false;
}

void conda_warn(struct diags *ds, sv file, sv name, sv path, const sha256 *digest)
{
        size_t i;

        if (is_link_script(path, name) && !(digest && needless(digest))) {
                i = diag_warn(ds, file, 0, 0, "EB530", "'%.*s' is not run: nothing of a package is", SV_ARG(path));
                diag_hint(ds, i, "read it; what it does can be done by `envbuild: files:`");
        }
        if (sv_starts(path, SV("Menu/")) && sv_ends(path, SV(".json"))) {
                i = diag_warn(ds, file, 0, 0, "EB531", "no menu entry is made of '%.*s'", SV_ARG(path));
                ds->v[i].level = DIAG_NOTE;
        }
}

void install_conda_warn(const struct artifact *art, const struct install_ctx *ctx, const struct paths *list,
                        struct diags *ds)
{
        AUTO(arena_done) struct arena a = { 0 };
        sv top = arena_fmt(&a, "%.*s/env/", SV_ARG(ctx->root)), file = conda_url_file(&a, art->url);

        for (size_t i = 0; i < list->n; i++)
                if (list->v[i].type != ENTRY_DIR && sv_starts(list->v[i].path, top))
                        conda_warn(ds, file, art->name, sv_skip(list->v[i].path, top.n), &list->v[i].sha256);
}
