#include "net/url.h"

#include <string.h>

#include "base/buf.h"

#define URL_MAX ((size_t)1 << 20)

static bool is_alpha(char c)
{
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
        return c >= '0' && c <= '9';
}

/* The scheme before ':', or the empty text: "C" of "C:/x" counts, as RFC 3986 says. */
static sv scheme_of(sv s)
{
        for (size_t i = 0; i < s.n; i++) {
                char c = s.p[i];

                if (c == ':')
                        return sv_from_to(s, 0, i);
                if (!is_alpha(c) && (i == 0 || (!is_digit(c) && c != '+' && c != '-' && c != '.')))
                        break;
        }
        return (sv){ 0 };
}

/* RFC 3986's five parts. Absent and empty are told apart only where joining needs it (has_*). */
struct parts {
        sv scheme, authority, path, query, fragment;
        bool has_authority, has_query, has_fragment;
};

static void split(sv s, struct parts *ret)
{
        ptrdiff_t at;

        *ret = (struct parts){ .scheme = scheme_of(s) };
        if (ret->scheme.n)
                s = sv_skip(s, ret->scheme.n + 1);
        if ((at = sv_find(s, '#')) >= 0) {
                ret->has_fragment = true;
                ret->fragment = sv_skip(s, (size_t)at + 1);
                s = sv_from_to(s, 0, (size_t)at);
        }
        if ((at = sv_find(s, '?')) >= 0) {
                ret->has_query = true;
                ret->query = sv_skip(s, (size_t)at + 1);
                s = sv_from_to(s, 0, (size_t)at);
        }
        if (sv_starts(s, SV("//"))) {
                ret->has_authority = true;
                s = sv_skip(s, 2);
                at = sv_find(s, '/');
                ret->authority = sv_from_to(s, 0, at < 0 ? s.n : (size_t)at);
                s = sv_skip(s, ret->authority.n);
        }
        ret->path = s;
}

static void split_authority(sv a, struct url *ret)
{
        ptrdiff_t at = sv_rfind(a, '@');

        if (at >= 0) {
                ret->user = sv_from_to(a, 0, (size_t)at);
                a = sv_skip(a, (size_t)at + 1);
        }
        at = sv_rfind(a, ':');
        if (at >= 0 && sv_find(sv_skip(a, (size_t)at), ']') < 0) { /* a colon inside [::1] is not a port's */
                ret->port = sv_skip(a, (size_t)at + 1);
                a = sv_from_to(a, 0, (size_t)at);
        }
        ret->host = a;
}

bool url_parse(sv text, struct url *ret)
{
        struct parts p;
        struct url u = { 0 };
        uint64_t port = 0;

        for (size_t i = 0; i < text.n; i++) /* controls and blanks could smuggle a second header or host */
                if ((unsigned char)text.p[i] <= ' ' || text.p[i] == 0x7f)
                        return false;
        split(text, &p);
        if (!p.scheme.n || (!p.has_authority && !sv_eq_nocase(p.scheme, SV("file"))))
                return false;
        u.scheme = p.scheme;
        u.path = p.path;
        u.query = p.query;
        u.fragment = p.fragment;
        split_authority(p.authority, &u);
        if (u.port.n && (!sv_u64(u.port, &port) || port > 65535))
                return false;
        if (!u.host.n && !sv_eq_nocase(p.scheme, SV("file")))
                return false;
        *ret = u;
        return true;
}

/* RFC 3986 §5.2.4 over segments: "." vanishes, ".." takes its predecessor along. */
static void add_path(struct buf *out, sv path)
{
        size_t root = out->n;
        bool absolute = path.n && path.p[0] == '/', more = true;

        if (absolute) {
                buf_byte(out, '/');
                root++;
                path = sv_skip(path, 1);
        }
        while (more) {
                ptrdiff_t at = sv_find(path, '/');
                sv seg = sv_from_to(path, 0, at < 0 ? path.n : (size_t)at);

                more = at >= 0;
                path = more ? sv_skip(path, (size_t)at + 1) : (sv){ 0 };
                if (sv_is(seg, ".."))
                        while (out->n > root && (--out->n == root || out->p[out->n - 1] != '/'))
                                ;
                else if (!sv_is(seg, ".")) {
                        buf_add(out, seg);
                        if (more)
                                buf_byte(out, '/');
                }
        }
}

static void add_merged(struct buf *out, const struct parts *b, sv ref)
{
        struct buf whole = BUF_INIT(URL_MAX);
        ptrdiff_t slash = sv_rfind(b->path, '/');

        if (b->has_authority && !b->path.n)
                buf_byte(&whole, '/');
        else
                buf_add(&whole, sv_from_to(b->path, 0, (size_t)(slash + 1)));
        buf_add(&whole, ref);
        add_path(out, buf_sv(&whole));
        buf_done(&whole);
}

sv url_join(struct arena *a, sv base, sv ref)
{
        struct buf out = BUF_INIT(URL_MAX);
        struct parts b, r, from;
        sv ret;

        split(base, &b);
        split(ref, &r);
        from = r.scheme.n ? r : b;
        buf_add(&out, from.scheme);
        if (from.scheme.n)
                buf_byte(&out, ':');
        if (r.has_authority)
                from = r;
        if (from.has_authority) {
                buf_add(&out, SV("//"));
                buf_add(&out, from.authority);
        }
        if (r.scheme.n || r.has_authority || (r.path.n && r.path.p[0] == '/'))
                add_path(&out, r.path);
        else if (r.path.n)
                add_merged(&out, &b, r.path);
        else
                add_path(&out, b.path);
        if (!r.has_query && !r.path.n && !r.has_authority && !r.scheme.n) {
                r.has_query = b.has_query;
                r.query = b.query;
        }
        if (r.has_query) {
                buf_byte(&out, '?');
                buf_add(&out, r.query);
        }
        if (r.has_fragment) {
                buf_byte(&out, '#');
                buf_add(&out, r.fragment);
        }
        ret = arena_sv(a, buf_sv(&out));
        buf_done(&out);
        return ret;
}

static int digit(char c)
{
        if (is_digit(c))
                return c - '0';
        if (c >= 'a' && c <= 'f')
                return c - 'a' + 10;
        return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

sv url_decode(struct arena *a, sv text)
{
        char *p;
        size_t n = 0;

        if (sv_find(text, '%') < 0)
                return text;
        p = arena_alloc(a, text.n + 1, 1);
        for (size_t i = 0; i < text.n; i++) {
                if (text.p[i] == '%' && i + 2 < text.n && digit(text.p[i + 1]) >= 0 && digit(text.p[i + 2]) >= 0) {
                        p[n++] = (char)(digit(text.p[i + 1]) * 16 + digit(text.p[i + 2]));
                        i += 2;
                } else {
                        p[n++] = text.p[i];
                }
        }
        return (sv){ p, n };
}

sv url_encode(struct arena *a, sv text)
{
        static const char hex[] = "0123456789ABCDEF";
        char *p = arena_alloc(a, arena_mul(text.n, 3) + 1, 1);
        size_t n = 0;

        for (size_t i = 0; i < text.n; i++) {
                unsigned char c = (unsigned char)text.p[i];

                if (is_alpha((char)c) || is_digit((char)c) || (c && strchr("-._~", c))) {
                        p[n++] = (char)c;
                } else {
                        p[n++] = '%';
                        p[n++] = hex[c >> 4];
                        p[n++] = hex[c & 15];
                }
        }
        return (sv){ p, n };
}

/* Where user:password@ stands in an absolute URL: [*from, *to) with the '@'; false when there is none. Works on what url_parse
 * refuses too: whatever is printed must be masked. */
static bool user_at(sv text, size_t *from, size_t *to)
{
        ptrdiff_t slashes = sv_find_sv(text, SV("//")), at;
        size_t start, end;

        if (slashes < 0)
                return false;
        start = (size_t)slashes + 2;
        for (end = start; end < text.n && !strchr("/?#", text.p[end] ? text.p[end] : 'x'); end++)
                ;
        at = sv_rfind(sv_from_to(text, start, end), '@');
        if (at < 0)
                return false;
        *from = start;
        *to = start + (size_t)at + 1;
        return true;
}

/* Not by printf: a broken URL may hold a NUL. */
static sv join3(struct arena *a, sv x, sv y, sv z)
{
        struct buf b = BUF_INIT(SIZE_MAX / 2);
        sv ret;

        buf_add(&b, x);
        buf_add(&b, y);
        buf_add(&b, z);
        ret = arena_sv(a, buf_sv(&b));
        buf_done(&b);
        return ret;
}

sv url_public(struct arena *a, sv text)
{
        size_t from, to;

        if (!user_at(text, &from, &to))
                return text;
        return join3(a, sv_from_to(text, 0, from), (sv){ 0 }, sv_skip(text, to));
}

/* "/t/TOKEN/": how anaconda's servers are told a token. */
static sv mask_token(struct arena *a, sv text)
{
        ptrdiff_t at = sv_find_sv(text, SV("/t/"));
        size_t from = (size_t)at + 3, to = from;

        if (at < 0 || sv_starts(text, SV("file:")))
                return text;
        while (to < text.n && text.p[to] != '/')
                to++;
        return to == from || to == text.n ? text : join3(a, sv_from_to(text, 0, from), SV("****"), sv_skip(text, to));
}

sv url_masked(struct arena *a, sv text)
{
        size_t from, to;
        sv user, name;
        ptrdiff_t colon, query = sv_find(text, '?');

        if (query >= 0) /* signed URLs carry their secret there */
                text = join3(a, sv_from_to(text, 0, (size_t)query), SV("?..."), (sv){ 0 });
        text = mask_token(a, text);
        if (!user_at(text, &from, &to))
                return text;
        user = sv_from_to(text, from, to - 1);
        colon = sv_find(user, ':');
        name = colon < 0 ? (sv){ 0 } : sv_from_to(user, 0, (size_t)colon); /* a lone name may be a token */
        return join3(a, sv_from_to(text, 0, from), join3(a, name, colon < 0 ? SV("****@") : SV(":****@"), (sv){ 0 }),
                     sv_skip(text, to));
}

static size_t name_end(sv s, size_t i)
{
        while (i < s.n && ((s.p[i] >= 'A' && s.p[i] <= 'Z') || is_digit(s.p[i]) || s.p[i] == '_'))
                i++;
        return i;
}

bool url_expand(struct arena *a, sv text, bool (*env)(void *arg, sv name, sv *ret), void *arg, sv *ret, sv *ret_missing)
{
        struct buf out = BUF_INIT(URL_MAX);

        for (size_t i = 0; i < text.n; i++) {
                size_t end = 0;
                sv name, value;

                if (text.p[i] == '$' && i + 1 < text.n && text.p[i + 1] == '{')
                        end = name_end(text, i + 2);
                if (end <= i + 2 || end >= text.n ||
                    text.p[end] != '}') { /* pip expands ${UPPER_CASE} and nothing else */
                        buf_byte(&out, text.p[i]);
                        continue;
                }
                name = sv_from_to(text, i + 2, end);
                if (!env(arg, name, &value)) {
                        *ret_missing = name;
                        buf_done(&out);
                        return false;
                }
                buf_add(&out, value);
                i = end;
        }
        *ret = arena_sv(a, buf_sv(&out));
        buf_done(&out);
        return true;
}

sv url_origin(struct arena *a, sv url)
{
        struct url u;

        if (!url_parse(url, &u))
                return (sv){ 0 };
        return arena_lower(a, arena_fmt(a, "%.*s://%.*s:%.*s", SV_ARG(u.scheme), SV_ARG(u.host),
                                        SV_ARG(u.port.n                              ? u.port
                                               : sv_eq_nocase(u.scheme, SV("https")) ? SV("443")
                                                                                     : SV("80"))));
}
