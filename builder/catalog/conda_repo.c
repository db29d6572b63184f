#include "catalog/conda_repo.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "catalog/conda_record.h"
#include "net/url.h"

int conda_place_base(struct arena *a, sv folder, sv base_url, sv *ret, struct err *e)
{
        struct url from, to;
        sv joined;

        *ret = folder;
        if (!base_url.n)
                return 0;
        joined = url_public(a, url_join(a, folder, base_url));
        if (!url_parse(joined, &to) || !url_parse(folder, &from) ||
            !(sv_is(to.scheme, "https") || sv_is(to.scheme, "http") || sv_eq(to.scheme, from.scheme)))
                return err_set(e, ERR_INTEGRITY, "its base_url '%.*s' is not a place where packages can be",
                               SV_ARG(url_masked(a, base_url)));
        *ret = sv_ends(joined, SV("/")) ? joined : arena_fmt(a, "%.*s/", SV_ARG(joined));
        return 0;
}

sv conda_bytes_sv(const struct conda_bytes *b)
{
        return b->heap ? (sv){ b->heap, b->n } : (sv){ (const char *)b->map.p, b->map.n };
}

void conda_bytes_done(struct conda_bytes *b)
{
        fs_map_close(&b->map);
        free(b->heap);
        *b = (struct conda_bytes){ 0 };
}

void conda_repo_done(struct conda_repo *r)
{
        conda_bytes_done(&r->text);
        conda_bytes_done(&r->bytes);
}

/* --- records --- */

static int by_file(const void *a, const void *b, void *list)
{
        const struct conda_record *v = list;
        uint32_t i = *(const uint32_t *)a, k = *(const uint32_t *)b;
        int c = sv_cmp(v[i].fn, v[k].fn);

        return c ? c : i < k ? -1 : i > k;
}

void conda_list_close(struct conda_list *list, size_t from, const struct conda_place *p, struct arena *a)
{
        AUTO(arena_done) struct arena tmp = { 0 };
        size_t n = list->n - from, kept = from;
        struct conda_record *was = arena_array(&tmp, struct conda_record, n);
        uint32_t *order = arena_array(&tmp, uint32_t, n);

        if (!n)
                return;
        memcpy(was, list->v + from, n * sizeof(*was));
        for (size_t i = 0; i < n; i++)
                order[i] = (uint32_t)i;
        qsort_r(order, n, sizeof(*order), by_file, was);
        for (size_t i = 0; i < n; i++) {
                struct conda_record *r = &was[order[i]];

                if (i + 1 < n && sv_eq(r->fn, was[order[i + 1]].fn))
                        continue; /* a key that stands there twice: the later one counts, as in every JSON reader */
                r->url = arena_fmt(a, "%.*s%.*s", SV_ARG(p->base), SV_ARG(r->fn));
                list->v[kept++] = *r;
        }
        list->n = kept;
}

static bool decode(const struct conda_repo *r, const struct conda_index_entry *t, struct arena *a,
                   struct conda_record *ret)
{
        const char *why;
        sv key, json;

        *ret = (struct conda_record){ .channel = r->place.channel,
                                      .channel_no = r->place.channel_no,
                                      .subdir = r->place.subdir };
        if (!conda_index_entry_text(&r->index, t, &key, &json))
                return false;
        ret->fn = key;
        if (sv_find(key, '\\') >= 0 && !conda_text_decode(a, key, &ret->fn))
                return false;
        return conda_record_decode(a, json, ret, &why);
}

void conda_repo_add(const struct conda_repo *r, sv name, struct arena *a, struct conda_list *list)
{
        const struct conda_index_entry *entry = NULL;
        size_t n = 0, from = list->n;

        if (!conda_index_find(&r->index, name, &entry, &n))
                return;
        for (size_t i = 0; i < n; i++) {
                struct conda_record one;

                if (decode(r, &entry[i], a, &one) && sv_eq(one.name, name))
                        *arena_push(a, list->v, list->n, list->cap) = one;
                else
                        list->left_out++;
        }
        conda_list_close(list, from, &r->place, a);
}

/* --- near names --- */

unsigned conda_near_begin(sv name)
{
        return name.n < 5 ? 2 : 3; /* one slip in a short name, two in a long one */
}

void conda_near_one(sv name, sv other, unsigned *best, sv *ret)
{
        size_t gap = name.n > other.n ? name.n - other.n : other.n - name.n;
        unsigned d;

        if (gap >= *best)
                return;
        d = sv_distance(name, other, *best);
        if (d < *best && d > 0) {
                *best = d;
                *ret = other;
        }
}

void conda_repo_near(const struct conda_repo *r, sv name, unsigned *best, sv *ret)
{
        for (uint32_t i = 0; i < r->index.n_name; i++)
                conda_near_one(name, conda_index_name(&r->index, i), best, ret);
}
