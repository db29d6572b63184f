/* Where a login is written, and taken away: as docker and podman do, so that all three know it. Everything else in their files stays. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "registry/helper.h"
#include "registry/login_priv.h"

/* Atomically, through a link (people keep these files elsewhere), readable by its owner alone. */
static int write_file(const struct auth_file *f, struct arena *a, struct err *e)
{
        struct buf text = BUF_INIT(2 * AUTH_FILE_MAX);
        AUTO(free_ptr) char *real = realpath(arena_str(a, f->path), NULL);
        const char *path = real ? real : arena_str(a, f->path);
        int r;

        js_write_pretty(f->doc, &text);
        buf_byte(&text, '\n');
        r = buf_check(&text, e);
        if (r == 0)
                r = fs_mkdirs(arena_str(a, sv_dirname(sv_from(path))), 0700, e);
        if (r == 0)
                r = fs_write(path, buf_sv(&text), 0600, e);
        if (text.p)
                explicit_bzero(text.p, text.n);
        buf_done(&text);
        return r < 0 ? err_while(e, "writing the auth file") : 0;
}

/* A file that is not there yet is an empty one. */
static int read_file(struct arena *a, const struct login_place *p, struct auth_file *ret, bool *ret_exists,
                     struct err *e)
{
        AUTO(err_done) struct err why = { 0 };

        *ret_exists = login_file_read(a, p, ret, &why) == 0;
        if (*ret_exists)
                return 0;
        if (why.code != ERR_NOT_FOUND)
                return err_move(e, &why);
        return auth_file_parse(a, p->path, (sv){ 0 }, p->flat, ret, e);
}

static bool can_hold(const struct login_place *p)
{
        AUTO(arena_done) struct arena a = { 0 };
        const char *dir = arena_str(&a, sv_dirname(p->path)), *above = arena_str(&a, sv_dirname(sv_from(dir)));

        return fs_is_dir(dir) ? access(dir, W_OK) == 0 : fs_is_dir(above) && access(above, W_OK) == 0;
}

/* The file that knows this registry already, else podman's: of this session, or of this user where there is no session. */
static int pick_place(struct arena *a, const struct login_places *p, sv registry, const struct login_place **ret,
                      struct err *e)
{
        for (size_t i = 0; i < p->n && !p->named; i++) {
                struct auth_file f;
                bool exists;

                if (p->v[i].flat)
                        continue;
                if (read_file(a, &p->v[i], &f, &exists, e) < 0)
                        return -(int)e->code;
                if (exists && auth_file_knows(&f, registry)) {
                        *ret = &p->v[i];
                        return 0;
                }
        }
        *ret = &p->v[p->named || p->n == 1 || (p->session && can_hold(&p->v[0])) ? 0 : p->config];
        return 0;
}

int reg_login_keep(const struct reg_opts *o, sv registry, const struct reg_login *l, struct op *op, struct arena *a,
                   sv *ret_where, struct err *e)
{
        AUTO(arena_wipe) struct arena tmp = { 0 };
        struct login_places places;
        const struct login_place *place;
        struct auth_file f;
        bool exists;
        sv helper;

        login_places(&tmp, o, &places);
        if (pick_place(&tmp, &places, registry, &place, e) < 0 || read_file(&tmp, place, &f, &exists, e) < 0)
                return -(int)e->code;
        helper = auth_file_helper(&f, registry);
        if (helper.n && helper_store(helper, auth_key(registry), l, op, e) < 0)
                return err_while(e, "keeping the login of '%.*s'", SV_ARG(registry));
        auth_file_set(&tmp, &f, registry, l, helper.n > 0);
        if (write_file(&f, &tmp, e) < 0)
                return -(int)e->code;
        *ret_where = helper.n ? arena_fmt(a, "docker-credential-%.*s", SV_ARG(helper)) : arena_sv(a, place->path);
        return 0;
}

/* *ret_any: something was there. */
static int drop_from(struct arena *a, const struct login_place *p, sv registry, struct op *op, bool *ret_any,
                     struct err *e)
{
        struct auth_file f;
        bool exists;
        sv helper;

        if (read_file(a, p, &f, &exists, e) < 0)
                return -(int)e->code;
        if (!exists)
                return 0;
        helper = auth_file_helper(&f, registry);
        if (helper.n) {
                AUTO(err_done) struct err why = { 0 };
                AUTO(arena_wipe) struct arena secret = { 0 };
                struct reg_login l;

                /* Many helpers erase what they never had without a word. */
                if (helper_get(helper, auth_key(registry), op, &secret, &l, &why) == 0 &&
                    helper_erase(helper, auth_key(registry), op, &why) == 0)
                        *ret_any = true;
                else if (why.code != ERR_NOT_FOUND)
                        return err_move(e, &why);
        }
        if (!auth_file_set(a, &f, registry, NULL, false))
                return 0;
        *ret_any = true;
        return write_file(&f, a, e);
}

int reg_login_drop(const struct reg_opts *o, sv registry, struct op *op, struct arena *a, struct err *e)
{
        AUTO(arena_wipe) struct arena tmp = { 0 };
        struct login_places places;
        bool any = false;

        (void)a;
        login_places(&tmp, o, &places);
        for (size_t i = 0; i < places.n; i++)
                if (drop_from(&tmp, &places.v[i], registry, op, &any, e) < 0)
                        return err_while(e, "taking away the login of '%.*s'", SV_ARG(registry));
        return any ? 0 : err_set(e, ERR_NOT_FOUND, "there is no login of '%.*s'", SV_ARG(registry));
}

int reg_login_list(const struct reg_opts *o, struct arena *a, sv **ret, size_t *ret_n, struct err *e)
{
        AUTO(arena_wipe) struct arena tmp = { 0 };
        struct login_places places;
        size_t cap = 0;

        *ret = NULL;
        *ret_n = 0;
        login_places(&tmp, o, &places);
        for (size_t i = 0; i < places.n; i++) {
                struct auth_file f;
                bool exists;

                if (read_file(&tmp, &places.v[i], &f, &exists, e) < 0)
                        return -(int)e->code;
                if (exists)
                        auth_file_registries(a, &f, ret, ret_n, &cap);
        }
        return 0;
}
