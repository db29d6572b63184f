#include "base/cleanup.h"
#include "base/clock.h"
#include "catalog/pypi_page.h"
#include "ext/json.h"
#include "net/url.h"

static void read_hashes(struct arena *a, const struct js *hashes, struct pypi_file *f)
{
        if (!hashes || hashes->type != JS_OBJ)
                return;
        for (size_t i = 0; i < hashes->n; i++)
                pypi_file_add_hash(a, f, hashes->v[i].key, js_str(hashes->v[i].value));
}

/* core-metadata wins over the older name (PEP 714); true, or an object of hashes. */
static void read_metadata(const struct js *entry, struct pypi_file *f)
{
        const struct js *m = js_get(entry, "core-metadata");

        if (!m)
                m = js_get(entry, "dist-info-metadata");
        if (!m)
                m = js_get(entry, "data-dist-info-metadata"); /* PEP 691 had it so for a while */
        f->has_metadata = js_true(m) || (m && m->type == JS_OBJ);
        sha256_read(js_get_str(m, "sha256"), &f->metadata_sha256);
}

static void read_yanked(const struct js *y, struct pypi_file *f)
{
        f->yanked_reason = js_str(y);
        f->yanked = js_true(y) || f->yanked_reason.n; /* PEP 691: a reason is never empty */
}

static bool read_file(struct arena *a, const struct js *entry, sv url, struct pypi_file *f)
{
        sv link = js_get_str(entry, "url"), fragment;
        int64_t n;

        *f = (struct pypi_file){ .filename = js_get_str(entry, "filename") };
        if (!f->filename.n || !link.n)
                return false;
        f->url = pypi_link_url(a, url, link, &fragment);
        read_hashes(a, js_get(entry, "hashes"), f);
        read_metadata(entry, f);
        read_yanked(js_get(entry, "yanked"), f);
        f->requires_python = js_get_str(entry, "requires-python");
        if (js_int(js_get(entry, "size"), &n) && n > 0)
                f->size = (uint64_t)n;
        if (!time_parse(js_get_str(entry, "upload-time"), &f->uploaded))
                f->uploaded = 0;
        return true;
}

int pypi_json_parse(struct arena *a, sv body, sv url, struct pypi_links *ret, struct err *e)
{
        struct pypi_links links = { 0 };
        struct js *doc = NULL;
        const struct js *files;
        sv version;

        if (js_parse(a, body, &doc, e) < 0)
                return err_while(e, "reading the index page '%.*s'", SV_ARG(url_masked(a, url)));
        version = js_get_str(js_get(doc, "meta"), "api-version");
        if (!pypi_api_version_ok(version))
                return err_set(e, ERR_FAILED, "the index page '%.*s' is of API version %.*s; only 1.x is known",
                               SV_ARG(url_masked(a, url)), SV_ARG(version));
        files = js_get(doc, "files");
        if (!files || files->type != JS_ARR)
                return err_set(e, ERR_FAILED, "the index page '%.*s' has no list of files", SV_ARG(url_masked(a, url)));
        for (size_t i = 0; i < files->n; i++) {
                struct pypi_file f;

                if (read_file(a, files->v[i].value, url, &f))
                        *arena_push(a, links.v, links.n, links.cap) = f;
        }
        *ret = links;
        return 0;
}
