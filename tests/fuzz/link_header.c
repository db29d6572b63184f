/* Link headers from anybody: what is found lies inside the header, and a further page on the host of the one before. */
#include <stdint.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "net/url.h"
#include "registry/link.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
        AUTO(arena_done) struct arena a = { 0 };
        sv header = { (const char *)p, n }, got = { 0 }, next = { 0 };
        struct url u;

        if (link_find(header, "next", &got) && (got.p < header.p || got.p + got.n > header.p + n))
                abort();
        if (link_next(&a, SV("https://host/v2/x/tags/list"), header, &next) && next.n &&
            (!url_parse(next, &u) || !sv_eq_nocase(u.host, SV("host")) || !sv_eq_nocase(u.scheme, SV("https"))))
                abort();
        return 0;
}
