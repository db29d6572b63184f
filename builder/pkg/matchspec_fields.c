/* What the parts of a match spec mean. */
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/cleanup.h"
#include "pkg/matchspec_priv.h"

static sv keep(struct arena *a, sv s)
{
        return s.n ? arena_sv(a, s) : (sv){ 0 };
}

static bool regex_read(struct reader *r, sv text, const struct pattern **ret)
{
        sv why = { 0 };

        *ret = NULL;
        if (text.n < 2 || text.p[0] != '^' || text.p[text.n - 1] != '$')
                return true;
        *ret = pattern_parse(r->a, text, &why);
        return *ret || matchspec_refuse(r, text,
                                        arena_fmt(r->a, "'%.*s' cannot be used: %.*s", SV_ARG(matchspec_shown(text)),
                                                  SV_ARG(why)));
}

static bool field_read(struct reader *r, sv text, struct matchspec_text *ret)
{
        if (matchspec_has_any(text, "'\"[]"))
                return matchspec_refuse(
                        r, text,
                        arena_fmt(r->a, "'%.*s' has quotes or brackets inside", SV_ARG(matchspec_shown(text))));
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

        if (matchspec_has_any(written, "[]"))
                return matchspec_refuse(r, written, SV("a match spec has one pair of brackets, closed at its end"));
        m->name = arena_lower(r->a, written);
        if (!regex_read(r, m->name, &m->name_regex))
                return false;
        if (m->name_regex)
                return !matchspec_has_any(written, "()'\"") || /* conda cuts groups out */
                       matchspec_refuse(r, written,
                                        arena_fmt(r->a, "'%.*s' has parentheses or quotes inside",
                                                  SV_ARG(matchspec_shown(written))));
        m->name_glob = sv_find(m->name, '*') >= 0;
        if (sv_find(written, '/') > 0)
                return matchspec_refuse(
                        r, written,
                        arena_fmt(r->a,
                                  "'%.*s' is not a package's name: a channel goes before '::', as in CHANNEL::NAME",
                                  SV_ARG(matchspec_shown(written))));
        return name_is_valid(m->name) ||
               matchspec_refuse(r, written,
                                arena_fmt(r->a, "'%.*s' is not a package's name: letters, digits and single - _ .",
                                          SV_ARG(matchspec_shown(written))));
}

static bool version_read(struct reader *r)
{
        sv text = r->part[KEY_VERSION], why;
        size_t at;

        if (!text.n)
                return true;
        if (matchspec_has_any(text, "'\"[]"))
                return matchspec_refuse(
                        r, text,
                        arena_fmt(r->a, "'%.*s' has quotes or brackets inside", SV_ARG(matchspec_shown(text))));
        r->m->version = conda_spec_parse(r->a, text, &why, &at);
        if (r->m->version)
                return true;
        if (matchspec_has_any(sv_skip(text, text.n - 1), "=<>!~") && r->part[KEY_BUILD].n)
                why = arena_fmt(r->a, "'%.*s' and what follows it belong together: write '%.*s%.*s'",
                                SV_ARG(matchspec_shown(text)), SV_ARG(matchspec_shown(text)),
                                SV_ARG(matchspec_shown(r->part[KEY_BUILD])));
        return matchspec_refuse(r, text, why);
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
                return matchspec_refuse(
                        r, text,
                        arena_fmt(r->a, "'%.*s' is not a build number: write a number, or one after < <= > >= != ==",
                                  SV_ARG(matchspec_shown(text))));
        r->m->has_build_number = true;
        r->m->build_number = text.p[0] >= '0' && text.p[0] <= '9' ? arena_fmt(r->a, "%llu", (unsigned long long)b.n)
                                                                  : arena_sv(r->a, text);
        return true;
}

/* "mkl, debug" → "debug mkl" */
static bool features_read(struct reader *r, sv text, sv *ret)
{
        AUTO(buf_done) struct buf b = BUF_INIT(2 * MATCHSPEC_MAX);
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
                return matchspec_refuse(r, text, SV("a feature's name is missing"));
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

bool matchspec_fields_read(struct reader *r)
{
        struct matchspec *m = r->m;

        m->subdir = keep(r->a, r->part[KEY_SUBDIR]);
        m->url = keep(r->a, r->part[KEY_URL]);
        m->fn = keep(r->a, r->part[KEY_FN]);
        m->md5 = arena_lower(r->a, r->part[KEY_MD5]);
        m->sha256 = arena_lower(r->a, r->part[KEY_SHA256]);
        return name_read(r) && version_read(r) && field_read(r, r->part[KEY_BUILD], &m->build) &&
               build_number_field(r) && field_read(r, arena_lower(r->a, r->part[KEY_LICENSE]), &m->license) &&
               field_read(r, arena_lower(r->a, r->part[KEY_LICENSE_FAMILY]), &m->license_family) &&
               features_read(r, r->part[KEY_TRACK_FEATURES], &m->track_features) &&
               features_read(r, r->part[KEY_FEATURES], &m->features);
}
