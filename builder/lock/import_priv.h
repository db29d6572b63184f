/* lock/import_priv.h - what the readers of other tools' locks share: platforms as they come up, packages by their URL. */
#ifndef LOCK_IMPORT_PRIV_H
#define LOCK_IMPORT_PRIV_H

#include "lock/import.h"
#include "lock/lock_priv.h"

struct import {
        struct lock_read r;
        const struct lock_import_opts *o;
        struct lock *l;
        size_t cap_platform, *cap_artifact; /* of l->platform, of each platform's artifacts */
        sv *left_out; /* subdirs of the file that are not taken: for the message when nothing is */
        size_t n_left_out, cap_left_out;
};

/** The platform of a subdir, made when first met; NULL when it is none that is wanted. */
struct lock_platform *import_platform(struct import *im, sv subdir);
/** EB122 unless it is a scalar; empty when absent or null. */
sv import_text(struct import *im, const struct yaml *map, const char *key);
void import_number(struct import *im, const struct yaml *map, const char *key, uint64_t *ret);
void import_hashes(struct import *im, const struct yaml *map, struct artifact *a); /* keys sha256 and md5 */
/** Name or URL as written → l->channels: names become URLs, multichannels their members. */
void import_channel(struct import *im, const struct yaml *at, sv text);
/**
 * A conda package at its URL, which must be of the name that is set, if one is: url (without credentials), name, version and build are what
 * the file says. False, told at `at`: it is no package's URL.
 */
bool import_conda_url(struct import *im, const struct yaml *at, sv url, struct artifact *a);
bool import_wheel_url(struct import *im, const struct yaml *at, sv url, struct artifact *a);
/** What a repodata record would say besides: size, timestamp, constrains, noarch, track_features, python_site_packages_path. */
void import_record(struct import *im, const struct yaml *map, struct artifact *a);
/** "foo[x]>=1; marker" → "foo", normalised; empty when it is no requirement, or of an extra. */
sv import_requirement_name(struct import *im, sv text);
/** The same package twice is one; two files for one name are a fault. */
void import_add(struct import *im, struct lock_platform *p, const struct artifact *a);
void import_refuse(struct import *im, const struct yaml *at, sv what, const char *why, const char *hint); /* EB123 */

void import_conda_lock(struct import *im, const struct yaml *top); /* import_conda_lock.c */
void import_pixi(struct import *im, const struct yaml *top);       /* import_pixi.c */
void import_explicit(struct import *im, sv text);                  /* import_explicit.c */

#endif
