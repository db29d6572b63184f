#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/diag.h"
#include "base/fs.h"
#include "base/hex.h"
#include "base/map.h"
#include "base/pool.h"
#include "base/proc.h"
#include "tests/unit/unit.h"

static void err_first_wins_and_trail_grows(void **state)
{
        struct err e = { 0 };

        (void)state;
        assert_int_equal(err_set(&e, ERR_NET, "first %d", 1), -ERR_NET);
        assert_int_equal(err_set(&e, ERR_IO, "second"), -ERR_NET);
        err_while(&e, "inner");
        err_while(&e, "outer");
        err_hint(&e, "do this");
        err_hint(&e, "not that");
        assert_string_equal(e.cause, "first 1");
        assert_string_equal(e.trail, "inner\nouter\n");
        assert_string_equal(e.hint, "do this");
        err_done(&e);
        assert_int_equal(err_exit_code(ERR_IO), 1);
        assert_int_equal(err_exit_code(ERR_CANCELLED), 130);
        assert_int_equal(err_exit_code(ERR_INTEGRITY), 7);
}

static void buf_keeps_its_ceiling(void **state)
{
        struct buf b = BUF_INIT(5);
        struct err e = { 0 };
        char *text = NULL;

        (void)state;
        buf_add(&b, SV("abc"));
        buf_add(&b, SV("defg"));
        buf_add(&b, SV("x")); /* would fit, but comes after what was lost */
        assert_int_equal(buf_take(&b, &text, &e), -ERR_LIMIT);
        assert_null(text);
        err_done(&e);
        buf_clear(&b);
        buf_fmt(&b, "%d", 12345);
        assert_int_equal(buf_take(&b, &text, &e), 0);
        assert_string_equal(text, "12345");
        free(text);
        buf_done(&b);
}

static void sv_rows(void **state)
{
        sv rest = SV("a,b,,c"), head;
        uint64_t n;
        int pieces = 0;

        (void)state;
        while (sv_cut(&rest, ',', &head))
                pieces++;
        assert_int_equal(pieces, 4);
        assert_true(sv_u64(SV("18446744073709551615"), &n) && n == UINT64_MAX);
        assert_false(sv_u64(SV("18446744073709551616"), &n));
        assert_false(sv_u64(SV(""), &n));
        assert_int_equal(sv_distance(SV("reqeusts"), SV("requests"), 3), 1);
        assert_int_equal(sv_distance(SV("numpy"), SV("pandas"), 2), 3);
        assert_true(sv_utf8(SV("h\xc3\xa9llo")));
        assert_false(sv_utf8(SV("\xc0\x80")));
        assert_false(sv_utf8(SV("\xed\xa0\x80")));
        assert_false(sv_utf8(SV("\xe2\x82")));
        assert_true(sv_is(sv_trim(SV(" \t a b\r\n")), "a b"));
}

static void time_rows(void **state)
{
        static const struct {
                const char *text;
                int64_t t;
        } rows[] = {
                { "1970-01-01T00:00:00Z", 0 },
                { "2026-11-21T09:30:12Z", 1795253412 },
                { "2026-11-21T10:30:12.999+01:00", 1795253412 },
                { "2021-04-22", 1619049600 },
                { "2024-02-29T23:59:59Z", 1709251199 },
        };
        static const char *const bad[] = { "",         "2021-13-01", "2023-02-29", "2021-04-22T", "2021-04-22T1:00:00Z",
                                           "yesterday" };
        int64_t t;
        char text[24];

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                assert_true(time_parse(sv_from(rows[i].text), &t));
                assert_int_equal(t, rows[i].t);
        }
        for (size_t i = 0; i < ARRAY_LEN(bad); i++)
                assert_false(time_parse(sv_from(bad[i]), &t));
        time_format(1795253412, text);
        assert_string_equal(text, "2026-11-21T09:30:12Z");
        assert_true(time_parse_rfc2822(SV("Sat, 21 Nov 2026 09:30:12 UTC"), &t));
        assert_int_equal(t, 1795253412);
}

static void map_holds_many(void **state)
{
        struct arena a = { 0 };
        struct map m = { 0 };
        int v[500];

        (void)state;
        for (int i = 0; i < 500; i++)
                map_put(&m, &a, arena_fmt(&a, "key%d", i), &v[i]);
        for (int i = 0; i < 500; i++)
                assert_ptr_equal(map_get(&m, arena_fmt(&a, "key%d", i)), &v[i]);
        assert_null(map_get(&m, SV("none")));
        arena_done(&a);
}

static void diags_sort_and_show(void **state)
{
        struct diags ds = { 0 };

        (void)state;
        diag_source(&ds, SV("x.yml"), SV("one\r\ntwo\nthree"));
        diag_add(&ds, SV("x.yml"), 3, 1, "EB101", "later");
        diag_hint(&ds, diag_add(&ds, SV("x.yml"), 2, 1, "EB101", "sooner"), "hint");
        diag_add(&ds, SV("x.yml"), 3, 1, "EB101", "later");
        diag_warn(&ds, SV("x.yml"), 1, 1, "EB500", "a warning");
        diag_sort(&ds);
        assert_int_equal(ds.n, 3);
        assert_int_equal(ds.n_errors, 2);
        assert_true(sv_is(ds.v[1].text, "sooner"));
        assert_true(sv_is(diag_line(&ds, SV("x.yml"), 1), "one"));
        assert_true(sv_is(diag_line(&ds, SV("x.yml"), 3), "three"));
        diags_done(&ds);
}

struct count {
        atomic_int *runs;
        int again;
        bool fail;
};

static int count_run(void *arg, struct err *e)
{
        struct count *c = arg;

        if (c->again-- > 0)
                return POOL_AGAIN;
        atomic_fetch_add(c->runs, 1);
        return c->fail ? err_set(e, ERR_INTEGRITY, "bad one") : 0;
}

static void pool_runs_all_and_stops_at_failure(void **state)
{
        struct op op = { .jobs = 4 };
        struct err e = { 0 };
        atomic_int runs = 0;
        struct count c[40];
        struct pool_job job[40];

        (void)state;
        for (int i = 0; i < 40; i++) {
                c[i] = (struct count){ &runs, i % 7 == 0 ? 2 : 0, false };
                job[i] = (struct pool_job){ (uint64_t)i, count_run, &c[i] };
        }
        assert_int_equal(pool_run(&op, job, 40, &e), 0);
        assert_int_equal(runs, 40);
        for (int i = 0; i < 40; i++)
                c[i] = (struct count){ &runs, 0, i == 39 };
        op.jobs = 1; /* 39 is the largest: nothing else begins */
        runs = 0;
        assert_int_equal(pool_run(&op, job, 40, &e), -ERR_INTEGRITY);
        assert_int_equal(runs, 1);
        err_done(&e);
        op.signal = SIGINT;
        assert_int_equal(pool_run(&op, job, 40, &e), -ERR_CANCELLED);
        err_done(&e);
}

static void proc_talks_and_ends(void **state)
{
        struct err e = { 0 };
        struct proc_result r = { 0 };
        const char *const cat[] = { "cat", NULL }, *const sh[] = { "sh", "-c", "echo no >&2; exit 3", NULL };
        const char *const slow[] = { "sh", "-c", "exec tail -f /dev/null", NULL }, *const none[] = { "no-such-program",
                                                                                                     NULL };

        (void)state;
        assert_int_equal(proc_run(&(struct proc){ .argv = cat, .input = SV("hello") }, NULL, &r, &e), 0);
        assert_string_equal(r.out.p, "hello");
        proc_result_done(&r);
        assert_int_equal(proc_run(&(struct proc){ .argv = sh }, NULL, &r, &e), 0);
        assert_int_equal(r.status, 3);
        assert_string_equal(r.err.p, "no\n");
        proc_result_done(&r);
        assert_int_equal(proc_run(&(struct proc){ .argv = slow, .timeout_ms = 100 }, NULL, &r, &e), -ERR_FAILED);
        err_done(&e);
        proc_result_done(&r);
        assert_int_equal(proc_run(&(struct proc){ .argv = none }, NULL, &r, &e), -ERR_NOT_FOUND);
        err_done(&e);
        proc_result_done(&r);
}

static void fs_writes_whole_files(void **state)
{
        char dir[] = "/tmp/unit-fs-XXXXXX";
        AUTO(free_ptr) char *path = NULL;
        AUTO(free_ptr) char **names = NULL;
        AUTO(buf_done) struct buf b = BUF_INIT(100);
        struct err e = { 0 };
        size_t n = 0;

        (void)state;
        assert_non_null(mkdtemp(dir));
        path = fs_path("%s/a/b/c", dir);
        assert_int_equal(fs_mkdirs(path, 0755, &e), 0);
        free(path);
        path = fs_path("%s/a/file", dir);
        assert_int_equal(fs_write(path, SV("one"), 0644, &e), 0);
        assert_int_equal(fs_write(path, SV("two"), 0644, &e), 0);
        assert_int_equal(fs_read(path, &b, &e), 0);
        assert_string_equal(b.p, "two");
        free(path);
        path = fs_path("%s/a", dir);
        assert_int_equal(fs_list(path, &names, &n, &e), 0);
        assert_int_equal(n, 2); /* b and file: no temporary is left */
        assert_int_equal(fs_remove(dir, &e), 0);
        assert_false(fs_exists(dir));
        assert_int_equal(fs_read(path, &b, &e), -ERR_NOT_FOUND);
        err_done(&e);
}

static void hex_rows(void **state)
{
        sha256 d;

        (void)state;
        assert_true(sha256_read(SV("sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"), &d));
        assert_string_equal(sha256_hex(&d).s, "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a");
        assert_false(sha256_read(SV("sha256:44136FA355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"), &d));
        assert_false(sha256_read(SV("44"), &d));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(err_first_wins_and_trail_grows),
                cmocka_unit_test(buf_keeps_its_ceiling),
                cmocka_unit_test(sv_rows),
                cmocka_unit_test(time_rows),
                cmocka_unit_test(map_holds_many),
                cmocka_unit_test(diags_sort_and_show),
                cmocka_unit_test(pool_runs_all_and_stops_at_failure),
                cmocka_unit_test(proc_talks_and_ends),
                cmocka_unit_test(fs_writes_whole_files),
                cmocka_unit_test(hex_rows),
        };
        return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
