/* registry/helper.h - docker-credential-NAME programs (docker-credential-helpers' protocol): a key or JSON on stdin, JSON on stdout. */
#ifndef REGISTRY_HELPER_H
#define REGISTRY_HELPER_H

#include "registry/credentials.h"

/** -ERR_NOT_FOUND: it knows none · -ERR_FAILED: anything else, naming it. a holds secrets. */
int helper_get(sv name, sv key, struct op *op, struct arena *a, struct reg_login *ret, struct err *e);
int helper_store(sv name, sv key, const struct reg_login *l, struct op *op, struct err *e);
int helper_erase(sv name, sv key, struct op *op, struct err *e); /* -ERR_NOT_FOUND */
/** {"ServerURL":…,"Username":…,"Secret":…}; Username "<token>": an identity token. Pure. */
int helper_answer_read(struct arena *a, sv text, struct reg_login *ret, struct err *e);

#endif
