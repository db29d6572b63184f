/* What a run wrote to its volume claim comes back through a pod that holds the claim: the run's own pods have ended, and nobody can read theirs. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fs.h"
#include "run/record/report.h"
#include "run/target/kubernetes_priv.h"

static int start(const struct kube *k, struct err *e)
{
        static const char *const args[] = { "create", "-f", "-", NULL };
        AUTO(proc_result_done) struct proc_result res = { 0 };
        AUTO(buf_done) struct buf text = BUF_INIT((size_t)1 << 20);
        enum kube_said said;

        js_write(kube_collector(k), &text);
        if (buf_check(&text, e) < 0 ||
            kube_run(k, &(struct kube_call){ .args = args, .input = buf_sv(&text) }, &res, &said, e) < 0)
                return -(int)e->code;
        return said == KUBE_OK || said == KUBE_EXISTS ? 0
                                                      : kube_fail(said, &res, "starting a pod to read the outputs", e);
}

static int wait_ready(const struct kube *k, const char *pod, struct err *e)
{
        enum { SECONDS = 120, LONGER = 130000 };
        const char *args[] = { "wait", "--for=condition=Ready", "--timeout=120s", pod, NULL };
        AUTO(proc_result_done) struct proc_result res = { 0 };
        enum kube_said said;

        if (kube_run(k, &(struct kube_call){ .args = args, .timeout_ms = LONGER }, &res, &said, e) < 0)
                return -(int)e->code;
        if (said == KUBE_OK)
                return 0;
        err_set(e, ERR_NET, "the pod that reads the outputs did not start within %d s: %.*s", SECONDS,
                SV_ARG(kube_said_line(buf_sv(&res.err))));
        err_hint(e, "they are on the claim '%.*s' in runs/%.*s; ask again later with `envbuild runs collect`",
                 SV_ARG(k->pvc), SV_ARG(k->r->rec->id));
        return -(int)e->code;
}

/* Into a folder beside, then name by name to where it belongs: a copy that breaks leaves nothing that looks whole. */
static int copy(const struct kube *k, const char *pod, const char *what, struct err *e)
{
        enum { COPY_MS = 3600 * 1000 };
        struct arena *a = k->r->arena;
        AUTO(proc_result_done) struct proc_result res = { 0 };
        sv aside = run_path(a, k->r->rec, "system_logs/collect-%s", what), to = run_path(a, k->r->rec, "%s", what);
        sv from = arena_fmt(a, "%s:%s/%s", pod, KUBE_RUN_DIR, what);
        const char *args[] = { "cp", "--retries=3", from.p, aside.p, NULL };
        enum kube_said said;

        if (fs_remove(aside.p, e) < 0 ||
            kube_run(k, &(struct kube_call){ .args = args, .timeout_ms = COPY_MS }, &res, &said, e) < 0)
                return -(int)e->code;
        if (said != KUBE_OK) {
                err_set(e, ERR_NET, "copying %s/ from the claim '%.*s': %.*s", what, SV_ARG(k->pvc),
                        SV_ARG(kube_said_line(buf_sv(&res.err))));
                err_hint(e, "`kubectl cp` needs tar in the image; the files stay on the claim in runs/%.*s",
                         SV_ARG(k->r->rec->id));
                return -(int)e->code;
        }
        if (run_folder_move(aside.p, to.p, e) < 0)
                return -(int)e->code;
        return fs_remove(aside.p, e);
}

int kube_collect(struct run *r, struct err *e)
{
        static const char *const what[] = { "outputs", "logs" };
        AUTO(proc_result_done) struct proc_result res = { 0 };
        AUTO(err_done) struct err ignored = { 0 };
        struct kube k;
        enum kube_said said;
        int code = 0;

        kube_again(r, &k);
        if (!k.pvc.n || !r->rec->handle.n)
                return 0;
        sv pod = arena_fmt(r->arena, "%.*s-collect", SV_ARG(k.name)),
           full = arena_fmt(r->arena, "pod/%.*s", SV_ARG(pod));
        const char *gone[] = { "delete", full.p, "--ignore-not-found", "--wait=false", NULL };
        if (start(&k, e) < 0 || wait_ready(&k, full.p, e) < 0)
                code = -(int)e->code;
        for (size_t i = 0; code == 0 && i < sizeof(what) / sizeof(*what); i++)
                code = copy(&k, pod.p, what[i], e);
        kube_run(&k, &(struct kube_call){ .args = gone }, &res, &said, &ignored);
        return code;
}
