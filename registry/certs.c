/* Whom to trust at a registry, and how to show who we are: certs.d of containers and docker (containers-certs.d(5)), or --cert-dir. */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "registry/client_priv.h"

enum { PEM_MAX = 4 << 20 };

static int add_ca(const char *path, struct buf *pem, struct err *e)
{
        size_t before = pem->n;

        if (fs_read(path, pem, e) < 0)
                return err_while(e, "reading a registry's certificates");
        buf_byte(pem, '\n');
        if (sv_find_sv(sv_skip(buf_sv(pem), before), SV("-----BEGIN CERTIFICATE-----")) >= 0)
                return 0;
        err_set(e, ERR_USAGE, "'%s' holds no certificate in PEM form", path);
        err_hint(e, "openssl x509 -inform der -in FILE -out %s", path);
        return -ERR_USAGE;
}

/* X.cert and X.key belong together. */
static int add_pair(struct arena *a, const char *dir, sv name, struct net_tls *t, struct err *e)
{
        bool is_cert = sv_ends(name, SV(".cert"));
        sv stem = sv_from_to(name, 0, name.n - (is_cert ? 5 : 4));
        const char *cert = arena_fmt(a, "%s/%.*s.cert", dir, SV_ARG(stem)).p,
                   *key = arena_fmt(a, "%s/%.*s.key", dir, SV_ARG(stem)).p;
        const char *missing = !fs_exists(key) ? key : !fs_exists(cert) ? cert : NULL;

        if (missing) {
                err_set(e, ERR_USAGE, "'%s/%.*s' is there, but '%s' is not", dir, SV_ARG(name), missing);
                err_hint(e, is_cert ? "a CA's certificate ends in .crt; .cert is a client's, which needs its key"
                                    : "a client's certificate ends in .cert");
                return -ERR_USAGE;
        }
        if (!t->cert) { /* by name, the first one */
                t->cert = cert;
                t->key = key;
        }
        return 0;
}

static int read_dir(struct arena *a, const char *dir, struct buf *pem, struct net_tls *t, struct err *e)
{
        AUTO(free_ptr) char **names = NULL;
        size_t n = 0;

        if (fs_list(dir, &names, &n, e) < 0)
                return err_while(e, "looking for a registry's certificates");
        for (size_t i = 0; i < n; i++) {
                sv name = sv_from(names[i]);

                if (sv_ends(name, SV(".crt")) && add_ca(arena_fmt(a, "%s/%s", dir, names[i]).p, pem, e) < 0)
                        return -(int)e->code;
                if ((sv_ends(name, SV(".cert")) || sv_ends(name, SV(".key"))) && add_pair(a, dir, name, t, e) < 0)
                        return -(int)e->code;
        }
        return 0;
}

const char *reg_certs_dir(struct reg_client *c, sv registry, struct arena *a)
{
        const char *home = getenv("HOME");
        const char *const places[] = { home && *home ? arena_fmt(a, "%s/.config/containers/certs.d", home).p : NULL,
                                       "/etc/containers/certs.d", "/etc/docker/certs.d" };

        if (c->opts.certs_dir)
                return c->opts.certs_dir;
        for (size_t i = 0; i < ARRAY_LEN(places); i++) {
                const char *dir = places[i] ? arena_fmt(a, "%s/%.*s", places[i], SV_ARG(registry)).p : NULL;

                if (dir && fs_is_dir(dir))
                        return dir;
        }
        return NULL;
}

int reg_trust(struct reg_client *c, sv host, const char *dir, bool client_too, bool insecure, struct err *e)
{
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(buf_done) struct buf pem = BUF_INIT(PEM_MAX);
        struct net_tls t = { .insecure = insecure };
        bool has_port = sv_rfind(host, ':') > sv_rfind(host, ']');

        if (!dir && !insecure)
                return 0;
        if (dir && read_dir(&a, dir, &pem, &t, e) < 0)
                return -(int)e->code;
        t.host = arena_lower(&a, arena_fmt(&a, "%.*s%s", SV_ARG(host), has_port ? "" : ":443"));
        t.ca_pem = buf_sv(&pem);
        if (!client_too)
                t.cert = t.key = NULL;
        if (buf_check(&pem, e) < 0)
                return -(int)e->code;
        net_tls_add(c->net, &t);
        return 0;
}
