/* spec/requirements.h - requirements files exactly as pip reads them: the lines (reqline.c), the options (reqoption.c), the files that
 * name each other and what the options mean together (requirements.c). Nothing is judged here but what pip itself would refuse while
 * reading; requirement.c then turns lines into struct spec_req, or says why that cannot be. */
#ifndef SPEC_REQUIREMENTS_H
#define SPEC_REQUIREMENTS_H

#include "spec/spec_priv.h"

/* A line after joining and without its comment. */
struct reqline {
        sv wrote; /* as written: ${VAR} unexpanded, so that no secret gets into messages, lock or request */
        sv text;  /* expanded: what pip parses */
        struct spec_where at;
};
/** Every logical line of a text. `at` is where its first byte stands. Line ends are Python's (str.splitlines). */
void reqline_split(struct arena *a, sv text, struct spec_where at, const struct spec_io *io, struct reqline **ret,
                   size_t *ret_n);

enum reqopt_id {
        REQOPT_INDEX_URL,
        REQOPT_EXTRA_INDEX_URL,
        REQOPT_NO_INDEX,
        REQOPT_FIND_LINKS,
        REQOPT_REQUIREMENT,
        REQOPT_CONSTRAINT,
        REQOPT_EDITABLE,
        REQOPT_NO_BINARY,
        REQOPT_ONLY_BINARY,
        REQOPT_PREFER_BINARY,
        REQOPT_REQUIRE_HASHES,
        REQOPT_PRE,
        REQOPT_ALL_RELEASES,
        REQOPT_ONLY_FINAL,
        REQOPT_TRUSTED_HOST,
        REQOPT_USE_FEATURE,
        REQOPT_HASH,
        REQOPT_CONFIG_SETTINGS,
};
struct reqopt {
        enum reqopt_id id;
        const char *name; /* the long one: "--index-url" */
        sv value;         /* expanded; empty for flags */
        sv wrote;         /* unexpanded */
};
struct reqopts {
        sv args; /* the requirement before the options, or empty */
        sv args_wrote;
        sv dropped; /* the first word (unexpanded) that is neither option nor value, or empty */
        struct reqopt *v;
        size_t n;
};
/** pip's optparse over one line. False: reported as EB130. */
bool reqopts_parse(struct arena *a, const struct reqline *line, struct diags *ds, struct reqopts *ret);
/** The last value of an option, or NULL. */
const struct reqopt *reqopts_get(const struct reqopts *o, enum reqopt_id id);
const struct reqopt *reqopts_first(const struct reqopts *o, enum reqopt_id id);

/* What all files say together, in pip's order of reading. */
struct reqset {
        struct spec_reqline *line;
        size_t n_line;
        struct spec_text *index; /* without the default one: n_index 0 and !index_given is the default alone */
        size_t n_index;
        bool index_given, no_index, pre, prefer_binary, require_hashes;
        struct spec_text *find_links;
        size_t n_find_links;
        struct spec_text *no_binary, *only_binary;
        size_t n_no_binary, n_only_binary;
};
/** A file and all that it names. Faults go to l->ds; returns < 0 only when the first file cannot be read. */
int reqset_file(struct spec_load *l, struct reqset *set, sv path, struct err *e);
/** Lines that stand in another file (l->file): `pip:` of an environment.yml, --pip. */
void reqset_text(struct spec_load *l, struct reqset *set, sv text, struct spec_where at);
/** Judge the lines and hand everything to l->s. */
void reqset_finish(struct spec_load *l, const struct reqset *set);

/** requirement.c: one line into l->s->pip or ->constraints, or faults. */
void spec_requirement(struct spec_load *l, const struct spec_reqline *line);
/** repair.c: what the user likely meant by a text that is no requirement, checked to be one; empty when there is no guess. */
sv spec_requirement_repair(struct arena *a, sv text);

#endif
