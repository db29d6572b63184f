/* pip's own settings, in pip's order: files, then PIP_* (specs/pypi.md §10). Command line and definition win over both. */
#include <ctype.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "image/image_priv.h"

struct conf {
        struct arena *a;
        struct pip_conf *ret;
};

static bool truth(sv v)
{
        return sv_eq_nocase(v, SV("1")) || sv_eq_nocase(v, SV("true")) || sv_eq_nocase(v, SV("yes")) ||
               sv_eq_nocase(v, SV("on"));
}

static void words(struct conf *c, sv value, sv **v, size_t *n, size_t *cap)
{
        *n = 0; /* a later source replaces, as in pip */
        while (value.n) {
                size_t k = 0;
                value = sv_trim(value);
                while (k < value.n && !isspace((unsigned char)value.p[k]))
                        k++;
                if (k)
                        *arena_push(c->a, *v, *n, *cap) = arena_sv(c->a, sv_from_to(value, 0, k));
                value = sv_skip(value, k);
        }
}

static void set(struct conf *c, sv key, sv value, const char *where)
{
        struct pip_conf *r = c->ret;

        value = sv_trim(value);
        if (sv_is(key, "index-url"))
                r->index_url = arena_sv(c->a, value);
        else if (sv_is(key, "extra-index-url"))
                words(c, value, &r->extra, &r->n_extra, &r->cap_extra);
        else if (sv_is(key, "find-links"))
                words(c, value, &r->find_links, &r->n_find_links, &r->cap_find_links);
        else if (sv_is(key, "no-index"))
                r->no_index = truth(value);
        else if (sv_is(key, "pre"))
                r->pre = truth(value);
        else
                return;
        *arena_push(c->a, r->from, r->n_from, r->cap_from) =
                arena_fmt(c->a, "pip's %.*s comes from %s", SV_ARG(key), where);
}

/* INI as configparser reads it: [section], "key = value" or "key: value", continuation lines indented. */
static void parse(struct conf *c, sv text, const char *section, const char *where)
{
        sv line, key = { 0 }, value = { 0 };
        bool in = false;

        while (sv_line(&text, &line)) {
                sv t = sv_trim(line);
                ptrdiff_t eq;

                if (t.n == 0 || t.p[0] == '#' || t.p[0] == ';')
                        continue;
                if (isspace((unsigned char)line.p[0]) && key.n) {
                        value = arena_fmt(c->a, "%.*s %.*s", SV_ARG(value), SV_ARG(t));
                        continue;
                }
                if (key.n && in)
                        set(c, key, value, where);
                key = (sv){ 0 };
                if (t.p[0] == '[') {
                        in = t.p[t.n - 1] == ']' && sv_is(sv_from_to(t, 1, t.n - 1), section);
                        continue;
                }
                eq = sv_find(t, '=');
                if (eq < 0)
                        eq = sv_find(t, ':');
                if (eq < 0)
                        continue;
                key = sv_trim(sv_from_to(t, 0, (size_t)eq));
                value = sv_trim(sv_skip(t, (size_t)eq + 1));
        }
        if (key.n && in)
                set(c, key, value, where);
}

void pip_conf_parse(struct arena *a, sv text, const char *where, struct pip_conf *ret)
{
        struct conf c = { .a = a, .ret = ret };

        parse(&c, text, "global", where);
        parse(&c, text, "install", where);
}

static void read_file(struct conf *c, const char *path)
{
        AUTO(buf_done) struct buf b = BUF_INIT((size_t)1 << 20);
        AUTO(err_done) struct err ignored = { 0 }; /* as pip: a file that is not there says nothing */

        if (fs_read(path, &b, &ignored) < 0)
                return;
        pip_conf_parse(c->a, buf_sv(&b), arena_str(c->a, sv_from(path)), c->ret);
}

static void read_files(struct conf *c)
{
        const char *only = getenv("PIP_CONFIG_FILE"), *home = getenv("HOME"), *xdg = getenv("XDG_CONFIG_HOME");
        AUTO(free_ptr) char *legacy = home ? fs_path("%s/.pip/pip.conf", home) : NULL;
        AUTO(free_ptr) char *user = xdg && *xdg ? fs_path("%s/pip/pip.conf", xdg)
                                    : home      ? fs_path("%s/.config/pip/pip.conf", home)
                                                : NULL;

        if (only && sv_is(sv_from(only), "/dev/null"))
                return;
        read_file(c, "/etc/xdg/pip/pip.conf");
        read_file(c, "/etc/pip.conf");
        if (legacy)
                read_file(c, legacy);
        if (user)
                read_file(c, user);
        if (only)
                read_file(c, only);
}

void pip_conf_read(struct arena *a, struct pip_conf *ret)
{
        static const char *const names[][2] = {
                { "PIP_INDEX_URL", "index-url" },
                { "PIP_EXTRA_INDEX_URL", "extra-index-url" },
                { "PIP_FIND_LINKS", "find-links" },
                { "PIP_NO_INDEX", "no-index" },
                { "PIP_PRE", "pre" },
        };
        struct conf c = { .a = a, .ret = ret };

        *ret = (struct pip_conf){ 0 };
        read_files(&c);
        for (size_t i = 0; i < ARRAY_LEN(names); i++) {
                const char *v = getenv(names[i][0]);
                if (v && *v)
                        set(&c, sv_from(names[i][1]), sv_from(v), names[i][0]);
        }
}
