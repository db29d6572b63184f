/* install/conda_priv.h - what the files of the conda installer share: the archive and its tars, what info/ says, prefix replacement, and
 * the package that is being read as a source. Everything here reads bytes that came from elsewhere: sizes have ceilings, paths are
 * judged. Memory: two windows of zstd at most (128 MiB each, touched only as far as a frame reaches), a text file that is rewritten
 * (CONDA_TEXT_MAX, and what becomes of it), the list of paths. */
#ifndef INSTALL_CONDA_PRIV_H
#define INSTALL_CONDA_PRIV_H

#include "base/buf.h"
#include "base/map.h"
#include "ext/archive.h"
#include "ext/hash.h"
#include "ext/json.h"
#include "install/install.h"

#define CONDA_INFO_MAX                                                                                                 \
        ((size_t)64 << 20) /* bytes of one file of info/ that is read: paths.json of a quarter million files */
#define CONDA_TEXT_MAX   ((size_t)16 << 20) /* bytes of a text file with a prefix in it; larger ones are read twice */
#define CONDA_STRING_MAX ((size_t)16 << 20) /* bytes of one string of a binary file that holds the prefix */

/* --- conda_archive.c: .conda (CEP 35: a zip around two zstd tars) and .tar.bz2 */
struct conda_part { /* a member of the zip */
        sv packed;
        uint16_t method;
        uint32_t crc;
        uint64_t size;
};
enum conda_section { CONDA_PKG, CONDA_INFO, CONDA_WHOLE };
struct conda_archive {
        sv bytes;
        bool zip;     /* .conda: sections PKG (may be absent) and INFO; else WHOLE */
        bool has_pkg; /* a package without files may have none */
        struct conda_part part[2];
};
/** The outer form, by the first bytes. -ERR_INTEGRITY; -ERR_FAILED: a format version that is not 2, a compression method */
int conda_archive_open(struct arena *a, sv bytes, struct conda_archive *ret, struct err *e);

struct conda_tar; /* one section, read once from front to back */
int conda_tar_open(const struct conda_archive *ar, enum conda_section section, struct conda_tar **ret, struct err *e);
/** As archive_table.next; the end of a section is the end of its frames too: cut off, -ERR_INTEGRITY. */
int conda_tar_next(struct conda_tar *t, const struct archive_item **ret, struct err *e);
int conda_tar_read(struct conda_tar *t, void *p, size_t max, size_t *ret_n, struct err *e);
void conda_tar_free(struct conda_tar *t); /* NULL is fine */
static inline void conda_tar_freep(struct conda_tar **t)
{
        conda_tar_free(*t);
}

/* --- conda_member.c: is a member safe? */
struct conda_member {
        sv path; /* without "./", in the arena */
        enum entry_type type;
        uint32_t mode;
        int64_t mtime;
        uint64_t size;
        sv link; /* ENTRY_SYMLINK: as written; ENTRY_HARDLINK: a path of the archive */
};
/** 1 · 0: nothing ("./" itself) · -ERR_INTEGRITY: an unsafe path, a device, a link out of the archive */
int conda_member_of(struct arena *a, const struct archive_item *it, struct conda_member *ret, struct err *e);
struct conda_tree { /* paths that were written so far */
        struct map at;
};
/** -ERR_INTEGRITY: a path twice, below a file, or through a symbolic link of the same package. path lives as long as the tree. */
int conda_tree_add(struct conda_tree *t, struct arena *a, sv path, enum entry_type type, struct err *e);

/* --- conda_info.c: the files of info/ that an installation needs */
struct conda_texts { /* p NULL: not there */
        sv index, paths, link, files, has_prefix, no_link;
};
enum conda_kind { CONDA_PLAIN, CONDA_GENERIC, CONDA_PYTHON };
struct conda_index {
        struct js *doc;
        sv name, version, build, subdir; /* subdir may be empty */
        enum conda_kind noarch;
};
struct conda_link {
        bool python;
        sv *entry_point; /* "cmd = module:func", as written */
        size_t n;
};
int conda_index_parse(struct arena *a, sv text, struct conda_index *ret, struct err *e);
int conda_link_parse(struct arena *a, sv text, struct conda_link *ret, struct err *e);
struct conda_info {
        struct conda_texts text;
        struct conda_index index;
        struct conda_link link;
        bool python; /* site-packages and python-scripts are mapped, entry points made */
};
/** Texts in the arena. A .tar.bz2 is only read as far as needed; what is needed does not depend on the order of its members. */
int conda_info_read(struct arena *a, const struct conda_archive *ar, const struct artifact *art, struct conda_info *ret,
                    struct err *e);
sv conda_url_subdir(sv url); /* "noarch" of "https://host/conda-forge/noarch/x.conda" */

/* --- conda_paths.c: what is installed, in this order */
enum conda_path_type { CONDA_HARDLINK, CONDA_SOFTLINK, CONDA_DIRECTORY, CONDA_ENTRY_POINT };
enum conda_file_mode { CONDA_TEXT, CONDA_BINARY };
struct conda_path {
        sv path;          /* as the archive has it */
        sv to;            /* below the prefix */
        sv entry, target; /* as entries have them, once they were given: of the package, not of a pass */
        enum conda_path_type type;
        enum conda_file_mode mode;
        sv placeholder; /* empty: nothing is replaced */
        bool no_link, has_sha256, has_size;
        sha256 sha256;
        uint64_t size;
        sv script;                /* CONDA_ENTRY_POINT: its bytes */
        bool hidden;              /* an entry point takes its place */
        struct conda_path *first; /* a hard link: the file that it leads to, which is none itself */
        /* of this pass */
        bool seen;
        uint64_t seen_size;
        sha256 original, installed; /* zero: nobody looked */
};
struct conda_paths {
        struct conda_path **v;
        size_t n, cap;
        struct map by_path, by_to; /* → struct conda_path; by_to is filled by conda_place */
        sv placeholder;            /* of the last one that has one */
        bool listed;               /* false: neither paths.json nor files; every member counts */
};
/** NULL: an unsafe path, or one that is there. */
struct conda_path *conda_paths_add(struct arena *a, struct conda_paths *p, sv path, struct err *e);
/** info/paths.json; the text is not kept. -ERR_INTEGRITY; -ERR_FAILED: a version that is not 1 */
int conda_paths_parse(struct arena *a, sv text, struct conda_paths *ret, struct err *e);
/** paths.json, else files with has_prefix and no_link. */
int conda_paths_read(struct arena *a, const struct conda_texts *t, struct conda_paths *ret, struct err *e);

/* --- conda_prefix.c: one placeholder in one file, as a stream (conda's core/portability.py). */
struct conda_prefix;
struct conda_replace {
        sv placeholder, prefix;
        enum conda_file_mode mode;
        sv file; /* for messages */
};
struct conda_prefix *conda_prefix_new(const struct conda_replace *how); /* texts borrowed */
void conda_prefix_free(struct conda_prefix *p);                         /* NULL is fine */
static inline void conda_prefix_freep(struct conda_prefix **p)
{
        conda_prefix_free(*p);
}
/** What is decided is appended to out. -ERR_FAILED: the prefix is longer than the placeholder of a binary file · -ERR_LIMIT */
int conda_prefix_add(struct conda_prefix *p, sv bytes, struct buf *out, struct err *e);
int conda_prefix_end(struct conda_prefix *p, struct buf *out, struct err *e);

/* --- conda_noarch.c */
struct conda_entry_point {
        sv name, module, first, attr; /* "a.b", "c", "c.d" of "a.b:c.d" */
};
int conda_entry_point_parse(struct arena *a, sv text, struct conda_entry_point *ret, struct err *e);
/** The script: runs prefix/bin/pythonX.Y. */
sv conda_entry_point_script(struct arena *a, sv prefix, sv python, const struct conda_entry_point *ep);
/** Where a path of the archive goes, below the prefix. */
sv conda_place_path(struct arena *a, sv path, bool python, sv site_packages);

/* --- conda_effects.c: what a package would have done by programs */
/** EB530, EB531 for a path below the prefix of the package `name`; digest: of the file, or NULL. */
void conda_warn(struct diags *ds, sv file, sv name, sv path, const sha256 *digest);

/* --- conda_meta.c */
struct conda_meta {
        const struct conda_index *index;
        const struct conda_paths *paths;
        sv url; /* as the lock has it */
        sv *depends, *constrains;
        size_t n_depends, n_constrains;
        sha256 sha256;
        uint64_t size;
        char md5[33];
};
sv conda_url_file(struct arena *a, sv url); /* decoded: "x-1!2.0-0.conda" */
sv conda_meta_name(struct arena *a, const struct conda_index *x);
void conda_meta_write(const struct conda_meta *m, struct buf *out);

/* --- conda.c: the source */
#define CONDA_PIECE 65536

/* A package as a source: the members of pkg- and of info- (or of the .tar.bz2) that paths.json lists, in the archive's order, then what is
 * made: folders that only paths.json knows, entry points, conda-meta. */
struct conda {
        struct entry_source source;
        struct arena arena; /* the package */
        struct arena pass;  /* one pass */
        struct install_ctx ctx;
        sv file; /* "numpy-1.26.4-py312_0.conda", for messages */
        struct conda_archive archive;
        struct conda_index index;
        bool python; /* site-packages and python-scripts are mapped */
        struct conda_paths paths;
        struct conda_meta meta;
        sv meta_path, meta_entry; /* below the prefix; as an entry has it */
        struct conda_path **made; /* folders and entry points, in order */
        size_t n_made;

        /* this pass */
        struct conda_tar *tar;
        struct conda_tar *apart; /* while a hard link's file is read again */
        unsigned n_again;
        enum conda_section section;
        bool tars_ended, meta_given;
        size_t at_made;
        struct conda_tree members, installed; /* paths of the archive; below the prefix */
        struct entry entry;
        struct conda_path *given; /* whose entry was handed out last */

        /* the file that is given */
        struct hash *hash;           /* of what the member holds */
        struct conda_prefix *prefix; /* CONDA_BINARY, while it is read */
        uint64_t left;               /* of the member */
        bool input_ended;
        struct buf out; /* bytes that are replaced, not yet given */
        size_t out_at;
        char piece[CONDA_PIECE];
};

int conda_installing(const struct conda *c, struct err *e); /* adds which package; -code */
/** Reads the section once more, up to this member. 1 · 0: it has none of that name · -ERR_LIMIT: a package may ask for that 64 times.
 *  *ret is to be freed, whatever comes. */
int conda_member_find(struct conda *c, sv path, struct conda_tar **ret, struct conda_member *ret_file, struct err *e);

/* --- conda_plan.c: what will be installed, before the archive is read. -ERR_INTEGRITY, -ERR_FAILED */
int conda_plan(struct conda *c, const struct artifact *art, struct diags *ds, struct err *e);
/** A path below the prefix, as entries have it. */
sv conda_below(struct conda *c, sv path);
/** -ERR_INTEGRITY for what only an installer may write. */
int conda_protected(sv path, struct err *e);

/* --- conda_file.c: contents. What paths.json says of a file must be so: known when its last byte was given. */
int conda_check_digest(const struct conda_path *p, const sha256 *have, struct err *e);
int conda_check_size(const struct conda_path *p, uint64_t have, struct err *e);
/** The file that c->apart or else c->tar is at: c->entry.size and *ret. */
int conda_file_begin(struct conda *c, struct conda_path *p, const struct conda_member *m, struct content *ret,
                     struct err *e);
/** An empty c->out for so many bytes. */
void conda_out_begin(struct conda *c, size_t max);

#endif
