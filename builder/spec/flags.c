#include "base/clock.h"
#include "spec/requirements.h"

int spec_add_pip(struct arena *a, struct spec *s, sv text, const struct spec_io *io, struct diags *ds, struct err *e)
{
        struct spec more = { 0 };
        struct spec_load l = { a, io, ds, &more, SV("--pip") }, into = { a, io, ds, s, SV("--pip") };
        struct reqset set = { 0 };
        size_t errors = ds->n_errors;

        reqset_text(&l, &set, text, (struct spec_where){ l.file, 0, 0 });
        reqset_finish(&l, &set);
        spec_merge(&into, &more);
        if (ds->n_errors > errors)
                return err_set(e, ERR_USAGE, "--pip '%.*s' cannot be used", SV_ARG(text));
        return 0;
}

int spec_add_conda(struct arena *a, struct spec *s, sv text, struct diags *ds, struct err *e)
{
        struct spec more = { .python = s->python };
        struct spec_load l = { .a = a, .ds = ds, .s = &more, .file = SV("--conda") },
                         into = { .a = a, .ds = ds, .s = s };
        size_t errors = ds->n_errors;

        spec_conda_item(&l, arena_sv(a, text), (struct spec_where){ l.file, 0, 0 });
        spec_conda_under_base(&l);
        into.file = l.file;
        spec_merge(&into, &more);
        if (ds->n_errors > errors)
                return err_set(e, ERR_USAGE, "--conda '%.*s' cannot be used", SV_ARG(text));
        return 0;
}

/* Before the definition's own, in the order given: as conda has it, what is said last counts most. */
int spec_add_channel(struct arena *a, struct spec *s, sv text, struct diags *ds, struct err *e)
{
        struct spec more = { 0 };
        struct spec_load l = { .a = a, .ds = ds, .s = &more, .file = SV("--channel") };
        size_t errors = ds->n_errors, at = 0, n;
        struct spec_text *merged;

        spec_channel_item(&l, arena_sv(a, text), (struct spec_where){ l.file, 0, 0 });
        if (ds->n_errors > errors)
                return err_set(e, ERR_USAGE, "--channel '%.*s' cannot be used", SV_ARG(text));
        while (at < s->n_channels && sv_eq(s->channels[at].at.file, l.file))
                at++;
        merged = spec_concat(a, s->channels, at, more.channels, more.n_channels, sizeof(*merged));
        n = at + more.n_channels;
        for (size_t i = at; i < s->n_channels; i++)
                if (!sv_eq(s->channels[i].text, more.channels[0].text))
                        SPEC_PUSH(a, merged, n, s->channels[i]);
        s->channels = merged;
        s->n_channels = n;
        return 0;
}

int spec_add_variable(struct arena *a, struct spec *s, sv text, struct diags *ds, struct err *e)
{
        struct spec_load l = { .a = a, .ds = ds, .s = s, .file = SV("-e") };
        struct spec_pair pair = { .at = { l.file, 0, 0 } };
        ptrdiff_t eq = sv_find(text, '=');

        if (eq < 0)
                return err_set(e, ERR_USAGE, "-e takes NAME=VALUE, not '%.*s'", SV_ARG(text));
        pair.key = arena_sv(a, sv_from_to(text, 0, (size_t)eq));
        pair.value = arena_sv(a, sv_skip(text, (size_t)eq + 1));
        if (!spec_check_variable(&l, &pair))
                return err_set(e, ERR_USAGE, "-e '%.*s' cannot be used", SV_ARG(pair.key));
        for (size_t i = 0; i < s->n_variables; i++)
                if (sv_eq(s->variables[i].key, pair.key)) { /* a flag is meant to win: nothing to tell */
                        s->variables[i] = pair;
                        return 0;
                }
        s->variables = spec_concat(a, s->variables, s->n_variables, &pair, 1, sizeof(pair));
        s->n_variables++;
        return 0;
}

int spec_set_exclude_newer(struct spec *s, sv text, int64_t now, struct err *e)
{
        return time_read(text, now, &s->exclude_newer, e);
}
