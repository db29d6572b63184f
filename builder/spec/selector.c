#include "spec/spec_priv.h"

/* conda-lock takes "- pywin32  # [win]" for an item of one platform. To conda, micromamba and us it is a comment: the item counts everywhere,
 * and that it does is told. Comments are not in the tree, so that lines are looked at. */

static bool platform_word(sv w)
{
        static const char *const words[] = { "linux",   "osx",     "win",     "unix",          "linux64",
                                             "linux32", "win32",   "win64",   "arm64",         "x86",
                                             "x86_64",  "aarch64", "ppc64le", "linux-64",      "osx-64",
                                             "win-64",  "armv7l",  "s390x",   "linux-aarch64", "osx-arm64" };

        for (size_t i = 0; i < ARRAY_LEN(words); i++)
                if (sv_is(w, words[i]))
                        return true;
        return false;
}

/* "win", "not win", "linux and aarch64": words of platforms, at least one. */
static bool selects(sv text, sv *ret_first)
{
        sv word;

        *ret_first = SV("");
        while (sv_cut(&text, ' ', &word)) {
                if (word.n == 0 || sv_is(word, "not") || sv_is(word, "and") || sv_is(word, "or"))
                        continue;
                if (!platform_word(word))
                        return false;
                if (ret_first->n == 0)
                        *ret_first = word;
        }
        return ret_first->n > 0;
}

/* What stands between "# [" and "]" behind an item; empty when there is no such thing. */
static sv selector_of(sv line, size_t *ret_col)
{
        sv item = sv_trim(line), rest;
        ptrdiff_t hash = sv_find_sv(line, SV(" #")), open, close;

        if (hash < 0 || !sv_starts(item, SV("- ")))
                return SV("");
        rest = sv_skip(line, (size_t)hash + 2);
        open = sv_find(rest, '[');
        if (open < 0 || sv_trim(sv_from_to(rest, 0, (size_t)open)).n)
                return SV("");
        rest = sv_skip(rest, (size_t)open + 1);
        close = sv_find(rest, ']');
        *ret_col = (size_t)hash + 2;
        return close < 0 ? SV("") : sv_from_to(rest, 0, (size_t)close);
}

static void told(struct spec_load *l, sv selector, sv first, struct spec_where at)
{
        size_t i = spec_warn(l->ds, at, selector.n + 4, "EB112",
                             "'[%.*s]' is a comment: the line counts on every platform", SV_ARG(selector));

        if (sv_starts(selector, SV("not ")))
                diag_hint(l->ds, i, "write '- sel(linux): …' for what only linux gets, and take out what it must not");
        else if (sv_starts(first, SV("osx")) || sv_starts(first, SV("win")))
                diag_hint(l->ds, i, "write '- sel(%s): …'", sv_starts(first, SV("osx")) ? "osx" : "win");
        else
                diag_hint(l->ds, i, "write '- sel(%s): …'", sv_is(first, "unix") ? "unix" : "linux");
}

void spec_selectors(struct spec_load *l, sv text)
{
        struct spec_where at = { l->file, 0, 0 };
        sv line, first;

        while (sv_line(&text, &line)) {
                size_t col = 0;
                sv selector = selector_of(line, &col);
                at.line++;
                at.col = (uint32_t)col;
                if (selector.n && selects(selector, &first))
                        told(l, selector, first, at);
        }
}
