#include <string.h>

#include "base/cleanup.h"
#include "pkg/requirement.h"
#include "spec/spec_priv.h"

/* One item of `dependencies`, read just well enough to say what to write instead: conda packages are refused by name. */
struct item {
        sv name, version; /* version: with its operator, "=1.2", ">=1,<2"; build and channel are left out */
};

static struct item item_read(sv text)
{
        struct item it = { 0 };
        ptrdiff_t channel = sv_find_sv(text, SV("::"));
        size_t i = 0;

        text = sv_trim(text);
        if (channel >= 0)
                text = sv_trim(sv_skip(text, (size_t)channel + 2));
        while (i < text.n && !strchr(" \t=<>!~[", text.p[i]))
                i++;
        it.name = sv_from_to(text, 0, i);
        it.version = sv_trim(sv_skip(text, i));
        if (sv_starts(it.version, SV("[")))
                it.version = SV("");
        return it;
}

/* Packages that Debian has under the same name, and nobody wants from PyPI. */
static const char *const debian_has[] = {
        "autoconf", "automake", "bash",        "bzip2",    "cmake",       "curl",    "ffmpeg",     "fontconfig",
        "freetype", "gawk",     "gcc",         "gdb",      "ghostscript", "git",     "git-lfs",    "graphviz",
        "gzip",     "htop",     "imagemagick", "jq",       "less",        "libtool", "make",       "nano",
        "nodejs",   "openssl",  "pandoc",      "parallel", "perl",        "pigz",    "poppler",    "rsync",
        "ruby",     "samtools", "screen",      "sed",      "sox",         "sqlite",  "subversion", "swig",
        "tar",      "tmux",     "unzip",       "vim",      "wget",        "xz",      "zip",        "zlib",
};

static sv apt_name(sv name)
{
        static const struct {
                const char *conda, *debian;
        } differ[] = {
                { "poppler", "poppler-utils" }, { "sqlite", "sqlite3" }, { "xz", "xz-utils" }, { "zlib", "zlib1g" }
        };

        for (size_t i = 0; i < ARRAY_LEN(differ); i++)
                if (sv_is(name, differ[i].conda))
                        return sv_from(differ[i].debian);
        for (size_t i = 0; i < ARRAY_LEN(debian_has); i++)
                if (sv_is(name, debian_has[i]))
                        return name;
        return SV("");
}

/* conda's "=1.2" is a prefix, "=1.2.3=py39_0" an exact build. The guess is shown only when it is a requirement. */
static sv pip_line(struct arena *a, const struct item *it)
{
        AUTO(buf_done) struct buf b = BUF_INIT(1024);
        struct requirement r;
        sv v = it->version, why;
        ptrdiff_t build;
        size_t at;

        if (sv_starts(v, SV("=")) && !sv_starts(v, SV("=="))) {
                v = sv_trim(sv_skip(v, 1));
                build = sv_find(v, '=');
                if (build >= 0)
                        buf_fmt(&b, "%.*s==%.*s", SV_ARG(it->name), (int)build, v.p);
                else
                        buf_fmt(&b, "%.*s==%.*s%s", SV_ARG(it->name), SV_ARG(v), sv_ends(v, SV("*")) ? "" : ".*");
        } else {
                build = sv_starts(v, SV("==")) ? sv_find(sv_skip(v, 2), '=') : -1;
                buf_fmt(&b, "%.*s%.*s", SV_ARG(it->name), (int)(build >= 0 ? build + 2 : (ptrdiff_t)v.n), v.p);
        }
        return !b.over && requirement_parse(a, buf_sv(&b), &r, &why, &at) ? arena_sv(a, buf_sv(&b)) : SV("");
}

static void refuse(struct spec_load *l, const struct item *it, sv text, struct spec_where at)
{
        size_t i = spec_fault(l->ds, at, text.n, "EB105", "'%.*s' is a conda package, and those cannot be built yet",
                              SV_ARG(it->name));
        sv apt = apt_name(it->name), pip;

        if (sv_is(it->name, "python")) {
                diag_hint(l->ds, i,
                          "write 'envbuild: {python: base}': the base's python is used then, and this line checks its "
                          "version");
                return;
        }
        if (sv_is(it->name, "pip")) {
                diag_hint(l->ds, i, "take this line out: the pip section needs no pip in the image");
                return;
        }
        pip = pip_line(l->a, it);
        if (apt.n)
                diag_hint(l->ds, i, "write 'envbuild: {apt: [%.*s]}'", SV_ARG(apt));
        else if (pip.n)
                diag_hint(l->ds, i,
                          "write '- %.*s' under 'pip:' if it is on PyPI, or name a Debian package under 'envbuild: "
                          "{apt: …}'",
                          SV_ARG(pip));
        else
                diag_hint(l->ds, i,
                          "name it under 'pip:' if it is on PyPI, or a Debian package under 'envbuild: {apt: …}'");
}

/* What "python=3.12" asks of the base's python, as a PEP 440 specifier: "=3.12" is a prefix, "3.12" and "==3.12" are exact. */
static bool python_specifier(struct spec_load *l, sv version, sv *ret)
{
        struct pep440_spec spec;
        sv why;

        if (sv_starts(version, SV("=")) && !sv_starts(version, SV("==")))
                version = arena_fmt(l->a, "==%.*s%s", SV_ARG(sv_trim(sv_skip(version, 1))),
                                    sv_ends(version, SV(".*")) ? "" : ".*");
        else if (version.n && version.p[0] >= '0' && version.p[0] <= '9')
                version = arena_fmt(l->a, "==%.*s", SV_ARG(version));
        *ret = version;
        return pep440_spec_parse(l->a, version, &spec, &why);
}

static void python_item(struct spec_load *l, sv version, sv text, struct spec_where at)
{
        sv specifier;

        if (l->s->python_req.at.line) {
                spec_fault(l->ds, at, text.n, "EB104", "'python' is given twice");
                return;
        }
        if (!python_specifier(l, version, &specifier)) {
                size_t i = spec_fault(l->ds, at, text.n, "EB103", "'%.*s' says no version that can be checked",
                                      SV_ARG(text));
                diag_hint(l->ds, i, "write python=3.13 or python>=3.12,<3.14");
                return;
        }
        l->s->python_req = (struct spec_text){ specifier, at };
}

void spec_conda_item(struct spec_load *l, sv text, struct spec_where at)
{
        struct item it = item_read(text);

        if (it.name.n == 0) {
                spec_fault(l->ds, at, text.n, "EB103", "'%.*s' names no package", SV_ARG(text));
                return;
        }
        if (l->s->python == SPEC_PYTHON_BASE && sv_is(it.name, "python")) {
                python_item(l, it.version, text, at);
                return;
        }
        if (l->s->python == SPEC_PYTHON_BASE && sv_is(it.name, "pip"))
                return;
        refuse(l, &it, text, at);
}
