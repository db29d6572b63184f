/* tests/vectors/conda_install.c - what an installed conda package looks like, and which archives are refused. Where we mean to be stricter
 * than the tools that the rows were made with: a package without info/index.json, a symbolic link without a target, and a paths.json with
 * another digest than the file's are refused. */
#include <string.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "base/map.h"
#include "ext/hash.h"
#include "install/conda_priv.h"
#include "tests/vectors/conda_install.h"

#define ROOT "r/env/"
#define HEAD 4096

struct file {
        struct entry entry; /* path below the prefix; a hard link became the file that it names */
        sv head;            /* first bytes */
};
struct run {
        struct arena *a;
        struct map files; /* path → struct file */
        size_t n;
        sv meta; /* path of the record */
        sv problem;
};

static void problem(struct run *r, sv text)
{
        if (!r->problem.n)
                r->problem = text;
}

/* --- installing */

static int read_content(struct run *r, const struct content *c, struct file *f, struct err *e)
{
        AUTO(hash_freep) struct hash *h = hash_new(HASH_SHA256);
        char piece[1000], *head = arena_alloc(r->a, HEAD, 1);
        uint64_t sum = 0;
        size_t n = c->n;

        if (c->kind == CONTENT_BYTES) {
                hash_add(h, c->p, c->n);
                memcpy(head, c->p, n < HEAD ? n : HEAD);
                sum = n;
        }
        while (c->kind == CONTENT_STREAM) {
                if (c->read(c->arg, piece, sizeof(piece), &n, e) < 0)
                        return -(int)e->code;
                if (!n)
                        break;
                hash_add(h, piece, n);
                if (sum < HEAD)
                        memcpy(head + sum, piece, n < HEAD - sum ? n : (size_t)(HEAD - sum));
                sum += n;
        }
        hash_end(h, f->entry.sha256.b);
        f->head = (sv){ head, sum < HEAD ? (size_t)sum : HEAD };
        if (sum != f->entry.size)
                problem(r, arena_fmt(r->a, "%.*s gave %llu bytes, not %llu", SV_ARG(f->entry.path),
                                     (unsigned long long)sum, (unsigned long long)f->entry.size));
        return 0;
}

static int collect(struct run *r, struct entry_source *s, struct err *e)
{
        struct content c;
        struct entry *en;
        int rc;

        while ((rc = s->ops->next(s, &en, &c, e)) > 0) {
                struct file *f = arena_new(r->a, struct file);
                const char *why;

                f->entry = *en;
                if (!entry_path_safe(en->path, &why) || !sv_starts(en->path, SV(ROOT)))
                        problem(r, arena_fmt(r->a, "'%.*s' lies outside", SV_ARG(en->path)));
                f->entry.path = arena_sv(r->a, sv_skip(en->path, strlen(ROOT)));
                f->entry.target = arena_sv(r->a, en->target);
                if (en->type == ENTRY_FILE && read_content(r, &c, f, e) < 0)
                        return -(int)e->code;
                if (en->type == ENTRY_FILE)
                        en->sha256 = f->entry.sha256;
                if (en->type == ENTRY_HARDLINK) {
                        struct file *to = map_get(&r->files, sv_skip(f->entry.target, strlen(ROOT)));
                        sv path = f->entry.path;

                        if (!to) {
                                problem(r, arena_fmt(r->a, "%.*s is a hard link to nothing", SV_ARG(path)));
                                continue;
                        }
                        *f = *to;
                        f->entry.path = path;
                }
                if (map_get(&r->files, f->entry.path))
                        problem(r, arena_fmt(r->a, "%.*s is there twice", SV_ARG(f->entry.path)));
                map_put(&r->files, r->a, f->entry.path, f);
                r->n++;
        }
        return rc;
}

static int install(struct run *r, sv bytes, const struct artifact *art, sv prefix, sv python, struct err *e)
{
        AUTO(entry_source_freep) struct entry_source *s = NULL;
        AUTO(diags_done) struct diags ds = { 0 };
        struct install_ctx ctx = { .prefix = prefix, .root = SV("r"), .python = python };

        ctx.site_packages = arena_fmt(r->a, "lib/python%.*s/site-packages", SV_ARG(python));
        r->meta = arena_fmt(r->a, "conda-meta/%.*s-%.*s-%.*s.json", SV_ARG(art->name), SV_ARG(art->version),
                            SV_ARG(art->build));
        return install_conda(art, bytes, &ctx, &ds, &s, e) < 0 ? -(int)e->code : collect(r, s, e);
}

/* --- comparing */

static const char *type_name(enum entry_type t)
{
        return t == ENTRY_DIR ? "dir" : t == ENTRY_SYMLINK ? "symlink" : "file";
}

static void check_script(struct run *r, const struct file *f, const struct js *want)
{
        sv rest = js_get_str(want, "entry_point"), name, module, head = js_get_str(want, "head");

        sv_cut(&rest, '=', &name);
        sv_cut(&rest, ':', &module);
        module = sv_trim(module);
        rest = sv_trim(rest);
        if (!sv_starts(f->head, head))
                problem(r, arena_fmt(r->a, "%.*s begins with another shebang", SV_ARG(f->entry.path)));
        if (sv_find_sv(f->head, arena_fmt(r->a, "from %.*s import ", SV_ARG(module))) < 0 ||
            sv_find_sv(f->head, arena_fmt(r->a, "sys.exit(%.*s())", SV_ARG(rest))) < 0)
                problem(r, arena_fmt(r->a, "%.*s does not call %.*s", SV_ARG(f->entry.path), SV_ARG(rest)));
}

static void check_file(struct run *r, const struct file *f, const struct js *want)
{
        sha256 digest;
        int64_t size;

        if (((f->entry.mode & 0111) != 0) != js_true(js_get(want, "exec")))
                problem(r, arena_fmt(r->a, "%.*s has the mode %o", SV_ARG(f->entry.path), f->entry.mode));
        if (js_get(want, "entry_point")) {
                check_script(r, f, want);
                return;
        }
        if (!sha256_read(js_get_str(want, "sha256"), &digest) || !js_int(js_get(want, "size"), &size) ||
            !sha256_eq(&digest, &f->entry.sha256) || (uint64_t)size != f->entry.size)
                problem(r, arena_fmt(r->a, "%.*s has other bytes", SV_ARG(f->entry.path)));
}

static void check_entry(struct run *r, const struct js *want)
{
        sv path = js_get_str(want, "path"), type = js_get_str(want, "type");
        const struct file *f = map_get(&r->files, path);

        if (!f)
                problem(r, arena_fmt(r->a, "%.*s is missing", SV_ARG(path)));
        else if (!sv_is(type, type_name(f->entry.type)))
                problem(r, arena_fmt(r->a, "%.*s is a %s", SV_ARG(path), type_name(f->entry.type)));
        else if (f->entry.type == ENTRY_SYMLINK && !sv_eq(f->entry.target, js_get_str(want, "target")))
                problem(r, arena_fmt(r->a, "%.*s leads to %.*s", SV_ARG(path), SV_ARG(f->entry.target)));
        else if (f->entry.type == ENTRY_FILE)
                check_file(r, f, want);
}

static void check_tree(struct run *r, const struct js *entries)
{
        for (size_t i = 0; i < entries->n; i++)
                check_entry(r, entries->v[i].value);
        if (!map_get(&r->files, r->meta))
                problem(r, arena_fmt(r->a, "%.*s is missing", SV_ARG(r->meta)));
        if (r->n != entries->n + 1)
                problem(r, arena_fmt(r->a, "%zu entries, not %zu", r->n, entries->n + 1));
}

/* --- rows of install-expect */

/* Does the message tell the file's true digest or size, so that it is paths.json that lies? */
static bool paths_lie(struct arena *a, const struct js *entries, sv cause)
{
        for (size_t i = 0; i < entries->n; i++) {
                const struct js *en = entries->v[i].value;
                sv hash = js_get_str(en, "sha256");
                int64_t size;

                if (!hash.n || js_true(js_get(en, "rewritten")) || !js_int(js_get(en, "size"), &size) ||
                    sv_find_sv(cause, sv_basename(js_get_str(en, "path"))) < 0)
                        continue;
                if (sv_find_sv(cause, arena_fmt(a, "has the sha256 %.*s, but", SV_ARG(hash))) >= 0 ||
                    sv_find_sv(cause, arena_fmt(a, "has the size %lld, but", (long long)size)) >= 0)
                        return true;
        }
        return false;
}

static bool empty_link(const struct js *entries)
{
        for (size_t i = 0; i < entries->n; i++)
                if (sv_is(js_get_str(entries->v[i].value, "type"), "symlink") &&
                    !js_get_str(entries->v[i].value, "target").n)
                        return true;
        return false;
}

static bool refused_by_rule(struct arena *a, const struct js *row, const struct err *e)
{
        const struct js *entries = js_get(row, "entries"), *errors = js_get(row, "errors");
        sv cause = sv_from(e->cause), what;

        for (size_t i = 0; errors && i < errors->n; i++) {
                what = js_str(errors->v[i].value);
                sv_cut(&what, ':', &(sv){ 0 });
                if (sv_find_sv(cause, sv_trim(what)) >= 0)
                        return true;
        }
        if (!js_get_str(row, "name").n)
                return sv_find_sv(cause, SV("info/index.json")) >= 0 || sv_find_sv(cause, SV("metadata.json")) >= 0;
        return paths_lie(a, entries, cause) || (empty_link(entries) && sv_find_sv(cause, SV("target is empty")) >= 0);
}

/* Below the corpus, or beside the file that is run. */
static bool find_archive(struct vectors *v, sv name, struct fs_map *ret)
{
        static const char *const folders[] = { "packages/", "packages-made/", "packages-made/bad/", "" };
        const char *slash = strrchr(v->file, '/');
        AUTO(free_ptr) char *beside = fs_path("%.*s", slash ? (int)(slash - v->file) : 1, slash ? v->file : ".");
        const char *const tops[] = { v->corpus, beside };

        for (size_t i = 0; i < ARRAY_LEN(folders) * ARRAY_LEN(tops); i++) {
                AUTO(err_done) struct err e = { 0 };
                AUTO(free_ptr) char *path = fs_path("%s/%s%.*s", tops[i / ARRAY_LEN(folders)],
                                                    folders[i % ARRAY_LEN(folders)], SV_ARG(name));

                if (fs_map_open(path, ret, &e) == 0)
                        return true;
        }
        return false;
}

static sv run_row(struct vectors *v, const struct js *row)
{
        AUTO(fs_map_close) struct fs_map map = { 0 };
        AUTO(err_done) struct err e = { 0 };
        struct run r = { .a = &v->arena };
        const struct js *errors = js_get(row, "errors");
        sv archive = js_get_str(row, "archive"), noarch = js_get_str(row, "noarch");
        struct artifact art = { .kind = ARTIFACT_CONDA,
                                .name = js_get_str(row, "name"),
                                .version = js_get_str(row, "version"),
                                .build = js_get_str(row, "build"),
                                .noarch = noarch };

        if (!find_archive(v, archive, &map))
                return SV("the archive is not there");
        art.url =
                arena_fmt(r.a, "https://channel.example/c/%s/%.*s", noarch.n ? "noarch" : "linux-64", SV_ARG(archive));
        if (install(&r, (sv){ (const char *)map.p, map.n }, &art, js_get_str(row, "prefix"), js_get_str(row, "python"),
                    &e) < 0)
                return refused_by_rule(r.a, row, &e) ? r.problem : arena_sv(r.a, sv_from(e.cause));
        if (errors && errors->n)
                return SV("was installed, although it cannot be");
        check_tree(&r, js_get(row, "entries"));
        return r.problem;
}

static void install_expect(struct vectors *v, const struct js *doc)
{
        for (size_t i = 0; i < doc->n; i++) {
                const struct js *row = doc->v[i].value;
                sv found = run_row(v, row);

                vectors_check(v, !found.n,
                              arena_fmt(&v->arena, "%.*s in %.*s with python %.*s", SV_ARG(js_get_str(row, "archive")),
                                        SV_ARG(js_get_str(row, "prefix")), SV_ARG(js_get_str(row, "python")))
                                      .p,
                              "%.*s", SV_ARG(found));
        }
}

/* --- rows of EXPECT.tsv: a file, and what a reader must do */

/* Whose package it is, so that it is refused for the right reason. */
static void name_of(struct arena *a, sv bytes, sv file, struct artifact *art)
{
        AUTO(err_done) struct err e = { 0 };
        struct conda_archive ar;
        struct conda_info info;

        art->build = sv_skip(file, (size_t)(sv_rfind(file, '-') + 1));
        sv_cut(&file, '-', &art->name);
        sv_cut(&file, '-', &art->version);
        sv_cut(&art->build, '.', &art->build);
        if (conda_archive_open(a, bytes, &ar, &e) < 0 || conda_info_read(a, &ar, art, &info, &e) < 0)
                return;
        art->name = info.index.name;
        art->version = info.index.version;
        art->build = info.index.build;
}

static sv run_bad(struct vectors *v, sv file, sv want)
{
        AUTO(fs_map_close) struct fs_map map = { 0 };
        AUTO(err_done) struct err e = { 0 };
        struct run r = { .a = &v->arena };
        struct artifact art = { .kind = ARTIFACT_CONDA,
                                .url = arena_fmt(r.a, "https://c.example/c/linux-64/%.*s", SV_ARG(file)) };
        bool installed;

        if (!find_archive(v, file, &map))
                return SV("the archive is not there");
        name_of(r.a, (sv){ (const char *)map.p, map.n }, file, &art);
        installed = install(&r, (sv){ (const char *)map.p, map.n }, &art, SV("/opt/env"), SV("3.11"), &e) == 0;
        if (installed && (sv_starts(want, SV("refuse:")) || sv_starts(want, SV("refuse ("))))
                return SV("was installed");
        if (!installed && (sv_starts(want, SV("accept")) || sv_starts(sv_from(e.cause), SV("the file of "))))
                return arena_sv(r.a, sv_from(e.cause));
        return r.problem;
}

void vectors_conda_bad(struct vectors *v, const struct js *doc)
{
        for (size_t i = 0; i < doc->n; i++) {
                const struct js *row = doc->v[i].value;
                sv file = row->n > 1 ? js_str(row->v[0].value) : (sv){ 0 }, found;

                if (!file.n)
                        continue;
                found = run_bad(v, file, js_str(row->v[1].value));
                vectors_check(v, !found.n, file.p, "%.*s", SV_ARG(found));
        }
}

const struct vectors_kind vectors_conda_install[] = {
        { "conda/install-expect", install_expect },
        { 0 },
};
