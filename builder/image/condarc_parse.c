/* .condarc's texts and CONDA_* → one answer. Reading them is image/condarc.c. */
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "ext/yaml.h"
#include "image/condarc.h"

enum list_id { LIST_CHANNELS, LIST_DEFAULTS, LIST_ALLOW, LIST_DENY, LIST_N };
enum map_id { MAP_CUSTOM, MAP_MULTI, MAP_MIRRORS, MAP_N };
enum word_id { WORD_ALIAS, WORD_PRIORITY, WORD_VERIFY, WORD_N };

enum shape { SHAPE_LIST, SHAPE_MAP, SHAPE_WORD };
static const struct {
        const char *key, *env; /* env NULL: no variable */
        enum shape shape;
        int id;
} keys[] = {
        { "channels", "CONDA_CHANNELS", SHAPE_LIST, LIST_CHANNELS },
        { "channel", NULL, SHAPE_LIST, LIST_CHANNELS },
        { "default_channels", "CONDA_DEFAULT_CHANNELS", SHAPE_LIST, LIST_DEFAULTS },
        { "allowlist_channels", "CONDA_ALLOWLIST_CHANNELS", SHAPE_LIST, LIST_ALLOW },
        { "whitelist_channels", "CONDA_WHITELIST_CHANNELS", SHAPE_LIST, LIST_ALLOW },
        { "denylist_channels", "CONDA_DENYLIST_CHANNELS", SHAPE_LIST, LIST_DENY },
        { "custom_channels", NULL, SHAPE_MAP, MAP_CUSTOM },
        { "custom_multichannels", NULL, SHAPE_MAP, MAP_MULTI },
        { "mirrored_channels", NULL, SHAPE_MAP, MAP_MIRRORS },
        { "channel_alias", "CONDA_CHANNEL_ALIAS", SHAPE_WORD, WORD_ALIAS },
        { "channel_priority", "CONDA_CHANNEL_PRIORITY", SHAPE_WORD, WORD_PRIORITY },
        { "ssl_verify", "CONDA_SSL_VERIFY", SHAPE_WORD, WORD_VERIFY },
        { "verify_ssl", NULL, SHAPE_WORD, WORD_VERIFY },
};

struct item {
        sv text, where;
        size_t source;
        bool top, bottom;
};
struct list {
        struct item *v;
        size_t n, cap;
        bool final; /* a source said "#!final": later ones do not count */
};
struct entry {
        sv name, where;
        sv *url;
        size_t n, cap;
};
struct map_ {
        struct entry *v;
        size_t n, cap;
        bool final;
};
struct word {
        sv text, where;
        bool final;
};
struct settings {
        struct arena *a;
        bool (*env)(void *arg, sv name, sv *ret);
        void *arg;
        struct err *e;
        struct list list[LIST_N];
        struct map_ map[MAP_N];
        struct word word[WORD_N];
        sv text, where; /* the source that is read */
        size_t source;
        struct condarc *ret;
        size_t cap_from;
};

static int refuse(struct settings *r, const struct yaml *at, const char *key, const char *what)
{
        return err_set(r->e, ERR_USAGE, "%.*s:%u: '%s' of conda's settings must be %s", SV_ARG(r->where), at->line, key,
                       what);
}

static void from(struct settings *r, const char *key)
{
        *arena_push(r->a, r->ret->from, r->ret->n_from, r->cap_from) =
                arena_fmt(r->a, "conda's %s comes from %.*s", key, SV_ARG(r->where));
}

/* ---- variables ---- */

static bool is_name(char c, bool first)
{
        return c == '_' || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || (!first && c >= '0' && c <= '9');
}

/* "$NAME" or "${NAME}" at the beginning: bytes, or 0. */
static size_t variable_scan(sv s, sv *ret_name)
{
        bool brace = s.n > 1 && s.p[1] == '{';
        size_t begin = brace ? 2 : 1, n = begin;

        if (!s.n || s.p[0] != '$')
                return 0;
        while (n < s.n && is_name(s.p[n], n == begin))
                n++;
        if (n == begin || (brace && (n >= s.n || s.p[n] != '}')))
                return 0;
        *ret_name = sv_from_to(s, begin, n);
        return n + brace;
}

/* Values of variables in place of their names; `keep`: the names as ${NAME}, for whoever asks later. */
static int expand(struct settings *r, sv text, bool keep, sv where, sv *ret)
{
        AUTO(buf_done) struct buf b = BUF_INIT((size_t)1 << 16);

        for (size_t i = 0; i < text.n;) {
                sv name, value;
                size_t n = variable_scan(sv_skip(text, i), &name);

                if (!n) {
                        buf_byte(&b, text.p[i++]);
                        continue;
                }
                i += n;
                if (keep)
                        buf_fmt(&b, "${%.*s}", SV_ARG(name));
                else if (r->env(r->arg, name, &value))
                        buf_add(&b, value);
                else
                        return err_set(r->e, ERR_USAGE, "%.*s names the variable %.*s, which is not set", SV_ARG(where),
                                       SV_ARG(name));
        }
        *ret = arena_sv(r->a, buf_sv(&b));
        return buf_check(&b, r->e);
}

/* ---- one text ---- */

/* "#!final" and the like stand behind what they are about, on its line. */
static bool is_marked(const struct settings *r, const struct yaml *at, const char *mark)
{
        sv rest = r->text, line = { 0 };

        for (uint32_t i = 0; i < at->line; i++)
                if (!sv_line(&rest, &line))
                        return false;
        return sv_find_sv(line, sv_from(mark)) >= 0;
}

static int list_read(struct settings *r, struct list *l, const struct yaml *y, const char *key)
{
        if (y->type != YAML_SEQ)
                return refuse(r, y, key, "a list");
        for (size_t i = 0; i < y->n; i++) {
                const struct yaml *v = y->v[i].value;

                if (v->type != YAML_SCALAR || !v->text.n)
                        return refuse(r, v, key, "a list of texts");
                *arena_push(r->a, l->v, l->n, l->cap) =
                        (struct item){ arena_sv(r->a, v->text), r->where, r->source, is_marked(r, v, "#!top"),
                                       is_marked(r, v, "#!bottom") };
        }
        return 0;
}

static struct entry *entry_of(struct settings *r, struct map_ *m, sv name)
{
        for (size_t i = 0; i < m->n; i++)
                if (sv_eq(m->v[i].name, name)) {
                        m->v[i].n = 0;
                        m->v[i].where = r->where;
                        return &m->v[i];
                }
        *arena_push(r->a, m->v, m->n, m->cap) = (struct entry){ .name = arena_sv(r->a, name), .where = r->where };
        return &m->v[m->n - 1];
}

static int entry_add(struct settings *r, struct entry *e, const struct yaml *v, const char *key)
{
        if (v->type != YAML_SCALAR || !v->text.n)
                return refuse(r, v, key, "a map of names to URLs");
        *arena_push(r->a, e->url, e->n, e->cap) = arena_sv(r->a, v->text);
        return 0;
}

static int map_read(struct settings *r, struct map_ *m, const struct yaml *y, const char *key)
{
        if (y->type != YAML_MAP)
                return refuse(r, y, key, "a map");
        for (size_t i = 0; i < y->n; i++) {
                const struct yaml *v = y->v[i].value;
                struct entry *e = entry_of(r, m, y->v[i].key->text);

                if (v->type != YAML_SEQ && entry_add(r, e, v, key) < 0)
                        return -(int)r->e->code;
                for (size_t k = 0; v->type == YAML_SEQ && k < v->n; k++)
                        if (entry_add(r, e, v->v[k].value, key) < 0)
                                return -(int)r->e->code;
        }
        return 0;
}

static int key_read(struct settings *r, size_t k, const struct yaml *key, const struct yaml *y)
{
        bool *final = keys[k].shape == SHAPE_LIST  ? &r->list[keys[k].id].final
                      : keys[k].shape == SHAPE_MAP ? &r->map[keys[k].id].final
                                                   : &r->word[keys[k].id].final;
        int rc = 0;

        if (*final || yaml_is_null(y))
                return 0;
        if (keys[k].shape == SHAPE_LIST)
                rc = list_read(r, &r->list[keys[k].id], y, keys[k].key);
        else if (keys[k].shape == SHAPE_MAP)
                rc = map_read(r, &r->map[keys[k].id], y, keys[k].key);
        else if (y->type != YAML_SCALAR)
                rc = refuse(r, y, keys[k].key, "a text");
        else
                r->word[keys[k].id] = (struct word){ arena_sv(r->a, y->text), r->where, false };
        if (rc == 0)
                from(r, keys[k].key);
        *final = is_marked(r, key, "#!final");
        return rc;
}

/* The first fault of a text that is no YAML. */
static int broken(struct settings *r, const struct diags *ds)
{
        for (size_t i = 0; i < ds->n; i++)
                if (ds->v[i].level == DIAG_ERROR) {
                        err_done(r->e);
                        *r->e = (struct err){ 0 };
                        return err_set(r->e, ERR_USAGE, "%.*s:%u: %.*s", SV_ARG(r->where), ds->v[i].line,
                                       SV_ARG(ds->v[i].text));
                }
        return -(int)r->e->code;
}

static int text_read(struct settings *r)
{
        AUTO(diags_done) struct diags ds = { 0 };
        struct yaml *root;

        if (yaml_parse(r->a, r->text, r->where, &ds, &root, r->e) < 0)
                return broken(r, &ds);
        if (yaml_is_null(root))
                return 0;
        if (root->type != YAML_MAP)
                return err_set(r->e, ERR_USAGE, "%.*s:%u: conda's settings are lines of the form 'key: value'",
                               SV_ARG(r->where), root->line);
        for (size_t i = 0; i < root->n; i++)
                for (size_t k = 0; k < ARRAY_LEN(keys); k++)
                        if (sv_is(root->v[i].key->text, keys[k].key) &&
                            key_read(r, k, root->v[i].key, root->v[i].value) < 0)
                                return -(int)r->e->code;
        return 0;
}

static void variables_read(struct settings *r)
{
        for (size_t k = 0; k < ARRAY_LEN(keys); k++) {
                struct list *l = &r->list[keys[k].id];
                sv value, one;

                if (!keys[k].env || !r->env(r->arg, sv_from(keys[k].env), &value) || !sv_trim(value).n)
                        continue;
                if (keys[k].shape == SHAPE_LIST ? l->final : r->word[keys[k].id].final)
                        continue;
                r->where = sv_from(keys[k].env);
                from(r, keys[k].key);
                if (keys[k].shape == SHAPE_WORD) {
                        r->word[keys[k].id] = (struct word){ arena_sv(r->a, sv_trim(value)), r->where, false };
                        continue;
                }
                while (sv_cut(&value, ',', &one))
                        if (sv_trim(one).n)
                                *arena_push(r->a, l->v, l->n, l->cap) =
                                        (struct item){ arena_sv(r->a, sv_trim(one)), r->where, r->source, false,
                                                       false };
        }
}

/* ---- lists of several sources ---- */

struct order {
        const struct item **v;
        size_t n;
};

static void order_add(struct order *o, const struct item *it)
{
        for (size_t i = 0; i < o->n; i++)
                if (sv_eq(o->v[i]->text, it->text))
                        return;
        o->v[o->n++] = it;
}

/* From the last source to the first, each in its own order; or the other way round. */
static void order_sources(struct order *o, const struct list *l, size_t sources, bool marked_bottom)
{
        for (size_t s = 0; s < sources; s++)
                for (size_t i = 0; i < l->n; i++) {
                        const struct item *it = &l->v[marked_bottom ? l->n - 1 - i : i];

                        if (it->source == (marked_bottom ? s : sources - 1 - s) && (!marked_bottom || it->bottom))
                                order_add(o, it);
                }
}

/* What is marked "#!top", all from the last source to the first, and what is marked "#!bottom"; each once. */
static struct order merged(struct settings *r, const struct list *l)
{
        struct order head = { arena_array(r->a, const struct item *, l->n + 1), 0 };
        struct order tail = { arena_array(r->a, const struct item *, l->n + 1), 0 };
        struct order all = { arena_array(r->a, const struct item *, l->n + 1), 0 };

        for (size_t i = 0; i < l->n; i++)
                if (l->v[i].top)
                        order_add(&head, &l->v[i]);
        order_sources(&head, l, r->source + 1, false);
        order_sources(&tail, l, r->source + 1, true);
        for (size_t i = head.n; i-- > 0;)
                order_add(&tail, head.v[i]);
        for (size_t i = tail.n; i-- > 0;)
                all.v[all.n++] = tail.v[i];
        return all;
}

static int list_finish(struct settings *r, enum list_id id, bool keep, sv **ret, size_t *ret_n)
{
        struct order o = merged(r, &r->list[id]);
        sv *v = arena_array(r->a, sv, o.n + 1);

        for (size_t i = 0; i < o.n; i++)
                if (expand(r, o.v[i]->text, keep, o.v[i]->where, &v[i]) < 0)
                        return -(int)r->e->code;
        *ret = o.n ? v : NULL;
        *ret_n = o.n;
        return 0;
}

/* ---- the answer ---- */

static int customs(struct settings *r, enum map_id id, const struct conda_custom **ret, size_t *ret_n)
{
        const struct map_ *m = &r->map[id];
        struct conda_custom *v = arena_array(r->a, struct conda_custom, m->n + 1);

        for (size_t i = 0; i < m->n; i++) {
                v[i] = (struct conda_custom){ m->v[i].name, arena_array(r->a, sv, m->v[i].n + 1), m->v[i].n };
                for (size_t k = 0; k < m->v[i].n; k++)
                        if (expand(r, m->v[i].url[k], false, m->v[i].where, &v[i].url[k]) < 0)
                                return -(int)r->e->code;
        }
        *ret = v;
        *ret_n = m->n;
        return 0;
}

static int channels_of(struct settings *r, sv text, sv where, struct conda_channel **ret, size_t *ret_n)
{
        sv why;

        if (conda_channel_expand(r->a, text, &r->ret->settings, ret, ret_n, &why))
                return 0;
        return err_set(r->e, ERR_USAGE, "%.*s names a channel that is none: %.*s", SV_ARG(where), SV_ARG(why));
}

static int mirrors(struct settings *r)
{
        const struct conda_custom *v;
        size_t n, cap = 0;

        if (customs(r, MAP_MIRRORS, &v, &n) < 0)
                return -(int)r->e->code;
        for (size_t i = 0; i < n; i++) {
                struct conda_channel *c;
                size_t count;

                if (channels_of(r, v[i].name, r->map[MAP_MIRRORS].v[i].where, &c, &count) < 0)
                        return -(int)r->e->code;
                if (count != 1)
                        return err_set(r->e, ERR_USAGE,
                                       "%.*s: mirrored_channels: '%.*s' stands for %zu channels: name each",
                                       SV_ARG(r->map[MAP_MIRRORS].v[i].where), SV_ARG(v[i].name), count);
                for (size_t k = 0; k < v[i].n_url; k++) {
                        sv url = v[i].url[k];

                        while (sv_ends(url, SV("/")))
                                url.n--;
                        *arena_push(r->a, r->ret->mirror, r->ret->n_mirror, cap) = (struct conda_mirror){ c->url, url };
                }
        }
        return 0;
}

/* Names of channels → their URLs. */
static int urls(struct settings *r, enum list_id id, sv **ret, size_t *ret_n)
{
        size_t n, count, cap = 0;
        struct conda_channel *c;
        sv *v;

        if (list_finish(r, id, false, &v, &n) < 0)
                return -(int)r->e->code;
        for (size_t i = 0; i < n; i++) {
                if (channels_of(r, v[i], sv_from(id == LIST_ALLOW ? "allowlist_channels" : "denylist_channels"), &c,
                                &count) < 0)
                        return -(int)r->e->code;
                for (size_t k = 0; k < count; k++)
                        *arena_push(r->a, *ret, *ret_n, cap) = c[k].url;
        }
        return 0;
}

static bool truth(sv s, bool *ret)
{
        static const char *const yes[] = { "true", "yes", "on", "1" }, *const no[] = { "false", "no", "off", "0" };

        for (size_t i = 0; i < ARRAY_LEN(yes); i++) {
                *ret = sv_eq_nocase(s, sv_from(yes[i]));
                if (*ret || sv_eq_nocase(s, sv_from(no[i])))
                        return true;
        }
        return false;
}

static int words(struct settings *r)
{
        static const char *const priorities[] = { "strict", "flexible", "disabled" };
        struct word *p = &r->word[WORD_PRIORITY], *ssl = &r->word[WORD_VERIFY], *alias = &r->word[WORD_ALIAS];
        bool yes;

        for (size_t i = 0; i < ARRAY_LEN(priorities); i++)
                if (sv_eq_nocase(p->text, sv_from(priorities[i])))
                        r->ret->priority = sv_from(priorities[i]);
        if (p->text.n && !r->ret->priority.n) {
                if (!truth(p->text, &yes))
                        return err_set(r->e, ERR_USAGE,
                                       "%.*s: channel_priority is strict, flexible or disabled, not '%.*s'",
                                       SV_ARG(p->where), SV_ARG(sv_from_to(p->text, 0, 80)));
                r->ret->priority = yes ? SV("flexible") : SV("disabled");
        }
        if (truth(ssl->text, &yes)) {
                if (!yes)
                        *arena_push(r->a, r->ret->from, r->ret->n_from, r->cap_from) = arena_fmt(
                                r->a, "conda's ssl_verify: false of %.*s is not followed: name a CA's file instead",
                                SV_ARG(ssl->where));
        } else if (ssl->text.n && !sv_eq_nocase(ssl->text, SV("truststore")) &&
                   expand(r, ssl->text, false, ssl->where, &r->ret->ca_file) < 0) {
                return -(int)r->e->code;
        }
        return expand(r, alias->text, false, alias->where, &r->ret->settings.alias);
}

int condarc_parse(struct arena *a, const struct condarc_text *v, size_t n, bool (*env)(void *arg, sv name, sv *ret),
                  void *arg, sv cwd, struct condarc *ret, struct err *e)
{
        struct condarc c = { .settings.cwd = cwd };
        struct settings r = { .a = a, .env = env, .arg = arg, .e = e, .ret = &c };
        struct conda_channel_settings *s = &c.settings;

        if (!env(arg, SV("HOME"), &s->home))
                s->home = (sv){ 0 };
        for (; r.source < n; r.source++) {
                r.text = v[r.source].text;
                r.where = v[r.source].where;
                if (text_read(&r) < 0)
                        return -(int)e->code;
        }
        variables_read(&r);
        if (words(&r) < 0 || list_finish(&r, LIST_CHANNELS, true, &c.channels, &c.n_channels) < 0 ||
            list_finish(&r, LIST_DEFAULTS, false, &s->defaults, &s->n_defaults) < 0 ||
            customs(&r, MAP_CUSTOM, &s->custom, &s->n_custom) < 0 ||
            customs(&r, MAP_MULTI, &s->multi, &s->n_multi) < 0 || mirrors(&r) < 0 ||
            urls(&r, LIST_ALLOW, &c.allow, &c.n_allow) < 0 || urls(&r, LIST_DENY, &c.deny, &c.n_deny) < 0)
                return -(int)e->code;
        *ret = c;
        return 0;
}

static bool among(const sv *v, size_t n, sv url)
{
        for (size_t i = 0; i < n; i++)
                if (sv_eq(v[i], url))
                        return true;
        return false;
}

bool condarc_permits(const struct condarc *c, struct arena *a, const struct conda_channel *channel, sv *ret_why)
{
        if (among(c->deny, c->n_deny, channel->url))
                *ret_why = arena_fmt(a, "denylist_channels of conda's settings forbids '%.*s'", SV_ARG(channel->url));
        else if (c->n_allow && !among(c->allow, c->n_allow, channel->url))
                *ret_why = arena_fmt(a, "allowlist_channels of conda's settings does not name '%.*s'",
                                     SV_ARG(channel->url));
        else
                return true;
        return false;
}
