#include "pkg/pyname.h"

#include <string.h>

static bool is_alnum(char c)
{
        return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static char lower(char c)
{
        return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool is_joint(char c)
{
        return c == '-' || c == '_' || c == '.';
}

bool pyname_valid(sv name)
{
        if (!name.n || !is_alnum(name.p[0]) || !is_alnum(name.p[name.n - 1]))
                return false;
        for (size_t i = 0; i < name.n; i++)
                if (!is_alnum(name.p[i]) && !is_joint(name.p[i]))
                        return false;
        return true;
}

sv pyname_normalise(struct arena *a, sv name)
{
        char *p = arena_str(a, name);
        size_t n = 0;

        for (size_t i = 0; i < name.n; i++) {
                char c = name.p[i];
                if (is_joint(c) && n && p[n - 1] == '-')
                        continue;
                p[n++] = is_joint(c) ? '-' : lower(c);
        }
        p[n] = 0;
        return (sv){ p, n };
}

/* ---- wheels ---- */

static bool is_word(char c)
{
        return is_alnum(c) || c == '_' || (unsigned char)c >= 0x80;
}

/* Letters, digits, "_" and "."; a run of "_" would be one "_" in a wheel that a tool made. */
static bool wheel_project_valid(sv name, bool strict)
{
        if (!name.n || (strict && sv_find_sv(name, SV("__")) >= 0))
                return false;
        for (size_t i = 0; i < name.n; i++)
                if (!is_word(name.p[i]) && name.p[i] != '.')
                        return false;
        return true;
}

/* A dot-compressed set. Interpreters are identifiers ("py3", never "2.7"). */
static bool tag_set_valid(sv set, bool identifiers)
{
        for (size_t begin = 0, i = 0; i <= set.n; i++) {
                if (i < set.n && set.p[i] != '.') {
                        if (identifiers && !is_word(set.p[i]))
                                return false;
                        continue;
                }
                if (i == begin || (identifiers && set.p[begin] >= '0' && set.p[begin] <= '9'))
                        return false;
                begin = i + 1;
        }
        return true;
}

/* PyPI serves empty components and odd interpreters: such a wheel simply supports nothing that matches. */
static bool tags_valid(const struct wheel_name *w, bool strict)
{
        if (!strict)
                return w->python.n && w->abi.n && w->platform.n;
        return tag_set_valid(w->python, true) && tag_set_valid(w->abi, false) && tag_set_valid(w->platform, false);
}

static bool build_parse(struct arena *a, sv text, struct wheel_name *w)
{
        size_t n = 0;

        while (n < text.n && text.p[n] >= '0' && text.p[n] <= '9')
                n++;
        if (!n)
                return false;
        if (!sv_u64(sv_from_to(text, 0, n), &w->build_num))
                w->build_num = UINT64_MAX;
        w->build_rest = arena_sv(a, sv_skip(text, n));
        w->has_build = true;
        return true;
}

static bool wheel_version_parse(struct arena *a, sv text, bool strict, struct wheel_name *w)
{
        char *p = arena_str(a, text);

        for (size_t i = 0; i < text.n && !strict; i++) /* as pip does: "1.0_1" was meant as "1.0-1" */
                if (p[i] == '_')
                        p[i] = '-';
        w->version = (sv){ p, text.n };
        w->v = pep440_parse(a, w->version);
        return w->v;
}

/* The parts between dashes, at most max of them; 0 when there are more. */
static size_t dash_split(sv text, sv *part, size_t max)
{
        size_t n = 0, begin = 0;

        for (size_t i = 0; i <= text.n; i++) {
                if (i < text.n && text.p[i] != '-')
                        continue;
                if (n == max)
                        return 0;
                part[n++] = sv_from_to(text, begin, i);
                begin = i + 1;
        }
        return n;
}

bool wheel_name_parse(struct arena *a, sv file, bool strict, struct wheel_name *ret, sv *ret_why)
{
        struct wheel_name w = { 0 };
        sv part[6];
        size_t n;

        if (!sv_ends(file, SV(".whl"))) {
                *ret_why = SV("a wheel's name ends with .whl");
                return false;
        }
        n = dash_split(sv_from_to(file, 0, file.n - 4), part, ARRAY_LEN(part));
        if (n < 5) {
                *ret_why = SV("a wheel's name has five or six parts: name-version(-build)-python-abi-platform.whl");
                return false;
        }
        if (!wheel_project_valid(part[0], strict)) {
                *ret_why = SV("the part before the version is not a project's name");
                return false;
        }
        w.name = pyname_normalise(a, part[0]);
        if (!wheel_version_parse(a, part[1], strict, &w)) {
                *ret_why = SV("the second part is not a version (PEP 440)");
                return false;
        }
        if (n == 6 && !build_parse(a, part[2], &w)) {
                *ret_why = SV("the build tag does not begin with a digit");
                return false;
        }
        w.python = arena_sv(a, part[n - 3]);
        w.abi = arena_sv(a, part[n - 2]);
        w.platform = arena_sv(a, part[n - 1]);
        if (!tags_valid(&w, strict)) {
                *ret_why = SV("a tag is empty or not an identifier");
                return false;
        }
        *ret = w;
        return true;
}

int wheel_name_cmp(const struct wheel_name *a, int64_t rank_a, const struct wheel_name *b, int64_t rank_b)
{
        int r = pep440_cmp(b->v, a->v);

        if (r)
                return r;
        if (rank_a != rank_b)
                return rank_a < rank_b ? -1 : 1;
        if (a->has_build != b->has_build)
                return a->has_build ? -1 : 1;
        if (a->build_num != b->build_num)
                return a->build_num > b->build_num ? -1 : 1;
        return sv_cmp(b->build_rest, a->build_rest);
}

/* ---- source distributions ---- */

/* The first two are what packaging takes; the others PyPI served once. */
static bool sdist_stem(sv file, bool strict, sv *ret)
{
        static const char *const ends[] = { ".tar.gz", ".zip", ".tar.bz2", ".tgz", ".tar.xz", ".tar.Z", ".tar" };

        for (size_t i = 0; i < (strict ? 2 : ARRAY_LEN(ends)); i++) {
                sv end = sv_from(ends[i]);
                if (sv_ends(file, end)) {
                        *ret = sv_from_to(file, 0, file.n - end.n);
                        return true;
                }
        }
        return false;
}

/* Where the version begins in "zope.interface-5.4.0": after the text whose normal form is the project's and a "-"; 0: nowhere. */
static size_t version_at(sv stem, sv project)
{
        size_t i = 0, j = 0;

        while (i < stem.n && j < project.n) {
                if (is_joint(stem.p[i])) {
                        if (project.p[j++] != '-')
                                return 0;
                        while (i < stem.n && is_joint(stem.p[i]))
                                i++;
                } else if (lower(stem.p[i++]) != project.p[j++]) {
                        return 0;
                }
        }
        return i < stem.n && j == project.n && stem.p[i] == '-' ? i + 1 : 0;
}

bool sdist_name_parse(struct arena *a, sv file, sv project, struct sdist_name *ret, sv *ret_why)
{
        struct sdist_name s = { 0 };
        sv stem;
        ptrdiff_t dash;
        size_t at;

        if (!sdist_stem(file, !project.n, &stem)) {
                *ret_why = SV("a source distribution's name ends with .tar.gz or .zip");
                return false;
        }
        dash = sv_rfind(stem, '-');
        at = project.n ? version_at(stem, project) : (size_t)(dash + 1);
        if (!at || at == 1) {
                *ret_why = project.n ? arena_fmt(a, "it is not a file of '%.*s'", SV_ARG(project))
                                     : SV("a source distribution is named name-version");
                return false;
        }
        s.name = project.n ? arena_sv(a, project) : pyname_normalise(a, sv_from_to(stem, 0, at - 1));
        s.version = arena_sv(a, sv_skip(stem, at));
        s.v = pep440_parse(a, s.version);
        if (!s.v) {
                *ret_why = SV("the part after the name is not a version (PEP 440)");
                return false;
        }
        *ret = s;
        return true;
}
