#include "install/conda_priv.h"

#define SHEBANG_MAX 127 /* what Linux reads of a first line, "#!" and the line's end included */

/* --- where files go (CEP 17, 20) */

sv conda_place_path(struct arena *a, sv path, bool python, sv site_packages)
{
        if (python && sv_starts(path, SV("site-packages/")))
                return arena_fmt(a, "%.*s/%.*s", SV_ARG(site_packages), SV_ARG(sv_skip(path, 14)));
        if (python && sv_starts(path, SV("python-scripts/")))
                return arena_fmt(a, "bin/%.*s", SV_ARG(sv_skip(path, 15)));
        return path;
}

/* --- entry points */

/* Letters of any alphabet, as Python has it: every byte of a non-ASCII character is taken. */
static bool word(char c)
{
        return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' ||
               (unsigned char)c >= 0x80;
}

/* "a.b_c": names between single dots, none begins with a digit */
static bool dotted(sv text)
{
        sv part;

        if (!text.n || text.p[text.n - 1] == '.')
                return false;
        while (sv_cut(&text, '.', &part)) {
                if (!part.n || (part.p[0] >= '0' && part.p[0] <= '9'))
                        return false;
                for (size_t i = 0; i < part.n; i++)
                        if (!word(part.p[i]))
                                return false;
        }
        return true;
}

/* A file's name in bin/, which is not hidden */
static bool command(sv name)
{
        const char *why;

        if (!name.n || name.p[0] == '.' || sv_find(name, '/') >= 0 || !entry_path_safe(name, &why))
                return false;
        for (size_t i = 0; i < name.n; i++)
                if ((unsigned char)name.p[i] <= ' ')
                        return false;
        return true;
}

int conda_entry_point_parse(struct arena *a, sv text, struct conda_entry_point *ret, struct err *e)
{
        struct conda_entry_point ep = { 0 };
        sv rest = text;
        ptrdiff_t dot;

        sv_cut(&rest, '=', &ep.name);
        sv_cut(&rest, ':', &ep.module);
        ep.name = sv_trim(ep.name);
        ep.module = sv_trim(ep.module);
        ep.attr = sv_trim(rest);
        if (!command(ep.name))
                return err_set(e, ERR_FAILED,
                               "the entry point '%.*s' cannot be a script: '%.*s' is no name of a program",
                               SV_ARG(sv_from_to(text, 0, 200)), SV_ARG(sv_from_to(ep.name, 0, 200)));
        if (!dotted(ep.module) || !dotted(ep.attr))
                return err_set(e, ERR_FAILED,
                               "the entry point '%.*s' cannot be a script: it is not 'name = module:function'",
                               SV_ARG(sv_from_to(text, 0, 200)));
        dot = sv_find(ep.attr, '.');
        ep.first = dot < 0 ? ep.attr : sv_from_to(ep.attr, 0, (size_t)dot);
        ep.name = arena_sv(a, ep.name);
        *ret = ep;
        return 0;
}

/* Pythons from 2.7 on run it, so nothing newer is used. */
sv conda_entry_point_script(struct arena *a, sv prefix, sv python, const struct conda_entry_point *ep)
{
        sv exe = arena_fmt(a, "%.*s/bin/python%.*s", SV_ARG(prefix), SV_ARG(python)), shebang;

        if (sv_find(exe, ' ') < 0 && exe.n + 3 <= SHEBANG_MAX)
                shebang = arena_fmt(a, "#!%.*s\n", SV_ARG(exe));
        else
                shebang = arena_fmt(a, "#!/bin/sh\n'''exec' \"%.*s\" \"$0\" \"$@\" #'''\n", SV_ARG(exe));
        return arena_fmt(a,
                         "%.*simport sys\n"
                         "from %.*s import %.*s\n"
                         "if __name__ == '__main__':\n"
                         "    for end in ('-script.py', '-script.pyw', '.exe'):\n"
                         "        if sys.argv[0].endswith(end):\n"
                         "            sys.argv[0] = sys.argv[0][:-len(end)]\n"
                         "    sys.exit(%.*s())\n",
                         SV_ARG(shebang), SV_ARG(ep->module), SV_ARG(ep->first), SV_ARG(ep->attr));
}
