/* tests/corpus/conda_clobber.c - conda packages with the same paths: whatever order the layers have and whatever order the packages are
 * given in, the image shows the package that is later in link order; equal contents are silent, a file against a folder is an error.
 * Usage: conda_clobber CORPUS/conda */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "ext/hash.h"
#include "install/conda_priv.h"
#include "tree/join.h"

#define MEMBERS 3

struct set {
        const char *package[MEMBERS];
        unsigned disputed; /* paths with different contents */
        bool clash;        /* a file against a folder */
};
static const struct set sets[] = {
        { { "clobber-1-0.1.0-h4616a5c_0.tar.bz2", "clobber-2-0.1.0-h4616a5c_0.tar.bz2",
            "clobber-3-0.1.0-h4616a5c_0.tar.bz2" },
          2,
          false },
        { { "clobber-1-0.2.0-h4616a5c_0.tar.bz2", "clobber-2-0.1.0-h4616a5c_0.tar.bz2",
            "clobber-3-0.2.0-h4616a5c_0.tar.bz2" },
          1,
          false },
        { { "clobber-fd-1-0.1.0-h4616a5c_0.conda", "clobber-fd-2-0.1.0-h4616a5c_0.conda",
            "clobber-fd-3-0.1.0-h4616a5c_0.conda" },
          0,
          true },
        { { "clobber-fd-2-0.1.0-h4616a5c_0.conda", "clobber-fd-2-conflicting-0.1.0-h4616a5c_0.conda",
            "clobber-fd-3-0.1.0-h4616a5c_0.conda" },
          1,
          false },
        { { "clobber-pynoarch-1-0.1.0-pyh4616a5c_0.tar.bz2", "clobber-pynoarch-2-0.1.0-pyh4616a5c_0.tar.bz2",
            "clobber-python-0.1.0-cpython.conda" },
          0,
          false },
        { { "clobber-with-symlink-a-0.1.0-h4616a5c_0.conda", "clobber-with-symlink-b-0.1.0-h4616a5c_0.conda",
            "empty-0.1.0-h4616a5c_0.conda" },
          1,
          false },
        { { "clobber-with-dir-0.1.0-h4616a5c_0.conda", "clobber-without-dir-0.1.0-h4616a5c_0.conda",
            "empty-0.1.0-h4616a5c_0.conda" },
          0,
          true },
};
static const unsigned orders[6][MEMBERS] = { { 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 },
                                             { 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 } };

/* --- a package's path list */

static int read_content(const struct content *c, struct entry *en, struct err *e)
{
        AUTO(hash_freep) struct hash *h = hash_new(HASH_SHA256);
        char piece[65536];
        size_t n = 0;

        if (c->kind == CONTENT_BYTES)
                hash_add(h, c->p, c->n);
        do {
                if (c->kind != CONTENT_STREAM)
                        break;
                if (c->read(c->arg, piece, sizeof(piece), &n, e) < 0)
                        return -(int)e->code;
                hash_add(h, piece, n);
        } while (n);
        hash_end(h, en->sha256.b);
        return 0;
}

static int list_entries(struct arena *a, struct entry_source *s, struct paths *ret, struct err *e)
{
        struct content c;
        struct entry *en;
        int rc;

        while ((rc = s->ops->next(s, &en, &c, e)) > 0) {
                struct entry copy;

                if (en->type == ENTRY_FILE && read_content(&c, en, e) < 0)
                        return -(int)e->code;
                copy = *en;
                copy.path = arena_sv(a, en->path);
                copy.target = arena_sv(a, en->target);
                paths_add(a, ret, &copy);
        }
        paths_sort(ret);
        return rc;
}

static int list_package(struct arena *a, const char *corpus, const char *file, struct paths *ret, struct err *e)
{
        AUTO(free_ptr) char *path = fs_path("%s/packages/%s", corpus, file);
        AUTO(entry_source_freep) struct entry_source *s = NULL;
        AUTO(fs_map_close) struct fs_map map = { 0 };
        AUTO(diags_done) struct diags ds = { 0 };
        struct artifact art = { .kind = ARTIFACT_CONDA, .url = arena_fmt(a, "https://c.example/c/noarch/%s", file) };
        struct install_ctx ctx = { .prefix = SV("/opt/env"),
                                   .root = SV("opt"),
                                   .python = SV("3.11"),
                                   .site_packages = SV("lib/python3.11/site-packages") };
        struct conda_archive ar;
        struct conda_info info;
        sv bytes;

        if (fs_map_open(path, &map, e) < 0)
                return -(int)e->code;
        bytes = (sv){ (const char *)map.p, map.n };
        if (conda_archive_open(a, bytes, &ar, e) < 0 || conda_info_read(a, &ar, &art, &info, e) < 0)
                return -(int)e->code;
        art.name = info.index.name;
        art.version = info.index.version;
        art.build = info.index.build;
        return install_conda(&art, bytes, &ctx, &ds, &s, e) < 0 ? -(int)e->code : list_entries(a, s, ret, e);
}

/* --- what an image shows: layers from below, then the last layer */

static const struct entry *shown(const struct join_member *m, const struct join_result *r, sv path, bool bucket)
{
        const struct entry *top = NULL;

        for (size_t i = 0; i < r->n; i++)
                if (sv_eq(r->winner[i].entry->path, path))
                        return r->winner[i].entry;
        for (unsigned layer = 0; layer < MEMBERS; layer++)
                for (unsigned k = 0; k < MEMBERS; k++) {
                        const struct entry *en = m[k].layer == layer ? paths_find(m[k].paths, path) : NULL;

                        if (en && !(bucket && top))
                                top = en;
                }
        return top;
}

static bool same(const struct entry *a, const struct entry *b)
{
        return a && a->type == b->type && sha256_eq(&a->sha256, &b->sha256) && sv_eq(a->target, b->target);
}

/* Every path shows the last member in link order that has it. */
static bool right(const struct join_member *m, const struct join_result *r, bool bucket)
{
        for (unsigned k = 0; k < MEMBERS; k++)
                for (size_t i = 0; i < m[k].paths->n; i++) {
                        const struct entry *want = NULL;
                        uint32_t best = 0;

                        for (unsigned x = 0; x < MEMBERS; x++) {
                                const struct entry *en = paths_find(m[x].paths, m[k].paths->v[i].path);

                                if (en && (!want || m[x].link_order > best)) {
                                        want = en;
                                        best = m[x].link_order;
                                }
                        }
                        if (!same(shown(m, r, m[k].paths->v[i].path, bucket), want))
                                return false;
                }
        return true;
}

static const char *join_once(const struct set *s, const struct paths *list, const unsigned *given,
                             const unsigned *linked, const unsigned *layer)
{
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(diags_done) struct diags ds = { 0 };
        AUTO(err_done) struct err e = { 0 };
        struct join_member m[MEMBERS];
        struct join_result r = { 0 };
        int rc;

        for (unsigned k = 0; k < MEMBERS; k++)
                m[k] = (struct join_member){ .name = sv_from(s->package[given[k]]),
                                             .link_order = linked[given[k]],
                                             .layer = layer ? layer[given[k]] : 0,
                                             .paths = &list[given[k]] };
        rc = paths_join(&a, m, MEMBERS, false, &ds, &r, &e);
        if (s->clash)
                return rc == -ERR_CONFLICT && ds.n_errors && !strcmp(ds.v[0].code, "EB301") ? NULL
                                                                                            : "no clash was found";
        if (rc < 0)
                return "was refused";
        if (ds.n != s->disputed)
                return "another number of warnings";
        return right(m, &r, !layer) ? NULL : "another winner";
}

static int run_set(const char *corpus, const struct set *s)
{
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(err_done) struct err e = { 0 };
        struct paths list[MEMBERS] = { 0 };
        int bad = 0;

        for (unsigned k = 0; k < MEMBERS; k++)
                if (list_package(&a, corpus, s->package[k], &list[k], &e) < 0) {
                        printf("%s: %s\n", s->package[k], e.cause);
                        return 1;
                }
        for (unsigned g = 0; g < 6; g++)
                for (unsigned l = 0; l < 6; l++)
                        for (unsigned y = 0; y <= 6; y++) { /* the last: all in one bucket */
                                const char *why = join_once(s, list, orders[g], orders[l], y < 6 ? orders[y] : NULL);

                                if (why && !bad++)
                                        printf("%s…: %s (given %u, linked %u, layers %u)\n", s->package[0], why, g, l,
                                               y);
                        }
        return bad;
}

int main(int argc, char **argv)
{
        int bad = 0;

        for (size_t i = 0; i < ARRAY_LEN(sets) && argc > 1; i++)
                bad += run_set(argv[1], &sets[i]);
        printf("%zu sets, %d wrong\n", ARRAY_LEN(sets), bad);
        return bad || argc < 2;
}
