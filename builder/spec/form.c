#include <string.h>

#include "spec/spec_priv.h"

/* Documents that are no environment.yml, told by keys that only they have. */
static const struct {
        const char *keys[3]; /* all must be there */
        const char *what, *hint;
} forms[] = {
        { { "build_dependencies" }, "an MLflow python_env file", "move its dependencies into a requirements.txt" },
        { { "environmentVariables" }, "an Azure ML v1 environment", "give the conda file beside it" },
        { { "framework", "script" },
          "an Azure ML run configuration",
          "run it: envbuild run FILE; or give the conda file that it names" },
        { { "command", "environment" },
          "an Azure ML job",
          "run it: envbuild run FILE; or give the conda file of its environment" },
        { { "jobs" }, "an Azure ML pipeline", "give the conda file of its environment" },
        { { "type", "spec" }, "an asset of azureml-assets", "give the conda file of its context" },
        { { "services" }, "a compose file", NULL },
        { { "dependencies", "files" },
          "a list of dependencies for rapids-dependency-file-generator",
          "give an environment.yml that it made" },
};

static size_t other(struct spec_load *l, const char *what, const char *hint)
{
        size_t i = spec_fault(l->ds, (struct spec_where){ l->file, 1, 1 }, 0, "EB107",
                              "this is %s, and those are not read yet", what);

        if (hint)
                diag_hint(l->ds, i, "%s", hint);
        return i;
}

bool spec_other_name(struct spec_load *l)
{
        static const struct {
                const char *end, *what, *hint;
        } names[] = {
                { ".toml", "a TOML file", "write a requirements.txt: pip can make one of it" },
                { ".runconfig", "an Azure ML run configuration",
                  "run it: envbuild run FILE; or give the conda file that it names" },
                { ".py", "a program", "give an environment.yml or a requirements.txt" },
                { ".ipynb", "a notebook", "give an environment.yml or a requirements.txt" },
        };

        for (size_t i = 0; i < ARRAY_LEN(names); i++)
                if (sv_ends(l->file, sv_from(names[i].end))) {
                        other(l, names[i].what, names[i].hint);
                        return true;
                }
        return false;
}

static bool has_environment_key(const struct yaml *top)
{
        static const char *const keys[] = {
                "channels", "dependencies", "variables", "envbuild", "platforms", "prefix"
        };

        for (size_t i = 0; i < ARRAY_LEN(keys); i++)
                if (yaml_get(top, keys[i]))
                        return true;
        return false;
}

/* What people write for 'dependencies', beyond a slip of the fingers. */
static bool means_dependencies(sv key)
{
        static const char *const words[] = {
                "requirements", "packages", "requires", "deps", "pip", "conda", "modules"
        };

        for (size_t i = 0; i < ARRAY_LEN(words); i++)
                if (sv_is(key, words[i]))
                        return true;
        return false;
}

static bool misspelt(struct spec_load *l, const struct yaml *top)
{
        static const char *const keys[] = { "dependencies", "channels", "variables", "envbuild" };

        for (size_t i = 0; i < top->n; i++) {
                const struct yaml *key = top->v[i].key;
                const char *near =
                        means_dependencies(key->text) ? keys[0] : spec_nearest(key->text, keys, ARRAY_LEN(keys));
                if (!near)
                        continue;
                diag_hint(l->ds,
                          spec_fault(l->ds, spec_at(l, key), spec_node_len(key), "EB101", "unknown key '%.*s'",
                                     SV_ARG(key->text)),
                          "did you mean '%s'?", near);
                return true;
        }
        return false;
}

static bool only_a_name(const struct yaml *top)
{
        return top->n == 1 && yaml_get(top, "name");
}

static void not_a_mapping(struct spec_load *l, const struct yaml *top)
{
        size_t i = spec_fault(l->ds, spec_at(l, top), 1, "EB102", "%s",
                              yaml_is_null(top) ? "the definition is empty" : "a definition is a mapping of keys");

        if (top->type == YAML_SEQ)
                diag_hint(l->ds, i, "write 'dependencies:' above the list");
        else
                diag_hint(l->ds, i,
                          "write 'dependencies:' and under it '- pip:' with a list; a list of requirements alone is a "
                          ".txt file");
}

bool spec_other_form(struct spec_load *l, const struct yaml *top)
{
        if (top->type != YAML_MAP) {
                not_a_mapping(l, top);
                return true;
        }
        for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
                bool all = true;
                for (size_t k = 0; k < ARRAY_LEN(forms[i].keys) && forms[i].keys[k]; k++)
                        all = all && yaml_get(top, forms[i].keys[k]);
                if (all) {
                        other(l, forms[i].what, forms[i].hint);
                        return true;
                }
        }
        if (has_environment_key(top) || only_a_name(top))
                return false;
        if (!misspelt(l, top))
                diag_hint(l->ds,
                          spec_fault(l->ds, (struct spec_where){ l->file, 1, 1 }, 0, "EB107",
                                     "this is no environment: no 'dependencies'"),
                          "write 'dependencies:' and under it '- pip:' with a list");
        return true;
}

/* "key:" at the beginning of a line, as every tool writes its locks. */
static bool has_line(sv text, const char *key)
{
        size_t n = strlen(key);
        sv line;

        while (sv_line(&text, &line))
                if (sv_starts(line, sv_from(key)) && line.n > n && line.p[n] == ':')
                        return true;
        return false;
}

static bool has_explicit(sv text)
{
        sv line;

        while (sv_line(&text, &line))
                if (sv_is(sv_trim(line), "@EXPLICIT"))
                        return true;
        return false;
}

enum spec_form spec_form_of(sv path, sv text)
{
        if (sv_starts(text, SV("\xef\xbb\xbf")))
                text = sv_skip(text, 3);
        if (has_explicit(text))
                return SPEC_FORM_EXPLICIT;
        if (sv_ends(path, SV(".txt")) || sv_ends(path, SV(".in")))
                return SPEC_FORM_REQUIREMENTS;
        if (has_line(text, "lock") && has_line(text, "layer-format"))
                return SPEC_FORM_LOCK;
        if (has_line(text, "metadata") && has_line(text, "package"))
                return SPEC_FORM_CONDA_LOCK;
        if (has_line(text, "version") && has_line(text, "environments") && has_line(text, "packages"))
                return SPEC_FORM_PIXI;
        return SPEC_FORM_YAML;
}

bool spec_finished(struct spec_load *l, enum spec_form form)
{
        static const char *const what[] = {
                [SPEC_FORM_LOCK] = "a lock of envbuild",
                [SPEC_FORM_CONDA_LOCK] = "a conda-lock file",
                [SPEC_FORM_EXPLICIT] = "an explicit list of conda packages",
                [SPEC_FORM_PIXI] = "a pixi lock",
        };
        size_t i;

        if (form >= ARRAY_LEN(what) || !what[form])
                return false;
        i = spec_fault(l->ds, (struct spec_where){ l->file, 1, 1 }, 0, "EB107",
                       "this is %s: a finished resolution, which nothing can be added to", what[form]);
        diag_hint(l->ds, i, "give it alone, or the definition that it was made from");
        return true;
}
