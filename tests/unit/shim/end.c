/* How it ended, and what is written down about it. */
#include <signal.h>
#include <string.h>

#include "ext/json.h"
#include "shim/shim.h"

#include "../unit.h"

#define EXITED(n) ((n) << 8)

static const struct {
        int status;
        uint32_t passed;
        enum shim_stop before;
        int exit_code, signal, exit;
        enum shim_stop stop;
        bool failed;
} rows[] = {
        { EXITED(0), 0, SHIM_STOP_NONE, 0, 0, 0, SHIM_STOP_NONE, false },
        { EXITED(11), 0, SHIM_STOP_NONE, 11, 0, 11, SHIM_STOP_NONE, true },
        { EXITED(255), 0, SHIM_STOP_NONE, 255, 0, 255, SHIM_STOP_NONE, true },
        { EXITED(125), 0, SHIM_STOP_NONE, 125, 0, 125, SHIM_STOP_NONE, true },
        { EXITED(137), 0, SHIM_STOP_NONE, 137, 0, 137, SHIM_STOP_NONE, true },
        { SIGKILL, 0, SHIM_STOP_NONE, 137, 9, 137, SHIM_STOP_NONE, true },
        { SIGSEGV | 0x80, 0, SHIM_STOP_NONE, 139, 11, 139, SHIM_STOP_NONE, true },
        { SIGTERM, 0, SHIM_STOP_CANCEL, 143, 15, 143, SHIM_STOP_CANCEL, false },
        { EXITED(0), 0, SHIM_STOP_CANCEL, 0, 0, 0, SHIM_STOP_CANCEL, false },
        { EXITED(0), 0, SHIM_STOP_TIMEOUT, 0, 0, 124, SHIM_STOP_TIMEOUT, false },
        { SIGKILL, 0, SHIM_STOP_TIMEOUT, 137, 9, 124, SHIM_STOP_TIMEOUT, false },
        { EXITED(3), 0, SHIM_STOP_PEER, 3, 0, 3, SHIM_STOP_PEER, false },
        /* a signal passed on that it died of, or that its shell says so of; another one that it outlived */
        { SIGUSR1, 1U << SIGUSR1, SHIM_STOP_NONE, 128 + SIGUSR1, SIGUSR1, 128 + SIGUSR1, SHIM_STOP_SIGNAL, false },
        { EXITED(130), 1U << SIGINT, SHIM_STOP_NONE, 130, 0, 130, SHIM_STOP_SIGNAL, false },
        { EXITED(1), 1U << SIGHUP, SHIM_STOP_NONE, 1, 0, 1, SHIM_STOP_NONE, true },
        { SIGKILL, 1U << SIGHUP, SHIM_STOP_NONE, 137, 9, 137, SHIM_STOP_NONE, true },
};

static void judge_rows(void **state)
{
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                struct shim_end end = { .stop = rows[i].before };

                shim_end_judge(&end, rows[i].status, rows[i].passed);
                if (end.exit_code != rows[i].exit_code || end.signal != rows[i].signal || end.stop != rows[i].stop ||
                    shim_end_failed(&end) != rows[i].failed || shim_end_exit(&end) != rows[i].exit) {
                        bad++;
                        print_error("row %zu: code %d signal %d stop %d\n", i, end.exit_code, end.signal,
                                    (int)end.stop);
                }
        }
        assert_int_equal(bad, 0);
}

static void text_start(void **state)
{
        struct shim_options o = { .attempt = 2 };
        struct shim_place p = { .rank = 3 };
        struct buf b = BUF_INIT(4096);

        (void)state;
        shim_record_text(&o, &p, "n1", 42, 1700000000000001, NULL, &b);
        assert_string_equal(b.p,
                            "{\"rank\":3,\"attempt\":2,\"host\":\"n1\",\"pid\":42,\"start_us\":1700000000000001}\n");
        buf_done(&b);
}

/* A host name may be any bytes; what is written is JSON all the same, and holds all keys. */
static void text_end(void **state)
{
        static const char *const keys[] = { "rank",      "attempt",   "host",     "pid",    "start_us",
                                            "end_us",    "exit_code", "oom",      "signal", "failed_start",
                                            "timed_out", "stopped",   "maxrss_kb" };
        struct shim_options o = { .attempt = 1 };
        struct shim_place p = { 0 };
        struct shim_end end = { .start_us = 5, .end_us = 7, .exit_code = 143, .signal = 15, .stop = SHIM_STOP_TIMEOUT };
        struct buf b = BUF_INIT(4096);
        struct arena a = { 0 };
        struct err e = { 0 };
        struct js *j;

        (void)state;
        shim_record_text(&o, &p, "a\"\\\n\xff", 1, 5, &end, &b);
        assert_int_equal(js_parse(&a, buf_sv(&b), &j, &e), 0);
        for (size_t i = 0; i < ARRAY_LEN(keys); i++)
                assert_non_null(js_get(j, keys[i]));
        assert_non_null(strstr(b.p, "\"timed_out\":true,\"stopped\":\"timeout\""));
        arena_done(&a);
        buf_done(&b);
}

static void oom_rows(void **state)
{
        static const struct {
                const char *text, *group;
                bool first;
        } groups[] = {
                { "9:name=systemd:/\n4:memory:/a/b\n0::/\n", "/a/b", true },
                { "0::/user.slice/x\n", "/user.slice/x", false },
                { "1:cpu:/y\n", "", false },
                { "", "", false },
        };
        uint64_t n = 7;
        bool first;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(groups); i++) {
                assert_true(sv_is(shim_oom_group(sv_from(groups[i].text), &first), groups[i].group));
                assert_int_equal(first, groups[i].first);
        }
        assert_true(shim_oom_read(SV("low 0\noom 3\noom_kill 2\noom_group_kill 9\n"), &n));
        assert_int_equal(n, 2);
        assert_true(shim_oom_read(SV("oom_kill_disable 0\nunder_oom 0\noom_kill 1\n"), &n));
        assert_int_equal(n, 1);
        assert_false(shim_oom_read(SV("oom_kill_disable 0\n"), &n));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(judge_rows),
                cmocka_unit_test(text_start),
                cmocka_unit_test(text_end),
                cmocka_unit_test(oom_rows),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
