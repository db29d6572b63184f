#include "spec/spec_priv.h"

/* Channels of a definition: names, URLs and folders as written. What they mean depends on .condarc (pkg/conda_channel.h). */

/* "/t/TOKEN" of a channel's URL, which ends before a '/' and is written out: its length at i, or 0. */
static size_t token_at(sv url, size_t i)
{
        sv rest = sv_skip(url, i);
        ptrdiff_t end;

        if (!sv_starts(rest, SV("/t/")) || sv_starts(rest, SV("/t/${")))
                return 0;
        end = sv_find(sv_skip(rest, 3), '/');
        return end > 0 ? (size_t)end + 3 : 0;
}

static bool has_token(sv url)
{
        if (sv_starts(url, SV("file:"))) /* a folder may be called "t" */
                return false;
        for (size_t i = 0; i < url.n; i++)
                if (token_at(url, i))
                        return sv_find_sv(url, SV("://")) >= 0;
        return false;
}

sv spec_channel_public(struct arena *a, sv text)
{
        sv url = spec_url_public(a, text);
        char *out;
        size_t n = 0;

        if (!has_token(url))
                return url;
        out = arena_str(a, url);
        for (size_t i = 0; i < url.n;) {
                size_t token = token_at(url, i);
                if (!token)
                        out[n++] = url.p[i++];
                i += token;
        }
        return (sv){ out, n };
}

bool spec_check_token(struct spec_load *l, sv text, struct spec_where at)
{
        if (!spec_check_password(l, text, at, text.n))
                return false;
        if (!has_token(text))
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
