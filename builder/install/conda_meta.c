#include <stdlib.h>

#include "base/cleanup.h"
#include "install/conda_priv.h"

/* --- what a URL says */

static int digit(char c)
{
        return c >= '0' && c <= '9'   ? c - '0'
               : c >= 'a' && c <= 'f' ? c - 'a' + 10
               : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                      : -1;
}

sv conda_url_file(struct arena *a, sv url)
{
        sv file = sv_basename(url);
        char *p = arena_str(a, file);
        size_t n = 0;

        for (size_t i = 0; i < file.n && file.p[i] != '#' && file.p[i] != '?'; i++) {
                int high = i + 2 < file.n && file.p[i] == '%' ? digit(file.p[i + 1]) : -1;
                int low = high >= 0 ? digit(file.p[i + 2]) : -1;

                p[n++] = low >= 0 ? (char)(high << 4 | low) : file.p[i];
                i += low >= 0 ? 2 : 0;
        }
        p[n] = '\0';
        return (sv){ p, n };
}

/* "https://host/conda-forge" of "https://host/conda-forge/linux-64/x.conda" (as layer/key.c has it) */
static sv channel_of(sv url)
{
        for (int i = 0; i < 2; i++) {
                ptrdiff_t at = sv_rfind(url, '/');

                url = sv_from_to(url, 0, at < 0 ? 0 : (size_t)at);
        }
        return url;
}

sv conda_meta_name(struct arena *a, const struct conda_index *x)
{
        return arena_fmt(a, "conda-meta/%.*s-%.*s-%.*s.json", SV_ARG(x->name), SV_ARG(x->version), SV_ARG(x->build));
}

/* --- the document */

static struct js *texts(struct arena *a, const sv *v, size_t n)
{
        struct js *j = js_new_arr(a);

        for (size_t i = 0; i < n; i++)
                js_add(a, j, js_new_str(a, v[i]));
        return j;
}

static struct js *hex(struct arena *a, const sha256 *d)
{
        return js_new_str(a, arena_sv(a, (sv){ sha256_hex(d).s, 64 }));
}

/* Who asked is not for a package's layer to know; what is empty is left out; canonical JSON has no fractions. */
static bool kept(sv key, const struct js *value)
{
        static const char *const not[] = { "requested_spec", "requested_specs", "auth" };

        for (size_t i = 0; i < ARRAY_LEN(not); i++)
                if (sv_is(key, not[i]))
                        return false;
        return value->type != JS_NULL;
}

static void copy_index(struct arena *a, const struct conda_index *x, struct js *to)
{
        for (size_t i = 0; i < x->doc->n; i++) {
                struct js *value = x->doc->v[i].value;

                if (!kept(x->doc->v[i].key, value))
                        continue;
                if (value->type == JS_REAL) { /* a timestamp of old builders */
                        double d = strtod(arena_str(a, value->str), NULL);

                        if (!(d > -9e15 && d < 9e15))
                                continue;
                        value = js_new_int(a, (int64_t)d);
                }
                js_put(a, to, x->doc->v[i].key, value);
        }
        js_drop(to, "noarch");
        if (x->noarch != CONDA_PLAIN)
                js_put_str(a, to, "noarch", x->noarch == CONDA_PYTHON ? SV("python") : SV("generic"));
}

static const char *type_name(const struct conda_path *p)
{
        static const char *const names[] = { [CONDA_HARDLINK] = "hardlink",
                                             [CONDA_SOFTLINK] = "softlink",
                                             [CONDA_DIRECTORY] = "directory",
                                             [CONDA_ENTRY_POINT] = "unix_python_entry_point" };
        return names[p->type];
}

/* What paths.json says of the file, else what was found. Zero digests are of a pass that read no contents. */
static void put_digests(struct arena *a, const struct conda_path *p, struct js *row)
{
        const sha256 *digest = p->has_sha256 ? &p->sha256 : p->placeholder.n ? &p->original : &p->installed;
        bool content = p->type == CONDA_HARDLINK || p->type == CONDA_ENTRY_POINT;

        if (p->has_sha256 || (content && !sha256_is_zero(digest)))
                js_put(a, row, SV("sha256"), hex(a, digest));
        if (p->placeholder.n && content && !sha256_is_zero(&p->installed))
                js_put(a, row, SV("sha256_in_prefix"), hex(a, &p->installed));
        if (p->has_size || content)
                js_put_int(a, row, "size_in_bytes", (int64_t)(p->has_size ? p->size : p->seen_size));
}

static struct js *path_row(struct arena *a, const struct conda_path *p)
{
        struct js *row = js_new_obj(a);

        js_put_str(a, row, "_path", p->to);
        js_put_str(a, row, "path_type", sv_from(type_name(p)));
        put_digests(a, p, row);
        if (p->no_link)
                js_put(a, row, SV("no_link"), js_new_bool(a, true));
        if (p->placeholder.n) {
                js_put_str(a, row, "prefix_placeholder", p->placeholder);
                js_put_str(a, row, "file_mode", p->mode == CONDA_BINARY ? SV("binary") : SV("text"));
        }
        return row;
}

/* --- writing: the long lists never stand in memory as a tree */

#define ROWS_AT_ONCE 1000

static void write_files(const struct conda_paths *paths, struct buf *out)
{
        const char *before = "[";

        for (size_t i = 0; i < paths->n; i++) {
                if (paths->v[i]->hidden)
                        continue;
                buf_add(out, sv_from(before));
                js_write_str(paths->v[i]->to, out);
                before = ",";
        }
        buf_add(out, *before == '[' ? SV("[]") : SV("]"));
}

static void write_paths_data(const struct conda_paths *paths, struct buf *out)
{
        struct arena a = { 0 };
        bool any = false;

        buf_add(out, SV("{\"paths\":["));
        for (size_t i = 0; i < paths->n; i++) {
                if (paths->v[i]->hidden)
                        continue;
                if (any)
                        buf_byte(out, ',');
                any = true;
                js_write(path_row(&a, paths->v[i]), out);
                if (i % ROWS_AT_ONCE == ROWS_AT_ONCE - 1) {
                        arena_done(&a);
                        a = (struct arena){ 0 };
                }
        }
        buf_add(out, SV("],\"paths_version\":1}"));
        arena_done(&a);
}

static int by_key(const void *a, const void *b)
{
        return sv_cmp(((const struct js_member *)a)->key, ((const struct js_member *)b)->key);
}

static void write_document(struct js *doc, const struct conda_paths *paths, struct buf *out)
{
        qsort(doc->v, doc->n, sizeof(*doc->v), by_key);
        for (size_t i = 0; i < doc->n; i++) {
                buf_byte(out, i ? ',' : '{');
                js_write_str(doc->v[i].key, out);
                buf_byte(out, ':');
                if (sv_is(doc->v[i].key, "files"))
                        write_files(paths, out);
                else if (sv_is(doc->v[i].key, "paths_data"))
                        write_paths_data(paths, out);
                else
                        js_write(doc->v[i].value, out);
        }
        buf_byte(out, '}');
}

void conda_meta_write(const struct conda_meta *m, struct buf *out)
{
        AUTO(arena_done) struct arena a = { 0 };
        struct js *doc = js_new_obj(&a), *link = js_new_obj(&a);
        int64_t number;

        copy_index(&a, m->index, doc);
        if (!js_int(js_get(doc, "build_number"), &number))
                js_put_int(&a, doc, "build_number", 0);
        if (!m->index->subdir.n)
                js_put_str(&a, doc, "subdir", conda_url_subdir(m->url));
        js_put(&a, doc, SV("depends"), texts(&a, m->depends, m->n_depends));
        js_put(&a, doc, SV("constrains"), texts(&a, m->constrains, m->n_constrains));
        js_put_str(&a, doc, "channel", channel_of(m->url));
        js_put_str(&a, doc, "url", m->url);
        js_put_str(&a, doc, "fn", conda_url_file(&a, m->url));
        js_put(&a, doc, SV("sha256"), hex(&a, &m->sha256));
        js_put_str(&a, doc, "md5", sv_from(m->md5));
        js_put_int(&a, doc, "size", (int64_t)m->size);
        js_put_str(&a, doc, "extracted_package_dir", SV(""));
        js_put_str(&a, doc, "package_tarball_full_path", SV(""));
        js_put_str(&a, link, "source", SV(""));
        js_put_int(&a, link, "type", 3);
        js_put(&a, doc, SV("link"), link);
        js_put(&a, doc, SV("files"), js_new_arr(&a)); /* their places */
        js_put(&a, doc, SV("paths_data"), js_new_obj(&a));
        write_document(doc, m->paths, out);
}
