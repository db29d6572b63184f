/* Being woken: inotify where the file system has it, the clock where it has not. */
#include <poll.h>
#include <sys/inotify.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "run/record/follow_priv.h"

enum { SOON_MS = 20, IDLE_FIRST_MS = 50, IDLE_MAX_MS = 1000, TOLD_MAX_MS = 500 };

/* File systems that other machines write to: inotify does not tell of them. */
static bool is_network(const char *path)
{
        static const unsigned network[] = {
                0x6969,     0x517b,     0xff534d42, 0xfe534d42, 0x65735546, 0x01021997,
                0x00c36400, 0x0bd00bd0, 0x47504653, 0x19830326, 0x5346414f, 0x73757245,
        }; /* nfs, smb, cifs, smb2, fuse, 9p, ceph, lustre, gpfs, beegfs, afs, coda */
        struct statfs st;

        if (statfs(path, &st) < 0)
                return true;
        for (size_t i = 0; i < ARRAY_LEN(network); i++)
                if ((unsigned)st.f_type == network[i])
                        return true;
        return false;
}

void run_watch_init(struct run_watch *w, const struct run_record *r)
{
        AUTO(arena_done) struct arena a = { 0 };
        const uint32_t changes = IN_MODIFY | IN_CREATE | IN_MOVED_TO | IN_CLOSE_WRITE;
        sv logs = run_log_path(&a, r, 0), status = run_path(&a, r, "status/%u", r->attempt);

        *w = (struct run_watch){ .fd = -1, .idle_ms = IDLE_FIRST_MS };
        if (is_network(r->dir.p))
                return;
        w->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
        if (w->fd < 0)
                return;
        inotify_add_watch(w->fd, arena_str(&a, sv_dirname(logs)), changes);
        inotify_add_watch(w->fd, status.p, IN_MOVED_TO);
        if (inotify_add_watch(w->fd, r->dir.p, IN_MOVED_TO) < 0)
                run_watch_done(w);
}

void run_watch_done(struct run_watch *w)
{
        close_fd(&w->fd);
        w->fd = -1;
}

static void drain(int fd)
{
        char events[4096];

        while (read(fd, events, sizeof(events)) > 0)
                ;
}

void run_watch_wait(struct run_watch *w, bool busy)
{
        struct pollfd p = { .fd = w->fd, .events = POLLIN };

        if (busy)
                w->idle_ms = IDLE_FIRST_MS;
        if (w->fd >= 0) {
                if (poll(&p, 1, TOLD_MAX_MS) > 0)
                        drain(w->fd);
                return;
        }
        poll(NULL, 0, busy ? SOON_MS : w->idle_ms);
        w->idle_ms = w->idle_ms * 2 < IDLE_MAX_MS ? w->idle_ms * 2 : IDLE_MAX_MS;
}
