#include "tests/vectors/pypi_index.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "ext/hash.h"
#include "pkg/pyname.h"

struct source {
        struct pypi_source source; /* first */
        struct vectors_index *x;
        uint32_t number; /* of this source over x */
};

/* ---- what there is ---- */

static struct index_package *package_add(struct vectors_index *x, sv name)
{
        struct index_package *p = map_get(&x->packages, name);

        if (!p) {
                p = arena_new(x->arena, struct index_package);
                p->name = name;
                map_put(&x->packages, x->arena, name, p);
        }
        return p;
}

void index_add(struct vectors_index *x, const struct js *packages)
{
        for (size_t i = 0; packages && i < packages->n; i++) {
                struct index_package *p = package_add(x, pyname_normalise(x->arena, packages->v[i].key));
                const struct js *more = packages->v[i].value, *old = p->versions;
                struct js *all = js_new_obj(x->arena);

                for (size_t k = 0; old && k < old->n; k++)
                        js_put(x->arena, all, old->v[k].key, old->v[k].value);
                for (size_t k = 0; k < more->n; k++)
                        js_put(x->arena, all, more->v[k].key, more->v[k].value);
                p->versions = all;
                p->page = NULL;
        }
}

bool index_read(struct vectors *v, struct vectors_index *x, const char *path)
{
        static const sv begin = { "{\"name\":\"", 9 };
        AUTO(buf_done) struct buf text = { 0 };
        sv rest, line;

        if (!vectors_read(v, path, &text))
                return false;
        rest = arena_sv(x->arena, buf_sv(&text));
        while (sv_line(&rest, &line)) {
                sv name = sv_skip(line, begin.n);

                if (!sv_starts(line, begin) || sv_find(name, '"') < 0) {
                        vectors_fail(v, path, "a line does not begin with a name");
                        return false;
                }
                name = pyname_normalise(x->arena, sv_from_to(name, 0, (size_t)sv_find(name, '"')));
                package_add(x, name)->line = line;
        }
        return true;
}

static struct index_package *package_find(struct vectors_index *x, sv name)
{
        struct index_package *p = map_get(&x->packages, name);
        AUTO(err_done) struct err e = { 0 };
        struct js *doc;

        if (p && !p->versions && !js_parse(x->arena, p->line, &doc, &e))
                p->versions = js_get(doc, "versions");
        return p && p->versions ? p : NULL;
}

const struct js *index_versions(struct vectors_index *x, sv name)
{
        const struct index_package *p = package_find(x, name);

        return p ? p->versions : NULL;
}

const struct js *index_field(const struct js *about, const struct js *file, const char *field)
{
        const struct js *own = js_get(file, field);

        return own ? own : js_get(about, field);
}

bool index_lists(const struct vectors_index *x, sv name, const struct js *file)
{
        bool wheel = sv_ends(js_get_str(file, "filename"), SV(".whl"));

        for (size_t i = 0; x->no_build && i < x->no_build->n && !wheel; i++)
                if (sv_eq(js_str(x->no_build->v[i].value), name))
                        return false;
        return true;
}

/* ---- pages ---- */

static void file_fill(struct vectors_index *x, const struct index_file *f, struct pypi_file *ret)
{
        sv name = js_get_str(f->file, "filename");
        const struct js *yanked = index_field(f->about, f->file, "yanked");

        *ret = (struct pypi_file){ .filename = name,
                                   .url = arena_fmt(x->arena, "https://index.test/files/%.*s", SV_ARG(name)),
                                   .sha256 = sha256_of(name), /* any: nothing is fetched */
                                   .size = 1,
                                   .requires_python = js_str(index_field(f->about, f->file, "requires_python")),
                                   .yanked = js_true(yanked) || (yanked && yanked->type == JS_STR),
                                   .yanked_reason = js_str(yanked),
                                   .has_metadata = true };
}

static void page_make(struct vectors_index *x, struct index_package *p)
{
        struct pypi_page *page = arena_new(x->arena, struct pypi_page);
        size_t n = 0;

        page->later_index = UINT32_MAX;
        for (size_t i = 0; i < p->versions->n; i++) {
                const struct js *files = js_get(p->versions->v[i].value, "files");
                n += files ? files->n : 0;
        }
        page->v = arena_array(x->arena, struct pypi_file, n + 1);
        for (size_t i = 0; i < p->versions->n; i++) {
                const struct js *about = p->versions->v[i].value, *files = js_get(about, "files");

                for (size_t k = 0; files && k < files->n; k++) {
                        struct index_file *f = arena_new(x->arena, struct index_file);

                        if (!index_lists(x, p->name, files->v[k].value))
                                continue;
                        *f = (struct index_file){ p, p->versions->v[i].key, about, files->v[k].value, { 0 }, 0 };
                        file_fill(x, f, &page->v[page->n]);
                        map_put(&x->files, x->arena, page->v[page->n++].filename, f);
                }
        }
        p->page = page;
}

static int source_page(struct pypi_source *s, sv name, const struct pypi_page **ret, struct err *e)
{
        static const struct pypi_page absent = { .absent = true, .later_index = UINT32_MAX };
        struct vectors_index *x = ((struct source *)s)->x;
        struct index_package *p = package_find(x, name);

        (void)e;
        if (p && !p->page)
                page_make(x, p);
        *ret = p ? p->page : &absent;
        return 0;
}

/* ---- metadata ---- */

static void lines_add(struct buf *b, const char *header, const struct js *list)
{
        for (size_t i = 0; list && i < list->n; i++)
                buf_fmt(b, "%s: %.*s\n", header, SV_ARG(js_str(list->v[i].value)));
}

static void metadata_make(struct vectors_index *x, struct index_file *f)
{
        AUTO(buf_done) struct buf b = BUF_INIT(16 << 20);
        sv python = js_str(index_field(f->about, f->file, "requires_python"));

        buf_fmt(&b, "Metadata-Version: 2.1\nName: %.*s\nVersion: %.*s\n", SV_ARG(f->package->name), SV_ARG(f->version));
        if (python.n)
                buf_fmt(&b, "Requires-Python: %.*s\n", SV_ARG(python));
        lines_add(&b, "Requires-Dist", index_field(f->about, f->file, "requires_dist"));
        lines_add(&b, "Provides-Extra", index_field(f->about, f->file, "provides_extra"));
        f->metadata = arena_sv(x->arena, buf_sv(&b));
}

/* By its name, also when no page was asked for it: a URL in a requirement. */
static struct index_file *file_find(struct vectors_index *x, sv name)
{
        sv why;
        struct index_file *f = map_get(&x->files, name);
        struct wheel_name w;
        struct index_package *p;

        if (f || !wheel_name_parse(x->arena, name, false, &w, &why))
                return f;
        p = package_find(x, w.name);
        if (p && !p->page)
                page_make(x, p);
        return map_get(&x->files, name);
}

static int source_metadata(struct pypi_source *s, const struct pypi_file *f, sv *ret, struct err *e)
{
        struct vectors_index *x = ((struct source *)s)->x;
        struct index_file *found = file_find(x, f->filename);

        if (!found)
                return err_set(e, ERR_NOT_FOUND, "there is no '%.*s'", SV_ARG(f->filename));
        if (js_true(js_get(found->file, "build_fails")))
                return err_set(e, ERR_INTEGRITY, "'%.*s' does not build", SV_ARG(f->filename));
        if (found->fetched != ((struct source *)s)->number)
                x->n_fetched++;
        found->fetched = ((struct source *)s)->number;
        if (!found->metadata.n)
                metadata_make(x, found);
        *ret = found->metadata;
        return 0;
}

static bool page_ready(struct pypi_source *s, sv name)
{
        (void)s;
        (void)name;
        return true;
}

/* As on a network where nothing comes before it is waited for: a solver that looks at what is there already sees no more than that. */
static bool metadata_ready(struct pypi_source *s, const struct pypi_file *f)
{
        const struct index_file *found = file_find(((struct source *)s)->x, f->filename);

        return found && found->fetched == ((struct source *)s)->number;
}

static void page_soon(struct pypi_source *s, sv name)
{
        (void)s;
        (void)name;
}

static void metadata_soon(struct pypi_source *s, const struct pypi_file *f)
{
        (void)s;
        (void)f;
}

static void source_free(struct pypi_source *s)
{
        free(s);
}

struct pypi_source *index_source(struct vectors_index *x)
{
        static const struct pypi_source_ops ops = { .page = source_page,
                                                    .page_ready = page_ready,
                                                    .page_soon = page_soon,
                                                    .metadata = source_metadata,
                                                    .metadata_ready = metadata_ready,
                                                    .metadata_soon = metadata_soon,
                                                    .free = source_free };
        struct source *s = xcalloc(1, sizeof(*s));

        s->source.ops = &ops;
        s->x = x;
        s->number = ++x->n_source;
        x->n_fetched = 0;
        return &s->source;
}
