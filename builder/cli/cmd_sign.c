/* envbuild sign: sign an image that is in a registry. */
#include <stdio.h>

#include "base/cleanup.h"
#include "cli/app.h"
#include "cli/opts.h"
#include "image/push.h"
#include "image/sign.h"

static int read_words(const struct sign_opts *o, int argc, struct err *e)
{
        if (argc != 1) {
                err_set(e, ERR_USAGE, "sign needs one image");
                err_hint(e, "envbuild sign REGISTRY/NAME:TAG --key key.pem");
                return -(int)e->code;
        }
        if (!o->key.n) {
                err_set(e, ERR_USAGE, "sign needs a key");
                err_hint(e, "--key key.pem; openssl ecparam -name prime256v1 -genkey -noout -out key.pem makes one");
                return -(int)e->code;
        }
        return 0;
}

/* "docker://" says what is meant anyway. */
static sv name_of(const char *word)
{
        sv s = sv_from(word);

        return sv_starts(s, SV("docker://")) ? sv_skip(s, 9) : s;
}

int cmd_sign(struct app *app, void *opts, int argc, char **argv, struct err *e)
{
        AUTO(sign_key_freep) struct sign_key *key = NULL;
        const struct sign_opts *o = opts;
        struct image_signed count;
        struct image_sign s = { .classic = !sv_is(o->form, "bundle"), .bundle = !sv_is(o->form, "classic") };
        struct reg_client *reg;
        struct oci_desc image;
        struct reference r;
        struct reg_repo repo;
        sv ref;

        if (read_words(o, argc, e) < 0 || opts_registry(app, &o->registry, e) < 0 ||
            image_sign_key(o->key.p, &key, e) < 0 || image_push_name(&app->arena, name_of(argv[0]), &r, e) < 0 ||
            image_ctx_registry(&app->image, &reg, e) < 0)
                return -(int)e->code;
        repo = reg_repo_of(&r);
        ref = r.has_digest ? arena_fmt(&app->arena, "sha256:%s", sha256_hex(&r.digest).s)
              : r.tag.n    ? r.tag
                           : SV("latest");
        if (reg_manifest_head(reg, &repo, ref, &app->arena, &image, e) < 0)
                return err_while(e, "looking for the image '%s'", argv[0]);
        s.key = key;
        if (image_sign(reg, &repo, &image, &s, &count, e) < 0)
                return -(int)e->code;
        if (!count.made)
                op_say(&app->op, OP_NOTE, "this key has signed it already");
        progress_pause(app->progress);
        printf("%.*s@sha256:%s\n", SV_ARG(reg_repo_text(&app->arena, &repo)), sha256_hex(&image.digest).s);
        return 0;
}
