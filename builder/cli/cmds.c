/* The table: every command, every option, every text. */
#include "cli/app.h"
#include "cli/cmd.h"
#include "cli/opts.h"

#define AT(type, field) offsetof(struct type, field)

const struct opt global_opts[] = {
        { 'C', "directory", "DIR", OPT_TEXT, AT(app, opt_dir), NULL, "go to DIR first" },
        { 'j', "jobs", "N", OPT_COUNT, AT(app, opt_jobs), NULL, "how many things at once (default: the processors)" },
        { 0, "offline", NULL, OPT_FLAG, AT(app, opt_offline), NULL, "use no network; what is missing is named" },
        { 0, "progress", "KIND", OPT_TEXT, AT(app, opt_progress), "auto|tty|plain|json|quiet",
          "how progress is shown: auto, tty, plain, json, quiet" },
        { 0, "color", "WHEN", OPT_TEXT, AT(app, opt_colour), "auto|always|never", "auto, always or never" },
        { 'q', "quiet", NULL, OPT_FLAG, AT(app, opt_quiet), NULL, "only errors and warnings" },
        { 'v', "verbose", NULL, OPT_FLAG, AT(app, opt_verbose), NULL, "more, and where each setting came from" },
        OPT_END,
};

/* How to reach registries: the end of every such command's options; the struct has a member `registry` (opts.h). */
#define REGISTRY_OPTS(type)                                                                                            \
        { 0,                                                                                                           \
          "authfile",                                                                                                  \
          "FILE",                                                                                                      \
          OPT_TEXT,                                                                                                    \
          AT(type, registry.auth_file),                                                                                \
          NULL,                                                                                                        \
          "logins of registries (default: where docker and podman keep them)" },                                       \
                { 0,                                                                                                   \
                  "cert-dir",                                                                                          \
                  "DIR",                                                                                               \
                  OPT_TEXT,                                                                                            \
                  AT(type, registry.cert_dir),                                                                         \
                  NULL,                                                                                                \
                  "certificates for registries: *.crt to trust, *.cert and *.key of ours" },                           \
                { 0,                                                                                                   \
                  "insecure",                                                                                          \
                  "HOST",                                                                                              \
                  OPT_LIST,                                                                                            \
                  AT(type, registry.insecure),                                                                         \
                  NULL,                                                                                                \
                  "a registry with http, or with a certificate that nobody vouches for" },                             \
                { 0,                                                                                                   \
                  "registries-conf",                                                                                   \
                  "FILE",                                                                                              \
                  OPT_TEXT,                                                                                            \
                  AT(type, registry.registries_conf),                                                                  \
                  NULL,                                                                                                \
                  "mirrors and blocked registries (default: containers' registries.conf)" }

/* What shapes a lock: the same for every command that may resolve. */
#define REQUEST_OPTS                                                                                                      \
        { 'r',                                                                                                            \
          "requirement",                                                                                                  \
          "FILE",                                                                                                         \
          OPT_LIST,                                                                                                       \
          AT(request_opts, file),                                                                                         \
          NULL,                                                                                                           \
          "a further definition or requirements file" },                                                                  \
                { 0, "pip", "SPEC", OPT_LIST, AT(request_opts, pip), NULL, "a further Python requirement" },              \
                { 0, "conda", "SPEC", OPT_LIST, AT(request_opts, conda), NULL, "a further conda package" },               \
                { 'c',                                                                                                    \
                  "channel",                                                                                              \
                  "CHANNEL",                                                                                              \
                  OPT_LIST,                                                                                               \
                  AT(request_opts, channel),                                                                              \
                  NULL,                                                                                                   \
                  "a further conda channel, before the definition's" },                                                   \
                { 'e', "env", "K=V", OPT_LIST, AT(request_opts, env), NULL, "a further variable of the image" },          \
                { 0,                                                                                                      \
                  "base",                                                                                                 \
                  "REF",                                                                                                  \
                  OPT_TEXT,                                                                                               \
                  AT(request_opts, base),                                                                                 \
                  NULL,                                                                                                   \
                  "base image: recipe:NAME, an image's name, oci:DIR[:TAG] or scratch" },                                 \
                { 0,                                                                                                      \
                  "platform",                                                                                             \
                  "P",                                                                                                    \
                  OPT_LIST,                                                                                               \
                  AT(request_opts, platform),                                                                             \
                  NULL,                                                                                                   \
                  "linux/amd64 or linux/arm64 (default: the definition's, else this machine's)" },                        \
                { 0,                                                                                                      \
                  "exclude-newer",                                                                                        \
                  "WHEN",                                                                                                 \
                  OPT_TEXT,                                                                                               \
                  AT(request_opts, exclude_newer),                                                                        \
                  NULL,                                                                                                   \
                  "ignore files uploaded after a date, or 7d ago" },                                                      \
                { 0, "pre", NULL, OPT_FLAG, AT(request_opts, pre), NULL, "pre-releases are ordinary versions" },          \
                { 0,                                                                                                      \
                  "index-strategy",                                                                                       \
                  "S",                                                                                                    \
                  OPT_TEXT,                                                                                               \
                  AT(request_opts, strategy),                                                                             \
                  "first|pip",                                                                                            \
                  "first: the first index that has a name supplies it; pip: the best of all" },                           \
                { 0,                                                                                                      \
                  "locked",                                                                                               \
                  NULL,                                                                                                   \
                  OPT_FLAG,                                                                                               \
                  AT(request_opts, locked),                                                                               \
                  NULL,                                                                                                   \
                  "the lock must fit the definition, else exit 4" },                                                      \
                { 0,                                                                                                      \
                  "frozen",                                                                                               \
                  NULL,                                                                                                   \
                  OPT_FLAG,                                                                                               \
                  AT(request_opts, frozen),                                                                               \
                  NULL,                                                                                                   \
                  "use the lock without looking at the definition" },                                                     \
                { 0,                                                                                                      \
                  "refresh",                                                                                              \
                  NULL,                                                                                                   \
                  OPT_FLAG,                                                                                               \
                  AT(request_opts, refresh),                                                                              \
                  NULL,                                                                                                   \
                  "ask the index again, whatever is cached" },                                                            \
                { 0, "upgrade", NULL, OPT_FLAG, AT(request_opts, upgrade_all), NULL, "do not keep the locked versions" }, \
                { 'P',                                                                                                    \
                  "upgrade-package",                                                                                      \
                  "NAME",                                                                                                 \
                  OPT_LIST,                                                                                               \
                  AT(request_opts, upgrade),                                                                              \
                  NULL,                                                                                                   \
                  "do not keep the locked version of NAME" },                                                             \
                { 0, "upgrade-base", NULL, OPT_FLAG, AT(request_opts, upgrade_base), NULL, "look at the base again" }

/* What hangs on an image that is pushed: the same for build and push. */
#define ATTACH_OPTS(type)                                                                                              \
        { 0, "sbom", "BOOL", OPT_TEXT, AT(type, attach.sbom), "true|false", "attach an SBOM (default: true)" },        \
                { 0,                                                                                                   \
                  "source",                                                                                            \
                  "BOOL",                                                                                              \
                  OPT_TEXT,                                                                                            \
                  AT(type, attach.source),                                                                             \
                  "true|false",                                                                                        \
                  "attach the lock and the definition (default: true)" },                                              \
                { 0,                                                                                                   \
                  "provenance",                                                                                        \
                  NULL,                                                                                                \
                  OPT_FLAG,                                                                                            \
                  AT(type, attach.provenance),                                                                         \
                  NULL,                                                                                                \
                  "attach a statement of what went in (SLSA v1, in-toto)" },                                           \
                { 0,                                                                                                   \
                  "sign",                                                                                              \
                  "KEY",                                                                                               \
                  OPT_TEXT,                                                                                            \
                  AT(type, attach.key),                                                                                \
                  NULL,                                                                                                \
                  "sign it as cosign does; KEY is a file, its password $ENVBUILD_KEY_PASSWORD" }

static const struct opt lock_opts[] = {
        REQUEST_OPTS,
        { 0, "from", "IMAGE", OPT_TEXT, AT(request_opts, from), NULL,
          "write the lock that IMAGE was made from, resolve nothing" },
        { 'o', "output", "FILE", OPT_TEXT, AT(request_opts, out), NULL, "with --from: write to FILE, - for stdout" },
        { 0, "dry-run", NULL, OPT_FLAG, AT(request_opts, dry_run), NULL,
          "resolve and say what would change, write nothing" },
        REGISTRY_OPTS(request_opts),
        OPT_END,
};
static const struct opt build_opts[] = {
        REQUEST_OPTS,
        { 't', "tag", "NAME", OPT_TEXT, AT(request_opts, tag), NULL,
          "name in the store (default: the definition's); with --push REGISTRY/NAME[:TAG]" },
        { 0, "push", NULL, OPT_FLAG, AT(request_opts, push), NULL, "push it to the registry that --tag names" },
        { 0, "format", "F", OPT_TEXT, AT(request_opts, format), "oci|docker",
          "media types of what is pushed: oci (default) or docker" },
        { 0, "compression", "C", OPT_TEXT, AT(request_opts, codec), "gzip|zstd|none",
          "of the layers: gzip, zstd or none" },
        { 0, "cache-repo", "REPO", OPT_LIST, AT(request_opts, cache_repo), NULL,
          "look up layers there, and with --push tell it of them (default: the tag's repository with -layers)" },
        { 0, "no-cache", NULL, OPT_FLAG, AT(request_opts, no_cache), NULL,
          "make every layer anew, whatever store and registries know" },
        { 0, "verify", "N", OPT_SOME, AT(request_opts, verify), NULL,
          "make all (or N) layers again from their packages and compare" },
        { 0, "dry-run", NULL, OPT_FLAG, AT(request_opts, dry_run), NULL,
          "show packages, layers and bytes; make nothing" },
        { 0, "iidfile", "FILE", OPT_TEXT, AT(request_opts, iidfile), NULL, "write the image id to FILE" },
        { 0, "metadata-file", "FILE", OPT_TEXT, AT(request_opts, metadata_file), NULL,
          "write what was built and pushed to FILE, as JSON" },
        ATTACH_OPTS(request_opts),
        REGISTRY_OPTS(request_opts),
        OPT_END,
};
static const struct opt push_opts[] = {
        { 0, "format", "F", OPT_TEXT, AT(push_opts, format), "oci|docker", "media types: oci (default) or docker" },
        { 0, "cache-repo", "REPO", OPT_TEXT, AT(push_opts, cache_repo), NULL,
          "tell it of the layers (default: the image's repository with -layers)" },
        { 0, "metadata-file", "FILE", OPT_TEXT, AT(push_opts, metadata_file), NULL,
          "write what was pushed to FILE, as JSON" },
        ATTACH_OPTS(push_opts),
        REGISTRY_OPTS(push_opts),
        OPT_END,
};
static const struct opt rebase_opts[] = {
        { 0, "base", "NEW", OPT_TEXT, AT(rebase_opts, base), NULL,
          "the new base: an image's name, oci:DIR[:TAG], or recipe:NAME" },
        { 't', "tag", "NAME", OPT_TEXT, AT(rebase_opts, tag), NULL,
          "name of the new image (default: the old one's); with --push REGISTRY/NAME[:TAG]" },
        { 0, "push", NULL, OPT_FLAG, AT(rebase_opts, push), NULL, "push it" },
        { 'o', "output", "FILE", OPT_TEXT, AT(rebase_opts, out), NULL,
          "write the new lock to FILE (default: the lock that was given, none of an image)" },
        { 0, "format", "F", OPT_TEXT, AT(rebase_opts, format), "oci|docker",
          "media types of what is pushed: oci (default) or docker" },
        { 0, "compression", "C", OPT_TEXT, AT(rebase_opts, codec), "gzip|zstd|none",
          "of the layers (default: as the image has them)" },
        { 0, "cache-repo", "REPO", OPT_LIST, AT(rebase_opts, cache_repo), NULL,
          "where facts about layers are looked up and published (default: those of IMAGE and of --tag, with -layers)" },
        ATTACH_OPTS(rebase_opts),
        REGISTRY_OPTS(rebase_opts),
        OPT_END,
};
static const struct opt sbom_opts[] = {
        { 'f', "format", "FORMAT", OPT_TEXT, AT(sbom_opts, format), "spdx-json", "spdx-json (default)" },
        { 0, "platform", "P", OPT_TEXT, AT(sbom_opts, platform), NULL, "which platform of several" },
        REGISTRY_OPTS(sbom_opts),
        OPT_END,
};
static const struct opt sign_opts[] = {
        { 0, "key", "KEY", OPT_TEXT, AT(sign_opts, key), NULL,
          "a PEM file (ECDSA, P-256); its password is in $ENVBUILD_KEY_PASSWORD or $COSIGN_PASSWORD" },
        { 0, "form", "FORM", OPT_TEXT, AT(sign_opts, form), "all|classic|bundle",
          "classic: a tag, as every cosign reads it; bundle: a referrer, as cosign 3 does; all (default)" },
        REGISTRY_OPTS(sign_opts),
        OPT_END,
};
/* What makes a run one that is kept; the description file has the same under Azure ML's names. */
#define RUN_OPTS                                                                                                        \
        { 0,                                                                                                            \
          "source",                                                                                                     \
          "DIR",                                                                                                        \
          OPT_TEXT,                                                                                                     \
          AT(run_opts, source),                                                                                         \
          NULL,                                                                                                         \
          "run a copy of this folder's files (see .amlignore, .gitignore)" },                                           \
                { 0,                                                                                                    \
                  "on",                                                                                                 \
                  "TARGET",                                                                                             \
                  OPT_TEXT,                                                                                             \
                  AT(run_opts, on),                                                                                     \
                  NULL,                                                                                                 \
                  "where: local (default), process, podman, docker, slurm, kubernetes, azureml, or a profile" },        \
                { 0, "name", "NAME", OPT_TEXT, AT(run_opts, name), NULL, "of the run; its id begins with it" },         \
                { 0, "experiment", "NAME", OPT_TEXT, AT(run_opts, experiment), NULL, "which runs it belongs to" },      \
                { 0, "label", "KEY=VALUE", OPT_LIST, AT(run_opts, label), NULL, "a tag of the run" },                   \
                { 0,                                                                                                    \
                  "input",                                                                                              \
                  "NAME=VALUE",                                                                                         \
                  OPT_LIST,                                                                                             \
                  AT(run_opts, input),                                                                                  \
                  NULL,                                                                                                 \
                  "an input of the description: a text, a number, or a path" },                                         \
                { 0,                                                                                                    \
                  "env-from-host",                                                                                      \
                  "NAME",                                                                                               \
                  OPT_LIST,                                                                                             \
                  AT(run_opts, host_env),                                                                               \
                  NULL,                                                                                                 \
                  "give the command this variable of ours; its value is kept nowhere" },                                \
                { 0, "timeout", "SECONDS", OPT_LARGE, AT(run_opts, timeout), NULL, "end it after so long (exit 124)" }, \
                { 0,                                                                                                    \
                  "grace",                                                                                              \
                  "SECONDS",                                                                                            \
                  OPT_LARGE,                                                                                            \
                  AT(run_opts, grace),                                                                                  \
                  NULL,                                                                                                 \
                  "from TERM to KILL when it is to end (default 30)" },                                                 \
                { 0, "retries", "N", OPT_COUNT, AT(run_opts, retries), NULL, "again when its machine was lost" },       \
                { 0,                                                                                                    \
                  "distribution",                                                                                       \
                  "KIND",                                                                                               \
                  OPT_TEXT,                                                                                             \
                  AT(run_opts, dist),                                                                                   \
                  "pytorch|mpi|tensorflow",                                                                             \
                  "how ranks find each other: pytorch, mpi or tensorflow" },                                            \
                { 0, "nodes", "N", OPT_COUNT, AT(run_opts, nodes), NULL, "so many machines" },                          \
                { 0, "processes", "N", OPT_COUNT, AT(run_opts, per_node), NULL, "so many ranks on each" },              \
                { 0, "gpus", "N", OPT_COUNT, AT(run_opts, gpus), NULL, "so many GPUs on each" },                        \
                { 0, "cpus", "N", OPT_COUNT, AT(run_opts, cpus), NULL, "so many processors on each" },                  \
                { 0, "memory", "SIZE", OPT_TEXT, AT(run_opts, memory), NULL, "so much memory on each: 512m, 16g" },     \
                { 0, "shm-size", "SIZE", OPT_TEXT, AT(run_opts, shm_size), NULL, "of /dev/shm (default 2g)" }

static const struct opt run_opts[] = {
        REQUEST_OPTS,
        RUN_OPTS,
        { 0, "no-wait", NULL, OPT_FLAG, AT(run_opts, no_wait), NULL, "print the run's id and leave it alone" },
        { 0, "render", "DIR", OPT_TEXT, AT(run_opts, render), NULL,
          "write what would be submitted to DIR; submit nothing" },
        { 0, "volume", "SRC:DST", OPT_LIST, AT(request_opts, volume), NULL,
          "make a folder of this machine visible in the image" },
        { 'w', "workdir", "DIR", OPT_TEXT, AT(request_opts, workdir), NULL, "start in DIR of the image" },
        { 0, "network", "KIND", OPT_TEXT, AT(request_opts, network), "host|none", "host (default) or none" },
        REGISTRY_OPTS(request_opts),
        OPT_END,
};
static const struct opt sweep_opts[] = {
        { 0, "set", "NAME=V1,V2", OPT_LIST, AT(run_opts, set), NULL,
          "values of an input or variable: a list, or a range: 1..5, 0..1:0.25" },
        { 0, "random", "N", OPT_LARGE, AT(run_opts, random), NULL, "N combinations, each once, instead of all" },
        { 0, "seed", "S", OPT_LARGE, AT(run_opts, seed), NULL, "which ones: the same for the same seed" },
        { 0, "max-concurrent", "K", OPT_COUNT, AT(run_opts, concurrent), NULL,
          "so many at once (default: 1 on one machine, all on a cluster)" },
        { 0, "metric", "NAME", OPT_TEXT, AT(run_opts, metric), NULL, "show this value of outputs/metrics.json" },
        { 0, "json", NULL, OPT_FLAG, AT(run_opts, json), NULL, "the table as JSON" },
        REQUEST_OPTS,
        RUN_OPTS,
        { 0, "volume", "SRC:DST", OPT_LIST, AT(request_opts, volume), NULL,
          "make a folder of this machine visible in the image" },
        REGISTRY_OPTS(request_opts),
        OPT_END,
};
static const struct opt platform_opts[] = {
        { 0, "platform", "P", OPT_TEXT, AT(read_opts, platform), NULL, "which platform of several" },
        OPT_END,
};
static const struct opt pull_opts[] = {
        { 0, "platform", "P", OPT_TEXT, AT(read_opts, platform), NULL, "which platform of several" },
        REGISTRY_OPTS(read_opts),
        OPT_END,
};
static const struct opt export_opts[] = {
        { 'f', "format", "FORMAT", OPT_TEXT, AT(export_opts, format), "conda-lock|explicit|environment|requirements",
          "conda-lock, explicit, environment or requirements" },
        { 0, "platform", "P", OPT_TEXT, AT(export_opts, platform), NULL,
          "which platform of several (conda-lock: default all)" },
        OPT_END,
};
static const struct opt runs_list_opts[] = {
        { 0, "experiment", "E", OPT_TEXT, AT(runs_opts, experiment), NULL, "only those of the experiment E" },
        { 0, "all", NULL, OPT_FLAG, AT(runs_opts, all), NULL, "archived ones too" },
        { 0, "limit", "N", OPT_COUNT, AT(runs_opts, limit), NULL, "only the newest N" },
        { 0, "json", NULL, OPT_FLAG, AT(runs_opts, json), NULL, "for programs" },
        OPT_END,
};
static const struct opt runs_show_opts[] = {
        { 0, "json", NULL, OPT_FLAG, AT(runs_opts, json), NULL, "for programs" },
        { 0, "html", "FILE", OPT_TEXT, AT(runs_opts, html), NULL, "write a page to FILE, - for stdout" },
        OPT_END,
};
static const struct opt runs_logs_opts[] = {
        { 'f', "follow", NULL, OPT_FLAG, AT(runs_opts, follow), NULL, "go on until the run is over" },
        { 0, "rank", "N", OPT_TEXT, AT(runs_opts, rank), NULL, "only this rank, as it comes" },
        { 0, "tail", "N", OPT_COUNT, AT(runs_opts, tail), NULL, "begin with the last N lines" },
        OPT_END,
};
static const struct opt runs_download_opts[] = {
        { 'o', "output", "DIR", OPT_TEXT, AT(runs_opts, out), NULL, "where to" },
        OPT_END,
};
static const struct opt runs_rm_opts[] = {
        { 0, "force", NULL, OPT_FLAG, AT(runs_opts, force), NULL, "cancel those that go on" },
        OPT_END,
};
static const struct opt json_opts[] = {
        { 0, "json", NULL, OPT_FLAG, AT(read_opts, json), NULL, "for programs" },
        OPT_END,
};
static const struct opt read_opts[] = {
        { 0, "json", NULL, OPT_FLAG, AT(read_opts, json), NULL, "for programs" },
        { 0, "platform", "P", OPT_TEXT, AT(read_opts, platform), NULL, "which platform of several" },
        REGISTRY_OPTS(read_opts),
        OPT_END,
};
static const struct opt curated_build_opts[] = {
        { 't', "tag", "NAME", OPT_TEXT, AT(request_opts, tag), NULL, "name in the store (default: the set's)" },
        { 0, "platform", "P", OPT_LIST, AT(request_opts, platform), NULL,
          "linux/amd64 or linux/arm64 (default: this machine's)" },
        { 0, "compression", "C", OPT_TEXT, AT(request_opts, codec), "gzip|zstd|none",
          "of the layers: gzip, zstd or none" },
        { 0, "dry-run", NULL, OPT_FLAG, AT(request_opts, dry_run), NULL,
          "show packages, layers and bytes; make nothing" },
        { 0, "iidfile", "FILE", OPT_TEXT, AT(request_opts, iidfile), NULL, "write the image id to FILE" },
        { 0, "metadata-file", "FILE", OPT_TEXT, AT(request_opts, metadata_file), NULL,
          "write what was built to FILE, as JSON" },
        OPT_END,
};

static const struct opt login_opts[] = {
        { 'u', "username", "USER", OPT_TEXT, AT(login_opts, username), NULL,
          "name at the registry (default: asked for)" },
        { 0, "password-stdin", NULL, OPT_FLAG, AT(login_opts, password_stdin), NULL,
          "read the password from stdin; else it is asked for" },
        { 'p', "password", "WORD", OPT_TEXT, AT(login_opts, password), NULL,
          "not taken: everybody on this machine can read a command line" },
        REGISTRY_OPTS(login_opts),
        OPT_END,
};
static const struct opt logout_opts[] = {
        { 0, "all", NULL, OPT_FLAG, AT(login_opts, all), NULL, "every registry" },
        { 0, "authfile", "FILE", OPT_TEXT, AT(login_opts, registry.auth_file), NULL,
          "logins of registries (default: where docker and podman keep them)" },
        OPT_END,
};
static const struct opt registry_list_opts[] = {
        { 0, "json", NULL, OPT_FLAG, AT(repository_cli, json), NULL, "for programs" },
        REGISTRY_OPTS(repository_cli),
        OPT_END,
};
static const struct opt registry_prune_opts[] = {
        { 0, "keep-locked", "DIR", OPT_LIST, AT(repository_cli, keep), NULL,
          "keep what the locks below DIR name; may be given several times" },
        { 0, "older-than", "WHEN", OPT_TEXT, AT(repository_cli, older), NULL,
          "only what is older: a date, or 30d. The date is the newest in an image's lock: a registry knows no other" },
        { 0, "yes", NULL, OPT_FLAG, AT(repository_cli, yes), NULL, "delete; without it is only said what would be" },
        { 0, "json", NULL, OPT_FLAG, AT(repository_cli, json), NULL, "for programs" },
        REGISTRY_OPTS(repository_cli),
        OPT_END,
};
static const struct opt prewarm_opts[] = {
        { 0, "to", "PLACE", OPT_LIST, AT(prewarm_cli, to), NULL,
          "REGISTRY[/PATH], containers-storage:, docker-daemon: or containerd:; may be given several times" },
        { 't', "tag", "TAG", OPT_LIST, AT(prewarm_cli, tag), NULL,
          "tag of the images (default: latest); may be given several times" },
        { 0, "platform", "P", OPT_LIST, AT(prewarm_cli, platform), NULL,
          "for registries: linux/amd64 or linux/arm64 (default: all of the definition)" },
        { 0, "compression", "C", OPT_TEXT, AT(prewarm_cli, codec), "gzip|zstd|none",
          "of the layers: gzip, zstd or none" },
        { 0, "locked", NULL, OPT_FLAG, AT(prewarm_cli, locked), NULL,
          "locks must fit their definitions, and none is written" },
        { 0, "dry-run", NULL, OPT_FLAG, AT(prewarm_cli, dry_run), NULL, "say what would go where; move nothing" },
        { 0, "json", NULL, OPT_FLAG, AT(prewarm_cli, json), NULL, "for programs" },
        ATTACH_OPTS(prewarm_cli),
        REGISTRY_OPTS(prewarm_cli),
        OPT_END,
};

const struct cmd cmds[] = {
        { "build", "[FILE…]", "turn an environment into an image",
          "FILE is an environment.yml, a requirements.txt or a .lock (default: env.yml or environment.yml here).\n"
          "A conda-lock.yml, a pixi.lock or an @EXPLICIT list is taken as it is: nothing is resolved again.\n"
          "The definition is resolved into NAME.lock beside it, unless that lock still fits; the image goes into the "
          "store.\n"
          "Prints one line: NAME@sha256:…, which `envbuild run` takes. With --push it is REGISTRY/NAME@sha256:…, which "
          "every container tool takes.",
          build_opts, sizeof(struct request_opts), false, cmd_build },
        { "lock", "[FILE…]", "resolve and pin, without building",
          "Writes NAME.lock beside the definition and prints its path. Versions of an existing lock are kept where "
          "they still fit.\n"
          "With --from, NAME.lock is written here, as it was when IMAGE was built; a file that says something else is "
          "not replaced.",
          lock_opts, sizeof(struct request_opts), false, cmd_lock },
        { "push", "IMAGE [REF…]", "push an image to a registry",
          "IMAGE is what `envbuild build` printed, or a name in the store. REF is REGISTRY/NAME[:TAG] (default: "
          "IMAGE's "
          "own name); several of one repository are tags of it.\n"
          "What the registry has is not sent again, what another of its repositories has is mounted. Tags are set "
          "last: "
          "a push that breaks leaves no broken image, and the next one goes on.\n"
          "Prints one line: REGISTRY/NAME@sha256:….",
          push_opts, sizeof(struct push_opts), false, cmd_push },
        { "rebase", "IMAGE|FILE…", "put the same packages on another base",
          "Nothing is resolved anew: base, layers `os`, `env` and `last`, config and manifest are made again, every "
          "package layer stays. IMAGE is of the store or of a registry, by the lock it was made from; FILE is a "
          "definition with its lock, or a lock, which is written again.\n"
          "Refused (exit 3) when the packages cannot stand there: an older or another libc, another /opt, /usr or "
          "platform, another python below a venv.\n"
          "recipe:NAME takes the Debian packages as they are now: a refresh, when it is the base already.\n"
          "Prints one line: NAME@sha256:….",
          rebase_opts, sizeof(struct rebase_opts), false, cmd_rebase },
        { "sbom", "IMAGE|FILE", "print what an image is made of",
          "As SPDX 2.3 JSON on stdout: the image, its base, every package with its address, hash and needs. FILE is a "
          "definition or a lock; IMAGE is of the store or of a registry, where the SBOM that hangs on it is printed as "
          "it is.",
          sbom_opts, sizeof(struct sbom_opts), false, cmd_sbom },
        { "sign", "IMAGE", "sign an image in a registry",
          "IMAGE is REGISTRY/NAME[:TAG] or REGISTRY/NAME@sha256:…. Signatures by other keys stay; signing twice "
          "changes nothing. `cosign verify --key PUBLIC` reads it.\n"
          "Prints REGISTRY/NAME@sha256:…, what was signed.",
          sign_opts, sizeof(struct sign_opts), false, cmd_sign },
        { "run", "[IMAGE|FILE] [-- CMD…]", "run a command in an image, here or on a cluster",
          "IMAGE is what `envbuild build` printed, or a name in the store; a definition or lock is built first. An "
          "image that is not in the store is pulled when its name has a registry or a digest. FILE may also be the "
          "description of a run: an Azure ML command job, a ScriptRunConfig (YAML or JSON) or a .runconfig.\n"
          "With none of the options from --source to --render it is docker's run: a command in the image, in front of "
          "the terminal, its changes gone when it ends. Layers are unpacked once each and stacked; bubblewrap isolates "
          "the command. Without CMD the image's entrypoint and command run. On a terminal the command gets one of its "
          "own, with job control; in a pipe nothing comes between.\n"
          "A description, or any of those options, makes it a run that is kept: the source is copied, the folder of "
          "the "
          "run holds logs, outputs and how it ended (`envbuild runs`). Its log is shown; Ctrl-C asks for its end, a "
          "second one leaves it alone; it does not end when this program does. ./outputs and ./logs are kept. Without "
          "an environment it is curated/minimal.\n"
          "The exit code is the command's; 124 after --timeout, 125 when the command was not reached, 128+N by "
          "signal N.",
          run_opts, sizeof(struct run_opts), true, cmd_run },
        { "sweep", "FILE [-- CMD…]", "run one description with many values",
          "FILE is the description of a run; each --set gives values to one of its literal inputs, or to one of its "
          "variables. All combinations are run, the last --set changing fastest, or --random of them. The environment "
          "is "
          "built once and the source is copied once.\n"
          "At the end there is a table of parameters, state, exit code, time and, with --metric, what the run wrote as "
          "that into outputs/metrics.json (an object, or a line each time; the last counts). Each run is a run like "
          "others (`envbuild runs`), with its parameters as tags.\n"
          "Ctrl-C asks all of them to end, a second one leaves them alone. The exit code is 0 when all completed, 1 "
          "when "
          "not, 130 after Ctrl-C.",
          sweep_opts, sizeof(struct run_opts), false, cmd_sweep },
        { "pull", "IMAGE", "fetch an image of a registry into the store",
          "IMAGE is a name as docker knows it: docker.io/library/busybox, busybox:1.36, localhost:5000/team/train, "
          "NAME@sha256:DIGEST.\n"
          "An index stays an index; of its images the one for this machine is fetched, or that of --platform.\n"
          "Layers that are in the store already are not fetched again. Prints one line: NAME@sha256:…, which `envbuild "
          "run` takes.",
          pull_opts, sizeof(struct read_opts), false, cmd_pull },
        { "inspect", "IMAGE|FILE", "show layers, packages and bytes of an image",
          "Of an image: digest, platforms, base, layers, environment. The store is looked at first, then the registry "
          "that the name means (docker.io without one; docker://IMAGE asks the registry at once); no layer is "
          "fetched.\n"
          "Of a definition or lock: each layer with the packages it is made of and their bytes.",
          read_opts, sizeof(struct read_opts), false, cmd_inspect },
        { "tree", "[FILE]", "show what needs what in a lock", "FILE is a definition or a lock.", platform_opts,
          sizeof(struct read_opts), false, cmd_tree },
        { "why", "NAME [FILE]", "say who asked for a package", "FILE is a definition or a lock.", platform_opts,
          sizeof(struct read_opts), false, cmd_why },
        { "export", "[FILE]", "write a lock in another tool's format",
          "FILE is a definition or a lock, ours or another tool's (conda-lock.yml, pixi.lock, @EXPLICIT). The answer "
          "is on stdout:\n"
          "conda-lock: conda-lock.yml version 1, for `conda-lock install` and micromamba. explicit: an @EXPLICIT list, "
          "for "
          "`conda create --file`. environment: an environment.yml with every version and build pinned. requirements: "
          "the "
          "wheels with their hashes, for `pip install --require-hashes`.\n"
          "What a format cannot say, as the base and Debian packages, is named in a comment.",
          export_opts, sizeof(struct export_opts), false, cmd_export },
        { "curated list", NULL, "list the environments that are shipped", NULL, json_opts, sizeof(struct read_opts),
          false, cmd_curated_list },
        { "curated show", "NAME", "show what a curated set holds",
          "Its definition, its lock, its packages, and the digest of its image.", json_opts, sizeof(struct read_opts),
          false, cmd_curated_show },
        { "curated build", "NAME", "build a curated set as it is locked",
          "The same as `envbuild build curated/NAME`: for this machine's platform unless told.", curated_build_opts,
          sizeof(struct request_opts), false, cmd_curated_build },
        { "curated push", "NAME…", "push curated sets to registries", "The same as `envbuild prewarm curated/NAME…`.",
          prewarm_opts, sizeof(struct prewarm_cli), false, cmd_curated_push },
        { "prewarm", "SET…", "have many images where jobs will look for them",
          "SET is a definition, a lock, curated/NAME, or a folder: its *.yml, and the env.yml of each folder in it. "
          "Each "
          "is locked as `build` does it, built where some place lacks it, and pushed as PLACE/NAME:latest; NAME is the "
          "definition's.\n"
          "containers-storage: (podman, CRI-O), docker-daemon: and containerd: are this machine's own stores, filled "
          "by "
          "their own programs ($CONTAINERD_NAMESPACE counts); what stands behind the colon is put before NAME.\n"
          "Nothing that is there is sent again, so it may run from cron and on several hosts at once. Every image and "
          "every place is tried; the exit code is that of what failed.",
          prewarm_opts, sizeof(struct prewarm_cli), false, cmd_prewarm },
        { "registry list", "REPO", "list what a repository of a registry holds",
          "REPO is REGISTRY/NAME. Each manifest that has a tag: what it is, its tags, its bytes, its date.",
          registry_list_opts, sizeof(struct repository_cli), false, cmd_registry_list },
        { "registry prune", "REPO…", "delete what no lock names from a registry",
          "Kept is what the locks below --keep-locked name: images by digest (those of Docker's types by their "
          "config), layer facts by key, what hangs on a kept image. What is not ours is never touched. Without --yes "
          "nothing is deleted. Bytes are freed by the registry's garbage collection.",
          registry_prune_opts, sizeof(struct repository_cli), false, cmd_registry_prune },
        { "runs list", NULL, "list runs, newest first",
          "What was run with `envbuild run` and kept: its folder's name, its state, when. Engines are not asked; `runs "
          "show` and `runs wait` do. Archived runs are left out without --all.",
          runs_list_opts, sizeof(struct runs_opts), false, cmd_runs_list },
        { "runs show", "RUN", "show all that is known of a run",
          "RUN is a run's name, a beginning that no other has, or @latest. Its engine is asked first. Then: what was "
          "asked for, where it is, how each rank ended, the last lines of the rank that failed first, and what "
          "probably "
          "went wrong.\n"
          "--html writes one page that needs no network: states over time, ranks, ends of logs, memory, parameters.",
          runs_show_opts, sizeof(struct runs_opts), false, cmd_runs_show },
        { "runs logs", "RUN", "show what a run says",
          "All ranks, each line with its rank in front when there are several. With -f until the run is over; Ctrl-C "
          "leaves the run alone.",
          runs_logs_opts, sizeof(struct runs_opts), false, cmd_runs_logs },
        { "runs wait", "RUN…", "wait until runs are over",
          "The exit code is the run's: the command's own, 128 + a signal's number, 124 after its time limit, 130 "
          "cancelled, 125 when it never ran. Of several: of the first that did not end well.",
          NULL, sizeof(struct runs_opts), false, cmd_runs_wait },
        { "runs cancel", "RUN…", "ask runs to end",
          "The command gets a TERM, and a KILL after its grace (30 s). A run that ends well all the same is Completed.",
          NULL, sizeof(struct runs_opts), false, cmd_runs_cancel },
        { "runs collect", "RUN…", "bring what runs made into their folders",
          "What an engine keeps elsewhere is fetched as soon as a run is over; this does it now, or again.", NULL,
          sizeof(struct runs_opts), false, cmd_runs_collect },
        { "runs download", "RUN", "copy a run's outputs and logs",
          "outputs/, logs/ and user_logs/ of the run to DIR, which must be empty or not there (default: a folder of "
          "the "
          "run's name).",
          runs_download_opts, sizeof(struct runs_opts), false, cmd_runs_download },
        { "runs archive", "RUN…", "leave runs out of the list",
          "Nothing of them is deleted; `runs list --all` shows them.", NULL, sizeof(struct runs_opts), false,
          cmd_runs_archive },
        { "runs rm", "RUN…", "delete runs with all they made",
          "What the engine still has of them is removed first. A run that goes on is refused; --force cancels it, "
          "waits "
          "for its end, and deletes it then.",
          runs_rm_opts, sizeof(struct runs_opts), false, cmd_runs_rm },
        { "cache dir", NULL, "print where the store is", "An OCI image layout stands in its folder oci/.", NULL, 0,
          false, cmd_cache_dir },
        { "cache size", NULL, "show what the store holds", NULL, json_opts, sizeof(struct read_opts), false,
          cmd_cache_size },
        { "cache verify", NULL, "hash everything again and drop what is damaged",
          "The next build makes or fetches it again. Exit 7 when anything was damaged.", json_opts,
          sizeof(struct read_opts), false, cmd_cache_verify },
        { "login", "HOST", "log in to a registry",
          "The login is tried first, and then kept where docker and podman keep theirs, so that they know it too: with "
          "the credential helper that their files name, else in the file that has this registry's login already, else "
          "in podman's auth.json.\n"
          "Logins that docker, podman or skopeo made are used as they are.",
          login_opts, sizeof(struct login_opts), false, cmd_login },
        { "logout", "HOST", "forget the login of a registry", "It is taken out of every file that has it.", logout_opts,
          sizeof(struct login_opts), false, cmd_logout },
        { "doctor", NULL, "say what works here, and why the rest does not",
          "Targets and profiles that `envbuild run --on` takes, the store, logins of registries, proxies and "
          "certificates, "
          "programs that are called. Nothing is changed. Exit 0 when the target `local` works, else 1.",
          json_opts, sizeof(struct read_opts), false, cmd_doctor },
        { "completion", "bash|zsh|fish", "print a completion script", NULL, NULL, 0, false, cmd_completion },
        { "version", NULL, "print the version", NULL, NULL, 0, false, cmd_version },
        { "__supervise", "DIR", NULL, NULL, NULL, 0, false, cmd_supervise },
        { "__rank", "DIR RANK", NULL, NULL, NULL, 0, true, cmd_rank },
        { "__man", NULL, "the manual page as roff", NULL, NULL, 0, false, cmd_man },
        { 0 },
};
