/* version/debian.h - Debian versions: [epoch:]upstream[-revision], deb-version(7). Pure. */
#ifndef VERSION_DEBIAN_H
#define VERSION_DEBIAN_H

#include <stdbool.h>

#include "base/sv.h"

/** <0, 0, >0 as dpkg --compare-versions orders them. Both must be valid (deb_version_valid). */
int deb_version_cmp(sv a, sv b);
bool deb_version_valid(sv v);

enum deb_op { DEB_ANY, DEB_LT, DEB_LE, DEB_EQ, DEB_GE, DEB_GT }; /* << <= = >= >> */
bool deb_version_match(sv version, enum deb_op op, sv bound);

#endif
