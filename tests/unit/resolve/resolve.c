/* The solver against brute force: thousands of small problems with fixed seeds. */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "resolve/resolve.h"
#include "tests/cases/index.h"

enum { MAX_NAMES = 24, MAX_WANTS = 5, NONE = -1 };

struct problem {
        struct index *index;
        struct catalog *c;
        struct resolve_want want[MAX_WANTS];
        size_t n_want;
        const struct name *name[MAX_NAMES];
        size_t n;
};

static uint64_t next(uint64_t *seed)
{
        *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        return *seed >> 33;
}

static unsigned roll(uint64_t *seed, unsigned n)
{
        return (unsigned)(next(seed) % n);
}

/* ---- a random problem: up to 5 names of up to 3 candidates, extras, alternatives, limits, bans, an absent name ---- */

static void add_term(uint64_t *seed, unsigned names, struct buf *b)
{
        static const char *const specs[] = { "", "", ">=2", "<2", "==1", "==2", "!=2", "<=2", ">=3", "!=1" };

        buf_byte(b, roll(seed, 40) == 0 ? 'z' : (char)('a' + (char)roll(seed, names)));
        if (roll(seed, 12) == 0)
                buf_add(b, SV("[x]"));
        buf_add(b, sv_from(specs[roll(seed, ARRAY_LEN(specs))]));
}

static void add_rel(uint64_t *seed, unsigned names, struct buf *b)
{
        bool limit = roll(seed, 4) == 0;

        if (limit)
                buf_byte(b, '!');
        add_term(seed, names, b);
        for (unsigned more = roll(seed, 4); more > 2; more--) {
                buf_byte(b, '|');
                add_term(seed, names, b);
        }
}

static void write_index(uint64_t *seed, unsigned names, struct buf *b)
{
        for (unsigned i = 0; i < names; i++)
                for (unsigned v = 2 + roll(seed, 2); v > 0; v--) {
                        unsigned odd = roll(seed, 20);
                        buf_fmt(b, "%c %u%s:", 'a' + (int)i, v,
                                odd == 0   ? " ban=tags"
                                : odd == 1 ? " late=metadata"
                                           : "");
                        for (unsigned k = 1 + roll(seed, 3); k > 0; k--) {
                                buf_byte(b, ' ');
                                add_rel(seed, names, b);
                        }
                        buf_byte(b, '\n');
                        if (roll(seed, 3))
                                continue;
                        buf_fmt(b, "%c[x] %u: ", 'a' + (int)i, v);
                        add_rel(seed, names, b);
                        buf_byte(b, '\n');
                }
}

static void make(uint64_t seed, struct problem *p)
{
        AUTO(buf_done) struct buf b = BUF_INIT(65536);
        AUTO(err_done) struct err e = { 0 };
        unsigned names = 2 + roll(&seed, 4);

        *p = (struct problem){ 0 };
        write_index(&seed, names, &b);
        assert_int_equal(index_parse(buf_sv(&b), &p->index, &e), 0);
        p->c = index_catalog(p->index);
        p->n_want = 1 + roll(&seed, 4);
        for (size_t i = 0; i < p->n_want; i++) {
                const struct rel *r;
                buf_clear(&b);
                if (roll(&seed, 3))
                        add_term(&seed, names, &b);
                else
                        add_rel(&seed, names, &b);
                char at[] = { 'e', ':', (char)('1' + i), '\0' };
                assert_int_equal(index_rel(p->index, buf_sv(&b), sv_from(at), &r, &e), 0);
                p->want[i] = (struct resolve_want){ *r, true };
        }
        for (uint32_t i = 0; i < index_names(p->index); i++) { /* rels() may meet further names */
                assert_true(i < MAX_NAMES);
                assert_int_equal(p->c->ops->name(p->c, i, &p->name[i], &e), 0);
                for (uint32_t k = 0; k < p->name[i]->n; k++)
                        assert_int_equal(p->c->ops->rels(p->c, i, k, &(struct rels){ 0 }, &e), 0);
        }
        p->n = index_names(p->index);
}

/* ---- legality ---- */

static bool holds(const struct problem *p, const int *pick, const struct rel *r)
{
        bool any = false, all = true;

        for (uint32_t i = 0; i < r->n; i++) {
                int c = pick[r->term[i].name];
                bool in = c != NONE && sets_has(p->c->sets, r->term[i].set, (uint32_t)c);
                any |= in;
                all &= in || c == NONE;
        }
        return r->kind == REL_NEEDS ? any : all;
}

static bool pick_legal(const struct problem *p, const int *pick, name_id n)
{
        struct rels rels = { 0 };

        if (pick[n] == NONE)
                return true;
        if (p->name[n]->cand[pick[n]].ban || p->c->ops->rels(p->c, n, (uint32_t)pick[n], &rels, NULL))
                return false;
        for (uint32_t k = 0; k < rels.n; k++)
                if (!holds(p, pick, rels.v[k]))
                        return false;
        return true;
}

static bool legal(const struct problem *p, const int *pick)
{
        for (size_t i = 0; i < p->n_want; i++)
                if (!holds(p, pick, &p->want[i].rel))
                        return false;
        for (size_t i = 0; i < p->n; i++)
                if (!pick_legal(p, pick, (name_id)i))
                        return false;
        return true;
}

/* The best over the requested names in order, of all that is legal; false when nothing is. `order`: their names. */
struct brute {
        const struct problem *p;
        int pick[MAX_NAMES], best[MAX_WANTS];
        bool found;
};

static void brute_end(struct brute *b)
{
        bool better = !b->found;

        if (!legal(b->p, b->pick))
                return;
        for (size_t i = 0; i < b->p->n_want; i++) {
                const struct rel *r = &b->p->want[i].rel;
                int x = r->kind == REL_NEEDS && r->n == 1 ? b->pick[r->term[0].name] : 0;
                if (!better && x > b->best[i])
                        return;
                better |= x < b->best[i];
                b->best[i] = better ? x : b->best[i];
        }
        b->found = true;
}

/* A relation of pick i that names before it already break. */
static bool broken(const struct brute *b, name_id i)
{
        struct rels rels = { 0 };

        b->p->c->ops->rels(b->p->c, i, (uint32_t)b->pick[i], &rels, NULL);
        for (uint32_t k = 0; k < rels.n; k++) {
                const struct rel *r = rels.v[k];
                bool later = false;
                for (uint32_t t = 0; t < r->n; t++)
                        later |= r->term[t].name > i;
                if (!later && !holds(b->p, b->pick, r))
                        return true;
        }
        return false;
}

static void brute_from(struct brute *b, size_t i)
{
        if (i == b->p->n) {
                brute_end(b);
                return;
        }
        name_id of = b->p->name[i]->of; /* foo[x] has foo's candidate or none: the others are never legal */
        for (int c = NONE; c < (int)b->p->name[i]->n; c++) {
                if (of != i && of < i && c != NONE && c != b->pick[of])
                        continue;
                b->pick[i] = c;
                if (c == NONE || (!b->p->name[i]->cand[c].ban && !broken(b, (name_id)i)))
                        brute_from(b, i + 1);
        }
        b->pick[i] = NONE;
}

/* ---- one problem ---- */

static void take(const struct problem *p, const struct resolution *r, int *pick)
{
        for (size_t i = 0; i < MAX_NAMES; i++)
                pick[i] = NONE;
        for (size_t i = 0; i < r->n; i++) {
                assert_true(r->pick[i].name < p->n && pick[r->pick[i].name] == NONE);
                pick[r->pick[i].name] = (int)r->pick[i].cand;
        }
}

/* Every pick is asked for by a want or by another pick, in a chain that begins at a want. */
static bool needed(const struct problem *p, const struct resolution *r, const int *pick)
{
        bool seen[MAX_NAMES] = { false };

        for (size_t round = 0; round <= r->n; round++)
                for (size_t i = 0; i < r->n; i++) {
                        const struct pick *x = &r->pick[i];
                        bool in = false;
                        for (uint32_t k = 0; k < x->because->n; k++)
                                in |= x->because->term[k].name == x->name &&
                                      sets_has(p->c->sets, x->because->term[k].set, x->cand);
                        if (in && x->because->kind == REL_NEEDS &&
                            (x->by == NAME_ROOT || (pick[x->by] != NONE && seen[x->by])))
                                seen[x->name] = true;
                }
        for (size_t i = 0; i < r->n; i++)
                if (!seen[r->pick[i].name])
                        return false;
        return true;
}

static bool single_wants(const struct problem *p)
{
        for (size_t i = 0; i < p->n_want; i++)
                if (p->want[i].rel.n != 1 && p->want[i].rel.kind == REL_NEEDS)
                        return false;
        return true;
}

static int check(uint64_t seed, enum resolve_order order, unsigned *sat)
{
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(err_done) struct err e = { 0 };
        struct problem p;
        struct resolve_opts o = { .order = order };
        struct resolution *r = NULL, *again = NULL;
        struct brute b = { .p = &p };
        int pick[MAX_NAMES], got, bad = 0;

        make(seed, &p);
        memset(b.pick, 0xff, sizeof(b.pick));
        brute_from(&b, 0);
        got = resolve(p.c, p.want, p.n_want, &o, NULL, &a, &r, &e);
        *sat += b.found;
        if (got != (b.found ? 0 : -(int)ERR_CONFLICT) || !r || (got < 0) != (r->proof != NULL)) {
                print_error("seed %llu: %d (%s), brute force says %d\n", (unsigned long long)seed, got, e.cause,
                            b.found);
                bad++;
        } else if (got == 0) {
                take(&p, r, pick);
                if (!legal(&p, pick))
                        bad++, print_error("seed %llu: illegal\n", (unsigned long long)seed);
                if (!needed(&p, r, pick))
                        bad++, print_error("seed %llu: something is not needed\n", (unsigned long long)seed);
                for (size_t i = 0; order == ORDER_CEILING && single_wants(&p) && i < p.n_want; i++)
                        if (p.want[i].rel.kind == REL_NEEDS && pick[p.want[i].rel.term[0].name] != b.best[i])
                                bad++, print_error("seed %llu: want %zu is not the best\n", (unsigned long long)seed,
                                                   i);
        }
        err_done(&e);
        if (resolve(p.c, p.want, p.n_want, &o, NULL, &a, &again, &e) != got)
                bad++, print_error("seed %llu: another answer\n", (unsigned long long)seed);
        if (got == 0 && (again->n != r->n || memcmp(again->pick, r->pick, r->n * sizeof(*r->pick)) != 0))
                bad++, print_error("seed %llu: another solution\n", (unsigned long long)seed);
        catalog_free(p.c);
        return bad;
}

static bool brute(const struct problem *p)
{
        struct brute b = { .p = p };

        memset(b.pick, 0xff, sizeof(b.pick));
        brute_from(&b, 0);
        return b.found;
}

/* The lines that an explanation names can't be had together, and any of them less can. */
static int check_explained(uint64_t seed, enum resolve_order order)
{
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(err_done) struct err e = { 0 };
        AUTO(buf_done) struct buf text = BUF_INIT(1 << 16);
        struct resolve_opts o = { .order = order };
        struct resolution *r = NULL;
        struct problem p, told;
        int bad = 0;

        make(seed, &p);
        if (resolve(p.c, p.want, p.n_want, &o, NULL, &a, &r, &e) == -(int)ERR_CONFLICT) {
                err_done(&e);
                bad += explain(p.c, p.want, p.n_want, &o, NULL, r, &text, &e) != 0;
                told = p;
                told.n_want = 0;
                for (size_t i = 0; i < p.n_want; i++)
                        if (sv_find_sv(buf_sv(&text), p.want[i].rel.at) >= 0)
                                told.want[told.n_want++] = p.want[i];
                bad += told.n_want == 0 || brute(&told);
                for (size_t i = 0; i < told.n_want; i++) {
                        struct problem less = told;
                        memmove(&less.want[i], &less.want[i + 1], (less.n_want - i - 1) * sizeof(less.want[0]));
                        less.n_want--;
                        bad += !brute(&less);
                }
                if (bad)
                        print_error("seed %llu: not minimal:\n%s", (unsigned long long)seed, text.p ? text.p : "");
        }
        catalog_free(p.c);
        return bad;
}

static void explanations_are_minimal(void **state)
{
        int bad = 0;

        (void)state;
        for (uint64_t seed = 1; seed <= 3000; seed++)
                bad += check_explained(seed, seed % 2 ? ORDER_CULPRIT : ORDER_CEILING);
        assert_int_equal(bad, 0);
}

static void brute_force(enum resolve_order order)
{
        const char *only = getenv("SEED");
        unsigned sat = 0;
        int bad = 0;

        for (uint64_t seed = 1; seed <= 4000; seed++)
                if (!only || strtoull(only, NULL, 10) == seed)
                        bad += check(seed, order, &sat);
        assert_int_equal(bad, 0);
        assert_true(only || (sat > 400 && sat < 3600)); /* both answers are tried */
}

static void ceiling_against_brute_force(void **state)
{
        (void)state;
        brute_force(ORDER_CEILING);
}

static void culprit_against_brute_force(void **state)
{
        (void)state;
        brute_force(ORDER_CULPRIT);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(ceiling_against_brute_force),
                cmocka_unit_test(culprit_against_brute_force),
                cmocka_unit_test(explanations_are_minimal),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
