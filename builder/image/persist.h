/* image/persist.h - artifacts into registries that others write at the same moment. */
#ifndef IMAGE_PERSIST_H
#define IMAGE_PERSIST_H

#include "registry/referrers.h"

/**
 * reg_artifact_push, and again where a registry refuses a manifest for a blob or manifest that somebody else is just putting there:
 * docker-registry 2 reads links that are half written, and knows them a moment later.
 */
int persist_artifact(struct reg_client *c, const struct reg_repo *repo, const struct reg_artifact *x, struct err *e);

#endif
