/* Options and commands out of argv. */
#include <stdio.h>
#include <string.h>

#include "cli/app.h"
#include "cli/cmd.h"

static int count_words(const char *name)
{
        int n = 1;
        for (; *name; name++)
                n += *name == ' ';
        return n;
}

static bool words_match(const char *name, int argc, char **argv)
{
        sv rest = sv_from(name), word;

        for (int i = 0; sv_cut(&rest, ' ', &word); i++)
                if (i >= argc || !sv_is(word, argv[i]))
                        return false;
        return true;
}

static void hint_nearest(const char *word, struct err *e)
{
        const char *best = NULL;
        unsigned least = 3;

        for (const struct cmd *c = cmds; c->name; c++) {
                sv head, rest = sv_from(c->name);
                unsigned d;
                sv_cut(&rest, ' ', &head);
                d = sv_distance(sv_from(word), head, 2);
                if (d < least) {
                        least = d;
                        best = c->name;
                }
        }
        if (best)
                err_hint(e, "did you mean 'envbuild %s'?", best);
        else
                err_hint(e, "envbuild --help lists the commands");
}

int cmd_find(int argc, char **argv, const struct cmd **ret, int *ret_words, struct err *e)
{
        const struct cmd *best = NULL;
        bool group = false;

        for (const struct cmd *c = cmds; c->name; c++) {
                if (words_match(c->name, argc, argv) && (!best || count_words(c->name) > count_words(best->name)))
                        best = c;
                group = group || (argc > 0 && strncmp(c->name, argv[0], strlen(argv[0])) == 0 &&
                                  c->name[strlen(argv[0])] == ' ');
        }
        if (best) {
                *ret = best;
                *ret_words = count_words(best->name);
                return 0;
        }
        if (group) {
                err_set(e, ERR_USAGE, "'envbuild %s' needs one more word", argv[0]);
                err_hint(e, "envbuild --help lists the commands");
                return -(int)e->code;
        }
        err_set(e, ERR_USAGE, "'%s' is not a command", argv[0]);
        hint_nearest(argv[0], e);
        return -(int)e->code;
}

static const struct opt *find_opt(const struct opt *o, sv name, char letter)
{
        for (; o && o->name; o++)
                if (name.n ? sv_is(name, o->name) : o->letter == letter)
                        return o;
        return NULL;
}

static bool is_choice(const char *choice, sv value)
{
        sv rest = sv_from(choice), one;

        while (sv_cut(&rest, '|', &one))
                if (sv_eq(one, value))
                        return true;
        return false;
}

static int set_value(const struct opt *o, char *base, sv value, struct app *app, struct err *e)
{
        void *at = base + o->at;
        uint64_t n;

        if (o->choice && !is_choice(o->choice, value)) {
                err_set(e, ERR_USAGE, "--%s takes %s, not '%.*s'", o->name, o->choice, SV_ARG(value));
                return -(int)e->code;
        }
        switch (o->kind) {
        case OPT_FLAG:
                *(bool *)at = true;
                break;
        case OPT_TEXT:
                *(sv *)at = value;
                break;
        case OPT_LIST: {
                struct opt_list *l = at;
                *arena_push(&app->arena, l->v, l->n, l->cap) = value;
                break;
        }
        case OPT_SOME:
                ((struct opt_some *)at)->given = true;
                at = &((struct opt_some *)at)->n;
                if (!value.p)
                        break;
                /* fall through */
        case OPT_COUNT:
                if (!sv_u64(value, &n) || n == 0 || n > 4096)
                        return err_set(e, ERR_USAGE, "--%s takes a number from 1 to 4096, not '%.*s'", o->name,
                                       SV_ARG(value));
                *(unsigned *)at = (unsigned)n;
                break;
        case OPT_LARGE:
                if (!sv_u64(value, &n) || n == 0 || n > 1000000000)
                        return err_set(e, ERR_USAGE, "--%s takes a number from 1 to 10^9, not '%.*s'", o->name,
                                       SV_ARG(value));
                *(unsigned *)at = (unsigned)n;
                break;
        }
        return 0;
}

struct scan {
        const struct cmd *cmd;
        struct app *app;
        void *opts;
        int argc, i;
        char **argv;
        bool help;
};

static int unknown(struct scan *s, const char *word, struct err *e)
{
        const struct opt *lists[] = { s->cmd->opt, global_opts };
        sv name = sv_skip(sv_from(word), 2);
        const char *best = NULL;
        ptrdiff_t eq = sv_find(name, '=');

        if (eq >= 0)
                name.n = (size_t)eq;
        err_set(e, ERR_USAGE, "'envbuild %s' has no option '%s'", s->cmd->name, word);
        for (size_t k = 0; k < ARRAY_LEN(lists); k++)
                for (const struct opt *o = lists[k]; o && o->name; o++)
                        if (sv_distance(name, sv_from(o->name), 2) <= 2)
                                best = o->name;
        if (best)
                err_hint(e, "did you mean '--%s'?", best);
        else
                err_hint(e, "envbuild %s --help", s->cmd->name);
        return -(int)e->code;
}

static bool needs_value(const struct opt *o)
{
        return o->kind != OPT_FLAG && o->kind != OPT_SOME;
}

/* One option with its value, which may be the next word. letter: 'x' of -x; glued: what follows it in the same word. */
static int take(struct scan *s, sv name, char letter, bool has_value, sv value, const char *word, struct err *e)
{
        const struct opt *o = find_opt(s->cmd->opt, name, letter);
        char *base = s->opts;

        if (!o) {
                o = find_opt(global_opts, name, letter);
                base = (char *)s->app;
        }
        if (!o)
                return unknown(s, word, e);
        if (o->kind == OPT_FLAG && has_value)
                return err_set(e, ERR_USAGE, "--%s takes no value", o->name);
        if (needs_value(o) && !has_value) {
                if (s->i + 1 >= s->argc)
                        return err_set(e, ERR_USAGE, "--%s needs a value (%s)", o->name, o->arg);
                value = sv_from(s->argv[++s->i]);
        }
        return set_value(o, base, value, s->app, e);
}

static int take_long(struct scan *s, char *word, struct err *e)
{
        sv name = sv_skip(sv_from(word), 2), value = { 0 };
        ptrdiff_t eq = sv_find(name, '=');

        if (eq >= 0) {
                value = sv_skip(name, (size_t)eq + 1);
                name.n = (size_t)eq;
        }
        if (sv_is(name, "help")) {
                s->help = true;
                return 0;
        }
        return take(s, name, 0, eq >= 0, value, word, e);
}

static int take_short(struct scan *s, char *word, struct err *e)
{
        for (char *p = word + 1; *p; p++) {
                const struct opt *o = find_opt(s->cmd->opt, (sv){ 0 }, *p);
                bool takes;

                if (!o)
                        o = find_opt(global_opts, (sv){ 0 }, *p);
                if (*p == 'h' && !o) {
                        s->help = true;
                        continue;
                }
                takes = o && needs_value(o);
                if (take(s, (sv){ 0 }, *p, takes && p[1], sv_from(p + 1), word, e) < 0)
                        return -(int)e->code;
                if (takes)
                        break;
        }
        return 0;
}

int cmd_parse(const struct cmd *c, struct app *app, void *opts, int *argc, char **argv, bool *ret_help, struct err *e)
{
        struct scan s = { .cmd = c, .app = app, .opts = opts, .argc = *argc, .argv = argv };
        int left = 0;
        bool only_words = false;

        for (; s.i < s.argc; s.i++) {
                char *word = argv[s.i];
                int r = 0;

                if (!only_words && strcmp(word, "--") == 0) {
                        only_words = true;
                        if (c->rest)
                                argv[left++] = word; /* "-- CMD" is told apart from "FILE" by its mark */
                        continue;
                }
                if (only_words || word[0] != '-' || word[1] == '\0') {
                        argv[left++] = word;
                        only_words = only_words || (c->rest && left == 2); /* run IMAGE CMD: what follows is CMD's */
                        continue;
                }
                r = word[1] == '-' ? take_long(&s, word, e) : take_short(&s, word, e);
                if (r < 0)
                        return r;
        }
        *argc = left;
        *ret_help = s.help;
        return 0;
}

int cmd_globals(struct app *app, int *argc, char **argv, bool *ret_help, struct err *e)
{
        static const struct cmd any = { .name = "COMMAND" };
        struct scan s = { .cmd = &any, .app = app, .opts = NULL, .argc = *argc, .argv = argv };

        for (; s.i < s.argc && argv[s.i][0] == '-' && argv[s.i][1]; s.i++)
                if ((argv[s.i][1] == '-' ? take_long(&s, argv[s.i], e) : take_short(&s, argv[s.i], e)) < 0)
                        return -(int)e->code;
        *argc = s.i;
        *ret_help = s.help;
        return 0;
}
