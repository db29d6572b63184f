/* tests/tools/debian_tree.c - the way of a Debian base without image/: recipe → wants → resolve → artifacts → fetch, and with -o → entries
 * in a folder. Prints the packages as "name version arch sha256".
 *   debian_tree [-o DIR] RECIPE ARCH STORE [PACKAGE...]
 * DIR is written by root with owners and times: what tests/e2e/debian_tree.py compares with mmdebstrap's.
 * PACKAGE... is what `apt:` would say: resolved on top, with the recipe's versions fixed. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "catalog/debian.h"
#include "install/os.h"

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

static int solve(struct run *r, const sv *text, const sv *at, size_t n, const struct artifact *fixed, size_t n_fixed,
                 struct err *e)
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

static int run(struct run *r, const char *name, const char *arch, const char *store, char **apt, int n_apt,
               struct diags *ds, struct err *e)
{
        struct debian_opts o;

        if (debian_recipe_load(&r->a, sv_from(name), ds, &r->recipe, e) < 0 ||
            store_open(store, true, &r->op, &r->store, e) < 0 ||
            net_new(&(struct net_opts){ 0 }, &r->op, &r->net, e) < 0)
                return -(int)e->code;
        debian_recipe_opts(&r->a, r->recipe, sv_from(arch), &o);
        if (debian_open(&o, r->net, r->store, &r->op, &r->cat, e) < 0 || lock_recipe(r, apt, n_apt, e) < 0)
                return -(int)e->code;
        for (size_t i = 0; i < r->n_art; i++) {
                const struct artifact *art = &r->art[i];
                sv by = art->n_by ? art->by[0] : SV("");
                printf("%.*s %.*s %.*s %s %.*s\n", SV_ARG(art->name), SV_ARG(art->version), SV_ARG(art->arch),
                       sha256_hex(&art->sha256).s, SV_ARG(by));
        }
        return 0;
}

/* --- unpacking: only for trees of our own, below a folder of the test's */

static int put_file(const char *path, const struct entry *en, const struct content *c, struct err *e)
{
        AUTO(close_fd) int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
        char piece[65536];
        size_t n = 0;

        if (fd < 0)
                return err_errno(e, "cannot write '%s'", path);
        if (c->kind == CONTENT_BYTES)
                return fs_write_all(fd, c->p, c->n, path, e);
        for (uint64_t left = en->size; c->kind == CONTENT_STREAM && left; left -= n)
                if (c->read(c->arg, piece, sizeof(piece), &n, e) < 0 || fs_write_all(fd, piece, n, path, e) < 0)
                        return -(int)e->code;
        return 0;
}

static int put_entry(const char *root, const struct entry *en, const struct content *c, struct err *e)
{
        AUTO(free_ptr) char *path = fs_path("%s/%.*s", root, SV_ARG(en->path)),
                            *target = fs_path("%.*s", SV_ARG(en->target));
        AUTO(free_ptr) char *from = fs_path("%s/%.*s", root, SV_ARG(en->target)), *dir = fs_path("%s", path);
        const struct timespec t[2] = { { .tv_sec = en->mtime }, { .tv_sec = en->mtime } };
        struct stat st;

        *strrchr(dir, '/') = '\0';
        if (fs_mkdirs(dir, 0755, e) < 0)
                return -(int)e->code;
        if (en->type == ENTRY_DIR && fs_mkdirs(path, 0755, e) < 0)
                return -(int)e->code;
        if (en->type != ENTRY_DIR && lstat(path, &st) == 0)
                remove(path);
        if (en->type == ENTRY_FILE && put_file(path, en, c, e) < 0)
                return -(int)e->code;
        if ((en->type == ENTRY_SYMLINK && symlink(target, path) < 0) ||
            (en->type == ENTRY_HARDLINK && link(from, path) < 0) ||
            (geteuid() == 0 && lchown(path, en->uid, en->gid) < 0) ||
            (en->type != ENTRY_SYMLINK && en->type != ENTRY_HARDLINK && chmod(path, en->mode) < 0) ||
            utimensat(AT_FDCWD, path, t, AT_SYMLINK_NOFOLLOW) < 0)
                return err_errno(e, "cannot make '%s'", path);
        return 0;
}

static int put_all(const char *root, struct entry_source *s, struct err *e)
{
        struct entry *en;
        struct content c;
        int got;

        while ((got = s->ops->next(s, &en, &c, e)) == 1)
                if (put_entry(root, en, &c, e) < 0)
                        return -(int)e->code;
        return got;
}

static int put_debs(struct run *r, const char *root, const struct deb_want *want, struct deb_info *info,
                    struct diags *ds, struct err *e)
{
        const struct install_ctx ctx = { .usrmerged = true };

        for (size_t i = 0; i < r->n_art; i++) {
                AUTO(fs_map_close) struct fs_map m = { 0 };
                AUTO(entry_source_freep) struct entry_source *src = NULL;
                sv bytes;

                if (debian_fetch(r->recipe, debian_release_date(r->cat), &r->art[i], r->net, r->store, &r->op, e) < 0 ||
                    store_map(r->store, STORE_PACKAGE, &r->art[i].sha256, &m, e) < 0)
                        return -(int)e->code;
                bytes = (sv){ (const char *)m.p, m.n };
                if (deb_info_read(&r->a, &r->art[i], bytes, true, want, &info[i], e) < 0 ||
                    install_deb(&r->art[i], bytes, &ctx, ds, &src, e) < 0 || put_all(root, src, e) < 0)
                        return -(int)e->code;
        }
        return 0;
}

static int make_tree(struct run *r, const char *root, const char *arch, struct diags *ds, struct err *e)
{
        struct deb_info *info = arena_array(&r->a, struct deb_info, r->n_art + 1);
        struct os_input in = { .deb = info, .n_deb = r->n_art, .recipe = r->recipe };
        struct effects *x;
        struct deb_want want;
        struct entry *en;
        struct content *c;
        struct os_facts facts;
        size_t n;

        if (debian_effects_load(&r->a, r->recipe, sv_from(arch), ds, &x, e) < 0)
                return -(int)e->code;
        in.effects = x;
        os_wants(&r->a, x, &want);
        if (put_debs(r, root, &want, info, ds, e) < 0 || os_build(&r->a, &in, ds, &en, &c, &n, e) < 0)
                return -(int)e->code;
        for (size_t i = 0; i < n; i++)
                if (put_entry(root, &en[i], &c[i], e) < 0)
                        return -(int)e->code;
        os_facts(&r->a, r->recipe, r->art, r->n_art, &facts);
        fprintf(stderr, "os: %zu entries; libc %.*s, python %.*s at %.*s, %.*s\n", n, SV_ARG(facts.libc_version),
                SV_ARG(facts.python_version), SV_ARG(facts.python_path), SV_ARG(facts.python_abi));
        return 0;
}

int main(int argc, char **argv)
{
        AUTO(err_done) struct err e = { 0 };
        AUTO(diags_done) struct diags ds = { 0 };
        struct run r = { .op = { .jobs = 2 } };
        const char *root = NULL;

        if (argc > 2 && strcmp(argv[1], "-o") == 0) {
                root = argv[2];
                argv += 2;
                argc -= 2;
        }
        if (argc < 4) {
                fprintf(stderr, "usage: debian_tree [-o DIR] RECIPE ARCH STORE [PACKAGE...]\n");
                return 2;
        }
        if (run(&r, argv[1], argv[2], argv[3], argv + 4, argc - 4, &ds, &e) == 0 && root)
                make_tree(&r, root, argv[2], &ds, &e);
        for (size_t i = 0; i < ds.n; i++)
                fprintf(stderr, "%.*s:%u:%u: %s %.*s\n", SV_ARG(ds.v[i].file), ds.v[i].line, ds.v[i].col, ds.v[i].code,
                        SV_ARG(ds.v[i].text));
        if (e.cause)
                fprintf(stderr, "error: %s\n%s%s\n", e.cause, e.trail ? e.trail : "", e.hint ? e.hint : "");
        catalog_free(r.cat ? debian_catalog(r.cat) : NULL);
        net_free(r.net);
        store_close(r.store);
        arena_done(&r.a);
        return err_exit_code(e.code);
}
