#include "install/deb.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

#define CONTROL_MAX   ((uint64_t)16 << 20)
#define CONTROL_FILES 64
#define DATA_FILES    ((uint64_t)1 << 20)
#define DATA_MAX      ((uint64_t)64 << 30)
#define DATA_FLOOR    ((uint64_t)256 << 20)
#define DATA_RATIO    1000 /* xz of text reaches 100 */

struct open_tar {
        const struct archive_table *t;
        struct archive_reader *r;
};
static void tar_close(struct open_tar *o)
{
        if (o->t)
                o->t->close(o->r);
}

static int read_text(struct arena *a, struct open_tar *o, uint64_t size, sv *ret, struct err *e)
{
        char *p = arena_alloc(a, (size_t)size + 1, 1);
        size_t n = 0, got;

        while (n < size) {
                if (o->t->read(o->r, p + n, (size_t)size - n, &got, e) < 0)
                        return -(int)e->code;
                if (got == 0)
                        break;
                n += got;
        }
        *ret = (sv){ p, n };
        return n == size ? 0 : err_set(e, ERR_INTEGRITY, "a control file is cut off");
}

static int member_cmp(const void *a, const void *b)
{
        return sv_cmp(((const struct deb_member *)a)->name, ((const struct deb_member *)b)->name);
}

static bool name_ok(sv name)
{
        for (size_t i = 0; i < name.n; i++) {
                char c = name.p[i];
                if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (i && (c == '-' || c == '.' || c == '_'))))
                        return false;
        }
        return name.n > 0 && name.n < 64;
}

static int read_members(struct arena *a, struct open_tar *o, struct deb_control *c, struct err *e)
{
        const struct archive_item *it;
        size_t cap = 0;
        int got;

        while ((got = o->t->next(o->r, &it, e)) == 1) {
                struct deb_member m = { .name = it->path, .mode = it->mode & 0755, .mtime = it->mtime };

                if (sv_starts(m.name, SV("./")))
                        m.name = sv_skip(m.name, 2);
                if (it->type == ARCHIVE_DIR && (m.name.n == 0 || sv_is(m.name, ".")))
                        continue;
                if (it->type != ARCHIVE_FILE || !name_ok(m.name))
                        return err_set(e, ERR_INTEGRITY, "control.tar has '%.*s', which is no control file", SV_ARG(it->path));
                m.name = arena_sv(a, m.name);
                if (read_text(a, o, it->size, &m.text, e) < 0)
                        return -(int)e->code;
                if (sv_is(m.name, "control"))
                        c->control = m.text;
                else
                        *arena_push(a, c->member, c->n_member, cap) = m;
        }
        if (got < 0)
                return got;
        if (c->n_member)
                qsort(c->member, c->n_member, sizeof(*c->member), member_cmp);
        for (size_t i = 1; i < c->n_member; i++)
                if (sv_eq(c->member[i - 1].name, c->member[i].name))
                        return err_set(e, ERR_INTEGRITY, "control.tar has '%.*s' twice", SV_ARG(c->member[i].name));
        return 0;
}

int deb_control_read(struct arena *a, sv control_tar, struct deb_control *ret, struct err *e)
{
        AUTO(tar_close) struct open_tar o = { 0 };
        const struct archive_opts opts = {
                .flags = ARCHIVE_TAR | ARCHIVE_DECODE, .max_items = CONTROL_FILES, .max_bytes = CONTROL_MAX, .bytes = control_tar
        };
        struct deb_control c = { 0 };
        sv multi;

        if (archive_load(&o.t, e) < 0 || o.t->open(&opts, &o.r, e) < 0 || read_members(a, &o, &c, e) < 0)
                return err_while(e, "reading a package's control.tar");
        if (control_check(c.control, e) < 0)
                return err_while(e, "reading a package's control file");
        c.name = control_get(c.control, "Package");
        c.version = control_get(c.control, "Version");
        c.arch = control_get(c.control, "Architecture");
        multi = control_get(c.control, "Multi-Arch");
        c.same = sv_is(multi, "same");
        if (!deb_name_valid(c.name) || !deb_version_valid(c.version) || !name_ok(c.arch))
                return err_set(e, ERR_INTEGRITY, "a control file has no proper Package, Version and Architecture");
        *ret = c;
        return 0;
}

sv deb_control_file(const struct deb_control *c, const char *name)
{
        for (size_t i = 0; i < c->n_member; i++)
                if (sv_is(c->member[i].name, name))
                        return c->member[i].text;
        return (sv){ 0 };
}

sv deb_info_path(struct arena *a, const struct deb_control *c, sv file)
{
        sv arch = c->same ? c->arch : (sv){ 0 };

        return arena_fmt(a, "var/lib/dpkg/info/%.*s%s%.*s.%.*s", SV_ARG(c->name), c->same ? ":" : "", SV_ARG(arch), SV_ARG(file));
}

int deb_data_open(const struct archive_table *t, const struct deb_parts *p, struct archive_reader **ret, struct err *e)
{
        uint64_t max = p->data.n > DATA_MAX / DATA_RATIO ? DATA_MAX : p->data.n * DATA_RATIO;
        const struct archive_opts opts = { .flags = ARCHIVE_TAR | ARCHIVE_DECODE,
                                           .max_items = DATA_FILES,
                                           .max_bytes = max < DATA_FLOOR ? DATA_FLOOR : max,
                                           .bytes = p->data };
        return t->open(&opts, ret, e);
}
