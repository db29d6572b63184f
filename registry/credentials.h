/* registry/credentials.h - who we are to a registry: docker's and podman's auth files and credential helpers (containers-auth.json(5),
 * specs/oci.md §3.8). Order and keys as containers/image: flags, $REGISTRY_AUTH_FILE or --authfile, $XDG_RUNTIME_DIR/containers/auth.json,
 * $XDG_CONFIG_HOME/containers/auth.json, $DOCKER_CONFIG/config.json or ~/.docker/config.json, ~/.dockercfg. Secrets live in an arena that
 * is wiped. */
#ifndef REGISTRY_CREDENTIALS_H
#define REGISTRY_CREDENTIALS_H

#include "registry/client.h"

struct reg_login {
        sv username, password;
        sv identity_token; /* OAuth2 refresh token */
        sv registry_token; /* used as Bearer as it is */
        sv from;           /* where it was found: a file, "docker-credential-pass": for -v and errors */
};
/** -ERR_NOT_FOUND: nobody knows one (go on anonymously) · -ERR_USAGE: a file cannot be read as what it is, file:line · -ERR_FAILED: a helper
 *  failed, named. */
int reg_login_find(const struct reg_opts *o, const struct reg_repo *repo, struct op *op, struct arena *a,
                   struct reg_login *ret, struct err *e);
/** What `envbuild login` does after the server said yes: kept where docker and podman would (auth file, or the helper it names). *ret_where:
 *  what to tell the user. */
int reg_login_keep(const struct reg_opts *o, sv registry, const struct reg_login *l, struct op *op, struct arena *a,
                   sv *ret_where, struct err *e);
/** -ERR_NOT_FOUND: there was none. Removes it everywhere it is written. */
int reg_login_drop(const struct reg_opts *o, sv registry, struct op *op, struct arena *a, struct err *e);
/** The registries that the files have a login of, each once (logout --all). */
int reg_login_list(const struct reg_opts *o, struct arena *a, sv **ret, size_t *ret_n, struct err *e);
/** Ask the server whether it takes a login: -ERR_AUTH: no. */
int reg_login_check(struct reg_client *c, sv registry, const struct reg_login *l, struct err *e);

#endif
