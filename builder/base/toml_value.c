#include "base/toml_priv.h"

static bool elements(struct toml_reader *r, struct toml *arr)
{
        for (;;) {
                struct toml *one;

                if (!toml_space(r))
                        return false;
                if (toml_at(r, ']'))
                        break;
                if (!toml_value(r, &one))
                        return false;
                *arena_push(r->a, arr->v, arr->n, arr->cap) = (struct toml_member){ { 0 }, one };
                if (!toml_space(r))
                        return false;
                if (toml_at(r, ']'))
                        break;
                if (!toml_at(r, ','))
                        return toml_bad(r, r->p, "an array goes on with ',' or ends with ']'");
                r->p++;
        }
        r->p++;
        return true;
}

static bool members(struct toml_reader *r, struct toml *table)
{
        toml_blanks(r);
        if (toml_at(r, '}')) {
                r->p++;
                return true;
        }
        for (;;) {
                toml_blanks(r);
                if (!toml_assignment(r, table))
                        return false;
                toml_blanks(r);
                if (toml_at(r, '}'))
                        break;
                if (!toml_at(r, ','))
                        return toml_bad(r, r->p, "a table in braces goes on with ',' or ends with '}', on one line");
                r->p++;
        }
        r->p++;
        return true;
}

/* Nobody adds to what stood in braces or brackets. */
static void close(struct toml *t)
{
        t->closed = true;
        for (size_t i = 0; i < t->n; i++)
                if (!t->v[i].value->closed)
                        close(t->v[i].value);
}

static bool nested(struct toml_reader *r, struct toml **ret)
{
        bool array = *r->p == '[', ok;
        struct toml *t = toml_new(r, array ? TOML_ARR : TOML_TABLE, r->p);

        if (++r->depth > TOML_DEPTH)
                return toml_bad(r, r->p, "values are nested too deeply");
        r->p++;
        if (!array)
                t->section = r->section;
        ok = array ? elements(r, t) : members(r, t);
        r->depth--;
        close(t);
        *ret = t;
        return ok;
}

bool toml_value(struct toml_reader *r, struct toml **ret)
{
        if (toml_at(r, '[') || toml_at(r, '{'))
                return nested(r, ret);
        if (toml_at(r, '"') || toml_at(r, '\'')) {
                *ret = toml_new(r, TOML_STR, r->p);
                return toml_string(r, true, &(*ret)->str);
        }
        return toml_scalar(r, ret);
}
