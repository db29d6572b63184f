/* install/deb.h - what a .deb holds (deb(5)): two compressed tars in an ar archive, the control files, and where dpkg puts things.
 * Everything here reads bytes that came from elsewhere: sizes have ceilings, paths are judged. */
#ifndef INSTALL_DEB_H
#define INSTALL_DEB_H

#include "base/arena.h"
#include "ext/archive.h"
#include "install/install.h"
#include "pkg/control.h"

struct deb_parts { /* compressed tars: gzip, xz, zstd, bzip2 or plain */
        sv control, data;
};
/** -ERR_INTEGRITY: no ar archive, not of format 2, members missing or cut off. Pure. */
int deb_split(sv bytes, struct deb_parts *ret, struct err *e);

struct deb_member { /* a file of control.tar */
        sv name, text;
        uint32_t mode;
        int64_t mtime;
};
struct deb_control {
        sv control; /* the file of that name, one paragraph */
        sv name, version, arch;
        bool same;                 /* Multi-Arch: same: its info files are named pkg:arch.* */
        struct deb_member *member; /* all but `control`, sorted by name */
        size_t n_member;
};
/** The control part, checked; texts in the arena. -ERR_INTEGRITY, -ERR_LIMIT (16 MiB, 64 files). */
int deb_control_read(struct arena *a, sv control_tar, struct deb_control *ret, struct err *e);
/** A control file's text, or empty. */
sv deb_control_file(const struct deb_control *c, const char *name);
/** "var/lib/dpkg/info/libc6:amd64.list" */
sv deb_info_path(struct arena *a, const struct deb_control *c, sv file);

/** Open data.tar with our ceilings. */
int deb_data_open(const struct archive_table *t, const struct deb_parts *p, struct archive_reader **ret, struct err *e);

/* A member of data.tar as it will stand in the image. */
struct deb_item {
        struct entry entry; /* path and target usrmerged when asked; in the arena given */
        sv wrote;           /* dpkg's spelling: "/lib/x86_64-linux-gnu/libc.so.6" */
};
/**
 * Judge and translate one member.
 *
 * @return 1 · 0: nothing of ours ("./" itself, and bin, sbin, lib, lib64 when usrmerged: layer `os` has those) · -ERR_INTEGRITY: unsafe
 *         path, link out of the archive · -ERR_FAILED: a device, an owner that is not static (uid or gid >= 100)
 */
int deb_item_of(struct arena *a, const struct archive_item *it, bool usrmerged, struct deb_item *ret, struct err *e);
/** "lib/x" → "usr/lib/x": bin, sbin, lib, lib64 and what lies below them. */
sv deb_usrmerge(struct arena *a, sv path);

#endif
