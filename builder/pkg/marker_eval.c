#include "pkg/marker_priv.h"

struct eval {
        const struct marker_env *env;
        struct arena scratch; /* versions that only this evaluation needs */
};

static enum marker_result result(bool b)
{
        return b ? MARKER_TRUE : MARKER_FALSE;
}

/* A development build of Python calls itself "3.14.0a1+": not a version until something follows the plus. */
static sv lookup(struct eval *ev, int var)
{
        sv v = ev->env->value[var];

        if (var == MARKER_PYTHON_FULL_VERSION && sv_ends(v, SV("+")))
                return arena_fmt(&ev->scratch, "%.*slocal", SV_ARG(v));
        return v;
}

static bool holds_text(sv left, enum marker_op op, sv right, bool *ret)
{
        switch (op) {
        case MARKER_EQ:
        case MARKER_LE:
        case MARKER_GE:
                *ret = sv_eq(left, right);
                return true;
        case MARKER_NE:
                *ret = !sv_eq(left, right);
                return true;
        case MARKER_LT:
        case MARKER_GT: /* texts have no order (packaging 26) */
                *ret = false;
                return true;
        case MARKER_IN:
        case MARKER_NOT_IN:
                *ret = (sv_find_sv(right, left) >= 0) == (op == MARKER_IN);
                return true;
        default:
                return false;
        }
}

/* A lock file's `extras`: only membership means something; a set equals no text. */
static enum marker_result in_set(const struct marker_env *env, sv left, enum marker_op op, int var)
{
        bool member = false;

        if (!env->extras || op == MARKER_COMPATIBLE || op == MARKER_ARBITRARY)
                return MARKER_ERROR;
        for (size_t i = 0; i < env->n_extras && var == MARKER_EXTRAS; i++)
                member |= sv_eq(env->extras[i], left);
        if (op == MARKER_IN || op == MARKER_NOT_IN)
                return result(member == (op == MARKER_IN));
        return result(op == MARKER_NE);
}

static enum marker_result compare(struct eval *ev, const struct marker *m)
{
        struct pep440_clause c = m->clause;
        bool has_clause = m->has_clause, holds;
        int key = m->left.var;
        sv left, right = m->right.text;

        if (key != MARKER_LITERAL) {
                if (key >= MARKER_N_VARS)
                        return MARKER_ERROR; /* a set on the left */
                left = lookup(ev, key);
        } else {
                left = m->left.text;
                key = m->right.var != MARKER_LITERAL ? m->right.var : marker_var_find(right);
                if (key == MARKER_LITERAL)
                        return MARKER_ERROR;
                if (key >= MARKER_N_VARS)
                        return in_set(ev->env, left, m->op, key);
                right = lookup(ev, key);
                has_clause = marker_var_is_version(key) && m->op < MARKER_IN &&
                             marker_clause(&ev->scratch, m->op, right, &c);
        }
        if (has_clause)
                return result(pep440_clause_has(&c, pep440_parse(&ev->scratch, left), left));
        return holds_text(left, m->op, right, &holds) ? result(holds) : MARKER_ERROR;
}

/* Every comparison is made: one that is undefined makes the whole marker undefined, wherever it stands. */
static enum marker_result node_eval(struct eval *ev, const struct marker *m)
{
        bool any = false, all = true, undefined = false;

        if (!m->n)
                return compare(ev, m);
        for (size_t i = 0; i < m->n; i++) {
                enum marker_result r = node_eval(ev, m->kid[i]);

                if (m->is_or[i]) {
                        any |= all;
                        all = true;
                }
                all &= r == MARKER_TRUE;
                undefined |= r == MARKER_ERROR;
        }
        return undefined ? MARKER_ERROR : result(any || all);
}

enum marker_result marker_eval(const struct marker *m, const struct marker_env *env)
{
        struct eval ev = { .env = env };
        enum marker_result r;

        if (!m)
                return MARKER_TRUE;
        r = node_eval(&ev, m);
        arena_done(&ev.scratch);
        return r;
}

bool marker_has_extra(const struct marker *m)
{
        if (!m)
                return false;
        for (size_t i = 0; i < m->n; i++)
                if (marker_has_extra(m->kid[i]))
                        return true;
        return !m->n && (m->left.var == MARKER_EXTRA || m->right.var == MARKER_EXTRA);
}

void marker_env_linux(struct arena *a, sv python_full, sv machine, struct marker_env *ret)
{
        sv rest = python_full, major = { 0 }, minor = { 0 };

        sv_cut(&rest, '.', &major);
        sv_cut(&rest, '.', &minor);
        *ret = (struct marker_env){ 0 };
        ret->value[MARKER_OS_NAME] = SV("posix");
        ret->value[MARKER_SYS_PLATFORM] = SV("linux");
        ret->value[MARKER_PLATFORM_MACHINE] = arena_sv(a, machine);
        ret->value[MARKER_PLATFORM_PYTHON_IMPLEMENTATION] = SV("CPython");
        ret->value[MARKER_PLATFORM_SYSTEM] = SV("Linux");
        ret->value[MARKER_PYTHON_VERSION] = arena_fmt(a, "%.*s.%.*s", SV_ARG(major), SV_ARG(minor));
        ret->value[MARKER_PYTHON_FULL_VERSION] = arena_sv(a, python_full);
        ret->value[MARKER_IMPLEMENTATION_NAME] = SV("cpython");
        ret->value[MARKER_IMPLEMENTATION_VERSION] = ret->value[MARKER_PYTHON_FULL_VERSION];
}
