/* run/job/job_priv.h - what the readers of descriptions share: one reading, its faults, its tables of keys, its values. */
#ifndef RUN_JOB_JOB_PRIV_H
#define RUN_JOB_JOB_PRIV_H

#include "base/attr.h"
#include "run/job/job.h"

#define JOB_FILE_MAX  ((size_t)4 << 20) /* bytes of one description */
#define JOB_ITEMS_MAX 10000             /* of one list or mapping */
#define JOB_RANKS_MAX 1000000u

struct job_read {
        struct arena *a;
        struct diags *ds;
        sv file, dir; /* as the user named it; what relative paths are relative to */
        sv text;      /* the whole file: where exactly a word stands in it */
        struct run_spec *s;
        const struct yaml *command;       /* where it was written; NULL: nowhere */
        const struct yaml *docker;        /* the run's own docker section of a .runconfig */
        bool script_seen, old_references; /* "{inputs.x}" of the 2021 preview */
        unsigned total; /* processes in all, where that is what is written (2021: distribution.process_count); 0: not */
        size_t cap_input, cap_output, cap_env;
};

/* Faults (fault.c): at a node, all of it underlined. Codes EB55x. */
size_t job_fault(struct job_read *r, const struct yaml *y, const char *code, const char *fmt, ...) PRINTF(4, 5);
size_t job_warn(struct job_read *r, const struct yaml *y, const char *code, const char *fmt, ...) PRINTF(4, 5);

/* Keys (keys.c). */
struct job_key {
        const char *name; /* camelCase names also match their snake_case form */
        /** NULL: known, and of no effect here. */
        void (*take)(struct job_read *r, const struct yaml *key, const struct yaml *value);
};
/** Every key of a mapping through the table that ends with a NULL name; an unknown one is EB550. what: "of resources", or "". Null: nothing to do. */
void job_keys(struct job_read *r, const struct yaml *map, const struct job_key *keys, const char *what);
bool job_key_is(sv key, const char *name);                           /* as tables match */
const struct yaml *job_get(const struct yaml *map, const char *key); /* NULL when absent, null, or not a mapping */
/** Keys that only Azure ML takes: into s->azureml as they are. */
void job_keep(struct job_read *r, const struct yaml *key, const struct yaml *value);
/** The same of a key below `section`, which others read too: what is kept is joined with that. */
void job_keep_in(struct job_read *r, const char *section, const struct yaml *key, const struct yaml *value);

/* Values (values.c): false when there is none: a fault was told, or the value is null (*ret is untouched). */
bool job_text(struct job_read *r, const struct yaml *key, const struct yaml *y, sv *ret);
bool job_number(struct job_read *r, const struct yaml *key, const struct yaml *y, uint64_t min, uint64_t max,
                uint64_t *ret);
bool job_count(struct job_read *r, const struct yaml *key, const struct yaml *y, unsigned *ret); /* 1 … JOB_RANKS_MAX */
bool job_bool(struct job_read *r, const struct yaml *key, const struct yaml *y, bool *ret);
bool job_size(struct job_read *r, const struct yaml *key, const struct yaml *y,
              uint64_t *ret); /* "2g", "64Gi", bytes */
bool job_pairs(struct job_read *r, const struct yaml *key, const struct yaml *y, struct run_pair **ret, size_t *ret_n);
bool job_texts(struct job_read *r, const struct yaml *key, const struct yaml *y, sv **ret, size_t *ret_n);
/* take.c: keys that every form has, under names of its own. */
void job_take_name(struct job_read *r, const struct yaml *key, const struct yaml *y);
void job_take_display_name(struct job_read *r, const struct yaml *key, const struct yaml *y);
void job_take_experiment(struct job_read *r, const struct yaml *key, const struct yaml *y);
void job_take_tags(struct job_read *r, const struct yaml *key, const struct yaml *y);
/** A list, or one text that is split as a shell would (quotes, no expansion). */
bool job_words(struct job_read *r, const struct yaml *key, const struct yaml *y, sv **ret, size_t *ret_n);
bool job_map(struct job_read *r, const struct yaml *key, const struct yaml *y);       /* a mapping, else EB551 */
void job_variables(struct job_read *r, const struct yaml *key, const struct yaml *y); /* into s->env, later wins */

sv job_path_from(struct arena *a, sv dir, sv path);
sv job_path(struct job_read *r, sv path); /* absolute and normalised, "file:" taken off */
bool job_remote(sv path);                 /* azureml:…, scheme://… (not file:) */

/* Pieces. */
void job_environment(struct job_read *r, const struct yaml *key, const struct yaml *y);    /* environment.c: v2, 2021 */
void job_environment_v1(struct job_read *r, const struct yaml *key, const struct yaml *y); /* environment_v1.c */
void job_environment_text(struct job_read *r, const struct yaml *at, sv text);
bool job_is_environment_v1(const struct yaml *y);
void job_docker_run(struct job_read *r, const struct yaml *key, const struct yaml *y); /* {use_docker, shm_size …} */
bool job_docker_used(const struct yaml *docker);
void job_inputs(struct job_read *r, const struct yaml *key, const struct yaml *y); /* data.c */
void job_outputs(struct job_read *r, const struct yaml *key, const struct yaml *y);
void job_x_envbuild(struct job_read *r, const struct yaml *key, const struct yaml *y); /* x_envbuild.c */
void job_compute(struct job_read *r, const struct yaml *key, const struct yaml *y);
/** script + arguments → argv, or a command when an argument holds $NAME, which the node puts in. */
void job_script(struct job_read *r, sv interpreter, sv script, const sv *arg, size_t n);
bool job_name_valid(sv name);                             /* [A-Za-z_][A-Za-z0-9_]* */
sv job_conda_text(struct arena *a, const struct yaml *y); /* conda_text.c */
struct js *job_js(struct arena *a, const struct yaml *y); /* yaml_js.c */
struct run_input *job_input_find(const struct run_spec *s, sv name);

/* fill.c: s->command made of s->command_written. r NULL: references are known to be good. */
void job_fill(struct arena *a, struct run_spec *s, struct job_read *r);
/** "{inputs.x}" → "${{inputs.x}}". */
sv job_new_references(struct arena *a, sv text);

/* Whole documents. */
void job_read_command(struct job_read *r, const struct yaml *top);    /* v2.c */
void job_read_script_run(struct job_read *r, const struct yaml *top); /* script_run.c */
void job_read_runconfig(struct job_read *r, const struct yaml *top);  /* runconfig.c */

#endif
