/* Which scheme and host a registry's name stands for: http only on this machine, unless the user says so (specs/oci.md §3.1). */
#include "registry/client_priv.h"

static sv host_of(sv registry)
{
        ptrdiff_t colon = sv_rfind(registry, ':');

        if (registry.n && registry.p[0] == '[') { /* [::1]:5000 */
                ptrdiff_t end = sv_find(registry, ']');

                return end < 0 ? registry : sv_from_to(registry, 1, (size_t)end);
        }
        return colon < 0 ? registry : sv_from_to(registry, 0, (size_t)colon);
}

/* 127.1.2.3, and nothing that a name server could answer for. */
static bool is_loopback_v4(sv host)
{
        sv part;
        uint64_t n;
        int parts = 0;

        if (!sv_starts(host, SV("127.")))
                return false;
        while (sv_cut(&host, '.', &part)) {
                if (!sv_u64(part, &n) || n > 255)
                        return false;
                parts++;
        }
        return parts == 4;
}

static bool is_this_machine(sv registry)
{
        sv host = host_of(registry);

        return sv_is(host, "localhost") || sv_ends(host, SV(".localhost")) || sv_is(host, "::1") ||
               is_loopback_v4(host);
}

sv reg_origin(struct reg_client *c, sv registry, struct arena *a)
{
        (void)c;
        if (sv_is(registry, "docker.io"))
                return SV("https://registry-1.docker.io");
        return arena_fmt(a, "%s://%.*s", is_this_machine(registry) ? "http" : "https", SV_ARG(registry));
}
