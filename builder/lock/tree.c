#include "lock/tree.h"

#include "base/cleanup.h"
#include "lock/lock_priv.h"
#include "pkg/pyname.h"

#define DEPTH_MAX 200

/* A line of the picture: a package, or the text of who is none (a line of the definition). */
struct twig {
        const struct artifact *artifact;
        sv text;
};
struct twigs {
        struct twig *v;
        size_t n, cap;
};
struct drawing {
        const struct lock_platform *p;
        struct arena arena;
        struct buf *out, prefix;
        bool *shown; /* a flag an artifact */
        bool up;     /* why: children are who asked */
        bool starred;
};

static void drawing_done(struct drawing *d)
{
        arena_done(&d->arena);
        buf_done(&d->prefix);
}

static sv first_word(sv s)
{
        ptrdiff_t blank = sv_find(s, ' ');

        return blank < 0 ? s : (sv){ s.p, (size_t)blank };
}

static const struct artifact *find_any(const struct lock_platform *p, enum artifact_kind first, sv name)
{
        static const enum artifact_kind kinds[] = { ARTIFACT_WHEEL, ARTIFACT_CONDA, ARTIFACT_DEB };
        const struct artifact *a = lock_find(p, first, name);

        for (size_t i = 0; !a && i < ARRAY_LEN(kinds); i++)
                a = lock_find(p, kinds[i], name);
        return a;
}

static bool is_line(sv by) /* "env.yml: PyJWT<2", not "requests 2.34.2" */
{
        return sv_find_sv(by, SV(": ")) >= 0;
}

static void add(struct drawing *d, struct twigs *t, const struct artifact *a, sv text)
{
        for (size_t i = 0; a && !d->up && i < t->n; i++) /* conda says "python >=3.8" and "python <4" apart */
                if (t->v[i].artifact == a)
                        return;
        *arena_push(&d->arena, t->v, t->n, t->cap) = (struct twig){ a, text };
}

/* What a package needs, or who asked for it. What is not in the lock comes with the base (or is a virtual package), and is left out
 * downwards. */
static struct twigs children(struct drawing *d, const struct artifact *a)
{
        struct twigs t = { 0 };

        for (size_t i = 0; !d->up && i < a->n_needs; i++) {
                const struct artifact *need = lock_find_need(d->p, a, a->needs[i]);
                if (need)
                        add(d, &t, need, SV(""));
        }
        for (size_t i = 0; d->up && i < a->n_by; i++)
                add(d, &t, is_line(a->by[i]) ? NULL : find_any(d->p, a->kind, first_word(a->by[i])), a->by[i]);
        return t;
}

static void draw_label(struct drawing *d, const struct twig *t, bool repeated)
{
        if (!t->artifact)
                buf_add(d->out, t->text);
        else
                buf_fmt(d->out, "%.*s %.*s", SV_ARG(t->artifact->name), SV_ARG(t->artifact->version));
        if (t->artifact && d->up && t->artifact->why.n && !repeated)
                buf_fmt(d->out, " (%.*s)", SV_ARG(t->artifact->why));
        buf_add(d->out, repeated ? SV(" (*)\n") : SV("\n"));
        d->starred |= repeated;
}

static void draw(struct drawing *d, const struct twig *t, unsigned depth)
{
        struct twigs below = { 0 };
        size_t kept = d->prefix.n;
        bool repeated, *shown = t->artifact ? &d->shown[t->artifact - d->p->artifact] : NULL;

        if (t->artifact)
                below = children(d, t->artifact);
        repeated = below.n && (*shown || depth == DEPTH_MAX);
        draw_label(d, t, repeated);
        if (shown)
                *shown = true;
        if (repeated)
                return;
        for (size_t i = 0; i < below.n; i++) {
                bool last = i + 1 == below.n;
                buf_add(d->out, buf_sv(&d->prefix));
                buf_add(d->out, last ? SV("└── ") : SV("├── "));
                buf_add(&d->prefix, last ? SV("    ") : SV("│   "));
                draw(d, &below.v[i], depth + 1);
                d->prefix.n = kept;
        }
}

static void draw_top(struct drawing *d, const struct artifact *a)
{
        draw(d, &(struct twig){ a, SV("") }, 0);
}

static void end(struct drawing *d)
{
        if (d->starred)
                buf_add(d->out, SV("(*) its branch is further up\n"));
}

static bool asked_by_line(const struct artifact *a)
{
        for (size_t i = 0; i < a->n_by; i++)
                if (is_line(a->by[i]))
                        return true;
        return false;
}

/* Nobody in the lock needs it. */
static bool is_top(const struct lock_platform *p, const struct artifact *a)
{
        for (size_t i = 0; i < a->n_by; i++)
                if (find_any(p, a->kind, first_word(a->by[i])))
                        return false;
        return true;
}

void lock_tree(const struct lock_platform *p, struct buf *out)
{
        AUTO(drawing_done) struct drawing d = { .p = p, .out = out, .prefix = BUF_INIT((DEPTH_MAX + 1) * 6) };

        d.shown = arena_array(&d.arena, bool, p->n_artifact + 1);
        for (int base = 0; base < 2; base++) /* what the user asked for before what the base is made of */
                for (int round = 0; round < 3; round++)
                        for (size_t i = 0; i < p->n_artifact; i++) {
                                const struct artifact *a = &p->artifact[i];
                                if (a->recipe == (base == 1) &&
                                    (round == 0 ? asked_by_line(a) : !d.shown[i] && (round == 2 || is_top(p, a))))
                                        draw_top(&d, a);
                        }
        end(&d);
}

static int not_found(const struct lock_platform *p, sv name, sv normalised, struct err *e)
{
        const struct artifact *near = NULL;
        unsigned best = 3;

        for (size_t i = 0; i < p->n_artifact; i++) {
                unsigned dist = sv_distance(p->artifact[i].name, normalised, 2);
                if (dist < best) {
                        best = dist;
                        near = &p->artifact[i];
                }
        }
        err_set(e, ERR_NOT_FOUND, "'%.*s' is not in the lock for %.*s", SV_ARG(name), SV_ARG(p->platform));
        if (near)
                err_hint(e, "did you mean '%.*s'?", SV_ARG(near->name));
        return -(int)e->code;
}

int lock_why(const struct lock_platform *p, sv name, struct buf *out, struct err *e)
{
        static const enum artifact_kind kinds[] = { ARTIFACT_WHEEL, ARTIFACT_CONDA, ARTIFACT_DEB };
        AUTO(drawing_done) struct drawing d = {
                .p = p, .out = out, .up = true, .prefix = BUF_INIT((DEPTH_MAX + 1) * 6)
        };
        sv normalised = pyname_normalise(&d.arena, name), lower = arena_lower(&d.arena, name);
        bool any = false;

        d.shown = arena_array(&d.arena, bool, p->n_artifact + 1);
        for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
                const struct artifact *a = lock_find(p, kinds[i],
                                                     kinds[i] == ARTIFACT_WHEEL   ? normalised
                                                     : kinds[i] == ARTIFACT_CONDA ? lower
                                                                                  : name);
                if (!a)
                        continue;
                draw_top(&d, a);
                any = true;
        }
        end(&d);
        return any ? 0 : not_found(p, name, normalised, e);
}
