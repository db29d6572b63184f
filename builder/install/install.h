/* install/install.h - one artifact's bytes → entries, in body order (design/layers.md §4). Pure: bytes in, entries out; nothing is read
 * but the artifact and struct install_ctx, so that a layer is a function of its key. */
#ifndef INSTALL_INSTALL_H
#define INSTALL_INSTALL_H

#include "base/arena.h"
#include "base/diag.h"
#include "base/fs.h"
#include "pkg/artifact.h"
#include "tree/entry.h"
#include "tree/paths.h"

struct install_ctx {      /* the inputs of a key besides the artifact */
        sv prefix;        /* "/opt/env": what shebangs and RECORD say */
        sv root;          /* "opt": real path of the prefix's parent; entries are below root + "/env" */
        sv python;        /* "3.13"; empty for debs */
        sv site_packages; /* "lib/python3.13/site-packages" */
        bool usrmerged;   /* debs */
};

/**
 * A wheel (specs/pypi.md §11-12).
 *
 * @param art      borrowed until this returns
 * @param bytes    the whole file, mapped; must live until the source is freed
 * @param ds       warnings: EB302 newer Wheel-Version
 * @param ret      heap; freed by entry_source_freep. CONTENT_BYTES (rewritten scripts, RECORD) are valid until the next entry is asked for
 * @return 0 · -ERR_INTEGRITY: corrupt zip, unsafe paths, METADATA or name that does not match · -ERR_FAILED: Wheel-Version major > 1, a
 *         compression method we do not read, an entry point of a script that is no reference, a Requires-Python without ctx->python
 *         · -ERR_LIMIT: more than 1,048,576 members, METADATA or a #!python script over 16 MiB
 */
int install_wheel(const struct artifact *art, sv bytes, const struct install_ctx *ctx, struct diags *ds,
                  struct entry_source **ret, struct err *e);
/** A .deb: its data.tar and dpkg's info files (design/debian.md). */
int install_deb(const struct artifact *art, sv bytes, const struct install_ctx *ctx, struct diags *ds,
                struct entry_source **ret, struct err *e);
/**
 * A conda package, .conda or .tar.bz2 (specs/conda.md §14-16, design/layers.md §1, §4): prefix replacement in text and binary files, shebangs,
 * noarch python with entry points, links, conda-meta/NAME-VERSION-BUILD.json from the artifact and info/index.json.
 *
 * @param bytes  the whole file, mapped; its sha256 was checked by whoever fetched it. Must live until the source is freed
 * @param ctx    python and site_packages for noarch python packages
 * @param ds     warnings: EB530 link scripts that are not run, EB531 Menu/ ignored
 * @param ret    heap; freed by entry_source_freep. What paths.json says of a file is checked against the sha256 that the consumer sets, when
 *               it asks for the next entry
 * @return 0 · -ERR_INTEGRITY: damaged, unsafe paths, paths.json that lies · -ERR_FAILED: a prefix longer than the placeholder (file and
 *         limit named), an unknown format version, an entry point that is none, noarch python without ctx->python · -ERR_LIMIT: a zstd
 *         window over 128 MiB, a string of 16 MiB with a prefix in it, more than 1,048,576 members. (Most come from the source's next or a
 *         content's read.)
 */
int install_conda(const struct artifact *art, sv bytes, const struct install_ctx *ctx, struct diags *ds,
                  struct entry_source **ret, struct err *e);
/** The warnings of install_conda (EB530, EB531), from the path list of a layer that was there already: so that a build that makes nothing
 *  tells them too. */
void install_conda_warn(const struct artifact *art, const struct install_ctx *ctx, const struct paths *list,
                        struct diags *ds);

/** A fixed list of entries whose contents are in memory: env, os and last layers. content[i] belongs to entry[i]; both borrowed. */
struct entry_source *install_list(struct entry *entry, const struct content *content, size_t n);

struct install_venv { /* layer `env` of a venv */
        sv root, prefix;
        sv python;            /* "/usr/bin/python3.13" */
        sv python_version;    /* "3.13.5" */
        struct entry *parent; /* each directory part of root with the base's attributes, outermost first */
        size_t n_parent;
};
/** Layer `env` of a conda prefix: the parents and the prefix itself. Its python is a package. */
void install_conda_env(struct arena *a, const struct install_venv *v, struct entry **ret, struct content **ret_content,
                       size_t *ret_n);
void install_venv(struct arena *a, const struct install_venv *v, struct entry **ret, struct content **ret_content,
                  size_t *ret_n);

#endif
