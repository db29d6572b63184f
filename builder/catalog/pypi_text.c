#include <stdlib.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "catalog/pypi_priv.h"
#include "pkg/pyname.h"

/* --- sets as ranges --- */

static bool offered(const struct cand *c)
{
        return c->ban == BAN_NO && c->tier == TIER_NORMAL;
}

/* The candidates that ranges are told in: those that are offered, if the set holds one; else all. */
struct view {
        const struct pkg *pkg;
        struct sets *sets;
        set_id set;
        uint32_t *at; /* newest first */
        uint32_t n;
};

static void view_make(struct arena *a, const struct pkg *pkg, struct sets *sets, set_id set, struct view *ret)
{
        bool any = false;

        *ret = (struct view){ .pkg = pkg, .sets = sets, .set = set, .at = arena_array(a, uint32_t, pkg->n) };
        for (uint32_t i = 0; i < pkg->n && !any; i++)
                any = offered(&pkg->cand[i]) && sets_has(sets, set, i);
        for (uint32_t i = 0; i < pkg->n; i++)
                if (!any || offered(&pkg->cand[i]))
                        ret->at[ret->n++] = i;
}

static bool has(const struct view *v, uint32_t i)
{
        return sets_has(v->sets, v->set, v->at[i]);
}

static sv version_at(const struct view *v, uint32_t i)
{
        return pep440_text(v->pkg->ver[v->at[i]].v);
}

static bool same_in(const struct view *v, set_id other)
{
        for (uint32_t i = 0; i < v->n; i++)
                if (has(v, i) != sets_has(v->sets, other, v->at[i]))
                        return false;
        return true;
}

/* How somebody wrote this very range; the shortest. */
static sv as_written(const struct view *v)
{
        sv best = { 0 };

        for (size_t i = 0; i < v->pkg->n_known; i++) {
                sv spec = v->pkg->known[i].spec;

                if (same_in(v, v->pkg->known[i].set) &&
                    (!best.n || spec.n < best.n || (spec.n == best.n && sv_cmp(spec, best) < 0)))
                        best = spec;
        }
        return best;
}

/* Candidates first…last of the view (newest first) are in the set, their neighbours are not. */
static void run_text(const struct view *v, uint32_t first, uint32_t last, struct buf *out)
{
        if (first == last && (first > 0 || v->n > 1)) {
                buf_fmt(out, "==%.*s", SV_ARG(version_at(v, first)));
                return;
        }
        if (last + 1 < v->n)
                buf_fmt(out, ">=%.*s", SV_ARG(version_at(v, last)));
        if (first > 0)
                buf_fmt(out, "%s<%.*s", last + 1 < v->n ? "," : "", SV_ARG(version_at(v, first - 1)));
}

static void ranges_text(const struct view *v, sv name, struct buf *out)
{
        bool more = false;

        for (uint32_t i = 0; i < v->n; i++) {
                uint32_t first = i;

                if (!has(v, i))
                        continue;
                while (i + 1 < v->n && has(v, i + 1))
                        i++;
                buf_fmt(out, "%s%.*s", more ? " or " : "", SV_ARG(name));
                run_text(v, first, i, out);
                more = true;
        }
}

void pypi_text(struct catalog *c, name_id n, set_id set, struct buf *out)
{
        struct catalog_pypi *p = pypi_self(c);
        AUTO(arena_done) struct arena a = { 0 };
        const struct entry *x = p->entry[n];
        struct view v;
        sv spec;

        view_make(&a, x->pkg, c->sets, set, &v);
        if (set == SET_ALL || set == SET_NONE) {
                buf_add(out, x->name.text);
                return;
        }
        spec = as_written(&v);
        if (spec.n)
                buf_fmt(out, "%.*s%s%.*s", SV_ARG(x->name.text), spec.p[0] == '@' ? " " : "", SV_ARG(spec));
        else
                ranges_text(&v, x->name.text, out);
}

void pypi_cand_text(struct catalog *c, name_id n, uint32_t cand, struct buf *out)
{
        const struct entry *x = pypi_self(c)->entry[n];

        buf_fmt(out, "%.*s %.*s", SV_ARG(x->name.text), SV_ARG(pep440_text(x->pkg->ver[cand].v)));
        if (x->pkg->fixed)
                buf_add(out, SV(" (conda's)"));
}

/* --- hints: a line each, without "hint:" --- */

static void hint_versions(const struct pkg *pkg, struct buf *out)
{
        uint32_t n = 0, first = 0, last = 0;

        for (uint32_t i = 0; i < pkg->n; i++) {
                if (pkg->cand[i].tier != TIER_NORMAL)
                        continue;
                if (n++ == 0)
                        first = i;
                last = i;
        }
        if (n == 1)
                buf_fmt(out, "the only version of %.*s on the index is %.*s\n", SV_ARG(pkg->name),
                        SV_ARG(pep440_text(pkg->ver[first].v)));
        else if (n > 1)
                buf_fmt(out, "versions of %.*s on the index: %.*s … %.*s (%u)\n", SV_ARG(pkg->name),
                        SV_ARG(pep440_text(pkg->ver[last].v)), SV_ARG(pep440_text(pkg->ver[first].v)), n);
}

/* The nearest candidate of the set that is banned for this reason: candidates are newest first. */
static uint32_t first_banned(const struct pkg *pkg, const struct sets *sets, set_id set, enum cand_ban ban)
{
        for (uint32_t i = 0; i < pkg->n; i++)
                if (pkg->cand[i].ban == ban && sets_has(sets, set, i))
                        return i;
        return UINT32_MAX;
}

static void add_word(struct arena *a, sv **v, size_t *n, size_t *cap, sv word)
{
        for (size_t i = 0; i < *n; i++)
                if (sv_eq((*v)[i], word))
                        return;
        *arena_push(a, *v, *n, *cap) = word;
}

/* What wheels of a version there are: the python, or the platform when the pythons would do. */
static void hint_tags(struct catalog_pypi *p, const struct pkg *pkg, uint32_t cand, struct buf *out)
{
        AUTO(arena_done) struct arena a = { 0 };
        sv *python = NULL, *platform = NULL;
        size_t n_python = 0, cap_python = 0, n_platform = 0, cap_platform = 0;
        bool python_fits = false;

        for (size_t i = 0; pkg->page && i < pkg->page->n; i++) {
                struct wheel_name w;
                sv why;

                if (!wheel_name_parse(&a, pkg->page->v[i].filename, false, &w, &why) || !w.v ||
                    pep440_cmp(w.v, pkg->ver[cand].v) != 0)
                        continue;
                add_word(&a, &python, &n_python, &cap_python, w.python);
                add_word(&a, &platform, &n_platform, &cap_platform, w.platform);
                for (size_t k = 0; k < p->tags.n; k++) { /* would its python and ABI do on some platform of ours? */
                        sv tag = p->tags.v[k], py, abi;

                        if (sv_cut(&tag, '-', &py) && sv_cut(&tag, '-', &abi) &&
                            tags_rank(&p->tags, w.python, w.abi, tag) >= 0)
                                python_fits = true;
                }
        }
        if (!n_python)
                return;
        qsort(python_fits ? platform : python, python_fits ? n_platform : n_python, sizeof(sv), sv_qsort);
        buf_fmt(out, "wheels of %.*s %.*s exist for ", SV_ARG(pkg->name), SV_ARG(pep440_text(pkg->ver[cand].v)));
        for (size_t i = 0; i < (python_fits ? n_platform : n_python); i++)
                buf_fmt(out, "%s%.*s", i ? ", " : "", SV_ARG(python_fits ? platform[i] : python[i]));
        buf_fmt(out, " only; the target is cp%u%u on %.*s, %s %u.%u\n", p->opts.tags.major, p->opts.tags.minor,
                SV_ARG(p->opts.tags.arch), p->opts.tags.libc == LIBC_MUSL ? "musl" : "glibc", p->opts.tags.libc_major,
                p->opts.tags.libc_minor);
}

static void hint_python(struct catalog_pypi *p, const struct pkg *pkg, uint32_t cand, struct buf *out)
{
        const struct version *v = &pkg->ver[cand];

        if (v->file->requires_python.n)
                buf_fmt(out, "%.*s %.*s needs Python %.*s; the target has %.*s\n", SV_ARG(pkg->name),
                        SV_ARG(pep440_text(v->v)), SV_ARG(v->file->requires_python), SV_ARG(p->opts.python_full));
}

static void hint_sdist(struct catalog_pypi *p, const struct pkg *pkg, uint32_t cand, struct buf *out)
{
        const struct version *v = &pkg->ver[cand];

        if (sv_ends(v->file->filename, SV(".whl")))
                buf_fmt(out, "--no-binary rules out the wheels of %.*s, and building is not supported\n",
                        SV_ARG(pkg->name));
        else
                buf_fmt(out, "%.*s %.*s comes as source only (%.*s), and building is not supported\n",
                        SV_ARG(pkg->name), SV_ARG(pep440_text(v->v)), SV_ARG(v->file->filename));
        (void)p;
}

static void hint_newer(struct catalog_pypi *p, const struct pkg *pkg, uint32_t cand, struct buf *out)
{
        const struct version *v = &pkg->ver[cand];
        char when[24], limit[24];

        time_format(p->opts.exclude_newer, limit);
        if (!v->file->uploaded) {
                buf_fmt(out, "the index does not say when %.*s was uploaded, so --exclude-newer %s leaves it out\n",
                        SV_ARG(v->file->filename), limit);
                return;
        }
        time_format(v->file->uploaded, when);
        buf_fmt(out, "%.*s %.*s was uploaded %s, after --exclude-newer %s\n", SV_ARG(pkg->name),
                SV_ARG(pep440_text(v->v)), when, limit);
}

static void hint_hash(struct catalog_pypi *p, const struct pkg *pkg, uint32_t cand, struct buf *out)
{
        const struct version *v = &pkg->ver[cand];

        (void)p;
        if (!pkg->n_hash)
                buf_fmt(out, "hashes are required, and none is given for %.*s\n", SV_ARG(pkg->name));
        else if (!sha256_is_zero(&v->file->sha256))
                buf_fmt(out, "%.*s has --hash=sha256:%s\n", SV_ARG(v->file->filename), sha256_hex(&v->file->sha256).s);
}

static void hint_metadata(struct catalog_pypi *p, const struct pkg *pkg, uint32_t cand, struct buf *out)
{
        const struct version *v = &pkg->ver[cand];

        (void)p;
        if (v->note.n)
                buf_fmt(out, "%.*s %.*s: %.*s\n", SV_ARG(pkg->name), SV_ARG(pep440_text(v->v)), SV_ARG(v->note));
}

static void hint_bans(struct catalog_pypi *p, const struct pkg *pkg, set_id wanted, struct buf *out)
{
        static void (*const rows[])(struct catalog_pypi *, const struct pkg *, uint32_t, struct buf *) = {
                [BAN_TAGS] = hint_tags,   [BAN_PYTHON] = hint_python, [BAN_NEWER] = hint_newer,
                [BAN_SDIST] = hint_sdist, [BAN_HASH] = hint_hash,     [BAN_METADATA] = hint_metadata,
        };

        for (enum cand_ban ban = BAN_NO; ban < ARRAY_LEN(rows); ban++) {
                uint32_t cand = rows[ban] ? first_banned(pkg, p->catalog.sets, wanted, ban) : UINT32_MAX;

                if (cand != UINT32_MAX)
                        rows[ban](p, pkg, cand, out);
        }
}

static void hint_yanked(struct catalog_pypi *p, const struct pkg *pkg, set_id wanted, struct buf *out)
{
        for (uint32_t i = 0; i < pkg->n; i++) {
                const struct version *v = &pkg->ver[i];
                sv reason = v->file->yanked_reason;

                if (pkg->cand[i].tier != TIER_YANKED || pkg->cand[i].ban || !sets_has(p->catalog.sets, wanted, i))
                        continue;
                buf_fmt(out, "%.*s %.*s was yanked%s%.*s; pin it with == to use it all the same\n", SV_ARG(pkg->name),
                        SV_ARG(pep440_text(v->v)), reason.n ? ": " : "", SV_ARG(reason));
                return;
        }
}

static sv index_name(const struct catalog_pypi *p, uint32_t i)
{
        return i < p->opts.n_index ? p->opts.index_public[i] : SV("--find-links");
}

/* First-index: what the user wants may be on the next one. */
static void hint_later(struct catalog_pypi *p, const struct pkg *pkg, struct buf *out)
{
        AUTO(err_done) struct err e = { 0 };
        AUTO(arena_done) struct arena a = { 0 };
        const struct pypi_page *page = NULL;
        const struct pep440 *best = NULL;
        uint32_t index = 0;

        if (!p->source->ops->later || !pkg->page || !pkg->page->n ||
            p->source->ops->later(p->source, pkg->name, &page, &index, &e) < 0 || !page)
                return;
        for (size_t i = 0; i < page->n; i++) {
                struct wheel_name w;
                sv why;

                if (wheel_name_parse(&a, page->v[i].filename, false, &w, &why) && w.v && !pep440_is_prerelease(w.v) &&
                    tags_rank(&p->tags, w.python, w.abi, w.platform) >= 0 && (!best || pep440_cmp(w.v, best) > 0))
                        best = w.v;
        }
        buf_fmt(out, "%.*s has %.*s too", SV_ARG(index_name(p, index)), SV_ARG(pkg->name));
        if (best)
                buf_fmt(out, " (up to %.*s)", SV_ARG(pep440_text(best)));
        buf_fmt(out, ", but %.*s is asked first; --index-strategy pip takes the best of all\n",
                SV_ARG(index_name(p, pkg->page->v[0].index)));
}

void pypi_hints(struct catalog *c, name_id n, set_id wanted, struct buf *out)
{
        struct catalog_pypi *p = pypi_self(c);
        const struct pkg *pkg = p->entry[n]->pkg;

        if (pkg->fixed)
                pypi_fixed_hint(pkg, out);
        if (!pkg->loaded || pkg->fixed || pkg->n_url || pkg->page->absent)
                return;
        hint_versions(pkg, out);
        hint_bans(p, pkg, wanted, out);
        hint_yanked(p, pkg, wanted, out);
        hint_later(p, pkg, out);
}
