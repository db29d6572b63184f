/* The log once more, to our own stdout. Following the file instead of standing between: the command never waits for a slow reader, its file has
 * everything, and the order of its lines is its own. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "shim/shim.h"

int shim_console_open(struct shim_console *c, const char *log, struct err *e)
{
        *c = (struct shim_console){ .log = open(log, O_RDONLY | O_CLOEXEC), .notify = -1 };
        if (c->log < 0)
                return err_errno(e, "cannot read the log '%s'", log);
        /* what an attempt before us wrote has been shown; without inotify it is looked at with everything else */
        lseek(c->log, 0, SEEK_END);
        c->notify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
        if (c->notify >= 0)
                inotify_add_watch(c->notify, log, IN_MODIFY);
        return 0;
}

static bool writable(int timeout_ms)
{
        struct pollfd p = { .fd = STDOUT_FILENO, .events = POLLOUT };

        return poll(&p, 1, timeout_ms) > 0;
}

/* One piece; a pipe that says it is writable takes PIPE_BUF without blocking. 1: done, 0: nothing to do, -1: nobody reads it any more. */
static int piece(struct shim_console *c)
{
        char text[PIPE_BUF];
        ssize_t n = read(c->log, text, sizeof(text)), done = 0;

        while (done < n) {
                ssize_t w = write(STDOUT_FILENO, text + done, (size_t)(n - done));

                if (w < 0 && errno == EAGAIN && writable(1000))
                        continue;
                if (w < 0 && errno != EINTR)
                        return -1;
                done += w > 0 ? w : 0;
        }
        return n > 0;
}

static void stop(struct shim_console *c)
{
        close_fd(&c->log);
        close_fd(&c->notify);
        c->behind = false;
}

void shim_console_pump(struct shim_console *c)
{
        enum { AT_ONCE = 256 }; /* then signals get their turn */
        char events[4096];
        int r = 1;

        while (c->notify >= 0 && read(c->notify, events, sizeof(events)) > 0)
                ;
        for (int i = 0; c->log >= 0 && r > 0; i++) {
                c->behind = i == AT_ONCE || !writable(0);
                if (c->behind)
                        return;
                r = piece(c);
                if (r < 0)
                        stop(c);
        }
}

void shim_console_drain(struct shim_console *c)
{
        enum { PATIENCE_MS = 10000 };

        while (c->log >= 0 && writable(PATIENCE_MS)) {
                int r = piece(c);

                if (r < 0)
                        stop(c);
                if (r <= 0)
                        return;
        }
}

void shim_console_done(struct shim_console *c)
{
        stop(c);
}
