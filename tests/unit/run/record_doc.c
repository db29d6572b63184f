/* run.json there and back, whole and as a list reads it; what is damaged or newer is said. */
#include "tests/unit/run/record_place.h"

static void comes_back(void **state)
{
        struct place *p = *state;
        struct run_record *r = place_record(p), *back;
        struct run_pair property = { SV("azureml.git.dirty"), SV("true") };
        struct err e = { 0 };

        r->image = SV("train@sha256:00");
        r->compute = SV("gpu");
        r->token = SV("t.1");
        r->handle = SV("17");
        r->sweep = SV("sweep-1");
        r->git = (struct run_git){
                .repository = SV("https://host/x"), .commit = SV("abc"), .known = true, .dirty = true
        };
        r->snapshot = (struct run_snapshot_info){ .digest = SV("sha256:11"), .files = 3, .bytes = 99 };
        r->property = &property;
        r->n_property = 1;
        r->status = (struct run_status){ .state = RUN_FAILED,
                                         .reason = RUN_R_SIGNAL,
                                         .exit_code = 137,
                                         .term_signal = 9,
                                         .first_bad_rank = 0,
                                         .engine_state = SV("FAILED \"quoted\""),
                                         .message = SV("line\nof \xff\xfe bytes \xc3\xa9"),
                                         .started_us = 5,
                                         .ended_us = 6 };
        must(run_record_write(r, &e), &e);
        back = place_read(p, r);
        assert_true(sv_eq(back->id, r->id) && sv_eq(back->dir, r->dir) && sv_eq(back->image, r->image));
        assert_true(sv_eq(back->compute, r->compute) && sv_eq(back->handle, r->handle) && sv_eq(back->token, r->token));
        assert_true(sv_eq(back->sweep, r->sweep) && sv_eq(back->maker, r->maker) && sv_eq(back->user, r->user));
        assert_true(sv_is(back->git.commit, "abc") && back->git.known && back->git.dirty && !back->git.branch.n);
        assert_true(back->snapshot.files == 3 && back->snapshot.bytes == 99);
        assert_true(back->n_property == 1 && sv_is(back->property[0].value, "true"));
        assert_int_equal(back->status.state, RUN_FAILED);
        assert_int_equal(back->status.reason, RUN_R_SIGNAL);
        assert_int_equal(back->status.exit_code, 137);
        assert_int_equal(back->status.first_bad_rank, 0);
        assert_true(sv_is(back->status.message, "line\nof ?? bytes \xc3\xa9"));
        assert_true(sv_is(back->spec->experiment, "exp") && sv_is(back->spec->name, "Train It"));
        assert_int_equal(back->created_us, r->created_us);
}

static void a_fresh_one_says_nothing_it_does_not_know(void **state)
{
        struct place *p = *state;
        struct run_record *r = place_read(p, place_record(p));

        assert_int_equal(r->status.state, RUN_PREPARING);
        assert_int_equal(r->status.exit_code, -1);
        assert_int_equal(r->status.first_bad_rank, -1);
        assert_int_equal(r->attempt, 1);
        assert_true(sv_starts(r->id, SV("train-it-20")) && r->id.n <= RUN_ID_MAX && run_id_ok(r->id));
        assert_false(run_maker_gone(r));
        assert_true(r->version.n && r->host.n && r->user.n);
        assert_true(fs_is_dir(run_path(&p->arena, r, "status/1").p));
}

static void ids_are_labels(void **state)
{
        static const struct {
                const char *name, *begin;
        } rows[] = {
                { "Train It", "train-it-" },
                { "0.5 lr", "r-0-5-lr-" }, /* a DNS label of a Service begins with a letter */
                { "\xc3\xa9\xc3\xa9", "run-" },
                { "", "exp-" }, /* the experiment's */
                { "--a__b--", "a-b-" },
                { "abcdefghijklmnopqrstuvwxyz0123456789", "abcdefghijklmnopqrstuvwx-" },
        };
        struct place *p = *state;
        int bad = 0;

        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                struct run_record *r;
                p->spec.name = sv_from(rows[i].name);
                r = place_record(p);
                if (!sv_starts(r->id, sv_from(rows[i].begin)) || r->id.n != strlen(rows[i].begin) + 15 ||
                    !run_id_ok(r->id))
                        bad++, print_error("row %zu: %.*s\n", i, SV_ARG(r->id));
        }
        assert_int_equal(bad, 0);
}

/* The quick reader and the whole one say the same, and the quick one is what is used. */
static void a_row_is_the_same(void **state)
{
        struct place *p = *state;
        struct run_record *r = place_record(p);
        struct run_row quick, whole;
        struct err e = { 0 };
        sv text, head;

        r->status.message = SV("an \"escape\" sends it the slow way");
        must(run_record_write(r, &e), &e);
        text = place_text(p, r, "run.json");
        assert_int_equal(run_doc_row(&p->arena, text, false, &quick, &e), 1);
        must(run_doc_row(&p->arena, text, true, &whole, &e), &e);
        assert_true(sv_is(whole.status.message, "an \"escape\" sends it the slow way"));
        r->status.message = SV("plain");
        must(run_record_write(r, &e), &e);
        text = place_text(p, r, "run.json");
        head = sv_from_to(text, 0, (size_t)sv_find_sv(text, SV("\"host\"")));
        assert_int_equal(run_doc_row(&p->arena, head, false, &quick, &e), 0);
        assert_true(sv_eq(quick.id, r->id) && sv_is(quick.experiment, "exp") && sv_is(quick.name, "Train It"));
        assert_true(quick.status.state == RUN_PREPARING && quick.created_us == r->created_us);
        assert_true(sv_is(quick.status.message, "plain"));
}

static void damage_is_said(void **state)
{
        static const struct {
                const char *text, *cause;
        } rows[] = {
                { "", "damaged" },
                { "{", "damaged" },
                { "[]", "does not say its format" },
                { "{\"format\":2,\"id\":\"a\"}", "newer envbuild (format 2" },
                { "{\"format\":1}", "it has no id" },
                { "{\"format\":1,\"id\":\"../x\",\"attempt\":1,\"state\":\"Running\"}", "it has no id" },
                { "{\"format\":1,\"id\":\"a\",\"attempt\":1,\"state\":\"Jumping\"}", "its state" },
                { "{\"format\":1,\"id\":\"a\",\"attempt\":1,\"state\":\"Running\"}", "no description" },
                { "{\"format\":1,\"id\":\"a\",\"attempt\":1,\"state\":\"Running\",\"spec\":7}", "damaged" },
        };
        struct place *p = *state;
        int bad = 0;

        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                AUTO(err_done) struct err e = { 0 };
                struct run_record *r = NULL;
                if (run_doc_parse(&p->arena, sv_from(rows[i].text), SV("/x"), &r, &e) != -ERR_INTEGRITY ||
                    !strstr(e.cause, rows[i].cause))
                        bad++, print_error("row %zu: %s\n", i, e.cause ? e.cause : "(taken)");
        }
        assert_int_equal(bad, 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(comes_back, place_setup, place_teardown),
                cmocka_unit_test_setup_teardown(a_fresh_one_says_nothing_it_does_not_know, place_setup, place_teardown),
                cmocka_unit_test_setup_teardown(ids_are_labels, place_setup, place_teardown),
                cmocka_unit_test_setup_teardown(a_row_is_the_same, place_setup, place_teardown),
                cmocka_unit_test_setup_teardown(damage_is_said, place_setup, place_teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
