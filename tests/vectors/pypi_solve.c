/* tests/vectors/pypi_solve.c - scenarios: is there an answer, does it hold, is it the one that pip gives. */
#include <stdio.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "pkg/pyname.h"
#include "tests/vectors/pypi_rules.h"
#include "tests/vectors/pypi_scenario.h"

struct run {
        struct vectors *v;
        struct map indexes; /* stem → vectors_index: read once a file */
        bool exact;         /* the packages must be the expected ones, where a case has them */
        struct quality {    /* of the cases that pip solved too: not judged, but told */
                size_t cases, fetched, pip_fetched, newer, older, root_older;
        } quality;
};

/* ---- the index of a case ---- */

static struct vectors_index *index_new(struct vectors *v)
{
        struct vectors_index *x = arena_new(&v->arena, struct vectors_index);

        x->arena = &v->arena;
        return x;
}

static struct vectors_index *index_named(struct run *r, sv stem)
{
        struct vectors_index *x = map_get(&r->indexes, stem);
        AUTO(free_ptr) char *path = NULL;

        if (x)
                return x;
        path = fs_path("%s/indexes/%.*s.jsonl", r->v->corpus, SV_ARG(stem));
        if (!fs_exists(path)) {
                free_ptr(&path);
                path = fs_path("%s/indexes/%.*s.jsonl.zst", r->v->corpus, SV_ARG(stem));
        }
        x = index_new(r->v);
        if (!index_read(r->v, x, path))
                return NULL;
        map_put(&r->indexes, &r->v->arena, stem, x);
        return x;
}

static struct vectors_index *index_of(struct run *r, const struct js *c)
{
        struct vectors_index *x;

        if (js_get(c, "index"))
                return index_named(r, js_get_str(c, "index"));
        x = index_new(r->v);
        index_add(x, js_get(c, "packages"));
        return x;
}

/* ---- the question ---- */

static void lines_add(struct buf *b, const char *before, const struct js *list)
{
        for (size_t i = 0; list && i < list->n; i++)
                buf_fmt(b, "%s%.*s\n", before, SV_ARG(js_str(list->v[i].value)));
}

static void question(struct run *r, const struct js *c, struct scenario *s)
{
        AUTO(buf_done) struct buf b = BUF_INIT(16 << 20);
        const struct js *env = js_get(c, "environment"), *o = js_get(c, "options"), *root = js_get(c, "root");
        sv python = js_get_str(env, js_get(env, "target_python") ? "target_python" : "python");
        sv resolution = js_get_str(o, "resolution");

        scenario_target(s, python.n ? python : SV("3.12"));
        if (sv_ends(js_get_str(o, "python_platform"), SV("-manylinux2014")))
                s->target.libc_minor = 17;
        s->pre = js_true(js_get(o, "prereleases"));
        s->lowest = sv_is(resolution, "lowest");
        s->lowest_direct = sv_is(resolution, "lowest-direct");
        lines_add(&b, "--no-binary=", js_get(o, "no_binary"));
        s->index->no_build = js_get(o, "no_build");
        lines_add(&b, "", js_get(root, "requires"));
        if (js_get(root, "constraints")) {
                struct js *files = js_new_obj(&r->v->arena);
                AUTO(buf_done) struct buf limits = BUF_INIT(1 << 20);

                lines_add(&limits, "", js_get(root, "constraints"));
                js_put_str(&r->v->arena, files, "constraints.txt", arena_sv(&r->v->arena, buf_sv(&limits)));
                buf_add(&b, SV("-c constraints.txt\n"));
                s->files = files;
        }
        s->requirements = arena_sv(&r->v->arena, buf_sv(&b));
}

/* ---- the judgement ---- */

/* +1: there is an answer, -1: there is none, 0: either will do. pip's word counts where tools differ (specs/pypi.md §4). */
static int satisfiable(const struct js *expected)
{
        sv pip = js_get_str(js_get(expected, "pip"), "status");
        const struct js *s = js_get(expected, "satisfiable");

        if (sv_is(pip, "ok"))
                return 1;
        if (sv_is(pip, "unsatisfiable") && s && s->type != JS_NULL)
                return -1;
        return !s || s->type == JS_NULL ? 0 : js_true(s) ? 1 : -1;
}

/* Another version than pip's is right in one case: a pre-release that an active requirement names. Whether pip takes it depends on
 * what it happens to look at first; ours must not (specs/pypi.md §4). */
static bool answer_is(struct arena *a, const struct answer *got, const struct js *want)
{
        if (!want || want->n != got->n)
                return false;
        for (size_t i = 0; i < want->n; i++) {
                const struct chosen *p = answer_find((struct answer *)got, pyname_normalise(a, want->v[i].key));
                const struct pep440 *v = pep440_parse(a, js_str(want->v[i].value));

                if (!p || !p->v || !v || (pep440_cmp(v, p->v) && !(p->opened && pep440_is_prerelease(p->v))))
                        return false;
        }
        return true;
}

static sv answer_text(struct arena *a, const struct answer *got)
{
        AUTO(buf_done) struct buf b = BUF_INIT(2000);

        for (size_t i = 0; i < got->n; i++)
                buf_fmt(&b, "%s%.*s %.*s", i ? ", " : "", SV_ARG(got->v[i].name), SV_ARG(got->v[i].version));
        return arena_sv(a, buf_sv(&b));
}

static sv packages_text(struct arena *a, const struct js *want)
{
        AUTO(buf_done) struct buf b = BUF_INIT(2000);

        for (size_t i = 0; want && i < want->n; i++)
                buf_fmt(&b, "%s%.*s %.*s", i ? ", " : "", SV_ARG(want->v[i].key), SV_ARG(js_str(want->v[i].value)));
        return arena_sv(a, buf_sv(&b));
}

/* The expected packages: pip's, since its policy is ours; uv's where it was asked for the lowest, which pip cannot do, but not when
 * that was for all environments at once. */
static const struct js *packages_of(const struct js *c)
{
        const struct js *expected = js_get(c, "expected"), *pip = js_get(js_get(expected, "pip"), "packages");
        const struct js *options = js_get(c, "options");

        if (js_get(options, "resolution"))
                return js_true(js_get(options, "universal")) ? NULL : js_get(expected, "packages");
        return pip && js_get(expected, "packages") ? pip : js_get(expected, "packages");
}

static void judge(struct run *r, const struct scenario *s, const struct js *c, struct scenario_result *res, int want)
{
        struct arena *a = &r->v->arena;
        const struct js *packages = r->exact ? packages_of(c) : NULL;

        if (res->end == SCENARIO_FAILED)
                vectors_fail(r->v, s->id, "%s", res->e.cause ? res->e.cause : "ended without an error");
        else if (res->end != SCENARIO_SOLVED)
                vectors_check(r->v, want <= 0, s->id, "has an answer, but: %s", res->why ? res->why : "refused");
        else if (!res->valid)
                vectors_fail(r->v, s->id, "%.*s", SV_ARG(res->invalid));
        else if (want < 0)
                vectors_fail(r->v, s->id, "has no answer, but: %.*s", SV_ARG(answer_text(a, &res->answer)));
        else
                vectors_check(r->v, !packages || answer_is(a, &res->answer, packages), s->id,
                              "gives %.*s instead of %.*s", SV_ARG(answer_text(a, &res->answer)),
                              SV_ARG(packages_text(a, packages)));
}

static bool is_root(const struct js *c, sv name, struct arena *a)
{
        const struct js *list = js_get(js_get(c, "root"), "requires");

        for (size_t i = 0; list && i < list->n; i++) {
                struct requirement r;
                size_t at;
                sv why;

                if (requirement_parse(a, js_str(list->v[i].value), &r, &why, &at) && sv_eq(r.normalised, name))
                        return true;
        }
        return false;
}

static void measure(struct run *r, const struct js *c, const struct scenario_result *res)
{
        const struct js *pip = js_get(js_get(c, "expected"), "pip"), *packages = js_get(pip, "packages");
        struct quality *q = &r->quality;
        int64_t fetched = 0;

        if (res->end != SCENARIO_SOLVED || !packages || !js_int(js_get(pip, "metadata_fetches"), &fetched))
                return;
        q->cases++;
        q->fetched += res->fetched;
        q->pip_fetched += (size_t)fetched;
        for (size_t i = 0; i < packages->n; i++) {
                sv name = pyname_normalise(&r->v->arena, packages->v[i].key);
                const struct chosen *p = answer_find((struct answer *)&res->answer, name);
                const struct pep440 *v = pep440_parse(&r->v->arena, js_str(packages->v[i].value));
                int cmp = p && p->v && v ? pep440_cmp(p->v, v) : 0;

                q->newer += cmp > 0;
                q->older += cmp < 0;
                q->root_older += cmp < 0 && is_root(c, name, &r->v->arena);
        }
}

static void run_case(struct run *r, const struct js *c, const char *id, int want)
{
        struct scenario s = { .v = r->v, .id = id };
        struct scenario_result res;

        s.index = index_of(r, c);
        if (!s.index)
                return;
        question(r, c, &s);
        scenario_run(&s, &res);
        judge(r, &s, c, &res, want);
        measure(r, c, &res);
        scenario_result_done(&res);
}

static void run_cases(struct vectors *v, const struct js *doc, bool exact)
{
        struct run r = { .v = v, .exact = exact };

        for (size_t i = 0; i < doc->n; i++) {
                const struct js *c = doc->v[i].value;

                run_case(&r, c, arena_str(&v->arena, js_get_str(c, "id")), satisfiable(js_get(c, "expected")));
        }
        printf("against pip, %zu cases: %zu versions newer, %zu older (%zu of them asked for); %zu metadata files, pip "
               "%zu\n",
               r.quality.cases, r.quality.newer, r.quality.older, r.quality.root_older, r.quality.fetched,
               r.quality.pip_fetched);
}

static void exact(struct vectors *v, const struct js *doc)
{
        run_cases(v, doc, true);
}

static void valid(struct vectors *v, const struct js *doc)
{
        run_cases(v, doc, false);
}

/* {"root": "p13==10", "satisfiable": true}, all over one index. */
static void large_case(struct vectors *v, const struct js *doc)
{
        struct run r = { .v = v };

        for (size_t i = 0; i < doc->n; i++) {
                const struct js *c = doc->v[i].value;
                struct js *made = js_new_obj(&v->arena), *root = js_new_obj(&v->arena), *list = js_new_arr(&v->arena);

                js_add(&v->arena, list, js_new_str(&v->arena, js_get_str(c, "root")));
                js_put(&v->arena, root, SV("requires"), list);
                js_put(&v->arena, made, SV("root"), root);
                js_put_str(&v->arena, made, "index", SV("pubgrub-large-case"));
                run_case(&r, made, arena_str(&v->arena, js_get_str(c, "root")),
                         js_true(js_get(c, "satisfiable")) ? 1 : -1);
        }
}

const struct vectors_kind vectors_pypi_solve[] = {
        { "pypi/uv-packse", exact },
        { "pypi/poetry", exact },
        { "pypi/synthetic", exact },
        { "pypi/resolvelib", valid },
        { "pypi/realworld", valid },
        { "pypi/random-realworld", valid },
        { "pypi/pubgrub-large-case", large_case },
        { "pypi/pip-new-resolver", vectors_pypi_steps },
        { 0 },
};
