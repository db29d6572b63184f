/* registry/registries_conf.h - registries.conf, version 2 (containers-registries.conf(5)): mirrors, other locations, insecure and blocked
 * registries. unqualified-search-registries and aliases are passed over: a name without a host is docker.io's. Pure but for the loading. */
#ifndef REGISTRY_REGISTRIES_CONF_H
#define REGISTRY_REGISTRIES_CONF_H

#include "registry/client.h"

enum reg_mirror_use { REG_MIRROR_ALL, REG_MIRROR_DIGEST, REG_MIRROR_TAG };
struct reg_mirror {
        sv location; /* "mirror.example.com/hub" */
        bool insecure;
        enum reg_mirror_use use;
};
struct reg_conf_entry {
        sv prefix;   /* "docker.io/library", "*.example.com" */
        sv location; /* what stands in the prefix's place; empty for "*.…": the name as it is */
        bool insecure, blocked;
        struct reg_mirror *mirror;
        size_t n_mirror;
        sv file; /* for messages */
        uint32_t line;
};
struct reg_conf {
        struct reg_conf_entry *v;
        size_t n, cap;
};
/** Add a file's entries; one with a prefix that is there replaces it. -ERR_USAGE "PATH:3:7: …". text is copied. */
int reg_conf_parse(struct arena *a, sv path, sv text, struct reg_conf *conf, struct err *e);
/** The file that o or $CONTAINERS_REGISTRIES_CONF names, alone; else the user's or the system's, then the drop-ins of both. */
int reg_conf_load(struct arena *a, const struct reg_opts *o, struct reg_conf *ret, struct err *e);

/** The entry with the longest prefix, or NULL; *ret_rest: what follows the prefix in "registry/repository". */
const struct reg_conf_entry *reg_conf_find(struct arena *a, const struct reg_conf *conf, const struct reg_repo *repo,
                                           sv *ret_rest);
/** Is a host ("mirror.example.com:5000") one that may be insecure? */
bool reg_conf_insecure(const struct reg_conf *conf, sv host);

#endif
