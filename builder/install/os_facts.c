#include "install/os_priv.h"

#include <stdlib.h>

static const struct artifact *find(const struct artifact *v, size_t n, const char *name)
{
        for (size_t i = 0; i < n; i++)
                if (v[i].kind == ARTIFACT_DEB && sv_is(v[i].name, name))
                        return &v[i];
        return NULL;
}

/* "1:2.41-12+deb13u1" → "2.41": without epoch and revision, and what Debian adds to the upstream version. */
static sv upstream(sv version)
{
        ptrdiff_t colon = sv_find(version, ':'), dash;
        size_t n = 0;

        version = sv_skip(version, (size_t)(colon + 1));
        dash = sv_rfind(version, '-');
        if (dash >= 0)
                version = sv_from_to(version, 0, (size_t)dash);
        while (n < version.n && ((version.p[n] >= '0' && version.p[n] <= '9') || version.p[n] == '.'))
                n++;
        return sv_from_to(version, 0, n);
}

/* python3 depends on exactly one pythonX.Y: what its version begins with. */
static void python(struct arena *a, const struct artifact *v, size_t n, struct os_facts *ret)
{
        const struct artifact *p = find(v, n, "python3-minimal"), *real;
        sv rest, major, minor, short_version;

        if (!p)
                return;
        rest = upstream(p->version);
        if (!sv_cut(&rest, '.', &major) || !sv_cut(&rest, '.', &minor))
                return;
        short_version = arena_fmt(a, "%.*s.%.*s", SV_ARG(major), SV_ARG(minor));
        real = find(v, n, arena_fmt(a, "python%.*s-minimal", SV_ARG(short_version)).p);
        if (!real)
                return;
        ret->python_version = arena_sv(a, upstream(real->version));
        ret->python_path = arena_fmt(a, "/usr/bin/python%.*s", SV_ARG(short_version));
        ret->python_abi = arena_fmt(a, "cp%.*s%.*s", SV_ARG(major), SV_ARG(minor));
        ret->site_packages = arena_fmt(a, "lib/python%.*s/site-packages", SV_ARG(short_version));
}

void os_facts(struct arena *a, const struct recipe *r, const struct artifact *deb, size_t n, struct os_facts *ret)
{
        const struct artifact *libc = find(deb, n, "libc6");

        *ret = (struct os_facts){ .os_version = r->version };
        if (libc)
                ret->libc_version = arena_sv(a, upstream(libc->version));
        python(a, deb, n, ret);
}
