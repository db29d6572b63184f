/* The activation scripts of what is in the image → variables of its config (image/activate.h understands them). A script's text is kept in
 * the store by its digest, so that a package whose layer is there already is not fetched again for it. */
#include "base/cleanup.h"
#include "image/activate.h"
#include "image/image_priv.h"

static bool is_script(const struct package_shop *shop, const struct entry *en)
{
        sv at = en->path;

        if (en->type != ENTRY_FILE || !sv_starts(at, shop->platform->facts.root))
                return false;
        at = sv_skip(at, shop->platform->facts.root.n);
        if (!sv_starts(at, SV("/" PREFIX_NAME "/etc/conda/activate.d/")))
                return false;
        at = sv_skip(at, sizeof("/" PREFIX_NAME "/etc/conda/activate.d/") - 1);
        return sv_find(at, '/') < 0 && sv_ends(at, SV(".sh"));
}

/* Out of the package itself; all its scripts at once are kept. */
static int keep_script(void *arg, const struct entry *en, const struct content *c, struct err *e)
{
        struct package_shop *shop = arg;
        struct content text;

        if (!is_script(shop, en))
                return 0;
        if (content_hold(en, c, shop->arena, &text, e) < 0)
                return -(int)e->code;
        return store_note_put(shop->c->store, STORE_TEXT, &en->sha256, (sv){ text.p, text.n }, e);
}

static int script_text(struct package_shop *shop, const struct package *p, const struct entry *en, struct buf *ret,
                       struct err *e)
{
        struct err missing = { 0 };

        if (en->size == 0 || store_note_get(shop->c->store, STORE_TEXT, &en->sha256, ret, &missing) == 0)
                return 0;
        if (missing.code != ERR_NOT_FOUND)
                return err_move(e, &missing);
        err_done(&missing);
        buf_clear(ret);
        if (package_walk(shop, p, keep_script, shop, e) < 0)
                return err_while(e, "reading the activation scripts of %.*s", SV_ARG(p->art->name));
        return store_note_get(shop->c->store, STORE_TEXT, &en->sha256, ret, e);
}

static int take(struct package_shop *shop, struct activate *x, const struct package *p, const struct entry *en,
                struct err *e)
{
        AUTO(buf_done) struct buf text = BUF_INIT(CONTENT_HOLD_MAX);

        if (script_text(shop, p, en, &text, e) < 0)
                return -(int)e->code;
        if (!activate_read(x, shop->arena, arena_sv(shop->arena, buf_sv(&text)))) {
                size_t i = diag_warn(shop->c->diags, (sv){ 0 }, 0, 0, "EB532",
                                     "%.*s has an activation script that does more than set variables: /%.*s",
                                     SV_ARG(p->art->name), SV_ARG(en->path));

                diag_hint(shop->c->diags, i,
                          "nothing runs it in the image; set what it would set under `variables:`, or source it");
        }
        return 0;
}

/* Whoever takes the layer from a registry needs the text too. */
static void note_text(struct package_shop *shop, struct built_layer *b, const struct entry *en)
{
        if (en->size == 0)
                return;
        for (size_t i = 0; i < b->n_text; i++)
                if (sha256_eq(&b->text[i].digest, &en->sha256))
                        return;
        *arena_push(shop->arena, b->text, b->n_text, b->cap_text) = (struct fact_blob){ en->sha256, en->size };
}

int activation_collect(struct package_shop *shop, const struct last_member *member, size_t n,
                       struct built_layers *below, struct err *e)
{
        struct activate x = { .prefix = SV(IMAGE_PREFIX) };
        size_t cap = 0;

        for (size_t i = 0; i < n; i++) {
                const struct package *p = member[i].package;

                for (size_t k = 0; p && p->art->kind == ARTIFACT_CONDA && k < p->paths.n; k++) {
                        if (!is_script(shop, &p->paths.v[k]))
                                continue;
                        if (take(shop, &x, p, &p->paths.v[k], e) < 0)
                                return -(int)e->code;
                        note_text(shop, &below->v[member[i].layer], &p->paths.v[k]);
                }
        }
        for (size_t i = 0; i < x.n_set; i++)
                *arena_push(shop->arena, below->activation, below->n_activation, cap) =
                        arena_fmt(shop->arena, "%.*s=%.*s", SV_ARG(x.set[i].key), SV_ARG(x.set[i].value));
        return 0;
}
