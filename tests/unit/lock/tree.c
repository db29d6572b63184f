#include "lock/tree.h"

#include "base/cleanup.h"
#include "tests/unit/unit.h"

/* "name version" and, after "<", who asked, after ">", what it needs. */
struct row {
        enum artifact_kind kind;
        const char *name, *version, *by[3], *needs[3], *why;
};

static struct lock_platform *platform(struct arena *a, const struct row *rows, size_t n)
{
        struct lock l = { 0 };
        struct lock_platform *p = arena_new(a, struct lock_platform);

        p->platform = SV("linux/amd64");
        p->artifact = arena_array(a, struct artifact, n);
        p->n_artifact = n;
        for (size_t i = 0; i < n; i++) {
                struct artifact *x = &p->artifact[i];
                *x = (struct artifact){ .kind = rows[i].kind,
                                        .name = sv_from(rows[i].name),
                                        .version = sv_from(rows[i].version),
                                        .why = sv_from(rows[i].why) };
                x->by = arena_array(a, sv, 3);
                x->needs = arena_array(a, sv, 3);
                for (; x->n_by < 3 && rows[i].by[x->n_by]; x->n_by++)
                        x->by[x->n_by] = sv_from(rows[i].by[x->n_by]);
                for (; x->n_needs < 3 && rows[i].needs[x->n_needs]; x->n_needs++)
                        x->needs[x->n_needs] = sv_from(rows[i].needs[x->n_needs]);
        }
        l.platform = p;
        l.n_platform = 1;
        lock_sort(&l);
        return p;
}

static const struct row web[] = {
        { ARTIFACT_WHEEL, "flask", "3.0", { "env.yml: Flask>=2" }, { "click", "jinja2", "werkzeug" }, NULL },
        { ARTIFACT_WHEEL, "jinja2", "3.1", { "flask 3.0" }, { "markupsafe" }, NULL },
        { ARTIFACT_WHEEL,
          "werkzeug",
          "3.0",
          { "flask 3.0", "env.yml: werkzeug" },
          { "markupsafe" },
          "pinned for GHSA-1" },
        { ARTIFACT_WHEEL, "markupsafe", "2.1", { "jinja2 3.1", "werkzeug 3.0" }, { "setuptools" }, NULL },
        { ARTIFACT_WHEEL, "click", "8.1", { "flask 3.0" }, { 0 }, NULL },
        { ARTIFACT_DEB, "python3", "3.13", { "recipe debian-13-python" }, { "libc6" }, NULL },
        { ARTIFACT_DEB, "libc6", "2.41", { "python3 3.13" }, { 0 }, NULL },
        { ARTIFACT_CONDA, "a", "1", { "b 2" }, { "b >=2" }, NULL }, /* a ring: nobody asked for it by name */
        { ARTIFACT_CONDA, "b", "2", { "a 1" }, { "a 1.*" }, NULL },
};

static void the_whole_tree(void **state)
{
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(buf_done) struct buf b = BUF_INIT(1 << 16);

        (void)state;
        lock_tree(platform(&a, web, ARRAY_LEN(web)), &b);
        assert_string_equal(b.p, "flask 3.0\n"
                                 "├── click 8.1\n"
                                 "├── jinja2 3.1\n"
                                 "│   └── markupsafe 2.1\n"
                                 "└── werkzeug 3.0\n"
                                 "    └── markupsafe 2.1\n"
                                 "werkzeug 3.0 (*)\n"
                                 "python3 3.13\n"
                                 "└── libc6 2.41\n"
                                 "a 1\n"
                                 "└── b 2\n"
                                 "    └── a 1 (*)\n"
                                 "(*) its branch is further up\n");
}

static void why_rows(void **state)
{
        static const struct {
                const char *name, *shown;
        } rows[] = {
                { "flask", "flask 3.0\n└── env.yml: Flask>=2\n" },
                { "MarkupSafe", "markupsafe 2.1\n"
                                "├── jinja2 3.1\n"
                                "│   └── flask 3.0\n"
                                "│       └── env.yml: Flask>=2\n"
                                "└── werkzeug 3.0 (pinned for GHSA-1)\n"
                                "    ├── flask 3.0 (*)\n"
                                "    └── env.yml: werkzeug\n"
                                "(*) its branch is further up\n" },
                { "libc6", "libc6 2.41\n└── python3 3.13\n    └── recipe debian-13-python\n" },
                { "a", "a 1\n└── b 2\n    └── a 1 (*)\n(*) its branch is further up\n" },
        };
        AUTO(arena_done) struct arena a = { 0 };
        const struct lock_platform *p = platform(&a, web, ARRAY_LEN(web));
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                AUTO(buf_done) struct buf b = BUF_INIT(1 << 16);
                AUTO(err_done) struct err e = { 0 };
                if (lock_why(p, sv_from(rows[i].name), &b, &e) < 0 || !sv_is(buf_sv(&b), rows[i].shown))
                        bad++, print_error("%s:\n%s\n", rows[i].name, b.p ? b.p : e.cause);
        }
        assert_int_equal(bad, 0);
}

static void why_of_what_is_not_there(void **state)
{
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(buf_done) struct buf b = BUF_INIT(1 << 16);
        AUTO(err_done) struct err e = { 0 };

        (void)state;
        assert_int_equal(lock_why(platform(&a, web, ARRAY_LEN(web)), SV("Fladk"), &b, &e), -ERR_NOT_FOUND);
        assert_string_equal(e.cause, "'Fladk' is not in the lock for linux/amd64");
        assert_string_equal(e.hint, "did you mean 'flask'?");
}

/* A chain longer than any real one ends in "(*)" and not in a stack overflow. */
static void a_long_chain_is_cut(void **state)
{
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(buf_done) struct buf b = BUF_INIT((size_t)16 << 20);
        enum { N = 3000 };
        struct row *rows = arena_array(&a, struct row, N);

        (void)state;
        for (int i = 0; i < N; i++)
                rows[i] = (struct row){ .name = arena_fmt(&a, "p%04d", i).p,
                                        .version = "1",
                                        .needs = { arena_fmt(&a, "p%04d", i + 1).p },
                                        .by = { i ? arena_fmt(&a, "p%04d 1", i - 1).p : "x: p0000" } };
        lock_tree(platform(&a, rows, N), &b);
        assert_non_null(b.p);
}

/* conda's needs are MatchSpecs; a wheel's may be supplied by a conda package. */
static void conda_tree(void **state)
{
        static const struct row rows[] = {
                { ARTIFACT_WHEEL, "shap", "0.4", { "env.yml: shap" }, { "numpy" }, NULL },
                { ARTIFACT_CONDA,
                  "numpy-base",
                  "2.1",
                  { "env.yml: numpy-base" },
                  { "python >=3.12", "python<4" },
                  NULL },
                { ARTIFACT_CONDA,
                  "python",
                  "3.12",
                  { "numpy-base 2.1" },
                  { "x::_libgcc_mutex[version=0.1]", "__glibc" },
                  NULL },
                { ARTIFACT_CONDA, "_libgcc_mutex", "0.1", { "python 3.12" }, { 0 }, NULL },
        };
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(buf_done) struct buf b = BUF_INIT(1 << 16);
        struct lock_platform *p = platform(&a, rows, ARRAY_LEN(rows));
        struct artifact *numpy = (struct artifact *)lock_find(p, ARTIFACT_CONDA, SV("numpy-base"));
        sv dist = SV("numpy 2.1");
        struct err e = { 0 };

        (void)state;
        numpy->dists = &dist;
        numpy->n_dists = 1;
        lock_tree(p, &b);
        assert_string_equal(b.p, "numpy-base 2.1\n"
                                 "└── python 3.12\n"
                                 "    └── _libgcc_mutex 0.1\n"
                                 "shap 0.4\n"
                                 "└── numpy-base 2.1 (*)\n"
                                 "(*) its branch is further up\n");
        buf_clear(&b);
        assert_int_equal(lock_why(p, SV("Python"), &b, &e), 0);
        assert_string_equal(b.p, "python 3.12\n└── numpy-base 2.1\n    └── env.yml: numpy-base\n");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_whole_tree),
                cmocka_unit_test(conda_tree),
                cmocka_unit_test(why_rows),
                cmocka_unit_test(why_of_what_is_not_there),
                cmocka_unit_test(a_long_chain_is_cut),
        };
        return cmocka_run_group_tests_name("lock tree", tests, NULL, NULL);
}
