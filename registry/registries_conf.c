#include "registry/registries_conf.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "base/toml.h"

enum { CONF_MAX = 1 << 20 };

struct conf_file {
        struct arena *a;
        sv path;
        struct err *e;
};

static int bad(const struct conf_file *f, const struct toml *t, const char *what, const char *fault)
{
        return err_set(f->e, ERR_USAGE, "%.*s:%u:%u: %s %s", SV_ARG(f->path), t->line, t->col, what, fault);
}

static int get_str(const struct conf_file *f, const struct toml *table, const char *key, sv *ret)
{
        const struct toml *t = toml_get(table, key);

        if (!t)
                return 0;
        if (t->type != TOML_STR)
                return bad(f, t, key, "must be a text in quotes");
        *ret = t->str;
        return 0;
}

static int get_bool(const struct conf_file *f, const struct toml *table, const char *key, bool *ret)
{
        const struct toml *t = toml_get(table, key);

        if (!t)
                return 0;
        if (t->type != TOML_BOOL)
                return bad(f, t, key, "must be true or false, without quotes");
        *ret = t->num;
        return 0;
}

static bool is_place(sv s)
{
        for (size_t i = 0; i < s.n; i++)
                if ((unsigned char)s.p[i] <= ' ' || strchr("@?#\\\"'", s.p[i]))
                        return false;
        return s.n > 0 && s.p[0] != '/' && s.p[0] != ':';
}

/* "host[:port][/path]" */
static int get_place(const struct conf_file *f, const struct toml *table, const char *key, sv *ret)
{
        const struct toml *t = toml_get(table, key);

        if (get_str(f, table, key, ret) < 0)
                return -(int)f->e->code;
        if (!t)
                return 0;
        while (sv_ends(*ret, SV("/")))
                ret->n--;
        if (sv_find_sv(*ret, SV("://")) >= 0) {
                bad(f, t, key, "is a host and a path, not a URL");
                err_hint(f->e, "leave \"%.*s\" away; http is allowed by insecure = true",
                         SV_ARG(sv_from_to(*ret, 0, (size_t)sv_find_sv(*ret, SV("://")) + 3)));
                return -ERR_USAGE;
        }
        return is_place(*ret) ? 0 : bad(f, t, key, "is not a host and a path");
}

static int get_use(const struct conf_file *f, const struct toml *table, bool digest_only, enum reg_mirror_use *ret)
{
        static const char *const names[] = { "all", "digest-only", "tag-only" };
        sv use = { 0 };

        *ret = digest_only ? REG_MIRROR_DIGEST : REG_MIRROR_ALL;
        if (get_str(f, table, "pull-from-mirror", &use) < 0)
                return -(int)f->e->code;
        if (!use.n)
                return 0;
        for (size_t i = 0; i < ARRAY_LEN(names); i++)
                if (sv_is(use, names[i])) {
                        if (digest_only)
                                return bad(f, toml_get(table, "pull-from-mirror"), "pull-from-mirror",
                                           "and mirror-by-digest-only exclude each other");
                        *ret = (enum reg_mirror_use)i;
                        return 0;
                }
        return bad(f, toml_get(table, "pull-from-mirror"), "pull-from-mirror", "is all, digest-only or tag-only");
}

static int get_mirrors(const struct conf_file *f, const struct toml *table, struct reg_conf_entry *x)
{
        const struct toml *list = toml_get(table, "mirror");
        bool digest_only = false;

        if (get_bool(f, table, "mirror-by-digest-only", &digest_only) < 0)
                return -(int)f->e->code;
        if (!list)
                return 0;
        if (list->type != TOML_ARR)
                return bad(f, list, "mirror", "is written [[registry.mirror]]");
        x->mirror = arena_array(f->a, struct reg_mirror, list->n);
        for (size_t i = 0; i < list->n; i++) {
                const struct toml *one = list->v[i].value;
                struct reg_mirror *m = &x->mirror[x->n_mirror++];

                if (one->type != TOML_TABLE)
                        return bad(f, one, "mirror", "is written [[registry.mirror]]");
                if (get_place(f, one, "location", &m->location) < 0 || get_bool(f, one, "insecure", &m->insecure) < 0 ||
                    get_use(f, one, digest_only, &m->use) < 0)
                        return -(int)f->e->code;
                if (!m->location.n)
                        return bad(f, one, "a mirror", "needs a location");
        }
        return 0;
}

static int get_entry(const struct conf_file *f, const struct toml *table, struct reg_conf_entry *x)
{
        *x = (struct reg_conf_entry){ .file = f->path, .line = table->line };
        if (table->type != TOML_TABLE)
                return bad(f, table, "registry", "is written [[registry]]");
        if (get_place(f, table, "prefix", &x->prefix) < 0 || get_place(f, table, "location", &x->location) < 0 ||
            get_bool(f, table, "insecure", &x->insecure) < 0 || get_bool(f, table, "blocked", &x->blocked) < 0 ||
            get_mirrors(f, table, x) < 0)
                return -(int)f->e->code;
        if (!x->prefix.n && !x->location.n)
                return bad(f, table, "a registry", "needs a prefix or a location");
        if (sv_starts(x->prefix, SV("*.")) ? sv_find(x->prefix, '/') >= 0 : sv_find(x->prefix, '*') >= 0)
                return bad(f, table, "prefix", "may have its '*' only as \"*.HOST\", without a path");
        if (!x->prefix.n)
                x->prefix = x->location;
        if (!x->location.n && x->prefix.p[0] != '*')
                x->location = x->prefix;
        return 0;
}

static void put(struct arena *a, struct reg_conf *conf, const struct reg_conf_entry *x)
{
        for (size_t i = 0; i < conf->n; i++)
                if (sv_eq(conf->v[i].prefix, x->prefix)) {
                        conf->v[i] = *x;
                        return;
                }
        *arena_push(a, conf->v, conf->n, conf->cap) = *x;
}

int reg_conf_parse(struct arena *a, sv path, sv text, struct reg_conf *conf, struct err *e)
{
        struct conf_file f = { a, arena_sv(a, path), e };
        const struct toml *old, *list;
        struct toml_fault fault;
        struct toml *doc;

        if (!toml_parse(a, text, &doc, &fault))
                return err_set(e, ERR_USAGE, "%.*s:%u:%u: not TOML: %s", SV_ARG(path), fault.line, fault.col,
                               fault.text);
        if ((old = toml_get(doc, "registries"))) {
                bad(&f, old, "[registries]", "is of version 1 of this file, which is not read");
                err_hint(e, "write [[registry]] with location, insecure, blocked: see containers-registries.conf(5)");
                return -ERR_USAGE;
        }
        list = toml_get(doc, "registry");
        if (list && list->type != TOML_ARR)
                return bad(&f, list, "registry", "is written [[registry]]");
        for (size_t i = 0; list && i < list->n; i++) {
                struct reg_conf_entry x;

                if (get_entry(&f, list->v[i].value, &x) < 0)
                        return -(int)e->code;
                put(a, conf, &x);
        }
        return 0;
}

/* --- which files --- */

static int load_file(struct arena *a, const char *path, bool must, struct reg_conf *conf, struct err *e)
{
        AUTO(buf_done) struct buf text = BUF_INIT(CONF_MAX);
        AUTO(err_done) struct err why = { 0 };

        if (fs_read(path, &text, &why) < 0) {
                if (why.code == ERR_NOT_FOUND && !must)
                        return 0;
                err_move(e, &why);
                return err_while(e, "reading the settings of registries");
        }
        return reg_conf_parse(a, sv_from(path), buf_sv(&text), conf, e);
}

static int load_drop_ins(struct arena *a, const char *dir, struct reg_conf *conf, struct err *e)
{
        AUTO(free_ptr) char **names = NULL;
        AUTO(err_done) struct err why = { 0 };
        size_t n = 0;

        if (fs_list(dir, &names, &n, &why) < 0)
                return why.code == ERR_NOT_FOUND ? 0 : err_move(e, &why);
        for (size_t i = 0; i < n; i++)
                if (sv_ends(sv_from(names[i]), SV(".conf")) &&
                    load_file(a, arena_fmt(a, "%s/%s", dir, names[i]).p, false, conf, e) < 0)
                        return -(int)e->code;
        return 0;
}

static const char *env_of(const char *name)
{
        const char *v = getenv(name);

        return v && *v ? v : NULL;
}

int reg_conf_load(struct arena *a, const struct reg_opts *o, struct reg_conf *ret, struct err *e)
{
        const char *named = o->registries_conf ? o->registries_conf : env_of("CONTAINERS_REGISTRIES_CONF"),
                   *conf = env_of("XDG_CONFIG_HOME"), *home = env_of("HOME");
        const char *user = conf   ? arena_fmt(a, "%s/containers/registries.conf", conf).p
                           : home ? arena_fmt(a, "%s/.config/containers/registries.conf", home).p
                                  : NULL;

        if (named)
                return load_file(a, named, true, ret, e);
        if (load_file(a, user && fs_exists(user) ? user : "/etc/containers/registries.conf", false, ret, e) < 0 ||
            load_drop_ins(a, "/etc/containers/registries.conf.d", ret, e) < 0 ||
            (user && load_drop_ins(a, arena_fmt(a, "%s.d", user).p, ret, e) < 0))
                return -(int)e->code;
        return 0;
}

/* --- looking up --- */

static sv host_part(sv s)
{
        ptrdiff_t slash = sv_find(s, '/');

        return slash < 0 ? s : sv_from_to(s, 0, (size_t)slash);
}

/* How much of name the prefix takes; 0: none. */
static size_t match(sv prefix, sv name)
{
        if (sv_starts(prefix, SV("*."))) {
                sv host = host_part(name), tail = sv_skip(prefix, 1);

                return host.n > tail.n && sv_ends(host, tail) ? host.n : 0;
        }
        return sv_starts(name, prefix) && (name.n == prefix.n || name.p[prefix.n] == '/') ? prefix.n : 0;
}

const struct reg_conf_entry *reg_conf_find(struct arena *a, const struct reg_conf *conf, const struct reg_repo *repo,
                                           sv *ret_rest)
{
        sv name = repo->repository.n ? reg_repo_text(a, repo) : repo->registry;
        const struct reg_conf_entry *best = NULL;

        for (size_t i = 0; i < conf->n; i++) {
                const struct reg_conf_entry *x = &conf->v[i];
                size_t n = match(x->prefix, name);

                if (n && (!best || x->prefix.n > best->prefix.n)) {
                        best = x;
                        *ret_rest = sv_skip(name, n);
                }
        }
        return best;
}

bool reg_conf_insecure(const struct reg_conf *conf, sv host)
{
        for (size_t i = 0; i < conf->n; i++) {
                const struct reg_conf_entry *x = &conf->v[i];
                sv place = x->location.n ? x->location : x->prefix;

                if (x->insecure && (sv_eq(host_part(place), host) || (!x->location.n && match(x->prefix, host))))
                        return true;
                for (size_t k = 0; k < x->n_mirror; k++)
                        if (x->mirror[k].insecure && sv_eq(host_part(x->mirror[k].location), host))
                                return true;
        }
        return false;
}
