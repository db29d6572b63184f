/* Warnings about a source: what is large, and what looks like a secret. */
#include <stdlib.h>

#include "base/cleanup.h"
#include "run/code/code_priv.h"

#define LARGEST 10
#define SECRETS 10 /* named one by one */

static bool ends_with_one_of(sv name, const char *const *v)
{
        for (; *v; v++)
                if (sv_ends(name, sv_from(*v)))
                        return true;
        return false;
}

static bool starts_with_one_of(sv name, const char *const *v)
{
        for (; *v; v++)
                if (sv_starts(name, sv_from(*v)))
                        return true;
        return false;
}

bool run_path_is_secret(sv path)
{
        static const char *const code[] = {
                ".py", ".pyi", ".ipynb", ".md",      ".rst",    ".c",        ".h",    ".go",
                ".js", ".ts",  ".pub",   ".example", ".sample", ".template", ".dist", NULL
        };
        static const char *const ends[] = { ".pem",      ".key",        ".p12", ".pfx", ".jks",
                                            ".keystore", ".kubeconfig", ".ppk", NULL };
        static const char *const starts[] = { "id_rsa",          "id_dsa",          "id_ecdsa",
                                              "id_ed25519",      "credentials",     ".env.",
                                              "service-account", "service_account", NULL };
        static const char *const whole[] = { ".env",
                                             ".netrc",
                                             "_netrc",
                                             ".pgpass",
                                             ".pypirc",
                                             ".git-credentials",
                                             ".htpasswd",
                                             "kubeconfig",
                                             "kube.config",
                                             ".kube/config",
                                             ".docker/config.json",
                                             ".condatoken",
                                             NULL };
        sv name = sv_basename(path);

        if (ends_with_one_of(name, code))
                return false;
        for (const char *const *v = whole; *v; v++) {
                sv want = sv_from(*v);
                if (sv_ends(path, want) && (path.n == want.n || path.p[path.n - want.n - 1] == '/'))
                        return true;
        }
        return ends_with_one_of(name, ends) || starts_with_one_of(name, starts);
}

static void warn_secrets(const struct run_source *s, const struct run_snapshot *x)
{
        struct diags *ds = s->c->diags;
        size_t n = 0;

        for (size_t i = 0; i < x->n; i++) {
                size_t at;
                if (x->v[i].kind != RUN_FILE || !run_path_is_secret(x->v[i].path) || ++n > SECRETS)
                        continue;
                at = diag_warn(ds, run_source_name(s, x->v[i].path), 0, 0, "EB521",
                               "looks like a secret, and goes wherever the run goes");
                diag_hint(ds, at, "name it in .amlignore, and give the script what it needs by env_from_host");
        }
        if (n > SECRETS)
                diag_warn(ds, s->dir, 0, 0, "EB521", "%zu more files look like secrets", n - SECRETS);
}

static int larger(const void *pa, const void *pb)
{
        const struct run_file *a = *(const struct run_file *const *)pa, *b = *(const struct run_file *const *)pb;

        return a->size != b->size ? (a->size < b->size ? 1 : -1) : sv_cmp(a->path, b->path);
}

static void warn_size(const struct run_source *s, const struct run_snapshot *x)
{
        const struct run_file **v = arena_array(s->a, const struct run_file *, x->n ? x->n : 1);
        AUTO(buf_done) struct buf names = BUF_INIT(65536);
        size_t n = 0, at;

        if (x->bytes <= RUN_SNAPSHOT_BYTES && x->files <= RUN_SNAPSHOT_FILES)
                return;
        for (size_t i = 0; i < x->n; i++)
                if (x->v[i].kind == RUN_FILE)
                        v[n++] = &x->v[i];
        qsort(v, n, sizeof(struct run_file *), larger);
        for (size_t i = 0; i < n && i < LARGEST; i++)
                buf_fmt(&names, "%s%.*s (%.1f MB)", i ? ", " : "", SV_ARG(v[i]->path), (double)v[i]->size / (1 << 20));
        at = diag_warn(s->c->diags, s->dir, 0, 0, "EB520", "the source has %llu files and %.1f MB; the largest: %.*s",
                       (unsigned long long)x->files, (double)x->bytes / (1 << 20), SV_ARG(buf_sv(&names)));
        diag_hint(s->c->diags, at, "name what the script does not need in .amlignore; data are inputs");
}

void run_source_warn(const struct run_source *s, const struct run_snapshot *x)
{
        warn_size(s, x);
        warn_secrets(s, x);
}
