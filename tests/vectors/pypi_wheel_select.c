/* tests/vectors/pypi_wheel_select.c - which file of one release is taken for a target, best first. */
#include <stdlib.h>

#include "pkg/pyname.h"
#include "tests/vectors/pypi_files.h"
#include "tests/vectors/pypi_rules.h"

struct file {
        sv name;
        struct wheel_name w;
        const struct pep440 *v;
        int64_t rank; /* of a wheel's tags; -1: a source distribution */
        size_t at;    /* its place in the list: what is equal keeps its order */
};

static int file_cmp(const void *a, const void *b)
{
        const struct file *x = a, *y = b;
        int r = 0;

        if (x->rank >= 0 && y->rank >= 0)
                r = wheel_name_cmp(&x->w, x->rank, &y->w, y->rank);
        else if (!(r = pep440_cmp(y->v, x->v)))
                r = (x->rank < 0) - (y->rank < 0);
        return r ? r : (x->at > y->at) - (x->at < y->at);
}

static bool file_read(struct vectors *v, const struct tags *tags, sv name, struct file *f)
{
        struct sdist_name s;
        sv why;

        *f = (struct file){ .name = name };
        if (wheel_name_parse(&v->arena, name, false, &f->w, &why)) {
                f->v = f->w.v;
                f->rank = tags_rank(tags, f->w.python, f->w.abi, f->w.platform);
                return f->rank >= 0;
        }
        if (!sdist_name_parse(&v->arena, name, (sv){ 0 }, &s, &why))
                return false;
        f->v = s.v;
        f->rank = -1;
        return true;
}

static void select_one(struct vectors *v, const struct js *c, const struct tags *tags, const char *id)
{
        const struct js *files = js_get(c, "files"), *want = js_get(c, "best_first");
        struct file *f = arena_array(&v->arena, struct file, files->n + 1);
        size_t n = 0;

        for (size_t i = 0; i < files->n; i++)
                if (file_read(v, tags, js_str(files->v[i].value), &f[n]))
                        f[n++].at = i;
        if (n)
                qsort(f, n, sizeof(*f), file_cmp);
        if (n != want->n) {
                vectors_fail(v, id, "%zu files can be used, not %zu", n, want->n);
                return;
        }
        for (size_t i = 0; i < n; i++)
                if (!sv_eq(f[i].name, js_str(want->v[i].value))) {
                        vectors_fail(v, id, "place %zu is '%.*s', not '%.*s'", i, SV_ARG(f[i].name),
                                     SV_ARG(js_str(want->v[i].value)));
                        return;
                }
        vectors_pass(v);
}

void vectors_pypi_wheel_select(struct vectors *v, const struct js *doc)
{
        const char *path = arena_fmt(&v->arena, "%s/wheel_select_environments.json", v->corpus).p;
        const struct js *envs = vectors_load(v, path);

        for (size_t i = 0; envs && i < doc->n; i++) {
                const struct js *c = doc->v[i].value;
                sv env = js_get_str(c, "environment");
                const char *id = arena_fmt(&v->arena, "case %zu (%.*s)", i, SV_ARG(env)).p;
                struct tags_target t;
                struct tags tags;

                if (!vectors_tags_target(js_get(envs, arena_str(&v->arena, env)), &t) || !js_get(c, "files") ||
                    !js_get(c, "best_first")) {
                        vectors_fail(v, id, "not a case for a known environment");
                        continue;
                }
                tags_make(&v->arena, &t, &tags);
                select_one(v, c, &tags, id);
        }
}
