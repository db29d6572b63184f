#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "catalog/conda_dists.h"
#include "catalog/conda_fetch.h"
#include "catalog/page_cache.h"
#include "ext/archive.h"
#include "ext/json.h"
#include "net/url.h"
#include "pkg/zip.h"
#include "stream/deflate_walk.h"

/* info/ is the last member of a .conda: for most packages it comes whole with the first piece. */
enum { TAIL_SIZE = 64 << 10, PIECE_MAX = 64 << 20, INFO_MAX = 256 << 20, LOCAL_SIZE = 30, LOCAL_SLACK = 512 };

/* --- info/ of a package --- */

static int read_member(const struct archive_table *t, struct archive_reader *r, struct buf *out, struct err *e)
{
        char part[32768];
        size_t n;

        for (;;) {
                if (t->read(r, part, sizeof(part), &n, e) < 0)
                        return -(int)e->code;
                if (n == 0)
                        return buf_check(out, e);
                buf_add(out, (sv){ part, n });
        }
}

static int from_json(struct arena *a, sv text, sv **ret, size_t *ret_n, struct err *e)
{
        struct js *doc, *list;
        size_t cap = 0;

        if (js_parse(a, text, &doc, e) < 0)
                return err_while(e, "reading info/paths.json");
        list = js_get(doc, "paths");
        for (size_t i = 0; list && list->type == JS_ARR && i < list->n; i++)
                *arena_push(a, *ret, *ret_n, cap) = js_get_str(list->v[i].value, "_path");
        return 0;
}

static void from_lines(struct arena *a, sv text, sv **ret, size_t *ret_n)
{
        size_t cap = 0;
        sv line;

        while (sv_cut(&text, '\n', &line))
                *arena_push(a, *ret, *ret_n, cap) = sv_trim(line);
}

/* What info/ says, as far as it is asked for. */
struct info {
        struct arena *a;
        bool index; /* index.json is wanted too */
        sv *path;
        size_t n_path;
        bool has_paths, has_index;
        struct js *doc; /* index.json */
        struct buf files;
};

static int take_info(struct info *in, const struct archive_table *t, struct archive_reader *r, sv name, struct err *e)
{
        AUTO(buf_done) struct buf text = BUF_INIT(INFO_MAX);

        if (sv_is(name, "info/files") && !in->has_paths)
                return read_member(t, r, &in->files, e);
        if (sv_is(name, "info/paths.json") && !in->has_paths) {
                in->has_paths = true;
                return read_member(t, r, &text, e) < 0
                               ? -(int)e->code
                               : from_json(in->a, arena_sv(in->a, buf_sv(&text)), &in->path, &in->n_path, e);
        }
        if (!sv_is(name, "info/index.json") || in->has_index)
                return 0;
        in->has_index = true;
        if (read_member(t, r, &text, e) < 0 || js_parse(in->a, arena_sv(in->a, buf_sv(&text)), &in->doc, e) < 0)
                return err_while(e, "reading info/index.json");
        return 0;
}

/* tar: info/ of a .conda, or a whole .tar.bz2. paths.json rules; info/files stands in where there is none (old packages). */
static int info_of_tar(struct info *in, sv tar, struct err *e)
{
        struct archive_opts o = { .flags = ARCHIVE_TAR | ARCHIVE_DECODE, .bytes = tar };
        const struct archive_table *t;
        const struct archive_item *it;
        struct archive_reader *r = NULL;

        if (archive_load(&t, e) < 0 || t->open(&o, &r, e) < 0)
                return -(int)e->code;
        while (!(in->has_paths && (in->has_index || !in->index)) && t->next(r, &it, e) == 1)
                if (take_info(in, t, r, sv_starts(it->path, SV("./")) ? sv_skip(it->path, 2) : it->path, e) < 0)
                        break;
        t->close(r);
        if (!in->has_paths && !e->code)
                from_lines(in->a, arena_sv(in->a, buf_sv(&in->files)), &in->path, &in->n_path);
        return -(int)e->code;
}

static const struct zip_member *info_member(const struct zip *z)
{
        for (size_t i = 0; i < z->n; i++) {
                sv name = sv_basename(z->v[i].name);

                if (sv_starts(name, SV("info-")) && sv_ends(name, SV(".tar.zst")))
                        return &z->v[i];
        }
        return NULL;
}

/* A member that somebody zipped again may be packed once more. */
static int plain(struct arena *a, const struct zip_member *m, sv packed, sv *ret, struct err *e)
{
        AUTO(deflate_walk_freep) struct deflate_walk *z = NULL;
        size_t have = 0, n = 1;
        char *text;

        *ret = packed;
        if (m->method == 0)
                return 0;
        if (m->size > INFO_MAX)
                return err_set(e, ERR_LIMIT, "its info-….tar.zst has %llu bytes", (unsigned long long)m->size);
        text = arena_alloc(a, (size_t)m->size + 1, 1);
        z = deflate_walk_new();
        deflate_walk_begin(z, packed, DEFLATE_CLOSED);
        while (n && have <= m->size) {
                if (deflate_walk_next(z, text + have, (size_t)m->size + 1 - have, &n, NULL, e) < 0)
                        return -(int)e->code;
                have += n;
        }
        if (have != m->size)
                return err_set(e, ERR_INTEGRITY, "its info-….tar.zst is not as long as its archive says");
        *ret = (sv){ text, have };
        return 0;
}

static int info_of_whole(struct info *in, sv file, struct err *e)
{
        const struct zip_member *m;
        struct zip z;
        sv packed, tar;

        if (!sv_starts(file, SV("PK")))
                return info_of_tar(in, file, e);
        if (zip_open(in->a, file, file.n, &z, NULL, e) < 0)
                return -(int)e->code;
        if (!(m = info_member(&z)) || (m->method != 0 && m->method != 8))
                return err_set(e, ERR_INTEGRITY, "there is no info-….tar.zst in it");
        if (zip_data(file, m, &packed, e) < 0 || plain(in->a, m, packed, &tar, e) < 0)
                return -(int)e->code;
        return info_of_tar(in, tar, e);
}

/* --- many packages at once --- */

enum step { STEP_BEGIN, STEP_TAIL, STEP_MEMBER, STEP_WHOLE, STEP_DONE };

struct one {
        struct artifact *art;
        enum step step;
        struct net_job *job;
        struct store_put put;
        struct arena arena; /* of the steps */
        struct zip zip;
        const struct zip_member *member;
        uint64_t need;
};
struct filling {
        const struct conda_ask *ask;
        bool index;
        struct page_cache cache;
        struct arena *a;
        struct one *v;
        size_t n;
};

static void one_done(struct filling *f, struct one *x)
{
        net_drop(f->ask->net, STEAL(x->job));
        store_put_abort(&x->put);
        arena_done(&x->arena);
}

static sha256 key_of(const struct filling *f, const struct artifact *art)
{
        sha256_text hex = sha256_hex(&art->sha256);

        return page_key(f->index ? SV("info of conda package") : SV("distributions of conda package"), sv_from(hex.s));
}

/* What was found, a fact a line: kept, and taken from there the next time. */
static void write_list(struct buf *out, const char *key, const struct js *list)
{
        for (size_t i = 0; list && list->type == JS_ARR && i < list->n; i++)
                buf_fmt(out, "%s %.*s\n", key, SV_ARG(js_str(list->v[i].value)));
}

static void write_text(struct buf *out, const char *key, sv text)
{
        if (text.n && sv_find(text, '\n') < 0)
                buf_fmt(out, "%s %.*s\n", key, SV_ARG(text));
}

static void write_info(const struct info *in, struct arena *a, struct buf *out)
{
        const struct js *noarch = js_get(in->doc, "noarch");
        int64_t ms = 0;
        size_t n;
        sv *dist;

        conda_dists_of(in->path, in->n_path, a, &dist, &n);
        for (size_t i = 0; i < n; i++)
                write_text(out, "dist", dist[i]);
        if (!in->index)
                return;
        write_text(out, "noarch", js_true(noarch) ? SV("generic") : js_str(noarch));
        write_text(out, "site-packages", js_get_str(in->doc, "python_site_packages_path"));
        write_list(out, "depends", js_get(in->doc, "depends"));
        write_list(out, "constrains", js_get(in->doc, "constrains"));
        if (js_int(js_get(in->doc, "timestamp"), &ms) && ms > 0)
                buf_fmt(out, "uploaded %lld\n", (long long)(ms > 253402300799 ? ms / 1000 : ms));
}

struct lists { /* being read: those that were empty before */
        size_t cap_dists, cap_needs, cap_constrains;
        bool needs, constrains;
};

static void take_line(struct filling *f, struct artifact *art, struct lists *l, sv key, sv value)
{
        uint64_t n;

        value = arena_sv(f->a, value);
        if (sv_is(key, "dist"))
                *arena_push(f->a, art->dists, art->n_dists, l->cap_dists) = value;
        else if (sv_is(key, "noarch") && !art->noarch.n)
                art->noarch = value;
        else if (sv_is(key, "site-packages") && !art->site_packages.n)
                art->site_packages = value;
        else if (sv_is(key, "depends") && l->needs)
                *arena_push(f->a, art->needs, art->n_needs, l->cap_needs) = value;
        else if (sv_is(key, "constrains") && l->constrains)
                *arena_push(f->a, art->constrains, art->n_constrains, l->cap_constrains) = value;
        else if (sv_is(key, "uploaded") && !art->uploaded && sv_u64(value, &n))
                art->uploaded = (int64_t)n;
}

static void take_lines(struct filling *f, struct one *x, sv text)
{
        struct artifact *art = x->art;
        struct lists l = { .needs = !art->n_needs, .constrains = !art->n_constrains };
        sv line, key;

        art->dists = NULL;
        art->n_dists = 0;
        while (sv_cut(&text, '\n', &line))
                if (sv_cut(&line, ' ', &key))
                        take_line(f, art, &l, key, line);
        x->step = STEP_DONE;
}

static void info_done(struct info *in)
{
        buf_done(&in->files);
}

static void take(struct filling *f, struct one *x, const struct info *in)
{
        AUTO(buf_done) struct buf text = BUF_INIT(INFO_MAX);
        sha256 key = key_of(f, x->art);

        write_info(in, &x->arena, &text);
        page_keep(&f->cache, &key, buf_sv(&text));
        take_lines(f, x, buf_sv(&text));
}

static int take_file(struct filling *f, struct one *x, const char *path, struct err *e)
{
        AUTO(fs_map_close) struct fs_map map = { 0 };
        AUTO(info_done) struct info in = { .a = &x->arena, .index = f->index, .files = BUF_INIT(INFO_MAX) };

        if (fs_map_open(path, &map, e) < 0 || info_of_whole(&in, (sv){ (const char *)map.p, map.n }, e) < 0)
                return -(int)e->code;
        take(f, x, &in);
        return 0;
}

static sv address(struct filling *f, struct one *x)
{
        sv url = x->art->url;

        conda_request_url(&x->arena, x->art->url, &f->ask->channels, 0, &url);
        return url;
}

static int begin_whole(struct filling *f, struct one *x, struct err *e)
{
        struct net_request r = { .url = address(f, x),
                                 .keep_partial = true,
                                 .max_body = x->art->size,
                                 .expect = x->art->size,
                                 .subject = x->art->name };

        if (store_put_begin(f->ask->store, STORE_PACKAGE, &x->put, &r.into, e) < 0)
                return -(int)e->code;
        x->job = net_begin(f->ask->net, &r);
        x->step = STEP_WHOLE;
        return 0;
}

static void begin_piece(struct filling *f, struct one *x, enum step step, uint64_t from, uint64_t n)
{
        struct net_request r = { .url = address(f, x), .has_range = true, .max_body = PIECE_MAX };

        r.range_last = step == STEP_TAIL;
        r.from = from;
        r.to = step == STEP_TAIL ? n : from + n - 1;
        x->need = n;
        x->job = net_begin(f->ask->net, &r);
        x->step = step;
}

static int begin(struct filling *f, struct one *x, struct err *e)
{
        AUTO(free_ptr) char *have = store_find(f->ask->store, STORE_PACKAGE, &x->art->sha256);
        sha256 key = key_of(f, x->art);
        sv text;

        if (page_kept(&f->cache, &key, PIECE_MAX, &x->arena, &text)) {
                take_lines(f, x, text);
                return 0;
        }
        if (have)
                return take_file(f, x, have, e);
        if (sv_starts(x->art->url, SV("file://")))
                return take_file(f, x, arena_str(&x->arena, url_decode(&x->arena, sv_skip(x->art->url, 7))), e);
        if (sv_ends(x->art->url, SV(".conda")) && x->art->size > TAIL_SIZE) {
                begin_piece(f, x, STEP_TAIL, 0, TAIL_SIZE);
                return 0;
        }
        return begin_whole(f, x, e);
}

/* piece begins at the member's local header. */
static int take_piece(struct filling *f, struct one *x, sv piece, struct err *e)
{
        uint64_t at = LOCAL_SIZE;
        AUTO(info_done) struct info in = { .a = &x->arena, .index = f->index, .files = BUF_INIT(INFO_MAX) };

        if (piece.n > LOCAL_SIZE)
                at += (uint64_t)(unsigned char)piece.p[26] + ((uint64_t)(unsigned char)piece.p[27] << 8) +
                      (unsigned char)piece.p[28] + ((uint64_t)(unsigned char)piece.p[29] << 8);
        if (piece.n < at + x->member->packed || !sv_starts(piece, SV("PK\3\4")))
                return begin_whole(f, x, e);
        if (info_of_tar(&in, sv_from_to(piece, (size_t)at, (size_t)(at + x->member->packed)), e) < 0) {
                err_done(e); /* the whole file is checked, and says what is wrong with it */
                return begin_whole(f, x, e);
        }
        take(f, x, &in);
        return 0;
}

static int take_tail(struct filling *f, struct one *x, const struct net_answer *got, struct err *e)
{
        AUTO(err_done) struct err bad = { 0 };
        uint64_t size = x->art->size, need = 0, first;

        if (!got->ranged || got->body.n > size)
                return begin_whole(f, x, e);
        if (zip_open(&x->arena, got->body, size, &x->zip, &need, &bad) < 0) {
                if (bad.code != ERR_LIMIT || need <= x->need || need > PIECE_MAX)
                        return begin_whole(f, x, e);
                begin_piece(f, x, STEP_TAIL, 0, need);
                return 0;
        }
        x->member = info_member(&x->zip);
        first = size - got->body.n;
        if (!x->member || x->member->method != 0 || x->member->packed > PIECE_MAX - LOCAL_SLACK)
                return begin_whole(f, x, e);
        if (x->member->header_at >= first)
                return take_piece(f, x, sv_skip(got->body, (size_t)(x->member->header_at - first)), e);
        need = LOCAL_SIZE + x->member->name.n + LOCAL_SLACK + x->member->packed;
        begin_piece(f, x, STEP_MEMBER, x->member->header_at,
                    need < size - x->member->header_at ? need : size - x->member->header_at);
        return 0;
}

static int take_whole(struct filling *f, struct one *x, const struct net_answer *got, struct err *e)
{
        AUTO(free_ptr) char *path = NULL;

        if (got->status == 200)
                store_put_commit(&x->put, &x->art->sha256, e);
        store_put_abort(&x->put);
        if (e->code || got->status != 200) { /* a mirror may have it; if none has, this says so */
                err_done(e);
                if (conda_fetch(f->ask, x->art, e) < 0)
                        return -(int)e->code;
        }
        path = store_find(f->ask->store, STORE_PACKAGE, &x->art->sha256);
        if (!path)
                return err_set(e, ERR_IO, "the file vanished from the store");
        return take_file(f, x, path, e);
}

static int step(struct filling *f, struct one *x, struct err *e)
{
        struct net_answer got = { 0 };

        if (x->step == STEP_BEGIN)
                return begin(f, x, e);
        if (net_wait(f->ask->net, STEAL(x->job), &x->arena, &got, e) < 0)
                return -(int)e->code;
        switch (x->step) {
        case STEP_TAIL:
                return take_tail(f, x, &got, e);
        case STEP_MEMBER:
                return got.ranged ? take_piece(f, x, got.body, e) : begin_whole(f, x, e);
        case STEP_WHOLE:
                return take_whole(f, x, &got, e);
        case STEP_BEGIN:
        case STEP_DONE:
                break;
        }
        return 0;
}

static int run(struct filling *f, struct err *e)
{
        uint64_t seen = 0;
        bool moved, open;

        do {
                moved = open = false;
                for (size_t i = 0; i < f->n; i++) {
                        struct one *x = &f->v[i];

                        if (x->step == STEP_DONE)
                                continue;
                        open = true;
                        if (x->job && !net_ready(f->ask->net, x->job))
                                continue;
                        moved = true;
                        if (op_check(f->ask->op, e) < 0)
                                return -(int)e->code;
                        if (step(f, x, e) < 0)
                                return err_while(e, "looking into %.*s %.*s", SV_ARG(x->art->name),
                                                 SV_ARG(x->art->version));
                        if (x->step == STEP_DONE)
                                arena_done(&x->arena);
                }
                if (open && !moved && net_next(f->ask->net, &seen, e) < 0)
                        return -(int)e->code;
        } while (open);
        return 0;
}

static bool may_have_dists(const struct artifact *art)
{
        if (art->kind != ARTIFACT_CONDA)
                return false;
        if (sv_is(art->noarch, "python") || sv_is(art->name, "python"))
                return true;
        for (size_t i = 0; i < art->n_needs; i++) {
                sv name = art->needs[i];
                size_t k = 0;

                while (k < name.n && !strchr(" =<>!~[", name.p[k]))
                        k++;
                name = sv_from_to(name, 0, k);
                if (sv_is(name, "python") || sv_is(name, "python_abi"))
                        return true;
        }
        return false;
}

int conda_peek(const struct conda_ask *ask, struct artifact *v, size_t n, bool index, struct arena *a, struct err *e)
{
        AUTO(arena_done) struct arena own = { 0 };
        struct filling f = { .ask = ask, .index = index, .a = a };
        int r;

        f.cache =
                (struct page_cache){ .net = ask->net, .store = ask->store, .keeper = keeper_new(ask->store, ask->op) };
        f.v = arena_array(&own, struct one, n);
        for (size_t i = 0; i < n; i++)
                if (v[i].kind == ARTIFACT_CONDA && (index || may_have_dists(&v[i])))
                        f.v[f.n++] = (struct one){ .art = &v[i] };
        r = run(&f, e);
        for (size_t i = 0; i < f.n; i++)
                one_done(&f, &f.v[i]);
        keeper_free(f.cache.keeper);
        return r;
}
