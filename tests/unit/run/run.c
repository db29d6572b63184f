#include "run/run.h"

#include "base/cleanup.h"
#include "tests/unit/unit.h"

static void words_come_back(void **state)
{
        enum run_state s;
        enum run_reason r;

        (void)state;
        for (int i = RUN_NOT_STARTED; i <= RUN_UNKNOWN; i++) {
                assert_true(run_state_parse(sv_from(run_state_name((enum run_state)i)), &s));
                assert_int_equal(s, i);
        }
        for (int i = RUN_R_NONE; i <= RUN_R_LOST; i++) {
                assert_true(run_reason_parse(sv_from(run_reason_name((enum run_reason)i)), &r));
                assert_int_equal(r, i);
        }
        assert_false(run_state_parse(SV("running"), &s));
        assert_false(run_reason_parse(SV("none"), &r));
}

static void exit_codes(void **state)
{
        static const struct {
                struct run_status status;
                int code;
        } rows[] = {
                { { .state = RUN_COMPLETED, .exit_code = 0 }, 0 },
                { { .state = RUN_FAILED, .reason = RUN_R_EXIT_CODE, .exit_code = 7 }, 7 },
                { { .state = RUN_FAILED, .reason = RUN_R_SIGNAL, .exit_code = -1, .term_signal = 11 }, 139 },
                { { .state = RUN_FAILED, .reason = RUN_R_TIMEOUT, .exit_code = 143, .term_signal = 15 }, 124 },
                { { .state = RUN_FAILED, .reason = RUN_R_LOST, .exit_code = -1 }, 125 },
                { { .state = RUN_FAILED, .reason = RUN_R_OUTPUTS, .exit_code = 0 }, 125 },
                { { .state = RUN_CANCELED, .exit_code = 143 }, 130 },
        };
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++)
                if (run_status_exit(&rows[i].status) != rows[i].code)
                        bad++, print_error("row %zu: %d\n", i, run_status_exit(&rows[i].status));
        assert_int_equal(bad, 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(words_come_back),
                cmocka_unit_test(exit_codes),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
