/* The same packages on another base: which lock, what of it changes, and what it is called then. */
#include "image/rebase.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "image/image_priv.h"
#include "image/pull.h"
#include "image/source.h"
#include "registry/manifest.h"

/* --- the base as definitions write it */

static sv base_text(struct arena *a, const struct lock_base *b)
{
        return b->recipe.n ? arena_fmt(a, "recipe:%.*s", SV_ARG(b->recipe)) : b->ref;
}

/* Platforms of one lock have one base, as written; a lock that was edited may not. */
static sv base_of(struct arena *a, const struct lock *l)
{
        return l->n_platform ? base_text(a, &l->platform[0].base) : (sv){ 0 };
}

static sv without(sv text, sv before, sv after)
{
        if (sv_starts(text, before))
                text = sv_skip(text, before.n);
        return sv_ends(text, after) ? sv_from_to(text, 0, text.n - after.n) : text;
}

/* --- an image */

static int read_document(struct image_ctx *c, const struct image_source *s, const sha256 *d, struct arena *a, sv *ret,
                         struct err *e)
{
        AUTO(buf_done) struct buf b = BUF_INIT(OCI_DOC_MAX);
        struct err missing = { 0 };
        struct reg_client *reg;
        struct reg_manifest m;

        if (image_ctx_store(c, true, e) < 0)
                return -(int)e->code;
        if (store_read(c->store, STORE_BLOB, d, &b, &missing) == 0) {
                *ret = arena_sv(a, buf_sv(&b));
                return 0;
        }
        if (!s->repo.registry.n)
                return err_move(e, &missing);
        err_done(&missing);
        if (image_ctx_registry(c, &reg, e) < 0 ||
            reg_manifest_get(reg, &s->repo, arena_fmt(a, "sha256:%s", sha256_hex(d).s), a, &m, e) < 0)
                return -(int)e->code;
        *ret = m.bytes;
        return 0;
}

struct part { /* of an image, for one platform */
        sv platform;
        struct oci_manifest m;
        sha256 digest;
};

static int read_part(struct image_ctx *c, const struct image_source *s, const sha256 *d, struct arena *a,
                     struct part *ret, struct err *e)
{
        sv text;

        ret->digest = *d;
        return read_document(c, s, d, a, &text, e) < 0 ? -(int)e->code
                                                       : oci_manifest_parse(a, text, "manifest", &ret->m, e);
}

/* The manifests that an image consists of. */
static int read_parts(struct image_ctx *c, const struct image_source *s, struct arena *a, struct part **ret, size_t *n,
                      struct err *e)
{
        struct oci_index x = { 0 };
        sv text;

        if (read_document(c, s, &s->image, a, &text, e) < 0)
                return -(int)e->code;
        if (!oci_is_index(a, text)) {
                *ret = arena_array(a, struct part, 1);
                *n = 1;
                return read_part(c, s, &s->image, a, *ret, e);
        }
        if (oci_index_parse(a, text, "index", &x, e) < 0)
                return -(int)e->code;
        *ret = arena_array(a, struct part, x.n);
        for (size_t i = 0; i < x.n; i++) {
                struct part *p = &(*ret)[*n];

                if (!oci_index_is_image(&x.v[i]))
                        continue;
                p->platform = arena_fmt(a, "%.*s/%.*s", SV_ARG(x.v[i].os), SV_ARG(x.v[i].arch));
                if (read_part(c, s, &x.v[i].digest, a, p, e) < 0)
                        return err_while(e, "reading the image for %.*s", SV_ARG(p->platform));
                (*n)++;
        }
        return 0;
}

/* By the config, which Docker's media types leave alone. */
static const struct part *part_of(const struct part *v, size_t n, const struct lock_platform *p)
{
        for (size_t i = 0; i < n && p->has_image; i++)
                if (sha256_eq(&v[i].m.config.digest, &p->image.image_id))
                        return &v[i];
        for (size_t i = 0; i < n && !p->has_image; i++)
                if (v[i].platform.n ? sv_eq(v[i].platform, p->platform) : n == 1)
                        return &v[i];
        return NULL;
}

/* A lock may be for more platforms than were built. */
static int keep_platforms(struct lock *l, const struct part *v, size_t n, struct err *e)
{
        size_t kept = 0;

        for (size_t i = 0; i < l->n_platform; i++)
                if (part_of(v, n, &l->platform[i]))
                        l->platform[kept++] = l->platform[i];
        l->n_platform = kept;
        return kept ? 0 : err_set(e, ERR_INTEGRITY, "the lock of '%.*s' is of another image", SV_ARG(l->name));
}

static enum oci_codec codec_of(const struct part *p, const struct lock_platform *of)
{
        enum oci_codec codec;

        return p->m.n_layer > of->base.n_layer && oci_layer_codec(p->m.layer[p->m.n_layer - 1].media_type, &codec)
                       ? codec
                       : OCI_CODEC_GZIP;
}

/* A name with a digest means what it means for ever: the new image cannot have it. */
static int name_of(sv ref, struct arena *a, sv *ret, struct err *e)
{
        struct reference r;

        *ret = (sv){ 0 };
        if (sv_starts(ref, SV("sha256:")))
                return 0;
        if (image_reference(a, ref, true, &r, e) < 0)
                return -(int)e->code;
        if (!r.has_digest)
                *ret = arena_fmt(a, "%.*s%s%.*s%s%.*s", SV_ARG(r.registry), r.registry.n ? "/" : "",
                                 SV_ARG(r.repository), r.tag.n ? ":" : "", SV_ARG(r.tag));
        return 0;
}

/* What base.c and recipe.c ask of a definition, as far as a lock knows it. */
static struct spec *spec_of(struct arena *a, const struct lock *l)
{
        struct spec *s = arena_new(a, struct spec);
        const struct lock_platform *p = &l->platform[0];
        size_t max = 0;

        *s = (struct spec){ .name = l->name, .definition = l->definition, .dir = SV(".") };
        for (size_t i = 0; i < p->n_artifact; i++)
                max += p->artifact[i].n_by;
        s->apt = arena_array(a, struct spec_text, max);
        for (size_t i = 0; i < p->n_artifact; i++)
                for (size_t k = 0; k < p->artifact[i].n_by; k++) {
                        sv by = p->artifact[i].by[k];
                        ptrdiff_t colon = sv_find_sv(by, SV(": ")); /* "env.yml: libgl1"; needs have none */

                        if (p->artifact[i].kind == ARTIFACT_DEB && !p->artifact[i].recipe && colon >= 0)
                                s->apt[s->n_apt++] = (struct spec_text){ sv_skip(by, (size_t)colon + 2),
                                                                         { sv_from_to(by, 0, (size_t)colon), 0, 0 } };
                }
        return s;
}

int rebase_of_image(struct image_ctx *c, sv ref, struct arena *a, struct image_rebase *ret, struct err *e)
{
        struct image_source s;
        struct part *v = NULL;
        const struct part *first;
        struct reg_client *reg;
        size_t n = 0;

        *ret = (struct image_rebase){ 0 };
        if (name_of(ref, a, &ret->name, e) < 0 || source_find(c, ref, a, &s, e) < 0 ||
            read_parts(c, &s, a, &v, &n, e) < 0 || keep_platforms(s.lock, v, n, e) < 0)
                return -(int)e->code;
        first = part_of(v, n, &s.lock->platform[0]);
        ret->codec = codec_of(first, &s.lock->platform[0]);
        ret->locked = (struct image_locked){ .lock = s.lock,
                                             .spec = spec_of(a, s.lock),
                                             .path = arena_fmt(a, "%.*s.lock", SV_ARG(s.lock->name)) };
        ret->was = base_of(a, s.lock);
        if (s.repo.registry.n)
                ret->repo = reg_repo_text(a, &s.repo);
        if (!s.lock->n_file || !first->m.n_layer)
                return 0;
        if (image_ctx_registry(c, &reg, e) < 0)
                return -(int)e->code;
        return rebase_files(c, s.lock, &first->m.layer[first->m.n_layer - 1], ret->repo, e);
}

/* --- a definition or a lock file */

/* What the base may have been called when it was locked: `ref` in a lock is the full name of what a user wrote in short. */
static size_t base_names(const struct spec *s, const struct lock *l, sv fresh, struct arena *a, sv ret[static 6])
{
        sv locked = base_of(a, l), latest = SV(":latest"), none = { 0 };
        size_t n = 0;

        ret[n++] = s->base.text;
        ret[n++] = fresh;
        ret[n++] = locked;
        ret[n++] = without(locked, none, latest);
        ret[n++] = without(locked, SV("docker.io/library/"), none);
        ret[n++] = without(locked, SV("docker.io/library/"), latest);
        return n;
}

static bool try_platforms(struct spec *s, const struct lock *l, struct arena *a)
{
        struct spec_text *own = s->platforms;
        size_t n = s->n_platforms;
        sha256 request = spec_request(s);

        if (sha256_eq(&request, &l->request))
                return true;
        s->platforms = arena_array(a, struct spec_text, l->n_platform); /* --platform */
        s->n_platforms = l->n_platform;
        for (size_t i = 0; i < l->n_platform; i++)
                s->platforms[i].text = l->platform[i].platform;
        request = spec_request(s);
        if (sha256_eq(&request, &l->request))
                return true;
        s->platforms = own;
        s->n_platforms = n;
        return false;
}

/* Packages that were edited since have to be resolved first. The spec is left with the platforms of the lock. */
static bool fits(struct spec *s, const struct lock *l, sv fresh, struct arena *a)
{
        sv name[6], own = s->base.text;
        size_t n = base_names(s, l, fresh, a, name);
        bool found = false;

        for (size_t i = 0; i < n && !found; i++) {
                s->base.text = name[i];
                found = try_platforms(s, l, a);
        }
        s->base.text = own;
        return found;
}

int rebase_of_files(struct image_ctx *c, const struct image_request *files, struct arena *a, struct image_rebase *ret,
                    struct err *e)
{
        struct image_request r = { .file = files->file, .n_file = files->n_file, .frozen = true };
        struct spec *s;

        *ret = (struct image_rebase){ .of_files = true, .codec = OCI_CODEC_GZIP };
        if (image_lock(c, &r, a, &ret->locked, e) < 0)
                return -(int)e->code;
        ret->was = base_of(a, ret->locked.lock);
        s = ret->locked.spec;
        if (!s) {
                if (!ret->locked.lock->n_platform)
                        return err_set(e, ERR_USAGE, "the lock '%.*s' is for no platform", SV_ARG(ret->locked.path));
                ret->locked.spec = spec_of(a, ret->locked.lock);
                ret->locked.spec->dir = sv_dirname(ret->locked.path);
                return 0;
        }
        if (!s->base.text.n)
                s->base.text = s->n_conda ? SV(DEFAULT_BASE_OF_CONDA) : SV(DEFAULT_BASE);
        ret->was = s->base.text;
        ret->request = (struct image_request){ .file = files->file, .n_file = files->n_file };
        return 0;
}

/* --- the new base */

struct swap {
        struct image_ctx *c;
        struct image_rebase *r;
        struct arena *a;
        sv base;
        bool defined; /* locked.spec is a definition's, not what a lock knows of one */
};

/* A layout with one image says nowhere but in its config what it is for. */
static int platform_of_base(struct swap *s, const struct lock_platform *p, sv *ret, struct err *e)
{
        struct oci_config cfg;

        *ret = p->platform;
        if (base_config(s->c, s->r->locked.lock, p, s->r->locked.spec->dir, s->a, &cfg, e) < 0)
                return -(int)e->code;
        if (cfg.arch.n)
                *ret = arena_fmt(s->a, "%.*s/%.*s", SV_ARG((cfg.os.n ? cfg.os : SV("linux"))), SV_ARG(cfg.arch));
        return 0;
}

/* The base is there, but for other machines: that is the packages' trouble, not the network's. */
static int not_found(struct swap *s, struct err *e)
{
        AUTO(err_done) struct err none = { 0 };
        struct err conflict = { 0 };
        struct image_view v;
        struct reference ref;

        if (sv_starts(s->base, SV("oci:")) || sv_starts(s->base, SV("recipe:")) || s->c->offline ||
            image_reference(s->a, s->base, false, &ref, &none) < 0 ||
            image_look(s->c, &ref, (sv){ 0 }, s->a, &v, &none) < 0)
                return -(int)e->code;
        err_set(&conflict, ERR_CONFLICT, "%s", e->cause);
        err_hint(&conflict, "take a base that is for all platforms of the image");
        err_done(e);
        return err_move(e, &conflict);
}

static int refuse(struct swap *s, const sv *fault, size_t n, struct err *e)
{
        AUTO(buf_done) struct buf b = BUF_INIT(65536);

        for (size_t i = 0; i < n; i++)
                buf_fmt(&b, "%s%.*s", i ? "; " : "", SV_ARG(fault[i]));
        err_set(e, ERR_CONFLICT, "'%.*s' cannot stand on '%.*s': %.*s", SV_ARG(s->r->locked.lock->name),
                SV_ARG(s->base), SV_ARG(buf_sv(&b)));
        err_hint(e, "envbuild build %.*s --base %.*s chooses packages for that base",
                 SV_ARG((s->r->locked.lock->definition.n ? s->r->locked.lock->definition : SV("FILE"))),
                 SV_ARG(s->base));
        return -(int)e->code;
}

/* What an old lock declares: __glibc only where it is not simply the base's. */
static void declare(struct swap *s, const struct lock_platform *was, struct spec *ret)
{
        ret->virtual_ = arena_array(s->a, struct spec_pair, was->n_virtual);
        ret->n_virtual = 0;
        for (size_t i = 0; i < was->n_virtual; i++) {
                const struct lock_pair *v = &was->virtual_[i];

                if (!sv_is(v->key, "__glibc") || !sv_eq(v->value, was->facts.libc_version))
                        ret->virtual_[ret->n_virtual++] =
                                (struct spec_pair){ sv_skip(v->key, 2), v->value, { s->r->locked.path, 0, 0 } };
        }
}

/* Packages stay; what was known of their layers stays, too, for whoever looks for them by key. */
static void keep_packages(struct swap *s, const struct lock_platform *was, struct lock_platform *now)
{
        struct artifact *v = arena_array(s->a, struct artifact, was->n_artifact);
        size_t n = 0;

        for (size_t i = 0; i < was->n_artifact; i++)
                if (was->artifact[i].kind != ARTIFACT_DEB)
                        v[n++] = was->artifact[i];
        artifacts_add(s->a, now, v, n);
        now->has_image = was->has_image;
        now->image = (struct lock_image){ .layer = was->image.layer, .n_layer = was->image.n_layer };
}

static int swap_platform(struct swap *s, const struct lock_platform *was, struct lock_platform *ret, struct err *e)
{
        struct image_request as_it_is_now = { .upgrade_base = true };
        struct lock_platform now = { .platform = was->platform };
        struct spec spec = *s->r->locked.spec;
        sv fault[REBASE_FAULTS], platform;
        struct target t;
        size_t n;

        spec.base = (struct spec_text){ s->base, { SV("--base"), 0, 0 } };
        if (!target_read(was->platform, &t))
                return err_set(e, ERR_USAGE, "'%.*s' is not a platform we build for", SV_ARG(was->platform));
        if (base_resolve(s->c, &as_it_is_now, &spec, NULL, s->a, &now, e) < 0)
                return e->code == ERR_NOT_FOUND ? not_found(s, e)
                                                : err_while(e, "looking at the base '%.*s'", SV_ARG(s->base));
        if (platform_of_base(s, &now, &platform, e) < 0)
                return -(int)e->code;
        now.platform = platform;
        n = rebase_faults(was, &now, s->a, fault);
        now.platform = was->platform;
        if (n)
                return refuse(s, fault, n, e);
        if (image_is_conda(was)) { /* a conda prefix has a python of its own, or none */
                now.has_python = was->has_python;
                now.python = was->python;
        }
        if (!s->defined)
                declare(s, was, &spec);
        if (target_virtual(s->a, &t, &spec, &now, s->c->diags, e) < 0)
                return -(int)e->code;
        keep_packages(s, was, &now);
        *ret = now;
        return 0;
}

/* What a definition with this base would ask for; without one, something that no definition asks for, as nobody checked that it does. */
static sha256 request_of(struct swap *s, const struct lock *was, const struct lock *now)
{
        sv old = base_of(s->a, was), fresh = base_of(s->a, now);

        if (s->defined) {
                s->r->locked.spec->base = (struct spec_text){ s->base, { SV("--base"), 0, 0 } };
                return spec_request(s->r->locked.spec);
        }
        if (sv_eq(old, fresh))
                return was->request;
        return sha256_of(arena_fmt(s->a, "rebase\n%s\n%.*s\n", sha256_hex(&was->request).s, SV_ARG(fresh)));
}

int rebase_onto(struct image_ctx *c, struct image_rebase *r, sv base, struct arena *a, struct err *e)
{
        struct swap s = { .c = c, .r = r, .a = a, .base = base, .defined = r->request.n_file > 0 };
        const struct lock *was = r->locked.lock;
        struct lock *now = arena_new(a, struct lock);

        if (s.defined && !fits(r->locked.spec, was, base, a)) {
                err_set(e, ERR_STALE, "the lock '%.*s' does not fit the definition", SV_ARG(r->locked.path));
                err_hint(e, "envbuild lock makes it anew, and --base %.*s on the new base", SV_ARG(base));
                return -(int)e->code;
        }
        *now = *was;
        now->has_index = false;
        now->platform = arena_array(a, struct lock_platform, was->n_platform);
        for (size_t i = 0; i < was->n_platform; i++)
                if (swap_platform(&s, &was->platform[i], &now->platform[i], e) < 0)
                        return was->n_platform > 1
                                       ? err_while(e, "rebasing for %.*s", SV_ARG(was->platform[i].platform))
                                       : -(int)e->code;
        if (lock_created(now, &now->created, e) < 0)
                return -(int)e->code;
        now->request = request_of(&s, was, now);
        r->departs = r->of_files && !sv_eq(r->was, s.defined ? base : base_of(a, now));
        r->locked.lock = now;
        r->locked.changed = true;
        return 0;
}
