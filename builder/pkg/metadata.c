#include "pkg/metadata.h"

#include <string.h>

struct list {
        sv *v;
        size_t n, cap;
};

static bool continues(sv rest)
{
        return rest.n && (rest.p[0] == ' ' || rest.p[0] == '\t');
}

/* A header's value with its continuation lines: joined by one space, or borrowed as it stands when there are none. */
static sv value_read(struct arena *a, sv first, sv *rest)
{
        const char *begin = rest->p;
        sv line;
        char *p;
        size_t n;

        first = sv_trim(first);
        if (!continues(*rest))
                return first;
        while (continues(*rest) && sv_line(rest, &line))
                ;
        p = arena_alloc(a, first.n + (size_t)(rest->p - begin) + 1, 1);
        memcpy(p, first.p, first.n);
        n = first.n;
        for (sv more = { begin, (size_t)(rest->p - begin) }; sv_line(&more, &line);) {
                line = sv_trim(line);
                if (n && line.n)
                        p[n++] = ' ';
                memcpy(p + n, line.p, line.n);
                n += line.n;
        }
        return (sv){ p, n };
}

static sv *single(struct metadata *m, sv name)
{
        const struct {
                const char *name;
                sv *value;
        } field[] = {
                { "Metadata-Version", &m->metadata_version }, { "Name", &m->name },       { "Version", &m->version },
                { "Requires-Python", &m->requires_python },   { "Summary", &m->summary }, { "License", &m->license }
        };

        for (size_t i = 0; i < ARRAY_LEN(field); i++)
                if (sv_eq_nocase(name, sv_from(field[i].name)))
                        return field[i].value;
        return NULL;
}

static bool is_header_name(sv name)
{
        for (size_t i = 0; i < name.n; i++)
                if (name.p[i] <= ' ' || name.p[i] == 0x7f)
                        return false;
        return name.n > 0;
}

int metadata_parse(struct arena *a, sv text, struct metadata *ret, struct err *e)
{
        struct metadata m = { 0 };
        struct list dist = { 0 }, extra = { 0 }, dynamic = { 0 };
        sv line, rest = text;

        if (sv_starts(rest, SV("\xef\xbb\xbf")))
                rest = sv_skip(rest, 3);
        for (size_t n = 1; sv_line(&rest, &line) && line.n; n++) { /* an empty line begins the description */
                ptrdiff_t colon = sv_find(line, ':');
                sv name = sv_from_to(line, 0, colon < 0 ? 0 : (size_t)colon), value, *one;

                if (!is_header_name(name) && m.name.n && m.version.n)
                        break; /* as Python's parser has it: the description begins here */
                if (!is_header_name(name))
                        return err_set(e, ERR_INTEGRITY, "metadata line %zu is not a header: '%.*s'", n,
                                       SV_ARG(sv_from_to(line, 0, 80)));
                value = value_read(a, sv_skip(line, name.n + 1), &rest);
                if (sv_eq_nocase(name, SV("Requires-Dist")))
                        *arena_push(a, dist.v, dist.n, dist.cap) = value;
                else if (sv_eq_nocase(name, SV("Provides-Extra")))
                        *arena_push(a, extra.v, extra.n, extra.cap) = value;
                else if (sv_eq_nocase(name, SV("Dynamic")))
                        *arena_push(a, dynamic.v, dynamic.n, dynamic.cap) = value;
                else if ((one = single(&m, name)) && !one->p)
                        *one = value;
        }
        if (!m.name.n || !m.version.n)
                return err_set(e, ERR_INTEGRITY, "metadata has no %s", m.name.n ? "Version" : "Name");
        m.requires_dist = dist.v;
        m.n_requires_dist = dist.n;
        m.provides_extra = extra.v;
        m.n_provides_extra = extra.n;
        m.dynamic = dynamic.v;
        m.n_dynamic = dynamic.n;
        *ret = m;
        return 0;
}
