#include "run/code/ignore.h"

#include <string.h>

#include "run/code/wildmatch.h"

/* A pattern as git takes it apart: the part before the first wildcard is compared as it is, what remains by wildmatch. It matters: a '**'
 * where what remains begins counts as one that stands behind a slash, so that `foo**` + `/bar` is foo, anything, bar. */
struct pattern {
        bool back;             /* '!': it brings back */
        bool dir_only;         /* 'x/' */
        bool base;             /* no slash: it is about names, wherever they are */
        bool tail;             /* '*.pyc': a literal end */
        sv literal;            /* before the first wildcard, or the literal end */
        struct run_wild *wild; /* NULL: nothing remains */
};
struct file {
        sv dir;
        struct pattern *v;
        size_t n, cap;
};
struct run_ignore {
        struct arena *arena;
        struct file *v;
        size_t n, cap;
};

struct run_ignore *run_ignore_new(struct arena *a)
{
        struct run_ignore *g = arena_new(a, struct run_ignore);

        g->arena = a;
        return g;
}

/* Blanks at the end go, unless the first of them has a backslash before it; a backslash takes the next byte along. */
static sv trim(sv s)
{
        size_t keep = s.n;
        bool blank = false;

        for (size_t i = 0; i < s.n; i++) {
                if (s.p[i] == ' ') {
                        if (!blank)
                                keep = i;
                        blank = true;
                        continue;
                }
                if (s.p[i] == '\\' && ++i == s.n)
                        return s;
                blank = false;
        }
        return blank ? sv_from_to(s, 0, keep) : s;
}

static size_t literal_length(sv s)
{
        size_t n = 0;

        while (n < s.n && !strchr("*?[\\", s.p[n]))
                n++;
        return n;
}

static struct pattern read_pattern(struct arena *a, sv s)
{
        struct pattern p = { .back = s.n && s.p[0] == '!' };
        sv rest;

        s = sv_skip(s, p.back);
        p.dir_only = s.n && s.p[s.n - 1] == '/';
        s.n -= p.dir_only;
        p.base = sv_find(s, '/') < 0;
        if (p.base && s.n && s.p[0] == '*' && literal_length(sv_skip(s, 1)) == s.n - 1) {
                p.tail = true;
                p.literal = sv_skip(s, 1);
                return p;
        }
        if (!p.base && s.p[0] == '/')
                s = sv_skip(s, 1);
        p.literal = sv_from_to(s, 0, literal_length(s));
        rest = sv_skip(s, p.literal.n);
        if (!rest.n)
                return p;
        if (p.base) { /* names are short: the whole of it */
                p.wild = run_wild_new(a, s, false);
                p.literal.n = 0;
        } else
                p.wild = run_wild_new(a, rest, true);
        return p;
}

/* A line as C text, as git has it: it ends at a NUL. */
static sv until_nul(sv s)
{
        ptrdiff_t nul = sv_find(s, '\0');

        return nul < 0 ? s : sv_from_to(s, 0, (size_t)nul);
}

void run_ignore_add(struct run_ignore *g, sv dir, sv text)
{
        struct file *f = arena_push(g->arena, g->v, g->n, g->cap);

        *f = (struct file){ .dir = dir };
        if (sv_starts(text, SV("\xef\xbb\xbf")))
                text = sv_skip(text, 3);
        while (text.n) {
                ptrdiff_t end = sv_find(text, '\n');
                sv line = end < 0 ? text : sv_from_to(text, 0, (size_t)end);
                text = sv_skip(text, line.n + 1);
                if (!line.n || line.p[0] == '#')
                        continue;
                line.n -= line.p[line.n - 1] == '\r';
                line = trim(until_nul(line));
                if (line.n)
                        *arena_push(g->arena, f->v, f->n, f->cap) = read_pattern(g->arena, line);
        }
}

size_t run_ignore_depth(const struct run_ignore *g)
{
        return g->n;
}

void run_ignore_cut(struct run_ignore *g, size_t depth)
{
        g->n = depth < g->n ? depth : g->n;
}

static bool matches(const struct pattern *p, sv path, sv name)
{
        sv s = p->base ? name : path;

        if (p->tail)
                return sv_ends(s, p->literal);
        if (!p->wild)
                return sv_eq(s, p->literal);
        return sv_starts(s, p->literal) && run_wild_match(p->wild, sv_skip(s, p->literal.n));
}

/* The path as the file sees it; false: the file stands elsewhere. */
static bool below(const struct file *f, sv path, sv *ret)
{
        if (!f->dir.n) {
                *ret = path;
                return true;
        }
        if (path.n <= f->dir.n + 1 || path.p[f->dir.n] != '/' || !sv_starts(path, f->dir))
                return false;
        *ret = sv_skip(path, f->dir.n + 1);
        return true;
}

bool run_ignore_match(const struct run_ignore *g, sv path, bool is_dir)
{
        sv name = sv_basename(path), rest;

        for (size_t i = g->n; i-- > 0;) {
                const struct file *f = &g->v[i];
                if (!below(f, path, &rest))
                        continue;
                for (size_t k = f->n; k-- > 0;)
                        if ((is_dir || !f->v[k].dir_only) && matches(&f->v[k], rest, name))
                                return !f->v[k].back;
        }
        return false;
}
