/* registry/client_priv.h - what the files of the client share: client.c (a request and its login), auth.c (logins and tokens of a server),
 * token.c (asking for one), origin.c (where a server is). Everything below a struct reg_client is under its lock. */
#ifndef REGISTRY_CLIENT_PRIV_H
#define REGISTRY_CLIENT_PRIV_H

#include <pthread.h>

#include "registry/challenge.h"
#include "registry/client.h"
#include "registry/credentials.h"
#include "registry/login_priv.h"
#include "registry/registries_conf.h"

enum {
        REG_TOKEN_BODY = 1 << 20,  /* bytes of a token server's answer */
        REG_ERROR_BODY = 64 << 10, /* of a registry's error document */
        REG_TOKEN_MIN_LIFE = 60,   /* seconds; less is taken as this (distribution's token spec) */
        REG_TOKEN_SCOPES = 8       /* of one request */
};

struct reg_token { /* of one scope */
        struct reg_token *next;
        struct reg_repo repo, mount; /* mount: empty, or what is read besides */
        unsigned actions;
        sv extra;   /* scopes that the server asked for besides */
        char *text; /* heap, wiped; NULL: none yet */
        int64_t got_ms, made_ms, life_ms;
        bool busy;         /* somebody is asking for it: wait */
        unsigned failures; /* who waited shares the answer: */
        struct err fail;   /* of the last one */
};

struct reg_known_login { /* of one repository */
        struct reg_known_login *next;
        sv repository;
        bool found;
        struct reg_login l;
};

struct reg_host { /* one registry, as far as we know it */
        struct reg_host *next;
        sv registry;
        sv origin;                /* "https://registry-1.docker.io"; empty: not decided yet */
        bool busy;                /* somebody finds out its origin or a login: wait */
        struct reg_challenge ask; /* how it wants to know who we are */
        bool sure;                /* it answered over this scheme */
        struct reg_token *token;
        struct reg_known_login *login;
};

struct reg_client {
        struct net *net;
        int64_t backoff_ms; /* between tries that are ours, not net's; 0: the usual */
        struct op *op;
        struct arena arena; /* of opts' texts and of everything below; wiped */
        struct reg_opts opts;
        pthread_mutex_t lock;
        pthread_cond_t turn; /* something busy is no longer */
        struct reg_host *host;
        struct helper_cache helpers;
        struct reg_conf conf;
        bool has_conf;
        sv *warned; /* what servers said to all their users: once each */
        size_t n_warned, cap_warned;
        sv *trusted; /* hosts besides registries whose certificates were looked for */
        size_t n_trusted, cap_trusted;
};

/* origin.c */
/** Where a registry is: scheme, host and port, found out once (certs.d, --insecure, http on this machine only; specs/oci.md §3.1). */
int reg_host_open(struct reg_client *c, sv registry, struct reg_host **ret, struct err *e);
sv reg_host_origin(struct reg_client *c, const struct reg_host *h); /* "https://registry-1.docker.io" */
/** An http server of this machine answered 400: is it https after all? True: the origin is another now, ask again. */
bool reg_host_reconsider(struct reg_client *c, struct reg_host *h, sv origin, const struct net_answer *ans);
/** A host that a registry sends us to (a token server, an upload's Location): its own certs.d, else the registry's CA. */
int reg_host_trust_other(struct reg_client *c, const struct reg_host *h, sv url, struct err *e);

/* certs.c */
/** The folder with a host's certificates, or NULL. */
const char *reg_certs_dir(struct reg_client *c, sv registry, struct arena *a);
/** Tell net/ whom to trust at a host ("h", "h:5000"); dir may be NULL. client_too: show it our certificate. */
int reg_trust(struct reg_client *c, sv host, const char *dir, bool client_too, bool insecure, struct err *e);

/* endpoints.c */
int reg_conf_of(struct reg_client *c, const struct reg_conf **ret, struct err *e);
/** Where registries.conf says that a repository is: usually where its name says. -ERR_USAGE: blocked. */
int reg_place(struct reg_client *c, const struct reg_repo *repo, struct arena *a, struct reg_repo *ret, struct err *e);

/* auth.c: what a ping showed. */
void reg_host_learn(struct reg_client *c, struct reg_host *h, const struct reg_challenge *ch);

/* auth.c: one request's way through a login. */
struct reg_ticket {
        struct arena arena; /* wiped */
        const struct reg_request *r;
        int64_t start_ms;
        enum reg_scheme sent; /* what went along */
        sv token;             /* the Bearer that went along */
        bool fresh;           /* it was made since start_ms: refused means denied */
        bool doubted;         /* a fresh one was refused once, without a reason */
        bool as_is;           /* it came out of a file */
        sv refused;           /* a token that is no good any more */
        sv extra;             /* scopes that the server asked for besides ours */
        unsigned tries;
        struct reg_login login; /* texts in the client's arena; empty: nobody */
};
/** The Authorization header's value, empty when none is needed or known yet. */
int reg_ticket_header(struct reg_client *c, struct reg_host *h, struct reg_ticket *t, sv *ret, struct err *e);
/** A 401 came: 0: ask again · -ERR_AUTH: that was the answer. */
int reg_ticket_refused(struct reg_client *c, struct reg_host *h, struct reg_ticket *t, const struct net_answer *ans,
                       struct err *e);
void reg_ticket_done(struct reg_ticket *t);
void reg_tokens_done(struct reg_host *h);

/* scope.c */
/** "repository:team/train:pull,push"; empty without a repository. */
sv reg_scope_text(struct arena *a, const struct reg_repo *repo, unsigned actions);
/** What of `wanted` (scopes with blanks between them) is not in `have`. */
sv reg_scope_missing(struct arena *a, sv wanted, const sv *have, size_t n);

/* token.c */
struct reg_token_answer {
        sv token;
        int64_t life_s, age_s;
};
/** A token server's document; now: seconds since 1970. -ERR_NET: not one. Pure. */
int reg_token_read(struct arena *a, sv body, int64_t now, struct reg_token_answer *ret, struct err *e);
/** login NULL: anonymous. -ERR_AUTH: it does not know us. */
int reg_token_get(struct reg_client *c, const struct reg_host *h, const struct reg_challenge *ask, const sv *scope,
                  size_t n, const struct reg_login *login, struct arena *a, struct reg_token_answer *ret,
                  struct err *e);

/* realm.c */
/** May a secret meant for `origin` go to `url`, may we go there at all? NULL, or why not (specs/oci.md §3.2). */
const char *reg_url_refused(sv origin, sv url);

/* status.c */
/** A server's text for people: one line, cut, without control characters. */
sv reg_tame(struct arena *a, sv s);
/** What a server says went wrong, tamed: "DENIED: requested access to the resource is denied"; empty when it says nothing. */
sv reg_answer_text(struct arena *a, const struct net_answer *ans);
/** A URL for messages: without the query, where signed URLs and upload states have their secrets. */
sv reg_url_shown(struct arena *a, sv url);
/** "pull", "push to", "delete from": what actions want of a repository. */
const char *reg_action_text(unsigned actions);
void reg_login_hint(struct reg_client *c, sv registry, struct err *e);

#endif
