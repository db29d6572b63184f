#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "spec/requirements.h"

/* The options that pip knows in a file. Long names may be cut short as long as they are unique (optparse). */
static const struct option {
        const char *name;
        enum reqopt_id id;
        bool value;
} options[] = {
        { "--index-url", REQOPT_INDEX_URL, true },
        { "--pypi-url", REQOPT_INDEX_URL, true },
        { "-i", REQOPT_INDEX_URL, true },
        { "--extra-index-url", REQOPT_EXTRA_INDEX_URL, true },
        { "--no-index", REQOPT_NO_INDEX, false },
        { "--find-links", REQOPT_FIND_LINKS, true },
        { "-f", REQOPT_FIND_LINKS, true },
        { "--requirement", REQOPT_REQUIREMENT, true },
        { "-r", REQOPT_REQUIREMENT, true },
        { "--constraint", REQOPT_CONSTRAINT, true },
        { "-c", REQOPT_CONSTRAINT, true },
        { "--editable", REQOPT_EDITABLE, true },
        { "-e", REQOPT_EDITABLE, true },
        { "--no-binary", REQOPT_NO_BINARY, true },
        { "--only-binary", REQOPT_ONLY_BINARY, true },
        { "--prefer-binary", REQOPT_PREFER_BINARY, false },
        { "--require-hashes", REQOPT_REQUIRE_HASHES, false },
        { "--pre", REQOPT_PRE, false },
        { "--all-releases", REQOPT_ALL_RELEASES, true },
        { "--only-final", REQOPT_ONLY_FINAL, true },
        { "--trusted-host", REQOPT_TRUSTED_HOST, true },
        { "--use-feature", REQOPT_USE_FEATURE, true },
        { "--hash", REQOPT_HASH, true },
        { "--config-settings", REQOPT_CONFIG_SETTINGS, true },
        { "--config-setting", REQOPT_CONFIG_SETTINGS, true },
        { "-C", REQOPT_CONFIG_SETTINGS, true },
};

struct words {
        sv *v;
        size_t n, at;
};

/* shlex.split(): POSIX quotes and backslashes. False: a quote is left open. */
static bool shell_split(struct arena *a, sv s, struct words *ret)
{
        char *word = arena_alloc(a, s.n + 1, 1);
        size_t n = 0, i = 0;
        bool in_word = false;

        for (; i < s.n; i++) {
                char c = s.p[i];
                if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
                        if (in_word)
                                SPEC_PUSH(a, ret->v, ret->n, arena_sv(a, ((sv){ word, n })));
                        in_word = false;
                        n = 0;
                        continue;
                }
                in_word = true;
                if (c == '\\') {
                        if (++i == s.n)
                                return false;
                        word[n++] = s.p[i];
                } else if (c == '\'' || c == '"') {
                        for (i++; i < s.n && s.p[i] != c; i++) {
                                bool escape = c == '"' && s.p[i] == '\\' && i + 1 < s.n &&
                                              (s.p[i + 1] == '"' || s.p[i + 1] == '\\');
                                i += escape;
                                word[n++] = s.p[i];
                        }
                        if (i == s.n)
                                return false;
                } else {
                        word[n++] = c;
                }
        }
        if (in_word)
                SPEC_PUSH(a, ret->v, ret->n, arena_sv(a, ((sv){ word, n })));
        return true;
}

/* Words up to the first that begins with '-' are the requirement; words are what single blanks part. */
static void break_line(sv line, sv *ret_args, sv *ret_options)
{
        size_t i = 0;

        *ret_args = line;
        *ret_options = SV("");
        while (i <= line.n) {
                ptrdiff_t blank = sv_find(sv_skip(line, i), ' ');
                if (i < line.n && line.p[i] == '-') {
                        *ret_args = (sv){ line.p, i ? i - 1 : 0 };
                        *ret_options = sv_skip(line, i);
                        return;
                }
                if (blank < 0)
                        return;
                i += (size_t)blank + 1;
        }
}

struct reading {
        struct arena *a;
        struct reqopts *ret;
        char why[160];
};

static const struct option *by_name(struct reading *r, sv name)
{
        const struct option *found = NULL;

        for (size_t i = 0; i < ARRAY_LEN(options); i++)
                if (sv_is(name, options[i].name))
                        return &options[i];
        if (name.n < 3 || !sv_starts(name, SV("--"))) {
                snprintf(r->why, sizeof(r->why), "no such option: %.*s", (int)(name.n < 60 ? name.n : 60), name.p);
                return NULL;
        }
        for (size_t i = 0; i < ARRAY_LEN(options); i++) {
                if (!sv_starts(sv_from(options[i].name), name))
                        continue;
                if (found) {
                        snprintf(r->why, sizeof(r->why), "'%.*s' may be '%s' or '%s'", SV_ARG(name), found->name,
                                 options[i].name);
                        return NULL;
                }
                found = &options[i];
        }
        if (!found)
                snprintf(r->why, sizeof(r->why), "no such option: %.*s", (int)(name.n < 60 ? name.n : 60), name.p);
        return found;
}

static void add_option(struct reading *r, const struct option *o, sv value)
{
        const char *name = o->name;
        struct reqopt opt;

        for (size_t i = 0; i < ARRAY_LEN(options); i++)
                if (options[i].id == o->id) {
                        name = options[i].name; /* the first name listed is the one to show */
                        break;
                }
        opt = (struct reqopt){ o->id, name, value, value };
        SPEC_PUSH(r->a, r->ret->v, r->ret->n, opt);
}

static bool long_option(struct reading *r, struct words *w, sv word)
{
        ptrdiff_t eq = sv_find(word, '=');
        const struct option *o = by_name(r, eq < 0 ? word : sv_from_to(word, 0, (size_t)eq));
        sv value = SV("");

        if (!o)
                return false;
        if (o->value && eq < 0 && w->at == w->n) {
                snprintf(r->why, sizeof(r->why), "'%s' needs a value", o->name);
                return false;
        }
        if (!o->value && eq >= 0) {
                snprintf(r->why, sizeof(r->why), "'%s' takes no value", o->name);
                return false;
        }
        if (o->value)
                value = eq < 0 ? w->v[w->at++] : sv_skip(word, (size_t)eq + 1);
        add_option(r, o, value);
        return true;
}

/* "-rfile", "-r file": every short option of pip's takes a value, so that a bundle is one option. */
static bool short_option(struct reading *r, struct words *w, sv word)
{
        const struct option *o = by_name(r, sv_from_to(word, 0, 2));

        if (!o)
                return false;
        if (word.n == 2 && w->at == w->n) {
                snprintf(r->why, sizeof(r->why), "'%s' needs a value", o->name);
                return false;
        }
        add_option(r, o, word.n > 2 ? sv_skip(word, 2) : w->v[w->at++]);
        return true;
}

/* Words that are neither option nor value are dropped, as pip does: the requirement was taken off before. */
static bool read_options(struct reading *r, sv text)
{
        struct words w = { 0 };

        if (!shell_split(r->a, text, &w)) {
                snprintf(r->why, sizeof(r->why), "a quotation mark is not closed");
                return false;
        }
        while (w.at < w.n) {
                sv word = w.v[w.at++];
                if (sv_is(word, "--"))
                        break;
                if (word.n < 2 || word.p[0] != '-') {
                        if (!r->ret->dropped.n)
                                r->ret->dropped = word;
                        continue;
                }
                if (!(word.p[1] == '-' ? long_option(r, &w, word) : short_option(r, &w, word)))
                        return false;
        }
        return true;
}

/* URLs and paths keep their ${VAR}: options read from the unexpanded line, which must be the same ones. */
static bool take_unexpanded(const struct reqopts *wrote, struct reqopts *ret)
{
        if (wrote->n != ret->n)
                return false;
        for (size_t i = 0; i < ret->n; i++) {
                if (ret->v[i].id != wrote->v[i].id)
                        return false;
                ret->v[i].wrote = wrote->v[i].value;
        }
        ret->args_wrote = wrote->args;
        ret->dropped = wrote->dropped;
        return true;
}

static bool has_strong_name(sv value)
{
        return sv_starts(value, SV("sha256:")) || sv_starts(value, SV("sha384:")) || sv_starts(value, SV("sha512:"));
}

/* What pip's option callbacks refuse while parsing. */
static bool check_values(struct reading *r, const char **ret_code)
{
        for (size_t i = 0; i < r->ret->n; i++) {
                const struct reqopt *o = &r->ret->v[i];
                if (o->id == REQOPT_HASH && !has_strong_name(o->value)) {
                        *ret_code = "EB132";
                        snprintf(r->why, sizeof(r->why), "'--hash' takes sha256:, sha384: or sha512: and the digest");
                        return false;
                }
                if (o->id == REQOPT_CONFIG_SETTINGS && sv_find(o->value, '=') < 0) {
                        snprintf(r->why, sizeof(r->why), "'--config-settings' takes KEY=VALUE");
                        return false;
                }
                if ((o->id == REQOPT_NO_BINARY || o->id == REQOPT_ONLY_BINARY) && sv_starts(o->value, SV("-"))) {
                        snprintf(r->why, sizeof(r->why), "'%s' needs a value", o->name);
                        return false;
                }
        }
        return true;
}

static void hint_for_unknown(struct diags *ds, size_t i, sv options_text)
{
        const char *known[ARRAY_LEN(options)], *near;
        sv rest = options_text, word;
        size_t n = 0;

        for (size_t k = 0; k < ARRAY_LEN(options); k++)
                if (options[k].name[1] == '-')
                        known[n++] = options[k].name;
        while (sv_cut(&rest, ' ', &word)) {
                ptrdiff_t eq = sv_find(word, '=');
                near = sv_starts(word, SV("--"))
                               ? spec_nearest(eq < 0 ? word : sv_from_to(word, 0, (size_t)eq), known, n)
                               : NULL;
                if (near && !sv_starts(word, sv_from(near))) {
                        diag_hint(ds, i, "did you mean '%s'?", near);
                        return;
                }
        }
        diag_hint(ds, i,
                  "of pip's options a file may hold -r, -c, -i, -f, --extra-index-url, --no-index, --pre, --hash and a "
                  "few more");
}

/* The unexpanded line is read first: what it says may be shown, what a variable holds may not. */
bool reqopts_parse(struct arena *a, const struct reqline *line, struct diags *ds, struct reqopts *ret)
{
        struct reqopts wrote = { 0 };
        struct reading of_wrote = { .a = a, .ret = &wrote }, of_text = { .a = a, .ret = ret };
        const char *code = "EB130";
        sv text;
        size_t i;

        *ret = (struct reqopts){ 0 };
        break_line(line->wrote, &wrote.args, &text);
        if (!read_options(&of_wrote, text)) {
                i = spec_fault(ds, line->at, line->wrote.n, code, "%s", of_wrote.why);
                if (strncmp(of_wrote.why, "no such", 7) == 0)
                        hint_for_unknown(ds, i, text);
                return false;
        }
        break_line(line->text, &ret->args, &text);
        if (!read_options(&of_text, text) || !take_unexpanded(&wrote, ret)) {
                i = spec_fault(ds, line->at, line->wrote.n, code,
                               "the value of a variable changes how this line is read");
                diag_hint(ds, i, "percent-encode blanks and quotes in the variable's value");
                return false;
        }
        if (check_values(&of_text, &code))
                return true;
        spec_fault(ds, line->at, line->wrote.n, code, "%s", of_text.why);
        return false;
}

const struct reqopt *reqopts_get(const struct reqopts *o, enum reqopt_id id)
{
        for (size_t i = o->n; i-- > 0;)
                if (o->v[i].id == id)
                        return &o->v[i];
        return NULL;
}

const struct reqopt *reqopts_first(const struct reqopts *o, enum reqopt_id id)
{
        for (size_t i = 0; i < o->n; i++)
                if (o->v[i].id == id)
                        return &o->v[i];
        return NULL;
}
