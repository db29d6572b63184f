/* tests/vectors/pypi_wheels.c - small wheels, and what pip installs of them. Where we mean to differ: INSTALLER; no REQUESTED, no signatures
 * of a RECORD that is written anew; scripts of .data/scripts are executable; headers lie in include/pythonX.Y; RECORD has a true row for
 * every file and for nothing else; and no pip forgives unsafe paths, two members of one name, or a .dist-info of another version. */
#include <string.h>

#include "base/cleanup.h"
#include "ext/hash.h"
#include "stream/deflate_walk.h"
#include "install/install.h"
#include "pkg/pyname.h"
#include "tests/vectors/vectors.h"

#define ROOT "r/env/"

struct file {
        sv path; /* below the prefix */
        uint32_t mode;
        sv text;
};
struct run { /* one case */
        struct arena *a;
        const struct js *doc;
        struct file *v;
        size_t n, cap;
        sv problem; /* the first one */
};

static void problem(struct run *r, sv text)
{
        if (!r->problem.n)
                r->problem = text;
}

static sv inflate_all(struct arena *a, const struct content *c, uint64_t size, struct err *e)
{
        AUTO(deflate_walk_freep) struct deflate_walk *z = deflate_walk_new();
        char *p = arena_alloc(a, size + 1, 1);
        size_t have = 0, n;

        deflate_walk_begin(z, (sv){ c->p, c->n }, DEFLATE_CLOSED);
        while (deflate_walk_next(z, p + have, size + 1 - have, &n, NULL, e) == 0 && n)
                have += n;
        return (sv){ p, have };
}

static int collect(struct run *r, struct entry_source *s, struct err *e)
{
        struct entry *en;
        struct content c;
        int rc;

        while ((rc = s->ops->next(s, &en, &c, e)) > 0) {
                sv text = { c.p, c.n };

                if (c.kind == CONTENT_DEFLATE)
                        text = inflate_all(r->a, &c, en->size, e);
                if (text.n != en->size ||
                    ((c.kind == CONTENT_DEFLATE || c.kind == CONTENT_STORED) && crc32_add(0, text.p, text.n) != c.crc))
                        problem(r, arena_fmt(r->a, "%.*s is not what its entry says", SV_ARG(en->path)));
                if (!sv_starts(en->path, SV(ROOT)) || en->type != ENTRY_FILE)
                        problem(r, arena_fmt(r->a, "%.*s is no file below the prefix", SV_ARG(en->path)));
                en->sha256 = sha256_of(text);
                *arena_push(r->a, r->v, r->n, r->cap) =
                        (struct file){ arena_sv(r->a, sv_skip(en->path, sizeof(ROOT) - 1)), en->mode,
                                       arena_sv(r->a, text) };
        }
        return rc;
}

/* As pip makes a URL of a path. */
static sv url_of(struct arena *a, sv file)
{
        AUTO(buf_done) struct buf url = BUF_INIT(4096);

        buf_add(&url, SV("file://$WHEELDIR/"));
        for (size_t i = 0; i < file.n; i++) {
                unsigned char c = (unsigned char)file.p[i];
                bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                             (c && strchr("_.-~", c));
                if (plain)
                        buf_byte(&url, (char)c);
                else
                        buf_fmt(&url, "%%%02X", c);
        }
        return arena_sv(a, buf_sv(&url));
}

static int install(struct run *r, sv bytes, const struct wheel_name *name, sv file, struct err *e)
{
        AUTO(entry_source_freep) struct entry_source *s = NULL;
        AUTO(diags_done) struct diags ds = { 0 };
        struct artifact art = { .kind = ARTIFACT_WHEEL, .name = name->name, .version = name->version, .direct = true };
        struct install_ctx ctx = { .prefix = SV("$PREFIX"),
                                   .root = SV("r"),
                                   .python = SV("3.11"),
                                   .site_packages = SV("lib/python3.11/site-packages") };

        art.url = url_of(r->a, file);
        art.sha256 = sha256_of(bytes);
        if (install_wheel(&art, bytes, &ctx, &ds, &s, e) < 0)
                return -(int)e->code;
        return collect(r, s, e);
}

static const struct file *find(const struct run *r, sv path)
{
        for (size_t i = 0; i < r->n; i++)
                if (sv_eq(r->v[i].path, path))
                        return &r->v[i];
        return NULL;
}

/* ---- RECORD */

/* One field of a CSV row; *ret_last at the row's end. */
static sv csv_field(struct arena *a, sv *rest, bool *ret_last)
{
        char *p = arena_alloc(a, rest->n + 1, 1);
        bool quoted = false;
        size_t n = 0, i = 0;

        for (; i < rest->n; i++) {
                char c = rest->p[i];
                if (c == '"' && quoted && i + 1 < rest->n && rest->p[i + 1] == '"')
                        p[n++] = rest->p[++i];
                else if (c == '"')
                        quoted = !quoted;
                else if (!quoted && (c == ',' || c == '\r'))
                        break;
                else
                        p[n++] = c;
        }
        *ret_last = i >= rest->n || rest->p[i] == '\r';
        *rest = sv_skip(*rest, *ret_last ? i + 2 : i + 1);
        return (sv){ p, n };
}

static bool base64_read(sv text, uint8_t ret[32])
{
        static const char digit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        unsigned bits = 0, have = 0, n = 0;

        for (size_t i = 0; i < text.n; i++) {
                const char *at = strchr(digit, text.p[i]);
                if (!at || !text.p[i])
                        return false;
                bits = (bits << 6 | (unsigned)(at - digit)) & 0xffff;
                have += 6;
                if (have >= 8 && n < 32)
                        ret[n++] = (uint8_t)(bits >> (have -= 8));
        }
        return text.n == 43 && n == 32;
}

struct row {
        sv path, hash, size;
};

static bool row_cut(struct arena *a, sv *rest, struct row *ret)
{
        bool last = false;

        if (!rest->n)
                return false;
        *ret = (struct row){ csv_field(a, rest, &last), { 0 }, { 0 } };
        if (!last)
                ret->hash = csv_field(a, rest, &last);
        if (!last)
                ret->size = csv_field(a, rest, &last);
        return true;
}

/* "../../../bin/x", as seen from site-packages → "bin/x" */
static sv row_path(struct arena *a, sv path)
{
        if (sv_starts(path, SV("../../../")))
                return sv_skip(path, 9);
        return arena_fmt(a, "lib/python3.11/site-packages/%.*s", SV_ARG(path));
}

static bool row_true(const struct row *w, const struct file *f)
{
        uint64_t size;
        sha256 claimed, real = sha256_of(f->text);

        return sv_starts(w->hash, SV("sha256=")) && base64_read(sv_skip(w->hash, 7), claimed.b) &&
               sha256_eq(&claimed, &real) && sv_u64(w->size, &size) && size == f->text.n;
}

static void check_record(struct run *r, sv record, sv ours, sv pips)
{
        struct row w, before = { 0 };
        size_t rows = 0;

        for (sv rest = ours; row_cut(r->a, &rest, &w); before = w, rows++) {
                sv path = row_path(r->a, w.path);
                const struct file *f = find(r, path);

                if (before.path.n && sv_cmp(before.path, w.path) >= 0)
                        problem(r, arena_fmt(r->a, "RECORD is not sorted at %.*s", SV_ARG(w.path)));
                if (sv_eq(path, record) ? w.hash.n || w.size.n : !f || !row_true(&w, f))
                        problem(r, arena_fmt(r->a, "RECORD is wrong about %.*s", SV_ARG(w.path)));
        }
        if (rows != r->n || !sv_ends(ours, SV("\r\n")))
                problem(r, arena_fmt(r->a, "RECORD has %zu rows for %zu files", rows, r->n));
        /* pip took most of its rows from the archive: those that are true must be ours to the byte */
        for (sv rest = pips; rest.n;) {
                sv all = rest;
                const struct file *f;

                row_cut(r->a, &rest, &w);
                all = sv_from_to(all, 0, all.n - rest.n);
                f = find(r, row_path(r->a, w.path));
                if (f && row_true(&w, f) && sv_find_sv(ours, all) < 0)
                        problem(r, arena_fmt(r->a, "RECORD lacks pip's row %.*s", SV_ARG(all)));
        }
}

/* ---- files */

static bool left_out(sv path)
{
        sv name = sv_basename(path);

        return sv_find_sv(path, SV(".dist-info/")) >= 0 &&
               (sv_is(name, "REQUESTED") || sv_is(name, "RECORD.jws") || sv_is(name, "RECORD.p7s"));
}

static sv our_path(struct run *r, sv path)
{
        sv head = SV("include/site/python3.11/");

        return sv_starts(path, head) ? arena_fmt(r->a, "include/python3.11/%.*s", SV_ARG(sv_skip(path, head.n))) : path;
}

static bool from_data_scripts(const struct run *r, sv path)
{
        const struct js *members = js_get(r->doc, "members");

        for (size_t i = 0; members && i < members->n; i++) {
                ptrdiff_t at = sv_find_sv(members->v[i].key, SV(".data/scripts/"));
                if (at >= 0 && sv_starts(path, SV("bin/")) &&
                    sv_eq(sv_skip(members->v[i].key, (size_t)at + 14), sv_skip(path, 4)))
                        return true;
        }
        return false;
}

static uint32_t octal(sv text)
{
        uint32_t n = 0;

        for (size_t i = sv_starts(text, SV("0o")) ? 2 : 0; i < text.n; i++)
                n = n * 8 + (uint32_t)(text.p[i] - '0');
        return n;
}

static void check_file(struct run *r, sv path, const struct js *pip)
{
        const struct file *f = find(r, our_path(r, path));
        const struct js *text = js_get(pip, "content");
        sv site = SV("lib/python3.11/site-packages/"), want = js_str(text);
        uint32_t mode = from_data_scripts(r, path) ? 0755 : octal(js_get_str(pip, "mode"));

        if (!f) {
                problem(r, arena_fmt(r->a, "%.*s is missing", SV_ARG(path)));
                return;
        }
        if (f->mode != mode)
                problem(r, arena_fmt(r->a, "%.*s has mode %o, not %o", SV_ARG(path), f->mode, mode));
        if (sv_ends(path, SV(".dist-info/RECORD"))) {
                check_record(r, path, f->text, want);
                return;
        }
        if (sv_ends(path, SV(".dist-info/INSTALLER")))
                want = SV("envbuild\n");
        else if (!text && sv_starts(path, site)) { /* pip left it as the archive has it */
                for (size_t i = 0; i < js_get(r->doc, "members")->n; i++)
                        if (sv_eq(js_get(r->doc, "members")->v[i].key, sv_skip(path, site.n)))
                                want = js_str(js_get(r->doc, "members")->v[i].value);
        } else if (!text) {
                return;
        }
        if (!sv_eq(f->text, want))
                problem(r, arena_fmt(r->a, "%.*s is '%.*s', not '%.*s'", SV_ARG(path), SV_ARG(f->text), SV_ARG(want)));
}

static void check_tree(struct run *r, const struct js *files)
{
        size_t known = 0;

        for (size_t i = 0; i < files->n; i++) {
                if (left_out(files->v[i].key))
                        continue;
                known++;
                check_file(r, files->v[i].key, files->v[i].value);
        }
        if (known != r->n)
                problem(r, arena_fmt(r->a, "%zu files, pip has %zu", r->n, known));
}

static bool unsafe(sv path)
{
        sv part;

        if (sv_starts(path, SV("/")))
                return true;
        while (sv_cut(&path, '/', &part))
                if (sv_is(part, "..") || sv_starts(part, SV(".wh.")))
                        return true;
        return false;
}

/* Is "name-1.0" the wheel's own? Any dash may be the border. */
static bool own_folder(struct run *r, sv stem, const struct wheel_name *name)
{
        for (size_t i = 0; i < stem.n; i++) {
                const struct pep440 *version = stem.p[i] == '-' ? pep440_parse(r->a, sv_skip(stem, i + 1)) : NULL;

                if (version && name->v && !pep440_cmp(version, name->v) &&
                    sv_eq(pyname_normalise(r->a, sv_from_to(stem, 0, i)), name->name))
                        return true;
        }
        return false;
}

/* Does an issue or a design page have us refuse what pip takes? */
static bool refused_by_rule(struct run *r, const struct wheel_name *name, const struct err *e)
{
        const struct js *members = js_get(r->doc, "members");

        for (size_t i = 0; members && i < members->n; i++) {
                sv rest = members->v[i].key, top = { 0 };

                if (unsafe(rest))
                        return true;
                sv_cut(&rest, '/', &top);
                if (sv_ends(top, SV(".dist-info")) && !own_folder(r, sv_from_to(top, 0, top.n - 10), name))
                        return true;
        }
        return e->cause && strstr(e->cause, "two members"); /* a JSON object cannot show them */
}

static sv run_case(struct vectors *v, const struct js *doc)
{
        AUTO(err_done) struct err e = { 0 };
        AUTO(buf_done) struct buf bytes = { 0 };
        struct run r = { .a = &v->arena, .doc = doc };
        const struct js *pip = js_get(doc, "pip");
        sv file = js_get_str(doc, "wheel"), id = js_get_str(doc, "case"), why = { 0 };
        struct wheel_name name;
        const char *path = arena_fmt(r.a, "%s/wheels/%.*s/%.*s", v->corpus, SV_ARG(id), SV_ARG(file)).p;
        bool want = js_true(js_get(pip, "ok")), have;

        bytes.max = (size_t)64 << 20;
        if (fs_read(path, &bytes, &e) < 0)
                return arena_sv(r.a, sv_from(e.cause));
        have = wheel_name_parse(r.a, file, false, &name, &why) && install(&r, buf_sv(&bytes), &name, file, &e) == 0;
        if (want && refused_by_rule(&r, &name, &e))
                want = false;
        if (want != have)
                return arena_fmt(r.a, "%s: %s", want ? "pip installs it" : "pip refuses it",
                                 e.cause ? e.cause : "we install it");
        if (have)
                check_tree(&r, js_get(pip, "files"));
        return r.problem;
}

static void vectors_pypi_wheel_cases(struct vectors *v, const struct js *doc)
{
        for (size_t i = 0; i < doc->n; i++) {
                const struct js *c = doc->v[i].value;
                sv found = run_case(v, c);

                vectors_check(v, !found.n, arena_str(&v->arena, js_get_str(c, "case")), "%.*s", SV_ARG(found));
        }
}

const struct vectors_kind vectors_pypi_wheels[] = {
        { "pypi/wheel_cases", vectors_pypi_wheel_cases },
        { 0 },
};
