/* Bytes on their way between descriptors that do not block. */
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "sandbox/sandbox_priv.h"
#include "tests/unit/unit.h"

static void make_pipe(int end[2])
{
        assert_int_equal(pipe2(end, O_NONBLOCK | O_CLOEXEC), 0);
}

static void what_comes_goes_on(void **state)
{
        struct sandbox_flow f = { 0 };
        int from[2], to[2];
        char got[16];

        (void)state;
        make_pipe(from);
        make_pipe(to);
        assert_true(sandbox_flow_fill(&f, from[0])); /* nothing there yet is no end */
        assert_false(sandbox_flow_holds(&f));
        assert_int_equal(write(from[1], "hello", 5), 5);
        assert_true(sandbox_flow_fill(&f, from[0]));
        assert_true(sandbox_flow_holds(&f));
        assert_int_equal(write(from[1], "again", 5), 5);
        assert_true(sandbox_flow_fill(&f, from[0])); /* not before the first is gone */
        assert_int_equal(f.to - f.from, 5);
        assert_true(sandbox_flow_empty(&f, to[1]));
        assert_false(sandbox_flow_holds(&f));
        assert_int_equal(read(to[0], got, sizeof(got)), 5);
        assert_memory_equal(got, "hello", 5);
        close(from[1]);
        assert_true(sandbox_flow_fill(&f, from[0]));
        assert_true(sandbox_flow_empty(&f, to[1]));
        assert_int_equal(read(to[0], got, sizeof(got)), 5);
        assert_memory_equal(got, "again", 5);
        assert_false(sandbox_flow_fill(&f, from[0]));
        close(from[0]);
        close(to[0]);
        close(to[1]);
}

/* The one who takes is slow: what does not fit stays, in order. */
static void what_does_not_fit_stays(void **state)
{
        static char sent[300000], got[300000];
        struct sandbox_flow f = { 0 };
        size_t n_sent = 0, n_got = 0, full = 0;
        int from[2], to[2];

        (void)state;
        make_pipe(from);
        make_pipe(to);
        for (size_t i = 0; i < sizeof(sent); i++)
                sent[i] = (char)(i * 7 + i / 256);
        while (n_got < sizeof(sent)) {
                ssize_t n = write(from[1], sent + n_sent, sizeof(sent) - n_sent);
                n_sent += n > 0 ? (size_t)n : 0;
                assert_true(sandbox_flow_fill(&f, from[0]));
                assert_true(sandbox_flow_empty(&f, to[1]));
                full += sandbox_flow_holds(&f);
                n = read(to[0], got + n_got, sizeof(got) - n_got < 5000 ? sizeof(got) - n_got : 5000);
                n_got += n > 0 ? (size_t)n : 0;
        }
        assert_true(full > 0);
        assert_memory_equal(got, sent, sizeof(sent));
        for (int i = 0; i < 2; i++) {
                close(from[i]);
                close(to[i]);
        }
}

static void nobody_takes_it(void **state)
{
        struct sandbox_flow f = { .to = 3, .bytes = "abc" };
        int to[2];

        (void)state;
        signal(SIGPIPE, SIG_IGN);
        make_pipe(to);
        close(to[0]);
        assert_false(sandbox_flow_empty(&f, to[1]));
        close(to[1]);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(what_comes_goes_on),
                cmocka_unit_test(what_does_not_fit_stays),
                cmocka_unit_test(nobody_takes_it),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
