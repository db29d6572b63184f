/* attest/version.h - which envbuild wrote a document. */
#ifndef ATTEST_VERSION_H
#define ATTEST_VERSION_H

#include "base/sv.h"

sv attest_version(void); /* "0.1.0" */

#endif
