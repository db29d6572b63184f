/* A base's file system → what the lock keeps of it. Pure. */
#include <stdlib.h>
#include <string.h>

#include "image/image_priv.h"

static sv os_release(sv text, const char *key)
{
        sv line;

        while (sv_line(&text, &line)) {
                sv k;
                if (sv_cut(&line, '=', &k) && sv_is(k, key)) {
                        if (line.n >= 2 && (line.p[0] == '"' || line.p[0] == '\'') && line.p[line.n - 1] == line.p[0])
                                line = sv_from_to(line, 1, line.n - 1);
                        return line;
                }
        }
        return (sv){ 0 };
}

/* "Version:" of an installed package in dpkg's status. */
static sv dpkg_version(sv status, sv package)
{
        bool in = false;
        sv line;

        while (sv_line(&status, &line)) {
                if (line.n == 0)
                        in = false;
                else if (sv_starts(line, SV("Package: ")))
                        in = sv_eq(sv_trim(sv_skip(line, 9)), package);
                else if (in && sv_starts(line, SV("Version: ")))
                        return sv_trim(sv_skip(line, 9));
        }
        return (sv){ 0 };
}

/* The leading digits and dots of a version, without an epoch: "1:2.36-9+deb12u10" → "2.36". */
static sv upstream(sv v)
{
        size_t n = 0;

        v = sv_skip(v, (size_t)(sv_find(v, ':') + 1));
        while (n < v.n && ((v.p[n] >= '0' && v.p[n] <= '9') || v.p[n] == '.'))
                n++;
        while (n && v.p[n - 1] == '.')
                n--;
        return sv_from_to(v, 0, n);
}

static sv after(sv text, const char *mark)
{
        ptrdiff_t at = sv_find_sv(text, sv_from(mark));
        return at < 0 ? (sv){ 0 } : sv_skip(text, (size_t)at + strlen(mark));
}

static void libc_of(const struct scan *s, struct arena *a, struct lock_facts *f)
{
        static const char *const glibc[] = { "lib/x86_64-linux-gnu/libc.so.6", "lib64/libc.so.6",
                                             "lib/aarch64-linux-gnu/libc.so.6", "lib/libc.so.6", "usr/lib/libc.so.6" };
        sv v = upstream(dpkg_version(scan_text(s, a, SV("var/lib/dpkg/status")), SV("libc6")));

        for (size_t i = 0; v.n == 0 && i < ARRAY_LEN(glibc); i++)
                v = upstream(after(scan_text(s, a, sv_from(glibc[i])), "GNU C Library "));
        for (size_t i = 0; v.n == 0 && i < ARRAY_LEN(glibc); i++)
                v = upstream(after(scan_text(s, a, sv_from(glibc[i])), "release version "));
        if (v.n) {
                f->libc_name = SV("glibc");
                f->libc_version = v;
                return;
        }
        v = upstream(after(scan_text(s, a, SV("lib/apk/db/installed")), "\nP:musl\nV:"));
        if (v.n) {
                f->libc_name = SV("musl");
                f->libc_version = v;
        }
}

static int by_path(const void *a, const void *b)
{
        return sv_cmp(((const struct lock_dir *)a)->path, ((const struct lock_dir *)b)->path);
}

int facts_read(const struct scan *s, struct arena *a, struct lock_facts *ret, struct err *e)
{
        const struct scan_file *bin = scan_find(s, SV("bin"));
        sv release = scan_text(s, a, SV("etc/os-release")), opt = scan_real(s, a, SV("opt"));
        size_t cap = 0;

        if (release.n == 0)
                release = scan_text(s, a, SV("usr/lib/os-release"));
        *ret = (struct lock_facts){
                .root = opt.n ? opt : SV("opt"),
                .usrmerged = bin && bin->type == ENTRY_SYMLINK,
                .os_name = arena_sv(a, os_release(release, "ID")),
                .os_version = arena_sv(a, os_release(release, "VERSION_ID")),
        };
        libc_of(s, a, ret);
        for (size_t i = 0; i < s->n; i++) {
                const struct scan_file *f = s->v[i];
                if (f->type == ENTRY_DIR && (f->mode != 0755 || f->uid || f->gid))
                        *arena_push(a, ret->odd_dir, ret->n_odd_dir, cap) =
                                (struct lock_dir){ f->path, f->mode, f->uid, f->gid };
        }
        if (ret->n_odd_dir)
                qsort(ret->odd_dir, ret->n_odd_dir, sizeof(*ret->odd_dir), by_path);
        if (scan_find(s, arena_fmt(a, "%.*s/" PREFIX_NAME, SV_ARG(ret->root)))) {
                err_set(e, ERR_USAGE, "the base already has something at %s", IMAGE_PREFIX);
                err_hint(e, "use a base without it: environments are installed there");
                return -(int)e->code;
        }
        return 0;
}

static sv env_of(const struct oci_config *cfg, sv key)
{
        for (size_t i = 0; i < cfg->n_env; i++)
                if (sv_starts(cfg->env[i], key))
                        return sv_skip(cfg->env[i], key.n);
        return (sv){ 0 };
}

/* "usr/bin/python3.13" → "3.13"; empty for anything else. */
static sv minor_of(sv path)
{
        sv name = sv_basename(path), v = sv_starts(name, SV("python")) ? sv_skip(name, 6) : (sv){ 0 };

        return v.n >= 3 && v.p[0] == '3' && v.p[1] == '.' && upstream(v).n == v.n ? v : (sv){ 0 };
}

static bool fits(sv version, sv minor)
{
        return sv_starts(version, minor) && version.n > minor.n && version.p[minor.n] == '.';
}

/* design/lock.md: dpkg status, else conda-meta (its file names), else PYTHON_VERSION, else the text in the interpreter. */
static sv python_version(const struct scan *s, const struct oci_config *cfg, struct arena *a, sv real, sv minor)
{
        sv v = { 0 }, text;

        if (sv_starts(real, SV("usr/bin/")) || sv_starts(real, SV("bin/")))
                v = upstream(dpkg_version(scan_text(s, a, SV("var/lib/dpkg/status")),
                                          arena_fmt(a, "python%.*s-minimal", SV_ARG(minor))));
        for (size_t i = 0; v.n == 0 && i < s->n; i++) {
                sv name = sv_basename(s->v[i]->path);
                if (sv_find_sv(s->v[i]->path, SV("conda-meta/python-")) >= 0 && fits(upstream(sv_skip(name, 7)), minor))
                        v = upstream(sv_skip(name, 7));
        }
        if (v.n == 0 && fits(env_of(cfg, SV("PYTHON_VERSION=")), minor))
                v = env_of(cfg, SV("PYTHON_VERSION="));
        for (text = scan_text(s, a, real); v.n == 0 && text.n; text = sv_skip(text, 1)) {
                ptrdiff_t at = sv_find_sv(text, minor);
                sv here;
                if (at < 0)
                        break;
                text = sv_skip(text, (size_t)at);
                here = upstream(text);
                /* a string of its own: NUL before and after "3.11.7" */
                if (at > 0 && text.p[-1] == '\0' && fits(here, minor) && here.n < text.n && text.p[here.n] == '\0')
                        v = here;
        }
        return v;
}

int facts_python(const struct scan *s, const struct oci_config *cfg, struct arena *a, bool *ret_has,
                 struct lock_python *ret, struct err *e)
{
        sv path = env_of(cfg, SV("PATH=")), dir, real = { 0 }, minor, version;

        *ret_has = false;
        if (path.n == 0)
                path = SV("/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
        while (real.n == 0 && sv_cut(&path, ':', &dir))
                if (dir.n && dir.p[0] == '/')
                        real = scan_real(s, a, arena_fmt(a, "%.*s/python3", SV_ARG(sv_skip(dir, 1))));
        if (real.n == 0)
                return 0;
        minor = minor_of(real);
        if (minor.n == 0) {
                err_set(e, ERR_USAGE, "the base's python3 is '/%.*s', whose name does not say its version",
                        SV_ARG(real));
                err_hint(e, "use a base whose python3 is a link to python3.N");
                return -(int)e->code;
        }
        version = python_version(s, cfg, a, real, minor);
        if (version.n == 0) {
                err_set(e, ERR_USAGE, "the exact version of the base's python ('/%.*s') is not to be found",
                        SV_ARG(real));
                err_hint(e, "set PYTHON_VERSION=%.*s.N in the base's environment", SV_ARG(minor));
                return -(int)e->code;
        }
        *ret_has = true;
        *ret = (struct lock_python){
                .version = arena_sv(a, version),
                .path = arena_fmt(a, "/%.*s", SV_ARG(real)),
                .abi = arena_fmt(a, "cp3%.*s", SV_ARG(sv_skip(minor, 2))),
                .site_packages = arena_fmt(a, "lib/python%.*s/site-packages", SV_ARG(minor)),
                .from = SV("base"),
        };
        return 0;
}
