/* run/supervise/launch.c - submit/launch.json. */
#include <limits.h>

#include "base/cleanup.h"
#include "ext/json.h"
#include "run/supervise/supervise_priv.h"

#define NAME "submit/launch.json"

static size_t count(const char *const *v)
{
        size_t n = 0;

        while (v && v[n])
                n++;
        return n;
}

static struct js *words(struct arena *a, const char *const *v)
{
        return run_js_words(a, v, count(v));
}

static struct js *launcher_doc(struct arena *a, const struct run_launcher *l)
{
        struct js *o = js_new_obj(a);

        js_put_int(a, o, "rank", l->rank);
        js_put(a, o, SV("argv"), words(a, l->argv));
        js_put(a, o, SV("env"), words(a, l->env));
        js_put_str(a, o, "dir", sv_from(l->dir ? l->dir : "/"));
        if (l->wait)
                js_put(a, o, SV("wait"), words(a, l->wait));
        return o;
}

int run_launch_write(const struct run_record *r, const struct run_launch *l, struct err *e)
{
        AUTO(arena_done) struct arena a = { 0 };
        struct js *doc = js_new_obj(&a), *all = js_new_arr(&a), *before = js_new_arr(&a);
        const char **at = l->before;

        for (size_t i = 0; i < l->n; i++)
                js_add(&a, all, launcher_doc(&a, &l->v[i]));
        for (size_t i = 0; i < l->n_before; i++) {
                js_add(&a, before, words(&a, at));
                at += count(at) + 1;
        }
        js_put(&a, doc, SV("launchers"), all);
        js_put(&a, doc, SV("before"), before);
        if (l->stop)
                js_put(&a, doc, SV("stop"), words(&a, l->stop));
        js_put(&a, doc, SV("signals"), js_new_bool(&a, l->signals));
        return run_js_save(run_path(&a, r, NAME).p, doc, e);
}

static bool read_launcher(struct arena *a, const struct js *j, struct run_launcher *ret)
{
        const struct js *wait = js_get(j, "wait");
        int64_t rank;
        sv dir = js_get_str(j, "dir");
        size_t n;

        if (!js_int(js_get(j, "rank"), &rank) || rank < -1 || rank > INT_MAX || !dir.n || dir.p[0] != '/' ||
            sv_find(dir, '\0') >= 0 || !run_js_argv(a, js_get(j, "argv"), &ret->argv, &n) || n == 0 ||
            !run_js_argv(a, js_get(j, "env"), &ret->env, NULL) ||
            (wait && (!run_js_argv(a, wait, &ret->wait, &n) || n == 0)))
                return false;
        ret->rank = (int)rank;
        ret->dir = arena_str(a, dir);
        return true;
}

static bool read_before(struct arena *a, const struct js *j, struct run_launch *ret)
{
        size_t n = 0, at = 0;

        for (size_t i = 0; i < j->n; i++)
                n += j->v[i].value->n + 1;
        ret->before = arena_array(a, const char *, n + 1);
        ret->n_before = j->n;
        for (size_t i = 0; i < j->n; i++) {
                const char **v;
                size_t m;
                if (!run_js_argv(a, j->v[i].value, &v, &m) || m == 0)
                        return false;
                for (size_t k = 0; k <= m; k++)
                        ret->before[at++] = v[k];
        }
        return true;
}

bool run_launch_parse(struct arena *a, const struct js *doc, struct run_launch *ret)
{
        const struct js *all = js_get(doc, "launchers"), *before = js_get(doc, "before"), *stop = js_get(doc, "stop");
        size_t n = 1;

        if (!all || all->type != JS_ARR || all->n == 0 || !before || before->type != JS_ARR)
                return false;
        ret->v = arena_array(a, struct run_launcher, all->n);
        ret->n = all->n;
        for (size_t i = 0; i < all->n; i++)
                if (!read_launcher(a, all->v[i].value, &ret->v[i]))
                        return false;
        ret->signals = js_true(js_get(doc, "signals"));
        return read_before(a, before, ret) && (!stop || (run_js_argv(a, stop, &ret->stop, &n) && n));
}

int run_launch_read(struct arena *a, const struct run_record *r, struct run_launch *ret, struct err *e)
{
        sv path = run_path(a, r, NAME);
        struct run_launch l = { 0 };
        struct js *doc;

        if (run_js_load(a, path.p, &doc, e) < 0)
                return -(int)e->code;
        if (!run_launch_parse(a, doc, &l))
                return err_set(e, ERR_INTEGRITY, "'%s' does not say what to start", path.p);
        *ret = l;
        return 0;
}
