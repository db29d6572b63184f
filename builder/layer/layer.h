/* layer/layer.h - entries → tar → one gzip member → store (design/layers.md §1, §4, §5). The bytes are frozen by layer-format 1 and
 * guarded by golden digests. Memory: about 4 MiB a body that is being made, whatever the package's size.
 *
 * A package is made once as a *body* (its entries without directories, as byte-aligned deflate). A layer of its own is frame(directories ·
 * body · end); of a bucketed package only the body is kept, and a bucket joins bodies without compressing anything. */
#ifndef LAYER_LAYER_H
#define LAYER_LAYER_H

#include "base/arena.h"
#include "base/err.h"
#include "base/hex.h"
#include "base/op.h"
#include "install/install.h"
#include "oci/oci.h"
#include "store/store.h"
#include "tree/paths.h"

/* --- keys (layer/key.c). ctx->python is empty for conda packages that are not noarch python. sha256 over the canonical JSON of design/layers.md §1; *_text for tests and golden files */
void layer_key_package_text(const struct artifact *art, const struct install_ctx *ctx, uint32_t part, uint32_t parts,
                            struct buf *out);
sha256 layer_key_package(const struct artifact *art, const struct install_ctx *ctx, uint32_t part, uint32_t parts);
sha256 layer_key_bucket(const sha256 *member, size_t n);
struct layer_key_os {
        const sha256 *deb; /* in dpkg order */
        size_t n_deb;
        sha256 effects, os;
};
sha256 layer_key_os(const struct layer_key_os *k);
sha256 layer_key_venv(const struct install_venv *v);
sha256 layer_key_conda_env(const struct install_venv *v); /* python is not looked at */
sha256 layer_key_last(const sha256 *paths_digest);

/* --- facts (layer/fact.c): what a key gave, kept in the store */
struct layer_encoding {
        enum oci_codec codec;
        sha256 digest;
        uint64_t size;
};
struct layer_body {           /* where a package's body is: in a blob of its own layer, or in a file of its own */
        enum store_kind kind; /* STORE_BLOB or STORE_BODY */
        sha256 in;
        uint64_t at, size; /* bytes of deflate */
        uint64_t tar_size; /* bytes it inflates to */
        uint32_t tar_crc;
};
struct layer_fact {
        sha256 key;
        bool has_layer; /* false: a bucketed package, only a body */
        sha256 diff_id;
        struct layer_encoding encoding[3];
        size_t n_encoding;
        sha256 paths; /* path list, a STORE_BLOB */
        bool has_body;
        struct layer_body body;
};
/** Encodings and a body whose files are gone are left out; -ERR_NOT_FOUND when the key is unknown or nothing is left (the fact is
 *  dropped then). */
int layer_fact_get(struct store *s, const sha256 *key, struct layer_fact *ret, struct err *e);
int layer_fact_put(struct store *s, const struct layer_fact *f, struct err *e);
/** The note's text: canonical JSON. Reading is strict (-ERR_INTEGRITY); fuzzed. */
void layer_fact_write(const struct layer_fact *f, struct buf *out);
int layer_fact_parse(sv text, struct layer_fact *ret, struct err *e);
/** Its path list, parsed. */
int layer_fact_paths(struct store *s, const struct layer_fact *f, struct arena *a, struct paths *ret, struct err *e);
const struct layer_encoding *layer_fact_encoding(const struct layer_fact *f, enum oci_codec c); /* or NULL */

/* --- making */
enum layer_style {
        LAYER_JOIN, /* wheels, env, last: zip streams are copied, all else through the frozen encoder (layer/fixed.c) */
        LAYER_CHUNK /* debs, conda, os: libdeflate level 6 on chunks of 1 MiB */
};
struct layer_make {
        enum layer_style style;
        sv root; /* directories below it (root excluded) are emitted 0755 0:0; empty: every directory is (debs, os) */
        const struct entry *
                dir; /* attributes of directories that are not 0755 0:0 with mtime 315532800, sorted by path (what a .deb ships, the
                                    constant table); looked up for every directory emitted */
        size_t n_dir;
        bool deb_table; /* directories that are not in dir have the attributes of the layer format's constant table */
        bool whiteouts; /* entries may be whiteouts: the last layer */
        sv subject;     /* for OP_LAYER events */
        uint64_t total;
};
/**
 * Make a package's layer (or all its parts) or, with only_body, just its body, and keep facts of them.
 *
 * @param keys  n_keys of them: one a part
 * @param src   LAYER_CHUNK with one key, only_body: read once. Else twice: a first pass, which reads no contents, finds the directories and
 *              the sizes, so that the blob is written and digested in one go
 * @param ret   n_keys facts
 * @return 0 · what the source failed with (-ERR_INTEGRITY: wrong CRC, …) · -ERR_INTEGRITY: a path twice, unsafe · -ERR_CANCELLED · -ERR_IO
 */
int layer_make(struct store *s, const struct layer_make *m, const sha256 *keys, uint32_t n_keys, bool only_body,
               struct entry_source *src, struct op *op, struct layer_fact *ret, struct err *e);
/** Join bodies into a bucket's layer; members in bucket order. A path that an earlier member has is left out of the later one: remake()
 *  gives that member's entries again then. */
struct layer_member {
        const struct layer_fact *fact;
        enum layer_style style; /* of its body, for making it again */
        void *arg;
        int (*remake)(void *arg, struct entry_source **ret, struct err *e);
};
int layer_bucket(struct store *s, const struct layer_make *m, const sha256 *key, const struct layer_member *member,
                 size_t n, struct op *op, struct layer_fact *ret, struct err *e);
/** Make another encoding of a layer that is there; adds it to the fact and the store. gzip, when its first form was pruned, is made anew
 *  with another digest: any encoding of a diff_id is valid. */
int layer_encode(struct store *s, struct layer_fact *f, enum oci_codec codec, struct op *op, struct err *e);
/** Read an encoding that is in the store: -ERR_INTEGRITY when its tar is another, both named. */
int layer_encoding_check(struct store *s, const struct layer_encoding *en, const sha256 *diff_id, struct op *op,
                         struct err *e);

#endif
