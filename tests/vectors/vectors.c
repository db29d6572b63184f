/* tests/vectors/vectors.c - the runner: finds the kind, reads the files, counts, reports. */
#include "tests/vectors/vectors.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "stream/stream.h"

#define FILE_MAX ((size_t)1 << 30)

static const struct vectors_kind *const tables[] = { vectors_oci, vectors_pypi_rules, vectors_pypi_files,
                                                     vectors_pypi_wheels, vectors_pypi_solve };

static const struct vectors_kind *kind_find(const char *name)
{
        for (size_t t = 0; t < ARRAY_LEN(tables); t++)
                for (const struct vectors_kind *k = tables[t]; k->name; k++)
                        if (!strcmp(k->name, name))
                                return k;
        return NULL;
}

void vectors_pass(struct vectors *v)
{
        v->passed++;
}

/* One failure, one line: whatever the case holds. */
static void fail_line(struct vectors *v, const char *id, const char *fmt, va_list ap)
{
        AUTO(free_ptr) char *text = NULL;
        const char *file = strrchr(v->file, '/');

        v->failed++;
        if (vasprintf(&text, fmt, ap) < 0)
                abort();
        for (char *p = text; *p; p++)
                if ((unsigned char)*p < ' ')
                        *p = ' ';
        printf("FAIL %s: ", file ? file + 1 : v->file);
        for (const char *p = id; *p; p++)
                putchar((unsigned char)*p < ' ' ? '?' : *p);
        printf(": %s\n", text);
}

void vectors_fail(struct vectors *v, const char *id, const char *fmt, ...)
{
        va_list ap;

        va_start(ap, fmt);
        fail_line(v, id, fmt, ap);
        va_end(ap);
}

void vectors_check(struct vectors *v, bool ok, const char *id, const char *fmt, ...)
{
        va_list ap;

        if (ok) {
                v->passed++;
                return;
        }
        va_start(ap, fmt);
        fail_line(v, id, fmt, ap);
        va_end(ap);
}

static int unpack(const char *path, struct buf *out, struct err *e)
{
        AUTO(fs_map_close) struct fs_map map = { 0 };
        struct mem_reader packed;
        struct buf_writer sink;
        struct reader *r;
        int rc;

        if (fs_map_open(path, &map, e) < 0)
                return -(int)e->code;
        r = zstd_reader_new(mem_reader_init(&packed, (sv){ (const char *)map.p, map.n }));
        rc = reader_copy(r, buf_writer_init(&sink, out), NULL, e);
        decode_reader_free(r);
        return rc;
}

bool vectors_read(struct vectors *v, const char *path, struct buf *out)
{
        AUTO(err_done) struct err e = { 0 };

        out->max = FILE_MAX;
        if (!(sv_ends(sv_from(path), SV(".zst")) ? unpack(path, out, &e) : fs_read(path, out, &e)))
                return true;
        vectors_fail(v, path, "%s", e.cause);
        return false;
}

const struct js *vectors_load(struct vectors *v, const char *path)
{
        AUTO(err_done) struct err e = { 0 };
        AUTO(buf_done) struct buf text = { 0 };
        struct js *doc;

        if (!vectors_read(v, path, &text))
                return NULL;
        if (!js_parse(&v->arena, buf_sv(&text), &doc, &e))
                return doc;
        vectors_fail(v, path, "%s", e.cause);
        return NULL;
}

/* The folder that a file's cases refer to: …/corpus/pypi for …/corpus/pypi/vectors/x.json. Heap. */
static char *corpus_of(const char *file)
{
        char *path = realpath(file, NULL), *at, *end;

        if (!path)
                return strdup(".");
        at = strstr(path, "/corpus/");
        for (char *later; at && (later = strstr(at + 1, "/corpus/"));)
                at = later;
        end = at ? strchr(at + strlen("/corpus/"), '/') : strrchr(path, '/');
        if (end)
                *end = 0;
        return path;
}

static void run_file(struct vectors *v, const struct vectors_kind *kind, const char *corpus, const char *file)
{
        AUTO(free_ptr) char *own = corpus ? NULL : corpus_of(file);
        const struct js *doc;
        size_t before = v->passed + v->failed;

        v->file = file;
        v->corpus = corpus ? corpus : own;
        doc = vectors_load(v, file);
        if (doc)
                kind->run(v, doc);
        if (v->passed + v->failed == before)
                vectors_fail(v, kind->name, "the file holds no case");
        arena_done(&v->arena);
}

static int usage(void)
{
        fputs("usage: vectors [-d CORPUS] ECOSYSTEM/STEM FILE...\nkinds:\n", stderr);
        for (size_t t = 0; t < ARRAY_LEN(tables); t++)
                for (const struct vectors_kind *k = tables[t]; k->name; k++)
                        fprintf(stderr, "  %s\n", k->name);
        return 2;
}

int main(int argc, char **argv)
{
        const char *corpus = NULL;
        const struct vectors_kind *kind;
        struct vectors v = { 0 };
        int i = 1;

        if (argc > 2 && !strcmp(argv[1], "-d")) {
                corpus = argv[2];
                i = 3;
        }
        if (argc - i < 2)
                return usage();
        kind = kind_find(argv[i++]);
        if (!kind)
                return usage();
        for (; i < argc; i++)
                run_file(&v, kind, corpus, argv[i]);
        printf("%zu passed, %zu failed\n", v.passed, v.failed);
        return v.failed || !v.passed;
}
