/* registry/login_priv.h - the files that may know a login: login.c reads them, keep.c writes them. */
#ifndef REGISTRY_LOGIN_PRIV_H
#define REGISTRY_LOGIN_PRIV_H

#include "registry/auth_file.h"

struct login_place {
        sv path;
        bool flat; /* ~/.dockercfg */
};
struct login_places {
        struct login_place v[4];
        size_t n;
        bool named;    /* --authfile or $REGISTRY_AUTH_FILE: that one and no other */
        bool session;  /* the first one is of $XDG_RUNTIME_DIR */
        size_t config; /* which is $XDG_CONFIG_HOME/containers/auth.json, when it is not named */
};
void login_places(struct arena *a, const struct reg_opts *o, struct login_places *ret);
/** a is wiped by the caller. -ERR_NOT_FOUND: no such file. */
int login_file_read(struct arena *a, const struct login_place *p, struct auth_file *ret, struct err *e);

#endif
