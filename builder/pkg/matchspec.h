/* pkg/matchspec.h - conda's MatchSpec (CEP 29, specs/conda.md §6): exactly conda's answers. Pure; a parsed spec lives in the arena and
 * borrows nothing. Channels in specs are compared by their canonical URL (pkg/conda_channel.h). */
#ifndef PKG_MATCHSPEC_H
#define PKG_MATCHSPEC_H

#include "base/arena.h"
#include "base/buf.h"
#include "pkg/conda_channel.h"
#include "pkg/conda_record.h"
#include "version/conda.h"
#include "version/pattern.h"

struct matchspec_text { /* a string field: exact, glob ("py39*") or ^regex$ (refused with a reason where we cannot judge it) */
        sv text;        /* as written; empty: any */
        bool glob;
        const struct pattern *regex; /* or NULL */
};
struct matchspec {
        sv name; /* lower case; may hold '*'; "*" when the spec names none */
        bool name_glob;
        const struct pattern *name_regex; /* of "^…$", or NULL */
        sv channel;                       /* canonical URL, or a glob as written; empty: any */
        sv *channels;                     /* "defaults": all of its members; else NULL */
        size_t n_channels;
        sv channel_text; /* as written: for messages */
        sv channel_name; /* what matchspec_write() writes: a name where it leads to the channel, else the URL */
        sv subdir;
        const struct conda_spec *version; /* NULL: any */
        struct matchspec_text build;
        bool has_build_number;
        sv build_number; /* as written: "3", ">=2" */
        sv md5, sha256;  /* lower-case hex; empty: any */
        sv url, fn;      /* the URL without login and token */
        struct matchspec_text license, license_family;
        sv track_features, features; /* sorted, a blank between two */
        sv wrote;                    /* the text given, without comment */
        /* CEP 43-45 (`when`, `extras`, `flags`) are refused with a reason. */
};

/**
 * @param settings  for channel names in the spec
 * @return false: *ret_why says what is wrong and what to write (in the arena), *ret_at the byte where; both may be NULL
 */
bool matchspec_parse(struct arena *a, sv text, const struct conda_channel_settings *settings, struct matchspec *ret,
                     sv *ret_why, size_t *ret_at);
/** Features are compared as sets; `features` match nothing (records have none). v: the record's version, parsed; NULL (unparsable) matches only specs without a version. */
bool matchspec_has(const struct matchspec *m, const struct conda_record *r, const struct conda_version *v);
/** conda's canonical text: "conda-forge/linux-64::numpy=1.26[build=…]" */
void matchspec_write(const struct matchspec *m, struct buf *out);

#endif
