#include "catalog/conda_shards.h"

#include <stdlib.h>
#include <string.h>

#include "catalog/conda_record.h"
#include "pkg/msgpack.h"

/* --- the index --- */

static bool take_map(struct msgpack *m, uint32_t *ret_n)
{
        struct msgpack_item item;

        *ret_n = 0;
        if (!msgpack_next(m, &item) || item.type != MSGPACK_MAP)
                return false;
        *ret_n = item.n;
        return true;
}

static bool take_key(struct msgpack *m, sv *ret)
{
        struct msgpack_item item;

        if (!msgpack_next(m, &item) || item.type != MSGPACK_TEXT)
                return false;
        *ret = item.text;
        return true;
}

static bool take_info(struct msgpack *m, struct conda_shards *s)
{
        uint32_t n;
        sv key;

        if (!take_map(m, &n))
                return false;
        while (n--) {
                struct msgpack_item item;
                struct msgpack at;

                if (!take_key(m, &key))
                        return false;
                at = *m;
                if (!msgpack_skip(m) || !msgpack_next(&at, &item))
                        return false;
                if (item.type == MSGPACK_TEXT && sv_is(key, "base_url"))
                        s->base_url = item.text;
                if (item.type == MSGPACK_TEXT && sv_is(key, "shards_base_url"))
                        s->shards_base_url = item.text;
        }
        return true;
}

/* 32 bytes, or their hexadecimal text. */
static bool take_digest(struct msgpack *m, sha256 *ret)
{
        struct msgpack_item item;

        if (!msgpack_next(m, &item) || (item.type != MSGPACK_BYTES && item.type != MSGPACK_TEXT))
                return false;
        if (item.text.n == sizeof(ret->b)) {
                memcpy(ret->b, item.text.p, sizeof(ret->b));
                return true;
        }
        return item.type == MSGPACK_TEXT && sha256_read(item.text, ret);
}

static bool take_shards(struct msgpack *m, struct arena *a, struct conda_shards *s)
{
        uint32_t n;

        if (!take_map(m, &n))
                return false;
        if (n > (uint64_t)(m->end - m->p) /
                        33) /* what each takes at least, so that nobody makes us reserve more than he sends */
                return false;
        s->v = arena_array(a, struct conda_shard, n);
        s->n = 0;
        while (n--) {
                struct conda_shard *one = &s->v[s->n++];

                if (!take_key(m, &one->name) || !take_digest(m, &one->digest))
                        return false;
        }
        return true;
}

static int by_name(const void *a, const void *b)
{
        const struct conda_shard *x = a, *y = b;
        int c = sv_cmp(x->name, y->name);

        return c ? c : sha256_cmp(&x->digest, &y->digest);
}

static bool take_index(struct msgpack *m, struct arena *a, struct conda_shards *s, int64_t *ret_version)
{
        struct msgpack_item item;
        uint32_t n;
        sv key;

        if (!take_map(m, &n))
                return false;
        while (n--) {
                bool good;

                if (!take_key(m, &key))
                        return false;
                if (sv_is(key, "version")) {
                        good = msgpack_next(m, &item) && item.type == MSGPACK_INT;
                        *ret_version = item.num;
                } else if (sv_is(key, "info")) {
                        good = take_info(m, s);
                } else if (sv_is(key, "shards")) {
                        good = take_shards(m, a, s);
                } else {
                        good = msgpack_skip(m);
                }
                if (!good)
                        return false;
        }
        return m->p == m->end;
}

int conda_shards_parse(struct arena *a, sv bytes, struct conda_shards *ret, struct err *e)
{
        struct conda_shards s = { 0 };
        struct msgpack m = msgpack_begin(bytes);
        int64_t version = 0;

        if (!take_index(&m, a, &s, &version))
                return err_set(e, ERR_INTEGRITY, "this is no index of shards");
        if (version != 1)
                return err_set(e, ERR_INTEGRITY, "this index of shards is of version %lld, and 1 is what we read",
                               (long long)version);
        if (s.n)
                qsort(s.v, s.n, sizeof(*s.v), by_name);
        *ret = s;
        return 0;
}

const struct conda_shard *conda_shards_find(const struct conda_shards *s, sv name)
{
        size_t from = 0, to = s->n;

        while (from < to) {
                size_t i = from + (to - from) / 2;
                int c = sv_cmp(s->v[i].name, name);

                if (c == 0)
                        return &s->v[i];
                if (c < 0)
                        from = i + 1;
                else
                        to = i;
        }
        return NULL;
}

/* --- a shard --- */

/* A list of texts; anything else in it makes it another value. */
static bool take_list(struct msgpack *m, uint32_t n, struct arena *a, struct conda_value *ret)
{
        *ret = (struct conda_value){ .type = CONDA_TEXTS };
        ret->v = arena_array(a, sv, n);
        while (n--) {
                struct msgpack_item item;
                struct msgpack at = *m;

                if (!msgpack_skip(m) || !msgpack_next(&at, &item))
                        return false;
                if (item.type != MSGPACK_TEXT || !sv_utf8(item.text))
                        ret->type = CONDA_OTHER;
                else
                        ret->v[ret->n++] = item.text;
        }
        return true;
}

static bool take_value(struct msgpack *m, struct arena *a, struct conda_value *ret)
{
        static const enum conda_value_type simple[] = { [MSGPACK_NIL] = CONDA_NULL,    [MSGPACK_FALSE] = CONDA_FALSE,
                                                        [MSGPACK_TRUE] = CONDA_TRUE,   [MSGPACK_INT] = CONDA_INT,
                                                        [MSGPACK_REAL] = CONDA_OTHER,  [MSGPACK_TEXT] = CONDA_TEXT,
                                                        [MSGPACK_BYTES] = CONDA_BYTES, [MSGPACK_ARRAY] = CONDA_OTHER,
                                                        [MSGPACK_MAP] = CONDA_OTHER,   [MSGPACK_EXT] = CONDA_OTHER };
        struct msgpack at = *m;
        struct msgpack_item item;

        if (!msgpack_next(m, &item))
                return false;
        *ret = (struct conda_value){ .type = simple[item.type], .text = item.text, .num = item.num };
        if (item.type == MSGPACK_ARRAY)
                return take_list(m, item.n, a, ret);
        if (item.type == MSGPACK_REAL && item.real > -9e15 && item.real < 9e15) { /* a time with a fraction */
                ret->type = CONDA_INT;
                ret->num = (int64_t)item.real;
        }
        if (item.type == MSGPACK_TEXT && !sv_utf8(item.text))
                ret->type = CONDA_OTHER;
        if (item.type != MSGPACK_MAP)
                return true;
        *m = at;
        return msgpack_skip(m);
}

/* *ret_good: the record can be used; false: the bytes are broken. */
static bool take_record(struct msgpack *m, struct arena *a, struct conda_record *r, bool *ret_good)
{
        uint32_t n;
        sv key;

        *ret_good = true;
        if (!take_map(m, &n))
                return false;
        while (n--) {
                enum conda_field f;
                struct conda_value v;

                if (!take_key(m, &key))
                        return false;
                f = conda_field_find(key);
                if (f == CONDA_F_NONE ? !msgpack_skip(m) : !take_value(m, a, &v))
                        return false;
                if (f != CONDA_F_NONE && !conda_field_set(f, &v, a, r))
                        *ret_good = false;
        }
        *ret_good = *ret_good && !conda_record_check(a, r);
        return true;
}

static bool take_records(struct msgpack *m, const struct conda_place *p, sv name, struct arena *a,
                         struct conda_list *list)
{
        uint32_t n;

        if (!take_map(m, &n))
                return false;
        while (n--) {
                struct conda_record r = { .channel = p->channel, .channel_no = p->channel_no, .subdir = p->subdir };
                bool good;

                if (!take_key(m, &r.fn) || !take_record(m, a, &r, &good))
                        return false;
                if (good && sv_eq(r.name, name))
                        *arena_push(a, list->v, list->n, list->cap) = r;
                else
                        list->left_out++;
        }
        return true;
}

static bool take_shard(struct msgpack *m, const struct conda_place *p, sv name, struct arena *a,
                       struct conda_list *list)
{
        uint32_t n;
        sv key;

        if (!take_map(m, &n))
                return false;
        while (n--) {
                if (!take_key(m, &key))
                        return false;
                if (sv_is(key, "packages") || sv_is(key, "packages.conda") ? !take_records(m, p, name, a, list)
                                                                           : !msgpack_skip(m))
                        return false;
        }
        return m->p == m->end;
}

int conda_shard_add(sv bytes, const struct conda_place *p, sv name, struct arena *a, struct conda_list *list,
                    struct err *e)
{
        struct msgpack m = msgpack_begin(bytes);
        size_t from = list->n;

        if (!take_shard(&m, p, name, a, list)) {
                list->n = from;
                return err_set(e, ERR_INTEGRITY, "this is no shard");
        }
        conda_list_close(list, from, p, a);
        return 0;
}
