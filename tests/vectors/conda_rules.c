/* tests/vectors/conda_rules.c - conda's versions, version specs, match specs and channels, case by case. */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/hex.h"
#include "pkg/matchspec.h"
#include "tests/vectors/vectors.h"
#include "version/conda_priv.h"

/* A text of a case as an id: NUL-terminated, shortened. */
static const char *id_of(struct vectors *v, sv text)
{
        return arena_fmt(&v->arena, "'%.*s'", (int)(text.n < 120 ? text.n : 120), text.p ? text.p : "").p;
}

static const char *id_two(struct vectors *v, sv a, sv b)
{
        return arena_fmt(&v->arena, "'%.*s' and '%.*s'", (int)(a.n < 120 ? a.n : 120), a.p,
                         (int)(b.n < 120 ? b.n : 120), b.p)
                .p;
}

static sv field(const struct js *row, size_t i)
{
        return row->type == JS_ARR && i < row->n ? js_str(row->v[i].value) : (sv){ 0 };
}

/* A field that is a JSON string. */
static bool field_json(struct vectors *v, const struct js *row, size_t i, sv *ret)
{
        AUTO(err_done) struct err e = { 0 };
        sv text = field(row, i);
        struct js *doc;

        if (js_parse(&v->arena, arena_fmt(&v->arena, "[%.*s]", SV_ARG(text)), &doc, &e) < 0 || doc->n != 1 ||
            doc->v[0].value->type != JS_STR) {
                vectors_fail(v, id_of(v, text), "is no JSON string");
                return false;
        }
        *ret = js_str(doc->v[0].value);
        return true;
}

static const struct conda_version *version_of(struct vectors *v, sv text)
{
        const char *why = "";
        const struct conda_version *r = conda_version_parse(&v->arena, text, &why);

        if (!r)
                vectors_fail(v, id_of(v, text), "was refused: %s", why);
        return r;
}

/* ---- versions ---- */

static void run_write(const struct conda_runs *r, const struct conda_run *run, struct buf *b)
{
        sv text = { r->buf + run->at, run->n };

        if (run->kind == CONDA_RUN_NUM)
                buf_add(b, run->n ? text : SV("0"));
        else
                buf_fmt(b, "\"%.*s\"", SV_ARG(sv_is(text, "dev") ? SV("DEV") : text));
}

/* "[[0], [1], [2, "g"]]": epoch and version, not the local part. */
static sv runs_text(struct vectors *v, const struct conda_runs *r)
{
        AUTO(buf_done) struct buf b = BUF_INIT((size_t)1 << 20);

        for (size_t i = 0; i < r->n_main; i++) {
                bool begins = !i || r->v[i - 1].ends;

                buf_add(&b, !i ? SV("[[") : begins ? SV(", [") : SV(", "));
                run_write(r, &r->v[i], &b);
                if (r->v[i].ends)
                        buf_byte(&b, ']');
        }
        buf_byte(&b, ']');
        return arena_sv(&v->arena, buf_sv(&b));
}

static void version_parse(struct vectors *v, const struct js *doc)
{
        for (size_t i = 0; i < doc->n; i++) {
                const struct js *row = doc->v[i].value;
                struct conda_runs r;
                const char *why = "", *id = id_of(v, field(row, 0));
                sv got;

                if (!conda_runs_split(field(row, 0), &r, &why)) {
                        vectors_fail(v, id, "was refused: %s", why);
                        continue;
                }
                got = runs_text(v, &r);
                vectors_check(v, sv_eq(got, field(row, 1)), id, "is %.*s", SV_ARG(got));
        }
}

static int sign(int n)
{
        return (n > 0) - (n < 0);
}

/* Every line is above the one before it or equal to it, and so is any line further on. */
static void version_sorted(struct vectors *v, const struct js *doc)
{
        const struct conda_version **all = arena_array(&v->arena, const struct conda_version *, doc->n + 1);

        for (size_t i = 0; i < doc->n; i++) {
                bool ok = true;

                all[i] = version_of(v, js_str(doc->v[i].value));
                if (!all[i])
                        return;
                for (size_t back = 1; back <= i; back = back * 3 + 1)
                        ok = ok && conda_version_cmp(all[i - back], all[i]) <= 0 &&
                             conda_version_cmp(all[i], all[i - back]) == -conda_version_cmp(all[i - back], all[i]);
                vectors_check(v, ok, id_of(v, js_str(doc->v[i].value)), "is not above a line before it");
        }
}

static void version_compare(struct vectors *v, const struct js *doc)
{
        for (size_t i = 0; i < doc->n; i++) {
                const struct js *row = doc->v[i].value;
                const struct conda_version *a = version_of(v, field(row, 0)), *b = version_of(v, field(row, 1));
                int want = atoi(arena_str(&v->arena, field(row, 2)));

                if (!a || !b)
                        continue;
                vectors_check(v,
                              sign(conda_version_cmp(a, b)) == want && sign(conda_version_cmp(b, a)) == -want &&
                                      !conda_version_cmp(a, a) && !conda_version_cmp(b, b),
                              id_two(v, field(row, 0), field(row, 1)), "is %d, not %d", conda_version_cmp(a, b), want);
        }
}

static void version_literal_valid(struct vectors *v, const struct js *doc)
{
        for (size_t i = 0; i < doc->n; i++) {
                const struct js *row = doc->v[i].value;
                const char *why = NULL;
                bool ok;
                sv text;

                if (!field_json(v, row, 0, &text))
                        continue;
                ok = conda_version_parse(&v->arena, text, &why) != NULL;
                vectors_check(v, ok == sv_is(field(row, 1), "1") && ok == !why, id_of(v, text), "is %s: %s",
                              ok ? "taken" : "refused", why ? why : "");
        }
}

/* ---- version specs ---- */

static void spec_match(struct vectors *v, const struct js *doc)
{
        for (size_t i = 0; i < doc->n; i++) {
                const struct js *row = doc->v[i].value;
                const char *id = id_two(v, field(row, 0), field(row, 1));
                sv why = { 0 };
                size_t at;
                const struct conda_version *ver = version_of(v, field(row, 1));
                const struct conda_spec *s = conda_spec_parse(&v->arena, field(row, 0), &why, &at), *again;
                bool want = sv_is(field(row, 2), "1");

                if (!ver)
                        continue;
                if (!s) {
                        vectors_fail(v, id, "was refused at %zu: %.*s", at, SV_ARG(why));
                        continue;
                }
                again = conda_spec_parse(&v->arena, conda_spec_text(s), &why, &at);
                if (!again || !sv_eq(conda_spec_text(s), conda_spec_text(again)) ||
                    conda_spec_has(again, ver) != conda_spec_has(s, ver))
                        vectors_fail(v, id, "what is written of it reads differently: %.*s",
                                     SV_ARG(conda_spec_text(s)));
                else
                        vectors_check(v, conda_spec_has(s, ver) == want, id, "%s", want ? "no match" : "a match");
        }
}

static void spec_invalid(struct vectors *v, const struct js *doc)
{
        for (size_t i = 0; i < doc->n; i++) {
                sv text, why = { 0 };
                size_t at = SIZE_MAX;

                if (!field_json(v, doc->v[i].value, 0, &text))
                        continue;
                vectors_check(v, !conda_spec_parse(&v->arena, text, &why, &at) && why.n && at <= text.n, id_of(v, text),
                              "was taken, or refused without a reason or a place");
        }
}

/* ---- channels ---- */

static bool text_is(struct vectors *v, const char *id, const char *what, sv got, sv want)
{
        if (sv_eq(got, want))
                return true;
        vectors_fail(v, id, "%s is '%.*s', not '%.*s'", what, SV_ARG(got), SV_ARG(want));
        return false;
}

/* "$CWD" and "$HOME" stand for whole paths: here they are folders of those names at the root. */
static sv rooted(struct vectors *v, sv url)
{
        const char *places[] = { "file://$CWD", "file://$HOME" };

        for (size_t i = 0; i < ARRAY_LEN(places); i++)
                if (sv_starts(url, sv_from(places[i])))
                        return arena_fmt(&v->arena, "file:///%.*s", SV_ARG(sv_skip(url, strlen("file://"))));
        return url;
}

static void channel_parse(struct vectors *v, const struct js *doc)
{
        const struct conda_channel_settings s = { .cwd = SV("/$CWD"), .home = SV("/$HOME") };

        for (size_t i = 0; i < doc->n; i++) {
                const struct js *c = doc->v[i].value;
                sv input = js_get_str(c, "input"), url = js_get_str(c, "base_url"), why = { 0 };
                const char *id = id_of(v, input);
                struct conda_channel got, *all;
                size_t n;
                bool ok = conda_channel_parse(&v->arena, input, &s, &got, &why);

                if (ok != (url.n > 0))
                        vectors_fail(v, id, ok ? "was taken" : "was refused: %.*s", SV_ARG(why));
                else if (!ok)
                        vectors_check(v, why.n && !conda_channel_expand(&v->arena, input, &s, &all, &n, &why), id,
                                      "was refused without a reason, or taken the other way");
                else if (text_is(v, id, "URL", got.url, rooted(v, url)) &&
                         text_is(v, id, "name", got.name, rooted(v, js_get_str(c, "canonical_name"))) &&
                         text_is(v, id, "platform", got.subdir, js_get_str(c, "platform")) &&
                         text_is(v, id, "token", got.token, js_get_str(c, "token")) &&
                         text_is(v, id, "login", got.login, js_get_str(c, "auth")))
                        vectors_pass(v);
        }
}

/* ---- match specs ---- */

/* What is not judged yet must be refused, and said. */
static bool is_later(const struct js *fields)
{
        return js_get(fields, "when") || js_get(fields, "extras") || js_get(fields, "flags");
}

/* "frozenset({'mkl', 'debug'})": any order. */
static bool features_are(struct vectors *v, const char *id, const char *what, sv got, const struct js *want)
{
        sv rest = js_str(want), all = rest, one;
        size_t n = 0, have = 0;
        ptrdiff_t at;

        while ((at = sv_find(rest, '\'')) >= 0) {
                rest = sv_skip(rest, (size_t)at + 1);
                sv_cut(&rest, '\'', &one);
                n++;
        }
        for (rest = got; sv_cut(&rest, ' ', &one); have++)
                if (sv_find_sv(all, arena_fmt(&v->arena, "'%.*s'", SV_ARG(one))) < 0)
                        n = SIZE_MAX;
        if (n == have)
                return true;
        vectors_fail(v, id, "%s is '%.*s'", what, SV_ARG(got));
        return false;
}

/* The channel is seen in the canonical text. */
static bool fields_are(struct vectors *v, const char *id, const struct matchspec *m, const struct js *f)
{
        sv version = m->version ? conda_spec_text(m->version) : (sv){ 0 };

        return text_is(v, id, "name", m->name, js_get_str(f, "name")) &&
               text_is(v, id, "version", version, js_get_str(f, "version")) &&
               text_is(v, id, "build", m->build.text, js_get_str(f, "build")) &&
               text_is(v, id, "build number", m->build_number, js_get_str(f, "build_number")) &&
               text_is(v, id, "platform", m->subdir, js_get_str(f, "subdir")) &&
               text_is(v, id, "URL", m->url, js_get_str(f, "url")) &&
               text_is(v, id, "file", m->fn, js_get_str(f, "fn")) &&
               text_is(v, id, "md5", m->md5, js_get_str(f, "md5")) &&
               text_is(v, id, "sha256", m->sha256, js_get_str(f, "sha256")) &&
               text_is(v, id, "license", m->license.text, js_get_str(f, "license")) &&
               text_is(v, id, "license family", m->license_family.text, js_get_str(f, "license_family")) &&
               features_are(v, id, "track_features", m->track_features, js_get(f, "track_features")) &&
               features_are(v, id, "features", m->features, js_get(f, "features"));
}

static sv spec_text(struct vectors *v, const struct matchspec *m)
{
        AUTO(buf_done) struct buf b = BUF_INIT((size_t)1 << 20);

        matchspec_write(m, &b);
        return arena_sv(&v->arena, buf_sv(&b));
}

static void matchspec_parsing(struct vectors *v, const struct js *doc)
{
        const struct conda_channel_settings s = { .cwd = SV("/$CWD"), .home = SV("/$HOME") };

        for (size_t i = 0; i < doc->n; i++) {
                const struct js *c = doc->v[i].value, *f = js_get(c, "fields");
                sv text = js_get_str(c, "spec"), why = { 0 };
                const char *id = id_of(v, text);
                struct matchspec m, again;
                size_t at = 0;
                bool ok = matchspec_parse(&v->arena, text, &s, &m, &why, &at);

                if (is_later(f))
                        vectors_check(v, !ok && why.n && at <= text.n, id, "was taken, or refused without a reason");
                else if (!ok)
                        vectors_fail(v, id, "was refused at %zu: %.*s", at, SV_ARG(why));
                else if (text_is(v, id, "canonical text", spec_text(v, &m), js_get_str(c, "canonical")) &&
                         fields_are(v, id, &m, f))
                        vectors_check(v, matchspec_parse(&v->arena, spec_text(v, &m), &s, &again, &why, &at), id,
                                      "what is written of it cannot be read: %.*s", SV_ARG(why));
        }
}

static void matchspec_invalid(struct vectors *v, const struct js *doc)
{
        for (size_t i = 0; i < doc->n; i++) {
                sv text, why = { 0 };
                struct matchspec m;
                size_t at = SIZE_MAX;

                if (!field_json(v, doc->v[i].value, 0, &text))
                        continue;
                vectors_check(v, !matchspec_parse(&v->arena, text, NULL, &m, &why, &at) && why.n && at <= text.n,
                              id_of(v, text), "was taken, or refused without a reason or a place");
        }
}

/* The record of a case: its channel is a name. */
static bool record_of(struct vectors *v, const struct js *c, struct conda_record *ret)
{
        struct conda_channel channel;
        int64_t number = 0;
        sv why, md5 = js_get_str(c, "md5");

        *ret = (struct conda_record){ .name = js_get_str(c, "name"),
                                      .version = js_get_str(c, "version"),
                                      .build = js_get_str(c, "build"),
                                      .subdir = js_get_str(c, "subdir") };
        if (!conda_channel_parse(&v->arena, js_get_str(c, "channel"), NULL, &channel, &why) ||
            !js_int(js_get(c, "build_number"), &number))
                return false;
        ret->channel = channel.url;
        ret->build_number = (uint64_t)number;
        ret->has_md5 = md5.n > 0;
        return !md5.n || hex_read(md5, ret->md5, sizeof(ret->md5));
}

static void matchspec_match(struct vectors *v, const struct js *doc)
{
        for (size_t i = 0; i < doc->n; i++) {
                const struct js *c = doc->v[i].value;
                sv text = js_get_str(c, "spec"), why = { 0 };
                const char *id =
                        arena_fmt(&v->arena, "'%.*s' and %.*s %.*s %.*s", SV_ARG(text), SV_ARG(js_get_str(c, "name")),
                                  SV_ARG(js_get_str(c, "version")), SV_ARG(js_get_str(c, "build")))
                                .p;
                struct conda_record r;
                struct matchspec m;
                size_t at;
                bool want = js_true(js_get(c, "match"));

                if (!record_of(v, c, &r))
                        vectors_fail(v, id, "is no case");
                else if (!matchspec_parse(&v->arena, text, NULL, &m, &why, &at))
                        vectors_fail(v, id, "was refused at %zu: %.*s", at, SV_ARG(why));
                else
                        vectors_check(v, matchspec_has(&m, &r, conda_version_parse(&v->arena, r.version, NULL)) == want,
                                      id, "%s", want ? "no match" : "a match");
        }
}

const struct vectors_kind vectors_conda_rules[] = {
        { "conda/version_parse", version_parse },         { "conda/version_sorted", version_sorted },
        { "conda/version_compare", version_compare },     { "conda/version_literal_valid", version_literal_valid },
        { "conda/version_spec_match", spec_match },       { "conda/version_spec_conda_only", spec_match },
        { "conda/version_spec_invalid", spec_invalid },   { "conda/channel_parse", channel_parse },
        { "conda/matchspec_parse", matchspec_parsing },   { "conda/matchspec_match", matchspec_match },
        { "conda/matchspec_invalid", matchspec_invalid }, { 0 },
};
