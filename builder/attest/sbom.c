#include "attest/sbom.h"

#include <stdlib.h>

#include "attest/purl.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/map.h"
#include "ext/hash.h"
#include "ext/json.h"

#define DOCUMENT "SPDXRef-DOCUMENT"
#define IMAGE    "SPDXRef-Image"
#define BASE     "SPDXRef-Base"

/* A package of the document: an artifact of the lock, or a distribution that a conda package (`in`) supplies. */
struct item {
        sv id, name, version, purl;
        const struct artifact *art, *in;
        bool of_base;
};
struct sbom {
        struct arena *a;
        const struct lock *lock;
        const struct lock_platform *p;
        const struct sbom_image *image;
        struct item *v;
        size_t n, cap;
        struct map ids;
        struct map by_art; /* name of its kind → item; keys as key_of() makes them */
};

static bool has_base_image(const struct sbom *s)
{
        return !sha256_is_zero(&s->p->base.manifest);
}

/* SPDXIDs hold letters, digits, dots and hyphens only; two names may become one. */
static sv id_of(struct sbom *s, const char *kind, sv name)
{
        sv id = arena_fmt(s->a, "SPDXRef-Package-%s-%.*s", kind, SV_ARG(name)), unique;
        char *p = arena_str(s->a, id);

        for (size_t i = 0; i < id.n; i++) {
                char c = p[i];
                bool ok = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' ||
                          c == '-';
                if (!ok)
                        p[i] = '-';
        }
        id = unique = (sv){ p, id.n };
        for (unsigned k = 2; map_get(&s->ids, unique); k++)
                unique = arena_fmt(s->a, "%.*s-%u", SV_ARG(id), k);
        map_put(&s->ids, s->a, unique, p);
        return unique;
}

static sv key_of(struct sbom *s, const struct artifact *x)
{
        return arena_fmt(s->a, "%s %.*s", artifact_kind_name(x->kind), SV_ARG(x->name));
}

static void add_dists(struct sbom *s, const struct artifact *x)
{
        for (size_t i = 0; i < x->n_dists; i++) {
                sv version = x->dists[i], name;
                if (!sv_cut(&version, ' ', &name))
                        continue;
                *arena_push(s->a, s->v, s->n, s->cap) = (struct item){ .id = id_of(s, "dist", name),
                                                                       .name = name,
                                                                       .version = version,
                                                                       .purl = purl_dist(s->a, name, version),
                                                                       .in = x };
        }
}

static void add_base(struct sbom *s)
{
        for (size_t i = 0; i < s->image->n_base; i++) {
                const struct sbom_deb *d = &s->image->base[i];
                const struct artifact x = {
                        .kind = ARTIFACT_DEB, .name = d->name, .version = d->version, .arch = d->arch
                };
                *arena_push(s->a, s->v, s->n, s->cap) = (struct item){ .id = id_of(s, "base", d->name),
                                                                       .name = d->name,
                                                                       .version = d->version,
                                                                       .purl = purl_artifact(s->a, s->p, &x),
                                                                       .of_base = true };
        }
}

static int by_id(const void *a, const void *b)
{
        return sv_cmp(((const struct item *)a)->id, ((const struct item *)b)->id);
}

static void collect(struct sbom *s)
{
        for (size_t i = 0; i < s->p->n_artifact; i++) {
                const struct artifact *x = &s->p->artifact[i];
                *arena_push(s->a, s->v, s->n, s->cap) =
                        (struct item){ .id = id_of(s, artifact_kind_name(x->kind), x->name),
                                       .name = x->name,
                                       .version = x->version,
                                       .purl = purl_artifact(s->a, s->p, x),
                                       .art = x };
                add_dists(s, x);
        }
        if (has_base_image(s))
                add_base(s);
        if (s->n)
                qsort(s->v, s->n, sizeof(*s->v), by_id);
        for (size_t i = 0; i < s->n; i++)
                if (s->v[i].art)
                        map_put(&s->by_art, s->a, key_of(s, s->v[i].art), &s->v[i]);
}

/* --- packages */

static void put_sha256(struct arena *a, struct js *package, const sha256 *d)
{
        struct js *list = js_new_arr(a), *one = js_new_obj(a);

        js_put_str(a, one, "algorithm", SV("SHA256"));
        js_put_str(a, one, "checksumValue", arena_sv(a, sv_from(sha256_hex(d).s)));
        js_add(a, list, one);
        js_put(a, package, SV("checksums"), list);
}

static void put_purl(struct arena *a, struct js *package, sv purl)
{
        struct js *list = js_new_arr(a), *one = js_new_obj(a);

        js_put_str(a, one, "referenceCategory", SV("PACKAGE-MANAGER"));
        js_put_str(a, one, "referenceType", SV("purl"));
        js_put_str(a, one, "referenceLocator", purl);
        js_add(a, list, one);
        js_put(a, package, SV("externalRefs"), list);
}

/* What every package says. Licences are not in a lock: an SBOM that guessed would be worse than one that says so. */
static struct js *package_of(struct arena *a, sv id, sv name, sv version, sv location)
{
        struct js *j = js_new_obj(a);

        js_put_str(a, j, "SPDXID", id);
        js_put_str(a, j, "name", name);
        if (version.n)
                js_put_str(a, j, "versionInfo", version);
        js_put_str(a, j, "downloadLocation", location.n ? location : SV("NOASSERTION"));
        js_put(a, j, SV("filesAnalyzed"), js_new_bool(a, false));
        js_put_str(a, j, "licenseConcluded", SV("NOASSERTION"));
        js_put_str(a, j, "licenseDeclared", SV("NOASSERTION"));
        js_put_str(a, j, "copyrightText", SV("NOASSERTION"));
        return j;
}

static struct js *image_package(const struct sbom *s)
{
        const struct sbom_image *im = s->image;
        sv version = im->has_manifest ? arena_fmt(s->a, "sha256:%s", sha256_hex(&im->manifest).s) : (sv){ 0 };
        struct js *j = package_of(s->a, SV(IMAGE), im->name, version, (sv){ 0 });

        js_put_str(s->a, j, "primaryPackagePurpose", SV("CONTAINER"));
        if (im->has_manifest) {
                put_sha256(s->a, j, &im->manifest);
                put_purl(s->a, j, purl_image(s->a, im->name, &im->manifest, purl_arch(s->p->platform), im->repository));
        }
        return j;
}

/* "oci:DIR:TAG" is a folder of somebody's machine: only what it is called goes out. */
static sv base_name(const struct sbom *s)
{
        sv ref = s->p->base.ref;

        return sv_starts(ref, SV("oci:")) ? sv_basename(sv_skip(ref, 4)) : ref;
}

static struct js *base_package(const struct sbom *s)
{
        sv version = arena_fmt(s->a, "sha256:%s", sha256_hex(&s->p->base.manifest).s);
        struct js *j = package_of(s->a, SV(BASE), base_name(s), version, (sv){ 0 });

        js_put_str(s->a, j, "primaryPackagePurpose", SV("CONTAINER"));
        put_sha256(s->a, j, &s->p->base.manifest);
        put_purl(s->a, j, purl_base(s->a, s->p));
        return j;
}

static struct js *item_package(const struct sbom *s, const struct item *it)
{
        struct js *j =
                package_of(s->a, it->id, it->name, it->version, it->art ? download_location(s->a, it->art) : (sv){ 0 });

        if (it->art)
                put_sha256(s->a, j, &it->art->sha256);
        if (it->of_base)
                js_put_str(s->a, j, "sourceInfo", SV("a package of the base image"));
        put_purl(s->a, j, it->purl);
        return j;
}

static struct js *packages(const struct sbom *s)
{
        struct js *list = js_new_arr(s->a);

        if (has_base_image(s))
                js_add(s->a, list, base_package(s));
        js_add(s->a, list, image_package(s));
        for (size_t i = 0; i < s->n; i++)
                js_add(s->a, list, item_package(s, &s->v[i]));
        return list;
}

/* --- relationships */

static void relate(const struct sbom *s, struct js *list, sv from, const char *how, sv to)
{
        struct js *one = js_new_obj(s->a);

        js_put_str(s->a, one, "spdxElementId", from);
        js_put_str(s->a, one, "relationshipType", sv_from(how));
        js_put_str(s->a, one, "relatedSpdxElement", to);
        js_add(s->a, list, one);
}

static const struct item *find_item(struct sbom *s, const struct artifact *x)
{
        return x ? map_get(&s->by_art, key_of(s, x)) : NULL;
}

/* Two needs may mean one package ("python >=3.10", "python_abi 3.12.*" of conda): it is told once. */
static void relate_needs(struct sbom *s, struct js *list, const struct item *it)
{
        const struct item **told = arena_array(s->a, const struct item *, it->art->n_needs);
        size_t n = 0;

        for (size_t i = 0; i < it->art->n_needs; i++) {
                const struct item *to = find_item(s, lock_find_need(s->p, it->art, it->art->needs[i]));
                bool again = !to || to == it;
                for (size_t k = 0; k < n && !again; k++)
                        again = told[k] == to;
                if (again)
                        continue;
                told[n++] = to;
                relate(s, list, it->id, "DEPENDS_ON", to->id);
        }
}

static struct js *relationships(struct sbom *s)
{
        struct js *list = js_new_arr(s->a);

        relate(s, list, SV(DOCUMENT), "DESCRIBES", SV(IMAGE));
        if (has_base_image(s))
                relate(s, list, SV(IMAGE), "DESCENDANT_OF", SV(BASE));
        for (size_t i = 0; i < s->n; i++) {
                const struct item *it = &s->v[i], *in = find_item(s, it->in);
                relate(s, list, in ? in->id : it->of_base ? SV(BASE) : SV(IMAGE), "CONTAINS", it->id);
                if (it->art)
                        relate_needs(s, list, it);
        }
        return list;
}

/* --- the document */

/* Unique for what it describes, and no address of anything: SPDX 2.3 §6.5 has this form for documents without a site of their own. */
static sv namespace_of(const struct sbom *s)
{
        AUTO(buf_done) struct buf b = BUF_INIT(LOCK_MAX);
        sha256 d = s->image->manifest;

        if (!s->image->has_manifest) {
                lock_write_resolution(s->lock, &b);
                buf_fmt(&b, "\n%.*s\n", SV_ARG(s->p->platform));
                d = sha256_of(buf_sv(&b));
        }
        return arena_fmt(s->a, "https://spdx.org/spdxdocs/envbuild-%.*s/%s-%s", SV_ARG(s->image->version),
                         s->image->has_manifest ? "image" : "lock", sha256_hex(&d).s);
}

static struct js *creation(const struct sbom *s)
{
        struct js *j = js_new_obj(s->a), *creators = js_new_arr(s->a);
        char created[24];

        time_format(s->lock->created, created);
        js_put_str(s->a, j, "created", arena_sv(s->a, sv_from(created)));
        js_add(s->a, creators, js_new_str(s->a, arena_fmt(s->a, "Tool: envbuild-%.*s", SV_ARG(s->image->version))));
        js_put(s->a, j, SV("creators"), creators);
        return j;
}

void sbom_spdx_write(const struct lock *l, const struct lock_platform *p, const struct sbom_image *image,
                     struct buf *out)
{
        AUTO(arena_done) struct arena a = { 0 };
        struct sbom s = { .a = &a, .lock = l, .p = p, .image = image };
        struct js *doc = js_new_obj(&a);

        collect(&s);
        js_put_str(&a, doc, "spdxVersion", SV("SPDX-2.3"));
        js_put_str(&a, doc, "dataLicense", SV("CC0-1.0"));
        js_put_str(&a, doc, "SPDXID", SV(DOCUMENT));
        js_put_str(&a, doc, "name", image->name);
        js_put_str(&a, doc, "documentNamespace", namespace_of(&s));
        js_put(&a, doc, SV("creationInfo"), creation(&s));
        js_put(&a, doc, SV("packages"), packages(&s));
        js_put(&a, doc, SV("relationships"), relationships(&s));
        js_write_pretty(doc, out);
}
