/* What az says, and words for its shell. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "run/target/azureml_priv.h"

static void states(void **state)
{
        static const struct {
                const char *text;
                enum run_state state;
                enum run_reason reason;
                int exit_code;
        } r[] = {
                { "{\"name\":\"n\",\"status\":\"Queued\"}", RUN_QUEUED, RUN_R_NONE, -1 },
                { "{\"name\":\"n\",\"status\":\"Preparing\"}", RUN_STARTING, RUN_R_NONE, -1 },
                { "{\"name\":\"n\",\"status\":\"Running\"}", RUN_RUNNING, RUN_R_NONE, -1 },
                { "{\"name\":\"n\",\"status\":\"NotResponding\"}", RUN_RUNNING, RUN_R_NONE, -1 },
                { "{\"name\":\"n\",\"status\":\"Completed\"}", RUN_COMPLETED, RUN_R_NONE, 0 },
                { "{\"name\":\"n\",\"status\":\"Canceled\"}", RUN_CANCELED, RUN_R_NONE, -1 },
                { "{\"name\":\"n\",\"status\":\"Teleported\"}", RUN_UNKNOWN, RUN_R_NONE, -1 },
                { "{\"name\":\"n\",\"status\":\"Failed\"}", RUN_FAILED, RUN_R_LOST, -1 },
                { "{\"name\":\"n\",\"status\":\"Failed\",\"error\":{\"message\":\"User process 'python' exited with "
                  "status code 11. Please\"}}",
                  RUN_FAILED, RUN_R_EXIT_CODE, 11 },
                { "{\"name\":\"n\",\"status\":\"Failed\",\"error\":{\"error\":{\"message\":\"exit code 999\"}}}",
                  RUN_FAILED, RUN_R_LOST, -1 },
                { "{\"name\":\"n\",\"status\":\"Failed\",\"error\":{\"message\":\"The job timed out\"}}", RUN_FAILED,
                  RUN_R_TIMEOUT, -1 },
        };

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(r); i++) {
                AUTO(arena_done) struct arena a = { 0 };
                AUTO(err_done) struct err e = { 0 };
                struct run_status s = RUN_STATUS_INIT;
                sv name;
                assert_int_equal(aml_answer(&a, sv_from(r[i].text), &name, &s, &e), 0);
                if (s.state != r[i].state || s.reason != r[i].reason || s.exit_code != r[i].exit_code)
                        fail_msg("%s: %s %s %d", r[i].text, run_state_name(s.state), run_reason_name(s.reason),
                                 s.exit_code);
                assert_int_equal(run_state_final(s.state), s.ended_us != 0);
        }
}

static void no_job(void **state)
{
        static const char *const text[] = { "", "[]", "{}", "{\"status\":\"Running\"}", "ERROR: no" };

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(text); i++) {
                AUTO(arena_done) struct arena a = { 0 };
                AUTO(err_done) struct err e = { 0 };
                struct run_status s = RUN_STATUS_INIT;
                sv name;
                assert_int_equal(aml_answer(&a, sv_from(text[i]), &name, &s, &e), -ERR_FAILED);
                assert_int_equal(s.state, RUN_NOT_STARTED);
        }
}

static void complaints(void **state)
{
        (void)state;
        assert_int_equal(aml_said_of(SV("ERROR: (UserError) The specified resource was not found.")), AML_ABSENT);
        assert_int_equal(aml_said_of(SV("ERROR: Please run 'az login' to setup account.")), AML_AUTH);
        assert_int_equal(aml_said_of(SV("ERROR: (InternalServerError) try again")), AML_AWAY);
        assert_int_equal(aml_said_of(SV("ERROR: Met error <class 'Exception'>: validation errors: x")), AML_REFUSED);
        assert_int_equal(aml_said_of(SV("")), AML_AWAY);
        assert_true(sv_is(aml_said_line(SV("WARNING: preview\nERROR: no\nmore")), "ERROR: no"));
}

static void words(void **state)
{
        AUTO(arena_done) struct arena a = { 0 };

        (void)state;
        assert_true(sv_is(aml_quote(&a, SV("--lr=0.1")), "--lr=0.1"));
        assert_true(sv_is(aml_quote(&a, SV("a b")), "'a b'"));
        assert_true(sv_is(aml_quote(&a, SV("it's $x")), "'it'\\''s $x'"));
        assert_true(sv_is(aml_quote(&a, SV("")), "''"));
        assert_true(sv_is(aml_size(&a, (uint64_t)2 << 30), "2g"));
        assert_true(sv_is(aml_size(&a, (uint64_t)1536 << 20), "1536m"));
        assert_true(sv_is(aml_size(&a, 1000), "1000b"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(states),
                cmocka_unit_test(no_job),
                cmocka_unit_test(complaints),
                cmocka_unit_test(words),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
