/* Where packages are said to come from: channels before "::", URLs and paths of packages. */
#include <string.h>

#include "pkg/matchspec_priv.h"

static int hex_digit(char c)
{
        return c >= '0' && c <= '9' ? c - '0' : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10 : -1;
}

static sv percent_decode(struct arena *a, sv s)
{
        char *p = arena_str(a, s);
        size_t n = 0;

        for (size_t i = 0; i < s.n; i++) {
                bool coded = s.p[i] == '%' && i + 2 < s.n && hex_digit(s.p[i + 1]) >= 0 && hex_digit(s.p[i + 2]) >= 0;

                p[n++] = coded ? (char)(hex_digit(s.p[i + 1]) * 16 + hex_digit(s.p[i + 2])) : s.p[i];
                i += coded ? 2 : 0;
        }
        return (sv){ p, n };
}

/* ---- channels ---- */

/* A name that leads elsewhere (a mirror's "pkgs/main" is called "defaults" too) must not be written. */
static sv channel_written(struct reader *r, const struct conda_channel *c)
{
        struct conda_channel *v;
        size_t n;
        sv why;

        if (conda_channel_expand(r->a, c->name, r->settings, &v, &n, &why))
                for (size_t i = 0; i < n; i++)
                        if (sv_eq(v[i].url, c->url))
                                return c->name;
        return c->url;
}

/* "defaults", or what else stands for several. */
static void channel_many(struct reader *r, const struct conda_channel *v, size_t n, sv name)
{
        struct matchspec *m = r->m;

        m->channels = arena_array(r->a, sv, n);
        m->n_channels = n;
        for (size_t i = 0; i < n; i++)
                m->channels[i] = v[i].url;
        m->channel_name = name;
        if (v[0].subdir.n && sv_ends(name, v[0].subdir))
                m->channel_name.n -= v[0].subdir.n + 1;
}

/* conda takes one pair of brackets in a channel ("conda-forge[noarch]") and makes nothing of it; we take it at the end only. */
static bool is_channel_text(sv text)
{
        ptrdiff_t open = sv_find(text, '['), close = sv_find(text, ']');

        if (matchspec_has_any(text, "()"))
                return false;
        if (open >= 0 || close >= 0)
                return open > 0 && close > open && (size_t)close + 1 == text.n && open == sv_rfind(text, '[') &&
                       close == sv_rfind(text, ']') && !matchspec_has_any(text, "'\"=*");
        return sv_find(text, '*') < 0 || !matchspec_has_any(text, "'\"=,");
}

bool matchspec_channel_read(struct reader *r, sv text)
{
        struct matchspec *m = r->m;
        struct conda_channel *v;
        size_t n;
        sv why, plain;

        m->channel_text = arena_sv(r->a, text);
        m->channel = (sv){ 0 };
        m->channels = NULL;
        if (text.p[0] == '^')
                return matchspec_refuse(r, text, SV("a channel cannot be a regular expression here: write its name"));
        if (sv_find_sv(text, SV("://[")) >= 0) /* brackets hold fields; conda cannot read such an address either */
                return matchspec_refuse(
                        r, text,
                        SV("a channel in a match spec cannot be an address in brackets: write the host's name"));
        if (!is_channel_text(text))
                return matchspec_refuse(
                        r, text, arena_fmt(r->a, "'%.*s' is not a channel's name", SV_ARG(matchspec_shown(text))));
        /* Written again, the pair may be gone: what stands before it must be a channel by itself. */
        plain = sv_from_to(text, 0, sv_find(text, '[') < 0 ? text.n : (size_t)sv_find(text, '['));
        if (!conda_channel_expand(r->a, plain, r->settings, &v, &n, &why) ||
            !conda_channel_expand(r->a, text, r->settings, &v, &n, &why))
                return matchspec_refuse(r, text, why);
        if ((n == 1 && matchspec_is_archive(v[0].url)) || matchspec_is_archive(plain))
                return matchspec_refuse(
                        r, text,
                        arena_fmt(r->a, "'%.*s' is a package's file, not a channel", SV_ARG(matchspec_shown(text))));
        if (!n)
                return matchspec_refuse(r, text,
                                        arena_fmt(r->a, "'%.*s' stands for no channel", SV_ARG(matchspec_shown(text))));
        if (v[0].subdir.n)
                r->part[KEY_SUBDIR] = v[0].subdir;
        if (n > 1 || !sv_eq(v[0].name, text)) {
                struct conda_channel one;
                bool single = conda_channel_parse(r->a, text, r->settings, &one, &why);

                if (!single) {
                        channel_many(r, v, n, m->channel_text);
                        return true;
                }
        }
        m->channel_name = channel_written(r, &v[0]);
        if (!sv_is(m->channel_name, "*"))
                m->channel = v[0].url;
        return true;
}

/* ---- a package's URL ---- */

/* Without login and token: neither is a part of what a package is. */
static sv url_bare(struct reader *r, sv url, const struct conda_channel *c)
{
        ptrdiff_t at;

        if (c->login.n && (at = sv_find_sv(url, arena_fmt(r->a, "%.*s@", SV_ARG(c->login)))) >= 0)
                url = arena_fmt(r->a, "%.*s%.*s", (int)at, url.p, SV_ARG(sv_skip(url, (size_t)at + c->login.n + 1)));
        if (c->token.n && (at = sv_find_sv(url, arena_fmt(r->a, "/t/%.*s", SV_ARG(c->token)))) >= 0)
                url = arena_fmt(r->a, "%.*s%.*s", (int)at, url.p, SV_ARG(sv_skip(url, (size_t)at + c->token.n + 3)));
        return url;
}

static bool has_scheme(sv s)
{
        ptrdiff_t n = sv_find_sv(s, SV("://"));

        for (ptrdiff_t i = 0; i < n; i++)
                if (!((s.p[i] >= 'a' && s.p[i] <= 'z') || (s.p[i] >= '0' && s.p[i] <= '9')))
                        return false;
        return n > 0;
}

static bool is_file_name(sv s)
{
        for (size_t i = 0; i < s.n; i++)
                if (!matchspec_is_key_char(s.p[i]) && (!s.p[i] || !strchr(".+!~", s.p[i])))
                        return false;
        return true;
}

bool matchspec_url_read(struct reader *r, sv text)
{
        sv name, version, build, path = text, file, why, folder;
        struct conda_channel c;

        if (matchspec_has_any(text, "'\"[]()*"))
                return matchspec_refuse(r, text,
                                        SV("a package's URL has no quotes, brackets, parentheses or asterisks: write "
                                           "%27, %22, %5B, %5D, %28, %29, %2A"));
        if (!has_scheme(text) && text.p[0] != '/' && text.p[0] != '~' && text.p[0] != '.')
                path = arena_fmt(r->a, "./%.*s", SV_ARG(text));
        if (!conda_channel_parse(r->a, path, r->settings, &c, &why))
                return matchspec_refuse(r, text, why);
        file = has_scheme(text) ? percent_decode(r->a, sv_basename(text)) : sv_basename(text);
        if (!is_file_name(file))
                return matchspec_refuse(r, text,
                                        arena_fmt(r->a, "'%.*s' is not a package's file name: NAME-VERSION-BUILD.conda",
                                                  SV_ARG(matchspec_shown(sv_basename(text)))));
        folder = c.subdir.n ? arena_fmt(r->a, "%.*s/%.*s", SV_ARG(c.url), SV_ARG(c.subdir)) : c.url;
        r->m->url = url_bare(
                r, has_scheme(text) ? arena_sv(r->a, text) : arena_fmt(r->a, "%.*s/%.*s", SV_ARG(folder), SV_ARG(file)),
                &c);
        r->part[KEY_URL] = r->m->url;
        r->part[KEY_FN] = file;
        r->part[KEY_NAME] = SV("*");
        if (!c.subdir.n)
                return true;
        if (!conda_filename_split(file, &name, &version, &build))
                return matchspec_refuse(r, text,
                                        arena_fmt(r->a, "'%.*s' is not a package's file name: NAME-VERSION-BUILD.conda",
                                                  SV_ARG(matchspec_shown(file))));
        r->part[KEY_NAME] = name;
        r->part[KEY_VERSION] = version;
        r->part[KEY_BUILD] = build;
        r->part[KEY_SUBDIR] = c.subdir;
        r->m->channel = c.url;
        r->m->channel_text = r->m->channel_name = channel_written(r, &c);
        return true;
}
