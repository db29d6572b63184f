#include <stdlib.h>
#include <string.h>

#include "install/wheel_priv.h"

/* Letters of any alphabet count as in Python's \w: every byte of a non-ASCII character is taken. */
static bool word(char c)
{
        return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' ||
               (unsigned char)c >= 0x80;
}

static sv word_cut(sv *rest)
{
        size_t n = 0;
        sv head;

        while (n < rest->n && word(rest->p[n]))
                n++;
        head = sv_from_to(*rest, 0, n);
        *rest = sv_skip(*rest, n);
        return head;
}

/* "a.b.c": as many dotted words as there are; empty when the first is missing. */
static sv dotted_cut(sv *rest)
{
        sv all = *rest;

        if (word_cut(rest).n)
                while (rest->n > 1 && rest->p[0] == '.' && word(rest->p[1])) {
                        *rest = sv_skip(*rest, 1);
                        word_cut(rest);
                }
        return sv_from_to(all, 0, all.n - rest->n);
}

/* "[extra, other]" or nothing: extras are a note of the past, but a bracket that does not close is a fault. */
static bool extras_fine(sv rest)
{
        sv inner = { 0 }, after = sv_trim(rest);

        if (sv_starts(after, SV("["))) {
                if (sv_find(after, ']') < 2)
                        return false;
                sv_cut(&after, ']', &inner);
                inner = sv_skip(inner, 1);
        }
        return sv_find(inner, '[') < 0 && sv_find(after, '[') < 0 && sv_find(after, ']') < 0;
}

/* NULL, or what is wrong with "name = value". */
static const char *reference_read(sv name, sv value, struct entry_point *ret)
{
        sv rest = value;

        if (!name.n || sv_find(name, '[') >= 0 || sv_find(name, ']') >= 0)
                return "its name is empty or has brackets";
        ret->name = name;
        ret->module = dotted_cut(&rest);
        if (!ret->module.n)
                return "its value is not 'module:function'";
        if (!rest.n || rest.p[0] != ':' || rest.n < 2 || !word(rest.p[1]))
                return "it names no function: 'module:function' is needed";
        rest = sv_skip(rest, 1);
        ret->attr = dotted_cut(&rest);
        ret->first = ret->attr;
        if (sv_find(ret->attr, '.') >= 0)
                ret->first = sv_from_to(ret->attr, 0, (size_t)sv_find(ret->attr, '.'));
        if (rest.n > 1 && rest.p[0] == ':' && word(rest.p[1]))
                return "its value has two colons";
        return extras_fine(rest) ? NULL : "its extras are malformed";
}

static void put(struct arena *a, struct entry_points *out, const struct entry_point *ep)
{
        *arena_push(a, out->v, out->n, out->cap) = *ep;
}

static bool digits(sv *rest)
{
        size_t n = 0;

        while (n < rest->n && rest->p[n] >= '0' && rest->p[n] <= '9')
                n++;
        *rest = sv_skip(*rest, n);
        return n > 0;
}

/* "pip", "pip3", "pip3.11", "easy_install-3.8": the names that one wheel for all Pythons can only guess. */
static bool versioned(sv name, const char *of, const char *dash)
{
        sv rest = sv_skip(name, strlen(of));

        if (!sv_starts(name, sv_from(of)))
                return false;
        if (!rest.n)
                return true;
        if (!sv_starts(rest, sv_from(dash)))
                return false;
        rest = sv_skip(rest, strlen(dash));
        if (!digits(&rest))
                return false;
        if (!rest.n)
                return dash[0] == 0;
        if (rest.p[0] != '.')
                return false;
        rest = sv_skip(rest, 1);
        return digits(&rest) && !rest.n;
}

/* pip makes these three, whatever versions the wheel names. */
static void pip_names(struct arena *a, sv python, struct entry_points *ep)
{
        static const struct {
                const char *name, *dash;
        } special[] = { { "pip", "" }, { "easy_install", "-" } };

        for (size_t k = 0; k < ARRAY_LEN(special); k++) {
                struct entry_point main = { 0 };
                size_t kept = 0;
                sv major = python, head = { 0 };

                for (size_t i = 0; i < ep->n; i++)
                        if (sv_is(ep->v[i].name, special[k].name))
                                main = ep->v[i];
                if (!main.name.n)
                        continue;
                for (size_t i = 0; i < ep->n; i++)
                        if (!versioned(ep->v[i].name, special[k].name, special[k].dash))
                                ep->v[kept++] = ep->v[i];
                ep->n = kept;
                put(a, ep, &main);
                sv_cut(&major, '.', &head);
                main.name = arena_fmt(a, "%s%s%.*s", special[k].name, special[k].dash, SV_ARG(python));
                put(a, ep, &main);
                if (special[k].dash[0])
                        continue;
                main.name = arena_fmt(a, "%s%.*s", special[k].name, SV_ARG(head));
                put(a, ep, &main);
        }
}

struct numbered { /* keeps qsort stable */
        struct entry_point ep;
        size_t i;
};

static int numbered_cmp(const void *x, const void *y)
{
        const struct numbered *a = x, *b = y;
        int c = sv_cmp(a->ep.name, b->ep.name);

        return c ? c : (a->i > b->i) - (a->i < b->i);
}

/* Sorted by name; of several with one name the last stays. */
static void unique(struct arena *a, struct entry_points *ep)
{
        struct numbered *v = arena_array(a, struct numbered, ep->n + 1);
        size_t n = 0;

        for (size_t i = 0; i < ep->n; i++)
                v[i] = (struct numbered){ ep->v[i], i };
        qsort(v, ep->n, sizeof(*v), numbered_cmp);
        for (size_t i = 0; i < ep->n; i++)
                if (i + 1 == ep->n || !sv_eq(v[i].ep.name, v[i + 1].ep.name))
                        ep->v[n++] = v[i].ep;
        ep->n = n;
}

/* Python's text.splitlines(), as far as these files go: "\n", "\r\n" and "\r". */
static bool line_cut(sv *rest, sv *ret)
{
        size_t n = 0;

        if (!rest->n)
                return false;
        while (n < rest->n && rest->p[n] != '\n' && rest->p[n] != '\r')
                n++;
        *ret = sv_from_to(*rest, 0, n);
        if (n + 1 < rest->n && rest->p[n] == '\r' && rest->p[n + 1] == '\n')
                n++;
        *rest = sv_skip(*rest, n + 1);
        return true;
}

static int line_read(struct arena *a, sv line, size_t number, bool wanted, struct entry_points *ret, struct err *e)
{
        struct entry_point ep = { 0 };
        sv name, value = line;
        const char *why;

        if (sv_find(line, '=') < 0)
                return err_set(e, ERR_FAILED, "entry_points.txt:%zu: '%.*s' is not 'name = module:function'", number,
                               SV_ARG(sv_from_to(line, 0, 80)));
        if (!wanted)
                return 0;
        sv_cut(&value, '=', &name);
        name = sv_trim(name);
        value = sv_trim(value);
        why = reference_read(name, value, &ep);
        if (why)
                return err_set(e, ERR_FAILED, "entry_points.txt:%zu: the entry point '%.*s' cannot be a script: %s",
                               number, SV_ARG(sv_from_to(line, 0, 80)), why);
        put(a, ret, &ep);
        *arena_push(a, ret->declared, ret->n_declared, ret->cap_declared) = name;
        return 0;
}

int entry_points_parse(struct arena *a, sv text, sv python, struct entry_points *ret, struct err *e)
{
        struct entry_points console = { 0 };
        enum { OUTSIDE, OTHER, CONSOLE, GUI } in = OUTSIDE;
        struct entry_points gui = { 0 };
        size_t number = 1;

        if (!sv_utf8(text))
                return err_set(e, ERR_FAILED, "entry_points.txt is not UTF-8");
        for (sv line; line_cut(&text, &line); number++) {
                line = sv_trim(line);
                if (!line.n || line.p[0] == '#')
                        continue;
                if (line.p[0] == '[' && line.p[line.n - 1] == ']')
                        in = sv_is(line, "[console_scripts]") ? CONSOLE : sv_is(line, "[gui_scripts]") ? GUI : OTHER;
                else if (in != OUTSIDE && line_read(a, line, number, in >= CONSOLE, in == GUI ? &gui : &console, e) < 0)
                        return -(int)e->code;
        }
        unique(a, &console);
        pip_names(a, python, &console);
        for (size_t i = 0; i < gui.n; i++) /* after the console's: of equal names the window's script is written last */
                put(a, &console, &gui.v[i]);
        for (size_t i = 0; i < gui.n_declared; i++)
                *arena_push(a, console.declared, console.n_declared, console.cap_declared) = gui.declared[i];
        unique(a, &console);
        if (console.n_declared)
                qsort(console.declared, console.n_declared, sizeof(sv), sv_qsort);
        *ret = console;
        return 0;
}

bool entry_points_wrap(const struct entry_points *ep, sv script)
{
        static const char *const suffix[] = { ".exe", "-script.py", ".pya" };

        for (size_t i = 0; i < ARRAY_LEN(suffix); i++) {
                size_t n = strlen(suffix[i]);
                if (script.n >= n && sv_eq_nocase(sv_skip(script, script.n - n), sv_from(suffix[i]))) {
                        script = sv_from_to(script, 0, script.n - n);
                        break;
                }
        }
        return ep->n_declared && bsearch(&script, ep->declared, ep->n_declared, sizeof(sv), sv_qsort);
}
