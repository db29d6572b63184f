#include "tests/vectors/pypi_check.h"

#include "pkg/pyname.h"

struct walk {
        const struct check *c;
        struct answer *a;
        struct chosen **todo; /* whose requirements are to be looked at (again: with another extra) */
        size_t n, cap;
        sv why;
};

struct chosen *answer_find(struct answer *a, sv name)
{
        for (size_t i = 0; i < a->n; i++)
                if (sv_eq(a->v[i].name, name))
                        return &a->v[i];
        return NULL;
}

static bool fail(struct walk *w, sv why)
{
        w->why = why;
        return false;
}

static sv text_of(struct walk *w, const struct requirement *r)
{
        struct buf b = BUF_INIT(1 << 16);
        sv text;

        requirement_write(r, &b);
        text = arena_sv(w->c->arena, buf_sv(&b));
        buf_done(&b);
        return text;
}

static bool extra_add(struct walk *w, struct chosen *c, sv extra)
{
        for (size_t i = 0; i < c->n_extras; i++)
                if (sv_eq(c->extras[i], extra))
                        return false;
        *arena_push(w->c->arena, c->extras, c->n_extras, c->cap_extras) = extra;
        return true;
}

/* An active requirement: what it names must be chosen, in its range, and is looked at with its extras. */
static bool need(struct walk *w, const struct requirement *r, sv by)
{
        struct chosen *c = answer_find(w->a, r->normalised);
        bool fresh;

        if (!c)
                return fail(w, arena_fmt(w->c->arena, "%.*s needs %.*s, which is not chosen", SV_ARG(by),
                                         SV_ARG(text_of(w, r))));
        if (!pep440_spec_has(&r->spec, c->v, c->version))
                return fail(w, arena_fmt(w->c->arena, "%.*s needs %.*s, but %.*s is chosen", SV_ARG(by),
                                         SV_ARG(text_of(w, r)), SV_ARG(c->version)));
        c->opened |= pep440_spec_opens_pre(&r->spec);
        fresh = !c->needed;
        c->needed = true;
        for (uint32_t i = 0; i < r->n_extras; i++)
                fresh |= extra_add(w, c, r->extras[i]);
        if (fresh)
                *arena_push(w->c->arena, w->todo, w->n, w->cap) = c;
        return true;
}

static bool is_active(const struct check *c, const struct marker *m, const sv *extras, size_t n)
{
        struct marker_env env = c->env;

        env.value[MARKER_EXTRA] = (sv){ 0 };
        if (marker_eval(m, &env) == MARKER_TRUE)
                return true;
        for (size_t i = 0; i < n; i++) {
                env.value[MARKER_EXTRA] = extras[i];
                if (marker_eval(m, &env) == MARKER_TRUE)
                        return true;
        }
        return false;
}

static bool is_usable(const struct check *c, const struct chosen *p, const struct js *file)
{
        sv name = js_get_str(file, "filename"), python = js_str(index_field(p->about, file, "requires_python")), why;
        sv full = c->env.value[MARKER_PYTHON_FULL_VERSION];
        struct pep440_spec s;
        struct wheel_name w;

        if (!index_lists(c->index, p->name, file))
                return false;
        if (python.n && pep440_spec_parse(c->arena, python, &s, &why) &&
            !pep440_spec_has(&s, pep440_parse(c->arena, full), full))
                return false;
        if (!sv_ends(name, SV(".whl")))
                return c->sdist && !js_true(js_get(file, "build_fails"));
        return wheel_name_parse(c->arena, name, false, &w, &why) &&
               tags_rank(c->tags, w.python, w.abi, w.platform) >= 0;
}

/* The requirements are those of the first file that can be used; a scenario's files rarely differ in them. */
static const struct js *usable_file(const struct check *c, const struct chosen *p)
{
        const struct js *files = js_get(p->about, "files"), *sdist = NULL;

        for (size_t i = 0; files && i < files->n; i++) {
                const struct js *f = files->v[i].value;

                if (!is_usable(c, p, f))
                        continue;
                if (sv_ends(js_get_str(f, "filename"), SV(".whl")))
                        return f;
                sdist = f;
        }
        return sdist;
}

static bool look(struct walk *w, struct chosen *p)
{
        const struct js *file = usable_file(w->c, p), *list;
        sv by = arena_fmt(w->c->arena, "%.*s %.*s", SV_ARG(p->name), SV_ARG(p->version));

        if (!file)
                return fail(w, arena_fmt(w->c->arena, "%.*s has no file that can be installed", SV_ARG(by)));
        list = index_field(p->about, file, "requires_dist");
        for (size_t i = 0; list && i < list->n; i++) {
                struct requirement r;
                sv why;

                if (requirement_parse_lenient(w->c->arena, js_str(list->v[i].value), &r, &why) &&
                    is_active(w->c, r.marker, p->extras, p->n_extras) && !need(w, &r, by))
                        return false;
        }
        return true;
}

static bool places(struct walk *w)
{
        for (size_t i = 0; i < w->a->n; i++) {
                struct chosen *p = &w->a->v[i];
                const struct js *versions = index_versions(w->c->index, p->name);

                p->v = pep440_parse(w->c->arena, p->version);
                for (size_t k = 0; versions && p->v && k < versions->n && !p->about; k++) {
                        const struct pep440 *v = pep440_parse(w->c->arena, versions->v[k].key);
                        if (v && !pep440_cmp(v, p->v))
                                p->about = versions->v[k].value;
                }
                if (!p->about)
                        return fail(w, arena_fmt(w->c->arena, "the index has no %.*s %.*s", SV_ARG(p->name),
                                                 SV_ARG(p->version)));
        }
        return true;
}

static bool walk_all(struct walk *w)
{
        const struct check *c = w->c;

        if (!places(w))
                return false;
        for (size_t i = 0; i < c->n_root; i++)
                if (is_active(c, c->root[i].marker, NULL, 0) && !need(w, &c->root[i], SV("the user")))
                        return false;
        while (w->n)
                if (!look(w, w->todo[--w->n]))
                        return false;
        for (size_t i = 0; i < c->n_limit; i++) {
                const struct requirement *r = &c->limit[i];
                const struct chosen *p = answer_find(w->a, r->normalised);

                if (p && is_active(c, r->marker, NULL, 0) && !pep440_spec_has(&r->spec, p->v, p->version))
                        return fail(w, arena_fmt(c->arena, "the constraint %.*s is broken", SV_ARG(text_of(w, r))));
        }
        for (size_t i = 0; i < w->a->n; i++)
                if (!w->a->v[i].needed)
                        return fail(w, arena_fmt(c->arena, "%.*s is not needed", SV_ARG(w->a->v[i].name)));
        return true;
}

bool answer_holds(const struct check *c, struct answer *a, sv *ret_why)
{
        struct walk w = { .c = c, .a = a };
        bool ok = walk_all(&w);

        *ret_why = w.why;
        return ok;
}
