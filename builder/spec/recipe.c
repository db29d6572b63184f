#include "spec/recipe.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "ext/hash.h"
#include "ext/json.h"
#include "ext/yaml.h"

struct ctx {
        struct arena *a;
        struct diags *ds;
        sv file;
        struct recipe *r;
};

static bool fault(struct ctx *c, const struct yaml *y, const char *code, const char *what, sv value)
{
        diag_add(c->ds, c->file, y->line, y->col, code, "%s%s%.*s%s", what, value.n ? ": '" : "", SV_ARG(value),
                 value.n ? "'" : "");
        return false;
}

/* --- values */

static bool text_of(struct ctx *c, const struct yaml *y, sv *ret)
{
        if (y->type != YAML_SCALAR || y->text.n == 0)
                return fault(c, y, "EB141", "a text is expected here", (sv){ 0 });
        *ret = y->text;
        return true;
}

static bool u32_of(struct ctx *c, const struct yaml *y, uint32_t *ret)
{
        uint64_t n;

        if (y->type != YAML_SCALAR || !sv_u64(y->text, &n) || n > 65534)
                return fault(c, y, "EB141", "a number from 0 to 65534 is expected here", y->text);
        *ret = (uint32_t)n;
        return true;
}

static bool mode_of(struct ctx *c, const struct yaml *y, uint32_t *ret)
{
        uint32_t m = 0;

        if (y->type != YAML_SCALAR || y->text.n < 3 || y->text.n > 5)
                return fault(c, y, "EB141", "octal permissions like \"0755\" are expected here", y->text);
        for (size_t i = 0; i < y->text.n; i++) {
                if (y->text.p[i] < '0' || y->text.p[i] > '7')
                        return fault(c, y, "EB141", "octal permissions like \"0755\" are expected here", y->text);
                m = m * 8 + (uint32_t)(y->text.p[i] - '0');
        }
        if (m > 07777)
                return fault(c, y, "EB141", "permissions go up to 07777", y->text);
        *ret = m;
        return true;
}

static bool url_of(struct ctx *c, const struct yaml *y, sv *ret)
{
        if (!text_of(c, y, ret))
                return false;
        if (!sv_starts(*ret, SV("http://")) && !sv_starts(*ret, SV("https://")))
                return fault(c, y, "EB141", "an http:// or https:// URL is expected here", *ret);
        while (ret->n && ret->p[ret->n - 1] == '/')
                ret->n--;
        return true;
}

/* Absolute, without "." or ".." parts, no slash at the end. */
static bool path_of(struct ctx *c, const struct yaml *y, sv *ret)
{
        sv rest, part;

        if (!text_of(c, y, ret))
                return false;
        rest = sv_skip(*ret, 1);
        if (ret->p[0] != '/' || ret->p[ret->n - 1] == '/' || !sv_utf8(*ret))
                return fault(c, y, "EB141", "an absolute path is expected here", *ret);
        while (sv_cut(&rest, '/', &part))
                if (part.n == 0 || sv_is(part, ".") || sv_is(part, ".."))
                        return fault(c, y, "EB141", "a path has an empty part, '.' or '..'", *ret);
        return true;
}

static bool beside_of(struct ctx *c, const struct yaml *y, sv *ret)
{
        sv dir = sv_from_to(c->file, 0, (size_t)(sv_rfind(c->file, '/') + 1));

        if (!text_of(c, y, ret))
                return false;
        if (ret->p[0] != '/')
                *ret = arena_fmt(c->a, "%.*s%.*s", SV_ARG(dir), SV_ARG(*ret));
        return true;
}

/* --- maps with a table of keys */

enum kind { TEXT, U32, MODE, URL, PATH, BESIDE, ANY_TEXT };
struct key {
        const char *name;
        enum kind kind;
        void *ret;
        bool needed;
};

static bool read_value(struct ctx *c, const struct yaml *y, const struct key *k)
{
        switch (k->kind) {
        case TEXT:
                return text_of(c, y, k->ret);
        case U32:
                return u32_of(c, y, k->ret);
        case MODE:
                return mode_of(c, y, k->ret);
        case URL:
                return url_of(c, y, k->ret);
        case PATH:
                return path_of(c, y, k->ret);
        case BESIDE:
                return beside_of(c, y, k->ret);
        case ANY_TEXT:
                if (y->type != YAML_SCALAR)
                        return fault(c, y, "EB141", "a text is expected here", (sv){ 0 });
                *(sv *)k->ret = y->text;
                return true;
        }
        return false;
}

static void read_map(struct ctx *c, const struct yaml *y, const struct key *key, size_t n)
{
        if (y->type != YAML_MAP) {
                fault(c, y, "EB141", "keys with values are expected here", (sv){ 0 });
                return;
        }
        for (size_t i = 0; i < y->n; i++) {
                size_t k = 0;

                while (k < n && !sv_is(y->v[i].key->text, key[k].name))
                        k++;
                if (k == n)
                        fault(c, y->v[i].key, "EB140", "a recipe has no such key here", y->v[i].key->text);
                else
                        read_value(c, y->v[i].value, &key[k]);
        }
        for (size_t k = 0; k < n; k++)
                if (key[k].needed && !yaml_get(y, key[k].name))
                        fault(c, y, "EB142", "a key is missing here", sv_from(key[k].name));
}

#define MAP(c, y, ...)                                                                                                 \
        do {                                                                                                           \
                const struct key keys_[] = { __VA_ARGS__ };                                                            \
                read_map(c, y, keys_, sizeof(keys_) / sizeof(keys_[0]));                                               \
        } while (0)

/* --- lists */

static size_t list_len(struct ctx *c, const struct yaml *y)
{
        if (y->type == YAML_SEQ)
                return y->n;
        fault(c, y, "EB141", "a list is expected here", (sv){ 0 });
        return 0;
}

static sv *read_texts(struct ctx *c, const struct yaml *y, size_t *ret_n)
{
        size_t n = list_len(c, y), kept = 0;
        sv *v = arena_array(c->a, sv, n + 1);

        for (size_t i = 0; i < n; i++)
                if (text_of(c, y->v[i].value, &v[kept])) {
                        for (size_t k = 0; k < kept; k++)
                                if (sv_eq(v[k], v[kept]))
                                        fault(c, y->v[i].value, "EB143", "this is in the list twice", v[kept]);
                        kept++;
                }
        *ret_n = kept;
        return v;
}

static void read_packages(struct ctx *c, const struct yaml *y)
{
        struct recipe *r = c->r;

        r->package = read_texts(c, y, &r->n_package);
        r->package_line = arena_array(c->a, uint32_t, r->n_package + 1);
        r->package_col = arena_array(c->a, uint32_t, r->n_package + 1);
        for (size_t i = 0; i < r->n_package && r->n_package == y->n; i++) {
                r->package_line[i] = y->v[i].value->line;
                r->package_col[i] = y->v[i].value->col;
        }
}

static void read_suites(struct ctx *c, const struct yaml *y)
{
        size_t n = list_len(c, y);

        c->r->extra = arena_array(c->a, struct recipe_suite, n + 1);
        for (size_t i = 0; i < n; i++) {
                struct recipe_suite *s = &c->r->extra[i];
                MAP(c, y->v[i].value, { "suite", TEXT, &s->suite, true }, { "mirror", URL, &s->mirror, false });
        }
        c->r->n_extra = n;
}

static bool name_ok(sv name)
{
        for (size_t i = 0; i < name.n; i++) {
                char ch = name.p[i];
                bool first = (ch >= 'a' && ch <= 'z') || ch == '_';
                if (!first && (i == 0 || (ch != '-' && (ch < '0' || ch > '9'))))
                        return false;
        }
        return name.n > 0 && name.n <= 32;
}

static bool passwd_field_ok(sv s)
{
        return sv_find(s, ':') < 0 && sv_find(s, '\n') < 0;
}

static void read_users(struct ctx *c, const struct yaml *y)
{
        size_t n = list_len(c, y);

        c->r->user = arena_array(c->a, struct recipe_user, n + 1);
        for (size_t i = 0; i < n; i++) {
                struct recipe_user *u = &c->r->user[i];
                const struct yaml *at = y->v[i].value;

                *u = (struct recipe_user){ .home = SV("/nonexistent"),
                                           .shell = SV("/usr/sbin/nologin"),
                                           .gid = UINT32_MAX };
                MAP(c, at, { "name", TEXT, &u->name, true }, { "uid", U32, &u->uid, true },
                    { "gid", U32, &u->gid, false }, { "gecos", ANY_TEXT, &u->gecos, false },
                    { "home", PATH, &u->home, false }, { "shell", PATH, &u->shell, false });
                if (u->gid == UINT32_MAX)
                        u->gid = u->uid;
                if (u->name.n && !name_ok(u->name))
                        fault(c, at, "EB141", "not a user name", u->name);
                if (!passwd_field_ok(u->gecos) || !passwd_field_ok(u->home) || !passwd_field_ok(u->shell))
                        fault(c, at, "EB141", "a field of a user holds ':' or a line end", u->name);
                for (size_t k = 0; k < i; k++)
                        if (sv_eq(c->r->user[k].name, u->name) || c->r->user[k].uid == u->uid)
                                fault(c, at, "EB143", "two users have one name or number", u->name);
        }
        c->r->n_user = n;
}

static int path_cmp(const void *a, const void *b)
{
        return sv_cmp(((const struct recipe_path *)a)->path, ((const struct recipe_path *)b)->path);
}

static struct recipe_path *read_paths(struct ctx *c, const struct yaml *y, bool files, size_t *ret_n)
{
        size_t n = list_len(c, y);
        struct recipe_path *v = arena_array(c->a, struct recipe_path, n + 1);

        for (size_t i = 0; i < n; i++) {
                struct recipe_path *p = &v[i];

                p->mode = files ? 0644 : 0755;
                if (files)
                        MAP(c, y->v[i].value, { "path", PATH, &p->path, true }, { "mode", MODE, &p->mode, false },
                            { "uid", U32, &p->uid, false }, { "gid", U32, &p->gid, false },
                            { "text", ANY_TEXT, &p->text, true });
                else
                        MAP(c, y->v[i].value, { "path", PATH, &p->path, true }, { "mode", MODE, &p->mode, false },
                            { "uid", U32, &p->uid, false }, { "gid", U32, &p->gid, false });
                for (size_t k = 0; k < i; k++)
                        if (sv_eq(v[k].path, p->path))
                                fault(c, y->v[i].value, "EB143", "this path is in the list twice", p->path);
        }
        if (n)
                qsort(v, n, sizeof(*v), path_cmp);
        *ret_n = n;
        return v;
}

static void read_date(struct ctx *c, const struct yaml *y)
{
        sv text;

        if (text_of(c, y, &text) && !time_parse(text, &c->r->end_of_life))
                fault(c, y, "EB141", "a date like 2030-06-30 is expected here", text);
}

static void read_version(struct ctx *c, const struct yaml *y)
{
        if (y->type != YAML_SCALAR || !sv_is(y->text, "1"))
                fault(c, y, "EB141", "recipes have version 1", y->text);
}

/* --- the whole */

static void read_lists(struct ctx *c, const struct yaml *y)
{
        struct recipe *r = c->r;
        static const struct {
                const char *name;
                bool needed;
        } keys[] = { { "recipe", true },        { "packages", true }, { "components", true },
                     { "architectures", true }, { "suites", false },  { "users", false },
                     { "directories", false },  { "files", false },   { "end-of-life", false } };
        const struct yaml *v[sizeof(keys) / sizeof(keys[0])];

        for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
                v[i] = yaml_get(y, keys[i].name);
                if (!v[i] && keys[i].needed)
                        fault(c, y, "EB142", "a key is missing here", sv_from(keys[i].name));
        }
        if (v[0])
                read_version(c, v[0]);
        if (v[1])
                read_packages(c, v[1]);
        if (v[2])
                r->component = read_texts(c, v[2], &r->n_component);
        if (v[3])
                r->arch = read_texts(c, v[3], &r->n_arch);
        if (v[4])
                read_suites(c, v[4]);
        if (v[5])
                read_users(c, v[5]);
        if (v[6])
                r->dir = read_paths(c, v[6], false, &r->n_dir);
        if (v[7])
                r->file = read_paths(c, v[7], true, &r->n_file);
        if (v[8])
                read_date(c, v[8]);
}

/* The keys that read_lists() reads are taken out, so that the table of the others stays a table. */
static struct yaml scalars_only(struct ctx *c, const struct yaml *y)
{
        static const char *const lists[] = { "recipe", "packages",    "components", "architectures", "suites",
                                             "users",  "directories", "files",      "end-of-life" };
        struct yaml m = *y;

        m.v = arena_array(c->a, struct yaml_pair, y->n + 1);
        m.n = 0;
        for (size_t i = 0; i < y->n; i++) {
                bool list = false;
                for (size_t k = 0; k < sizeof(lists) / sizeof(lists[0]); k++)
                        list |= sv_is(y->v[i].key->text, lists[k]);
                if (!list)
                        m.v[m.n++] = y->v[i];
        }
        return m;
}

static void hash_all(struct recipe *r);

int recipe_parse(struct arena *a, sv text, sv file, struct diags *ds, struct recipe **ret, struct err *e)
{
        struct recipe *r = arena_new(a, struct recipe);
        struct ctx c = { a, ds, file, r };
        size_t before = ds->n_errors;
        sv stem = sv_basename(file);
        struct yaml *y, flat;

        diag_source(ds, file, text);
        if (yaml_parse(a, text, file, ds, &y, e) < 0)
                return err_set(e, ERR_USAGE, "the recipe '%.*s' is not YAML", SV_ARG(file));
        r->path = arena_sv(a, file);
        if (y->type != YAML_MAP) {
                fault(&c, y, "EB141", "a recipe is a map of keys", (sv){ 0 });
        } else {
                flat = scalars_only(&c, y);
                MAP(&c, &flat, { "name", TEXT, &r->name, true }, { "description", TEXT, &r->description, false },
                    { "suite", TEXT, &r->suite, true }, { "version", TEXT, &r->version, true },
                    { "mirror", URL, &r->mirror, true }, { "snapshot", URL, &r->snapshot, false },
                    { "keys", BESIDE, &r->keys, true }, { "effects", BESIDE, &r->effects, false });
                read_lists(&c, y);
        }
        if (sv_ends(stem, SV(".yml")))
                stem.n -= 4;
        if (r->name.n && !sv_eq(stem, r->name))
                fault(&c, yaml_get(y, "name"), "EB141", "a recipe has the name of its file", r->name);
        for (size_t i = 0; i < r->n_extra; i++)
                if (r->extra[i].mirror.n == 0)
                        r->extra[i].mirror = r->mirror;
        if (ds->n_errors != before)
                return err_set(e, ERR_USAGE, "%zu faults in the recipe '%.*s'", ds->n_errors - before, SV_ARG(file));
        hash_all(r);
        *ret = r;
        return 0;
}

sv recipe_arch(const struct recipe *r, sv platform)
{
        sv arch = sv_starts(platform, SV("linux/")) ? sv_skip(platform, 6) : (sv){ 0 };

        for (size_t i = 0; i < r->n_arch; i++)
                if (sv_eq(r->arch[i], arch))
                        return r->arch[i];
        return (sv){ 0 };
}

/* --- canonical form */

static struct js *texts_js(struct arena *a, const sv *v, size_t n)
{
        struct js *arr = js_new_arr(a);

        for (size_t i = 0; i < n; i++)
                js_add(a, arr, js_new_str(a, v[i]));
        return arr;
}

static struct js *paths_js(struct arena *a, const struct recipe_path *v, size_t n, bool files)
{
        struct js *arr = js_new_arr(a);

        for (size_t i = 0; i < n; i++) {
                struct js *o = js_new_obj(a);

                js_put_str(a, o, "path", v[i].path);
                js_put_int(a, o, "mode", v[i].mode);
                js_put_int(a, o, "uid", v[i].uid);
                js_put_int(a, o, "gid", v[i].gid);
                if (files)
                        js_put_str(a, o, "text", v[i].text);
                js_add(a, arr, o);
        }
        return arr;
}

static struct js *os_js(struct arena *a, const struct recipe *r)
{
        struct js *o = js_new_obj(a), *users = js_new_arr(a);

        for (size_t i = 0; i < r->n_user; i++) {
                struct js *u = js_new_obj(a);

                js_put_str(a, u, "name", r->user[i].name);
                js_put_str(a, u, "gecos", r->user[i].gecos);
                js_put_str(a, u, "home", r->user[i].home);
                js_put_str(a, u, "shell", r->user[i].shell);
                js_put_int(a, u, "uid", r->user[i].uid);
                js_put_int(a, u, "gid", r->user[i].gid);
                js_add(a, users, u);
        }
        js_put(a, o, SV("users"), users);
        js_put(a, o, SV("directories"), paths_js(a, r->dir, r->n_dir, false));
        js_put(a, o, SV("files"), paths_js(a, r->file, r->n_file, true));
        return o;
}

void recipe_write(const struct recipe *r, struct buf *out)
{
        AUTO(arena_done) struct arena tmp = { 0 };
        struct js *o = os_js(&tmp, r), *extra = js_new_arr(&tmp);

        js_put_str(&tmp, o, "name", r->name);
        js_put_str(&tmp, o, "suite", r->suite);
        js_put_str(&tmp, o, "version", r->version);
        js_put_str(&tmp, o, "mirror", r->mirror);
        for (size_t i = 0; i < r->n_extra; i++) {
                struct js *s = js_new_obj(&tmp);
                js_put_str(&tmp, s, "suite", r->extra[i].suite);
                js_put_str(&tmp, s, "mirror", r->extra[i].mirror);
                js_add(&tmp, extra, s);
        }
        js_put(&tmp, o, SV("suites"), extra);
        js_put(&tmp, o, SV("components"), texts_js(&tmp, r->component, r->n_component));
        js_put(&tmp, o, SV("packages"), texts_js(&tmp, r->package, r->n_package));
        js_write(o, out);
}

static void hash_all(struct recipe *r)
{
        AUTO(arena_done) struct arena tmp = { 0 };
        AUTO(buf_done) struct buf all = BUF_INIT(8 * RECIPE_MAX), os = BUF_INIT(8 * RECIPE_MAX);

        recipe_write(r, &all);
        js_write(os_js(&tmp, r), &os);
        r->sha256 = sha256_of(buf_sv(&all));
        r->os = sha256_of(buf_sv(&os));
}
