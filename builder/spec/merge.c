#include "spec/spec_priv.h"

/* Several definitions read as one: lists are joined, of single values the later wins, and that it does is told (EB109). */

static void told(struct spec_load *l, struct spec_where at, size_t len, const char *what, struct spec_where before)
{
        size_t i = spec_warn(l->ds, at, len, "EB109", "%s takes the place of another value", what);

        if (before.line)
                diag_hint(l->ds, i, "the other is in %.*s:%u", SV_ARG(before.file), before.line);
        else if (before.file.n)
                diag_hint(l->ds, i, "the other is in %.*s", SV_ARG(before.file));
}

static void text(struct spec_load *l, struct spec_text *s, const struct spec_text *later, const char *what)
{
        if (!later->text.n)
                return;
        if (s->text.n && !sv_eq(s->text, later->text))
                told(l, later->at, later->text.n, what, s->at);
        *s = *later;
}

static void list(struct spec_load *l, struct spec_text **v, size_t *n, const struct spec_text *later, size_t n_later)
{
        for (size_t i = 0; i < n_later; i++) {
                bool there = false;
                for (size_t k = 0; k < *n && !there; k++)
                        there = sv_eq((*v)[k].text, later[i].text);
                if (there)
                        continue;
                *v = spec_concat(l->a, *v, *n, &later[i], 1, sizeof(later[i]));
                ++*n;
        }
}

static void pairs(struct spec_load *l, struct spec_pair **v, size_t *n, const struct spec_pair *later, size_t n_later,
                  const char *what)
{
        for (size_t i = 0; i < n_later; i++) {
                size_t k = 0;
                while (k < *n && !sv_eq((*v)[k].key, later[i].key))
                        k++;
                if (k < *n) {
                        if (!sv_eq((*v)[k].value, later[i].value))
                                told(l, later[i].at, later[i].key.n, what, (*v)[k].at);
                        (*v)[k] = later[i];
                        continue;
                }
                *v = spec_concat(l->a, *v, *n, &later[i], 1, sizeof(later[i]));
                ++*n;
        }
}

/* A list that stands for one value: the later whole list wins. */
static void whole(struct spec_load *l, struct spec_text **v, size_t *n, const struct spec_text *later, size_t n_later,
                  const char *what)
{
        bool same = *n == n_later;

        for (size_t i = 0; same && i < n_later; i++)
                same = sv_eq((*v)[i].text, later[i].text);
        if (!same && *n)
                told(l, n_later ? later[0].at : (struct spec_where){ l->file, 0, 0 }, 0, what, (*v)[0].at);
        *v = spec_concat(l->a, later, n_later, NULL, 0, sizeof(**v));
        *n = n_later;
}

static void indexes(struct spec_load *l, struct spec *s, const struct spec *later)
{
        if (later->index_given || later->no_index) {
                whole(l, &s->index, &s->n_index, later->index, later->n_index, "--index-url");
                s->index_given = later->index_given;
        } else {
                list(l, &s->index, &s->n_index, later->index, later->n_index);
        }
        list(l, &s->find_links, &s->n_find_links, later->find_links, later->n_find_links);
        list(l, &s->no_binary, &s->n_no_binary, later->no_binary, later->n_no_binary);
        list(l, &s->only_binary, &s->n_only_binary, later->only_binary, later->n_only_binary);
        s->no_index |= later->no_index;
        s->pre |= later->pre;
        s->prefer_binary |= later->prefer_binary;
        s->require_hashes |= later->require_hashes;
}

static void requirements(struct spec_load *l, struct spec *s, const struct spec *later)
{
        s->pip = spec_concat(l->a, s->pip, s->n_pip, later->pip, later->n_pip, sizeof(*s->pip));
        s->n_pip += later->n_pip;
        s->constraints = spec_concat(l->a, s->constraints, s->n_constraints, later->constraints, later->n_constraints,
                                     sizeof(*s->constraints));
        s->n_constraints += later->n_constraints;
        s->has_pip_section |= later->has_pip_section;
}

static void conda(struct spec_load *l, struct spec *s, const struct spec *later)
{
        list(l, &s->conda, &s->n_conda, later->conda, later->n_conda);
        list(l, &s->channels, &s->n_channels, later->channels, later->n_channels);
        s->nodefaults |= later->nodefaults;
        list(l, &s->pip_replaces, &s->n_pip_replaces, later->pip_replaces, later->n_pip_replaces);
        if (later->channel_priority.n && s->channel_priority.n && !sv_eq(s->channel_priority, later->channel_priority))
                told(l, (struct spec_where){ l->file, 0, 0 }, 0, "'channel-priority'",
                     (struct spec_where){ s->definition, 0, 0 });
        if (later->channel_priority.n)
                s->channel_priority = later->channel_priority;
}

static void config(struct spec_load *l, struct spec *s, const struct spec *later)
{
        pairs(l, &s->variables, &s->n_variables, later->variables, later->n_variables, "this variable");
        pairs(l, &s->labels, &s->n_labels, later->labels, later->n_labels, "this label");
        text(l, &s->user, &later->user, "'user'");
        text(l, &s->workdir, &later->workdir, "'workdir'");
        if (later->has_entrypoint)
                whole(l, &s->entrypoint, &s->n_entrypoint, later->entrypoint, later->n_entrypoint, "'entrypoint'");
        if (later->has_cmd)
                whole(l, &s->cmd, &s->n_cmd, later->cmd, later->n_cmd, "'cmd'");
        s->has_entrypoint |= later->has_entrypoint;
        s->has_cmd |= later->has_cmd;
        s->bytecode |= later->bytecode;
}

void spec_merge(struct spec_load *l, const struct spec *later)
{
        struct spec *s = l->s;

        if (later->name.n && s->name.n && !sv_eq(s->name, later->name))
                told(l, (struct spec_where){ l->file, 0, 0 }, 0, "'name'", (struct spec_where){ s->definition, 0, 0 });
        if (later->name.n)
                s->name = later->name;
        if (later->python != SPEC_PYTHON_AUTO)
                s->python = later->python;
        text(l, &s->python_req, &later->python_req, "'python'");
        conda(l, s, later);
        requirements(l, s, later);
        indexes(l, s, later);
        text(l, &s->base, &later->base, "'base'");
        list(l, &s->apt, &s->n_apt, later->apt, later->n_apt);
        list(l, &s->apt_scripts_skip, &s->n_apt_scripts_skip, later->apt_scripts_skip, later->n_apt_scripts_skip);
        if (later->n_platforms)
                whole(l, &s->platforms, &s->n_platforms, later->platforms, later->n_platforms, "'platforms'");
        pairs(l, &s->virtual_, &s->n_virtual, later->virtual_, later->n_virtual, "this virtual package");
        pairs(l, &s->files, &s->n_files, later->files, later->n_files, "this file");
        list(l, &s->certificates, &s->n_certificates, later->certificates, later->n_certificates);
        config(l, s, later);
}
