#include "tests/cases/index.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/map.h"

enum { MAX_CANDS = 4096, MAX_RELS = 200000 };

struct text_cand {
        sv version, needs; /* needs: the words after the colon */
        struct cand c;
        uint8_t late;
        struct rels rels;
        bool parsed;
};
struct text_name {
        struct name name;
        name_id id;
        struct text_cand *v;
        struct cand *cand;
        size_t n, cap;
        bool done; /* its candidates are sorted */
};
struct index {
        struct catalog cat;
        struct arena arena;
        struct map names, rels;
        struct text_name **name;
        size_t n, cap;
        uint32_t n_rel, change;
};

static const char *const bans[] = { "no", "tags", "python", "newer", "sdist", "hash", "channel", "metadata" };

/* ---- versions: "1.10", "2rc1": numbers, then a suffix that sorts before none ---- */

static uint64_t number(sv *s)
{
        uint64_t x = 0;

        for (; s->n && s->p[0] >= '0' && s->p[0] <= '9'; *s = sv_skip(*s, 1))
                x = x > UINT64_MAX / 16 ? x : x * 10 + (uint64_t)(s->p[0] - '0');
        return x;
}

static bool is_pre(sv v)
{
        for (size_t i = 0; i < v.n; i++)
                if (v.p[i] >= 'a' && v.p[i] <= 'z')
                        return true;
        return false;
}

static int version_cmp(sv a, sv b)
{
        while (a.n || b.n) {
                uint64_t x = number(&a), y = number(&b);
                if (x != y)
                        return x < y ? -1 : 1;
                bool pa = a.n && a.p[0] != '.', pb = b.n && b.p[0] != '.';
                if (pa != pb)
                        return pa ? -1 : 1;
                if (pa) {
                        if (a.p[0] != b.p[0])
                                return a.p[0] < b.p[0] ? -1 : 1;
                }
                a = sv_skip(a, 1);
                b = sv_skip(b, 1);
        }
        return 0;
}

/* The version without what makes it a pre-release. */
static sv version_final(sv v)
{
        size_t n = 0;

        while (n < v.n && !(v.p[n] >= 'a' && v.p[n] <= 'z'))
                n++;
        return (sv){ v.p, n };
}

/* One clause of a specifier, such as ">=1". */
static bool match_one(sv spec, sv version, uint8_t *opens)
{
        static const char *const ops[] = { "==", "!=", ">=", "<=", ">", "<" };
        int op = -1, c;

        for (int i = 0; i < 6 && op < 0; i++)
                if (sv_starts(spec, sv_from(ops[i])))
                        op = i;
        if (op < 0)
                return false;
        spec = sv_skip(spec, strlen(ops[op]));
        if (op == 0)
                *opens |= 1u << TIER_YANKED;
        if (op != 1 && is_pre(spec))
                *opens |= 1u << TIER_PRERELEASE;
        c = version_cmp(version, spec);
        switch (op) {
        case 0:
                return c == 0;
        case 1:
                return c != 0;
        case 2:
                return c >= 0;
        case 3:
                return c <= 0;
        case 4:
                return c > 0;
        default: /* 2rc1 is not below 2 */
                return c < 0 && !(is_pre(version) && !is_pre(spec) && version_cmp(version_final(version), spec) == 0);
        }
}

/* ---- names ---- */

static struct text_name *name_get(struct index *x, sv text)
{
        struct text_name *n = map_get(&x->names, text);
        ptrdiff_t bracket = sv_find(text, '[');

        if (n)
                return n;
        n = arena_new(&x->arena, struct text_name);
        n->name = (struct name){ .text = arena_sv(&x->arena, text) };
        if (bracket > 0)
                n->name.of = name_get(x, sv_from_to(text, 0, (size_t)bracket))->name.of;
        else
                n->name.of = (name_id)x->n;
        n->id = (name_id)x->n;
        *arena_push(&x->arena, x->name, x->n, x->cap) = n;
        map_put(&x->names, &x->arena, n->name.text, n);
        return n;
}

static int cand_cmp(const void *a, const void *b)
{
        const struct text_cand *x = a, *y = b;
        int r = version_cmp(y->version, x->version);

        return r ? r : x->version.p < y->version.p ? -1 : x->version.p > y->version.p;
}

static void near_of(struct index *x, struct text_name *n)
{
        unsigned best = 3;

        for (size_t i = 0; i < x->n; i++) {
                unsigned d = x->name[i]->n ? sv_distance(n->name.text, x->name[i]->name.text, 2) : 3;
                if (d < best) {
                        best = d;
                        n->name.near = x->name[i]->name.text;
                }
        }
}

/* An extra's candidates are its name's; lines of its own add relations. */
static void name_done(struct index *x, struct text_name *n)
{
        struct text_name *of = x->name[n->name.of];
        struct text_cand *own = n->v;
        size_t n_own = n->n;

        if (n->done)
                return;
        n->done = true;
        if (of != n) {
                name_done(x, of);
                n->n = of->n;
                n->v = arena_array(&x->arena, struct text_cand, n->n);
                for (size_t i = 0; i < n->n; i++) {
                        n->v[i] = (struct text_cand){ .version = of->v[i].version, .c = of->v[i].c };
                        for (size_t k = 0; k < n_own; k++)
                                if (sv_eq(own[k].version, n->v[i].version))
                                        n->v[i].needs = own[k].needs;
                }
        } else if (n->n) {
                qsort(n->v, n->n, sizeof(*n->v), cand_cmp);
        }
        n->cand = arena_array(&x->arena, struct cand, n->n);
        for (size_t i = 0; i < n->n; i++) {
                n->cand[i] = n->v[i].c;
                n->cand[i].version = i && version_cmp(n->v[i].version, n->v[i - 1].version) == 0
                                             ? n->cand[i - 1].version
                                             : (uint32_t)i;
        }
        n->name.cand = n->cand;
        n->name.n = (uint32_t)n->n;
        n->name.absent = n->n == 0;
        if (n->name.absent)
                near_of(x, n);
}

/* ---- relations ---- */

static size_t spec_begin(sv term)
{
        size_t i = 0;

        while (i < term.n && !strchr("=!<>", term.p[i]))
                i++;
        return i;
}

static void term_parse(struct index *x, sv text, struct term *ret, uint8_t *opens)
{
        size_t at = spec_begin(text);
        struct text_name *n = name_get(x, sv_from_to(text, 0, at));
        sv specs = sv_skip(text, at);
        uint64_t *w;

        name_done(x, n);
        w = arena_array(&x->arena, uint64_t, n->n / 64 + 1);
        for (size_t i = 0; i < n->n; i++) {
                sv rest = specs, one;
                bool ok = true;
                while (sv_cut(&rest, ',', &one))
                        ok &= match_one(one, n->v[i].version, opens);
                if (ok)
                        w[i / 64] |= UINT64_C(1) << (i % 64);
        }
        for (sv rest = specs, one; sv_cut(&rest, ',', &one);)
                match_one(one, SV("0"), opens);
        *ret = (struct term){ n->id, sets_add(x->cat.sets, w, (uint32_t)n->n) };
}

int index_rel(struct index *x, sv text, sv at, const struct rel **ret, struct err *e)
{
        struct rel *r = map_get(&x->rels, text), *copy = arena_new(&x->arena, struct rel);
        struct term *term;
        size_t n = 1, k = 0;
        sv rest, one;

        if (!r) {
                if (text.n == 0 || x->n_rel >= MAX_RELS || (text.n == 1 && text.p[0] == '!'))
                        return err_set(e, ERR_USAGE, "'%.*s' is no relation", SV_ARG(text));
                r = arena_new(&x->arena, struct rel);
                r->kind = text.p[0] == '!' ? REL_LIMITS : REL_NEEDS;
                r->text = arena_sv(&x->arena, sv_skip(text, r->kind == REL_LIMITS));
                for (size_t i = 0; i < text.n; i++)
                        n += text.p[i] == '|';
                term = arena_array(&x->arena, struct term, n);
                for (rest = r->text; sv_cut(&rest, '|', &one);)
                        term_parse(x, one, &term[k++], &r->opens);
                r->term = term;
                r->n = (uint32_t)k;
                r->id = ++x->n_rel;
                map_put(&x->rels, &x->arena, arena_sv(&x->arena, text), r);
        }
        *copy = *r;
        copy->at = arena_sv(&x->arena, at);
        *ret = copy;
        return 0;
}

/* ---- the catalog ---- */

static struct index *of_catalog(struct catalog *c)
{
        return (struct index *)c;
}

static int op_name(struct catalog *c, name_id id, const struct name **ret, struct err *e)
{
        struct index *x = of_catalog(c);

        (void)e;
        name_done(x, x->name[id]);
        *ret = &x->name[id]->name;
        return 0;
}

static void version_text(const struct text_name *n, uint32_t cand, struct buf *out)
{
        buf_fmt(out, "%.*s %.*s", SV_ARG(n->name.text), SV_ARG(n->v[cand].version));
}

static int op_rels(struct catalog *c, name_id id, uint32_t cand, struct rels *ret, struct err *e)
{
        struct index *x = of_catalog(c);
        struct text_name *n = x->name[id];
        struct text_cand *t = &n->v[cand];
        AUTO(buf_done) struct buf at = BUF_INIT(4096);
        const struct rel **v = NULL;
        size_t n_v = 0, cap = 0;
        sv rest = t->needs, one;

        if (x->change) {
                x->change--;
                return CATALOG_CHANGED;
        }
        if (t->late)
                n->cand[cand].ban = t->late;
        if (!t->parsed && !t->late) {
                version_text(n, cand, &at);
                if (n->name.of != id) {
                        AUTO(buf_done) struct buf same = BUF_INIT(4096);
                        struct rel *r = arena_new(&x->arena, struct rel);
                        struct term *term = arena_new(&x->arena, struct term);
                        *term = (struct term){ n->name.of, sets_one(x->cat.sets, cand, (uint32_t)n->n) };
                        buf_fmt(&same, "%.*s==%.*s", SV_ARG(x->name[n->name.of]->name.text), SV_ARG(t->version));
                        *r = (struct rel){ .id = ++x->n_rel,
                                           .kind = REL_NEEDS,
                                           .n = 1,
                                           .term = term,
                                           .text = arena_sv(&x->arena, buf_sv(&same)),
                                           .at = arena_sv(&x->arena, buf_sv(&at)) };
                        *arena_push(&x->arena, v, n_v, cap) = r;
                }
                while (sv_cut(&rest, ' ', &one)) {
                        const struct rel *r;
                        if (one.n == 0)
                                continue;
                        if (index_rel(x, one, buf_sv(&at), &r, e) < 0)
                                return -(int)e->code;
                        *arena_push(&x->arena, v, n_v, cap) = r;
                }
                t = &n->v[cand];
                t->rels = (struct rels){ v, (uint32_t)n_v };
                t->parsed = true;
        }
        *ret = t->rels;
        return 0;
}

static bool op_known(struct catalog *c, name_id id, uint32_t cand)
{
        (void)c, (void)id, (void)cand;
        return true;
}

static void op_soon(struct catalog *c, name_id id, set_id likely, uint32_t tried)
{
        (void)c, (void)id, (void)likely, (void)tried;
}

/* A run of candidates first…last (best first) as a range of versions. */
static void run_text(const struct text_name *n, uint32_t first, uint32_t last, struct buf *out)
{
        sv hi = n->v[first].version, lo = n->v[last].version;

        buf_add(out, n->name.text);
        if (first == 0 && last + 1 == n->n)
                return;
        if (version_cmp(lo, hi) == 0)
                buf_fmt(out, "==%.*s", SV_ARG(lo));
        else if (first == 0)
                buf_fmt(out, ">=%.*s", SV_ARG(lo));
        else if (last + 1 == n->n)
                buf_fmt(out, "<=%.*s", SV_ARG(hi));
        else
                buf_fmt(out, ">=%.*s,<=%.*s", SV_ARG(lo), SV_ARG(hi));
}

static void op_text(struct catalog *c, name_id id, set_id set, struct buf *out)
{
        struct text_name *n = of_catalog(c)->name[id];
        uint32_t width = (uint32_t)n->n, first = sets_next(c->sets, set, 0, width);

        if (first == width)
                buf_add(out, n->name.text);
        for (bool more = false; first < width; more = true) {
                uint32_t last = first;
                while (last + 1 < width && sets_has(c->sets, set, last + 1))
                        last++;
                if (more)
                        buf_add(out, SV(" or "));
                run_text(n, first, last, out);
                first = sets_next(c->sets, set, last + 1, width);
        }
}

static void op_cand_text(struct catalog *c, name_id id, uint32_t cand, struct buf *out)
{
        version_text(of_catalog(c)->name[id], cand, out);
}

static void op_free(struct catalog *c)
{
        struct index *x = of_catalog(c);

        sets_free(x->cat.sets);
        arena_done(&x->arena);
        free(x);
}

static const struct catalog_ops ops = { .name = op_name,
                                        .rels = op_rels,
                                        .known = op_known,
                                        .soon = op_soon,
                                        .text = op_text,
                                        .cand_text = op_cand_text,
                                        .free = op_free };

/* ---- reading ---- */

static int flag_parse(sv flag, struct text_cand *c, struct err *e)
{
        uint8_t *ban = sv_starts(flag, SV("late=")) ? &c->late : &c->c.ban;

        if (sv_is(flag, "pre"))
                c->c.tier = TIER_PRERELEASE;
        else if (sv_is(flag, "yanked"))
                c->c.tier = TIER_YANKED;
        else if (sv_starts(flag, SV("ban=")) || sv_starts(flag, SV("late="))) {
                sv_cut(&flag, '=', &(sv){ 0 });
                for (uint8_t i = 1; i < ARRAY_LEN(bans); i++)
                        if (sv_is(flag, bans[i]))
                                *ban = i;
                if (!*ban)
                        return err_set(e, ERR_USAGE, "'%.*s' is no reason", SV_ARG(flag));
        } else if (flag.n) {
                return err_set(e, ERR_USAGE, "'%.*s' is no flag", SV_ARG(flag));
        }
        return 0;
}

static int line_parse(struct index *x, sv line, struct err *e)
{
        struct text_cand c = { 0 };
        struct text_name *n;
        sv head, word, needs = line;

        sv_cut(&needs, ':', &head);
        c.needs = sv_trim(needs);
        head = sv_trim(head);
        if (!sv_cut(&head, ' ', &word) || head.n == 0 || word.n == 0)
                return err_set(e, ERR_USAGE, "'%.*s' is no candidate", SV_ARG(line));
        n = name_get(x, word);
        sv_cut(&head, ' ', &c.version);
        while (sv_cut(&head, ' ', &word))
                if (flag_parse(word, &c, e) < 0)
                        return -(int)e->code;
        if (n->n >= MAX_CANDS || c.version.n == 0)
                return err_set(e, ERR_USAGE, "'%.*s' is no candidate", SV_ARG(line));
        *arena_push(&x->arena, n->v, n->n, n->cap) = c;
        return 0;
}

int index_parse(sv text, struct index **ret, struct err *e)
{
        struct index *x = xcalloc(1, sizeof(*x));
        sv line;

        x->cat = (struct catalog){ &ops, sets_new() };
        text = arena_sv(&x->arena, text);
        while (sv_line(&text, &line)) {
                line = sv_trim(line);
                if (line.n && line.p[0] != '#' && line_parse(x, line, e) < 0) {
                        op_free(&x->cat);
                        return -(int)e->code;
                }
        }
        *ret = x;
        return 0;
}

struct catalog *index_catalog(struct index *x)
{
        return &x->cat;
}

void index_change(struct index *x, uint32_t times)
{
        x->change = times;
}

uint32_t index_names(const struct index *x)
{
        return (uint32_t)x->n;
}
