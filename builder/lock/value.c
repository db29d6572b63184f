#include <stdarg.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "lock/lock_priv.h"

void lock_fault(struct lock_read *r, const struct yaml *at, const char *code, const char *fmt, ...)
{
        AUTO(free_ptr) char *text = NULL;
        va_list ap;
        size_t i;

        va_start(ap, fmt);
        if (vasprintf(&text, fmt, ap) < 0)
                text = NULL;
        va_end(ap);
        i = diag_add(r->ds, r->file, at->line, at->col, code, "%s", text ? text : "");
        diag_span(r->ds, i, at->type == YAML_SCALAR && at->text.n < 1000 ? (uint32_t)at->text.n : 1);
}

bool lock_is_map(struct lock_read *r, const struct yaml *y, const char *what, const char *const *known)
{
        if (y->type != YAML_MAP) {
                lock_fault(r, y, "EB122", "'%s' takes a mapping", what);
                return false;
        }
        for (size_t i = 0; known && i < y->n; i++) {
                size_t k = 0;
                while (known[k] && !sv_is(y->v[i].key->text, known[k]))
                        k++;
                if (!known[k])
                        lock_fault(r, y->v[i].key, "EB121", "unknown key '%.*s' in %s", SV_ARG(y->v[i].key->text),
                                   what);
        }
        return true;
}

/* The scalar of a key, or NULL when it is absent or something else. */
static const struct yaml *scalar(struct lock_read *r, const struct yaml *map, const char *key, bool must)
{
        const struct yaml *y = yaml_get(map, key);

        if (!y) {
                if (must)
                        lock_fault(r, map, "EB122", "'%s' is missing", key);
                return NULL;
        }
        if (y->type != YAML_SCALAR || yaml_is_null(y)) {
                lock_fault(r, y, "EB122", "'%s' takes one text", key);
                return NULL;
        }
        return y;
}

void lock_get_text(struct lock_read *r, const struct yaml *map, const char *key, bool must, sv *ret)
{
        const struct yaml *y = scalar(r, map, key, must);

        if (y && must && y->text.n == 0) /* also what a YAML tag leaves of "path: !x" */
                lock_fault(r, y, "EB122", "'%s' is empty", key);
        else if (y)
                *ret = y->text;
}

void lock_get_u64(struct lock_read *r, const struct yaml *map, const char *key, bool must, uint64_t *ret)
{
        const struct yaml *y = scalar(r, map, key, must);

        if (y && !(sv_u64(y->text, ret) && *ret <= INT64_MAX))
                lock_fault(r, y, "EB122", "'%s' takes a number, not '%.*s'", key, SV_ARG(y->text));
}

void lock_get_bool(struct lock_read *r, const struct yaml *map, const char *key, bool *ret)
{
        const struct yaml *y = scalar(r, map, key, false);

        if (!y)
                return;
        if (!sv_is(y->text, "true") && !sv_is(y->text, "false"))
                lock_fault(r, y, "EB122", "'%s' takes true or false", key);
        *ret = sv_is(y->text, "true");
}

void lock_get_time(struct lock_read *r, const struct yaml *map, const char *key, bool must, int64_t *ret)
{
        const struct yaml *y = scalar(r, map, key, must);

        if (y && !time_parse(y->text, ret))
                lock_fault(r, y, "EB122", "'%s' takes a time like 2026-11-21T09:30:12Z, not '%.*s'", key,
                           SV_ARG(y->text));
}

void lock_get_mode(struct lock_read *r, const struct yaml *map, const char *key, uint32_t *ret)
{
        const struct yaml *y = scalar(r, map, key, true);

        if (!y)
                return;
        *ret = 0;
        for (size_t i = 0; i < y->text.n; i++) {
                if (y->text.p[i] < '0' || y->text.p[i] > '7' || y->text.n > 5 || y->text.n < 3) {
                        lock_fault(r, y, "EB122", "'%s' takes a mode like \"0755\"", key);
                        return;
                }
                *ret = *ret << 3 | (uint32_t)(y->text.p[i] - '0');
        }
}

static void get_sha(struct lock_read *r, const struct yaml *map, const char *key, bool must, bool prefix, sha256 *ret)
{
        const struct yaml *y = scalar(r, map, key, must);

        if (y && !(sv_starts(y->text, SV("sha256:")) == prefix && sha256_read(y->text, ret)))
                lock_fault(r, y, "EB122", "'%s' takes %s64 hexadecimal digits", key, prefix ? "sha256: and " : "");
}

void lock_get_hash(struct lock_read *r, const struct yaml *map, const char *key, bool must, sha256 *ret)
{
        get_sha(r, map, key, must, false, ret);
}

void lock_get_digest(struct lock_read *r, const struct yaml *map, const char *key, bool must, sha256 *ret)
{
        get_sha(r, map, key, must, true, ret);
}

void lock_get_list(struct lock_read *r, const struct yaml *map, const char *key, sv **ret, size_t *ret_n, bool *ret_has)
{
        const struct yaml *y = yaml_get(map, key);

        if (!y)
                return;
        if (y->type != YAML_SEQ) {
                lock_fault(r, y, "EB122", "'%s' takes a list", key);
                return;
        }
        if (ret_has)
                *ret_has = true;
        *ret = arena_array(r->a, sv, y->n);
        for (size_t i = 0; i < y->n; i++) {
                if (y->v[i].value->type != YAML_SCALAR)
                        lock_fault(r, y->v[i].value, "EB122", "'%s' takes a list of texts", key);
                else
                        (*ret)[(*ret_n)++] = y->v[i].value->text;
        }
}

void lock_get_pairs(struct lock_read *r, const struct yaml *map, const char *key, struct lock_pair **ret, size_t *ret_n)
{
        const struct yaml *y = yaml_get(map, key);

        if (!y || !lock_is_map(r, y, key, NULL))
                return;
        *ret = arena_array(r->a, struct lock_pair, y->n);
        for (size_t i = 0; i < y->n; i++) {
                if (y->v[i].value->type != YAML_SCALAR)
                        lock_fault(r, y->v[i].value, "EB122", "'%s' takes one text a key", key);
                else
                        (*ret)[(*ret_n)++] = (struct lock_pair){ y->v[i].key->text, y->v[i].value->text };
        }
}

const struct yaml *lock_get_seq(struct lock_read *r, const struct yaml *map, const char *key)
{
        static const struct yaml none = { .type = YAML_SEQ };
        const struct yaml *y = yaml_get(map, key);

        if (!y)
                return &none;
        if (y->type == YAML_SEQ)
                return y;
        lock_fault(r, y, "EB122", "'%s' takes a list", key);
        return &none;
}

void lock_get_two(struct lock_read *r, const struct yaml *map, const char *key, sv *ret_a, sv *ret_b)
{
        sv both = { 0 };
        ptrdiff_t blank;

        lock_get_text(r, map, key, false, &both);
        blank = sv_find(both, ' ');
        *ret_a = blank < 0 ? both : sv_from_to(both, 0, (size_t)blank);
        *ret_b = blank < 0 ? (sv){ 0 } : sv_skip(both, (size_t)blank + 1);
}

static bool clean(sv s)
{
        for (size_t i = 0; i < s.n; i++)
                if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f)
                        return false;
        return true;
}

void lock_check_clean(struct lock_read *r, const struct yaml *map, const char *key, sv text)
{
        if (!clean(text))
                lock_fault(r, yaml_get(map, key), "EB122", "'%s' holds a control character", key);
}

void lock_check_word(struct lock_read *r, const struct yaml *map, const char *key, sv word)
{
        if (!clean(word) || sv_find(word, ' ') >= 0 || sv_find(word, '/') >= 0 || sv_is(word, ".") || sv_is(word, ".."))
                lock_fault(r, yaml_get(map, key), "EB122", "'%s' cannot be '%.*s'", key, SV_ARG(word));
}

void lock_check_path(struct lock_read *r, const struct yaml *map, const char *key, sv path, bool absolute)
{
        sv rest = absolute ? sv_skip(path, 1) : path, part;
        bool ok = clean(path) && (!absolute || path.n == 0 || path.p[0] == '/') &&
                  !(path.n > 1 && sv_ends(path, SV("/")));

        while (ok && sv_cut(&rest, '/', &part))
                ok = part.n > 0 && !sv_is(part, ".") && !sv_is(part, "..");
        if (!ok)
                lock_fault(r, yaml_get(map, key), "EB122", "'%s' takes %s path without '.' and '..'", key,
                           absolute ? "an absolute" : "a relative");
}
