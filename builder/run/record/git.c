/* Which commit a source is of, as Azure ML records it. git is asked, never written to; a repository's settings run no program. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/proc.h"
#include "run/record/record_priv.h"

enum { LIMIT_MS = 10000, ANSWER_MAX = 65536 };

struct asker {
        struct arena *a;
        const char *dir;
        struct op *op;
        const char **env;
        int64_t until; /* clock_ms */
};

/* Ours, without what names another repository, and what keeps git from asking or writing. */
static const char **environment(struct arena *a)
{
        static const char *const drop[] = { "GIT_DIR=",   "GIT_WORK_TREE=", "GIT_INDEX_FILE=", "GIT_COMMON_DIR=",
                                            "GIT_TRACE=", "LC_ALL=",        "LANGUAGE=" };
        static const char *const more[] = { "LC_ALL=C", "GIT_OPTIONAL_LOCKS=0", "GIT_TERMINAL_PROMPT=0" };
        size_t n = 0, k = 0;
        const char **v;

        while (environ[n])
                n++;
        v = arena_array(a, const char *, n + ARRAY_LEN(more) + 1);
        for (size_t i = 0; i < n; i++) {
                bool kept = true;
                for (size_t d = 0; d < ARRAY_LEN(drop); d++)
                        kept &= strncmp(environ[i], drop[d], strlen(drop[d])) != 0;
                if (kept)
                        v[k++] = environ[i];
        }
        for (size_t i = 0; i < ARRAY_LEN(more); i++)
                v[k++] = more[i];
        return v;
}

/* git's exit status, or -code. Its answer without the line's end. ret_said: the first line of what it complained of. */
static int ask(struct asker *g, const char *const *words, sv *ret, sv *ret_said, struct err *e)
{
        AUTO(proc_result_done) struct proc_result res = { 0 };
        const char *argv[16] = { "git", "-c", "core.fsmonitor=false", "-C", g->dir };
        struct proc p = { .argv = argv, .env = g->env, .max_out = ANSWER_MAX, .max_err = ANSWER_MAX };
        int64_t left = g->until - clock_ms();
        sv rest, line = { 0 };

        for (size_t n = 5; *words; words++)
                argv[n++] = *words;
        if (left <= 0)
                return err_set(e, ERR_FAILED, "git took longer than 10 seconds");
        p.timeout_ms = left;
        if (proc_run(&p, g->op, &res, e) < 0)
                return -(int)e->code;
        *ret = arena_sv(g->a, sv_trim(buf_sv(&res.out)));
        rest = buf_sv(&res.err);
        sv_line(&rest, &line);
        *ret_said = arena_sv(g->a, sv_from_to(line, 0, 300));
        return res.status;
}

/* An answer that may be missing. */
static sv ask_or_none(struct asker *g, const char *const *words)
{
        AUTO(err_done) struct err ignored = { 0 };
        sv text, said;

        return ask(g, words, &text, &said, &ignored) == 0 ? text : (sv){ 0 };
}

/* "https://user:secret@host/x" → "https://host/x". "git@host:x" names no secret and stays. */
sv run_git_url(struct arena *a, sv url)
{
        ptrdiff_t scheme = sv_find_sv(url, SV("://")), at, end;
        sv host;

        if (scheme < 0)
                return url;
        host = sv_skip(url, (size_t)scheme + 3);
        end = sv_find(host, '/');
        at = sv_rfind(end < 0 ? host : sv_from_to(host, 0, (size_t)end), '@');
        if (at < 0)
                return url;
        return arena_fmt(a, "%.*s://%.*s", (int)scheme, url.p, SV_ARG(sv_skip(host, (size_t)at + 1)));
}

static sv why_not(struct arena *a, int status, sv said, const struct err *e)
{
        if (status == -ERR_NOT_FOUND)
                return SV("git is not installed");
        if (status < 0)
                return arena_sv(a, sv_from(e->cause));
        if (sv_find_sv(said, SV("dubious ownership")) >= 0)
                return SV("the repository belongs to another user, so git does not read it (git config --global --add "
                          "safe.directory)");
        if (sv_find_sv(said, SV("not a git repository")) >= 0 || !said.n)
                return SV("not in a git work tree");
        return said;
}

static bool look_dirty(struct asker *g, bool *ret)
{
        static const char *const words[] = { "status", "--porcelain", ".", NULL };
        AUTO(err_done) struct err why = { 0 };
        sv text, said;
        int k = ask(g, words, &text, &said, &why);

        *ret = k == -ERR_LIMIT || (k == 0 && text.n > 0);
        return k == 0 || k == -ERR_LIMIT;
}

void run_git_look(struct arena *a, const char *dir, struct op *op, struct run_git *ret)
{
        static const char *const inside[] = { "rev-parse", "--is-inside-work-tree", NULL };
        static const char *const remote[] = { "ls-remote", "--get-url", NULL };
        static const char *const branch[] = { "symbolic-ref", "--short", "-q", "HEAD", NULL };
        static const char *const commit[] = { "rev-parse", "-q", "--verify", "HEAD", NULL };
        AUTO(err_done) struct err why = { 0 };
        struct asker g = { a, dir, op, environment(a), clock_ms() + LIMIT_MS };
        sv text = { 0 }, said = { 0 };
        int k = ask(&g, inside, &text, &said, &why);

        *ret = (struct run_git){ 0 };
        if (k != 0 || !sv_is(text, "true")) {
                ret->note = why_not(a, k, said, &why);
                return;
        }
        ret->repository = run_git_url(a, ask_or_none(&g, remote));
        if (sv_is(ret->repository, "origin"))
                ret->repository = (sv){ 0 }; /* the name of a remote that there is not */
        ret->branch = ask_or_none(&g, branch);
        ret->commit = ask_or_none(&g, commit);
        ret->known = look_dirty(&g, &ret->dirty);
        if (!ret->known)
                ret->note = SV("git did not say in time whether anything was changed");
}
