/* Whoever makes a run ready and submits it: is he still there? */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "run/record/record_priv.h"

/* Field 22 of /proc/PID/stat: what tells two processes of one number apart; 0: there is no such process. */
static uint64_t start_of(uint64_t pid)
{
        AUTO(free_ptr) char *path = fs_path("/proc/%" PRIu64 "/stat", pid);
        AUTO(buf_done) struct buf text = BUF_INIT(8192);
        AUTO(err_done) struct err ignored = { 0 };
        uint64_t start = 0;
        ptrdiff_t end;
        sv rest, word;

        if (fs_read(path, &text, &ignored) < 0)
                return 0;
        end = sv_rfind(buf_sv(&text), ')'); /* of the name, which may hold anything */
        rest = end < 0 ? (sv){ 0 } : sv_skip(buf_sv(&text), (size_t)end + 2);
        for (int field = 3; sv_cut(&rest, ' ', &word); field++) {
                if (field == 3 && (sv_is(word, "Z") || sv_is(word, "X")))
                        return 0;
                if (field == 22)
                        return sv_u64(word, &start) ? start : 0;
        }
        return 0;
}

sv run_maker_here(struct arena *a, sv host)
{
        return arena_fmt(a, "%.*s:%ld:%" PRIu64, SV_ARG(host), (long)getpid(), start_of((uint64_t)getpid()));
}

bool run_maker_gone(const struct run_record *r)
{
        char host[256] = "";
        ptrdiff_t last = sv_rfind(r->maker, ':'), first;
        uint64_t pid, start;
        sv who;

        if (last < 0 || !sv_u64(sv_skip(r->maker, (size_t)last + 1), &start))
                return false;
        who = sv_from_to(r->maker, 0, (size_t)last);
        first = sv_rfind(who, ':');
        if (first < 0 || !sv_u64(sv_skip(who, (size_t)first + 1), &pid) || gethostname(host, sizeof(host) - 1) < 0 ||
            !sv_is(sv_from_to(who, 0, (size_t)first), host))
                return false;
        return start_of(pid) != start;
}
