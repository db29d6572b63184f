/* pkg/conda_channel.h - names and URLs of conda channels (CEP 26, specs/conda.md §1), without a network. Pure. */
#ifndef PKG_CONDA_CHANNEL_H
#define PKG_CONDA_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/sv.h"

struct conda_custom { /* `custom_channels`, `custom_multichannels`: name → URLs */
        sv name;
        sv *url;
        size_t n_url;
};
struct conda_channel_settings { /* of .condarc; {0} are conda's defaults */
        sv alias;               /* empty: https://conda.anaconda.org */
        sv *defaults;           /* default_channels; NULL: pkgs/main and pkgs/r of https://repo.anaconda.com */
        size_t n_defaults;
        const struct conda_custom *custom, *multi;
        size_t n_custom, n_multi;
        sv cwd, home; /* for "./x", "~/x" */
};
struct conda_channel {
        sv name; /* canonical name: "conda-forge", "conda-forge/label/dev", or a URL that no name fits */
        sv url;  /* base URL, no trailing slash, no subdir, token or login: "https://conda.anaconda.org/conda-forge" */
        sv subdir; /* a platform that stood at its end, or empty */
        sv token;  /* of /t/TOKEN/, or empty: never printed */
        sv login;  /* "user:password", or empty: never printed */
};
/** One channel. False: *ret_why says why ("%.*s" is fine). A multichannel ("defaults") is a fault here: see below. */
bool conda_channel_parse(struct arena *a, sv text, const struct conda_channel_settings *s, struct conda_channel *ret,
                         sv *ret_why);
/** "defaults" and other multichannels → their members in order; any other name → itself. False as above. */
bool conda_channel_expand(struct arena *a, sv text, const struct conda_channel_settings *s, struct conda_channel **ret,
                          size_t *ret_n, sv *ret_why);
bool conda_subdir_known(sv subdir); /* "linux-64", "noarch", … */
/** "linux/amd64" → "linux-64"; empty when conda has no name for it. And back. */
sv conda_subdir_of(sv platform);
sv conda_platform_of(sv subdir);
/** "numpy-1.26.4-py312_0.conda" → its parts (CEP 26), percent-decoding done by the caller. False: no such name. */
bool conda_filename_split(sv fn, sv *ret_name, sv *ret_version, sv *ret_build);

#endif
