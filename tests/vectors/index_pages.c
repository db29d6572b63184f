#include "tests/vectors/index_pages.h"

#include <stdio.h>

#include "base/clock.h"
#include "catalog/pypi_page.h"

/* pip does not join a relative <base> with the page's URL, which gives ":///projects/a/": ours must end the same way. */
static bool same_url(sv got, sv want)
{
        return sv_starts(want, SV(":///")) ? sv_ends(got, sv_skip(want, 3)) : sv_eq(got, want);
}

static bool same_hashes(const struct pypi_file *f, const struct js *want)
{
        size_t n = want ? want->n : 0;

        if (f->n_hash != n)
                return false;
        for (size_t i = 0; i < n; i++)
                for (size_t k = 0;; k++) {
                        if (k == n)
                                return false;
                        if (sv_eq(f->hash[k].alg, want->v[i].key) && sv_eq(f->hash[k].hex, js_str(want->v[i].value)))
                                break;
                }
        return true;
}

static bool same_yanked(const struct pypi_file *f, const struct js *link, bool json)
{
        const struct js *want = js_get(link, "yanked");

        if (!want) /* pip does not see a bare data-yanked: the specification does */
                return !f->yanked || (!json && !f->yanked_reason.n);
        return f->yanked && sv_eq(f->yanked_reason, js_str(want));
}

static bool same_metadata(const struct pypi_file *f, const struct js *want)
{
        sha256 d = { 0 };

        sha256_read(js_get_str(want, "sha256"), &d);
        return f->has_metadata == (want != NULL && want->type != JS_FALSE) && sha256_eq(&f->metadata_sha256, &d);
}

static const char *difference(const struct pypi_file *f, const struct js *link, bool json)
{
        int64_t t = 0;

        if (!same_url(f->url, js_get_str(link, "url")))
                return "url";
        if (!sv_eq(f->filename, js_get_str(link, "filename")))
                return "filename";
        if (!same_hashes(f, js_get(link, "hashes")))
                return "hashes";
        if (!sv_eq(f->requires_python, js_get_str(link, "requires_python")))
                return "requires_python";
        if (!same_yanked(f, link, json))
                return "yanked";
        if (!same_metadata(f, js_get(link, "core_metadata")))
                return "core_metadata";
        if (time_parse(js_get_str(link, "upload_time"), &t) && t != f->uploaded)
                return "upload_time";
        return NULL;
}

static void run(struct vectors *v, const struct js *c)
{
        const struct js *links = js_get(c, "links");
        char id[128];
        struct pypi_links got = { 0 };
        struct err e = { 0 };
        sv type = js_get_str(c, "content_type");
        bool json = sv_ends(type, SV("json"));

        snprintf(id, sizeof(id), "%.*s", SV_ARG(js_get_str(c, "id")));
        if (pypi_page_parse(&v->arena, js_get_str(c, "body"), js_get_str(c, "url"), type, &got, &e) < 0) {
                vectors_fail(v, id, "%s", e.cause);
                err_done(&e);
                return;
        }
        if (!links || got.n != links->n) {
                vectors_fail(v, id, "%zu links, not %zu", got.n, links ? links->n : 0);
                return;
        }
        for (size_t i = 0; i < got.n; i++) {
                const char *d = difference(&got.v[i], links->v[i].value, json);

                if (d) {
                        vectors_fail(v, id, "link %zu, '%.*s': %s", i, SV_ARG(got.v[i].filename), d);
                        return;
                }
        }
        vectors_pass(v);
}

void vectors_index_pages(struct vectors *v, const struct js *doc)
{
        for (size_t i = 0; i < doc->n; i++)
                run(v, doc->v[i].value);
}
