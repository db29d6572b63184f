/* Log files as they grow: bounded memory whatever their size, opened anew for each read (a network file system shows what is new only then). */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "run/record/follow_priv.h"

enum { CHUNK = 65536 };

static off_t size_of(const char *path)
{
        struct stat st;

        return stat(path, &st) == 0 && S_ISREG(st.st_mode) ? st.st_size : 0;
}

/* Where the last n lines begin: blocks from the end until enough line ends were seen. One without an end counts. */
static off_t tail_start(const char *path, unsigned n)
{
        AUTO(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        char block[CHUNK];
        off_t end = fd < 0 ? 0 : size_of(path), at = end;
        unsigned seen = 0;

        while (at > 0) {
                size_t want = at < CHUNK ? (size_t)at : CHUNK;
                ssize_t got = pread(fd, block, want, at - (off_t)want);
                if (got != (ssize_t)want)
                        return 0;
                for (size_t i = want; i > 0; i--)
                        if (block[i - 1] == '\n' && at - (off_t)(want - i) < end && ++seen == n)
                                return at - (off_t)(want - i);
                at -= (off_t)want;
        }
        return 0;
}

void run_tail_init(struct run_tail *t, const struct run_record *r, int rank, unsigned tail_lines)
{
        unsigned ranks = run_job_ranks(r->spec);

        *t = (struct run_tail){ 0 };
        t->n = rank < 0 ? (ranks ? ranks : 1) : 1;
        t->v = arena_array(&t->arena, struct run_tail_file, t->n);
        for (size_t i = 0; i < t->n; i++) {
                struct run_tail_file *f = &t->v[i];
                *f = (struct run_tail_file){ .rank = rank < 0 ? (unsigned)i : (unsigned)rank, .part = BUF_INIT(CHUNK) };
                f->path = run_log_path(&t->arena, r, f->rank);
                f->at = tail_lines ? tail_start(f->path.p, tail_lines) : 0;
        }
}

void run_tail_done(struct run_tail *t)
{
        for (size_t i = 0; i < t->n; i++)
                buf_done(&t->v[i].part);
        arena_done(&t->arena);
        *t = (struct run_tail){ 0 };
}

static int give(struct run_tail_file *f, const struct run_sink *sink, sv text, struct err *e)
{
        return text.n ? sink->write(sink->arg, f->rank, text, e) : 0;
}

/* Whole lines on, the rest is kept; what is longer than the ceiling goes on in pieces. */
static int give_lines(struct run_tail_file *f, const struct run_sink *sink, sv text, struct err *e)
{
        while (text.n) {
                ptrdiff_t end = sv_find(text, '\n');
                sv line = end < 0 ? text : sv_from_to(text, 0, (size_t)end + 1);

                if (f->part.n + line.n > CHUNK) {
                        if (give(f, sink, buf_sv(&f->part), e) < 0)
                                return -(int)e->code;
                        buf_clear(&f->part);
                }
                text = sv_skip(text, line.n);
                if (end >= 0 && !f->part.n) {
                        if (give(f, sink, line, e) < 0)
                                return -(int)e->code;
                        continue;
                }
                buf_add(&f->part, line);
                if (end >= 0) {
                        if (give(f, sink, buf_sv(&f->part), e) < 0)
                                return -(int)e->code;
                        buf_clear(&f->part);
                }
        }
        return 0;
}

/* One piece; 0 at the end of what is there, 1: there was some. */
static int read_piece(struct run_tail *t, struct run_tail_file *f, int fd, const struct run_sink *sink, struct err *e)
{
        char block[CHUNK];
        ssize_t got = pread(fd, block, sizeof(block), f->at);
        sv text = { block, got > 0 ? (size_t)got : 0 };

        if (got < 0 && errno != EINTR)
                return err_errno(e, "cannot read '%s'", f->path.p);
        if (got <= 0)
                return got < 0;
        f->at += got;
        if ((t->n > 1 ? give_lines(f, sink, text, e) : give(f, sink, text, e)) < 0)
                return -(int)e->code;
        return 1;
}

int run_tail_read(struct run_tail *t, const struct run_sink *sink, bool *ret_some, struct err *e)
{
        *ret_some = false;
        for (size_t i = 0; i < t->n; i++) {
                struct run_tail_file *f = &t->v[i];
                off_t size = size_of(f->path.p);
                AUTO(close_fd) int fd = -1;
                int k = 1;

                if (size < f->at)
                        f->at = 0; /* written anew */
                if (size == f->at)
                        continue;
                fd = open(f->path.p, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
                while (fd >= 0 && k == 1 && f->at < size && !(t->op && atomic_load(&t->op->signal))) {
                        k = read_piece(t, f, fd, sink, e);
                        *ret_some |= k == 1;
                }
                if (k < 0)
                        return k;
        }
        return 0;
}

int run_tail_flush(struct run_tail *t, const struct run_sink *sink, struct err *e)
{
        for (size_t i = 0; i < t->n; i++) {
                struct run_tail_file *f = &t->v[i];

                if (!f->part.n)
                        continue;
                if (f->part.n < CHUNK)
                        buf_byte(&f->part, '\n');
                if (give(f, sink, buf_sv(&f->part), e) < 0)
                        return -(int)e->code;
                buf_clear(&f->part);
        }
        return 0;
}
