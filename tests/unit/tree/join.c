#include "tree/join.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "ext/hash.h"
#include "tests/unit/unit.h"

/* A member as text, a path a word: "a/b=CONTENT" a file, "a/b/" a directory, "a/b->TARGET" a link, "a/b#TARGET" a hard link;
 * "layer.order:" first. Winners as text: "path=member" (":source" when the member has it elsewhere), sorted. */
struct row {
        const char *members[4];
        const char *winners;
        unsigned warnings, errors;
        bool first_wins;
};

static const struct row rows[] = {
        { { "0.0: a=1 b=1", "1.1: c=1" }, "", 0, 0, false },
        { { "0.0: a=1", "1.1: a=1" }, "", 0, 0, false },    /* identical: silent */
        { { "0.0: a=1", "1.1: a=2" }, "", 1, 0, false },    /* the winner is on top already */
        { { "1.0: a=1", "0.1: a=2" }, "a=1", 1, 0, false }, /* the winner lies below */
        { { "0.0: a=1", "1.1: a=2" }, "a=0", 1, 0, true },  /* debs: the first in dpkg order */
        { { "0.0: a=1", "0.1: a=2" }, "a=1", 1, 0, false }, /* one bucket: its first member kept the path */
        { { "0.1: a=1", "0.0: a=2" }, "", 1, 0, false },
        { { "0.0: a=1", "2.1: a=2", "1.2: a=1" }, "a=2", 1, 0, false },
        { { "0.0: a=1", "1.1: a->x" }, "", 1, 0, false }, /* a link instead of a file */
        { { "0.0: d/ d/a=1", "1.1: d/b=1" }, "", 0, 0, false },
        { { "0.0: d/a=1", "1.1: d=1" }, "", 0, 1, false },       /* a file against a directory */
        { { "0.0: d/a=1 d/b=1", "1.1: d=1" }, "", 0, 1, false }, /* told once */
        { { "0.0: d/", "1.1: d=1" }, "", 0, 1, false },
        { { "0.0: d/e/f=1", "1.1: d=1" }, "", 0, 1, false },
        /* a link that another package has as a directory: it is put back, what lay below it goes to its real place */
        { { "0.0: lib64->lib lib/x=1", "1.1: lib64/y=1" }, "lib/y=1:lib64/y lib64=0", 0, 0, false },
        { { "1.0: lib64->lib lib/x=1", "0.1: lib64/y=1" },
          "lib/y=1:lib64/y",
          0,
          0,
          false }, /* the link is on top: it is there */
        { { "0.0: lib64->lib lib/x=1", "1.1: lib64/x=2" }, "lib/x=1:lib64/x lib64=0", 1, 0, false },
        { { "0.1: lib64->lib lib/x=1", "1.0: lib64/x=2" }, "lib64=0", 1, 0, false },
        { { "0.0: a/b->../c", "1.1: a/b/d/e=1" }, "a/b=0 c/d/e=1:a/b/d/e", 0, 0, false },
        { { "0.0: a->/b", "1.1: a/x=1", "2.2: b->c" }, "a=0 c/x=1:a/x", 0, 0, false },
        { { "0.0: a->b", "1.1: a/x=1", "2.2: b=1" }, "", 0, 1, false }, /* the link leads to a file */
        { { "0.0: a->a", "1.1: a/x=1" }, "", 0, 1, false },
        { { "0.0: a->../../x", "1.1: a/x=1" }, "", 0, 1, false },
        /* a hard link counts as the file that it names */
        { { "0.0: a=1 b#a", "1.1: b=1" }, "", 0, 0, false },
        { { "1.1: a=1 b#a", "0.0: b=2" }, "", 1, 0, false },
        { { "0.1: a=1 b#a", "1.0: b=2" }, "b=0:a", 1, 0, false },
};

static sv piece(struct arena *a, const char *from, const char *to)
{
        return arena_sv(a, (sv){ from, (size_t)(to - from) });
}

static void add_path(struct arena *a, struct paths *p, const char *word)
{
        const char *end = word + strlen(word), *at;
        struct entry en = { .mode = 0644 };

        if ((at = strstr(word, "->"))) {
                en = (struct entry){
                        .path = piece(a, word, at), .type = ENTRY_SYMLINK, .mode = 0777, .target = piece(a, at + 2, end)
                };
        } else if ((at = strchr(word, '#'))) {
                en.path = piece(a, word, at);
                en.type = ENTRY_HARDLINK;
                en.target = piece(a, at + 1, end);
        } else if ((at = strchr(word, '='))) {
                en.path = piece(a, word, at);
                en.type = ENTRY_FILE;
                en.sha256 = sha256_of(piece(a, at, end));
        } else {
                en = (struct entry){ .path = piece(a, word, end - 1), .type = ENTRY_DIR, .mode = 0755 };
        }
        paths_add(a, p, &en);
}

static struct join_member read_member(struct arena *a, const char *text, unsigned no)
{
        struct join_member m = { .name = arena_fmt(a, "m%u", no) };
        struct paths *p = arena_new(a, struct paths);
        char *copy = arena_str(a, sv_from(text)), *word, *rest;
        int at = 0;

        assert_int_equal(sscanf(text, "%u.%u:%n", &m.layer, &m.link_order, &at), 2);
        for (word = strtok_r(copy + at, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
                add_path(a, p, word);
        paths_sort(p);
        m.paths = p;
        return m;
}

static bool row_is_right(const struct row *r, size_t no)
{
        struct arena a = { 0 };
        struct join_member m[4];
        struct join_result got = { 0 };
        struct diags ds = { 0 };
        struct err e = { 0 };
        AUTO(buf_done) struct buf b = BUF_INIT(4096);
        size_t n = 0;
        int rc;
        bool ok;

        for (; n < 4 && r->members[n]; n++)
                m[n] = read_member(&a, r->members[n], (unsigned)n);
        rc = paths_join(&a, m, n, r->first_wins, &ds, &got, &e);
        buf_add(&b, SV(""));
        for (size_t i = 0; i < got.n; i++) {
                const struct join_winner *w = &got.winner[i];

                buf_fmt(&b, "%s%.*s=%u", i ? " " : "", SV_ARG(w->entry->path), w->member);
                if (!sv_eq(w->entry->path, w->source->path))
                        buf_fmt(&b, ":%.*s", SV_ARG(w->source->path));
        }
        ok = sv_is(buf_sv(&b), r->winners) && ds.n_errors == r->errors && ds.n - ds.n_errors == r->warnings &&
             rc == (r->errors ? -ERR_CONFLICT : 0);
        if (!ok)
                print_error("row %zu: %d, winners '%.*s', %zu warnings, %zu errors\n", no, rc, (int)b.n, b.p ? b.p : "",
                            ds.n - ds.n_errors, ds.n_errors);
        err_done(&e);
        diags_done(&ds);
        arena_done(&a);
        return ok;
}

static void join_rows(void **state)
{
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++)
                bad += !row_is_right(&rows[i], i);
        assert_int_equal(bad, 0);
}

static void warnings_name_both(void **state)
{
        struct arena a = { 0 };
        struct join_member m[] = { read_member(&a, "0.0: a=1", 0), read_member(&a, "1.1: a=2", 1) };
        struct join_result got = { 0 };
        struct diags ds = { 0 };
        struct err e = { 0 };

        (void)state;
        assert_int_equal(paths_join(&a, m, 2, false, &ds, &got, &e), 0);
        assert_string_equal(ds.v[0].code, "EB510");
        assert_true(sv_is(ds.v[0].text, "'a' is in m1 and, with other content, in m0: the first is used"));
        diags_done(&ds);
        arena_done(&a);
}

/* Debs may disagree on a directory: no word, but the first one's attributes come again. */
static void directories_differ_silently(void **state)
{
        struct arena a = { 0 };
        struct join_member m[] = { read_member(&a, "0.0: d/", 0), read_member(&a, "1.1: d/", 1) };
        struct join_result got = { 0 };
        struct diags ds = { 0 };
        struct err e = { 0 };

        (void)state;
        m[1].paths->v[0].mode = 0700;
        assert_int_equal(paths_join(&a, m, 2, true, &ds, &got, &e), 0);
        assert_int_equal(ds.n, 0);
        assert_int_equal(got.n, 1);
        assert_int_equal(got.winner[0].entry->mode, 0755);
        diags_done(&ds);
        arena_done(&a);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(join_rows),
                cmocka_unit_test(warnings_name_both),
                cmocka_unit_test(directories_differ_silently),
        };
        return cmocka_run_group_tests_name("join", tests, NULL, NULL);
}
