#include "catalog/pypi_page.h"

#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "net/url.h"

#define URL_MAX ((size_t)64 << 10)

/* Python's quote(unquote(path)): "+" becomes "%2B", but "@" and "%2F" stay what they are. */
static void add_quoted(struct buf *out, sv path)
{
        static const char hex[] = "0123456789ABCDEF";
        char one[3] = { 0 };

        for (size_t i = 0; i < path.n; i++) {
                unsigned char c = (unsigned char)path.p[i];
                struct arena none = { 0 };
                sv decoded;

                if (c == '%' && i + 2 < path.n) {
                        memcpy(one, path.p + i, 3);
                        decoded = url_decode(&none, (sv){ one, 3 });
                        if (decoded.n == 1) {
                                c = (unsigned char)decoded.p[0];
                                i += 2;
                                if (c == '/')
                                        c = 0;
                        }
                        arena_done(&none);
                        if (c == 0) {
                                buf_add(out, path.p[i] == '0' ? SV("%00") : SV("%2F"));
                                continue;
                        }
                }
                if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                    (c && strchr("/-._~@", c)))
                        buf_byte(out, (char)c);
                else
                        buf_fmt(out, "%%%c%c", hex[c >> 4], hex[c & 15]);
        }
}

static bool is_plain(sv path)
{
        for (size_t i = 0; i < path.n; i++) {
                unsigned char c = (unsigned char)path.p[i];

                if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      (c && strchr("/-._~@", c))))
                        return false;
        }
        return true;
}

/* Browsers drop tabs and line breaks inside a URL, and blanks around it. */
static sv without_breaks(struct arena *a, sv ref)
{
        char *p;
        size_t n = 0;

        ref = sv_trim(ref);
        if (sv_find(ref, '\n') < 0 && sv_find(ref, '\r') < 0 && sv_find(ref, '\t') < 0)
                return ref;
        p = arena_alloc(a, ref.n + 1, 1);
        for (size_t i = 0; i < ref.n; i++)
                if (!strchr("\n\r\t", ref.p[i] ? ref.p[i] : 'x'))
                        p[n++] = ref.p[i];
        return (sv){ p, n };
}

sv pypi_link_url(struct arena *a, sv base, sv ref, sv *ret_fragment)
{
        AUTO(buf_done) struct buf out = BUF_INIT(URL_MAX);
        ptrdiff_t at, path, end;
        sv url, whole = url_join(a, base, without_breaks(a, ref));

        at = sv_find(whole, '#');
        *ret_fragment = at < 0 ? (sv){ 0 } : sv_skip(whole, (size_t)at + 1);
        url = at < 0 ? whole : sv_from_to(whole, 0, (size_t)at);
        end = sv_find(url, '?');
        if (end < 0)
                end = (ptrdiff_t)url.n;
        path = sv_find_sv(url, SV("//"));
        path = path < 0 ? 0 : path + 2;
        while (path < end && url.p[path] != '/') /* over the authority */
                path++;
        if (is_plain(sv_from_to(url, (size_t)path, (size_t)end)))
                return url;
        buf_add(&out, sv_from_to(url, 0, (size_t)path));
        add_quoted(&out, sv_from_to(url, (size_t)path, (size_t)end));
        buf_add(&out, sv_skip(url, (size_t)end));
        return arena_sv(a, buf_sv(&out));
}

void pypi_file_add_hash(struct arena *a, struct pypi_file *f, sv alg, sv hex)
{
        static const char *const known[] = { "sha256", "sha512", "sha384", "sha224", "sha1", "md5" };
        struct pypi_hash *v;
        bool ok = false;

        for (size_t i = 0; i < ARRAY_LEN(known); i++)
                ok = ok || sv_is(alg, known[i]);
        if (!ok || !hex.n)
                return;
        v = arena_array(a, struct pypi_hash, f->n_hash + 1u);
        if (f->n_hash)
                memcpy(v, f->hash, f->n_hash * sizeof(*v));
        v[f->n_hash++] = (struct pypi_hash){ alg, hex };
        f->hash = v;
        if (sv_is(alg, "sha256") && hex.n == 64) {
                char low[65] = { 0 };

                for (size_t i = 0; i < 64; i++)
                        low[i] = (char)(hex.p[i] >= 'A' && hex.p[i] <= 'F' ? hex.p[i] + 32 : hex.p[i]);
                hex_read((sv){ low, 64 }, f->sha256.b, 32);
        }
}

bool pypi_api_version_ok(sv text)
{
        sv major;
        uint64_t n;

        text = sv_trim(text);
        return !text.n || (sv_cut(&text, '.', &major) && sv_u64(major, &n) && n == 1);
}

int pypi_page_parse(struct arena *a, sv body, sv url, sv type, struct pypi_links *ret, struct err *e)
{
        sv kind = type, first = sv_trim(body);

        sv_cut(&type, ';', &kind);
        kind = sv_trim(kind);
        if (sv_eq_nocase(kind, SV("application/vnd.pypi.simple.v1+json")) ||
            sv_eq_nocase(kind, SV("application/json")) || (!kind.n && first.n && first.p[0] == '{'))
                return pypi_json_parse(a, body, url, ret, e);
        if (!kind.n || sv_eq_nocase(kind, SV("text/html")) ||
            sv_eq_nocase(kind, SV("application/vnd.pypi.simple.v1+html")) ||
            sv_eq_nocase(kind, SV("application/xhtml+xml")))
                return pypi_html_parse(a, body, url, ret, e);
        err_set(e, ERR_FAILED, "'%.*s' is of type '%.*s', not an index page", SV_ARG(url_masked(a, url)), SV_ARG(kind));
        err_hint(e, "the index URL is the part before the project's name, usually ending in /simple");
        return -ERR_FAILED;
}
