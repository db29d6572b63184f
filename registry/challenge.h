/* registry/challenge.h - what WWW-Authenticate asks for (RFC 9110 §11.6.1): several challenges in several headers, quoted strings with
 * commas in them, names in any case. Pure; hostile text. */
#ifndef REGISTRY_CHALLENGE_H
#define REGISTRY_CHALLENGE_H

#include "base/arena.h"
#include "net/net.h"

enum reg_scheme {
        REG_UNASKED, /* no challenge was seen */
        REG_OTHER,   /* only schemes that we do not speak: see `scheme` */
        REG_BASIC,
        REG_BEARER,
};
struct reg_challenge {
        enum reg_scheme kind;
        sv scheme; /* as written, of the first challenge: for messages */
        sv realm, service, scope, error;
};
/** The best of an answer's challenges: Bearer with a realm, then Basic. */
struct reg_challenge reg_challenge_of(struct arena *a, const struct net_answer *ans);
/** One header's challenges into *best: what reg_challenge_of does for each. */
void reg_challenge_read(struct arena *a, sv value, struct reg_challenge *best);

#endif
