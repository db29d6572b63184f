/* tests/cases/spec.c - stories about definitions: `cases_spec FOLDER` runs each *.case in it. A case is
 *   @file NAME …lines…     what the definition may read (any number)
 *   @env NAME=VALUE        what ${NAME} is
 *   @load NAME…            the files given on the command line
 *   @expect …lines…        to the letter what the user reads: every diagnostic
 *   @request …a line…      then, when the definition is good: the canonical JSON of what was understood
 * "\@" at the beginning of a line of a file stands for "@". With --write the expectations are written anew, to be read in the diff. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/diag_print.h"
#include "base/fs.h"
#include "spec/spec.h"

#define MANY 16

struct story {
        struct {
                sv name, text;
        } file[MANY];
        sv env[MANY], load[MANY], expect, request;
        size_t n_file, n_env, n_load;
        struct arena arena;
};

static int read_file(void *arg, sv path, struct buf *ret, struct err *e)
{
        const struct story *s = arg;

        for (size_t i = 0; i < s->n_file; i++)
                if (sv_eq(s->file[i].name, path)) {
                        buf_add(ret, s->file[i].text);
                        return 0;
                }
        return err_set(e, ERR_NOT_FOUND, "cannot read '%.*s': No such file or directory", SV_ARG(path));
}

static bool read_env(void *arg, sv name, sv *ret)
{
        const struct story *s = arg;

        for (size_t i = 0; i < s->n_env; i++)
                if (sv_starts(s->env[i], name) && s->env[i].n > name.n && s->env[i].p[name.n] == '=') {
                        *ret = sv_skip(s->env[i], name.n + 1);
                        return true;
                }
        return false;
}

/* The lines up to the next that begins with '@', with "\@" unescaped. */
static sv section(struct story *s, sv *rest)
{
        struct buf b = BUF_INIT(1 << 20);
        sv line, text;

        while (rest->n && rest->p[0] != '@' && sv_cut(rest, '\n', &line)) {
                buf_add(&b, sv_starts(line, SV("\\@")) ? sv_skip(line, 1) : line);
                buf_byte(&b, '\n');
        }
        text = arena_sv(&s->arena, buf_sv(&b));
        buf_done(&b);
        return text;
}

static void words(sv line, sv *v, size_t *n)
{
        sv word;

        while (sv_cut(&line, ' ', &word))
                if (word.n && *n < MANY)
                        v[(*n)++] = word;
}

static bool read_story(struct story *s, sv text)
{
        sv line, word;

        section(s, &text); /* what stands before the first '@' is for people */
        while (sv_cut(&text, '\n', &line)) {
                sv_cut(&line, ' ', &word);
                if (sv_is(word, "@file") && s->n_file < MANY) {
                        s->file[s->n_file].name = line;
                        s->file[s->n_file++].text = section(s, &text);
                } else if (sv_is(word, "@env") && s->n_env < MANY) {
                        s->env[s->n_env++] = line;
                } else if (sv_is(word, "@load")) {
                        words(line, s->load, &s->n_load);
                } else if (sv_is(word, "@expect")) {
                        s->expect = section(s, &text);
                } else if (sv_is(word, "@request")) {
                        s->request = section(s, &text);
                } else {
                        return false;
                }
        }
        return s->n_load > 0;
}

static void run_story(struct story *s, struct buf *diags, struct buf *request)
{
        AUTO(diags_done) struct diags ds = { 0 };
        AUTO(err_done) struct err e = { 0 };
        struct spec_io io = { s, read_file, read_env };
        static const struct conda_channel_settings settings = { .cwd = { "/here", 5 }, .home = { "/home/me", 8 } };
        struct spec *spec;

        if (spec_load(&s->arena, s->load, s->n_load, &io, &ds, &spec, &e) == 0 &&
            (spec->conda_settings = &settings) != NULL && spec_finish(&s->arena, spec, &io, &ds, &e) == 0) {
                spec_write_request(spec, request);
                buf_byte(request, '\n');
        }
        diag_write(&ds, false, diags);
        if (e.code && e.code != ERR_USAGE)
                buf_fmt(diags, "%s\n", e.cause);
}

/* The case with its expectations replaced. */
static int write_story(const char *path, sv text, const struct buf *diags, const struct buf *request, struct err *e)
{
        AUTO(buf_done) struct buf out = BUF_INIT(1 << 22);
        ptrdiff_t at = sv_find_sv(text, SV("@expect\n"));

        buf_add(&out, at < 0 ? text : (sv){ text.p, (size_t)at });
        buf_add(&out, SV("@expect\n"));
        buf_add(&out, buf_sv(diags));
        if (request->n) {
                buf_add(&out, SV("@request\n"));
                buf_add(&out, buf_sv(request));
        }
        return fs_write(path, buf_sv(&out), 0644, e);
}

static bool one(const char *path, bool rewrite)
{
        AUTO(buf_done) struct buf text = BUF_INIT(1 << 20), diags = BUF_INIT(1 << 20), request = BUF_INIT(1 << 20);
        AUTO(err_done) struct err e = { 0 };
        struct story s = { 0 };
        bool ok;

        if (fs_read(path, &text, &e) < 0 || !read_story(&s, buf_sv(&text))) {
                printf("%s: %s\n", path, e.cause ? e.cause : "not a story");
                arena_done(&s.arena);
                return false;
        }
        run_story(&s, &diags, &request);
        ok = sv_eq(s.expect, buf_sv(&diags)) && sv_eq(s.request, buf_sv(&request));
        if (!ok && rewrite)
                ok = write_story(path, buf_sv(&text), &diags, &request, &e) == 0;
        else if (!ok)
                printf("%s: expected\n%.*s%.*sbut got\n%.*s%.*s\n", path, SV_ARG(s.expect), SV_ARG(s.request),
                       SV_ARG(buf_sv(&diags)), SV_ARG(buf_sv(&request)));
        arena_done(&s.arena);
        return ok;
}

int main(int argc, char **argv)
{
        AUTO(free_ptr) char **names = NULL;
        AUTO(err_done) struct err e = { 0 };
        bool rewrite = argc == 3 && strcmp(argv[1], "--write") == 0;
        size_t n = 0, bad = 0, ran = 0;

        if (argc != 2 + rewrite || fs_list(argv[argc - 1], &names, &n, &e) < 0) {
                fprintf(stderr, "%s\n", e.cause ? e.cause : "usage: cases_spec [--write] FOLDER");
                return 2;
        }
        for (size_t i = 0; i < n; i++) {
                AUTO(free_ptr) char *path = fs_path("%s/%s", argv[argc - 1], names[i]);
                if (!sv_ends(sv_from(path), SV(".case")))
                        continue;
                ran++;
                bad += !one(path, rewrite);
        }
        printf("%zu passed, %zu failed\n", ran - bad, bad);
        return bad || ran == 0;
}
