#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "net/net_priv.h"
#include "tests/unit/unit.h"

/* A transport that does nothing but end each transfer as the row says: what is tried again? */
struct curl_io {
        pthread_mutex_t lock;
        pthread_cond_t woken;
        bool awake;
        struct curl_transfer *under_way;
};

static struct end {
        enum curl_fault fault;
        bool asked;
        long status;
} how;
static struct curl_transfer last; /* what net/ said of the last one */

static struct curl_io *io_open(unsigned per_host, unsigned kept)
{
        struct curl_io *io = calloc(1, sizeof(*io));

        assert_true(io && per_host >= 6 && kept > per_host);
        pthread_mutex_init(&io->lock, NULL);
        pthread_cond_init(&io->woken, NULL);
        return io;
}

static void io_close(struct curl_io *io)
{
        pthread_mutex_destroy(&io->lock);
        pthread_cond_destroy(&io->woken);
        free(io);
}

static bool begin(struct curl_io *io, struct curl_transfer *t)
{
        io->under_way = t;
        last = *t;
        return true;
}

static void drop(struct curl_io *io, struct curl_transfer *t)
{
        (void)t;
        io->under_way = NULL;
}

static struct curl_transfer *end_of(struct curl_transfer *t)
{
        char line[64];

        t->fault = how.fault;
        t->asked = how.asked;
        t->status = how.status;
        snprintf(line, sizeof(line), "HTTP/1.1 %ld X", how.status);
        if (how.status)
                t->on_header(t->arg, line, strlen(line));
        return t;
}

static struct curl_transfer *turn(struct curl_io *io, int timeout_ms)
{
        struct curl_transfer *t = io->under_way;
        struct timespec until;

        io->under_way = NULL;
        if (t)
                return end_of(t);
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += timeout_ms / 1000;
        until.tv_nsec += timeout_ms % 1000 * 1000000L;
        until.tv_sec += until.tv_nsec / 1000000000L;
        until.tv_nsec %= 1000000000L;
        pthread_mutex_lock(&io->lock);
        if (!io->awake && timeout_ms)
                pthread_cond_timedwait(&io->woken, &io->lock, &until);
        io->awake = false;
        pthread_mutex_unlock(&io->lock);
        return NULL;
}

static void wake(struct curl_io *io)
{
        pthread_mutex_lock(&io->lock);
        io->awake = true;
        pthread_cond_signal(&io->woken);
        pthread_mutex_unlock(&io->lock);
}

static const struct curl_table table = { CURL_TABLE_VERSION, io_open, io_close, begin, drop, turn, wake };

struct row {
        enum net_method method;
        struct end end;
        unsigned tries; /* of 4 */
        int want;
        bool repeatable, once;
};

static unsigned tries_of(const struct row *r, int *ret)
{
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(err_done) struct err e = { 0 };
        struct op op = { .jobs = 1 };
        struct net_answer got = { 0 };
        struct net *n;
        unsigned count;

        how = r->end;
        assert_int_equal(net_new_over(&(struct net_opts){ .tries = 4 }, &op, &table, 1, &n, &e), 0);
        *ret = net_do(
                n,
                &(struct net_request){
                        .url = SV("http://h/"), .method = r->method, .repeatable = r->repeatable, .once = r->once },
                &a, &got, &e);
        count = net_count(n);
        net_free(n);
        return count;
}

static void what_is_tried_again(void **state)
{
        static const struct row rows[] = {
                { NET_GET, { .status = 200 }, 1, 0 },
                { NET_GET, { .status = 404 }, 1, 0 },
                { NET_GET, { .status = 413 }, 1, 0 },
                { NET_GET, { .status = 408 }, 4, -ERR_NET },
                { NET_GET, { .status = 429 }, 4, -ERR_NET },
                { NET_GET, { .status = 500 }, 4, -ERR_NET },
                { NET_GET, { .status = 501 }, 1, 0 },
                { NET_GET, { CURL_FAULT_BROKEN, true }, 4, -ERR_NET },
                { NET_GET, { CURL_FAULT_TIMEOUT, true }, 4, -ERR_NET },
                { NET_GET, { CURL_FAULT_RESOLVE }, 3, -ERR_NET },
                { NET_GET, { CURL_FAULT_CERT }, 1, -ERR_NET },
                { NET_GET, { CURL_FAULT_KEY, true }, 1, -ERR_NET },
                { NET_PUT, { CURL_FAULT_BROKEN, true }, 4, -ERR_NET },
                { NET_PUT, { .status = 502 }, 4, -ERR_NET },
                { NET_DELETE, { CURL_FAULT_BROKEN, true }, 4, -ERR_NET },
                /* It may have been acted on. */
                { NET_POST, { CURL_FAULT_BROKEN, true }, 1, -ERR_NET },
                { NET_POST, { CURL_FAULT_TIMEOUT, true }, 1, -ERR_NET },
                { NET_PATCH, { CURL_FAULT_BROKEN, true }, 1, -ERR_NET },
                { NET_POST, { .status = 500 }, 1, 0 },
                { NET_POST, { .status = 502 }, 1, 0 },
                { NET_PATCH, { .status = 504 }, 1, 0 },
                /* It can't have been. */
                { NET_POST, { CURL_FAULT_CONNECT }, 4, -ERR_NET },
                { NET_POST, { CURL_FAULT_TIMEOUT }, 4, -ERR_NET },
                { NET_POST, { CURL_FAULT_RESOLVE }, 3, -ERR_NET },
                { NET_POST, { .status = 408 }, 4, -ERR_NET },
                { NET_POST, { .status = 429 }, 4, -ERR_NET },
                { NET_PATCH, { .status = 503 }, 4, -ERR_NET },
                /* What the caller says of it. */
                { NET_POST, { CURL_FAULT_BROKEN, true }, 4, -ERR_NET, .repeatable = true },
                { NET_POST, { .status = 500 }, 4, -ERR_NET, .repeatable = true },
                { NET_PUT, { CURL_FAULT_BROKEN, true }, 1, -ERR_NET, .once = true },
                { NET_PUT, { CURL_FAULT_CONNECT }, 1, -ERR_NET, .once = true },
                { NET_PUT, { .status = 503 }, 1, 0, .once = true },
                { NET_GET, { .status = 429 }, 1, 0, .once = true },
        };
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                const struct row *r = &rows[i];
                int got;
                unsigned tries = tries_of(r, &got);

                if (tries != r->tries || got != r->want)
                        bad++, print_error("%s, fault %d, status %ld: %u tries, %d\n", last.method, r->end.fault,
                                           r->end.status, tries, got);
                if (last.once != (r->once || (!r->repeatable && (r->method == NET_POST || r->method == NET_PATCH))))
                        bad++, print_error("%s: once %d\n", last.method, last.once);
        }
        assert_int_equal(bad, 0);
}

static void what_the_transport_is_told(void **state)
{
        static const struct {
                enum net_method method;
                const char *name;
                bool has_body, compressed;
        } rows[] = {
                { NET_GET, "GET", false, true },     { NET_HEAD, "HEAD", false, false },
                { NET_POST, "POST", true, false },   { NET_PUT, "PUT", true, false },
                { NET_PATCH, "PATCH", true, false }, { NET_DELETE, "DELETE", false, false },
        };
        int got;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                tries_of(&(struct row){ rows[i].method, { .status = 200 } }, &got);
                assert_int_equal(got, 0);
                assert_string_equal(last.method, rows[i].name);
                assert_int_equal(last.has_body, rows[i].has_body);
                assert_int_equal(last.compressed, rows[i].compressed);
                assert_int_equal(last.body_size, 0);
        }
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(what_is_tried_again),
                cmocka_unit_test(what_the_transport_is_told),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
