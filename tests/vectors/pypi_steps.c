/* tests/vectors/pypi_steps.c - pip's functional tests as locks: what pip had installed before is an earlier answer that should stay.
 * Steps about what we do not do (editable and local projects, hashes of files that do not exist, invented interpreters) end a case:
 * it is neither passed nor failed. */
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "pkg/pyname.h"
#include "tests/vectors/pypi_scenario.h"

struct step {
        struct buf lines; /* requirements file made of the arguments */
        bool upgrade, eager, fresh, unsupported;
};

/* The tests' folders become absolute ones, and their file URLs those of a server: a lock holds no path of this machine. */
static sv paths(struct arena *a, sv text)
{
        AUTO(buf_done) struct buf b = BUF_INIT(16 << 20);

        for (size_t i = 0; i < text.n;) {
                sv rest = sv_skip(text, i);
                ptrdiff_t scratch = sv_starts(rest, SV("file:///tmp/")) ? sv_find_sv(rest, SV("/scratch/")) : -1;

                if (scratch >= 0) {
                        buf_add(&b, SV("https://index.test"));
                        i += (size_t)scratch;
                } else if (sv_starts(rest, SV("file://$SCRATCH"))) {
                        buf_add(&b, SV("https://index.test/scratch"));
                        i += SV("file://$SCRATCH").n;
                } else if (sv_starts(rest, SV("$SCRATCH")) || sv_starts(rest, SV("$ROOT"))) {
                        buf_add(&b, SV("/scratch"));
                        i += sv_starts(rest, SV("$ROOT")) ? SV("$ROOT").n : SV("$SCRATCH").n;
                } else {
                        buf_byte(&b, text.p[i++]);
                }
        }
        return arena_sv(a, buf_sv(&b));
}

static void paths_all(struct arena *a, struct js *j)
{
        if (j->type == JS_STR)
                j->str = paths(a, j->str);
        for (size_t i = 0; i < j->n; i++) {
                j->v[i].key = paths(a, j->v[i].key);
                paths_all(a, j->v[i].value);
        }
}

static bool is_one_of(sv s, const char *const *v)
{
        for (; *v; v++)
                if (sv_is(s, *v))
                        return true;
        return false;
}

/* How many arguments it took. */
static size_t argument(struct step *s, sv arg, sv value)
{
        static const char *const nothing[] = { "install",   "--no-cache-dir", "--no-index", "--no-build-isolation",
                                               "--dry-run", "--verbose",      "-v",         "-vv",
                                               NULL };
        static const char *const fresh[] = { "--ignore-installed", "--force-reinstall", NULL };
        static const char *const files[] = { "-r", "--requirement", "-c", "--constraint", NULL };

        if (is_one_of(arg, nothing))
                return 1;
        if (sv_is(arg, "--find-links"))
                return 2;
        if (sv_is(arg, "--pre")) {
                buf_add(&s->lines, SV("--pre\n"));
        } else if (sv_is(arg, "--upgrade")) {
                s->upgrade = true;
        } else if (sv_is(arg, "--upgrade-strategy=eager")) {
                s->eager = true;
        } else if (is_one_of(arg, fresh)) {
                s->fresh = true;
        } else if (is_one_of(arg, files)) {
                buf_fmt(&s->lines, "%.*s %.*s\n", SV_ARG(arg), SV_ARG(value));
                return 2;
        } else if (sv_starts(arg, SV("-")) || sv_starts(arg, SV("/")) || sv_starts(arg, SV("."))) {
                s->unsupported = true;
        } else {
                buf_fmt(&s->lines, "%.*s\n", SV_ARG(arg));
        }
        return 1;
}

/* What the corpus does not tell, or what we do not do: hashes of files that are not there, projects on disk, builds. */
static bool is_ours(const struct step *s, const struct scenario *q, const struct js *c)
{
        const struct js *files = js_get(c, "files"), *packages = js_get(c, "packages");

        for (size_t i = 0; files && i < files->n; i++)
                if (sv_find_sv(js_str(files->v[i].value), SV("--hash")) >= 0)
                        return false;
        for (size_t i = 0; packages && i < packages->n; i++)
                for (size_t k = 0; k < packages->v[i].value->n; k++) {
                        const struct js *list = js_get(packages->v[i].value->v[k].value, "files");
                        for (size_t f = 0; list && f < list->n; f++)
                                if (js_get(list->v[f].value, "build_fails"))
                                        return false;
                }
        return !s->unsupported && !js_get(c, "source_trees") && !strstr(q->id, "inconsistent_metadata");
}

/* The parameters of the case tell the real name of a wheel whose version is spelled in two ways. */
static void rename_wheel(struct arena *a, const struct js *packages, sv version)
{
        for (size_t i = 0; version.n && i < packages->n; i++)
                for (size_t k = 0; k < packages->v[i].value->n; k++) {
                        const struct js *files = js_get(packages->v[i].value->v[k].value, "files");
                        for (size_t f = 0; files && f < files->n; f++)
                                js_put_str(a, files->v[f].value, "filename",
                                           arena_fmt(a, "%.*s-%.*s-py2.py3-none-any.whl", SV_ARG(packages->v[i].key),
                                                     SV_ARG(version)));
                }
}

/* ---- what is installed ---- */

static void install(struct arena *a, struct answer *all, const struct answer *more)
{
        for (size_t i = 0; i < more->n; i++) {
                struct chosen *old = answer_find(all, more->v[i].name);
                struct chosen fresh = { .name = more->v[i].name, .version = more->v[i].version };

                if (old)
                        *old = fresh;
                else
                        *arena_push(a, all->v, all->n, all->cap) = fresh;
        }
}

/* Installed packages that pip would keep when it may: with --upgrade not those that the command names. */
static void kept(struct arena *a, const struct step *s, const struct answer *installed, const struct js *args,
                 struct answer *ret)
{
        for (size_t i = 0; i < installed->n; i++) {
                bool named = false;

                for (size_t k = 0; k < args->n && s->upgrade; k++) {
                        struct requirement r;
                        size_t at;
                        sv why;

                        named |= requirement_parse(a, js_str(args->v[k].value), &r, &why, &at) &&
                                 sv_eq(r.normalised, installed->v[i].name);
                }
                if (!named && !s->fresh && !(s->upgrade && s->eager))
                        *arena_push(a, ret->v, ret->n, ret->cap) = installed->v[i];
        }
}

/* ---- the judgement ---- */

static bool step_holds(struct scenario *q, const struct js *c, struct scenario_result *r)
{
        const struct js *want = js_get(c, "installed"), *absent = js_get(c, "not_installed");
        struct arena *a = &q->v->arena;

        if (!sv_is(js_get_str(c, "expect"), "ok"))
                return r->end == SCENARIO_CONFLICT || r->end == SCENARIO_REFUSED;
        if (r->end != SCENARIO_SOLVED || !r->valid)
                return false;
        for (size_t i = 0; want && i < want->n; i++) {
                const struct chosen *p = answer_find(&r->answer, pyname_normalise(a, want->v[i].key));
                const struct pep440 *v = pep440_parse(a, js_str(want->v[i].value));

                if (!p || !v || pep440_cmp(p->v, v))
                        return false;
        }
        for (size_t i = 0; absent && i < absent->n; i++)
                if (answer_find(&r->answer, pyname_normalise(a, js_str(absent->v[i].value))))
                        return false;
        return true;
}

static const char *end_text(struct arena *a, const struct scenario_result *r)
{
        AUTO(buf_done) struct buf b = BUF_INIT(4000);

        switch (r->end) {
        case SCENARIO_SOLVED:
                for (size_t i = 0; i < r->answer.n; i++)
                        buf_fmt(&b, "%.*s %.*s, ", SV_ARG(r->answer.v[i].name), SV_ARG(r->answer.v[i].version));
                buf_fmt(&b, "%.*s", SV_ARG(r->invalid));
                break;
        case SCENARIO_CONFLICT:
                buf_fmt(&b, "%s", r->why ? r->why : "a conflict");
                break;
        default:
                buf_fmt(&b, "%s %.*s", r->e.cause ? r->e.cause : "refused:", r->ds.n ? (int)r->ds.v[0].text.n : 0,
                        r->ds.n ? r->ds.v[0].text.p : "");
        }
        return arena_str(a, buf_sv(&b));
}

/* 1: as expected, 0: not (reported), -1: not for us. */
static int step_run(struct scenario *q, const struct js *c, struct answer *installed)
{
        struct step s = { .lines = { .max = 16 << 20 } };
        const struct js *args = js_get(c, "args");
        struct answer prefer = { 0 };
        struct scenario_result r;
        bool ok;

        for (size_t i = 0; args && i < args->n;)
                i += argument(&s, js_str(args->v[i].value), i + 1 < args->n ? js_str(args->v[i + 1].value) : (sv){ 0 });
        q->files = js_get(c, "files");
        q->requirements = arena_sv(&q->v->arena, buf_sv(&s.lines));
        buf_done(&s.lines);
        if (!args || !is_ours(&s, q, c))
                return -1;
        index_add(q->index, js_get(c, "packages"));
        kept(&q->v->arena, &s, installed, args, &prefer);
        q->prefer = &prefer;
        scenario_run(q, &r);
        ok = step_holds(q, c, &r);
        if (!ok)
                vectors_fail(q->v, q->id, "%s expected, but: %s", arena_str(&q->v->arena, js_get_str(c, "expect")),
                             end_text(&q->v->arena, &r));
        if (r.end == SCENARIO_SOLVED)
                install(&q->v->arena, installed, &r.answer);
        scenario_result_done(&r);
        return ok;
}

void vectors_pypi_steps(struct vectors *v, const struct js *doc)
{
        size_t skipped = 0;

        for (size_t i = 0; i < doc->n; i++) {
                const struct js *c = doc->v[i].value, *steps = js_get(c, "steps");
                struct scenario q = { .v = v, .id = arena_str(&v->arena, js_get_str(c, "id")) };
                struct answer installed = { 0 };
                int ok = 1;

                q.index = arena_new(&v->arena, struct vectors_index);
                q.index->arena = &v->arena;
                scenario_target(&q, SV("3.11.7"));
                if (steps)
                        paths_all(&v->arena, (struct js *)steps);
                for (size_t k = 0; steps && k < steps->n && ok > 0; k++) {
                        rename_wheel(&v->arena, js_get(steps->v[k].value, "packages"),
                                     js_get_str(js_get(c, "params"), "filename_version"));
                        ok = step_run(&q, steps->v[k].value, &installed);
                }
                if (ok > 0)
                        vectors_pass(v);
                skipped += ok < 0;
        }
        printf("%zu cases are about what is not done here\n", skipped);
}
