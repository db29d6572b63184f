#include "catalog/conda.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "catalog/conda_priv.h"

struct conda_name *conda_name_of(struct catalog_conda *c, sv text)
{
        struct conda_name *n = map_get(&c->by_text, text);

        if (n)
                return n;
        n = arena_new(&c->arena, struct conda_name);
        n->pub.text = arena_sv(&c->arena, text);
        n->pub.of = (name_id)c->n_name;
        n->is_virtual = sv_starts(text, SV("__"));
        map_put(&c->by_text, &c->arena, n->pub.text, n);
        *arena_push(&c->arena, c->name, c->n_name, c->cap_name) = n;
        return n;
}

static int op_name(struct catalog *cat, name_id id, const struct name **ret, struct err *e)
{
        struct catalog_conda *c = conda_self(cat);
        struct conda_name *n = c->name[id];

        if (conda_name_ready(c, n, e) < 0)
                return -(int)e->code;
        *ret = &n->pub;
        return 0;
}

static void op_free(struct catalog *cat)
{
        struct catalog_conda *c = conda_self(cat);

        conda_source_free(c->source);
        sets_free(c->catalog.sets);
        arena_done(&c->arena);
        free(c);
}

static const struct catalog_ops conda_ops = { .name = op_name,
                                              .rels = conda_rels,
                                              .known = conda_known,
                                              .who = conda_who,
                                              .soon = conda_soon,
                                              .text = conda_words,
                                              .cand_text = conda_cand_text,
                                              .ban_text = conda_ban_text,
                                              .hints = conda_hints,
                                              .free = op_free };

static void take_opts(struct catalog_conda *c, const struct conda_opts *o)
{
        struct arena *a = &c->arena;
        struct conda_channel *channel = arena_array(a, struct conda_channel, o->n_channel + 1);
        struct conda_virtual *v = arena_array(a, struct conda_virtual, o->n_virtual + 1);
        struct conda_mirror *mirror = arena_array(a, struct conda_mirror, o->n_mirror + 1);

        for (size_t i = 0; i < o->n_channel; i++)
                channel[i] =
                        (struct conda_channel){ arena_sv(a, o->channel[i].name), arena_sv(a, o->channel[i].url),
                                                arena_sv(a, o->channel[i].subdir), arena_sv(a, o->channel[i].token),
                                                arena_sv(a, o->channel[i].login) };
        for (size_t i = 0; i < o->n_virtual; i++)
                v[i] = (struct conda_virtual){ arena_sv(a, o->virtual_[i].name), arena_sv(a, o->virtual_[i].version),
                                               arena_sv(a, o->virtual_[i].build) };
        for (size_t i = 0; i < o->n_mirror; i++)
                mirror[i] = (struct conda_mirror){ arena_sv(a, o->mirror[i].channel), arena_sv(a, o->mirror[i].url) };
        c->opts = *o;
        c->opts.mirror = mirror;
        c->opts.channel = channel;
        c->opts.virtual_ = v;
}

int conda_open(const struct conda_opts *o, struct conda_source *source, struct op *op, struct catalog_conda **ret,
               struct err *e)
{
        struct catalog_conda *c = xcalloc(1, sizeof(*c));

        (void)e;
        c->catalog = (struct catalog){ .ops = &conda_ops, .sets = sets_new(), .breadth = true };
        c->source = source;
        c->op = op;
        take_opts(c, o);
        *ret = c;
        return 0;
}

struct catalog *conda_catalog(struct catalog_conda *c)
{
        return &c->catalog;
}

const struct conda_record *conda_record_of(struct catalog_conda *c, const struct pick *p)
{
        const struct conda_name *n = c->name[p->name];

        return n->is_virtual ? NULL : n->cand[p->cand].r;
}
