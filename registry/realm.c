/* Where a server may send us: a token realm, a Location, a redirect. It must not lead a request into the network that we stand in, nor a
 * secret onto an open wire. */
#include <string.h>

#include "net/url.h"
#include "registry/address.h"
#include "registry/client_priv.h"

static bool plain_host(sv host)
{
        for (size_t i = 0; i < host.n; i++) {
                char c = host.p[i];
                bool word = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');

                if (!word && !(c && strchr("-._[]:", c)))
                        return false;
        }
        return host.n > 0;
}

/* The same machine by the name that the user gave: localhost is 127.0.0.1, no other address of this machine. */
static bool same_host(sv a, sv b)
{
        static const char *const local[] = { "127.0.0.1", "[::1]" };

        if (sv_eq_nocase(a, b))
                return true;
        if (address_is_localhost(a) && address_is_localhost(b))
                return true;
        for (size_t i = 0; i < ARRAY_LEN(local); i++)
                if ((sv_is(a, local[i]) && address_is_localhost(b)) || (sv_is(b, local[i]) && address_is_localhost(a)))
                        return true;
        return false;
}

const char *reg_url_refused(sv origin, sv url)
{
        struct url from, to;
        bool https;

        if (!url_parse(url, &to) || !plain_host(to.host))
                return "it is no URL";
        https = sv_eq_nocase(to.scheme, SV("https"));
        if (!https && !sv_eq_nocase(to.scheme, SV("http")))
                return "it is no http URL";
        if (to.user.n)
                return "it holds a user name";
        if (!url_parse(origin, &from))
                return "its registry has no URL";
        if (!https && !sv_is(from.scheme, "http"))
                return "it is not encrypted";
        if (address_is_private(to.host) && !same_host(from.host, to.host))
                return "it is an address of a private network";
        return NULL;
}
