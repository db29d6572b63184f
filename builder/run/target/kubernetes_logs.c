/* Logs of pods: fetched again from where we were, into user_logs/. kubectl resumes by whole seconds (--since-time), so what we have of that second is
 * told apart by the stamps of lines. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fs.h"
#include "run/target/kubernetes_priv.h"

/* --- where we are */

bool kube_mark_read(sv text, struct kube_mark *ret)
{
        struct kube_mark m = { 0 };
        sv rest = sv_trim(text), word[4];
        uint64_t whole;
        int64_t t;

        for (size_t i = 0; i < 4; i++)
                if (!sv_cut(&rest, ' ', &word[i]))
                        return false;
        if (rest.n || !sv_u64(word[1], &m.same) || !sv_u64(word[2], &m.size) || !sv_u64(word[3], &whole) || whole > 1)
                return false;
        m.stamp = sv_is(word[0], "-") ? (sv){ 0 } : word[0];
        if (m.stamp.n && !time_parse(m.stamp, &t))
                return false;
        m.whole = whole;
        *ret = m;
        return true;
}

void kube_mark_write(const struct kube_mark *m, struct buf *out)
{
        buf_fmt(out, "%.*s %" PRIu64 " %" PRIu64 " %d\n", SV_ARG(m->stamp.n ? m->stamp : SV("-")), m->same, m->size,
                m->whole);
}

/* --- new lines */

/* "2026-11-24T10:00:00.5Z" against "…00.49Z": fractions have as many digits as they need. */
static int stamp_cmp(sv a, sv b)
{
        enum { SECONDS = 19 }; /* "2026-11-24T10:00:00" */
        sv fa = sv_skip(a, SECONDS), fb = sv_skip(b, SECONDS);
        int c = sv_cmp(sv_from_to(a, 0, SECONDS), sv_from_to(b, 0, SECONDS));

        for (size_t i = 1; c == 0 && i < 10; i++) {
                char da = i < fa.n && fa.p[0] == '.' && fa.p[i] >= '0' && fa.p[i] <= '9' ? fa.p[i] : '0';
                char db = i < fb.n && fb.p[0] == '.' && fb.p[i] >= '0' && fb.p[i] <= '9' ? fb.p[i] : '0';
                if (da == '0' && (i >= fa.n || fa.p[i] == 'Z'))
                        fa = (sv){ 0 };
                if (db == '0' && (i >= fb.n || fb.p[i] == 'Z'))
                        fb = (sv){ 0 };
                c = (da > db) - (da < db);
        }
        return c;
}

static bool stamp_cut(sv *line, sv *ret)
{
        ptrdiff_t at = sv_find(*line, ' ');
        int64_t t;

        if (at < 20 || at > 35 || !time_parse(sv_from_to(*line, 0, (size_t)at), &t))
                return false;
        *ret = sv_from_to(*line, 0, (size_t)at);
        *line = sv_skip(*line, (size_t)at + 1);
        return true;
}

void kube_log_take(sv text, bool ended, struct kube_mark *m, struct buf *out)
{
        uint64_t had = m->same;
        sv old = m->stamp;

        while (text.n) {
                ptrdiff_t end = sv_find(text, '\n');
                sv line = end < 0 ? text : sv_from_to(text, 0, (size_t)end + 1), stamp;
                int c;
                if (end < 0 && !ended)
                        return;
                text = sv_skip(text, line.n);
                if (!stamp_cut(&line, &stamp)) { /* kubectl's own words, or a line without a stamp */
                        buf_add(out, line);
                        continue;
                }
                c = old.n ? stamp_cmp(stamp, old) : 1;
                if (c < 0 || (c == 0 && had > 0)) {
                        had -= c == 0;
                        continue;
                }
                m->same = m->stamp.n && stamp_cmp(stamp, m->stamp) == 0 ? m->same + 1 : 1;
                m->stamp = stamp;
                buf_add(out, line);
        }
}

/* --- one pod */

struct log {
        const struct kube *k;
        const struct kube_pod *pod;
        sv path, mark_path;
        struct kube_mark mark;
};

/* What a kill left behind the last mark is cut off: it comes again. */
static int append(struct log *g, sv text, struct err *e)
{
        AUTO(close_fd) int fd = open(g->path.p, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
        AUTO(buf_done) struct buf b = BUF_INIT(4096);

        if (fd < 0)
                return err_errno(e, "cannot write '%s'", g->path.p);
        if (ftruncate(fd, (off_t)g->mark.size) < 0 || lseek(fd, 0, SEEK_END) < 0)
                return err_errno(e, "cannot go on writing '%s'", g->path.p);
        if (fs_write_all(fd, text.p, text.n, g->path.p, e) < 0)
                return -(int)e->code;
        g->mark.size += text.n;
        kube_mark_write(&g->mark, &b);
        return fs_write(g->mark_path.p, buf_sv(&b), 0644, e);
}

/* One piece of at most `limit` bytes. *ret_more: it was cut there. */
static int piece(struct log *g, struct arena *a, size_t limit, bool *ret_more, bool *ret_gone, struct err *e)
{
        AUTO(proc_result_done) struct proc_result res = { 0 };
        AUTO(buf_done) struct buf out = BUF_INIT(2 * limit + 4096);
        sv since = arena_fmt(a, "--since-time=%.*s", SV_ARG(g->mark.stamp)),
           bytes = arena_fmt(a, "--limit-bytes=%zu", limit);
        const char *args[] = { "logs",  arena_str(a, g->pod->name),       "--timestamps",
                               bytes.p, g->mark.stamp.n ? since.p : NULL, NULL };
        enum kube_said said;

        *ret_gone = false;
        if (kube_run(g->k, &(struct kube_call){ .args = args, .max_out = limit + 4096 }, &res, &said, e) < 0)
                return -(int)e->code;
        if (said != KUBE_OK) {
                *ret_gone = said == KUBE_ABSENT || said == KUBE_REFUSED; /* no such pod; one that never had a node */
                *ret_more = false;
                return 0; /* another time, if there is one: the run does not depend on it */
        }
        *ret_more = res.out.n >= limit;
        kube_log_take(buf_sv(&res.out), g->pod->ended && !*ret_more, &g->mark, &out);
        g->mark.stamp = arena_sv(a, g->mark.stamp);
        if (g->pod->ended && !*ret_more)
                g->mark.whole = true;
        if (buf_check(&out, e) < 0)
                return -(int)e->code;
        return append(g, buf_sv(&out), e);
}

static int fetch(struct log *g, int64_t until_ms, struct err *e)
{
        enum { FIRST = 4 << 20, LAST = 128 << 20 };
        AUTO(arena_done) struct arena a = { 0 };
        size_t limit = FIRST;
        bool more = true, gone;

        while (more && clock_ms() < until_ms) {
                struct kube_mark before = g->mark;
                if (piece(g, &a, limit, &more, &gone, e) < 0)
                        return -(int)e->code;
                if (gone)
                        g->mark.whole = true; /* for this look: there is nothing to wait for */
                if (more &&
                    g->mark.size == before.size) { /* a second with more text than fits: kubectl begins there again */
                        if (limit >= LAST)
                                return err_set(e, ERR_LIMIT, "pod %.*s writes more than 128 MiB of log in a second",
                                               SV_ARG(g->pod->name));
                        limit *= 2;
                }
        }
        return 0;
}

static void load_mark(struct log *g, struct arena *a)
{
        AUTO(buf_done) struct buf b = BUF_INIT(4096);
        AUTO(err_done) struct err ignored = { 0 };

        if (fs_read(g->mark_path.p, &b, &ignored) == 0)
                kube_mark_read(arena_sv(a, buf_sv(&b)), &g->mark);
}

int kube_logs_fetch(const struct kube *k, const struct kube_seen *s, int64_t ms, bool *ret_all, struct err *e)
{
        AUTO(arena_done) struct arena a = { 0 };
        const struct run_record *rec = k->r->rec;
        int64_t until = clock_ms() + ms;
        size_t first = s->n ? (size_t)clock_unix() % s->n : 0; /* so that none of very many is always the last */

        *ret_all = true;
        for (size_t i = 0; i < s->n; i++) {
                struct log g = { .k = k, .pod = &s->pod[(first + i) % s->n] };
                int rank = kube_pod_rank(k->kind, rec->spec->workers, k->per_node, g.pod);
                if (rank < 0 || (unsigned)rank >= k->ranks || (!g.pod->running && !g.pod->ended))
                        continue;
                g.path = run_log_path(&a, rec, (unsigned)rank);
                g.mark_path = run_path(&a, rec, "system_logs/kubernetes-log-%u-%d", rec->attempt, rank);
                load_mark(&g, &a);
                if (g.mark.whole)
                        continue;
                if (fs_mkdirs(arena_str(&a, sv_dirname(g.path)), 0755, e) < 0 || fetch(&g, until, e) < 0)
                        return -(int)e->code;
                *ret_all &= g.mark.whole || !g.pod->ended;
        }
        return 0;
}
