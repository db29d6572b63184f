/* registry/blob.h - blobs of one repository (specs/oci.md §3.4, §3.5). A blob is named by the sha256 of its bytes; sizes are bytes. */
#ifndef REGISTRY_BLOB_H
#define REGISTRY_BLOB_H

#include "oci/oci.h"
#include "registry/client.h"

/* Bytes that can be read from any place, twice. */
struct reg_bytes {
        const char *path; /* a file; or NULL: */
        sv text;
};
enum reg_how { REG_PRESENT, REG_MOUNTED, REG_SENT };

/** HEAD. -ERR_NOT_FOUND. ret_size may be NULL. */
int reg_blob_head(struct reg_client *c, const struct reg_repo *repo, const sha256 *d, uint64_t *ret_size,
                  struct err *e);
/**
 * Make sure the server has a blob: ask (HEAD), try to mount it from other repositories, else send it in one PUT (in pieces where the
 * server asks for it or ENVBUILD_PUSH_CHUNK says so). A broken upload is looked into, resumed where that is safe, else begun again.
 *
 * @param want   digest and size; both are checked while sending
 * @param bytes  NULL: not here: -ERR_NOT_FOUND unless it is present or can be mounted
 * @param from   repositories of the same registry that may have it (others are passed over)
 * @param ret_sent  bytes that went over the wire, restarts included; may be NULL
 * @return 0 · -ERR_AUTH, hint names the login command · -ERR_NET after a few restarts, naming the blob · -ERR_INTEGRITY if the bytes are not
 *         what `want` says: the upload is cancelled, nothing is stored
 */
int reg_blob_ensure(struct reg_client *c, const struct reg_repo *repo, const struct oci_desc *want,
                    const struct reg_bytes *bytes, const struct reg_repo *from, size_t n_from, sv subject,
                    enum reg_how *ret_how, uint64_t *ret_sent, struct err *e);
/** Its bytes, in one pass, resumed after breaks and from other endpoints; -ERR_INTEGRITY when they are not what `want` says (whoever reads
 *  `into` must drop it then) · -ERR_NOT_FOUND. Size 0 in want: not known, at most max bytes are taken. */
int reg_blob_get(struct reg_client *c, const struct reg_repo *repo, const struct oci_desc *want, uint64_t max,
                 struct writer *into, sv subject, struct err *e);
/** A small one in memory (config, path list, SBOM). */
int reg_blob_read(struct reg_client *c, const struct reg_repo *repo, const struct oci_desc *want, size_t max,
                  struct arena *a, sv *ret, struct err *e);

#endif
