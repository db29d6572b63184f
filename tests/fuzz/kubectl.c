/* What kubectl and az print: a list of objects, a complaint, a log, our own mark. Whatever it is, it is taken or refused. First byte: which. */
#include <stdlib.h>

#include "base/cleanup.h"
#include "run/target/azureml_priv.h"
#include "run/target/kubernetes_priv.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void judged(struct arena *a, sv text, enum kube_kind kind)
{
        AUTO(err_done) struct err e = { 0 };
        struct run_status st = RUN_STATUS_INIT;
        struct kube_facts f = { .kind = kind, .ranks = 2, .per_node = 1, .workers = 1, .now_us = 1795514400000000LL };
        struct kube_seen s;
        bool drop;

        if (kube_seen_read(a, text, SV("r"), &s, &e) < 0) {
                if (!e.code)
                        abort();
                return;
        }
        for (size_t i = 0; i < s.n; i++) {
                struct kube_note *note;
                kube_notes_read(a, s.pod[i].end_message, &note);
        }
        kube_judge(a, &s, &f, &st, &drop);
        if (run_state_final(st.state) != (st.ended_us != 0) || (drop && st.state != RUN_FAILED))
                abort();
}

static void logged(sv text)
{
        AUTO(buf_done) struct buf out = BUF_INIT(text.n + 1), again = BUF_INIT(text.n + 1);
        struct kube_mark m = { 0 };

        kube_log_take(text, false, &m, &out);
        kube_log_take(text, true, &m, &again);
        if (buf_check(&out, &(struct err){ 0 }) < 0)
                abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
        AUTO(arena_done) struct arena a = { 0 };
        sv text = { (const char *)p + 1, n - 1 };
        struct kube_mark m;

        if (n == 0)
                return 0;
        if (*p == 'l') {
                logged(text);
        } else if (*p == 'm') {
                kube_mark_read(text, &m);
        } else if (*p == 'a') {
                AUTO(err_done) struct err e = { 0 };
                struct run_status st = RUN_STATUS_INIT;
                sv name;
                if (aml_answer(&a, text, &name, &st, &e) < 0 ? !e.code : !name.n)
                        abort();
                aml_said_of(text);
                aml_said_line(text);
        } else if (*p == 'c') {
                kube_said_of(text);
                if (kube_said_line(text).n > text.n)
                        abort();
        } else {
                judged(&a, text, (enum kube_kind)(*p % 6));
        }
        return 0;
}
