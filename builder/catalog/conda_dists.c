#include "catalog/conda_dists.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/map.h"
#include "catalog/page_cache.h"
#include "ext/archive.h"
#include "ext/json.h"
#include "pkg/pyname.h"
#include "pkg/zip.h"

/* info/ is the last member of a .conda: for most packages it comes whole with the first piece. */
enum { TAIL_SIZE = 64 << 10, PIECE_MAX = 64 << 20, PATHS_MAX = 256 << 20, LOCAL_SIZE = 30, LOCAL_SLACK = 512 };

/* --- paths → distributions (pure) --- */

/* "a/site-packages/x.dist-info/METADATA" → "x.dist-info"; what lies deeper (vendored copies) is none. */
static sv dist_folder(sv path)
{
        static const char top[] = "site-packages/";
        ptrdiff_t at = sv_find_sv(path, SV("site-packages/"));
        sv rest, part;

        if (at < 0 || (at > 0 && path.p[at - 1] != '/'))
                return (sv){ 0 };
        rest = sv_skip(path, (size_t)at + sizeof(top) - 1);
        if (!sv_cut(&rest, '/', &part))
                return (sv){ 0 };
        return sv_ends(part, SV(".dist-info")) || sv_ends(part, SV(".egg-info")) ? part : (sv){ 0 };
}

/* "Foo_Bar-1.0-py3.9.egg-info" → "foo-bar 1.0" */
static sv dist_of(struct arena *a, sv folder)
{
        sv stem = sv_from_to(folder, 0, (size_t)sv_rfind(folder, '.')), name, version = { 0 };

        if (!sv_cut(&stem, '-', &name) || !name.n)
                return (sv){ 0 };
        sv_cut(&stem, '-', &version);
        name = pyname_normalise(a, name);
        return version.n ? arena_fmt(a, "%.*s %.*s", SV_ARG(name), SV_ARG(version)) : name;
}

void conda_dists_of(const sv *path, size_t n, struct arena *a, sv **ret, size_t *ret_n)
{
        AUTO(arena_done) struct arena tmp = { 0 };
        struct map seen = { 0 };
        size_t cap = 0;

        *ret = NULL;
        *ret_n = 0;
        for (size_t i = 0; i < n; i++) {
                sv folder = dist_folder(path[i]), dist;

                if (!folder.n || map_get(&seen, folder))
                        continue;
                map_put(&seen, &tmp, arena_sv(&tmp, folder), &seen);
                dist = dist_of(a, folder);
                if (dist.n)
                        *arena_push(a, *ret, *ret_n, cap) = dist;
        }
        if (*ret_n)
                qsort(*ret, *ret_n, sizeof(sv), sv_qsort);
}

/* --- a package's list of paths --- */

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

/* tar: info/ of a .conda, or a whole .tar.bz2. paths.json rules; info/files stands in where there is none (old packages). */
static int paths_of_tar(struct arena *a, sv tar, sv **ret, size_t *ret_n, struct err *e)
{
        AUTO(buf_done) struct buf files = BUF_INIT(PATHS_MAX);
        struct archive_opts o = { .flags = ARCHIVE_TAR | ARCHIVE_DECODE, .bytes = tar };
        const struct archive_table *t;
        const struct archive_item *it;
        struct archive_reader *r = NULL;
        bool found = false;
        int more;

        *ret = NULL;
        *ret_n = 0;
        if (archive_load(&t, e) < 0 || t->open(&o, &r, e) < 0)
                return -(int)e->code;
        while (!found && (more = t->next(r, &it, e)) == 1) {
                sv name = sv_starts(it->path, SV("./")) ? sv_skip(it->path, 2) : it->path;
                AUTO(buf_done) struct buf json = BUF_INIT(PATHS_MAX);

                found = sv_is(name, "info/paths.json");
                if ((found && (read_member(t, r, &json, e) < 0 ||
                               from_json(a, arena_sv(a, buf_sv(&json)), ret, ret_n, e) < 0)) ||
                    (sv_is(name, "info/files") && read_member(t, r, &files, e) < 0))
                        break;
        }
        t->close(r);
        if (!found && !e->code)
                from_lines(a, arena_sv(a, buf_sv(&files)), ret, ret_n);
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

static int paths_of_whole(struct arena *a, sv file, sv **ret, size_t *ret_n, struct err *e)
{
        const struct zip_member *m;
        struct zip z;
        sv tar;

        if (!sv_starts(file, SV("PK")))
                return paths_of_tar(a, file, ret, ret_n, e);
        if (zip_open(a, file, file.n, &z, NULL, e) < 0)
                return -(int)e->code;
        if (!(m = info_member(&z)) || m->method != 0)
                return err_set(e, ERR_INTEGRITY, "there is no stored info-….tar.zst in it");
        if (zip_data(file, m, &tar, e) < 0)
                return -(int)e->code;
        return paths_of_tar(a, tar, ret, ret_n, e);
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
        struct net *net;
        struct store *store;
        struct op *op;
        struct page_cache cache;
        struct arena *a;
        struct one *v;
        size_t n;
};

static void one_done(struct filling *f, struct one *x)
{
        net_drop(f->net, STEAL(x->job));
        store_put_abort(&x->put);
        arena_done(&x->arena);
}

static sha256 key_of(const struct artifact *art)
{
        sha256_text hex = sha256_hex(&art->sha256);

        return page_key(SV("distributions of conda package"), sv_from(hex.s));
}

static void take_lines(struct filling *f, struct one *x, sv text)
{
        size_t cap = 0;
        sv line;

        while (sv_cut(&text, '\n', &line))
                if (line.n)
                        *arena_push(f->a, x->art->dists, x->art->n_dists, cap) = arena_sv(f->a, line);
        x->step = STEP_DONE;
}

static void take_paths(struct filling *f, struct one *x, const sv *path, size_t n)
{
        AUTO(buf_done) struct buf text = BUF_INIT(PIECE_MAX);
        sha256 key = key_of(x->art);
        sv *dist;
        size_t n_dist;

        conda_dists_of(path, n, &x->arena, &dist, &n_dist);
        for (size_t i = 0; i < n_dist; i++)
                buf_fmt(&text, "%.*s\n", SV_ARG(dist[i]));
        page_keep(&f->cache, &key, buf_sv(&text));
        take_lines(f, x, buf_sv(&text));
}

static int take_file(struct filling *f, struct one *x, const char *path, struct err *e)
{
        AUTO(fs_map_close) struct fs_map map = { 0 };
        sv *v;
        size_t n;

        if (fs_map_open(path, &map, e) < 0 ||
            paths_of_whole(&x->arena, (sv){ (const char *)map.p, map.n }, &v, &n, e) < 0)
                return -(int)e->code;
        take_paths(f, x, v, n);
        return 0;
}

static int begin_whole(struct filling *f, struct one *x, struct err *e)
{
        struct net_request r = { .url = x->art->url,
                                 .keep_partial = true,
                                 .max_body = x->art->size,
                                 .expect = x->art->size,
                                 .subject = x->art->name };

        if (store_put_begin(f->store, STORE_PACKAGE, &x->put, &r.into, e) < 0)
                return -(int)e->code;
        x->job = net_begin(f->net, &r);
        x->step = STEP_WHOLE;
        return 0;
}

static void begin_piece(struct filling *f, struct one *x, enum step step, uint64_t from, uint64_t n)
{
        struct net_request r = { .url = x->art->url, .has_range = true, .max_body = PIECE_MAX };

        r.range_last = step == STEP_TAIL;
        r.from = from;
        r.to = step == STEP_TAIL ? n : from + n - 1;
        x->need = n;
        x->job = net_begin(f->net, &r);
        x->step = step;
}

static int begin(struct filling *f, struct one *x, struct err *e)
{
        AUTO(free_ptr) char *have = store_find(f->store, STORE_PACKAGE, &x->art->sha256);
        sha256 key = key_of(x->art);
        sv text;

        if (page_kept(&f->cache, &key, PIECE_MAX, &x->arena, &text)) {
                take_lines(f, x, text);
                return 0;
        }
        if (have)
                return take_file(f, x, have, e);
        if (sv_starts(x->art->url, SV("file://")))
                return take_file(f, x, arena_str(&x->arena, sv_skip(x->art->url, 7)), e);
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
        sv *v;
        size_t n;

        if (piece.n > LOCAL_SIZE)
                at += (uint64_t)(unsigned char)piece.p[26] + ((uint64_t)(unsigned char)piece.p[27] << 8) +
                      (unsigned char)piece.p[28] + ((uint64_t)(unsigned char)piece.p[29] << 8);
        if (piece.n < at + x->member->packed || !sv_starts(piece, SV("PK\3\4")))
                return begin_whole(f, x, e);
        if (paths_of_tar(&x->arena, sv_from_to(piece, (size_t)at, (size_t)(at + x->member->packed)), &v, &n, e) < 0) {
                err_done(e); /* the whole file is checked, and says what is wrong with it */
                return begin_whole(f, x, e);
        }
        take_paths(f, x, v, n);
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

        if (got->status != 200)
                return net_status_err(got, e);
        if (store_put_commit(&x->put, &x->art->sha256, e) < 0)
                return err_while(e, "fetching '%.*s'", SV_ARG(x->art->url));
        path = store_find(f->store, STORE_PACKAGE, &x->art->sha256);
        if (!path)
                return err_set(e, ERR_IO, "the file vanished from the store");
        return take_file(f, x, path, e);
}

static int step(struct filling *f, struct one *x, struct err *e)
{
        struct net_answer got = { 0 };

        if (x->step == STEP_BEGIN)
                return begin(f, x, e);
        if (net_wait(f->net, STEAL(x->job), &x->arena, &got, e) < 0)
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
                        if (x->job && !net_ready(f->net, x->job))
                                continue;
                        moved = true;
                        if (op_check(f->op, e) < 0)
                                return -(int)e->code;
                        if (step(f, x, e) < 0)
                                return err_while(e, "looking into %.*s %.*s", SV_ARG(x->art->name),
                                                 SV_ARG(x->art->version));
                        if (x->step == STEP_DONE)
                                arena_done(&x->arena);
                }
                if (open && !moved && net_next(f->net, &seen, e) < 0)
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

int conda_dists_fill(struct net *net, struct store *store, struct artifact *v, size_t n, struct op *op, struct arena *a,
                     struct err *e)
{
        AUTO(arena_done) struct arena own = { 0 };
        struct filling f = { .net = net, .store = store, .op = op, .a = a };
        int r;

        f.cache = (struct page_cache){ .net = net, .store = store, .keeper = keeper_new(store, op) };
        f.v = arena_array(&own, struct one, n);
        for (size_t i = 0; i < n; i++)
                if (may_have_dists(&v[i]))
                        f.v[f.n++] = (struct one){ .art = &v[i] };
        r = run(&f, e);
        for (size_t i = 0; i < f.n; i++)
                one_done(&f, &f.v[i]);
        keeper_free(f.cache.keeper);
        return r;
}
