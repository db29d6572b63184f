/* oci/oci_priv.h - reading typed fields of a document. A JSON null is an absent field. A fault names the document and the field. */
#ifndef OCI_OCI_PRIV_H
#define OCI_OCI_PRIV_H

#include "oci/oci.h"

/* One object of a document: what is read, what it is called in messages. */
struct oci_doc {
        struct arena *a;
        const char *what; /* the document */
        const char *at;   /* "layers[3].", "" at the top: put before a field's name */
        const struct js *obj;
        struct err *e;
};

int oci_bad(const struct oci_doc *d, const char *field, const char *fault); /* -ERR_INTEGRITY */
/** Parse the text; the top is an object of at most OCI_DOC_MAX bytes. */
int oci_doc_open(struct arena *a, sv text, const char *what, struct oci_doc *ret, struct err *e);
const struct js *oci_field(const struct oci_doc *d, const char *field); /* NULL when absent or null */
int oci_field_str(const struct oci_doc *d, const char *field, bool required, sv *ret);
/** Absent gives NULL. */
int oci_field_typed(const struct oci_doc *d, const char *field, enum js_type type, bool required,
                    const struct js **ret);
int oci_field_strs(const struct oci_doc *d, const char *field, sv **ret, size_t *ret_n);
int oci_field_pairs(const struct oci_doc *d, const char *field, struct oci_pair **ret, size_t *ret_n);
/** schemaVersion 2, mediaType one of the two when it is there; schema 1 and bodies that are two things at once are refused. */
int oci_doc_version(const struct oci_doc *d, const char *oci_type, const char *docker_type);

/* oci/desc.c. Both readings give 0, -ERR_INTEGRITY, or -ERR_FAILED when the digest is a valid one but no sha256. */
int oci_digest_read(const struct oci_doc *d, const char *field, sv text, sha256 *ret);
/** The descriptor j, called `field` in messages. */
int oci_desc_read(const struct oci_doc *d, const char *field, const struct js *j, struct oci_desc *ret);
/** A subject is not followed when reading an image, but a document with a broken one is broken. */
int oci_subject_read(const struct oci_doc *d, bool *ret_has, struct oci_desc *ret);
struct js *oci_desc_js(struct arena *a, const struct oci_desc *d, sv media_type);
struct js *oci_pairs_js(struct arena *a, const struct oci_pair *v, size_t n);
bool oci_media_type_valid(sv s);
sv oci_type_of_docker(sv media_type); /* the OCI type of a Docker config or layer type; others as they are */
sv oci_docker_type(sv media_type);    /* the other way; empty: Docker has none */

#endif
