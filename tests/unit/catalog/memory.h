/* tests/unit/catalog/memory.h - a PyPI source from a few lines of text, and a catalog over it: one file a line,
 *   foo-1.0-py3-none-any.whl [key=value ...] | requirement ; requirement
 * keys: py (Requires-Python), yanked (reason), up (upload time), sha (first hex digit, repeated; none: unknown), extra, broken. */
#ifndef TESTS_MEMORY_H
#define TESTS_MEMORY_H

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/map.h"
#include "catalog/pypi_priv.h"
#include "pkg/pyname.h"
#include "tests/unit/unit.h"

struct memory {
        struct pypi_source source;
        struct arena arena;
        struct map pages, metadata;
        struct pypi_page none, later;
        unsigned asked; /* metadata() calls */
        bool down;      /* every page fails */
};

static inline struct pypi_page *memory_page(struct memory *m, sv name)
{
        struct pypi_page *p = map_get(&m->pages, name);

        if (!p) {
                p = arena_new(&m->arena, struct pypi_page);
                p->later_index = UINT32_MAX;
                p->v = arena_array(&m->arena, struct pypi_file, 64);
                map_put(&m->pages, &m->arena, arena_sv(&m->arena, name), p);
        }
        return p;
}

static inline void memory_key(struct memory *m, struct pypi_file *f, sv key, sv value, struct buf *head)
{
        char hex[65] = { 0 };

        for (char *c = (char *)value.p; c < value.p + value.n; c++)
                *c = *c == '_' ? ' ' : *c;
        if (sv_is(key, "py"))
                f->requires_python = value;
        else if (sv_is(key, "mpy"))
                buf_fmt(head, "Requires-Python: %.*s\n", SV_ARG(value));
        else if (sv_is(key, "yanked"))
                f->yanked = true, f->yanked_reason = value;
        else if (sv_is(key, "up"))
                assert_true(time_parse(value, &f->uploaded));
        else if (sv_is(key, "extra"))
                buf_fmt(head, "Provides-Extra: %.*s\n", SV_ARG(value));
        else if (sv_is(key, "broken"))
                buf_fmt(head, "Version: 9.9.9\n");
        else if (sv_is(key, "sha")) {
                memset(hex, value.p[0], 64);
                f->hash = arena_new(&m->arena, struct pypi_hash);
                *f->hash = (struct pypi_hash){ SV("sha256"), arena_sv(&m->arena, sv_from(hex)) };
                f->n_hash = 1;
                assert_true(sha256_read(sv_from(hex), &f->sha256));
        } else {
                fail_msg("unknown key %.*s", SV_ARG(key));
        }
}

static inline void memory_line(struct memory *m, sv line)
{
        struct arena *a = &m->arena;
        AUTO(buf_done) struct buf text = BUF_INIT(1 << 16);
        AUTO(buf_done) struct buf head = BUF_INIT(1 << 16);
        struct pypi_file f = { .size = 100 };
        struct wheel_name w;
        struct sdist_name d;
        sv left, word, key, name, version, why;
        struct pypi_page *p;

        sv_cut(&line, '|', &left);
        left = sv_trim(left);
        sv_cut(&left, ' ', &f.filename);
        f.filename = arena_sv(a, f.filename);
        f.url = arena_fmt(a, "https://files.test/%.*s", SV_ARG(f.filename));
        while (sv_cut(&left, ' ', &word))
                if (sv_cut(&word, '=', &key))
                        memory_key(m, &f, key, arena_sv(a, word), &head);
        if (wheel_name_parse(a, f.filename, false, &w, &why)) {
                name = w.name;
                version = w.version;
        } else {
                assert_true(sdist_name_parse(a, f.filename, (sv){ 0 }, &d, &why));
                name = d.name;
                version = d.version;
        }
        buf_fmt(&text, "Metadata-Version: 2.1\nName: %.*s\n", SV_ARG(name));
        if (sv_find_sv(buf_sv(&head), SV("Version:")) < 0)
                buf_fmt(&text, "Version: %.*s\n", SV_ARG(version));
        buf_add(&text, buf_sv(&head));
        while (sv_cut(&line, '&', &word))
                if (sv_trim(word).n)
                        buf_fmt(&text, "Requires-Dist: %.*s\n", SV_ARG(sv_trim(word)));
        p = memory_page(m, name);
        assert_true(p->n < 64);
        p->v[p->n] = f;
        map_put(&m->metadata, a, p->v[p->n].url, arena_str(a, buf_sv(&text)));
        p->n++;
}

static inline int memory_op_page(struct pypi_source *s, sv name, const struct pypi_page **ret, struct err *e)
{
        struct memory *m = (struct memory *)s;

        if (m->down)
                return err_set(e, ERR_AUTH, "401");
        *ret = map_get(&m->pages, name);
        if (!*ret)
                *ret = &m->none;
        return 0;
}

static inline bool memory_op_ready(struct pypi_source *s, sv name)
{
        (void)s, (void)name;
        return true;
}

static inline void memory_op_soon(struct pypi_source *s, sv name)
{
        (void)s, (void)name;
}

static inline int memory_op_metadata(struct pypi_source *s, const struct pypi_file *f, sv *ret, struct err *e)
{
        struct memory *m = (struct memory *)s;
        const char *text = map_get(&m->metadata, f->url);

        m->asked++;
        if (!text)
                return err_set(e, ERR_NOT_FOUND, "no '%.*s'", SV_ARG(f->url));
        *ret = sv_from(text);
        return 0;
}

static inline bool memory_op_metadata_ready(struct pypi_source *s, const struct pypi_file *f)
{
        (void)s, (void)f;
        return true;
}

static inline void memory_op_metadata_soon(struct pypi_source *s, const struct pypi_file *f)
{
        (void)s, (void)f;
}

static inline int memory_op_later(struct pypi_source *s, sv name, const struct pypi_page **ret, uint32_t *ret_index,
                                  struct err *e)
{
        struct memory *m = (struct memory *)s;

        (void)name, (void)e;
        *ret = m->later.n ? &m->later : NULL;
        *ret_index = 1;
        return 0;
}

static inline void memory_op_free(struct pypi_source *s)
{
        struct memory *m = (struct memory *)s;

        arena_done(&m->arena);
        free(m);
}

static inline struct memory *memory_new(const char *text)
{
        static const struct pypi_source_ops ops = { .page = memory_op_page,
                                                    .page_ready = memory_op_ready,
                                                    .page_soon = memory_op_soon,
                                                    .metadata = memory_op_metadata,
                                                    .metadata_ready = memory_op_metadata_ready,
                                                    .metadata_soon = memory_op_metadata_soon,
                                                    .free = memory_op_free,
                                                    .later = memory_op_later };
        struct memory *m = calloc(1, sizeof(*m));
        sv rest = sv_from(text), line;

        m->source.ops = &ops;
        m->none.absent = true;
        while (sv_line(&rest, &line))
                if (sv_trim(line).n)
                        memory_line(m, sv_trim(line));
        return m;
}

#endif
