#include "ext/json.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct js *copy(struct arena *a, json_t *j)
{
        struct js *r = arena_new(a, struct js);
        const char *key;
        json_t *v;
        size_t i;

        switch (json_typeof(j)) {
        case JSON_OBJECT:
                r->type = JS_OBJ;
                r->cap = json_object_size(j);
                r->v = arena_array(a, struct js_member, r->cap);
                json_object_foreach(j, key, v) r->v[r->n++] =
                        (struct js_member){ arena_sv(a, sv_from(key)), copy(a, v) };
                break;
        case JSON_ARRAY:
                r->type = JS_ARR;
                r->cap = json_array_size(j);
                r->v = arena_array(a, struct js_member, r->cap);
                json_array_foreach(j, i, v) r->v[r->n++] = (struct js_member){ { 0 }, copy(a, v) };
                break;
        case JSON_STRING:
                r->type = JS_STR;
                r->str = arena_sv(a, (sv){ json_string_value(j), json_string_length(j) });
                break;
        case JSON_INTEGER:
                r->type = JS_INT;
                r->num = json_integer_value(j);
                break;
        case JSON_REAL:
                r->type = JS_REAL;
                r->str = arena_fmt(a, "%.17g", json_real_value(j));
                break;
        case JSON_TRUE:
                r->type = JS_TRUE;
                break;
        case JSON_FALSE:
                r->type = JS_FALSE;
                break;
        case JSON_NULL:
                r->type = JS_NULL;
                break;
        }
        return r;
}

int js_parse(struct arena *a, sv text, struct js **ret, struct err *e)
{
        const char *nul = text.n ? memchr(text.p, 0, text.n) : NULL;
        json_error_t je;
        json_t *j;

        /* jansson passes over one that stands behind a number, where its reader looks ahead. */
        if (nul)
                return err_set(e, ERR_FAILED, "byte %zu: a NUL, which no JSON holds", (size_t)(nul - text.p) + 1);
        j = json_loadb(text.n ? text.p : "", text.n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL, &je);

        if (!j)
                return err_set(e, ERR_FAILED, "line %d, column %d: %s", je.line, je.column, je.text);
        *ret = copy(a, j);
        json_decref(j);
        return 0;
}

static struct js_member *find(const struct js *obj, sv key)
{
        for (size_t i = 0; obj && obj->type == JS_OBJ && i < obj->n; i++)
                if (sv_eq(obj->v[i].key, key))
                        return &obj->v[i];
        return NULL;
}

struct js *js_get(const struct js *obj, const char *key)
{
        struct js_member *m = find(obj, sv_from(key));
        return m ? m->value : NULL;
}

sv js_str(const struct js *j)
{
        return j && j->type == JS_STR ? j->str : (sv){ 0 };
}

bool js_int(const struct js *j, int64_t *ret)
{
        if (!j || j->type != JS_INT)
                return false;
        *ret = j->num;
        return true;
}

bool js_true(const struct js *j)
{
        return j && j->type == JS_TRUE;
}

sv js_get_str(const struct js *obj, const char *key)
{
        return js_str(js_get(obj, key));
}

static struct js *make(struct arena *a, enum js_type type)
{
        struct js *j = arena_new(a, struct js);
        j->type = type;
        return j;
}

struct js *js_new_obj(struct arena *a)
{
        return make(a, JS_OBJ);
}

struct js *js_new_arr(struct arena *a)
{
        return make(a, JS_ARR);
}

struct js *js_new_str(struct arena *a, sv s)
{
        struct js *j = make(a, JS_STR);
        j->str = s;
        return j;
}

struct js *js_new_int(struct arena *a, int64_t n)
{
        struct js *j = make(a, JS_INT);
        j->num = n;
        return j;
}

struct js *js_new_bool(struct arena *a, bool b)
{
        return make(a, b ? JS_TRUE : JS_FALSE);
}

void js_put(struct arena *a, struct js *obj, sv key, struct js *value)
{
        struct js_member *m = find(obj, key);

        if (!value)
                return;
        if (m)
                m->value = value;
        else
                *arena_push(a, obj->v, obj->n, obj->cap) = (struct js_member){ key, value };
}

void js_put_str(struct arena *a, struct js *obj, const char *key, sv s)
{
        js_put(a, obj, sv_from(key), js_new_str(a, s));
}

void js_put_int(struct arena *a, struct js *obj, const char *key, int64_t n)
{
        js_put(a, obj, sv_from(key), js_new_int(a, n));
}

void js_drop(struct js *obj, const char *key)
{
        struct js_member *m = find(obj, sv_from(key));

        if (!m)
                return;
        for (size_t i = (size_t)(m - obj->v); i + 1 < obj->n; i++)
                obj->v[i] = obj->v[i + 1];
        obj->n--;
}

void js_add(struct arena *a, struct js *arr, struct js *value)
{
        *arena_push(a, arr->v, arr->n, arr->cap) = (struct js_member){ { 0 }, value };
}

void js_write_str(sv s, struct buf *out)
{
        size_t from = 0;

        buf_byte(out, '"');
        for (size_t i = 0; i < s.n; i++) {
                unsigned char c = (unsigned char)s.p[i];
                char esc = c == '"'    ? '"'
                           : c == '\\' ? '\\'
                           : c == '\n' ? 'n'
                           : c == '\r' ? 'r'
                           : c == '\t' ? 't'
                           : c == '\b' ? 'b'
                           : c == '\f' ? 'f'
                                       : 0;
                if (!esc && c >= 0x20)
                        continue;
                buf_add(out, sv_from_to(s, from, i));
                if (esc)
                        buf_fmt(out, "\\%c", esc);
                else
                        buf_fmt(out, "\\u%04x", c);
                from = i + 1;
        }
        buf_add(out, sv_skip(s, from));
        buf_byte(out, '"');
}

static int by_key(const void *a, const void *b)
{
        return sv_cmp((*(struct js_member *const *)a)->key, (*(struct js_member *const *)b)->key);
}

/* indent < 0: canonical. */
static void write_value(const struct js *j, struct buf *out, int indent);

static void new_line(struct buf *out, int indent)
{
        if (indent >= 0)
                buf_fmt(out, "\n%*s", indent * 2, "");
}

static void write_members(const struct js *j, struct buf *out, int indent)
{
        struct arena tmp = { 0 };
        struct js_member **m = arena_array(&tmp, struct js_member *, j->n);
        int inner = indent < 0 ? indent : indent + 1;

        for (size_t i = 0; i < j->n; i++)
                m[i] = &j->v[i];
        if (j->type == JS_OBJ && indent < 0)
                qsort(m, j->n, sizeof(struct js_member *), by_key);
        for (size_t i = 0; i < j->n; i++) {
                if (i)
                        buf_byte(out, ',');
                new_line(out, inner);
                if (j->type == JS_OBJ) {
                        js_write_str(m[i]->key, out);
                        buf_add(out, indent < 0 ? SV(":") : SV(": "));
                }
                write_value(m[i]->value, out, inner);
        }
        if (j->n)
                new_line(out, indent);
        arena_done(&tmp);
}

static void write_value(const struct js *j, struct buf *out, int indent)
{
        switch (j->type) {
        case JS_NULL:
                buf_add(out, SV("null"));
                break;
        case JS_FALSE:
                buf_add(out, SV("false"));
                break;
        case JS_TRUE:
                buf_add(out, SV("true"));
                break;
        case JS_INT:
                buf_fmt(out, "%lld", (long long)j->num);
                break;
        case JS_REAL:
                buf_add(out, j->str);
                break;
        case JS_STR:
                js_write_str(j->str, out);
                break;
        case JS_ARR:
                buf_byte(out, '[');
                write_members(j, out, indent);
                buf_byte(out, ']');
                break;
        case JS_OBJ:
                buf_byte(out, '{');
                write_members(j, out, indent);
                buf_byte(out, '}');
                break;
        }
}

void js_write(const struct js *j, struct buf *out)
{
        write_value(j, out, -1);
}

void js_write_pretty(const struct js *j, struct buf *out)
{
        write_value(j, out, 0);
        buf_byte(out, '\n');
}
