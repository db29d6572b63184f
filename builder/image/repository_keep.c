/* What locks hold on to. */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "image/repository.h"

#define DEPTH_MAX 32

static void keep_image(struct arena *a, struct repository_keep *k, const sha256 *d)
{
        *arena_push(a, k->image, k->n_image, k->cap_image) = *d;
}

static void keep_platform(struct arena *a, const struct lock_platform *p, struct repository_keep *k)
{
        for (size_t i = 0; i < p->image.n_manifest; i++)
                keep_image(a, k, &p->image.manifest[i].digest);
        keep_image(a, k, &p->image.image_id); /* with Docker's types the manifest is another one, the config is not */
        for (size_t i = 0; i < p->image.n_layer; i++)
                *arena_push(a, k->key, k->n_key, k->cap_key) = p->image.layer[i].key;
}

static int keep_lock(struct image_ctx *c, const char *path, struct arena *a, struct repository_keep *k, struct err *e)
{
        AUTO(buf_done) struct buf text = BUF_INIT(LOCK_MAX);
        struct lock *l;
        bool built = false;

        if (fs_read(path, &text, e) < 0)
                return -(int)e->code;
        if (!sv_starts(buf_sv(&text), SV("lock:")) && sv_find_sv(buf_sv(&text), SV("\nlock:")) < 0)
                return 0; /* another tool's */
        if (lock_parse(a, arena_sv(a, buf_sv(&text)), arena_sv(a, sv_from(path)), c->diags, &l, e) < 0)
                return -(int)e->code;
        for (size_t i = 0; i < l->n_platform; i++)
                if (l->platform[i].has_image) {
                        keep_platform(a, &l->platform[i], k);
                        built = true;
                }
        if (l->has_index)
                keep_image(a, k, &l->index);
        if (!built)
                op_say(c->op, OP_WARN, "'%s' was never built, so it keeps nothing", path);
        k->locks++;
        return 0;
}

static int walk(struct image_ctx *c, const char *dir, int depth, struct arena *a, struct repository_keep *k,
                struct err *e)
{
        AUTO(free_ptr) char **names = NULL;
        size_t n;

        if (op_check(c->op, e) < 0 || fs_list(dir, &names, &n, e) < 0)
                return -(int)e->code;
        for (size_t i = 0; i < n; i++) {
                AUTO(free_ptr) char *path = fs_path("%s/%s", dir, names[i]);
                int r = 0;

                if (sv_ends(sv_from(names[i]), SV(".lock")) && !fs_is_dir(path))
                        r = keep_lock(c, path, a, k, e);
                else if (depth < DEPTH_MAX && names[i][0] != '.' && fs_is_dir(path))
                        r = walk(c, path, depth + 1, a, k, e);
                if (r < 0)
                        return r;
        }
        return 0;
}

int repository_keep_locks(struct image_ctx *c, sv dir, struct arena *a, struct repository_keep *ret, struct err *e)
{
        const char *path = arena_str(a, dir);
        size_t before = ret->locks;
        int r = fs_is_dir(path) ? walk(c, path, 0, a, ret, e) : keep_lock(c, path, a, ret, e);

        if (r < 0)
                return err_while(e, "reading the locks of '%s'", path);
        if (ret->locks > before)
                return 0;
        err_set(e, ERR_USAGE, "'%s' holds no lock of envbuild's", path);
        err_hint(e, "without a lock nothing would be kept; name the folder that holds them");
        return -(int)e->code;
}

/* --- judging */

static bool among(const sha256 *v, size_t n, const sha256 *d)
{
        for (size_t i = 0; i < n; i++)
                if (sha256_eq(&v[i], d))
                        return true;
        return false;
}

static bool is_locked(const struct repository_item *x, const struct repository_keep *k)
{
        if (x->kind == REPOSITORY_FACT)
                return among(k->key, k->n_key, &x->key);
        if (among(k->image, k->n_image, &x->digest) ||
            (x->kind == REPOSITORY_IMAGE && among(k->image, k->n_image, &x->config)))
                return true;
        for (size_t i = 0; i < x->n_child; i++)
                if (among(k->image, k->n_image, &x->child[i]))
                        return true;
        return false;
}

/* An index keeps its images, an image what hangs on it. */
static void keep_below(struct repository *r, const struct repository_item *index)
{
        for (size_t i = 0; i < r->n; i++)
                if (!r->v[i].kept && r->v[i].kind == REPOSITORY_IMAGE &&
                    among(index->child, index->n_child, &r->v[i].digest)) {
                        r->v[i].kept = true;
                        r->v[i].why = "below a kept index";
                }
}

/* Why what hangs on an image stays; NULL: the image goes. An image without a tag is not seen here, but somebody may run it by digest. */
static const char *subject_stays(const struct repository *r, const sha256 *subject)
{
        bool known = false;

        for (size_t i = 0; i < r->n; i++) {
                const struct repository_item *x = &r->v[i];

                if (x->kind == REPOSITORY_ATTACHED ||
                    (!sha256_eq(&x->digest, subject) && !among(x->child, x->n_child, subject)))
                        continue;
                known = true;
                if (x->kept)
                        return "hangs on a kept image";
        }
        return known ? NULL : "its image has no tag";
}

void repository_judge(struct repository *r, const struct repository_keep *k)
{
        for (size_t i = 0; i < r->n; i++) {
                struct repository_item *x = &r->v[i];

                x->why = x->kind == REPOSITORY_OTHER           ? "not ours"
                         : x->kind == REPOSITORY_ATTACHED      ? NULL
                         : is_locked(x, k)                     ? "locked"
                         : k->before && !x->created            ? "undated"
                         : k->before && x->created > k->before ? "younger"
                                                               : NULL;
                x->kept = x->why != NULL;
        }
        for (size_t i = 0; i < r->n; i++)
                if (r->v[i].kept && r->v[i].kind == REPOSITORY_INDEX)
                        keep_below(r, &r->v[i]);
        for (size_t i = 0; i < r->n; i++)
                if (r->v[i].kind == REPOSITORY_ATTACHED) {
                        r->v[i].why = subject_stays(r, &r->v[i].subject);
                        r->v[i].kept = r->v[i].why != NULL;
                }
}
