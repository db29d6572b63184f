/* tests/corpus/conda_sharded.c - a sharded channel against the same in one piece: the same records for every name.
 * Usage: conda_sharded CORPUS */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "catalog/conda_channels.h"
#include "catalog/conda_index.h"
#include "tests/unit/catalog/conda_oracle.h"

struct pair {
        const char *sharded, *whole; /* folders of channels */
        const char *subdir[2];
};

struct sources {
        struct op op;
        struct net *net;
        struct store *store;
        struct conda_source *sharded, *whole;
        struct arena a;
};

static int open_sources(struct sources *s, const char *root, const char *corpus, const struct pair *p, struct err *e)
{
        struct conda_channel c = { .name = SV("c"), .url = arena_fmt(&s->a, "file://%s/%s", corpus, p->sharded) };
        struct conda_channels_opts o = { .channel = &c, .n_channel = 1, .subdir = sv_from(p->subdir[0]) };
        struct conda_file f[2];
        size_t n = p->subdir[1] ? 2 : 1;

        for (size_t i = 0; i < n; i++) {
                sv path = arena_fmt(&s->a, "%s/%s/%s/repodata.json", corpus, p->whole, p->subdir[i]);

                if (!fs_exists(path.p))
                        path = arena_fmt(&s->a, "%s.zst", path.p);
                f[i] = (struct conda_file){ path, c.url, sv_from(p->subdir[i]) };
        }
        if (store_open(root, true, &s->op, &s->store, e) < 0 ||
            net_new(&(struct net_opts){ 0 }, &s->op, &s->net, e) < 0 ||
            conda_channels_open(&o, s->net, s->store, &s->op, &s->sharded, e) < 0 ||
            conda_files_open(f, n, NULL, &s->op, &s->whole, e) < 0)
                return -(int)e->code;
        return 0;
}

static void close_sources(struct sources *s)
{
        conda_source_free(s->sharded);
        conda_source_free(s->whole);
        net_free(s->net);
        store_close(s->store);
        arena_done(&s->a);
}

/* Names in the order in which records need them, from one that the channel has. */
static size_t compare(struct sources *s, const char *const *first, size_t *ret_names, struct err *e)
{
        AUTO(arena_done) struct arena a = { 0 };
        struct map seen = { 0 };
        sv *name = NULL;
        size_t n = 0, cap = 0, records = 0;

        for (; *first; first++)
                *arena_push(&a, name, n, cap) = sv_from(*first);
        for (size_t i = 0; i < n; i++) {
                struct conda_records x = { 0 }, y = { 0 };

                if (map_get(&seen, name[i]))
                        continue;
                map_put(&seen, &a, name[i], s);
                if (s->sharded->ops->records(s->sharded, name[i], &x, e) < 0 ||
                    s->whole->ops->records(s->whole, name[i], &y, e) < 0)
                        return 0;
                if (x.n != y.n) {
                        err_set(e, ERR_FAILED, "'%.*s': %zu records instead of %zu", SV_ARG(name[i]), x.n, y.n);
                        return 0;
                }
                ++*ret_names;
                for (size_t k = 0; k < x.n; k++, records++) {
                        if (!oracle_same(&x.v[k], &y.v[k]))
                                err_set(e, ERR_FAILED, "'%.*s' differs", SV_ARG(x.v[k].fn));
                        for (size_t d = 0; d < x.v[k].n_depends; d++) {
                                sv rest = x.v[k].depends[d], word;

                                if (sv_cut(&rest, ' ', &word))
                                        *arena_push(&a, name, n, cap) = word;
                        }
                }
        }
        return records;
}

int main(int argc, char **argv)
{
        static const struct pair pairs[] = {
                { "small-channels/made-sharded", "repodata/conda-forge-py39-tree", { "linux-64", "noarch" } },
        };
        static const char *const first[] = { "python", "pip", "setuptools", "wheel", NULL };
        char root[] = "/tmp/envbuild-corpus-XXXXXX";
        AUTO(err_done) struct err e = { 0 };
        size_t records = 0, names = 0;

        if (argc != 2 || !mkdtemp(root))
                return 2;
        for (size_t i = 0; i < ARRAY_LEN(pairs) && !e.code; i++) {
                struct sources s = { .op = { .jobs = 1 } };

                if (open_sources(&s, root, argv[1], &pairs[i], &e) == 0)
                        records += compare(&s, first, &names, &e);
                close_sources(&s);
        }
        printf("%zu names, %zu records\n", names, records);
        if (e.code)
                fprintf(stderr, "%s\n", e.cause);
        fs_remove(root, &e);
        return e.code || records < 1000;
}
