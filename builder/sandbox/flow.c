#include "sandbox/sandbox_priv.h"

#include <errno.h>
#include <unistd.h>

static bool later(void)
{
        return errno == EAGAIN || errno == EINTR;
}

bool sandbox_flow_fill(struct sandbox_flow *f, int fd)
{
        ssize_t n;

        if (sandbox_flow_holds(f))
                return true;
        n = read(fd, f->bytes, sizeof(f->bytes));
        if (n <= 0)
                return n < 0 && later();
        f->from = 0;
        f->to = (size_t)n;
        return true;
}

bool sandbox_flow_empty(struct sandbox_flow *f, int fd)
{
        while (sandbox_flow_holds(f)) {
                ssize_t n = write(fd, f->bytes + f->from, f->to - f->from);
                if (n <= 0)
                        return n < 0 && later();
                f->from += (size_t)n;
        }
        return true;
}
