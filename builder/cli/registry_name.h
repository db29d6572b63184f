/* cli/registry_name.h - a registry as people write it: "docker.io", "localhost:5000", also the URLs that docker takes
 * ("https://index.docker.io/v1/"). */
#ifndef CLI_REGISTRY_NAME_H
#define CLI_REGISTRY_NAME_H

#include "base/arena.h"
#include "base/err.h"

/** -ERR_USAGE for a repository or what is no host. *ret: as in references. */
int registry_name(struct arena *a, sv text, sv *ret, struct err *e);

#endif
