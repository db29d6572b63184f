/* What a build opens when it first needs it. */
#include "base/cleanup.h"
#include "image/condarc.h"
#include "image/image.h"
#include "image/settings.h"

int image_ctx_store(struct image_ctx *c, bool write, struct err *e)
{
        if (c->store && (c->store_writable || !write))
                return 0;
        store_close(c->store);
        c->store = NULL;
        if (store_open(NULL, write, c->op, &c->store, e) < 0)
                return err_while(e, "opening the store");
        c->store_writable = write;
        return 0;
}

int image_ctx_conda(struct image_ctx *c, const struct condarc **ret, struct err *e)
{
        struct condarc *rc;

        if (!c->conda) {
                rc = arena_new(&c->arena, struct condarc);
                if (condarc_load(&c->arena, rc, e) < 0)
                        return -(int)e->code;
                c->conda = rc;
        }
        *ret = c->conda;
        return 0;
}

int image_ctx_settings(struct image_ctx *c, const struct settings **ret, struct err *e)
{
        struct settings *s;

        if (!c->settings) {
                s = arena_new(&c->arena, struct settings);
                if (settings_load(&c->arena, c->diags, s, e) < 0)
                        return -(int)e->code;
                c->settings = s;
        }
        *ret = c->settings;
        return 0;
}

/* Who has told conda of a company's CA need not tell us. What is wrong with .condarc is said where a channel is asked for. */
int image_ctx_net(struct image_ctx *c, struct err *e)
{
        AUTO(err_done) struct err ignored = { 0 };
        struct net_opts o = { .offline = c->offline };
        const struct condarc *rc;

        if (c->net)
                return 0;
        if (image_ctx_conda(c, &rc, &ignored) == 0 && rc->ca_file.n)
                o.ca_file = arena_str(&c->arena, rc->ca_file);
        return net_new(&o, c->op, &c->net, e);
}

int image_ctx_registry(struct image_ctx *c, struct reg_client **ret, struct err *e)
{
        if (image_ctx_net(c, e) < 0 || (!c->reg && reg_client_new(c->net, &c->registry, c->op, &c->reg, e) < 0))
                return -(int)e->code;
        *ret = c->reg;
        return 0;
}

void image_ctx_done(struct image_ctx *c)
{
        reg_client_free(c->reg);
        net_free(c->net);
        store_close(c->store);
        arena_done(&c->arena);
        *c = (struct image_ctx){ 0 };
}
