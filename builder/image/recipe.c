/* A recipe of Debian packages as base, and apt: on top of it (design/debian.md): found, read, resolved. */

#include "base/cleanup.h"
#include "catalog/debian.h"
#include "image/image_priv.h"
#include "install/os.h"
#include "resolve/resolve.h"

/* --- resolving */

struct apt {
        struct image_ctx *c;
        struct arena *a;
        struct catalog_debian *cat;
};

static int solve(struct apt *s, const sv *text, const sv *at, size_t n, const struct artifact *fixed, size_t n_fixed,
                 struct artifact **ret, size_t *ret_n, struct err *e)
{
        struct resolve_opts opts = { .order = ORDER_CEILING };
        struct resolve_want *want = NULL;
        struct resolution *res = NULL;
        size_t n_want = 0;

        if (debian_wants(s->cat, text, at, n, fixed, n_fixed, s->a, &want, &n_want, e) < 0)
                return -(int)e->code;
        if (resolve(debian_catalog(s->cat), want, n_want, &opts, s->c->op, s->a, &res, e) < 0)
                return e->code == ERR_CONFLICT && res
                               ? conflict_explain(s->c, debian_catalog(s->cat), want, n_want, &opts, res, e)
                               : -(int)e->code;
        return debian_artifacts(s->cat, res, s->a, ret, ret_n, e);
}

static bool has_artifact(const struct artifact *v, size_t n, sv name)
{
        for (size_t i = 0; i < n; i++)
                if (sv_eq(v[i].name, name))
                        return true;
        return false;
}

/* The recipe alone, then apt: on top with the recipe's versions fixed: all environments of one Release date share the base's bytes. */
static int solve_both(struct apt *s, const struct recipe *r, const struct spec *spec, struct lock_platform *into,
                      struct err *e)
{
        struct artifact *base = NULL, *all = NULL;
        size_t n_base = 0, n_all = 0, n = r->n_package > spec->n_apt ? r->n_package : spec->n_apt;
        sv *text = arena_array(s->a, sv, n), *at = arena_array(s->a, sv, n);

        for (size_t i = 0; i < r->n_package; i++)
                at[i] = arena_fmt(s->a, "recipe %.*s", SV_ARG(r->name));
        if (solve(s, r->package, at, r->n_package, NULL, 0, &base, &n_base, e) < 0)
                return err_while(e, "resolving the recipe '%.*s'", SV_ARG(r->name));
        for (size_t i = 0; i < n_base; i++)
                base[i].recipe = true;
        into->artifact = base;
        into->n_artifact = n_base;
        if (spec->n_apt == 0)
                return 0;
        for (size_t i = 0; i < spec->n_apt; i++) {
                text[i] = spec->apt[i].text;
                at[i] = arena_fmt(s->a, "%.*s:%u:%u", SV_ARG(spec->apt[i].at.file), spec->apt[i].at.line,
                                  spec->apt[i].at.col);
        }
        if (solve(s, text, at, spec->n_apt, base, n_base, &all, &n_all, e) < 0)
                return -(int)e->code;
        into->artifact = arena_array(s->a, struct artifact, n_base + n_all);
        for (size_t i = 0; i < n_base; i++)
                into->artifact[i] = base[i];
        for (size_t i = 0; i < n_all; i++)
                if (!has_artifact(base, n_base, all[i].name))
                        into->artifact[into->n_artifact++] = all[i];
        return 0;
}

static void catalog_done(struct catalog_debian **d)
{
        if (*d)
                catalog_free(debian_catalog(*d));
}

static int resolve_now(struct image_ctx *c, const struct image_request *req, const struct recipe *r,
                       const struct spec *spec, struct arena *a, struct lock_platform *into, struct err *e)
{
        AUTO(catalog_done) struct catalog_debian *cat = NULL;
        struct debian_opts o = { 0 };
        sv arch = recipe_arch(r, into->platform);
        struct apt s = { c, a, NULL };

        if (arch.n == 0)
                return err_set(e, ERR_USAGE, "the recipe '%.*s' is not for %.*s", SV_ARG(r->name),
                               SV_ARG(into->platform));
        debian_recipe_opts(a, r, arch, &o);
        o.refresh = req->refresh;
        o.check_valid_until = true;
        if (image_ctx_net(c, e) < 0 || image_ctx_store(c, true, e) < 0 ||
            debian_open(&o, c->net, c->store, c->op, &cat, e) < 0)
                return -(int)e->code;
        s.cat = cat;
        into->base.release = debian_release_date(cat);
        if (solve_both(&s, r, spec, into, e) < 0)
                return -(int)e->code;
        op_event(c->op, OP_RESOLVE, OP_END, arena_fmt(a, "%zu Debian packages", into->n_artifact), into->n_artifact,
                 into->n_artifact);
        return 0;
}

/* --- facts: what a tree of these packages will be */

static void facts_of(const struct recipe *r, struct arena *a, struct lock_platform *p)
{
        struct os_facts f;

        os_facts(a, r, p->artifact, p->n_artifact, &f);
        p->facts = (struct lock_facts){ .root = SV("opt"),
                                        .usrmerged = true,
                                        .libc_name = SV("glibc"),
                                        .libc_version = f.libc_version,
                                        .os_name = SV("debian"),
                                        .os_version = f.os_version };
        p->has_python = f.python_version.n > 0;
        if (p->has_python)
                p->python = (struct lock_python){ .version = f.python_version,
                                                  .path = f.python_path,
                                                  .abi = f.python_abi,
                                                  .site_packages = f.site_packages,
                                                  .from = SV("base") };
}

/* "recipe:NAME", or a file beside the definition: "recipe:./mine.yml". */
static sv recipe_name(sv text, sv dir, struct arena *a)
{
        if (sv_starts(text, SV("recipe:")))
                text = sv_skip(text, 7);
        if (sv_find(text, '/') < 0 || text.p[0] == '/')
                return text;
        return arena_fmt(a, "%.*s/%.*s", SV_ARG(dir), SV_ARG(text));
}

/* Who asks for the same of the same recipe keeps its packages: only --upgrade-base looks at the mirror again. */
static bool same_apt(const struct spec *spec, const struct lock_platform *old)
{
        size_t asked = 0;

        for (size_t i = 0; i < old->n_artifact; i++)
                for (size_t k = 0; k < old->artifact[i].n_by && old->artifact[i].kind == ARTIFACT_DEB; k++) {
                        sv by = old->artifact[i].by[k];
                        asked += !old->artifact[i].recipe && sv_find_sv(by, SV(": ")) >= 0;
                }
        if (asked != spec->n_apt)
                return false;
        for (size_t i = 0; i < spec->n_apt; i++) {
                bool found = false;
                for (size_t k = 0; k < old->n_artifact && !found; k++)
                        for (size_t b = 0; b < old->artifact[k].n_by && !found; b++) {
                                sv by = old->artifact[k].by[b];
                                ptrdiff_t at = sv_find_sv(by, SV(": "));
                                found = at >= 0 && sv_eq(sv_skip(by, (size_t)at + 2), spec->apt[i].text);
                        }
                if (!found)
                        return false;
        }
        return true;
}

int recipe_resolve(struct image_ctx *c, const struct image_request *req, const struct spec *spec,
                   const struct lock_platform *old, struct arena *a, struct lock_platform *into, struct err *e)
{
        struct recipe *r;

        if (debian_recipe_load(a, recipe_name(spec->base.text, spec->dir, a), c->diags, &r, e) < 0)
                return -(int)e->code;
        into->base = (struct lock_base){ .recipe = sv_skip(spec->base.text, 7),
                                         .recipe_sha256 = r->sha256,
                                         .suite = r->suite };
        if (old && !req->upgrade_base && !req->upgrade_all && sv_eq(old->base.recipe, into->base.recipe) &&
            sha256_eq(&old->base.recipe_sha256, &r->sha256) && same_apt(spec, old)) {
                into->base = old->base;
                into->facts = old->facts;
                into->has_python = old->has_python;
                into->python = old->python;
                into->artifact = arena_array(a, struct artifact, old->n_artifact);
                for (size_t i = 0; i < old->n_artifact; i++)
                        if (old->artifact[i].kind == ARTIFACT_DEB)
                                into->artifact[into->n_artifact++] = old->artifact[i];
                return 0;
        }
        if (resolve_now(c, req, r, spec, a, into, e) < 0)
                return -(int)e->code;
        facts_of(r, a, into);
        return 0;
}

int recipe_locked(struct image_ctx *c, const struct lock_platform *p, sv dir, struct arena *a, struct recipe **ret,
                  struct err *e)
{
        if (debian_recipe_load(a, recipe_name(p->base.recipe, dir, a), c->diags, ret, e) < 0)
                return -(int)e->code;
        if (!sha256_eq(&(*ret)->sha256, &p->base.recipe_sha256)) {
                err_set(e, ERR_STALE, "the recipe '%.*s' is not the one that was locked", SV_ARG(p->base.recipe));
                err_hint(e, "envbuild lock --upgrade-base takes it as it is now");
                return -(int)e->code;
        }
        return 0;
}
