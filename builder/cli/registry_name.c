#include "cli/registry_name.h"

#include "oci/reference.h"

static sv without_url(sv text)
{
        sv bare = sv_starts(text, SV("https://"))  ? sv_skip(text, 8)
                  : sv_starts(text, SV("http://")) ? sv_skip(text, 7)
                                                   : text;

        if (bare.n == text.n)
                return text;
        if (sv_ends(bare, SV("/")))
                bare.n--;
        if (sv_ends(bare, SV("/v1")) || sv_ends(bare, SV("/v2")))
                bare.n -= 3;
        return bare;
}

int registry_name(struct arena *a, sv text, sv *ret, struct err *e)
{
        sv host = without_url(text);
        struct reference r;
        const char *why = NULL;

        if (sv_is(host, "registry-1.docker.io"))
                host = SV("docker.io");
        if (host.n && sv_find(host, '/') < 0 && sv_find(host, '@') < 0 &&
            reference_parse(a, arena_fmt(a, "%.*s/x/y", SV_ARG(host)), false, &r, &why) && sv_is(r.repository, "x/y")) {
                *ret = r.registry;
                return 0;
        }
        err_set(e, ERR_USAGE, "'%.*s' is not the name of a registry", SV_ARG(text));
        if (sv_find(host, '/') > 0)
                err_hint(e, "envbuild login %.*s", SV_ARG(sv_from_to(host, 0, (size_t)sv_find(host, '/'))));
        else
                err_hint(e, "a host, with a port where it has one: registry.example.com, localhost:5000, docker.io");
        return -(int)e->code;
}
