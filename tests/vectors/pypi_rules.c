/* tests/vectors/pypi_rules.c - the rules of names, versions, specifiers, requirements, markers, tags and file names, case by case. */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "pkg/pyname.h"
#include "pkg/requirement.h"
#include "pkg/tags.h"
#include "tests/vectors/pypi_rules.h"

/* The text of a case as an id: NUL-terminated, shortened. */
static const char *id_of(struct vectors *v, sv text)
{
        return arena_fmt(&v->arena, "'%.*s'%s", (int)(text.n < 120 ? text.n : 120), text.p ? text.p : "",
                         text.n < 120 ? "" : "...")
                .p;
}

static const char *id_two(struct vectors *v, sv a, sv b)
{
        return arena_fmt(&v->arena, "%s with %s", id_of(v, a), id_of(v, b)).p;
}

static bool is_valid(const struct js *c)
{
        return js_true(js_get(c, "valid"));
}

static bool is_null(const struct js *j)
{
        return !j || j->type == JS_NULL;
}

/* Equal texts; a JSON null is the empty text. */
static bool text_is(struct vectors *v, const char *id, const char *what, sv got, const struct js *want)
{
        if (sv_eq(got, js_str(want)))
                return true;
        vectors_fail(v, id, "%s is '%.*s', not '%.*s'", what, SV_ARG(got), SV_ARG(js_str(want)));
        return false;
}

static sv spec_text(struct vectors *v, const struct pep440_spec *s)
{
        AUTO(buf_done) struct buf b = BUF_INIT(1 << 20);

        pep440_spec_write(s, &b);
        return arena_sv(&v->arena, buf_sv(&b));
}

static sv marker_text(struct vectors *v, const struct marker *m)
{
        AUTO(buf_done) struct buf b = BUF_INIT(1 << 20);

        marker_write(m, &b);
        return arena_sv(&v->arena, buf_sv(&b));
}

/* ---- versions ---- */

static bool release_is(const struct pep440 *p, const struct js *want)
{
        uint64_t got[64];
        size_t n = pep440_release(p, got, ARRAY_LEN(got));

        if (n != want->n || n > ARRAY_LEN(got))
                return false;
        for (size_t i = 0; i < n; i++) {
                int64_t w;
                if (!js_int(want->v[i].value, &w) || (uint64_t)w != got[i])
                        return false;
        }
        return true;
}

static bool flag_is(struct vectors *v, const char *id, const char *what, bool got, const struct js *c)
{
        if (got == js_true(js_get(c, what)))
                return true;
        vectors_fail(v, id, "%s is %d", what, got);
        return false;
}

static bool version_is(struct vectors *v, const char *id, const struct pep440 *p, const struct js *c)
{
        int64_t epoch = -1;

        if (!release_is(p, js_get(c, "release")) || !js_int(js_get(c, "epoch"), &epoch) ||
            pep440_epoch(p) != (uint64_t)epoch) {
                vectors_fail(v, id, "epoch or release differ");
                return false;
        }
        return text_is(v, id, "normalised", pep440_text(p), js_get(c, "normalized")) &&
               text_is(v, id, "public", pep440_public(p, &v->arena), js_get(c, "public")) &&
               text_is(v, id, "base", pep440_base(p, &v->arena), js_get(c, "base")) &&
               text_is(v, id, "local", pep440_local(p), js_get(c, "local")) &&
               flag_is(v, id, "is_prerelease", pep440_is_prerelease(p), c) &&
               flag_is(v, id, "is_postrelease", pep440_is_postrelease(p), c) &&
               flag_is(v, id, "is_devrelease", pep440_is_dev(p), c);
}

static void version_parse(struct vectors *v, const struct js *doc)
{
        for (size_t i = 0; i < doc->n; i++) {
                const struct js *c = doc->v[i].value;
                sv input = js_get_str(c, "input");
                const struct pep440 *p = pep440_parse(&v->arena, input);
                const char *id = id_of(v, input);

                if (!p != !is_valid(c))
                        vectors_fail(v, id, p ? "was taken" : "was refused");
                else if (!p || version_is(v, id, p, c))
                        vectors_pass(v);
        }
}

static void canonical_version(struct vectors *v, const struct js *doc)
{
        for (size_t i = 0; i < doc->n; i++) {
                const struct js *c = doc->v[i].value;
                sv input = js_get_str(c, "input");
                const struct pep440 *p = pep440_parse(&v->arena, input);
                sv got = p ? pep440_canonical(p, &v->arena) : input; /* what is no version stays as it is */

                if (text_is(v, id_of(v, input), "canonical", got, js_get(c, "expect")))
                        vectors_pass(v);
        }
}

struct placed {
        const struct pep440 *p;
        sv text;
        size_t group;
};

static bool order_holds(struct vectors *v, const char *id, const struct placed *x, size_t n)
{
        for (size_t i = 0; i < n; i++)
                for (size_t k = 0; k < n; k++) {
                        int want = (x[i].group > x[k].group) - (x[i].group < x[k].group);
                        int got = pep440_cmp(x[i].p, x[k].p);

                        if (((got > 0) - (got < 0)) != want) {
                                vectors_fail(v, id, "'%.*s' against '%.*s' gives %d, not %d", SV_ARG(x[i].text),
                                             SV_ARG(x[k].text), got, want);
                                return false;
                        }
                }
        return true;
}

static void version_order(struct vectors *v, const struct js *doc)
{
        for (size_t i = 0; i < doc->n; i++) {
                const struct js *groups = js_get(doc->v[i].value, "ascending");
                const char *id = arena_fmt(&v->arena, "list %zu", i).p;
                struct placed *x = NULL;
                size_t n = 0, cap = 0, bad = 0;

                for (size_t g = 0; groups && g < groups->n; g++)
                        for (size_t k = 0; k < groups->v[g].value->n; k++) {
                                sv text = js_str(groups->v[g].value->v[k].value);
                                struct placed p = { pep440_parse(&v->arena, text), text, g };

                                if (p.p)
                                        *arena_push(&v->arena, x, n, cap) = p;
                                else
                                        bad++;
                        }
                if (bad)
                        vectors_fail(v, id, "%zu versions were refused", bad);
                else if (order_holds(v, id, x, n))
                        vectors_pass(v);
        }
}

/* ---- specifiers ---- */

static void specifier_parse(struct vectors *v, const struct js *doc)
{
        for (size_t i = 0; i < doc->n; i++) {
                const struct js *c = doc->v[i].value;
                sv input = js_get_str(c, "input"), why = { 0 };
                const char *id = id_of(v, input);
                struct pep440_spec s = { 0 };
                bool ok = pep440_spec_parse(&v->arena, input, &s, &why);
                int64_t count = -1;

                if (ok != is_valid(c))
                        vectors_fail(v, id, ok ? "was taken" : "was refused: %.*s", SV_ARG(why));
                else if (!ok)
                        vectors_check(v, why.n, id, "was refused without a reason");
                else if (!js_int(js_get(c, "count"), &count) || count != (int64_t)s.n)
                        vectors_fail(v, id, "%u clauses, not %d", s.n, (int)count);
                else if (text_is(v, id, "normalised", spec_text(v, &s), js_get(c, "normalized")))
                        vectors_pass(v);
        }
}

static enum pep440_pre pre_of(const struct js *c)
{
        const struct js *p = js_get(c, "prereleases");

        return is_null(p) ? PEP440_PRE_DEFAULT : js_true(p) ? PEP440_PRE_YES : PEP440_PRE_NO;
}

static void specifier_contains(struct vectors *v, const struct js *doc)
{
        for (size_t i = 0; i < doc->n; i++) {
                const struct js *c = doc->v[i].value;
                sv spec = js_get_str(c, "spec"), version = js_get_str(c, "version"), why;
                const char *id = id_two(v, spec, version);
                struct pep440_item item = { pep440_parse(&v->arena, version), version };
                struct pep440_spec s;
                size_t at;

                if (!pep440_spec_parse(&v->arena, spec, &s, &why)) {
                        vectors_fail(v, id, "the specifier was refused");
                        continue;
                }
                vectors_check(v,
                              (pep440_spec_filter(&s, pre_of(c), &item, 1, &at) == 1) == js_true(js_get(c, "expect")),
                              id, "not as expected");
        }
}

static bool filtered_is(const struct pep440_item *item, const size_t *at, size_t n, const struct js *want)
{
        if (n != want->n)
                return false;
        for (size_t i = 0; i < n; i++)
                if (!sv_eq(item[at[i]].text, js_str(want->v[i].value)))
                        return false;
        return true;
}

static void specifier_filter(struct vectors *v, const struct js *doc)
{
        for (size_t i = 0; i < doc->n; i++) {
                const struct js *c = doc->v[i].value, *versions = js_get(c, "versions"), *want = js_get(c, "expect");
                sv spec = js_get_str(c, "spec"), why;
                size_t n = versions ? versions->n : 0;
                struct pep440_item *item = arena_array(&v->arena, struct pep440_item, n + 1);
                size_t *at = arena_array(&v->arena, size_t, n + 1);
                struct pep440_spec s;

                for (size_t k = 0; k < n; k++) {
                        item[k].text = js_str(versions->v[k].value);
                        item[k].v = pep440_parse(&v->arena, item[k].text);
                }
                if (!want || !pep440_spec_parse(&v->arena, spec, &s, &why)) {
                        vectors_fail(v, id_of(v, spec), "the specifier was refused");
                        continue;
                }
                n = pep440_spec_filter(&s, pre_of(c), item, n, at);
                vectors_check(v, filtered_is(item, at, n, want), id_of(v, spec), "%zu of %zu versions taken, not %zu",
                              n, versions ? versions->n : 0, want->n);
        }
}

/* ---- requirements and markers ---- */

static bool extras_are(struct vectors *v, const struct requirement *r, const struct js *want)
{
        sv *w = arena_array(&v->arena, sv, want->n + 1);
        size_t n = 0;

        for (size_t i = 0; i < want->n; i++)
                w[i] = pyname_normalise(&v->arena, js_str(want->v[i].value));
        if (want->n)
                qsort(w, want->n, sizeof(*w), sv_qsort);
        for (size_t i = 0; i < want->n; i++)
                if (!i || !sv_eq(w[i - 1], w[i]))
                        w[n++] = w[i];
        if (n != r->n_extras)
                return false;
        for (size_t i = 0; i < n; i++)
                if (!sv_eq(w[i], r->extras[i]))
                        return false;
        return true;
}

/* What is written reads as the same requirement; not where a literal holds a backslash, which packaging writes as it is, too. */
static bool round_trips(struct vectors *v, const struct requirement *r)
{
        AUTO(buf_done) struct buf first = BUF_INIT(1 << 20);
        AUTO(buf_done) struct buf again = BUF_INIT(1 << 20);
        struct requirement copy;
        size_t at;
        sv why;

        requirement_write(r, &first);
        if (sv_find(buf_sv(&first), '\\') >= 0)
                return true;
        if (!requirement_parse(&v->arena, arena_sv(&v->arena, buf_sv(&first)), &copy, &why, &at))
                return false;
        requirement_write(&copy, &again);
        return sv_eq(buf_sv(&first), buf_sv(&again));
}

static bool requirement_is(struct vectors *v, const char *id, const struct requirement *r, const struct js *c)
{
        if (!extras_are(v, r, js_get(c, "extras"))) {
                vectors_fail(v, id, "extras differ");
                return false;
        }
        if (!round_trips(v, r)) {
                vectors_fail(v, id, "what is written of it reads differently");
                return false;
        }
        return text_is(v, id, "name", r->name, js_get(c, "name")) &&
               text_is(v, id, "specifier", spec_text(v, &r->spec), js_get(c, "specifier")) &&
               text_is(v, id, "url", r->url, js_get(c, "url")) &&
               text_is(v, id, "marker", marker_text(v, r->marker), js_get(c, "marker"));
}

static void requirement(struct vectors *v, const struct js *doc)
{
        for (size_t i = 0; i < doc->n; i++) {
                const struct js *c = doc->v[i].value;
                sv input = js_get_str(c, "input"), why = { 0 };
                const char *id = id_of(v, input);
                struct requirement r;
                size_t at = 0;
                bool ok = requirement_parse(&v->arena, input, &r, &why, &at);

                if (ok != is_valid(c))
                        vectors_fail(v, id, ok ? "was taken" : "was refused at %zu: %.*s", at, SV_ARG(why));
                else if (!ok)
                        vectors_check(v, why.n && at <= input.n, id, "was refused without a reason or a place");
                else if (requirement_is(v, id, &r, c))
                        vectors_pass(v);
        }
}

static void marker_parsing(struct vectors *v, const struct js *doc)
{
        for (size_t i = 0; i < doc->n; i++) {
                const struct js *c = doc->v[i].value;
                sv input = js_get_str(c, "input"), why = { 0 };
                const char *id = id_of(v, input);
                const struct marker *m = NULL;
                size_t at = 0;
                bool ok = marker_parse(&v->arena, input, &m, &why, &at);

                if (ok != is_valid(c))
                        vectors_fail(v, id, ok ? "was taken" : "was refused at %zu: %.*s", at, SV_ARG(why));
                else if (!ok)
                        vectors_check(v, why.n && at <= input.n, id, "was refused without a reason or a place");
                else if (text_is(v, id, "normalised", marker_text(v, m), js_get(c, "normalized")))
                        vectors_pass(v);
        }
}

void vectors_marker_env(const struct js *markers, struct marker_env *ret)
{
        static const char *const names[] = {
                [MARKER_OS_NAME] = "os_name",
                [MARKER_SYS_PLATFORM] = "sys_platform",
                [MARKER_PLATFORM_MACHINE] = "platform_machine",
                [MARKER_PLATFORM_PYTHON_IMPLEMENTATION] = "platform_python_implementation",
                [MARKER_PLATFORM_RELEASE] = "platform_release",
                [MARKER_PLATFORM_SYSTEM] = "platform_system",
                [MARKER_PLATFORM_VERSION] = "platform_version",
                [MARKER_PYTHON_VERSION] = "python_version",
                [MARKER_PYTHON_FULL_VERSION] = "python_full_version",
                [MARKER_IMPLEMENTATION_NAME] = "implementation_name",
                [MARKER_IMPLEMENTATION_VERSION] = "implementation_version",
        };

        *ret = (struct marker_env){ 0 };
        for (size_t i = 0; i < ARRAY_LEN(names); i++)
                ret->value[i] = js_get_str(markers, names[i]);
}

static const char *result_name(enum marker_result r)
{
        return r == MARKER_TRUE ? "true" : r == MARKER_FALSE ? "false" : "error";
}

static const char *result_expected(const struct js *want)
{
        return !want ? "nothing" : want->type == JS_STR ? "error" : js_true(want) ? "true" : "false";
}

static void marker_evaluation(struct vectors *v, const struct js *doc)
{
        const char *path = arena_fmt(&v->arena, "%s/environments.json.zst", v->corpus).p;
        const struct js *envs = js_get(vectors_load(v, path), "marker_eval");

        for (size_t i = 0; envs && i < doc->n; i++) {
                const struct js *c = doc->v[i].value;
                const struct js *e = js_get(envs, arena_str(&v->arena, js_get_str(c, "environment")));
                sv text = js_get_str(c, "marker"), why;
                const char *id = id_two(v, text, js_get_str(c, "environment"));
                const struct marker *m;
                struct marker_env env;
                size_t at;

                vectors_marker_env(js_get(e, "markers"), &env);
                env.value[MARKER_EXTRA] = pyname_normalise(&v->arena, js_get_str(c, "extra"));
                if (!e || !marker_parse(&v->arena, text, &m, &why, &at)) {
                        vectors_fail(v, id, "the marker was refused, or the environment is not known");
                        continue;
                }
                vectors_check(v, !strcmp(result_name(marker_eval(m, &env)), result_expected(js_get(c, "expect"))), id,
                              "is %s, not %s", result_name(marker_eval(m, &env)), result_expected(js_get(c, "expect")));
        }
}

/* ---- names, file names, tags ---- */

static void name(struct vectors *v, const struct js *doc)
{
        for (size_t i = 0; i < doc->n; i++) {
                const struct js *c = doc->v[i].value;
                sv input = js_get_str(c, "input"), got = pyname_normalise(&v->arena, input);
                const char *id = id_of(v, input);

                if (pyname_valid(input) != is_valid(c))
                        vectors_fail(v, id, "valid is %d", pyname_valid(input));
                else if (is_null(js_get(c, "normalized")) || text_is(v, id, "normalised", got, js_get(c, "normalized")))
                        vectors_pass(v);
        }
}

static bool build_is(const struct wheel_name *w, const struct js *want)
{
        int64_t num;

        if (is_null(want))
                return !w->has_build;
        return w->has_build && want->n == 2 && js_int(want->v[0].value, &num) && w->build_num == (uint64_t)num &&
               sv_eq(w->build_rest, js_str(want->v[1].value));
}

static sv lower(struct arena *a, sv s)
{
        char *p = arena_str(a, s);

        for (size_t i = 0; i < s.n; i++)
                if (p[i] >= 'A' && p[i] <= 'Z')
                        p[i] = (char)(p[i] - 'A' + 'a');
        return (sv){ p, s.n };
}

/* The product of the three sets is the list: every one of its tags is supported by a target that supports the product only. */
static bool tags_are(struct vectors *v, const struct wheel_name *w, const struct js *want)
{
        sv pythons = w->python, abis, platforms, py, abi, platform, *all = NULL;
        size_t n = 0, cap = 0, unique = 0;

        while (sv_cut(&pythons, '.', &py))
                for (abis = w->abi; sv_cut(&abis, '.', &abi);)
                        for (platforms = w->platform; sv_cut(&platforms, '.', &platform);)
                                *arena_push(&v->arena, all, n, cap) =
                                        lower(&v->arena, arena_fmt(&v->arena, "%.*s-%.*s-%.*s", SV_ARG(py), SV_ARG(abi),
                                                                   SV_ARG(platform)));
        qsort(all, n, sizeof(*all), sv_qsort);
        for (size_t i = 0; i < n; i++)
                if (!i || !sv_eq(all[i - 1], all[i]))
                        all[unique++] = all[i];
        if (unique != want->n)
                return false;
        for (size_t i = 0; i < unique; i++)
                if (!sv_eq(all[i], js_str(want->v[i].value)))
                        return false;
        return true;
}

static void wheel_filename(struct vectors *v, const struct js *doc)
{
        for (size_t i = 0; i < doc->n; i++) {
                const struct js *c = doc->v[i].value;
                sv input = js_get_str(c, "input"), why = { 0 };
                const char *id = id_of(v, input);
                struct wheel_name w;
                bool ok = wheel_name_parse(&v->arena, input, true, &w, &why);

                if (ok != is_valid(c))
                        vectors_fail(v, id, ok ? "was taken" : "was refused: %.*s", SV_ARG(why));
                else if (!ok)
                        vectors_check(v, why.n, id, "was refused without a reason");
                else if (!build_is(&w, js_get(c, "build")) || !tags_are(v, &w, js_get(c, "tags")))
                        vectors_fail(v, id, "build tag or tags differ");
                else if (text_is(v, id, "name", w.name, js_get(c, "name")) &&
                         text_is(v, id, "version", pep440_text(w.v), js_get(c, "version")))
                        vectors_pass(v);
        }
}

static void sdist_filename(struct vectors *v, const struct js *doc)
{
        for (size_t i = 0; i < doc->n; i++) {
                const struct js *c = doc->v[i].value;
                sv input = js_get_str(c, "input"), why = { 0 };
                const char *id = id_of(v, input);
                struct sdist_name s;
                bool ok = sdist_name_parse(&v->arena, input, (sv){ 0 }, &s, &why);

                if (ok != is_valid(c))
                        vectors_fail(v, id, ok ? "was taken" : "was refused: %.*s", SV_ARG(why));
                else if (!ok)
                        vectors_check(v, why.n, id, "was refused without a reason");
                else if (text_is(v, id, "name", s.name, js_get(c, "name")) &&
                         text_is(v, id, "version", pep440_text(s.v), js_get(c, "version")))
                        vectors_pass(v);
        }
}

bool vectors_tags_target(const struct js *env, struct tags_target *ret)
{
        sv python = js_get_str(env, "python"), libc = js_get_str(env, "libc_version"), major, minor;
        uint64_t n[4] = { 0 };

        *ret = (struct tags_target){ .arch = js_get_str(env, "arch"),
                                     .libc = sv_is(js_get_str(env, "libc"), "musl") ? LIBC_MUSL : LIBC_GLIBC,
                                     .free_threaded = js_true(js_get(env, "free_threaded")) };
        if (!sv_cut(&python, '.', &major) || !sv_u64(major, &n[0]) || !sv_cut(&python, '.', &minor) ||
            !sv_u64(minor, &n[1]))
                return false;
        if (sv_cut(&libc, '.', &major) && sv_cut(&libc, '.', &minor) &&
            (!sv_u64(major, &n[2]) || !sv_u64(minor, &n[3])))
                return false;
        ret->major = (uint32_t)n[0];
        ret->minor = (uint32_t)n[1];
        ret->libc_major = (uint32_t)n[2];
        ret->libc_minor = (uint32_t)n[3];
        return true;
}

static bool list_is(const sv *got, size_t n, const struct js *want)
{
        if (n != want->n)
                return false;
        for (size_t i = 0; i < n; i++)
                if (!sv_eq(got[i], js_str(want->v[i].value)))
                        return false;
        return true;
}

static void wheel_tags(struct vectors *v, const struct js *doc)
{
        for (size_t i = 0; i < doc->n; i++) {
                const struct js *c = doc->v[i].value, *names = js_get(c, "platforms");
                const char *id = arena_fmt(&v->arena, "%.*s %.*s %.*s", SV_ARG(js_get_str(c, "abi")),
                                           SV_ARG(js_get_str(c, "arch")), SV_ARG(js_get_str(c, "libc_version")))
                                         .p;
                bool ours = is_null(
                        js_get(c, "os")); /* other systems' platforms are not ours to list: they are taken as given */
                struct tags_target t;
                struct tags tags;
                sv *platform;
                size_t n;

                if (!names || !vectors_tags_target(c, &t)) {
                        vectors_fail(v, id, "not a target");
                        continue;
                }
                if (ours) {
                        tags_platforms(&v->arena, &t, &platform, &n);
                        tags_make(&v->arena, &t, &tags);
                } else {
                        n = names->n;
                        platform = arena_array(&v->arena, sv, n);
                        for (size_t k = 0; k < n; k++)
                                platform[k] = js_str(names->v[k].value);
                        tags_make_for(&v->arena, &t, platform, n, &tags);
                }
                if (!list_is(platform, n, names))
                        vectors_fail(v, id, "platforms differ");
                else
                        vectors_check(v, list_is(tags.v, tags.n, js_get(c, "tags")), id, "tags differ");
        }
}

const struct vectors_kind vectors_pypi_rules[] = {
        { "pypi/version_parse", version_parse },
        { "pypi/version_order", version_order },
        { "pypi/canonical_version", canonical_version },
        { "pypi/specifier_parse", specifier_parse },
        { "pypi/specifier_contains", specifier_contains },
        { "pypi/specifier_filter", specifier_filter },
        { "pypi/requirement", requirement },
        { "pypi/marker_parse", marker_parsing },
        { "pypi/marker_eval", marker_evaluation },
        { "pypi/name", name },
        { "pypi/wheel_filename", wheel_filename },
        { "pypi/sdist_filename", sdist_filename },
        { "pypi/wheel_tags", wheel_tags },
        { 0 },
};
