#include "spec/spec_priv.h"

/* Channels of a definition: names, URLs and folders as written. What they mean depends on .condarc (pkg/conda_channel.h). */

/* "/t/TOKEN" of a channel's URL, when it is written out; empty when there is none or it is a ${VAR}. */
static sv written_token(sv url)
{
        ptrdiff_t at = sv_find_sv(url, SV("/t/")), end;
        sv rest;

        if (at < 0 || sv_find_sv(url, SV("://")) < 0 || sv_starts(url, SV("file:")))
                return SV("");
        rest = sv_skip(url, (size_t)at + 3);
        end = sv_find(rest, '/');
        if (end <= 0 || sv_starts(rest, SV("${")))
                return SV("");
        return (sv){ url.p + at, (size_t)end + 3 };
}

sv spec_public_url(struct arena *a, sv text)
{
        sv url = spec_url_public(a, text), token = written_token(url);
        size_t at = (size_t)(token.p - url.p);

        if (token.n == 0)
                return url;
        return arena_fmt(a, "%.*s%.*s", (int)at, url.p, SV_ARG(sv_skip(url, at + token.n)));
}

bool spec_check_token(struct spec_load *l, sv text, struct spec_where at)
{
        if (!spec_check_password(l, text, at, text.n))
                return false;
        if (written_token(text).n == 0)
                return true;
        diag_hint(l->ds, spec_warn(l->ds, at, text.n, "EB503", "a token stands in a URL"),
                  "write ${NAME} in its place: it is taken from the environment and gets into no lock, log or image");
        return false;
}

void spec_channel_item(struct spec_load *l, sv text, struct spec_where at)
{
        struct spec_text t = { text, at };

        if (sv_trim(text).n == 0) {
                diag_hint(l->ds, spec_fault(l->ds, at, text.n, "EB103", "an empty item"), "take the line out");
                return;
        }
        spec_check_token(l, text, at);
        for (size_t i = 0; i < l->s->n_channels; i++)
                if (sv_eq(l->s->channels[i].text, text))
                        return;
        SPEC_PUSH(l->a, l->s->channels, l->s->n_channels, t);
}
