/* tests/bench/conda_solve.c - one conda solve over unpacked repodata files, timed: what tests/bench/conda_solve.py compares with rattler.
 *     conda_solve [-i INDEX_DIR] PLATFORM {-c FOLDER} {-v NAME=VERSION=BUILD} SPEC...
 * prints milliseconds of opening and of solving, peak memory in kB, and the files that were chosen. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "catalog/conda.h"
#include "catalog/conda_channels.h"

enum { MAX_ARGS = 1024 };

struct bench {
        struct arena arena;
        const char *index_dir;
        struct conda_opts o;
        struct conda_channel channel[MAX_ARGS];
        struct conda_virtual virtual_[MAX_ARGS];
        struct conda_file file[2 * MAX_ARGS];
        struct spec_text spec[MAX_ARGS];
        size_t n_file, n_spec;
};

static double now_ms(void)
{
        struct timespec t;

        clock_gettime(CLOCK_MONOTONIC, &t);
        return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void file_add(struct bench *b, const char *folder, sv url, sv subdir)
{
        sv path = arena_fmt(&b->arena, "%s/%.*s/repodata.json", folder, SV_ARG(subdir));

        if (fs_exists(path.p))
                b->file[b->n_file++] = (struct conda_file){ path, url, subdir };
}

static void channel_add(struct bench *b, const char *folder, sv platform)
{
        sv name = sv_basename(sv_from(folder));
        sv url = arena_fmt(&b->arena, "https://conda.anaconda.org/%.*s", SV_ARG(name));

        b->channel[b->o.n_channel++] = (struct conda_channel){ .name = name, .url = url };
        file_add(b, folder, url, platform);
        file_add(b, folder, url, SV("noarch"));
}

static void virtual_add(struct bench *b, sv text)
{
        sv name = { 0 }, version = { 0 };

        sv_cut(&text, '=', &name);
        sv_cut(&text, '=', &version);
        b->virtual_[b->o.n_virtual++] = (struct conda_virtual){ name, version, text };
}

static bool arguments(struct bench *b, int argc, char **argv)
{
        int i = 1;

        if (argc > 3 && !strcmp(argv[1], "-i")) {
                b->index_dir = argv[2];
                i = 3;
        }
        if (i >= argc || argc >= MAX_ARGS)
                return false;
        for (sv platform = sv_from(argv[i++]); i < argc; i++) {
                if (!strcmp(argv[i], "-c") && i + 1 < argc)
                        channel_add(b, argv[++i], platform);
                else if (!strcmp(argv[i], "-v") && i + 1 < argc)
                        virtual_add(b, sv_from(argv[++i]));
                else
                        b->spec[b->n_spec++] = (struct spec_text){ sv_from(argv[i]), { SV("argv"), 0, 0 } };
        }
        b->o.channel = b->channel;
        b->o.virtual_ = b->virtual_;
        b->o.allow_unhashed = true;
        return b->n_spec > 0;
}

static void report(struct catalog_conda *c, const struct resolution *r, double open, double solve)
{
        struct rusage u;

        getrusage(RUSAGE_SELF, &u);
        printf("%.2f %.2f %ld\n", open, solve, u.ru_maxrss);
        for (size_t i = 0; i < r->n; i++) {
                const struct conda_record *rec = conda_record_of(c, &r->pick[i]);
                if (rec)
                        printf("%.*s/%.*s\n", SV_ARG(rec->subdir), SV_ARG(rec->fn));
        }
}

static int run(struct bench *b, struct err *e)
{
        AUTO(diags_done) struct diags ds = { 0 };
        struct resolve_opts o = { .order = ORDER_CEILING };
        struct conda_source *source;
        struct catalog_conda *c;
        struct resolve_want *want;
        struct resolution *r;
        size_t n;
        double begin = now_ms(), opened;

        if (conda_files_open(b->file, b->n_file, b->index_dir, NULL, &source, e) < 0)
                return -(int)e->code;
        opened = now_ms();
        if (conda_open(&b->o, source, NULL, &c, e) < 0)
                return -(int)e->code;
        if (conda_wants(c, b->spec, b->n_spec, &b->arena, &ds, &want, &n, e) == 0 &&
            resolve(conda_catalog(c), want, n, &o, NULL, &b->arena, &r, e) == 0)
                report(c, r, opened - begin, now_ms() - opened);
        catalog_free(conda_catalog(c));
        return e->code ? -(int)e->code : 0;
}

int main(int argc, char **argv)
{
        static struct bench b;
        AUTO(err_done) struct err e = { 0 };

        if (!arguments(&b, argc, argv)) {
                fputs("usage: conda_solve [-i INDEX_DIR] PLATFORM -c FOLDER... [-v NAME=VERSION=BUILD...] SPEC...\n",
                      stderr);
                return 2;
        }
        if (run(&b, &e) < 0)
                fprintf(stderr, "%s\n", e.cause);
        arena_done(&b.arena);
        return e.code != ERR_NONE;
}
