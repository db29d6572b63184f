#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "resolve/story_priv.h"

enum { MAX_CONFLICTS = 5000 }; /* a proof that needs more has many lines, and no reader misses that some could go */

/* The lines that matter, and the proof of them alone. */
struct core {
        struct resolve_want *want; /* all constraints, and the lines that are left */
        size_t n;
        struct resolve_want *trial;
        struct arena arena[2];
        unsigned now; /* the arena that holds proof */
        const struct proof *proof;
        uint32_t conflicts; /* of all attempts */
};

static void core_done(struct core *k)
{
        free(k->want);
        free(k->trial);
        arena_done(&k->arena[0]);
        arena_done(&k->arena[1]);
}

static bool in_proof(const struct proof *p, const struct rel *rel)
{
        for (size_t i = 0; i < p->n; i++)
                if (p->node[i].kind == CLAUSE_WANT && p->node[i].rel->id == rel->id &&
                    sv_eq(p->node[i].rel->at, rel->at))
                        return true;
        return false;
}

/* Whether these have no solution either; then their proof is kept. Limits reached count as not known. */
static int impossible(struct core *k, struct catalog *c, const struct resolve_want *want, size_t n,
                      const struct resolve_opts *o, struct op *op, struct err *e)
{
        AUTO(err_done) struct err conflict = { 0 };
        struct arena *a = &k->arena[1 - k->now];
        struct resolution *r = NULL;
        int got;

        arena_done(a);
        got = resolve(c, want, n, o, op, a, &r, &conflict);
        k->conflicts += r ? r->conflicts : 0;
        if (got == -(int)ERR_CONFLICT) {
                k->proof = r->proof;
                k->now = 1 - k->now;
                return 1;
        }
        return got == 0 || got == -(int)ERR_LIMIT ? 0 : err_move(e, &conflict);
}

/* Take the lines away one by one, the last one first: what can be missed is missed, and of two reasons the earlier is told. */
static int minimize(struct core *k, struct catalog *c, const struct resolve_opts *o, struct op *op, struct err *e)
{
        for (size_t i = k->n; i-- > 0 && k->conflicts < MAX_CONFLICTS;) {
                size_t n = 0;
                if (!k->want[i].direct)
                        continue;
                for (size_t x = 0; x < k->n; x++)
                        if (x != i)
                                k->trial[n++] = k->want[x];
                int r = impossible(k, c, k->trial, n, o, op, e);
                if (r < 0)
                        return r;
                if (r) {
                        memcpy(k->want, k->trial, n * sizeof(*k->want));
                        k->n = n;
                }
        }
        /* the proof of what is left: a trial that failed may have used the same arena */
        return impossible(k, c, k->want, k->n, o, op, e) < 0 ? -(int)e->code : 0;
}

/* A line that asks for more than its name: whether relations of that name are in the story. */
static bool has_relations(const struct story *st, name_id name)
{
        for (size_t i = 0; i < st->n; i++)
                if (st->fact[i].used && st->fact[i].kind == CLAUSE_REL && st->p->var[st->fact[i].by].id == name)
                        return true;
        return false;
}

static void say_others(const struct core *k, size_t but, struct buf *out)
{
        size_t said = 0;

        for (size_t i = 0; i < k->n && k->n <= 4; i++)
                if (i != but)
                        buf_fmt(out, "%s%.*s", said++ ? " and " : "", SV_ARG(k->want[i].rel.text));
        if (!said)
                buf_add(out, SV("the other lines"));
}

/* The best candidate of a line's name that goes with the other lines. 1 when it is told. */
static int tell_last(struct core *k, size_t line, struct catalog *c, const struct resolve_opts *o, struct op *op,
                     struct buf *out, struct err *e)
{
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(err_done) struct err why = { 0 };
        struct resolve_opts first = *o;
        struct resolution *r = NULL;
        struct term any = { k->want[line].rel.term->name, SET_ALL };
        size_t n = 1;
        int got;

        first.order = ORDER_CEILING; /* then the first name is as good as it can be */
        k->trial[0] = k->want[line];
        k->trial[0].rel.term = &any;
        for (size_t i = 0; i < k->n; i++)
                if (i != line)
                        k->trial[n++] = k->want[i];
        got = resolve(c, k->trial, n, &first, op, &a, &r, &why);
        if (got < 0)
                return got == -(int)ERR_CONFLICT || got == -(int)ERR_LIMIT ? 0 : err_move(e, &why);
        for (size_t i = 0; i < r->n; i++) {
                if (r->pick[i].name != any.name)
                        continue;
                buf_add(out, SV("The last that works with "));
                say_others(k, line, out);
                buf_add(out, SV(": "));
                c->ops->cand_text(c, any.name, r->pick[i].cand, out);
                buf_add(out, SV(".\n"));
                return 1;
        }
        return 0;
}

/* Which line could give way: first those whose packages ask for what another line refuses, then any. */
static int tell_last_that_works(struct core *k, const struct story *st, struct catalog *c, const struct resolve_opts *o,
                                struct op *op, struct buf *out, struct err *e)
{
        for (int pass = 0; pass < 2; pass++)
                for (size_t i = 0; i < k->n; i++) {
                        const struct rel *rel = &k->want[i].rel;
                        if (!k->want[i].direct || rel->kind != REL_NEEDS || rel->n != 1 || rel->term->set <= SET_ALL ||
                            has_relations(st, rel->term->name) != (pass == 0))
                                continue;
                        int r = tell_last(k, i, c, o, op, out, e);
                        if (r != 0)
                                return r < 0 ? r : 0;
                }
        return 0;
}

static int tell(struct core *k, struct catalog *c, const struct resolve_opts *o, struct op *op, struct buf *out,
                struct err *e)
{
        struct story st;
        bool short_one = story_make(&st, c, k->proof, &k->arena[k->now]);
        bool others = false; /* candidates have a say in it */
        size_t lines = 0;

        for (size_t i = 0; i < k->n; i++)
                lines += k->want[i].direct;
        if (short_one)
                tell_story(&st, out);
        else
                tell_lemmas(&st, out);
        for (size_t i = 0; short_one && i < st.n; i++)
                others |= st.fact[i].used && st.fact[i].kind == CLAUSE_REL;
        if (k->n > 1 && lines && (others || !short_one) && tell_last_that_works(k, &st, c, o, op, out, e) < 0)
                return -(int)e->code;
        tell_hints(&st, out);
        return buf_check(out, e);
}

/* Given up: what was found out so far. */
static int tell_limit(struct catalog *c, const struct resolution *r, struct buf *out, struct err *e)
{
        AUTO(arena_done) struct arena a = { 0 };
        struct story st = { .c = c, .p = r->proof, .a = &a };

        buf_fmt(out, "No answer was found within the limits (%u conflicts)", r->conflicts);
        buf_add(out, r->proof->n ? SV(". The most that is known:\n") : SV(", and nothing is known yet.\n"));
        tell_lemmas(&st, out);
        return buf_check(out, e);
}

int explain(struct catalog *c, const struct resolve_want *want, size_t n, const struct resolve_opts *o, struct op *op,
            const struct resolution *r, struct buf *out, struct err *e)
{
        AUTO(core_done) struct core k = { .proof = r->proof };

        if (r->proof->limit)
                return tell_limit(c, r, out, e);
        k.want = xcalloc(n + 1, sizeof(*k.want));
        k.trial = xcalloc(n + 1, sizeof(*k.trial));
        for (size_t i = 0; i < n; i++)
                if (!want[i].direct || in_proof(r->proof, &want[i].rel))
                        k.want[k.n++] = want[i];
        if (minimize(&k, c, o, op, e) < 0)
                return err_while(e, "explaining why there is no solution");
        return tell(&k, c, o, op, out, e);
}
