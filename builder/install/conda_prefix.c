#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "install/conda_priv.h"

#define SHEBANG_MAX 127 /* what Linux reads of a first line */
#define LINE_MAX    ((size_t)1 << 20)

/* The placeholder may stand in a file in any of these; conda replaces one after the other. */
enum { UTF8, UTF16LE, UTF16BE, UTF32LE, UTF32BE, ENCODINGS };
static const unsigned char widths[ENCODINGS] = { 1, 2, 2, 4, 4 };

struct stage {
        sv needle, with;
        size_t zero;     /* bytes of a NUL */
        struct buf hold; /* not yet decided: what may be the begin of a needle, or a string whose end was not seen */
        bool in_string;  /* binary: hold begins with a needle */
        size_t scanned;  /* of hold: no NUL ends before */
};
enum line_state { LINE_UNKNOWN, LINE_HELD, LINE_PAST };
struct conda_prefix {
        struct arena arena;
        struct conda_replace how;
        struct stage stage[ENCODINGS];
        enum line_state head, first; /* the first line, before and after the stages: text only */
        struct buf head_line, first_line;
};

/* --- encodings */

static uint32_t rune_cut(sv *s)
{
        unsigned char c = (unsigned char)s->p[0];
        size_t n = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
        uint32_t r = n == 1 ? c : n == 2 ? c & 0x1f : n == 3 ? c & 0x0f : c & 0x07;

        for (size_t i = 1; i < n && i < s->n; i++)
                r = r << 6 | ((unsigned char)s->p[i] & 0x3f);
        *s = sv_skip(*s, n);
        return r;
}

static void unit(struct buf *b, uint32_t v, size_t width, bool big)
{
        for (size_t i = 0; i < width; i++)
                buf_byte(b, (char)(v >> 8 * (big ? width - 1 - i : i)));
}

/* text is UTF-8 */
static sv encode(struct arena *a, sv text, int encoding)
{
        AUTO(buf_done) struct buf b = BUF_INIT((size_t)ENTRY_PATH_MAX * 8);
        bool big = encoding == UTF16BE || encoding == UTF32BE;

        if (encoding == UTF8)
                return text;
        while (text.n) {
                uint32_t r = rune_cut(&text);

                if (widths[encoding] == 2 && r >= 0x10000) {
                        unit(&b, 0xd800 + ((r - 0x10000) >> 10), 2, big);
                        r = 0xdc00 + ((r - 0x10000) & 0x3ff);
                }
                unit(&b, r, widths[encoding], big);
        }
        return arena_sv(a, buf_sv(&b));
}

struct conda_prefix *conda_prefix_new(const struct conda_replace *how)
{
        struct conda_prefix *p = xcalloc(1, sizeof(*p));

        p->how = *how;
        for (int i = 0; i < ENCODINGS; i++) {
                p->stage[i].needle = encode(&p->arena, how->placeholder, i);
                p->stage[i].with = encode(&p->arena, how->prefix, i);
                p->stage[i].zero = widths[i];
                p->stage[i].hold.max = how->mode == CONDA_BINARY ? CONDA_STRING_MAX : SIZE_MAX / 2;
        }
        if (how->mode == CONDA_BINARY)
                p->head = p->first = LINE_PAST;
        p->head_line.max = p->first_line.max = LINE_MAX;
        return p;
}

void conda_prefix_free(struct conda_prefix *p)
{
        if (!p)
                return;
        for (int i = 0; i < ENCODINGS; i++)
                buf_done(&p->stage[i].hold);
        buf_done(&p->head_line);
        buf_done(&p->first_line);
        arena_done(&p->arena);
        free(p);
}

/* --- the first line */

static int line_hold(struct conda_prefix *p, struct buf *line, sv bytes, struct err *e)
{
        buf_add(line, bytes);
        return line->over ? err_set(e, ERR_LIMIT, "the first line of '%.*s' is longer than %zu bytes",
                                    SV_ARG(p->how.file), LINE_MAX)
                          : 0;
}

/* The end of the first line in bytes, or all of it. */
static size_t line_end(sv bytes, bool *ret_found)
{
        ptrdiff_t at = sv_find(bytes, '\n');

        *ret_found = at >= 0;
        return at < 0 ? bytes.n : (size_t)at;
}

/* Cuts "#! *EXECUTABLE" off; a blank after a backslash belongs to it. */
static bool shebang_cut(sv line, sv *ret_executable, sv *ret_options)
{
        sv rest = sv_skip(line, 2);
        size_t n = 0;

        if (!sv_starts(line, SV("#!")))
                return false;
        while (sv_starts(rest, SV(" ")))
                rest = sv_skip(rest, 1);
        if (!sv_starts(rest, SV("/")))
                return false;
        while (n < rest.n)
                if (rest.p[n] == '\\' && n + 1 < rest.n && rest.p[n + 1] == ' ')
                        n += 2;
                else if (rest.p[n] == ' ' || rest.p[n] == '\t' || rest.p[n] == '\r')
                        break;
                else
                        n++;
        *ret_executable = sv_from_to(rest, 0, n);
        *ret_options = sv_skip(rest, n);
        return true;
}

/* A line that the kernel would cut, or split at a blank, searches PATH instead. */
static void shebang_write(sv line, struct buf *out)
{
        sv executable, options, folder, name;

        if (!shebang_cut(line, &executable, &options)) {
                buf_add(out, line);
                return;
        }
        folder = sv_from_to(executable, 0, (size_t)sv_rfind(executable, '/'));
        name = sv_skip(executable, folder.n + 1);
        if (line.n <= SHEBANG_MAX && sv_find_sv(folder, SV("\\ ")) < 0) {
                buf_add(out, line);
                return;
        }
        buf_add(out, SV("#!/usr/bin/env "));
        buf_add(out, name);
        buf_add(out, options);
}

/* After all stages. */
static int first_push(struct conda_prefix *p, sv bytes, bool end, struct buf *out, struct err *e)
{
        while (p->first != LINE_PAST && (bytes.n || end)) {
                bool found = false;
                size_t n = p->first == LINE_UNKNOWN && bytes.n ? 1 : line_end(bytes, &found);

                if (p->first == LINE_UNKNOWN) {
                        if (line_hold(p, &p->first_line, sv_from_to(bytes, 0, n), e) < 0)
                                return -(int)e->code;
                        bytes = sv_skip(bytes, n);
                        if (sv_eq(buf_sv(&p->first_line), SV("#!")))
                                p->first = LINE_HELD;
                        else if (end || !sv_starts(SV("#!"), buf_sv(&p->first_line))) {
                                buf_add(out, buf_sv(&p->first_line));
                                p->first = LINE_PAST;
                        }
                        continue;
                }
                if (line_hold(p, &p->first_line, sv_from_to(bytes, 0, n), e) < 0)
                        return -(int)e->code;
                bytes = sv_skip(bytes, n);
                if (!found && !end)
                        return 0;
                shebang_write(buf_sv(&p->first_line), out);
                p->first = LINE_PAST;
        }
        buf_add(out, bytes);
        return buf_check(out, e) < 0 ? err_while(e, "replacing the prefix in '%.*s'", SV_ARG(p->how.file)) : 0;
}

/* --- the stages */

static int stage_push(struct conda_prefix *p, int k, sv bytes, bool end, struct buf *out, struct err *e);

static int emit(struct conda_prefix *p, int k, sv bytes, struct buf *out, struct err *e)
{
        return bytes.n ? stage_push(p, k + 1, bytes, false, out, e) : 0;
}

/* How many last bytes may be the begin of a needle that goes on. */
static size_t tail_of(sv bytes, sv needle)
{
        size_t n = bytes.n < needle.n - 1 ? bytes.n : needle.n - 1;

        for (; n; n--) {
                const char *from = bytes.p + bytes.n - n, *at = memchr(from, needle.p[0], n);

                if (!at)
                        return 0;
                n -= (size_t)(at - from);
                if (memcmp(at, needle.p, n) == 0)
                        return n;
        }
        return 0;
}

/* Emits what stands before the next needle; *ret_at: its place, or SIZE_MAX, then *ret_used bytes are decided. */
static int seek(struct conda_prefix *p, int k, sv data, size_t from, bool end, size_t *ret_at, size_t *ret_used,
                struct buf *out, struct err *e)
{
        struct stage *s = &p->stage[k];
        sv rest = sv_skip(data, from);
        ptrdiff_t at = sv_find_sv(rest, s->needle);

        *ret_at = at < 0 ? SIZE_MAX : from + (size_t)at;
        *ret_used = at < 0 ? data.n - (end ? 0 : tail_of(rest, s->needle)) : *ret_at;
        return emit(p, k, sv_from_to(data, from, *ret_used), out, e);
}

static int text_run(struct conda_prefix *p, int k, sv data, bool end, size_t *ret_used, struct buf *out, struct err *e)
{
        struct stage *s = &p->stage[k];
        size_t at;

        for (size_t from = 0;; from = at + s->needle.n) {
                if (seek(p, k, data, from, end, &at, ret_used, out, e) < 0)
                        return -(int)e->code;
                if (at == SIZE_MAX)
                        return 0;
                if (emit(p, k, s->with, out, e) < 0)
                        return -(int)e->code;
        }
}

static int too_long(const struct conda_prefix *p, struct err *e)
{
        err_set(e, ERR_FAILED,
                "the prefix '%.*s' has %zu bytes, but '%.*s' is a binary file with room for %zu: it was built for "
                "'%.*s'",
                SV_ARG(p->how.prefix), p->how.prefix.n, SV_ARG(p->how.file), p->how.placeholder.n,
                SV_ARG(p->how.placeholder));
        err_hint(e, "use a prefix of at most %zu bytes", p->how.placeholder.n);
        return -(int)e->code;
}

/* A whole string, its NUL not included: all needles in it, then the NULs that keep its length. */
static int string_emit(struct conda_prefix *p, int k, sv string, struct buf *out, struct err *e)
{
        static const char zeros[256];
        struct stage *s = &p->stage[k];
        size_t pad = s->zero;

        if (s->with.n > s->needle.n)
                return too_long(p, e);
        for (ptrdiff_t at; (at = sv_find_sv(string, s->needle)) >= 0;
             string = sv_skip(string, (size_t)at + s->needle.n)) {
                if (emit(p, k, sv_from_to(string, 0, (size_t)at), out, e) < 0 || emit(p, k, s->with, out, e) < 0)
                        return -(int)e->code;
                pad += s->needle.n - s->with.n;
        }
        if (emit(p, k, string, out, e) < 0)
                return -(int)e->code;
        for (size_t n; pad; pad -= n) {
                n = pad < sizeof(zeros) ? pad : sizeof(zeros);
                if (emit(p, k, (sv){ zeros, n }, out, e) < 0)
                        return -(int)e->code;
        }
        return 0;
}

static int binary_run(struct conda_prefix *p, int k, sv data, bool end, size_t *ret_used, struct buf *out,
                      struct err *e)
{
        static const char zeros[4];
        struct stage *s = &p->stage[k];
        size_t at = 0;
        ptrdiff_t nul;

        for (*ret_used = 0;;) {
                if (!s->in_string) {
                        if (seek(p, k, data, *ret_used, end, &at, ret_used, out, e) < 0)
                                return -(int)e->code;
                        if (at == SIZE_MAX)
                                return 0;
                        s->in_string = true;
                        s->scanned = s->needle.n;
                }
                nul = sv_find_sv(sv_skip(data, at + s->scanned), (sv){ zeros, s->zero });
                if (nul < 0) {
                        size_t clear = data.n - at - (s->zero - 1); /* a NUL of several bytes may have begun */

                        if (clear > s->scanned)
                                s->scanned = clear;
                        if (!end)
                                return 0;
                        *ret_used = data.n; /* conda, too, leaves a string without an end alone */
                        return emit(p, k, sv_skip(data, at), out, e);
                }
                s->in_string = false;
                *ret_used = at + s->scanned + (size_t)nul + s->zero;
                if (string_emit(p, k, sv_from_to(data, at, *ret_used - s->zero), out, e) < 0)
                        return -(int)e->code;
        }
}

static int stage_run(struct conda_prefix *p, int k, sv data, bool end, size_t *ret_used, struct buf *out, struct err *e)
{
        return p->how.mode == CONDA_BINARY ? binary_run(p, k, data, end, ret_used, out, e)
                                           : text_run(p, k, data, end, ret_used, out, e);
}

static int hold_check(const struct conda_prefix *p, const struct stage *s, struct err *e)
{
        if (!s->hold.over)
                return 0;
        return err_set(e, ERR_LIMIT, "'%.*s' holds the prefix in a string of more than %zu bytes", SV_ARG(p->how.file),
                       CONDA_STRING_MAX);
}

static int stage_push(struct conda_prefix *p, int k, sv bytes, bool end, struct buf *out, struct err *e)
{
        struct stage *s;
        size_t used;

        if (k == ENCODINGS)
                return first_push(p, bytes, end, out, e);
        s = &p->stage[k];
        if (s->hold.n) {
                buf_add(&s->hold, bytes);
                if (hold_check(p, s, e) < 0 || stage_run(p, k, buf_sv(&s->hold), end, &used, out, e) < 0)
                        return -(int)e->code;
                if (used)
                        memmove(s->hold.p, s->hold.p + used, s->hold.n - used);
                s->hold.n -= used;
        } else {
                if (stage_run(p, k, bytes, end, &used, out, e) < 0)
                        return -(int)e->code;
                buf_add(&s->hold, sv_skip(bytes, used));
                if (hold_check(p, s, e) < 0)
                        return -(int)e->code;
        }
        return end ? stage_push(p, k + 1, (sv){ 0 }, true, out, e) : 0;
}

/* Is it "#!PLACEHOLDER…", as far as it is known? */
static bool head_fits(const struct conda_prefix *p, sv line)
{
        sv rest = sv_skip(line, 2), want = p->how.placeholder;

        if (line.n < 2)
                return sv_starts(SV("#!"), line);
        return sv_starts(line, SV("#!")) && (rest.n < want.n ? sv_starts(want, rest) : sv_starts(rest, want));
}

static void head_write(const struct conda_prefix *p, struct buf *out)
{
        buf_add(out, SV("#!"));
        for (size_t i = 0; i < p->how.prefix.n; i++)
                buf_fmt(out, p->how.prefix.p[i] == ' ' ? "\\%c" : "%c", p->how.prefix.p[i]);
        buf_add(out, sv_skip(buf_sv(&p->head_line), 2 + p->how.placeholder.n));
}

/* Before the stages: blanks of a new prefix in "#!PREFIX…" get a backslash, by which the shebang is known for one that cannot be. */
static int head_push(struct conda_prefix *p, sv bytes, bool end, struct buf *out, struct err *e)
{
        AUTO(buf_done) struct buf line = BUF_INIT(LINE_MAX * 2);
        bool found = false;
        size_t n;

        if (p->head == LINE_PAST)
                return stage_push(p, UTF8, bytes, end, out, e);
        if (sv_find(p->how.prefix, ' ') >= 0) {
                n = line_end(bytes, &found);
                if (line_hold(p, &p->head_line, sv_from_to(bytes, 0, n), e) < 0)
                        return -(int)e->code;
                bytes = sv_skip(bytes, n);
                if (!found && !end && head_fits(p, buf_sv(&p->head_line)))
                        return 0;
        }
        if (found && p->head_line.n >= 2 + p->how.placeholder.n && head_fits(p, buf_sv(&p->head_line)))
                head_write(p, &line);
        else
                buf_add(&line, buf_sv(&p->head_line));
        p->head = LINE_PAST;
        return stage_push(p, UTF8, buf_sv(&line), false, out, e) < 0 ? -(int)e->code
                                                                     : stage_push(p, UTF8, bytes, end, out, e);
}

int conda_prefix_add(struct conda_prefix *p, sv bytes, struct buf *out, struct err *e)
{
        return bytes.n ? head_push(p, bytes, false, out, e) : 0;
}

int conda_prefix_end(struct conda_prefix *p, struct buf *out, struct err *e)
{
        return head_push(p, (sv){ 0 }, true, out, e);
}
