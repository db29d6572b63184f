#include "cli/inspect_attached.h"

#include "base/cleanup.h"

static int list(struct app *app, const struct reg_repo *repo, const sha256 *image, struct inspect_attached *ret,
                struct err *e)
{
        struct reg_client *reg;
        struct attached *v, *all;
        size_t n;

        if (image_ctx_registry(&app->image, &reg, e) < 0 || attach_list(reg, repo, image, &app->arena, &v, &n, e) < 0)
                return -(int)e->code;
        all = arena_array(&app->arena, struct attached, ret->n + n);
        for (size_t i = 0; i < ret->n; i++)
                all[i] = ret->v[i];
        for (size_t i = 0; i < n; i++)
                all[ret->n + i] = v[i];
        ret->v = all;
        ret->n += n;
        return 0;
}

/* On the index, then on the platform's manifest. */
static int from_afar(struct app *app, const struct image_view *v, struct inspect_attached *ret, struct err *e)
{
        struct reg_repo repo;

        if (reg_repo_parse(&app->arena, v->from, &repo, e) < 0 || list(app, &repo, &v->digest, ret, e) < 0)
                return -(int)e->code;
        return sha256_eq(&v->digest, &v->manifest_digest) ? 0 : list(app, &repo, &v->manifest_digest, ret, e);
}

int inspect_attached_read(struct app *app, const struct image_view *v, bool in_store, struct inspect_attached *ret,
                          struct err *e)
{
        AUTO(err_done) struct err why = { 0 };

        *ret = (struct inspect_attached){ 0 };
        if (in_store) {
                origin_find(&app->image, &v->digest, &app->arena, &ret->origin, &why);
                return 0;
        }
        if (from_afar(app, v, ret, &why) == 0)
                return 0;
        if (why.code == ERR_CANCELLED)
                return err_move(e, &why);
        op_say(&app->op, OP_WARN, "what hangs on the image cannot be listed: %s", why.cause);
        return 0;
}

void inspect_attached_text(const struct inspect_attached *x, struct buf *out)
{
        if (x->origin.lock.name.n) {
                buf_fmt(out, "\nmade from   %.*s", SV_ARG(x->origin.lock.name));
                for (size_t i = 0; i < x->origin.n_definition; i++)
                        buf_fmt(out, ", %.*s", SV_ARG(x->origin.definition[i].name));
                buf_byte(out, '\n');
        }
        if (x->n)
                buf_fmt(out, "\n%-16s  %s\n", "ATTACHED", "DIGEST");
        for (size_t i = 0; i < x->n; i++)
                buf_fmt(out, "%-16s  sha256:%s\n", x->v[i].what, sha256_hex(&x->v[i].desc.digest).s);
}

static struct js *text_js(struct arena *a, const struct origin_text *t)
{
        struct js *j = js_new_obj(a);

        js_put_str(a, j, "name", t->name);
        js_put_str(a, j, "digest", arena_fmt(a, "sha256:%s", sha256_hex(&t->digest).s));
        return j;
}

void inspect_attached_json(struct arena *a, const struct inspect_attached *x, struct js *image)
{
        struct js *attached = js_new_arr(a), *from = js_new_arr(a);

        for (size_t i = 0; i < x->n; i++) {
                struct js *one = js_new_obj(a);
                js_put_str(a, one, "what", sv_from(x->v[i].what));
                js_put_str(a, one, "artifact-type", x->v[i].type);
                js_put_str(a, one, "digest", arena_fmt(a, "sha256:%s", sha256_hex(&x->v[i].desc.digest).s));
                js_add(a, attached, one);
        }
        if (x->n)
                js_put(a, image, SV("attached"), attached);
        if (!x->origin.lock.name.n)
                return;
        js_add(a, from, text_js(a, &x->origin.lock));
        for (size_t i = 0; i < x->origin.n_definition; i++)
                js_add(a, from, text_js(a, &x->origin.definition[i]));
        js_put(a, image, SV("made-from"), from);
}
