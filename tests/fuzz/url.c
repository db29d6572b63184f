#include "base/cleanup.h"
#include "net/url.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

/* Any text may come as a URL or a link: no secret may survive masking, whatever it looks like. */
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
        AUTO(arena_done) struct arena a = { 0 };
        sv text = { (const char *)p, n }, base = { 0 }, joined;
        struct url u;

        sv_cut(&text, '\n', &base);
        joined = url_join(&a, base, text);
        url_encode(&a, url_decode(&a, joined));
        url_masked(&a, joined);
        if (url_parse(url_public(&a, joined), &u) && u.user.n)
                __builtin_trap();
        return 0;
}
