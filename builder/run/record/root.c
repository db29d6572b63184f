/* Where runs are kept. */
#include <stdlib.h>

#include "base/cleanup.h"
#include "run/job/profile.h"
#include "run/record/record_priv.h"

static sv home(struct arena *a)
{
        return arena_sv(a, sv_from(getenv("HOME")));
}

int run_root(struct arena *a, sv *ret, struct err *e)
{
        const char *dir = getenv("ENVBUILD_RUNS_DIR"), *data = getenv("XDG_DATA_HOME");

        if (dir && *dir && *dir != '/') {
                err_set(e, ERR_USAGE, "ENVBUILD_RUNS_DIR is '%s', which is no absolute path", dir);
                err_hint(e, "export ENVBUILD_RUNS_DIR=\"$PWD/%s\"", dir);
                return -(int)e->code;
        }
        if (dir && *dir) {
                *ret = arena_sv(a, sv_from(dir));
        } else if (data && *data == '/') {
                *ret = arena_fmt(a, "%s/envbuild/runs", data);
        } else if (home(a).n && home(a).p[0] == '/') {
                *ret = arena_fmt(a, "%s/.local/share/envbuild/runs", home(a).p);
        } else {
                err_set(e, ERR_USAGE, "it is not known where runs are kept: HOME is not set");
                err_hint(e, "export ENVBUILD_RUNS_DIR=/some/folder");
                return -(int)e->code;
        }
        while (ret->n > 1 && ret->p[ret->n - 1] == '/')
                *ret = arena_sv(a, sv_from_to(*ret, 0, ret->n - 1));
        return 0;
}

static sv without_slash(struct arena *a, sv path)
{
        if (sv_starts(path, SV("~/")))
                path = arena_fmt(a, "%.*s/%.*s", SV_ARG(home(a)), SV_ARG(sv_skip(path, 2)));
        while (path.n > 1 && path.p[path.n - 1] == '/')
                path.n--;
        return arena_sv(a, path);
}

int run_profile_root(struct arena *a, const struct run_profile *p, sv *ret, struct err *e)
{
        sv set = run_profile_str(p, "run_root", (sv){ 0 });

        if (set.n == 0)
                return run_root(a, ret, e);
        *ret = without_slash(a, set);
        if (ret->p[0] == '/')
                return 0;
        return err_set(e, ERR_USAGE, "%.*s: run_root is '%.*s', which is no absolute path", SV_ARG(p->file),
                       SV_ARG(set));
}

static bool among(const sv *v, size_t n, sv x)
{
        for (size_t i = 0; i < n; i++)
                if (sv_eq(v[i], x))
                        return true;
        return false;
}

int run_roots(struct run_ctx *c, struct arena *a, sv **ret, size_t *ret_n, struct err *e)
{
        AUTO(diags_done) struct diags faults = { 0 }; /* of profiles: whoever uses one is told */
        AUTO(err_done) struct err ignored = { 0 };
        struct run_profile *p = NULL;
        size_t n_p = 0, n = 0;
        sv *v, one;

        (void)c;
        if (run_root(a, &one, e) < 0)
                return -(int)e->code;
        if (run_profile_list(a, &faults, &p, &n_p, &ignored) < 0)
                n_p = 0;
        v = arena_array(a, sv, n_p + 1);
        v[n++] = one;
        for (size_t i = 0; i < n_p; i++) {
                one = without_slash(a, run_profile_str(&p[i], "run_root", (sv){ 0 }));
                if (one.n && one.p[0] == '/' && !among(v, n, one))
                        v[n++] = one;
        }
        *ret = v;
        *ret_n = n;
        return 0;
}
