#include "base/diag_print.h"

#define SHOWN_MAX 160 /* bytes of a source line that are shown */
#define BEFORE    60  /* of them before the fault, when the line is longer */

static const struct {
        const char *name, *colour;
} levels[] = {
        [DIAG_NOTE] = { "note", "\033[36m" },
        [DIAG_WARNING] = { "warning", "\033[33m" },
        [DIAG_ERROR] = { "error", "\033[1;31m" },
};

/* The end of the "user:password" that begins at i (behind "://"), or i. ${VAR}s are no secret. */
static size_t user_end(sv s, size_t i)
{
        size_t end = i;
        bool variable = false;

        for (size_t k = i; k < s.n && s.p[k] != '/' && s.p[k] != ' ' && s.p[k] != '\'' && s.p[k] != '"'; k++) {
                variable |= s.p[k] == '$' && k + 1 < s.n && s.p[k + 1] == '{';
                if (s.p[k] == '@')
                        end = k;
        }
        return variable || sv_is(sv_from_to(s, i, end), "git") ? i : end; /* git@ is everybody */
}

/* The end of the token that begins at i, behind "/t/" of a conda channel's URL, or i. Behind the host anything is one; further on ("…/t/tqdm/" of
 * an index) only what looks like one. */
static size_t token_end(sv s, size_t i, size_t host)
{
        size_t end = i;
        bool odd = false;

        while (end < s.n && (s.p[end] == '-' || (s.p[end] >= '0' && s.p[end] <= '9') ||
                             ((s.p[end] | 0x20) >= 'a' && (s.p[end] | 0x20) <= 'z'))) {
                odd |= s.p[end] == '-' || (s.p[end] >= '0' && s.p[end] <= '9');
                end++;
        }
        return host && end < s.n && s.p[end] == '/' && (odd || sv_find(sv_from_to(s, host, i - 3), '/') < 0) ? end : i;
}

/* C0 and C1 controls (the latter are two bytes in UTF-8), and every byte of a text that is no UTF-8, as '?': nothing steers a terminal. */
static size_t clean_char(sv s, size_t i, bool utf8, struct buf *out)
{
        unsigned char c = (unsigned char)s.p[i], next = i + 1 < s.n ? (unsigned char)s.p[i + 1] : 0;
        bool c1 = c == 0xc2 && next < 0xa0;

        buf_byte(out, (c < 0x20 && c != '\t') || c == 0x7f || c1 || (c >= 0x80 && !utf8) ? '?' : (char)c);
        return 1 + c1;
}

/* Where a secret that begins at i ends, or i. *host: where the host of the URL that we are in begins, 0 outside of one. */
static size_t secret_end(sv s, size_t i, size_t *host)
{
        if (i >= 3 && s.p[i - 3] == ':' && s.p[i - 2] == '/' && s.p[i - 1] == '/') {
                *host = i;
                return user_end(s, i);
        }
        if (s.p[i] == ' ')
                *host = 0;
        return i >= 3 && s.p[i - 3] == '/' && s.p[i - 2] == 't' && s.p[i - 1] == '/' ? token_end(s, i, *host) : i;
}

static void add_clean(sv s, struct buf *out)
{
        bool utf8 = sv_utf8(s);
        size_t host = 0;

        for (size_t i = 0; i < s.n;) {
                for (size_t end = secret_end(s, i, &host); i < end; i++)
                        buf_byte(out, '*');
                if (i < s.n)
                        i += clean_char(s, i, utf8, out);
        }
}

static bool continues(sv s, size_t i) /* a byte inside of a UTF-8 character */
{
        return i < s.n && ((unsigned char)s.p[i] & 0xc0) == 0x80;
}

/* The part of a long line that holds the fault: *ret_from is its first byte. */
static sv window(sv line, size_t at, size_t *ret_from)
{
        size_t from = line.n > SHOWN_MAX && at > BEFORE ? at - BEFORE : 0, to = from + SHOWN_MAX;

        while (from && from < at && continues(line, from))
                from++;
        while (continues(line, to))
                to++;
        *ret_from = from;
        return sv_from_to(line, from, to);
}

/* Blanks up to the fault (tabs stay tabs, so that they align), then a caret a character. */
static void add_carets(sv shown, size_t at, size_t len, struct buf *out)
{
        size_t end = at + (len ? len : 1);

        for (size_t i = 0; i < at; i++)
                if (!continues(shown, i))
                        buf_byte(out, i < shown.n && shown.p[i] == '\t' ? '\t' : ' ');
        if (end > shown.n)
                end = shown.n > at ? shown.n : at + 1;
        for (size_t i = at; i < end; i++)
                if (!continues(shown, i))
                        buf_byte(out, '^');
}

static void add_line(const struct diag *d, sv line, bool colour, struct buf *out)
{
        size_t from, at = d->col ? d->col - 1 : 0;
        struct buf clean = BUF_INIT(4 * SHOWN_MAX);
        int width = 1;
        sv shown;

        if (at > line.n)
                at = line.n;
        shown = window(line, at, &from);
        for (uint32_t n = d->line; n >= 10; n /= 10)
                width++;
        add_clean(shown, &clean);
        buf_fmt(out, "  %u | %.*s\n  %*s | ", d->line, SV_ARG(buf_sv(&clean)), width, "");
        buf_done(&clean);
        buf_add(out, sv_from(colour ? levels[d->level].colour : ""));
        add_carets(shown, at - from, d->len, out);
        buf_add(out, sv_from(colour ? "\033[0m" : ""));
        if (d->hint.n) {
                buf_add(out, SV(" hint: "));
                add_clean(d->hint, out);
        }
        buf_byte(out, '\n');
}

void diag_write_one(const struct diags *ds, const struct diag *d, bool colour, struct buf *out)
{
        sv line = d->line ? diag_line(ds, d->file, d->line) : (sv){ 0 };

        add_clean(d->file, out);
        if (d->line)
                buf_fmt(out, ":%u", d->line);
        if (d->line && d->col)
                buf_fmt(out, ":%u", d->col);
        buf_fmt(out, ": %s%s%s[%s]: ", colour ? levels[d->level].colour : "", levels[d->level].name,
                colour ? "\033[0m" : "", d->code);
        add_clean(d->text, out);
        buf_byte(out, '\n');
        if (line.n) {
                add_line(d, line, colour, out);
        } else if (d->hint.n) {
                buf_add(out, SV("  hint: "));
                add_clean(d->hint, out);
                buf_byte(out, '\n');
        }
}

void diag_write(const struct diags *ds, bool colour, struct buf *out)
{
        for (size_t i = 0; i < ds->n; i++)
                diag_write_one(ds, &ds->v[i], colour, out);
}
