/* Keys of descriptions: tables instead of chains of comparisons, so that "unknown, did you mean" comes with every mapping. */
#include "run/job/job_priv.h"

static bool upper(char c)
{
        return c >= 'A' && c <= 'Z';
}

/* "nodeCount" is written "node_count" in Python, and some people write that into a .runconfig. */
bool job_key_is(sv key, const char *name)
{
        size_t i = 0;

        if (sv_is(key, name))
                return true;
        for (; *name; name++) {
                char c = *name;
                if (upper(c)) {
                        if (i >= key.n || key.p[i++] != '_')
                                return false;
                        c = (char)(c | 0x20);
                }
                if (i >= key.n || key.p[i++] != c)
                        return false;
        }
        return i == key.n;
}

const struct yaml *job_get(const struct yaml *map, const char *key)
{
        if (!map || map->type != YAML_MAP)
                return NULL;
        for (size_t i = 0; i < map->n; i++)
                if (job_key_is(map->v[i].key->text, key))
                        return yaml_is_null(map->v[i].value) ? NULL : map->v[i].value;
        return NULL;
}

/* The form in which whoever wrote `word` would write the name: with '_' when that has one. */
static sv like(struct arena *a, sv word, const char *name)
{
        sv camel = sv_from(name);
        char *out = arena_alloc(a, 2 * camel.n + 1, 1);
        size_t n = 0;

        if (sv_find(word, '_') < 0)
                return camel;
        for (size_t i = 0; i < camel.n; i++) {
                if (upper(name[i]))
                        out[n++] = '_';
                out[n++] = upper(name[i]) ? (char)(name[i] | 0x20) : name[i];
        }
        return (sv){ out, n };
}

/* Empty: nothing is near. */
static sv nearest(struct arena *a, sv word, const struct job_key *keys)
{
        unsigned best = word.n < 4 ? 2 : 3;
        sv ret = { 0 };

        for (; keys->name; keys++) {
                sv name = like(a, word, keys->name);
                unsigned d = sv_distance(word, name, best);
                if (d < best) {
                        best = d;
                        ret = name;
                }
        }
        return ret;
}

void job_keys(struct job_read *r, const struct yaml *map, const struct job_key *keys, const char *what)
{
        if (yaml_is_null(map))
                return;
        if (map->type != YAML_MAP) {
                job_fault(r, map, "EB551", "a mapping of keys%s%s is expected here", *what ? " " : "", what);
                return;
        }
        for (size_t i = 0; i < map->n; i++) {
                const struct yaml *key = map->v[i].key;
                const struct job_key *k = keys;
                while (k->name && !job_key_is(key->text, k->name))
                        k++;
                if (!k->name) {
                        sv near = nearest(r->a, key->text, keys);
                        size_t d = job_fault(r, key, "EB550", "unknown key '%.*s'%s%s", SV_ARG(key->text),
                                             *what ? " " : "", what);
                        if (near.n)
                                diag_hint(r->ds, d, "did you mean '%.*s'?", SV_ARG(near));
                } else if (k->take) {
                        k->take(r, key, map->v[i].value);
                }
        }
}

static bool nothing(const struct yaml *y)
{
        return yaml_is_null(y) || (y->type != YAML_SCALAR && y->n == 0);
}

static struct js *kept(struct job_read *r, const struct yaml *key)
{
        if (!r->s->azureml) {
                r->s->azureml = js_new_obj(r->a);
                r->s->azureml_first = key->text;
                r->s->azureml_line = key->line;
        }
        return r->s->azureml;
}

void job_keep(struct job_read *r, const struct yaml *key, const struct yaml *value)
{
        if (!nothing(value))
                js_put(r->a, kept(r, key), key->text, job_js(r->a, value));
}

void job_keep_in(struct job_read *r, const char *section, const struct yaml *key, const struct yaml *value)
{
        struct js *in;

        if (nothing(value))
                return;
        in = js_get(kept(r, key), section);
        if (!in) {
                in = js_new_obj(r->a);
                js_put(r->a, r->s->azureml, sv_from(section), in);
        }
        js_put(r->a, in, key->text, job_js(r->a, value));
}
