#include "pkg/conda_channel.h"

#include <string.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/cleanup.h"

#define TEXT_MAX 4096

/* ---- platforms ---- */

static const struct {
        const char *subdir, *platform;
} subdirs[] = {
        { "noarch", "" },
        { "linux-64", "linux/amd64" },
        { "linux-aarch64", "linux/arm64" },
        { "linux-ppc64le", "linux/ppc64le" },
        { "linux-s390x", "linux/s390x" },
        { "linux-riscv64", "linux/riscv64" },
        { "linux-32", "linux/386" },
        { "linux-armv6l", "linux/arm/v6" },
        { "linux-armv7l", "linux/arm/v7" },
        { "linux-ppc64", "linux/ppc64" },
        { "osx-64", "darwin/amd64" },
        { "osx-arm64", "darwin/arm64" },
        { "win-64", "windows/amd64" },
        { "win-32", "windows/386" },
        { "win-arm64", "windows/arm64" },
        { "freebsd-64", "freebsd/amd64" },
        { "emscripten-wasm32", "" },
        { "wasi-wasm32", "wasip1/wasm" },
        { "zos-z", "zos/s390x" },
};

/* conda finds platforms in whatever case they are written. */
static bool is_subdir(sv s)
{
        for (size_t i = 0; i < ARRAY_LEN(subdirs); i++)
                if (sv_eq_nocase(s, sv_from(subdirs[i].subdir)))
                        return true;
        return false;
}

bool conda_subdir_known(sv subdir)
{
        for (size_t i = 0; i < ARRAY_LEN(subdirs); i++)
                if (sv_is(subdir, subdirs[i].subdir))
                        return true;
        return false;
}

sv conda_subdir_of(sv platform)
{
        if (sv_is(platform, "linux/arm64/v8"))
                platform = SV("linux/arm64");
        for (size_t i = 0; i < ARRAY_LEN(subdirs); i++)
                if (platform.n && sv_is(platform, subdirs[i].platform))
                        return sv_from(subdirs[i].subdir);
        return (sv){ 0 };
}

sv conda_platform_of(sv subdir)
{
        for (size_t i = 0; i < ARRAY_LEN(subdirs); i++)
                if (sv_is(subdir, subdirs[i].subdir))
                        return sv_from(subdirs[i].platform);
        return (sv){ 0 };
}

static sv strip_ext(sv fn)
{
        static const char *const exts[] = { ".tar.bz2", ".conda" };

        for (size_t i = 0; i < ARRAY_LEN(exts); i++)
                if (sv_ends(fn, sv_from(exts[i])))
                        return sv_from_to(fn, 0, fn.n - strlen(exts[i]));
        return (sv){ 0 };
}

bool conda_filename_split(sv fn, sv *ret_name, sv *ret_version, sv *ret_build)
{
        sv stem = strip_ext(fn), rest;
        ptrdiff_t build = sv_rfind(stem, '-'), version;

        if (build < 0)
                return false;
        rest = sv_from_to(stem, 0, (size_t)build);
        version = sv_rfind(rest, '-');
        if (version < 1 || version + 1 == build || (size_t)build + 1 == stem.n)
                return false;
        *ret_name = sv_from_to(rest, 0, (size_t)version);
        *ret_version = sv_skip(rest, (size_t)version + 1);
        *ret_build = sv_skip(stem, (size_t)build + 1);
        return true;
}

/* ---- texts of URLs ---- */

static sv strip_slashes(sv s)
{
        while (s.n && s.p[0] == '/')
                s = sv_skip(s, 1);
        while (s.n && s.p[s.n - 1] == '/')
                s.n--;
        return s;
}

static sv strip_end(sv s)
{
        while (s.n && s.p[s.n - 1] == '/')
                s.n--;
        return s;
}

/* Length of "https://", or 0. */
static size_t scheme_length(sv s)
{
        ptrdiff_t n = sv_find_sv(s, SV("://"));

        if (n < 1 || n > 12 || s.p[0] < 'a' || s.p[0] > 'z')
                return 0;
        for (ptrdiff_t i = 0; i < n; i++)
                if (!((s.p[i] >= 'a' && s.p[i] <= 'z') || (s.p[i] >= '0' && s.p[i] <= '9')))
                        return 0;
        return (size_t)n + 3;
}

static sv join(struct arena *a, sv base, sv rest)
{
        base = strip_end(base);
        rest = strip_slashes(rest);
        return rest.n ? arena_fmt(a, "%.*s/%.*s", SV_ARG(base), SV_ARG(rest)) : arena_sv(a, base);
}

/* "https://h/a" and "https://h/a/b" → "b"; false when the first is no beginning of the second, whole parts counted. */
static bool below(sv url, sv base, sv *ret_rest)
{
        base = strip_end(base);
        if (!base.n || !sv_starts(url, base) || (url.n > base.n && url.p[base.n] != '/'))
                return false;
        *ret_rest = strip_slashes(sv_skip(url, base.n));
        return true;
}

/* A known platform that is a part of the path, taken out of it wherever it stands. */
static sv take_subdir(struct arena *a, sv text, sv *ret_subdir)
{
        for (size_t i = 0; i < text.n; i++) {
                size_t n = 0;

                if (text.p[i] != '/')
                        continue;
                while (i + 1 + n < text.n && text.p[i + 1 + n] != '/')
                        n++;
                if (is_subdir(sv_from_to(text, i + 1, i + 1 + n))) {
                        *ret_subdir = arena_lower(a, sv_from_to(text, i + 1, i + 1 + n));
                        return strip_end(arena_fmt(a, "%.*s%.*s", (int)i, text.p, SV_ARG(sv_skip(text, i + 1 + n))));
                }
        }
        return strip_end(text);
}

/* "/t/TOKEN" out of a path. conda ends a token at the first character that is neither letter, digit nor '-'; the rest would be shown. */
static sv take_token(struct arena *a, sv text, sv *ret_token)
{
        ptrdiff_t at = sv_find_sv(text, SV("/t/"));
        size_t n = 0;
        sv rest;

        if (at < 0)
                return strip_end(text);
        rest = sv_skip(text, (size_t)at + 3);
        while (n < rest.n && rest.p[n] != '/')
                n++;
        *ret_token = arena_sv(a, sv_from_to(rest, 0, n));
        return strip_end(arena_fmt(a, "%.*s%.*s", (int)at, text.p, SV_ARG(sv_skip(rest, n))));
}

static sv without_file(sv text)
{
        ptrdiff_t slash = sv_rfind(text, '/');

        return slash >= 0 && (strip_ext(text).n || sv_ends(text, SV(".json"))) ? sv_from_to(text, 0, (size_t)slash)
                                                                               : text;
}

/* "host", "host:443" or "[::1]:443"; a ':' with no port after it goes. */
static bool host_tidy(sv *host)
{
        ptrdiff_t close = sv_starts(*host, SV("[")) ? sv_find(*host, ']') : 0, colon;
        sv port;

        if (close < 0)
                return false;
        colon = sv_find(sv_skip(*host, (size_t)close), ':');
        if (colon < 0)
                return !close || (size_t)close + 1 == host->n;
        port = sv_skip(*host, (size_t)(close + colon) + 1);
        for (size_t i = 0; i < port.n; i++)
                if (port.p[i] < '0' || port.p[i] > '9')
                        return false;
        if (!port.n)
                host->n--;
        return !close || colon == 1;
}

/* A URL's parts; "a:443/b" without a scheme is https. The URL that is left has neither login, token, platform nor file. False: it leads
 * nowhere. */
static bool url_split(struct arena *a, sv text, struct conda_channel *ret)
{
        size_t n = scheme_length(text);
        sv scheme = n ? sv_from_to(text, 0, n) : SV("https://"), rest, host;
        ptrdiff_t slash, login;

        rest = sv_skip(text, n);
        if (!sv_is(scheme, "file://")) /* a folder may be called "t" */
                rest = take_token(a, rest, &ret->token);
        rest = take_subdir(a, rest, &ret->subdir);
        rest = without_file(rest);
        slash = sv_find(rest, '/');
        host = slash < 0 ? rest : sv_from_to(rest, 0, (size_t)slash);
        rest = sv_skip(rest, host.n);
        for (size_t i = 0; i < rest.n; i++)
                if (rest.p[i] == '?' || rest.p[i] == '#')
                        rest.n = i;
        login = sv_rfind(host, '@');
        if (login >= 0) {
                ret->login = arena_sv(a, sv_from_to(host, 0, (size_t)login));
                host = sv_skip(host, (size_t)login + 1);
        }
        rest = strip_end(rest);
        if (!host_tidy(&host))
                return false;
        ret->url = arena_fmt(a, "%.*s%.*s%.*s", SV_ARG(scheme), SV_ARG(arena_lower(a, host)), SV_ARG(rest));
        return host.n || (rest.n && sv_is(scheme, "file://"));
}

/* ---- paths ---- */

static bool is_path(sv s)
{
        bool drive = s.n > 2 && s.p[1] == ':' && (s.p[2] == '/' || s.p[2] == '\\') && (s.p[0] | 0x20) >= 'a' &&
                     (s.p[0] | 0x20) <= 'z';

        return drive || sv_starts(s, SV("./")) || sv_starts(s, SV("..")) || sv_starts(s, SV("~")) ||
               sv_starts(s, SV("/")) || sv_is(s, ".");
}

/* "/a/./b//../c" → "/a/c" */
static sv path_normal(struct arena *a, sv path)
{
        char *out = arena_str(a, path);
        size_t n = 0;
        sv part;

        while (sv_cut(&path, '/', &part)) {
                if (sv_is(part, "..")) {
                        while (n && out[--n] != '/')
                                ;
                } else if (part.n && !sv_is(part, ".")) {
                        out[n++] = '/';
                        memcpy(out + n, part.p, part.n);
                        n += part.n;
                }
        }
        if (!n)
                out[n++] = '/';
        return (sv){ out, n };
}

/* As conda: what is ASCII stays (but for what would end the path), else all but a few characters is escaped. */
static void path_escape(sv path, struct buf *b)
{
        bool ascii = true;

        for (size_t i = 0; i < path.n; i++)
                ascii = ascii && (unsigned char)path.p[i] < 0x80;
        for (size_t i = 0; i < path.n; i++) {
                unsigned char c = (unsigned char)path.p[i], low = c | 0x20;
                bool plain = (c >= '0' && c <= '9') || (low >= 'a' && low <= 'z') || strchr("!'()*-._/:", c);

                if (plain || (ascii && !strchr("?#%", c)))
                        buf_byte(b, (char)c);
                else
                        buf_fmt(b, "%%%02X", c);
        }
}

static bool path_url(struct arena *a, sv path, const struct conda_channel_settings *s, sv *ret, sv *ret_why)
{
        AUTO(buf_done) struct buf b = BUF_INIT(16 * TEXT_MAX);

        if (path.p[0] == '~') {
                if (path.n > 1 && path.p[1] != '/') {
                        *ret_why =
                                arena_fmt(a, "'%.*s' names another user's folder: write the whole path", SV_ARG(path));
                        return false;
                }
                if (!s->home.n) {
                        *ret_why = arena_fmt(a, "'%.*s' needs a home folder, and HOME is not set", SV_ARG(path));
                        return false;
                }
                path = arena_fmt(a, "%.*s%.*s", SV_ARG(s->home), SV_ARG(sv_skip(path, 1)));
        } else if (path.p[0] != '/') {
                if (!s->cwd.n) {
                        *ret_why = arena_fmt(a, "'%.*s' is not a whole path", SV_ARG(path));
                        return false;
                }
                path = arena_fmt(a, "%.*s/%.*s", SV_ARG(s->cwd), SV_ARG(path));
        }
        buf_add(&b, SV("file://"));
        path_escape(path_normal(a, path), &b);
        *ret = arena_sv(a, buf_sv(&b));
        return true;
}

/* ---- configured channels ---- */

static const sv default_urls[] = { { "https://repo.anaconda.com/pkgs/main", 35 },
                                   { "https://repo.anaconda.com/pkgs/r", 32 } };

struct known { /* a channel that settings name: name → URL */
        sv name;
        struct conda_channel c;
};

/* A location of the settings: a URL, or a path. */
static void location_split(struct arena *a, sv text, const struct conda_channel_settings *s, struct conda_channel *ret)
{
        sv url, why;

        if (is_path(text) && path_url(a, text, s, &url, &why))
                text = url;
        *ret = (struct conda_channel){ 0 };
        url_split(a, text, ret);
}

static void alias_of(struct arena *a, const struct conda_channel_settings *s, struct conda_channel *ret)
{
        location_split(a, s->alias.n ? s->alias : SV("https://conda.anaconda.org"), s, ret);
}

static sv path_of(sv url)
{
        sv rest = sv_skip(url, scheme_length(url));
        ptrdiff_t slash = sv_find(rest, '/');

        return slash < 0 ? (sv){ 0 } : strip_slashes(sv_skip(rest, (size_t)slash));
}

/* A member of a multichannel: a URL is known by its path, below the alias by what follows it; anything else is a name below the alias. */
static void member_known(struct arena *a, sv text, const struct conda_channel_settings *s, struct known *ret)
{
        struct conda_channel alias;
        sv rest;

        alias_of(a, s, &alias);
        if (scheme_length(text) || is_path(text)) {
                location_split(a, text, s, &ret->c);
                ret->name = below(ret->c.url, alias.url, &rest) ? rest : path_of(ret->c.url);
        } else {
                ret->c = alias;
                ret->name = strip_slashes(text);
                ret->c.url = join(a, alias.url, text);
        }
}

struct known_list {
        struct known *v;
        size_t n, cap;
};

static void members_add(struct arena *a, const struct conda_channel_settings *s, const sv *url, size_t n,
                        struct known_list *l)
{
        for (size_t i = 0; i < n; i++)
                member_known(a, url[i], s, arena_push(a, l->v, l->n, l->cap));
}

/* Everything that settings name, what wins first. */
static void known_list(struct arena *a, const struct conda_channel_settings *s, struct known_list *l)
{
        for (size_t i = 0; i < s->n_custom; i++) {
                struct known *k = arena_push(a, l->v, l->n, l->cap);

                k->name = strip_slashes(s->custom[i].name);
                if (s->custom[i].n_url)
                        location_split(a, s->custom[i].url[0], s, &k->c);
                k->c.url = join(a, k->c.url, k->name);
        }
        *arena_push(a, l->v, l->n, l->cap) =
                (struct known){ SV("pkgs/pro"), { .url = SV("https://repo.anaconda.com/pkgs/pro") } };
        if (s->defaults)
                members_add(a, s, s->defaults, s->n_defaults, l);
        else
                members_add(a, s, default_urls, ARRAY_LEN(default_urls), l);
        for (size_t i = 0; i < s->n_multi; i++)
                members_add(a, s, s->multi[i].url, s->multi[i].n_url, l);
}

static bool multi_find(const struct conda_channel_settings *s, sv name, const sv **ret, size_t *ret_n)
{
        if (sv_is(name, "defaults")) {
                *ret = s->defaults ? s->defaults : default_urls;
                *ret_n = s->defaults ? s->n_defaults : ARRAY_LEN(default_urls);
                return true;
        }
        for (size_t i = 0; i < s->n_multi; i++)
                if (sv_eq(s->multi[i].name, name)) {
                        *ret = s->multi[i].url;
                        *ret_n = s->multi[i].n_url;
                        return true;
                }
        return false;
}

/* The multichannel that holds a channel of this name. */
static bool multi_of(struct arena *a, const struct conda_channel_settings *s, sv name, sv *ret)
{
        for (size_t i = 0; i <= s->n_multi; i++) {
                sv multi = i < s->n_multi ? s->multi[i].name : SV("defaults");
                const sv *url;
                size_t n;

                multi_find(s, multi, &url, &n);
                for (size_t k = 0; k < n; k++) {
                        struct known m = { 0 };

                        member_known(a, url[k], s, &m);
                        if (sv_eq(m.name, name)) {
                                *ret = multi;
                                return true;
                        }
                }
        }
        return false;
}

/* ---- one channel ---- */

static bool is_unknown(sv text)
{
        return sv_is(text, "<unknown>") || sv_is(text, "None:///<unknown>") || sv_is(text, "None");
}

/* What makes no channel at all. Empty: nothing. */
static sv text_why(sv text)
{
        if (!text.n)
                return SV("a channel's name is missing");
        if (text.n > TEXT_MAX)
                return SV("a channel longer than 4,096 bytes");
        for (size_t i = 0; i < text.n; i++)
                if ((unsigned char)text.p[i] <= ' ' || text.p[i] == 0x7f)
                        return SV("a channel's name or URL has no blanks and no control characters");
        if (is_unknown(text))
                return SV("'<unknown>' and 'None' are not channels");
        if (sv_is(text, "local"))
                return SV("'local' means conda-build's folder: write its path");
        return (sv){ 0 };
}

/* What is no URL, no path and no name either. Empty: it is a name. */
static sv name_why(struct arena *a, sv text)
{
        if (sv_find_sv(text, SV("://")) >= 0)
                return arena_fmt(a, "'%.*s' begins with no scheme that there is: write https://", SV_ARG(text));
        if (sv_find(text, '?') >= 0 || sv_find(text, '#') >= 0)
                return arena_fmt(a, "'%.*s': a channel's name has no '?' and no '#'", SV_ARG(text));
        return strip_slashes(text).n ? (sv){ 0 } : SV("a channel's name is missing");
}

/* Logins and tokens of the settings are for what lies below them. */
static void credentials_from(struct conda_channel *c, const struct conda_channel *from)
{
        if (!c->login.n)
                c->login = from->login;
        if (!c->token.n)
                c->token = from->token;
}

/* "a/b/c": the settings may know "a/b/c", "a/b" or "a". */
static void from_name(struct arena *a, sv text, const struct conda_channel_settings *s, const struct known_list *known,
                      struct conda_channel *ret, sv *ret_name)
{
        sv name = take_subdir(a, text, &ret->subdir), test = name;
        struct conda_channel alias;
        ptrdiff_t slash;

        name = strip_slashes(name);
        *ret_name = name;
        for (test = name;; test.n = (size_t)slash) {
                for (size_t i = 0; i < known->n; i++)
                        if (sv_eq(known->v[i].name, test)) {
                                ret->url = join(a, known->v[i].c.url, sv_skip(name, test.n));
                                credentials_from(ret, &known->v[i].c);
                                return;
                        }
                slash = sv_rfind(test, '/');
                if (slash < 0)
                        break;
        }
        alias_of(a, s, &alias);
        ret->url = join(a, alias.url, name);
        credentials_from(ret, &alias);
}

/* The name by which conda knows a URL: of the longest channel of the settings that it lies below, below the alias, or the path. */
static sv name_of(struct arena *a, const struct conda_channel_settings *s, const struct known_list *known,
                  struct conda_channel *c, bool *ret_short)
{
        const struct known *best = NULL;
        struct conda_channel alias;
        sv rest, name;

        for (size_t i = 0; i < known->n; i++)
                if (below(c->url, known->v[i].c.url, &rest) && (!best || best->name.n < known->v[i].name.n))
                        best = &known->v[i];
        *ret_short = true;
        if (best && below(c->url, best->c.url, &rest)) {
                credentials_from(c, &best->c);
                return rest.n ? join(a, best->name, rest) : best->name;
        }
        alias_of(a, s, &alias);
        if (below(c->url, alias.url, &rest)) {
                credentials_from(c, &alias);
                return rest;
        }
        *ret_short = false;
        name = path_of(c->url);
        if (sv_starts(c->url, SV("file:///")))
                name = sv_basename(name);
        return sv_starts(name, SV("conda/")) ? sv_skip(name, strlen("conda/")) : name;
}

/* What begins with the name of a configured channel goes by its name wherever it lies, as conda has it. */
static bool is_configured(const struct known_list *known, sv name)
{
        sv rest;

        for (size_t i = 0; i < known->n; i++)
                if (below(name, known->v[i].name, &rest))
                        return true;
        return false;
}

bool conda_channel_parse(struct arena *a, sv text, const struct conda_channel_settings *s, struct conda_channel *ret,
                         sv *ret_why)
{
        static const struct conda_channel_settings none;
        struct conda_channel c = { 0 };
        struct known_list known = { 0 };
        const sv *members;
        size_t n;
        sv name;
        bool by_name = true;

        s = s ? s : &none;
        *ret_why = text_why(text);
        if (ret_why->n)
                return false;
        known_list(a, s, &known);
        if (scheme_length(text) || is_path(text) || strip_ext(text).n) {
                if (is_path(text) && !path_url(a, text, s, &text, ret_why))
                        return false;
                if (!url_split(a, text, &c)) {
                        *ret_why = arena_fmt(a, "'%.*s' names neither a host nor a folder", SV_ARG(text));
                        return false;
                }
                name = name_of(a, s, &known, &c, &by_name);
        } else {
                *ret_why = name_why(a, text);
                if (ret_why->n)
                        return false;
                from_name(a, text, s, &known, &c, &name);
                if (multi_find(s, name, &members, &n)) {
                        *ret_why = arena_fmt(a, "'%.*s' stands for %zu channels: name one of them", SV_ARG(name), n);
                        return false;
                }
        }
        if (!multi_of(a, s, name, &c.name))
                c.name = by_name || is_configured(&known, name) ? arena_sv(a, name) : c.url;
        *ret = c;
        return true;
}

bool conda_channel_expand(struct arena *a, sv text, const struct conda_channel_settings *s, struct conda_channel **ret,
                          size_t *ret_n, sv *ret_why)
{
        static const struct conda_channel_settings none;
        struct conda_channel *v;
        const sv *member = &text;
        sv subdir = { 0 }, name;
        size_t n = 1;

        s = s ? s : &none;
        *ret_why = text_why(text);
        if (ret_why->n)
                return false;
        name = scheme_length(text) || is_path(text) ? (sv){ 0 } : strip_slashes(take_subdir(a, text, &subdir));
        if (!multi_find(s, name, &member, &n))
                subdir = (sv){ 0 };
        v = arena_array(a, struct conda_channel, n);
        for (size_t i = 0; i < n; i++) {
                if (!conda_channel_parse(a, member[i], s, &v[i], ret_why))
                        return false;
                if (subdir.n)
                        v[i].subdir = subdir;
        }
        *ret = v;
        *ret_n = n;
        return true;
}
