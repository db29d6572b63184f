#include <inttypes.h>
#include <string.h>

#include "ext/json.h"
#include "install/wheel_priv.h"

sv record_path(struct arena *a, sv path, sv from)
{
        struct buf b = BUF_INIT(WHEEL_TEXT_MAX);
        sv up, head, from_rest = from, path_rest = path, from_head;

        /* what both have in common goes first; each folder of `from` that is left is one step up */
        while (sv_cut(&from_rest, '/', &from_head)) {
                sv before = path_rest;

                if (sv_cut(&path_rest, '/', &head) && path_rest.n && sv_eq(head, from_head))
                        continue;
                path_rest = before;
                do
                        buf_add(&b, SV("../"));
                while (sv_cut(&from_rest, '/', &from_head));
        }
        buf_add(&b, path_rest);
        up = arena_sv(a, buf_sv(&b));
        buf_done(&b);
        return up;
}

/* As Python's csv module writes a field. */
static void field(sv s, struct buf *out)
{
        if (!memchr(s.p, ',', s.n) && !memchr(s.p, '"', s.n) && !memchr(s.p, '\n', s.n) && !memchr(s.p, '\r', s.n)) {
                buf_add(out, s);
                return;
        }
        buf_byte(out, '"');
        for (size_t i = 0; i < s.n; i++) {
                if (s.p[i] == '"')
                        buf_byte(out, '"');
                buf_byte(out, s.p[i]);
        }
        buf_byte(out, '"');
}

static void base64_url(const uint8_t *p, size_t n, struct buf *out)
{
        static const char digit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        uint32_t bits = 0;
        unsigned have = 0;

        for (size_t i = 0; i < n; i++) {
                bits = bits << 8 | p[i];
                for (have += 8; have >= 6; have -= 6)
                        buf_byte(out, digit[bits >> (have - 6) & 63]);
        }
        if (have)
                buf_byte(out, digit[bits << (6 - have) & 63]);
}

void record_row(sv path, const sha256 *hash, uint64_t size, struct buf *out)
{
        field(path, out);
        buf_add(out, SV(",sha256="));
        base64_url(hash->b, sizeof(hash->b), out);
        buf_fmt(out, ",%" PRIu64 "\r\n", size);
}

void record_self(sv path, struct buf *out)
{
        field(path, out);
        buf_add(out, SV(",,\r\n"));
}

/* PEP 610, spaced as pip writes it. The fragment is not part of where the file came from. */
sv direct_url_json(struct arena *a, const struct artifact *art)
{
        struct buf url = BUF_INIT(WHEEL_TEXT_MAX);
        sha256_text hash = sha256_hex(&art->sha256);
        ptrdiff_t fragment = sv_find(art->url, '#');
        sv text;

        js_write_str(fragment < 0 ? art->url : sv_from_to(art->url, 0, (size_t)fragment), &url);
        text = arena_fmt(
                a, "{\"archive_info\": {\"hash\": \"sha256=%s\", \"hashes\": {\"sha256\": \"%s\"}}, \"url\": %.*s}",
                hash.s, hash.s, SV_ARG(buf_sv(&url)));
        buf_done(&url);
        return text;
}
