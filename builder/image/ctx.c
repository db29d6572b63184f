/* What a build opens when it first needs it. */
#include "image/image.h"

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

int image_ctx_net(struct image_ctx *c, struct err *e)
{
        struct net_opts o = { .offline = c->offline };

        return c->net ? 0 : net_new(&o, c->op, &c->net, e);
}

void image_ctx_done(struct image_ctx *c)
{
        net_free(c->net);
        store_close(c->store);
        *c = (struct image_ctx){ 0 };
}
