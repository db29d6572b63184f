#include "registry/client_priv.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "oci/oci.h"

int reg_client_new(struct net *net, const struct reg_opts *o, struct op *op, struct reg_client **ret, struct err *e)
{
        struct reg_client *c = xcalloc(1, sizeof(*c));

        (void)e;
        c->net = net;
        c->op = op;
        c->opts = *o;
        pthread_mutex_init(&c->lock, NULL);
        *ret = c;
        return 0;
}

void reg_client_free(struct reg_client *c)
{
        if (!c)
                return;
        pthread_mutex_destroy(&c->lock);
        arena_done(&c->arena);
        free(c);
}

struct op *reg_op(const struct reg_client *c)
{
        return c->op;
}

static sv url_of(struct reg_client *c, const struct reg_request *r, struct arena *a)
{
        if (sv_starts(r->path, SV("http://")) || sv_starts(r->path, SV("https://")))
                return r->path;
        return arena_fmt(a, "%.*s/v2/%.*s/%.*s", SV_ARG(reg_origin(c, r->repo.registry, a)), SV_ARG(r->repo.repository),
                         SV_ARG(r->path));
}

int reg_do(struct reg_client *c, const struct reg_request *r, struct arena *a, struct net_answer *ret, struct err *e)
{
        struct net_request q = { .url = url_of(c, r, a),
                                 .method = r->method,
                                 .header = r->header,
                                 .n_header = r->n_header,
                                 .into = r->into,
                                 .max_body = r->max_body ? r->max_body
                                             : r->into   ? 0
                                                         : OCI_DOC_MAX,
                                 .has_range = r->has_range,
                                 .from = r->from,
                                 .to = r->to,
                                 .keep_partial = r->keep_partial,
                                 .subject = r->subject,
                                 .phase = r->phase,
                                 .expect = r->expect,
                                 .priority = r->priority,
                                 .body = r->body,
                                 .once = r->once,
                                 .anonymous = true };

        return net_do(c->net, &q, a, ret, e);
}
