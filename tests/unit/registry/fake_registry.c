#include "tests/unit/registry/fake_registry.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "ext/hash.h"
#include "net/net_priv.h"
#include "net/url.h"

struct thing { /* a blob or a manifest of a repository */
        sv repo, ref, type, bytes;
        bool gone;
};
struct session {
        unsigned id;
        sv repo;
        struct buf bytes;
        bool open;
};

struct curl_io {
        struct fake_settings set;
        struct arena a;
        struct thing *blob, *manifest;
        size_t n_blob, cap_blob, n_manifest, cap_manifest;
        struct session session[512];
        unsigned n_session;
        struct fake_fault fault[16];
        unsigned seen[16], n_fault;
        sv *log;
        size_t n_log, cap_log;
        struct curl_transfer *waiting[64];
        size_t n_waiting;
        const char *meanwhile;
        unsigned meanwhile_skip;
        void (*run)(void *arg);
        void *run_arg;
        bool woken;
        pthread_mutex_t lock;
        pthread_cond_t wake;
};
static struct curl_io *fake; /* the table's functions know no other way to it */

/* --- the answer */

struct answer {
        struct curl_io *f;
        struct curl_transfer *t;
        struct url url;
        sv repo, rest; /* "team/x", "blobs/uploads/3" */
        struct buf body;
        const struct fake_fault *fault;
        bool broken;
};

static void line(struct answer *x, const char *fmt, ...) PRINTF(2, 3);
static void line(struct answer *x, const char *fmt, ...)
{
        char text[1024];
        va_list ap;
        int n;

        va_start(ap, fmt);
        n = vsnprintf(text, sizeof(text), fmt, ap);
        va_end(ap);
        x->t->on_header(x->t->arg, text, (size_t)n);
}

static void status(struct answer *x, long code)
{
        x->t->status = code;
        line(x, "HTTP/1.1 %ld X", code);
}

static void body(struct answer *x, sv bytes)
{
        if (strcmp(x->t->method, "HEAD") != 0 && bytes.n && !x->t->on_body(x->t->arg, bytes.p, bytes.n))
                x->t->fault = CURL_FAULT_STOPPED;
}

static void say(struct answer *x, long code, const char *text)
{
        status(x, code);
        body(x, sv_from(text));
}

static sv query(const struct answer *x, const char *name)
{
        sv rest = x->url.query, one;

        while (sv_cut(&rest, '&', &one)) {
                ptrdiff_t eq = sv_find(one, '=');

                if (eq > 0 && sv_is(sv_from_to(one, 0, (size_t)eq), name))
                        return sv_skip(one, (size_t)eq + 1);
        }
        return (sv){ 0 };
}

static sv header(const struct answer *x, const char *name)
{
        for (size_t i = 0; i < x->t->n_header; i++) {
                sv h = sv_from(x->t->header[i]);
                ptrdiff_t colon = sv_find(h, ':');

                if (colon > 0 && sv_eq_nocase(sv_from_to(h, 0, (size_t)colon), sv_from(name)))
                        return sv_trim(sv_skip(h, (size_t)colon + 1));
        }
        return (sv){ 0 };
}

static struct thing *find(struct thing *v, size_t n, sv repo, sv ref)
{
        for (size_t i = n; i--;)
                if (!v[i].gone && sv_eq(v[i].repo, repo) && sv_eq(v[i].ref, ref))
                        return &v[i];
        return NULL;
}

static sv digest_text(sv bytes)
{
        sha256 d = sha256_of(bytes);

        return arena_fmt(&fake->a, "sha256:%s", sha256_hex(&d).s);
}

static void keep_blob(sv repo, sv bytes)
{
        *arena_push(&fake->a, fake->blob, fake->n_blob, fake->cap_blob) = (struct thing){
                .repo = arena_sv(&fake->a, repo), .ref = digest_text(bytes), .bytes = arena_sv(&fake->a, bytes)
        };
}

static void keep_manifest(sv repo, sv ref, sv type, sv bytes)
{
        sv digest = digest_text(bytes);

        for (int i = 0; i < 2; i++) {
                sv name = i ? digest : ref;
                struct thing *old = find(fake->manifest, fake->n_manifest, repo, name);

                if (old)
                        old->gone = true;
                *arena_push(&fake->a, fake->manifest, fake->n_manifest, fake->cap_manifest) =
                        (struct thing){ .repo = arena_sv(&fake->a, repo),
                                        .ref = arena_sv(&fake->a, name),
                                        .type = arena_sv(&fake->a, type),
                                        .bytes = arena_sv(&fake->a, bytes) };
        }
}

/* --- blobs */

static void get_blob(struct answer *x)
{
        const struct thing *b = find(x->f->blob, x->f->n_blob, x->repo, sv_skip(x->rest, 6));
        sv bytes, first;
        uint64_t from = 0, to;

        if (!b)
                return say(x, 404, "{\"errors\":[{\"code\":\"BLOB_UNKNOWN\"}]}");
        bytes = b->bytes;
        to = bytes.n - 1;
        if (x->t->range && !x->f->set.no_ranges) {
                sv r = sv_from(x->t->range);

                sv_cut(&r, '-', &first);
                sv_u64(first, &from);
                sv_u64(r, &to);
                status(x, 206);
                line(x, "Content-Range: bytes %llu-%llu/%zu", (unsigned long long)from, (unsigned long long)to,
                     bytes.n);
                bytes = sv_from_to(bytes, from, to + 1);
        } else {
                status(x, 200);
        }
        line(x, "Content-Length: %zu", bytes.n);
        line(x, "ETag: \"%.*s\"", SV_ARG(b->ref));
        if (x->fault && strcmp(x->t->method, "GET") == 0) {
                x->broken = true;
                bytes = sv_from_to(bytes, 0, (size_t)x->fault->cut);
        }
        body(x, bytes);
}

static void location(struct answer *x, const struct session *s)
{
        line(x, "Location: %s/v2/%.*s/blobs/uploads/%u?_state=%zu%%2Fx", x->f->set.location ? x->f->set.location : "",
             SV_ARG(s->repo), s->id, s->bytes.n);
}

static struct session *open_session(struct answer *x)
{
        struct session *s = &x->f->session[x->f->n_session++];

        *s = (struct session){ .id = x->f->n_session, .repo = arena_sv(&x->f->a, x->repo), .open = true };
        s->bytes.max = (size_t)1 << 30;
        return s;
}

static void begin_upload(struct answer *x)
{
        sv mount = query(x, "mount"), from = query(x, "from");
        struct session *s;

        if (mount.n && x->f->set.no_mount)
                return say(x, 405, "{\"errors\":[{\"code\":\"UNSUPPORTED\"}]}");
        if (mount.n && find(x->f->blob, x->f->n_blob, from, mount)) {
                keep_blob(x->repo, find(x->f->blob, x->f->n_blob, from, mount)->bytes);
                return status(x, 201);
        }
        s = open_session(x);
        status(x, 202);
        location(x, s);
        if (x->f->set.begin_header)
                line(x, "%s", x->f->set.begin_header);
}

static void close_upload(struct answer *x, struct session *s)
{
        sv digest = query(x, "digest"), bytes;

        buf_add(&s->bytes, buf_sv(&x->body));
        bytes = buf_sv(&s->bytes);
        s->open = false;
        if (!sv_eq(digest_text(bytes), digest))
                return say(x, 400, "{\"errors\":[{\"code\":\"DIGEST_INVALID\"}]}");
        keep_blob(s->repo, bytes);
        status(x, 201);
        line(x, "Docker-Content-Digest: %.*s", SV_ARG(digest));
}

static void use_session(struct answer *x)
{
        uint64_t id = 0, state = 0;
        sv state_text = query(x, "_state"), first;
        struct session *s;

        sv_u64(sv_skip(x->rest, 14), &id);
        s = id && id <= x->f->n_session ? &x->f->session[id - 1] : NULL;
        sv_cut(&state_text, '%', &first); /* the query comes back as it was: "%2F" is not written anew */
        if (!s || !s->open || !sv_u64(first, &state) || !sv_is(state_text, "2Fx") || state != s->bytes.n) {
                if (s)
                        s->open = false;
                return say(x, 404, "{\"errors\":[{\"code\":\"BLOB_UPLOAD_INVALID\"}]}");
        }
        if (strcmp(x->t->method, "PUT") == 0)
                return close_upload(x, s);
        if (strcmp(x->t->method, "DELETE") == 0) {
                s->open = false;
                return status(x, 204);
        }
        if (strcmp(x->t->method, "PATCH") == 0)
                buf_add(&s->bytes, buf_sv(&x->body));
        status(x, strcmp(x->t->method, "PATCH") == 0 ? 202 : 204);
        line(x, "Range: 0-%zu", s->bytes.n ? s->bytes.n - 1 : 0);
        location(x, s);
}

/* A PATCH broke: what came is stored, and the state that the client knows is no longer that of the session. */
static void keep_part(struct answer *x)
{
        uint64_t id = 0;

        if (sv_u64(sv_skip(x->rest, 14), &id) && id && id <= x->f->n_session)
                buf_add(&x->f->session[id - 1].bytes, buf_sv(&x->body));
}

/* --- manifests, tags, referrers */

static void manifest(struct answer *x)
{
        sv ref = sv_skip(x->rest, 10);
        struct thing *m = find(x->f->manifest, x->f->n_manifest, x->repo, ref);

        if (strcmp(x->t->method, "PUT") == 0) {
                keep_manifest(x->repo, ref, header(x, "content-type"), buf_sv(&x->body));
                status(x, 201);
                if (!x->f->set.no_referrers && sv_find_sv(buf_sv(&x->body), SV("\"subject\"")) >= 0)
                        line(x, "OCI-Subject: sha256:x");
                return;
        }
        if (!m)
                return say(x, 404, "{\"errors\":[{\"code\":\"MANIFEST_UNKNOWN\"}]}");
        if (strcmp(x->t->method, "DELETE") == 0) {
                if (x->f->set.no_delete)
                        return say(x, 405, "{\"errors\":[{\"code\":\"UNSUPPORTED\"}]}");
                m->gone = true;
                return status(x, 202);
        }
        status(x, 200);
        line(x, "Content-Type: %.*s", SV_ARG(m->type));
        line(x, "Content-Length: %zu", m->bytes.n);
        if (!x->f->set.no_digest)
                line(x, "Docker-Content-Digest: %.*s", SV_ARG(digest_text(m->bytes)));
        body(x, m->bytes);
}

static void tags(struct answer *x)
{
        AUTO(buf_done) struct buf out = BUF_INIT(1 << 20);
        sv last = query(x, "last");
        uint64_t from = 0;
        size_t at = 0, n = 0;

        sv_u64(last, &from);
        buf_fmt(&out, "{\"name\":\"x\",\"tags\":[");
        for (size_t i = 0; i < x->f->n_manifest; i++) {
                const struct thing *m = &x->f->manifest[i];

                if (m->gone || !sv_eq(m->repo, x->repo) || sv_starts(m->ref, SV("sha256:")))
                        continue;
                if (at++ < from || (x->f->set.page && n >= x->f->set.page))
                        continue;
                buf_fmt(&out, "%s\"%.*s\"", n++ ? "," : "", SV_ARG(m->ref));
        }
        buf_add(&out, SV("]}"));
        status(x, 200);
        if (from + n < at)
                line(x, "Link: <%s/v2/%.*s/tags/list?n=9&last=%zu>; rel=\"next\"",
                     x->f->set.location ? x->f->set.location : "", SV_ARG(x->repo), (size_t)from + n);
        body(x, buf_sv(&out));
}

static void referrers(struct answer *x)
{
        AUTO(buf_done) struct buf out = BUF_INIT(1 << 20);
        sv subject = sv_skip(x->rest, 10);
        size_t n = 0;

        if (x->f->set.no_referrers)
                return say(x, 404, "404 page not found");
        buf_fmt(&out, "{\"schemaVersion\":2,\"mediaType\":\"" OCI_INDEX "\",\"manifests\":[");
        for (size_t i = 0; i < x->f->n_manifest; i++) {
                AUTO(arena_done) struct arena a = { 0 };
                AUTO(err_done) struct err e = { 0 };
                const struct thing *t = &x->f->manifest[i];
                struct oci_manifest m;

                if (t->gone || !sv_eq(t->repo, x->repo) || !sv_starts(t->ref, SV("sha256:")) ||
                    oci_manifest_parse(&a, t->bytes, "m", &m, &e) < 0 || !m.has_subject ||
                    !sv_eq(subject, arena_fmt(&a, "sha256:%s", sha256_hex(&m.subject.digest).s)))
                        continue;
                buf_fmt(&out,
                        "%s{\"mediaType\":\"" OCI_MANIFEST
                        "\",\"digest\":\"%.*s\",\"size\":%zu,\"artifactType\":\"%.*s\"}",
                        n++ ? "," : "", SV_ARG(t->ref), t->bytes.n, SV_ARG(m.artifact_type));
        }
        buf_add(&out, SV("]}"));
        status(x, 200);
        body(x, buf_sv(&out));
}

static void dispatch(struct answer *x)
{
        bool reads = strcmp(x->t->method, "GET") == 0 || strcmp(x->t->method, "HEAD") == 0;

        if (x->f->set.max_body && x->t->body_size > x->f->set.max_body)
                return say(x, 413, "<html><title>413 Request Entity Too Large</title></html>");
        if (sv_starts(x->rest, SV("blobs/uploads/")) && strcmp(x->t->method, "POST") == 0)
                begin_upload(x);
        else if (sv_starts(x->rest, SV("blobs/uploads/")))
                use_session(x);
        else if (sv_starts(x->rest, SV("blobs/")) && reads)
                get_blob(x);
        else if (sv_starts(x->rest, SV("manifests/")))
                manifest(x);
        else if (sv_starts(x->rest, SV("tags/list")))
                tags(x);
        else if (sv_starts(x->rest, SV("referrers/")))
                referrers(x);
        else
                say(x, 404, "404 page not found");
}

/* --- one request */

/* Takes n bytes of the body; false: the client stopped. */
static bool take_body(struct answer *x, uint64_t n)
{
        char chunk[4096];

        while (x->body.n < n) {
                uint64_t left = n - x->body.n;
                int64_t got =
                        x->t->on_send(x->t->arg, x->body.n, chunk, left < sizeof(chunk) ? (size_t)left : sizeof(chunk));

                if (got <= 0)
                        return false;
                buf_add(&x->body, (sv){ chunk, (size_t)got });
        }
        return true;
}

static const struct fake_fault *fault_of(struct curl_io *f, const char *what)
{
        for (unsigned i = 0; i < f->n_fault; i++) {
                const struct fake_fault *x = &f->fault[i];

                if (!strstr(what, x->match))
                        continue;
                f->seen[i]++;
                if (f->seen[i] > x->skip && (x->times == 0 || f->seen[i] <= x->skip + x->times))
                        return x;
        }
        return NULL;
}

static void serve(struct curl_io *f, struct curl_transfer *t)
{
        struct answer x = { .f = f, .t = t, .body.max = (size_t)1 << 30 };
        sv url = sv_from(t->url), what;
        uint64_t n = t->has_body ? t->body_size : 0;
        ptrdiff_t at;

        t->asked = true;
        url_parse(url, &x.url);
        what = arena_fmt(&f->a, "%s %.*s%s%.*s%s%s", t->method, SV_ARG(x.url.path), x.url.query.n ? "?" : "",
                         SV_ARG(x.url.query), t->range ? " range " : "", t->range ? t->range : "");
        *arena_push(&f->a, f->log, f->n_log, f->cap_log) = what;
        if (f->meanwhile && strstr(what.p, f->meanwhile) && f->meanwhile_skip-- == 0) {
                f->meanwhile = NULL;
                f->run(f->run_arg);
        }
        x.fault = fault_of(f, what.p);
        x.rest = sv_skip(x.url.path, 4);
        for (const char *const *k = (const char *const[]){ "/blobs/", "/manifests/", "/tags/", "/referrers/", NULL };
             *k; k++)
                if ((at = sv_find_sv(x.rest, sv_from(*k))) >= 0) {
                        x.repo = sv_from_to(x.rest, 0, (size_t)at);
                        x.rest = sv_skip(x.rest, (size_t)at + 1);
                        break;
                }
        if (x.fault && x.fault->drop) {
                x.broken = true;
        } else if (x.fault && x.fault->status) {
                if (!take_body(&x, n))
                        t->fault = CURL_FAULT_STOPPED;
                status(&x, x.fault->status);
                if (x.fault->header)
                        line(&x, "%s", x.fault->header);
                body(&x, sv_from(x.fault->body ? x.fault->body : ""));
        } else if (x.fault && n && !x.fault->after) { /* in the middle of the body: a session keeps what it got */
                x.broken = take_body(&x, x.fault->cut < n ? x.fault->cut : n);
                if (!x.broken)
                        t->fault = CURL_FAULT_STOPPED;
                else if (strcmp(t->method, "PATCH") == 0)
                        keep_part(&x);
        } else if (!take_body(&x, n)) {
                t->fault = CURL_FAULT_STOPPED;
        } else if (x.fault && x.fault->after) {
                dispatch(&x);
                x.broken = true;
        } else {
                dispatch(&x);
        }
        if (x.broken) {
                t->fault = CURL_FAULT_BROKEN;
                snprintf(t->detail, sizeof(t->detail), "the fake broke it");
        }
        buf_done(&x.body);
}

/* --- the table */

static struct curl_io *io_open(unsigned per_host, unsigned in_all)
{
        (void)per_host;
        (void)in_all;
        return fake;
}

static void io_close(struct curl_io *io)
{
        (void)io;
}

static bool io_begin(struct curl_io *io, struct curl_transfer *t)
{
        io->waiting[io->n_waiting++] = t;
        return true;
}

static void io_drop(struct curl_io *io, struct curl_transfer *t)
{
        for (size_t i = 0; i < io->n_waiting; i++)
                if (io->waiting[i] == t)
                        io->waiting[i] = io->waiting[--io->n_waiting];
}

static struct curl_transfer *io_turn(struct curl_io *io, int timeout_ms)
{
        struct curl_transfer *t;

        pthread_mutex_lock(&io->lock);
        if (!io->n_waiting && timeout_ms > 0) {
                struct timespec until;

                clock_gettime(CLOCK_REALTIME, &until);
                until.tv_sec += 1;
                if (timeout_ms < 1000) {
                        until.tv_sec -= 1;
                        until.tv_nsec += timeout_ms * 1000000L;
                        until.tv_sec += until.tv_nsec / 1000000000L;
                        until.tv_nsec %= 1000000000L;
                }
                while (!io->woken && pthread_cond_timedwait(&io->wake, &io->lock, &until) == 0)
                        ;
        }
        io->woken = false;
        pthread_mutex_unlock(&io->lock);
        if (!io->n_waiting)
                return NULL;
        t = io->waiting[0];
        memmove(io->waiting, io->waiting + 1, --io->n_waiting * sizeof(t));
        serve(io, t);
        return t;
}

static void io_wake(struct curl_io *io)
{
        pthread_mutex_lock(&io->lock);
        io->woken = true;
        pthread_cond_signal(&io->wake);
        pthread_mutex_unlock(&io->lock);
}

static const struct curl_table table = { CURL_TABLE_VERSION, io_open, io_close, io_begin, io_drop, io_turn, io_wake };

/* --- for tests */

void fake_begin(struct fake_test *t, const struct fake_settings *s)
{
        *t = (struct fake_test){ .op = { .jobs = 1 },
                                 .repo = { SV("localhost:5000"), SV("team/x") },
                                 .other = { SV("localhost:5000"), SV("base/y") } };
        fake = xcalloc(1, sizeof(*fake));
        pthread_mutex_init(&fake->lock, NULL);
        pthread_cond_init(&fake->wake, NULL);
        if (s)
                fake->set = *s;
        net_new_over(&(struct net_opts){ .timeout_ms = 5000 }, &t->op, &table, 1, &t->net, &t->e);
        reg_client_new(
                t->net,
                &(struct reg_opts){ .auth_file = "/nonexistent/auth.json",
                                    .registries_conf = s && s->registries_conf ? s->registries_conf : "/dev/null" },
                &t->op, &t->c, &t->e);
        t->c->backoff_ms = 1;
}

void fake_end(struct fake_test *t)
{
        reg_client_free(t->c);
        net_free(t->net);
        arena_done(&t->a);
        err_done(&t->e);
        for (unsigned i = 0; i < fake->n_session; i++)
                buf_done(&fake->session[i].bytes);
        arena_done(&fake->a);
        pthread_cond_destroy(&fake->wake);
        pthread_mutex_destroy(&fake->lock);
        free(fake);
        fake = NULL;
}

void fake_fault(const struct fake_fault *f)
{
        fake->fault[fake->n_fault++] = *f;
}

void fake_blob_add(const struct reg_repo *repo, sv bytes)
{
        keep_blob(repo->repository, bytes);
}

bool fake_blob_has(const struct reg_repo *repo, sv bytes)
{
        return find(fake->blob, fake->n_blob, repo->repository, digest_text(bytes)) != NULL;
}

sv fake_manifest(const struct reg_repo *repo, const char *ref)
{
        const struct thing *m = find(fake->manifest, fake->n_manifest, repo->repository, sv_from(ref));

        return m ? m->bytes : (sv){ 0 };
}

void fake_manifest_add(const struct reg_repo *repo, const char *ref, const char *type, sv bytes)
{
        keep_manifest(repo->repository, sv_from(ref), sv_from(type), bytes);
}

size_t fake_sessions(void)
{
        size_t n = 0;

        for (unsigned i = 0; i < fake->n_session; i++)
                n += fake->session[i].open;
        return n;
}

unsigned fake_count(const char *match)
{
        unsigned n = 0;

        for (size_t i = 0; i < fake->n_log; i++)
                n += strstr(fake->log[i].p, match) != NULL;
        return n;
}

void fake_meanwhile(const char *match, unsigned skip, void (*run)(void *arg), void *arg)
{
        fake->meanwhile = match;
        fake->meanwhile_skip = skip;
        fake->run = run;
        fake->run_arg = arg;
}
