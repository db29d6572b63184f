#include <string.h>

#include "base/cleanup.h"
#include "install/conda_priv.h"

#define INDEX_KEYS 1000
#define INDEX_MAX  ((size_t)4 << 20) /* bytes of index.json, link.json */

/* --- info/index.json */

static enum conda_kind noarch_of(const struct js *j)
{
        if (sv_is(js_str(j), "python"))
                return CONDA_PYTHON;
        return sv_is(js_str(j), "generic") || js_true(j) ? CONDA_GENERIC : CONDA_PLAIN;
}

int conda_index_parse(struct arena *a, sv text, struct conda_index *ret, struct err *e)
{
        struct js *doc;

        if (js_parse(a, text, &doc, e) < 0) {
                e->code = ERR_INTEGRITY;
                return err_while(e, "reading info/index.json");
        }
        *ret = (struct conda_index){ .doc = doc,
                                     .name = js_get_str(doc, "name"),
                                     .version = js_get_str(doc, "version"),
                                     .build = js_get_str(doc, "build"),
                                     .subdir = js_get_str(doc, "subdir"),
                                     .noarch = noarch_of(js_get(doc, "noarch")) };
        if (doc->n > INDEX_KEYS)
                return err_set(e, ERR_INTEGRITY, "info/index.json has %zu keys", doc->n);
        if (ret->name.n && ret->version.n && ret->build.n)
                return 0;
        return err_set(e, ERR_INTEGRITY, "info/index.json does not name the package, its version and its build");
}

/* --- info/link.json */

int conda_link_parse(struct arena *a, sv text, struct conda_link *ret, struct err *e)
{
        const struct js *noarch, *list;
        struct js *doc;

        if (js_parse(a, text, &doc, e) < 0) {
                e->code = ERR_INTEGRITY;
                return err_while(e, "reading info/link.json");
        }
        *ret = (struct conda_link){ 0 };
        noarch = js_get(doc, "noarch");
        ret->python = sv_is(js_get_str(noarch, "type"), "python") || sv_is(js_str(noarch), "python");
        list = js_get(noarch, "entry_points");
        if (!list || list->type == JS_NULL)
                return 0;
        if (list->type != JS_ARR)
                return err_set(e, ERR_INTEGRITY, "info/link.json: entry_points is no list");
        ret->entry_point = arena_array(a, sv, list->n);
        for (size_t i = 0; i < list->n; i++) {
                if (list->v[i].value->type != JS_STR)
                        return err_set(e, ERR_INTEGRITY, "info/link.json: an entry point is no text");
                ret->entry_point[ret->n++] = list->v[i].value->str;
        }
        return 0;
}

/* --- finding them */

sv conda_url_subdir(sv url)
{
        ptrdiff_t at = sv_rfind(url, '/');

        return at < 0 ? (sv){ 0 } : sv_basename(sv_from_to(url, 0, (size_t)at));
}

static sv *wanted(struct conda_texts *t, sv path, size_t *ret_max)
{
        const struct {
                const char *name;
                sv *text;
                size_t max;
        } files[] = {
                { "index.json", &t->index, INDEX_MAX },
                { "paths.json", &t->paths, CONDA_INFO_MAX },
                { "link.json", &t->link, INDEX_MAX },
                { "files", &t->files, CONDA_INFO_MAX },
                { "has_prefix", &t->has_prefix, CONDA_INFO_MAX },
                { "no_link", &t->no_link, CONDA_INFO_MAX },
        };

        if (!sv_starts(path, SV("info/")))
                return NULL;
        for (size_t i = 0; i < ARRAY_LEN(files); i++)
                if (sv_is(sv_skip(path, 5), files[i].name)) {
                        *ret_max = files[i].max;
                        return files[i].text;
                }
        return NULL;
}

static int read_text(struct arena *a, struct conda_tar *t, const struct archive_item *it, size_t max, sv *ret,
                     struct err *e)
{
        char *p;
        size_t have = 0, n;

        if (it->type != ARCHIVE_FILE)
                return err_set(e, ERR_INTEGRITY, "'%.*s' is no file", SV_ARG(it->path));
        if (it->size > max)
                return err_set(e, ERR_LIMIT, "'%.*s' has %llu bytes; at most %zu are read", SV_ARG(it->path),
                               (unsigned long long)it->size, max);
        p = arena_alloc(a, (size_t)it->size + 1, 1);
        while (have < it->size) {
                if (conda_tar_read(t, p + have, (size_t)it->size - have, &n, e) < 0)
                        return -(int)e->code;
                if (!n)
                        return err_set(e, ERR_INTEGRITY, "'%.*s' is cut off", SV_ARG(it->path));
                have += n;
        }
        *ret = (sv){ p, have };
        return 0;
}

/* Could link.json matter? Not for a package of one platform: then its file need not be searched for. */
static bool wants_link(const struct conda_index *x, const struct artifact *art)
{
        sv subdir = x->subdir.n ? x->subdir : conda_url_subdir(art->url);

        return x->noarch == CONDA_PYTHON || sv_is(art->noarch, "python") ||
               (x->noarch == CONDA_PLAIN && sv_is(subdir, "noarch"));
}

static int enough(struct arena *a, struct conda_info *in, const struct artifact *art, bool *ret, struct err *e)
{
        struct conda_texts *t = &in->text;

        *ret = false;
        if (!t->index.p || !t->paths.p)
                return 0;
        if (!in->index.doc && conda_index_parse(a, t->index, &in->index, e) < 0)
                return -(int)e->code;
        *ret = t->link.p || !wants_link(&in->index, art);
        return 0;
}

static int read_texts(struct arena *a, const struct conda_archive *ar, const struct artifact *art,
                      struct conda_info *in, struct err *e)
{
        AUTO(conda_tar_freep) struct conda_tar *t = NULL;
        const struct archive_item *it;
        bool done = false;
        size_t max;
        int rc = 1;

        if (conda_tar_open(ar, ar->zip ? CONDA_INFO : CONDA_WHOLE, &t, e) < 0)
                return -(int)e->code;
        while (!done && (rc = conda_tar_next(t, &it, e)) > 0) {
                sv path = it->path, *text;

                while (sv_starts(path, SV("./")))
                        path = sv_skip(path, 2);
                text = wanted(&in->text, path, &max);
                if (!text)
                        continue;
                if (text->p)
                        return err_set(e, ERR_INTEGRITY, "the package has '%.*s' twice", SV_ARG(path));
                if (read_text(a, t, it, max, text, e) < 0 || (!ar->zip && enough(a, in, art, &done, e) < 0))
                        return -(int)e->code;
        }
        return rc < 0 ? rc : 0;
}

int conda_info_read(struct arena *a, const struct conda_archive *ar, const struct artifact *art, struct conda_info *ret,
                    struct err *e)
{
        struct conda_info in = { 0 };

        if (read_texts(a, ar, art, &in, e) < 0)
                return -(int)e->code;
        if (!in.text.index.p)
                return err_set(e, ERR_INTEGRITY, "the package has no info/index.json");
        if (!in.index.doc && conda_index_parse(a, in.text.index, &in.index, e) < 0)
                return -(int)e->code;
        if (wants_link(&in.index, art) && in.text.link.p && conda_link_parse(a, in.text.link, &in.link, e) < 0)
                return -(int)e->code;
        in.python = in.index.noarch == CONDA_PYTHON || sv_is(art->noarch, "python") ||
                    (in.index.noarch == CONDA_PLAIN && in.link.python);
        *ret = in;
        return 0;
}
