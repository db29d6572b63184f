/* tests/corpus/envs.c - `envs FOLDER`: every real file of corpus/envs through spec/, against its row of manifest.tsv. Nobody can say that our
 * diagnostics are right about a file that somebody wrote in 2019, but: nothing crashes, what is malformed is refused, what is fine is refused only
 * by rules of our own, and what is no definition at all is told so. */
#include <stdio.h>

#include "base/cleanup.h"
#include "base/diag_print.h"
#include "base/fs.h"
#include "spec/spec.h"

static int read_file(void *arg, sv path, struct buf *ret, struct err *e)
{
        AUTO(free_ptr) char *name = fs_path("%.*s", SV_ARG(path));

        (void)arg;
        if (sv_find_sv(path, SV("://")) >= 0)
                return err_set(e, ERR_NOT_FOUND, "cannot read '%s': there is no network here", name);
        return fs_read(name, ret, e);
}

static bool read_env(void *arg, sv name, sv *ret)
{
        (void)arg;
        (void)name;
        (void)ret;
        return false;
}

/* Codes that a file without a fault may get: conda packages, files that are not here, what is not supported, names of images. */
static const char *const ours[] = { "EB101", "EB103", "EB105", "EB106", "EB107", "EB108",
                                    "EB136", "EB130", "EB132", "EB133", "EB134", "EB135" };

/* Where our reading and the manifest's part, with reason. */
static const struct {
        const char *file; /* how it begins */
        const char *why;
} differ[] = {
        { "pip-req/225-", "pip joins 'bar == 4.5\\' with the next line before it looks: bar == 4.5.6" },
        { "pip-req/216-", "a version is a variable that is not set" },
        { "pip-req/254-", "'azureml-sdk>=1.0#.45' is no requirement to pip" },
        { "conda-env/106-", "mltable==0.1.0b3' has a stray quote" },
        { "conda-env/039-", "'torchvision -c pytorch' is a command line, to today's conda too" },
        { "conda-env/042-", "the same" },
        { "conda-env/124-", "'horovod==0.21.3 --force-reinstall' is one as well" },
        { "conda-env/212-", "[when=__linux] (CEP 43) is not read, as by conda" },
};

static bool is_one_of(const char *code, const char *const *v, size_t n)
{
        for (size_t i = 0; i < n; i++)
                if (sv_is(sv_from(code), v[i]))
                        return true;
        return false;
}

static bool only_ours(const struct diags *ds)
{
        for (size_t i = 0; i < ds->n; i++)
                if (ds->v[i].level == DIAG_ERROR && !is_one_of(ds->v[i].code, ours, ARRAY_LEN(ours)))
                        return false;
        return true;
}

static bool has(const struct diags *ds, const char *code)
{
        for (size_t i = 0; i < ds->n; i++)
                if (sv_is(sv_from(ds->v[i].code), code))
                        return true;
        return false;
}

/* An Azure ML environment is refused only for a Dockerfile (or what a template leaves open), or because its conda file is not here. */
static const char *judge_azureml(const struct diags *ds)
{
        static const char *const reasons[] = { "EB106", "EB107", "EB108" };

        for (size_t i = 0; i < ds->n; i++)
                if (ds->v[i].level == DIAG_ERROR && !is_one_of(ds->v[i].code, reasons, ARRAY_LEN(reasons)))
                        return "this is an environment of Azure ML";
        return NULL;
}

static bool known_difference(sv file)
{
        for (size_t i = 0; i < ARRAY_LEN(differ); i++)
                if (sv_starts(file, sv_from(differ[i].file)))
                        return true;
        return false;
}

/* What is wrong with our verdict, or NULL. */
static const char *judge(sv kind, sv verdict, const struct diags *ds)
{
        bool definition = sv_is(kind, "conda-env") || sv_is(kind, "pip-req");

        if (sv_is(kind, "bad-yaml"))
                return has(ds, "EB100") ? NULL : "this is not YAML";
        if (sv_is(kind, "aml-v2-env") || sv_is(kind, "aml-v1-env-json"))
                return judge_azureml(ds);
        if (!definition && !sv_is(kind, "conda-speclist"))
                return ds->n_errors ? NULL : "this is no definition";
        if (sv_is(verdict, "invalid") && !ds->n_errors)
                return "this is malformed";
        if (sv_is(verdict, "ok") && definition && !only_ours(ds))
                return "this is fine";
        return NULL;
}

static bool one(const char *folder, sv file, sv kind, sv verdict)
{
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(diags_done) struct diags ds = { 0 };
        AUTO(err_done) struct err e = { 0 };
        AUTO(buf_done) struct buf out = BUF_INIT((size_t)1 << 26);
        struct spec_io io = { NULL, read_file, read_env };
        sv path = arena_fmt(&a, "%s/%.*s", folder, SV_ARG(file));
        const char *wrong;
        struct spec *s;
        int r = spec_load(&a, &path, 1, &io, &ds, &s, &e);

        if (r == 0)
                r = spec_finish(&a, s, &io, &ds, &e);
        wrong = r < 0 && r != -ERR_USAGE         ? "it cannot be read"
                : (r == 0) != (ds.n_errors == 0) ? "faults and result do not fit"
                                                 : judge(kind, verdict, &ds);
        if (known_difference(file))
                wrong = wrong ? NULL : "there is no difference any more: take it off the list";
        if (!wrong)
                return true;
        diag_write(&ds, false, &out);
        printf("FAIL %.*s (%.*s, %.*s): %s\n%s\n", SV_ARG(file), SV_ARG(kind), SV_ARG(verdict), wrong,
               out.p     ? out.p
               : e.cause ? e.cause
                         : "");
        return false;
}

int main(int argc, char **argv)
{
        AUTO(buf_done) struct buf manifest = BUF_INIT((size_t)1 << 24);
        AUTO(free_ptr) char *path = NULL;
        AUTO(err_done) struct err e = { 0 };
        size_t passed = 0, failed = 0;
        sv rest, line;

        if (argc != 2)
                return 2;
        path = fs_path("%s/manifest.tsv", argv[1]);
        if (fs_read(path, &manifest, &e) < 0) {
                printf("%s\n", e.cause);
                return 1;
        }
        rest = buf_sv(&manifest);
        sv_line(&rest, &line); /* the names of the columns */
        while (sv_line(&rest, &line)) {
                sv column[11] = {
                        { 0 }
                }; /* file, kind, repository, path, commit, date, licence, sha256, bytes, features, verdict */
                for (size_t i = 0; i < ARRAY_LEN(column); i++)
                        sv_cut(&line, '\t', &column[i]);
                if (one(argv[1], column[0], column[1], column[10]))
                        passed++;
                else
                        failed++;
        }
        printf("%zu passed, %zu failed\n", passed, failed);
        return failed || !passed;
}
