#include "base/cleanup.h"
#include "spec/requirements.h"

/* One Unicode code point; a broken byte counts as U+FFFD. */
static uint32_t code_point(sv s, size_t i, size_t *ret_n)
{
        unsigned char lead = (unsigned char)s.p[i];
        size_t n = lead < 0xc0 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
        uint32_t c = lead < 0x80 ? lead : 0xfffd;

        if (n > s.n - i)
                n = 1;
        if (n > 1)
                c = lead & (0xffu >> (n + 1));
        for (size_t k = 1; k < n; k++)
                c = c << 6 | ((unsigned char)s.p[i + k] & 0x3f);
        *ret_n = n;
        return c;
}

/* str.isspace(): bytes of the white space at i, or 0. */
static size_t space_len(sv s, size_t i)
{
        size_t n;
        uint32_t c;

        if (i >= s.n)
                return 0;
        c = code_point(s, i, &n);
        return (c >= 0x09 && c <= 0x0d) || (c >= 0x1c && c <= 0x20) || c == 0x85 || c == 0xa0 || c == 0x1680 ||
                               (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 || c == 0x202f ||
                               c == 0x205f || c == 0x3000
                       ? n
                       : 0;
}

/* str.splitlines(): bytes of the line end at i, or 0. */
static size_t break_len(sv s, size_t i)
{
        size_t n;
        uint32_t c = code_point(s, i, &n);

        if (c == '\r' && i + 1 < s.n && s.p[i + 1] == '\n')
                return 2;
        return (c >= 0x0a && c <= 0x0d) || (c >= 0x1c && c <= 0x1e) || c == 0x85 || c == 0x2028 || c == 0x2029 ? n : 0;
}

static bool take_line(sv *rest, sv *ret)
{
        size_t i = 0, n = 0, step;

        if (rest->n == 0)
                return false;
        for (; i < rest->n && (n = break_len(*rest, i)) == 0; i += step)
                code_point(*rest, i, &step);
        *ret = (sv){ rest->p, i };
        *rest = sv_skip(*rest, i + n);
        return true;
}

static size_t leading_space(sv s)
{
        size_t i = 0, n;

        while ((n = space_len(s, i)) > 0)
                i += n;
        return i;
}

static sv strip(sv s)
{
        size_t end;

        s = sv_skip(s, leading_space(s));
        end = s.n;
        for (size_t i = 0, n; i < s.n; i += n) {
                n = space_len(s, i);
                if (n == 0) {
                        code_point(s, i, &n);
                        end = i + n;
                }
        }
        s.n = s.n ? end : 0;
        return s;
}

static bool is_comment(sv line)
{
        size_t i = leading_space(line);

        return i < line.n && line.p[i] == '#';
}

/* '#' at the beginning or after white space, to the end. */
static sv without_comment(sv line)
{
        bool after_space = true;
        size_t n;

        for (size_t i = 0; i < line.n; i += n) {
                if (line.p[i] == '#' && after_space)
                        return (sv){ line.p, i };
                n = space_len(line, i);
                after_space = n > 0;
                if (!n)
                        code_point(line, i, &n);
        }
        return line;
}

static bool variable_char(char c)
{
        return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* "${NAME}" at i: its length, or 0. */
static size_t variable_len(sv s, size_t i, sv *ret_name)
{
        size_t k = i + 2;

        if (i + 3 >= s.n || s.p[i] != '$' || s.p[i + 1] != '{')
                return 0;
        while (k < s.n && variable_char(s.p[k]))
                k++;
        if (k == i + 2 || k >= s.n || s.p[k] != '}')
                return 0;
        *ret_name = sv_from_to(s, i + 2, k);
        return k + 1 - i;
}

/* A variable that is unset or empty stays as it is written, as in pip. */
sv spec_expand(struct arena *a, sv s, const struct spec_io *io)
{
        AUTO(buf_done) struct buf out = BUF_INIT(SPEC_FILE_MAX);
        sv name, value;
        bool any = false;

        for (size_t i = 0; i < s.n;) {
                size_t n = variable_len(s, i, &name);
                if (n && io->env && io->env(io->arg, name, &value) && value.n) {
                        buf_add(&out, value);
                        any = true;
                } else {
                        n = n ? n : 1;
                        buf_add(&out, sv_from_to(s, i, i + n));
                }
                i += n;
        }
        return any && !out.over ? arena_sv(a, buf_sv(&out)) : s;
}

struct joiner {
        struct arena *a;
        const struct spec_io *io;
        struct buf text; /* of the line that goes on */
        struct spec_where at;
        bool going_on;
        struct reqline *v;
        size_t n;
};

static void joiner_done(struct joiner *j)
{
        buf_done(&j->text);
}

static void emit(struct joiner *j, sv line, struct spec_where at)
{
        sv wrote = strip(without_comment(line));

        if (wrote.n) {
                wrote = arena_sv(j->a, wrote);
                struct reqline r = { wrote, spec_expand(j->a, wrote, j->io), at };
                SPEC_PUSH(j->a, j->v, j->n, r);
        }
        buf_clear(&j->text);
        j->going_on = false;
}

static sv strip_backslashes(sv s)
{
        while (s.n && s.p[0] == '\\')
                s = sv_skip(s, 1);
        while (s.n && s.p[s.n - 1] == '\\')
                s.n--;
        return s;
}

/* pip joins before it looks for comments; a comment line ends what goes on. */
static void add_line(struct joiner *j, sv line, struct spec_where at)
{
        bool comment = is_comment(line);

        if (!j->going_on) {
                j->at = at;
                j->at.col += at.line ? (uint32_t)leading_space(line) : 0;
        }
        if (sv_ends(line, SV("\\")) && !comment) {
                buf_add(&j->text, strip_backslashes(line));
                j->going_on = true;
                return;
        }
        if (comment)
                buf_byte(&j->text, ' ');
        buf_add(&j->text, line);
        emit(j, buf_sv(&j->text), j->at);
}

void reqline_split(struct arena *a, sv text, struct spec_where at, const struct spec_io *io, struct reqline **ret,
                   size_t *ret_n)
{
        AUTO(joiner_done) struct joiner j = { .a = a, .io = io, .text = BUF_INIT(2 * SPEC_FILE_MAX) };
        sv line;

        while (take_line(&text, &line)) {
                add_line(&j, line, at);
                if (at.line) {
                        at.line++;
                        at.col = 1;
                }
        }
        if (j.going_on)
                emit(&j, buf_sv(&j.text), j.at);
        *ret = j.v;
        *ret_n = j.n;
}
