#include "base/cleanup.h"
#include "spec/spec_priv.h"

static unsigned unit(sv text, size_t i, bool big)
{
        unsigned char a = (unsigned char)text.p[i], b = (unsigned char)text.p[i + 1];

        return big ? (unsigned)a << 8 | b : (unsigned)b << 8 | a;
}

static void put_utf8(struct buf *out, uint32_t c)
{
        if (c < 0x80) {
                buf_byte(out, (char)c);
        } else if (c < 0x800) {
                buf_byte(out, (char)(0xc0 | c >> 6));
                buf_byte(out, (char)(0x80 | (c & 0x3f)));
        } else if (c < 0x10000) {
                buf_byte(out, (char)(0xe0 | c >> 12));
                buf_byte(out, (char)(0x80 | (c >> 6 & 0x3f)));
                buf_byte(out, (char)(0x80 | (c & 0x3f)));
        } else {
                buf_byte(out, (char)(0xf0 | c >> 18));
                buf_byte(out, (char)(0x80 | (c >> 12 & 0x3f)));
                buf_byte(out, (char)(0x80 | (c >> 6 & 0x3f)));
                buf_byte(out, (char)(0x80 | (c & 0x3f)));
        }
}

/* PowerShell's "pip freeze > requirements.txt" writes UTF-16. A lone surrogate becomes U+FFFD. */
static void from_utf16(sv text, bool big, struct buf *out)
{
        for (size_t i = 2; i + 1 < text.n; i += 2) {
                uint32_t c = unit(text, i, big), low = i + 3 < text.n ? unit(text, i + 2, big) : 0;
                if (c >= 0xd800 && c < 0xdc00 && low >= 0xdc00 && low < 0xe000) {
                        c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
                        i += 2;
                } else if (c >= 0xd800 && c < 0xe000) {
                        c = 0xfffd;
                }
                put_utf8(out, c);
        }
}

/* Where the first byte stands that is not UTF-8. */
static struct spec_where first_bad(sv file, sv text)
{
        struct spec_where at = { file, 0, 1 };
        sv rest = text, line = { 0 };

        while (sv_line(&rest, &line)) {
                at.line++;
                if (!sv_utf8(line))
                        break;
        }
        for (size_t n = 1;
             n <= line.n && (sv_utf8((sv){ line.p, n }) || (n < line.n && ((unsigned char)line.p[n] & 0xc0) == 0x80));
             n++)
                at.col = (uint32_t)n + 1;
        return at;
}

int spec_read_text(struct spec_load *l, sv path, sv *ret, struct err *e)
{
        AUTO(buf_done) struct buf raw = BUF_INIT(SPEC_FILE_MAX), utf8 = BUF_INIT(2 * SPEC_FILE_MAX);
        sv text;
        int r = l->io->read(l->io->arg, path, &raw, e);

        if (r < 0)
                return r;
        text = buf_sv(&raw);
        if (sv_starts(text, SV("\xef\xbb\xbf"))) {
                text = sv_skip(text, 3);
        } else if (sv_starts(text, SV("\xff\xfe")) || sv_starts(text, SV("\xfe\xff"))) {
                from_utf16(text, text.p[0] == '\xfe', &utf8);
                text = buf_sv(&utf8);
        }
        text = arena_sv(l->a, text);
        diag_source(l->ds, path, text);
        if (!sv_utf8(text)) {
                size_t i = spec_fault(l->ds, first_bad(path, text), 1, "EB100", "not UTF-8 text");
                diag_hint(l->ds, i, "save the file as UTF-8");
                return err_set(e, ERR_USAGE, "'%.*s' is not UTF-8 text", SV_ARG(path));
        }
        *ret = text;
        return 0;
}
