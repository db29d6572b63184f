/* Which combinations are run. */
#include "run/sweep/sweep.h"

#include <string.h>

uint64_t run_sweep_total(const struct run_sweep *s)
{
        uint64_t n = 1;

        for (size_t i = 0; i < s->n; i++)
                if (__builtin_mul_overflow(n, s->param[i].n, &n))
                        return UINT64_MAX;
        return n;
}

void run_sweep_values(const struct run_sweep *s, uint64_t which, sv *ret)
{
        for (size_t i = s->n; i-- > 0;) {
                ret[i] = s->param[i].value[which % s->param[i].n];
                which /= s->param[i].n;
        }
}

sv run_sweep_text(struct arena *a, const struct run_sweep *s, uint64_t which)
{
        sv *v = arena_array(a, sv, s->n + 1), ret = SV("");

        run_sweep_values(s, which, v);
        for (size_t i = 0; i < s->n; i++)
                ret = arena_fmt(a, "%.*s%s%.*s=%.*s", SV_ARG(ret), i ? " " : "", SV_ARG(s->param[i].name),
                                SV_ARG(v[i]));
        return ret;
}

/* splitmix64 */
static uint64_t next(uint64_t *state)
{
        uint64_t z = *state += 0x9e3779b97f4a7c15;

        z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
        z = (z ^ z >> 27) * 0x94d049bb133111eb;
        return z ^ z >> 31;
}

/* Even, below n > 0. */
static uint64_t below(uint64_t *state, uint64_t n)
{
        uint64_t limit = UINT64_MAX - UINT64_MAX % n, x;

        do
                x = next(state);
        while (x >= limit);
        return x % n;
}

static bool taken(const uint64_t *v, size_t n, uint64_t x)
{
        for (size_t i = 0; i < n; i++)
                if (v[i] == x)
                        return true;
        return false;
}

/* Floyd's choice of n out of total, then shuffled: the first K of a sweep that is stopped are a fair sample, too. */
static void draw(uint64_t total, uint64_t seed, uint64_t *v, size_t n)
{
        uint64_t state = seed;

        for (size_t i = 0; i < n; i++) {
                uint64_t top = total - n + i, x = below(&state, top + 1);
                v[i] = taken(v, i, x) ? top : x;
        }
        for (size_t i = n; i > 1; i--) {
                size_t k = (size_t)below(&state, i);
                uint64_t x = v[i - 1];
                v[i - 1] = v[k];
                v[k] = x;
        }
}

int run_sweep_choose(struct arena *a, const struct run_sweep *s, size_t random, uint64_t seed, uint64_t **ret,
                     size_t *ret_n, struct err *e)
{
        uint64_t total = run_sweep_total(s), n = random && random < total ? random : total;

        if (n > RUN_SWEEP_MAX) {
                err_set(e, ERR_LIMIT, "%llu combinations are more than the %d runs of a sweep", (unsigned long long)n,
                        RUN_SWEEP_MAX);
                err_hint(e, "--random 100 runs a hundred of them");
                return -ERR_LIMIT;
        }
        if (total == UINT64_MAX) /* they can be counted no more, so no choice among them is fair */
                return err_set(e, ERR_LIMIT, "there are too many combinations to choose from");
        *ret = arena_array(a, uint64_t, n + 1);
        *ret_n = (size_t)n;
        if (random)
                draw(total, seed, *ret, (size_t)n);
        else
                for (size_t i = 0; i < n; i++)
                        (*ret)[i] = i;
        return 0;
}

/* What a combination changes is its own. */
static struct run_spec *copy(struct arena *a, const struct run_spec *base, size_t n_more)
{
        struct run_spec *s = arena_new(a, struct run_spec);

        *s = *base;
        s->input = arena_array(a, struct run_input, s->n_input + 1);
        s->env = arena_array(a, struct run_pair, s->n_env + 1);
        s->tag = arena_array(a, struct run_pair, s->n_tag + n_more + 1);
        if (s->n_input)
                memcpy(s->input, base->input, s->n_input * sizeof(*s->input));
        if (s->n_env)
                memcpy(s->env, base->env, s->n_env * sizeof(*s->env));
        if (s->n_tag)
                memcpy(s->tag, base->tag, s->n_tag * sizeof(*s->tag));
        return s;
}

static void put_tag(struct run_spec *s, sv name, sv value)
{
        for (size_t i = 0; i < s->n_tag; i++)
                if (sv_eq(s->tag[i].name, name)) {
                        s->tag[i].value = value;
                        return;
                }
        s->tag[s->n_tag++] = (struct run_pair){ name, value };
}

int run_sweep_spec(struct arena *a, const struct run_spec *base, const struct run_sweep *s, uint64_t which,
                   struct run_spec **ret, struct err *e)
{
        struct run_spec *spec = copy(a, base, s->n);
        sv *v = arena_array(a, sv, s->n + 1);

        run_sweep_values(s, which, v);
        for (size_t i = 0; i < s->n; i++) {
                if (run_job_set(a, spec, s->param[i].name, v[i], e) < 0)
                        return -(int)e->code;
                put_tag(spec, s->param[i].name, v[i]);
        }
        *ret = spec;
        return 0;
}
