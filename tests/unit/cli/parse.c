#include <stdlib.h>
#include <string.h>

#include "cli/app.h"
#include "cli/cmd.h"
#include "cli/opts.h"
#include "tests/unit/unit.h"

#define MAX_WORDS 12

struct parsed {
        struct app app;
        struct request_opts o;
        char *argv[MAX_WORDS];
        int argc, r;
        bool help;
        struct err e;
};

/* "build -j 4 x" as a command line; words are copied, since parsing moves them. */
static void parse(struct parsed *p, const char *line)
{
        const struct cmd *c = NULL;
        char *copy, *save = NULL, *all[MAX_WORDS];
        int n = 0, words = 0;

        *p = (struct parsed){ 0 };
        copy = arena_str(&p->app.arena, sv_from(line));
        for (char *w = strtok_r(copy, " ", &save); w && n < MAX_WORDS; w = strtok_r(NULL, " ", &save))
                all[n++] = w;
        p->r = cmd_find(n, all, &c, &words, &p->e);
        if (p->r < 0)
                return;
        p->argc = n - words;
        memcpy(p->argv, all + words, (size_t)p->argc * sizeof(char *));
        p->r = cmd_parse(c, &p->app, &p->o, &p->argc, p->argv, &p->help, &p->e);
}

static void done(struct parsed *p)
{
        err_done(&p->e);
        arena_done(&p->app.arena);
}

static void options_stand_anywhere(void **state)
{
        struct parsed p;

        (void)state;
        parse(&p, "build -j4 a.yml --tag=x -qe K=V -e A=B b.txt --pip six");
        assert_int_equal(p.r, 0);
        assert_int_equal(p.argc, 2);
        assert_string_equal(p.argv[1], "b.txt");
        assert_int_equal(p.app.opt_jobs, 4);
        assert_true(p.app.opt_quiet && sv_is(p.o.tag, "x") && p.o.env.n == 2 && sv_is(p.o.env.v[1], "A=B") &&
                    sv_is(p.o.pip.v[0], "six"));
        done(&p);
}

static void run_keeps_the_command(void **state)
{
        struct parsed p;

        (void)state;
        parse(&p, "run -e K=V image -- ls -j x --help");
        assert_int_equal(p.r, 0);
        assert_int_equal(p.argc, 6);
        assert_string_equal(p.argv[1], "--");
        assert_string_equal(p.argv[5], "--help");
        assert_false(p.help);
        done(&p);
        parse(&p, "run image ls -l"); /* without "--": what follows the first word of CMD is CMD's */
        assert_int_equal(p.r, 0);
        assert_int_equal(p.argc, 3);
        assert_string_equal(p.argv[2], "-l");
        done(&p);
}

static void wrong_words_get_a_hint(void **state)
{
        static const struct {
                const char *line, *cause, *hint;
        } rows[] = {
                { "biuld x", "'biuld' is not a command", "did you mean 'envbuild build'?" },
                { "cache", "'envbuild cache' needs one more word", "envbuild --help lists the commands" },
                { "build --lokced", "'envbuild build' has no option '--lokced'", "did you mean '--locked'?" },
                { "build -j 0 x", "--jobs takes a number from 1 to 4096, not '0'", NULL },
                { "build --tag", "--tag needs a value (NAME)", NULL },
                { "build --locked=1", "--locked takes no value", NULL },
                { "build --compression lz4", "--compression takes gzip|zstd|none, not 'lz4'", NULL },
        };
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                struct parsed p;
                parse(&p, rows[i].line);
                if (p.r != -ERR_USAGE || strcmp(p.e.cause, rows[i].cause) != 0 ||
                    (rows[i].hint && (!p.e.hint || strcmp(p.e.hint, rows[i].hint) != 0)))
                        bad++, print_error("row %zu: %s / %s\n", i, p.e.cause ? p.e.cause : "",
                                           p.e.hint ? p.e.hint : "");
                done(&p);
        }
        assert_int_equal(bad, 0);
}

static void sizes(void **state)
{
        char t[16];

        (void)state;
        assert_string_equal(ui_size(0, t), "0 B");
        assert_string_equal(ui_size(999, t), "999 B");
        assert_string_equal(ui_size(1000, t), "1.0 kB");
        assert_string_equal(ui_size(123456789, t), "123 MB");
        assert_string_equal(ui_size(12345678901u, t), "12.3 GB");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(options_stand_anywhere),
                cmocka_unit_test(run_keeps_the_command),
                cmocka_unit_test(wrong_words_get_a_hint),
                cmocka_unit_test(sizes),
        };
        return cmocka_run_group_tests_name("parse", tests, NULL, NULL);
}
