/* tests/cases/conda.c - stories about conda: to the letter what the user reads. `cases_conda FILE…`; `--show FILE` prints what comes out.
 *     @channel conda-forge       the lines that follow are its records
 *     numpy 1.26.4 py312_0: python >=3.12,<3.13.0a0; libblas >=3.9; !numpy-base <0a0
 *     six 1.16.0 pyh_0 noarch number=1 time=2021-05-05 features=old unhashed fn=other-1-0.conda:
 *     @virtual __glibc 2.36      __archspec 1 x86_64
 *     @priority strict           flexible, disabled
 *     @newer 2024-01-01
 *     @want numpy <2; pandas     lines of env.yml, numbered as they come
 *     @prefer numpy 1.26.4 py312_0
 *     @expect                    then the picks, one a line; or
 *     @expect conflict           then the exact text the user reads; or
 *     @expect fault              then the faults of the lines, with their hints */
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fs.h"
#include "catalog/conda.h"
#include "tests/cases/conda_memory.h"
#include "tests/cases/story.h"

enum { MAX_LIST = 64 };

struct story {
        const char *path;
        struct buf text;
        struct arena arena;
        struct conda_memory memory;
        struct conda_opts o;
        struct conda_channel channel[MAX_LIST];
        struct conda_virtual virtual_[MAX_LIST];
        struct spec_text spec[MAX_LIST];
        size_t n_spec;
        struct artifact prefer[MAX_LIST];
        size_t n_prefer;
        sv expect, kind;
        struct catalog_conda *c;
};

static void story_done(struct story *s)
{
        if (s->c)
                catalog_free(conda_catalog(s->c));
        buf_done(&s->text);
        arena_done(&s->arena);
}

/* ---- reading ---- */

/* Takes "a" off "a b"; empty when there is none. */
static sv word(sv *rest)
{
        sv w = { 0 };

        *rest = sv_trim(*rest);
        sv_cut(rest, ' ', &w);
        return w;
}

static bool time_of(sv day, int64_t *ret)
{
        AUTO(arena_done) struct arena a = { 0 };

        return time_parse(arena_fmt(&a, "%.*sT00:00:00Z", SV_ARG(day)), ret);
}

static void trait_take(struct story *s, struct conda_record *r, sv trait)
{
        sv key = { 0 }, value = trait;
        uint64_t n = 0;
        size_t cap = 0;
        int64_t t;

        sv_cut(&value, '=', &key);
        if (sv_is(trait, "noarch"))
                r->subdir = SV("noarch");
        else if (sv_is(trait, "unhashed"))
                r->has_sha256 = false;
        else if (sv_is(key, "number") && sv_u64(value, &n))
                r->build_number = n;
        else if (sv_is(key, "time") && time_of(value, &t))
                r->timestamp = t * 1000;
        else if (sv_is(key, "features"))
                *arena_push(&s->arena, r->track_features, r->n_track_features, cap) = value;
        else if (sv_is(key, "fn"))
                r->fn = value;
}

static void deps_take(struct story *s, struct conda_record *r, sv rest)
{
        size_t cap_depends = 0, cap_constrains = 0;
        sv one;

        while (sv_cut(&rest, ';', &one)) {
                one = sv_trim(one);
                if (sv_starts(one, SV("!")))
                        *arena_push(&s->arena, r->constrains, r->n_constrains, cap_constrains) = sv_skip(one, 1);
                else if (one.n)
                        *arena_push(&s->arena, r->depends, r->n_depends, cap_depends) = one;
        }
}

static int record_read(struct story *s, sv line, struct err *e)
{
        struct conda_record r = { .subdir = SV("linux-64"), .has_sha256 = true };
        sv head = line, w;

        if (s->o.n_channel == 0 || !sv_cut(&line, ':', &head))
                return err_set(e, ERR_USAGE, "%s: '%.*s' is no record", s->path, SV_ARG(line));
        r.channel_no = (uint32_t)s->o.n_channel - 1;
        r.channel = s->channel[r.channel_no].url;
        r.name = word(&head);
        r.version = word(&head);
        r.build = word(&head);
        r.fn = arena_fmt(&s->arena, "%.*s-%.*s-%.*s.conda", SV_ARG(r.name), SV_ARG(r.version), SV_ARG(r.build));
        while ((w = word(&head)).n)
                trait_take(s, &r, w);
        deps_take(s, &r, line);
        r.url = arena_fmt(&s->arena, "%.*s/%.*s/%.*s", SV_ARG(r.channel), SV_ARG(r.subdir), SV_ARG(r.fn));
        conda_memory_add(&s->memory, &r);
        return 0;
}

static void wants_read(struct story *s, sv line)
{
        sv one;

        while (s->n_spec < MAX_LIST && sv_cut(&line, ';', &one)) {
                s->spec[s->n_spec] = (struct spec_text){ sv_trim(one), { SV("env.yml"), (uint32_t)s->n_spec + 1, 5 } };
                s->n_spec++;
        }
}

static int directive_read(struct story *s, sv line, struct err *e)
{
        sv key = word(&line), first = word(&line);

        if (sv_is(key, "@channel") && s->o.n_channel < MAX_LIST) {
                s->channel[s->o.n_channel++] = (struct conda_channel){
                        .name = first, .url = arena_fmt(&s->arena, "https://conda.anaconda.org/%.*s", SV_ARG(first))
                };
        } else if (sv_is(key, "@virtual") && s->o.n_virtual < MAX_LIST) {
                sv version = word(&line);
                s->virtual_[s->o.n_virtual++] = (struct conda_virtual){ first, version, word(&line) };
        } else if (sv_is(key, "@priority")) {
                s->o.priority = sv_is(first, "flexible")   ? CONDA_FLEXIBLE
                                : sv_is(first, "disabled") ? CONDA_DISABLED
                                                           : CONDA_STRICT;
        } else if (sv_is(key, "@prefer") && s->n_prefer < MAX_LIST) {
                sv version = word(&line);
                s->prefer[s->n_prefer++] = (struct artifact){
                        .kind = ARTIFACT_CONDA, .name = first, .version = version, .build = word(&line)
                };
        } else if (!sv_is(key, "@newer") || !time_of(first, &s->o.exclude_newer)) {
                return err_set(e, ERR_USAGE, "%s: '%.*s' is no directive", s->path, SV_ARG(key));
        }
        return 0;
}

static int story_read(struct story *s, struct err *e)
{
        sv rest, line;

        if (fs_read(s->path, &s->text, e) < 0)
                return -(int)e->code;
        s->memory.a = &s->arena;
        s->o.channel = s->channel;
        s->o.virtual_ = s->virtual_;
        for (rest = buf_sv(&s->text); sv_line(&rest, &line);) {
                if (sv_starts(line, SV("@expect"))) {
                        s->kind = sv_trim(sv_skip(line, strlen("@expect")));
                        s->expect = rest;
                        return 0;
                }
                if (sv_starts(line, SV("@want")))
                        wants_read(s, sv_trim(sv_skip(line, strlen("@want"))));
                else if (line.n && line.p[0] != '#' &&
                         (line.p[0] == '@' ? directive_read(s, line, e) : record_read(s, line, e)) < 0)
                        return -(int)e->code;
        }
        return err_set(e, ERR_USAGE, "%s: no @expect", s->path);
}

/* ---- running ---- */

static void show_faults(const struct diags *ds, struct buf *out)
{
        for (size_t i = 0; i < ds->n; i++) {
                const struct diag *d = &ds->v[i];
                buf_fmt(out, "%.*s:%u:%u: [%s] %.*s\n", SV_ARG(d->file), d->line, d->col, d->code, SV_ARG(d->text));
                if (d->hint.n)
                        buf_fmt(out, "  hint: %.*s\n", SV_ARG(d->hint));
        }
}

static int solve(struct story *s, const struct resolve_want *want, size_t n, struct buf *out, const char **ret_kind,
                 struct err *e)
{
        AUTO(err_done) struct err why = { 0 };
        struct catalog *c = conda_catalog(s->c);
        struct term prefer[MAX_LIST];
        struct resolve_opts o = { .order = ORDER_CEILING, .prefer = prefer };
        struct resolution *r = NULL;
        int got;

        for (size_t i = 0; i < s->n_prefer; i++)
                o.n_prefer += conda_prefer(s->c, &s->prefer[i], &prefer[o.n_prefer], e);
        got = resolve(c, want, n, &o, NULL, &s->arena, &r, &why);
        *ret_kind = got == 0 ? "" : "conflict";
        if (got == -(int)ERR_CONFLICT)
                return explain(c, want, n, &o, NULL, r, out, e);
        if (got < 0)
                return err_move(e, &why);
        for (size_t i = 0; i < r->n; i++) {
                const struct conda_record *rec = conda_record_of(s->c, &r->pick[i]);
                if (!rec)
                        continue;
                c->ops->cand_text(c, r->pick[i].name, r->pick[i].cand, out);
                if (s->o.n_channel > 1)
                        buf_fmt(out, " from %.*s", SV_ARG(s->channel[rec->channel_no].name));
                buf_byte(out, '\n');
        }
        return 0;
}

static int run(struct story *s, struct buf *out, const char **ret_kind, struct err *e)
{
        AUTO(diags_done) struct diags ds = { 0 };
        struct resolve_want *want;
        size_t n;

        if (conda_open(&s->o, conda_memory_source(&s->memory), NULL, &s->c, e) < 0)
                return -(int)e->code;
        if (conda_wants(s->c, s->spec, s->n_spec, &s->arena, &ds, &want, &n, e) == 0)
                return solve(s, want, n, out, ret_kind, e);
        if (ds.n == 0)
                return -(int)e->code;
        err_done(e);
        *ret_kind = "fault";
        show_faults(&ds, out);
        return 0;
}

static bool story_run(const char *path, bool show)
{
        AUTO(err_done) struct err e = { 0 };
        AUTO(story_done) struct story s = { .path = path, .text = BUF_INIT(1 << 20) };
        AUTO(buf_done) struct buf out = BUF_INIT(1 << 20);
        const char *kind = "";

        if (story_read(&s, &e) < 0 || run(&s, &out, &kind, &e) < 0) {
                printf("%s: %s\n", path, e.cause);
                return false;
        }
        return story_judge(path, show, s.kind, s.expect, kind, &out);
}

int main(int argc, char **argv)
{
        return stories_main(argc, argv, story_run);
}
