/* Scopes of tokens: "repository:NAME:pull,push" (distribution's token specification). The order of actions is nobody's. */
#include "registry/client_priv.h"

sv reg_scope_text(struct arena *a, const struct reg_repo *repo, unsigned actions)
{
        const char *text = actions & REG_PUSH     ? actions & REG_DELETE ? "pull,push,delete" : "pull,push"
                           : actions & REG_DELETE ? actions & REG_PULL ? "pull,delete" : "delete"
                                                  : "pull";

        if (!repo->repository.n)
                return (sv){ 0 };
        return arena_fmt(a, "repository:%.*s:%s", SV_ARG(repo->repository), text);
}

/* "type:name" and "actions": the name may hold colons. */
static bool split(sv scope, sv *ret_what, sv *ret_actions)
{
        ptrdiff_t last = sv_rfind(scope, ':');

        if (last <= 0 || sv_find(scope, ':') == last)
                return false;
        *ret_what = sv_from_to(scope, 0, (size_t)last);
        *ret_actions = sv_skip(scope, (size_t)last + 1);
        return true;
}

static bool has_action(sv actions, sv one)
{
        sv action;

        while (sv_cut(&actions, ',', &action))
                if (sv_eq(action, one))
                        return true;
        return false;
}

static bool covers(sv have, sv wanted)
{
        sv what, actions, want_what, want_actions, one;

        if (!split(have, &what, &actions) || !split(wanted, &want_what, &want_actions))
                return sv_eq(have, wanted);
        if (!sv_eq(what, want_what))
                return false;
        while (sv_cut(&want_actions, ',', &one))
                if (!has_action(actions, one))
                        return false;
        return true;
}

sv reg_scope_missing(struct arena *a, sv wanted, const sv *have, size_t n)
{
        struct buf out = BUF_INIT((size_t)8 << 10); /* a server that wants more gets its answer without it */
        sv one, text;

        while (sv_cut(&wanted, ' ', &one)) {
                bool covered = !one.n;

                for (size_t i = 0; i < n && !covered; i++)
                        covered = covers(have[i], one);
                if (!covered)
                        buf_fmt(&out, "%s%.*s", out.n ? " " : "", SV_ARG(one));
        }
        text = out.over ? (sv){ 0 } : arena_sv(a, buf_sv(&out));
        buf_done(&out);
        return text;
}
