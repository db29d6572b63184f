/* pkg/conda_record.h - what a channel's repodata says of one package file (CEP 36, specs/conda.md §2). Data only; texts belong to whoever
 * made the record. */
#ifndef PKG_CONDA_RECORD_H
#define PKG_CONDA_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hex.h"
#include "base/sv.h"

enum conda_noarch { CONDA_ARCHED, CONDA_NOARCH_GENERIC, CONDA_NOARCH_PYTHON };

struct conda_record {
        sv fn;                   /* "numpy-1.26.4-py312h_0.conda" */
        sv url;                  /* absolute; no credentials, no token */
        sv channel;              /* canonical URL of the channel, no token; "https://conda.anaconda.org/conda-forge" */
        uint32_t channel_no;     /* its place in the list of channels, 0 first */
        sv subdir;               /* "linux-64", "noarch" */
        sv name, version, build; /* name in lower case */
        uint64_t build_number;
        sv *depends, *constrains; /* MatchSpecs as written */
        size_t n_depends, n_constrains;
        sv *track_features;
        size_t n_track_features;
        bool has_sha256, has_md5;
        sha256 sha256;
        uint8_t md5[16];
        uint64_t size;     /* bytes; 0: not said */
        int64_t timestamp; /* of the build, milliseconds since 1970; 0: not said */
        int64_t indexed;   /* indexed_timestamp (CEP 47), milliseconds; 0: not said */
        enum conda_noarch noarch;
        sv license, license_family;
        sv python_site_packages_path; /* of a python; empty: the default */
};

#endif
