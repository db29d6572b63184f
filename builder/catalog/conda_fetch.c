#include "catalog/conda_fetch.h"

#include "base/cleanup.h"
#include "catalog/pypi.h"

int conda_fetch(const struct conda_ask *ask, const struct artifact *art, struct err *e)
{
        AUTO(arena_done) struct arena a = { 0 };
        int r = -ERR_NOT_FOUND;
        sv url;

        for (size_t i = 0; r < 0 && conda_request_url(&a, art->url, &ask->channels, i, &url); i++) {
                if (e->code == ERR_CANCELLED)
                        break;
                err_done(e);
                r = fetch_artifact(ask->net, ask->store, art, url, ask->op, e);
        }
        return r;
}
