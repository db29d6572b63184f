#include "base/cleanup.h"
#include "pkg/matchspec.h"
#include "spec/spec_priv.h"

/* Whether an item of `dependencies` is a MatchSpec, and whether the channel that it names is one of the definition's. */

/* What is pip's: options, URLs of repositories, extras, markers. */
static bool looks_like_pip(sv text)
{
        ptrdiff_t open = sv_find(text, '['), eq;

        text = sv_trim(text);
        if (sv_starts(text, SV("-")) || sv_starts(text, SV("git+")) || sv_find_sv(text, SV(" @ ")) > 0 ||
            sv_find(text, ';') > 0)
                return true;
        eq = open < 0 ? -1 : sv_find(sv_skip(text, (size_t)open), '=');
        return open > 0 &&
               (eq < 0 || sv_find(sv_skip(text, (size_t)open), ']') < eq); /* "foo[extra]>=1", not "foo[build=x]" */
}

/* "patchelf[when=__linux]" (CEP 43) is what micromamba calls sel(linux): the word, or NULL. */
static const char *when_selector(sv text)
{
        static const char *const words[] = { "linux", "unix", "osx", "win" };
        ptrdiff_t at = sv_find_sv(text, SV("[when=__"));
        sv rest = at < 0 ? SV("") : sv_skip(text, (size_t)at + 8);

        for (size_t i = 0; i < ARRAY_LEN(words); i++)
                if (sv_starts(rest, sv_from(words[i])) && rest.n == sv_from(words[i]).n + 1 && sv_ends(rest, SV("]")))
                        return words[i];
        return NULL;
}

/* "numpy=" is any version to conda: not what anybody means who writes it. */
static bool version_lost(sv text)
{
        ptrdiff_t open = sv_find(text, '[');

        return sv_ends(sv_trim(open < 0 ? text : sv_from_to(text, 0, (size_t)open)), SV("="));
}

bool spec_conda_check(struct spec_load *l, const struct spec_text *t)
{
        struct matchspec m;
        sv why, good;
        size_t i;

        if (matchspec_parse(l->a, t->text, l->s->conda_settings, &m, &why, NULL)) {
                if (!version_lost(t->text))
                        return true;
                why = SV("a version is missing behind '='");
        }
        i = spec_fault(l->ds, t->at, t->text.n, "EB137", "'%.*s' is not a MatchSpec: %.*s", SV_ARG(t->text),
                       SV_ARG(why));
        good = spec_conda_repair(l->a, t->text);
        if (sv_find_sv(t->text, SV("{{")) >= 0)
                diag_hint(l->ds, i, "fill in what stands between {{ and }}");
        else if (when_selector(t->text))
                diag_hint(l->ds, i, "write '- sel(%s): %.*s'", when_selector(t->text),
                          SV_ARG(sv_from_to(t->text, 0, (size_t)sv_find(t->text, '['))));
        else if (looks_like_pip(t->text))
                diag_hint(l->ds, i, "write it under '- pip:'");
        else if (good.n)
                diag_hint(l->ds, i, "write '%.*s'", SV_ARG(good));
        return false;
}

static bool among(const sv *v, size_t n, sv url)
{
        for (size_t i = 0; i < n; i++)
                if (sv_eq(v[i], url))
                        return true;
        return false;
}

/* A channel in a spec chooses among `channels`, it adds none. A pattern ("*-forge") is for the records to judge. */
static void check_channel(struct spec_load *l, const struct spec_text *t, const sv *known, size_t n)
{
        AUTO(buf_done) struct buf have = BUF_INIT(4096);
        struct matchspec m;
        bool found = false;
        size_t i;

        if (!matchspec_parse(l->a, spec_expand(l->a, t->text, l->io), l->s->conda_settings, &m, NULL, NULL) ||
            sv_find(m.channel, '*') >= 0 || (!m.channel.n && !m.n_channels))
                return;
        for (i = 0; i < m.n_channels; i++)
                found |= among(known, n, m.channels[i]);
        if (found || (!m.n_channels && among(known, n, m.channel)))
                return;
        for (i = 0; i < l->s->n_channels; i++)
                buf_fmt(&have, "%s%.*s", i ? ", " : "", SV_ARG(spec_channel_public(l->a, l->s->channels[i].text)));
        i = spec_fault(l->ds, t->at, t->text.n, "EB136", "'%.*s' asks for channel '%.*s', which is not listed",
                       SV_ARG(t->text), SV_ARG(m.channel_text));
        diag_hint(l->ds, i, "add it to 'channels', which lists %.*s; a spec only chooses among them",
                  SV_ARG(buf_sv(&have)));
}

void spec_conda_channels(struct spec_load *l)
{
        struct spec *s = l->s;
        size_t n = 0, cap = 0;
        sv *known = NULL;

        if (!s->conda_settings || s->n_channels == 0)
                return; /* then whoever knows the settings, or the channels, checks it */
        for (size_t i = 0; i < s->n_channels; i++) {
                sv text = spec_expand(l->a, s->channels[i].text, l->io), why;
                struct conda_channel *v;
                size_t n_v;
                if (!conda_channel_expand(l->a, text, s->conda_settings, &v, &n_v, &why)) {
                        spec_fault(l->ds, s->channels[i].at, s->channels[i].text.n, "EB138",
                                   "'%.*s' is not a channel: %.*s",
                                   SV_ARG(spec_channel_public(l->a, s->channels[i].text)), SV_ARG(why));
                        return;
                }
                for (size_t k = 0; k < n_v; k++)
                        *arena_push(l->a, known, n, cap) = v[k].url;
        }
        for (size_t i = 0; i < s->n_conda; i++)
                check_channel(l, &s->conda[i], known, n);
}
