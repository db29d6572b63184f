/* tests/tools/conda_tree.c - installs conda packages into a folder with the entry source alone, so that Python tests can compare the tree
 * with other installers'. Usage: conda_tree [-p PREFIX] [-P PYTHON] [-S SITE] [-c CHANNEL] [-n PARTS] DIR PACKAGE…
 * PREFIX (default /opt/env, must end with /env) is what files say; the tree is DIR/PREFIX; a later package wins. PYTHON: "3.11", for noarch
 * packages; SITE: its site-packages. CHANNEL: URL that the packages seem to come from. depends and constrains are those of the package
 * itself, as nobody patched them. -n: DIR is a store; as many layers are made in it of the only package, and their blobs' paths printed. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "install/conda_priv.h"
#include "tests/tools/layers.h"

struct options {
        const char *prefix, *python, *site, *channel, *dir;
        unsigned parts; /* 0: a plain tree */
};

/* --- entries → files */

static int copy(int fd, const char *path, const struct content *c, struct hash *hash, struct err *e)
{
        char piece[65536];
        size_t n;

        if (c->kind == CONTENT_BYTES) {
                hash_add(hash, c->p, c->n);
                return fs_write_all(fd, c->p, c->n, path, e);
        }
        while (c->kind == CONTENT_STREAM) {
                if (c->read(c->arg, piece, sizeof(piece), &n, e) < 0)
                        return -(int)e->code;
                if (!n)
                        return 0;
                hash_add(hash, piece, n);
                if (fs_write_all(fd, piece, n, path, e) < 0)
                        return -(int)e->code;
        }
        return 0;
}

static int write_file(const char *path, struct entry *en, const struct content *c, struct err *e)
{
        AUTO(hash_freep) struct hash *hash = hash_new(HASH_SHA256);
        AUTO(close_fd) int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, en->mode);
        const struct timespec times[2] = { { en->mtime, 0 }, { en->mtime, 0 } };

        if (fd < 0 || fchmod(fd, en->mode) < 0)
                return err_errno(e, "cannot make '%s'", path);
        if (copy(fd, path, c, hash, e) < 0)
                return -(int)e->code;
        hash_end(hash, en->sha256.b);
        return futimens(fd, times) < 0 ? err_errno(e, "cannot date '%s'", path) : 0;
}

static int write_entry(const char *dir, struct entry *en, const struct content *c, struct err *e)
{
        AUTO(free_ptr) char *path = fs_path("%s/%.*s", dir, SV_ARG(en->path));
        AUTO(free_ptr) char *folder = fs_path("%.*s", (int)(strrchr(path, '/') - path), path);
        AUTO(free_ptr) char *target = fs_path("%s%s%.*s", en->type == ENTRY_HARDLINK ? dir : "",
                                              en->type == ENTRY_HARDLINK ? "/" : "", SV_ARG(en->target));

        if (en->type == ENTRY_DIR)
                return fs_mkdirs(path, 0755, e);
        if (fs_mkdirs(folder, 0755, e) < 0)
                return -(int)e->code;
        if (unlink(path) < 0 && errno != ENOENT)
                return err_errno(e, "cannot replace '%s'", path);
        if (en->type == ENTRY_FILE)
                return write_file(path, en, c, e);
        if ((en->type == ENTRY_SYMLINK ? symlink(target, path) : link(target, path)) < 0)
                return err_errno(e, "cannot make the link '%s'", path);
        return 0;
}

static int make_tree(const struct options *opt, struct entry_source *s, struct err *e)
{
        struct content c;
        struct entry *en;
        int rc;

        while ((rc = s->ops->next(s, &en, &c, e)) > 0)
                if (write_entry(opt->dir, en, &c, e) < 0)
                        return -(int)e->code;
        return rc;
}

/* --- packages */

static sv *texts(struct arena *a, const struct js *list, size_t *ret_n)
{
        sv *v = arena_array(a, sv, (list ? list->n : 0) + 1);

        *ret_n = list ? list->n : 0;
        for (size_t i = 0; i < *ret_n; i++)
                v[i] = js_str(list->v[i].value);
        return v;
}

static int artifact_of(struct arena *a, const struct options *opt, const char *file, sv bytes, struct artifact *ret,
                       struct err *e)
{
        struct conda_archive ar;
        struct conda_info info;
        sv subdir;

        ret->kind = ARTIFACT_CONDA;
        ret->url = sv_from(file);
        if (conda_archive_open(a, bytes, &ar, e) < 0 || conda_info_read(a, &ar, ret, &info, e) < 0)
                return -(int)e->code;
        subdir = info.index.subdir.n ? info.index.subdir : SV("noarch");
        ret->name = info.index.name;
        ret->version = info.index.version;
        ret->build = info.index.build;
        ret->url = arena_fmt(a, "%s/%.*s/%.*s", opt->channel, SV_ARG(subdir), SV_ARG(sv_basename(sv_from(file))));
        ret->sha256 = sha256_of(bytes);
        ret->size = bytes.n;
        ret->noarch = info.python ? SV("python") : (sv){ 0 };
        ret->needs = texts(a, js_get(info.index.doc, "depends"), &ret->n_needs);
        ret->constrains = texts(a, js_get(info.index.doc, "constrains"), &ret->n_constrains);
        return 0;
}

static int install(const struct options *opt, const char *file, struct diags *ds, struct err *e)
{
        AUTO(entry_source_freep) struct entry_source *s = NULL;
        AUTO(fs_map_close) struct fs_map map = { 0 };
        AUTO(arena_done) struct arena a = { 0 };
        struct artifact art = { 0 };
        struct install_ctx ctx = { .prefix = sv_from(opt->prefix) };
        sv bytes;

        if (fs_map_open(file, &map, e) < 0)
                return -(int)e->code;
        bytes = (sv){ (const char *)map.p, map.n };
        if (artifact_of(&a, opt, file, bytes, &art, e) < 0)
                return -(int)e->code;
        ctx.root = sv_from_to(ctx.prefix, 1, ctx.prefix.n - strlen("/env"));
        if (art.noarch.n) {
                ctx.python = sv_from(opt->python);
                ctx.site_packages =
                        opt->site ? sv_from(opt->site) : arena_fmt(&a, "lib/python%s/site-packages", opt->python);
        }
        if (install_conda(&art, bytes, &ctx, ds, &s, e) < 0)
                return -(int)e->code;
        return opt->parts ? tool_layers(opt->dir, LAYER_CHUNK, opt->parts, &art, &ctx, s, e) : make_tree(opt, s, e);
}

static int usage(void)
{
        fprintf(stderr,
                "usage: conda_tree [-p PREFIX/env] [-P PYTHON] [-S SITE] [-c CHANNEL] [-n PARTS] DIR PACKAGE...\n");
        return 2;
}

int main(int argc, char **argv)
{
        struct options opt = { .prefix = "/opt/env", .python = "3.11", .channel = "https://channel.example/made" };
        AUTO(diags_done) struct diags ds = { 0 };
        AUTO(err_done) struct err e = { 0 };
        int c;

        while ((c = getopt(argc, argv, "p:P:S:c:n:")) != -1)
                if (c == 'p')
                        opt.prefix = optarg;
                else if (c == 'P')
                        opt.python = optarg;
                else if (c == 'S')
                        opt.site = optarg;
                else if (c == 'c')
                        opt.channel = optarg;
                else if (c == 'n' && strchr("1248", *optarg))
                        opt.parts = (unsigned)(*optarg - '0');
                else
                        return usage();
        if (argc - optind < 2 || !sv_ends(sv_from(opt.prefix), SV("/env")) || (opt.parts && argc - optind > 2))
                return usage();
        opt.dir = argv[optind];
        for (int i = optind + 1; i < argc && !e.code; i++)
                install(&opt, argv[i], &ds, &e);
        if (e.code)
                fprintf(stderr, "%s\n%s", e.cause, e.trail ? e.trail : "");
        for (size_t i = 0; i < ds.n; i++)
                fprintf(stderr, "%s: %.*s\n", ds.v[i].code, SV_ARG(ds.v[i].text));
        return err_exit_code(e.code);
}
