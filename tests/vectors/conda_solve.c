/* tests/vectors/conda_solve.c - conda solves (specs/conda.md §9): is there an answer exactly when the case says so; is it legal, and
 * nothing superfluous in it; does each requested package reach its highest version; how many records are those of the reference. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "catalog/conda.h"
#include "catalog/conda_channels.h"
#include "pkg/matchspec.h"
#include "tests/vectors/vectors.h"

#define BASE "https://conda.anaconda.org/"

struct solved {
        const struct conda_record *r;
        const struct conda_version *v;
        bool reached;
};
struct question {
        struct vectors *v;
        const struct js *c;
        const char *id;
        struct arena a;
        struct conda_opts o;
        struct spec_text *spec;
        size_t n_spec;
        char dir[32]; /* micro: where its channels stand; empty: nowhere */
        struct conda_file *file;
        size_t n_file;
        struct catalog_conda *catalog;
        bool sat;
        char *why; /* the explanation */
        struct solved *got;
        size_t n_got;
};

static void question_done(struct question *q)
{
        if (q->catalog)
                catalog_free(conda_catalog(q->catalog));
        if (q->dir[0])
                fs_remove(q->dir, &(struct err){ 0 });
        free(q->why);
        arena_done(&q->a);
}

/* ---- the question ---- */

static sv *texts(struct arena *a, const struct js *list, size_t *ret_n)
{
        sv *v = arena_array(a, sv, list ? list->n + 1 : 1);

        *ret_n = 0;
        for (size_t i = 0; list && i < list->n; i++)
                v[(*ret_n)++] = js_str(list->v[i].value);
        return v;
}

static sv item_text(const struct js *list, size_t i)
{
        return i < list->n ? js_str(list->v[i].value) : (sv){ 0 };
}

static void take_opts(struct question *q)
{
        const struct js *virtual_ = js_get(q->c, "virtual_packages");
        sv priority = js_get_str(q->c, "channel_priority");
        struct conda_virtual *v = arena_array(&q->a, struct conda_virtual, virtual_ ? virtual_->n + 1 : 1);
        sv *spec = texts(&q->a, js_get(q->c, "specs"), &q->n_spec);

        for (size_t i = 0; virtual_ && i < virtual_->n; i++) {
                const struct js *one = virtual_->v[i].value;
                v[i] = (struct conda_virtual){ item_text(one, 0), item_text(one, 1), item_text(one, 2) };
        }
        q->o.virtual_ = v;
        q->o.n_virtual = virtual_ ? virtual_->n : 0;
        q->o.allow_unhashed = true;
        q->o.priority = sv_is(priority, "flexible")   ? CONDA_FLEXIBLE
                        : sv_is(priority, "disabled") ? CONDA_DISABLED
                                                      : CONDA_STRICT;
        q->spec = arena_array(&q->a, struct spec_text, q->n_spec + 1);
        for (size_t i = 0; i < q->n_spec; i++)
                q->spec[i] = (struct spec_text){ spec[i], { SV("env.yml"), (uint32_t)i + 1, 1 } };
}

static sv channel_url(struct arena *a, sv name)
{
        return arena_fmt(a, BASE "%.*s", SV_ARG(name));
}

/* ---- channels in the line itself: written down as a channel has them, and read like any other ---- */

/* file name → record, as repodata.json has it; what is a whole repodata.json already stays. */
static const struct js *as_repodata(struct arena *a, const struct js *data)
{
        struct js *doc, *v1, *v2;

        if (js_get(data, "packages") || js_get(data, "packages.conda"))
                return data;
        doc = js_new_obj(a);
        v1 = js_new_obj(a);
        v2 = js_new_obj(a);
        for (size_t i = 0; data && i < data->n; i++)
                js_put(a, sv_ends(data->v[i].key, SV(".conda")) ? v2 : v1, data->v[i].key, data->v[i].value);
        js_put(a, doc, SV("packages"), v1);
        js_put(a, doc, SV("packages.conda"), v2);
        return doc;
}

static int write_folder(struct question *q, size_t channel, const struct js *data, sv subdir, struct err *e)
{
        AUTO(buf_done) struct buf text = BUF_INIT(16 << 20);
        sv folder = arena_fmt(&q->a, "%s/%zu/%.*s", q->dir, channel, SV_ARG(subdir));
        sv path = arena_fmt(&q->a, "%.*s/repodata.json", SV_ARG(folder));

        js_write(as_repodata(&q->a, data), &text);
        if (fs_mkdirs(folder.p, 0755, e) < 0 || fs_write(path.p, buf_sv(&text), 0644, e) < 0)
                return -(int)e->code;
        q->file[q->n_file++] = (struct conda_file){ path, q->o.channel[channel].url, subdir };
        return 0;
}

static struct conda_source *micro_source(struct question *q, struct err *e)
{
        const struct js *channels = js_get(q->c, "channels");
        sv platform = js_get_str(q->c, "platform");
        size_t n = channels ? channels->n : 0;
        struct conda_channel *v = arena_array(&q->a, struct conda_channel, n + 1);
        struct conda_source *s = NULL;

        strcpy(q->dir, "/tmp/vectors-conda-XXXXXX");
        if (!mkdtemp(q->dir))
                return NULL;
        q->o.channel = v;
        q->o.n_channel = n;
        q->file = arena_array(&q->a, struct conda_file, 2 * n + 1);
        for (size_t i = 0; i < n; i++) {
                const struct js *data = js_get(channels->v[i].value, "repodata");
                sv name = js_get_str(channels->v[i].value, "name");
                v[i] = (struct conda_channel){ .name = name, .url = channel_url(&q->a, name) };
                if (write_folder(q, i, js_get(data, arena_str(&q->a, platform)), platform, e) < 0 ||
                    write_folder(q, i, js_get(data, "noarch"), SV("noarch"), e) < 0)
                        return NULL;
        }
        return conda_files_open(q->file, q->n_file, NULL, NULL, &s, e) < 0 ? NULL : s;
}

/* ---- channels of the corpus ---- */

static void file_add(struct question *q, size_t channel, sv folder, sv subdir)
{
        static const char *const names[] = { "repodata.json", "repodata.json.zst" };

        for (size_t i = 0; i < 2; i++) {
                sv path = arena_fmt(&q->a, "%s/%.*s/%.*s/%s", q->v->corpus, SV_ARG(folder), SV_ARG(subdir), names[i]);
                if (!fs_exists(path.p))
                        continue;
                q->file[q->n_file++] = (struct conda_file){ path, q->o.channel[channel].url, subdir };
                return;
        }
}

static struct conda_source *corpus_source(struct question *q, struct err *e)
{
        size_t n;
        sv *channel = texts(&q->a, js_get(q->c, "channels"), &n), platform = js_get_str(q->c, "platform");
        struct conda_channel *v = arena_array(&q->a, struct conda_channel, n + 1);
        struct conda_source *s = NULL;

        q->o.channel = v;
        q->o.n_channel = n;
        q->file = arena_array(&q->a, struct conda_file, 2 * n + 1);
        for (size_t i = 0; i < n; i++) {
                ptrdiff_t note = sv_find(channel[i], ' ');
                sv folder = note < 0 ? channel[i] : sv_from_to(channel[i], 0, (size_t)note);
                v[i] = (struct conda_channel){ .name = folder, .url = channel_url(&q->a, folder) };
                if (sv_find_sv(channel[i], SV("noarch subdir only")) < 0)
                        file_add(q, i, folder, platform);
                file_add(q, i, folder, SV("noarch"));
        }
        return conda_files_open(q->file, q->n_file, NULL, NULL, &s, e) < 0 ? NULL : s;
}

/* ---- the answer ---- */

static void take_answer(struct question *q, const struct resolution *r)
{
        q->got = arena_array(&q->a, struct solved, r->n + 1);
        for (size_t i = 0; i < r->n; i++) {
                const struct conda_record *rec = conda_record_of(q->catalog, &r->pick[i]);
                if (rec)
                        q->got[q->n_got++] =
                                (struct solved){ rec, conda_version_parse(&q->a, rec->version, NULL), false };
        }
}

static int solve(struct question *q, struct conda_source *source, struct err *e)
{
        AUTO(diags_done) struct diags ds = { 0 };
        AUTO(buf_done) struct buf why = BUF_INIT(1 << 20);
        AUTO(err_done) struct err conflict = { 0 };
        struct resolve_opts o = { .order = ORDER_CEILING };
        struct resolve_want *want;
        struct resolution *r = NULL;
        size_t n;
        int got;

        if (conda_open(&q->o, source, NULL, &q->catalog, e) < 0)
                return -(int)e->code;
        got = conda_wants(q->catalog, q->spec, q->n_spec, &q->a, &ds, &want, &n, e);
        if (got == -(int)ERR_USAGE && ds.n) { /* refused is an answer too */
                err_done(e);
                buf_add(&why, ds.v[0].text);
                return buf_take(&why, &q->why, e);
        }
        if (got < 0)
                return got;
        got = resolve(conda_catalog(q->catalog), want, n, &o, NULL, &q->a, &r, &conflict);
        q->sat = got == 0;
        if (q->sat)
                take_answer(q, r);
        else if (got != -(int)ERR_CONFLICT)
                return err_move(e, &conflict);
        else if (explain(conda_catalog(q->catalog), want, n, &o, NULL, r, &why, e) < 0)
                return -(int)e->code;
        return q->sat ? 0 : buf_take(&why, &q->why, e);
}

/* ---- the judgement ---- */

static struct solved *find(struct question *q, sv name)
{
        for (size_t i = 0; i < q->n_got; i++)
                if (sv_eq(q->got[i].r->name, name))
                        return &q->got[i];
        return NULL;
}

static const struct conda_virtual *find_virtual(const struct question *q, sv name)
{
        for (size_t i = 0; i < q->o.n_virtual; i++)
                if (sv_eq(q->o.virtual_[i].name, name))
                        return &q->o.virtual_[i];
        return NULL;
}

/* 1: a chosen package or virtual one fits, 0: one of that name does not, -1: there is none of that name; -2: unreadable. */
static int fits(struct question *q, sv spec, struct solved **ret)
{
        const struct conda_virtual *virtual_;
        struct matchspec m;

        *ret = NULL;
        if (!matchspec_parse(&q->a, spec, &q->o.settings, &m, NULL, NULL))
                return -2;
        *ret = find(q, m.name);
        if (*ret)
                return matchspec_has(&m, (*ret)->r, (*ret)->v);
        virtual_ = find_virtual(q, m.name);
        if (!virtual_)
                return -1;
        struct conda_record r = { .name = virtual_->name, .version = virtual_->version, .build = virtual_->build };
        return matchspec_has(&m, &r, conda_version_parse(&q->a, r.version, NULL));
}

/* What is reached counts as needed; the rest is superfluous. */
static bool legal_from(struct question *q, sv spec, sv who)
{
        struct solved *s;

        if (fits(q, spec, &s) != 1) {
                vectors_fail(q->v, q->id, "'%.*s' of %.*s is not fulfilled", SV_ARG(spec), SV_ARG(who));
                return false;
        }
        if (!s || s->reached)
                return true;
        s->reached = true;
        for (size_t i = 0; i < s->r->n_depends; i++)
                if (!legal_from(q, s->r->depends[i], s->r->fn))
                        return false;
        return true;
}

static bool legal(struct question *q)
{
        struct solved *ignored;

        for (size_t i = 0; i < q->n_spec; i++)
                if (!legal_from(q, q->spec[i].text, SV("the request")))
                        return false;
        for (size_t i = 0; i < q->n_got; i++) {
                const struct conda_record *r = q->got[i].r;
                for (size_t k = 0; k < r->n_constrains; k++)
                        if (fits(q, r->constrains[k], &ignored) == 0) {
                                vectors_fail(q->v, q->id, "'%.*s' limits '%.*s'", SV_ARG(r->fn),
                                             SV_ARG(r->constrains[k]));
                                return false;
                        }
                if (!q->got[i].reached) {
                        vectors_fail(q->v, q->id, "'%.*s' is not needed", SV_ARG(r->fn));
                        return false;
                }
        }
        return true;
}

/* The reference's version of a name: where it is below the ceiling, so may we be. (A candidate with track_features comes last, whatever its
 * version; and the ceilings were searched among all files, where the .tar.bz2 beside a .conda can say less than it.) */
static const struct conda_version *reference(struct question *q, sv name)
{
        const struct js *list = js_get(q->c, "packages");

        for (size_t i = 0; list && i < list->n; i++) {
                sv n, version, build;
                if (conda_filename_split(sv_basename(js_str(list->v[i].value)), &n, &version, &build) &&
                    sv_eq_nocase(n, name))
                        return conda_version_parse(&q->a, version, NULL);
        }
        return NULL;
}

static bool ceilings(struct question *q)
{
        const struct js *list = js_get(q->c, "ceiling");
        bool good = true;

        for (size_t i = 0; list && i < list->n; i++) {
                const struct solved *s = find(q, list->v[i].key);
                const struct conda_version *top = conda_version_parse(&q->a, js_str(list->v[i].value), NULL);
                const struct conda_version *theirs = reference(q, list->v[i].key);
                if (s && s->v && top && conda_version_cmp(s->v, top) < 0 &&
                    (!theirs || conda_version_cmp(s->v, theirs) < 0)) {
                        vectors_fail(q->v, q->id, "%.*s is %.*s, but could be %.*s", SV_ARG(list->v[i].key),
                                     SV_ARG(s->r->version), SV_ARG(js_str(list->v[i].value)));
                        good = false;
                }
        }
        return good;
}

/* "linux-64/x-1-0.conda", "channel/linux-64/x-1-0.conda", "x-1-0", "c1/x-1-0": as much of it as is said. */
static bool is_record(const struct conda_record *r, sv want)
{
        sv fn = sv_basename(want), stem = r->fn, folder = sv_from_to(want, 0, want.n - fn.n), subdir;

        if (!sv_ends(fn, SV(".conda")) && !sv_ends(fn, SV(".tar.bz2"))) {
                stem.n -= sv_ends(stem, SV(".conda")) ? strlen(".conda") : strlen(".tar.bz2");
        }
        if (!sv_eq(stem, fn))
                return false;
        if (folder.n)
                folder.n--;
        subdir = sv_basename(folder);
        if (conda_subdir_known(subdir)) {
                if (!sv_eq(subdir, r->subdir))
                        return false;
                folder.n -= subdir.n;
                if (folder.n)
                        folder.n--;
        }
        return !folder.n || sv_ends(r->channel, folder);
}

static bool among(const struct question *q, sv want)
{
        for (size_t i = 0; i < q->n_got; i++)
                if (is_record(q->got[i].r, want))
                        return true;
        return false;
}

static bool ours_among(const struct js *list, const struct conda_record *r)
{
        for (size_t i = 0; i < list->n; i++)
                if (is_record(r, js_str(list->v[i].value)))
                        return true;
        return false;
}

/* Complete snapshots and made cases: all of it; channels that were pooled from lock files: nearly. */
static unsigned least_share(const struct question *q)
{
        static const char *const all[] = { "main22-", "intel-" };

        for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
                if (sv_starts(sv_from(q->id), sv_from(all[i])))
                        return 100;
        return 95;
}

static bool shares(struct question *q, bool exact)
{
        const struct js *list = js_get(q->c, "packages");
        AUTO(buf_done) struct buf theirs = BUF_INIT(1 << 16), ours = BUF_INIT(1 << 16);
        size_t same = 0;

        if (!list || list->type != JS_ARR)
                return true;
        for (size_t i = 0; i < list->n; i++)
                if (among(q, js_str(list->v[i].value)))
                        same++;
                else
                        buf_fmt(&theirs, " -%.*s", SV_ARG(js_str(list->v[i].value)));
        for (size_t i = 0; i < q->n_got; i++)
                if (!ours_among(list, q->got[i].r))
                        buf_fmt(&ours, " +%.*s/%.*s", SV_ARG(q->got[i].r->subdir), SV_ARG(q->got[i].r->fn));
        if (same == list->n && q->n_got == list->n)
                return true;
        if (!exact && same * 100 >= list->n * least_share(q)) {
                printf("note %s: %zu of %zu as expected:%s%s\n", q->id, same, list->n, theirs.p ? theirs.p : "",
                       ours.p ? ours.p : "");
                return true;
        }
        vectors_fail(q->v, q->id, "%zu of %zu as expected:%s%s", same, list->n, theirs.p ? theirs.p : "",
                     ours.p ? ours.p : "");
        return false;
}

static void judge(struct question *q, bool exact)
{
        bool want = sv_is(js_get_str(q->c, "status"), "sat");

        if (!q->sat)
                vectors_check(q->v, !want, q->id, "has an answer, but: %s", q->why);
        else if (!want)
                vectors_fail(q->v, q->id, "has no answer, but one of %zu packages was found", q->n_got);
        else if (legal(q) && ceilings(q) && shares(q, exact))
                vectors_pass(q->v);
}

static void run_case(struct vectors *v, const struct js *c, bool micro)
{
        AUTO(question_done) struct question q = { .v = v, .c = c };
        AUTO(err_done) struct err e = { 0 };
        struct conda_source *source;

        q.id = arena_str(&q.a, js_get_str(c, "id"));
        take_opts(&q);
        source = micro ? micro_source(&q, &e) : corpus_source(&q, &e);
        if (!source || solve(&q, source, &e) < 0)
                vectors_fail(v, q.id, "%s%s%s", e.cause ? e.cause : "no source", e.trail ? ", " : "",
                             e.trail ? e.trail : "");
        else
                judge(&q, micro);
}

static void run(struct vectors *v, const struct js *doc, bool micro)
{
        const char *only = getenv("CONDA_CASE"); /* one of them, for whoever looks for its fault */

        for (size_t i = 0; i < doc->n; i++)
                if (!only || sv_is(js_get_str(doc->v[i].value, "id"), only))
                        run_case(v, doc->v[i].value, micro);
}

static void run_cases(struct vectors *v, const struct js *doc)
{
        run(v, doc, false);
}

static void run_micro(struct vectors *v, const struct js *doc)
{
        run(v, doc, true);
}

const struct vectors_kind vectors_conda_solve[] = { { "conda/cases", run_cases },
                                                    { "conda/micro", run_micro },
                                                    { NULL, NULL } };
