/* What the command line says of registries. */
#include "cli/app.h"
#include "cli/opts.h"

static const char *text_of(struct app *app, sv s)
{
        return s.n ? arena_str(&app->arena, s) : NULL;
}

int opts_registry(struct app *app, const struct registry_opts *o, struct err *e)
{
        for (size_t i = 0; i < o->insecure.n; i++) {
                sv host = o->insecure.v[i];

                if (host.n && sv_find(host, '/') < 0)
                        continue;
                err_set(e, ERR_USAGE, "--insecure takes the name of a host, not '%.*s'", SV_ARG(host));
                err_hint(e, "--insecure registry.example.com:5000");
                return -(int)e->code;
        }
        app->image.registry = (struct reg_opts){ .auth_file = text_of(app, o->auth_file),
                                                 .certs_dir = text_of(app, o->cert_dir),
                                                 .insecure = o->insecure.v,
                                                 .n_insecure = o->insecure.n,
                                                 .registries_conf = text_of(app, o->registries_conf) };
        return 0;
}
