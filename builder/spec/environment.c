#include "spec/requirements.h"

/* environment.yml (CEP 24), and what conda and micromamba read besides. */
static const char *const top_keys[] = { "name",      "channels", "dependencies", "variables",
                                        "platforms", "prefix",   "category",     "envbuild" };

/* A warning, as other tools have keys of their own; but without what 'depdendencies' or 'channel' was meant to be, the rest means something
 * else. */
static void unknown_key(struct spec_load *l, const struct yaml *key, const struct yaml *top)
{
        const char *near = spec_nearest(key->text, top_keys, ARRAY_LEN(top_keys));
        bool lost = near && !yaml_get(top, near) &&
                    (sv_is(sv_from(near), "dependencies") || sv_is(sv_from(near), "channels"));
        size_t i = lost ? spec_fault(l->ds, spec_at(l, key), spec_node_len(key), "EB101", "unknown key '%.*s'",
                                     SV_ARG(key->text))
                        : spec_warn(l->ds, spec_at(l, key), spec_node_len(key), "EB101",
                                    "unknown key '%.*s' is ignored", SV_ARG(key->text));

        if (near)
                diag_hint(l->ds, i, "did you mean '%s'?", near);
}

static void name(struct spec_load *l, const struct yaml *y)
{
        struct spec_text t = { 0 };

        if (l->named || yaml_is_null(y) || !spec_node_text(l, y, "name", &t)) /* what names it has a name itself */
                return;
        if (spec_check_name(l, &t))
                l->s->name = t.text;
}

/* "- a" with "  - b" below it is one text to YAML: "a - b", or, with a blank line between them, "a\n- b". */
static bool folded(struct spec_load *l, const struct yaml *y)
{
        bool plain = y->type == YAML_SCALAR && y->plain;
        ptrdiff_t at = plain ? sv_find_sv(y->text, SV(" - ")) : -1;

        if (plain && at < 0)
                at = sv_find_sv(y->text, SV("\n- "));
        if (at < 0)
                return false;
        diag_hint(l->ds,
                  spec_fault(l->ds, spec_at(l, y), (size_t)at, "EB103",
                             "'%.*s' is one text: a line below it is indented too far", SV_ARG(y->text)),
                  "begin '%.*s' in the column of the '- ' above", SV_ARG(sv_skip(y->text, (size_t)at + 1)));
        return true;
}

static void pip_section(struct spec_load *l, struct reqset *set, const struct yaml *y)
{
        struct spec_text *v = NULL;
        size_t n = 0;

        l->s->has_pip_section = true;
        for (size_t i = 0; y->type == YAML_SEQ && i < y->n; i++)
                if (folded(l, y->v[i].value))
                        return;
        spec_node_list(l, y, "pip", &v, &n);
        for (size_t i = 0; i < n; i++)
                reqset_text(l, set, v[i].text, v[i].at);
}

/* "sel(linux): package": micromamba's way to say where an item counts. Images are linux. */
static bool selector(struct spec_load *l, const struct yaml *key, const struct yaml *value)
{
        static const char *const others[] = { "sel(osx)", "sel(win)" };
        struct spec_text t;

        if (sv_is(key->text, "sel(linux)") || sv_is(key->text, "sel(unix)")) {
                if (spec_node_text(l, value, "sel(linux)", &t))
                        spec_conda_item(l, t.text, t.at);
                return true;
        }
        for (size_t i = 0; i < ARRAY_LEN(others); i++)
                if (sv_is(key->text, others[i]))
                        return true;
        return false;
}

static void mapping_item(struct spec_load *l, struct reqset *set, const struct yaml *item)
{
        for (size_t i = 0; i < item->n; i++) {
                const struct yaml *key = item->v[i].key, *value = item->v[i].value;
                size_t d;
                if (sv_is(key->text, "pip")) {
                        pip_section(l, set, value);
                        continue;
                }
                if (selector(l, key, value))
                        continue;
                d = spec_fault(l->ds, spec_at(l, key), spec_node_len(key), "EB101",
                               "'%.*s:' is no section of dependencies", SV_ARG(key->text));
                if (sv_starts(key->text, SV("sel(")))
                        diag_hint(l->ds, d, "the selectors are sel(linux), sel(unix), sel(osx) and sel(win)");
                else if (value->type == YAML_SCALAR && !yaml_is_null(value))
                        diag_hint(l->ds, d, "write '- %.*s=%.*s' for a version", SV_ARG(key->text),
                                  SV_ARG(value->text));
                else
                        diag_hint(l->ds, d, "only 'pip:' and 'sel(linux):' are some");
        }
}

static void dependencies(struct spec_load *l, struct reqset *set, const struct yaml *y)
{
        if (yaml_is_null(y))
                return;
        if (y->type != YAML_SEQ) {
                size_t i = spec_fault(l->ds, spec_at(l, y), spec_node_len(y), "EB102", "'dependencies' takes a list");
                diag_hint(l->ds, i, "write one package a line, each after '- '");
                return;
        }
        for (size_t i = 0; i < y->n; i++) {
                const struct yaml *item = y->v[i].value;
                if (item->type == YAML_MAP)
                        mapping_item(l, set, item);
                else if (item->type == YAML_SEQ)
                        diag_hint(l->ds, spec_fault(l->ds, spec_at(l, item), 1, "EB102", "a list inside of the list"),
                                  "write '- pip:' for requirements of pip, else take one '- ' out");
                else if (yaml_is_null(item))
                        diag_hint(l->ds, spec_fault(l->ds, spec_at(l, item), 1, "EB103", "an empty item"),
                                  "take the line out");
                else if (!folded(l, item))
                        spec_conda_item(l, item->text, spec_at(l, item));
        }
}

/* "nodefaults" is no channel: it asks for none but those that stand here (CEP 24). */
static void channels(struct spec_load *l, const struct yaml *y)
{
        struct spec_text *v = NULL;
        size_t n = 0;

        spec_node_list(l, y, "channels", &v, &n);
        for (size_t i = 0; i < n; i++)
                if (sv_is(v[i].text, "nodefaults"))
                        l->s->nodefaults = true;
                else
                        spec_channel_item(l, v[i].text, v[i].at);
}

static void platforms(struct spec_load *l, const struct yaml *y)
{
        struct spec_text *v = NULL;
        size_t n = 0;

        spec_node_list(l, y, "platforms", &v, &n);
        for (size_t i = 0; i < n; i++) {
                bool other;
                struct spec_text p = { spec_platform(v[i].text, &other), v[i].at };
                if (p.text.n)
                        SPEC_PUSH(l->a, l->s->platforms, l->s->n_platforms, p);
                else if (other)
                        spec_note(l->ds, v[i].at, v[i].text.n, "EB110",
                                  "'%.*s' has no effect: images are made for linux", SV_ARG(v[i].text));
                else
                        diag_hint(l->ds,
                                  spec_fault(l->ds, v[i].at, v[i].text.n, "EB103", "'%.*s' is not a platform",
                                             SV_ARG(v[i].text)),
                                  "write linux-64 or linux-aarch64");
        }
}

/* "python: base" decides how dependencies are read, wherever it stands. */
static bool base_python(const struct yaml *top)
{
        const struct yaml *y = yaml_get(yaml_get(top, "envbuild"), "python");

        return y && y->type == YAML_SCALAR && sv_is(y->text, "base");
}

void spec_environment(struct spec_load *l, const struct yaml *top)
{
        struct reqset set = { 0 };
        const struct yaml *deps = yaml_get(top, "dependencies");
        size_t errors = l->ds->n_errors;

        l->s->python = base_python(top) ? SPEC_PYTHON_BASE : SPEC_PYTHON_AUTO;
        for (size_t i = 0; i < top->n; i++) {
                const struct yaml *key = top->v[i].key, *value = top->v[i].value;
                if (sv_is(key->text, "name"))
                        name(l, value);
                else if (sv_is(key->text, "dependencies"))
                        dependencies(l, &set, value);
                else if (sv_is(key->text, "variables"))
                        spec_node_pairs(l, value, "variables", &l->s->variables, &l->s->n_variables);
                else if (sv_is(key->text, "platforms"))
                        platforms(l, value);
                else if (sv_is(key->text, "envbuild"))
                        spec_envbuild_key(l, value);
                else if (sv_is(key->text, "channels"))
                        channels(l, value);
                else if (!sv_is(key->text, "prefix") && !sv_is(key->text, "category"))
                        unknown_key(l, key, top);
        }
        spec_conda_under_base(l);
        for (size_t i = 0; i < l->s->n_variables; i++)
                spec_check_variable(l, &l->s->variables[i]);
        if (!deps && !yaml_get(top, "envbuild") && l->ds->n_errors == errors)
                diag_hint(l->ds,
                          spec_warn(l->ds, (struct spec_where){ l->file, 1, 1 }, 0, "EB110",
                                    "nothing is asked for: no 'dependencies'"),
                          "write 'dependencies:' and one package a line below it, each after '- '");
        reqset_finish(l, &set);
}
