#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "shim/shim.h"

static bool named(const char *entry, sv name)
{
        return strncmp(entry, name.p, name.n) == 0 && entry[name.n] == '=';
}

const char *shim_env_get(char *const *env, const char *name)
{
        sv n = sv_from(name);

        for (; env && *env; env++)
                if (named(*env, n))
                        return *env + n.n + 1;
        return NULL;
}

void shim_env_set(struct shim_env *s, sv name, sv value)
{
        char *text = arena_alloc(s->a, name.n + value.n + 2, 1);
        size_t i;

        memcpy(text, name.p, name.n);
        text[name.n] = '=';
        if (value.n)
                memcpy(text + name.n + 1, value.p, value.n);
        for (i = 0; i < s->n && !named(s->v[i], name); i++)
                ;
        if (i == s->n) {
                if (s->n + 2 > s->cap) {
                        size_t cap = s->cap ? s->cap * 2 : 64;
                        char **v = arena_alloc(s->a, cap * sizeof(*v), _Alignof(char *));

                        if (s->n)
                                memcpy(v, s->v, s->n * sizeof(*v));
                        s->v = v;
                        s->cap = cap;
                }
                s->v[++s->n] = NULL;
        }
        s->v[i] = text;
}

void shim_env_fmt(struct shim_env *s, const char *name, const char *fmt, ...)
{
        AUTO(free_ptr) char *value = NULL;
        va_list ap;

        va_start(ap, fmt);
        if (vasprintf(&value, fmt, ap) < 0)
                value = xstrdup("");
        va_end(ap);
        shim_env_set(s, sv_from(name), sv_from(value));
}

int shim_env_read(struct shim_env *s, sv text, struct err *e)
{
        sv rest = text, entry;

        if (text.n && text.p[text.n - 1] != '\0')
                return err_set(e, ERR_USAGE, "the file of variables does not end with a NUL: it was cut");
        for (size_t i = 1; sv_cut(&rest, '\0', &entry); i++) {
                ptrdiff_t eq = sv_find(entry, '=');

                if (eq <= 0)
                        return err_set(e, ERR_USAGE, "entry %zu of the file of variables is not NAME=VALUE", i);
                shim_env_set(s, sv_from_to(entry, 0, (size_t)eq), sv_skip(entry, (size_t)eq + 1));
        }
        return 0;
}
