/* An image of our store for an engine of this machine: into the engine's own store, named by what it is, so that the next run finds it there. */
#include "cli/run_cli.h"
#include "image/fetch.h"
#include "image/local_stores.h"

static const struct {
        const char *target;
        enum local_kind kind;
} stores[] = { { "podman", LOCAL_CONTAINERS_STORAGE }, { "docker", LOCAL_DOCKER } };

int run_local_store(struct app *app, bool render, struct run_ready *r, struct err *e)
{
        const struct image_view *v = &r->view;
        struct local_image image = { .manifest = v->manifest_digest, .config = v->manifest.config.digest, .n_name = 1 };
        enum local_kind kind = LOCAL_CONTAINERS_STORAGE;
        bool there = false;
        uint64_t bytes;
        sv name;

        for (size_t i = 0; i < ARRAY_LEN(stores); i++)
                if (sv_is(sv_from(r->profile.target->name), stores[i].target))
                        kind = stores[i].kind;
        name = local_store_repository(kind, SV("envbuild-run"), &app->arena);
        r->run_image = arena_fmt(&app->arena, "%.*s:%.32s", SV_ARG(name), sha256_hex(&v->manifest_digest).s);
        if (render)
                return 0;
        image.name = &r->run_image;
        if (local_store_has(kind, &image, &app->op, &there, e) < 0)
                return -(int)e->code;
        if (there)
                return 0;
        if (image_fetch(&app->image, v, &app->arena, e) < 0 ||
            local_store_load(kind, app->image.store, &image, &app->op, &bytes, e) < 0)
                return err_while(e, "giving the image to %s", r->profile.target->name);
        return 0;
}
