#include <stdlib.h>

#include "base/cleanup.h"
#include "net/net_priv.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

struct counted {
        struct writer w;
        uint64_t n;
};

static int count_write(struct writer *w, const void *p, size_t n, struct err *e)
{
        (void)p, (void)e;
        ((struct counted *)w)->n += n; /* w is its first field */
        return 0;
}

static const struct writer_ops count_ops = { "count", count_write, NULL };

static struct net_job *job_of(unsigned bits, struct counted *into)
{
        struct net_job *j = calloc(1, sizeof(*j));

        if (!j)
                abort();
        j->url = j->first = j->r.url = SV("https://h:8443/v2/a/blobs/x");
        j->r.method = bits & 1 ? NET_GET : NET_PUT;
        j->r.has_range = bits & 2;
        j->r.range_open = bits & 4;
        j->r.range_last = bits & 8;
        j->r.from = 10;
        j->r.to = 20;
        j->r.into = bits & 16 ? &into->w : NULL;
        j->r.max_body = bits & 32 ? 100 : 0;
        if (bits & 64 && j->r.into) { /* a try that resumes */
                j->received = into->n = 5;
                j->validator = SV("\"tag\"");
        }
        j->body.max = 1 << 20;
        return j;
}

/* Where a redirect leads: never from https to http, never with somebody's password, and foreign once it left. */
static void check_redirect(struct net_job *j)
{
        struct arena a = { 0 };
        sv before = url_origin(&a, j->url);
        struct url u;

        if (net_follow(j) == 0) {
                sv after = url_origin(&a, j->url);

                if (!sv_starts(after, SV("https://")) || (!sv_eq(before, after) && !j->foreign))
                        __builtin_trap();
                if (url_parse(j->url, &u) && (u.user.n || u.fragment.n))
                        __builtin_trap();
        } else if (!j->err.code) {
                __builtin_trap();
        }
        arena_done(&a);
}

/* A byte that says what was asked, lines of headers, an empty one, a body in two pieces: what a hostile server may send. */
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
        struct counted into = { { &count_ops, NULL }, 0 };
        sv rest = { (const char *)p + 1, n - 1 }, line;
        struct net_job *j;
        bool going = true;

        if (n == 0)
                return 0;
        j = job_of(p[0], &into);
        while (going && sv_line(&rest, &line) && line.n)
                going = net_on_header(j, line.p, line.n);
        going = going && (rest.n < 2 || net_on_body(j, rest.p, rest.n / 2));
        if (going && rest.n)
                net_on_body(j, rest.p + rest.n / 2, rest.n - rest.n / 2);
        if (j->r.into && into.n != j->received)
                __builtin_trap();
        if (!j->r.into && j->r.max_body && (j->status == 200 || j->status == 206) && j->body.n > j->r.max_body)
                __builtin_trap();
        if (net_is_followed(j))
                check_redirect(j);
        net_job_free(j);
        return 0;
}
