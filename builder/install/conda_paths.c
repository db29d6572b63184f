#include "base/cleanup.h"
#include "install/conda_priv.h"

#define PATHS_MAX       (1 << 20)
#define VALUES_MAX      ((size_t)8 << 20)                  /* in paths.json: a tree of so many takes a gigabyte */
#define OLD_PLACEHOLDER "/opt/anaconda1anaconda2anaconda3" /* of packages that name none */

struct conda_path *conda_paths_add(struct arena *a, struct conda_paths *p, sv path, struct err *e)
{
        struct conda_path *n;
        const char *why;

        if (!entry_path_safe(path, &why)) {
                err_set(e, ERR_INTEGRITY, "the package lists the path '%.*s': %s", SV_ARG(path), why);
                return NULL;
        }
        if (p->n >= PATHS_MAX) {
                err_set(e, ERR_LIMIT, "the package lists more than %d paths", PATHS_MAX);
                return NULL;
        }
        if (map_get(&p->by_path, path)) {
                err_set(e, ERR_INTEGRITY, "the package lists '%.*s' twice", SV_ARG(path));
                return NULL;
        }
        n = arena_new(a, struct conda_path);
        n->path = arena_sv(a, path);
        map_put(&p->by_path, a, n->path, n);
        *arena_push(a, p->v, p->n, p->cap) = n;
        return n;
}

static int placeholder_set(struct arena *a, struct conda_paths *all, struct conda_path *p, sv text, sv mode,
                           struct err *e)
{
        if (!text.n)
                return 0;
        if (text.n > ENTRY_PATH_MAX || sv_find(text, '\0') >= 0 || !sv_utf8(text))
                return err_set(e, ERR_INTEGRITY, "the prefix placeholder of '%.*s' is no path", SV_ARG(p->path));
        if (mode.n && !sv_is(mode, "text") && !sv_is(mode, "binary"))
                return err_set(e, ERR_INTEGRITY, "'%.*s' has the file mode '%.*s', which is neither text nor binary",
                               SV_ARG(p->path), SV_ARG(mode));
        if (!sv_eq(all->placeholder, text)) /* mostly one for all files */
                all->placeholder = arena_sv(a, text);
        p->placeholder = all->placeholder;
        p->mode = sv_is(mode, "binary") ? CONDA_BINARY : CONDA_TEXT;
        return 0;
}

/* --- paths.json */

static int type_set(struct conda_path *p, const struct js *type, struct err *e)
{
        if (!type || type->type == JS_NULL || sv_is(js_str(type), "hardlink"))
                p->type = CONDA_HARDLINK;
        else if (sv_is(js_str(type), "softlink"))
                p->type = CONDA_SOFTLINK;
        else if (sv_is(js_str(type), "directory"))
                p->type = CONDA_DIRECTORY;
        else
                return err_set(e, ERR_INTEGRITY, "info/paths.json: '%.*s' has an unknown path_type", SV_ARG(p->path));
        return 0;
}

static int digest_set(struct conda_path *p, const struct js *row, struct err *e)
{
        const struct js *hash = js_get(row, "sha256"), *size = js_get(row, "size_in_bytes");
        int64_t n;

        if (hash && hash->type != JS_NULL) {
                if (hash->str.n != 64 || !sha256_read(js_str(hash), &p->sha256))
                        return err_set(e, ERR_INTEGRITY, "info/paths.json: the sha256 of '%.*s' is none",
                                       SV_ARG(p->path));
                p->has_sha256 = true;
        }
        if (size && size->type != JS_NULL) {
                if (!js_int(size, &n) || n < 0)
                        return err_set(e, ERR_INTEGRITY, "info/paths.json: the size of '%.*s' is none",
                                       SV_ARG(p->path));
                p->size = (uint64_t)n;
                p->has_size = true;
        }
        return 0;
}

static bool below_info(sv path)
{
        return sv_starts(path, SV("info/"));
}

static int row_read(struct arena *a, const struct js *row, struct conda_paths *ret, struct err *e)
{
        sv path = js_get_str(row, "_path");
        struct conda_path *p;

        if (!path.n)
                return err_set(e, ERR_INTEGRITY, "info/paths.json: entry %zu has no _path", ret->n + 1);
        if (below_info(path))
                return 0;
        p = conda_paths_add(a, ret, path, e);
        if (!p || type_set(p, js_get(row, "path_type"), e) < 0 || digest_set(p, row, e) < 0 ||
            placeholder_set(a, ret, p, js_get_str(row, "prefix_placeholder"), js_get_str(row, "file_mode"), e) < 0)
                return -(int)e->code;
        p->no_link = js_true(js_get(row, "no_link"));
        return 0;
}

/* More commas than an honest list has are not worth the memory of their tree. */
static bool too_many(sv text)
{
        size_t n = 0;

        for (ptrdiff_t at; (at = sv_find(text, ',')) >= 0; text = sv_skip(text, (size_t)at + 1))
                n++;
        return n > VALUES_MAX;
}

int conda_paths_parse(struct arena *a, sv text, struct conda_paths *ret, struct err *e)
{
        AUTO(arena_done) struct arena tree = { 0 };
        struct conda_paths out = { .listed = true };
        const struct js *rows, *version;
        struct js *doc;
        int64_t n = 1;

        if (too_many(text))
                return err_set(e, ERR_LIMIT, "info/paths.json has more than %zu values", VALUES_MAX);
        if (js_parse(&tree, text, &doc, e) < 0) {
                e->code = ERR_INTEGRITY;
                return err_while(e, "reading info/paths.json");
        }
        version = js_get(doc, "paths_version");
        if (version && !js_int(version, &n))
                return err_set(e, ERR_INTEGRITY, "info/paths.json: its paths_version is no number");
        if (n != 1)
                return err_set(e, ERR_FAILED, "info/paths.json has the version %lld; version 1 can be read",
                               (long long)n);
        rows = js_get(doc, "paths");
        if (!rows || rows->type != JS_ARR)
                return err_set(e, ERR_INTEGRITY, "info/paths.json has no list 'paths'");
        for (size_t i = 0; i < rows->n; i++)
                if (row_read(a, rows->v[i].value, &out, e) < 0)
                        return -(int)e->code;
        *ret = out;
        return 0;
}

/* --- before paths.json: files, has_prefix, no_link */

static int files_read(struct arena *a, sv text, struct conda_paths *out, struct err *e)
{
        sv line;

        while (sv_line(&text, &line)) {
                line = sv_trim(line);
                if (line.n && !below_info(line) && !conda_paths_add(a, out, line, e))
                        return -(int)e->code;
        }
        return 0;
}

/* A word, or what stands between quotation marks. */
static sv word_cut(sv *rest)
{
        sv word = { 0 };

        *rest = sv_trim(*rest);
        if (rest->n && (rest->p[0] == '"' || rest->p[0] == '\'')) {
                char quote = rest->p[0];

                *rest = sv_skip(*rest, 1);
                sv_cut(rest, quote, &word);
                return word;
        }
        sv_cut(rest, ' ', &word);
        return word;
}

/* "path", or "placeholder mode path"; each may be quoted, and a path alone may hold blanks. */
static int prefix_line(struct arena *a, struct conda_paths *out, sv line, struct err *e)
{
        sv rest = line, first = word_cut(&rest), mode = word_cut(&rest), third = word_cut(&rest), placeholder;
        bool three = third.n && (sv_is(mode, "text") || sv_is(mode, "binary"));
        struct conda_path *p;

        if (three && sv_trim(rest).n) /* the path may hold blanks without being quoted */
                third = sv_from_to(line, (size_t)(third.p - line.p), line.n);
        placeholder = three ? first : SV(OLD_PLACEHOLDER);
        if (!three)
                third = line.p[0] == '"' || line.p[0] == '\'' ? first : line;
        p = map_get(&out->by_path, third);
        if (!p)
                return 0; /* conda does not mind either */
        return placeholder_set(a, out, p, placeholder, three ? mode : SV("text"), e);
}

static int prefixes_read(struct arena *a, struct conda_paths *out, sv text, struct err *e)
{
        sv line;

        while (sv_line(&text, &line)) {
                line = sv_trim(line);
                if (line.n && prefix_line(a, out, line, e) < 0)
                        return -(int)e->code;
        }
        return 0;
}

static void no_links_read(struct conda_paths *out, sv text)
{
        sv line;

        while (sv_line(&text, &line)) {
                struct conda_path *p = map_get(&out->by_path, sv_trim(line));

                if (p)
                        p->no_link = true;
        }
}

int conda_paths_read(struct arena *a, const struct conda_texts *t, struct conda_paths *ret, struct err *e)
{
        struct conda_paths out = { .listed = t->files.p != NULL };

        if (t->paths.p)
                return conda_paths_parse(a, t->paths, ret, e);
        if (files_read(a, t->files, &out, e) < 0 || prefixes_read(a, &out, t->has_prefix, e) < 0)
                return -(int)e->code;
        no_links_read(&out, t->no_link);
        *ret = out;
        return 0;
}
