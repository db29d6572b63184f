/* Layers made from memory: env; last and os use its first half. */
#include "base/cleanup.h"
#include "image/image_priv.h"

int layer_from_list(struct package_shop *shop, const sha256 *key, const struct tree_list *t, enum layer_style style,
                    bool deb_table, struct built_layer *ret, struct err *e)
{
        AUTO(entry_source_freep) struct entry_source *src = NULL;
        struct layer_make how = { .style = style, .deb_table = deb_table, .subject = ret->of };
        struct entry *dir = arena_array(shop->arena, struct entry, t->n);

        if (layer_known(shop, key, ret, e) < 0 || ret->reused)
                return -(int)e->code;
        for (size_t i = 0; i < t->n; i++)
                if (t->entry[i].type == ENTRY_DIR)
                        dir[how.n_dir++] = t->entry[i];
        how.dir = dir;
        src = install_list(t->entry, t->content, t->n);
        if (layer_make(shop->c->store, &how, key, 1, false, src, shop->c->op, &ret->fact, e) < 0)
                return err_while(e, "making the layer '%.*s'", SV_ARG(ret->of));
        if (!layer_fact_encoding(&ret->fact, shop->codec))
                return layer_encode(shop->c->store, &ret->fact, shop->codec, shop->c->op, e);
        return 0;
}

/* Each part of the root with the base's attributes, outermost first. */
static void root_parents(const struct lock_platform *p, struct arena *a, struct install_venv *v)
{
        sv root = p->facts.root;

        v->parent = arena_array(a, struct entry, root.n + 1);
        for (size_t i = 0; i <= root.n; i++) {
                struct entry *en;
                if (i < root.n && root.p[i] != '/')
                        continue;
                en = &v->parent[v->n_parent++];
                *en = (struct entry){ .path = sv_from_to(root, 0, i),
                                      .type = ENTRY_DIR,
                                      .mode = 0755,
                                      .mtime = ENTRY_MTIME_FLOOR,
                                      .generated = true };
                for (size_t k = 0; k < p->facts.n_odd_dir; k++)
                        if (sv_eq(p->facts.odd_dir[k].path, en->path)) {
                                en->mode = p->facts.odd_dir[k].mode;
                                en->uid = p->facts.odd_dir[k].uid;
                                en->gid = p->facts.odd_dir[k].gid;
                        }
        }
}

int conda_env_build(struct package_shop *shop, struct built_layer *ret, struct paths *ret_paths, struct err *e)
{
        struct install_venv v = { .root = shop->platform->facts.root, .prefix = SV(IMAGE_PREFIX) };
        struct tree_list t = { 0 };
        sha256 key;

        root_parents(shop->platform, shop->arena, &v);
        install_conda_env(shop->arena, &v, &t.entry, &t.content, &t.n);
        key = layer_key_conda_env(&v);
        ret->of = SV("env conda");
        if (layer_from_list(shop, &key, &t, LAYER_JOIN, false, ret, e) < 0)
                return -(int)e->code;
        return layer_fact_paths(shop->c->store, &ret->fact, shop->arena, ret_paths, e);
}

int venv_build(struct package_shop *shop, struct built_layer *ret, struct paths *ret_paths, struct err *e)
{
        const struct lock_platform *p = shop->platform;
        struct install_venv v = { .root = p->facts.root,
                                  .prefix = SV(IMAGE_PREFIX),
                                  .python = p->python.path,
                                  .python_version = p->python.version };
        struct tree_list t = { 0 };
        sha256 key;

        root_parents(p, shop->arena, &v);
        install_venv(shop->arena, &v, &t.entry, &t.content, &t.n);
        key = layer_key_venv(&v);
        ret->of = SV("env venv");
        if (layer_from_list(shop, &key, &t, LAYER_JOIN, false, ret, e) < 0)
                return -(int)e->code;
        return layer_fact_paths(shop->c->store, &ret->fact, shop->arena, ret_paths, e);
}
