/* tests/unit/registry/fake_registry.h - a registry in memory behind net's transport table: no socket, no clock, every break at the byte that a
 * test names. One at a time. Sessions are as docker-registry's: after a break in a PATCH their old Location is dead. */
#ifndef TESTS_FAKE_REGISTRY_H
#define TESTS_FAKE_REGISTRY_H

#include "ext/curl.h"
#include "oci/oci.h"
#include "registry/client_priv.h"

struct fake_fault { /* what goes wrong with requests whose "METHOD PATH?QUERY" has `match` in it */
        const char *match;
        unsigned skip, times;      /* that many first are spared, that many then are hit; times 0: all */
        long status;               /* answered without looking at it; 0: the connection breaks */
        uint64_t cut;              /* bytes of the body (sent or received) that pass before it breaks */
        bool after;                /* it is done, only the answer does not come */
        bool drop;                 /* not even a look at the body: it is as if it had not been sent */
        const char *header, *body; /* of that answer */
};
struct fake_settings {
        bool no_referrers, no_digest, no_ranges, no_delete, no_mount, mount_opens;
        const char *begin_header;    /* added to the answer to POST uploads/ */
        const char *location;        /* put before the path of a Location: "http://other.test" */
        uint64_t max_body;           /* 413 above it */
        size_t page;                 /* tags and referrers a page */
        const char *registries_conf; /* of the client; NULL: an empty one */
};

struct fake_test { /* what every test has */
        struct op op;
        struct net *net;
        struct reg_client *c;
        struct arena a;
        struct err e;
        struct reg_repo repo, other; /* localhost:5000/team/x, …/base/y */
};
void fake_begin(struct fake_test *t, const struct fake_settings *s);
void fake_end(struct fake_test *t);
void fake_fault(const struct fake_fault *f);

void fake_blob_add(const struct reg_repo *repo, sv bytes);
bool fake_blob_has(const struct reg_repo *repo, sv bytes);
/** Bytes of a manifest by tag or digest; empty: none. */
sv fake_manifest(const struct reg_repo *repo, const char *ref);
void fake_manifest_add(const struct reg_repo *repo, const char *ref, const char *type, sv bytes);
size_t fake_sessions(void); /* open ones */
/** How many requests had this in their "METHOD PATH?QUERY range FROM-TO". */
unsigned fake_count(const char *match);
/** Something to be done at a request that matches (`skip` of them are spared), before it is answered: what another client does meanwhile. */
void fake_meanwhile(const char *match, unsigned skip, void (*run)(void *arg), void *arg);

#endif
