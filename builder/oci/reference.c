#include "oci/reference.h"

#include <string.h>

#define NAME_MAX_BYTES 255
#define TAG_MAX_BYTES  128

static bool is_lower(char c)
{
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_upper(char c)
{
        return c >= 'A' && c <= 'Z';
}

/* [a-z0-9]+((\.|_|__|-+)[a-z0-9]+)* */
static bool component(sv s)
{
        size_t i = 0;

        for (;;) {
                size_t word = i, sep;
                while (i < s.n && is_lower(s.p[i]))
                        i++;
                if (i == word)
                        return false;
                if (i == s.n)
                        return true;
                sep = i;
                while (i < s.n && s.p[i] == s.p[sep])
                        i++;
                if (s.p[sep] == '.' ? i - sep != 1 : s.p[sep] == '_' ? i - sep > 2 : s.p[sep] != '-')
                        return false;
        }
}

static bool repository(sv s)
{
        sv part;

        if (!s.n || s.p[s.n - 1] == '/')
                return false;
        while (sv_cut(&s, '/', &part))
                if (!component(part))
                        return false;
        return true;
}

static bool valid_tag(sv s)
{
        for (size_t i = 0; i < s.n; i++) {
                bool word = is_lower(s.p[i]) || is_upper(s.p[i]) || s.p[i] == '_';
                if (!word && (i == 0 || (s.p[i] != '.' && s.p[i] != '-')))
                        return false;
        }
        return s.n > 0 && s.n <= TAG_MAX_BYTES;
}

static bool valid_host(sv s)
{
        sv host = s, port = { 0 };
        ptrdiff_t colon = s.n && s.p[0] == '[' ? sv_find_sv(s, SV("]:")) : sv_rfind(s, ':');
        uint64_t n;

        if (colon >= 0) {
                size_t at = (size_t)colon + (s.p[0] == '[');
                host = sv_from_to(s, 0, at);
                port = sv_skip(s, at + 1);
                if (!sv_u64(port, &n) || n == 0 || n > 65535)
                        return false;
        }
        if (host.n > 2 && host.p[0] == '[' && host.p[host.n - 1] == ']') { /* IPv6 */
                for (size_t i = 1; i + 1 < host.n; i++)
                        if (!memchr("0123456789abcdefABCDEF:.", host.p[i], 24))
                                return false;
                return true;
        }
        for (size_t i = 0; i < host.n; i++) {
                bool word = is_lower(host.p[i]) || is_upper(host.p[i]);
                bool edge = i == 0 || i + 1 == host.n || host.p[i - 1] == '.';
                if (!word && (edge || (host.p[i] != '-' && host.p[i] != '.')))
                        return false;
        }
        return host.n > 0;
}

/* What stands before the first '/' is a host if nobody could mean a folder of Docker Hub by it. */
static bool looks_like_host(sv s)
{
        if (sv_is(s, "localhost") || (s.n && s.p[0] == '['))
                return true;
        for (size_t i = 0; i < s.n; i++)
                if (s.p[i] == '.' || s.p[i] == ':' || is_upper(s.p[i]))
                        return true;
        return false;
}

static bool is_id(sv s)
{
        sha256 ignored;
        return s.n == 64 && sha256_read(s, &ignored);
}

static const char *split_digest(sv *rest, struct reference *r)
{
        ptrdiff_t at = sv_find(*rest, '@');
        sv digest;

        if (at < 0)
                return NULL;
        digest = sv_skip(*rest, (size_t)at + 1);
        *rest = sv_from_to(*rest, 0, (size_t)at);
        if (!sv_starts(digest, SV("sha256:")))
                return "what follows '@' must be a digest: sha256: and 64 digits";
        if (!sha256_read(digest, &r->digest))
                return "the digest after '@' is not sha256: and 64 lower-case hexadecimal digits";
        r->has_digest = true;
        return NULL;
}

static const char *split_tag(sv *rest, struct reference *r)
{
        ptrdiff_t colon = sv_rfind(*rest, ':'), slash = sv_rfind(*rest, '/');

        if (colon < 0 || colon < slash)
                return NULL;
        r->tag = sv_skip(*rest, (size_t)colon + 1);
        *rest = sv_from_to(*rest, 0, (size_t)colon);
        return valid_tag(r->tag) ? NULL
                                 : "the tag after ':' must be letters, digits, '_', '.' or '-', at most 128 of them";
}

static const char *parse(sv text, bool local, struct reference *r)
{
        sv rest = text, head;
        const char *why;
        ptrdiff_t slash;

        if (sv_find_sv(text, SV("://")) >= 0)
                return "an image's name has no scheme: write HOST/NAME:TAG";
        if (is_id(text))
                return "a bare digest does not say where the image is: write NAME@sha256:DIGEST";
        if ((why = split_digest(&rest, r)) || (why = split_tag(&rest, r)))
                return why;
        slash = sv_find(rest, '/');
        head = sv_from_to(rest, 0, slash < 0 ? 0 : (size_t)slash);
        if (looks_like_host(head)) {
                if (!valid_host(head))
                        return "the registry before the first '/' is not HOST or HOST:PORT";
                r->registry = head;
                rest = sv_skip(rest, (size_t)slash + 1);
        } else if (!local) {
                r->registry = SV("docker.io");
        }
        if (sv_is(r->registry, "index.docker.io"))
                r->registry = SV("docker.io");
        r->repository = rest;
        if (is_id(rest))
                return "64 hexadecimal digits cannot be a name: they would be taken for a digest";
        for (size_t i = 0; i < rest.n; i++)
                if (is_upper(rest.p[i]))
                        return "the name must be in lower case";
        if (!repository(rest))
                return "a name is made of lower-case letters and digits, joined by '.', '_', '__', '-' or '/'";
        return NULL;
}

bool reference_parse(struct arena *a, sv text, bool local, struct reference *ret, const char **ret_why)
{
        struct reference r = { 0 };
        const char *why = parse(arena_sv(a, text), local, &r);

        if (why) {
                *ret_why = why;
                return false;
        }
        if (sv_is(r.registry, "docker.io") && sv_find(r.repository, '/') < 0)
                r.repository = arena_fmt(a, "library/%.*s", SV_ARG(r.repository));
        if (r.registry.n + 1 + r.repository.n > NAME_MAX_BYTES) { /* as it is sent, "library/" included */
                *ret_why = "the name is longer than 255 bytes";
                return false;
        }
        *ret = r;
        return true;
}

sv reference_local_name(struct arena *a, const struct reference *r)
{
        sv name = r->registry.n ? arena_fmt(a, "%.*s/%.*s", SV_ARG(r->registry), SV_ARG(r->repository)) : r->repository;

        if (!r->tag.n || sv_is(r->tag, "latest"))
                return name;
        return arena_fmt(a, "%.*s:%.*s", SV_ARG(name), SV_ARG(r->tag));
}
