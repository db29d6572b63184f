/* install/os_priv.h - inside of layer `os`: the merged view over all debs, and what is being made. */
#ifndef INSTALL_OS_PRIV_H
#define INSTALL_OS_PRIV_H

#include "base/map.h"
#include "install/os.h"

struct os_path { /* a path that some deb ships */
        const struct deb_path *p;
        const struct deb_info *deb; /* the first in dpkg's order */
        bool disagree;              /* a directory whose attributes differ between debs */
};
struct os_made {
        struct entry entry;
        sv text;
};
struct os {
        struct arena *a;
        const struct os_input *in;
        struct diags *ds;
        struct map shipped; /* path → struct os_path */
        struct os_path *list;
        size_t n_list;
        struct map by_path; /* path → struct os_made */
        struct os_made **made;
        size_t n_made, cap_made;
        struct deb_alternative *alternative; /* of scripts and effects, in dpkg's order */
        size_t n_alternative, cap_alternative;
        sv arch, triplet;
};

/* os.c: paths with or without the leading slash; usrmerged here. What a deb ships is left alone (false), what was made before is replaced. */
bool os_put(struct os *o, const struct entry *en, sv text);
void os_replace(struct os *o, const struct entry *en); /* even what a deb ships */
bool os_file(struct os *o, sv path, uint32_t mode, sv text);
bool os_link(struct os *o, sv path, sv target);
bool os_dir(struct os *o, sv path, uint32_t mode, uint32_t uid, uint32_t gid);
/** "/lib/x" → "usr/lib/x" */
sv os_real(struct os *o, sv path);
/** A deb's own kept contents. */
const struct deb_text *os_text(const struct os *o, sv path);
bool os_has_package(const struct os *o, const char *name);

/* os_paths.c */
int os_merge(struct os *o, struct err *e);
/** Follows links through all that is shipped and made; the final path, or empty when it leads nowhere. */
sv os_resolve(struct os *o, sv path);
void os_repeat_dirs(struct os *o);

int os_alternatives(struct os *o, struct err *e); /* os_alternatives.c */
void os_effects(struct os *o);                    /* os_effects.c */
void os_accounts(struct os *o);                   /* os_accounts.c */
int os_certificates(struct os *o, struct err *e); /* os_certs.c */
void os_ldcache(struct os *o);                    /* os_ldcache.c */
int os_dpkg(struct os *o, struct err *e);         /* os_dpkg.c */

#define OS_TEXT_MAX ((size_t)64 << 20)

#endif
