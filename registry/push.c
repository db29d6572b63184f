/* An image into a repository. Everything is asked before anything is sent: all questions at once, then what is missing, largest first. What a
 * tag meant until now is not asked for: most pushes replace an image by one that shares nearly all layers with it. */
#include "registry/push.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/map.h"
#include "base/pool.h"
#include "registry/blob_priv.h"

enum { ASK_AT_ONCE = 16, SEND_AT_ONCE = 6 };

struct push {
        bool again; /* what is there now has been counted */
        struct reg_client *c;
        const struct reg_push *p;
        struct reg_push_count count;
        pthread_mutex_t lock; /* of count */
};

/* The pool stops at op->jobs, which are for the processor; these wait for a server. They see a signal through the client's own op. */
static int run_wide(struct pool_job *job, size_t n, unsigned at_once, struct err *e)
{
        struct op wide = { .jobs = at_once };

        return n ? pool_run(&wide, job, n, e) : 0;
}

static const struct reg_manifest *image_of(const struct reg_push *p)
{
        return &p->manifest[p->n_manifest - 1];
}

static sv digest_ref(struct arena *a, const sha256 *d)
{
        return arena_fmt(a, "sha256:%s", sha256_hex(d).s);
}

/* --- is all of it there already? */

struct name { /* a tag, or the digest */
        struct push *x;
        sv ref;
        bool same, used; /* it means our image; something else */
        sha256 now;      /* used: that */
};

static int ask_name(void *arg, struct err *e)
{
        AUTO(arena_done) struct arena a = { 0 };
        struct name *n = arg;
        struct err missing = { 0 };
        struct oci_desc d;

        if (reg_manifest_look(n->x->c, &n->x->p->repo, n->ref, &a, &d, &missing) == 0) {
                n->same = sha256_eq(&d.digest, &image_of(n->x->p)->digest);
                n->used = !n->same;
                n->now = d.digest;
        } else if (missing.code != ERR_NOT_FOUND)
                return err_move(e, &missing);
        err_done(&missing);
        return 0;
}

/* *ret_stale: tags that mean something else or nothing; *ret_there: the image is there by digest. A tag that means it says so too. */
static int ask_names(struct push *x, struct arena *a, struct name *v, bool *ret_there, size_t *ret_stale, struct err *e)
{
        const struct reg_push *p = x->p;
        struct pool_job *job = arena_array(a, struct pool_job, p->n_tag + 1);
        struct name digest = { .x = x, .ref = digest_ref(a, &image_of(p)->digest) };

        *ret_stale = 0;
        for (size_t i = 0; i < p->n_tag; i++) {
                v[i] = (struct name){ .x = x, .ref = p->tag[i] };
                job[i] = (struct pool_job){ .run = ask_name, .arg = &v[i] };
        }
        if (run_wide(job, p->n_tag, ASK_AT_ONCE, e) < 0)
                return -(int)e->code;
        for (size_t i = 0; i < p->n_tag; i++)
                *ret_stale += !v[i].same;
        *ret_there = *ret_stale < p->n_tag;
        if (*ret_there)
                return 0;
        if (ask_name(&digest, e) < 0)
                return -(int)e->code;
        *ret_there = digest.same;
        return 0;
}

/* --- blobs */

static void add_known(struct map *known, struct arena *a, const struct oci_desc *d)
{
        if (!oci_layer_foreign(d->media_type))
                map_put(known, a, digest_ref(a, &d->digest), known); /* any value */
}

/* What an image needs that a tag means now: the repository has it, as it took that image's manifest, and one request says so instead of one a
 * blob. A server that lost it all the same refuses our manifest, and then each is asked for. */
static void read_known(struct push *x, const struct name *v, struct arena *a, struct map *known)
{
        for (size_t i = 0; i < x->p->n_tag && !x->again; i++) {
                AUTO(err_done) struct err ignored = { 0 };
                struct reg_manifest m;
                struct oci_manifest image;

                if (!v[i].used || reg_manifest_read(x->c, &x->p->repo, digest_ref(a, &v[i].now), a, &m, &ignored) < 0 ||
                    oci_is_index(a, m.bytes) || oci_manifest_parse(a, m.bytes, "manifest", &image, &ignored) < 0)
                        continue;
                for (size_t k = 0; k < image.n_layer; k++)
                        add_known(known, a, &image.layer[k]);
                add_known(known, a, &image.config);
                return;
        }
}

struct item {
        struct push *x;
        const struct reg_push_blob *b;
        bool there;
};

static int ask_blob(void *arg, struct err *e)
{
        struct item *it = arg;
        struct err missing = { 0 };

        it->there = reg_blob_look(it->x->c, &it->x->p->repo, &it->b->desc.digest, false, NULL, &missing) == 0;
        /* A server that cannot say (its disk was full, and left a link of no bytes) is sent the blob: that mends it. */
        if (!it->there && missing.code != ERR_NOT_FOUND && missing.code != ERR_NET)
                return err_move(e, &missing);
        err_done(&missing);
        return 0;
}

static void count(struct push *x, enum reg_how how, uint64_t sent)
{
        pthread_mutex_lock(&x->lock);
        x->count.present += how == REG_PRESENT;
        x->count.mounted += how == REG_MOUNTED;
        x->count.sent += how == REG_SENT;
        x->count.bytes += sent;
        pthread_mutex_unlock(&x->lock);
}

static void add_repo(struct reg_repo *v, size_t *n, const struct reg_repo *repo)
{
        for (size_t i = 0; i < *n; i++)
                if (reg_repo_eq(&v[i], repo))
                        return;
        v[(*n)++] = *repo;
}

/* Mounted, from here, or through whoever can fetch it. */
static int place(struct item *it, enum reg_how *ret_how, uint64_t *ret_sent, struct err *e)
{
        const struct reg_push *p = it->x->p;
        const struct reg_push_blob *b = it->b;
        AUTO(free_ptr) char *path = NULL;
        AUTO(arena_done) struct arena a = { 0 };
        struct reg_repo *from = arena_array(&a, struct reg_repo, b->n_from + p->n_from);
        struct err missing = { 0 };
        size_t n = 0;

        for (size_t i = 0; i < b->n_from; i++)
                add_repo(from, &n, &b->from[i]);
        for (size_t i = 0; i < p->n_from; i++)
                add_repo(from, &n, &p->from[i]);
        if (reg_blob_send(it->x->c, &p->repo, &b->desc, &b->bytes, from, n, b->subject, ret_how, ret_sent, &missing) ==
            0)
                return 0;
        if (missing.code != ERR_NOT_FOUND || !p->fetch || reg_bytes_here(&b->bytes, b->desc.size))
                return err_move(e, &missing);
        err_done(&missing);
        if (p->fetch(p->arg, b, &path, e) < 0)
                return -(int)e->code;
        return reg_blob_send(it->x->c, &p->repo, &b->desc, &(struct reg_bytes){ .path = path }, NULL, 0, b->subject,
                             ret_how, ret_sent, e);
}

static int send_blob(void *arg, struct err *e)
{
        struct item *it = arg;
        enum reg_how how = REG_PRESENT;
        uint64_t sent = 0;
        int r = op_check(reg_op(it->x->c), e);

        if (r == 0)
                r = place(it, &how, &sent, e);
        if (r == 0)
                count(it->x, how, sent);
        return r;
}

static int push_blobs(struct push *x, struct arena *a, const struct name *v, struct err *e)
{
        const struct reg_push *p = x->p;
        struct map known = { 0 };
        struct item *it = arena_array(a, struct item, p->n_blob);
        struct pool_job *job = arena_array(a, struct pool_job, p->n_blob);
        size_t n = 0;

        read_known(x, v, a, &known);
        for (size_t i = 0; i < p->n_blob; i++) {
                bool there = map_get(&known, digest_ref(a, &p->blob[i].desc.digest)) != NULL;

                it[i] = (struct item){ .x = x, .b = &p->blob[i], .there = there };
                if (!there)
                        job[n++] = (struct pool_job){ .run = ask_blob, .arg = &it[i] };
        }
        if (run_wide(job, n, ASK_AT_ONCE, e) < 0)
                return -(int)e->code;
        n = 0;
        for (size_t i = 0; i < p->n_blob; i++)
                if (it[i].there && !x->again)
                        count(x, REG_PRESENT, 0);
                else if (!it[i].there)
                        job[n++] = (struct pool_job){ .size = it[i].b->desc.size, .run = send_blob, .arg = &it[i] };
        return run_wide(job, n, SEND_AT_ONCE, e);
}

/* --- manifests: children by digest, the image by digest, then its tags */

static int put_tags(struct push *x, const struct name *v, struct err *e)
{
        for (size_t i = 0; i < x->p->n_tag; i++)
                if (!v[i].same && reg_manifest_put(x->c, &x->p->repo, v[i].ref, image_of(x->p), NULL, e) < 0)
                        return -(int)e->code;
        return 0;
}

static int put_manifests(struct push *x, struct err *e)
{
        AUTO(arena_done) struct arena a = { 0 };

        for (size_t i = 0; i < x->p->n_manifest; i++)
                if (reg_manifest_put(x->c, &x->p->repo, digest_ref(&a, &x->p->manifest[i].digest), &x->p->manifest[i],
                                     &x->count.noted, e) < 0)
                        return -(int)e->code;
        return 0;
}

static int place_image(struct push *x, struct arena *a, const struct name *v, struct err *e)
{
        return push_blobs(x, a, v, e) < 0 || put_manifests(x, e) < 0 || put_tags(x, v, e) < 0 ? -(int)e->code : 0;
}

static int push(struct push *x, struct err *e)
{
        AUTO(arena_done) struct arena a = { 0 };
        struct name *v = arena_array(&a, struct name, x->p->n_tag + 1);
        struct err why = { 0 };
        bool there;
        size_t stale;

        if (ask_names(x, &a, v, &there, &stale, e) < 0)
                return -(int)e->code;
        if (there && stale == 0) {
                x->count.whole = true;
                x->count.present = x->p->n_blob;
                return 0;
        }
        if (there && put_tags(x, v, &why) == 0) { /* a registry keeps what its manifests need */
                x->count.present = x->p->n_blob;
                return 0;
        }
        if (why.code == ERR_AUTH || why.code == ERR_CANCELLED)
                return err_move(e, &why);
        err_done(&why);
        for (unsigned tried = 0; place_image(x, &a, v, e) < 0; tried++) {
                if (!reg_is_half_written(e) || tried + 1 == REG_TRIES)
                        return -(int)e->code;
                err_done(e);
                if (reg_pause(x->c, tried, NULL, e) < 0)
                        return -(int)e->code;
                x->again = true;
        }
        return 0;
}

int reg_push(struct reg_client *c, const struct reg_push *p, struct reg_push_count *ret, struct err *e)
{
        struct push x = { .c = c, .p = p };
        int r;

        pthread_mutex_init(&x.lock, NULL);
        r = push(&x, e);
        pthread_mutex_destroy(&x.lock);
        if (r == 0)
                *ret = x.count;
        return r;
}
