#include "spec/recipe.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "ext/hash.h"
#include "ext/json.h"
#include "spec/fields.h"

static void read_packages(struct fields *f, const struct yaml *y, struct recipe *r)
{
        r->package = fields_texts(f, y, &r->n_package);
        r->package_line = arena_array(f->a, uint32_t, r->n_package + 1);
        r->package_col = arena_array(f->a, uint32_t, r->n_package + 1);
        for (size_t i = 0; i < r->n_package && r->n_package == y->n; i++) {
                r->package_line[i] = y->v[i].value->line;
                r->package_col[i] = y->v[i].value->col;
        }
}

static void read_suites(struct fields *f, const struct yaml *y, struct recipe *r)
{
        r->n_extra = fields_list(f, y);
        r->extra = arena_array(f->a, struct recipe_suite, r->n_extra + 1);
        for (size_t i = 0; i < r->n_extra; i++) {
                struct recipe_suite *s = &r->extra[i];

                s->mirror = r->mirror;
                FIELDS_READ(f, y->v[i].value, { "suite", FIELD_TEXT, &s->suite, true },
                            { "mirror", FIELD_URL, &s->mirror, false });
        }
}

static void read_users(struct fields *f, const struct yaml *y, struct recipe *r)
{
        r->n_user = fields_list(f, y);
        r->user = arena_array(f->a, struct recipe_user, r->n_user + 1);
        for (size_t i = 0; i < r->n_user; i++) {
                struct recipe_user *u = &r->user[i];
                const struct yaml *at = y->v[i].value;

                *u = (struct recipe_user){ .home = SV("/nonexistent"),
                                           .shell = SV("/usr/sbin/nologin"),
                                           .gid = UINT32_MAX };
                FIELDS_READ(f, at, { "name", FIELD_TEXT, &u->name, true }, { "uid", FIELD_ID, &u->uid, true },
                            { "gid", FIELD_ID, &u->gid, false }, { "gecos", FIELD_ANY_TEXT, &u->gecos, false },
                            { "home", FIELD_PATH, &u->home, false }, { "shell", FIELD_PATH, &u->shell, false });
                if (u->gid == UINT32_MAX)
                        u->gid = u->uid;
                if (u->name.n && !fields_user_name(u->name))
                        fields_fault(f, at, "EB141", "not a user name", u->name);
                if (!fields_passwd_text(u->gecos) || !fields_passwd_text(u->home) || !fields_passwd_text(u->shell))
                        fields_fault(f, at, "EB141", "a field of a user holds ':' or a line end", u->name);
                for (size_t k = 0; k < i; k++)
                        if (sv_eq(r->user[k].name, u->name) || r->user[k].uid == u->uid)
                                fields_fault(f, at, "EB143", "two users have one name or number", u->name);
        }
}

static int path_cmp(const void *a, const void *b)
{
        return sv_cmp(((const struct recipe_path *)a)->path, ((const struct recipe_path *)b)->path);
}

static struct recipe_path *read_paths(struct fields *f, const struct yaml *y, bool files, size_t *ret_n)
{
        size_t n = fields_list(f, y);
        struct recipe_path *v = arena_array(f->a, struct recipe_path, n + 1);

        for (size_t i = 0; i < n; i++) {
                struct recipe_path *p = &v[i];
                const struct field fields[] = { { "path", FIELD_PATH, &p->path, true },
                                                { "mode", FIELD_MODE, &p->mode, false },
                                                { "uid", FIELD_ID, &p->uid, false },
                                                { "gid", FIELD_ID, &p->gid, false },
                                                { "text", FIELD_ANY_TEXT, &p->text, true } };

                p->mode = files ? 0644 : 0755;
                fields_read(f, y->v[i].value, fields, files ? 5 : 4);
                for (size_t k = 0; k < i; k++)
                        if (sv_eq(v[k].path, p->path))
                                fields_fault(f, y->v[i].value, "EB143", "this path is in the list twice", p->path);
        }
        if (n)
                qsort(v, n, sizeof(*v), path_cmp);
        *ret_n = n;
        return v;
}

static void read_recipe(struct fields *f, const struct yaml *y, struct recipe *r)
{
        const struct yaml *packages = NULL, *suites = NULL, *components = NULL, *archs = NULL, *users = NULL,
                          *dirs = NULL, *files = NULL;
        sv stem = sv_basename(f->file);

        FIELDS_READ(f, y, { "recipe", FIELD_ONE, NULL, true }, { "name", FIELD_TEXT, &r->name, true },
                    { "description", FIELD_TEXT, &r->description, false }, { "suite", FIELD_TEXT, &r->suite, true },
                    { "version", FIELD_TEXT, &r->version, true }, { "end-of-life", FIELD_DATE, &r->end_of_life, false },
                    { "mirror", FIELD_URL, &r->mirror, true }, { "snapshot", FIELD_URL, &r->snapshot, false },
                    { "keys", FIELD_BESIDE, &r->keys, true }, { "effects", FIELD_BESIDE, &r->effects, false },
                    { "suites", FIELD_NODE, &suites, false }, { "components", FIELD_NODE, &components, true },
                    { "architectures", FIELD_NODE, &archs, true }, { "packages", FIELD_NODE, &packages, true },
                    { "users", FIELD_NODE, &users, false }, { "directories", FIELD_NODE, &dirs, false },
                    { "files", FIELD_NODE, &files, false });
        if (packages)
                read_packages(f, packages, r);
        r->component = fields_texts(f, components, &r->n_component);
        r->arch = fields_texts(f, archs, &r->n_arch);
        read_suites(f, suites, r);
        read_users(f, users, r);
        r->dir = read_paths(f, dirs, false, &r->n_dir);
        r->file = read_paths(f, files, true, &r->n_file);
        if (sv_ends(stem, SV(".yml")))
                stem.n -= 4;
        if (r->name.n && !sv_eq(stem, r->name))
                fields_fault(f, yaml_get(y, "name"), "EB141", "a recipe has the name of its file", r->name);
}

static void hash_all(struct recipe *r);

int recipe_parse(struct arena *a, sv text, sv file, struct diags *ds, struct recipe **ret, struct err *e)
{
        struct recipe *r = arena_new(a, struct recipe);
        struct fields f = { a, ds, file, "a recipe" };
        size_t before = ds->n_errors;
        struct yaml *y;

        diag_source(ds, file, text);
        if (yaml_parse(a, text, file, ds, &y, e) < 0)
                return err_set(e, ERR_USAGE, "the recipe '%.*s' is not YAML", SV_ARG(file));
        r->path = arena_sv(a, file);
        read_recipe(&f, y, r);
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
