#include "install/os_priv.h"

#include <string.h>

#include "base/cleanup.h"

/* dpkg's own order and spelling (lib/dpkg/parse.c, fieldinfos); other fields follow as the package has them. */
enum how { PLAIN, RELATIONS, STATUS, CONFFILES };
static const struct {
        const char *name;
        enum how how;
} fields[] = { { "Package", PLAIN },        { "Essential", PLAIN },     { "Protected", PLAIN },     { "Status", STATUS },
               { "Priority", PLAIN },       { "Section", PLAIN },       { "Installed-Size", PLAIN }, { "Origin", PLAIN },
               { "Maintainer", PLAIN },     { "Bugs", PLAIN },          { "Architecture", PLAIN },  { "Multi-Arch", PLAIN },
               { "Source", PLAIN },         { "Version", PLAIN },       { "Replaces", RELATIONS },  { "Provides", RELATIONS },
               { "Depends", RELATIONS },    { "Pre-Depends", RELATIONS }, { "Recommends", RELATIONS }, { "Suggests", RELATIONS },
               { "Breaks", RELATIONS },     { "Conflicts", RELATIONS }, { "Enhances", RELATIONS },  { "Conffiles", CONFFILES },
               { "Description", PLAIN } };
#define N_FIELDS (sizeof(fields) / sizeof(fields[0]))

static bool known(sv name)
{
        for (size_t i = 0; i < N_FIELDS; i++)
                if (sv_eq_nocase(name, sv_from(fields[i].name)))
                        return true;
        return false;
}

static int write_relations(struct os *o, const char *name, sv value, struct buf *out, struct err *e)
{
        AUTO(arena_done) struct arena tmp = { 0 };
        struct deb_rel *r;
        size_t n;

        if (control_deps(&tmp, value, o->arch, &r, &n, e) < 0)
                return -(int)e->code;
        for (size_t i = 0; i < n; i++) {
                if (i)
                        buf_add(out, SV(", "));
                else
                        buf_fmt(out, "%s: ", name);
                for (uint32_t k = 0; k < r[i].n; k++) {
                        buf_add(out, k ? SV(" | ") : SV(""));
                        control_dep_write(&r[i].alt[k], out);
                }
        }
        if (n)
                buf_byte(out, '\n');
        return 0;
}

static void write_conffiles(const struct deb_info *d, struct buf *out)
{
        bool any = false;

        for (size_t i = 0; i < d->n_conffile; i++) {
                const struct deb_conffile *c = &d->conffile[i];

                if (!c->md5[0] && c->flag.n == 0) /* listed, but not shipped */
                        continue;
                buf_fmt(out, "%s %.*s %s%s%.*s\n", any ? "" : "Conffiles:\n", SV_ARG(c->path), c->md5[0] ? c->md5 : "newconffile",
                        c->flag.n ? " " : "", SV_ARG(c->flag));
                any = true;
        }
}

static int write_field(struct os *o, const struct deb_info *d, size_t i, struct buf *out, struct err *e)
{
        sv value = control_get(d->control.control, fields[i].name);

        switch (fields[i].how) {
        case STATUS:
                buf_add(out, SV("Status: install ok installed\n"));
                return 0;
        case CONFFILES:
                write_conffiles(d, out);
                return 0;
        case RELATIONS:
                return value.n ? write_relations(o, fields[i].name, value, out, e) : 0;
        case PLAIN:
                if (value.n)
                        buf_fmt(out, "%s: %.*s\n", fields[i].name, SV_ARG(value));
                return 0;
        }
        return 0;
}

static int status(struct os *o, struct err *e)
{
        AUTO(buf_done) struct buf b = BUF_INIT(OS_TEXT_MAX);

        for (size_t i = 0; i < o->in->n_deb; i++) {
                const struct deb_info *d = &o->in->deb[i];
                sv rest = d->control.control, name, value;

                for (size_t k = 0; k < N_FIELDS; k++)
                        if (write_field(o, d, k, &b, e) < 0)
                                return err_while(e, "writing dpkg's entry of '%.*s'", SV_ARG(d->control.name));
                while (control_field(&rest, &name, &value) == 1)
                        if (!known(name))
                                buf_fmt(&b, "%.*s: %.*s\n", SV_ARG(name), SV_ARG(value));
                buf_byte(&b, '\n');
        }
        if (buf_check(&b, e) < 0)
                return -(int)e->code;
        os_file(o, SV("var/lib/dpkg/status"), 0644, arena_sv(o->a, buf_sv(&b)));
        return 0;
}

static void diversions(struct os *o)
{
        AUTO(buf_done) struct buf b = BUF_INIT(OS_TEXT_MAX);

        for (size_t i = 0; i < o->in->n_deb; i++) {
                sv package = o->in->deb[i].control.name;
                const struct effect_pkg *p = effects_find(o->in->effects, package);

                for (size_t k = 0; p && k < p->n_diversion; k++)
                        buf_fmt(&b, "%.*s\n%.*s\n%.*s\n", SV_ARG(p->diversion[k].path), SV_ARG(p->diversion[k].text), SV_ARG(package));
        }
        os_file(o, SV("var/lib/dpkg/diversions"), 0644, arena_sv(o->a, buf_sv(&b)));
}

/* --- triggers: "interest[-noawait] /path" in File, "interest[-noawait] name" in a file of that name */

static sv trigger_word(sv *rest)
{
        sv w;
        size_t n = 0;

        *rest = sv_trim(*rest);
        while (n < rest->n && rest->p[n] != ' ' && rest->p[n] != '\t')
                n++;
        w = sv_from_to(*rest, 0, n);
        *rest = sv_trim(sv_skip(*rest, n));
        return w;
}

static void named_trigger(struct os *o, sv name, sv line)
{
        sv path = arena_fmt(o->a, "var/lib/dpkg/triggers/%.*s", SV_ARG(name));
        struct os_made *m = map_get(&o->by_path, path);

        sv before = m ? m->text : (sv){ 0 };

        os_file(o, path, 0644, arena_fmt(o->a, "%.*s%.*s", SV_ARG(before), SV_ARG(line)));
}

static void triggers_of(struct os *o, const struct deb_info *d, struct buf *file)
{
        sv text = deb_control_file(&d->control, "triggers"), line;

        while (sv_line(&text, &line)) {
                ptrdiff_t hash = sv_find(line, '#');
                sv rest = hash < 0 ? line : sv_from_to(line, 0, (size_t)hash), verb = trigger_word(&rest);
                const char *await = sv_is(verb, "interest-noawait") ? "/noawait" : "";
                const struct deb_control *c = &d->control;
                sv same = c->same ? c->arch : (sv){ 0 }, who;

                if (!sv_starts(verb, SV("interest")) || rest.n == 0)
                        continue;
                who = arena_fmt(o->a, "%.*s%s%.*s%s", SV_ARG(c->name), c->same ? ":" : "", SV_ARG(same), await);
                if (rest.p[0] == '/')
                        buf_fmt(file, "%.*s %.*s\n", SV_ARG(rest), SV_ARG(who));
                else if (sv_find(rest, '/') < 0 && rest.p[0] != '.')
                        named_trigger(o, rest, arena_fmt(o->a, "%.*s\n", SV_ARG(who)));
        }
}

static void triggers(struct os *o)
{
        AUTO(buf_done) struct buf file = BUF_INIT(OS_TEXT_MAX);

        for (size_t i = 0; i < o->in->n_deb; i++)
                triggers_of(o, &o->in->deb[i], &file);
        os_file(o, SV("var/lib/dpkg/triggers/File"), 0644, arena_sv(o->a, buf_sv(&file)));
        os_file(o, SV("var/lib/dpkg/triggers/Unincorp"), 0644, (sv){ 0 });
}

int os_dpkg(struct os *o, struct err *e)
{
        if (status(o, e) < 0)
                return -(int)e->code;
        diversions(o);
        triggers(o);
        os_file(o, SV("var/lib/dpkg/available"), 0644, (sv){ 0 });
        os_file(o, SV("var/lib/dpkg/statoverride"), 0644, (sv){ 0 });
        os_file(o, SV("var/lib/dpkg/info/format"), 0644, SV("1\n"));
        os_dir(o, SV("var/lib/dpkg/updates"), 0755, 0, 0);
        os_dir(o, SV("var/lib/dpkg/alternatives"), 0755, 0, 0);
        return 0;
}
