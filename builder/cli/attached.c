#include "cli/attached.h"

#include "base/cleanup.h"

int attach_read(const struct attach_flags *f, struct attach_opts *ret, struct err *e)
{
        struct sign_key *key = NULL;

        if (f->key.n && image_sign_key(f->key.p, &key, e) < 0)
                return -(int)e->code;
        *ret = (struct attach_opts){ .sbom = !sv_is(f->sbom, "false"),
                                     .source = !sv_is(f->source, "false"),
                                     .provenance = f->provenance,
                                     .key = key };
        return 0;
}

void attach_done(struct attach_opts *o)
{
        sign_key_free(o->key);
        o->key = NULL;
}

int attach_all(struct app *app, sv image, const struct image_pushed *v, size_t n, const struct attach_opts *o,
               struct err *e)
{
        for (size_t i = 0; i < n; i++) {
                struct attach_count count = { 0 };
                struct attach_opts one = *o;

                one.remember = v[i].count.whole;
                if (attach_push(&app->image, &v[i].repo, image, &v[i].desc, &one, &app->arena, &count, e) < 0)
                        return -(int)e->code;
                if (count.made)
                        op_say(&app->op, OP_NOTE, "%.*s: %zu attached, %zu there already",
                               SV_ARG(reg_repo_text(&app->arena, &v[i].repo)), count.made, count.present);
        }
        return 0;
}
