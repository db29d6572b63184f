#include <string.h>

#include "base/clock.h"
#include "catalog/pypi_page.h"
#include "net/url.h"

/* A reader of tags, not of documents: pages are flat lists of links, made by anything from PyPI to Apache's mod_autoindex. */

struct attr {
        sv name, value; /* value as written */
        bool has_value;
};
enum { ATTRS_MAX = 32 };
struct tag {
        sv name;
        bool closing;
        struct attr attr[ATTRS_MAX];
        size_t n;
};

static bool is_blank(char c)
{
        return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

static bool is_letter(char c)
{
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static sv skip_blank(sv s)
{
        size_t i = 0;

        while (i < s.n && is_blank(s.p[i]))
                i++;
        return sv_skip(s, i);
}

/* Up to, not including, the first byte of `stop` or a blank. */
static sv take_word(sv *s, const char *stop)
{
        size_t i = 0;
        sv word;

        while (i < s->n && !is_blank(s->p[i]) && (s->p[i] == '\0' || !strchr(stop, s->p[i])))
                i++;
        word = sv_from_to(*s, 0, i);
        *s = sv_skip(*s, i);
        return word;
}

static sv take_value(sv *s)
{
        ptrdiff_t end;
        sv value;

        if (s->n && (s->p[0] == '"' || s->p[0] == '\'')) {
                char quote = s->p[0];

                *s = sv_skip(*s, 1);
                end = sv_find(*s, quote);
                value = sv_from_to(*s, 0, end < 0 ? s->n : (size_t)end);
                *s = sv_skip(*s, value.n + 1);
                return value;
        }
        return take_word(s, ">");
}

static void read_attrs(sv *s, struct tag *t)
{
        for (;;) {
                struct attr at = { 0 };

                *s = skip_blank(*s);
                if (!s->n)
                        return;
                if (s->p[0] == '>') {
                        *s = sv_skip(*s, 1);
                        return;
                }
                if (s->p[0] == '/' || s->p[0] == '=') {
                        *s = sv_skip(*s, 1);
                        continue;
                }
                at.name = take_word(s, "=>/");
                *s = skip_blank(*s);
                if (s->n && s->p[0] == '=') {
                        *s = skip_blank(sv_skip(*s, 1));
                        at.value = take_value(s);
                        at.has_value = true;
                }
                if (t->n < ATTRS_MAX)
                        t->attr[t->n++] = at;
        }
}

/* Past a comment, a declaration or an instruction that begins at s. */
static sv skip_markup(sv s)
{
        ptrdiff_t end;

        if (sv_starts(s, SV("<!--"))) {
                if (sv_starts(s, SV("<!-->")))
                        return sv_skip(s, 5);
                end = sv_find_sv(sv_skip(s, 4), SV("-->"));
                return end < 0 ? (sv){ 0 } : sv_skip(s, (size_t)end + 7);
        }
        end = sv_find(s, '>');
        return end < 0 ? (sv){ 0 } : sv_skip(s, (size_t)end + 1);
}

/* What stands in a script is text, whatever it looks like. */
static sv skip_raw(sv s, sv name)
{
        while (s.n) {
                ptrdiff_t at = sv_find_sv(s, SV("</"));

                if (at < 0)
                        return (sv){ 0 };
                s = sv_skip(s, (size_t)at + 2);
                if (sv_eq_nocase(sv_from_to(s, 0, name.n), name))
                        return s;
        }
        return s;
}

static bool next_tag(sv *s, struct tag *t)
{
        while (s->n) {
                const char *lt = memchr(s->p, '<', s->n);

                if (!lt)
                        return false;
                *s = sv_skip(*s, (size_t)(lt - s->p));
                if (s->n < 2)
                        return false;
                if (s->p[1] == '!' || s->p[1] == '?') {
                        *s = skip_markup(*s);
                        continue;
                }
                t->closing = s->p[1] == '/';
                *s = sv_skip(*s, t->closing ? 2 : 1);
                if (!s->n || !is_letter(s->p[0]))
                        continue;
                t->n = 0;
                t->name = take_word(s, "/>");
                read_attrs(s, t);
                if (!t->closing && (sv_eq_nocase(t->name, SV("script")) || sv_eq_nocase(t->name, SV("style"))))
                        *s = skip_raw(*s, t->name);
                return true;
        }
        return false;
}

static size_t put_utf8(char *p, uint32_t c)
{
        if (c == 0 || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
                c = 0xfffd;
        if (c < 0x80)
                return p[0] = (char)c, 1;
        if (c < 0x800)
                return p[0] = (char)(0xc0 | c >> 6), p[1] = (char)(0x80 | (c & 63)), 2;
        if (c < 0x10000)
                return p[0] = (char)(0xe0 | c >> 12), p[1] = (char)(0x80 | (c >> 6 & 63)),
                       p[2] = (char)(0x80 | (c & 63)), 3;
        p[0] = (char)(0xf0 | c >> 18);
        p[1] = (char)(0x80 | (c >> 12 & 63));
        p[2] = (char)(0x80 | (c >> 6 & 63));
        p[3] = (char)(0x80 | (c & 63));
        return 4;
}

/* "&#43;" or "&#x2b;" at s: its length and value; 0 when it is none. */
static size_t number_entity(sv s, uint32_t *ret)
{
        size_t i = 2, from;
        bool hex = s.n > 2 && (s.p[2] == 'x' || s.p[2] == 'X');
        uint32_t v = 0;

        from = i += hex;
        for (; i < s.n; i++) {
                char c = s.p[i];
                uint32_t d = c >= '0' && c <= '9'          ? (uint32_t)(c - '0')
                             : hex && c >= 'a' && c <= 'f' ? (uint32_t)(c - 'a' + 10)
                             : hex && c >= 'A' && c <= 'F' ? (uint32_t)(c - 'A' + 10)
                                                           : 99;
                if (d == 99)
                        break;
                v = v > 0x10ffff ? v : v * (hex ? 16 : 10) + d;
        }
        if (i == from)
                return 0;
        *ret = v;
        return i + (i < s.n && s.p[i] == ';');
}

static size_t entity(sv s, uint32_t *ret)
{
        static const struct {
                sv name;
                uint32_t c;
        } rows[] = {
                { { "amp", 3 }, '&' },   { { "lt", 2 }, '<' },     { { "gt", 2 }, '>' },     { { "quot", 4 }, '"' },
                { { "apos", 4 }, '\'' }, { { "nbsp", 4 }, 0xa0 },  { { "plus", 4 }, '+' },   { { "equals", 6 }, '=' },
                { { "excl", 4 }, '!' },  { { "comma", 5 }, ',' },  { { "period", 6 }, '.' }, { { "lowbar", 6 }, '_' },
                { { "num", 3 }, '#' },   { { "percnt", 6 }, '%' }, { { "sol", 3 }, '/' },    { { "colon", 5 }, ':' },
                { { "ast", 3 }, '*' },   { { "commat", 6 }, '@' }, { { "AMP", 3 }, '&' },    { { "LT", 2 }, '<' },
                { { "GT", 2 }, '>' },    { { "QUOT", 4 }, '"' },   { { "semi", 4 }, ';' },   { { "quest", 5 }, '?' },
        };

        if (s.n > 2 && s.p[1] == '#')
                return number_entity(s, ret);
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                size_t n = rows[i].name.n;
                char next = s.n > n + 1 ? s.p[n + 1] : '\0';

                if (!sv_starts(sv_skip(s, 1), rows[i].name))
                        continue;
                *ret = rows[i].c;
                if (next == ';')
                        return n + 2;
                /* In attributes an entity may lack its ';', but "&lt=1" is part of a query. */
                if ((rows[i].c == '&' || rows[i].c == '<' || rows[i].c == '>' || rows[i].c == '"') &&
                    !is_letter(next) && next != '=' && !(next >= '0' && next <= '9'))
                        return n + 1;
        }
        return 0;
}

static sv unescape(struct arena *a, sv s)
{
        char *p;
        size_t n = 0;

        if (sv_find(s, '&') < 0)
                return s;
        p = arena_alloc(a, s.n + 1, 1); /* no entity is shorter than what it stands for */
        for (size_t i = 0; i < s.n;) {
                uint32_t c = 0;
                size_t len = s.p[i] == '&' ? entity(sv_skip(s, i), &c) : 0;

                if (len) {
                        n += put_utf8(p + n, c);
                        i += len;
                } else {
                        p[n++] = s.p[i++];
                }
        }
        return (sv){ p, n };
}

static const struct attr *attr_of(const struct tag *t, const char *name)
{
        for (size_t i = 0; i < t->n; i++)
                if (sv_eq_nocase(t->attr[i].name, sv_from(name)))
                        return &t->attr[i];
        return NULL;
}

static sv attr_text(struct arena *a, const struct tag *t, const char *name)
{
        const struct attr *at = attr_of(t, name);

        return at ? unescape(a, at->value) : (sv){ 0 };
}

/* The first known "alg=hex" of a fragment: pip looks no further. */
static void read_fragment(struct arena *a, struct pypi_file *f, sv fragment)
{
        sv part, alg;

        while (!f->n_hash && sv_cut(&fragment, '&', &part))
                if (sv_cut(&part, '=', &alg))
                        pypi_file_add_hash(a, f, alg, part);
}

static void read_metadata(struct arena *a, const struct tag *t, struct pypi_file *f)
{
        const char *name = attr_of(t, "data-core-metadata") ? "data-core-metadata" : "data-dist-info-metadata";
        sv v = attr_text(a, t, name), alg;

        if (!attr_of(t, name) || sv_eq_nocase(v, SV("false")))
                return;
        f->has_metadata = true;
        if (sv_cut(&v, '=', &alg) && sv_is(alg, "sha256"))
                sha256_read(v, &f->metadata_sha256);
}

/* "flask" of ".../simple/flask/": pip's idea of a file's name. */
static sv name_in(struct arena *a, sv url)
{
        ptrdiff_t q = sv_find(url, '?');

        if (q >= 0)
                url = sv_from_to(url, 0, (size_t)q);
        while (url.n && url.p[url.n - 1] == '/')
                url.n--;
        return url_decode(a, sv_basename(url));
}

static bool read_link(struct arena *a, const struct tag *t, sv base, struct pypi_file *f)
{
        sv href = attr_text(a, t, "href"), fragment;
        uint64_t size;

        if (!sv_trim(href).n)
                return false;
        *f = (struct pypi_file){ 0 };
        f->url = pypi_link_url(a, base, href, &fragment);
        f->filename = name_in(a, f->url);
        f->requires_python = attr_text(a, t, "data-requires-python");
        f->yanked = attr_of(t, "data-yanked") != NULL; /* PEP 592: with or without a value */
        f->yanked_reason = attr_text(a, t, "data-yanked");
        read_fragment(a, f, fragment);
        read_metadata(a, t, f);
        if (sv_u64(attr_text(a, t, "data-size"), &size))
                f->size = size;
        if (!time_parse(attr_text(a, t, "data-upload-time"), &f->uploaded))
                f->uploaded = 0;
        return f->filename.n > 0;
}

int pypi_html_parse(struct arena *a, sv body, sv url, struct pypi_links *ret, struct err *e)
{
        struct pypi_links links = { 0 };
        struct tag t;
        sv base = url;
        bool has_base = false;

        while (next_tag(&body, &t)) {
                struct pypi_file f;

                if (t.closing)
                        continue;
                if (sv_eq_nocase(t.name, SV("a"))) {
                        if (read_link(a, &t, base, &f))
                                *arena_push(a, links.v, links.n, links.cap) = f;
                } else if (!has_base && sv_eq_nocase(t.name, SV("base")) && attr_of(&t, "href")) {
                        base = url_join(a, url, sv_trim(attr_text(a, &t, "href")));
                        has_base = true;
                } else if (sv_eq_nocase(t.name, SV("meta")) &&
                           sv_is(attr_text(a, &t, "name"), "pypi:repository-version")) {
                        sv version = attr_text(a, &t, "content");

                        if (!pypi_api_version_ok(version))
                                return err_set(e, ERR_FAILED,
                                               "the index page '%.*s' is of API version %.*s; only 1.x is known",
                                               SV_ARG(url_masked(a, url)), SV_ARG(version));
                }
        }
        *ret = links;
        return 0;
}
