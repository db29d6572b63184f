#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/cleanup.h"
#include "pkg/matchspec_priv.h"

#define TEXT_MAX ((size_t)64 * 1024)

/* The fields as they are written, before any of them means something. */
enum key {
        KEY_NAME,
        KEY_CHANNEL,
        KEY_SUBDIR,
        KEY_VERSION,
        KEY_BUILD,
        KEY_BUILD_NUMBER,
        KEY_TRACK_FEATURES,
        KEY_FEATURES,
        KEY_URL,
        KEY_FN,
        KEY_MD5,
        KEY_SHA256,
        KEY_LICENSE,
        KEY_LICENSE_FAMILY,
        KEY_IGNORED, /* "optional", "target": conda's own */
        KEY_N
};
static const struct {
        const char *name;
        enum key key;
} keys[] = {
        { "name", KEY_IGNORED }, /* the name outside of the brackets is the one that counts */
        { "channel", KEY_CHANNEL },
        { "subdir", KEY_SUBDIR },
        { "version", KEY_VERSION },
        { "build", KEY_BUILD },
        { "build_number", KEY_BUILD_NUMBER },
        { "track_features", KEY_TRACK_FEATURES },
        { "features", KEY_FEATURES },
        { "url", KEY_URL },
        { "fn", KEY_FN },
        { "md5", KEY_MD5 },
        { "sha256", KEY_SHA256 },
        { "license", KEY_LICENSE },
        { "license_family", KEY_LICENSE_FAMILY },
        { "optional", KEY_IGNORED },
        { "target", KEY_IGNORED },
};

struct reader {
        struct arena *a;
        const struct conda_channel_settings *settings;
        sv text; /* as given */
        sv part[KEY_N];
        struct matchspec *m;
        sv why;
        size_t at;
};

/* `what` is shown as the place when it is found in the text. */
static bool refuse(struct reader *r, sv what, sv why)
{
        ptrdiff_t at = what.n ? sv_find_sv(r->text, what) : 0;

        if (!r->why.n) {
                r->why = why;
                r->at = at > 0 ? (size_t)at : 0;
        }
        return false;
}

static sv shown(sv s)
{
        return sv_from_to(s, 0, 80);
}

/* ---- words ---- */

static sv lower(struct arena *a, sv s)
{
        char *p = s.n ? arena_str(a, s) : NULL;

        for (size_t i = 0; i < s.n; i++)
                if (p[i] >= 'A' && p[i] <= 'Z')
                        p[i] = (char)(p[i] - 'A' + 'a');
        return (sv){ p, s.n };
}

static sv keep(struct arena *a, sv s)
{
        return s.n ? arena_sv(a, s) : (sv){ 0 };
}

static sv without_blanks(struct arena *a, sv s)
{
        char *p = arena_str(a, s);
        size_t n = 0;

        for (size_t i = 0; i < s.n; i++)
                if (s.p[i] != ' ')
                        p[n++] = s.p[i];
        return (sv){ p, n };
}

static bool has_any(sv s, const char *set)
{
        for (size_t i = 0; i < s.n; i++)
                if (strchr(set, s.p[i]))
                        return true;
        return false;
}

static bool is_archive(sv s)
{
        return sv_ends(s, SV(".conda")) || sv_ends(s, SV(".tar.bz2"));
}

static bool is_key_char(char c)
{
        return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '_' || c == '-';
}

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

/* conda takes one pair of brackets in a channel ("conda-forge[noarch]") and makes nothing of it. */
static bool is_channel_text(sv text)
{
        ptrdiff_t open = sv_find(text, '['), close = sv_find(text, ']');

        if (has_any(text, "()"))
                return false;
        if (open >= 0 || close >= 0)
                return open >= 0 && close > open && open == sv_rfind(text, '[') && close == sv_rfind(text, ']') &&
                       !has_any(text, "'\"=*");
        return sv_find(text, '*') < 0 || !has_any(text, "'\"=,");
}

static bool channel_read(struct reader *r, sv text)
{
        struct matchspec *m = r->m;
        struct conda_channel *v;
        size_t n;
        sv why;

        m->channel_text = arena_sv(r->a, text);
        m->channel = (sv){ 0 };
        m->channels = NULL;
        if (text.p[0] == '^')
                return refuse(r, text, SV("a channel cannot be a regular expression here: write its name"));
        if (sv_find_sv(text, SV("://[")) >= 0) /* brackets hold fields; conda cannot read such an address either */
                return refuse(r, text,
                              SV("a channel in a match spec cannot be an address in brackets: write the host's name"));
        if (!is_channel_text(text))
                return refuse(r, text, arena_fmt(r->a, "'%.*s' is not a channel's name", SV_ARG(shown(text))));
        if (!conda_channel_expand(r->a, text, r->settings, &v, &n, &why))
                return refuse(r, text, why);
        if (n == 1 && is_archive(v[0].url))
                return refuse(r, text,
                              arena_fmt(r->a, "'%.*s' is a package's file, not a channel", SV_ARG(shown(text))));
        if (!n)
                return refuse(r, text, arena_fmt(r->a, "'%.*s' stands for no channel", SV_ARG(shown(text))));
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
                if (!is_key_char(s.p[i]) && (!s.p[i] || !strchr(".+!~", s.p[i])))
                        return false;
        return true;
}

static bool url_read(struct reader *r, sv text)
{
        sv name, version, build, path = text, file, why, folder;
        struct conda_channel c;

        if (has_any(text, "'\"[]*"))
                return refuse(
                        r, text,
                        SV("a package's URL has no quotes, brackets or asterisks: write %27, %22, %5B, %5D, %2A"));
        if (!has_scheme(text) && text.p[0] != '/' && text.p[0] != '~' && text.p[0] != '.')
                path = arena_fmt(r->a, "./%.*s", SV_ARG(text));
        if (!conda_channel_parse(r->a, path, r->settings, &c, &why))
                return refuse(r, text, why);
        file = has_scheme(text) ? percent_decode(r->a, sv_basename(text)) : sv_basename(text);
        if (!is_file_name(file))
                return refuse(r, text,
                              arena_fmt(r->a, "'%.*s' is not a package's file name: NAME-VERSION-BUILD.conda",
                                        SV_ARG(shown(sv_basename(text)))));
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
                return refuse(r, text,
                              arena_fmt(r->a, "'%.*s' is not a package's file name: NAME-VERSION-BUILD.conda",
                                        SV_ARG(shown(file))));
        r->part[KEY_NAME] = name;
        r->part[KEY_VERSION] = version;
        r->part[KEY_BUILD] = build;
        r->part[KEY_SUBDIR] = c.subdir;
        r->m->channel = c.url;
        r->m->channel_text = r->m->channel_name = channel_written(r, &c);
        return true;
}

/* ---- [key=value, …] ---- */

/* "=1.8" means 1.8 and all that begins with it, as "==1.8" means itself; beside a build both mean 1.8. */
static sv version_tidy(struct arena *a, sv version, bool build)
{
        sv bare = version;

        if (sv_is(version, "=") || sv_is(version, "==") || !sv_starts(version, SV("=")))
                return version;
        while (sv_starts(bare, SV("=")))
                bare = sv_skip(bare, 1);
        if (sv_starts(version, SV("==")) && !build)
                return bare;
        if (has_any(bare, "=,|") ||
            (bare.n && strchr("<>!~", bare.p[0]))) /* "=>1" is a slip: conda makes '>1*' of it */
                return version;
        return build || sv_ends(bare, SV("*")) ? bare : arena_fmt(a, "%.*s*", SV_ARG(bare));
}

static bool pair_apply(struct reader *r, sv key, sv value)
{
        static const char *const later[] = { "when", "extras", "flags" };

        if (!value.n)
                return refuse(r, key, arena_fmt(r->a, "'%.*s' has no value in the brackets", SV_ARG(shown(key))));
        for (size_t i = 0; i < ARRAY_LEN(later); i++)
                if (sv_is(key, later[i]))
                        return refuse(r, key, arena_fmt(r->a, "'%s' in a match spec is not supported yet", later[i]));
        for (size_t i = 0; i < ARRAY_LEN(keys); i++)
                if (sv_is(key, keys[i].name)) {
                        r->part[keys[i].key] = sv_is(key, "version") ? version_tidy(r->a, value, false) : value;
                        return true;
                }
        return refuse(r, key,
                      arena_fmt(r->a,
                                "there is no '%.*s': a match spec has channel, subdir, version, build, build_number, "
                                "url, fn, md5, sha256, license, license_family, track_features",
                                SV_ARG(shown(key))));
}

/* One "key=value" at the beginning: bytes, or 0. A value ends at a comma or a blank unless it is quoted. */
static size_t pair_scan(sv s, sv *ret_key, sv *ret_value)
{
        size_t n = 0, end;
        char quote = 0;

        while (n < s.n && is_key_char(s.p[n]))
                n++;
        if (!n || n >= s.n || s.p[n] != '=')
                return 0;
        *ret_key = sv_from_to(s, 0, n++);
        if (n < s.n && (s.p[n] == '\'' || s.p[n] == '"'))
                quote = s.p[n++];
        end = n;
        while (end < s.n && s.p[end] != '\'' && s.p[end] != '"' && (quote || (s.p[end] != ',' && s.p[end] != ' ')))
                end++;
        *ret_value = sv_from_to(s, n, end);
        if (quote && (end >= s.n || s.p[end++] != quote))
                return 0;
        if (end < s.n && s.p[end] != ',' && s.p[end] != ' ')
                return 0;
        return end + (end < s.n);
}

/* What is no pair is passed over, as conda passes over it: "[a, version=1]". */
static bool pairs_read(struct reader *r, sv inside)
{
        while (inside.n) {
                sv key, value;
                size_t n = pair_scan(inside, &key, &value);

                if (n && !pair_apply(r, key, value))
                        return false;
                inside = sv_skip(inside, n ? n : 1);
        }
        return true;
}

/* The last open with a close after it, up to the last close: false when there is none. */
static bool group_find(sv s, char open, char close, size_t *ret_from, size_t *ret_to)
{
        ptrdiff_t end = sv_rfind(s, close), from;

        if (end < 0)
                return false;
        from = sv_rfind(sv_from_to(s, 0, (size_t)end), open);
        if (from < 0)
                return false;
        *ret_from = (size_t)from;
        *ret_to = (size_t)end + 1;
        return true;
}

static sv cut_out(struct arena *a, sv s, size_t from, size_t to)
{
        return arena_fmt(a, "%.*s%.*s", (int)from, s.p, SV_ARG(sv_skip(s, to)));
}

/* "conda-forge[noarch]::foo": the first pair of brackets need not be the last thing. */
static bool brackets_cut(struct reader *r, sv *text)
{
        size_t from, to;

        if (!group_find(*text, '[', ']', &from, &to))
                return true;
        if (!pairs_read(r, sv_from_to(*text, from + 1, to - 1)))
                return false;
        *text = cut_out(r->a, *text, from, to);
        return true;
}

/* "(optional)", "(target=x)" say nothing here. conda drops whatever stands in parentheses, a version too: that is nobody's wish. */
static bool parens_cut(struct reader *r, sv *text)
{
        size_t from, to;
        sv inside, item;

        if (!group_find(*text, '(', ')', &from, &to))
                return true;
        inside = sv_from_to(*text, from + 1, to - 1);
        while (sv_cut(&inside, ',', &item)) {
                item = sv_trim(item);
                if (!sv_is(item, "optional") && !sv_starts(item, SV("target=")))
                        return refuse(
                                r, sv_skip(*text, from),
                                SV("a version in parentheses goes into brackets: NAME[version='(>=1|<0.5),!=2']"));
        }
        *text = cut_out(r->a, *text, from, to);
        return true;
}

/* ---- channel:namespace:name version build ---- */

static bool channel_cut(struct reader *r, sv *text, sv *ret_channel)
{
        ptrdiff_t last = sv_rfind(*text, ':'), first;
        sv before, space;

        *ret_channel = (sv){ 0 };
        if (last < 0)
                return true;
        before = sv_from_to(*text, 0, (size_t)last);
        first = sv_rfind(before, ':');
        if (first >= 0)
                *ret_channel = sv_from_to(before, 0, (size_t)first);
        space = sv_skip(before, (size_t)(first + 1));
        if (has_any(space, " =<>!~/*"))
                return refuse(r, space,
                              arena_fmt(r->a, "'%.*s' before ':' is no namespace: write CHANNEL::NAME",
                                        SV_ARG(shown(space))));
        *text = sv_skip(*text, (size_t)last + 1);
        return true;
}

/* The build is all that follows the first blank or '=' after which nothing looks like a version's continuation. */
static void version_cut(struct arena *a, sv text, sv *ret_version, sv *ret_build)
{
        size_t clean = text.n;

        while (clean && !strchr("-=,|<>~", text.p[clean - 1]))
                clean--; /* from here on, nothing that a build cannot have */
        *ret_version = text;
        *ret_build = (sv){ 0 };
        for (size_t i = 1; i + 1 < text.n; i++) {
                bool separates = (text.p[i] == ' ' || text.p[i] == '=') && !strchr("=!|,<>~", text.p[i - 1]);

                if (separates && i + 1 >= clean) {
                        *ret_version = sv_from_to(text, 0, i);
                        *ret_build = sv_trim(sv_skip(text, i + 1));
                        break;
                }
        }
        *ret_version = without_blanks(a, *ret_version);
}

static bool name_cut(struct reader *r, sv text)
{
        size_t n = 0;
        sv rest, version, build;

        while (n < text.n && !strchr(" =<>!~", text.p[n]))
                n++;
        if (!n)
                return refuse(r, text,
                              text.n ? arena_fmt(r->a, "a package's name is missing before '%.*s'", SV_ARG(shown(text)))
                                     : SV("a package's name is missing"));
        r->part[KEY_NAME] = sv_from_to(text, 0, n);
        rest = sv_skip(text, n);
        if (rest.n < 2 && rest.n && !strchr(" =", rest.p[0]))
                return refuse(r, rest, arena_fmt(r->a, "'%c' has no version after it", rest.p[0]));
        if (rest.n < 2)
                return true; /* "numpy=" is numpy */
        rest = sv_trim(rest);
        if (!rest.n)
                return true;
        if (sv_find(rest, '[') >= 0)
                return refuse(r, rest, SV("a match spec has one pair of brackets, closed at its end"));
        version_cut(r->a, rest, &version, &build);
        r->part[KEY_VERSION] = version_tidy(r->a, version, build.n > 0);
        r->part[KEY_BUILD] = build;
        return true;
}

static bool text_read(struct reader *r, sv text)
{
        sv pairs[KEY_N], channel;

        if (sv_ends(text, SV("@"))) { /* how features were asked for long ago */
                text.n--;
                if (has_any(text, " ,#'\"[]"))
                        return refuse(r, text, arena_fmt(r->a, "'%.*s' is not a feature's name", SV_ARG(shown(text))));
                r->part[KEY_NAME] = SV("*");
                r->part[KEY_TRACK_FEATURES] = text;
                return true;
        }
        if (is_archive(text))
                return url_read(r, text);
        if (!brackets_cut(r, &text))
                return false;
        memcpy(pairs, r->part, sizeof(pairs));
        memset(r->part, 0, sizeof(r->part));
        if (!parens_cut(r, &text) || !channel_cut(r, &text, &channel) || !name_cut(r, text))
                return false;
        if (channel.n && !channel_read(r, channel))
                return false;
        if (pairs[KEY_CHANNEL].n && !channel_read(r, pairs[KEY_CHANNEL]))
                return false;
        for (size_t i = 0; i < KEY_N; i++)
                if (pairs[i].n)
                        r->part[i] = pairs[i];
        return true;
}

/* ---- what the fields mean ---- */

static bool regex_read(struct reader *r, sv text, const struct pattern **ret)
{
        sv why = { 0 };

        *ret = NULL;
        if (text.n < 2 || text.p[0] != '^' || text.p[text.n - 1] != '$')
                return true;
        *ret = pattern_parse(r->a, text, &why);
        return *ret ||
               refuse(r, text, arena_fmt(r->a, "'%.*s' cannot be used: %.*s", SV_ARG(shown(text)), SV_ARG(why)));
}

static bool field_read(struct reader *r, sv text, struct matchspec_text *ret)
{
        if (has_any(text, "'\"[]"))
                return refuse(r, text, arena_fmt(r->a, "'%.*s' has quotes or brackets inside", SV_ARG(shown(text))));
        ret->text = keep(r->a, text);
        ret->glob = sv_find(text, '*') >= 0;
        if (!regex_read(r, ret->text, &ret->regex))
                return false;
        if (ret->regex)
                ret->glob = false;
        return true;
}

static bool is_name_char(char c)
{
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '*';
}

/* Letters, digits, one of - _ . between them, and at most two '_' before all; '*' stands for any of it. */
static bool name_is_valid(sv name)
{
        size_t i = 0;

        while (i < 2 && i < name.n && name.p[i] == '_')
                i++;
        if (i >= name.n || !is_name_char(name.p[i]))
                return false;
        for (; i < name.n; i++) {
                if (is_name_char(name.p[i]))
                        continue;
                if (!strchr("-_.", name.p[i]) || !name.p[i] || !is_name_char(name.p[i - 1]))
                        return false;
        }
        return true;
}

static bool name_read(struct reader *r)
{
        struct matchspec *m = r->m;
        sv written = r->part[KEY_NAME];

        m->name = lower(r->a, written);
        if (!regex_read(r, m->name, &m->name_regex))
                return false;
        if (m->name_regex)
                return true;
        m->name_glob = sv_find(m->name, '*') >= 0;
        if (sv_ends(written, SV("[")) || sv_find(written, '[') >= 0 || sv_find(written, ']') >= 0)
                return refuse(r, written, SV("a match spec has one pair of brackets, closed at its end"));
        if (sv_find(written, '/') >= 0)
                return refuse(
                        r, written,
                        arena_fmt(r->a,
                                  "'%.*s' is not a package's name: a channel goes before '::', as in CHANNEL::NAME",
                                  SV_ARG(shown(written))));
        return name_is_valid(m->name) ||
               refuse(r, written,
                      arena_fmt(r->a, "'%.*s' is not a package's name: letters, digits and single - _ .",
                                SV_ARG(shown(written))));
}

static bool version_read(struct reader *r)
{
        sv text = r->part[KEY_VERSION], why;
        size_t at;

        if (!text.n)
                return true;
        r->m->version = conda_spec_parse(r->a, text, &why, &at);
        if (r->m->version)
                return true;
        if (has_any(sv_skip(text, text.n - 1), "=<>!~") && r->part[KEY_BUILD].n)
                why = arena_fmt(r->a, "'%.*s' and what follows it belong together: write '%.*s%.*s'",
                                SV_ARG(shown(text)), SV_ARG(shown(text)), SV_ARG(shown(r->part[KEY_BUILD])));
        return refuse(r, text, why);
}

bool build_number_read(sv text, struct build_number *ret)
{
        static const struct {
                const char *text;
                int op;
        } ops[] = {
                { "==", BUILD_EQ }, { "!=", BUILD_NE }, { "<=", BUILD_LE }, { ">=", BUILD_GE },
                { "=", BUILD_EQ },  { "<", BUILD_LT },  { ">", BUILD_GT },  { "", BUILD_EQ },
        };
        size_t i = 0;

        ret->op = BUILD_ANY;
        if (sv_is(text, "*"))
                return true;
        while (!sv_starts(text, sv_from(ops[i].text)))
                i++;
        ret->op = ops[i].op;
        return sv_u64(sv_skip(text, strlen(ops[i].text)), &ret->n);
}

static bool build_number_field(struct reader *r)
{
        sv text = sv_trim(r->part[KEY_BUILD_NUMBER]);
        struct build_number b;

        if (!text.n)
                return true;
        if (!build_number_read(text, &b))
                return refuse(r, text,
                              arena_fmt(r->a,
                                        "'%.*s' is not a build number: write a number, or one after < <= > >= != ==",
                                        SV_ARG(shown(text))));
        r->m->has_build_number = true;
        r->m->build_number = text.p[0] >= '0' && text.p[0] <= '9' ? arena_fmt(r->a, "%llu", (unsigned long long)b.n)
                                                                  : arena_sv(r->a, text);
        return true;
}

/* "mkl, debug" → "debug mkl" */
static bool features_read(struct reader *r, sv text, sv *ret)
{
        AUTO(buf_done) struct buf b = BUF_INIT(2 * TEXT_MAX);
        sv *v = NULL;
        size_t n = 0, cap = 0, end;

        if (!text.n)
                return true;
        for (size_t i = 0; i < text.n; i = end + 1) {
                for (end = i; end < text.n && text.p[end] != ' ' && text.p[end] != ','; end++)
                        ;
                if (end > i)
                        *arena_push(r->a, v, n, cap) = sv_from_to(text, i, end);
        }
        if (!n)
                return refuse(r, text, SV("a feature's name is missing"));
        qsort(v, n, sizeof(*v), sv_qsort);
        for (size_t i = 0; i < n; i++) {
                if (i && sv_eq(v[i - 1], v[i]))
                        continue;
                buf_add(&b, i ? SV(" ") : (sv){ 0 });
                buf_add(&b, v[i]);
        }
        *ret = arena_sv(r->a, buf_sv(&b));
        return true;
}

static bool fields_read(struct reader *r)
{
        struct matchspec *m = r->m;

        m->subdir = keep(r->a, r->part[KEY_SUBDIR]);
        m->url = keep(r->a, r->part[KEY_URL]);
        m->fn = keep(r->a, r->part[KEY_FN]);
        m->md5 = lower(r->a, r->part[KEY_MD5]);
        m->sha256 = lower(r->a, r->part[KEY_SHA256]);
        return name_read(r) && version_read(r) && field_read(r, r->part[KEY_BUILD], &m->build) &&
               build_number_field(r) && field_read(r, lower(r->a, r->part[KEY_LICENSE]), &m->license) &&
               field_read(r, lower(r->a, r->part[KEY_LICENSE_FAMILY]), &m->license_family) &&
               features_read(r, r->part[KEY_TRACK_FEATURES], &m->track_features) &&
               features_read(r, r->part[KEY_FEATURES], &m->features);
}

static bool is_readable(struct reader *r)
{
        if (r->text.n > TEXT_MAX)
                return refuse(r, (sv){ 0 }, SV("a match spec longer than 64 KiB"));
        for (size_t i = 0; i < r->text.n; i++)
                if ((unsigned char)r->text.p[i] < ' ' || r->text.p[i] == 0x7f) {
                        r->at = i;
                        r->why = SV("a match spec holds no control characters: no tabs, no line ends");
                        return false;
                }
        return true;
}

/* Without "# comment" and what conda drops with it: " if CONDITION". */
static sv comment_cut(sv text)
{
        ptrdiff_t at = sv_find(text, '#');

        if (at >= 0)
                text.n = (size_t)at;
        at = sv_find_sv(text, SV(" if "));
        if (at >= 0)
                text.n = (size_t)at;
        return text;
}

bool matchspec_parse(struct arena *a, sv text, const struct conda_channel_settings *settings, struct matchspec *ret,
                     sv *ret_why, size_t *ret_at)
{
        struct matchspec m = { 0 };
        struct reader r = { .a = a, .settings = settings, .text = text, .m = &m };
        sv bare = sv_ends(text, SV("@")) ? text : comment_cut(text);

        if (is_readable(&r) && text_read(&r, bare) && fields_read(&r)) {
                m.wrote = arena_sv(a, sv_trim(bare));
                *ret = m;
                return true;
        }
        if (ret_why)
                *ret_why = r.why;
        if (ret_at)
                *ret_at = r.at;
        return false;
}
