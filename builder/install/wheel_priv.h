/* install/wheel_priv.h - what the files of the wheel installer share: the wheel that is being planned, then read as a source. */
#ifndef INSTALL_WHEEL_PRIV_H
#define INSTALL_WHEEL_PRIV_H

#include "base/buf.h"
#include "install/install.h"
#include "pkg/zip.h"
#include "stream/deflate_walk.h"

#define WHEEL_TEXT_MAX   ((size_t)16 << 20) /* METADATA, WHEEL, entry_points.txt: bytes when inflated */
#define WHEEL_SCRIPT_MAX ((size_t)16 << 20) /* a script whose first line is rewritten */
#define WHEEL_RECORD_MAX ((size_t)1 << 30)
#define WHEEL_MEMBER_MAX ((size_t)1 << 20)

enum wheel_item_kind {
        ITEM_MEMBER, /* a member's packed bytes as they are */
        ITEM_SCRIPT, /* a member of .data/scripts: rewritten when it begins with #!python */
        ITEM_BYTES,  /* made by us: `bytes` */
        ITEM_RECORD  /* made by us from the hashes of all others */
};
struct wheel_item {
        struct entry entry;
        enum wheel_item_kind kind;
        const struct zip_member *member;
        sv bytes;
        sv record_path; /* as RECORD names it: relative to site-packages */
};

struct wheel {
        struct entry_source source; /* first: a source is its wheel */
        struct arena arena;         /* every text and array below */
        const struct artifact *art; /* while planning */
        struct install_ctx ctx;     /* texts copied into the arena */
        sv file;                    /* "numpy-2.1.0-….whl", for messages */
        sv archive;                 /* borrowed */
        struct zip zip;
        struct deflate_walk *walk;
        sv dist_info; /* "numpy-2.1.0.dist-info" */
        sv shebang;   /* with its line ends */
        struct wheel_item *v;
        size_t n, cap, at;
        struct wheel_item **by_record; /* sorted by record_path */
        struct buf made; /* contents of the entry that was handed out last: a rewritten script, or RECORD */
};

/* wheel_read.c: small members in memory. The text lives in `out`; method, size and CRC are checked. */
int wheel_member_read(struct wheel *w, const struct zip_member *m, size_t max, struct buf *out, struct err *e);
/** Up to max first bytes of a member, without inflating the rest. */
int wheel_member_peek(struct wheel *w, const struct zip_member *m, char *ret, size_t max, size_t *ret_n, struct err *e);
/** A text of the dist-info folder, in the arena; -ERR_NOT_FOUND without a cause when there is none. */
int wheel_text_read(struct wheel *w, const char *name, sv *ret, struct err *e);

/* wheel_check.c: is it the wheel that the lock means, and can it be installed? Sets w->dist_info. */
int wheel_check(struct wheel *w, struct diags *ds, struct err *e);

/* wheel_path.c: where a member goes, relative to the prefix. *ret_kind: ITEM_MEMBER or ITEM_SCRIPT. 1 · 0: not installed · -code */
int wheel_path(struct wheel *w, const struct zip_member *m, sv *ret_path, enum wheel_item_kind *ret_kind,
               struct err *e);

/* entry_points.c: [console_scripts] and [gui_scripts] as pip reads them. */
struct entry_point {
        sv name;
        sv module, first, attr; /* "a.b", "c", "c.d" of "a.b:c.d [extra]" */
};
struct entry_points { /* names are unique; sorted by name */
        struct entry_point *v;
        size_t n, cap;
        sv *declared; /* as the file has them: members of .data/scripts with such names are left out */
        size_t n_declared, cap_declared;
};
/** python: "3.13", for the names of pip's own scripts. -ERR_FAILED names the line or the entry point. */
int entry_points_parse(struct arena *a, sv text, sv python, struct entry_points *ret, struct err *e);
/** Would setuptools have made this script ("x", "x.exe", "x-script.py") for a declared entry point? */
bool entry_points_wrap(const struct entry_points *ep, sv script);

/* scripts.c */
sv script_shebang(struct arena *a, sv prefix);
sv script_body(struct arena *a, sv shebang, const struct entry_point *ep);
bool script_is_python(sv first_bytes); /* begins with "#!python" */
/** The text with its first line replaced, into out. */
void script_rewrite(sv text, sv shebang, struct buf *out);

/* record.c */
/** Path of `path` as seen from the folder `from`, both relative to the prefix. */
sv record_path(struct arena *a, sv path, sv from);
void record_row(sv path, const sha256 *hash, uint64_t size, struct buf *out);
void record_self(sv path, struct buf *out); /* a row without hash and size */
sv direct_url_json(struct arena *a, const struct artifact *art);

#endif
