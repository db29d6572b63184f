#include <string.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "pkg/matchspec_priv.h"

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

/* `what` is shown as the place when it is found in the text. */
bool matchspec_refuse(struct reader *r, sv what, sv why)
{
        ptrdiff_t at = what.n ? sv_find_sv(r->text, what) : 0;

        if (!r->why.n) {
                r->why = why;
                r->at = at > 0 ? (size_t)at : 0;
        }
        return false;
}

sv matchspec_shown(sv s)
{
        return sv_from_to(s, 0, 80);
}

bool matchspec_has_any(sv s, const char *set)
{
        for (size_t i = 0; i < s.n; i++)
                if (strchr(set, s.p[i]))
                        return true;
        return false;
}

bool matchspec_is_archive(sv s)
{
        return sv_ends(s, SV(".conda")) || sv_ends(s, SV(".tar.bz2"));
}

bool matchspec_is_key_char(char c)
{
        return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '_' || c == '-';
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
        if (matchspec_has_any(bare, "=,|") ||
            (bare.n && strchr("<>!~", bare.p[0]))) /* "=>1" is a slip: conda makes '>1*' of it */
                return version;
        return build || sv_ends(bare, SV("*")) ? bare : arena_fmt(a, "%.*s*", SV_ARG(bare));
}

static bool pair_apply(struct reader *r, sv key, sv value)
{
        static const char *const later[] = { "when", "extras", "flags" };

        if (!value.n)
                return matchspec_refuse(
                        r, key, arena_fmt(r->a, "'%.*s' has no value in the brackets", SV_ARG(matchspec_shown(key))));
        for (size_t i = 0; i < ARRAY_LEN(later); i++)
                if (sv_is(key, later[i]))
                        return matchspec_refuse(r, key,
                                                arena_fmt(r->a, "'%s' in a match spec is not supported yet", later[i]));
        for (size_t i = 0; i < ARRAY_LEN(keys); i++)
                if (sv_is(key, keys[i].name)) {
                        r->part[keys[i].key] = sv_is(key, "version") ? version_tidy(r->a, value, false) : value;
                        return true;
                }
        return matchspec_refuse(
                r, key,
                arena_fmt(r->a,
                          "there is no '%.*s': a match spec has channel, subdir, version, build, build_number, "
                          "url, fn, md5, sha256, license, license_family, track_features",
                          SV_ARG(matchspec_shown(key))));
}

/* One "key=value" at the beginning: bytes, or 0. A value ends at a comma or a blank unless it is quoted. */
static size_t pair_scan(sv s, sv *ret_key, sv *ret_value)
{
        size_t n = 0, end;
        char quote = 0;

        while (n < s.n && matchspec_is_key_char(s.p[n]))
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
                        return matchspec_refuse(
                                r, sv_skip(*text, from),
                                SV("a version in parentheses goes into brackets: NAME[version='(>=1|<0.5),!=2']"));
        }
        *text = cut_out(r->a, *text, from, to);
        if (matchspec_has_any(*text, "()"))
                return matchspec_refuse(r, *text, SV("there is more than one pair of parentheses"));
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
        if (matchspec_has_any(space, " =<>!~/*"))
                return matchspec_refuse(r, space,
                                        arena_fmt(r->a, "'%.*s' before ':' is no namespace: write CHANNEL::NAME",
                                                  SV_ARG(matchspec_shown(space))));
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
                return matchspec_refuse(r, text,
                                        text.n ? arena_fmt(r->a, "a package's name is missing before '%.*s'",
                                                           SV_ARG(matchspec_shown(text)))
                                               : SV("a package's name is missing"));
        r->part[KEY_NAME] = sv_from_to(text, 0, n);
        rest = sv_skip(text, n);
        if (rest.n < 2 && rest.n && !strchr(" =", rest.p[0]))
                return matchspec_refuse(r, rest, arena_fmt(r->a, "'%c' has no version after it", rest.p[0]));
        if (rest.n < 2)
                return true; /* "numpy=" is numpy */
        rest = sv_trim(rest);
        if (!rest.n)
                return true;
        if (sv_find(rest, '[') >= 0)
                return matchspec_refuse(r, rest, SV("a match spec has one pair of brackets, closed at its end"));
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
                if (matchspec_has_any(text, " ,#'\"[]"))
                        return matchspec_refuse(
                                r, text,
                                arena_fmt(r->a, "'%.*s' is not a feature's name", SV_ARG(matchspec_shown(text))));
                r->part[KEY_NAME] = SV("*");
                r->part[KEY_TRACK_FEATURES] = text;
                return true;
        }
        if (matchspec_is_archive(text))
                return matchspec_url_read(r, text);
        if (!brackets_cut(r, &text))
                return false;
        memcpy(pairs, r->part, sizeof(pairs));
        memset(r->part, 0, sizeof(r->part));
        if (!parens_cut(r, &text) || !channel_cut(r, &text, &channel) || !name_cut(r, text))
                return false;
        if (channel.n && !matchspec_channel_read(r, channel))
                return false;
        if (pairs[KEY_CHANNEL].n && !matchspec_channel_read(r, pairs[KEY_CHANNEL]))
                return false;
        for (size_t i = 0; i < KEY_N; i++)
                if (pairs[i].n)
                        r->part[i] = pairs[i];
        return true;
}

static bool is_readable(struct reader *r)
{
        if (r->text.n > MATCHSPEC_MAX)
                return matchspec_refuse(r, (sv){ 0 }, SV("a match spec longer than 64 KiB"));
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

static bool spec_read(struct arena *a, sv text, const struct conda_channel_settings *settings, struct reader *r,
                      struct matchspec *m)
{
        sv bare = sv_ends(text, SV("@")) ? text : comment_cut(text);

        *m = (struct matchspec){ 0 };
        *r = (struct reader){ .a = a, .settings = settings, .text = text, .m = m };
        if (!is_readable(r) || !text_read(r, bare) || !matchspec_fields_read(r))
                return false;
        m->wrote = arena_sv(a, sv_trim(bare));
        return true;
}

/* Brackets and channels can be put together so that conda reads something into them which its own canonical text does not say. A lock
 * holds canonical texts: what could not be read from there again is refused here. Two kinds are left alone: an address holds more than its
 * spec keeps (platforms, tokens, one is taken off at a time), and of "1.*.*" conda writes "=1.*". */
static bool is_lasting(struct reader *r, const struct matchspec *m)
{
        AUTO(buf_done) struct buf b = BUF_INIT((size_t)1 << 20);
        struct reader again;
        struct matchspec next = *m;
        sv last = r->text, version = m->version ? conda_spec_text(m->version) : (sv){ 0 };

        version.n -= sv_ends(version, SV("*"));
        if (!matchspec_has_any(last, "[:/") || sv_find(version, '*') >= 0)
                return true;
        for (int i = 0; i < 8; i++) {
                b.n = 0;
                matchspec_write(&next, &b);
                if (sv_eq(buf_sv(&b), last))
                        return true;
                if (i == 0 && (sv_find_sv(buf_sv(&b), SV("://")) >= 0 || matchspec_is_archive(buf_sv(&b))))
                        return true;
                last = arena_sv(r->a, buf_sv(&b));
                if (!spec_read(r->a, last, r->settings, &again, &next))
                        break;
        }
        return matchspec_refuse(
                r, r->text,
                arena_fmt(r->a,
                          "this would be kept as '%.*s', which says something else: write CHANNEL::NAME[KEY=VALUE, …]",
                          SV_ARG(matchspec_shown(last))));
}

bool matchspec_parse(struct arena *a, sv text, const struct conda_channel_settings *settings, struct matchspec *ret,
                     sv *ret_why, size_t *ret_at)
{
        struct matchspec m;
        struct reader r;

        if (spec_read(a, text, settings, &r, &m) && is_lasting(&r, &m)) {
                *ret = m;
                return true;
        }
        if (ret_why)
                *ret_why = r.why;
        if (ret_at)
                *ret_at = r.at;
        return false;
}
