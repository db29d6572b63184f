#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "install/wheel_priv.h"

#define S_IFMT_BITS  0170000u
#define S_IFREG_BITS 0100000u

/* ---- planning */

static struct wheel_item *item_add(struct wheel *w, enum wheel_item_kind kind, sv path)
{
        struct wheel_item *it = arena_push(&w->arena, w->v, w->n, w->cap);

        *it = (struct wheel_item){ .kind = kind };
        it->entry.path = arena_fmt(&w->arena, "%.*s/env/%.*s", SV_ARG(w->ctx.root), SV_ARG(path));
        it->entry.type = ENTRY_FILE;
        it->entry.mode = 0644;
        it->entry.mtime = ENTRY_MTIME_FLOOR;
        it->record_path = record_path(&w->arena, path, w->ctx.site_packages);
        return it;
}

static void made_add(struct wheel *w, enum wheel_item_kind kind, uint32_t mode, sv path, sv bytes)
{
        struct wheel_item *it = item_add(w, kind, path);

        it->entry.mode = mode;
        it->entry.size = bytes.n;
        it->entry.generated = true;
        it->bytes = bytes;
}

/* As pip decides it: only what is marked as a regular file can be executable. */
static uint32_t mode_of(const struct zip_member *m, enum wheel_item_kind kind)
{
        return kind == ITEM_SCRIPT || ((m->mode & S_IFMT_BITS) == S_IFREG_BITS && m->mode & 0111) ? 0755 : 0644;
}

static int plan_members(struct wheel *w, const struct entry_points *ep, struct err *e)
{
        for (size_t i = 0; i < w->zip.n; i++) {
                const struct zip_member *m = &w->zip.v[i];
                enum wheel_item_kind kind;
                struct wheel_item *it;
                sv path;
                int rc = wheel_path(w, m, &path, &kind, e);

                if (rc < 0)
                        return rc;
                if (rc == 0 || (kind == ITEM_SCRIPT && entry_points_wrap(ep, sv_basename(path))))
                        continue;
                it = item_add(w, kind, path);
                it->member = m;
                it->entry.size = m->size;
                it->entry.mode = mode_of(m, kind);
        }
        return 0;
}

static int plan_scripts(struct wheel *w, const struct entry_points *ep, struct err *e)
{
        for (size_t i = 0; i < ep->n; i++) {
                sv path = arena_fmt(&w->arena, "bin/%.*s", SV_ARG(ep->v[i].name));
                const char *why;

                if (!entry_path_safe(path, &why))
                        return err_set(e, ERR_INTEGRITY, "the entry point '%.*s' cannot be a script's name: %s",
                                       SV_ARG(ep->v[i].name), why);
                made_add(w, ITEM_BYTES, 0755, path, script_body(&w->arena, w->shebang, &ep->v[i]));
        }
        return 0;
}

static void plan_info(struct wheel *w)
{
        sv info = arena_fmt(&w->arena, "%.*s/%.*s", SV_ARG(w->ctx.site_packages), SV_ARG(w->dist_info));

        made_add(w, ITEM_BYTES, 0644, arena_fmt(&w->arena, "%.*s/INSTALLER", SV_ARG(info)), SV("envbuild\n"));
        if (w->art->direct)
                made_add(w, ITEM_BYTES, 0644, arena_fmt(&w->arena, "%.*s/direct_url.json", SV_ARG(info)),
                         direct_url_json(&w->arena, w->art));
        made_add(w, ITEM_RECORD, 0644, arena_fmt(&w->arena, "%.*s/RECORD", SV_ARG(info)), (sv){ 0 });
}

/* Bytewise, but '/' before everything else: what is below a path follows it at once. */
static int below_cmp(const void *x, const void *y)
{
        sv a = (*(struct wheel_item *const *)x)->entry.path, b = (*(struct wheel_item *const *)y)->entry.path;
        size_t n = a.n < b.n ? a.n : b.n, i = 0;

        while (i < n && a.p[i] == b.p[i])
                i++;
        if (i == n)
                return (a.n > b.n) - (a.n < b.n);
        if (a.p[i] == '/' || b.p[i] == '/')
                return a.p[i] == '/' ? -1 : 1;
        return (unsigned char)a.p[i] < (unsigned char)b.p[i] ? -1 : 1;
}

static int record_cmp(const void *x, const void *y)
{
        return sv_cmp((*(struct wheel_item *const *)x)->record_path, (*(struct wheel_item *const *)y)->record_path);
}

static int plan_order(struct wheel *w, struct err *e)
{
        struct wheel_item **v = arena_array(&w->arena, struct wheel_item *, w->n);

        for (size_t i = 0; i < w->n; i++)
                v[i] = &w->v[i];
        qsort(v, w->n, sizeof(struct wheel_item *), below_cmp);
        for (size_t i = 1; i < w->n; i++) {
                sv a = v[i - 1]->entry.path, b = v[i]->entry.path;

                if (sv_eq(a, b))
                        return err_set(e, ERR_INTEGRITY, "the wheel installs '/%.*s' twice", SV_ARG(a));
                if (sv_starts(b, a) && b.p[a.n] == '/')
                        return err_set(e, ERR_INTEGRITY, "the wheel installs '/%.*s' below the file '/%.*s'", SV_ARG(b),
                                       SV_ARG(a));
        }
        qsort(v, w->n, sizeof(struct wheel_item *), record_cmp);
        w->by_record = v;
        return 0;
}

static int plan(struct wheel *w, struct diags *ds, struct err *e)
{
        struct entry_points ep = { 0 };
        sv text;
        int rc;

        if (zip_open(&w->arena, w->archive, w->archive.n, &w->zip, NULL, e) < 0 ||
            zip_check(w->archive, &w->zip, e) < 0 || wheel_check(w, ds, e) < 0)
                return -(int)e->code;
        rc = wheel_text_read(w, "entry_points.txt", &text, e);
        if (rc == 0)
                rc = entry_points_parse(&w->arena, text, w->ctx.python, &ep, e);
        if (rc < 0 && rc != -ERR_NOT_FOUND)
                return rc;
        if (plan_members(w, &ep, e) < 0 || plan_scripts(w, &ep, e) < 0)
                return -(int)e->code;
        plan_info(w);
        return plan_order(w, e);
}

/* ---- reading */

static struct content made_content(struct wheel *w, struct wheel_item *it)
{
        it->entry.size = w->made.n;
        return (struct content){ .kind = w->made.n ? CONTENT_BYTES : CONTENT_NONE, .p = w->made.p, .n = w->made.n };
}

static int member_content(struct wheel *w, const struct zip_member *m, struct content *ret, struct err *e)
{
        sv packed;

        if (!m->size) { /* nothing is copied of it, so nobody else would look */
                *ret = (struct content){ 0 };
                return wheel_member_read(w, m, 0, &w->made, e);
        }
        if (zip_data(w->archive, m, &packed, e) < 0)
                return -(int)e->code;
        *ret = (struct content){
                .kind = m->method ? CONTENT_DEFLATE : CONTENT_STORED, .p = packed.p, .n = packed.n, .crc = m->crc
        };
        return 0;
}

static int script_content(struct wheel *w, struct wheel_item *it, struct content *ret, struct err *e)
{
        AUTO(buf_done) struct buf text = BUF_INIT(WHEEL_SCRIPT_MAX + 1);
        char first[8];
        size_t n;

        if (wheel_member_peek(w, it->member, first, sizeof(first), &n, e) < 0)
                return -(int)e->code;
        if (!script_is_python((sv){ first, n }))
                return member_content(w, it->member, ret, e);
        if (wheel_member_read(w, it->member, WHEEL_SCRIPT_MAX, &text, e) < 0)
                return -(int)e->code;
        buf_clear(&w->made);
        script_rewrite(buf_sv(&text), w->shebang, &w->made);
        *ret = made_content(w, it);
        return buf_check(&w->made, e);
}

static int record_content(struct wheel *w, struct wheel_item *it, struct content *ret, struct err *e)
{
        buf_clear(&w->made);
        for (size_t i = 0; i < w->n; i++)
                if (w->by_record[i] == it)
                        record_self(it->record_path, &w->made);
                else
                        record_row(w->by_record[i]->record_path, &w->by_record[i]->entry.sha256,
                                   w->by_record[i]->entry.size, &w->made);
        *ret = made_content(w, it);
        return buf_check(&w->made, e);
}

static int item_content(struct wheel *w, struct wheel_item *it, struct content *ret, struct err *e)
{
        switch (it->kind) {
        case ITEM_MEMBER:
                return member_content(w, it->member, ret, e);
        case ITEM_SCRIPT:
                return script_content(w, it, ret, e);
        case ITEM_RECORD:
                return record_content(w, it, ret, e);
        default:
                *ret = (struct content){ .kind = CONTENT_BYTES, .p = it->bytes.p, .n = it->bytes.n };
                return 0;
        }
}

static int wheel_next(struct entry_source *s, struct entry **ret, struct content *ret_content, struct err *e)
{
        struct wheel *w = (struct wheel *)s;
        struct wheel_item *it;

        if (w->at == w->n)
                return 0;
        it = &w->v[w->at];
        if (item_content(w, it, ret_content, e) < 0)
                return err_while(e, "installing the wheel '%.*s'", SV_ARG(w->file));
        w->at++;
        *ret = &it->entry;
        return 1;
}

static int wheel_rewind(struct entry_source *s, struct err *e)
{
        (void)e;
        ((struct wheel *)s)->at = 0;
        return 0;
}

static void wheel_free(struct entry_source *s)
{
        struct wheel *w = (struct wheel *)s;

        deflate_walk_free(w->walk);
        buf_done(&w->made);
        arena_done(&w->arena);
        free(w);
}

int install_wheel(const struct artifact *art, sv bytes, const struct install_ctx *ctx, struct diags *ds,
                  struct entry_source **ret, struct err *e)
{
        static const struct entry_source_ops ops = { wheel_next, wheel_rewind, wheel_free };
        struct wheel *w = xcalloc(1, sizeof(*w));

        w->source.ops = &ops;
        w->made = (struct buf)BUF_INIT(WHEEL_RECORD_MAX);
        w->walk = deflate_walk_new();
        w->art = art;
        w->archive = bytes;
        w->ctx = (struct install_ctx){ .prefix = arena_sv(&w->arena, ctx->prefix),
                                       .root = arena_sv(&w->arena, ctx->root),
                                       .python = arena_sv(&w->arena, ctx->python),
                                       .site_packages = arena_sv(&w->arena, ctx->site_packages) };
        w->file = arena_sv(&w->arena, sv_basename(art->url));
        if (!w->file.n)
                w->file = arena_fmt(&w->arena, "%.*s-%.*s.whl", SV_ARG(art->name), SV_ARG(art->version));
        w->shebang = script_shebang(&w->arena, w->ctx.prefix);
        if (plan(w, ds, e) < 0) {
                err_while(e, "installing the wheel '%.*s'", SV_ARG(w->file));
                wheel_free(&w->source);
                return -(int)e->code;
        }
        w->art = NULL; /* the caller's again */
        *ret = &w->source;
        return 0;
}
