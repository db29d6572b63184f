/* One image at one place: is it there, what would be sent, send it. */
#include "image/prewarm_priv.h"

#include "image/fetch.h"
#include "image/push.h"
#include "registry/manifest.h"

static int repo_of(struct prewarm_run *w, sv name, struct reg_repo *ret, sv *ret_tag, struct err *e)
{
        struct reference r;

        if (image_push_name(w->a, name, &r, e) < 0)
                return -(int)e->code;
        *ret = reg_repo_of(&r);
        *ret_tag = r.tag;
        return 0;
}

/* --- is it there */

static int look_registry(struct prewarm_run *w, const struct prewarm_known *k, const sv *name, bool *ret, struct err *e)
{
        struct reg_client *reg;

        *ret = false;
        if (image_ctx_registry(w->c, &reg, e) < 0)
                return -(int)e->code;
        for (size_t i = 0; i < w->n_tag; i++) {
                struct err missing = { 0 };
                struct oci_desc have;
                struct reg_repo repo;
                sv tag;

                if (repo_of(w, name[i], &repo, &tag, e) < 0)
                        return -(int)e->code;
                if (reg_manifest_head(reg, &repo, tag, w->a, &have, &missing) < 0) {
                        if (missing.code != ERR_NOT_FOUND)
                                return err_move(e, &missing);
                        err_done(&missing);
                        return 0;
                }
                if (!k->whole || !sha256_eq(&have.digest, &k->digest))
                        return 0;
        }
        *ret = true;
        return 0;
}

static struct local_image local_image_of(const struct prewarm_run *w, const struct prewarm_known *k, const sv *name)
{
        return (struct local_image){ k->manifest, k->config, name, w->n_tag };
}

int prewarm_look(struct prewarm_run *w, const struct prewarm_place *p, const struct prewarm_known *k, const sv *name,
                 struct prewarm_result *ret, struct err *e)
{
        struct local_image x = local_image_of(w, k, name);
        bool there = false;

        if (p->local ? local_store_has(p->kind, &x, w->c->op, &there, e) < 0 : look_registry(w, k, name, &there, e) < 0)
                return -(int)e->code;
        ret->state = there && (p->local ? k->here : k->whole) ? PREWARM_THERE : PREWARM_MISSING;
        return 0;
}

/* --- what would be sent */

static const struct lock_encoding *encoding_of(const struct lock_layer *l, enum oci_codec codec)
{
        for (size_t i = 0; i < l->n_encoding; i++)
                if (sv_is(l->encoding[i].codec, oci_codec_name(codec)))
                        return &l->encoding[i];
        return NULL;
}

/* Layers that the lock names, each once; false: it does not name all (it was never built). */
static bool collect_layers(struct prewarm_run *w, const struct lock *l, struct map *seen,
                           const struct lock_encoding **v, size_t *ret_n)
{
        for (size_t i = 0; i < l->n_platform; i++) {
                const struct lock_platform *p = &l->platform[i];

                if (!prewarm_wants(w->o, p->platform))
                        continue;
                for (size_t n = 0; n < p->image.n_layer; n++) {
                        const struct lock_encoding *enc = encoding_of(&p->image.layer[n], w->o->codec);
                        sv key = enc ? arena_fmt(w->a, "%s", sha256_hex(&enc->digest).s) : (sv){ 0 };

                        if (!enc)
                                return false;
                        if (map_get(seen, key))
                                continue;
                        map_put(seen, w->a, key, w); /* any value */
                        v[(*ret_n)++] = enc;
                }
                if (!p->has_image)
                        return false;
        }
        return true;
}

static size_t count_layers(const struct lock *l)
{
        size_t n = 0;

        for (size_t i = 0; i < l->n_platform; i++)
                n += l->platform[i].image.n_layer;
        return n;
}

int prewarm_estimate(struct prewarm_run *w, const struct prewarm_place *p, const struct lock *l, const sv *name,
                     struct prewarm_result *ret, struct err *e)
{
        const struct lock_encoding **v = arena_array(w->a, const struct lock_encoding *, count_layers(l));
        struct map seen = { 0 };
        struct reg_client *reg;
        struct reg_repo repo;
        size_t n = 0;
        sv tag;

        if (p->local || !collect_layers(w, l, &seen, v, &n))
                return 0;
        if (image_ctx_registry(w->c, &reg, e) < 0 || repo_of(w, name[0], &repo, &tag, e) < 0)
                return -(int)e->code;
        for (size_t i = 0; i < n; i++) {
                struct err missing = { 0 };

                if (reg_blob_head(reg, &repo, &v[i]->digest, NULL, &missing) == 0) {
                        ret->present++;
                        continue;
                }
                if (missing.code != ERR_NOT_FOUND)
                        return err_move(e, &missing);
                err_done(&missing);
                ret->sent++;
                ret->bytes += v[i]->size;
        }
        ret->counted = true;
        return 0;
}

/* --- sending */

/* By digest, then what hangs on it, then the tags: who finds a tag finds all that belongs to the image, and whoever was interrupted is not
 * taken for done. */
static int push_once(struct prewarm_run *w, sv image, const sv *name, struct image_pushed *ret, struct err *e)
{
        struct image_push_opts o = { 0 };
        struct attach_count count;
        struct image_pushed *by_digest, *by_tag;
        struct reg_repo repo;
        size_t n;
        sv to, tag;

        if (repo_of(w, name[0], &repo, &tag, e) < 0)
                return -(int)e->code;
        to = arena_fmt(w->a, "%.*s%.*s", SV_ARG(reg_repo_text(w->a, &repo)),
                       SV_ARG(sv_skip(image, (size_t)sv_rfind(image, '@'))));
        if (image_push(w->c, image, &to, 1, &o, w->a, &by_digest, &n, e) < 0 ||
            (w->o->attach && attach_push(w->c, &repo, image, &by_digest->desc, w->o->attach, w->a, &count, e) < 0) ||
            image_push(w->c, image, name, w->n_tag, &o, w->a, &by_tag, &n, e) < 0)
                return -(int)e->code;
        *ret = *by_digest;
        return 0;
}

static int push(struct prewarm_run *w, sv image, const sv *name, struct prewarm_result *ret, struct err *e)
{
        struct image_pushed pushed;

        if (push_once(w, image, name, &pushed, e) < 0)
                return -(int)e->code;
        ret->state = PREWARM_PUSHED;
        ret->counted = true;
        ret->present = pushed.count.present;
        ret->mounted = pushed.count.mounted;
        ret->sent = pushed.count.sent;
        ret->bytes = pushed.count.bytes;
        return 0;
}

/* A build may have left layers where they are (image/fetch.h): a local store needs the bytes. */
static int fetch_layers(struct prewarm_run *w, const struct prewarm_known *k, struct err *e)
{
        struct image_view v = { 0 };
        sv digest = arena_fmt(w->a, "sha256:%s", sha256_hex(&k->manifest).s);

        if (image_open(w->c, digest, (sv){ 0 }, w->a, &v, e) < 0)
                return -(int)e->code;
        return image_fetch(w->c, &v, w->a, e);
}

static int load(struct prewarm_run *w, const struct prewarm_place *p, const struct prewarm_known *k, const sv *name,
                struct prewarm_result *ret, struct err *e)
{
        struct local_image x = local_image_of(w, k, name);

        if (fetch_layers(w, k, e) < 0 || local_store_load(p->kind, w->c->store, &x, w->c->op, &ret->bytes, e) < 0)
                return -(int)e->code;
        ret->state = PREWARM_PUSHED;
        return 0;
}

int prewarm_deliver(struct prewarm_run *w, const struct prewarm_place *p, sv image, const struct prewarm_known *k,
                    const sv *name, struct prewarm_result *ret, struct err *e)
{
        return p->local ? load(w, p, k, name, ret, e) : push(w, image, name, ret, e);
}
