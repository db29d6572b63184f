/* spec/spec_priv.h - what the files of this part share: one load, its helpers for faults, paths and lists. */
#ifndef SPEC_SPEC_PRIV_H
#define SPEC_SPEC_PRIV_H

#include "ext/yaml.h"
#include "spec/spec.h"

/* One definition file that is being read into a spec of its own (merge.c joins them). */
struct spec_load {
        struct arena *a;
        const struct spec_io *io;
        struct diags *ds;
        struct spec *s;
        sv file;    /* as the user named it */
        bool named; /* by another file: then it must be a definition itself */
};

/* Lists in struct spec have no capacity of their own: it is the next power of two, for lists that only this macro made. */
#define SPEC_PUSH(a, v, n, x)                                                                                          \
        do {                                                                                                           \
                if (((n) & ((n) - 1)) == 0) {                                                                          \
                        size_t cap_ = (n);                                                                             \
                        (v) = spec_grow((a), (v), (n), &cap_, sizeof(*(v)));                                           \
                }                                                                                                      \
                (v)[(n)++] = (x);                                                                                      \
        } while (0)
void *spec_grow(struct arena *a, const void *p, size_t n, size_t *cap, size_t size);
/** Both lists, copied into one that SPEC_PUSH can grow. */
void *spec_concat(struct arena *a, const void *x, size_t n_x, const void *y, size_t n_y, size_t size);

/* Faults (hint.c). A `len` of 0 underlines one byte. */
size_t spec_fault(struct diags *ds, struct spec_where at, size_t len, const char *code, const char *fmt, ...)
        PRINTF(5, 6);
size_t spec_warn(struct diags *ds, struct spec_where at, size_t len, const char *code, const char *fmt, ...)
        PRINTF(5, 6);
size_t spec_note(struct diags *ds, struct spec_where at, size_t len, const char *code, const char *fmt, ...)
        PRINTF(5, 6);
/** The known word that `word` is likely meant to be, or NULL. */
const char *spec_nearest(sv word, const char *const *known, size_t n);

/* Texts (text.c). */
/** Read a file and give its UTF-8 without byte order mark; UTF-16 is converted. Faults of its bytes go to ds (then -ERR_USAGE). */
int spec_read_text(struct spec_load *l, sv path, sv *ret, struct err *e);

/* Paths (path.c): also of files that were fetched by http(s). */
bool spec_is_url(sv path);                               /* http:// or https:// */
sv spec_path_dir(struct arena *a, sv path);              /* "a/b.yml" → "a", "b.yml" → "" */
sv spec_path_join(struct arena *a, sv dir, sv path);     /* normalised: no "." and no "x/.." */
sv spec_path_relative(struct arena *a, sv dir, sv path); /* path as seen from dir when it is inside, else as it is */

/* YAML nodes as values of struct spec (node.c). Each reports EB102 for a node of another type and returns false. */
struct spec_where spec_at(const struct spec_load *l, const struct yaml *y);
bool spec_node_text(struct spec_load *l, const struct yaml *y, const char *key, struct spec_text *ret);
bool spec_node_list(struct spec_load *l, const struct yaml *y, const char *key, struct spec_text **ret, size_t *ret_n);
bool spec_node_pairs(struct spec_load *l, const struct yaml *y, const char *key, struct spec_pair **ret, size_t *ret_n);
bool spec_node_bool(struct spec_load *l, const struct yaml *y, const char *key, bool *ret);
/** The bytes to underline for a scalar. */
size_t spec_node_len(const struct yaml *y);

/* Values (value.c): each is true when the text is fine, else reports EB103 (or the code named) at `at`. */
bool spec_check_name(struct spec_load *l, const struct spec_text *name);
bool spec_check_variable(struct spec_load *l, const struct spec_pair *p);
/** "linux-64" and "linux/amd64" → "linux/amd64"; empty with *ret_other when it is a platform that no image is made for. */
sv spec_platform(sv text, bool *ret_other);

/* The parts of a definition. */
void spec_environment(struct spec_load *l, const struct yaml *top);  /* environment.c */
void spec_envbuild_key(struct spec_load *l, const struct yaml *key); /* envbuild_key.c */

/* conda.c: what is about the conda prefix. */
void spec_conda_item(struct spec_load *l, sv text, struct spec_where at); /* a MatchSpec of dependencies */
bool spec_conda_names(sv text, const char *name);                         /* the MatchSpec is of this package */
/** With `python: base`: python becomes python_req, pip is dropped, the others are refused (EB105). */
void spec_conda_under_base(struct spec_load *l);
void spec_conda_finish(struct spec_load *l);                           /* what only the whole can tell */
bool spec_conda_check(struct spec_load *l, const struct spec_text *t); /* conda_check.c: EB137 unless a MatchSpec */
void spec_conda_channels(struct spec_load *l);                         /* EB136: a spec's channel is not listed */
sv spec_conda_repair(struct arena *a, sv text); /* conda_repair.c: a guess that parses, or empty */

/* channel.c */
void spec_channel_item(struct spec_load *l, sv text, struct spec_where at);
bool spec_check_token(struct spec_load *l, sv text, struct spec_where at); /* false, with a warning, when one is */

/** Warn of "# [linux]" behind items: conda-lock reads such comments, and nothing else does (selector.c). */
void spec_selectors(struct spec_load *l, sv text);

void spec_merge(struct spec_load *l, const struct spec *later); /* merge.c: into l->s */
/** True when `top` is a document of another kind: reported (form.c). */
bool spec_other_form(struct spec_load *l, const struct yaml *top);
/** An Azure ML environment (v2 YAML, v1 azureml_environment.json): read, with the conda file that it names. False: it is none (azureml.c). */
bool spec_azureml(struct spec_load *l, const struct yaml *top);
/** A definition that another names, into l->s (load.c); at: where it is named. */
void spec_load_beside(struct spec_load *l, struct spec_where at, sv path);
/** The name an image may have that is nearest (value.c). */
sv spec_name_repair(struct arena *a, sv text);
bool spec_other_name(struct spec_load *l);                    /* the same by the file's name alone */
bool spec_finished(struct spec_load *l, enum spec_form form); /* the same when it is a finished resolution */

/* URLs (requirement.c). */
/** False, with a warning, when a password is written out. */
bool spec_check_password(struct spec_load *l, sv url, struct spec_where at, size_t len);

#endif
