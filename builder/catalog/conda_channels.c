#include "catalog/conda_channels.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/map.h"
#include "catalog/conda_subdir.h"
#include "net/url.h"

struct wanted { /* a name that somebody asked for, or will */
        sv name;
        struct conda_shard_get *get; /* one for each subdir; shard NULL: that subdir has none */
        bool begun, ready;           /* its shards are on their way; are there */
        bool answered;
        struct conda_records records;
};

struct channels {
        struct conda_source source;
        struct conda_web web;
        struct arena arena;
        struct conda_subdir *sub; /* channel by channel: the platform's subdir, noarch */
        size_t n_sub;
        bool settled; /* every subdir is done */
        struct map names;
        struct wanted **wanted;
        size_t n_wanted, cap_wanted;
        struct wanted **busy; /* begun, not ready */
        size_t n_busy, cap_busy;
        uint64_t seen;
};

/* --- subdirs --- */

static bool settle(struct channels *s)
{
        if (s->settled)
                return true;
        s->settled = true;
        for (size_t i = 0; i < s->n_sub; i++) {
                if (!s->sub[i].done)
                        conda_subdir_step(&s->sub[i]);
                s->settled = s->settled && s->sub[i].done;
        }
        return s->settled;
}

static int copy_err(const struct err *from, struct err *e)
{
        sv rest = sv_from(from->trail), line;

        err_set(e, from->code, "%s", from->cause);
        while (sv_line(&rest, &line))
                err_while(e, "%.*s", SV_ARG(line));
        if (from->hint)
                err_hint(e, "%s", from->hint);
        return -(int)e->code;
}

/* The first subdir that failed, or a channel that is not there at all. */
static int check_subs(struct channels *s, struct err *e)
{
        for (size_t i = 0; i < s->n_sub; i++)
                if (s->sub[i].err.code)
                        return copy_err(&s->sub[i].err, e);
        for (size_t i = 0; i < s->n_sub; i++) {
                const struct conda_subdir *one = &s->sub[i], *last = one;
                bool absent = true;

                for (; i < s->n_sub && s->sub[i].place.channel_no == one->place.channel_no; i++) {
                        last = &s->sub[i];
                        absent = absent && last->kind == CONDA_SUBDIR_ABSENT;
                }
                i--;
                if (!absent)
                        continue;
                err_set(e, ERR_NOT_FOUND, "there is no channel '%.*s': it has no %.*srepodata.json",
                        SV_ARG(url_masked(&s->arena, one->channel_url)), SV_ARG(url_masked(&s->arena, last->folder)));
                err_hint(e,
                         "check the channel's name; a private one needs a login in ~/.netrc, or its token (/t/TOKEN/)");
                return -ERR_NOT_FOUND;
        }
        return 0;
}

/* --- names --- */

static struct wanted *wanted_get(struct channels *s, sv name)
{
        struct wanted *w = map_get(&s->names, name);

        if (w)
                return w;
        w = arena_new(&s->arena, struct wanted);
        w->name = arena_sv(&s->arena, name);
        map_put(&s->names, &s->arena, w->name, w);
        s->wanted = xgrow(s->wanted, &s->cap_wanted, s->n_wanted + 1, sizeof(struct wanted *));
        s->wanted[s->n_wanted++] = w;
        return w;
}

static void begin(struct channels *s, struct wanted *w, int priority)
{
        if (w->begun)
                return;
        w->begun = w->ready = true;
        w->get = arena_array(&s->arena, struct conda_shard_get, s->n_sub);
        for (size_t i = 0; i < s->n_sub; i++) {
                struct conda_shard_get *g = &w->get[i];

                g->sub = &s->sub[i];
                if (g->sub->kind != CONDA_SUBDIR_SHARDED || !(g->shard = conda_shards_find(&g->sub->shards, w->name)))
                        continue;
                conda_shard_begin(g, priority);
                w->ready = w->ready && g->done;
        }
        if (w->ready)
                return;
        s->busy = xgrow(s->busy, &s->cap_busy, s->n_busy + 1, sizeof(struct wanted *));
        s->busy[s->n_busy++] = w;
}

static bool step(struct channels *s, struct wanted *w)
{
        w->ready = true;
        for (size_t i = 0; i < s->n_sub; i++) {
                conda_shard_step(&w->get[i]);
                w->ready = w->ready && (!w->get[i].shard || w->get[i].done);
        }
        return w->ready;
}

/* Let everything that can move on move on. */
static void pump(struct channels *s)
{
        bool before = s->settled;

        if (settle(s) && !before)
                for (size_t i = 0; i < s->n_wanted; i++)
                        begin(s, s->wanted[i], CONDA_SHARD_SOON);
        for (size_t i = s->n_busy; i--;)
                if (step(s, s->busy[i]))
                        s->busy[i] = s->busy[--s->n_busy];
}

/* "python >=3.9", "conda-forge::numpy[version=1]" → the name in lower case. */
static sv name_of(struct arena *a, sv spec)
{
        ptrdiff_t at = sv_find_sv(spec, SV("::"));
        size_t n = 0;
        char *low;

        if (at >= 0)
                spec = sv_skip(spec, (size_t)at + 2);
        spec = sv_trim(spec);
        while (n < spec.n && spec.p[n] && !strchr(" \t=<>!~[", spec.p[n]))
                n++;
        low = arena_str(a, sv_from_to(spec, 0, n));
        for (size_t i = 0; i < n; i++)
                if (low[i] >= 'A' && low[i] <= 'Z')
                        low[i] = (char)(low[i] + 32);
        return (sv){ low, n };
}

/* What these records depend on will be asked for next: its shards begin to come now, a level ahead of the solver. */
static void look_ahead(struct channels *s, const struct conda_records *r)
{
        AUTO(arena_done) struct arena tmp = { 0 };
        bool sharded = false;

        for (size_t i = 0; i < s->n_sub; i++)
                sharded = sharded || s->sub[i].kind == CONDA_SUBDIR_SHARDED;
        for (size_t i = 0; sharded && i < r->n; i++)
                for (size_t k = 0; k < r->v[i].n_depends; k++)
                        begin(s, wanted_get(s, name_of(&tmp, r->v[i].depends[k])), CONDA_SHARD_SOON);
}

static int answer(struct channels *s, struct wanted *w, struct err *e)
{
        struct conda_list list = { 0 };

        for (size_t i = 0; i < s->n_sub; i++)
                if (w->get[i].shard && w->get[i].err.code)
                        return copy_err(&w->get[i].err, e);
        for (size_t i = 0; i < s->n_sub; i++) {
                int r = 0;

                if (s->sub[i].kind == CONDA_SUBDIR_WHOLE)
                        r = conda_whole_add(&s->sub[i].repo, w->name, &s->arena, &list, e);
                else if (w->get[i].shard)
                        r = conda_shard_take(&w->get[i], w->name, &s->arena, &list, e);
                if (r < 0)
                        return r;
        }
        w->records = (struct conda_records){ list.v, list.n };
        w->answered = true;
        look_ahead(s, &w->records);
        return 0;
}

/* --- the source --- */

static int op_records(struct conda_source *src, sv name, struct conda_records *ret, struct err *e)
{
        struct channels *s = (struct channels *)src;
        struct wanted *w = wanted_get(s, name);

        for (pump(s); !s->settled; pump(s))
                if (net_next(s->web.cache.net, &s->seen, e) < 0)
                        return -(int)e->code;
        if (check_subs(s, e) < 0)
                return -(int)e->code;
        begin(s, w, CONDA_SHARD_NOW);
        for (pump(s); !w->ready; pump(s))
                if (net_next(s->web.cache.net, &s->seen, e) < 0)
                        return -(int)e->code;
        if (!w->answered && answer(s, w, e) < 0)
                return -(int)e->code;
        *ret = w->records;
        return 0;
}

static void op_soon(struct conda_source *src, sv name)
{
        struct channels *s = (struct channels *)src;
        struct wanted *w = wanted_get(s, name);

        if (s->settled)
                begin(s, w, CONDA_SHARD_SOON);
}

static bool op_ready(struct conda_source *src, sv name)
{
        struct channels *s = (struct channels *)src;
        struct wanted *w = map_get(&s->names, name);

        if (!s->settled)
                pump(s);
        return s->settled && w && w->begun && (w->ready || step(s, w));
}

static sv op_near(struct conda_source *src, sv name)
{
        struct channels *s = (struct channels *)src;
        struct conda_near n;

        conda_near_begin(&n, name);
        for (size_t i = 0; i < s->n_sub; i++)
                if (s->sub[i].done)
                        conda_subdir_near(&s->sub[i], &n);
        return arena_sv(&s->arena, n.found);
}

static void op_free(struct conda_source *src)
{
        struct channels *s = (struct channels *)src;

        for (size_t i = 0; i < s->n_wanted; i++)
                for (size_t k = 0; s->wanted[i]->get && k < s->n_sub; k++)
                        conda_shard_free(&s->wanted[i]->get[k]);
        for (size_t i = 0; i < s->n_sub; i++)
                conda_subdir_free(&s->sub[i]);
        keeper_free(s->web.cache.keeper);
        free(s->sub);
        free(s->wanted);
        free(s->busy);
        arena_done(&s->arena);
        free(s);
}

/* --- opening --- */

static void add_sub(struct channels *s, const struct conda_channel *c, uint32_t no, sv subdir, const sv *base,
                    size_t n_base)
{
        struct conda_subdir *one = &s->sub[s->n_sub++];

        *one = (struct conda_subdir){ .w = &s->web, .a = &s->arena, .base = base, .n_base = n_base };
        one->channel_url = arena_sv(&s->arena, c->url);
        one->folder = arena_fmt(&s->arena, "%.*s/%.*s/", SV_ARG(c->url), SV_ARG(subdir));
        one->subject = arena_fmt(&s->arena, "%.*s/%.*s", SV_ARG(url_masked(&s->arena, c->name)), SV_ARG(subdir));
        one->place = (struct conda_place){ .channel = one->channel_url,
                                           .subdir = arena_sv(&s->arena, subdir),
                                           .channel_no = no };
}

static int check_channels(struct channels *s, const struct conda_channels_opts *o, struct err *e)
{
        for (size_t i = 0; i < o->n_channel; i++) {
                struct url u;
                sv url = o->channel[i].url;

                if (url_parse(url, &u) &&
                    (sv_is(u.scheme, "https") || sv_is(u.scheme, "http") || sv_is(u.scheme, "file")))
                        continue;
                err_set(e, ERR_USAGE, "'%.*s' is not the URL of a channel", SV_ARG(url_masked(&s->arena, url)));
                err_hint(e, "a channel is a name, such as conda-forge, or an http, https or file URL");
                return -ERR_USAGE;
        }
        return 0;
}

int conda_channels_open(const struct conda_channels_opts *o, struct net *net, struct store *store, struct op *op,
                        struct conda_source **ret, struct err *e)
{
        static const struct conda_source_ops ops = {
                .records = op_records, .soon = op_soon, .ready = op_ready, .near = op_near, .free = op_free
        };
        struct channels *s = xcalloc(1, sizeof(*s));

        s->source.ops = &ops;
        s->web = (struct conda_web){ .op = op, .no_shards = o->no_shards };
        s->web.cache = (struct page_cache){ .net = net,
                                            .store = store,
                                            .keeper = keeper_new(store, op),
                                            .refresh = o->refresh,
                                            .offline = net_offline(net) };
        if (check_channels(s, o, e) < 0) {
                op_free(&s->source);
                return -(int)e->code;
        }
        s->sub = xcalloc(2 * o->n_channel + 1, sizeof(*s->sub));
        for (size_t i = 0; i < o->n_channel; i++) {
                const struct conda_channel *c = &o->channel[i];
                sv platform = c->subdir.n ? c->subdir : o->subdir;
                size_t n_base;
                const sv *base = conda_bases(&s->arena, c, o->mirror, o->n_mirror, &n_base);

                if (platform.n && !sv_is(platform, "noarch"))
                        add_sub(s, c, (uint32_t)i, platform, base, n_base);
                add_sub(s, c, (uint32_t)i, SV("noarch"), base, n_base);
        }
        for (size_t i = 0; i < s->n_sub; i++)
                conda_subdir_begin(&s->sub[i]);
        *ret = &s->source;
        return 0;
}
