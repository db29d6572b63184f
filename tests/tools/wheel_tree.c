/* tests/tools/wheel_tree.c - installs one wheel into a folder with the entry source alone, so that Python tests can compare the tree with
 * pip's. Usage: wheel_tree [-p PREFIX] [-P PYTHON] [-u URL] [-n PARTS] WHEEL DIR
 * PREFIX (default /opt/env, must end with /env) is what shebangs say; the tree is DIR/PREFIX. PYTHON: "3.13". -u: a direct URL.
 * -n: DIR is a store; as many layers are made in it, and their blobs' paths printed. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "ext/hash.h"
#include "stream/deflate_walk.h"
#include "pkg/pyname.h"
#include "tests/tools/layers.h"

struct out {
        int fd;
        const char *path;
        struct hash *hash;
        uint32_t crc;
        uint64_t size;
};

static int out_add(struct out *o, const void *p, size_t n, struct err *e)
{
        hash_add(o->hash, p, n);
        o->crc = crc32_add(o->crc, p, n);
        o->size += n;
        return fs_write_all(o->fd, p, n, o->path, e);
}

static int copy_deflate(struct out *o, const struct content *c, struct err *e)
{
        AUTO(deflate_walk_freep) struct deflate_walk *z = deflate_walk_new();
        char part[65536];
        size_t n;

        deflate_walk_begin(z, (sv){ c->p, c->n }, DEFLATE_CLOSED);
        do
                if (deflate_walk_next(z, part, sizeof(part), &n, NULL, e) < 0 || out_add(o, part, n, e) < 0)
                        return -(int)e->code;
        while (n);
        return 0;
}

static int copy(struct out *o, const struct content *c, uint64_t size, struct err *e)
{
        if (c->kind == CONTENT_DEFLATE ? copy_deflate(o, c, e) < 0 : c->n && out_add(o, c->p, c->n, e) < 0)
                return -(int)e->code;
        if (o->size != size)
                return err_set(e, ERR_INTEGRITY, "'%s' has %llu bytes, not %llu", o->path, (unsigned long long)o->size,
                               (unsigned long long)size);
        if ((c->kind == CONTENT_DEFLATE || c->kind == CONTENT_STORED) && o->crc != c->crc)
                return err_set(e, ERR_INTEGRITY, "'%s' has a wrong checksum", o->path);
        return 0;
}

static int write_entry(const char *dir, struct entry *en, const struct content *c, struct err *e)
{
        AUTO(free_ptr) char *path = fs_path("%s/%.*s", dir, SV_ARG(en->path));
        AUTO(free_ptr) char *folder = fs_path("%.*s", (int)(strrchr(path, '/') - path), path);
        AUTO(hash_freep) struct hash *hash = hash_new(HASH_SHA256);
        AUTO(close_fd) int fd = -1;
        struct out o = { .path = path, .hash = hash };

        if (fs_mkdirs(folder, 0755, e) < 0)
                return -(int)e->code;
        fd = o.fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, en->mode);
        if (fd < 0 || fchmod(fd, en->mode) < 0)
                return err_errno(e, "cannot make '%s'", path);
        if (copy(&o, c, en->size, e) < 0)
                return -(int)e->code;
        hash_end(hash, en->sha256.b);
        return 0;
}

struct options {
        const char *prefix, *python, *url, *wheel, *dir;
        unsigned parts; /* 0: a plain tree */
};

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

static int install(const struct options *opt, struct arena *a, struct diags *ds, struct err *e)
{
        AUTO(entry_source_freep) struct entry_source *s = NULL;
        AUTO(fs_map_close) struct fs_map map = { 0 };
        struct artifact art = { .kind = ARTIFACT_WHEEL, .direct = opt->url != NULL };
        struct install_ctx ctx = { .prefix = sv_from(opt->prefix), .python = sv_from(opt->python) };
        struct wheel_name name;
        sv why;

        if (!wheel_name_parse(a, sv_basename(sv_from(opt->wheel)), false, &name, &why))
                return err_set(e, ERR_USAGE, "'%s': %.*s", opt->wheel, SV_ARG(why));
        if (fs_map_open(opt->wheel, &map, e) < 0)
                return -(int)e->code;
        art.name = name.name;
        art.version = name.version;
        art.url = sv_from(opt->url ? opt->url : opt->wheel);
        art.sha256 = sha256_of((sv){ (const char *)map.p, map.n });
        ctx.root = sv_from_to(ctx.prefix, 1, ctx.prefix.n - strlen("/env"));
        ctx.site_packages = arena_fmt(a, "lib/python%s/site-packages", opt->python);
        if (install_wheel(&art, (sv){ (const char *)map.p, map.n }, &ctx, ds, &s, e) < 0)
                return -(int)e->code;
        return opt->parts ? tool_layers(opt->dir, LAYER_JOIN, opt->parts, &art, &ctx, s, e) : make_tree(opt, s, e);
}

int main(int argc, char **argv)
{
        struct options opt = { .prefix = "/opt/env", .python = "3.13" };
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(diags_done) struct diags ds = { 0 };
        AUTO(err_done) struct err e = { 0 };
        int c;

        while ((c = getopt(argc, argv, "p:P:u:n:")) != -1)
                if (c == 'p')
                        opt.prefix = optarg;
                else if (c == 'P')
                        opt.python = optarg;
                else if (c == 'u')
                        opt.url = optarg;
                else if (c == 'n' && (*optarg == '1' || *optarg == '2' || *optarg == '4' || *optarg == '8'))
                        opt.parts = (unsigned)(*optarg - '0');
                else
                        return 2;
        if (argc - optind != 2 || !sv_ends(sv_from(opt.prefix), SV("/env"))) {
                fprintf(stderr, "usage: wheel_tree [-p PREFIX/env] [-P PYTHON] [-u URL] [-n PARTS] WHEEL DIR\n");
                return 2;
        }
        opt.wheel = argv[optind];
        opt.dir = argv[optind + 1];
        if (install(&opt, &a, &ds, &e) < 0)
                fprintf(stderr, "%s\n%s", e.cause, e.trail ? e.trail : "");
        for (size_t i = 0; i < ds.n; i++)
                fprintf(stderr, "%s: %.*s\n", ds.v[i].code, SV_ARG(ds.v[i].text));
        return err_exit_code(e.code);
}
