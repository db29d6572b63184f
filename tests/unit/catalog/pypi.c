#include "tests/unit/catalog/memory.h"

/* A definition, a catalog over a memory, and what came of it. */
struct world {
        struct memory *m;
        struct catalog_pypi *p;
        struct pypi_opts o;
        struct arena a;
        struct spec spec;
        struct diags ds;
        struct err e;
        struct resolve_want *want;
        size_t n_want;
        struct resolution *r;
        struct artifact *art;
        size_t n_art;
        struct buf out;
};

static void begin(struct world *w, const char *index)
{
        static const sv url[] = { { "https://h.test/simple", 21 }, { "https://two.test/simple", 23 } };

        *w = (struct world){ .out = BUF_INIT(1 << 20) };
        w->m = memory_new(index);
        w->o = (struct pypi_opts){ .index = url,
                                   .index_public = url,
                                   .n_index = 2,
                                   .python_full = SV("3.13.5"),
                                   .machine = SV("x86_64"),
                                   .tags = { 3, 13, false, SV("x86_64"), LIBC_GLIBC, 2, 36 } };
        w->spec.definition = SV("env.yml");
}

static void end(struct world *w)
{
        if (w->p)
                catalog_free(pypi_catalog(w->p));
        arena_done(&w->a);
        diags_done(&w->ds);
        buf_done(&w->out);
        err_done(&w->e);
}

/* Requirements separated by blanks; those after "-c" are constraints. */
static void ask(struct world *w, const char *text)
{
        sv rest = sv_from(text), word, why;
        size_t at, n_cap = 0, c_cap = 0;
        bool constraint = false;
        uint32_t line = 1;

        while (sv_cut(&rest, ' ', &word)) {
                struct spec_req r = { .text = word, .wrote = word, .at = { SV("dir/env.yml"), line++, 5 } };

                if (sv_is(word, "-c")) {
                        constraint = true;
                        continue;
                }
                if (!requirement_parse(&w->a, word, &r.req, &why, &at))
                        fail_msg("%.*s: %.*s", SV_ARG(word), SV_ARG(why));
                if (constraint)
                        *arena_push(&w->a, w->spec.constraints, w->spec.n_constraints, c_cap) = r;
                else
                        *arena_push(&w->a, w->spec.pip, w->spec.n_pip, n_cap) = r;
        }
}

static int solve(struct world *w)
{
        struct resolve_opts o = { .order = ORDER_CULPRIT };
        struct pypi_source *source = &w->m->source;

        assert_int_equal(pypi_open(&w->o, source, NULL, &w->p, &w->e), 0);
        if (pypi_wants(w->p, &w->spec, &w->a, &w->ds, &w->want, &w->n_want, &w->e) < 0 ||
            resolve(pypi_catalog(w->p), w->want, w->n_want, &o, NULL, &w->a, &w->r, &w->e) < 0 ||
            pypi_artifacts(w->p, &w->spec, w->r, &w->a, &w->ds, &w->art, &w->n_art, &w->e) < 0)
                return -(int)w->e.code;
        return 0;
}

/* "bar 1.0, foo 2.0", or the error's code. */
static const char *answer(struct world *w)
{
        int r = solve(w);

        if (r < 0) {
                buf_fmt(&w->out, "%d", r);
                return w->out.p;
        }
        for (size_t i = 0; i < w->n_art; i++)
                buf_fmt(&w->out, "%s%.*s %.*s", i ? ", " : "", SV_ARG(w->art[i].name), SV_ARG(w->art[i].version));
        return w->out.p;
}

static void answers(void **state)
{
        static const struct {
                const char *index, *ask, *want;
        } rows[] = {
                /* the newest that can be installed here */
                { "foo-1.0-py3-none-any.whl\nfoo-2.0-cp39-cp39-win_amd64.whl", "foo", "foo 1.0" },
                { "foo-1.0-py3-none-any.whl\nfoo-2.0-py3-none-any.whl py=<3.10", "foo", "foo 1.0" },
                { "foo-1.0-py3-none-any.whl\nfoo-2.0-py3-none-any.whl py=>=3.8,", "foo",
                  "foo 2.0" }, /* broken: ignored */
                { "foo-1.0-py3-none-any.whl\nfoo-2.0-py3-none-any.whl mpy=<3.10", "foo",
                  "foo 1.0" }, /* METADATA says it */
                { "foo-1.0-py3-none-any.whl\nfoo-2.0.tar.gz", "foo", "foo 1.0" },
                { "foo-1.0-py3-none-any.whl\nfoo-2.0.tar.gz", "foo>=2", "-3" },
                { "foo-1.0-py3-none-any.whl\nfoo-1.0+cu121-py3-none-any.whl", "foo", "foo 1.0+cu121" },
                { "foo-1.0-py3-none-any.whl\nfoo-1.0+cu121-py3-none-any.whl", "foo==1.0", "foo 1.0+cu121" },
                /* pre-releases: pip's rule */
                { "foo-1.0-py3-none-any.whl\nfoo-2.0rc1-py3-none-any.whl", "foo", "foo 1.0" },
                { "foo-1.0-py3-none-any.whl\nfoo-2.0rc1-py3-none-any.whl", "foo>=2.0rc1", "foo 2.0rc1" },
                { "foo-1.0-py3-none-any.whl\nfoo-2.0rc1-py3-none-any.whl", "foo>1.0", "foo 2.0rc1" },
                { "foo-2.0rc1-py3-none-any.whl", "foo", "foo 2.0rc1" },
                /* yanked: only when pinned */
                { "foo-1.0-py3-none-any.whl\nfoo-2.0-py3-none-any.whl yanked=bad", "foo", "foo 1.0" },
                { "foo-1.0-py3-none-any.whl\nfoo-2.0-py3-none-any.whl yanked=bad", "foo==2.0", "foo 2.0" },
                { "foo-1.0-py3-none-any.whl\nfoo-2.0-py3-none-any.whl yanked=bad", "foo>=2.0", "-3" },
                /* dependencies, markers, extras */
                { "foo-1.0-py3-none-any.whl|bar<2\nbar-1.0-py3-none-any.whl\nbar-2.0-py3-none-any.whl", "foo",
                  "bar 1.0, foo 1.0" },
                { "foo-1.0-py3-none-any.whl|bar; python_version<\"3.10\"", "foo", "foo 1.0" },
                { "foo-1.0-py3-none-any.whl|bar; sys_platform ~= \"linux\"", "foo",
                  "foo 1.0" }, /* no meaning: does not hold */
                { "foo-1.0-py3-none-any.whl extra=X.y |bar; extra == \"x_Y\"\nbar-1-py3-none-any.whl", "foo",
                  "foo 1.0" },
                { "foo-1.0-py3-none-any.whl extra=X.y |bar; extra == \"x_Y\"\nbar-1-py3-none-any.whl", "foo[x-y]",
                  "bar 1, foo 1.0" },
                { "foo-1.0-py3-none-any.whl", "foo[nosuch]", "foo 1.0" },
                { "foo-1-py3-none-any.whl extra=all extra=x |foo[x]; extra=='all' & bar; "
                  "extra=='x'\nbar-1-py3-none-any.whl",
                  "foo[all]", "bar 1, foo 1" },
                /* the extra's needs decide the version of both */
                { "foo-2-py3-none-any.whl extra=x |bar>1; extra=='x'\nfoo-1-py3-none-any.whl extra=x |bar; extra=='x'\n"
                  "bar-1-py3-none-any.whl",
                  "foo[x]", "bar 1, foo 1" },
                /* a broken requirement bans its version, not the run */
                { "foo-2.0-py3-none-any.whl|bar>=\nfoo-1.0-py3-none-any.whl", "foo", "foo 1.0" },
                { "foo-2.0-py3-none-any.whl broken=1\nfoo-1.0-py3-none-any.whl", "foo", "foo 1.0" },
                { "foo-1-py3-none-any.whl|bar>=1.*,\nbar-1-py3-none-any.whl", "foo", "bar 1, foo 1" }, /* repaired */
                /* constraints limit, and ask for nothing */
                { "foo-1-py3-none-any.whl\nfoo-2-py3-none-any.whl\nbar-1-py3-none-any.whl", "foo -c foo<2 bar==7",
                  "foo 1" },
                /* URL requirements, the user's and one met on the way */
                { "foo-1-py3-none-any.whl|bar\nbar-1-py3-none-any.whl\nbar-3-py3-none-any.whl",
                  "foo bar@https://files.test/bar-1-py3-none-any.whl", "bar 1, foo 1" },
                { "foo-1-py3-none-any.whl|bar @ https://files.test/bar-1-py3-none-any.whl\nbar-1-py3-none-any.whl\n"
                  "bar-3-py3-none-any.whl",
                  "bar foo", "bar 1, foo 1" },
                { "foo-1-py3-none-any.whl|bar @ https://files.test/bar-1-py3-none-any.whl\nbar-1-py3-none-any.whl\n"
                  "bar-3-py3-none-any.whl",
                  "bar>2 foo", "-3" },
                { "foo-2-py3-none-any.whl|bar @ git+https://files.test/bar\nfoo-1-py3-none-any.whl", "foo", "foo 1" },
                { "foo-1-py3-none-any.whl", "nosuch", "-3" },
        };
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                struct world w;

                begin(&w, rows[i].index);
                ask(&w, rows[i].ask);
                if (strcmp(answer(&w), rows[i].want) != 0)
                        bad++, print_error("row %zu, %s: %s, not %s (%s)\n", i, rows[i].ask, w.out.p, rows[i].want,
                                           w.e.cause ? w.e.cause : "");
                end(&w);
        }
        assert_int_equal(bad, 0);
}

static const struct cand *cands(struct world *w, const char *name, uint32_t *ret_n)
{
        const struct name *n;

        assert_int_equal(pypi_open(&w->o, &w->m->source, NULL, &w->p, &w->e), 0);
        w->want = NULL;
        assert_int_equal(pypi_catalog(w->p)->ops->name(pypi_catalog(w->p),
                                                       pypi_entry(w->p, pypi_pkg(w->p, sv_from(name)), (sv){ 0 })->id,
                                                       &n, &w->e),
                         0);
        *ret_n = n->n;
        return n->cand;
}

static void bans_have_the_nearest_reason(void **state)
{
        static const struct {
                const char *files;
                enum cand_ban ban;
                enum cand_tier tier;
        } rows[] = {
                { "foo-1-py3-none-any.whl up=2024-01-01", BAN_NO, TIER_NORMAL },
                { "foo-1-cp27-none-any.whl up=2024-01-01", BAN_TAGS, TIER_NORMAL },
                { "foo-1.tar.gz up=2024-01-01", BAN_SDIST, TIER_NORMAL },
                { "foo-1.tar.gz\nfoo-1-cp27-none-any.whl up=2024-01-01", BAN_TAGS, TIER_NORMAL },
                { "foo-1.tar.gz py=<3\nfoo-1-py3-none-any.whl py=<3", BAN_PYTHON, TIER_NORMAL },
                { "foo-1-py3-none-any.whl up=2025-01-01", BAN_NEWER, TIER_NORMAL },
                { "foo-1-py3-none-any.whl", BAN_NEWER, TIER_NORMAL }, /* not said: nobody knows */
                { "foo-1-cp27-none-any.whl\nfoo-1-py3-none-any.whl up=2025-01-01", BAN_NEWER, TIER_NORMAL },
                { "foo-1rc1-py3-none-any.whl up=2024-01-01", BAN_NO, TIER_PRERELEASE },
                { "foo-1.dev1-py3-none-any.whl up=2024-01-01 yanked=x", BAN_NO, TIER_YANKED },
                /* one wheel that is not yanked is enough */
                { "foo-1-py3-none-any.whl up=2024-01-01 yanked=x\nfoo-1-py2.py3-none-any.whl up=2024-01-01", BAN_NO,
                  TIER_NORMAL },
        };
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                struct world w;
                uint32_t n;
                const struct cand *c;

                begin(&w, rows[i].files);
                w.o.exclude_newer = 1717200000; /* 2024-06-01 */
                c = cands(&w, "foo", &n);
                if (n != 1 || c->ban != rows[i].ban || c->tier != rows[i].tier)
                        bad++, print_error("%s: %u candidates, ban %d, tier %d\n", rows[i].files, n, c ? c->ban : -1,
                                           c ? c->tier : -1);
                end(&w);
        }
        assert_int_equal(bad, 0);
}

static void the_best_wheel_stands_for_a_version(void **state)
{
        struct world w;
        uint32_t n;

        (void)state;
        begin(&w, "foo-1-py3-none-any.whl\nfoo-1-cp313-cp313-manylinux_2_17_x86_64.whl\nfoo-1-2-cp313-cp313-manylinux_"
                  "2_28_x86_64.whl\n"
                  "foo-1-10-cp313-cp313-manylinux_2_28_x86_64.whl\nfoo-1-cp313-cp313-manylinux_2_39_x86_64.whl\n"
                  "foo-1.0-cp313-cp313-manylinux_2_5_x86_64.whl\nbar-1-py3-none-any.whl\nfoo-2.tar.gz");
        cands(&w, "foo", &n);
        assert_int_equal(n, 2); /* 1 and 1.0 are one version */
        assert_true(sv_is(pypi_pkg(w.p, SV("foo"))->ver[1].file->filename,
                          "foo-1-10-cp313-cp313-manylinux_2_28_x86_64.whl"));
        end(&w);
}

static void equal_relations_have_equal_ids(void **state)
{
        struct world w;
        struct rels a, b, c;
        uint32_t n;
        struct catalog *cat;
        name_id foo;

        (void)state;
        begin(&w, "foo-3-py3-none-any.whl|bar<2&baz\nfoo-2-py3-none-any.whl|bar<=1.5&Baz\nfoo-1-py3-none-any.whl|bar\n"
                  "bar-1-py3-none-any.whl\nbar-2-py3-none-any.whl\nbaz-1-py3-none-any.whl");
        cands(&w, "foo", &n);
        cat = pypi_catalog(w.p);
        foo = pypi_entry(w.p, pypi_pkg(w.p, SV("foo")), (sv){ 0 })->id;
        assert_true(cat->ops->known(cat, foo, 0));
        assert_int_equal(cat->ops->rels(cat, foo, 0, &a, &w.e), 0);
        assert_int_equal(cat->ops->rels(cat, foo, 1, &b, &w.e), 0);
        assert_int_equal(cat->ops->rels(cat, foo, 2, &c, &w.e), 0);
        assert_int_equal(a.n, 2);
        assert_int_equal(a.v[0]->id, b.v[0]->id); /* the same candidates of bar */
        assert_int_equal(a.v[1]->id, b.v[1]->id);
        assert_int_not_equal(a.v[0]->id, c.v[0]->id);
        assert_true(sv_is(a.v[0]->text, "bar<2"));
        assert_true(sv_is(a.v[0]->at, "foo 3 METADATA"));
        end(&w);
}

static void says(struct world *w, const char *index, const char *text, const char *const *part, size_t n)
{
        struct resolve_opts o = { .order = ORDER_CULPRIT };
        int missing = 0;

        begin(w, index);
        ask(w, text);
        w->o.exclude_newer = 1717200000;
        w->m->later = *memory_page(w->m, SV("later"));
        assert_int_equal(solve(w), -ERR_CONFLICT);
        err_done(&w->e);
        assert_int_equal(explain(pypi_catalog(w->p), w->want, w->n_want, &o, NULL, w->r, &w->out, &w->e), 0);
        for (size_t i = 0; i < n; i++)
                if (!strstr(w->out.p, part[i]))
                        missing++, print_error("'%s' is not in:\n%s\n", part[i], w->out.p);
        end(w);
        assert_int_equal(missing, 0);
}
#define SAYS(index, text, ...)                                                                                         \
        says(&(struct world){ 0 }, index, text, (const char *const[]){ __VA_ARGS__ },                                  \
             sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *))

static void explanations_name_what_exists(void **state)
{
        (void)state;
        SAYS("foo-1-cp310-cp310-win_amd64.whl up=2024-01-01\nfoo-1-cp39-cp39-win_amd64.whl up=2024-01-01", "foo",
             "wheels of foo 1 exist for cp310, cp39 only; the target is cp313 on x86_64, glibc 2.36");
        SAYS("foo-1-cp313-cp313-win_amd64.whl up=2024-01-01", "foo", "exist for win_amd64 only");
        SAYS("foo-1.tar.gz up=2024-01-01", "foo", "foo 1 comes as source only (foo-1.tar.gz)");
        SAYS("foo-1-py3-none-any.whl up=2024-01-01 py=<3.9", "foo", "foo 1 needs Python <3.9; the target has 3.13.5");
        SAYS("foo-1-py3-none-any.whl up=2024-08-01", "foo",
             "foo 1 was uploaded 2024-08-01T00:00:00Z, after --exclude-newer 2024-06-01");
        SAYS("foo-1-py3-none-any.whl", "foo", "does not say when foo-1-py3-none-any.whl was uploaded");
        SAYS("foo-1-py3-none-any.whl up=2024-01-01 yanked=it_is_bad", "foo",
             "foo 1 was yanked: it is bad; pin it with ==");
        SAYS("foo-1-py3-none-any.whl up=2024-01-01\nfoo-2-py3-none-any.whl up=2024-01-01", "foo==3",
             "versions of foo on the index: 1 … 2 (2)");
        SAYS("foo-1-py3-none-any.whl up=2024-01-01 | bar> ", "foo", "its metadata asks for 'bar>'");
        SAYS("foo-1-py3-none-any.whl up=2024-01-01\nlater-9-py3-none-any.whl", "foo==9",
             "https://two.test/simple has foo too (up to 9), but https://h.test/simple is asked first");
}

static void a_name_nobody_has_may_be_another(void **state)
{
        (void)state;
        SAYS("requests-2-py3-none-any.whl up=2024-01-01", "reqeusts", "did you mean 'requests'?");
        SAYS("scikit_learn-1-py3-none-any.whl up=2024-01-01", "sklearn", "did you mean 'scikit-learn'?");
        SAYS("my_tool-1-py3-none-any.whl up=2024-01-01", "my-tool my-tol", "did you mean 'my-tool'?");
        SAYS("other-1-py3-none-any.whl up=2024-01-01", "reqeusts", "is unknown: no index has a package of that name");
}

static void sets_read_as_specifiers(void **state)
{
        static const struct {
                const char *members, *text;
        } rows[] = {
                { "54321", "foo" },
                { "", "foo" },
                { "5", "foo==5" },
                { "54", "foo>=4" },
                { "21", "foo<3" },
                { "43", "foo>=3,<5" },
                { "531", "foo==5 or foo==3 or foo==1" },
                { "21p", "foo<3" }, /* a pre-release that is not offered does not tear a range */
                { "321", "foo<4,!=2.5" },
        };
        struct world w;
        uint32_t n;
        int bad = 0;
        struct requirement r;
        sv why;
        size_t at;

        (void)state;
        begin(&w, "foo-5-py3-none-any.whl\nfoo-4-py3-none-any.whl\nfoo-3-py3-none-any.whl\nfoo-3rc1-py3-none-any.whl\n"
                  "foo-2-py3-none-any.whl\nfoo-1-py3-none-any.whl");
        cands(&w, "foo", &n);
        assert_int_equal(n, 6);
        assert_true(requirement_parse(&w.a, SV("foo<4,!=2.5"), &r, &why, &at));
        pypi_req_set(w.p, pypi_pkg(w.p, SV("foo")), &r);
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                uint64_t word = 0;
                static const char order[] = "543p21";

                for (uint32_t k = 0; k < 6; k++)
                        word |= strchr(rows[i].members, order[k]) ? UINT64_C(1) << k : 0;
                if (i == 0)
                        word = 63;
                buf_clear(&w.out);
                pypi_text(pypi_catalog(w.p), pypi_entry(w.p, pypi_pkg(w.p, SV("foo")), (sv){ 0 })->id,
                          sets_add(pypi_catalog(w.p)->sets, &word, 6), &w.out);
                if (strcmp(w.out.p, rows[i].text) != 0)
                        bad++, print_error("%s: %s, not %s\n", rows[i].members, w.out.p, rows[i].text);
        }
        end(&w);
        assert_int_equal(bad, 0);
}

static bool same_list(const sv *v, size_t n, const char *want)
{
        struct buf b = BUF_INIT(1 << 16);
        bool same;

        for (size_t i = 0; i < n; i++)
                buf_fmt(&b, "%s%.*s", i ? "|" : "", SV_ARG(v[i]));
        same = strcmp(b.p ? b.p : "", want) == 0;
        if (!same)
                print_error("'%s', not '%s'\n", b.p ? b.p : "", want);
        buf_done(&b);
        return same;
}

static void artifacts_say_who_needs_them(void **state)
{
        struct world w;

        (void)state;
        begin(&w, "foo-2-py3-none-any.whl sha=a up=2024-01-02 extra=x |Bar<3&zap&bar; "
                  "extra=='x'\nbar-1-py3-none-any.whl sha=b\n"
                  "zap-1-py3-none-any.whl sha=c |bar");
        ask(&w, "Foo[x] bar>=1 zap;python_version<'3'");
        assert_int_equal(solve(&w), 0);
        assert_int_equal(w.n_art, 3);
        assert_true(sv_is(w.art[0].name, "bar") && sv_is(w.art[1].name, "foo") && sv_is(w.art[2].name, "zap"));
        assert_true(same_list(w.art[0].by, w.art[0].n_by, "env.yml: bar>=1|foo 2|zap 1"));
        assert_true(same_list(w.art[1].by, w.art[1].n_by, "env.yml: Foo[x]"));
        assert_true(same_list(w.art[1].needs, w.art[1].n_needs, "bar|zap"));
        assert_true(sv_is(w.art[1].url, "https://files.test/foo-2-py3-none-any.whl"));
        assert_int_equal(w.art[1].size, 100);
        assert_int_equal(w.art[1].uploaded, 1704153600);
        assert_int_equal(w.art[1].sha256.b[31], 0xaa);
        assert_int_equal(w.ds.n, 1); /* the marker that does not hold */
        assert_string_equal(w.ds.v[0].code, "EB205");
        assert_int_equal(w.ds.n_errors, 0);
        end(&w);
}

static void warnings_about_the_result(void **state)
{
        struct world w;

        (void)state;
        begin(&w, "foo-2-py3-none-any.whl yanked=bad_build\nbar-1-py3-none-any.whl|foo==2");
        ask(&w, "bar[zap]");
        assert_int_equal(solve(&w), 0);
        assert_int_equal(w.ds.n, 2);
        assert_true(sv_is(w.ds.v[0].text, "foo 2 was yanked by its authors: bad build"));
        assert_true(sv_is(w.ds.v[1].text, "bar 1 does not provide the extra 'zap': it adds nothing"));
        assert_string_equal(w.ds.v[1].code, "EB501");
        end(&w);
}

static void hashes_choose_files(void **state)
{
        struct world w;
        struct spec_hash h = { SV("sha256"), { 0 } };
        char hex[65] = { 0 };

        (void)state;
        memset(hex, 'b', 64);
        h.hex = sv_from(hex);
        begin(&w, "foo-1-py3-none-any.whl sha=a\nfoo-1-py2.py3-none-any.whl sha=b\nfoo-2-py3-none-any.whl sha=c");
        ask(&w, "foo");
        w.spec.pip[0].hashes = &h;
        w.spec.pip[0].n_hashes = 1;
        assert_string_equal(answer(&w), "foo 1");
        assert_int_equal(w.art[0].sha256.b[0], 0xbb);
        end(&w);
        begin(&w, "foo-1-py3-none-any.whl sha=b |bar\nbar-1-py3-none-any.whl sha=c"); /* a dependency needs one too */
        ask(&w, "foo");
        w.spec.pip[0].hashes = &h;
        w.spec.pip[0].n_hashes = 1;
        assert_int_equal(solve(&w), -ERR_CONFLICT);
        end(&w);
}

static void no_binary_rules_wheels_out(void **state)
{
        struct world w;
        struct spec_text t = { .text = SV("Foo") };

        (void)state;
        begin(&w, "foo-1-py3-none-any.whl");
        ask(&w, "foo");
        w.spec.no_binary = &t;
        w.spec.n_no_binary = 1;
        assert_int_equal(solve(&w), -ERR_CONFLICT);
        end(&w);
}

static void the_old_lock_is_preferred(void **state)
{
        struct world w;
        struct term t;
        struct artifact art = { .kind = ARTIFACT_WHEEL, .name = SV("foo"), .version = SV("1.0") };

        (void)state;
        begin(&w, "foo-2-py3-none-any.whl\nfoo-1-py3-none-any.whl sha=a\nfoo-1-cp313-none-any.whl sha=b");
        assert_int_equal(pypi_open(&w.o, &w.m->source, NULL, &w.p, &w.e), 0);
        memset(art.sha256.b, 0xaa, 32);
        assert_true(pypi_prefer(w.p, &art, &t, &w.e));
        assert_true(sets_has(pypi_catalog(w.p)->sets, t.set, 1));
        assert_false(sets_has(pypi_catalog(w.p)->sets, t.set, 0));
        assert_true(sv_is(pypi_pkg(w.p, SV("foo"))->ver[1].file->filename,
                          "foo-1-py3-none-any.whl")); /* not the better one */
        art.version = SV("7");
        assert_false(pypi_prefer(w.p, &art, &t, &w.e));
        assert_int_equal(w.e.code, 0);
        end(&w);
}

static void secrets_in_an_index_stay_out_of_the_lock(void **state)
{
        struct world w;
        static const sv real[] = { { "https://u:p@files.test/s3cret/simple", 36 } };
        static const sv shown[] = { { "https://files.test/${TOKEN}/simple", 34 } };

        (void)state;
        begin(&w, "foo-1-py3-none-any.whl");
        w.o.index = real;
        w.o.index_public = shown;
        w.o.n_index = 1;
        memory_page(w.m, SV("foo"))->v[0].url = SV("https://files.test/s3cret/packages/foo-1-py3-none-any.whl");
        map_put(&w.m->metadata, &w.m->arena, memory_page(w.m, SV("foo"))->v[0].url,
                (void *)"Metadata-Version: 2.1\nName: foo\nVersion: 1\n");
        ask(&w, "foo");
        assert_int_equal(solve(&w), 0);
        assert_true(sv_is(w.art[0].url, "https://files.test/${TOKEN}/packages/foo-1-py3-none-any.whl"));
        end(&w);
}

static void errors_end_the_solve(void **state)
{
        struct world w;

        (void)state;
        begin(&w, "foo-1-py3-none-any.whl");
        w.m->down = true;
        ask(&w, "foo");
        assert_int_equal(solve(&w), -ERR_AUTH);
        end(&w);
        begin(&w, "");
        ask(&w, "foo@git+https://h.test/foo");
        assert_int_equal(solve(&w), -ERR_USAGE);
        assert_string_equal(w.ds.v[0].code, "EB135");
        end(&w);
}

/* What conda supplies is there: no page is asked for it, nothing else of that name is chosen, an extra of it reads its METADATA. */
static int fixed_text(void *arg, sv name, sv *ret, struct err *e)
{
        (void)e;
        ++*(int *)arg;
        if (sv_is(name, "foo"))
                *ret = SV("Metadata-Version: 2.1\nName: foo\nVersion: 1.5\nRequires-Dist: nowhere\n"
                          "Provides-Extra: x\nRequires-Dist: bar<2; extra == 'x'\n");
        return 0;
}

static const struct pypi_fixed conda_foo = { { "foo", 3 },
                                             { "1.5", 3 },
                                             { "conda's foo 1.5 (env.yml:5:5: foo=1)", 36 } };

static void fixed_by_conda(void **state)
{
        static const char index[] = "foo-2.0-py3-none-any.whl\nbar-1.0-py3-none-any.whl\nbar-2.0-py3-none-any.whl\n"
                                    "app-1.0-py3-none-any.whl | foo>=1\nbad-1.0-py3-none-any.whl | foo>=2\n";
        static const struct {
                const char *ask, *want;
                int texts;
        } rows[] = {
                { "app", "app 1.0", 0 },
                { "foo", "", 0 },
                { "foo>=1.5 bar", "bar 2.0", 0 },
                { "foo>=2", "-3", 0 },
                { "bad", "-3", 0 },
                { "foo[x]", "bar 1.0", 1 },
                { "foo[y]", "", 1 },
                { "foo[x] bar", "bar 1.0", 1 },
                { "foo@https://h.test/foo-2.0-py3-none-any.whl", "-3", 0 },
        };

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                struct world w;
                int texts = 0;

                begin(&w, index);
                w.o.fixed = &conda_foo;
                w.o.n_fixed = 1;
                w.o.fixed_metadata = fixed_text;
                w.o.fixed_arg = &texts;
                ask(&w, rows[i].ask);
                answer(&w);
                if (!sv_is(buf_sv(&w.out), rows[i].want))
                        fail_msg("%s: %.*s, not %s", rows[i].ask, SV_ARG(buf_sv(&w.out)), rows[i].want);
                assert_int_equal(texts, rows[i].texts);
                end(&w);
        }
}

static void a_conflict_with_conda_is_one_story(void **state)
{
        static const char index[] = "bad-1.0-py3-none-any.whl | foo>=2\n";
        struct resolve_opts o = { .order = ORDER_CULPRIT };
        struct world w;

        (void)state;
        begin(&w, index);
        w.o.fixed = &conda_foo;
        w.o.n_fixed = 1;
        ask(&w, "bad");
        assert_int_equal(solve(&w), -ERR_CONFLICT);
        err_done(&w.e);
        assert_int_equal(explain(pypi_catalog(w.p), w.want, w.n_want, &o, NULL, w.r, &w.out, &w.e), 0);
        assert_string_equal(
                w.out.p, "bad (your requirement, dir/env.yml:1:5) needs foo>=2, and there is no such version. The best "
                         "there is: foo 1.5 (conda's).\n"
                         "hint: foo 1.5 comes with conda's foo 1.5 (env.yml:5:5: foo=1); relax one of the two, or let "
                         "pip's win: envbuild: {pip-replaces: [foo]}\n");
        end(&w);
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(answers),
                cmocka_unit_test(bans_have_the_nearest_reason),
                cmocka_unit_test(the_best_wheel_stands_for_a_version),
                cmocka_unit_test(equal_relations_have_equal_ids),
                cmocka_unit_test(explanations_name_what_exists),
                cmocka_unit_test(a_name_nobody_has_may_be_another),
                cmocka_unit_test(sets_read_as_specifiers),
                cmocka_unit_test(artifacts_say_who_needs_them),
                cmocka_unit_test(warnings_about_the_result),
                cmocka_unit_test(hashes_choose_files),
                cmocka_unit_test(no_binary_rules_wheels_out),
                cmocka_unit_test(the_old_lock_is_preferred),
                cmocka_unit_test(secrets_in_an_index_stay_out_of_the_lock),
                cmocka_unit_test(errors_end_the_solve),
                cmocka_unit_test(fixed_by_conda),
                cmocka_unit_test(a_conflict_with_conda_is_one_story),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
