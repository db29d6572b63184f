#include <string.h>

#include "base/cleanup.h"
#include "pkg/requirement.h"
#include "spec/spec_priv.h"

/* Items of `dependencies`. Under `python: base` there is no conda prefix: python checks the base's version, pip is dropped, and every other
 * package is refused with what to write instead. An item is read here just well enough for that; MatchSpecs are pkg/matchspec.h's. */
struct item {
        sv name, version; /* version: with its operator, "=1.2", ">=1,<2"; build and channel are left out */
};

static struct item item_read(sv text)
{
        struct item it = { 0 };
        ptrdiff_t channel = sv_find_sv(text, SV("::"));
        size_t i = 0;

        text = sv_trim(text);
        if (channel >= 0)
                text = sv_trim(sv_skip(text, (size_t)channel + 2));
        while (i < text.n && !strchr(" \t=<>!~[", text.p[i]))
                i++;
        it.name = sv_from_to(text, 0, i);
        it.version = sv_trim(sv_skip(text, i));
        if (sv_starts(it.version, SV("[")))
                it.version = SV("");
        return it;
}

/* conda's "=1.2" is a prefix, "=1.2.3=py39_0" an exact build. The guess is shown only when it is a requirement. */
static sv pip_line(struct arena *a, const struct item *it)
{
        AUTO(buf_done) struct buf b = BUF_INIT(1024);
        struct requirement r;
        sv v = it->version, why;
        ptrdiff_t build;
        size_t at;

        if (sv_starts(v, SV("=")) && !sv_starts(v, SV("=="))) {
                v = sv_trim(sv_skip(v, 1));
                build = sv_find(v, '=');
                if (build >= 0)
                        buf_fmt(&b, "%.*s==%.*s", SV_ARG(it->name), (int)build, v.p);
                else
                        buf_fmt(&b, "%.*s==%.*s%s", SV_ARG(it->name), SV_ARG(v), sv_ends(v, SV("*")) ? "" : ".*");
        } else {
                build = sv_starts(v, SV("==")) ? sv_find(sv_skip(v, 2), '=') : -1;
                buf_fmt(&b, "%.*s%.*s", SV_ARG(it->name), (int)(build >= 0 ? build + 2 : (ptrdiff_t)v.n), v.p);
        }
        return !b.over && requirement_parse(a, buf_sv(&b), &r, &why, &at) ? arena_sv(a, buf_sv(&b)) : SV("");
}

static void refuse(struct spec_load *l, const struct item *it, const struct spec_text *t)
{
        size_t i = spec_fault(l->ds, t->at, t->text.n, "EB105",
                              "'%.*s' is a conda package, and with 'python: base' there is no conda prefix for it",
                              SV_ARG(it->name));
        sv pip = pip_line(l->a, it);

        if (pip.n)
                diag_hint(l->ds, i, "take 'python: base' out, or write '- %.*s' under 'pip:' if it is on PyPI",
                          SV_ARG(pip));
        else
                diag_hint(l->ds, i, "take 'python: base' out, or name a Debian package under 'envbuild: {apt: …}'");
}

/* What "python=3.12" asks of the base's python, as a PEP 440 specifier: "=3.12" is a prefix, "3.12" and "==3.12" are exact. */
static bool python_specifier(struct spec_load *l, sv version, sv *ret)
{
        struct pep440_spec spec;
        sv why;

        if (sv_starts(version, SV("=")) && !sv_starts(version, SV("==")))
                version = arena_fmt(l->a, "==%.*s%s", SV_ARG(sv_trim(sv_skip(version, 1))),
                                    sv_ends(version, SV(".*")) ? "" : ".*");
        else if (version.n && version.p[0] >= '0' && version.p[0] <= '9')
                version = arena_fmt(l->a, "==%.*s", SV_ARG(version));
        *ret = version;
        return pep440_spec_parse(l->a, version, &spec, &why);
}

static void python_item(struct spec_load *l, sv version, const struct spec_text *t)
{
        sv specifier;

        if (l->s->python_req.at.line) {
                spec_fault(l->ds, t->at, t->text.n, "EB104", "'python' is given twice");
                return;
        }
        if (!python_specifier(l, version, &specifier)) {
                size_t i = spec_fault(l->ds, t->at, t->text.n, "EB103", "'%.*s' says no version that can be checked",
                                      SV_ARG(t->text));
                diag_hint(l->ds, i, "write python=3.13 or python>=3.12,<3.14");
                return;
        }
        l->s->python_req = (struct spec_text){ specifier, t->at };
}

bool spec_conda_names(sv text, const char *name)
{
        return sv_eq_nocase(item_read(text).name, sv_from(name));
}

void spec_conda_item(struct spec_load *l, sv text, struct spec_where at)
{
        struct spec_text t = { text, at };

        if (sv_trim(text).n == 0) {
                diag_hint(l->ds, spec_fault(l->ds, at, text.n, "EB103", "an empty item"), "take the line out");
                return;
        }
        if (!spec_check_token(l, text, at)) /* a channel is known by its URL: what is secret in it says nothing here */
                t.text = spec_channel_public(l->a, text);
        if (l->s->python == SPEC_PYTHON_BASE || spec_conda_check(l, &t))
                SPEC_PUSH(l->a, l->s->conda, l->s->n_conda, t);
}

void spec_conda_under_base(struct spec_load *l)
{
        struct spec *s = l->s;

        if (s->python != SPEC_PYTHON_BASE)
                return;
        for (size_t i = 0; i < s->n_conda; i++) {
                struct item it = item_read(s->conda[i].text);
                if (sv_eq_nocase(it.name, SV("python")))
                        python_item(l, it.version, &s->conda[i]);
                else if (!sv_eq_nocase(it.name, SV("pip")))
                        refuse(l, &it, &s->conda[i]);
        }
        s->conda = NULL;
        s->n_conda = 0;
}

/* conda installs pip, and with it a python, where a pip section stands without either. */
static void python_for_pip(struct spec_load *l)
{
        struct spec *s = l->s;
        struct spec_text python = { .text = SV("python") };

        if (s->n_pip == 0)
                return;
        for (size_t i = 0; i < s->n_conda; i++)
                if (spec_conda_names(s->conda[i].text, "python") || spec_conda_names(s->conda[i].text, "pip"))
                        return;
        python.at = s->pip[0].at;
        diag_hint(l->ds,
                  spec_warn(l->ds, python.at, s->pip[0].wrote.n, "EB111",
                            "requirements of pip, and no python among 'dependencies': the newest that fits is taken"),
                  "write '- python=3.12'");
        s->conda = spec_concat(l->a, s->conda, s->n_conda, &python, 1, sizeof(python));
        s->n_conda++;
}

void spec_conda_finish(struct spec_load *l)
{
        struct spec *s = l->s;

        spec_conda_under_base(l);
        spec_conda_channels(l);
        if (s->n_conda)
                python_for_pip(l);
        else if (s->n_channels)
                spec_note(l->ds, s->channels[0].at, s->channels[0].text.n, "EB110",
                          "'channels' has no effect: no conda package is asked for");
}
