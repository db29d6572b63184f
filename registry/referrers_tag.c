/* Writing the index of the tag schema. Nothing there is locked: whoever writes later wins, so what was written is read again. */
#include <stdlib.h>

#include "base/cleanup.h"
#include "registry/blob_priv.h"
#include "registry/referrers_priv.h"

static int by_digest(const void *a, const void *b)
{
        const struct js_member *x = a, *y = b;

        return sv_cmp(js_get_str(x->value, "digest"), js_get_str(y->value, "digest"));
}

static struct js *empty_index(struct arena *a)
{
        struct js *doc = js_new_obj(a);

        js_put_int(a, doc, "schemaVersion", 2);
        js_put_str(a, doc, "mediaType", SV(OCI_INDEX));
        js_put(a, doc, SV("manifests"), js_new_arr(a));
        return doc;
}

int referrers_add(sv text, const struct oci_desc *entry, struct buf *out, bool *ret_had, struct err *e)
{
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(buf_done) struct buf one = BUF_INIT(OCI_DOC_MAX);
        sv digest = arena_fmt(&a, "sha256:%s", sha256_hex(&entry->digest).s);
        struct js *doc, *list, *added;
        struct oci_index x;

        if (!text.n)
                doc = empty_index(&a);
        else if (oci_index_parse(&a, text, "the index of referrers", &x, e) < 0 || js_parse(&a, text, &doc, e) < 0)
                return -(int)e->code;
        list = js_get(doc, "manifests");
        *ret_had = false;
        for (size_t i = 0; i < list->n; i++)
                *ret_had |= sv_eq(js_get_str(list->v[i].value, "digest"), digest);
        if (*ret_had)
                return 0;
        oci_desc_write(entry, &one);
        if (buf_check(&one, e) < 0 || js_parse(&a, buf_sv(&one), &added, e) < 0)
                return -(int)e->code;
        js_add(&a, list, added);
        qsort(list->v, list->n, sizeof(*list->v), by_digest);
        js_write(doc, out);
        return buf_check(out, e);
}

/* One round: 1 when it is there and stayed, 0 when somebody else's writing undid it. */
static int try_add(struct reg_client *c, const struct reg_repo *repo, const sha256 *subject,
                   const struct oci_desc *entry, struct err *e)
{
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(buf_done) struct buf out = BUF_INIT(OCI_DOC_MAX);
        AUTO(buf_done) struct buf unused = BUF_INIT(OCI_DOC_MAX);
        struct reg_manifest m = { .media_type = SV(OCI_INDEX) };
        bool had;
        sv text;

        if (referrers_tagged(c, repo, subject, &a, &text, e) < 0 || referrers_add(text, entry, &out, &had, e) < 0)
                return -(int)e->code;
        if (had)
                return 1;
        m.bytes = buf_sv(&out);
        m.digest = sha256_of(m.bytes);
        if (reg_manifest_put(c, repo, referrers_tag(&a, subject), &m, NULL, e) < 0 ||
            referrers_tagged(c, repo, subject, &a, &text, e) < 0 || referrers_add(text, entry, &unused, &had, e) < 0)
                return -(int)e->code;
        return had;
}

int referrers_note(struct reg_client *c, const struct reg_repo *repo, const sha256 *subject,
                   const struct oci_desc *entry, struct err *e)
{
        AUTO(arena_done) struct arena a = { 0 };
        struct reg_referrer *v;
        unsigned lost = 0;
        bool has;
        size_t n;
        int r;

        if (referrers_listed(c, repo, subject, (sv){ 0 }, &a, &v, &n, &has, e) < 0)
                return -(int)e->code;
        if (has)
                return 0; /* the server finds them itself */
        for (unsigned tried = 0; tried < REG_TRIES * 2; tried++) {
                r = try_add(c, repo, subject, entry, e);
                if (r < 0 && reg_is_half_written(e)) {
                        err_done(e);
                        r = 0;
                }
                if (r < 0)
                        return err_while(e, "noting what hangs on sha256:%s", sha256_hex(subject).s);
                if (r == 1 && lost == 0)
                        return 0;
                /* Somebody else is at it: look once more when that has come to rest. */
                lost = r == 1 ? lost - 1 : 1;
                if (reg_pause(c, 0, NULL, e) < 0)
                        return -(int)e->code;
        }
        return err_set(e, ERR_FAILED, "the tag '%.*s:%.*s' is written by others all the time: our entry does not stay",
                       SV_ARG(reg_repo_text(&a, repo)), SV_ARG(referrers_tag(&a, subject)));
}
