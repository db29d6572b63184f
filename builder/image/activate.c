/* What activating a conda environment would set, baked into the image's config (design §5): nothing may rely on an entry point being run.
 * Only scripts that do nothing but set variables are understood; every other one is named in a warning. */
#include <string.h>

#include "base/cleanup.h"
#include "image/activate.h"

#define VARIABLE_MAX ((size_t)64 << 10) /* bytes of one value */

static bool is_name(sv s)
{
        for (size_t i = 0; i < s.n; i++) {
                char c = s.p[i];
                if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (i && c >= '0' && c <= '9')))
                        return false;
        }
        return s.n > 0;
}

static size_t name_length(sv s)
{
        size_t n = 0;

        while (n < s.n && is_name(sv_from_to(s, 0, n + 1)))
                n++;
        return n;
}

static sv value_of(const struct activate *x, sv name)
{
        for (size_t i = x->n_set; i-- > 0;)
                if (sv_eq(x->set[i].key, name))
                        return x->set[i].value;
        if (sv_is(name, "CONDA_PREFIX"))
                return x->prefix;
        return x->env ? x->env(x->arg, name) : (sv){ 0 };
}

/* $NAME, ${NAME}, ${NAME:-word}, ${NAME-word}; word without quotes and dollars. False: more than that. */
static bool expand(const struct activate *x, sv *rest, struct buf *out)
{
        sv name, word = { 0 }, value;
        size_t n;

        *rest = sv_skip(*rest, 1);
        if (!sv_starts(*rest, SV("{"))) {
                n = name_length(*rest);
                if (!n)
                        return false;
                buf_add(out, value_of(x, sv_from_to(*rest, 0, n)));
                *rest = sv_skip(*rest, n);
                return true;
        }
        if (!sv_cut(rest, '}', &name))
                return false;
        name = sv_skip(name, 1);
        n = name_length(name);
        word = sv_skip(name, n);
        name = sv_from_to(name, 0, n);
        if (sv_starts(word, SV(":-")))
                word = sv_skip(word, 2);
        else if (sv_starts(word, SV("-")))
                word = sv_skip(word, 1);
        else if (word.n)
                return false;
        for (size_t i = 0; i < word.n; i++)
                if (strchr("$`\"'\\{}", word.p[i]))
                        return false;
        value = value_of(x, name);
        buf_add(out, value.n ? value : word);
        return n > 0;
}

/* One shell word that is a constant but for variables. *rest: what follows it. */
static bool word(const struct activate *x, sv *rest, struct buf *out)
{
        char quote = 0;

        while (rest->n) {
                char c = rest->p[0];

                if (quote == 0 && strchr(" \t;#&|<>()", c))
                        break;
                if (quote != '\'' && (c == '`' || c == '\\'))
                        return false;
                if (quote == 0 && strchr("*?[~", c))
                        return false;
                if (quote != '\'' && c == '$') {
                        if (!expand(x, rest, out))
                                return false;
                        continue;
                }
                if ((c == '"' || c == '\'') && (!quote || quote == c))
                        quote = quote ? 0 : c;
                else
                        buf_add(out, sv_from_to(*rest, 0, 1));
                *rest = sv_skip(*rest, 1);
        }
        return quote == 0;
}

/* What may end a statement: nothing, a comment, ";". */
static bool ends(sv *rest)
{
        *rest = sv_trim(*rest);
        if (rest->n == 0 || rest->p[0] == '#') {
                *rest = (sv){ 0 };
                return true;
        }
        if (rest->p[0] != ';' || sv_starts(*rest, SV(";;")))
                return false;
        *rest = sv_trim(sv_skip(*rest, 1));
        return true;
}

static bool statement(struct activate *x, struct arena *a, sv *rest)
{
        AUTO(buf_done) struct buf value = BUF_INIT(VARIABLE_MAX);
        sv name;
        size_t n;

        if (!sv_starts(*rest, SV("export ")) && !sv_starts(*rest, SV("export\t")))
                return false;
        *rest = sv_trim(sv_skip(*rest, 7));
        n = name_length(*rest);
        name = sv_from_to(*rest, 0, n);
        *rest = sv_skip(*rest, n);
        if (!n || !sv_starts(*rest, SV("=")))
                return false;
        *rest = sv_skip(*rest, 1);
        if (!word(x, rest, &value) || value.over || !ends(rest))
                return false;
        *arena_push(a, x->set, x->n_set, x->cap_set) =
                (struct activate_pair){ arena_sv(a, name), arena_sv(a, buf_sv(&value)) };
        return true;
}

bool activate_read(struct activate *x, struct arena *a, sv script)
{
        size_t n = x->n_set;
        sv line;

        while (sv_cut(&script, '\n', &line)) {
                line = sv_trim(line);
                if (line.n && line.p[0] == '#')
                        continue;
                while (line.n)
                        if (!statement(x, a, &line)) {
                                x->n_set = n;
                                return false;
                        }
        }
        return true;
}
