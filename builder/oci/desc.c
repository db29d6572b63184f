#include "oci/oci_priv.h"

#include <string.h>

#include "base/cleanup.h"
#include "ext/hash.h"

static bool is_alnum(char c)
{
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_lower_alnum(char c)
{
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z');
}

static bool restricted_name(sv s)
{
        if (s.n == 0 || s.n > 127 || !is_alnum(s.p[0]))
                return false;
        for (size_t i = 1; i < s.n; i++)
                if (!is_alnum(s.p[i]) && !memchr("!#$&^_.+-", s.p[i], 9))
                        return false;
        return true;
}

bool oci_media_type_valid(sv s)
{
        sv type;

        return sv_cut(&s, '/', &type) && restricted_name(type) && restricted_name(s);
}

/* [a-z0-9]+([+._-][a-z0-9]+)* */
static bool algorithm(sv s)
{
        bool sep = true;

        for (size_t i = 0; i < s.n; i++) {
                bool word = is_lower_alnum(s.p[i]);
                if (!word && (sep || !memchr("+._-", s.p[i], 4)))
                        return false;
                sep = !word;
        }
        return !sep;
}

static bool encoded(sv s)
{
        for (size_t i = 0; i < s.n; i++)
                if (!is_alnum(s.p[i]) && !memchr("=_-", s.p[i], 3))
                        return false;
        return s.n > 0;
}

static bool lower_hex(sv s, size_t n)
{
        for (size_t i = 0; i < s.n; i++)
                if (!((s.p[i] >= '0' && s.p[i] <= '9') || (s.p[i] >= 'a' && s.p[i] <= 'f')))
                        return false;
        return s.n == n;
}

int oci_digest_read(const struct oci_doc *d, const char *field, sv text, sha256 *ret)
{
        sv hex = text, alg;

        if (!sv_cut(&hex, ':', &alg) || !algorithm(alg) || !encoded(hex) ||
            (sv_is(alg, "sha256") && !lower_hex(hex, 64)) || (sv_is(alg, "sha512") && !lower_hex(hex, 128)))
                return oci_bad(d, field, "is not a digest");
        if (!sv_is(alg, "sha256"))
                return err_set(d->e, ERR_FAILED, "%s: %s%s is a digest by '%.*s'; only sha256 is supported", d->what,
                               d->at, field, SV_ARG(alg));
        return sha256_read(text, ret) ? 0 : oci_bad(d, field, "is not a digest");
}

static int read_platform(const struct oci_doc *d, struct oci_desc *ret)
{
        const struct js *j;
        struct oci_doc p = *d;

        if (oci_field_typed(d, "platform", JS_OBJ, false, &j) < 0)
                return -(int)d->e->code;
        if (!j)
                return 0;
        p.at = arena_fmt(d->a, "%splatform.", d->at).p;
        p.obj = j;
        if (oci_field_str(&p, "os", true, &ret->os) < 0 || oci_field_str(&p, "architecture", true, &ret->arch) < 0 ||
            oci_field_str(&p, "variant", false, &ret->variant) < 0)
                return -(int)d->e->code;
        return 0;
}

static int base64_value(char c)
{
        static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        const char *p = c ? strchr(digits, c) : NULL;

        return p ? (int)(p - digits) : -1;
}

static bool base64_read(sv s, struct buf *out)
{
        size_t pad = s.n && s.p[s.n - 1] == '=' ? (s.n > 1 && s.p[s.n - 2] == '=' ? 2 : 1) : 0;
        uint32_t bits = 0;

        if (s.n % 4 != 0)
                return false;
        for (size_t i = 0; i < s.n; i++) {
                int v = i >= s.n - pad ? 0 : base64_value(s.p[i]);
                if (v < 0)
                        return false;
                bits = bits << 6 | (uint32_t)v;
                if (i % 4 != 3)
                        continue;
                buf_byte(out, (char)(bits >> 16 & 0xff));
                if (i + 1 < s.n || pad < 2)
                        buf_byte(out, (char)(bits >> 8 & 0xff));
                if (i + 1 < s.n || pad < 1)
                        buf_byte(out, (char)(bits & 0xff));
                bits = 0;
        }
        return !out->over;
}

/* Content that travels in the descriptor must be what the descriptor names. */
static int check_data(const struct oci_doc *d, const struct oci_desc *desc)
{
        struct buf bytes = BUF_INIT(OCI_DOC_MAX);
        sv text = { 0 };
        bool ok;

        if (oci_field_str(d, "data", false, &text) < 0)
                return -(int)d->e->code;
        if (!oci_field(d, "data"))
                return 0;
        ok = base64_read(text, &bytes) && bytes.n == desc->size;
        if (ok) {
                sha256 got = sha256_of(buf_sv(&bytes));
                ok = sha256_eq(&got, &desc->digest);
        }
        buf_done(&bytes);
        return ok ? 0 : oci_bad(d, "data", "is not the content that the digest and size name");
}

static int read_urls(const struct oci_doc *d, struct oci_desc *ret)
{
        if (oci_field_strs(d, "urls", &ret->url, &ret->n_url) < 0)
                return -(int)d->e->code;
        for (size_t i = 0; i < ret->n_url; i++)
                if (sv_find(ret->url[i], ':') <= 0 || sv_find(ret->url[i], ' ') >= 0)
                        return oci_bad(d, "urls", "has an element that is not a URL");
        return 0;
}

static int read_fields(const struct oci_doc *d, struct oci_desc *ret)
{
        int64_t size = -1;
        sv digest;

        if (oci_field_str(d, "mediaType", true, &ret->media_type) < 0 ||
            oci_field_str(d, "digest", true, &digest) < 0 ||
            oci_field_str(d, "artifactType", false, &ret->artifact_type) < 0)
                return -(int)d->e->code;
        if (!oci_media_type_valid(ret->media_type))
                return oci_bad(d, "mediaType", "is not a media type");
        if (ret->artifact_type.n && !oci_media_type_valid(ret->artifact_type))
                return oci_bad(d, "artifactType", "is not a media type");
        if (!oci_field(d, "size"))
                return oci_bad(d, "size", "is missing");
        if (!js_int(oci_field(d, "size"), &size) || size < 0)
                return oci_bad(d, "size", "is not a number of bytes");
        ret->size = (uint64_t)size;
        if (read_urls(d, ret) < 0 || read_platform(d, ret) < 0 ||
            oci_field_pairs(d, "annotations", &ret->annotation, &ret->n_annotation) < 0 ||
            oci_digest_read(d, "digest", digest, &ret->digest) < 0)
                return -(int)d->e->code;
        return check_data(d, ret);
}

int oci_desc_read(const struct oci_doc *d, const char *field, const struct js *j, struct oci_desc *ret)
{
        struct oci_doc inner = { d->a, d->what, arena_fmt(d->a, "%s%s.", d->at, field).p, j, d->e };
        struct oci_desc desc = { 0 };

        if (!j || j->type != JS_OBJ)
                return oci_bad(d, field, j ? "is not an object" : "is missing");
        if (read_fields(&inner, &desc) < 0)
                return -(int)d->e->code;
        *ret = desc;
        return 0;
}

int oci_subject_read(const struct oci_doc *d, bool *ret_has, struct oci_desc *ret)
{
        *ret_has = oci_field(d, "subject") != NULL;
        return *ret_has ? oci_desc_read(d, "subject", oci_field(d, "subject"), ret) : 0;
}

struct js *oci_pairs_js(struct arena *a, const struct oci_pair *v, size_t n)
{
        struct js *obj = n ? js_new_obj(a) : NULL;

        for (size_t i = 0; i < n; i++)
                js_put(a, obj, v[i].key, js_new_str(a, v[i].value));
        return obj;
}

struct js *oci_desc_js(struct arena *a, const struct oci_desc *d, sv media_type)
{
        struct js *j = js_new_obj(a);

        js_put_str(a, j, "mediaType", media_type);
        js_put_str(a, j, "digest", arena_fmt(a, "sha256:%s", sha256_hex(&d->digest).s));
        js_put_int(a, j, "size", (int64_t)d->size);
        if (d->artifact_type.n)
                js_put_str(a, j, "artifactType", d->artifact_type);
        js_put(a, j, SV("annotations"), oci_pairs_js(a, d->annotation, d->n_annotation));
        if (d->n_url) {
                struct js *list = js_new_arr(a);
                for (size_t i = 0; i < d->n_url; i++)
                        js_add(a, list, js_new_str(a, d->url[i]));
                js_put(a, j, SV("urls"), list);
        }
        if (d->os.n || d->arch.n) {
                struct js *p = js_new_obj(a);
                js_put_str(a, p, "os", d->os);
                js_put_str(a, p, "architecture", d->arch);
                if (d->variant.n)
                        js_put_str(a, p, "variant", d->variant);
                js_put(a, j, SV("platform"), p);
        }
        return j;
}

sv oci_desc_annotation(const struct oci_desc *d, const char *key)
{
        for (size_t i = 0; i < d->n_annotation; i++)
                if (sv_is(d->annotation[i].key, key))
                        return d->annotation[i].value;
        return (sv){ 0 };
}

int oci_desc_parse(struct arena *a, sv text, const char *what, struct oci_desc *ret, struct err *e)
{
        struct oci_desc desc = { 0 };
        struct oci_doc d;

        if (oci_doc_open(a, text, what, &d, e) < 0 || read_fields(&d, &desc) < 0)
                return -(int)e->code;
        *ret = desc;
        return 0;
}

void oci_desc_write(const struct oci_desc *d, struct buf *out)
{
        AUTO(arena_done) struct arena a = { 0 };

        js_write(oci_desc_js(&a, d, d->media_type), out);
}
