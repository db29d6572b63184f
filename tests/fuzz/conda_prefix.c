/* Replacing a prefix in pieces against the rules written down plainly, over a whole file. Input: mode and length of a piece, length of the
 * placeholder, of the prefix, then the placeholder, the prefix and the file. */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "install/conda_priv.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

/* --- the plain rules */

static void encode(sv text, size_t width, bool big, struct buf *out)
{
        buf_clear(out);
        for (size_t i = 0; i < text.n; i++) { /* ASCII only: others are not tried */
                for (size_t k = 0; k < width; k++)
                        buf_byte(out, k == (big ? width - 1 : 0) ? text.p[i] : '\0');
        }
}

static void text_plain(sv text, sv from, sv to, struct buf *out)
{
        while (text.n)
                if (sv_starts(text, from)) {
                        buf_add(out, to);
                        text = sv_skip(text, from.n);
                } else {
                        buf_byte(out, text.p[0]);
                        text = sv_skip(text, 1);
                }
}

static size_t zeros_at(sv text, size_t width)
{
        for (size_t i = 0; i + width <= text.n; i++)
                if (memcmp(text.p + i, "\0\0\0\0", width) == 0)
                        return i;
        return SIZE_MAX;
}

static bool binary_plain(sv text, sv from, sv to, size_t width, struct buf *out)
{
        while (text.n) {
                size_t end = sv_starts(text, from) ? zeros_at(sv_skip(text, from.n), width) : SIZE_MAX, before = out->n;

                if (end == SIZE_MAX) {
                        buf_byte(out, text.p[0]);
                        text = sv_skip(text, 1);
                        continue;
                }
                if (to.n > from.n)
                        return false;
                end += from.n;
                text_plain(sv_from_to(text, 0, end), from, to, out);
                while (out->n - before < end + width)
                        buf_byte(out, '\0');
                text = sv_skip(text, end + width);
        }
        return true;
}

static void escape_plain(sv text, sv from, sv to, struct buf *out)
{
        ptrdiff_t line = sv_find(text, '\n');

        if (sv_find(to, ' ') >= 0 && line >= 0 && sv_starts(text, SV("#!")) && sv_starts(sv_skip(text, 2), from)) {
                buf_add(out, SV("#!"));
                for (size_t i = 0; i < to.n; i++)
                        buf_fmt(out, to.p[i] == ' ' ? "\\%c" : "%c", to.p[i]);
                text = sv_skip(text, 2 + from.n);
                line = sv_find(text, '\n');
        }
        buf_add(out, text);
}

static void shebang_plain(sv text, struct buf *out)
{
        ptrdiff_t at = sv_find(text, '\n');
        size_t line = at < 0 ? text.n : (size_t)at, i = 2, slash = 0, begin;
        bool escaped = false;

        if (sv_starts(text, SV("#!"))) {
                while (i < line && text.p[i] == ' ')
                        i++;
                begin = i;
                if (i < line && text.p[i] == '/') {
                        for (; i < line && (!strchr(" \t\r", text.p[i]) || !text.p[i] ||
                                            (text.p[i] == ' ' && text.p[i - 1] == '\\' && i - 1 > begin - 1));
                             i++)
                                if (text.p[i] == '/')
                                        slash = i;
                        escaped = sv_find_sv(sv_from_to(text, begin, slash), SV("\\ ")) >= 0;
                        if (line > 127 || escaped) {
                                buf_add(out, SV("#!/usr/bin/env "));
                                buf_add(out, sv_from_to(text, slash + 1, line));
                                text = sv_skip(text, line);
                        }
                }
        }
        buf_add(out, text);
}

static bool plain(sv text, sv from, sv to, bool binary, struct buf *out)
{
        static const struct {
                size_t width;
                bool big;
        } encodings[] = { { 1, false }, { 2, false }, { 2, true }, { 4, false }, { 4, true } };
        AUTO(buf_done) struct buf have = BUF_INIT(SIZE_MAX), next = BUF_INIT(SIZE_MAX), f = BUF_INIT(SIZE_MAX),
                                  t = BUF_INIT(SIZE_MAX);

        if (binary)
                buf_add(&have, text);
        else
                escape_plain(text, from, to, &have);
        for (size_t i = 0; i < ARRAY_LEN(encodings); i++) {
                encode(from, encodings[i].width, encodings[i].big, &f);
                encode(to, encodings[i].width, encodings[i].big, &t);
                buf_clear(&next);
                if (!binary)
                        text_plain(buf_sv(&have), buf_sv(&f), buf_sv(&t), &next);
                else if (!binary_plain(buf_sv(&have), buf_sv(&f), buf_sv(&t), encodings[i].width, &next))
                        return false;
                buf_clear(&have);
                buf_add(&have, buf_sv(&next));
        }
        if (binary)
                buf_add(out, buf_sv(&have));
        else
                shebang_plain(buf_sv(&have), out);
        return true;
}

/* --- */

static bool ascii(sv s)
{
        for (size_t i = 0; i < s.n; i++)
                if (s.p[i] <= 0)
                        return false;
        return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
        AUTO(buf_done) struct buf want = BUF_INIT(SIZE_MAX), have = BUF_INIT(SIZE_MAX);
        AUTO(err_done) struct err e = { 0 };
        struct conda_replace how = { .file = SV("f") };
        struct conda_prefix *replacer;
        sv text = { (const char *)p, n };
        size_t piece;
        bool fits;
        int rc = 0;

        if (n < 3 || n > 65536 || p[1] == 0 || p[2] == 0)
                return 0;
        how.mode = p[0] & 1 ? CONDA_BINARY : CONDA_TEXT;
        piece = (p[0] >> 1) + 1u;
        text = sv_skip(text, 3);
        how.placeholder = sv_from_to(text, 0, p[1]);
        text = sv_skip(text, how.placeholder.n);
        how.prefix = sv_from_to(text, 0, p[2]);
        text = sv_skip(text, how.prefix.n);
        if (!how.placeholder.n || !how.prefix.n || !ascii(how.placeholder) || !ascii(how.prefix))
                return 0;
        fits = plain(text, how.placeholder, how.prefix, how.mode == CONDA_BINARY, &want);
        replacer = conda_prefix_new(&how);
        for (sv rest = text; rest.n && rc == 0; rest = sv_skip(rest, piece))
                rc = conda_prefix_add(replacer, sv_from_to(rest, 0, piece), &have, &e);
        if (rc == 0)
                rc = conda_prefix_end(replacer, &have, &e);
        conda_prefix_free(replacer);
        if ((rc == 0) != fits || (fits && !sv_eq(buf_sv(&want), buf_sv(&have))))
                abort();
        if (fits && how.mode == CONDA_BINARY && have.n != text.n)
                abort();
        return 0;
}
