#include "cli/runs.h"

#include <stdio.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "cli/run_cli.h"
#include "image/origin.h"
#include "pkg/pyname.h"

int runs_context(struct app *app, struct run_ctx *ret, struct err *e)
{
        *ret = (struct run_ctx){ 0 };
        if (run_context(app, ret, e) == 0)
                return 0;
        if (!ret->store || e->code != ERR_NOT_FOUND)
                return -(int)e->code;
        err_done(e);
        return 0;
}

int runs_one(struct app *app, struct run_ctx *c, int argc, char **argv, struct run_record **ret, struct err *e)
{
        if (argc != 1) {
                err_set(e, ERR_USAGE, argc ? "one run at a time, not '%s' too" : "the name of a run is missing",
                        argc ? argv[1] : "");
                err_hint(e, "envbuild runs list shows those there are; @latest is the last one");
                return -(int)e->code;
        }
        if (runs_context(app, c, e) < 0)
                return -(int)e->code;
        return run_record_find(c, &app->arena, sv_from(argv[0]), ret, e);
}

int runs_target(struct app *app, struct run_ctx *c, struct run_record *r, struct run_profile *p, struct run *ret,
                struct err *e)
{
        if (run_profile_of(c, &app->arena, r, p, e) < 0)
                return -(int)e->code;
        *ret = (struct run){ c, &app->arena, r, p };
        return 0;
}

void runs_put(struct buf *out, sv text, bool lines)
{
        for (size_t i = 0; i < text.n; i++) {
                char c = text.p[i];
                bool shown = (unsigned char)c >= ' ' && c != 0x7f;
                buf_byte(out, shown || (lines && (c == '\n' || c == '\t')) ? c : '?');
        }
}

const char *runs_span(int64_t us, char ret[static 24])
{
        long long s = us / 1000000;

        if (us <= 0)
                ret[0] = '\0';
        else if (s < 60)
                snprintf(ret, 24, "%lld.%lld s", s, (long long)(us / 100000 % 10));
        else if (s < 3600)
                snprintf(ret, 24, "%lld min %02lld s", s / 60, s % 60);
        else if (s < 86400)
                snprintf(ret, 24, "%lld h %02lld min", s / 3600, s / 60 % 60);
        else
                snprintf(ret, 24, "%lld d %02lld h", s / 86400, s / 3600 % 24);
        return ret;
}

const char *runs_date(int64_t us, char ret[static 24])
{
        time_format(us / 1000000, ret);
        ret[10] = ' ';
        ret[19] = '\0'; /* without its Z: all times are UTC */
        return ret;
}

const struct run_rank *runs_bad_rank(const struct run_record *r, const struct run_rank *v, size_t n, unsigned *ret_rank)
{
        *ret_rank = r->status.first_bad_rank > 0 ? (unsigned)r->status.first_bad_rank : 0;
        for (size_t i = 0; i < n; i++)
                if (v[i].rank == *ret_rank)
                        return &v[i];
        return NULL;
}

/* --- advice */

struct lock_arg {
        struct arena *a;
        const struct lock *lock;
};

static bool lock_has(void *arg, sv distribution, sv *ret_version)
{
        struct lock_arg *l = arg;
        sv want = pyname_normalise(l->a, distribution);

        for (size_t i = 0; i < l->lock->n_platform; i++) {
                const struct lock_platform *p = &l->lock->platform[i];
                for (size_t k = 0; k < p->n_artifact; k++)
                        if (sv_eq(pyname_normalise(l->a, p->artifact[k].name), want)) {
                                *ret_version = p->artifact[k].version;
                                return true;
                        }
        }
        return false;
}

/* The lock its image was made from, when this store made it. */
static const struct lock *lock_of(struct app *app, const struct run_record *r)
{
        AUTO(diags_done) struct diags faults = { 0 };
        AUTO(err_done) struct err ignored = { 0 };
        ptrdiff_t at = sv_rfind(r->image, '@');
        struct origin o;
        struct lock *l;
        sha256 d;

        if (at < 0 || !sha256_read(sv_skip(r->image, (size_t)at + 1), &d) ||
            origin_find(&app->image, &d, &app->arena, &o, &ignored) < 0 ||
            lock_parse(&app->arena, o.lock.text, o.lock.name, &faults, &l, &ignored) < 0)
                return NULL;
        return l;
}

void runs_advise(struct app *app, const struct run_record *r, const struct run_rank *k, sv log, struct run_advice **ret,
                 size_t *ret_n)
{
        struct lock_arg arg = { &app->arena, lock_of(app, r) };
        struct run_lock_view view = { &arg, arg.lock ? lock_has : NULL };

        run_advise(&app->arena, r, k, log, &view, ret, ret_n);
}
