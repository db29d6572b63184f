#include "registry/address.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/attr.h"

sv address_host(sv registry)
{
        ptrdiff_t colon = sv_rfind(registry, ':');

        if (registry.n && registry.p[0] == '[') {
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

        if (!sv_starts(host, SV("127.")) || sv_ends(host, SV(".")))
                return false;
        while (sv_cut(&host, '.', &part)) {
                if (!sv_u64(part, &n) || n > 255)
                        return false;
                parts++;
        }
        return parts == 4;
}

bool address_is_localhost(sv host)
{
        static const char suffix[] = ".localhost";
        size_t n = sizeof(suffix) - 1;

        return sv_eq_nocase(host, SV("localhost")) ||
               (host.n > n && sv_eq_nocase(sv_skip(host, host.n - n), sv_from(suffix)));
}

bool address_is_loopback(sv host)
{
        return address_is_localhost(host) || sv_is(host, "::1") || is_loopback_v4(host);
}

static bool private_v4(uint32_t ip)
{
        static const struct {
                uint32_t net;
                int bits;
        } rows[] = { { 0x00000000, 8 },  { 0x0a000000, 8 },  { 0x64400000, 10 }, { 0x7f000000, 8 },
                     { 0xa9fe0000, 16 }, { 0xac100000, 12 }, { 0xc0a80000, 16 } };

        for (size_t i = 0; i < ARRAY_LEN(rows); i++)
                if ((ip ^ rows[i].net) >> (32 - rows[i].bits) == 0)
                        return true;
        return false;
}

static uint32_t be32(const uint8_t *b)
{
        return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static bool private_v6(const uint8_t b[16])
{
        static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff }, nat64[12] = { 0, 0x64, 0xff, 0x9b }, zero[15];

        if (memcmp(b, mapped, 12) == 0 || memcmp(b, nat64, 12) == 0)
                return private_v4(be32(b + 12));
        if (b[0] == 0x20 && b[1] == 0x02) /* 6to4 */
                return private_v4(be32(b + 2));
        return (memcmp(b, zero, 15) == 0 && b[15] <= 1) || memcmp(b, zero, 12) == 0 || (b[0] & 0xfe) == 0xfc ||
               (b[0] == 0xfe && b[1] >= 0x80);
}

bool address_is_private(sv host)
{
        char text[64];
        struct in_addr v4;
        struct in6_addr v6;

        if (host.n > 2 && host.p[0] == '[' && host.p[host.n - 1] == ']')
                host = sv_from_to(host, 1, host.n - 1);
        while (host.n && host.p[host.n - 1] == '.')
                host.n--;
        if (address_is_localhost(host))
                return true;
        if (sv_find(host, ':') >= 0 && sv_find(host, '%') >= 0)
                return true; /* a zone is a link of this machine */
        if (host.n >= sizeof(text) || memchr(host.p ? host.p : "", '\0', host.n))
                return false;
        memcpy(text, host.n ? host.p : "", host.n);
        text[host.n] = '\0';
        if (inet_pton(AF_INET6, text, &v6) == 1)
                return private_v6(v6.s6_addr);
        return host.n && inet_aton(text, &v4) && private_v4(ntohl(v4.s_addr));
}
