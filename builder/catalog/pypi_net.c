#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "catalog/pypi_net_priv.h"
#include "net/url.h"

#define ACCEPT SV("application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.1, text/html;q=0.01")

static struct pypi_net *self(struct pypi_source *s)
{
        return (struct pypi_net *)s;
}

/* --- files as they are kept --- */

static sv share(struct arena *a, sv text, sv before)
{
        return text.n && sv_eq(text, before) ? before : arena_sv(a, text);
}

struct pypi_file pypi_file_keep(struct arena *a, const struct pypi_file *f, const struct pypi_file *before,
                                uint32_t index)
{
        static const struct pypi_file none;
        struct pypi_file r = *f;

        if (!before)
                before = &none;
        r.filename = arena_sv(a, f->filename);
        r.url = arena_sv(a, url_public(a, f->url));
        r.requires_python = share(a, f->requires_python, before->requires_python);
        r.yanked_reason = share(a, f->yanked_reason, before->yanked_reason);
        r.hash = arena_array(a, struct pypi_hash, f->n_hash);
        for (uint32_t i = 0; i < f->n_hash; i++) {
                r.hash[i].alg = share(a, f->hash[i].alg, i < before->n_hash ? before->hash[i].alg : (sv){ 0 });
                r.hash[i].hex = arena_sv(a, f->hash[i].hex);
        }
        r.index = index;
        return r;
}

const char *pypi_file_path(struct arena *a, sv url)
{
        return sv_starts(url, SV("file://")) ? arena_str(a, url_decode(a, sv_skip(url, 7))) : NULL;
}

/* --- pages --- */

static void add_files(struct pypi_net *s, struct project *p, const struct pypi_links *links, uint32_t index)
{
        for (size_t i = 0; i < links->n; i++) {
                const struct pypi_file *before = p->page.n ? &p->page.v[p->page.n - 1] : NULL;
                struct pypi_file f = pypi_file_keep(&s->arena, &links->v[i], before, index);

                *arena_push(&s->arena, p->page.v, p->page.n, p->cap) = f;
        }
}

/* An index in a folder: NAME/index.html, or the files themselves in NAME/. */
static int read_local_page(struct pypi_net *s, struct project *p, uint32_t i, bool *ret_found, struct err *e)
{
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(buf_done) struct buf body = BUF_INIT(PYPI_PAGE_MAX);
        const char *dir = pypi_file_path(&a, p->ask[i].url), *page = arena_fmt(&a, "%s/index.html", dir).p;
        struct pypi_links links = { 0 };

        *ret_found = fs_is_dir(dir);
        if (!*ret_found)
                return 0;
        if (!fs_exists(page)) {
                if (pypi_folder_read(&a, dir, &links, e) < 0)
                        return -(int)e->code;
        } else if (fs_read(page, &body, e) < 0 || pypi_html_parse(&a, buf_sv(&body), p->ask[i].url, &links, e) < 0) {
                return -(int)e->code;
        }
        add_files(s, p, &links, i);
        return 0;
}

static int read_page(struct pypi_net *s, struct project *p, uint32_t i, bool *ret_found, struct err *e)
{
        AUTO(arena_done) struct arena a = { 0 };
        struct page_got got;
        struct pypi_links links = { 0 };

        *ret_found = false;
        if (sv_starts(p->ask[i].url, SV("file://")))
                return read_local_page(s, p, i, ret_found, e);
        if (page_take(&s->cache, &p->ask[i].fetch, &a, &got, e) < 0)
                return -(int)e->code;
        if (got.absent)
                return 0;
        if (pypi_page_parse(&a, got.body, got.url, got.type, &links, e) < 0)
                return -(int)e->code;
        *ret_found = true;
        add_files(s, p, &links, i);
        return 0;
}

static void begin_ask(struct pypi_net *s, struct project *p, uint32_t i)
{
        p->ask[i].asked = true;
        if (!sv_starts(p->ask[i].url, SV("file://")))
                page_begin(&s->cache, p->ask[i].url, ACCEPT, PYPI_PAGE_MAX, PRIORITY_NOW, &p->ask[i].fetch);
}

static bool ask_ready(struct pypi_net *s, struct project *p, uint32_t i)
{
        return page_ready(&s->cache, &p->ask[i].fetch);
}

static void finish_project(struct pypi_net *s, struct project *p, bool found)
{
        if (!p->err.code) {
                size_t own = p->page.n;

                if (pypi_links_read(s, &p->err) == 0)
                        pypi_links_add(s, p);
                p->page.absent = !found && p->page.n == own;
        }
        p->done = true;
}

/* First-index: one after the other until one has the name, so that no index learns of names that an earlier one answers for. */
static void step_first(struct pypi_net *s, struct project *p)
{
        for (uint32_t i = 0; i < s->o->n_index; i++) {
                bool found = false;

                if (p->ask[i].done)
                        continue;
                if (!p->ask[i].asked)
                        begin_ask(s, p, i);
                if (!ask_ready(s, p, i))
                        return;
                p->ask[i].done = true;
                if (read_page(s, p, i, &found, &p->err) < 0 || found)
                        return finish_project(s, p, found);
        }
        finish_project(s, p, false);
}

static void step_merged(struct pypi_net *s, struct project *p)
{
        bool any = false;

        for (uint32_t i = 0; i < s->o->n_index; i++)
                if (!p->ask[i].asked)
                        begin_ask(s, p, i);
        for (uint32_t i = 0; i < s->o->n_index; i++)
                if (!ask_ready(s, p, i))
                        return;
        for (uint32_t i = 0; i < s->o->n_index && !p->err.code; i++) {
                bool found = false;

                if (read_page(s, p, i, &found, &p->err) == 0)
                        any = any || found;
                p->ask[i].done = true;
        }
        finish_project(s, p, any);
}

static void step_project(struct pypi_net *s, struct project *p)
{
        if (s->o->merge)
                step_merged(s, p);
        else
                step_first(s, p);
}

static sv project_url(struct pypi_net *s, uint32_t i, sv name)
{
        sv base = s->o->index[i];

        while (base.n && base.p[base.n - 1] == '/')
                base.n--;
        return arena_fmt(&s->arena, "%.*s/%.*s/", SV_ARG(base), SV_ARG(name));
}

static struct project *project_get(struct pypi_net *s, sv name)
{
        struct project *p = map_get(&s->projects, name);

        if (p)
                return p;
        p = arena_new(&s->arena, struct project);
        p->name = arena_sv(&s->arena, name);
        p->page.later_index = UINT32_MAX;
        p->ask = arena_array(&s->arena, struct index_ask, s->o->n_index);
        for (uint32_t i = 0; i < s->o->n_index; i++)
                p->ask[i].url = project_url(s, i, name);
        map_put(&s->projects, &s->arena, p->name, p);
        s->project = xgrow(s->project, &s->cap_project, s->n_project + 1, sizeof(struct project *));
        s->project[s->n_project++] = p;
        step_project(s, p);
        if (!p->done)
                *arena_push(&s->arena, s->busy_page, s->n_busy_page, s->cap_busy_page) = p;
        return p;
}

/* --- the loop --- */

void pypi_net_pump(struct pypi_net *s)
{
        for (size_t i = s->n_busy_page; i--;) {
                step_project(s, s->busy_page[i]);
                if (s->busy_page[i]->done)
                        s->busy_page[i] = s->busy_page[--s->n_busy_page];
        }
        for (size_t i = s->n_busy_meta; i--;) {
                if (pypi_meta_moves(s, s->busy_meta[i]))
                        pypi_meta_step(s, s->busy_meta[i]);
                if (s->busy_meta[i]->step == META_DONE)
                        s->busy_meta[i] = s->busy_meta[--s->n_busy_meta];
        }
}

int pypi_net_next(struct pypi_net *s, struct err *e)
{
        return net_next(s->net, &s->seen, e);
}

static int copy_err(const struct err *from, struct err *e)
{
        err_set(e, from->code, "%s", from->cause);
        if (from->trail)
                err_while(e, "%.*s", (int)(strchrnul(from->trail, '\n') - from->trail), from->trail);
        if (from->hint)
                err_hint(e, "%s", from->hint);
        return -(int)e->code;
}

static int op_page(struct pypi_source *src, sv name, const struct pypi_page **ret, struct err *e)
{
        struct pypi_net *s = self(src);
        struct project *p = project_get(s, name);

        for (pypi_net_pump(s); !p->done; pypi_net_pump(s))
                if (pypi_net_next(s, e) < 0)
                        return -(int)e->code;
        if (p->err.code)
                return copy_err(&p->err, e);
        *ret = &p->page;
        return 0;
}

static bool op_page_ready(struct pypi_source *src, sv name)
{
        struct project *p = project_get(self(src), name);

        pypi_net_pump(self(src));
        return p->done;
}

static void op_page_soon(struct pypi_source *src, sv name)
{
        project_get(self(src), name);
}

static struct meta *meta_get(struct pypi_net *s, const struct pypi_file *f)
{
        struct meta *m = map_get(&s->metas, f->url);

        if (m)
                return m;
        m = pypi_meta_get(s, f);
        map_put(&s->metas, &s->arena, m->key, m);
        s->meta = xgrow(s->meta, &s->cap_meta, s->n_meta + 1, sizeof(struct meta *));
        s->meta[s->n_meta++] = m;
        pypi_meta_step(s, m);
        if (m->step != META_DONE)
                *arena_push(&s->arena, s->busy_meta, s->n_busy_meta, s->cap_busy_meta) = m;
        return m;
}

static int op_metadata(struct pypi_source *src, const struct pypi_file *f, sv *ret, struct err *e)
{
        struct pypi_net *s = self(src);
        struct meta *m = meta_get(s, f);

        m->wanted = true;
        for (pypi_net_pump(s); m->step != META_DONE; pypi_net_pump(s))
                if (!pypi_meta_moves(s, m) && pypi_net_next(s, e) < 0)
                        return -(int)e->code;
        if (m->err.code)
                return copy_err(&m->err, e);
        *ret = m->text;
        return 0;
}

static bool op_metadata_ready(struct pypi_source *src, const struct pypi_file *f)
{
        struct pypi_net *s = self(src);
        struct meta *m = map_get(&s->metas, f->url);

        pypi_net_pump(s);
        return m && m->step == META_DONE;
}

static void op_metadata_soon(struct pypi_source *src, const struct pypi_file *f)
{
        meta_get(self(src), f);
}

static int op_wait(struct pypi_source *src, struct err *e)
{
        struct pypi_net *s = self(src);

        return pypi_net_next(s, e);
}

/* The first later index that has the name too: asked only when an explanation wants to know. */
static int op_later(struct pypi_source *src, sv name, const struct pypi_page **ret, uint32_t *ret_index, struct err *e)
{
        struct pypi_net *s = self(src);
        struct project *p = project_get(s, name), *l = map_get(&s->later, name);
        uint32_t first = p->page.n ? p->page.v[0].index : UINT32_MAX;
        bool found = false;

        *ret = NULL;
        if (s->o->merge || !p->done || p->err.code || first >= s->o->n_index)
                return 0;
        if (!l) {
                l = arena_new(&s->arena, struct project);
                l->name = p->name;
                l->ask = p->ask;
                map_put(&s->later, &s->arena, l->name, l);
                for (uint32_t i = first + 1; i < s->o->n_index && !found; i++) {
                        begin_ask(s, l, i);
                        if (read_page(s, l, i, &found, e) < 0)
                                return -(int)e->code;
                }
        }
        if (l->page.n) {
                *ret = &l->page;
                *ret_index = l->page.v[0].index;
        }
        return 0;
}

static void op_free(struct pypi_source *src)
{
        struct pypi_net *s = self(src);

        for (size_t i = 0; i < s->n_project; i++) {
                for (uint32_t k = 0; k < s->o->n_index; k++)
                        page_drop(&s->cache, &s->project[i]->ask[k].fetch);
                err_done(&s->project[i]->err);
        }
        for (size_t i = 0; i < s->n_meta; i++)
                pypi_meta_free(s, s->meta[i]);
        err_done(&s->links_err);
        keeper_free(s->cache.keeper);
        free(s->project);
        free(s->meta);
        arena_done(&s->arena);
        free(s);
}

static const sv *copy_list(struct arena *a, const sv *v, size_t n)
{
        sv *r = arena_array(a, sv, n);

        for (size_t i = 0; i < n; i++)
                r[i] = arena_sv(a, v[i]);
        return r;
}

static int check_indexes(struct pypi_net *s, struct err *e)
{
        for (size_t i = 0; i < s->o->n_index; i++) {
                struct url u;
                sv url = s->o->index[i];

                if (url_parse(url, &u) &&
                    (sv_is(u.scheme, "https") || sv_is(u.scheme, "http") || sv_is(u.scheme, "file"))) {
                        net_login_add(s->net, url);
                        continue;
                }
                err_set(e, ERR_USAGE, "'%.*s' is not the URL of an index", SV_ARG(url_masked(&s->arena, url)));
                err_hint(e, "an index is an http, https or file URL, such as https://pypi.org/simple");
                return -ERR_USAGE;
        }
        return 0;
}

int pypi_net_open(const struct pypi_opts *o, struct net *net, struct store *store, struct op *op,
                  struct pypi_source **ret, struct err *e)
{
        static const struct pypi_source_ops ops = {
                .page = op_page,
                .page_ready = op_page_ready,
                .page_soon = op_page_soon,
                .metadata = op_metadata,
                .metadata_ready = op_metadata_ready,
                .metadata_soon = op_metadata_soon,
                .free = op_free,
                .wait = op_wait,
                .later = op_later,
                .complete = pypi_meta_complete,
        };
        struct pypi_net *s = xcalloc(1, sizeof(*s));

        s->source.ops = &ops;
        s->opts = *o;
        s->o = &s->opts;
        s->opts.index = copy_list(&s->arena, o->index, o->n_index);
        s->opts.find_links = copy_list(&s->arena, o->find_links, o->n_find_links);
        s->opts.dir = arena_sv(&s->arena, o->dir);
        s->net = net;
        s->store = store;
        s->op = op;
        s->cache = (struct page_cache){ .net = net,
                                        .store = store,
                                        .keeper = keeper_new(store, op),
                                        .refresh = o->refresh,
                                        .offline = net_offline(net) };
        if (check_indexes(s, e) < 0) {
                op_free(&s->source);
                return -(int)e->code;
        }
        *ret = &s->source;
        return 0;
}
