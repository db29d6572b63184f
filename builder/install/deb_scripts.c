#include "install/deb_scripts.h"

/* Blocks between "# Automatically added by dh_x" and "# End automatically added section". Void: what they do needs a running system (units,
 * init scripts, udev, initramfs), is done by layer `os` for every image (ldconfig), only acts on upgrades (conffiles), or makes what is
 * made on demand (bytecode). */
static const char *const void_blocks[] = { "dh_installdeb",
                                           "dh_makeshlibs",
                                           "dh_python3",
                                           "dh_python2",
                                           "dh_pypy",
                                           "dh_installsystemd",
                                           "dh_systemd_enable",
                                           "dh_systemd_start",
                                           "dh_installinit",
                                           "dh_installudev",
                                           "dh_installmenu",
                                           "dh_installmime",
                                           "dh_installdebconf",
                                           "dh_installtmpfiles",
                                           "dh_installmodules",
                                           "dh_installinfo",
                                           "dh_installinitramfs",
                                           "dh_installsystemduser",
                                           "dh_icons",
                                           "dh_lintian" };

static bool is_void_block(sv name)
{
        for (size_t i = 0; i < sizeof(void_blocks) / sizeof(void_blocks[0]); i++)
                if (sv_is(name, void_blocks[i]))
                        return true;
        return false;
}

/* --- words of a line, as the shell would see them if it is plain enough */

#define WORDS_MAX 256
struct words {
        sv v[WORDS_MAX];
        size_t n;
};

static bool plain_char(char c)
{
        return c != '$' && c != '`' && c != '*' && c != '?' && c != '[' && c != ']' && c != '(' && c != ')' &&
               c != '<' && c != '{' && c != '}' && c != '\\' && c != '~' && c != '!' && c != '#' && c != ';' &&
               c != '&';
}

/* False for whatever would need a shell. '>' and '|' come out as they stand, for the endings that are known. */
static bool split(sv line, struct words *ret)
{
        ret->n = 0;
        for (size_t i = 0; i < line.n;) {
                size_t from = i;
                char quote = line.p[i];

                if (quote == ' ' || quote == '\t') {
                        i++;
                        continue;
                }
                if (ret->n == WORDS_MAX)
                        return false;
                if (quote == '"' || quote == '\'') {
                        for (i = ++from; i < line.n && line.p[i] != quote; i++)
                                if (!plain_char(line.p[i]))
                                        return false;
                        if (i == line.n || (i + 1 < line.n && line.p[i + 1] != ' ' && line.p[i + 1] != '\t'))
                                return false;
                        ret->v[ret->n++] = sv_from_to(line, from, i++);
                        continue;
                }
                for (; i < line.n && line.p[i] != ' ' && line.p[i] != '\t'; i++)
                        if (!plain_char(line.p[i]) || line.p[i] == '"' || line.p[i] == '\'')
                                return false;
                ret->v[ret->n++] = sv_from_to(line, from, i);
        }
        return ret->n > 0;
}

static bool word_is(const struct words *w, size_t i, const char *text)
{
        return i < w->n && sv_is(w->v[i], text);
}

/* "|| true", "|| :", "> /dev/null", ">/dev/null" at the end change nothing that counts. */
static void cut_ending(struct words *w)
{
        if (w->n >= 2 && word_is(w, w->n - 2, "||") && (word_is(w, w->n - 1, "true") || word_is(w, w->n - 1, ":")))
                w->n -= 2;
        if (w->n >= 1 && word_is(w, w->n - 1, ">/dev/null"))
                w->n--;
        else if (w->n >= 2 && word_is(w, w->n - 2, ">") && word_is(w, w->n - 1, "/dev/null"))
                w->n -= 2;
}

static bool absolute(sv path)
{
        return path.n > 1 && path.p[0] == '/' && path.p[path.n - 1] != '/';
}

static bool priority_of(sv text, int64_t *ret)
{
        bool minus = sv_starts(text, SV("-"));
        uint64_t n;

        if (!sv_u64(sv_skip(text, minus), &n) || n > INT32_MAX)
                return false;
        *ret = minus ? -(int64_t)n : (int64_t)n;
        return true;
}

static bool name_ok(sv name)
{
        return name.n > 0 && sv_find(name, '/') < 0 && name.p[0] != '-';
}

static bool read_alternative(struct arena *a, struct words *w, struct deb_alternative *ret)
{
        size_t i = 1, cap = 0;

        cut_ending(w);
        while (word_is(w, i, "--quiet") || word_is(w, i, "--force"))
                i++;
        if (!word_is(w, i, "--install") || w->n < i + 5)
                return false;
        *ret = (struct deb_alternative){ .link = w->v[i + 1], .name = w->v[i + 2], .path = w->v[i + 3] };
        if (!priority_of(w->v[i + 4], &ret->priority) || !absolute(ret->link) || !absolute(ret->path) ||
            !name_ok(ret->name))
                return false;
        for (i += 5; i < w->n; i += 4) {
                struct deb_slave s;

                if (!word_is(w, i, "--slave") || w->n < i + 4)
                        return false;
                s = (struct deb_slave){ w->v[i + 1], w->v[i + 2], w->v[i + 3] };
                if (!absolute(s.link) || !absolute(s.path) || !name_ok(s.name))
                        return false;
                *arena_push(a, ret->slave, ret->n_slave, cap) = s;
        }
        return true;
}

/* --- lines */

struct reader {
        struct arena *a;
        struct deb_script *ret;
        size_t cap;
        bool postinst;
        unsigned depth; /* of known `if`s */
};

/* One command, continued lines joined; comments are whole lines, or the last of the lines that continue another. */
static bool command(sv *rest, struct arena *a, sv *ret)
{
        sv line;

        if (!sv_line(rest, ret))
                return false;
        *ret = sv_trim(*ret);
        while (ret->n && ret->p[ret->n - 1] == '\\' && ret->p[0] != '#' && sv_line(rest, &line)) {
                line = sv_trim(line);
                if (sv_starts(line, SV("#"))) { /* runs to the end of its line, whatever stands there */
                        *ret = sv_trim(sv_from_to(*ret, 0, ret->n - 1));
                        break;
                }
                *ret = arena_fmt(a, "%.*s %.*s", (int)(ret->n - 1), ret->p, SV_ARG(line));
        }
        return true;
}

/* if [ "$1" = "configure" ] || [ "$1" = "abort-upgrade" ]; then — a condition on the action alone that holds when configuring. */
static bool configure_guard(sv line)
{
        sv rest = line;
        bool holds = false;

        if (!sv_starts(rest, SV("if ")) || !sv_ends(rest, SV("then")))
                return false;
        rest = sv_trim(sv_from_to(rest, 3, rest.n - 4));
        if (!sv_ends(rest, SV(";")))
                return false;
        rest = sv_trim(sv_from_to(rest, 0, rest.n - 1));
        while (rest.n) {
                ptrdiff_t close = sv_find(rest, ']');
                sv test = sv_from_to(rest, 0, close < 0 ? 0 : (size_t)close + 1);

                if (sv_is(test, "[ \"$1\" = \"configure\" ]") || sv_is(test, "[ \"$1\" = configure ]") ||
                    sv_is(test, "[ \"$1\" = 'configure' ]") || sv_is(test, "[ \"$1\" != upgrade ]") ||
                    sv_is(test, "[ \"$1\" != \"upgrade\" ]"))
                        holds = true;
                else if (!sv_starts(test, SV("[ \"$1\" = ")) || sv_find(sv_skip(test, 5), '$') >= 0 ||
                         sv_find_sv(test, SV("-a")) == 0)
                        return false;
                rest = sv_trim(sv_skip(rest, test.n));
                if (rest.n == 0)
                        break;
                if (!sv_starts(rest, SV("||")))
                        return false;
                rest = sv_trim(sv_skip(rest, 2));
        }
        return holds;
}

static bool harmless(sv line)
{
        static const char *const known[] = { "set -e", "set -eu", "set -u", "exit 0", ":", "true" };

        for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
                if (sv_is(line, known[i]))
                        return true;
        return false;
}

/* dpkg-maintscript-helper rm_conffile … -- "$@": acts on upgrades and removals only. */
static bool maintscript_helper(sv line)
{
        static const char *const verbs[] = { "rm_conffile ", "mv_conffile ", "symlink_to_dir ", "dir_to_symlink " };
        sv rest = line;

        if (!sv_starts(rest, SV("dpkg-maintscript-helper ")) || !sv_ends(rest, SV(" -- \"$@\"")))
                return false;
        rest = sv_trim(sv_skip(rest, 24));
        for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
                if (sv_starts(rest, sv_from(verbs[i])))
                        return sv_find(sv_from_to(rest, 0, rest.n - 8), '$') < 0 && sv_find(rest, ';') < 0 &&
                               sv_find(rest, '`') < 0 && sv_find(rest, '|') < 0 && sv_find(rest, '&') < 0;
        return false;
}

static bool known_line(struct reader *r, sv line)
{
        struct words w;
        struct deb_alternative alt;

        if (line.n == 0 || line.p[0] == '#' || harmless(line) || maintscript_helper(line))
                return true;
        if (sv_is(line, "fi") && r->depth) {
                r->depth--;
                return true;
        }
        if (r->postinst && configure_guard(line)) {
                r->depth++;
                return true;
        }
        if (!r->postinst || !sv_starts(line, SV("update-alternatives ")) || !split(line, &w) ||
            !read_alternative(r->a, &w, &alt))
                return false;
        *arena_push(r->a, r->ret->alternative, r->ret->n_alternative, r->cap) = alt;
        return true;
}

/* Passes over a block of debhelper's; *rest stands behind its first line. */
static bool block(struct reader *r, sv first, sv *rest)
{
        sv name = sv_skip(first, sizeof("# Automatically added by ") - 1), line;
        ptrdiff_t slash = sv_find(name, '/');
        bool is_void, alternatives;

        if (slash >= 0)
                name = sv_from_to(name, 0, (size_t)slash);
        is_void = is_void_block(name);
        alternatives = sv_is(name, "dh_installalternatives");
        if (sv_is(name, "dh_installsysusers"))
                is_void = r->ret->sysusers = true;
        r->ret->line = first;
        if (!is_void && !alternatives)
                return false;
        while (command(rest, r->a, &line)) {
                if (sv_is(line, "# End automatically added section"))
                        return true;
                if (alternatives && !known_line(r, line)) {
                        r->ret->line = line;
                        return false;
                }
        }
        return false;
}

void deb_script_read(struct arena *a, sv name, sv text, struct deb_script *ret)
{
        struct reader r = { .a = a, .ret = ret, .postinst = sv_is(name, "postinst") };
        sv rest = text, line = { 0 };

        *ret = (struct deb_script){ .kind = SCRIPT_UNKNOWN };
        if (text.n == 0) {
                ret->kind = SCRIPT_VOID;
                return;
        }
        if (!sv_line(&rest, &line) || (!sv_starts(line, SV("#!/bin/sh")) && !sv_starts(line, SV("#! /bin/sh")) &&
                                       !sv_starts(line, SV("#!/bin/bash")))) {
                ret->line = line;
                return;
        }
        while (command(&rest, a, &line)) {
                bool known = sv_starts(line, SV("# Automatically added by ")) ? block(&r, line, &rest)
                                                                              : known_line(&r, line);

                if (!known) {
                        if (!sv_starts(line, SV("# Automatically added by ")))
                                ret->line = line;
                        return;
                }
                if (sv_is(line, "exit 0") && r.depth == 0)
                        break;
        }
        ret->line = (sv){ 0 };
        if (r.depth == 0)
                ret->kind = ret->n_alternative ? SCRIPT_ALTERNATIVES : SCRIPT_VOID;
}
