/* Who we are to a registry: the places that know, in containers/image's order (specs/oci.md §3.8). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "registry/auth_file.h"
#include "registry/client_priv.h"
#include "registry/helper.h"
#include "registry/login_priv.h"

static const char *env_of(const char *name)
{
        const char *v = getenv(name);

        return v && *v ? v : NULL;
}

static void add(struct arena *a, struct login_places *p, bool flat, const char *dir, const char *file)
{
        if (dir)
                p->v[p->n++] = (struct login_place){ arena_fmt(a, "%s/%s", dir, file), flat };
}

void login_places(struct arena *a, const struct reg_opts *o, struct login_places *ret)
{
        const char *named = o->auth_file ? o->auth_file : env_of("REGISTRY_AUTH_FILE"), *home = env_of("HOME"),
                   *run = env_of("XDG_RUNTIME_DIR"), *conf = env_of("XDG_CONFIG_HOME"),
                   *docker = env_of("DOCKER_CONFIG");

        *ret = (struct login_places){ .named = named != NULL, .session = run != NULL };
        if (named) {
                ret->v[ret->n++] = (struct login_place){ arena_sv(a, sv_from(named)), false };
                return;
        }
        if (run)
                add(a, ret, false, run, "containers/auth.json");
        else
                add(a, ret, false, arena_fmt(a, "/run/containers/%u", (unsigned)getuid()).p, "auth.json");
        if (!conf && home)
                conf = arena_fmt(a, "%s/.config", home).p;
        ret->config = ret->n;
        add(a, ret, false, conf, "containers/auth.json");
        if (!docker && home)
                docker = arena_fmt(a, "%s/.docker", home).p;
        add(a, ret, false, docker, "config.json");
        add(a, ret, true, home, ".dockercfg");
}

int login_file_read(struct arena *a, const struct login_place *p, struct auth_file *ret, struct err *e)
{
        struct buf text = BUF_INIT(AUTH_FILE_MAX);
        const char *path = arena_str(a, p->path);
        int r;

        /* A folder of others that we may not look into (/run/containers) has no file of ours. */
        if (access(path, F_OK) < 0 && errno == EACCES)
                return err_set(e, ERR_NOT_FOUND, "'%s' is not there for us", path);
        r = fs_read(path, &text, e);
        if (r == 0)
                r = auth_file_parse(a, p->path, buf_sv(&text), p->flat, ret, e);
        if (text.p)
                explicit_bzero(text.p, text.n);
        buf_done(&text);
        return r;
}

static struct helper_memo *memo_of(struct helper_cache *cache, sv helper, sv key)
{
        struct helper_memo *m;

        pthread_mutex_lock(cache->lock);
        for (m = cache->v; m && !(sv_eq(m->helper, helper) && sv_eq(m->key, key)); m = m->next)
                ;
        pthread_mutex_unlock(cache->lock);
        return m;
}

static void remember(struct helper_cache *cache, sv helper, sv key, const struct reg_login *l)
{
        struct arena *a = cache->a;
        struct helper_memo *m;

        pthread_mutex_lock(cache->lock);
        m = arena_new(a, struct helper_memo);
        *m = (struct helper_memo){
                .next = cache->v, .helper = arena_sv(a, helper), .key = arena_sv(a, key), .found = l != NULL
        };
        if (l)
                m->l = (struct reg_login){ .username = arena_sv(a, l->username),
                                           .password = arena_sv(a, l->password),
                                           .identity_token = arena_sv(a, l->identity_token),
                                           .from = arena_sv(a, l->from) };
        cache->v = m;
        pthread_mutex_unlock(cache->lock);
}

static int ask_helper(const struct auth_found *f, struct helper_cache *cache, struct op *op, struct arena *a,
                      struct reg_login *ret, struct err *e)
{
        struct helper_memo *m = cache ? memo_of(cache, f->helper, f->key) : NULL;
        int r;

        if (m) {
                *ret = m->l;
                return m->found ? 0 : err_set(e, ERR_NOT_FOUND, "a helper knows no such login");
        }
        r = helper_get(f->helper, f->key, op, a, ret, e);
        if (cache && (r == 0 || e->code == ERR_NOT_FOUND))
                remember(cache, f->helper, f->key, r == 0 ? ret : NULL);
        return r;
}

/* 0, or -ERR_NOT_FOUND: this file does not know. */
static int find_in(const struct auth_file *f, const struct reg_repo *repo, struct helper_cache *cache, struct op *op,
                   struct arena *a, struct reg_login *ret, struct err *e)
{
        struct auth_found found;

        if (auth_file_find(a, f, repo, &found, e) < 0)
                return -(int)e->code;
        if (found.helper.n) {
                if (ask_helper(&found, cache, op, a, ret, e) < 0)
                        return e->code == ERR_NOT_FOUND
                                       ? -ERR_NOT_FOUND
                                       : err_while(e, "looking for the login of '%.*s' that %.*s names",
                                                   SV_ARG(repo->registry), SV_ARG(f->path));
                return 0;
        }
        if (!found.found)
                return err_set(e, ERR_NOT_FOUND, "%.*s has no login of '%.*s'", SV_ARG(f->path),
                               SV_ARG(repo->registry));
        *ret = found.login;
        return 0;
}

/* A file that the user named and that is not there is a slip of the pen, not somebody without a login. */
static int named_is_missing(const struct login_places *p, struct err *e)
{
        err_set(e, ERR_USAGE, "the auth file '%.*s' is not there", SV_ARG(p->v[0].path));
        err_hint(e, "envbuild login HOST makes it; --authfile and REGISTRY_AUTH_FILE name it");
        return -ERR_USAGE;
}

int reg_login_find(const struct reg_opts *o, const struct reg_repo *repo, struct op *op, struct arena *a,
                   struct reg_login *ret, struct err *e)
{
        return login_find(o, repo, NULL, op, a, ret, e);
}

int login_find(const struct reg_opts *o, const struct reg_repo *repo, struct helper_cache *cache, struct op *op,
               struct arena *a, struct reg_login *ret, struct err *e)
{
        struct login_places places;

        if (o->username.n) {
                *ret = (struct reg_login){ .username = o->username,
                                           .password = o->password,
                                           .from = SV("the command line") };
                return 0;
        }
        login_places(a, o, &places);
        if (places.named && access(arena_str(a, places.v[0].path), F_OK) < 0)
                return named_is_missing(&places, e);
        for (size_t i = 0; i < places.n; i++) {
                AUTO(err_done) struct err one = { 0 };
                struct auth_file f;

                if (login_file_read(a, &places.v[i], &f, &one) == 0 && find_in(&f, repo, cache, op, a, ret, &one) == 0)
                        return 0;
                if (one.code != ERR_NOT_FOUND)
                        return err_move(e, &one);
        }
        return err_set(e, ERR_NOT_FOUND, "there is no login of '%.*s'", SV_ARG(repo->registry));
}

int reg_login_check(struct reg_client *c, sv registry, const struct reg_login *l, struct err *e)
{
        AUTO(arena_wipe) struct arena a = { 0 };
        AUTO(reg_client_freep) struct reg_client *as = NULL;
        struct reg_request r = { .repo = { registry, { 0 } }, .actions = REG_PULL, .max_body = REG_ERROR_BODY };
        struct reg_opts o = c->opts;
        struct net_answer ans;

        o.username = l->username;
        o.password = l->password;
        if (reg_client_new(c->net, &o, c->op, &as, e) < 0 || reg_do(as, &r, &a, &ans, e) < 0)
                return -(int)e->code;
        if (ans.status == 404)
                return err_set(e, ERR_NET, "'%.*s' does not answer as a registry: '%.*s' is not there",
                               SV_ARG(registry), SV_ARG(reg_url_shown(&a, ans.url)));
        return ans.status == 200 ? 0 : reg_status_err(as, &r, &ans, "logging in", e);
}
