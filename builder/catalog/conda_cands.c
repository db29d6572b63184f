#include <string.h>

#include "base/cleanup.h"
#include "catalog/conda_priv.h"

/* Versions repeat, from build to build and from name to name. */
static const struct conda_version *version_of(struct catalog_conda *c, sv text)
{
        const struct conda_version *v = map_get(&c->versions, text);

        if (!v) {
                v = conda_version_parse(&c->arena, text, NULL);
                if (v)
                        map_put(&c->versions, &c->arena, text, (void *)v);
        }
        return v;
}

static sv stem_of(sv fn)
{
        if (sv_ends(fn, SV(".tar.bz2")))
                return sv_from_to(fn, 0, fn.n - strlen(".tar.bz2"));
        if (sv_ends(fn, SV(".conda")))
                return sv_from_to(fn, 0, fn.n - strlen(".conda"));
        return fn;
}

/* A file is what its name says (CEP 26): a record of another name is a mix-up of whoever made the index. */
static bool named_right(const struct conda_record *r)
{
        return r->fn.n > r->name.n && r->fn.p[r->name.n] == '-' &&
               sv_eq_nocase(sv_from_to(r->fn, 0, r->name.n), r->name);
}

static uint8_t ban_of(const struct catalog_conda *c, const struct conda_cand *k)
{
        int64_t date = k->r->indexed ? k->r->indexed : k->r->timestamp, limit = c->opts.exclude_newer;

        if (!k->v || !named_right(k->r))
                return BAN_METADATA;
        if (limit && date > limit * 1000)
                return BAN_NEWER;
        if (!k->r->has_sha256 && !k->r->has_md5 && !c->opts.allow_unhashed)
                return BAN_HASH;
        return BAN_NO;
}

/* Which of two files of the same build: what may be used, then .conda. */
static bool file_better(const struct conda_cand *a, const struct conda_cand *b)
{
        if (!a->ban != !b->ban)
                return !a->ban;
        return sv_ends(a->r->fn, SV(".conda")) && !sv_ends(b->r->fn, SV(".conda"));
}

static bool same_folder(const struct conda_record *a, const struct conda_record *b)
{
        return a->channel_no == b->channel_no && sv_eq(a->subdir, b->subdir);
}

/* One candidate for the .conda and the .tar.bz2 of a build. */
static void cand_add(struct conda_name *n, struct arena *tmp, struct map *stems, const struct conda_cand *k)
{
        sv stem = stem_of(k->r->fn);
        struct conda_cand *twin;

        if (n->n && !same_folder(n->cand[n->n - 1].r, k->r))
                *stems = (struct map){ 0 };
        twin = map_get(stems, stem);
        if (!twin) {
                n->cand[n->n] = *k;
                map_put(stems, tmp, stem, &n->cand[n->n++]);
        } else if (file_better(k, twin)) {
                *twin = *k;
        }
}

static void take_records(struct catalog_conda *c, struct conda_name *n, const struct conda_records *r)
{
        AUTO(arena_done) struct arena tmp = { 0 };
        struct map stems = { 0 };
        const struct conda_record *last = NULL;
        const struct conda_version *v = NULL;

        n->cand = arena_array(&c->arena, struct conda_cand, r->n + 1);
        for (size_t i = 0; i < r->n; i++) {
                struct conda_cand k = { .r = &r->v[i] };
                if (!last || !sv_eq(last->version, k.r->version))
                        v = version_of(c, k.r->version);
                last = k.r;
                k.v = v;
                k.ban = ban_of(c, &k);
                if (!v)
                        k.note = arena_fmt(&c->arena, "its version '%.*s' is none", SV_ARG(k.r->version));
                else if (k.ban == BAN_METADATA)
                        k.note = arena_fmt(&c->arena, "its file is named '%.*s'", SV_ARG(k.r->fn));
                cand_add(n, &tmp, &stems, &k);
        }
}

/* A request that names a channel decides where its name comes from. */
static bool names_channel(const struct conda_says *s)
{
        return s->m.channel.n || s->m.n_channels;
}

static bool channel_fits(const struct conda_says *s, const struct conda_record *r)
{
        struct matchspec m = { .name = s->m.name,
                               .channel = s->m.channel,
                               .channels = s->m.channels,
                               .n_channels = s->m.n_channels,
                               .channel_text = s->m.channel_text };

        return matchspec_has(&m, r, NULL);
}

static bool channel_wanted(const struct conda_name *n, const struct conda_record *r)
{
        for (size_t i = 0; i < n->n_wanted; i++)
                if (names_channel(n->wanted[i]) && channel_fits(n->wanted[i], r))
                        return true;
        return false;
}

/* strict: the first channel that has the name supplies it. */
static void hide(struct catalog_conda *c, struct conda_name *n)
{
        uint32_t first = UINT32_MAX;
        bool named = false;

        if (c->opts.priority != CONDA_STRICT)
                return;
        for (size_t i = 0; i < n->n_wanted; i++)
                named |= names_channel(n->wanted[i]);
        for (uint32_t i = 0; i < n->n; i++)
                if (n->cand[i].r->channel_no < first)
                        first = n->cand[i].r->channel_no;
        for (uint32_t i = 0; i < n->n; i++) {
                struct conda_cand *k = &n->cand[i];
                k->hidden = named ? !channel_wanted(n, k->r) : k->r->channel_no != first;
                if (k->hidden)
                        k->ban = BAN_CHANNEL;
        }
}

static void mark_asked(struct conda_name *n)
{
        for (uint32_t i = 0; i < n->n; i++) {
                n->cand[i].asked = true;
                for (size_t k = 0; k < n->n_wanted; k++)
                        n->cand[i].asked = n->cand[i].asked && conda_says_takes(n->wanted[k], &n->cand[i]);
        }
}

/* What the newest of its candidates need is on its way before anybody knows which of them it will be. */
static void ask_ahead(struct catalog_conda *c, struct conda_name *n)
{
        const struct conda_version *best = NULL;

        for (uint32_t i = 0; i < n->n; i++) {
                const struct conda_cand *k = &n->cand[i];
                if (!k->ban && k->asked && (!best || conda_version_cmp(k->v, best) > 0))
                        best = k->v;
        }
        for (uint32_t i = 0; i < n->n; i++) {
                struct conda_cand *k = &n->cand[i];
                if (k->ban || !k->asked || (k->v != best && conda_version_cmp(k->v, best) != 0))
                        continue;
                conda_cand_soon(c, k);
        }
}

/* A virtual package is what the options say, never what a channel says. */
static void read_virtual(struct catalog_conda *c, struct conda_name *n)
{
        for (size_t i = 0; i < c->opts.n_virtual; i++) {
                const struct conda_virtual *v = &c->opts.virtual_[i];
                struct conda_record *r;

                if (!sv_eq(v->name, n->pub.text))
                        continue;
                r = arena_new(&c->arena, struct conda_record);
                r->name = n->pub.text;
                r->version = v->version;
                r->build = v->build.n ? v->build : SV("0");
                n->cand = arena_new(&c->arena, struct conda_cand);
                n->cand->r = r;
                n->cand->v = version_of(c, v->version);
                n->cand->ban = n->cand->v ? BAN_NO : BAN_METADATA;
                n->n = 1;
                return;
        }
}

int conda_name_read(struct catalog_conda *c, struct conda_name *n, struct err *e)
{
        struct conda_records r = { 0 };

        if (n->read)
                return 0;
        if (n->is_virtual) {
                read_virtual(c, n);
        } else {
                if (c->source->ops->records(c->source, n->pub.text, &r, e) < 0)
                        return err_while(e, "looking for '%.*s'", SV_ARG(n->pub.text));
                take_records(c, n, &r);
                hide(c, n);
        }
        mark_asked(n);
        n->read = true;
        ask_ahead(c, n);
        return 0;
}

static void publish(struct catalog_conda *c, struct conda_name *n)
{
        struct cand *pub = arena_array(&c->arena, struct cand, n->n + 1);
        uint32_t version = 0;

        for (uint32_t i = 0; i < n->n; i++) {
                const struct conda_version *v = n->cand[i].v, *before = i ? n->cand[i - 1].v : NULL;
                if (i && (!v || !before || (v != before && conda_version_cmp(v, before) != 0)))
                        version++;
                pub[i] = (struct cand){ .version = version, .ban = n->cand[i].ban };
        }
        n->pub.cand = pub;
        n->pub.n = n->n;
        n->pub.absent = n->n == 0;
        n->pub.lack = n->is_virtual ? SV("the target does not have") : SV("no channel has");
        if (n->is_virtual)
                n->pub.have = SV("the target has");
        if (n->pub.absent && !n->is_virtual)
                n->pub.near = c->source->ops->near(c->source, n->pub.text);
}

int conda_name_ready(struct catalog_conda *c, struct conda_name *n, struct err *e)
{
        if (n->ready)
                return 0;
        if (conda_name_read(c, n, e) < 0 || conda_order(c, n, e) < 0)
                return -(int)e->code;
        publish(c, n);
        n->ready = true;
        conda_limits_due(c, n);
        return 0;
}
