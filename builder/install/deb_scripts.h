/* install/deb_scripts.h - what kind of maintainer script it is (design/debian.md): only these can be installed without running them.
 * Pure; small and narrow on purpose: what it does not know in so many words, it does not know. */
#ifndef INSTALL_DEB_SCRIPTS_H
#define INSTALL_DEB_SCRIPTS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/sv.h"

struct deb_slave {
        sv link, name, path;
};
struct deb_alternative { /* update-alternatives --install link name path priority [--slave link name path]… */
        sv link, name, path;
        int64_t priority;
        struct deb_slave *slave;
        size_t n_slave;
};

enum deb_script_kind {
        SCRIPT_VOID,         /* absent, or nothing is left once known blocks of debhelper's are taken out */
        SCRIPT_ALTERNATIVES, /* only literal update-alternatives --install calls besides */
        SCRIPT_UNKNOWN       /* does something else: its sha256 must stand in the effects file */
};
struct deb_script {
        enum deb_script_kind kind;
        struct deb_alternative *alternative;
        size_t n_alternative;
        bool sysusers; /* a dh_installsysusers block: users of usr/lib/sysusers.d are made */
        sv line;       /* SCRIPT_UNKNOWN: the first line that is not known */
};

/**
 * @param name  "preinst" or "postinst": only these run when a package is installed
 * @param text  the script, borrowed by *ret
 */
void deb_script_read(struct arena *a, sv name, sv text, struct deb_script *ret);

#endif
