#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/cleanup.h"
#include "registry/blob_priv.h"

enum { TELL_MS = 100, CATCH_UP = 64 << 10 };

static int changed(const struct reg_source *s, const char *how, struct err *e)
{
        return err_set(e, ERR_INTEGRITY, "%s is not the blob sha256:%s: %s",
                       s->path ? s->path : "what should be pushed", sha256_hex(&s->want->digest).s, how);
}

static int64_t read_at(struct reg_source *s, uint64_t at, void *p, size_t n, struct err *e)
{
        ssize_t got;

        if (n > s->want->size - at)
                n = (size_t)(s->want->size - at);
        if (!s->path) {
                memcpy(p, s->text.p + at, n);
                return (int64_t)n;
        }
        do
                got = pread(s->fd, p, n, (off_t)at);
        while (got < 0 && errno == EINTR);
        if (got < 0)
                return err_errno(e, "cannot read '%s'", s->path);
        return got ? got : changed(s, "it became shorter", e);
}

/* The hash goes from the first byte to the last. Whoever reads again, or from the middle, makes it begin anew. */
static int catch_up(struct reg_source *s, uint64_t at, struct err *e)
{
        char chunk[CATCH_UP];

        if (s->hashed > at) {
                sha256 unused;

                hash_end(s->hash, &unused);
                s->hashed = 0;
        }
        while (s->hashed < at) {
                uint64_t left = at - s->hashed;
                int64_t n = read_at(s, s->hashed, chunk, left < sizeof(chunk) ? (size_t)left : sizeof(chunk), e);

                if (n < 0)
                        return (int)n;
                hash_add(s->hash, chunk, (size_t)n);
                s->hashed += (uint64_t)n;
        }
        return 0;
}

static void tell(struct reg_source *s, uint64_t done)
{
        int64_t now = clock_ms();

        if (!s->subject.n || (s->told && now - s->told_ms < TELL_MS))
                return;
        op_event(s->op, OP_PUSH, s->told ? OP_STEP : OP_BEGIN, s->subject, done, s->want->size);
        s->told = true;
        s->told_ms = now;
}

static int check(struct reg_source *s, struct err *e)
{
        sha256 got;

        hash_end(s->hash, &got);
        s->hashed = 0;
        if (!sha256_eq(&got, &s->want->digest)) {
                char text[96] = "its bytes are sha256:";

                strcat(text, sha256_hex(&got).s);
                return changed(s, text, e);
        }
        return 0;
}

static int64_t source_read(void *arg, uint64_t at, void *p, size_t n, struct err *e)
{
        struct reg_source *s = arg;
        uint64_t from = s->base + at;
        int64_t got;

        if (from >= s->want->size || at >= s->piece.size)
                return err_set(e, ERR_FAILED, "the transfer asks for bytes behind the end of the blob");
        if (n > s->piece.size - at)
                n = (size_t)(s->piece.size - at);
        tell(s, from);
        if (catch_up(s, from, e) < 0 || (got = read_at(s, from, p, n, e)) < 0)
                return -(int)e->code;
        hash_add(s->hash, p, (size_t)got);
        s->hashed += (uint64_t)got;
        if (s->hashed == s->want->size && check(s, e) < 0)
                return -(int)e->code;
        s->sent += (uint64_t)got;
        return got;
}

int reg_source_open(struct reg_source *s, const struct reg_bytes *bytes, const struct oci_desc *want, sv subject,
                    struct op *op, struct err *e)
{
        struct stat st;
        uint64_t size = bytes->text.n;

        *s = (struct reg_source){
                .want = want, .text = bytes->text, .fd = -1, .path = bytes->path, .op = op, .subject = subject
        };
        if (s->path) {
                s->fd = open(s->path, O_RDONLY | O_CLOEXEC);
                if (s->fd < 0 || fstat(s->fd, &st) < 0)
                        return err_errno(e, "cannot read '%s'", s->path);
                size = (uint64_t)st.st_size;
        }
        if (size != want->size) {
                char text[96];

                snprintf(text, sizeof(text), "it has %llu bytes, not %llu", (unsigned long long)size,
                         (unsigned long long)want->size);
                return changed(s, text, e);
        }
        s->hash = hash_new(HASH_SHA256);
        return 0;
}

void reg_source_close(struct reg_source *s, bool arrived)
{
        if (s->told && arrived)
                op_event(s->op, OP_PUSH, OP_END, s->subject, s->want->size, s->want->size);
        hash_free(s->hash);
        if (s->path)
                close_fd(&s->fd);
        *s = (struct reg_source){ .fd = -1 };
}

const struct net_source *reg_source_piece(struct reg_source *s, uint64_t from, uint64_t n)
{
        s->base = from;
        s->piece = (struct net_source){ n, source_read, s };
        return &s->piece;
}
