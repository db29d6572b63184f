#include "registry/challenge.h"

#include <string.h>

enum { CHALLENGES_MAX = 32 }; /* of one header; more is no server's honest wish */

static bool is_token(char c)
{
        return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
               (c && strchr("!#$%&'*+-.^_`|~", c));
}

static void skip_blanks(sv *s)
{
        while (s->n && (s->p[0] == ' ' || s->p[0] == '\t'))
                *s = sv_skip(*s, 1);
}

static sv take_token(sv *s)
{
        size_t n = 0;
        sv token;

        while (n < s->n && is_token(s->p[n]))
                n++;
        token = sv_from_to(*s, 0, n);
        *s = sv_skip(*s, n);
        return token;
}

/* After the opening quote; a string that never ends goes to the end. */
static sv take_quoted(struct arena *a, sv *s)
{
        char *out = arena_alloc(a, s->n + 1, 1);
        size_t n = 0, i = 0;

        for (; i < s->n && s->p[i] != '"'; i++) {
                if (s->p[i] == '\\' && i + 1 < s->n)
                        i++;
                out[n++] = s->p[i];
        }
        *s = sv_skip(*s, i + 1);
        return (sv){ out, n };
}

/* Without quotes it should be a token; some servers write a URL so. */
static sv take_bare(sv *s)
{
        size_t n = 0;
        sv value;

        while (n < s->n && s->p[n] > ' ' && s->p[n] != ',' && s->p[n] != '"')
                n++;
        value = sv_from_to(*s, 0, n);
        *s = sv_skip(*s, n);
        return value;
}

/* "=value" after a parameter's name; false when none follows. */
static bool take_value(struct arena *a, sv *s, sv *ret)
{
        sv rest = *s;

        skip_blanks(&rest);
        if (!rest.n || rest.p[0] != '=')
                return false;
        rest = sv_skip(rest, 1);
        skip_blanks(&rest);
        if (rest.n && rest.p[0] == '"') {
                rest = sv_skip(rest, 1);
                *ret = take_quoted(a, &rest);
        } else {
                *ret = take_bare(&rest);
        }
        *s = rest;
        return true;
}

static void set_param(struct reg_challenge *c, sv name, sv value)
{
        sv *const at[] = { &c->realm, &c->service, &c->scope, &c->error };
        static const char *const names[] = { "realm", "service", "scope", "error" };

        for (size_t i = 0; i < ARRAY_LEN(at); i++)
                if (sv_eq_nocase(name, sv_from(names[i])) && !at[i]->n)
                        *at[i] = value;
}

/* A Negotiate or NTLM challenge may carry one base64 text in place of parameters: it is stepped over. */
static void skip_token68(sv *s)
{
        size_t n = 0;

        while (n < s->n && ((is_token(s->p[n]) || s->p[n] == '/')))
                n++;
        while (n < s->n && s->p[n] == '=')
                n++;
        if (n == s->n || s->p[n] == ',')
                *s = sv_skip(*s, n);
}

/* One challenge with its parameters; what follows it is left in *s. */
static struct reg_challenge take_challenge(struct arena *a, sv *s, sv scheme)
{
        struct reg_challenge c = { REG_OTHER, .scheme = scheme };

        skip_blanks(s);
        skip_token68(s);
        for (;;) {
                sv rest = *s, name, value;

                while (rest.n && (rest.p[0] == ',' || rest.p[0] == ' ' || rest.p[0] == '\t'))
                        rest = sv_skip(rest, 1);
                name = take_token(&rest);
                if (!name.n || !take_value(a, &rest, &value))
                        break; /* the next challenge begins, or nothing that can be read */
                set_param(&c, name, value);
                *s = rest;
        }
        if (sv_eq_nocase(scheme, SV("Bearer")) && c.realm.n)
                c.kind = REG_BEARER;
        else if (sv_eq_nocase(scheme, SV("Basic")))
                c.kind = REG_BASIC;
        return c;
}

void reg_challenge_read(struct arena *a, sv value, struct reg_challenge *best)
{
        for (int i = 0; i < CHALLENGES_MAX; i++) {
                struct reg_challenge c;
                sv scheme;

                while (value.n && (value.p[0] == ',' || value.p[0] == ' ' || value.p[0] == '\t'))
                        value = sv_skip(value, 1);
                scheme = take_token(&value);
                if (!scheme.n)
                        return;
                c = take_challenge(a, &value, scheme);
                if (c.kind > best->kind)
                        *best = c;
        }
}

struct reg_challenge reg_challenge_of(struct arena *a, const struct net_answer *ans)
{
        struct reg_challenge best = { 0 };

        for (size_t i = 0; i < ans->n_header; i++)
                if (sv_is(ans->header[i].name, "www-authenticate"))
                        reg_challenge_read(a, ans->header[i].value, &best);
        return best;
}
