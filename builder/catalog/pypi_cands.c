#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "catalog/pypi_page.h"
#include "catalog/pypi_priv.h"
#include "net/url.h"
#include "pkg/pyname.h"

/* How near a file comes to being installed: the reason why a version is banned is its nearest file's. */
enum verdict { NO_PYTHON, NO_WHEEL, NO_TAGS, NO_DATE, NO_HASH, IS_YANKED, IS_FINE };

struct file {
        const struct pep440 *v;
        const struct pypi_file *f;
        bool wheel;
        enum verdict verdict;
        int64_t rank; /* of its tags, 0 is best */
        uint64_t build;
        sv build_rest;
        bool has_build;
        size_t at; /* on the page */
};

bool pypi_python_fits(struct catalog_pypi *p, sv text)
{
        static char yes, no;
        void *known = text.n ? map_get(&p->requires_python, text) : &yes;
        struct pep440_spec spec;
        sv why;

        if (known)
                return known == &yes;
        /* A broken one is ignored, as pip does. */
        known = !pep440_spec_parse(&p->arena, text, &spec, &why) ||
                                pep440_spec_has(&spec, p->python, p->opts.python_full)
                        ? &yes
                        : &no;
        map_put(&p->requires_python, &p->arena, arena_sv(&p->arena, text), known);
        return known == &yes;
}

static bool has_hash(const struct pkg *pkg, const struct pypi_file *f, bool *ret_can_tell)
{
        *ret_can_tell = false;
        for (size_t i = 0; i < pkg->n_hash; i++)
                for (uint32_t k = 0; k < f->n_hash; k++) {
                        if (!sv_eq_nocase(pkg->hash[i].alg, f->hash[k].alg))
                                continue;
                        *ret_can_tell = true;
                        if (sv_eq_nocase(pkg->hash[i].hex, f->hash[k].hex))
                                return true;
                }
        return false;
}

/* A page that tells no hash that could be compared leaves it to the download, which gives a sha256. */
static bool hash_fits(const struct catalog_pypi *p, const struct pkg *pkg, const struct pypi_file *f)
{
        bool can_tell;

        if (!pkg->n_hash)
                return !p->hashes_only;
        if (has_hash(pkg, f, &can_tell))
                return true;
        if (can_tell || !sha256_is_zero(&f->sha256))
                return false;
        for (size_t i = 0; i < pkg->n_hash; i++)
                if (sv_is(pkg->hash[i].alg, "sha256"))
                        return true;
        return false;
}

static bool too_new(const struct catalog_pypi *p, const struct pypi_file *f)
{
        return p->opts.exclude_newer && !sv_starts(f->url, SV("file://")) &&
               (!f->uploaded || f->uploaded > p->opts.exclude_newer);
}

static enum verdict judge(struct catalog_pypi *p, const struct pkg *pkg, const struct file *x)
{
        if (!pypi_python_fits(p, x->f->requires_python))
                return NO_PYTHON;
        if (x->wheel ? pkg->no_binary || p->no_binary_all : !p->opts.allow_sdist)
                return NO_WHEEL;
        if (x->wheel && x->rank < 0)
                return NO_TAGS;
        if (too_new(p, x->f))
                return NO_DATE;
        if (!hash_fits(p, pkg, x->f))
                return NO_HASH;
        return x->f->yanked ? IS_YANKED : IS_FINE;
}

/* False for what is no file of this project, or whose version is not one: pip passes over those too. */
static bool read_name(struct catalog_pypi *p, const struct pkg *pkg, struct file *x)
{
        struct wheel_name w;
        struct sdist_name s;
        sv why;

        if (sv_ends(x->f->filename, SV(".whl"))) {
                if (!wheel_name_parse(&p->arena, x->f->filename, false, &w, &why) || !w.v || !sv_eq(w.name, pkg->name))
                        return false;
                x->wheel = true;
                x->v = w.v;
                x->rank = tags_rank(&p->tags, w.python, w.abi, w.platform);
                x->has_build = w.has_build;
                x->build = w.build_num;
                x->build_rest = w.build_rest;
                return true;
        }
        if (!sdist_name_parse(&p->arena, x->f->filename, pkg->name, &s, &why) || !s.v || !sv_eq(s.name, pkg->name))
                return false;
        x->v = s.v;
        x->rank = -1;
        return true;
}

static int cmp_build(const struct file *a, const struct file *b)
{
        if (a->has_build != b->has_build)
                return a->has_build ? -1 : 1;
        if (a->build != b->build)
                return a->build > b->build ? -1 : 1;
        return -sv_cmp(a->build_rest, b->build_rest);
}

/* Newest version first; inside one, what would be installed first. Page order is the last word, so that nothing is left open. */
static int cmp_files(const void *pa, const void *pb)
{
        const struct file *a = pa, *b = pb;
        int r = pep440_cmp(b->v, a->v);

        if (r == 0)
                r = (int)b->verdict - (int)a->verdict;
        if (r == 0 && a->rank != b->rank)
                r = a->rank < 0 ? 1 : b->rank < 0 ? -1 : a->rank < b->rank ? -1 : 1;
        if (r == 0)
                r = cmp_build(a, b);
        return r ? r : a->at < b->at ? -1 : a->at > b->at;
}

static void make_one(struct pkg *pkg, const struct file *x)
{
        static const uint8_t ban[] = { [NO_PYTHON] = BAN_PYTHON, [NO_WHEEL] = BAN_SDIST, [NO_TAGS] = BAN_TAGS,
                                       [NO_DATE] = BAN_NEWER,    [NO_HASH] = BAN_HASH,   [IS_YANKED] = BAN_NO,
                                       [IS_FINE] = BAN_NO };
        struct cand *c = &pkg->cand[pkg->n];
        struct version *v = &pkg->ver[pkg->n];

        c->version = pkg->n++;
        c->ban = ban[x->verdict];
        c->tier = x->f->yanked ? TIER_YANKED : pep440_is_prerelease(x->v) ? TIER_PRERELEASE : TIER_NORMAL;
        v->v = x->v;
        v->file = x->f;
}

static void from_page(struct catalog_pypi *p, struct pkg *pkg)
{
        AUTO(arena_done) struct arena tmp = { 0 };
        struct file *v = arena_array(&tmp, struct file, pkg->page->n);
        size_t n = 0;

        for (size_t i = 0; i < pkg->page->n; i++) {
                v[n] = (struct file){ .f = &pkg->page->v[i], .at = i };
                if (!read_name(p, pkg, &v[n]))
                        continue;
                v[n].verdict = judge(p, pkg, &v[n]);
                n++;
        }
        if (n)
                qsort(v, n, sizeof(*v), cmp_files);
        pkg->cand = arena_array(&p->arena, struct cand, n);
        pkg->ver = arena_array(&p->arena, struct version, n);
        for (size_t i = 0; i < n; i++)
                if (i == 0 || pep440_cmp(v[i].v, v[i - 1].v) != 0)
                        make_one(pkg, &v[i]);
}

/* "https://h/foo-1.0-py3-none-any.whl#sha256=…" as a file of its own. */
static struct pypi_file *file_of_url(struct catalog_pypi *p, sv url)
{
        struct arena *a = &p->arena;
        struct pypi_file *f = arena_new(a, struct pypi_file);
        sv base = SV("file:///"), fragment, part, alg;
        ptrdiff_t query;

        if (p->opts.dir.n)
                base = arena_fmt(a, "file://%.*s/", SV_ARG(p->opts.dir));
        f->url = url_public(a, pypi_link_url(a, base, url, &fragment));
        query = sv_find(f->url, '?');
        f->filename = url_decode(a, sv_basename(query < 0 ? f->url : sv_from_to(f->url, 0, (size_t)query)));
        while (sv_cut(&fragment, '&', &part))
                if (sv_cut(&part, '=', &alg))
                        pypi_file_add_hash(a, f, alg, part);
        f->index = UINT32_MAX;
        return f;
}

static void from_urls(struct catalog_pypi *p, struct pkg *pkg)
{
        pkg->cand = arena_array(&p->arena, struct cand, pkg->n_url);
        pkg->ver = arena_array(&p->arena, struct version, pkg->n_url);
        for (size_t i = 0; i < pkg->n_url; i++) {
                struct file x = { .f = file_of_url(p, pkg->url[i]), .at = i };
                struct cand *c = &pkg->cand[pkg->n];

                if (!read_name(p, pkg, &x))
                        continue; /* pypi_url_add() looked */
                x.verdict = judge(p, pkg, &x);
                if (x.verdict == NO_DATE) /* asked for by name */
                        x.verdict = IS_FINE;
                pkg->ver[pkg->n].direct = true;
                pkg->ver[pkg->n].wrote = pkg->url[i];
                pkg->ver[pkg->n].identity = pypi_url_identity(&p->arena, pkg->url[i]);
                make_one(pkg, &x);
                c->tier = TIER_NORMAL;
        }
}

void pypi_cands_make(struct catalog_pypi *p, struct pkg *pkg)
{
        pkg->n = 0;
        if (pkg->fixed)
                pypi_fixed_cands(p, pkg);
        else if (pkg->n_url)
                from_urls(p, pkg);
        else
                from_page(p, pkg);
}

bool pypi_url_add(struct catalog_pypi *p, struct pkg *pkg, sv url, bool *ret_new, sv *ret_why)
{
        struct file x = { 0 };
        sv identity = pypi_url_identity(&p->arena, url);

        *ret_new = false;
        for (size_t i = 0; i < pkg->n_url; i++)
                if (sv_eq(pypi_url_identity(&p->arena, pkg->url[i]), identity))
                        return true;
        x.f = file_of_url(p, url);
        if (!sv_starts(x.f->url, SV("https://")) && !sv_starts(x.f->url, SV("http://")) &&
            !sv_starts(x.f->url, SV("file://"))) {
                *ret_why = SV("only http, https and file URLs of wheels are supported, not version control");
                return false;
        }
        if (!read_name(p, pkg, &x) || !x.wheel) {
                *ret_why = sv_ends(x.f->filename, SV(".whl"))
                                   ? arena_fmt(&p->arena, "'%.*s' is not a wheel of '%.*s'", SV_ARG(x.f->filename),
                                               SV_ARG(pkg->name))
                                   : arena_fmt(&p->arena, "'%.*s' is not a wheel: building packages is not supported",
                                               SV_ARG(x.f->filename));
                return false;
        }
        *arena_push(&p->arena, pkg->url, pkg->n_url, pkg->cap_url) = arena_sv(&p->arena, url);
        *ret_new = true;
        return true;
}
