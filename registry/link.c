#include "registry/link.h"

#include "net/url.h"

static void skip_blank(sv *s)
{
        while (s->n && (s->p[0] == ' ' || s->p[0] == '\t'))
                *s = sv_skip(*s, 1);
}

/* A token or a quoted text, quotes taken off; escapes stay as they are: no relation has one. */
static sv take_value(sv *s)
{
        size_t i = 0;
        sv v;

        if (s->n && s->p[0] == '"') {
                *s = sv_skip(*s, 1);
                while (i < s->n && s->p[i] != '"')
                        i += s->p[i] == '\\' && i + 1 < s->n ? 2 : 1;
                v = sv_from_to(*s, 0, i);
                *s = sv_skip(*s, i + 1);
                return v;
        }
        while (i < s->n && s->p[i] != ';' && s->p[i] != ',' && s->p[i] != ' ' && s->p[i] != '\t')
                i++;
        v = sv_from_to(*s, 0, i);
        *s = sv_skip(*s, i);
        return v;
}

/* "next", or one word of "prev next". */
static bool has_word(sv list, const char *word)
{
        sv one;

        while (sv_cut(&list, ' ', &one))
                if (sv_eq_nocase(one, sv_from(word)))
                        return true;
        return false;
}

/* `; a=b; rel="next"` behind a target, up to the comma before the next one. */
static bool take_params(sv *s, const char *rel)
{
        bool found = false, seen = false;

        for (;;) {
                size_t i = 0;
                sv name, value = { 0 };

                skip_blank(s);
                if (!s->n || s->p[0] != ';')
                        return found;
                *s = sv_skip(*s, 1);
                skip_blank(s);
                while (i < s->n && s->p[i] != '=' && s->p[i] != ';' && s->p[i] != ',')
                        i++;
                name = sv_trim(sv_from_to(*s, 0, i));
                *s = sv_skip(*s, i);
                if (s->n && s->p[0] == '=') {
                        *s = sv_skip(*s, 1);
                        skip_blank(s);
                        value = take_value(s);
                }
                if (!seen && sv_eq_nocase(name, SV("rel"))) { /* the first one counts */
                        seen = true;
                        found = has_word(value, rel);
                }
        }
}

bool link_find(sv header, const char *rel, sv *ret)
{
        while (header.n) {
                ptrdiff_t end;
                sv target;

                skip_blank(&header);
                if (!header.n || header.p[0] != '<' || (end = sv_find(header, '>')) < 0)
                        return false;
                target = sv_from_to(header, 1, (size_t)end);
                header = sv_skip(header, (size_t)end + 1);
                if (take_params(&header, rel)) {
                        *ret = target;
                        return true;
                }
                if (header.n && header.p[0] != ',')
                        return false;
                header = sv_skip(header, 1);
        }
        return false;
}

static sv default_port(const struct url *u)
{
        return u->port.n ? u->port : sv_eq_nocase(u->scheme, SV("https")) ? SV("443") : SV("80");
}

static bool same_host(const struct url *a, const struct url *b)
{
        return sv_eq_nocase(a->scheme, b->scheme) && sv_eq_nocase(a->host, b->host) &&
               sv_eq(default_port(a), default_port(b));
}

bool link_next(struct arena *a, sv page_url, sv header, sv *ret)
{
        struct url page, next;
        sv target, url;

        if (!link_find(header, "next", &target))
                return false;
        url = url_join(a, page_url, sv_trim(target));
        *ret = url_parse(page_url, &page) && url_parse(url, &next) && same_host(&page, &next) ? url : (sv){ 0 };
        return true;
}
