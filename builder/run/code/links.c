/* Links that lead out of the folder, as the kernel would follow them: links on the way included, since `a -> ..` is harmless in a folder one deep
 * but makes `a/..` of another link leave. What is not in the list will not be there either: it is taken for a folder. */
#include <string.h>

#include "run/code/list.h"

#define FOLLOW_MAX 40 /* the kernel's own: then it is a ring, which leads nowhere */

struct walk {
        const struct run_snapshot *s;
        char at[RUN_PATH_MAX * 2]; /* where we are, below the root; n 0: the root */
        size_t n;
        unsigned followed;
};

static bool leave(struct walk *w, sv target);

static bool go_up(struct walk *w)
{
        ptrdiff_t slash = sv_rfind((sv){ w->at, w->n }, '/');

        if (!w->n)
                return false;
        w->n = slash < 0 ? 0 : (size_t)slash;
        return true;
}

/* True: it leaves. */
static bool step(struct walk *w, sv part)
{
        const struct run_file *f;
        size_t before = w->n;

        if (!part.n || sv_is(part, "."))
                return false;
        if (sv_is(part, ".."))
                return !go_up(w);
        if (w->n + part.n + 1 > sizeof(w->at))
                return false; /* longer than any path that can be opened */
        if (w->n)
                w->at[w->n++] = '/';
        memcpy(w->at + w->n, part.p, part.n);
        w->n += part.n;
        f = run_list_find(w->s, (sv){ w->at, w->n });
        if (!f || f->kind != RUN_FILE_LINK || ++w->followed > FOLLOW_MAX)
                return false;
        w->n = before;
        return leave(w, f->target);
}

static bool leave(struct walk *w, sv target)
{
        sv part;

        if (target.n && target.p[0] == '/')
                return true;
        while (w->followed <= FOLLOW_MAX && sv_cut(&target, '/', &part))
                if (step(w, part))
                        return true;
        return false;
}

const struct run_file *run_link_leaves(const struct run_snapshot *s, size_t *at)
{
        while (*at < s->n) {
                const struct run_file *f = &s->v[(*at)++];
                ptrdiff_t slash = sv_rfind(f->path, '/');
                struct walk w = { .s = s, .n = slash < 0 ? 0 : (size_t)slash };
                if (f->kind != RUN_FILE_LINK)
                        continue;
                memcpy(w.at, f->path.p, w.n);
                if (leave(&w, f->target))
                        return f;
        }
        return NULL;
}
