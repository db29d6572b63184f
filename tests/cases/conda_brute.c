#include "tests/cases/conda_brute.h"

#include <string.h>

#include "base/cleanup.h"
#include "catalog/conda.h"
#include "pkg/matchspec.h"
#include "tests/cases/conda_memory.h"

enum { NAMES = 5, MAX_RECORDS = 24, MAX_WANTS = 3, MAX_DEPS = 3, NONE = -1 };

struct game {
        const uint8_t *p;
        size_t n, at;
        struct arena a;
        struct conda_record r[MAX_RECORDS]; /* what is offered and what a channel of lower priority has */
        const struct conda_version *v[MAX_RECORDS];
        bool offered[MAX_RECORDS];
        int n_record;
        struct spec_text want[MAX_WANTS];
        struct matchspec want_spec[MAX_WANTS];
        size_t n_want;
        struct matchspec dep[MAX_RECORDS][2 * MAX_DEPS]; /* depends, then constrains */
        struct conda_virtual virtual_;
        bool has_virtual;
        struct conda_channel channel[2];
        int pick[NAMES]; /* record of each name, or NONE */
        bool found;
        const struct conda_version *best; /* of the first wanted name */
};

static unsigned take(struct game *g, unsigned below)
{
        return g->at < g->n ? g->p[g->at++] % below : 0;
}

/* ---- the bytes as a channel ---- */

static sv spec_of(struct game *g)
{
        static const char *const specs[] = {
                "",     "",    " >=2",   " <3",  " 2",     " 2.*", " >=2,<4", " !=3",
                " 1|3", " =1", " * x_*", " >=3", " 3 y_0", "",     " <2.0",   "[build=x_1]"
        };
        unsigned name = take(g, 12);

        if (name == 11)
                return take(g, 2) ? SV("__v >=2") : SV("__v");
        return arena_fmt(&g->a, "%c%s", name == 10 ? 'z' : 'a' + (int)(name % NAMES), specs[take(g, 16)]);
}

static void record_add(struct game *g, int name, unsigned channel)
{
        struct conda_record *r = &g->r[g->n_record++];
        unsigned build = take(g, 2);

        r->name = arena_fmt(&g->a, "%c", 'a' + name);
        r->version = arena_fmt(&g->a, "%u", 1 + take(g, 4));
        r->build_number = take(g, 2);
        r->build = arena_fmt(&g->a, "%c_%u", build ? 'y' : 'x', (unsigned)r->build_number);
        r->timestamp = (int64_t)take(g, 3) * 1000;
        r->channel_no = channel;
        r->channel = g->channel[channel].url;
        r->subdir = take(g, 4) ? SV("linux-64") : SV("noarch");
        r->fn = arena_fmt(&g->a, "%.*s-%.*s-%.*s.%s", SV_ARG(r->name), SV_ARG(r->version), SV_ARG(r->build),
                          take(g, 8) ? "conda" : "tar.bz2");
        r->url = arena_fmt(&g->a, "%.*s/%.*s/%.*s", SV_ARG(r->channel), SV_ARG(r->subdir), SV_ARG(r->fn));
        r->has_sha256 = true;
        r->depends = arena_array(&g->a, sv, MAX_DEPS);
        r->constrains = arena_array(&g->a, sv, MAX_DEPS);
        for (unsigned i = take(g, MAX_DEPS); i > 0; i--)
                r->depends[r->n_depends++] = spec_of(g);
        if (take(g, 4) == 0)
                r->constrains[r->n_constrains++] = spec_of(g);
        /* the same build twice would be one candidate, and which of them is not the question here */
        for (int i = 0; i + 1 < g->n_record; i++)
                if (g->r[i].channel_no == channel && sv_eq(g->r[i].name, r->name) &&
                    sv_eq(g->r[i].version, r->version) && sv_eq(g->r[i].build, r->build)) {
                        g->n_record--;
                        return;
                }
}

static bool parse(struct game *g, sv text, struct matchspec *ret)
{
        static const struct conda_channel_settings none;

        return matchspec_parse(&g->a, text, &none, ret, NULL, NULL);
}

/* strict: the first channel that has the name */
static bool is_offered(const struct game *g, int record)
{
        for (int i = 0; i < g->n_record; i++)
                if (sv_eq(g->r[i].name, g->r[record].name) && g->r[i].channel_no < g->r[record].channel_no)
                        return false;
        return true;
}

static bool make(struct game *g)
{
        for (unsigned i = 0; i < 2; i++) {
                sv name = arena_fmt(&g->a, "c%u", i);
                g->channel[i] = (struct conda_channel){
                        .name = name, .url = arena_fmt(&g->a, "https://conda.anaconda.org/%.*s", SV_ARG(name))
                };
        }
        g->has_virtual = take(g, 2);
        g->virtual_ = (struct conda_virtual){ SV("__v"), take(g, 2) ? SV("1") : SV("2"), SV("0") };
        for (unsigned channel = 0; channel < 2; channel++)
                for (int name = 0; name < NAMES; name++)
                        for (unsigned k = channel && take(g, 4) ? 0 : take(g, 5); k > 0 && g->n_record < MAX_RECORDS;
                             k--)
                                record_add(g, name, channel);
        g->n_want = 1 + take(g, MAX_WANTS);
        for (size_t i = 0; i < g->n_want; i++) {
                g->want[i] = (struct spec_text){ spec_of(g), { SV("env.yml"), (uint32_t)i + 1, 1 } };
                if (!parse(g, g->want[i].text, &g->want_spec[i]))
                        return false;
        }
        for (int i = 0; i < g->n_record; i++) {
                const struct conda_record *r = &g->r[i];
                g->v[i] = conda_version_parse(&g->a, r->version, NULL);
                g->offered[i] = is_offered(g, i);
                for (size_t k = 0; k < r->n_depends + r->n_constrains; k++)
                        if (!parse(g, k < r->n_depends ? r->depends[k] : r->constrains[k - r->n_depends],
                                   &g->dep[i][k]))
                                return false;
        }
        return true;
}

/* ---- legality, from the records themselves ---- */

/* 1: what is there of that name fits; 0: it does not; -1: nothing of that name is there. */
static int fits(struct game *g, const struct matchspec *m)
{
        int name = m->name.n == 1 ? m->name.p[0] - 'a' : NAMES;

        if (sv_is(m->name, "__v")) {
                struct conda_record r = { .name = m->name, .version = g->virtual_.version, .build = g->virtual_.build };
                return g->has_virtual ? matchspec_has(m, &r, conda_version_parse(&g->a, r.version, NULL)) : -1;
        }
        if (name >= NAMES || g->pick[name] == NONE)
                return -1;
        return matchspec_has(m, &g->r[g->pick[name]], g->v[g->pick[name]]);
}

static bool legal_one(struct game *g, int record)
{
        const struct conda_record *r = &g->r[record];

        for (size_t k = 0; k < r->n_depends; k++)
                if (fits(g, &g->dep[record][k]) != 1)
                        return false;
        for (size_t k = 0; k < r->n_constrains; k++)
                if (fits(g, &g->dep[record][r->n_depends + k]) == 0)
                        return false;
        return true;
}

static bool legal(struct game *g)
{
        for (size_t i = 0; i < g->n_want; i++)
                if (fits(g, &g->want_spec[i]) != 1)
                        return false;
        for (int i = 0; i < NAMES; i++)
                if (g->pick[i] != NONE && (!g->offered[g->pick[i]] || !legal_one(g, g->pick[i])))
                        return false;
        return true;
}

static const struct conda_version *first_version(const struct game *g)
{
        int name = g->want_spec[0].name.n == 1 ? g->want_spec[0].name.p[0] - 'a' : NAMES;

        return name < NAMES && g->pick[name] != NONE ? g->v[g->pick[name]] : NULL;
}

static void search(struct game *g, int name)
{
        const struct conda_version *v;

        if (name == NAMES) {
                if (!legal(g))
                        return;
                v = first_version(g);
                if (v && (!g->best || conda_version_cmp(v, g->best) > 0))
                        g->best = v;
                g->found = true;
                return;
        }
        g->pick[name] = NONE;
        search(g, name + 1);
        for (int i = 0; i < g->n_record; i++) {
                if (g->r[i].name.p[0] != 'a' + name || !g->offered[i])
                        continue;
                g->pick[name] = i;
                search(g, name + 1);
        }
        g->pick[name] = NONE;
}

/* ---- the real thing ---- */

struct answer {
        bool found, explained;
        int pick[NAMES];
};

static int index_of(const struct game *g, const struct conda_record *r)
{
        for (int i = 0; i < g->n_record; i++)
                if (sv_eq(g->r[i].url, r->url))
                        return i;
        return NONE;
}

/* Channel by channel, platform before noarch; inside a folder forwards or backwards. */
static void fill(struct game *g, bool backwards, struct conda_memory *m)
{
        for (unsigned folder = 0; folder < 4; folder++)
                for (int k = 0; k < g->n_record; k++) {
                        const struct conda_record *r = &g->r[backwards ? g->n_record - 1 - k : k];
                        if (r->channel_no == folder / 2 && sv_is(r->subdir, "noarch") == (folder % 2 == 1))
                                conda_memory_add(m, r);
                }
}

static const char *ask(struct game *g, struct catalog_conda *c, struct answer *ret)
{
        AUTO(diags_done) struct diags ds = { 0 };
        AUTO(err_done) struct err e = { 0 }, why = { 0 };
        AUTO(buf_done) struct buf text = BUF_INIT(1 << 20);
        struct resolve_opts o = { .order = ORDER_CEILING };
        struct resolve_want *want;
        struct resolution *r = NULL;
        size_t n;
        int got;

        for (int i = 0; i < NAMES; i++)
                ret->pick[i] = NONE;
        if (conda_wants(c, g->want, g->n_want, &g->a, &ds, &want, &n, &e) < 0)
                return "the request was refused";
        got = resolve(conda_catalog(c), want, n, &o, NULL, &g->a, &r, &e);
        if (got < 0 && got != -(int)ERR_CONFLICT)
                return "the solve failed";
        ret->found = got == 0;
        if (!ret->found) {
                if (explain(conda_catalog(c), want, n, &o, NULL, r, &text, &why) < 0 || text.n == 0 ||
                    text.p[text.n - 1] != '\n')
                        return "there is no explanation";
                return NULL;
        }
        for (size_t i = 0; i < r->n; i++) {
                const struct conda_record *rec = conda_record_of(c, &r->pick[i]);
                if (rec)
                        ret->pick[rec->name.p[0] - 'a'] = index_of(g, rec);
        }
        return NULL;
}

static const char *solve(struct game *g, bool backwards, struct answer *ret)
{
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(err_done) struct err e = { 0 };
        struct conda_memory m = { .a = &a };
        struct conda_opts o = {
                .channel = g->channel, .n_channel = 2, .virtual_ = &g->virtual_, .n_virtual = g->has_virtual
        };
        struct catalog_conda *c;
        const char *wrong;

        fill(g, backwards, &m);
        if (conda_open(&o, conda_memory_source(&m), NULL, &c, &e) < 0)
                return "the catalog did not open";
        wrong = ask(g, c, ret);
        catalog_free(conda_catalog(c));
        return wrong;
}

/* What the request reaches; the rest is superfluous. */
static void reach(const struct game *g, const struct matchspec *m, bool *reached)
{
        int name = m->name.n == 1 ? m->name.p[0] - 'a' : NAMES, record = name < NAMES ? g->pick[name] : NONE;

        if (record == NONE || reached[name])
                return;
        reached[name] = true;
        for (size_t k = 0; k < g->r[record].n_depends; k++)
                reach(g, &g->dep[record][k], reached);
}

static const char *judge(struct game *g, const struct answer *x)
{
        bool reached[NAMES] = { false };
        const struct conda_version *v;

        memcpy(g->pick, x->pick, sizeof(g->pick));
        if (!legal(g))
                return "the answer is not legal";
        for (size_t i = 0; i < g->n_want; i++)
                reach(g, &g->want_spec[i], reached);
        for (int i = 0; i < NAMES; i++)
                if (g->pick[i] != NONE && !reached[i])
                        return "something is not needed";
        v = first_version(g);
        return g->best && (!v || conda_version_cmp(v, g->best) < 0) ? "the first name could be newer" : NULL;
}

static const char *play(struct game *g)
{
        struct answer one = { 0 }, two = { 0 };
        const char *wrong;

        if (!make(g))
                return NULL;
        search(g, 0);
        wrong = solve(g, false, &one);
        if (!wrong)
                wrong = solve(g, true, &two);
        if (wrong)
                return wrong;
        if (one.found != two.found || memcmp(one.pick, two.pick, sizeof(one.pick)) != 0)
                return "the answer hangs on the order of the records";
        if (one.found != g->found)
                return one.found ? "there is no answer" : "there is an answer";
        return one.found ? judge(g, &one) : NULL;
}

const char *conda_brute(const uint8_t *p, size_t n)
{
        struct game g = { .p = p, .n = n };
        const char *wrong = play(&g);

        arena_done(&g.a);
        return wrong;
}
