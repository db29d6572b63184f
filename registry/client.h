/* registry/client.h - a client of OCI distribution servers (distribution-spec v1.1; specs/oci.md §3): one request to one repository, with
 * whatever login, token, mirror, certificate or scheme it takes. blob.h, manifest.h, referrers.h, push.h and pull.h stand on it.
 * A struct reg_client may be shared by threads; all of them wait in net/. Nothing here prints; no secret is in an error. */
#ifndef REGISTRY_CLIENT_H
#define REGISTRY_CLIENT_H

#include "base/arena.h"
#include "base/err.h"
#include "base/op.h"
#include "base/sv.h"
#include "net/net.h"
#include "oci/reference.h"

struct reg_client;

struct reg_opts {
        const char *auth_file; /* --authfile; NULL: the usual places (specs/oci.md §3.8) */
        sv username,
                password; /* of the command line: before every file, for every registry of the command; empty: none */
        const char *certs_dir; /* --cert-dir; NULL: certs.d of containers and docker */
        const sv *insecure;    /* "HOST[:PORT]": http, or a certificate that nobody vouches for */
        size_t n_insecure;
        const char *
                registries_conf; /* NULL: $CONTAINERS_REGISTRIES_CONF, ~/.config/containers/, /etc/containers/ and their .d */
};
/** Nothing is read before the first request. o is copied. */
int reg_client_new(struct net *net, const struct reg_opts *o, struct op *op, struct reg_client **ret, struct err *e);
void reg_client_free(struct reg_client *c);
static inline void reg_client_freep(struct reg_client **c)
{
        reg_client_free(*c);
}

struct reg_repo {
        sv registry;   /* "docker.io", "localhost:5000": as in struct reference */
        sv repository; /* "library/python" */
};
struct reg_repo reg_repo_of(const struct reference *r); /* borrowed */
bool reg_repo_eq(const struct reg_repo *a, const struct reg_repo *b);
/** "docker.io/library/python": reading what `from` of a lock, --cache-repo and a setting say. -ERR_USAGE for a tag, a digest or a local name. */
int reg_repo_parse(struct arena *a, sv text, struct reg_repo *ret, struct err *e);
sv reg_repo_text(struct arena *a, const struct reg_repo *r);

/* Where to ask for something of a repository: registries.conf's mirrors in their order, then the registry itself. */
struct reg_endpoint {
        struct reg_repo repo; /* what to ask there */
        bool mirror;          /* no credentials of the origin go there; what comes from it is trusted by digest only */
};
/** by_digest: a mirror may be for digests only. -ERR_USAGE: the registry is blocked. n >= 1, the last is the registry itself. */
int reg_endpoints(struct reg_client *c, const struct reg_repo *repo, bool by_digest, struct arena *a,
                  struct reg_endpoint **ret, size_t *ret_n, struct err *e);

enum reg_action { REG_PULL = 1, REG_PUSH = 2, REG_DELETE = 4 }; /* REG_PUSH asks for pull too */

struct reg_request {
        struct reg_repo repo;
        unsigned actions;             /* what the token must allow */
        const struct reg_repo *mount; /* another repository that is read besides (a mount), or NULL */
        enum net_method method;
        sv path; /* below /v2/REPOSITORY/: "manifests/v1"; or an absolute URL (a Location): credentials go along only to the registry's
                    own origin, and to a private address only when that is the registry */
        const struct net_header *header;
        size_t n_header;
        const struct net_source *body;
        struct writer *into;
        size_t max_body; /* 0: 4 MiB without `into` */
        bool has_range, keep_partial;
        uint64_t from, to; /* inclusive; to 0: to the end */
        sv subject;        /* for events */
        enum op_phase phase;
        uint64_t expect;
        int priority;
        bool once; /* a broken request is not repeated (after a 401 it is, once, with a fresh token) */
        int64_t timeout_ms; /* no byte for so long ends a try; 0: net's (a server may look at a large body for a while before it answers) */
        bool fresh_token; /* a large body follows: do not begin with a token that ends soon */
};
/**
 * One request, with a login if the server wants one.
 *
 * @return 0 with any HTTP status but those below · -ERR_AUTH: 401 after a fresh token, hint names `envbuild login HOST` ·
 *         -ERR_NET, -ERR_OFFLINE, -ERR_CANCELLED, -ERR_LIMIT, what `into` or `body` failed with
 */
int reg_do(struct reg_client *c, const struct reg_request *r, struct arena *a, struct net_answer *ret, struct err *e);
/**
 * A status that was not wanted, as an error: code and message of the server's error document, its URL without the query.
 * -ERR_AUTH 401, 403 · -ERR_NOT_FOUND 404 · -ERR_NET otherwise. `what`: "pushing the manifest of team/train".
 */
int reg_status_err(struct reg_client *c, const struct reg_request *r, const struct net_answer *ans, const char *what,
                   struct err *e);
struct op *reg_op(const struct reg_client *c);

#endif
