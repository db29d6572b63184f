/* Values of descriptions. Every scalar keeps its text: a version stays "3.10", a tag stays what was written. */
#include <string.h>

#include "base/buf.h"
#include "run/job/job_priv.h"
#include "run/job/size.h"
#include "spec/spec.h"

static const char *type_name(const struct yaml *y)
{
        return y->type == YAML_SEQ ? "a list" : y->type == YAML_MAP ? "a mapping" : "a text";
}

static bool wrong(struct job_read *r, const struct yaml *key, const struct yaml *y, const char *want)
{
        job_fault(r, y->type == YAML_SCALAR ? y : key, "EB551", "'%.*s' takes %s, this is %s", SV_ARG(key->text), want,
                  type_name(y));
        return false;
}

bool job_text(struct job_read *r, const struct yaml *key, const struct yaml *y, sv *ret)
{
        if (yaml_is_null(y))
                return false;
        if (y->type != YAML_SCALAR)
                return wrong(r, key, y, "a text");
        if (y->text.n && memchr(y->text.p, '\0', y->text.n)) {
                job_fault(r, key, "EB552", "the text of '%.*s' holds a NUL byte", SV_ARG(key->text));
                return false;
        }
        *ret = y->text;
        return true;
}

bool job_number(struct job_read *r, const struct yaml *key, const struct yaml *y, uint64_t min, uint64_t max,
                uint64_t *ret)
{
        uint64_t n;

        if (yaml_is_null(y))
                return false;
        if (y->type != YAML_SCALAR)
                return wrong(r, key, y, "a number");
        if (!sv_u64(y->text, &n) || n < min || n > max) {
                job_fault(r, y, "EB552", "'%.*s' takes a number from %llu to %llu, this is '%.*s'", SV_ARG(key->text),
                          (unsigned long long)min, (unsigned long long)max, SV_ARG(y->text));
                return false;
        }
        *ret = n;
        return true;
}

bool job_count(struct job_read *r, const struct yaml *key, const struct yaml *y, unsigned *ret)
{
        uint64_t n;

        if (!job_number(r, key, y, 1, JOB_RANKS_MAX, &n))
                return false;
        *ret = (unsigned)n;
        return true;
}

bool job_bool(struct job_read *r, const struct yaml *key, const struct yaml *y, bool *ret)
{
        if (yaml_is_null(y))
                return false;
        if (y->type != YAML_SCALAR || (!sv_eq_nocase(y->text, SV("true")) && !sv_eq_nocase(y->text, SV("false"))))
                return wrong(r, key, y, "true or false");
        *ret = sv_eq_nocase(y->text, SV("true"));
        return true;
}

bool job_size(struct job_read *r, const struct yaml *key, const struct yaml *y, uint64_t *ret)
{
        size_t i;

        if (yaml_is_null(y))
                return false;
        if (y->type != YAML_SCALAR)
                return wrong(r, key, y, "a size");
        if (run_size_parse(y->text, ret))
                return true;
        i = job_fault(r, y, "EB552", "'%.*s' is no size", SV_ARG(y->text));
        diag_hint(r->ds, i, "write a number and k, m, g or t: 512m, 2g, 64Gi");
        return false;
}

static bool too_many(struct job_read *r, const struct yaml *key, const struct yaml *y)
{
        if (y->n <= JOB_ITEMS_MAX)
                return false;
        job_fault(r, key, "EB552", "'%.*s' has more than %d items", SV_ARG(key->text), JOB_ITEMS_MAX);
        return true;
}

bool job_map(struct job_read *r, const struct yaml *key, const struct yaml *y)
{
        if (yaml_is_null(y))
                return false;
        if (y->type != YAML_MAP)
                return wrong(r, key, y, "a mapping");
        return !too_many(r, key, y);
}

bool job_pairs(struct job_read *r, const struct yaml *key, const struct yaml *y, struct run_pair **ret, size_t *ret_n)
{
        struct run_pair *v;
        size_t n = 0;

        if (!job_map(r, key, y))
                return false;
        v = arena_array(r->a, struct run_pair, y->n + 1);
        for (size_t i = 0; i < y->n; i++) {
                v[n].name = y->v[i].key->text;
                if (yaml_is_null(y->v[i].value) || job_text(r, y->v[i].key, y->v[i].value, &v[n].value))
                        n++;
        }
        *ret = v;
        *ret_n = n;
        return true;
}

bool job_texts(struct job_read *r, const struct yaml *key, const struct yaml *y, sv **ret, size_t *ret_n)
{
        sv *v;
        size_t n = 0;

        if (yaml_is_null(y))
                return false;
        if (y->type != YAML_SEQ)
                return wrong(r, key, y, "a list");
        if (too_many(r, key, y))
                return false;
        v = arena_array(r->a, sv, y->n + 1);
        for (size_t i = 0; i < y->n; i++) {
                const struct yaml *item = y->v[i].value;
                if (yaml_is_null(item))
                        v[n++] = SV("");
                else if (job_text(r, key, item, &v[n]))
                        n++;
        }
        *ret = v;
        *ret_n = n;
        return true;
}

/* One word of a shell's, without expansion; false at the end, or (*ret_open) when a quote is not closed. */
static bool shell_word(struct arena *a, sv *rest, sv *ret, bool *ret_open)
{
        char *out, quote = 0;
        size_t n = 0, i = 0;

        *rest = sv_trim(*rest);
        if (!rest->n)
                return false;
        out = arena_alloc(a, rest->n + 1, 1);
        for (; i < rest->n; i++) {
                char c = rest->p[i];
                if (!quote && (c == ' ' || c == '\t' || c == '\n' || c == '\r'))
                        break;
                if (quote ? c == quote : c == '"' || c == '\'') {
                        quote = quote ? 0 : c;
                        continue;
                }
                if (c == '\\' && quote != '\'' && i + 1 < rest->n &&
                    (!quote || rest->p[i + 1] == '"' || rest->p[i + 1] == '\\'))
                        c = rest->p[++i];
                out[n++] = c;
        }
        *ret_open = quote != 0;
        *rest = sv_skip(*rest, i);
        *ret = (sv){ out, n };
        return true;
}

bool job_words(struct job_read *r, const struct yaml *key, const struct yaml *y, sv **ret, size_t *ret_n)
{
        size_t n = 0, cap = 0;
        sv *v = NULL, rest, word;
        bool open;

        if (y->type == YAML_SEQ || yaml_is_null(y))
                return job_texts(r, key, y, ret, ret_n);
        if (!job_text(r, key, y, &rest))
                return false;
        while (shell_word(r->a, &rest, &word, &open)) {
                if (open) {
                        job_fault(r, y, "EB552", "a quote in '%.*s' is not closed", SV_ARG(key->text));
                        return false;
                }
                *arena_push(r->a, v, n, cap) = word;
        }
        *ret = v;
        *ret_n = n;
        return true;
}

bool job_name_valid(sv name)
{
        for (size_t i = 0; i < name.n; i++) {
                char c = name.p[i];
                if (!((c | 0x20) >= 'a' && (c | 0x20) <= 'z') && c != '_' && !(i && c >= '0' && c <= '9'))
                        return false;
        }
        return name.n > 0 && name.n <= 255;
}

static void variable(struct job_read *r, const struct yaml *key, sv value)
{
        size_t i;

        if (!job_name_valid(key->text)) {
                i = job_fault(r, key, "EB552", "'%.*s' cannot name a variable", SV_ARG(key->text));
                diag_hint(r->ds, i, "use letters, digits and '_', and begin with a letter");
                return;
        }
        if (value.n && spec_secret_name(key->text)) {
                i = job_warn(r, key, "EB558", "'%.*s' looks like a secret, and its value would stand in the record",
                             SV_ARG(key->text));
                diag_hint(r->ds, i, "take it out, and name it: x-envbuild: {env_from_host: [%.*s]}", SV_ARG(key->text));
        }
        for (i = 0; i < r->s->n_env; i++)
                if (sv_eq(r->s->env[i].name, key->text)) {
                        r->s->env[i].value = value;
                        return;
                }
        *arena_push(r->a, r->s->env, r->s->n_env, r->cap_env) = (struct run_pair){ key->text, value };
}

void job_variables(struct job_read *r, const struct yaml *key, const struct yaml *y)
{
        if (!job_map(r, key, y))
                return;
        for (size_t i = 0; i < y->n; i++) {
                sv value = { 0 };
                if (yaml_is_null(y->v[i].value) || job_text(r, y->v[i].key, y->v[i].value, &value))
                        variable(r, y->v[i].key, value);
        }
}

bool job_remote(sv path)
{
        ptrdiff_t at = sv_find_sv(path, SV("://"));

        if (sv_starts(path, SV("file:")))
                return false;
        return sv_starts(path, SV("azureml:")) || (at > 0 && sv_find((sv){ path.p, (size_t)at }, '/') < 0);
}

/* Absolute, without "." and "x/..". */
static sv normal(struct arena *a, sv whole)
{
        sv *kept = arena_array(a, sv, whole.n / 2 + 2), part;
        struct buf out = BUF_INIT(whole.n + 8);
        size_t n = 0;
        sv ret;

        while (sv_cut(&whole, '/', &part)) {
                if (!part.n || sv_is(part, "."))
                        continue;
                if (sv_is(part, ".."))
                        n -= n > 0;
                else
                        kept[n++] = part;
        }
        for (size_t i = 0; i < n; i++) {
                buf_byte(&out, '/');
                buf_add(&out, kept[i]);
        }
        ret = n ? arena_sv(a, buf_sv(&out)) : SV("/");
        buf_done(&out);
        return ret;
}

sv job_path_from(struct arena *a, sv dir, sv path)
{
        if (sv_starts(path, SV("file://")))
                path = sv_skip(path, 7);
        else if (sv_starts(path, SV("file:")))
                path = sv_skip(path, 5);
        if (path.n && path.p[0] == '/')
                return normal(a, path);
        return normal(a, arena_fmt(a, "%.*s/%.*s", SV_ARG(dir), SV_ARG(path)));
}

sv job_path(struct job_read *r, sv path)
{
        return job_path_from(r->a, r->dir, path);
}
