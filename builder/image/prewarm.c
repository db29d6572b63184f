#include "image/prewarm.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "image/prewarm_priv.h"
#include "image/push.h"

struct job { /* one image */
        struct prewarm_run *w;
        struct prewarm_image *im;
        struct image_request request; /* platforms: those of registries */
        struct image_locked locked;
        struct prewarm_known known;
        sv **name; /* one list a place, one name a tag */
        sv image;  /* "train@sha256:…" once it is built for registries */
};

/* --- its lock */

static int lock(struct job *j, struct err *e)
{
        const struct prewarm_opts *o = j->w->o;
        const struct prewarm_set *set = j->im->set;

        j->request = (struct image_request){ .file = &set->file,
                                             .n_file = 1,
                                             .platform = o->platform,
                                             .n_platform = o->n_platform,
                                             .locked = set->curated || o->locked };
        if (image_lock(j->w->c, &j->request, j->w->a, &j->locked, e) < 0)
                return -(int)e->code;
        j->im->name = j->locked.lock->name;
        return 0;
}

bool prewarm_wants(const struct prewarm_opts *o, sv platform)
{
        for (size_t i = 0; i < o->n_platform; i++)
                if (sv_eq(o->platform[i], platform))
                        return true;
        return o->n_platform == 0;
}

static const sha256 *manifest_of(const struct lock_platform *p, enum oci_codec codec)
{
        for (size_t i = 0; p && p->has_image && i < p->image.n_manifest; i++)
                if (sv_is(p->image.manifest[i].codec, oci_codec_name(codec)))
                        return &p->image.manifest[i].digest;
        return NULL;
}

/* What the lock's image half says: whoever built it saved everybody else a build that only finds out what is there. */
static struct prewarm_known read_known(const struct job *j)
{
        const struct lock *l = j->locked.lock;
        const struct lock_platform *host = lock_find_platform(l, j->w->host), *one = NULL;
        const sha256 *d = manifest_of(host, j->w->o->codec);
        struct prewarm_known k = { 0 };
        size_t n = 0, made = 0;

        if (d) {
                k.here = true;
                k.manifest = *d;
                k.config = host->image.image_id;
        }
        for (size_t i = 0; i < l->n_platform; i++)
                if (prewarm_wants(j->w->o, l->platform[i].platform)) {
                        one = &l->platform[i];
                        made += manifest_of(one, j->w->o->codec) != NULL;
                        n++;
                }
        if (n == 1 && made == 1) {
                k.whole = true;
                k.digest = *manifest_of(one, j->w->o->codec);
        } else if (n > 1 && made == n && n == l->n_platform && l->has_index) {
                k.whole = true;
                k.digest = l->index;
        }
        return k;
}

/* --- places */

static void fail(struct job *j, struct prewarm_result *r, struct err *e)
{
        r->state = PREWARM_FAILED;
        r->fault = prewarm_fault_of(j->w->a, e);
}

/* Two environments of one name would take turns under it: the first has it. */
static int take_name(struct job *j, sv name, struct err *e)
{
        const struct prewarm_set *other = map_get(&j->w->taken, name);

        if (!other) {
                map_put(&j->w->taken, j->w->a, name, (void *)j->im->set);
                return 0;
        }
        err_set(e, ERR_USAGE, "'%.*s' is the image of '%.*s' already", SV_ARG(name), SV_ARG(other->what));
        err_hint(e, "give one of the two another name (`name:` in the definition)");
        return -(int)e->code;
}

static int name_all(struct job *j, const struct prewarm_place *p, sv *ret, struct err *e)
{
        for (size_t i = 0; i < j->w->n_tag; i++)
                if (prewarm_name(j->w->a, p, j->im->name, j->w->tag[i], &ret[i], e) < 0 || take_name(j, ret[i], e) < 0)
                        return -(int)e->code;
        return 0;
}

static void look(struct job *j, size_t i)
{
        struct prewarm_result *r = &j->im->at[i];
        struct err e = { 0 };
        int64_t begun = clock_ms();

        if (prewarm_look(j->w, r->place, &j->known, j->name[i], r, &e) < 0)
                fail(j, r, &e);
        r->ms += clock_ms() - begun;
}

static void look_everywhere(struct job *j)
{
        const struct prewarm_opts *o = j->w->o;

        j->im->at = arena_array(j->w->a, struct prewarm_result, o->n_place);
        j->im->n_at = o->n_place;
        j->name = arena_array(j->w->a, sv *, o->n_place);
        for (size_t i = 0; i < o->n_place; i++) {
                struct prewarm_result *r = &j->im->at[i];
                struct err e = { 0 };

                r->place = &o->place[i];
                r->state = PREWARM_MISSING;
                j->name[i] = arena_array(j->w->a, sv, j->w->n_tag);
                if (name_all(j, r->place, j->name[i], &e) < 0)
                        fail(j, r, &e);
                else
                        look(j, i);
                r->reference = j->name[i][0];
        }
}

static bool any_missing(const struct job *j, bool local)
{
        for (size_t i = 0; i < j->im->n_at; i++)
                if (j->im->at[i].state == PREWARM_MISSING && j->im->at[i].place->local == local)
                        return true;
        return false;
}

/* --- building */

/* Facts of layers are looked up where the image goes, as `build -t` does it: what one of the registries has is not made for the others. */
static sv *layer_repositories(struct job *j, size_t *ret_n)
{
        sv *v = arena_array(j->w->a, sv, j->im->n_at);

        *ret_n = 0;
        for (size_t i = 0; i < j->im->n_at; i++) {
                const struct prewarm_result *r = &j->im->at[i];
                struct err ignored = { 0 };
                struct reference ref;
                struct reg_repo repo;

                if (r->place->local || r->state == PREWARM_FAILED)
                        continue;
                if (image_push_name(j->w->a, r->reference, &ref, &ignored) < 0) {
                        err_done(&ignored);
                        continue;
                }
                repo = reg_repo_of(&ref);
                v[(*ret_n)++] = arena_fmt(j->w->a, "%.*s-layers", SV_ARG(reg_repo_text(j->w->a, &repo)));
        }
        return v;
}

static int build(struct job *j, bool local, struct image_built *ret, struct err *e)
{
        struct image_build_opts o = { .codec = j->w->o->codec, .dry_run = j->w->o->dry_run };
        struct image_request r = j->request;

        o.cache_repo = layer_repositories(j, &o.n_cache_repo);
        if (local) { /* they hold one platform */
                r.platform = &j->w->host;
                r.n_platform = 1;
        }
        if (image_build(j->w->c, &r, &o, j->w->a, &j->locked, ret, e) < 0)
                return -(int)e->code;
        j->im->count.layers = ret->count.layers;
        j->im->count.reused = ret->count.reused;
        j->im->count.made += ret->count.layers - ret->count.reused;
        j->im->count.remote = ret->count.remote;
        j->im->count.fetched += ret->count.fetched;
        return r.locked || o.dry_run ? 0 : image_lock_write(&j->locked, e);
}

/* Of all places that wait for this build. */
static void fail_all(struct job *j, bool local, struct err *e)
{
        struct prewarm_fault f = prewarm_fault_of(j->w->a, e);

        for (size_t i = 0; i < j->im->n_at; i++)
                if (j->im->at[i].state == PREWARM_MISSING && j->im->at[i].place->local == local) {
                        j->im->at[i].state = PREWARM_FAILED;
                        j->im->at[i].fault = f;
                }
}

static void build_for(struct job *j, bool local)
{
        struct image_built b;
        struct err e = { 0 };
        bool knew = local ? j->known.here : j->known.whole;

        if (!any_missing(j, local))
                return;
        j->im->built = true;
        if (build(j, local, &b, &e) < 0) {
                fail_all(j, local, &e);
                return;
        }
        if (j->w->o->dry_run)
                return;
        if (local) {
                j->known.here = true;
                j->known.manifest = b.digest;
                j->known.config = b.image_id;
        } else {
                j->known.whole = true;
                j->known.digest = b.digest;
                j->image = arena_fmt(j->w->a, "%.*s@sha256:%s", SV_ARG(b.name), sha256_hex(&b.digest).s);
        }
        for (size_t i = 0; i < j->im->n_at && !knew; i++)
                if (j->im->at[i].state == PREWARM_MISSING && j->im->at[i].place->local == local)
                        look(j, i);
}

/* --- delivering */

static void deliver(struct job *j, size_t i)
{
        struct prewarm_result *r = &j->im->at[i];
        struct err e = { 0 };
        int64_t begun = clock_ms();

        if ((j->w->o->dry_run ? prewarm_estimate(j->w, r->place, j->locked.lock, j->name[i], r, &e)
                              : prewarm_deliver(j->w, r->place, j->image, &j->known, j->name[i], r, &e)) < 0)
                fail(j, r, &e);
        r->ms += clock_ms() - begun;
}

static void one_image(struct job *j)
{
        struct err e = { 0 };
        int64_t begun = clock_ms();

        if (j->im->set->fault.code) {
                j->im->fault = j->im->set->fault;
                return;
        }
        if (lock(j, &e) < 0) {
                j->im->fault = prewarm_fault_of(j->w->a, &e);
                j->im->ms = clock_ms() - begun;
                return;
        }
        j->known = read_known(j);
        j->im->ms = clock_ms() - begun;
        look_everywhere(j);
        begun = clock_ms();
        build_for(j, true); /* the image of all platforms is what its name means in our store at the end */
        build_for(j, false);
        j->im->ms += clock_ms() - begun;
        for (size_t i = 0; i < j->im->n_at; i++)
                if (j->im->at[i].state == PREWARM_MISSING)
                        deliver(j, i);
        j->im->has_digest = j->known.whole || j->known.here;
        j->im->digest = j->known.whole ? j->known.digest : j->known.manifest;
}

/* --- all of them */

static void count_fault(struct prewarm_report *r, enum err_code code)
{
        if (code != ERR_NONE)
                r->code = r->code == ERR_NONE || r->code == code ? code : ERR_FAILED;
}

static void count_image(struct prewarm_report *r, const struct prewarm_image *im)
{
        bool failed = im->fault.code != ERR_NONE;

        count_fault(r, im->fault.code);
        for (size_t i = 0; i < im->n_at; i++) {
                count_fault(r, im->at[i].fault.code);
                failed |= im->at[i].state == PREWARM_FAILED;
        }
        r->n_failed += failed;
}

int prewarm(struct image_ctx *c, const struct prewarm_opts *o, struct arena *a, struct prewarm_report *ret,
            struct err *e)
{
        static const sv latest = { "latest", 6 };
        struct prewarm_run w = { .c = c,
                                 .o = o,
                                 .a = a,
                                 .tag = o->n_tag ? o->tag : &latest,
                                 .n_tag = o->n_tag ? o->n_tag : 1,
                                 .host = image_host_platform(a) };
        struct prewarm_report r = { .image = arena_array(a, struct prewarm_image, o->n_set) };

        for (size_t i = 0; i < o->n_set; i++) {
                struct job j = { .w = &w, .im = &r.image[r.n_image++] };

                j.im->set = &o->set[i];
                one_image(&j);
                if (op_check(c->op, e) < 0)
                        return -(int)e->code;
                count_image(&r, j.im);
        }
        *ret = r;
        return 0;
}
