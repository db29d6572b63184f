/* What goes where: places, names and sets of a prewarm. Nothing is asked of a network here. */
#include <stdlib.h>

#include "base/cleanup.h"
#include "image/curated.h"
#include "image/prewarm.h"
#include "image/prewarm_priv.h"
#include "oci/reference.h"

struct prewarm_fault prewarm_fault_of(struct arena *a, struct err *e)
{
        struct prewarm_fault f = { .code = e->code,
                                   .cause = arena_sv(a, sv_from(e->cause)),
                                   .trail = arena_sv(a, sv_from(e->trail)),
                                   .hint = arena_sv(a, sv_from(e->hint)) };

        err_done(e);
        return f;
}

/* --- places */

static int not_a_place(sv text, struct err *e)
{
        err_set(e, ERR_USAGE, "'%.*s' is no registry", SV_ARG(text));
        err_hint(e, "--to takes HOST[:PORT][/PATH], as in localhost:5000 or docker.io/USER, or containers-storage:, "
                    "docker-daemon:, containerd:");
        return -(int)e->code;
}

int prewarm_place_read(struct arena *a, sv text, struct prewarm_place *ret, struct err *e)
{
        struct prewarm_place p = { .text = arena_sv(a, text) };
        struct reference r;
        const char *why;

        p.local = local_store_is(p.text, &p.kind, &p.prefix);
        if (!p.local)
                p.prefix = p.text;
        while (p.prefix.n && p.prefix.p[p.prefix.n - 1] == '/')
                p.prefix.n--;
        if (p.prefix.n == 0 && !p.local)
                return not_a_place(text, e);
        if (p.prefix.n && (!reference_parse(a, arena_fmt(a, "%.*s/x", SV_ARG(p.prefix)), true, &r, &why) ||
                           r.registry.n == 0 || r.tag.n || r.has_digest))
                return not_a_place(text, e);
        *ret = p;
        return 0;
}

int prewarm_name(struct arena *a, const struct prewarm_place *p, sv name, sv tag, sv *ret, struct err *e)
{
        sv repository = p->prefix.n ? arena_fmt(a, "%.*s/%.*s", SV_ARG(p->prefix), SV_ARG(name))
                                    : local_store_repository(p->kind, name, a);
        sv text = arena_fmt(a, "%.*s:%.*s", SV_ARG(repository), SV_ARG(tag));
        struct reference r;
        const char *why = "";

        if (!reference_parse(a, text, true, &r, &why))
                return err_set(e, ERR_USAGE, "'%.*s' cannot be the name of an image: %s", SV_ARG(text), why);
        *ret = text;
        return 0;
}

/* --- sets */

struct sets {
        struct arena *a;
        struct prewarm_set *v;
        size_t n, cap;
        struct map seen; /* real paths */
};

static bool is_definition_name(sv name)
{
        return sv_ends(name, SV(".yml")) || sv_ends(name, SV(".yaml"));
}

static struct prewarm_set *add(struct sets *s, sv what, sv file)
{
        AUTO(free_ptr) char *real = realpath(file.p, NULL);
        sv key = arena_sv(s->a, real ? sv_from(real) : file);
        struct prewarm_set *one;

        if (map_get(&s->seen, key))
                return NULL;
        map_put(&s->seen, s->a, key, s); /* any value */
        one = arena_push(s->a, s->v, s->n, s->cap);
        *one = (struct prewarm_set){ .what = what, .file = file };
        return one;
}

static void add_fault(struct sets *s, sv what, struct err *e)
{
        struct prewarm_set *one = arena_push(s->a, s->v, s->n, s->cap);

        *one = (struct prewarm_set){ .what = what, .fault = prewarm_fault_of(s->a, e) };
}

/* A lock that stands alone is a set; one beside its definition belongs to that. What cannot be read is told when it is used. */
static bool has_definition(struct sets *s, sv dir, sv file)
{
        AUTO(buf_done) struct buf text = BUF_INIT(LOCK_MAX);
        AUTO(err_done) struct err ignored = { 0 };
        AUTO(diags_done) struct diags ds = { 0 };
        struct lock *l = NULL;

        return fs_read(file.p, &text, &ignored) == 0 &&
               lock_parse(s->a, arena_sv(s->a, buf_sv(&text)), file, &ds, &l, &ignored) == 0 && l->definition.n &&
               fs_exists(arena_fmt(s->a, "%.*s/%.*s", SV_ARG(dir), SV_ARG(l->definition)).p);
}

static bool add_subfolder(struct sets *s, sv dir)
{
        static const char *const names[] = { "env.yml", "environment.yml", "env.yaml", "environment.yaml" };

        for (size_t i = 0; i < ARRAY_LEN(names); i++) {
                sv file = arena_fmt(s->a, "%.*s/%s", SV_ARG(dir), names[i]);
                if (fs_exists(file.p)) {
                        add(s, file, file);
                        return true;
                }
        }
        return false;
}

static int add_folder(struct sets *s, sv dir, struct err *e)
{
        AUTO(free_ptr) char **names = NULL;
        size_t n = 0, found = 0;

        if (fs_list(dir.p, &names, &n, e) < 0)
                return -(int)e->code;
        for (size_t i = 0; i < n; i++) {
                sv file = arena_fmt(s->a, "%.*s/%s", SV_ARG(dir), names[i]);
                if (fs_is_dir(file.p)) {
                        found += add_subfolder(s, file);
                } else if (is_definition_name(file) || (sv_ends(file, SV(".lock")) && !has_definition(s, dir, file))) {
                        add(s, file, file);
                        found++;
                }
        }
        if (found)
                return 0;
        err_set(e, ERR_USAGE, "the folder '%.*s' holds no definition", SV_ARG(dir));
        err_hint(e, "definitions there are *.yml, *.lock, or */env.yml");
        return -(int)e->code;
}

static int add_curated(struct sets *s, sv word, sv name, struct err *e)
{
        struct prewarm_set *one;
        struct curated_set c;

        if (curated_find(s->a, name, &c, e) < 0)
                return -(int)e->code;
        one = add(s, word, c.file);
        if (one)
                one->curated = true;
        return 0;
}

static int add_word(struct sets *s, sv word, struct err *e)
{
        bool folder = fs_is_dir(word.p);
        sv name, dir = word;

        if (curated_is_name(word, &name) && (folder || !fs_exists(word.p)))
                return add_curated(s, word, name, e);
        while (folder && dir.n > 1 && dir.p[dir.n - 1] == '/')
                dir.n--;
        if (folder)
                return add_folder(s, arena_sv(s->a, dir), e);
        if (!fs_exists(word.p)) {
                err_set(e, ERR_NOT_FOUND, "there is no definition '%.*s'", SV_ARG(word));
                err_hint(e, "a set is a definition, a lock, a folder of them, or curated/NAME (envbuild curated list)");
                return -(int)e->code;
        }
        add(s, word, word);
        return 0;
}

void prewarm_sets(struct arena *a, const sv *word, size_t n, struct prewarm_set **ret, size_t *ret_n)
{
        struct sets s = { .a = a };

        for (size_t i = 0; i < n; i++) {
                struct err e = { 0 };
                sv text = arena_sv(a, word[i]);

                if (add_word(&s, text, &e) < 0)
                        add_fault(&s, text, &e);
        }
        *ret = s.v;
        *ret_n = s.n;
}
