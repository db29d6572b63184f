/* spec/spec.h - what a user asked for, whatever file said it: environment.yml, requirements.txt, flags (design §3).
 * Parsing is pure: files, URLs and variables come in through struct spec_io. All faults are reported, nothing is fetched first.
 * Texts live in the arena given at parsing. */
#ifndef SPEC_SPEC_H
#define SPEC_SPEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/diag.h"
#include "base/err.h"
#include "base/hex.h"
#include "pkg/conda_channel.h"
#include "pkg/requirement.h"

struct spec_where { /* file as the user named it; line 0: a command line flag, file is its name ("--pip") */
        sv file;
        uint32_t line, col;
};
struct spec_text {
        sv text;
        struct spec_where at;
};
struct spec_pair {
        sv key, value;
        struct spec_where at;
};

struct spec_hash {
        sv alg, hex; /* "sha256", lower-case digits */
};
struct spec_req {
        struct requirement req;
        sv text;  /* as pkg/ prints it: what `request` hashes and what `by` shows */
        sv wrote; /* as the user wrote it */
        struct spec_where at;
        struct spec_hash *hashes;
        size_t n_hashes;
};

enum spec_python { SPEC_PYTHON_AUTO, SPEC_PYTHON_BASE };
enum spec_strategy { SPEC_INDEX_FIRST, SPEC_INDEX_MERGE /* --index-strategy pip */ };

struct spec_file { /* every file that was read or is named: its content is part of `request` */
        sv path;
        sha256 sha256;
};

struct spec {
        sv name;       /* of the environment: `name:`, else the file's stem */
        sv definition; /* base name of the (first) file */
        sv dir;        /* folder of the definition: the lock stands there, `files:` are relative to it */
        enum spec_python python;
        struct spec_text
                python_req; /* "python=3.12" in dependencies under `python: base`: checked against the base, or empty */
        struct spec_text
                *conda; /* MatchSpecs of `dependencies` and --conda, as written, in order; empty: a venv (design §3) */
        size_t n_conda;
        struct spec_text
                *channels; /* -c in order, then `channels`, without "nodefaults"; ${VAR}s unexpanded; 0: none given */
        size_t n_channels;
        bool nodefaults; /* "nodefaults" was among them: .condarc's channels do not count */
        const struct conda_channel_settings *
                conda_settings; /* of .condarc, set after spec_load: specs' channels are checked against `channels`; NULL: not */
        sv channel_priority;            /* "strict", "flexible", "disabled" or empty (.condarc, else strict) */
        struct spec_text *pip_replaces; /* envbuild: {pip-replaces: […]} */
        size_t n_pip_replaces;
        struct spec_req *pip; /* requirements in file order */
        size_t n_pip;
        struct spec_req *constraints; /* -c */
        size_t n_constraints;
        bool has_pip_section;

        struct spec_text *
                index; /* --index-url first if given, then --extra-index-url, in file order; URLs unexpanded (${VAR}) */
        size_t n_index;
        bool index_given;             /* --index-url: the default index is replaced */
        struct spec_text *find_links; /* directories (absolute or relative to dir), URLs */
        size_t n_find_links;
        bool no_index, pre, prefer_binary, require_hashes;
        struct spec_text *no_binary, *only_binary; /* names, ":all:", ":none:" */
        size_t n_no_binary, n_only_binary;
        enum spec_strategy strategy;
        int64_t exclude_newer; /* seconds since 1970; 0: none */

        struct spec_text base; /* "recipe:debian-13-python", "oci:DIR[:tag]", …; empty: the default */
        struct spec_text *apt;
        size_t n_apt;
        struct spec_text *apt_scripts_skip;
        size_t n_apt_scripts_skip;
        struct spec_text *platforms; /* "linux/amd64"; empty list: this machine's */
        size_t n_platforms;
        struct spec_pair *virtual_; /* cuda: "12.4" */
        size_t n_virtual;
        struct spec_pair *variables; /* file order; the later of two equal keys won */
        size_t n_variables;
        struct spec_pair *labels;
        size_t n_labels;
        struct spec_pair *files; /* destination → source path */
        size_t n_files;
        struct spec_text *certificates;
        size_t n_certificates;
        struct spec_text user, workdir;
        struct spec_text *entrypoint, *cmd;
        size_t n_entrypoint, n_cmd;
        bool has_entrypoint, has_cmd, bytecode;

        struct spec_file taken; /* another tool's finished resolution that stands for a definition; path empty: none */
        struct spec_file *inputs; /* files whose content counts in `request` (files:, certificates), sorted by path */
        size_t n_inputs;
};

/* How the parsers reach the world. Tests give their own. */
struct spec_io {
        void *arg;
        /** Append a file's bytes (path relative to the working directory, or http(s)://). */
        int (*read)(void *arg, sv path, struct buf *ret, struct err *e);
        /** The value of ${NAME}, or false when it is not set. */
        bool (*env)(void *arg, sv name, sv *ret);
};

/* What a file is, told by its name and by the keys that every tool begins lines with. */
enum spec_form {
        SPEC_FORM_YAML,         /* environment.yml, or something that spec_load refuses by name */
        SPEC_FORM_REQUIREMENTS, /* *.txt, *.in */
        SPEC_FORM_LOCK,         /* ours */
        SPEC_FORM_CONDA_LOCK, /* finished resolutions of others, taken as they are (lock/import.h); whatever the name */
        SPEC_FORM_EXPLICIT,
        SPEC_FORM_PIXI,
};
enum spec_form spec_form_of(sv path, sv text);
/** What an image of a definition is called when it does not say so: "My Env.yml" → "my-env". */
sv spec_name_of(struct arena *a, sv path);
/** ${NAME}s replaced by their values; one that is unset or empty stays as it is written, as in pip. */
sv spec_expand(struct arena *a, sv text, const struct spec_io *io);
/** A variable of this name likely holds a secret (API_TOKEN, DB_PASSWORD). */
bool spec_secret_name(sv name);
/** A URL without a password that is written out in it; ${VAR}s stay. */
sv spec_url_public(struct arena *a, sv url);
/** The URL of a channel or of its package, also without a token (/t/…/). */
sv spec_channel_public(struct arena *a, sv url);

#define SPEC_FILE_MAX ((size_t)4 << 20) /* bytes of one definition file */

/**
 * Read one or several definition files (merged: later wins, conflicts told). The form is told by content and name: *.txt and *.in are
 * requirements files, everything else YAML.
 *
 * @param ds  gets every fault with file:line:column, and warnings
 * @return 0 (there may be warnings) · -ERR_USAGE: ds has errors · -ERR_NOT_FOUND, -ERR_IO: a file named on the command line
 */
int spec_load(struct arena *a, const sv *paths, size_t n, const struct spec_io *io, struct diags *ds, struct spec **ret,
              struct err *e);

/* What flags add, each after spec_load and before spec_finish: --pip SPEC, -e K=V, …. Scalars such as --base are set in the struct
 * (at: {SV("--base"), 0, 0}); spec_finish checks them. */
int spec_add_pip(struct arena *a, struct spec *s, sv text, const struct spec_io *io, struct diags *ds, struct err *e);
int spec_add_variable(struct arena *a, struct spec *s, sv text, struct diags *ds, struct err *e); /* "K=V" */
int spec_add_conda(struct arena *a, struct spec *s, sv text, struct diags *ds, struct err *e);    /* "numpy>=2" */
int spec_add_channel(struct arena *a, struct spec *s, sv text, struct diags *ds, struct err *e); /* before the file's */
int spec_set_exclude_newer(struct spec *s, sv text, int64_t now,
                           struct err *e); /* a date, RFC 3339, or "7d" before now */

/**
 * Check what only the whole can tell (base against apt, hashes, two URLs for one name), and read the files whose content counts
 * (s->inputs). Nothing may be added afterwards.
 *
 * @return 0 (there may be warnings) · -ERR_USAGE: ds has errors
 */
int spec_finish(struct arena *a, struct spec *s, const struct spec_io *io, struct diags *ds, struct err *e);

/** sha256 over the canonical JSON of everything that shapes the result (design/lock.md `request`). */
sha256 spec_request(const struct spec *s);
/** That canonical JSON itself, for tests and -v. */
void spec_write_request(const struct spec *s, struct buf *out);

/* A requirement line as pip sees it, before any is judged (spec/requirements.h reads them; the corpus' runner compares them). */
struct spec_reqline {
        struct spec_where at;
        sv text;  /* after joining, comments, ${VAR}, options taken off */
        sv wrote; /* the same with ${VAR} unexpanded */
        bool editable, constraint;
        struct spec_hash *hashes;
        size_t n_hashes;
        struct spec_pair *settings; /* --config-settings: only builds of sdists read them */
        size_t n_settings;
        sv misplaced; /* an option that pip ignores after a requirement: "--pre", or empty */
};
/** One requirements file and all that it names, judged, into `into` (a zeroed or partly filled spec). */
int spec_requirements_read(struct arena *a, sv path, const struct spec_io *io, struct diags *ds, struct spec *into,
                           struct err *e);

#endif
