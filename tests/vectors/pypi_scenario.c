#include "tests/vectors/pypi_scenario.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "catalog/pypi.h"
#include "pkg/pyname.h"
#include "spec/spec.h"

#define ROOT_FILE "requirements.txt"

/* ---- the requirements, read by the real reader ---- */

static int read_file(void *arg, sv path, struct buf *ret, struct err *e)
{
        const struct scenario *s = arg;

        if (sv_is(path, ROOT_FILE)) {
                buf_add(ret, s->requirements);
                return 0;
        }
        for (size_t i = 0; s->files && i < s->files->n; i++)
                if (sv_eq(s->files->v[i].key, path)) {
                        buf_add(ret, js_str(s->files->v[i].value));
                        return 0;
                }
        return err_set(e, ERR_NOT_FOUND, "cannot read '%.*s'", SV_ARG(path));
}

static bool read_env(void *arg, sv name, sv *ret)
{
        (void)arg;
        (void)name;
        (void)ret;
        return false;
}

static bool spec_read(const struct scenario *s, struct spec *spec, struct diags *ds, struct err *e)
{
        const struct spec_io io = { (void *)s, read_file, read_env };

        spec->name = SV("scenario");
        spec->definition = SV(ROOT_FILE);
        return !spec_requirements_read(&s->v->arena, SV(ROOT_FILE), &io, ds, spec, e) && !ds->n_errors;
}

static struct requirement *reqs_of(struct arena *a, const struct spec_req *v, size_t n)
{
        struct requirement *r = arena_array(a, struct requirement, n + 1);

        for (size_t i = 0; i < n; i++)
                r[i] = v[i].req;
        return r;
}

/* ---- the answer ---- */

/* "foo 1.0" for each pick; "foo[x] 1.0" says nothing that foo's own does not. */
static void answer_read(const struct scenario *s, struct catalog *c, const struct resolution *r, struct answer *ret)
{
        for (size_t i = 0; i < r->n; i++) {
                AUTO(buf_done) struct buf b = BUF_INIT(1 << 16);
                struct chosen p = { 0 };
                sv rest;

                c->ops->cand_text(c, r->pick[i].name, r->pick[i].cand, &b);
                rest = arena_sv(&s->v->arena, buf_sv(&b));
                sv_cut(&rest, ' ', &p.name);
                p.version = rest;
                if (sv_find(p.name, '[') < 0)
                        *arena_push(&s->v->arena, ret->v, ret->n, ret->cap) = p;
        }
}

static void answer_check(const struct scenario *s, const struct spec *spec, struct scenario_result *r)
{
        struct arena *a = &s->v->arena;
        struct tags tags;
        struct check c = { .arena = a,
                           .index = s->index,
                           .tags = &tags,
                           .sdist = true,
                           .root = reqs_of(a, spec->pip, spec->n_pip),
                           .limit = reqs_of(a, spec->constraints, spec->n_constraints),
                           .n_root = spec->n_pip,
                           .n_limit = spec->n_constraints };

        tags_make(a, &s->target, &tags);
        marker_env_linux(a, s->python, s->target.arch, &c.env);
        r->valid = answer_holds(&c, &r->answer, &r->invalid);
}

/* ---- the question ---- */

static size_t preferences(const struct scenario *s, struct catalog_pypi *p, struct term *ret)
{
        struct err e = { 0 };
        size_t n = 0;

        for (size_t i = 0; s->prefer && i < s->prefer->n; i++) {
                const struct artifact art = { .kind = ARTIFACT_WHEEL,
                                              .name = s->prefer->v[i].name,
                                              .version = s->prefer->v[i].version };
                n += pypi_prefer(p, &art, &ret[n], &e);
                err_done(&e);
        }
        return n;
}

static void explain_it(struct catalog *c, const struct resolve_want *want, size_t n, const struct resolve_opts *o,
                       const struct resolution *res, struct scenario_result *r)
{
        AUTO(buf_done) struct buf b = BUF_INIT(1 << 20);
        AUTO(err_done) struct err e = { 0 };

        if (!explain(c, want, n, o, NULL, res, &b, &e))
                buf_take(&b, &r->why, &e);
}

static void solve(const struct scenario *s, const struct spec *spec, struct catalog_pypi *p, struct scenario_result *r)
{
        struct arena *a = &s->v->arena;
        struct catalog *c = pypi_catalog(p);
        struct term *prefer = arena_array(a, struct term, (s->prefer ? s->prefer->n : 0) + 1);
        struct resolve_opts o = { .order = ORDER_CULPRIT, .lowest = s->lowest, .lowest_direct = s->lowest_direct };
        struct resolution *res = NULL;
        struct resolve_want *want;
        size_t n;
        int rc = pypi_wants(p, spec, a, &r->ds, &want, &n, &r->e);

        r->end = rc == -ERR_USAGE ? SCENARIO_REFUSED : SCENARIO_FAILED;
        if (rc < 0)
                return;
        if (s->pre || spec->pre)
                o.open = 1 << TIER_PRERELEASE;
        o.prefer = prefer;
        o.n_prefer = preferences(s, p, prefer);
        rc = resolve(c, want, n, &o, NULL, a, &res, &r->e);
        r->fetched = s->index->n_fetched; /* before the explanation asks for more */
        if (rc == -ERR_CONFLICT) {
                r->end = SCENARIO_CONFLICT;
                explain_it(c, want, n, &o, res, r);
        } else if (!rc) {
                r->end = SCENARIO_SOLVED;
                answer_read(s, c, res, &r->answer);
                answer_check(s, spec, r);
        }
}

void scenario_target(struct scenario *s, sv python)
{
        sv rest = python, part;
        uint64_t n[2] = { 0 };
        size_t dots = 0;

        for (size_t i = 0; i < python.n; i++)
                dots += python.p[i] == '.';
        s->python = dots >= 2 ? python : arena_fmt(&s->v->arena, "%.*s.0", SV_ARG(python));
        for (size_t i = 0; i < 2 && sv_cut(&rest, '.', &part); i++)
                if (!sv_u64(part, &n[i]))
                        n[i] = 0;
        s->target = (struct tags_target){ (uint32_t)n[0], (uint32_t)n[1], false, SV("x86_64"), LIBC_GLIBC, 2, 36 };
}

void scenario_run(const struct scenario *s, struct scenario_result *r)
{
        const sv index = SV("https://index.test/simple/");
        struct pypi_opts o = { .index = &index,
                               .index_public = &index,
                               .n_index = 1,
                               .python_full = s->python,
                               .machine = s->target.arch,
                               .tags = s->target,
                               .allow_sdist = true };
        struct spec *spec = arena_new(&s->v->arena, struct spec);
        struct catalog_pypi *p;

        *r = (struct scenario_result){ .end = SCENARIO_REFUSED };
        if (!spec_read(s, spec, &r->ds, &r->e))
                return;
        r->end = SCENARIO_FAILED;
        if (pypi_open(&o, index_source(s->index), NULL, &p, &r->e) < 0)
                return;
        solve(s, spec, p, r);
        catalog_free(pypi_catalog(p));
}

void scenario_result_done(struct scenario_result *r)
{
        diags_done(&r->ds);
        err_done(&r->e);
        free(r->why);
        r->why = NULL;
}
