/* Did the kernel kill for memory in our cgroup? Engines do not always say so (podman does not with cgroup v1), and a KILL alone may have been
 * anybody's. */
#include <string.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "shim/shim.h"

enum { FILE_MAX = 65536 };

bool shim_oom_read(sv text, uint64_t *ret)
{
        sv line;

        while (sv_line(&text, &line))
                if (sv_starts(line, SV("oom_kill ")))
                        return sv_u64(sv_skip(line, sizeof("oom_kill ") - 1), ret);
        return false;
}

sv shim_oom_group(sv cgroup, bool *ret_first)
{
        sv line, number, controllers, all = cgroup;

        *ret_first = true; /* cgroup v1: a hierarchy for memory */
        while (sv_line(&cgroup, &line))
                if (sv_cut(&line, ':', &number) && sv_cut(&line, ':', &controllers) && sv_is(controllers, "memory"))
                        return line;
        *ret_first = false;
        while (sv_line(&all, &line))
                if (sv_starts(line, SV("0::")))
                        return sv_skip(line, 3);
        return (sv){ 0 };
}

/* In a container the group may be named as the machine sees it, while what is mounted begins with it. */
static bool look(const char *root, sv group, const char *file, uint64_t *ret)
{
        for (int inside = 0; inside < 2; inside++) {
                AUTO(free_ptr) char *path = fs_path("%s%.*s/%s", root, inside ? 0 : (int)group.n, group.p, file);
                AUTO(buf_done) struct buf text = BUF_INIT(FILE_MAX);
                AUTO(err_done) struct err e = { 0 };

                if (fs_read(path, &text, &e) == 0)
                        return shim_oom_read(buf_sv(&text), ret);
        }
        return false;
}

uint64_t shim_oom_kills(void)
{
        AUTO(buf_done) struct buf text = BUF_INIT(FILE_MAX);
        AUTO(err_done) struct err e = { 0 };
        uint64_t n = 0;
        bool first;
        sv group;

        if (fs_read("/proc/self/cgroup", &text, &e) < 0)
                return 0;
        group = shim_oom_group(buf_sv(&text), &first);
        if (group.n == 0 || !(first ? look("/sys/fs/cgroup/memory", group, "memory.oom_control", &n)
                                    : look("/sys/fs/cgroup", group, "memory.events", &n)))
                return 0;
        return n;
}
