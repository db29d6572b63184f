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

static const struct vectors_kind *const tables[] = {
        vectors_conda_definitions, vectors_conda_install, vectors_conda_rules, vectors_conda_solve, vectors_oci,
        vectors_run_jobs,          vectors_pypi_files,    vectors_pypi_rules,  vectors_pypi_solve,  vectors_pypi_wheels,
};

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

/* A line's tab-separated fields. */
static struct js *fields(struct arena *a, sv line)
{
        struct js *row = js_new_arr(a);
        ptrdiff_t tab;

        while ((tab = sv_find(line, '\t')) >= 0) {
                js_add(a, row, js_new_str(a, arena_sv(a, sv_from_to(line, 0, (size_t)tab))));
                line = sv_skip(line, (size_t)tab + 1);
        }
        js_add(a, row, js_new_str(a, arena_sv(a, line)));
        return row;
}

enum form { FORM_JSON, FORM_JSONL, FORM_TSV, FORM_TXT, FORM_WHOLE };

/* By the file's name; ".zst" after it does not count. */
static enum form form_of(sv path)
{
        if (sv_ends(path, SV(".zst")))
                path.n -= strlen(".zst");
        if (sv_ends(path, SV(".yml")) || sv_ends(path, SV(".yaml")) || sv_ends(path, SV(".lock")) ||
            sv_ends(path, SV(".toml")))
                return FORM_WHOLE;
        return sv_ends(path, SV(".jsonl")) ? FORM_JSONL
               : sv_ends(path, SV(".tsv")) ? FORM_TSV
               : sv_ends(path, SV(".txt")) ? FORM_TXT
                                           : FORM_JSON;
}

/* One value a line; in tables and texts, lines that begin with '#' and a blank are for people. */
static int lines_parse(struct arena *a, sv text, enum form form, struct js **ret, struct err *e)
{
        struct js *doc = js_new_arr(a), *value;
        size_t no = 0;
        sv line;

        while (sv_line(&text, &line)) {
                no++;
                if (!line.n || (form != FORM_JSONL && sv_starts(line, SV("# "))))
                        continue;
                if (form == FORM_TSV)
                        value = fields(a, line);
                else if (form == FORM_TXT)
                        value = js_new_str(a, arena_sv(a, line));
                else if (js_parse(a, line, &value, e) < 0)
                        return err_while(e, "reading line %zu", no);
                js_add(a, doc, value);
        }
        *ret = doc;
        return 0;
}

const struct js *vectors_load(struct vectors *v, const char *path)
{
        AUTO(err_done) struct err e = { 0 };
        AUTO(buf_done) struct buf text = { 0 };
        enum form form = form_of(sv_from(path));
        struct js *doc;
        int r;

        if (!vectors_read(v, path, &text))
                return NULL;
        if (form == FORM_WHOLE)
                return js_new_str(&v->arena, arena_sv(&v->arena, buf_sv(&text)));
        r = form == FORM_JSON ? js_parse(&v->arena, buf_sv(&text), &doc, &e)
                              : lines_parse(&v->arena, buf_sv(&text), form, &doc, &e);
        if (!r)
                return doc;
        vectors_fail(v, path, "%s%s", e.cause, e.trail ? e.trail : "");
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
