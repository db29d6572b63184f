/* pixi.lock, versions 4 to 7: environments name packages by URL for each platform; their records stand below, once each. */
#include "lock/import_priv.h"

#include <stdlib.h>

#include "base/map.h"

#define VERSION_MIN 4
#define VERSION_MAX 7

struct pixi {
        struct import *im;
        const struct yaml *platforms; /* v7: names of platforms → subdirs */
        struct map records;           /* URL → its mapping */
};

static void index_records(struct pixi *x, const struct yaml *packages)
{
        static const char *const keys[] = { "conda", "pypi", "url" }; /* v4 and v5: kind and url */

        for (size_t i = 0; i < packages->n; i++) {
                struct yaml *y = packages->v[i].value;
                for (size_t k = 0; k < ARRAY_LEN(keys); k++) {
                        const struct yaml *url = yaml_get(y, keys[k]);
                        if (url && url->type == YAML_SCALAR && url->text.n && !map_get(&x->records, url->text))
                                map_put(&x->records, x->im->r.a, url->text, y);
                }
        }
}

/* A platform of v7 has a name of its own. */
static sv subdir_of(const struct pixi *x, sv name)
{
        for (size_t i = 0; x->platforms && x->platforms->type == YAML_SEQ && i < x->platforms->n; i++) {
                const struct yaml *y = x->platforms->v[i].value;
                const struct yaml *n = yaml_get(y, "name"), *subdir = yaml_get(y, "subdir");
                if (n && n->type == YAML_SCALAR && sv_eq(n->text, name) && subdir && subdir->type == YAML_SCALAR)
                        return subdir->text;
        }
        return name;
}

/* The format leaves `noarch` out where this rule of rattler's gives it. */
static sv noarch_of(const struct artifact *a)
{
        sv dir = sv_from_to(a->url, 0, a->url.n - sv_basename(a->url).n);

        if (a->noarch.n || !sv_ends(dir, SV("/noarch/")))
                return a->noarch;
        return sv_find_sv(a->build, SV("py")) >= 0 ? SV("python") : SV("generic");
}

static void read_conda(struct pixi *x, struct lock_platform *p, const struct yaml *at)
{
        struct artifact a = { .kind = ARTIFACT_CONDA };
        const struct yaml *y = map_get(&x->records, at->text);

        if (!sv_ends(at->text, SV(".conda")) && !sv_ends(at->text, SV(".tar.bz2"))) {
                import_refuse(x->im, at, at->text, "is built from source, and only packages are installed",
                              "build it, put it into a channel, and lock again");
                return;
        }
        if (!y) {
                lock_fault(&x->im->r, at, "EB122", "'%.*s' has no record under 'packages'", SV_ARG(at->text));
                return;
        }
        a.name = import_text(x->im, y, "name");
        if (!import_conda_url(x->im, at, at->text, &a))
                return;
        import_hashes(x->im, y, &a);
        lock_get_list(&x->im->r, y, "depends", &a.needs, &a.n_needs, NULL);
        import_record(x->im, y, &a);
        a.noarch = noarch_of(&a);
        import_add(x->im, p, &a);
}

static void read_pypi(struct pixi *x, struct lock_platform *p, const struct yaml *at)
{
        struct artifact a = { .kind = ARTIFACT_WHEEL };
        const struct yaml *y = map_get(&x->records, at->text), *needs;

        if (!import_wheel_url(x->im, at, at->text, &a))
                return;
        if (!y) {
                lock_fault(&x->im->r, at, "EB122", "'%.*s' has no record under 'packages'", SV_ARG(at->text));
                return;
        }
        import_hashes(x->im, y, &a);
        import_record(x->im, y, &a);
        needs = lock_get_seq(&x->im->r, y, "requires_dist");
        a.needs = arena_array(x->im->r.a, sv, needs->n);
        for (size_t i = 0; i < needs->n; i++)
                if (needs->v[i].value->type == YAML_SCALAR) {
                        sv name = import_requirement_name(x->im, needs->v[i].value->text);
                        if (name.n)
                                a.needs[a.n_needs++] = name;
                }
        if (a.n_needs)
                qsort(a.needs, a.n_needs, sizeof(sv), sv_qsort);
        import_add(x->im, p, &a);
}

static void read_packages(struct pixi *x, const struct yaml *platform, const struct yaml *list)
{
        struct lock_platform *p = import_platform(x->im, subdir_of(x, platform->text));

        if (!p)
                return;
        if (list->type != YAML_SEQ) {
                lock_fault(&x->im->r, list, "EB122", "the packages of a platform are a list");
                return;
        }
        for (size_t i = 0; i < list->n; i++) {
                const struct yaml *item = list->v[i].value;
                const struct yaml *conda = yaml_get(item, "conda"), *pypi = yaml_get(item, "pypi"),
                                  *source = yaml_get(item, "conda_source");
                if (conda && conda->type == YAML_SCALAR)
                        read_conda(x, p, conda);
                else if (pypi && pypi->type == YAML_SCALAR)
                        read_pypi(x, p, pypi);
                else if (source && source->type == YAML_SCALAR)
                        read_conda(x, p, source); /* no package's URL: told there */
                else
                        lock_fault(&x->im->r, item, "EB122", "a package is 'conda: URL' or 'pypi: URL'");
        }
}

static void read_options(struct import *im, const struct yaml *options)
{
        sv priority = import_text(im, options, "channel-priority");

        if (sv_is(priority, "strict") || sv_is(priority, "flexible") || sv_is(priority, "disabled"))
                im->l->channel_priority = priority;
}

static void read_environment(struct pixi *x, const struct yaml *env)
{
        struct import *im = x->im;
        const struct yaml *channels, *packages = yaml_get(env, "packages"), *options = yaml_get(env, "options");

        channels = lock_get_seq(&im->r, env, "channels");
        for (size_t i = 0; i < channels->n; i++) {
                const struct yaml *y = channels->v[i].value;
                const struct yaml *url = y->type == YAML_MAP ? yaml_get(y, "url") : y;
                if (url && url->type == YAML_SCALAR)
                        import_channel(im, url, url->text);
        }
        lock_get_list(&im->r, env, "indexes", &im->l->indexes, &im->l->n_indexes, NULL);
        if (options)
                read_options(im, options);
        if (!packages || packages->type != YAML_MAP) {
                lock_fault(&im->r, packages ? packages : env, "EB122", "'packages' takes a mapping of platforms");
                return;
        }
        for (size_t i = 0; i < packages->n; i++)
                read_packages(x, packages->v[i].key, packages->v[i].value);
}

/* The one that was asked for; without a word "default", or the only one. */
static const struct yaml *environment_of(struct import *im, const struct yaml *all)
{
        struct buf names = BUF_INIT(4096);
        sv want = im->o->environment.n ? im->o->environment : SV("default");

        for (size_t i = 0; i < all->n; i++)
                if (sv_eq(all->v[i].key->text, want))
                        return all->v[i].value;
        if (all->n == 1 && !im->o->environment.n)
                return all->v[0].value;
        for (size_t i = 0; i < all->n && i < 20; i++)
                buf_fmt(&names, "%s%.*s", i ? ", " : "", SV_ARG(all->v[i].key->text));
        lock_fault(&im->r, all, "EB123", "there is no environment '%.*s'%s%.*s", SV_ARG(want), names.n ? ", only " : "",
                   SV_ARG(buf_sv(&names)));
        buf_done(&names);
        return NULL;
}

void import_pixi(struct import *im, const struct yaml *top)
{
        const struct yaml *all = yaml_get(top, "environments"), *packages = yaml_get(top, "packages"), *env;
        struct pixi x = { .im = im, .platforms = yaml_get(top, "platforms") };
        uint64_t version = 0;

        import_number(im, top, "version", &version);
        if (version < VERSION_MIN || version > VERSION_MAX) {
                lock_fault(&im->r, yaml_get(top, "version") ? yaml_get(top, "version") : top, "EB123",
                           "pixi locks of version %llu are not known, only %d to %d", (unsigned long long)version,
                           VERSION_MIN, VERSION_MAX);
                return;
        }
        if (!all || all->type != YAML_MAP) {
                lock_fault(&im->r, all ? all : top, "EB122", "'environments' takes a mapping");
                return;
        }
        if (packages && packages->type == YAML_SEQ)
                index_records(&x, packages);
        env = environment_of(im, all);
        if (env)
                read_environment(&x, env);
}
