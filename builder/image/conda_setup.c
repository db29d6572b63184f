/* Which channels are asked, with which settings: the definition's and the command line's, else .condarc's. */
#include <stdlib.h>

#include "base/cleanup.h"
#include "image/image_priv.h"
#include "net/url.h"

static bool from_environment(void *arg, sv name, sv *ret)
{
        const char *v = getenv(arena_str(arg, name));

        *ret = sv_from(v);
        return v != NULL;
}

static int refuse(struct image_ctx *c, const struct spec_text *t, sv shown, sv why, struct err *e)
{
        diag_add(c->diags, t->at.file, t->at.line, t->at.col, "EB138", "'%.*s' is not a channel: %.*s", SV_ARG(shown),
                 SV_ARG(why));
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
static int add(struct image_ctx *c, const struct spec_text *t, struct arena *a, struct conda_setup *x, size_t *cap,
               struct err *e)
{
        struct conda_channel *v = NULL, *shown = NULL;
        size_t n = 0, n_shown = 0;
        sv full, missing, why = { 0 };

        if (!url_expand(a, t->text, from_environment, a, &full, &missing))
                return refuse(c, t, url_masked(a, t->text),
                              arena_fmt(a, "the variable %.*s is not set", SV_ARG(missing)), e);
        if (!conda_channel_expand(a, full, &x->settings, &v, &n, &why))
                return refuse(c, t, url_masked(a, t->text), why, e);
        if (!sv_eq(full, t->text) && (!conda_channel_expand(a, t->text, &x->settings, &shown, &n_shown, &why) ||
                                      n_shown != n || !sv_eq(shown[0].url, v[0].url)))
                return refuse(c, t, url_masked(a, t->text),
                              SV("a ${VARIABLE} may only be its login or the token behind /t/"), e);
        for (size_t i = 0; i < n; i++)
                if (!has_channel(x, v[i].url))
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

static int read_setup(struct image_ctx *c, const struct spec *s, struct arena *a, struct conda_setup *ret,
                      struct err *e)
{
        struct condarc rc = { 0 };
        size_t cap = 0;

        *ret = (struct conda_setup){ 0 };
        if (condarc_load(a, &rc, e) < 0)
                return -(int)e->code;
        for (size_t i = 0; i < rc.n_from; i++)
                op_event(c->op, OP_READ, OP_END, rc.from[i], 0, 0);
        ret->settings = rc.settings;
        ret->mirror = rc.mirror;
        ret->n_mirror = rc.n_mirror;
        ret->priority = s->channel_priority.n ? s->channel_priority : rc.priority.n ? rc.priority : SV("strict");
        for (size_t i = 0; i < s->n_channels; i++)
                if (add(c, &s->channels[i], a, ret, &cap, e) < 0)
                        return -(int)e->code;
        for (size_t i = 0; s->n_channels == 0 && !s->nodefaults && i < rc.n_channels; i++)
                if (add(c, &(struct spec_text){ rc.channels[i], { SV(".condarc"), 0, 0 } }, a, ret, &cap, e) < 0)
                        return -(int)e->code;
        return 0;
}

/* "https://host/t/TOKEN/name": behind the alias when the channel lies below it, else behind the host. */
static sv with_token(const struct conda_setup *x, struct arena *a, const struct conda_channel *ch, sv url)
{
        sv head = x->settings.alias.n ? x->settings.alias : SV("https://conda.anaconda.org");
        ptrdiff_t host;

        if (!sv_starts(url, head) || url.n == head.n || url.p[head.n] != '/') {
                host = sv_find_sv(url, SV("://"));
                host = host < 0 ? 0 : host + 3;
                while ((size_t)host < url.n && url.p[host] != '/')
                        host++;
                head = sv_from_to(url, 0, (size_t)host);
        }
        return arena_fmt(a, "%.*s/t/%.*s%.*s", SV_ARG(head), SV_ARG(ch->token), SV_ARG(sv_skip(url, head.n)));
}

static void add_secrets(struct image_ctx *c, struct arena *a, const struct conda_setup *x)
{
        for (size_t i = 0; i < x->n_channel; i++) {
                const struct conda_channel *ch = &x->channel[i];
                ptrdiff_t at = sv_find_sv(ch->url, SV("://"));

                if (ch->login.n && at > 0)
                        net_login_add(c->net, arena_fmt(a, "%.*s://%.*s@%.*s", (int)at, ch->url.p, SV_ARG(ch->login),
                                                        SV_ARG(sv_skip(ch->url, (size_t)at + 3))));
                if (ch->token.n)
                        net_token_add(c->net, ch->url, with_token(x, a, ch, ch->url));
        }
}

int conda_setup(struct image_ctx *c, const struct spec *s, struct arena *a, struct conda_setup *ret, struct err *e)
{
        if (read_setup(c, s, a, ret, e) < 0 || image_ctx_net(c, e) < 0)
                return -(int)e->code;
        add_secrets(c, a, ret);
        return ret->n_channel ? 0 : none(c, s, e);
}

void conda_logins(struct image_ctx *c, const struct spec *s, struct arena *a)
{
        AUTO(diags_done) struct diags ds = {
                0
        }; /* the lock is what counts: a channel we cannot read may not be needed */
        const struct spec none = { 0 };
        const struct spec *from[] = { s, &none };
        struct image_ctx quiet = *c;

        quiet.diags = &ds;
        for (size_t i = s ? 0 : 1; i < ARRAY_LEN(from); i++) {
                AUTO(err_done) struct err ignored = { 0 };
                struct conda_setup x;

                read_setup(&quiet, from[i], a, &x, &ignored);
                add_secrets(c, a, &x);
        }
}
