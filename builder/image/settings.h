/* image/settings.h - what the user and the system say to every build: $XDG_CONFIG_HOME/envbuild/config.yml (else ~/.config/…), then
 * /etc/envbuild/config.yml. Never a file of the definition's folder: who may be believed is not for a definition to say.
 *
 *   cache:
 *     repositories: [registry.example/team/layers]   # where facts about layers are looked up (docs/internals/reuse.md)
 *     trust: [MCowBQYDK2VwAyEA…]                     # ed25519: facts that none of these signed do not exist
 *     sign: /etc/envbuild/layers.pem                 # signs the facts that are published
 *     keep-packages: true                            # keep the files of packages whose layers are made */
#ifndef IMAGE_SETTINGS_H
#define IMAGE_SETTINGS_H

#include "base/arena.h"
#include "base/diag.h"
#include "base/err.h"
#include "ext/ed25519.h"

struct settings {
        sv *repository; /* the user's, then the system's, each once */
        size_t n_repository;
        struct ed25519_public *trust;
        size_t n_trust;
        sv sign; /* a file; empty: none */
        bool keep_packages;
};

/** Unknown keys and bad values are faults with file:line:column in ds (EB14x). -ERR_USAGE then. */
int settings_load(struct arena *a, struct diags *ds, struct settings *ret, struct err *e);
struct settings_text {
        sv text, file;
};
/** The same of these texts, the one that counts most first. Pure. */
int settings_parse(struct arena *a, const struct settings_text *v, size_t n, struct diags *ds, struct settings *ret,
                   struct err *e);

#endif
