/* Logs as they grow: several ranks by lines, one as it comes, the end of a run. */
#include <pthread.h>
#include <unistd.h>

#include "run/record/follow_priv.h"
#include "tests/unit/run/record_place.h"

struct heard {
        struct buf text; /* "[rank]text" for each piece, pieces between '|' */
        int interrupts;
        struct op *op;
};

static int hear(void *arg, unsigned rank, sv text, struct err *e)
{
        struct heard *h = arg;

        (void)e;
        buf_fmt(&h->text, "[%u]%.*s|", rank, SV_ARG(text));
        return 0;
}

static void append(struct place *p, const struct run_record *r, const char *name, const char *text)
{
        FILE *f = fopen(run_path(&p->arena, r, "user_logs/%s", name).p, "a");

        assert_non_null(f);
        fputs(text, f);
        fclose(f);
}

static void lines_of_several(void **state)
{
        struct place *p = *state;
        struct heard h = { .text = BUF_INIT(1 << 20) };
        struct run_sink sink = { &h, hear, NULL };
        struct run_record *r;
        struct run_tail t;
        struct err e = { 0 };
        bool some;

        p->spec.per_node = 2;
        r = place_record(p);
        append(p, r, "std_log_process_0.txt", "a\nhal");
        append(p, r, "std_log_process_1.txt", "x");
        run_tail_init(&t, r, -1, 0);
        must(run_tail_read(&t, &sink, &some, &e), &e);
        assert_true(some && sv_is(buf_sv(&h.text), "[0]a\n|"));
        append(p, r, "std_log_process_0.txt", "f\n");
        must(run_tail_read(&t, &sink, &some, &e), &e);
        assert_true(sv_is(buf_sv(&h.text), "[0]a\n|[0]half\n|"));
        must(run_tail_read(&t, &sink, &some, &e), &e);
        assert_false(some);
        must(run_tail_flush(&t, &sink, &e), &e);
        assert_true(sv_is(buf_sv(&h.text), "[0]a\n|[0]half\n|[1]x\n|"));
        run_tail_done(&t);
        buf_done(&h.text);
}

/* A line without an end is not kept whole in memory, and none of it is lost. */
static void a_line_of_a_megabyte(void **state)
{
        struct place *p = *state;
        struct heard h = { .text = BUF_INIT(4 << 20) };
        struct run_sink sink = { &h, hear, NULL };
        char *line = calloc(1, (1 << 20) + 1);
        struct run_record *r;
        struct run_tail t;
        struct err e = { 0 };
        size_t n = 0;
        bool some;

        p->spec.per_node = 2;
        r = place_record(p);
        memset(line, 'x', 1 << 20);
        append(p, r, "std_log_process_1.txt", line);
        run_tail_init(&t, r, -1, 0);
        must(run_tail_read(&t, &sink, &some, &e), &e);
        assert_true(t.v[1].part.n <= 65536);
        must(run_tail_flush(&t, &sink, &e), &e);
        for (size_t i = 0; i < h.text.n; i++)
                n += h.text.p[i] == 'x';
        assert_int_equal(n, 1 << 20);
        run_tail_done(&t);
        buf_done(&h.text);
        free(line);
}

static void the_last_lines(void **state)
{
        static const struct {
                const char *text;
                unsigned lines;
                const char *heard;
        } rows[] = {
                { "a\nb\nc\n", 1, "[0]c\n|" }, { "a\nb\nc", 1, "[0]c|" },   { "a\nb\nc\n", 2, "[0]b\nc\n|" },
                { "a\nb\n", 9, "[0]a\nb\n|" }, { "\n\n\n", 2, "[0]\n\n|" }, { "", 3, "" },
                { "a", 1, "[0]a|" },
        };
        struct place *p = *state;
        int bad = 0;

        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                struct heard h = { .text = BUF_INIT(4096) };
                struct run_sink sink = { &h, hear, NULL };
                struct run_record *r = place_record(p);
                struct err e = { 0 };
                append(p, r, "std_log.txt", rows[i].text);
                must(run_logs(&p->ctx, r, -1, rows[i].lines, false, &sink, &e), &e);
                if (!sv_is(buf_sv(&h.text), rows[i].heard))
                        bad++, print_error("row %zu: %.*s\n", i, SV_ARG(buf_sv(&h.text)));
                buf_done(&h.text);
        }
        assert_int_equal(bad, 0);
}

/* Somebody else, as a supervisor is: holds nothing of ours, writes logs, then the end. */
struct writer_arg {
        struct place place; /* an arena of its own */
        struct run_record *r;
};

static void *write_end(void *arg)
{
        struct writer_arg *w = arg;
        struct run_status s = w->r->status;
        struct err e = { 0 };

        append(&w->place, w->r, "std_log.txt", "one\n");
        append(&w->place, w->r, "std_log.txt", "two");
        s.state = RUN_COMPLETED;
        s.exit_code = 0;
        run_record_take(w->r, &s, "over", NULL, &e);
        err_done(&e);
        return NULL;
}

static void to_the_end(void **state)
{
        struct place *p = *state;
        struct heard h = { .text = BUF_INIT(4096) };
        struct run_sink sink = { &h, hear, NULL };
        struct run_record *r = place_record(p), *theirs = place_read(p, r);
        struct writer_arg w = { .r = theirs };
        struct err e = { 0 };
        sv rest;
        pthread_t thread;

        assert_int_equal(pthread_create(&thread, NULL, write_end, &w), 0);
        must(run_wait(&p->ctx, r, &sink, &e), &e);
        pthread_join(thread, NULL);
        assert_int_equal(r->status.state, RUN_COMPLETED);
        rest = buf_sv(&h.text);
        assert_true(sv_find_sv(rest, SV("one\n")) >= 0 && sv_ends(rest, SV("two|")));
        buf_done(&h.text);
        arena_done(&w.place.arena);
}

static int let_go(void *arg, struct err *e)
{
        struct heard *h = arg;

        (void)e;
        if (h->interrupts++ == 0) {
                atomic_store(&h->op->signal, 2); /* stays: the second time */
                return 0;
        }
        return err_set(e, ERR_CANCELLED, "left alone");
}

static void interrupted(void **state)
{
        struct place *p = *state;
        struct heard h = { .text = BUF_INIT(4096), .op = &p->op };
        struct run_sink sink = { &h, hear, let_go };
        struct run_record *r = place_record(p);
        struct err e = { 0 };

        atomic_store(&p->op.signal, 2);
        assert_int_equal(run_wait(&p->ctx, r, NULL, &e), -ERR_CANCELLED);
        err_done(&e);
        assert_int_equal(run_wait(&p->ctx, r, &sink, &e), -ERR_CANCELLED);
        assert_int_equal(place_read(p, r)->status.state, RUN_PREPARING);
        err_done(&e);
        atomic_store(&p->op.signal, 0);
        buf_done(&h.text);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(lines_of_several, place_setup, place_teardown),
                cmocka_unit_test_setup_teardown(a_line_of_a_megabyte, place_setup, place_teardown),
                cmocka_unit_test_setup_teardown(the_last_lines, place_setup, place_teardown),
                cmocka_unit_test_setup_teardown(to_the_end, place_setup, place_teardown),
                cmocka_unit_test_setup_teardown(interrupted, place_setup, place_teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
