#include "install/effects.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "ext/hash.h"
#include "ext/json.h"
#include "spec/fields.h"

struct ctx {
        struct fields f;
        sv arch;
};

sv deb_triplet(sv arch)
{
        if (sv_is(arch, "amd64"))
                return SV("x86_64-linux-gnu");
        return sv_is(arch, "arm64") ? SV("aarch64-linux-gnu") : (sv){ 0 };
}

/* ${triplet}, ${arch} and ${ld.so} put in. */
static void put_in(struct ctx *c, sv *text)
{
        AUTO(buf_done) struct buf out = BUF_INIT(EFFECTS_MAX);
        sv rest = *text, head;
        ptrdiff_t at = sv_find_sv(rest, SV("${"));

        if (at < 0)
                return;
        for (; at >= 0; at = sv_find_sv(rest, SV("${"))) {
                buf_add(&out, sv_from_to(rest, 0, (size_t)at));
                head = sv_skip(rest, (size_t)at);
                if (sv_starts(head, SV("${triplet}")))
                        buf_add(&out, deb_triplet(c->arch)), rest = sv_skip(head, 10);
                else if (sv_starts(head, SV("${arch}")))
                        buf_add(&out, c->arch), rest = sv_skip(head, 7);
                else if (sv_starts(head, SV("${ld.so}")))
                        buf_add(&out, sv_is(c->arch, "arm64") ? SV("lib/ld-linux-aarch64.so.1") : SV("lib64/ld-linux-x86-64.so.2")),
                                rest = sv_skip(head, 8);
                else
                        buf_add(&out, SV("${")), rest = sv_skip(head, 2);
        }
        buf_add(&out, rest);
        *text = arena_sv(c->f.a, buf_sv(&out));
}

static int script_cmp(const void *a, const void *b)
{
        const struct effect_script *x = a, *y = b;
        int d = sv_cmp(x->script, y->script);
        return d ? d : sha256_cmp(&x->sha256, &y->sha256);
}

static void read_scripts(struct ctx *c, const struct yaml *y, struct effect_pkg *p)
{
        static const char *const names[] = { "preinst", "postinst" };
        const struct yaml *v[2] = { 0 };
        size_t cap = 0;

        if (!y)
                return;
        FIELDS_READ(&c->f, y, { "preinst", FIELD_NODE, &v[0], false }, { "postinst", FIELD_NODE, &v[1], false });
        for (size_t k = 0; k < 2; k++)
                for (size_t i = 0; i < fields_list(&c->f, v[k]); i++) {
                        struct effect_script s = { .script = sv_from(names[k]) };
                        const struct yaml *one = v[k]->v[i].value;

                        if (one->type != YAML_SCALAR || !sha256_read(one->text, &s.sha256))
                                fields_fault(&c->f, one, "EB141", "the 64 digits of a sha256 are expected here", one->text);
                        else
                                *arena_push(c->f.a, p->script, p->n_script, cap) = s;
                }
        if (p->n_script)
                qsort(p->script, p->n_script, sizeof(*p->script), script_cmp);
}

static void read_slaves(struct ctx *c, const struct yaml *y, struct deb_alternative *alt)
{
        alt->n_slave = fields_list(&c->f, y);
        alt->slave = arena_array(c->f.a, struct deb_slave, alt->n_slave + 1);
        for (size_t i = 0; i < alt->n_slave; i++) {
                struct deb_slave *s = &alt->slave[i];

                FIELDS_READ(&c->f, y->v[i].value, { "link", FIELD_PATH, &s->link, true }, { "name", FIELD_TEXT, &s->name, true },
                            { "path", FIELD_PATH, &s->path, true });
                put_in(c, &s->link), put_in(c, &s->name), put_in(c, &s->path);
        }
}

static void read_alternatives(struct ctx *c, const struct yaml *y, struct effect_pkg *p)
{
        p->n_alternative = fields_list(&c->f, y);
        p->alternative = arena_array(c->f.a, struct deb_alternative, p->n_alternative + 1);
        for (size_t i = 0; i < p->n_alternative; i++) {
                struct deb_alternative *alt = &p->alternative[i];
                const struct yaml *slaves = NULL;

                FIELDS_READ(&c->f, y->v[i].value, { "link", FIELD_PATH, &alt->link, true }, { "name", FIELD_TEXT, &alt->name, true },
                            { "path", FIELD_PATH, &alt->path, true }, { "priority", FIELD_INT, &alt->priority, true },
                            { "slaves", FIELD_NODE, &slaves, false });
                read_slaves(c, slaves, alt);
                put_in(c, &alt->link), put_in(c, &alt->name), put_in(c, &alt->path);
        }
}

static struct effect_path *read_paths(struct ctx *c, const struct yaml *y, const char *second, enum field_kind kind, uint32_t mode, size_t *ret_n)
{
        struct effect_path *v = arena_array(c->f.a, struct effect_path, (*ret_n = fields_list(&c->f, y)) + 1);

        for (size_t i = 0; i < *ret_n; i++) {
                struct effect_path *p = &v[i];
                const struct field fields[] = { { "path", FIELD_PATH, &p->path, true },
                                                { "mode", FIELD_MODE, &p->mode, false },
                                                { "uid", FIELD_ID, &p->uid, false },
                                                { "gid", FIELD_ID, &p->gid, false },
                                                { second, kind, &p->text, true } };

                p->mode = mode;
                fields_read(&c->f, y->v[i].value, fields, second ? 5 : 4);
                put_in(c, &p->path), put_in(c, &p->text);
        }
        return v;
}

static void read_users(struct ctx *c, const struct yaml *y, struct effect_pkg *p)
{
        p->n_user = fields_list(&c->f, y);
        p->user = arena_array(c->f.a, struct effect_user, p->n_user + 1);
        for (size_t i = 0; i < p->n_user; i++) {
                struct effect_user *u = &p->user[i];

                *u = (struct effect_user){ .home = SV("/nonexistent"), .shell = SV("/usr/sbin/nologin") };
                FIELDS_READ(&c->f, y->v[i].value, { "name", FIELD_TEXT, &u->name, true }, { "uid", FIELD_ID, &u->uid, true },
                            { "gid", FIELD_ID, &u->gid, true }, { "gecos", FIELD_ANY_TEXT, &u->gecos, false },
                            { "home", FIELD_PATH, &u->home, false }, { "shell", FIELD_PATH, &u->shell, false });
                if (u->name.n && (!fields_user_name(u->name) || !fields_passwd_text(u->gecos)))
                        fields_fault(&c->f, y->v[i].value, "EB141", "not a user", u->name);
        }
}

/* --- canonical form: the YAML tree as JSON, `why` and `scripts` left out: they change no byte of the layer */

static struct js *tree_js(struct arena *a, const struct yaml *y, bool top)
{
        struct js *o;

        if (y->type == YAML_SCALAR)
                return js_new_str(a, y->text);
        o = y->type == YAML_SEQ ? js_new_arr(a) : js_new_obj(a);
        for (size_t i = 0; i < y->n; i++) {
                if (y->type == YAML_SEQ)
                        js_add(a, o, tree_js(a, y->v[i].value, false));
                else if (!top || (!sv_is(y->v[i].key->text, "why") && !sv_is(y->v[i].key->text, "scripts")))
                        js_put(a, o, y->v[i].key->text, tree_js(a, y->v[i].value, false));
        }
        return o;
}

static sv canonical(struct arena *a, const struct yaml *y)
{
        AUTO(arena_done) struct arena tmp = { 0 };
        AUTO(buf_done) struct buf out = BUF_INIT(EFFECTS_MAX * 2);

        js_write(tree_js(&tmp, y, true), &out);
        return arena_sv(a, buf_sv(&out));
}

static void read_pkg(struct ctx *c, const struct yaml *y, struct effect_pkg *p)
{
        const struct yaml *scripts = NULL, *alternatives = NULL, *dirs = NULL, *files = NULL, *copies = NULL, *links = NULL, *diversions = NULL,
                          *users = NULL;

        FIELDS_READ(&c->f, y, { "package", FIELD_TEXT, &p->package, true }, { "why", FIELD_TEXT, &p->why, false },
                    { "scripts", FIELD_NODE, &scripts, false }, { "alternatives", FIELD_NODE, &alternatives, false },
                    { "directories", FIELD_NODE, &dirs, false }, { "files", FIELD_NODE, &files, false },
                    { "copies", FIELD_NODE, &copies, false }, { "links", FIELD_NODE, &links, false },
                    { "diversions", FIELD_NODE, &diversions, false }, { "users", FIELD_NODE, &users, false });
        read_scripts(c, scripts, p);
        read_alternatives(c, alternatives, p);
        p->dir = read_paths(c, dirs, NULL, FIELD_TEXT, 0755, &p->n_dir);
        p->file = read_paths(c, files, "text", FIELD_ANY_TEXT, 0644, &p->n_file);
        p->copy = read_paths(c, copies, "from", FIELD_PATH, 0, &p->n_copy);
        p->link = read_paths(c, links, "target", FIELD_TEXT, 0777, &p->n_link);
        p->diversion = read_paths(c, diversions, "to", FIELD_PATH, 0, &p->n_diversion);
        read_users(c, users, p);
        if (y->type == YAML_MAP)
                p->canonical = canonical(c->f.a, y);
}

static int pkg_cmp(const void *a, const void *b)
{
        return sv_cmp(((const struct effect_pkg *)a)->package, ((const struct effect_pkg *)b)->package);
}

int effects_parse(struct arena *a, sv text, sv file, sv arch, struct diags *ds, struct effects **ret, struct err *e)
{
        struct ctx c = { { a, ds, file, "an effects file" }, arch };
        struct effects *x = arena_new(a, struct effects);
        const struct yaml *packages = NULL;
        size_t before = ds->n_errors;
        struct yaml *y;

        diag_source(ds, file, text);
        if (yaml_parse(a, text, file, ds, &y, e) < 0)
                return err_set(e, ERR_USAGE, "the effects file '%.*s' is not YAML", SV_ARG(file));
        FIELDS_READ(&c.f, y, { "effects", FIELD_ONE, NULL, true }, { "suite", FIELD_TEXT, &x->suite, true },
                    { "packages", FIELD_NODE, &packages, true });
        x->n_pkg = fields_list(&c.f, packages);
        x->pkg = arena_array(a, struct effect_pkg, x->n_pkg + 1);
        for (size_t i = 0; i < x->n_pkg; i++) {
                read_pkg(&c, packages->v[i].value, &x->pkg[i]);
                for (size_t k = 0; k < i; k++)
                        if (sv_eq(x->pkg[k].package, x->pkg[i].package))
                                fields_fault(&c.f, packages->v[i].value, "EB143", "this package is in the list twice", x->pkg[i].package);
        }
        if (ds->n_errors != before)
                return err_set(e, ERR_USAGE, "%zu faults in the effects file '%.*s'", ds->n_errors - before, SV_ARG(file));
        if (x->n_pkg)
                qsort(x->pkg, x->n_pkg, sizeof(*x->pkg), pkg_cmp);
        *ret = x;
        return 0;
}

const struct effect_pkg *effects_find(const struct effects *x, sv package)
{
        struct effect_pkg key = { .package = package };
        return x && x->n_pkg ? bsearch(&key, x->pkg, x->n_pkg, sizeof(key), pkg_cmp) : NULL;
}

bool effects_knows(const struct effect_pkg *p, sv script, const sha256 *d)
{
        for (size_t i = 0; p && i < p->n_script; i++)
                if (sv_eq(p->script[i].script, script) && sha256_eq(&p->script[i].sha256, d))
                        return true;
        return false;
}

sha256 effects_digest(const struct effects *x, const sv *package, size_t n)
{
        struct hash *h = hash_new(HASH_SHA256);
        sha256 d;

        for (size_t i = 0; i < n; i++) {
                const struct effect_pkg *p = effects_find(x, package[i]);
                if (p) {
                        hash_add(h, p->canonical.p, p->canonical.n);
                        hash_add(h, "\n", 1);
                }
        }
        hash_end(h, d.b);
        hash_free(h);
        return d;
}
