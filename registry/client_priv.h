/* registry/client_priv.h - what the files of the client share: client.c (a request and its login), and whoever finds out where and as whom. */
#ifndef REGISTRY_CLIENT_PRIV_H
#define REGISTRY_CLIENT_PRIV_H

#include <pthread.h>

#include "registry/client.h"

struct reg_client {
        struct net *net;
        struct op *op;
        struct arena arena; /* of opts' texts; under lock afterwards */
        struct reg_opts opts;
        pthread_mutex_t lock;
};

/** "https://registry-1.docker.io": scheme and host to talk to (specs/oci.md §3.1). */
sv reg_origin(struct reg_client *c, sv registry, struct arena *a);

#endif
