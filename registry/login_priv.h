/* registry/login_priv.h - the files that may know a login: login.c reads them, keep.c writes them. */
#ifndef REGISTRY_LOGIN_PRIV_H
#define REGISTRY_LOGIN_PRIV_H

#include <pthread.h>

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

/* What helpers answered: some take a second, and a prewarm asks for a hundred repositories of one registry. */
struct helper_memo {
        struct helper_memo *next;
        sv helper, key;
        bool found;
        struct reg_login l;
};
struct helper_cache {
        pthread_mutex_t *lock; /* of v and a */
        struct arena *a;       /* wiped by its owner */
        struct helper_memo *v;
};
/** reg_login_find that asks a helper for a key once; cache may be NULL. */
int login_find(const struct reg_opts *o, const struct reg_repo *repo, struct helper_cache *cache, struct op *op,
               struct arena *a, struct reg_login *ret, struct err *e);

#endif
