/* conda-lock.yml (CEP 37): metadata and one flat list of packages, each for one platform. rattler wrote the same as "version: 3", with more
 * keys and `dependencies` as MatchSpecs. */
#include "lock/import_priv.h"

#include <stdlib.h>

#include "pkg/pyname.h"

#define VERSION_MAX 3

static void read_metadata(struct import *im, const struct yaml *meta)
{
        const struct yaml *channels = yaml_get(meta, "channels"), *platforms = yaml_get(meta, "platforms");

        if (meta->type != YAML_MAP) {
                lock_fault(&im->r, meta, "EB122", "'metadata' takes a mapping");
                return;
        }
        for (size_t i = 0; channels && channels->type == YAML_SEQ && i < channels->n; i++) {
                const struct yaml *y = channels->v[i].value;
                const struct yaml *url = y->type == YAML_MAP ? yaml_get(y, "url") : y;
                if (url && url->type == YAML_SCALAR)
                        import_channel(im, url, url->text);
                else
                        lock_fault(&im->r, y, "EB122", "a channel takes a name or 'url: …'");
        }
        for (size_t i = 0; platforms && platforms->type == YAML_SEQ && i < platforms->n; i++)
                if (platforms->v[i].value->type == YAML_SCALAR)
                        import_platform(im, platforms->v[i].value->text); /* one without packages is there too */
}

static sv need_of(struct import *im, enum artifact_kind kind, sv name, sv constraint)
{
        if (kind == ARTIFACT_WHEEL)
                return pyname_normalise(im->r.a, name);
        if (!constraint.n || sv_is(constraint, "*"))
                return name;
        return arena_fmt(im->r.a, "%.*s %.*s", SV_ARG(name), SV_ARG(constraint));
}

static void read_needs(struct import *im, const struct yaml *y, struct artifact *a)
{
        if (!y || yaml_is_null(y))
                return;
        if (y->type == YAML_SCALAR) {
                lock_fault(&im->r, y, "EB122", "'dependencies' takes a mapping of names");
                return;
        }
        a->needs = arena_array(im->r.a, sv, y->n);
        for (size_t i = 0; i < y->n; i++) {
                const struct yaml *value = y->v[i].value;
                if (value->type != YAML_SCALAR)
                        lock_fault(&im->r, value, "EB122", "'dependencies' takes one text each");
                else if (y->type == YAML_MAP)
                        a->needs[a->n_needs++] = need_of(im, a->kind, y->v[i].key->text, value->text);
                else
                        a->needs[a->n_needs++] =
                                a->kind == ARTIFACT_WHEEL ? import_requirement_name(im, value->text) : value->text;
        }
        if (a->kind == ARTIFACT_WHEEL && a->n_needs)
                qsort(a->needs, a->n_needs, sizeof(sv), sv_qsort);
}

/* "main" always, the others when they are asked for. */
static bool in_category(const struct import *im, sv category)
{
        if (!category.n || sv_is(category, "main"))
                return true;
        for (size_t i = 0; i < im->o->n_category; i++)
                if (sv_eq(im->o->category[i], category))
                        return true;
        return false;
}

static void read_package(struct import *im, const struct yaml *y, size_t *left_out)
{
        struct artifact a = { 0 };
        sv manager, url, platform;
        const struct yaml *hash, *at;
        struct lock_platform *p;
        bool ok;

        if (y->type != YAML_MAP) {
                lock_fault(&im->r, y, "EB122", "a package takes a mapping");
                return;
        }
        platform = import_text(im, y, "platform");
        if (!platform.n) {
                lock_fault(&im->r, y, "EB122", "'platform' is missing");
                return;
        }
        p = import_platform(im, platform);
        if (!p)
                return;
        if (!in_category(im, import_text(im, y, "category"))) {
                ++*left_out;
                return;
        }
        manager = import_text(im, y, "manager");
        url = import_text(im, y, "url");
        a.name = import_text(im, y, "name");
        at = yaml_get(y, "url");
        if (!url.n || !a.name.n || (!sv_is(manager, "conda") && !sv_is(manager, "pip"))) {
                lock_fault(&im->r, y, "EB122", "%s",
                           !url.n      ? "'url' is missing"
                           : !a.name.n ? "'name' is missing"
                                       : "'manager' is conda or pip");
                return;
        }
        ok = sv_is(manager, "conda") ? import_conda_url(im, at, url, &a) : import_wheel_url(im, at, url, &a);
        if (!ok)
                return;
        hash = yaml_get(y, "hash");
        if (hash && hash->type == YAML_MAP)
                import_hashes(im, hash, &a);
        read_needs(im, yaml_get(y, "dependencies"), &a);
        import_record(im, y, &a);
        import_add(im, p, &a);
}

void import_conda_lock(struct import *im, const struct yaml *top)
{
        const struct yaml *packages = yaml_get(top, "package"), *meta = yaml_get(top, "metadata");
        size_t left_out = 0;
        uint64_t version = 1;

        import_number(im, top, "version", &version);
        if (version > VERSION_MAX) {
                lock_fault(&im->r, yaml_get(top, "version"), "EB123", "conda-lock files of version %llu are not known",
                           (unsigned long long)version);
                return;
        }
        if (meta)
                read_metadata(im, meta);
        if (!packages || (packages->type != YAML_SEQ && !yaml_is_null(packages))) {
                lock_fault(&im->r, packages ? packages : top, "EB122", "'package' takes a list");
                return;
        }
        for (size_t i = 0; i < packages->n; i++)
                read_package(im, packages->v[i].value, &left_out);
        if (left_out) {
                size_t i = diag_warn(im->r.ds, im->r.file, packages->line, packages->col, "EB123",
                                     "%zu package%s of other categories than 'main' %s left out", left_out,
                                     left_out == 1 ? "" : "s", left_out == 1 ? "is" : "are");
                im->r.ds->v[i].level = DIAG_NOTE;
        }
}
