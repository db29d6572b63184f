#include "spec/spec_priv.h"

#define NAME_MAX_LEN 128

static bool lower_or_digit(char c)
{
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool upper(char c)
{
        return c >= 'A' && c <= 'Z';
}

/* What a repository's last part may be called: lower-case letters and digits, between them '.', '_', '__' or dashes. */
static bool name_valid(sv s)
{
        size_t i = 0;

        if (s.n == 0 || s.n > NAME_MAX_LEN)
                return false;
        while (i < s.n) {
                size_t from = i, sep;
                while (i < s.n && lower_or_digit(s.p[i]))
                        i++;
                if (i == from)
                        return false;
                if (i == s.n)
                        return true;
                sep = i;
                while (i < s.n && s.p[i] == s.p[sep] && (s.p[i] == '-' || s.p[i] == '_' || s.p[i] == '.'))
                        i++;
                if (i == sep || (s.p[sep] == '.' && i > sep + 1) || (s.p[sep] == '_' && i > sep + 2))
                        return false;
        }
        return false; /* ended by a separator */
}

/* The valid name that is nearest: lower case, one '-' for whatever else, none at the ends; "env" when nothing is left. */
sv spec_name_repair(struct arena *a, sv s)
{
        char *out = arena_alloc(a, s.n + 4, 1);
        size_t n = 0;

        for (size_t i = 0; i < s.n && n < NAME_MAX_LEN; i++) {
                char c = upper(s.p[i]) ? (char)(s.p[i] | 0x20) : s.p[i];
                if (lower_or_digit(c))
                        out[n++] = c;
                else if (n && out[n - 1] != '-' && out[n - 1] != '_' && out[n - 1] != '.')
                        out[n++] = c == '_' || c == '.' ? c : '-';
        }
        while (n && !lower_or_digit(out[n - 1]))
                n--;
        return n ? (sv){ out, n } : SV("env");
}

bool spec_check_name(struct spec_load *l, const struct spec_text *name)
{
        size_t i;
        sv good;

        if (name_valid(name->text))
                return true;
        good = spec_name_repair(l->a, name->text);
        i = spec_fault(l->ds, name->at, name->text.n, "EB103", "'%.*s' cannot name an image", SV_ARG(name->text));
        diag_hint(l->ds, i, "write 'name: %.*s' (lower-case letters, digits, single '-', '_', '.')", SV_ARG(good));
        return false;
}

sv spec_name_of(struct arena *a, sv path)
{
        sv base = sv_basename(path);
        ptrdiff_t dot = sv_rfind(base, '.');

        if (dot > 0)
                base.n = (size_t)dot;
        return spec_name_repair(a, base);
}

static bool variable_name_valid(sv s)
{
        for (size_t i = 0; i < s.n; i++) {
                char c = s.p[i];
                if (!(lower_or_digit(c) || upper(c) || c == '_') || (i == 0 && c >= '0' && c <= '9'))
                        return false;
        }
        return s.n > 0;
}

static bool has_word(sv name, const char *word)
{
        sv rest = name, part;

        while (sv_cut(&rest, '_', &part))
                if (sv_eq_nocase(part, sv_from(word)))
                        return true;
        return false;
}

static bool holds(sv name, const char *what)
{
        sv word = sv_from(what);

        for (size_t i = 0; i + word.n <= name.n; i++)
                if (sv_eq_nocase((sv){ name.p + i, word.n }, word))
                        return true;
        return false;
}

/* TOKENIZERS_PARALLELISM and its kin are no secrets. */
bool spec_secret_name(sv name)
{
        return (holds(name, "TOKEN") && !holds(name, "TOKENIZ")) || holds(name, "SECRET") || holds(name, "PASSWORD") ||
               holds(name, "PASSWD") || holds(name, "CREDENTIAL") || holds(name, "APIKEY") || has_word(name, "KEY");
}

bool spec_check_variable(struct spec_load *l, const struct spec_pair *p)
{
        size_t i;

        if (!variable_name_valid(p->key)) {
                i = spec_fault(l->ds, p->at, p->key.n, "EB103", "'%.*s' cannot name a variable", SV_ARG(p->key));
                diag_hint(l->ds, i, "use letters, digits and '_', and begin with a letter");
                return false;
        }
        for (size_t k = 0; k < p->value.n; k++)
                if (p->value.p[k] == '\0') {
                        spec_fault(l->ds, p->at, p->key.n, "EB103", "the value of '%.*s' holds a NUL byte",
                                   SV_ARG(p->key));
                        return false;
                }
        if (p->value.n && spec_secret_name(p->key)) {
                i = spec_warn(l->ds, p->at, p->key.n, "EB500",
                              "'%.*s' looks like a secret, and its value would be baked into the image",
                              SV_ARG(p->key));
                diag_hint(l->ds, i, "take it out, and give it when the image runs: run -e %.*s=…", SV_ARG(p->key));
        }
        return true;
}

sv spec_platform(sv text, bool *ret_other)
{
        static const struct {
                const char *name, *oci;
        } known[] = {
                { "linux/amd64", "linux/amd64" },   { "linux-64", "linux/amd64" },
                { "linux/arm64", "linux/arm64" },   { "linux/arm64/v8", "linux/arm64" },
                { "linux-aarch64", "linux/arm64" },
        };
        static const char *const other[] = { "linux-",   "linux/",  "osx-",       "win-",  "darwin/",
                                             "windows/", "freebsd", "emscripten", "wasi-", "zos-" };

        *ret_other = false;
        for (size_t i = 0; i < ARRAY_LEN(known); i++)
                if (sv_is(text, known[i].name))
                        return sv_from(known[i].oci);
        for (size_t i = 0; i < ARRAY_LEN(other); i++)
                *ret_other |= sv_starts(text, sv_from(other[i]));
        return SV("");
}
