#include <inttypes.h>

#include "install/wheel_priv.h"
#include "pkg/metadata.h"
#include "pkg/pyname.h"
#include "version/pep440.h"

enum { WHEEL_MAJOR = 1, WHEEL_MINOR = 0 };

static int find_dist_info(struct wheel *w, struct err *e)
{
        sv found = { 0 };

        for (size_t i = 0; i < w->zip.n; i++) {
                sv rest = w->zip.v[i].name, top = { 0 };

                sv_cut(&rest, '/', &top);
                if (!sv_ends(top, SV(".dist-info")) || sv_eq(top, found))
                        continue;
                if (found.n)
                        return err_set(e, ERR_INTEGRITY, "the wheel has two .dist-info folders: '%.*s' and '%.*s'",
                                       SV_ARG(found), SV_ARG(top));
                found = top;
        }
        if (!found.n)
                return err_set(e, ERR_INTEGRITY, "the wheel has no .dist-info folder");
        w->dist_info = found;
        return 0;
}

static bool same_version(struct arena *a, sv written, sv want)
{
        char *p = arena_str(a, written);
        const struct pep440 *x, *y;

        for (size_t i = 0; i < written.n; i++)
                if (p[i] == '_')
                        p[i] = '-';
        x = pep440_parse(a, (sv){ p, written.n });
        y = pep440_parse(a, want);
        return x && y ? pep440_cmp(x, y) == 0 : sv_eq(written, want);
}

/* Old tools left dashes in names and versions, so every dash is tried as the border. */
static int check_dist_info(struct wheel *w, struct err *e)
{
        sv stem = sv_from_to(w->dist_info, 0, w->dist_info.n - SV(".dist-info").n);
        sv name = pyname_normalise(&w->arena, w->art->name);

        for (size_t i = 0; i < stem.n; i++)
                if (stem.p[i] == '-' && sv_eq(pyname_normalise(&w->arena, sv_from_to(stem, 0, i)), name) &&
                    same_version(&w->arena, sv_skip(stem, i + 1), w->art->version))
                        return 0;
        return err_set(e, ERR_INTEGRITY, "the wheel's folder '%.*s' is not that of %.*s %.*s", SV_ARG(w->dist_info),
                       SV_ARG(w->art->name), SV_ARG(w->art->version));
}

/* The first header of that name; the text ends at an empty line. */
static bool header(sv text, const char *name, sv *ret)
{
        sv line, key;

        while (sv_line(&text, &line) && line.n) {
                ptrdiff_t colon = sv_find(line, ':');

                if (colon < 0)
                        return false;
                key = sv_from_to(line, 0, (size_t)colon);
                if (!sv_eq_nocase(key, sv_from(name)))
                        continue;
                *ret = sv_trim(sv_skip(line, (size_t)colon + 1));
                return true;
        }
        return false;
}

static int check_format(struct wheel *w, struct diags *ds, struct err *e)
{
        sv text, version, rest, part;
        uint64_t number[2] = { 0 };
        size_t n = 0;
        int rc = wheel_text_read(w, "WHEEL", &text, e);

        if (rc == -ERR_NOT_FOUND)
                return err_set(e, ERR_INTEGRITY, "the wheel has no '%.*s/WHEEL'", SV_ARG(w->dist_info));
        if (rc < 0)
                return rc;
        if (!sv_utf8(text) || !header(text, "Wheel-Version", &version))
                return err_set(e, ERR_INTEGRITY, "'%.*s/WHEEL' has no Wheel-Version", SV_ARG(w->dist_info));
        for (rest = version; sv_cut(&rest, '.', &part); n++) {
                uint64_t v;

                if (!sv_u64(part, &v))
                        return err_set(e, ERR_INTEGRITY, "'%.*s/WHEEL' has the Wheel-Version '%.*s', which is none",
                                       SV_ARG(w->dist_info), SV_ARG(version));
                if (n < 2)
                        number[n] = v;
        }
        if (!n)
                return err_set(e, ERR_INTEGRITY, "'%.*s/WHEEL' has no Wheel-Version", SV_ARG(w->dist_info));
        if (number[0] > WHEEL_MAJOR) {
                err_set(e, ERR_FAILED, "the wheel has the format %.*s; formats up to %d can be installed",
                        SV_ARG(version), WHEEL_MAJOR);
                err_hint(e, "choose an older release of '%.*s', or a newer envbuild", SV_ARG(w->art->name));
                return -(int)e->code;
        }
        if (number[0] == WHEEL_MAJOR && number[1] > WHEEL_MINOR)
                diag_warn(ds, w->file, 0, 0, "EB302", "the wheel has the format %.*s, which is newer than %d.%d",
                          SV_ARG(version), WHEEL_MAJOR, WHEEL_MINOR);
        return 0;
}

/* Could any 3.13.x run it? The patch number of the base's python is no input of a layer. */
static bool python_fits(struct wheel *w, sv requires)
{
        struct pep440_spec spec;
        sv why;

        if (!pep440_spec_parse(&w->arena, requires, &spec, &why))
                return true; /* pip ignores what it cannot read */
        for (unsigned patch = 0; patch < 100; patch++) {
                sv version = arena_fmt(&w->arena, "%.*s.%u", SV_ARG(w->ctx.python), patch);
                const struct pep440 *v = pep440_parse(&w->arena, version);

                if (!v || pep440_spec_has(&spec, v, version))
                        return true;
        }
        return false;
}

static int check_metadata(struct wheel *w, struct err *e)
{
        struct metadata m;
        sv text;
        int rc = wheel_text_read(w, "METADATA", &text, e);

        if (rc == -ERR_NOT_FOUND)
                return err_set(e, ERR_INTEGRITY, "the wheel has no '%.*s/METADATA'", SV_ARG(w->dist_info));
        if (rc < 0)
                return rc;
        if (metadata_parse(&w->arena, text, &m, e) < 0)
                return err_while(e, "reading '%.*s/METADATA'", SV_ARG(w->dist_info));
        if (!sv_eq(pyname_normalise(&w->arena, m.name), pyname_normalise(&w->arena, w->art->name)))
                return err_set(e, ERR_INTEGRITY, "the wheel's METADATA is that of '%.*s', not of '%.*s'",
                               SV_ARG(m.name), SV_ARG(w->art->name));
        if (m.requires_python.n && w->ctx.python.n && !python_fits(w, m.requires_python))
                return err_set(e, ERR_FAILED, "%.*s %.*s requires Python '%.*s'; the environment has %.*s",
                               SV_ARG(w->art->name), SV_ARG(w->art->version), SV_ARG(m.requires_python),
                               SV_ARG(w->ctx.python));
        return 0;
}

static int check_members(struct wheel *w, struct err *e)
{
        if (w->zip.n > WHEEL_MEMBER_MAX)
                return err_set(e, ERR_LIMIT, "the wheel has %zu members; at most %zu can be installed", w->zip.n,
                               WHEEL_MEMBER_MAX);
        if (!zip_find(&w->zip, arena_fmt(&w->arena, "%.*s/RECORD", SV_ARG(w->dist_info))))
                return err_set(e, ERR_INTEGRITY, "the wheel has no '%.*s/RECORD'", SV_ARG(w->dist_info));
        for (size_t i = 0; i < w->zip.n; i++) {
                const struct zip_member *m = &w->zip.v[i];

                if (m->method != 0 && m->method != 8)
                        return err_set(e, ERR_FAILED, "member '%.*s' uses compression method %u; wheels have 0 or 8",
                                       SV_ARG(m->name), m->method);
        }
        return 0;
}

int wheel_check(struct wheel *w, struct diags *ds, struct err *e)
{
        if (find_dist_info(w, e) < 0 || check_dist_info(w, e) < 0 || check_members(w, e) < 0 ||
            check_format(w, ds, e) < 0 || check_metadata(w, e) < 0)
                return -(int)e->code;
        return 0;
}
