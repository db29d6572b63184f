#include <string.h>

#include "base/buf.h"
#include "shim/shim.h"

#include "../unit.h"

enum { WORDS = 16 };
static const struct {
        const char *argv[WORDS];
        const char *says; /* part of the refusal; NULL: fine */
        unsigned ranks, per_node, nodes;
} rows[] = {
        { { "r", "--dir", "/d", "--attempt", "1", "--ranks", "1", "--", "true" }, NULL, 1, 1, 1 },
        { { "r", "--dir", "/d", "--attempt", "1", "--ranks", "8", "--nodes", "2", "--", "true" }, NULL, 8, 4, 2 },
        { { "r", "--dir", "/d", "--attempt", "1", "--ranks", "5", "--nodes", "2", "--", "true" }, NULL, 5, 3, 2 },
        { { "r", "--dir", "/d", "--attempt", "1", "--ranks", "8", "--per-node", "4", "--", "true" }, NULL, 8, 4, 2 },
        { { "r", "--dir", "/d", "--attempt", "1", "--ranks", "4", "--", "true" }, NULL, 4, 4, 1 },
        { { "r" }, "no command", 0, 0, 0 },
        { { "r", "--dir", "/d", "--attempt", "1", "--ranks", "1", "--" }, "no command", 0, 0, 0 },
        { { "r", "--dir" }, "needs a value", 0, 0, 0 },
        { { "r", "--dir", "d", "--attempt", "1", "--ranks", "1", "--", "x" }, "absolute", 0, 0, 0 },
        { { "r", "--dir", "/d", "--ranks", "1", "--", "x" }, "--attempt", 0, 0, 0 },
        { { "r", "--dir", "/d", "--attempt", "0", "--ranks", "1", "--", "x" }, "--attempt is a number", 0, 0, 0 },
        { { "r", "--dir", "/d", "--attempt", "1", "--ranks", "-1", "--", "x" }, "--ranks is a number", 0, 0, 0 },
        { { "r", "--dir", "/d", "--attempt", "1", "--ranks", "2", "--rank", "2", "--", "x" }, "not below", 0, 0, 0 },
        { { "r", "--timeout", "99999999999999999999", "--", "x" }, "--timeout is a number", 0, 0, 0 },
        { { "r", "--port", "65536", "--", "x" }, "--port is a number", 0, 0, 0 },
        { { "r", "--dist", "horovod", "--", "x" }, "pytorch, mpi or tensorflow", 0, 0, 0 },
        { { "r", "--wait", "--", "x" }, "no option", 0, 0, 0 },
        { { "r", "true" }, "no option", 0, 0, 0 },
        { { "r", "--dir", "/d", "--attempt", "1", "--ranks", "3", "--dist", "tensorflow", "--workers", "1", "--", "x" },
          "do not make",
          0,
          0,
          0 },
};

static void options_rows(void **state)
{
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                struct shim_options o;
                struct err e = { 0 };
                int n = 0, r;

                while (rows[i].argv[n])
                        n++;
                r = shim_options_parse(n, (char **)rows[i].argv, &o, &e);
                if (rows[i].says ? r == 0 || !strstr(e.cause, rows[i].says)
                                 : r < 0 || o.ranks != rows[i].ranks || o.per_node != rows[i].per_node ||
                                           o.nodes != rows[i].nodes) {
                        bad++;
                        print_error("row %zu: %d %s\n", i, r, e.cause ? e.cause : "");
                }
                err_done(&e);
        }
        assert_int_equal(bad, 0);
}

static void options_command_is_the_rest(void **state)
{
        const char *argv[] = { "r", "--dir",     "/d", "--attempt", "2", "--ranks", "3", "--rank",
                               "1", "--console", "--", "--timeout", "5", "--",      "x", NULL };
        struct shim_options o;
        struct err e = { 0 };

        (void)state;
        assert_int_equal(shim_options_parse(15, (char **)argv, &o, &e), 0);
        assert_ptr_equal(o.argv, argv + 11);
        assert_int_equal(o.timeout_s, 0);
        assert_int_equal(o.rank, 1);
        assert_true(o.console);
        assert_false(o.own_group_only);
}

/* Where nothing is said. */
static void options_defaults(void **state)
{
        const char *argv[] = { "r", "--dir", "/d", "--attempt", "1", "--ranks", "1", "--", "x", NULL };
        struct shim_options o;
        struct err e = { 0 };

        (void)state;
        assert_int_equal(shim_options_parse(9, (char **)argv, &o, &e), 0);
        assert_int_equal(o.rank, -1);
        assert_int_equal(o.grace_s, 30);
        assert_int_equal(o.peer_grace_s, 30);
        assert_int_equal(o.cancel_every_ms, 1000);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(options_rows),
                cmocka_unit_test(options_command_is_the_rest),
                cmocka_unit_test(options_defaults),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
