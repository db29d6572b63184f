/* kubectl as a child: its global options, its exit, and what its complaints mean. */
#include "base/cleanup.h"
#include "run/target/kubernetes_priv.h"

static const struct {
        const char *word;
        enum kube_said said;
} words[] = {
        { "(AlreadyExists)", KUBE_EXISTS },
        { "already exists", KUBE_EXISTS },
        { "(NotFound)", KUBE_ABSENT },
        { "the server doesn't have a resource type", KUBE_ABSENT },
        { "no matches for kind", KUBE_ABSENT },
        { "(Unauthorized)", KUBE_AUTH },
        { "You must be logged in", KUBE_AUTH },
        { "getting credentials", KUBE_AUTH },
        { "exceeded quota", KUBE_REFUSED },
        { "(Forbidden)", KUBE_AUTH },
        { "(Conflict)", KUBE_AWAY },
        { "(Invalid)", KUBE_REFUSED },
        { " is invalid: ", KUBE_REFUSED },
        { "(BadRequest)", KUBE_REFUSED },
        { "strict decoding error", KUBE_REFUSED },
        { "error validating data", KUBE_REFUSED },
        { "(RequestEntityTooLarge)", KUBE_REFUSED },
        { "denied the request", KUBE_REFUSED }, /* an admission webhook */
        { "does not exist", KUBE_REFUSED },     /* context "x" does not exist */
        { "unknown flag", KUBE_REFUSED },
};

enum kube_said kube_said_of(sv text)
{
        for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
                if (sv_find_sv(text, sv_from(words[i].word)) >= 0)
                        return words[i].said;
        return KUBE_AWAY;
}

sv kube_said_line(sv text)
{
        sv line, last = { 0 };

        while (sv_line(&text, &line)) {
                line = sv_trim(line);
                if (!line.n || sv_starts(line, SV("Warning:")))
                        continue;
                if (sv_starts(line, SV("Error from server")) || sv_starts(line, SV("error:")) ||
                    sv_starts(line, SV("The ")) || sv_starts(line, SV("Unable to connect")))
                        return line;
                last = line;
        }
        return last;
}

int kube_run(const struct kube *k, const struct kube_call *c, struct proc_result *res, enum kube_said *ret,
             struct err *e)
{
        enum { FIXED = 8, TIMEOUT_MS = 25000 };
        struct arena *a = k->r->arena;
        AUTO(err_done) struct err said = { 0 };
        const char **argv;
        size_t n = 0, m = 0;
        struct proc p = { .input = c->input,
                          .max_out = c->max_out ? c->max_out : KUBE_JSON_MAX,
                          .timeout_ms = c->timeout_ms ? c->timeout_ms : TIMEOUT_MS };

        while (c->args[m])
                m++;
        argv = arena_array(a, const char *, m + FIXED);
        argv[n++] = "kubectl";
        if (k->context.n) {
                argv[n++] = "--context";
                argv[n++] = arena_str(a, k->context);
        }
        if (k->ns.n) {
                argv[n++] = "-n";
                argv[n++] = arena_str(a, k->ns);
        }
        if (!c->timeout_ms)
                argv[n++] = "--request-timeout=20s";
        for (size_t i = 0; i < m; i++)
                argv[n++] = c->args[i];
        argv[n] = NULL;
        p.argv = argv;
        if (proc_run(&p, k->r->ctx->op, res, &said) < 0) {
                if (said.code != ERR_FAILED) {
                        err_hint(&said, "install kubectl, the client of Kubernetes, and let it reach the cluster");
                        return err_move(e, &said);
                }
                buf_fmt(&res->err, "\nkubectl did not answer in time\n");
                *ret = KUBE_AWAY;
                return 0;
        }
        *ret = res->status == 0 ? KUBE_OK : kube_said_of(buf_sv(&res->err));
        return 0;
}

int kube_fail(enum kube_said said, const struct proc_result *res, const char *what, struct err *e)
{
        enum err_code code = said == KUBE_AWAY ? ERR_NET : said == KUBE_AUTH ? ERR_AUTH : ERR_FAILED;
        sv line = kube_said_line(buf_sv(&res->err));

        err_set(e, code, "%s: kubectl says: %.*s", what, SV_ARG(line.n ? line : SV("nothing, and fails")));
        if (said == KUBE_AUTH)
                err_hint(e, "try `kubectl auth can-i create jobs`, log in again, or choose `context` and `namespace` "
                            "in the profile");
        else if (said == KUBE_ABSENT)
                err_hint(e, "is the namespace right, and is the operator of the profile's `kind` installed?");
        return -(int)e->code;
}
