/* How it ended: waitpid's word and ours, and the record that says so. */
#include <signal.h>
#include <sys/wait.h>

#include "shim/shim.h"

const char *shim_stop_name(enum shim_stop s)
{
        static const char *const names[] = { "", "cancel", "timeout", "peer", "signal" };

        return names[s];
}

void shim_end_judge(struct shim_end *end, int status, uint32_t signals)
{
        int by;

        end->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
        end->exit_code = end->signal ? SHIM_SIGNALLED + end->signal : WEXITSTATUS(status);
        /* a signal that we passed on and that it died of, itself or as shells put it */
        by = end->exit_code - SHIM_SIGNALLED;
        if (end->stop == SHIM_STOP_NONE && by > 0 && by < 32 && signals & 1U << by)
                end->stop = SHIM_STOP_SIGNAL;
}

bool shim_end_failed(const struct shim_end *end)
{
        return end->stop == SHIM_STOP_NONE && end->exit_code != 0;
}

int shim_end_exit(const struct shim_end *end)
{
        return end->stop == SHIM_STOP_TIMEOUT ? SHIM_TIMED_OUT : end->exit_code;
}

static void text_json(struct buf *b, const char *text)
{
        buf_byte(b, '"');
        for (const unsigned char *c = (const unsigned char *)text; *c; c++)
                if (*c < 0x20 || *c >= 0x7f || *c == '"' || *c == '\\')
                        buf_fmt(b, "\\u%04x", *c);
                else
                        buf_byte(b, (char)*c);
        buf_byte(b, '"');
}

void shim_record_text(const struct shim_options *o, const struct shim_place *p, const char *host, pid_t pid,
                      int64_t start_us, const struct shim_end *end, struct buf *ret)
{
        buf_fmt(ret, "{\"rank\":%u,\"attempt\":%u,\"host\":", p->rank, o->attempt);
        text_json(ret, host);
        buf_fmt(ret, ",\"pid\":%ld,\"start_us\":%lld", (long)pid, (long long)start_us);
        if (end)
                buf_fmt(ret,
                        ",\"end_us\":%lld,\"exit_code\":%d,\"signal\":%d,\"failed_start\":%s,\"timed_out\":%s,"
                        "\"stopped\":\"%s\",\"oom\":%s,\"maxrss_kb\":%llu",
                        (long long)end->end_us, end->exit_code, end->signal, end->failed_start ? "true" : "false",
                        end->stop == SHIM_STOP_TIMEOUT ? "true" : "false", shim_stop_name(end->stop),
                        end->oom ? "true" : "false", (unsigned long long)end->maxrss_kb);
        buf_fmt(ret, "}\n");
}
