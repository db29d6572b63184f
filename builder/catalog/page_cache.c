#include "catalog/page_cache.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "net/url.h"

enum { LIFETIME_UNTOLD = 600 }; /* seconds, when a server gives neither a lifetime nor a validator */

#define MAGIC "envbuild page 1\n"

sha256 page_key(sv kind, sv name)
{
        AUTO(arena_done) struct arena a = { 0 };

        return sha256_of(arena_fmt(&a, "%.*s\n%.*s", SV_ARG(kind), SV_ARG(name)));
}

static sha256 key_of(const struct page_fetch *f)
{
        AUTO(arena_done) struct arena a = { 0 };

        return page_key(f->accept, url_public(&a, f->name));
}

/* "name value" lines up to an empty one; the body follows. */
static sv note_value(const struct page_fetch *f, const char *name)
{
        sv rest = sv_from_to(buf_sv(&f->note), 0, f->body_at), line, key;

        while (sv_line(&rest, &line))
                if (sv_cut(&line, ' ', &key) && sv_is(key, name))
                        return line;
        return (sv){ 0 };
}

static sv note_body(const struct page_fetch *f)
{
        return sv_skip(buf_sv(&f->note), f->body_at);
}

static void read_note(struct page_cache *c, size_t max, struct page_fetch *f)
{
        AUTO(err_done) struct err e = { 0 };
        sha256 key = key_of(f);
        ptrdiff_t end;

        f->note = (struct buf)BUF_INIT(max + 8192);
        if (store_note_get(c->store, STORE_HTTP, &key, &f->note, &e) < 0)
                return;
        end = sv_find_sv(buf_sv(&f->note), SV("\n\n"));
        if (!sv_starts(buf_sv(&f->note), SV(MAGIC)) || end < 0)
                return;
        f->kept = true;
        f->body_at = (size_t)end + 2;
}

static bool is_fresh(struct page_cache *c, const struct page_fetch *f)
{
        uint64_t until, made;
        int64_t now = clock_unix();

        return !c->refresh && sv_u64(note_value(f, "until"), &until) && sv_u64(note_value(f, "made"), &made) &&
               (int64_t)made <= now && now < (int64_t)until; /* made later than now: the clock was wrong once */
}

static void begin_transfer(struct page_cache *c, struct page_fetch *f, size_t max, int priority)
{
        struct net_header h[4] = { { SV("Accept"), f->accept }, { SV("Cache-Control"), SV("max-age=0") } };
        struct net_request r = {
                .url = f->url, .header = h, .n_header = c->refresh ? 2 : 1, .max_body = max, .priority = priority
        };
        sv etag = f->kept ? note_value(f, "etag") : (sv){ 0 }, date = f->kept ? note_value(f, "modified") : (sv){ 0 };

        if (etag.n)
                h[r.n_header++] = (struct net_header){ SV("If-None-Match"), etag };
        else if (date.n)
                h[r.n_header++] = (struct net_header){ SV("If-Modified-Since"), date };
        f->job = net_begin(c->net, &r);
}

void page_begin(struct page_cache *c, sv url, sv accept, size_t max, int priority, struct page_fetch *f)
{
        page_begin_as(c, url, url, accept, max, priority, f);
}

void page_begin_as(struct page_cache *c, sv name, sv url, sv accept, size_t max, int priority, struct page_fetch *f)
{
        *f = (struct page_fetch){ .url = url, .accept = accept, .name = name };
        read_note(c, max, f);
        f->fresh = f->kept && (c->offline || is_fresh(c, f));
        if (!f->fresh)
                begin_transfer(c, f, max, priority);
}

bool page_ready(struct page_cache *c, struct page_fetch *f)
{
        return !f->job || net_ready(c->net, f->job);
}

void page_drop(struct page_cache *c, struct page_fetch *f)
{
        net_drop(c->net, f->job);
        buf_done(&f->note);
        *f = (struct page_fetch){ 0 };
}

/* One directive of Cache-Control: its number, or 0 for a bare one; false when it is not there. */
static bool directive(sv control, const char *name, uint64_t *ret)
{
        sv part, key;

        while (sv_cut(&control, ',', &part)) {
                sv_cut(&part, '=', &key);
                key = sv_trim(key);
                part = sv_trim(part);
                if (!sv_eq_nocase(key, sv_from(name)))
                        continue;
                if (part.n > 1 && part.p[0] == '"')
                        part = sv_from_to(part, 1, part.n - 1);
                if (!sv_u64(part, ret))
                        *ret = 0;
                return true;
        }
        return false;
}

int64_t page_lifetime(const struct net_answer *a)
{
        sv control = net_header_get(a, "cache-control");
        uint64_t seconds, age = 0;
        int64_t expires, date;

        if (directive(control, "no-store", &seconds))
                return -1;
        if (directive(control, "no-cache", &seconds))
                return 0;
        sv_u64(net_header_get(a, "age"), &age);
        if (directive(control, "max-age", &seconds))
                return seconds <= age ? 0 : seconds - age > 86400 ? 86400 : (int64_t)(seconds - age);
        if (time_parse_rfc2822(net_header_get(a, "expires"), &expires)) {
                if (!time_parse_rfc2822(net_header_get(a, "date"), &date))
                        date = clock_unix();
                return expires <= date ? 0 : expires - date > 86400 ? 86400 : expires - date;
        }
        return net_header_get(a, "etag").n || net_header_get(a, "last-modified").n ? 0 : LIFETIME_UNTOLD;
}

static void write_note(struct page_cache *c, const struct page_fetch *f, const struct net_answer *a, sv url, sv type,
                       sv body, const char *state)
{
        AUTO(buf_done) struct buf out = BUF_INIT(body.n + 8192);
        int64_t life = page_lifetime(a), now = clock_unix();
        sha256 key = key_of(f);
        sv etag = net_header_get(a, "etag"), date = net_header_get(a, "last-modified");

        if (life < 0)
                return;
        if (a->status == 304 && !etag.n)
                etag = note_value(f, "etag");
        if (a->status == 304 && !date.n)
                date = note_value(f, "modified");
        buf_fmt(&out, "%sstate %s\nurl %.*s\ntype %.*s\nmade %lld\nuntil %lld\n", MAGIC, state, SV_ARG(url),
                SV_ARG(type), (long long)now, (long long)(now + life));
        if (etag.n)
                buf_fmt(&out, "etag %.*s\n", SV_ARG(etag));
        if (date.n)
                buf_fmt(&out, "modified %.*s\n", SV_ARG(date));
        buf_byte(&out, '\n');
        buf_add(&out, body);
        if (!out.over)
                keeper_put(c->keeper, STORE_HTTP, &key, buf_sv(&out));
}

static void from_note(const struct page_fetch *f, struct arena *a, struct page_got *ret)
{
        *ret = (struct page_got){ .absent = sv_is(note_value(f, "state"), "absent") };
        ret->url = arena_sv(a, note_value(f, "url"));
        ret->type = arena_sv(a, note_value(f, "type"));
        ret->body = arena_sv(a, note_body(f));
}

/* Object stores answer 403 for what does not exist unless the asker may list them; PyTorch's index is one. */
bool page_absent(const struct net_answer *a)
{
        struct url u;

        if (a->status == 404 || a->status == 410)
                return true;
        if (a->status != 403 || net_header_get(a, "www-authenticate").n)
                return false;
        return sv_starts(net_header_get(a, "server"), SV("AmazonS3")) ||
               (url_parse(a->url, &u) && (sv_is(u.host, "pytorch.org") || sv_ends(u.host, SV(".pytorch.org"))));
}

static int take_answer(struct page_cache *c, struct page_fetch *f, struct arena *a, struct page_got *ret, struct err *e)
{
        struct net_answer got = { 0 };

        if (net_wait(c->net, STEAL(f->job), a, &got, e) < 0)
                return -(int)e->code;
        if (got.status == 304 && f->kept) {
                from_note(f, a, ret);
                write_note(c, f, &got, ret->url, ret->type, ret->body, ret->absent ? "absent" : "there");
                return 0;
        }
        *ret = (struct page_got){ .absent = page_absent(&got),
                                  .url = f->name.p == f->url.p ? got.url : f->name,
                                  .type = net_header_get(&got, "content-type") };
        if (ret->absent) {
                write_note(c, f, &got, ret->url, ret->type, (sv){ 0 }, "absent");
                return 0;
        }
        if (got.status != 200)
                return net_status_err(&got, e);
        ret->body = got.body;
        write_note(c, f, &got, ret->url, ret->type, ret->body, "there");
        return 0;
}

int page_take(struct page_cache *c, struct page_fetch *f, struct arena *a, struct page_got *ret, struct err *e)
{
        int r = 0;

        if (f->job)
                r = take_answer(c, f, a, ret, e);
        else
                from_note(f, a, ret);
        page_drop(c, f);
        return r;
}

bool page_kept(struct page_cache *c, const sha256 *key, size_t max, struct arena *a, sv *ret)
{
        AUTO(buf_done) struct buf b = BUF_INIT(max);
        AUTO(err_done) struct err e = { 0 };

        if (store_note_get(c->store, STORE_HTTP, key, &b, &e) < 0)
                return false;
        *ret = arena_sv(a, buf_sv(&b));
        return true;
}

void page_keep(struct page_cache *c, const sha256 *key, sv text)
{
        keeper_put(c->keeper, STORE_HTTP, key, text);
}
