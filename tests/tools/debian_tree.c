/* tests/tools/debian_tree.c - the way of a Debian base without image/: recipe → wants → resolve → artifacts → fetch, and with -o → entries
 * in a folder. Prints the packages as "name version arch sha256".
 *   debian_tree [-o DIR] RECIPE ARCH STORE [PACKAGE...]
 * PACKAGE... is what `apt:` would say: resolved on top, with the recipe's versions fixed. */
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "catalog/debian.h"

struct run {
        struct arena a;
        struct recipe *recipe;
        struct catalog_debian *cat;
        struct net *net;
        struct store *store;
        struct op op;
        struct artifact *art;
        size_t n_art;
};

static int solve(struct run *r, const sv *text, const sv *at, size_t n, const struct artifact *fixed, size_t n_fixed, struct err *e)
{
        struct resolve_want *want;
        struct resolution *res = NULL;
        const struct resolve_opts o = { .order = ORDER_CEILING };
        size_t n_want;
        struct catalog *c = debian_catalog(r->cat);
        int got;

        if (debian_wants(r->cat, text, at, n, fixed, n_fixed, &r->a, &want, &n_want, e) < 0)
                return -(int)e->code;
        got = resolve(c, want, n_want, &o, &r->op, &r->a, &res, e);
        if (got == -ERR_CONFLICT) {
                AUTO(buf_done) struct buf why = BUF_INIT(1 << 20);
                AUTO(err_done) struct err none = { 0 };
                if (explain(c, want, n_want, &o, &r->op, res, &why, &none) == 0)
                        fputs(why.p, stderr);
        }
        if (got < 0)
                return got;
        fprintf(stderr, "%zu packages, %u conflicts, %u decisions\n", res->n, res->conflicts, res->decisions);
        return debian_artifacts(r->cat, res, &r->a, &r->art, &r->n_art, e);
}

static int lock_recipe(struct run *r, char **apt, int n_apt, struct err *e)
{
        struct recipe *rc = r->recipe;
        sv *at = arena_array(&r->a, sv, rc->n_package + 1), *text = arena_array(&r->a, sv, (size_t)n_apt + 1), by[256];

        for (size_t i = 0; i < rc->n_package; i++)
                at[i] = arena_fmt(&r->a, "recipe %.*s", SV_ARG(rc->name));
        if (solve(r, rc->package, at, rc->n_package, NULL, 0, e) < 0)
                return -(int)e->code;
        if (n_apt == 0)
                return 0;
        for (int i = 0; i < n_apt && i < 256; i++)
                text[i] = sv_from(apt[i]), by[i] = arena_fmt(&r->a, "env.yml:%d:3", i + 1);
        return solve(r, text, by, (size_t)n_apt, r->art, r->n_art, e);
}

static int run(struct run *r, const char *name, const char *arch, const char *store, char **apt, int n_apt, struct diags *ds, struct err *e)
{
        struct debian_opts o;

        if (debian_recipe_load(&r->a, sv_from(name), ds, &r->recipe, e) < 0 || store_open(store, true, &r->op, &r->store, e) < 0 ||
            net_new(&(struct net_opts){ 0 }, &r->op, &r->net, e) < 0)
                return -(int)e->code;
        debian_recipe_opts(&r->a, r->recipe, sv_from(arch), &o);
        if (debian_open(&o, r->net, r->store, &r->op, &r->cat, e) < 0 || lock_recipe(r, apt, n_apt, e) < 0)
                return -(int)e->code;
        for (size_t i = 0; i < r->n_art; i++) {
                const struct artifact *art = &r->art[i];
                sv by = art->n_by ? art->by[0] : SV("");
                printf("%.*s %.*s %.*s %s %.*s\n", SV_ARG(art->name), SV_ARG(art->version), SV_ARG(art->arch), sha256_hex(&art->sha256).s,
                       SV_ARG(by));
        }
        return 0;
}

int main(int argc, char **argv)
{
        AUTO(err_done) struct err e = { 0 };
        AUTO(diags_done) struct diags ds = { 0 };
        struct run r = { .op = { .jobs = 2 } };

        if (argc < 4) {
                fprintf(stderr, "usage: debian_tree RECIPE ARCH STORE [PACKAGE...]\n");
                return 2;
        }
        run(&r, argv[1], argv[2], argv[3], argv + 4, argc - 4, &ds, &e);
        for (size_t i = 0; i < ds.n; i++)
                fprintf(stderr, "%.*s:%u:%u: %s %.*s\n", SV_ARG(ds.v[i].file), ds.v[i].line, ds.v[i].col, ds.v[i].code, SV_ARG(ds.v[i].text));
        if (e.cause)
                fprintf(stderr, "error: %s\n%s%s\n", e.cause, e.trail ? e.trail : "", e.hint ? e.hint : "");
        catalog_free(r.cat ? debian_catalog(r.cat) : NULL);
        net_free(r.net);
        store_close(r.store);
        arena_done(&r.a);
        return err_exit_code(e.code);
}
