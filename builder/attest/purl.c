#include "attest/purl.h"

#include <string.h>

#include "oci/reference.h"
#include "spec/spec.h"

/* Everything but what RFC 3986 calls unreserved, so that no reader can take a part for another. */
static void add_encoded(struct buf *b, sv s)
{
        for (size_t i = 0; i < s.n; i++) {
                unsigned char c = (unsigned char)s.p[i];
                bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                             (c && strchr("-._~", c));
                if (plain)
                        buf_byte(b, (char)c);
                else
                        buf_fmt(b, "%%%02X", c);
        }
}

static sv encoded(struct arena *a, sv s)
{
        struct buf b = { .max = s.n * 3 + 1 };
        sv text;

        add_encoded(&b, s);
        text = arena_sv(a, buf_sv(&b));
        buf_done(&b);
        return text;
}

sv purl_dist(struct arena *a, sv name, sv version)
{
        return arena_fmt(a, "pkg:pypi/%.*s@%.*s", SV_ARG(encoded(a, name)), SV_ARG(encoded(a, version)));
}

static sv purl_deb(struct arena *a, const struct lock_platform *p, const struct artifact *x)
{
        sv os = p->facts.os_name.n ? p->facts.os_name : SV("debian"), qualifiers = SV("");

        if (x->arch.n)
                qualifiers = arena_fmt(a, "?arch=%.*s", SV_ARG(encoded(a, x->arch)));
        if (p->facts.os_version.n)
                qualifiers = arena_fmt(a, "%.*s%cdistro=%.*s-%.*s", SV_ARG(qualifiers), qualifiers.n ? '&' : '?',
                                       SV_ARG(encoded(a, os)), SV_ARG(encoded(a, p->facts.os_version)));
        return arena_fmt(a, "pkg:deb/%.*s/%.*s@%.*s%.*s", SV_ARG(encoded(a, os)), SV_ARG(encoded(a, x->name)),
                         SV_ARG(encoded(a, x->version)), SV_ARG(qualifiers));
}

/* A user, a password or a variable that holds one: none of it is where a file is. */
static sv without_user(struct arena *a, sv url)
{
        ptrdiff_t scheme = sv_find_sv(url, SV("://")), slash, at;
        sv rest, host;

        if (scheme < 0)
                return (sv){ 0 };
        rest = sv_skip(url, (size_t)scheme + 3);
        slash = sv_find(rest, '/');
        host = slash < 0 ? rest : sv_from_to(rest, 0, (size_t)slash);
        at = sv_rfind(host, '@');
        if (at < 0)
                return url;
        return arena_fmt(a, "%.*s%.*s", (int)(scheme + 3), url.p, SV_ARG(sv_skip(rest, (size_t)at + 1)));
}

/* "/t/${TOKEN}": what spec_channel_public leaves, since it is no secret in a lock, stands between us and an address. */
static sv without_variable(struct arena *a, sv url)
{
        ptrdiff_t from = sv_find_sv(url, SV("/t/${"));
        sv rest;
        ptrdiff_t end;

        if (from < 0)
                return url;
        rest = sv_skip(url, (size_t)from + 3);
        end = sv_find(rest, '/');
        return end < 0 ? url : arena_fmt(a, "%.*s%.*s", (int)from, url.p, SV_ARG(sv_skip(rest, (size_t)end)));
}

sv download_location(struct arena *a, const struct artifact *x)
{
        if (x->kind == ARTIFACT_DEB &&
            sv_starts(x->url, SV("pool/"))) /* relative to whatever mirror; Debian's own name */
                return arena_fmt(a, "https://deb.debian.org/debian/%.*s", SV_ARG(x->url));
        return without_variable(a, without_user(a, spec_channel_public(a, x->url)));
}

/* "https://conda.anaconda.org/conda-forge/linux-64/x.conda" → "conda-forge" and "linux-64". */
static void channel_of(sv url, sv *ret_channel, sv *ret_subdir)
{
        ptrdiff_t scheme = sv_find_sv(url, SV("://")), slash;
        sv folder = sv_dirname(url), path;

        *ret_subdir = sv_basename(folder);
        folder = sv_dirname(folder);
        path = scheme < 0 ? folder : sv_skip(folder, (size_t)scheme + 3);
        slash = sv_find(path, '/');
        path = scheme >= 0 && slash >= 0 ? sv_skip(path, (size_t)slash + 1) : sv_basename(path);
        if (sv_starts(path, SV("pkgs/"))) /* the defaults of repo.anaconda.com: "main", "r" */
                path = sv_skip(path, 5);
        *ret_channel = path;
}

static sv purl_conda(struct arena *a, const struct artifact *x)
{
        sv url = download_location(a, x), channel, subdir;

        channel_of(url, &channel, &subdir);
        return arena_fmt(a, "pkg:conda/%.*s@%.*s?build=%.*s&channel=%.*s&subdir=%.*s&type=%s",
                         SV_ARG(encoded(a, x->name)), SV_ARG(encoded(a, x->version)), SV_ARG(encoded(a, x->build)),
                         SV_ARG(encoded(a, channel)), SV_ARG(encoded(a, subdir)),
                         sv_ends(url, SV(".tar.bz2")) ? "tar.bz2" : "conda");
}

sv purl_artifact(struct arena *a, const struct lock_platform *p, const struct artifact *x)
{
        switch (x->kind) {
        case ARTIFACT_DEB:
                return purl_deb(a, p, x);
        case ARTIFACT_CONDA:
                return purl_conda(a, x);
        case ARTIFACT_WHEEL:
                break;
        }
        return purl_dist(a, x->name, x->version);
}

sv purl_image(struct arena *a, sv name, const sha256 *manifest, sv arch, sv repository)
{
        struct buf b = { .max = 4096 };
        char sep = '?';
        sv text;

        buf_add(&b, SV("pkg:oci/"));
        add_encoded(&b, sv_basename(name));
        buf_fmt(&b, "@sha256%%3A%s", sha256_hex(manifest).s);
        if (arch.n) {
                buf_fmt(&b, "%carch=", sep);
                add_encoded(&b, arch);
                sep = '&';
        }
        if (repository.n) {
                buf_fmt(&b, "%crepository_url=", sep);
                add_encoded(&b, repository);
        }
        text = arena_sv(a, buf_sv(&b));
        buf_done(&b);
        return text;
}

sv purl_arch(sv platform)
{
        ptrdiff_t slash = sv_find(platform, '/');

        return slash < 0 ? (sv){ 0 } : sv_skip(platform, (size_t)slash + 1);
}

sv purl_base(struct arena *a, const struct lock_platform *p)
{
        sv ref = p->base.ref, dir, arch = purl_arch(p->platform);
        struct reference r;
        const char *why;

        if (!sv_starts(ref, SV("oci:")) && reference_parse(a, ref, false, &r, &why))
                return purl_image(a, r.repository, &p->base.manifest, arch,
                                  arena_fmt(a, "%.*s/%.*s", SV_ARG(r.registry), SV_ARG(r.repository)));
        ref = sv_starts(ref, SV("oci:")) ? sv_skip(ref, 4) : ref;
        ref = sv_basename(ref); /* a path of somebody's machine is nobody else's business */
        return purl_image(a, sv_cut(&ref, ':', &dir) ? dir : SV("base"), &p->base.manifest, arch, (sv){ 0 });
}
