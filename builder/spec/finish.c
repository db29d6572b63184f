#include <stdlib.h>

#include "base/cleanup.h"
#include "ext/hash.h"
#include "oci/reference.h"
#include "spec/spec_priv.h"

#define INPUT_MAX ((size_t)256 << 20) /* bytes of one file of `files:` or certificate */

enum base_kind { BASE_RECIPE, BASE_SCRATCH, BASE_OTHER };

static enum base_kind base_kind(const struct spec *s)
{
        return s->base.text.n == 0 || sv_starts(s->base.text, SV("recipe:")) ? BASE_RECIPE
               : sv_is(s->base.text, "scratch")                              ? BASE_SCRATCH
                                                                             : BASE_OTHER;
}

static bool recipe_name(sv s)
{
        for (size_t i = 0; i < s.n; i++)
                if (!((s.p[i] >= 'a' && s.p[i] <= 'z') || (s.p[i] >= '0' && s.p[i] <= '9') ||
                      (i && (s.p[i] == '-' || s.p[i] == '.'))))
                        return false;
        return s.n > 0;
}

/* What skopeo and podman call places that we do not read: taken for a name, it would be asked of Docker Hub. */
static bool is_transport(sv text)
{
        static const char *const names[] = { "containers-storage:",
                                             "dir:",
                                             "docker-archive:",
                                             "docker-daemon:",
                                             "oci-archive:",
                                             "ostree:",
                                             "sif:",
                                             "tarball:" };

        for (size_t i = 0; i < ARRAY_LEN(names); i++)
                if (sv_starts(text, sv_from(names[i])))
                        return true;
        return false;
}

static void check_base(struct spec_load *l)
{
        const struct spec_text *b = &l->s->base;
        sv name = sv_starts(b->text, SV("docker://")) ? sv_skip(b->text, 9) : b->text;
        struct reference ref;
        const char *why = NULL;
        size_t i;

        if (b->text.n == 0 || sv_is(b->text, "scratch"))
                return;
        if (sv_starts(b->text, SV("recipe:"))) {
                if (!recipe_name(sv_skip(b->text, 7)))
                        diag_hint(l->ds,
                                  spec_fault(l->ds, b->at, b->text.n, "EB108", "'%.*s' is not a recipe's name",
                                             SV_ARG(b->text)),
                                  "write recipe:debian-13-python");
                return;
        }
        if (sv_starts(b->text, SV("oci:"))) {
                if (b->text.n == 4)
                        diag_hint(l->ds, spec_fault(l->ds, b->at, b->text.n, "EB108", "'oci:' names no folder"),
                                  "write oci:DIR or oci:DIR:TAG");
                return;
        }
        if (is_transport(b->text)) {
                i = spec_fault(l->ds, b->at, b->text.n, "EB108", "'%.*s' is a place that bases are not read from",
                               SV_ARG(b->text));
                diag_hint(l->ds, i, "skopeo copy %.*s oci:DIR:TAG, then write oci:DIR:TAG", SV_ARG(b->text));
                return;
        }
        if (sv_find_sv(name, SV("://")) >= 0) {
                i = spec_fault(l->ds, b->at, b->text.n, "EB108", "'%.*s' is a URL, a base is an image's name",
                               SV_ARG(b->text));
                diag_hint(l->ds, i, "write '%.*s'",
                          SV_ARG(sv_skip(b->text, (size_t)sv_find_sv(b->text, SV("://")) + 3)));
                return;
        }
        if (!reference_parse(l->a, name, false, &ref, &why)) {
                i = spec_fault(l->ds, b->at, b->text.n, "EB108", "'%.*s' cannot be a base: %s", SV_ARG(b->text),
                               why ? why : "no image's name");
                diag_hint(l->ds, i, "write recipe:NAME, an image's name, oci:DIR, or scratch");
        }
}

static void check_base_fits(struct spec_load *l)
{
        const struct spec *s = l->s;

        if (s->n_apt && base_kind(s) != BASE_RECIPE)
                diag_hint(l->ds,
                          spec_fault(l->ds, s->apt[0].at, s->apt[0].text.n, "EB108",
                                     "'apt' needs a recipe as base, not '%.*s'", SV_ARG(s->base.text)),
                          "write 'base: recipe:debian-13-python', or take 'apt' out and choose a base that has the "
                          "packages");
        if (s->n_pip && !s->n_conda && base_kind(s) == BASE_SCRATCH)
                diag_hint(l->ds,
                          spec_fault(l->ds, s->base.at, s->base.text.n, "EB108",
                                     "'scratch' has no python for the pip section"),
                          "write 'base: recipe:debian-13-python', or name python in 'dependencies'");
}

static bool url_has_hash(sv url)
{
        ptrdiff_t at = sv_find(url, '#');
        sv fragment = at < 0 ? SV("") : sv_skip(url, (size_t)at);

        return sv_find_sv(fragment, SV("sha256=")) > 0 || sv_find_sv(fragment, SV("sha384=")) > 0 ||
               sv_find_sv(fragment, SV("sha512=")) > 0;
}

static bool has_hash(const struct spec *s, const struct spec_req *r)
{
        bool any = r->n_hashes || url_has_hash(r->req.url);

        for (size_t i = 0; i < s->n_constraints && !any; i++)
                any = s->constraints[i].n_hashes && sv_eq(s->constraints[i].req.normalised, r->req.normalised);
        return any;
}

static bool is_pinned(const struct spec *s, const struct spec_req *r)
{
        bool any = r->req.url.n || pep440_spec_pins(&r->req.spec);

        for (size_t i = 0; i < s->n_constraints && !any; i++)
                any = sv_eq(s->constraints[i].req.normalised, r->req.normalised) &&
                      pep440_spec_pins(&s->constraints[i].req.spec);
        return any;
}

/* One hash anywhere makes every requirement need one, as in pip: what is not hashed could be anything. */
static void check_hashes(struct spec_load *l)
{
        const struct spec *s = l->s;
        bool on = s->require_hashes;

        for (size_t i = 0; i < s->n_pip && !on; i++)
                on = s->pip[i].n_hashes > 0;
        for (size_t i = 0; on && i < s->n_pip; i++) {
                const struct spec_req *r = &s->pip[i];
                if (!has_hash(s, r))
                        diag_hint(l->ds,
                                  spec_fault(l->ds, r->at, r->wrote.n, "EB132",
                                             "'%.*s' has no --hash, and where one has, all must", SV_ARG(r->wrote)),
                                  "pip-compile --generate-hashes writes them, or take them all out: the lock pins "
                                  "hashes anyway");
                else if (!is_pinned(s, r))
                        diag_hint(l->ds,
                                  spec_fault(l->ds, r->at, r->wrote.n, "EB132",
                                             "'%.*s' has a --hash but no single version", SV_ARG(r->wrote)),
                                  "write '%.*s==VERSION'", SV_ARG(r->req.name));
        }
        l->s->require_hashes = on;
}

static void check_urls(struct spec_load *l)
{
        const struct spec *s = l->s;

        for (size_t i = 0; i < s->n_pip; i++)
                for (size_t k = 0; s->pip[i].req.url.n && !s->pip[i].req.marker && k < i; k++) {
                        const struct spec_req *x = &s->pip[k], *y = &s->pip[i];
                        if (!x->req.url.n || x->req.marker || !sv_eq(x->req.normalised, y->req.normalised) ||
                            sv_eq(x->req.url, y->req.url))
                                continue;
                        diag_hint(l->ds,
                                  spec_fault(l->ds, y->at, y->wrote.n, "EB109", "'%.*s' is wanted from two URLs",
                                             SV_ARG(y->req.name)),
                                  "the other is in %.*s:%u: take one out", SV_ARG(x->at.file), x->at.line);
                }
}

static void check_sources(struct spec_load *l)
{
        const struct spec *s = l->s;

        if (s->no_index && !s->n_find_links)
                for (size_t i = 0; i < s->n_pip; i++)
                        if (!s->pip[i].req.url.n) {
                                diag_hint(l->ds,
                                          spec_fault(l->ds, s->pip[i].at, s->pip[i].wrote.n, "EB130",
                                                     "--no-index without --find-links: nowhere to look for '%.*s'",
                                                     SV_ARG(s->pip[i].req.name)),
                                          "add '--find-links DIR', or take --no-index out");
                                break;
                        }
        for (size_t i = 0; i < s->n_no_binary; i++)
                diag_hint(l->ds,
                          spec_fault(l->ds, s->no_binary[i].at, 0, "EB107",
                                     "--no-binary %.*s asks for a build, and only wheels are installed",
                                     SV_ARG(s->no_binary[i].text)),
                          "take it out");
}

static void drop_double_platforms(struct spec *s)
{
        size_t n = 0;

        for (size_t i = 0; i < s->n_platforms; i++) {
                bool there = false;
                for (size_t k = 0; k < n; k++)
                        there |= sv_eq(s->platforms[k].text, s->platforms[i].text);
                if (!there)
                        s->platforms[n++] = s->platforms[i];
        }
        s->n_platforms = n;
}

static bool add_input(struct spec_load *l, sv path, struct spec_where at, bool certificate)
{
        AUTO(buf_done) struct buf b = BUF_INIT(INPUT_MAX);
        struct spec_file f = { .path = path };
        struct err e = { 0 };

        for (size_t i = 0; i < l->s->n_inputs; i++)
                if (sv_eq(l->s->inputs[i].path, path))
                        return true;
        if (l->io->read(l->io->arg, spec_path_join(l->a, l->s->dir, path), &b, &e) < 0 || buf_check(&b, &e) < 0) {
                diag_hint(l->ds, spec_fault(l->ds, at, path.n, "EB106", "%s", e.cause),
                          "paths are relative to the definition's folder");
                err_done(&e);
                return false;
        }
        if (certificate && sv_find_sv(buf_sv(&b), SV("-----BEGIN CERTIFICATE-----")) < 0) {
                diag_hint(l->ds, spec_fault(l->ds, at, path.n, "EB103", "'%.*s' holds no certificate", SV_ARG(path)),
                          "give a PEM file: it has a line -----BEGIN CERTIFICATE-----");
                return false;
        }
        f.sha256 = sha256_of(buf_sv(&b));
        l->s->inputs = spec_concat(l->a, l->s->inputs, l->s->n_inputs, &f, 1, sizeof(f));
        l->s->n_inputs++;
        return true;
}

static int by_path(const void *a, const void *b)
{
        return sv_cmp(((const struct spec_file *)a)->path, ((const struct spec_file *)b)->path);
}

static void read_inputs(struct spec_load *l)
{
        struct spec *s = l->s;

        for (size_t i = 0; i < s->n_files; i++)
                add_input(l, s->files[i].value, s->files[i].at, false);
        for (size_t i = 0; i < s->n_certificates; i++)
                add_input(l, s->certificates[i].text, s->certificates[i].at, true);
        if (s->n_inputs)
                qsort(s->inputs, s->n_inputs, sizeof(*s->inputs), by_path);
}

int spec_finish(struct arena *a, struct spec *s, const struct spec_io *io, struct diags *ds, struct err *e)
{
        struct spec_load l = { a, io, ds, s, s->definition };
        size_t errors = ds->n_errors;

        spec_conda_finish(&l);
        check_base(&l);
        check_base_fits(&l);
        check_hashes(&l);
        check_urls(&l);
        check_sources(&l);
        drop_double_platforms(s);
        read_inputs(&l);
        diag_sort(ds);
        if (ds->n_errors > errors)
                return err_set(e, ERR_USAGE, "the definition has %zu fault%s", ds->n_errors - errors,
                               ds->n_errors - errors == 1 ? "" : "s");
        return 0;
}
