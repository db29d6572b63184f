/* tests/cases/cases.c - runs the stories of the solver: `cases FILE…`; `cases --show FILE` prints what comes out instead.
 *     @index small.repo          an index beside the story, or its lines follow
 *     @want app lib<2            lines of env.yml, numbered as they come
 *     @limit lib<2               lines of constraints.txt
 *     @fixed numpy==1.26         what conda supplies
 *     @prefer lib==1             the old lock
 *     @options culprit breadth lowest lowest-direct pre conflicts=N changes=N
 *     @visited N                 how many candidates were asked for their relations
 *     @expect                    then the picks, one a line; or
 *     @expect conflict           then the exact text the user reads (`@expect limit`: when it was given up) */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "tests/cases/index.h"
#include "tests/cases/story.h"

enum { MAX_WANTS = 256 };

struct story {
        const char *path;
        struct buf text, index;
        struct arena arena;
        struct index *x;
        sv want, limit, fixed, prefer, expect, kind; /* the words and lines after the directives */
        struct resolve_opts o;
        struct resolve_want w[MAX_WANTS];
        struct term preferred[MAX_WANTS];
        size_t n;
        uint32_t changes;
        bool breadth;
        long visited;
};

static void story_done(struct story *s)
{
        if (s->x)
                catalog_free(index_catalog(s->x));
        buf_done(&s->text);
        buf_done(&s->index);
        arena_done(&s->arena);
}

/* ---- reading ---- */

static int options_read(struct story *s, sv words, struct err *e)
{
        sv word, key;

        while (sv_cut(&words, ' ', &word)) {
                uint64_t n = 0;
                sv value = word;
                sv_cut(&value, '=', &key);
                if (value.n && !sv_u64(value, &n))
                        return err_set(e, ERR_USAGE, "'%.*s' is no number", SV_ARG(value));
                if (sv_is(key, "culprit"))
                        s->o.order = ORDER_CULPRIT;
                else if (sv_is(key, "breadth"))
                        s->breadth = true;
                else if (sv_is(key, "lowest"))
                        s->o.lowest = true;
                else if (sv_is(key, "lowest-direct"))
                        s->o.lowest_direct = true;
                else if (sv_is(key, "pre"))
                        s->o.open = 1u << TIER_PRERELEASE;
                else if (sv_is(key, "conflicts"))
                        s->o.max_conflicts = (uint32_t)n;
                else if (sv_is(key, "bytes"))
                        s->o.max_bytes = n;
                else if (sv_is(key, "changes"))
                        s->changes = (uint32_t)n;
                else
                        return err_set(e, ERR_USAGE, "'%.*s' is no option", SV_ARG(word));
        }
        return 0;
}

static int index_read(struct story *s, sv file, struct err *e)
{
        sv path = sv_from(s->path), base = sv_basename(path);
        AUTO(free_ptr) char *beside = NULL;

        if (file.n == 0)
                return 0;
        beside = fs_path("%.*s%.*s", (int)(path.n - base.n), path.p, SV_ARG(file));
        return fs_read(beside, &s->index, e);
}

static int directive_read(struct story *s, sv line, struct err *e)
{
        struct {
                const char *word;
                sv *to;
        } lists[] = {
                { "@want", &s->want }, { "@limit", &s->limit }, { "@fixed", &s->fixed }, { "@prefer", &s->prefer }
        };
        sv word, n;

        sv_cut(&line, ' ', &word);
        for (size_t i = 0; i < ARRAY_LEN(lists); i++)
                if (sv_is(word, lists[i].word)) {
                        *lists[i].to = line;
                        return 0;
                }
        if (sv_is(word, "@index"))
                return index_read(s, line, e);
        if (sv_is(word, "@options"))
                return options_read(s, line, e);
        if (sv_is(word, "@visited")) {
                n = arena_sv(&s->arena, line);
                s->visited = strtol(n.p, NULL, 10);
                return 0;
        }
        return err_set(e, ERR_USAGE, "%s: '%.*s' is no directive", s->path, SV_ARG(word));
}

static int story_read(struct story *s, struct err *e)
{
        sv rest, line;

        if (fs_read(s->path, &s->text, e) < 0)
                return -(int)e->code;
        rest = buf_sv(&s->text);
        while (sv_line(&rest, &line)) {
                if (sv_starts(line, SV("@expect"))) {
                        s->kind = sv_trim(sv_skip(line, strlen("@expect")));
                        s->expect = rest;
                        return index_parse(buf_sv(&s->index), &s->x, e);
                }
                if (line.n && line.p[0] == '@') {
                        if (directive_read(s, line, e) < 0)
                                return -(int)e->code;
                } else {
                        buf_fmt(&s->index, "%.*s\n", SV_ARG(line));
                }
        }
        return err_set(e, ERR_USAGE, "%s: no @expect", s->path);
}

static int wants_add(struct story *s, sv words, const char *at, bool direct, struct err *e)
{
        sv word;

        for (int i = 1; sv_cut(&words, ' ', &word); i++) {
                const struct rel *r;
                if (s->n == MAX_WANTS)
                        return err_set(e, ERR_USAGE, "%s: too many wants", s->path);
                if (index_rel(s->x, word, arena_fmt(&s->arena, at, i), &r, e) < 0)
                        return -(int)e->code;
                s->w[s->n++] = (struct resolve_want){ *r, direct };
        }
        return 0;
}

static int wants_make(struct story *s, struct err *e)
{
        AUTO(buf_done) struct buf limits = BUF_INIT(1 << 16);
        sv word;

        for (sv rest = s->limit; sv_cut(&rest, ' ', &word);)
                buf_fmt(&limits, "!%.*s ", SV_ARG(word));
        if (wants_add(s, s->want, "env.yml:%d:5", true, e) < 0 ||
            wants_add(s, s->fixed, "conda.yml:%d:5", false, e) < 0 ||
            wants_add(s, sv_trim(arena_sv(&s->arena, buf_sv(&limits))), "constraints.txt:%d:1", false, e) < 0)
                return -(int)e->code;
        for (sv rest = s->prefer; sv_cut(&rest, ' ', &word);) {
                const struct rel *r;
                if (index_rel(s->x, word, SV("lock"), &r, e) < 0)
                        return -(int)e->code;
                s->preferred[s->o.n_prefer++] = r->term[0];
        }
        s->o.prefer = s->preferred;
        index_change(s->x, s->changes);
        index_catalog(s->x)->breadth = s->breadth;
        return 0;
}

/* ---- running ---- */

static int run(struct story *s, struct buf *out, const char **ret_kind, struct err *e)
{
        struct catalog *c = index_catalog(s->x);
        AUTO(err_done) struct err why = { 0 };
        struct resolution *r = NULL;
        int got = resolve(c, s->w, s->n, &s->o, NULL, &s->arena, &r, &why);

        *ret_kind = got == 0 ? "" : got == -(int)ERR_CONFLICT ? "conflict" : got == -(int)ERR_LIMIT ? "limit" : "error";
        if (s->visited >= 0 && r && (long)r->visited != s->visited)
                buf_fmt(out, "%u candidates were visited, not %ld\n", r->visited, s->visited);
        if (got < 0)
                return r ? explain(c, s->w, s->n, &s->o, NULL, r, out, e) : err_move(e, &why);
        for (size_t i = 0; i < r->n; i++) {
                c->ops->cand_text(c, r->pick[i].name, r->pick[i].cand, out);
                buf_byte(out, '\n');
        }
        return 0;
}

static bool story_run(const char *path, bool show)
{
        AUTO(err_done) struct err e = { 0 };
        AUTO(story_done) struct story s = {
                .path = path, .text = BUF_INIT(1 << 20), .index = BUF_INIT(8 << 20), .visited = -1
        };
        AUTO(buf_done) struct buf out = BUF_INIT(1 << 20);
        const char *kind = "";

        if (story_read(&s, &e) < 0 || wants_make(&s, &e) < 0 || run(&s, &out, &kind, &e) < 0) {
                printf("%s: %s\n", path, e.cause);
                return false;
        }
        return story_judge(path, show, s.kind, s.expect, kind, &out);
}

int main(int argc, char **argv)
{
        return stories_main(argc, argv, story_run);
}
