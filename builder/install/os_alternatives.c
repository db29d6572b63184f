#include "install/os_priv.h"

#include <stdlib.h>

#include "base/cleanup.h"

/* A group as update-alternatives keeps it: one name, all who offer themselves for it. */
struct group {
        sv name, link;
        struct deb_alternative *choice; /* sorted by path */
        size_t n, cap;
        struct deb_slave *slave; /* name and link of each that any choice has, sorted by name */
        size_t n_slave, cap_slave;
};

static void add(struct os *o, const struct deb_alternative *v, size_t n)
{
        for (size_t i = 0; i < n; i++)
                *arena_push(o->a, o->alternative, o->n_alternative, o->cap_alternative) = v[i];
}

static void collect(struct os *o)
{
        for (size_t i = 0; i < o->in->n_deb; i++) {
                const struct deb_control *c = &o->in->deb[i].control;
                const struct effect_pkg *p = effects_find(o->in->effects, c->name);
                struct deb_script s;

                deb_script_read(o->a, SV("postinst"), deb_control_file(c, "postinst"), &s);
                if (s.kind == SCRIPT_ALTERNATIVES)
                        add(o, s.alternative, s.n_alternative);
                if (p)
                        add(o, p->alternative, p->n_alternative);
        }
}

static bool there(struct os *o, sv path)
{
        return os_resolve(o, os_real(o, path)).n > 0;
}

static int choice_cmp(const void *a, const void *b)
{
        return sv_cmp(((const struct deb_alternative *)a)->path, ((const struct deb_alternative *)b)->path);
}

static int slave_cmp(const void *a, const void *b)
{
        return sv_cmp(((const struct deb_slave *)a)->name, ((const struct deb_slave *)b)->name);
}

static void group_add(struct os *o, struct group *g, const struct deb_alternative *alt)
{
        for (size_t i = 0; i < g->n; i++)
                if (sv_eq(g->choice[i].path, alt->path)) {
                        g->choice[i] = *alt;
                        return;
                }
        *arena_push(o->a, g->choice, g->n, g->cap) = *alt;
        for (size_t i = 0; i < alt->n_slave; i++) {
                size_t k = 0;

                while (k < g->n_slave && !sv_eq(g->slave[k].name, alt->slave[i].name))
                        k++;
                if (k == g->n_slave)
                        *arena_push(o->a, g->slave, g->n_slave, g->cap_slave) = alt->slave[i];
        }
}

static sv slave_path(const struct deb_alternative *c, sv name)
{
        for (size_t i = 0; i < c->n_slave; i++)
                if (sv_eq(c->slave[i].name, name))
                        return c->slave[i].path;
        return (sv){ 0 };
}

static void link_pair(struct os *o, sv link, sv name, sv path)
{
        sv middle = arena_fmt(o->a, "/etc/alternatives/%.*s", SV_ARG(name));

        os_link(o, middle, path);
        os_link(o, link, middle);
}

/* The administrative file: mode, link, slaves; then each choice with its priority and slaves. */
static void admin_file(struct os *o, const struct group *g)
{
        AUTO(buf_done) struct buf b = BUF_INIT(OS_TEXT_MAX);

        buf_fmt(&b, "auto\n%.*s\n", SV_ARG(g->link));
        for (size_t i = 0; i < g->n_slave; i++)
                buf_fmt(&b, "%.*s\n%.*s\n", SV_ARG(g->slave[i].name), SV_ARG(g->slave[i].link));
        buf_byte(&b, '\n');
        for (size_t i = 0; i < g->n; i++) {
                buf_fmt(&b, "%.*s\n%lld\n", SV_ARG(g->choice[i].path), (long long)g->choice[i].priority);
                for (size_t k = 0; k < g->n_slave; k++)
                        buf_fmt(&b, "%.*s\n", SV_ARG(slave_path(&g->choice[i], g->slave[k].name)));
        }
        buf_byte(&b, '\n');
        os_file(o, arena_fmt(o->a, "var/lib/dpkg/alternatives/%.*s", SV_ARG(g->name)), 0644, arena_sv(o->a, buf_sv(&b)));
}

static void group_make(struct os *o, struct group *g)
{
        const struct deb_alternative *best;

        qsort(g->choice, g->n, sizeof(*g->choice), choice_cmp);
        if (g->n_slave)
                qsort(g->slave, g->n_slave, sizeof(*g->slave), slave_cmp);
        best = &g->choice[0];
        for (size_t i = 1; i < g->n; i++)
                if (g->choice[i].priority > best->priority)
                        best = &g->choice[i];
        link_pair(o, g->link, g->name, best->path);
        for (size_t i = 0; i < g->n_slave; i++) {
                sv path = slave_path(best, g->slave[i].name);
                if (path.n && there(o, path)) /* as update-alternatives: no link to what is not there */
                        link_pair(o, g->slave[i].link, g->slave[i].name, path);
        }
        admin_file(o, g);
}

int os_alternatives(struct os *o, struct err *e)
{
        struct group *v = NULL;
        size_t n = 0, cap = 0;

        collect(o);
        for (size_t i = 0; i < o->n_alternative; i++) {
                const struct deb_alternative *alt = &o->alternative[i];
                size_t k = 0;

                if (!there(o, alt->path))
                        return err_set(e, ERR_FAILED, "the alternative '%.*s' for '%.*s' is not in any package", SV_ARG(alt->path),
                                       SV_ARG(alt->name));
                while (k < n && !sv_eq(v[k].name, alt->name))
                        k++;
                if (k == n)
                        *arena_push(o->a, v, n, cap) = (struct group){ .name = alt->name };
                v[k].link = alt->link;
                group_add(o, &v[k], alt);
        }
        for (size_t i = 0; i < n; i++)
                group_make(o, &v[i]);
        return 0;
}
