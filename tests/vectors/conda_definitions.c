/* tests/vectors/conda_definitions.c - environment files, explicit lists and other tools' locks of corpus/conda: what a reader must find in
 * each (EXPECT.jsonl in its folder), or that it is refused with a fault that has a place. What our rules refuse in a file that is fine
 * (an image's name, a source archive, an operator that conda reads as another) must be told; all the rest must be there. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/diag_print.h"
#include "base/fs.h"
#include "ext/yaml.h"
#include "lock/export.h"
#include "lock/import.h"
#include "pkg/matchspec.h"
#include "spec/spec_priv.h"
#include "tests/vectors/conda_install.h"

static int no_file(void *arg, sv path, struct buf *ret, struct err *e)
{
        (void)arg;
        (void)ret;
        return err_set(e, ERR_NOT_FOUND, "cannot read '%.*s'", SV_ARG(path));
}

static bool no_variable(void *arg, sv name, sv *ret)
{
        (void)arg;
        (void)name;
        (void)ret;
        return false;
}

/* Where a file that a row names is: beside the vector file, else in the corpus. */
static sv where(struct vectors *v, sv file)
{
        static const char *const folder[] = { "", "env/", "env-made/", "explicit/" };
        sv own = sv_from(v->file), beside;

        own.n -= sv_basename(own).n;
        beside = arena_fmt(&v->arena, "%.*s%.*s", SV_ARG(own), SV_ARG(file));
        for (size_t i = 0; i < ARRAY_LEN(folder) && !fs_exists(beside.p); i++) {
                sv path = arena_fmt(&v->arena, "%s/%s%.*s", v->corpus, folder[i], SV_ARG(file));
                if (fs_exists(path.p))
                        return path;
        }
        return beside;
}

static bool sibling(struct vectors *v, const struct js *row, const char **ret_id, sv *ret_text)
{
        AUTO(buf_done) struct buf b = { 0 };
        sv file = js_get_str(row, "file"), path = where(v, file);

        *ret_id = arena_str(&v->arena, file);
        if (!vectors_read(v, path.p, &b))
                return false;
        *ret_text = arena_sv(&v->arena, buf_sv(&b));
        return true;
}

/* --- environment files */

struct env {
        struct vectors *v;
        const char *id;
        struct diags ds;
        struct spec s;
        bool bad;
};

static void differ(struct env *x, const char *what, sv text)
{
        if (!x->bad)
                vectors_fail(x->v, x->id, "%s: '%.*s'", what, SV_ARG(text));
        x->bad = true;
}

static bool told(const struct env *x, sv text)
{
        for (size_t i = 0; i < x->ds.n; i++)
                if (sv_find_sv(x->ds.v[i].text, text) >= 0 ||
                    sv_find_sv(diag_line(&x->ds, x->ds.v[i].file, x->ds.v[i].line), text) >= 0)
                        return true;
        return false;
}

static size_t count(const struct spec_text *v, size_t n, sv text)
{
        size_t found = 0;

        for (size_t i = 0; i < n; i++)
                found += sv_eq(sv_trim(v[i].text), sv_trim(text));
        return found;
}

/* Every text of the list is there as often as it stands in it, or told; and nothing else is. */
static void same_list(struct env *x, const char *what, const struct js *want, const struct spec_text *v, size_t n,
                      bool may_be_more)
{
        size_t missing = 0;

        for (size_t i = 0; want && i < want->n; i++) {
                sv text = js_str(want->v[i].value);
                if (count(v, n, text))
                        continue;
                missing++;
                if (!told(x, text))
                        differ(x, what, text);
        }
        if ((want ? want->n : 0) - missing < n && !may_be_more)
                differ(x, what, SV("there is more"));
}

/* sel(linux) and sel(unix) are ours, too; of several of one name the expectation holds the last. */
static const struct js *with_selected(struct vectors *v, const struct js *expect)
{
        const struct js *conda = js_get(expect, "conda"), *sections = js_get(expect, "other_sections");
        struct js *all = js_new_arr(&v->arena);

        for (size_t i = 0; conda && i < conda->n; i++)
                js_add(&v->arena, all, conda->v[i].value);
        for (size_t i = 0; sections && i < sections->n; i++)
                if ((sv_is(sections->v[i].key, "sel(linux)") || sv_is(sections->v[i].key, "sel(unix)")) &&
                    sections->v[i].value->type == JS_STR)
                        js_add(&v->arena, all, sections->v[i].value);
        return all;
}

static void same_pip(struct env *x, const struct js *want)
{
        for (size_t i = 0; want && i < want->n; i++) {
                sv text = js_str(want->v[i].value);
                bool found = sv_starts(text, SV("-"));
                for (size_t k = 0; k < x->s.n_pip && !found; k++)
                        found = sv_find_sv(text, x->s.pip[k].wrote) >= 0;
                if (!found && !told(x, text))
                        differ(x, "pip", text);
        }
        if (x->s.n_pip > (want ? want->n : 0))
                differ(x, "pip", SV("there is more"));
}

static void same_variables(struct env *x, const struct js *want)
{
        if ((want ? want->n : 0) != x->s.n_variables)
                differ(x, "variables", SV("their number"));
        for (size_t i = 0; i < x->s.n_variables && !x->bad; i++) {
                const struct spec_pair *have = &x->s.variables[i];
                const struct js *value = js_get(want, arena_str(&x->v->arena, have->key));
                if (!value || (value->type == JS_STR && !sv_eq(js_str(value), have->value)))
                        differ(x, "variables", have->key);
        }
}

static void same_platforms(struct env *x, const struct js *want)
{
        size_t n = 0;

        for (size_t i = 0; want && i < want->n; i++) {
                bool other;
                sv platform = spec_platform(js_str(want->v[i].value), &other);
                if (!platform.n && !told(x, js_str(want->v[i].value)))
                        differ(x, "platforms", js_str(want->v[i].value));
                if (platform.n && !count(x->s.platforms, x->s.n_platforms, platform))
                        differ(x, "platforms", platform);
                n += platform.n > 0;
        }
        if (n != x->s.n_platforms)
                differ(x, "platforms", SV("their number"));
}

static void same(struct env *x, const struct js *expect)
{
        const struct js *unknown = js_get(expect, "unknown_keys"), *sections = js_get(expect, "other_sections");
        sv name = js_get_str(expect, "name");

        if (name.n && !sv_eq(name, x->s.name) && !told(x, name))
                differ(x, "name", name);
        same_list(x, "conda", with_selected(x->v, expect), x->s.conda, x->s.n_conda, sections && sections->n);
        same_list(x, "channels", js_get(expect, "channels"), x->s.channels, x->s.n_channels, false);
        same_pip(x, js_get(expect, "pip"));
        same_variables(x, js_get(expect, "variables"));
        same_platforms(x, js_get(expect, "platforms"));
        if (js_true(js_get(expect, "nodefaults")) != x->s.nodefaults)
                differ(x, "nodefaults", SV(""));
        for (size_t i = 0; unknown && i < unknown->n; i++)
                if (!told(x, js_str(unknown->v[i].value)))
                        differ(x, "unknown key", js_str(unknown->v[i].value));
}

static void read_env(struct env *x, sv text)
{
        struct spec_io io = { NULL, no_file, no_variable };
        struct spec_load l = { &x->v->arena, &io, &x->ds, &x->s, SV("env.yml") };
        AUTO(err_done) struct err e = { 0 };
        struct yaml *top;

        diag_source(&x->ds, l.file, text);
        if (yaml_parse(&x->v->arena, text, l.file, &x->ds, &top, &e) < 0)
                return;
        if (top->type != YAML_MAP)
                spec_other_form(&l, top);
        else
                spec_environment(&l, top);
}

static void env_row(struct vectors *v, const struct js *row)
{
        struct env x = { .v = v };
        const struct js *expect = js_get(row, "expect");
        sv text;

        if (!sibling(v, row, &x.id, &text))
                return;
        read_env(&x, text);
        if (js_get(row, "reject") || js_get(row, "yaml_error") || !expect) {
                if (!x.ds.n_errors)
                        differ(&x, "not refused", js_get_str(row, "reject"));
        } else {
                same(&x, expect);
        }
        if (!x.bad)
                vectors_pass(v);
        diags_done(&x.ds);
}

static void envs(struct vectors *v, const struct js *doc)
{
        for (size_t i = 0; i < doc->n; i++)
                env_row(v, doc->v[i].value);
}

/* --- explicit lists */

static sv decoded(struct vectors *v, sv s)
{
        char *out = arena_str(&v->arena, s);
        size_t n = 0;

        for (size_t i = 0; i < s.n; i++, n++) {
                unsigned c;
                if (s.p[i] == '%' && i + 2 < s.n && sscanf(s.p + i + 1, "%2x", &c) == 1) {
                        out[n] = (char)c;
                        i += 2;
                } else {
                        out[n] = s.p[i];
                }
        }
        return (sv){ out, n };
}

static bool same_line(struct vectors *v, const struct lock_explicit_line *x, const struct js *want)
{
        sv name, version, build;

        if (!want || want->type != JS_OBJ)
                return true;
        return conda_filename_split(decoded(v, sv_basename(x->url)), &name, &version, &build) &&
               sv_eq(name, js_get_str(want, "name")) && sv_eq(version, js_get_str(want, "version")) &&
               sv_eq(build, js_get_str(want, "build")) && sv_eq(x->url, js_get_str(want, "url")) &&
               sv_eq(x->md5, js_get_str(want, "md5")) && sv_eq(x->sha256, js_get_str(want, "sha256"));
}

static const char *explicit_wrong(struct vectors *v, const struct js *row, sv text)
{
        struct lock_explicit_line *lines;
        int64_t want = -1;
        size_t n;
        sv subdir;
        bool explicit = lock_explicit_read(&v->arena, text, &lines, &n, &subdir);

        js_int(js_get(row, "n"), &want);
        if (explicit != js_true(js_get(row, "explicit")))
                return "whether it is explicit";
        if ((int64_t)n != want)
                return "the number of lines";
        if (!sv_eq(subdir, js_get_str(row, "platform")))
                return "the platform";
        for (size_t i = 0; i < n && !explicit; i++) {
                struct matchspec m;
                if (!matchspec_parse(&v->arena, lines[i].url, NULL, &m, NULL, NULL))
                        return "a line that is a match spec";
        }
        if (n && (!same_line(v, &lines[0], js_get(row, "first")) || !same_line(v, &lines[n - 1], js_get(row, "last"))))
                return "the first or the last line";
        return NULL;
}

/* The whole list as a lock, for the platforms that images are made for. */
static const char *explicit_import(struct vectors *v, const struct js *row, sv text)
{
        struct lock_import_opts o = { .host = SV("linux/amd64") };
        AUTO(diags_done) struct diags ds = { 0 };
        AUTO(err_done) struct err e = { 0 };
        const struct js *bad = js_get(row, "bad");
        int64_t n = 0;
        struct lock *l;
        bool ours =
                sv_is(js_get_str(row, "platform"), "linux-64") || sv_is(js_get_str(row, "platform"), "linux-aarch64");
        int r = lock_import(&v->arena, text, SV("pins.txt"), SPEC_FORM_EXPLICIT, &o, &ds, &l, &e);

        js_int(js_get(row, "n"), &n);
        if (!ours || (bad && bad->n))
                return r < 0 && ds.n_errors ? NULL : "it cannot be taken over, and that is not told";
        if (r < 0)
                return arena_fmt(&v->arena, "it is not taken over: %.*s", SV_ARG(ds.n ? ds.v[0].text : SV(""))).p;
        return l->n_platform == 1 && l->platform[0].n_artifact == (size_t)n ? NULL : "the number of packages";
}

static void explicits(struct vectors *v, const struct js *doc)
{
        for (size_t i = 0; i < doc->n; i++) {
                const struct js *row = doc->v[i].value;
                const char *id, *wrong;
                sv text;
                if (!sibling(v, row, &id, &text))
                        continue;
                wrong = explicit_wrong(v, row, text);
                if (!wrong && js_true(js_get(row, "explicit")))
                        wrong = explicit_import(v, row, text);
                vectors_check(v, !wrong, id, "%s", wrong);
        }
}

/* Each folder's file of expectations is called so; what stands in it says which it is. */
static void expects(struct vectors *v, const struct js *doc)
{
        const struct js *row = doc->n ? doc->v[0].value : NULL;

        if (row && row->type == JS_OBJ && js_get(row, "explicit"))
                explicits(v, doc);
        else if (row && row->type == JS_OBJ)
                envs(v, doc);
        else
                vectors_conda_bad(v, doc);
}

/* --- locks of other tools */

static const char *taken_wrong(struct vectors *v, sv file, const struct lock *l)
{
        AUTO(buf_done) struct buf one = BUF_INIT((size_t)1 << 28), two = BUF_INIT((size_t)1 << 28);
        struct lock_import_opts o = { .host = SV("linux/amd64") };
        AUTO(diags_done) struct diags ds = { 0 };
        AUTO(err_done) struct err e = { 0 };
        struct lock *back;

        for (size_t i = 0; i < l->n_platform; i++)
                for (size_t k = 0; k < l->platform[i].n_artifact; k++) {
                        const struct artifact *a = &l->platform[i].artifact[k];
                        if (!a->name.n || !a->version.n || !a->url.n || !a->n_by)
                                return "a package without name, version, URL or who asked for it";
                }
        if (lock_export_conda_lock(l, NULL, &one, &e) < 0 || buf_check(&one, &e) < 0)
                return "it cannot be written as conda-lock.yml";
        if (lock_import(&v->arena, buf_sv(&one), file, SPEC_FORM_CONDA_LOCK, &o, &ds, &back, &e) < 0)
                return "what was written cannot be read";
        if (lock_export_conda_lock(back, NULL, &two, &e) < 0 || !sv_eq(buf_sv(&one), buf_sv(&two)))
                return "what was written is read as something else";
        return NULL;
}

static const char *refused_wrong(const struct diags *ds)
{
        if (!ds->n_errors)
                return "it is refused without a word";
        for (size_t i = 0; i < ds->n; i++)
                if (!ds->v[i].line || !ds->v[i].text.n)
                        return "a fault without a place";
        return NULL;
}

/* A lock, a definition that holds one, or what is neither: taken, or refused clearly. */
static void locks(struct vectors *v, const struct js *doc)
{
        sv text = js_str(doc), file = sv_basename(sv_from(v->file));
        struct lock_import_opts o = { .host = SV("linux/amd64") };
        AUTO(diags_done) struct diags ds = { 0 };
        AUTO(err_done) struct err e = { 0 };
        enum spec_form form;
        const char *wrong;
        struct lock *l;

        if (sv_ends(file, SV(".zst")))
                file.n -= strlen(".zst");
        form = spec_form_of(file, text);
        if (form == SPEC_FORM_CONDA_LOCK || form == SPEC_FORM_EXPLICIT || form == SPEC_FORM_PIXI)
                wrong = lock_import(&v->arena, text, file, form, &o, &ds, &l, &e) < 0 ? refused_wrong(&ds)
                                                                                      : taken_wrong(v, file, l);
        else
                wrong = sv_ends(file, SV(".toml")) ? NULL : "the form is not known";
        vectors_check(v, !wrong, arena_str(&v->arena, file), "%s", wrong);
}

const struct vectors_kind vectors_conda_definitions[] = {
        { "conda/EXPECT", expects },     { "conda/env", envs },
        { "conda/env-made", envs },      { "conda/env-expect", envs },
        { "conda/explicit", explicits }, { "conda/explicit-expect", explicits },
        { "conda/locks", locks },        { 0 },
};
