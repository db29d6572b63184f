/* "@EXPLICIT" lists (CEP 23): one URL or path of a package a line, what conda list --explicit and conda-lock render write. */
#include "lock/import_priv.h"

static bool is_hex(sv s, size_t n)
{
        for (size_t i = 0; i < s.n; i++)
                if (!((s.p[i] >= '0' && s.p[i] <= '9') || ((s.p[i] | 0x20) >= 'a' && (s.p[i] | 0x20) <= 'f')))
                        return false;
        return s.n == n;
}

/* "URL#md5", "URL#sha256", "URL#sha256:…"; any other fragment stays where it is, to be told. */
static void split_hash(struct arena *a, struct lock_explicit_line *x)
{
        ptrdiff_t at = sv_rfind(x->url, '#');
        sv hash = at < 0 ? SV("") : sv_skip(x->url, (size_t)at + 1);

        if (sv_starts(hash, SV("sha256:")))
                hash = sv_skip(hash, sizeof("sha256:") - 1);
        if (is_hex(hash, 32))
                x->md5 = arena_lower(a, hash);
        else if (is_hex(hash, 64))
                x->sha256 = arena_lower(a, hash);
        else
                return;
        x->url = sv_trim(sv_from_to(x->url, 0, (size_t)at));
}

bool lock_explicit_read(struct arena *a, sv text, struct lock_explicit_line **ret, size_t *ret_n, sv *ret_subdir)
{
        struct lock_explicit_line *v = NULL;
        size_t n = 0, cap = 0;
        uint32_t no = 0;
        bool explicit = false;
        sv line;

        *ret_subdir = SV("");
        if (sv_starts(text, SV("\xef\xbb\xbf")))
                text = sv_skip(text, 3);
        while (sv_line(&text, &line)) {
                no++;
                line = sv_trim(line);
                if (sv_is(line, "@EXPLICIT")) {
                        explicit = true;
                } else if (sv_starts(line, SV("#"))) {
                        line = sv_trim(sv_skip(line, 1));
                        if (sv_starts(line, SV("platform:")))
                                *ret_subdir = arena_sv(a, sv_trim(sv_skip(line, sizeof("platform:") - 1)));
                } else if (line.n) {
                        struct lock_explicit_line *x = arena_push(a, v, n, cap);
                        *x = (struct lock_explicit_line){ .line = no, .url = arena_sv(a, line) };
                        split_hash(a, x);
                }
        }
        *ret = v;
        *ret_n = n;
        return explicit;
}

/* ".../linux-64/x-1-0.conda" → "linux-64"; empty when no known subdir stands there. */
static sv subdir_of(sv url)
{
        sv dir = sv_from_to(url, 0, url.n - sv_basename(url).n);

        dir = sv_basename(sv_from_to(dir, 0, dir.n ? dir.n - 1 : 0));
        return conda_subdir_known(dir) ? dir : SV("");
}

/* Paths become file:// URLs; "~/" is the user's home. */
static sv url_of(struct import *im, sv text)
{
        const struct conda_channel_settings *s = im->o->settings;

        if (sv_find_sv(text, SV("://")) >= 0)
                return text;
        if (sv_starts(text, SV("/")))
                return arena_fmt(im->r.a, "file://%.*s", SV_ARG(text));
        if (sv_starts(text, SV("~/")) && s && s->home.n)
                return arena_fmt(im->r.a, "file://%.*s%.*s", SV_ARG(s->home), SV_ARG(sv_skip(text, 1)));
        if (sv_starts(text, SV("./")))
                text = sv_skip(text, 2);
        return s && s->cwd.n ? arena_fmt(im->r.a, "file://%.*s/%.*s", SV_ARG(s->cwd), SV_ARG(text)) : text;
}

/* What the list says of itself, else what its packages are of. */
static sv platform_of(struct import *im, const struct lock_explicit_line *v, size_t n, sv said)
{
        for (size_t i = 0; !said.n && i < n; i++)
                if (!sv_is(subdir_of(v[i].url), "noarch"))
                        said = subdir_of(v[i].url);
        return said.n ? said : conda_subdir_of(im->o->host);
}

/* The channel of a package's URL: what stands before "/SUBDIR/FILE". */
static void add_channel(struct import *im, const struct yaml *at, sv url, sv subdir)
{
        size_t n = url.n - sv_basename(url).n;

        if (subdir.n && n > subdir.n + 2 && sv_starts(url, SV("http")))
                import_channel(im, at, sv_from_to(url, 0, n - subdir.n - 2));
}

/* Lines of an explicit list are names and URLs: what is no text has a place. */
static bool is_utf8(struct import *im, sv text)
{
        uint32_t no = 0;
        sv line;

        if (sv_utf8(text))
                return true;
        while (sv_line(&text, &line) && sv_utf8(line))
                no++;
        diag_hint(im->r.ds, diag_add(im->r.ds, im->r.file, no + 1, 1, "EB120", "not UTF-8 text"),
                  "save the file as UTF-8");
        return false;
}

void import_explicit(struct import *im, sv text)
{
        struct lock_explicit_line *v;
        struct lock_platform *p;
        sv subdir, said;
        size_t n;

        if (!is_utf8(im, text))
                return;
        lock_explicit_read(im->r.a, text, &v, &n, &said);
        subdir = platform_of(im, v, n, said);
        p = import_platform(im, subdir);
        for (size_t i = 0; p && i < n; i++) {
                struct yaml at = { .type = YAML_SCALAR, .line = v[i].line, .col = 1, .text = v[i].url };
                struct artifact a = { .kind = ARTIFACT_CONDA, .md5 = v[i].md5 };
                if (!import_conda_url(im, &at, url_of(im, v[i].url), &a))
                        continue;
                if (v[i].sha256.n)
                        sha256_read(v[i].sha256, &a.sha256);
                said = subdir_of(a.url);
                if (said.n && !sv_eq(said, subdir) && !sv_is(said, "noarch"))
                        lock_fault(&im->r, &at, "EB122", "'%.*s' is for %.*s, the list for %.*s", SV_ARG(a.name),
                                   SV_ARG(said), SV_ARG(subdir));
                else
                        import_add(im, p, &a);
                add_channel(im, &at, a.url, said);
        }
}
