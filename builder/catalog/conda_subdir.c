#include "catalog/conda_subdir.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "net/url.h"

enum { INDEX_PACKED_MAX = 64 << 20, INDEX_MAX = 256 << 20 };

sv conda_subdir_request(struct conda_subdir *s, struct arena *a, sv url)
{
        return conda_rebase(a, url, s->channel_url, s->base[s->i_base]);
}

char *conda_url_path(sv url)
{
        AUTO(arena_done) struct arena a = { 0 };
        struct url u;
        sv path;

        if (!url_parse(url, &u) || !sv_is(u.scheme, "file") || (u.host.n && !sv_is(u.host, "localhost")))
                return NULL;
        path = url_decode(&a, u.path);
        return xstrndup(path.p, path.n);
}

/* --- what came --- */

static void finish(struct conda_subdir *s, enum conda_subdir_kind kind)
{
        s->kind = kind;
        s->done = true;
        s->asks_index = s->asks_text = false;
        if (kind != CONDA_SUBDIR_ABSENT)
                err_done(&s->err);
}

static void ask_base(struct conda_subdir *s);

/* This base has nothing, or failed: *e says how. The next one is asked. A subdir is absent only when all say so: what fails must never look
 * like a package that is not there. */
static void next_base(struct conda_subdir *s, struct err *e)
{
        s->asks_index = s->asks_text = false;
        if (e->code && !s->err.code)
                err_move(&s->err, e);
        if (s->i_base + 1 == s->n_base)
                return finish(s, CONDA_SUBDIR_ABSENT);
        s->i_base++;
        ask_base(s);
}

static int whole(struct conda_subdir *s, struct err *e)
{
        sv base_url;

        if (conda_whole_info(&s->repo, "base_url", s->a, &base_url, e) < 0 ||
            conda_place_base(s->a, s->folder, base_url, &s->place.base, e) < 0)
                return err_while(e, "reading the repodata of %.*s", SV_ARG(s->subject));
        s->repo.place = s->place;
        return 0;
}

int conda_subdir_sharded(struct conda_subdir *s, sv packed, struct err *e)
{
        AUTO(buf_done) struct buf b = BUF_INIT(INDEX_MAX);

        if (conda_unzstd(packed, &b, e) < 0 ||
            conda_shards_parse(s->a, arena_sv(s->a, buf_sv(&b)), &s->shards, e) < 0 ||
            conda_place_base(s->a, s->folder, s->shards.base_url, &s->place.base, e) < 0 ||
            conda_place_base(s->a, s->folder, s->shards.shards_base_url, &s->shards_base, e) < 0)
                return err_while(e, "reading the shards of %.*s", SV_ARG(s->subject));
        return 0;
}

static void ask_text(struct conda_subdir *s)
{
        s->asks_text = true;
        conda_repodata_begin(&s->text, &s->w->cache, s->w->op, s->folder, conda_subdir_request(s, s->a, s->folder),
                             s->subject);
}

static void take_index(struct conda_subdir *s)
{
        AUTO(err_done) struct err e = { 0 };
        struct arena tmp = { 0 };
        struct page_got got = { 0 };
        int r = page_take(&s->w->cache, &s->page, &tmp, &got, &e);
        bool unusable = false;

        s->asks_index = false;
        if (r == 0 && !got.absent)
                unusable = conda_subdir_sharded(s, got.body, &e) < 0;
        arena_done(&tmp);
        if (r == 0 && !got.absent && !unusable)
                return finish(s, CONDA_SUBDIR_SHARDED);
        /* None, or not one that we understand (a later version, a page for everything): there is the other form. Forbidden: so say stores
         * that do not tell what they lack. Offline: which of the two was kept is not known. */
        if (r == 0 || r == -ERR_OFFLINE || r == -ERR_AUTH)
                return ask_text(s);
        err_while(&e, "fetching the repodata of %.*s", SV_ARG(s->subject));
        next_base(s, &e);
}

static void take_text(struct conda_subdir *s)
{
        AUTO(err_done) struct err e = { 0 };
        bool absent = s->text.absent;
        int r = s->text.err.code ? err_move(&e, &s->text.err) : 0;

        if (r == 0 && !absent && (r = conda_repodata_open(&s->text, &s->repo, &e)) == 0)
                r = whole(s, &e);
        conda_repodata_drop(&s->text);
        s->text = (struct conda_repodata){ 0 };
        if (r < 0 || absent)
                return next_base(s, &e);
        finish(s, CONDA_SUBDIR_WHOLE);
}

static void ask_base(struct conda_subdir *s)
{
        sv index = arena_fmt(s->a, "%.*srepodata_shards.msgpack.zst", SV_ARG(s->folder));

        if (s->w->no_shards)
                return ask_text(s);
        s->asks_index = true;
        page_begin_as(&s->w->cache, index, conda_subdir_request(s, s->a, index), SV("*/*"), INDEX_PACKED_MAX,
                      CONDA_SHARD_NOW, &s->page);
}

static void open_local(struct conda_subdir *s, const char *path)
{
        enum conda_subdir_kind kind;

        if (conda_local_open(s, path, &s->err) < 0 || (s->kind == CONDA_SUBDIR_WHOLE && whole(s, &s->err) < 0))
                s->kind = CONDA_SUBDIR_ABSENT;
        kind = s->kind;
        finish(s, kind);
}

void conda_subdir_begin(struct conda_subdir *s)
{
        AUTO(free_ptr) char *path = conda_url_path(s->folder);

        s->repo.fd = -1;
        s->place.base = s->folder;
        if (path)
                open_local(s, path);
        else
                ask_base(s);
}

void conda_subdir_step(struct conda_subdir *s)
{
        if (s->asks_index && page_ready(&s->w->cache, &s->page))
                take_index(s);
        if (!s->asks_text)
                return;
        conda_repodata_step(&s->text);
        if (s->text.done)
                take_text(s);
}

static sv shard_name_at(const void *of, size_t i)
{
        return ((const struct conda_shards *)of)->v[i].name;
}

void conda_subdir_near(struct conda_subdir *s, struct conda_near *n)
{
        if (s->kind == CONDA_SUBDIR_WHOLE)
                return conda_whole_near(&s->repo, n);
        if (!s->marks)
                s->marks = conda_near_marks(shard_name_at, &s->shards, s->shards.n);
        conda_near_look(n, s->marks, shard_name_at, &s->shards, s->shards.n);
}

void conda_subdir_free(struct conda_subdir *s)
{
        free(s->marks);
        if (s->asks_index)
                page_drop(&s->w->cache, &s->page);
        if (s->asks_text)
                conda_repodata_drop(&s->text);
        conda_whole_done(&s->repo);
        err_done(&s->err);
}
