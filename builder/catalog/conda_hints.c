#include <stdlib.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "catalog/conda_priv.h"

const char *conda_ban_text(uint8_t ban)
{
        static const char *const rows[] = {
                [BAN_NEWER] = "is newer than the date allows",
                [BAN_HASH] = "has no checksum in its channel",
                [BAN_CHANNEL] = "is in a channel of lower priority only",
                [BAN_METADATA] = "has a record that can't be used",
        };

        return ban < sizeof(rows) / sizeof(rows[0]) ? rows[ban] : NULL;
}

/* ---- virtual packages ---- */

static sv virtual_key(const struct conda_name *n)
{
        return sv_skip(n->pub.text, 2);
}

/* __glibc is what the base has; others are what the definition says of the machines that it is for, or what no image can be. */
static void hint_virtual(const struct conda_name *n, struct buf *out)
{
        static const struct {
                const char *key, *value, *variable;
        } rows[] = { { "cuda", "12.4", "CONDA_OVERRIDE_CUDA" },
                     { "archspec", "x86_64_v3", "CONDA_OVERRIDE_ARCHSPEC" },
                     { "linux", "5.10", "CONDA_OVERRIDE_LINUX" } };
        sv key = virtual_key(n);

        if (sv_is(key, "glibc"))
                buf_fmt(out, "__glibc is the C library of the base: choose a %s base\n",
                        n->pub.absent ? "glibc" : "newer");
        else if (sv_is(key, "osx") || sv_is(key, "win"))
                buf_fmt(out, "%.*s is there on %s only\n", SV_ARG(n->pub.text),
                        sv_is(key, "osx") ? "macOS" : "Windows");
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
                if (sv_is(key, rows[i].key))
                        buf_fmt(out,
                                "say what the machines that run it have: `envbuild: {virtual: {%s: \"%s\"}}`, or "
                                "%s=%s\n",
                                rows[i].key, rows[i].value, rows[i].variable, rows[i].value);
}

/* ---- packages ---- */

static sv channel_name(const struct catalog_conda *c, const struct conda_record *r)
{
        return r->channel_no < c->opts.n_channel ? c->opts.channel[r->channel_no].name : r->channel;
}

/* The best of what its channel offers, banned or not; NULL: another channel was asked for. */
static const struct conda_cand *of_its_channel(const struct conda_name *n)
{
        for (uint32_t i = 0; i < n->n; i++)
                if (!n->cand[i].hidden && n->cand[i].v)
                        return &n->cand[i];
        return NULL;
}

static int version_qsort(const void *x, const void *y)
{
        const struct conda_cand *a = *(const struct conda_cand *const *)x, *b = *(const struct conda_cand *const *)y;

        return a->v == b->v ? 0 : conda_version_cmp(a->v, b->v);
}

static void hint_versions(const struct catalog_conda *c, const struct conda_name *n, struct buf *out)
{
        AUTO(arena_done) struct arena tmp = { 0 };
        const struct conda_cand **v = arena_array(&tmp, const struct conda_cand *, n->n + 1);
        uint32_t all = 0, different = 0;
        sv channel;

        for (uint32_t i = 0; i < n->n; i++)
                if (!n->cand[i].hidden && n->cand[i].v)
                        v[all++] = &n->cand[i];
        if (!all)
                return;
        qsort(v, all, sizeof(*v), version_qsort);
        for (uint32_t i = 0; i < all; i++)
                different += i == 0 || version_qsort(&v[i - 1], &v[i]) != 0;
        channel = channel_name(c, v[all - 1]->r);
        if (different == 1)
                buf_fmt(out, "the only version of %.*s in %.*s is %.*s\n", SV_ARG(n->pub.text), SV_ARG(channel),
                        SV_ARG(v[0]->r->version));
        else
                buf_fmt(out, "versions of %.*s in %.*s: %.*s … %.*s (%u)\n", SV_ARG(n->pub.text), SV_ARG(channel),
                        SV_ARG(v[0]->r->version), SV_ARG(v[all - 1]->r->version), different);
}

/* The best candidate that a ban keeps out, of those that would do; of all when none would. */
static const struct conda_cand *first_banned(const struct catalog_conda *c, const struct conda_name *n, set_id wanted,
                                             enum cand_ban ban)
{
        for (uint32_t i = 0; i < n->n; i++)
                if (n->cand[i].ban == ban && sets_has(c->catalog.sets, wanted, i))
                        return &n->cand[i];
        return NULL;
}

/* A request that names a channel, and another one has the name. */
static void hint_elsewhere(const struct catalog_conda *c, const struct conda_name *n, struct buf *out)
{
        const struct conda_cand *k = first_banned(c, n, SET_ALL, BAN_CHANNEL);

        if (k)
                buf_fmt(out, "%.*s has %.*s, up to %.*s, but the request names another channel\n",
                        SV_ARG(channel_name(c, k->r)), SV_ARG(n->pub.text), SV_ARG(k->r->version));
}

static void hint_hidden(const struct catalog_conda *c, const struct conda_name *n, set_id wanted, struct buf *out)
{
        const struct conda_cand *k = first_banned(c, n, wanted, BAN_CHANNEL), *first = of_its_channel(n);
        sv there;

        if (!first)
                hint_elsewhere(c, n, out);
        if (!first || !k)
                return;
        there = channel_name(c, k->r);
        buf_fmt(out,
                "%.*s has %.*s %.*s, but %.*s comes first and has the name too; '%.*s::%.*s' takes it from there, and "
                "so "
                "does channel_priority: flexible\n",
                SV_ARG(there), SV_ARG(n->pub.text), SV_ARG(k->r->version), SV_ARG(channel_name(c, first->r)),
                SV_ARG(there), SV_ARG(n->pub.text));
}

static void hint_newer(const struct catalog_conda *c, const struct conda_name *n, set_id wanted, struct buf *out)
{
        const struct conda_cand *k = first_banned(c, n, wanted, BAN_NEWER);
        char when[24], limit[24];

        if (!k)
                return;
        time_format((k->r->indexed ? k->r->indexed : k->r->timestamp) / 1000, when);
        time_format(c->opts.exclude_newer, limit);
        buf_fmt(out, "%.*s %.*s is of %s, after --exclude-newer %s\n", SV_ARG(n->pub.text), SV_ARG(k->r->version), when,
                limit);
}

static void hint_unhashed(const struct catalog_conda *c, const struct conda_name *n, set_id wanted, struct buf *out)
{
        const struct conda_cand *k = first_banned(c, n, wanted, BAN_HASH);

        if (k)
                buf_fmt(out,
                        "%.*s says neither sha256 nor md5 of %.*s, so nobody could tell whether it arrived whole\n",
                        SV_ARG(channel_name(c, k->r)), SV_ARG(k->r->fn));
}

static void hint_record(const struct catalog_conda *c, const struct conda_name *n, set_id wanted, struct buf *out)
{
        const struct conda_cand *k = first_banned(c, n, wanted, BAN_METADATA);

        if (k && k->note.n)
                buf_fmt(out, "%.*s %.*s %.*s: %.*s\n", SV_ARG(n->pub.text), SV_ARG(k->r->version), SV_ARG(k->r->build),
                        SV_ARG(k->note));
}

void conda_hints(struct catalog *cat, name_id id, set_id wanted, struct buf *out)
{
        struct catalog_conda *c = conda_self(cat);
        const struct conda_name *n = c->name[id];

        if (n->is_virtual) {
                hint_virtual(n, out);
                return;
        }
        hint_versions(c, n, out);
        hint_hidden(c, n, wanted, out);
        hint_newer(c, n, wanted, out);
        hint_unhashed(c, n, wanted, out);
        hint_record(c, n, wanted, out);
}
