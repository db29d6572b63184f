#include "install/wheel_priv.h"

#define SHEBANG_MAX 127 /* what Linux reads of a first line, "#!" and the line's end included */

/* As distlib (pip) has it: a path that the kernel would cut or split is given to sh, in lines that Python reads as a string. */
sv script_shebang(struct arena *a, sv prefix)
{
        sv exe = arena_fmt(a, "%.*s/bin/python", SV_ARG(prefix));
        bool space = sv_find(exe, ' ') >= 0;

        if (!space && exe.n + 3 <= SHEBANG_MAX)
                return arena_fmt(a, "#!%.*s\n", SV_ARG(exe));
        return arena_fmt(a, "#!/bin/sh\n'''exec' %s%.*s%s \"$0\" \"$@\"\n' '''\n", space ? "\"" : "", SV_ARG(exe),
                         space ? "\"" : "");
}

sv script_body(struct arena *a, sv shebang, const struct entry_point *ep)
{
        return arena_fmt(a,
                         "%.*simport sys\n"
                         "from %.*s import %.*s\n"
                         "if __name__ == '__main__':\n"
                         "    sys.argv[0] = sys.argv[0].removesuffix('.exe')\n"
                         "    sys.exit(%.*s())\n",
                         SV_ARG(shebang), SV_ARG(ep->module), SV_ARG(ep->first), SV_ARG(ep->attr));
}

bool script_is_python(sv first_bytes)
{
        return sv_starts(first_bytes, SV("#!python"));
}

void script_rewrite(sv text, sv shebang, struct buf *out)
{
        ptrdiff_t end = sv_find(text, '\n');

        buf_add(out, shebang);
        if (end >= 0)
                buf_add(out, sv_skip(text, (size_t)end + 1));
}
