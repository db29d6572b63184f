/* run/job/job.h - the description of a run: one struct, whatever it came from (flags, an Azure ML v2 command job, ScriptRunConfig as JSON or
 * YAML, a v1 .runconfig). Sources: specs of Azure ML CLI v2 command jobs, azureml-core's ScriptRunConfig and RunConfiguration. Texts live in
 * the arena. Reading touches no network; paths are made absolute but need not exist yet (job/check.c looks).
 * Faults go to ctx->diags with file:line:column and codes EB55x (docs/internals/diagnostics.md), all of them at once. */
#ifndef RUN_JOB_JOB_H
#define RUN_JOB_JOB_H

#include "ext/json.h"
#include "ext/yaml.h"
#include "run/run.h"

struct run_pair {
        sv name, value;
};
enum run_dist { RUN_DIST_NONE, RUN_DIST_PYTORCH, RUN_DIST_MPI, RUN_DIST_TENSORFLOW };
enum run_input_kind {
        RUN_INPUT_LITERAL,
        RUN_INPUT_FILE,
        RUN_INPUT_FOLDER,
        RUN_INPUT_REMOTE /* azureml:, https:, wasbs:, abfss: */
};
struct run_input {
        sv name;
        enum run_input_kind kind;
        sv value;      /* text, absolute path, or address */
        sv type;       /* as written: "uri_file", "uri_folder", "integer", "" … */
        sv mode;       /* as written: "ro_mount", "download", "direct", "" …; only Azure ML takes them all */
        bool download; /* copied into the run's folder instead of bound read-only */
        uint32_t line, col;
};
struct run_output {
        sv name, type; /* lands in outputs/NAME, a folder that is there when the command starts */
        sv mode, path; /* as written: where and how Azure ML keeps it; elsewhere without effect (told on reading) */
};
struct run_mount {
        sv src, dst;
        bool ro;
};
enum run_env_kind {
        RUN_ENV_NONE,    /* the named default: curated/minimal */
        RUN_ENV_NAME,    /* a reference: store, registry, name@sha256:…; "curated/NAME"; text */
        RUN_ENV_FILE,    /* a definition; text: absolute path */
        RUN_ENV_INLINE,  /* a base image and conda dependencies; text: base (may be empty), conda: see below */
        RUN_ENV_AZUREML, /* azureml:NAME:VERSION, azureml:NAME@latest, azureml://…: text */
        RUN_ENV_HOST     /* user-managed: text is the interpreter ("python") */
};
struct run_environment {
        enum run_env_kind kind;
        sv text;
        sv conda_file;    /* RUN_ENV_INLINE: absolute path of a definition; or */
        sv conda_inline;  /* … its text as YAML (or JSON, which is YAML), written down by job/ */
        sv registry_host; /* baseImageRegistry.address: for messages; credentials are never taken from a description */
        uint32_t line, col;
};
struct run_spec {
        sv file; /* what it was read from; empty: flags */
        sv name, display_name, experiment,
                description; /* experiment: never empty (name of the source folder, else "default") */
        struct run_pair *tag;
        size_t n_tag;
        sv code; /* absolute folder; empty: no source */
        /* For /bin/sh -c, with literal inputs put in as text. An input with a path or an address stands in it as "${ENVBUILD_INPUT_<NAME>}", an
         * output as "${ENVBUILD_OUTPUTS}/<NAME>" (in single quotes: with those closed around it): where they are, only the rank knows. */
        sv command; /* or */
        sv *argv;   /* … words, passed on as they are (flags after `--`; script + arguments) */
        size_t n_argv;
        sv command_written; /* `command` with ${{inputs.x}} still in it: for Azure ML, and for run_job_set */
        struct run_environment environment;
        struct run_pair *env; /* environment_variables, -e: in order, each name once */
        size_t n_env;
        sv *host_env; /* x-envbuild.env_from_host: names; values are read at submit */
        size_t n_host_env;
        enum run_dist dist;
        unsigned nodes; /* resources.instance_count, node_count; at least 1 */
        unsigned
                per_node; /* processes a node; 0: one, not said. TensorFlow: workers + parameter servers are spread over nodes */
        unsigned workers, servers; /* TensorFlow */
        sv backend;                /* PyTorchConfiguration.communication_backend */
        sv compute;                /* name of a profile or of a target; empty: local */
        sv instance_type;
        uint64_t shm_size; /* bytes; 2 GiB unless said */
        sv *docker_arg;    /* resources.docker_args, docker_runtime_config.arguments: podman and docker only */
        size_t n_docker_arg;
        uint64_t timeout_s; /* 0: none */
        unsigned grace_s;   /* TERM → KILL; 30 */
        unsigned retries;   /* x-envbuild.retry.max */
        sv *retry_on; /* "node_fail", "preempted", "lost", "exit-code"; empty with retries: node_fail, preempted */
        size_t n_retry_on;
        struct run_mount *mount;
        size_t n_mount;
        unsigned gpus, cpus; /* 0: not said */
        uint64_t memory;     /* bytes; 0: not said */
        struct run_input *input;
        size_t n_input;
        struct run_output *output;
        size_t n_output;
        struct js *
                azureml; /* keys that only Azure ML takes (services, identity, queue_settings, component …), as read; NULL: none */
        sv azureml_first; /* the first of them, for the refusal by other targets, and where */
        uint32_t azureml_line;
};

/** A YAML or JSON text that is a run description: has `command` or a `type` of a job, or a runconfig's `script`/`target`; one with `dependencies` is a
 *  definition. Looks at the top level only. */
bool run_job_is(sv text);
/**
 * Read a description. Kind by content: v2 command job, ScriptRunConfig (`type: script_run`, or `source_directory`), .runconfig (`framework`,
 * `script`), the 2021 preview form (`environment.docker`).
 *
 * @return 0 with *ret set (in a) · -ERR_USAGE with the faults in ds · -ERR_NOT_FOUND, -ERR_IO
 */
int run_job_load(struct arena *a, const char *path, struct diags *ds, struct run_spec **ret, struct err *e);
/** The same from memory; dir: what relative paths are relative to (absolute). For tests and fuzzing. */
int run_job_parse(struct arena *a, sv text, sv file, sv dir, struct diags *ds, struct run_spec **ret, struct err *e);
/** Defaults of one that is made from flags. */
void run_job_init(struct run_spec *s);
/** What can be said before anything is done: source folder, input paths, contradictions (mpirun under `distribution: mpi`, both command and script). */
int run_job_check(const struct run_spec *s, struct diags *ds, struct err *e);
/** `--set lr=0.1` of a sweep: an input (a path is relative to the working directory), else a variable of the description; anything else is a fault. Puts the command
 *  together again. */
int run_job_set(struct arena *a, struct run_spec *s, sv name, sv value, struct err *e);
/** The description as canonical JSON (no values of host_env): what run.json keeps as "spec", and back. */
struct js *run_job_json(struct arena *a, const struct run_spec *s);
int run_job_from_json(struct arena *a, const struct js *j, struct run_spec **ret, struct err *e);
/** Ranks in all: nodes times processes a node; TensorFlow: workers and parameter servers. */
unsigned run_job_ranks(const struct run_spec *s);
/** "AzureML-Minimal", "sklearn-1.5" … of an Azure ML reference → the set of ours that is made for the same ("minimal"); empty: none. */
sv run_job_curated_name(const struct run_environment *v);

#endif
