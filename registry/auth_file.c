#include "registry/auth_file.h"

#include <stdio.h>
#include <string.h>

#include "base/base64.h"
#include "base/cleanup.h"

static int bad_json(sv path, const char *why, struct err *e)
{
        unsigned line = 0, col = 0;
        int at = 0;

        if (sscanf(why, "line %u, column %u: %n", &line, &col, &at) == 2 && at)
                err_set(e, ERR_USAGE, "%.*s:%u:%u: not JSON: %s", SV_ARG(path), line, col, why + at);
        else
                err_set(e, ERR_USAGE, "%.*s: not JSON: %s", SV_ARG(path), why);
        err_hint(e, "repair it, or move it away and log in again: envbuild login HOST");
        return -ERR_USAGE;
}

int auth_file_parse(struct arena *a, sv path, sv text, bool flat, struct auth_file *ret, struct err *e)
{
        AUTO(err_done) struct err why = { 0 };
        struct auth_file f = { .path = path, .flat = flat };

        if (!sv_trim(text).n)
                f.doc = js_new_obj(a);
        else if (js_parse(a, text, &f.doc, &why) < 0)
                return bad_json(path, why.cause, e);
        if (f.doc->type != JS_OBJ)
                return err_set(e, ERR_USAGE, "%.*s:1:1: an auth file is a JSON object", SV_ARG(path));
        *ret = f;
        return 0;
}

/* --- keys --- */

static bool is_hub(sv host)
{
        return sv_is(host, "docker.io") || sv_is(host, "index.docker.io") || sv_is(host, "registry-1.docker.io");
}

/* Old keys are URLs: "https://host/v1/" means "host". */
static sv plain_key(sv key)
{
        sv bare = sv_starts(key, SV("https://"))  ? sv_skip(key, 8)
                  : sv_starts(key, SV("http://")) ? sv_skip(key, 7)
                                                  : key;

        if (sv_ends(bare, SV("/")))
                bare.n--;
        else if (bare.n == key.n)
                return key; /* "host/v2" is a folder of host */
        if (sv_ends(bare, SV("/v1")) || sv_ends(bare, SV("/v2")))
                bare.n -= 3;
        return bare;
}

/* The same registry, or the same folder of it. */
static bool same_key(sv a, sv b)
{
        sv host_a, host_b;

        a = plain_key(a);
        b = plain_key(b);
        if (sv_eq(a, b))
                return true;
        sv_cut(&a, '/', &host_a);
        sv_cut(&b, '/', &host_b);
        return (is_hub(host_a) && is_hub(host_b)) ? sv_eq(a, b) : sv_eq_nocase(host_a, host_b) && sv_eq(a, b);
}

sv auth_key(sv registry)
{
        return is_hub(registry) ? SV(AUTH_HUB_KEY) : registry;
}

static struct js *auths_of(const struct auth_file *f)
{
        struct js *auths = f->flat ? f->doc : js_get(f->doc, "auths");

        return auths && auths->type == JS_OBJ ? auths : NULL;
}

static struct js_member *member_of(struct js *obj, sv key)
{
        struct js_member *alike = NULL;

        if (!obj || obj->type != JS_OBJ)
                return NULL;
        for (size_t i = 0; i < obj->n; i++) {
                if (sv_eq(obj->v[i].key, key))
                        return &obj->v[i];
                if (!alike && same_key(obj->v[i].key, key))
                        alike = &obj->v[i];
        }
        return alike;
}

/* "host/ns/repo" → "host/ns" → "host"; false after the host. */
static bool less_specific(sv *key)
{
        ptrdiff_t slash = sv_rfind(*key, '/');

        if (slash < 0)
                return false;
        *key = sv_from_to(*key, 0, (size_t)slash);
        return true;
}

/* --- entries --- */

static int bad_entry(const struct auth_file *f, sv key, const char *what, struct err *e)
{
        err_set(e, ERR_USAGE, "%.*s: the login of '%.*s' %s", SV_ARG(f->path), SV_ARG(key), what);
        err_hint(e, "envbuild login %.*s", SV_ARG(plain_key(key)));
        return -ERR_USAGE;
}

/* base64 of "user:password"; the password may hold colons. Old docker padded it with NULs. */
static int split_auth(struct arena *a, const struct auth_file *f, const struct js_member *m, sv auth,
                      struct reg_login *l, struct err *e)
{
        struct buf plain = BUF_INIT(AUTH_FILE_MAX);
        bool ok = base64_read(auth, &plain);
        sv text = arena_sv(a, buf_sv(&plain));

        if (plain.p)
                explicit_bzero(plain.p, plain.n);
        buf_done(&plain);
        if (!ok || sv_find(text, ':') < 0)
                return bad_entry(f, m->key, "holds an `auth` that is not the base64 of USER:PASSWORD", e);
        l->username = sv_from_to(text, 0, (size_t)sv_find(text, ':'));
        l->password = sv_skip(text, l->username.n + 1);
        while (l->password.n && l->password.p[l->password.n - 1] == '\0')
                l->password.n--;
        return 0;
}

static int read_entry(struct arena *a, const struct auth_file *f, const struct js_member *m, struct auth_found *ret,
                      struct err *e)
{
        struct reg_login l = { .from = f->path };
        sv auth;

        if (m->value->type != JS_OBJ)
                return bad_entry(f, m->key, "is not an object", e);
        auth = js_get_str(m->value, "auth");
        if (auth.n && split_auth(a, f, m, auth, &l, e) < 0)
                return -(int)e->code;
        if (!auth.n) {
                l.username = js_get_str(m->value, "username");
                l.password = js_get_str(m->value, "password");
        }
        l.identity_token = js_get_str(m->value, "identitytoken");
        l.registry_token = js_get_str(m->value, "registrytoken");
        ret->found = l.username.n || l.identity_token.n || l.registry_token.n;
        ret->login = l;
        return 0;
}

static sv helper_for(const struct auth_file *f, sv key)
{
        struct js_member *m = f->flat ? NULL : member_of(js_get(f->doc, "credHelpers"), key);

        return m ? js_str(m->value) : (sv){ 0 };
}

sv auth_file_helper(const struct auth_file *f, sv registry)
{
        sv one = helper_for(f, registry);

        return one.n || f->flat ? one : js_get_str(f->doc, "credsStore");
}

bool auth_file_knows(const struct auth_file *f, sv registry)
{
        return member_of(auths_of(f), registry) || auth_file_helper(f, registry).n;
}

int auth_file_find(struct arena *a, const struct auth_file *f, const struct reg_repo *repo, struct auth_found *ret,
                   struct err *e)
{
        sv whole = arena_fmt(a, "%.*s%s%.*s", SV_ARG(repo->registry), repo->repository.n ? "/" : "",
                             SV_ARG(repo->repository));
        sv key = whole;

        *ret = (struct auth_found){ 0 };
        do {
                ret->helper = helper_for(f, key);
                ret->key = sv_eq(key, repo->registry) ? auth_key(key) : key;
        } while (!ret->helper.n && less_specific(&key));
        if (ret->helper.n)
                return 0;
        key = whole;
        do {
                struct js_member *m = member_of(auths_of(f), key);

                if (m && read_entry(a, f, m, ret, e) < 0)
                        return -(int)e->code;
        } while (!ret->found && less_specific(&key));
        if (!ret->found && !f->flat) {
                ret->helper = js_get_str(f->doc, "credsStore");
                ret->key = auth_key(repo->registry);
        }
        return 0;
}

/* --- changing --- */

static struct js *entry_of(struct arena *a, const struct reg_login *l)
{
        struct js *entry = js_new_obj(a);
        struct buf plain = BUF_INIT(AUTH_FILE_MAX), auth = BUF_INIT(2 * AUTH_FILE_MAX);

        buf_fmt(&plain, "%.*s:%.*s", SV_ARG(l->username), SV_ARG(l->password));
        base64_write(buf_sv(&plain), &auth);
        if (l->username.n || l->password.n)
                js_put_str(a, entry, "auth", arena_sv(a, buf_sv(&auth)));
        if (l->identity_token.n)
                js_put_str(a, entry, "identitytoken", l->identity_token);
        explicit_bzero(plain.p, plain.n);
        buf_done(&plain);
        if (auth.p)
                explicit_bzero(auth.p, auth.n);
        buf_done(&auth);
        return entry;
}

bool auth_file_set(struct arena *a, struct auth_file *f, sv registry, const struct reg_login *l, bool in_helper)
{
        struct js *auths = auths_of(f);
        struct js_member *m;
        bool changed = false;

        while ((m = member_of(auths, registry))) { /* under every spelling */
                js_drop(auths, arena_str(a, m->key));
                changed = true;
        }
        if (!l)
                return changed;
        if (!auths) {
                auths = js_new_obj(a);
                js_put(a, f->doc, SV("auths"), auths);
        }
        js_put(a, auths, auth_key(registry), in_helper ? js_new_obj(a) : entry_of(a, l));
        return true;
}

void auth_file_registries(struct arena *a, const struct auth_file *f, sv **v, size_t *n, size_t *cap)
{
        const struct js *auths = auths_of(f);

        for (size_t i = 0; auths && i < auths->n; i++) {
                sv key = plain_key(auths->v[i].key);
                bool known = sv_find(key, '/') >= 0; /* a folder's login goes with a file of its own making */

                if (is_hub(key))
                        key = SV("docker.io");
                for (size_t k = 0; k < *n && !known; k++)
                        known = sv_eq((*v)[k], key);
                if (!known)
                        *arena_push(a, *v, *n, *cap) = arena_sv(a, key);
        }
}
