#include "attest/provenance.h"

#include <stdlib.h>

#include "attest/attest_priv.h"
#include "attest/purl.h"
#include "base/cleanup.h"

struct dependency {
        sv uri, location;
        sha256 digest;
};
struct dependencies {
        struct dependency *v;
        size_t n, cap;
};

static int by_uri(const void *pa, const void *pb)
{
        const struct dependency *a = pa, *b = pb;
        int r = sv_cmp(a->uri, b->uri);

        return r ? r : sha256_cmp(&a->digest, &b->digest);
}

static void collect_platform(struct arena *a, const struct lock_platform *p, struct dependencies *d)
{
        const struct lock_base *base = &p->base;

        if (!sha256_is_zero(&base->manifest))
                *arena_push(a, d->v, d->n, d->cap) =
                        (struct dependency){ .uri = purl_base(a, p), .digest = base->manifest };
        else if (base->recipe.n)
                *arena_push(a, d->v, d->n, d->cap) =
                        (struct dependency){ .uri = arena_fmt(a, "https://envbuild.dev/recipe/%.*s",
                                                              SV_ARG(base->recipe)),
                                             .digest = base->recipe_sha256 };
        for (size_t i = 0; i < p->n_artifact; i++)
                *arena_push(a, d->v, d->n, d->cap) =
                        (struct dependency){ .uri = purl_artifact(a, p, &p->artifact[i]),
                                             .location = download_location(a, &p->artifact[i]),
                                             .digest = p->artifact[i].sha256 };
}

/* Platforms share what is not made for one of them: it is told once. */
static struct js *resolved(struct arena *a, const struct lock *l)
{
        struct dependencies d = { 0 };
        struct js *list = js_new_arr(a);

        for (size_t i = 0; i < l->n_platform; i++)
                collect_platform(a, &l->platform[i], &d);
        if (d.n)
                qsort(d.v, d.n, sizeof(*d.v), by_uri);
        for (size_t i = 0; i < d.n; i++) {
                struct js *one = js_new_obj(a);
                if (i && by_uri(&d.v[i - 1], &d.v[i]) == 0)
                        continue;
                js_put_str(a, one, "uri", d.v[i].uri);
                if (d.v[i].location.n)
                        js_put_str(a, one, "downloadLocation", d.v[i].location);
                js_put(a, one, SV("digest"), digest_js(a, &d.v[i].digest));
                js_add(a, list, one);
        }
        return list;
}

static struct js *text_js(struct arena *a, const struct provenance_text *t)
{
        struct js *j = js_new_obj(a);

        js_put_str(a, j, "name", t->name);
        js_put(a, j, SV("digest"), digest_js(a, &t->digest));
        return j;
}

static struct js *external(struct arena *a, const struct provenance *v)
{
        struct js *j = js_new_obj(a), *definition = js_new_arr(a), *platforms = js_new_arr(a), *options = js_new_obj(a);

        for (size_t i = 0; i < v->n_definition; i++)
                js_add(a, definition, text_js(a, &v->definition[i]));
        for (size_t i = 0; i < v->lock->n_platform; i++)
                js_add(a, platforms, js_new_str(a, v->lock->platform[i].platform));
        if (v->n_definition)
                js_put(a, j, SV("definition"), definition);
        js_put(a, j, SV("lock"), text_js(a, &v->lock_text));
        js_put_str(a, options, "compression", v->compression);
        js_put(a, options, SV("platforms"), platforms);
        js_put(a, j, SV("options"), options);
        return j;
}

static struct js *definition_of(struct arena *a, const struct provenance *v)
{
        struct js *j = js_new_obj(a), *internal = js_new_obj(a);

        js_put_int(a, internal, "layerFormat", v->lock->layer_format);
        js_put_int(a, internal, "plan", v->lock->plan);
        js_put_str(a, j, "buildType", SV(PROVENANCE_BUILD_TYPE));
        js_put(a, j, SV("externalParameters"), external(a, v));
        js_put(a, j, SV("internalParameters"), internal);
        js_put(a, j, SV("resolvedDependencies"), resolved(a, v->lock));
        return j;
}

static struct js *run_of(struct arena *a, const struct provenance *v)
{
        struct js *j = js_new_obj(a), *builder = js_new_obj(a), *version = js_new_obj(a);

        js_put_str(a, version, "envbuild", v->version);
        js_put_str(a, builder, "id", SV(PROVENANCE_BUILDER));
        js_put(a, builder, SV("version"), version);
        js_put(a, j, SV("builder"), builder);
        return j;
}

void provenance_write(const struct provenance *v, struct buf *out)
{
        AUTO(arena_done) struct arena a = { 0 };
        struct js *predicate = js_new_obj(&a), *subjects, *statement;

        js_put(&a, predicate, SV("buildDefinition"), definition_of(&a, v));
        js_put(&a, predicate, SV("runDetails"), run_of(&a, v));
        statement = statement_js(&a, SV(PROVENANCE_PREDICATE), predicate, &subjects);
        for (size_t i = 0; i < v->n_subject; i++) {
                struct js *one = js_new_obj(&a);
                js_put_str(&a, one, "name", v->name);
                js_put(&a, one, SV("digest"), digest_js(&a, &v->subject[i]));
                js_add(&a, subjects, one);
        }
        js_write(statement, out);
}
