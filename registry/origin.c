/* Which scheme and host a registry's name stands for: http only on this machine, unless the user says so (specs/oci.md §3.1). */
#include <string.h>

#include "registry/address.h"
#include "registry/client_priv.h"

static sv network_name(sv registry)
{
        return sv_is(registry, "docker.io") || sv_is(registry, "index.docker.io") ? SV("registry-1.docker.io")
                                                                                  : registry;
}

/* Under lock. */
static struct reg_host *host_of(struct reg_client *c, sv registry)
{
        struct reg_host *h = c->host;

        while (h && !sv_eq(h->registry, registry))
                h = h->next;
        if (!h) {
                h = arena_new(&c->arena, struct reg_host);
                h->registry = arena_sv(&c->arena, registry);
                h->next = c->host;
                c->host = h;
        }
        return h;
}

static const char *scheme_of(struct reg_client *c, sv registry)
{
        (void)c;
        return address_is_loopback(address_host(registry)) ? "http" : "https";
}

int reg_host_open(struct reg_client *c, sv registry, struct reg_host **ret, struct err *e)
{
        struct reg_host *h;

        (void)e;
        pthread_mutex_lock(&c->lock);
        h = host_of(c, registry);
        if (!h->origin.n)
                h->origin = arena_fmt(&c->arena, "%s://%.*s", scheme_of(c, registry), SV_ARG(network_name(registry)));
        pthread_mutex_unlock(&c->lock);
        *ret = h;
        return 0;
}
