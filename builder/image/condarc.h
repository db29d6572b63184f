/* image/condarc.h - conda's own settings, as far as they say where packages come from: .condarc files in conda's order, then CONDA_*. Later
 * sources win; of a list, their members come first; "#!final", "#!top" and "#!bottom" mean what conda says they mean. */
#ifndef IMAGE_CONDARC_H
#define IMAGE_CONDARC_H

#include "catalog/conda_channels.h"
#include "pkg/conda_channel.h"

struct condarc {
        struct conda_channel_settings settings; /* variables expanded; cwd and home are set */
        sv *channels;                           /* as written, "$NAME" as "${NAME}"; none: no file names any */
        size_t n_channels;
        struct conda_mirror *mirror; /* of mirrored_channels; the URLs may hold a login: for requests only */
        size_t n_mirror;
        sv priority;      /* "strict", "flexible", "disabled"; empty: not said */
        sv ca_file;       /* of ssl_verify; empty: not said */
        sv *allow, *deny; /* allowlist_channels, denylist_channels: canonical URLs; allow NULL: every channel */
        size_t n_allow, n_deny;
        sv *from; /* "conda's channels come from /etc/conda/.condarc", for -v; no values */
        size_t n_from;
};

/** What the files and variables of this machine say. -ERR_USAGE names file and line of what cannot be read: it may be a policy. */
int condarc_load(struct arena *a, struct condarc *ret, struct err *e);

struct condarc_text {
        sv text, where;
};
/**
 * The same of these texts, lowest first. Pure.
 *
 * @param env  a variable's value, false when it is not set: CONDA_*, HOME and those that values name
 */
int condarc_parse(struct arena *a, const struct condarc_text *v, size_t n, bool (*env)(void *arg, sv name, sv *ret),
                  void *arg, sv cwd, struct condarc *ret, struct err *e);
/** The lists of channels that are allowed and denied let this one be used. False: *ret_why, in the arena. */
bool condarc_permits(const struct condarc *c, struct arena *a, const struct conda_channel *channel, sv *ret_why);

#endif
