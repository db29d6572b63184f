#include "spec/spec_priv.h"

struct spec_where spec_at(const struct spec_load *l, const struct yaml *y)
{
        return (struct spec_where){ l->file, y->line,
                                    y->col + (y->type == YAML_SCALAR && !y->plain) }; /* behind the quote */
}

size_t spec_node_len(const struct yaml *y)
{
        return y->type == YAML_SCALAR ? y->text.n : 1;
}

#define ITEMS_MAX 10000 /* of one list or mapping of a definition: what is done with them may be quadratic */

static const char *type_name(const struct yaml *y)
{
        return y->type == YAML_SEQ   ? "a list"
               : y->type == YAML_MAP ? "a mapping"
               : yaml_is_null(y)     ? "empty"
                                     : "a text";
}

static bool wrong_type(struct spec_load *l, const struct yaml *y, const char *key, const char *want, const char *hint)
{
        size_t i = spec_fault(l->ds, spec_at(l, y), spec_node_len(y), "EB102", "'%s' takes %s, this is %s", key, want,
                              type_name(y));

        diag_hint(l->ds, i, "%s", hint);
        return false;
}

bool spec_node_text(struct spec_load *l, const struct yaml *y, const char *key, struct spec_text *ret)
{
        if (y->type != YAML_SCALAR || yaml_is_null(y))
                return wrong_type(l, y, key, "a text", "write 'key: value' in one line, or leave the key out");
        *ret = (struct spec_text){ y->text, spec_at(l, y) };
        return true;
}

static bool too_many(struct spec_load *l, const struct yaml *y, const char *key)
{
        if (y->n <= ITEMS_MAX)
                return false;
        spec_fault(l->ds, spec_at(l, y), 1, "EB103", "'%s' has more than %d items", key, ITEMS_MAX);
        return true;
}

/* Every wrong item is told, the good ones are kept. */
bool spec_node_list(struct spec_load *l, const struct yaml *y, const char *key, struct spec_text **ret, size_t *ret_n)
{
        struct spec_text item;
        bool ok = true;

        if (yaml_is_null(y))
                return true;
        if (y->type != YAML_SEQ)
                return wrong_type(l, y, key, "a list", "write one item a line, each after '- ', or [a, b] in one line");
        if (too_many(l, y, key))
                return false;
        for (size_t i = 0; i < y->n; i++) {
                const struct yaml *v = y->v[i].value;
                if (v->type != YAML_SCALAR || yaml_is_null(v)) {
                        size_t d = spec_fault(l->ds, spec_at(l, v), spec_node_len(v), "EB102",
                                              "an item of '%s' takes a text, this is %s", key, type_name(v));
                        diag_hint(l->ds, d,
                                  yaml_is_null(v) ? "take the line out" : "quote an item that holds ': ', '{' or '['");
                        ok = false;
                        continue;
                }
                item = (struct spec_text){ v->text, spec_at(l, v) };
                SPEC_PUSH(l->a, *ret, *ret_n, item);
        }
        return ok;
}

bool spec_node_pairs(struct spec_load *l, const struct yaml *y, const char *key, struct spec_pair **ret, size_t *ret_n)
{
        bool ok = true;

        if (yaml_is_null(y))
                return true;
        if (y->type != YAML_MAP)
                return wrong_type(l, y, key, "a mapping", "write one 'KEY: value' a line");
        if (too_many(l, y, key))
                return false;
        for (size_t i = 0; i < y->n; i++) {
                const struct yaml *k = y->v[i].key, *v = y->v[i].value;
                struct spec_pair pair = { k->text, v->text, spec_at(l, k) };
                if (v->type != YAML_SCALAR) {
                        ok = wrong_type(l, v, key, "one text a key", "quote the value when it holds '{', '[' or ': '");
                        continue;
                }
                if (yaml_is_null(v))
                        pair.value = SV("");
                SPEC_PUSH(l->a, *ret, *ret_n, pair);
        }
        return ok;
}

bool spec_node_bool(struct spec_load *l, const struct yaml *y, const char *key, bool *ret)
{
        if (y->type == YAML_SCALAR && y->plain && (sv_is(y->text, "true") || sv_is(y->text, "false"))) {
                *ret = sv_is(y->text, "true");
                return true;
        }
        return wrong_type(l, y, key, "true or false", "write it without quotes: true or false");
}
