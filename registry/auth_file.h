/* registry/auth_file.h - auth files of docker and podman (config.json, auth.json, .dockercfg; containers-auth.json(5)): reading, looking up,
 * changing one login and keeping everything else. Pure: text in, text out. */
#ifndef REGISTRY_AUTH_FILE_H
#define REGISTRY_AUTH_FILE_H

#include "ext/json.h"
#include "registry/credentials.h"

#define AUTH_FILE_MAX ((size_t)1 << 20)
#define AUTH_HUB_KEY  "https://index.docker.io/v1/" /* Docker Hub's name in files and helpers */

struct auth_file {
        sv path; /* for messages and reg_login.from */
        struct js *doc;
        bool flat; /* ~/.dockercfg: what stands under auths elsewhere is the whole file */
};
/** a is wiped by the caller. -ERR_USAGE "PATH:3:7: …". An empty text is an empty file. */
int auth_file_parse(struct arena *a, sv path, sv text, bool flat, struct auth_file *ret, struct err *e);

struct auth_found { /* one of the two, or neither */
        struct reg_login login;
        bool found;
        sv helper; /* "pass" of docker-credential-pass */
        sv key;    /* what the helper is asked for */
};
/** credHelpers, then auths from the most specific key (host/ns/repo, host/ns, host), then credsStore. -ERR_USAGE: an entry that is none. */
int auth_file_find(struct arena *a, const struct auth_file *f, const struct reg_repo *repo, struct auth_found *ret,
                   struct err *e);

/** The helper that keeps logins of a registry, by credHelpers or credsStore; empty: the file itself. */
sv auth_file_helper(const struct auth_file *f, sv registry);
/** Has it a login of this registry (an empty entry counts), or names a helper for it? */
bool auth_file_knows(const struct auth_file *f, sv registry);
/** The key that docker and podman write: "docker.io" is AUTH_HUB_KEY. */
sv auth_key(sv registry);
/** Set (l) or take away (NULL) a registry's own entry, under whatever spelling; docker's empty entry where a helper has it. True: changed. */
bool auth_file_set(struct arena *a, struct auth_file *f, sv registry, const struct reg_login *l, bool in_helper);
/** Add the registries that it has an entry for, as they are called in references ("docker.io"), each once. */
void auth_file_registries(struct arena *a, const struct auth_file *f, sv **v, size_t *n, size_t *cap);

#endif
