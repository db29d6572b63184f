/* cli/opts.h - the structs that the table's options fill. */
#ifndef CLI_OPTS_H
#define CLI_OPTS_H

#include "cli/cmd.h"
#include "image/image.h"

struct attach_flags { /* what is hung on an image that is pushed */
        sv sbom, source, key;
        bool provenance;
};
/* How to reach registries. A command that talks to one: the last member of its struct is `struct registry_opts registry`, its table ends with
 * REGISTRY_OPTS(its struct), and it calls opts_registry(app, &o->registry, e) before the first use of app->image (opts_request does). */
struct registry_opts {
        sv auth_file, cert_dir, registries_conf;
        struct opt_list insecure;
};
struct request_opts { /* lock, build, run: what shapes a lock, then what each does with it */
        struct opt_list file, pip, conda, channel, env, platform, upgrade;
        sv base, exclude_newer, strategy;
        bool pre, locked, frozen, refresh, upgrade_all, upgrade_base;
        bool dry_run;
        sv tag, codec, iidfile, metadata_file;
        bool push;
        sv format; /* of what is pushed */
        struct opt_list cache_repo;
        bool no_cache;
        struct opt_some verify;
        struct attach_flags attach;
        sv from, out; /* lock --from */
        struct opt_list volume;
        sv workdir, network;
        struct registry_opts registry;
};
struct run_opts {                    /* run, sweep; a description file says the same (run/job/job.h) */
        struct request_opts request; /* first: the options of a lock are told by their place in it */
        sv source, on, name, experiment, shm_size, dist, memory, render;
        struct opt_list label, input, host_env;
        unsigned timeout, grace, retries, nodes, per_node, gpus, cpus;
        bool no_wait;
        struct opt_list set; /* sweep */
        unsigned random, seed, concurrent;
        sv metric;
        bool json;
};
struct login_opts { /* login, logout */
        sv username, password;
        bool password_stdin, all;
        struct registry_opts registry;
};
struct push_opts {
        sv format, metadata_file, cache_repo;
        struct attach_flags attach;
        struct registry_opts registry;
};
struct rebase_opts {
        sv base, tag, codec, format, out;
        bool push;
        struct opt_list cache_repo;
        struct attach_flags attach;
        struct registry_opts registry;
};
struct sign_opts {
        sv key, form;
        struct registry_opts registry;
};
struct sbom_opts {
        sv format, platform;
        struct registry_opts registry;
};
struct prewarm_cli { /* prewarm, curated push */
        struct opt_list to, tag, platform;
        sv codec;
        bool dry_run, locked, json;
        struct attach_flags attach;
        struct registry_opts registry;
};
struct export_opts {
        sv format, platform;
};
struct repository_cli { /* registry list, registry prune */
        struct opt_list keep;
        sv older;
        bool yes, json;
        struct registry_opts registry;
};
struct runs_opts { /* runs … */
        sv experiment, html, out, rank;
        bool all, json, follow, force;
        unsigned limit, tail;
};
struct read_opts {
        bool json;
        sv platform;
        struct registry_opts registry;
};

/** Words and options → what image/ takes; without a word: env.yml or environment.yml of this folder. "curated/NAME" is a shipped set, as it is
 *  locked, for this machine. */
int opts_request(struct app *app, const struct request_opts *o, int argc, char **argv, struct image_request *ret,
                 struct err *e);
/** A file that is there and is named like a definition or a lock, or a curated set; every other word is the name of an image. */
bool opts_is_definition(const char *word);
/** The lock that belongs to a definition, or the lock file itself, for commands that only read. */
int opts_read_lock(struct app *app, int argc, char **argv, struct lock **ret, struct err *e);
const struct lock_platform *opts_platform(struct app *app, const struct lock *l, sv want, struct err *e);
/** Fills app->image.registry. -ERR_USAGE: --insecure names no host. */
int opts_registry(struct app *app, const struct registry_opts *o, struct err *e);
/** "minimal", "curated/minimal" → "curated/minimal". Empty: it cannot be the name of a set. */
sv opts_curated_word(struct app *app, const char *word, struct err *e);
/** --compression; gzip without one. */
enum oci_codec opts_codec(sv text);

#endif
