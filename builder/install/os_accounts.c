#include "install/os_priv.h"

#include <stdio.h>

#include "base/cleanup.h"

/* passwd, group, and with package `passwd` shadow and gshadow too: base-passwd's masters, then the users that scripts are known to make,
 * those of sysusers.d (for packages whose script asks for them), the recipe's. */
struct accounts {
        struct os *o;
        struct buf passwd, group, shadow, gshadow;
        bool shadowed;
};

static void line_add(struct buf *b, sv name, sv password, sv rest)
{
        buf_fmt(b, "%.*s:%.*s:%.*s\n", SV_ARG(name), SV_ARG(password), SV_ARG(rest));
}

/* "root:*:0:0:…" → the name, and what follows the password. */
static bool cut_line(sv line, sv *ret_name, sv *ret_rest)
{
        sv password;

        *ret_rest = line;
        return sv_cut(ret_rest, ':', ret_name) && sv_cut(ret_rest, ':', &password) && ret_name->n;
}

static bool has_line(const struct buf *b, sv name)
{
        sv rest = buf_sv(b), line, first;

        while (sv_line(&rest, &line))
                if (sv_cut(&line, ':', &first) && sv_eq(first, name))
                        return true;
        return false;
}

static bool has_number(const struct buf *b, uint32_t number)
{
        sv rest = buf_sv(b), line, part;
        uint64_t n;

        while (sv_line(&rest, &line))
                if (sv_cut(&line, ':', &part) && sv_cut(&line, ':', &part) && sv_cut(&line, ':', &part) && sv_u64(part, &n) && n == number)
                        return true;
        return false;
}

static void user_line(struct accounts *c, sv name, sv rest)
{
        line_add(&c->passwd, name, c->shadowed ? SV("x") : SV("*"), rest);
        buf_fmt(&c->shadow, "%.*s:*:0:0:99999:7:::\n", SV_ARG(name));
}

static void group_line(struct accounts *c, sv name, sv rest)
{
        line_add(&c->group, name, c->shadowed ? SV("x") : SV("*"), rest);
        buf_fmt(&c->gshadow, "%.*s:*::\n", SV_ARG(name));
}

static void group_add(struct accounts *c, sv name, uint32_t gid)
{
        char rest[24];

        if (has_line(&c->group, name) || has_number(&c->group, gid))
                return;
        snprintf(rest, sizeof(rest), "%u:", gid);
        group_line(c, name, sv_from(rest));
}

static void user_add(struct accounts *c, sv name, uint32_t uid, uint32_t gid, sv gecos, sv home, sv shell)
{
        if (has_line(&c->passwd, name))
                return;
        group_add(c, name, gid);
        user_line(c, name, arena_fmt(c->o->a, "%u:%u:%.*s:%.*s:%.*s", uid, gid, SV_ARG(gecos), SV_ARG(home), SV_ARG(shell)));
}

static void masters(struct accounts *c)
{
        const struct deb_text *passwd = os_text(c->o, SV("usr/share/base-passwd/passwd.master"));
        const struct deb_text *group = os_text(c->o, SV("usr/share/base-passwd/group.master"));
        sv text = passwd ? passwd->text : SV("root:*:0:0:root:/root:/bin/sh\n"), line, name, rest;

        while (sv_line(&text, &line))
                if (cut_line(line, &name, &rest))
                        user_line(c, name, rest);
        text = group ? group->text : SV("root:*:0:\n");
        while (sv_line(&text, &line))
                if (cut_line(line, &name, &rest))
                        group_line(c, name, rest);
}

/* --- sysusers.d(5): "u name id gecos home shell", "g name id" */

static sv word(sv *rest)
{
        sv w;
        size_t n = 0;

        *rest = sv_trim(*rest);
        if (rest->n && rest->p[0] == '"') {
                *rest = sv_skip(*rest, 1);
                while (n < rest->n && rest->p[n] != '"')
                        n++;
                w = sv_from_to(*rest, 0, n);
                *rest = sv_skip(*rest, n + 1);
                return w;
        }
        while (n < rest->n && rest->p[n] != ' ' && rest->p[n] != '\t')
                n++;
        w = sv_from_to(*rest, 0, n);
        *rest = sv_skip(*rest, n);
        return w;
}

static sv unless_dash(sv w, sv otherwise)
{
        return w.n == 0 || sv_is(w, "-") ? otherwise : w;
}

/* systemd takes from 999 down; so do we, the same for the same set. */
static uint32_t free_number(const struct accounts *c)
{
        uint32_t n = 999;

        while (n > 100 && (has_number(&c->passwd, n) || has_number(&c->group, n)))
                n--;
        return n;
}

static void sysusers_line(struct accounts *c, sv line)
{
        sv kind = word(&line), name = word(&line), id = word(&line), gecos = word(&line), home = word(&line), shell = word(&line);
        sv uid_text = id;
        uint64_t uid, gid;
        ptrdiff_t colon = sv_find(id, ':');

        if (name.n == 0 || sv_find(name, '%') >= 0 || !(sv_starts(kind, SV("u")) || sv_starts(kind, SV("g"))))
                return;
        if (colon >= 0)
                uid_text = sv_from_to(id, 0, (size_t)colon);
        if (!sv_u64(uid_text, &uid) || uid > 65534)
                uid = free_number(c);
        if (colon < 0 || !sv_u64(sv_skip(id, (size_t)colon + 1), &gid) || gid > 65534)
                gid = uid;
        if (kind.p[0] == 'g')
                group_add(c, name, (uint32_t)uid);
        else
                user_add(c, name, (uint32_t)uid, (uint32_t)gid, unless_dash(gecos, (sv){ 0 }), unless_dash(home, SV("/")),
                         unless_dash(shell, SV("/usr/sbin/nologin")));
}

static void sysusers(struct accounts *c, const struct deb_info *d)
{
        struct deb_script s;

        deb_script_read(c->o->a, SV("postinst"), deb_control_file(&d->control, "postinst"), &s);
        for (size_t i = 0; s.sysusers && i < d->n_text; i++) {
                sv text = d->text[i].text, line;

                if (!sv_starts(d->text[i].path, SV("usr/lib/sysusers.d/")))
                        continue;
                while (sv_line(&text, &line))
                        if (line.n && line.p[0] != '#')
                                sysusers_line(c, line);
        }
}

static void give(struct accounts *c, const char *path, uint32_t mode, uint32_t gid, struct buf *b)
{
        struct entry en = { .path = sv_from(path), .type = ENTRY_FILE, .mode = mode, .gid = gid };
        os_put(c->o, &en, arena_sv(c->o->a, buf_sv(b)));
}

static void accounts_done(struct accounts *c)
{
        buf_done(&c->passwd);
        buf_done(&c->group);
        buf_done(&c->shadow);
        buf_done(&c->gshadow);
}

void os_accounts(struct os *o)
{
        AUTO(accounts_done) struct accounts c = { .o = o,
                                                  .passwd = BUF_INIT(OS_TEXT_MAX),
                                                  .group = BUF_INIT(OS_TEXT_MAX),
                                                  .shadow = BUF_INIT(OS_TEXT_MAX),
                                                  .gshadow = BUF_INIT(OS_TEXT_MAX) };

        c.shadowed = os_has_package(o, "passwd");
        masters(&c);
        for (size_t i = 0; i < o->in->n_deb; i++) {
                const struct effect_pkg *p = effects_find(o->in->effects, o->in->deb[i].control.name);

                for (size_t k = 0; p && k < p->n_user; k++)
                        user_add(&c, p->user[k].name, p->user[k].uid, p->user[k].gid, p->user[k].gecos, p->user[k].home, p->user[k].shell);
                sysusers(&c, &o->in->deb[i]);
        }
        for (size_t i = 0; i < o->in->recipe->n_user; i++) {
                const struct recipe_user *u = &o->in->recipe->user[i];
                user_add(&c, u->name, u->uid, u->gid, u->gecos, u->home, u->shell);
        }
        give(&c, "etc/passwd", 0644, 0, &c.passwd);
        give(&c, "etc/group", 0644, 0, &c.group);
        if (!c.shadowed)
                return;
        give(&c, "etc/shadow", 0640, 42, &c.shadow);
        give(&c, "etc/gshadow", 0640, 42, &c.gshadow);
}
