/* cli/cmd.h - the one table of commands and options: parser, --help, manual page and completions all come from it.
 * A command's options fill a struct of its own by offset; texts are static. Only cli/ prints. */
#ifndef CLI_CMD_H
#define CLI_CMD_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/sv.h"

struct app;

enum opt_kind {
        OPT_FLAG,  /* bool */
        OPT_TEXT,  /* sv */
        OPT_LIST,  /* struct opt_list: may be given several times */
        OPT_COUNT, /* unsigned, 1 … 4096 */
        OPT_LARGE, /* unsigned, 1 … 10^9: seconds, seeds */
        OPT_SOME   /* struct opt_some: alone, or --NAME=N */
};
struct opt_list {
        sv *v;
        size_t n, cap;
};
struct opt_some {
        bool given;
        unsigned n; /* 0: without a number */
};
struct opt {
        char letter; /* 0: none */
        const char *name;
        const char *arg; /* name of its value in help ("NAME"); NULL for OPT_FLAG */
        enum opt_kind kind;
        size_t at;          /* offset in the command's struct */
        const char *choice; /* "auto|tty|plain": the only values; NULL: any */
        const char *help;
};
#define OPT_END { .name = NULL }

struct cmd {
        const char *name;      /* "cache dir": words are matched in turn */
        const char *args;      /* "[FILE…]", "IMAGE [-- CMD…]" */
        const char *summary;   /* one line, no full stop */
        const char *text;      /* paragraphs for --help and the manual; may be NULL */
        const struct opt *opt; /* ends with OPT_END; NULL: none of its own */
        size_t opts_size;      /* size of the struct that opt fills */
        bool rest;             /* options end at the first word that is none: what follows belongs to CMD */
        int (*run)(struct app *app, void *opts, int argc, char **argv,
                   struct err *e); /* argc, argv: the words left; 0, or -code; >0: exit code */
};

extern const struct cmd cmds[]; /* ends with a NULL name */
extern const struct opt global_opts[];

/** The command that argv's first words name; *ret_words of them. -ERR_USAGE with the nearest name as a hint. */
int cmd_find(int argc, char **argv, const struct cmd **ret, int *ret_words, struct err *e);
/**
 * Take the options out of argv, wherever they stand (until "--"): a command's own into opts, the global ones into app.
 * Left words are moved to the front; *ret_argc of them. -ERR_USAGE names the option.
 */
int cmd_parse(const struct cmd *c, struct app *app, void *opts, int *argc, char **argv, bool *ret_help, struct err *e);
/** The global options before the command ("envbuild -v build"); *argc becomes how many words they take. */
int cmd_globals(struct app *app, int *argc, char **argv, bool *ret_help, struct err *e);

void help_all(void);                          /* envbuild --help */
void help_cmd(const struct cmd *c);           /* envbuild build --help */
void help_man(void);                          /* roff of envbuild(1) on stdout */
int help_completion(sv shell, struct err *e); /* bash, zsh, fish */

/* The commands: one file each. */
int cmd_build(struct app *app, void *opts, int argc, char **argv, struct err *e);
int cmd_lock(struct app *app, void *opts, int argc, char **argv, struct err *e);
int cmd_push(struct app *app, void *opts, int argc, char **argv, struct err *e);
int cmd_sbom(struct app *app, void *opts, int argc, char **argv, struct err *e);
int cmd_sign(struct app *app, void *opts, int argc, char **argv, struct err *e);
int cmd_run(struct app *app, void *opts, int argc, char **argv, struct err *e);
int cmd_sweep(struct app *app, void *opts, int argc, char **argv, struct err *e);
int cmd_inspect(struct app *app, void *opts, int argc, char **argv, struct err *e);
int cmd_pull(struct app *app, void *opts, int argc, char **argv, struct err *e);
int cmd_tree(struct app *app, void *opts, int argc, char **argv, struct err *e);
int cmd_why(struct app *app, void *opts, int argc, char **argv, struct err *e);
int cmd_export(struct app *app, void *opts, int argc, char **argv, struct err *e);
int cmd_cache_dir(struct app *app, void *opts, int argc, char **argv, struct err *e);
int cmd_cache_size(struct app *app, void *opts, int argc, char **argv, struct err *e);
int cmd_cache_verify(struct app *app, void *opts, int argc, char **argv, struct err *e);
int cmd_login(struct app *app, void *opts, int argc, char **argv, struct err *e);
int cmd_logout(struct app *app, void *opts, int argc, char **argv, struct err *e);
int cmd_registry_list(struct app *app, void *opts, int argc, char **argv, struct err *e);
int cmd_registry_prune(struct app *app, void *opts, int argc, char **argv, struct err *e);
int cmd_completion(struct app *app, void *opts, int argc, char **argv, struct err *e);
int cmd_man(struct app *app, void *opts, int argc, char **argv, struct err *e);
int cmd_version(struct app *app, void *opts, int argc, char **argv, struct err *e);
int cmd_curated_list(struct app *app, void *opts, int argc, char **argv, struct err *e);
int cmd_curated_show(struct app *app, void *opts, int argc, char **argv, struct err *e);
int cmd_curated_build(struct app *app, void *opts, int argc, char **argv, struct err *e);
int cmd_curated_push(struct app *app, void *opts, int argc, char **argv, struct err *e);
int cmd_supervise(struct app *app, void *opts, int argc, char **argv, struct err *e);
int cmd_rank(struct app *app, void *opts, int argc, char **argv, struct err *e);
int cmd_rebase(struct app *app, void *opts, int argc, char **argv, struct err *e);
int cmd_prewarm(struct app *app, void *opts, int argc, char **argv, struct err *e);
int cmd_runs_list(struct app *app, void *opts, int argc, char **argv, struct err *e);
int cmd_runs_show(struct app *app, void *opts, int argc, char **argv, struct err *e);
int cmd_runs_logs(struct app *app, void *opts, int argc, char **argv, struct err *e);
int cmd_runs_wait(struct app *app, void *opts, int argc, char **argv, struct err *e);
int cmd_runs_cancel(struct app *app, void *opts, int argc, char **argv, struct err *e);
int cmd_runs_collect(struct app *app, void *opts, int argc, char **argv, struct err *e);
int cmd_runs_download(struct app *app, void *opts, int argc, char **argv, struct err *e);
int cmd_runs_archive(struct app *app, void *opts, int argc, char **argv, struct err *e);
int cmd_runs_rm(struct app *app, void *opts, int argc, char **argv, struct err *e);
int cmd_doctor(struct app *app, void *opts, int argc, char **argv, struct err *e);

#endif
