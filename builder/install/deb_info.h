/* install/deb_info.h - what layer `os` must know of each package: control fields, scripts, paths, conffiles, libraries, a few contents.
 * One pass over the .deb. A function of its bytes, `usrmerged` and the paths asked for. */
#ifndef INSTALL_DEB_INFO_H
#define INSTALL_DEB_INFO_H

#include "install/deb.h"

struct deb_path {
        sv path;  /* in the image: "usr/lib/x86_64-linux-gnu/libc.so.6" */
        sv wrote; /* dpkg's spelling: "/lib/x86_64-linux-gnu/libc.so.6" */
        enum entry_type type;
        uint32_t mode, uid, gid;
        int64_t mtime;
        sv target;
};
struct deb_conffile {
        sv path;      /* as the package lists it */
        sv flag;      /* "", or "remove-on-upgrade" */
        char md5[33]; /* empty: not shipped */
};
struct deb_library { /* a file that ldconfig would look at */
        sv path;
        sv soname; /* empty: it names none */
        uint16_t machine;
};
struct deb_text {
        sv path, text;
        uint32_t mode, uid, gid;
        int64_t mtime;
};
struct deb_info {
        sha256 sha256; /* of the .deb */
        struct deb_control control;
        struct deb_path *path; /* sorted by path; a directory that usrmerge made double is there once */
        size_t n_path;
        struct deb_conffile *conffile;
        size_t n_conffile;
        struct deb_library *lib; /* sorted by path */
        size_t n_lib;
        struct deb_text *text; /* contents that were asked for, sorted by path */
        size_t n_text;
};

struct deb_want { /* whose contents are kept: a path of the image, or a folder's ("usr/share/ca-certificates/") */
        const sv *path;
        size_t n;
};
#define DEB_TEXT_MAX ((size_t)4 << 20) /* bytes of one kept file */

/** Everything in *ret lives in the arena, nothing points into `bytes`. @return as install_deb; -ERR_LIMIT for a kept file over DEB_TEXT_MAX */
int deb_info_read(struct arena *a, const struct artifact *art, sv bytes, bool usrmerged, const struct deb_want *want,
                  struct deb_info *ret, struct err *e);
const struct deb_text *deb_info_text(const struct deb_info *d, sv path);

#endif
