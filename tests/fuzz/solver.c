/* tests/fuzz/solver.c - the solver over a text index: any answer must be legal and the same when asked again; any failure must be
 * explained within bounds. The first byte chooses the options; lines that begin with '+' are wants, with '-' constraints. */
#include <stdint.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "tests/cases/index.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

enum { MAX_SIZE = 4096, MAX_WANTS = 16, MAX_NAMES = 1024, NONE = -1 };

struct input {
        struct index *x;
        struct resolve_want want[MAX_WANTS];
        size_t n;
        struct resolve_opts o;
};

static bool wants_read(struct input *in, sv text, struct err *e)
{
        sv line;

        while (sv_line(&text, &line)) {
                const struct rel *r;
                bool plus = line.n && line.p[0] == '+';
                AUTO(buf_done) struct buf word = BUF_INIT(MAX_SIZE + 1);
                if (!plus && !(line.n && line.p[0] == '-'))
                        continue;
                if (!plus)
                        buf_byte(&word, '!');
                buf_add(&word, sv_trim(sv_skip(line, 1)));
                if (in->n == MAX_WANTS || index_rel(in->x, buf_sv(&word), SV("env.yml:1:1"), &r, e) < 0)
                        return false;
                in->want[in->n++] = (struct resolve_want){ *r, plus };
        }
        return in->n > 0;
}

static bool input_read(struct input *in, const uint8_t *p, size_t n)
{
        AUTO(err_done) struct err e = { 0 };
        AUTO(buf_done) struct buf index = BUF_INIT(MAX_SIZE * 2);
        sv text = { (const char *)p + 1, n - 1 }, line;

        for (sv rest = text; sv_line(&rest, &line);)
                if (line.n && line.p[0] != '+' && line.p[0] != '-')
                        buf_fmt(&index, "%.*s\n", SV_ARG(line));
        in->o = (struct resolve_opts){ .order = p[0] & 1 ? ORDER_CULPRIT : ORDER_CEILING,
                                       .lowest = p[0] & 2,
                                       .lowest_direct = p[0] & 4,
                                       .open = p[0] & 8 ? 1u << TIER_PRERELEASE : 0,
                                       .max_conflicts = 100,
                                       .max_bytes = (size_t)8 << 20 };
        if (index_parse(buf_sv(&index), &in->x, &e) < 0)
                return false;
        index_change(in->x, p[0] >> 4 & 3);
        return wants_read(in, text, &e);
}

static bool holds(struct catalog *c, const int *pick, const struct rel *r)
{
        bool any = false, all = true;

        for (uint32_t i = 0; i < r->n; i++) {
                int got = r->term[i].name < MAX_NAMES ? pick[r->term[i].name] : NONE;
                bool in = got != NONE && sets_has(c->sets, r->term[i].set, (uint32_t)got);
                any |= in;
                all &= in || got == NONE;
        }
        return r->kind == REL_NEEDS ? any : all;
}

static void check(const struct input *in, const struct resolution *r)
{
        struct catalog *c = index_catalog(in->x);
        int pick[MAX_NAMES];

        for (size_t i = 0; i < MAX_NAMES; i++)
                pick[i] = NONE;
        for (size_t i = 0; i < r->n; i++)
                if (r->pick[i].name < MAX_NAMES)
                        pick[r->pick[i].name] = (int)r->pick[i].cand;
        for (size_t i = 0; i < in->n; i++)
                if (!holds(c, pick, &in->want[i].rel))
                        abort();
        for (size_t i = 0; i < r->n; i++) {
                const struct name *name;
                struct rels rels = { 0 };
                if (c->ops->name(c, r->pick[i].name, &name, NULL) < 0 || name->cand[r->pick[i].cand].ban != BAN_NO ||
                    c->ops->rels(c, r->pick[i].name, r->pick[i].cand, &rels, NULL) < 0)
                        abort();
                for (uint32_t k = 0; k < rels.n; k++)
                        if (!holds(c, pick, rels.v[k]))
                                abort();
        }
}

static void solve_twice(const struct input *in)
{
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(err_done) struct err e = { 0 }, f = { 0 };
        AUTO(buf_done) struct buf text = BUF_INIT(1 << 20);
        struct catalog *c = index_catalog(in->x);
        struct resolution *r = NULL, *again = NULL;
        int got = resolve(c, in->want, in->n, &in->o, NULL, &a, &r, &e);

        if (got < 0) {
                if (r && explain(c, in->want, in->n, &in->o, NULL, r, &text, &f) == 0 &&
                    (text.n == 0 || text.p[text.n - 1] != '\n'))
                        abort();
                return;
        }
        check(in, r);
        if (resolve(c, in->want, in->n, &in->o, NULL, &a, &again, &f) < 0 || again->n != r->n)
                abort();
        for (size_t i = 0; i < r->n; i++)
                if (r->pick[i].name != again->pick[i].name || r->pick[i].cand != again->pick[i].cand)
                        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
        struct input in = { 0 };

        if (n < 2 || n > MAX_SIZE)
                return 0;
        if (input_read(&in, p, n))
                solve_twice(&in);
        if (in.x)
                catalog_free(index_catalog(in.x));
        return 0;
}
