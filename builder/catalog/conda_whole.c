#include "catalog/conda_whole.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

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

void conda_whole_done(struct conda_whole *r)
{
        conda_bytes_done(&r->bytes);
        if (!r->text)
                close_fd(&r->fd);
        free(r->text);
        free(r->marks);
        *r = (struct conda_whole){ .fd = -1 };
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

/* A piece of the text. */
static int piece(const struct conda_whole *r, uint32_t from, uint32_t to, struct arena *a, sv *ret, struct err *e)
{
        char *p;
        size_t n = to - from;

        if (r->text) {
                *ret = (sv){ r->text + from, n };
                return 0;
        }
        p = arena_alloc(a, n, 1);
        *ret = (sv){ p, n };
        for (size_t got = 0; got < n;) {
                ssize_t k = pread(r->fd, p + got, n - got, (off_t)(from + got));

                if (k < 0 && errno == EINTR)
                        continue;
                if (k < 0)
                        return err_errno(e, "cannot read the repodata of '%.*s'", SV_ARG(r->place.base));
                if (k == 0)
                        return err_set(e, ERR_IO, "the repodata of '%.*s' was cut off while it was used",
                                       SV_ARG(r->place.base));
                got += (size_t)k;
        }
        return 0;
}

int conda_whole_info(const struct conda_whole *r, const char *key, struct arena *a, sv *ret, struct err *e)
{
        sv info = { 0 };

        *ret = info;
        if (!r->index.info_length)
                return 0;
        if (piece(r, r->index.info_at, r->index.info_at + r->index.info_length, a, &info, e) < 0)
                return -(int)e->code;
        *ret = conda_object_text(a, info, key);
        return 0;
}

int conda_whole_index(struct conda_whole *r, const sha256 *source, struct op *op, struct err *e)
{
        sv text = { r->text ? r->text : "", r->text_size };
        bool mapped = !r->text && r->text_size;
        int done;

        if (mapped) {
                void *p = mmap(NULL, r->text_size, PROT_READ, MAP_PRIVATE, r->fd, 0);

                if (p == MAP_FAILED)
                        return err_errno(e, "cannot map %llu bytes", (unsigned long long)r->text_size);
                text.p = p;
        }
        done = conda_index_make(text, mapped, source, op, &r->bytes.heap, &r->bytes.n, e);
        if (mapped)
                munmap((void *)(uintptr_t)text.p, text.n);
        if (done < 0)
                return done;
        if (!conda_index_open(conda_bytes_sv(&r->bytes), text.n, source, &r->index))
                return err_set(e, ERR_FAILED, "the index just made cannot be read");
        return 0;
}

/* `text` begins at the entry's key and ends with its record. */
static bool decode(const struct conda_whole *r, const struct conda_index_entry *t, sv text, struct arena *a,
                   struct conda_record *ret)
{
        const char *why;
        sv key = sv_from_to(text, 1, t->record - t->key);
        size_t end = 0;

        *ret = (struct conda_record){ .channel = r->place.channel,
                                      .channel_no = r->place.channel_no,
                                      .subdir = r->place.subdir };
        while (end < key.n && key.p[end] != '"')
                end += key.p[end] == '\\' ? 2 : 1;
        ret->fn = key = sv_from_to(key, 0, end);
        if (sv_find(key, '\\') >= 0 && !conda_text_decode(a, key, &ret->fn))
                return false;
        return conda_record_decode(a, sv_skip(text, t->record - t->key), ret, &why);
}

/* Records that stand close together are read in one go. */
enum { GAP_MAX = 4096, RUN_MAX = 4 << 20 };

static size_t run_of(const struct conda_whole *r, const struct conda_index_entry *t, size_t n, uint32_t *ret_end)
{
        size_t i = 0;
        uint32_t end;

        *ret_end = 0;
        for (; i < n && conda_index_entry_end(&r->index, &t[i], &end); i++) {
                if (i && (t[i].key < *ret_end || t[i].key - *ret_end > GAP_MAX || end - t[0].key > RUN_MAX))
                        break;
                *ret_end = end;
        }
        return i;
}

static int add_run(const struct conda_whole *r, const struct conda_index_entry *t, size_t n, uint32_t end, sv name,
                   struct arena *a, struct conda_list *list, struct err *e)
{
        sv text;

        if (piece(r, t[0].key, end, a, &text, e) < 0)
                return -(int)e->code;
        for (size_t i = 0; i < n; i++) {
                struct conda_record one;
                uint32_t to = end;

                conda_index_entry_end(&r->index, &t[i], &to);
                if (decode(r, &t[i], sv_from_to(text, t[i].key - t[0].key, to - t[0].key), a, &one) &&
                    sv_eq(one.name, name))
                        *arena_push(a, list->v, list->n, list->cap) = one;
                else
                        list->left_out++;
        }
        return 0;
}

int conda_whole_add(const struct conda_whole *r, sv name, struct arena *a, struct conda_list *list, struct err *e)
{
        const struct conda_index_entry *entry = NULL;
        size_t n = 0, from = list->n, run;
        uint32_t end;

        if (!conda_index_find(&r->index, name, &entry, &n))
                return 0;
        for (size_t i = 0; i < n; i += run) {
                run = run_of(r, entry + i, n - i, &end);
                if (run == 0)
                        return err_set(e, ERR_INTEGRITY, "the index of '%.*s' is damaged", SV_ARG(r->place.base));
                if (add_run(r, entry + i, run, end, name, a, list, e) < 0)
                        return -(int)e->code;
        }
        conda_list_close(list, from, &r->place, a);
        return 0;
}

static sv name_at(const void *of, size_t i)
{
        return conda_index_name(of, (uint32_t)i);
}

void conda_whole_near(struct conda_whole *r, struct conda_near *n)
{
        if (!r->marks)
                r->marks = conda_near_marks(name_at, &r->index, r->index.n_name);
        conda_near_look(n, r->marks, name_at, &r->index, r->index.n_name);
}
