/* Which channels are asked, with which settings: the definition's and the command line's, else .condarc's. */
#include <stdlib.h>

#include "base/cleanup.h"
#include "image/image_priv.h"
#include "net/url.h"

static int refuse(struct diags *ds, const struct spec_text *t, sv shown, sv why, struct err *e)
{
        diag_add(ds, t->at.file, t->at.line, t->at.col, "EB138", "the channel '%.*s' cannot be used: %.*s",
                 SV_ARG(shown), SV_ARG(why));
        return err_set(e, ERR_USAGE, "a channel cannot be read");
}

static bool has_channel(const struct conda_setup *x, sv url)
{
        for (size_t i = 0; i < x->n_channel; i++)
                if (sv_eq(x->channel[i].url, url))
                        return true;
        return false;
}

/* A variable may stand where secrets do, nowhere else: the rest goes into the lock as it is. */
static int add(struct diags *ds, const struct condarc *rc, const struct spec_text *t, struct arena *a,
               struct conda_setup *x, size_t *cap, struct err *e)
{
        struct conda_channel *v = NULL, *shown = NULL;
        size_t n = 0, n_shown = 0;
        sv full, missing, why = { 0 };

        if (!url_expand(a, t->text, image_environment, a, &full, &missing))
                return refuse(ds, t, url_masked(a, t->text),
                              arena_fmt(a, "the variable %.*s is not set", SV_ARG(missing)), e);
        if (!conda_channel_expand(a, full, &x->settings, &v, &n, &why))
                return refuse(ds, t, url_masked(a, t->text), why, e);
        if (!sv_eq(full, t->text) && (!conda_channel_expand(a, t->text, &x->settings, &shown, &n_shown, &why) ||
                                      n_shown != n || !sv_eq(shown[0].url, v[0].url)))
                return refuse(ds, t, url_masked(a, t->text),
                              SV("a ${VARIABLE} may only be its login or the token behind /t/"), e);
        for (size_t i = 0; i < n; i++)
                if (!condarc_permits(rc, a, &v[i], &why))
                        return refuse(ds, t, v[i].url, why, e);
                else if (!has_channel(x, v[i].url))
                        *arena_push(a, x->channel, x->n_channel, *cap) = v[i];
        return 0;
}

static int none(struct image_ctx *c, const struct spec *s, struct err *e)
{
        const struct spec_where *at = &s->conda[0].at;
        size_t i = diag_add(c->diags, at->file, at->line, at->col, "EB139", "there is no channel to look for '%.*s' in",
                            SV_ARG(s->conda[0].text));

        diag_hint(c->diags, i, "write 'channels: [conda-forge]' into the definition, or give --channel conda-forge");
        return err_set(e, ERR_USAGE, "no channel is given");
}

static int read_setup(struct image_ctx *c, const struct spec *s, struct diags *ds, struct arena *a,
                      struct conda_setup *ret, struct err *e)
{
        const struct condarc *rc;
        size_t cap = 0;

        *ret = (struct conda_setup){ 0 };
        if (image_ctx_conda(c, &rc, e) < 0)
                return -(int)e->code;
        ret->settings = rc->settings;
        ret->mirror = rc->mirror;
        ret->n_mirror = rc->n_mirror;
        ret->priority = s->channel_priority.n ? s->channel_priority : rc->priority.n ? rc->priority : SV("strict");
        for (size_t i = 0; i < s->n_channels; i++)
                if (add(ds, rc, &s->channels[i], a, ret, &cap, e) < 0)
                        return -(int)e->code;
        for (size_t i = 0; s->n_channels == 0 && !s->nodefaults && i < rc->n_channels; i++)
                if (add(ds, rc, &(struct spec_text){ rc->channels[i], { SV(".condarc"), 0, 0 } }, a, ret, &cap, e) < 0)
                        return -(int)e->code;
        return 0;
}

struct conda_ask conda_ask(struct image_ctx *c, const struct conda_setup *x)
{
        return (struct conda_ask){ .net = c->net,
                                   .store = c->store,
                                   .op = c->op,
                                   .channels = { .channel = x->channel,
                                                 .n_channel = x->n_channel,
                                                 .mirror = x->mirror,
                                                 .n_mirror = x->n_mirror } };
}

int conda_setup(struct image_ctx *c, const struct spec *s, struct arena *a, struct conda_setup *ret, struct err *e)
{
        if (read_setup(c, s, c->diags, a, ret, e) < 0)
                return -(int)e->code;
        for (size_t i = 0; i < c->conda->n_from; i++)
                op_event(c->op, OP_READ, OP_END, c->conda->from[i], 0, 0);
        return ret->n_channel ? 0 : none(c, s, e);
}

void conda_setup_again(struct image_ctx *c, const struct spec *s, struct arena *a, struct conda_setup *ret)
{
        AUTO(diags_done) struct diags ds = { 0 };
        AUTO(err_done) struct err ignored = { 0 };
        const struct spec none = { 0 };

        read_setup(c, s ? s : &none, &ds, a, ret, &ignored);
}
