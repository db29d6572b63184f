/* What package layers depend on in their base: a row a rule. */
#include <string.h>

#include "image/image_priv.h"
#include "image/rebase.h"
#include "tests/unit/unit.h"

enum kind { VENV, CONDA, BOTH, BARE };
struct side {
        const char *platform, *root, *libc, *libc_version, *python, *path,
                *abi; /* NULL: as the old base has it; "": none */
        int merged;   /* 0: as the old base; else 1 yes, 2 no */
};
static const struct side old = { "linux/amd64", "opt", "glibc", "2.36", "3.11.2", "/usr/bin/python3.11", "cp311", 1 };

static const char *or_old(const char *v, const char *of_old)
{
        return v ? v : of_old;
}

static struct lock_platform make(const struct side *s, enum kind kind, const char *glibc, struct artifact *art,
                                 struct lock_pair *pair)
{
        struct lock_platform p = { .platform = sv_from(or_old(s->platform, old.platform)) };
        int merged = s->merged ? s->merged : old.merged;

        p.facts = (struct lock_facts){ .root = sv_from(or_old(s->root, old.root)),
                                       .usrmerged = merged == 1,
                                       .libc_name = sv_from(or_old(s->libc, old.libc)),
                                       .libc_version = sv_from(or_old(s->libc_version, old.libc_version)) };
        p.python = (struct lock_python){ .version = sv_from(or_old(s->python, old.python)),
                                         .path = sv_from(or_old(s->path, old.path)),
                                         .abi = sv_from(or_old(s->abi, old.abi)),
                                         .site_packages = SV("lib/python3.11/site-packages"),
                                         .from = SV("base") };
        p.has_python = p.python.version.n > 0;
        p.artifact = art;
        if (kind == CONDA || kind == BOTH)
                art[p.n_artifact++] = (struct artifact){ .kind = ARTIFACT_CONDA, .name = SV("x") };
        if (kind == VENV || kind == BOTH)
                art[p.n_artifact++] = (struct artifact){ .kind = ARTIFACT_WHEEL, .name = SV("y") };
        if (glibc) {
                *pair = (struct lock_pair){ SV("__glibc"), sv_from(glibc) };
                p.virtual_ = pair;
                p.n_virtual = 1;
        }
        return p;
}

static const struct {
        enum kind kind;
        const char *glibc; /* __glibc of the old lock */
        struct side now;
        const char *said[3]; /* what stands in each phrase; NULL: no more of them */
} rows[] = {
        { VENV, "2.36", { 0 }, { 0 } },
        { VENV, "2.36", { .libc_version = "2.41" }, { 0 } },
        { VENV, "2.36", { .libc_version = "2.36.1" }, { 0 } },
        { VENV,
          "2.36",
          { .libc_version = "2.9" },
          { "its glibc 2.9 is older than the glibc 2.36" } }, /* numbers, not text */
        { VENV, NULL, { .libc_version = "2.35" }, { "its glibc 2.35 is older than the glibc 2.36" } },
        { VENV,
          "2.17",
          { .libc_version = "2.35" },
          { "older than the glibc 2.36" } }, /* wheels were chosen for the base's */
        { BOTH, "2.17", { .libc_version = "2.35" }, { "older than the glibc 2.36" } },
        { CONDA, "2.17", { .libc_version = "2.35" }, { 0 } },
        { CONDA, "2.17", { .libc_version = "2.12" }, { "its glibc 2.12 is older than the glibc 2.17" } },
        { CONDA, "2.36", { .libc_version = "" }, { "its glibc  is older" } },
        { VENV,
          "2.36",
          { .libc = "musl", .libc_version = "1.2.5" },
          { "its libc is musl, and the packages were chosen for glibc" } },
        { VENV, "2.36", { .libc = "", .libc_version = "" }, { "it has no libc" } },
        { VENV, "2.36", { .python = "3.11.14" }, { 0 } },
        { VENV,
          "2.36",
          { .python = "3.12.1", .path = "/usr/bin/python3.12", .abi = "cp312" },
          { "its python is 3.12, and the packages were installed for 3.11" } },
        { VENV, "2.36", { .python = "3.1.2" }, { "its python is 3.1, " } },
        { VENV, "2.36", { .path = "/usr/local/bin/python3.11" }, { "its python is /usr/local/bin/python3.11" } },
        { VENV, "2.36", { .abi = "cp311t" }, { "its python has cp311t" } },
        { VENV, "2.36", { .python = "" }, { "it has no python3" } },
        { BARE, "2.36", { .python = "" }, { "it has no python3" } }, /* its venv is there all the same */
        { CONDA, "2.36", { .python = "" }, { 0 } },
        { CONDA, "2.36", { .python = "3.13.1", .path = "/usr/bin/python3.13", .abi = "cp313" }, { 0 } },
        { BOTH, "2.36", { .python = "3.13.1", .path = "/usr/bin/python3.13", .abi = "cp313" }, { 0 } },
        { CONDA, "2.36", { .root = "var/opt" }, { "its /opt is really /var/opt, and the packages stand below /opt" } },
        { CONDA, "2.36", { .merged = 2 }, { "its /bin and /lib are folders" } },
        { CONDA,
          "2.36",
          { .platform = "linux/arm64" },
          { "it is for linux/arm64, and the packages are for linux/amd64" } },
        { VENV,
          "2.36",
          { .root = "mnt", .libc_version = "2.1", .python = "" },
          { "really /mnt", "glibc 2.1", "no python3" } },
};

static void rebase_rows(void **state)
{
        struct arena a = { 0 };
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                struct artifact art[2][2];
                struct lock_pair pair[2];
                struct lock_platform was = make(&old, rows[i].kind, rows[i].glibc, art[0], &pair[0]);
                struct lock_platform now = make(&rows[i].now, BARE, NULL, art[1], &pair[1]);
                sv fault[REBASE_FAULTS];
                size_t n = rebase_faults(&was, &now, &a, fault), want = 0;

                while (want < ARRAY_LEN(rows[i].said) && rows[i].said[want])
                        want++;
                if (n != want)
                        bad++, print_error("row %zu: %zu faults, not %zu\n", i, n, want);
                for (size_t k = 0; k < n && k < want; k++)
                        if (sv_find_sv(fault[k], sv_from(rows[i].said[k])) < 0)
                                bad++, print_error("row %zu: '%.*s'\n", i, SV_ARG(fault[k]));
        }
        assert_int_equal(bad, 0);
        arena_done(&a);
}

/* Nothing stood on scratch that needs a libc: everything is newer than nothing. */
static void from_scratch(void **state)
{
        static const struct side none = { .libc = "", .libc_version = "", .python = "" }, all = { 0 };
        struct lock_platform was = make(&none, BARE, NULL, NULL, NULL), now = make(&all, BARE, NULL, NULL, NULL);
        struct arena a = { 0 };
        sv fault[REBASE_FAULTS];

        (void)state;
        assert_int_equal(rebase_faults(&was, &now, &a, fault), 0);
        arena_done(&a);
}

/* All that can be wrong has its place in the caller's array. */
static void everything_at_once(void **state)
{
        static const struct side bad = {
                .platform = "linux/s390x", .root = "o", .libc = "", .libc_version = "", .python = "", .merged = 2
        };
        struct artifact art[2];
        struct lock_pair pair;
        struct lock_platform was = make(&old, VENV, "2.36", art, &pair), now = make(&bad, BARE, NULL, NULL, NULL);
        struct arena a = { 0 };
        sv fault[REBASE_FAULTS];

        (void)state;
        assert_int_equal(rebase_faults(&was, &now, &a, fault), REBASE_FAULTS);
        arena_done(&a);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(rebase_rows),
                cmocka_unit_test(from_scratch),
                cmocka_unit_test(everything_at_once),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
