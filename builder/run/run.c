/* Words for states and reasons, and the exit code of a run. */
#include "run/run.h"

static const char *const states[] = {
        [RUN_NOT_STARTED] = "NotStarted",
        [RUN_PREPARING] = "Preparing",
        [RUN_QUEUED] = "Queued",
        [RUN_STARTING] = "Starting",
        [RUN_RUNNING] = "Running",
        [RUN_FINALIZING] = "Finalizing",
        [RUN_CANCEL_REQUESTED] = "CancelRequested",
        [RUN_COMPLETED] = "Completed",
        [RUN_FAILED] = "Failed",
        [RUN_CANCELED] = "Canceled",
        [RUN_NOT_RESPONDING] = "NotResponding",
        [RUN_UNKNOWN] = "Unknown",
};
static const char *const reasons[] = {
        [RUN_R_NONE] = "",
        [RUN_R_EXIT_CODE] = "exit-code",
        [RUN_R_SIGNAL] = "signal",
        [RUN_R_TIMEOUT] = "timeout",
        [RUN_R_OOM] = "oom",
        [RUN_R_LAUNCH_FAILED] = "launch-failed",
        [RUN_R_IMAGE_PULL] = "image-pull",
        [RUN_R_UNSCHEDULABLE] = "unschedulable",
        [RUN_R_NODE_FAIL] = "node-fail",
        [RUN_R_PREEMPTED] = "preempted",
        [RUN_R_OUTPUTS] = "outputs",
        [RUN_R_LOST] = "lost",
};
enum { N_STATES = sizeof(states) / sizeof(*states), N_REASONS = sizeof(reasons) / sizeof(*reasons) };

const char *run_state_name(enum run_state s)
{
        return states[s];
}

const char *run_reason_name(enum run_reason r)
{
        return reasons[r];
}

bool run_state_parse(sv text, enum run_state *ret)
{
        for (size_t i = 0; i < N_STATES; i++)
                if (sv_is(text, states[i])) {
                        *ret = (enum run_state)i;
                        return true;
                }
        return false;
}

bool run_reason_parse(sv text, enum run_reason *ret)
{
        for (size_t i = 0; i < N_REASONS; i++)
                if (sv_is(text, reasons[i])) {
                        *ret = (enum run_reason)i;
                        return true;
                }
        return false;
}

int run_status_exit(const struct run_status *s)
{
        enum { TIMEOUT = 124, NOT_RUN = 125, CANCELLED = 130, SIGNAL = 128 };

        if (s->state == RUN_COMPLETED)
                return 0;
        if (s->state == RUN_CANCELED)
                return CANCELLED;
        if (s->reason == RUN_R_TIMEOUT)
                return TIMEOUT;
        if (s->term_signal)
                return SIGNAL + s->term_signal;
        return s->exit_code > 0 ? s->exit_code : NOT_RUN;
}
