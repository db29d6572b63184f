#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "catalog/pypi_net_priv.h"
#include "net/url.h"
#include "pkg/pyname.h"

static bool is_package(sv name)
{
        return sv_ends(name, SV(".whl")) || sv_ends(name, SV(".tar.gz")) || sv_ends(name, SV(".zip")) ||
               sv_ends(name, SV(".tar.bz2")) || sv_ends(name, SV(".tgz"));
}

static sv encode_path(struct arena *a, const char *path)
{
        AUTO(buf_done) struct buf out = BUF_INIT(64 << 10);
        sv rest = sv_from(path), part;

        while (sv_cut(&rest, '/', &part)) {
                if (!part.n)
                        continue;
                buf_byte(&out, '/');
                buf_add(&out, url_encode(a, part));
        }
        return arena_sv(a, buf_sv(&out));
}

int pypi_folder_read(struct arena *a, const char *path, struct pypi_links *ret, struct err *e)
{
        AUTO(free_ptr) char *real = realpath(path, NULL);
        AUTO(free_ptr) char **names = NULL;
        size_t n = 0;
        sv dir;

        if (!real)
                return err_errno(e, "cannot read the folder '%s'", path);
        if (fs_list(real, &names, &n, e) < 0)
                return -(int)e->code;
        dir = encode_path(a, real);
        for (size_t i = 0; i < n; i++) {
                sv name = sv_from(names[i]);
                struct pypi_file f = { 0 };

                if (!is_package(name))
                        continue;
                f.filename = arena_sv(a, name);
                f.url = arena_fmt(a, "file://%.*s/%.*s", SV_ARG(dir), SV_ARG(url_encode(a, name)));
                *arena_push(a, ret->v, ret->n, ret->cap) = f;
        }
        return 0;
}

static int read_file(struct arena *a, const char *path, sv url, struct pypi_links *ret, struct err *e)
{
        AUTO(buf_done) struct buf body = BUF_INIT(PYPI_PAGE_MAX);

        if (fs_read(path, &body, e) < 0)
                return -(int)e->code;
        return pypi_html_parse(a, arena_sv(a, buf_sv(&body)), url, ret, e);
}

static int read_web(struct pypi_net *s, struct arena *a, sv url, struct pypi_links *ret, struct err *e)
{
        struct page_fetch fetch = { 0 };
        struct page_got got;

        net_login_add(s->net, url);
        page_begin(&s->cache, url, SV("text/html"), PYPI_PAGE_MAX, PRIORITY_NOW, &fetch);
        if (page_take(&s->cache, &fetch, a, &got, e) < 0)
                return -(int)e->code;
        if (got.absent)
                return err_set(e, ERR_NOT_FOUND, "there is no page '%.*s'", SV_ARG(url_masked(a, url)));
        return pypi_page_parse(a, got.body, got.url, got.type, ret, e);
}

static int read_one(struct pypi_net *s, struct arena *a, sv where, struct pypi_links *ret, struct err *e)
{
        const char *path = pypi_file_path(a, where);

        if (sv_starts(where, SV("http://")) || sv_starts(where, SV("https://")))
                return read_web(s, a, where, ret, e);
        if (!path) {
                bool absolute = where.n && where.p[0] == '/';

                path = absolute || !s->o->dir.n ? arena_str(a, where)
                                                : arena_fmt(a, "%.*s/%.*s", SV_ARG(s->o->dir), SV_ARG(where)).p;
        }
        if (fs_is_dir(path))
                return pypi_folder_read(a, path, ret, e);
        return read_file(a, path, arena_fmt(a, "file://%.*s", SV_ARG(encode_path(a, path))), ret, e);
}

int pypi_links_read(struct pypi_net *s, struct err *e)
{
        if (!s->links_read) {
                s->links_read = true;
                for (size_t i = 0; i < s->o->n_find_links && !s->links_err.code; i++) {
                        AUTO(arena_done) struct arena a = { 0 };
                        struct pypi_links got = { 0 };

                        if (read_one(s, &a, s->o->find_links[i], &got, &s->links_err) < 0) {
                                err_while(&s->links_err, "reading --find-links '%.*s'",
                                          SV_ARG(url_masked(&a, s->o->find_links[i])));
                                break;
                        }
                        for (size_t k = 0; k < got.n; k++)
                                *arena_push(&s->arena, s->links.v, s->links.n, s->links.cap) =
                                        pypi_file_keep(&s->arena, &got.v[k], NULL, (uint32_t)(s->o->n_index + i));
                }
        }
        if (!s->links_err.code)
                return 0;
        err_set(e, s->links_err.code, "%s", s->links_err.cause);
        if (s->links_err.hint)
                err_hint(e, "%s", s->links_err.hint);
        return -(int)e->code;
}

static bool is_of(struct arena *a, const struct pypi_file *f, sv project)
{
        struct wheel_name w;
        struct sdist_name d;
        sv why;

        if (sv_ends(f->filename, SV(".whl")))
                return wheel_name_parse(a, f->filename, false, &w, &why) && sv_eq(w.name, project);
        return is_package(f->filename) && sdist_name_parse(a, f->filename, project, &d, &why) && sv_eq(d.name, project);
}

void pypi_links_add(struct pypi_net *s, struct project *p)
{
        AUTO(arena_done) struct arena a = { 0 };

        for (size_t i = 0; i < s->links.n; i++)
                if (is_of(&a, &s->links.v[i], p->name))
                        *arena_push(&s->arena, p->page.v, p->page.n, p->cap) = s->links.v[i];
}
