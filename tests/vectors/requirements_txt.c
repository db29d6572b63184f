/* tests/vectors/requirements_txt.c - what pip found in a set of requirements files, against what spec/ finds. Lines, options and file
 * faults must be pip's. Of the lines that pip takes, spec/ refuses by its own rule what is not a wheel (URLs, paths, -e) and extras in
 * constraints; every other one must come out the same, and every one that pip refuses must be refused. */
#include "tests/vectors/requirements_txt.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "pkg/pyname.h"
#include "spec/requirements.h"

#define ROOT "$ROOT/"

struct world {
        const struct js *files, *env;
};

static int read_file(void *arg, sv path, struct buf *ret, struct err *e)
{
        const struct world *w = arg;

        for (size_t i = 0; sv_starts(path, SV(ROOT)) && i < w->files->n; i++)
                if (sv_eq(w->files->v[i].key, sv_skip(path, sizeof(ROOT) - 1))) {
                        buf_add(ret, js_str(w->files->v[i].value));
                        return 0;
                }
        return err_set(e, ERR_NOT_FOUND, "cannot read '%.*s'", SV_ARG(path));
}

static bool read_env(void *arg, sv name, sv *ret)
{
        const struct world *w = arg;

        for (size_t i = 0; w->env && i < w->env->n; i++)
                if (sv_eq(w->env->v[i].key, name)) {
                        *ret = js_str(w->env->v[i].value);
                        return true;
                }
        return false;
}

struct run {
        struct vectors *v;
        struct arena *a;
        const char *id;
        struct spec_load load;
        struct spec_io io;
        bool bad;
};

static void differ(struct run *r, const char *what, sv want, sv have)
{
        if (!r->bad)
                vectors_fail(r->v, r->id, "%s: pip has '%.*s', we have '%.*s'", what, SV_ARG(want), SV_ARG(have));
        r->bad = true;
}

static void same(struct run *r, const char *what, sv want, sv have)
{
        if (!sv_eq(want, have))
                differ(r, what, want, have);
}

static sv canonical(struct run *r, const struct js *j)
{
        AUTO(buf_done) struct buf b = BUF_INIT((size_t)1 << 24);

        if (j)
                js_write(j, &b);
        return arena_sv(r->a, buf_sv(&b));
}

static struct js *hashes(struct run *r, const struct spec_reqline *q)
{
        struct js *map = q->n_hashes ? js_new_obj(r->a) : NULL;

        for (size_t i = 0; i < q->n_hashes; i++) {
                char *alg = arena_str(r->a, q->hashes[i].alg);
                struct js *list = js_get(map, alg);
                if (!list) {
                        list = js_new_arr(r->a);
                        js_put(r->a, map, q->hashes[i].alg, list);
                }
                js_add(r->a, list, js_new_str(r->a, q->hashes[i].hex));
        }
        return map;
}

static struct js *settings(struct run *r, const struct spec_reqline *q)
{
        struct js *map = q->n_settings ? js_new_obj(r->a) : NULL;

        for (size_t i = 0; i < q->n_settings; i++)
                js_put(r->a, map, q->settings[i].key, js_new_str(r->a, q->settings[i].value));
        return map;
}

/* One line through spec/'s own judgement. */
static const struct spec_req *judged(struct run *r, const struct spec_reqline *q)
{
        AUTO(diags_done) struct diags ds = { 0 };
        struct spec *s = arena_new(r->a, struct spec);
        struct spec_load l = r->load;

        l.ds = &ds;
        l.s = s;
        spec_requirement(&l, q);
        return s->n_pip ? s->pip : s->constraints;
}

static bool refused_by_rule(const struct js *want)
{
        return js_get(want, "url") || (js_true(js_get(want, "constraint")) && js_get(want, "extras"));
}

static int by_text(const void *a, const void *b)
{
        return sv_cmp(((const struct spec_text *)a)->text, ((const struct spec_text *)b)->text);
}

/* pip shows extras as written; ours are normalised and sorted. */
static struct js *normalised(struct run *r, const struct js *list)
{
        struct js *out = list ? js_new_arr(r->a) : NULL;
        struct spec_text *v = NULL;
        size_t n = 0;

        for (size_t i = 0; list && i < list->n; i++) {
                struct spec_text t = { pyname_normalise(r->a, js_str(list->v[i].value)), { { 0 }, 0, 0 } };
                SPEC_PUSH(r->a, v, n, t);
        }
        if (n)
                qsort(v, n, sizeof(*v), by_text);
        for (size_t i = 0; i < n; i++)
                js_add(r->a, out, js_new_str(r->a, v[i].text));
        return out;
}

static void compare_requirement(struct run *r, const struct js *want, const struct spec_req *have)
{
        AUTO(buf_done) struct buf spec = BUF_INIT(65536), marker = BUF_INIT(65536);
        struct js *extras = have->req.n_extras ? js_new_arr(r->a) : NULL;

        for (size_t i = 0; i < have->req.n_extras; i++)
                js_add(r->a, extras, js_new_str(r->a, have->req.extras[i]));
        pep440_spec_write(&have->req.spec, &spec);
        if (have->req.marker)
                marker_write(have->req.marker, &marker);
        same(r, "extras", canonical(r, normalised(r, js_get(want, "extras"))), canonical(r, extras));
        same(r, "marker", js_get_str(want, "marker"), buf_sv(&marker));
        same(r, "url", js_get_str(want, "url"), have->req.url);
        if (!have->req.url.n ||
            sv_find(have->wrote, '@') >= 0) { /* of a bare URL pip has the version, we the normalised name */
                same(r, "name", js_get_str(want, "name"), have->req.name);
                same(r, "specifier", js_get_str(want, "specifier"), buf_sv(&spec));
        }
}

static void compare_line(struct run *r, const struct js *want, const struct spec_reqline *q)
{
        const struct spec_req *have = judged(r, q);

        same(r, "raw", js_get_str(want, "raw"), q->text);
        same(r, "where", js_get_str(want, "where"),
             arena_fmt(r->a, "-%c %.*s (line %u)", q->constraint ? 'c' : 'r', SV_ARG(q->at.file), q->at.line));
        if (js_true(js_get(want, "editable")) != q->editable || js_true(js_get(want, "constraint")) != q->constraint)
                differ(r, "flags", js_get_str(want, "raw"), q->text);
        same(r, "hashes", canonical(r, js_get(want, "hashes")), canonical(r, hashes(r, q)));
        same(r, "config_settings", canonical(r, js_get(want, "config_settings")), canonical(r, settings(r, q)));
        if (js_get(want, "error") && have)
                differ(r, "an error", js_get_str(want, "message"), have->text);
        if (!js_get(want, "error") && !have && !refused_by_rule(want))
                differ(r, "requirement", js_get_str(want, "raw"), SV("a fault"));
        if (!js_get(want, "error") && have)
                compare_requirement(r, want, have);
}

static sv expand(struct run *r, sv text)
{
        AUTO(buf_done) struct buf b = BUF_INIT(65536);

        for (size_t i = 0; i < text.n; i++) {
                ptrdiff_t end = sv_starts(sv_skip(text, i), SV("${")) ? sv_find(sv_skip(text, i), '}') : -1;
                sv value;
                if (end > 0 && read_env(r->io.arg, sv_from_to(text, i + 2, i + (size_t)end), &value)) {
                        buf_add(&b, value);
                        i += (size_t)end;
                } else {
                        buf_byte(&b, text.p[i]);
                }
        }
        return arena_sv(r->a, buf_sv(&b));
}

static void put_names(struct run *r, struct js *o, const char *key, struct spec_text *v, size_t n, bool sorted)
{
        struct js *list = js_new_arr(r->a);

        if (sorted && n)
                qsort(v, n, sizeof(*v), by_text);
        for (size_t i = 0; i < n; i++)
                js_add(r->a, list, js_new_str(r->a, expand(r, v[i].text)));
        if (n)
                js_put(r->a, o, sv_from(key), list);
}

static struct js *options(struct run *r, const struct reqset *set)
{
        struct js *o = js_new_obj(r->a), *urls = js_new_arr(r->a), *pre = js_new_arr(r->a);

        if (!set->no_index && !set->index_given)
                js_add(r->a, urls, js_new_str(r->a, SV("https://pypi.org/simple")));
        for (size_t i = 0; i < set->n_index; i++)
                js_add(r->a, urls, js_new_str(r->a, expand(r, set->index[i].text)));
        if (set->no_index || set->n_index)
                js_put(r->a, o, SV("index_urls"), urls);
        if (set->no_index)
                js_put(r->a, o, SV("no_index"), js_new_bool(r->a, true));
        js_add(r->a, pre, js_new_str(r->a, SV(":all:")));
        if (set->pre)
                js_put(r->a, o, SV("pre"), pre);
        if (set->prefer_binary)
                js_put(r->a, o, SV("prefer_binary"), js_new_bool(r->a, true));
        if (set->require_hashes)
                js_put(r->a, o, SV("require_hashes"), js_new_bool(r->a, true));
        put_names(r, o, "find_links", set->find_links, set->n_find_links, false);
        put_names(r, o, "no_binary", set->no_binary, set->n_no_binary, true);
        put_names(r, o, "only_binary", set->only_binary, set->n_only_binary, true);
        return o;
}

static void run_case(struct vectors *v, const struct js *c)
{
        AUTO(diags_done) struct diags ds = { 0 };
        AUTO(err_done) struct err e = { 0 };
        struct world w = { js_get(c, "files"), js_get(c, "env") };
        struct run r = { .v = v, .a = &v->arena, .id = arena_str(&v->arena, js_get_str(c, "id")) };
        const struct js *want = js_get(c, "expect"), *lines = js_get(want, "requirements");
        struct reqset set = { 0 };
        int rc;

        r.io = (struct spec_io){ &w, read_file, read_env };
        r.load = (struct spec_load){ r.a, &r.io, &ds, arena_new(r.a, struct spec),
                                     arena_fmt(r.a, ROOT "%.*s", SV_ARG(js_get_str(c, "entry"))) };
        rc = reqset_file(&r.load, &set, r.load.file, &e);
        if (js_get(want, "error")) {
                vectors_check(v, rc < 0 || ds.n_errors, r.id, "pip fails: %.*s", SV_ARG(js_get_str(want, "message")));
                return;
        }
        if (rc < 0 || ds.n_errors) {
                vectors_fail(v, r.id, "pip reads it: %s%.*s", e.cause ? e.cause : "", ds.n ? (int)ds.v[0].text.n : 0,
                             ds.n ? ds.v[0].text.p : "");
                return;
        }
        if (!lines || lines->n != set.n_line)
                differ(&r, "number of requirements", arena_fmt(r.a, "%zu", lines ? lines->n : 0),
                       arena_fmt(r.a, "%zu", set.n_line));
        for (size_t i = 0; !r.bad && i < set.n_line; i++)
                compare_line(&r, lines->v[i].value, &set.line[i]);
        same(&r, "options", canonical(&r, js_get(want, "options")), canonical(&r, options(&r, &set)));
        if (!r.bad)
                vectors_pass(v);
}

void vectors_requirements_txt(struct vectors *v, const struct js *doc)
{
        for (size_t i = 0; i < doc->n; i++)
                run_case(v, doc->v[i].value);
}
