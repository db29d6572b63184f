/* cli/run_cli.h - what `run` and `sweep` are made of: flags → description (run_flags.c), its environment → an image (run_environment.c), both →
 * a record that an engine has (run_submit.c), and what is shown of it until it ends (run_watch.c). Only here image/ and run/ meet. */
#ifndef CLI_RUN_CLI_H
#define CLI_RUN_CLI_H

#include "cli/app.h"
#include "cli/opts.h"
#include "run/code/snapshot.h"
#include "run/target/submit.h"

enum { RUN_EXIT_BEFORE = 125 }; /* docker's: the command was not reached */

/** Docker's run: foreground, our stdio, nothing kept. ref: an image. */
int run_front(struct app *app, const struct request_opts *o, sv ref, int argc, char **argv, int *ret_status,
              struct err *e);
/** The folder of the store for compiled files (.pyc) of an image; NULL: it has no python of ours. Made when missing. */
int run_pycache(struct app *app, const struct image_view *v, const char **ret_dir, struct err *e);
/** Build the definition `word` (NULL: what the flags alone say); *ret: NAME@sha256:…. */
int run_build(struct app *app, const struct request_opts *o, char *word, sv *ret, struct err *e);

/** A file that describes a run, by what it says. */
bool run_is_description(const char *word);
/** Any flag that makes it a run with a record. */
bool run_flags_recorded(const struct run_opts *o);
/**
 * The description: word is a description file, an image, a definition or NULL (none: the default environment); flags win over the file.
 * -ERR_USAGE: faults are in app->diags.
 */
int run_flags_spec(struct app *app, const struct run_opts *o, const char *word, int argc, char **argv,
                   struct run_spec **ret, struct err *e);

/* An environment made ready for one target; once for all runs of a sweep. */
struct run_ready {
        struct run_profile profile;
        sv image;     /* name@sha256:…; empty: the host's own */
        sv run_image; /* what the engine is given when that is another one: with the source in it, or in its own store */
        sv lock_digest; /* sha256:…; empty: not known */
        struct image_view view;
        struct run_snapshot snapshot; /* digest all zero: no source */
        bool has_code;
        struct run_git git;
        sv layer; /* digest of the source as a layer */
};
/** Profile, image, source. What cannot work on that target is said before anything is built. render: nothing is pushed. */
int run_make_ready(struct app *app, const struct run_opts *o, struct run_spec *spec, bool render, struct run_ready *ret,
                   struct err *e);
/** Find or build what spec->environment says. */
int run_environment(struct app *app, const struct run_opts *o, const struct run_spec *spec, struct run_ready *ret,
                    struct err *e);
/** For RUN_CAP_LOCAL_STORE: the image is in the engine's own store, ready->run_image is what it is called there. render: nothing is put anywhere. */
int run_local_store(struct app *app, bool render, struct run_ready *r, struct err *e);
/** A record of one run of it; submitted unless render. */
int run_launch(struct app *app, const struct run_ready *ready, struct run_spec *spec, sv sweep, sv render,
               struct run_record **ret, struct err *e);
/** The world that run/ needs. */
int run_context(struct app *app, struct run_ctx *ret, struct err *e);

/**
 * Show its log on stdout until it is over. Ctrl-C once asks for its end, twice leaves it alone; so does our own end.
 * @return its exit code · -ERR_CANCELLED: left alone, or ended by a signal
 */
int run_watch(struct app *app, struct run_ctx *c, struct run_record *r, struct err *e);

#endif
