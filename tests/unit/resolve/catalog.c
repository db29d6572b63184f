/* What the solver asks of a catalog, and what it does with answers other than relations. */
#include "tests/unit/unit.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "resolve/resolve.h"
#include "tests/cases/index.h"

/* The text index with a few of its ops replaced; what was asked is written down. */
static struct {
        const struct catalog_ops *real;
        int rels_fail; /* this answer of the n-th question is an error */
        uint32_t rels_asked;
        struct {
                sv name;
                uint32_t tried, likely;
        } soon[256];
        size_t n_soon;
} spy;

static int spy_rels(struct catalog *c, name_id n, uint32_t cand, struct rels *ret, struct err *e)
{
        if (++spy.rels_asked == (uint32_t)spy.rels_fail)
                return err_set(e, ERR_NET, "the index is away");
        return spy.real->rels(c, n, cand, ret, e);
}

static void spy_soon(struct catalog *c, name_id n, set_id likely, uint32_t tried)
{
        const struct name *name;

        if (spy.real->name(c, n, &name, NULL) == 0 && spy.n_soon < ARRAY_LEN(spy.soon)) {
                spy.soon[spy.n_soon].name = name->text;
                spy.soon[spy.n_soon].tried = tried;
                spy.soon[spy.n_soon++].likely = sets_count(c->sets, likely, name->n);
        }
}

static void spy_hints(struct catalog *c, name_id n, set_id wanted, struct buf *out)
{
        const struct name *name;

        if (spy.real->name(c, n, &name, NULL) == 0)
                buf_fmt(out, "%.*s has %u of them\nand more\n", SV_ARG(name->text),
                        sets_count(c->sets, wanted, name->n));
}

struct run {
        struct index *x;
        struct catalog *c;
        struct catalog_ops ops;
        struct resolve_want want[8];
        size_t n;
        struct resolution *r;
        struct arena arena;
        struct err e;
};

static int run(struct run *t, const char *index, const char *wants, enum resolve_order order, struct op *op)
{
        struct resolve_opts o = { .order = order };
        sv rest = sv_from(wants), word;

        assert_int_equal(index_parse(sv_from(index), &t->x, &t->e), 0);
        t->c = index_catalog(t->x);
        spy.real = t->c->ops;
        spy.rels_asked = 0;
        spy.n_soon = 0;
        t->ops = *spy.real;
        t->ops.rels = spy_rels;
        t->ops.soon = spy_soon;
        t->ops.hints = spy_hints;
        t->c->ops = &t->ops;
        while (sv_cut(&rest, ' ', &word)) {
                const struct rel *r;
                assert_int_equal(index_rel(t->x, word, SV("env.yml:1:5"), &r, &t->e), 0);
                t->want[t->n++] = (struct resolve_want){ *r, true };
        }
        return resolve(t->c, t->want, t->n, &o, op, &t->arena, &t->r, &t->e);
}

static void run_done(struct run *t)
{
        catalog_free(t->c);
        arena_done(&t->arena);
        err_done(&t->e);
        spy.rels_fail = 0;
}

static void an_error_ends_the_solve(void **state)
{
        AUTO(run_done) struct run t = { 0 };

        (void)state;
        spy.rels_fail = 2;
        assert_int_equal(run(&t, "app 2: lib\napp 1\nlib 1\n", "app", ORDER_CULPRIT, NULL), -(int)ERR_NET);
        assert_string_equal(t.e.cause, "the index is away");
        assert_null(t.r); /* never taken for "no such version" */
}

static void a_cancelled_solve_stops(void **state)
{
        AUTO(run_done) struct run t = { 0 };
        struct op op = { .signal = 2, .jobs = 1 };

        (void)state;
        assert_int_equal(run(&t, "app 1\n", "app", ORDER_CEILING, &op), -(int)ERR_CANCELLED);
}

static void picks_say_who_asked(void **state)
{
        AUTO(run_done) struct run t = { 0 };

        (void)state;
        assert_int_equal(run(&t, "b 1: a>=1\na 2\na 1\nc 1: b\n", "c b", ORDER_CULPRIT, NULL), 0);
        assert_int_equal(t.r->n, 3); /* sorted by name: a b c */
        assert_true(sv_is(t.r->pick[0].because->text, "a>=1") && t.r->pick[0].by == t.r->pick[1].name);
        assert_true(sv_is(t.r->pick[1].because->text, "b") && t.r->pick[1].by == NAME_ROOT); /* nearest to the user */
        assert_true(t.r->pick[2].by == NAME_ROOT && t.r->visited == 3 && t.r->conflicts == 0);
}

/* How many candidates the widest such hint spoke of. */
static uint32_t soon_tried(const char *name, uint32_t tried)
{
        uint32_t most = 0;

        for (size_t i = 0; i < spy.n_soon; i++)
                if (sv_is(spy.soon[i].name, name) && spy.soon[i].tried == tried && spy.soon[i].likely > most)
                        most = spy.soon[i].likely;
        return most;
}

static void more_is_fetched_of_what_fails_often(void **state)
{
        AUTO(run_done) struct run t = { 0 };
        AUTO(buf_done) struct buf b = BUF_INIT(1 << 16);

        (void)state;
        for (int i = 1; i <= 30; i++) /* each app needs its own core; only the oldest core works */
                buf_fmt(&b, "app %d: core==%d\ncore %d: base%s\n", i, i, i, i > 1 ? ">=2" : "");
        buf_add(&b, SV("base 2\nbase 1\n"));
        assert_int_equal(run(&t, b.p, "base<2 app", ORDER_CULPRIT, NULL), 0);
        assert_int_equal(t.r->pick[0].cand, 29);
        assert_int_equal(soon_tried("app", 0), 30); /* before the first one */
        assert_int_equal(soon_tried("app", 5), 25); /* what is still possible */
        assert_int_equal(soon_tried("app", 10), 20);
        assert_int_equal(soon_tried("core", 5), 30); /* a pin leaves one: in order */
        assert_true(soon_tried("app", 7) <= 1);      /* in between only the one that is next */
}

static void the_catalog_adds_hints(void **state)
{
        AUTO(run_done) struct run t = { 0 };
        AUTO(buf_done) struct buf text = BUF_INIT(4096);
        struct resolve_opts o = { 0 };

        (void)state;
        assert_int_equal(run(&t, "lib 1 ban=tags\n", "lib", ORDER_CEILING, NULL), -(int)ERR_CONFLICT);
        assert_string_equal(t.e.cause, "no set of packages fulfils 'lib' (env.yml:1:5)");
        err_done(&t.e);
        assert_int_equal(explain(t.c, t.want, t.n, &o, NULL, t.r, &text, &t.e), 0);
        assert_string_equal(
                text.p,
                "lib (your requirement, env.yml:1:5) can't be had: lib has no file for this platform and Python. "
                "No lib can be used.\nhint: lib has 1 of them\nhint: and more\n");
}

static void relations_are_asked_only_when_needed(void **state)
{
        AUTO(run_done) struct run t = { 0 };

        (void)state;
        assert_int_equal(run(&t, "app 3: lib\napp 2: lib\napp 1\nlib 2\nlib 1\nother 1\n", "app", ORDER_CULPRIT, NULL),
                         0);
        assert_int_equal(t.r->visited, 2);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(an_error_ends_the_solve), cmocka_unit_test(a_cancelled_solve_stops),
                cmocka_unit_test(picks_say_who_asked),     cmocka_unit_test(more_is_fetched_of_what_fails_often),
                cmocka_unit_test(the_catalog_adds_hints),  cmocka_unit_test(relations_are_asked_only_when_needed),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
