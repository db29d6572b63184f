#include "install/os_priv.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "ext/hash.h"

sv os_real(struct os *o, sv path)
{
        while (path.n && path.p[0] == '/')
                path = sv_skip(path, 1);
        return deb_usrmerge(o->a, path);
}

static bool put(struct os *o, const struct entry *en, sv text, bool even_shipped)
{
        struct os_made *m = map_get(&o->by_path, en->path);
        const struct os_path *shipped = map_get(&o->shipped, en->path);

        if (shipped && !even_shipped)
                return false;
        if (!m) {
                m = arena_new(o->a, struct os_made);
                *arena_push(o->a, o->made, o->n_made, o->cap_made) = m;
                map_put(&o->by_path, o->a, en->path, m);
        }
        m->entry = *en;
        m->entry.generated = true;
        m->text = text;
        if (en->type == ENTRY_FILE)
                m->entry.size = text.n;
        if (m->entry.mtime < ENTRY_MTIME_FLOOR)
                m->entry.mtime = ENTRY_MTIME_FLOOR;
        return true;
}

bool os_put(struct os *o, const struct entry *en, sv text)
{
        struct entry real = *en;

        real.path = os_real(o, en->path);
        return put(o, &real, text, false);
}

void os_replace(struct os *o, const struct entry *en)
{
        put(o, en, (sv){ 0 }, true);
}

bool os_file(struct os *o, sv path, uint32_t mode, sv text)
{
        return os_put(o, &(struct entry){ .path = path, .type = ENTRY_FILE, .mode = mode }, text);
}

bool os_link(struct os *o, sv path, sv target)
{
        return os_put(o, &(struct entry){ .path = path, .type = ENTRY_SYMLINK, .mode = 0777, .target = target }, (sv){ 0 });
}

bool os_dir(struct os *o, sv path, uint32_t mode, uint32_t uid, uint32_t gid)
{
        return os_put(o, &(struct entry){ .path = path, .type = ENTRY_DIR, .mode = mode, .uid = uid, .gid = gid }, (sv){ 0 });
}

const struct deb_text *os_text(const struct os *o, sv path)
{
        const struct os_path *p = map_get(&o->shipped, path);
        return p ? deb_info_text(p->deb, path) : NULL;
}

bool os_has_package(const struct os *o, const char *name)
{
        for (size_t i = 0; i < o->in->n_deb; i++)
                if (sv_is(o->in->deb[i].control.name, name))
                        return true;
        return false;
}

/* --- wants */

void os_wants(struct arena *a, const struct effects *x, struct deb_want *ret)
{
        static const char *const fixed[] = { "etc/ld.so.conf",          "etc/ld.so.conf.d/",           "usr/share/base-passwd/",
                                             "usr/share/ca-certificates/", "usr/lib/sysusers.d/" };
        size_t n = 0, cap = 0;
        sv *v = NULL;

        for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
                *arena_push(a, v, n, cap) = sv_from(fixed[i]);
        for (size_t i = 0; x && i < x->n_pkg; i++)
                for (size_t k = 0; k < x->pkg[i].n_copy; k++)
                        *arena_push(a, v, n, cap) = deb_usrmerge(a, sv_skip(x->pkg[i].copy[k].text, 1));
        *ret = (struct deb_want){ v, n };
}

/* --- scripts */

static bool skipped(const struct os_input *in, sv package)
{
        for (size_t i = 0; i < in->n_skip; i++)
                if (sv_eq(in->skip[i], package))
                        return true;
        return false;
}

static void unknown_script(const struct os_input *in, const struct deb_control *c, const char *name, sv line, struct diags *ds)
{
        bool skip = skipped(in, c->name);
        size_t i;

        if (skip) {
                diag_warn(ds, (sv){ 0 }, 0, 0, "EB402", "%s of '%.*s %.*s' is not run", name, SV_ARG(c->name), SV_ARG(c->version));
                return;
        }
        i = diag_add(ds, (sv){ 0 }, 0, 0, "EB401", "%s of '%.*s %.*s' would have to be run: '%.*s'", name, SV_ARG(c->name), SV_ARG(c->version),
                     (int)(line.n < 100 ? line.n : 100), line.p);
        diag_hint(ds, i, "if the image works without it: apt-scripts-skip: [%.*s]", SV_ARG(c->name));
}

static void check_script(const struct os_input *in, const struct deb_info *d, const char *name, struct diags *ds)
{
        AUTO(arena_done) struct arena tmp = { 0 };
        sv text = deb_control_file(&d->control, name);
        sha256 digest = sha256_of(text);
        struct deb_script s;

        deb_script_read(&tmp, sv_from(name), text, &s);
        if (s.kind == SCRIPT_UNKNOWN && !effects_knows(effects_find(in->effects, d->control.name), sv_from(name), &digest))
                unknown_script(in, &d->control, name, s.line, ds);
}

int os_check_scripts(const struct os_input *in, struct diags *ds, struct err *e)
{
        size_t before = ds->n_errors;

        for (size_t i = 0; i < in->n_deb; i++) {
                check_script(in, &in->deb[i], "preinst", ds);
                check_script(in, &in->deb[i], "postinst", ds);
        }
        if (ds->n_errors == before)
                return 0;
        return err_set(e, ERR_FAILED, "%zu maintainer scripts are not known, and none is ever run", ds->n_errors - before);
}

/* --- what is there in every image */

static void mount_points(struct os *o)
{
        static const struct {
                const char *path;
                uint32_t mode;
        } dirs[] = { { "proc", 0755 }, { "sys", 0755 }, { "dev", 0755 }, { "run", 0755 }, { "tmp", 01777 }, { "var/lib/apt/lists/partial", 0700 } };
        static const char *const files[] = { "etc/resolv.conf", "etc/hostname", "etc/machine-id" };

        for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++)
                os_dir(o, sv_from(dirs[i].path), dirs[i].mode, 0, 0);
        for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
                os_file(o, sv_from(files[i]), 0644, (sv){ 0 });
        if (!map_get(&o->by_path, SV("etc/hosts")))
                os_file(o, SV("etc/hosts"), 0644, SV("127.0.0.1\tlocalhost\n::1\t\tlocalhost ip6-localhost ip6-loopback\n"));
}

/* The four of a merged /usr: base-files ships them from 13 on, where dpkg keeps libc's lib64 apart. */
static void usr_links(struct os *o)
{
        static const char *const names[] = { "bin", "sbin", "lib", "lib64" };

        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
                struct entry en = { .path = sv_from(names[i]), .type = ENTRY_SYMLINK, .mode = 0777,
                                    .target = arena_fmt(o->a, "usr/%s", names[i]) };
                bool used = map_get(&o->shipped, en.target) != NULL;

                for (size_t k = 0; k < o->n_list && !used; k++)
                        used = sv_starts(o->list[k].p->path, arena_fmt(o->a, "usr/%s/", names[i]));
                if (used && !map_get(&o->shipped, en.path))
                        put(o, &en, (sv){ 0 }, false);
        }
}

static void recipe_paths(struct os *o)
{
        const struct recipe *r = o->in->recipe;

        for (size_t i = 0; i < r->n_dir; i++) {
                const struct recipe_path *p = &r->dir[i];
                struct entry en = { .path = os_real(o, p->path), .type = ENTRY_DIR, .mode = p->mode, .uid = p->uid, .gid = p->gid };
                put(o, &en, (sv){ 0 }, true);
        }
        for (size_t i = 0; i < r->n_file; i++) {
                const struct recipe_path *p = &r->file[i];
                struct entry en = { .path = os_real(o, p->path), .type = ENTRY_FILE, .mode = p->mode, .uid = p->uid, .gid = p->gid };
                put(o, &en, p->text, true);
        }
}

/* --- the whole */

static int made_cmp(const void *a, const void *b)
{
        return sv_cmp((*(struct os_made *const *)a)->entry.path, (*(struct os_made *const *)b)->entry.path);
}

static void give(struct os *o, struct entry **ret, struct content **ret_content, size_t *ret_n)
{
        struct entry *en = arena_array(o->a, struct entry, o->n_made + 1);
        struct content *c = arena_array(o->a, struct content, o->n_made + 1);

        if (o->n_made)
                qsort(o->made, o->n_made, sizeof(*o->made), made_cmp);
        for (size_t i = 0; i < o->n_made; i++) {
                en[i] = o->made[i]->entry;
                if (en[i].type == ENTRY_FILE && en[i].size)
                        c[i] = (struct content){ .kind = CONTENT_BYTES, .p = o->made[i]->text.p, .n = o->made[i]->text.n };
        }
        *ret = en;
        *ret_content = c;
        *ret_n = o->n_made;
}

static sv native_arch(const struct os_input *in)
{
        for (size_t i = 0; i < in->n_deb; i++)
                if (!sv_is(in->deb[i].control.arch, "all"))
                        return in->deb[i].control.arch;
        return SV("amd64");
}

int os_build(struct arena *a, const struct os_input *in, struct diags *ds, struct entry **ret, struct content **ret_content, size_t *ret_n,
             struct err *e)
{
        struct os o = { .a = a, .in = in, .ds = ds, .arch = native_arch(in) };

        o.triplet = deb_triplet(o.arch);
        if (os_check_scripts(in, ds, e) < 0 || os_merge(&o, e) < 0)
                return -(int)e->code;
        usr_links(&o);
        os_effects(&o);
        os_accounts(&o);
        if (os_alternatives(&o, e) < 0 || os_certificates(&o, e) < 0)
                return -(int)e->code;
        mount_points(&o);
        os_ldcache(&o);
        if (os_dpkg(&o, e) < 0)
                return -(int)e->code;
        recipe_paths(&o);
        os_repeat_dirs(&o);
        give(&o, ret, ret_content, ret_n);
        return 0;
}
