#include "sandbox/sandbox_priv.h"

/* Field n of a line of passwd or group. */
static sv field(sv line, unsigned n)
{
        sv f = { 0 };

        for (unsigned i = 0; i <= n; i++)
                if (!sv_cut(&line, ':', &f))
                        return (sv){ 0 };
        return f;
}

static bool id_of(sv text, uint32_t *ret)
{
        uint64_t n;

        if (!sv_u64(text, &n) || n > UINT32_MAX - 1)
                return false;
        *ret = (uint32_t)n;
        return true;
}

/* The first line whose field `at` is `what`. */
static bool find_line(sv file, unsigned at, sv what, sv *ret)
{
        sv line;

        while (sv_line(&file, &line))
                if (line.n && sv_eq(field(line, at), what)) {
                        *ret = line;
                        return true;
                }
        return false;
}

int sandbox_user_find(sv user, sv passwd, sv group, struct sandbox_user *ret, struct err *e)
{
        struct sandbox_user u = { 0, 0 };
        ptrdiff_t colon = sv_find(user, ':');
        sv name = sv_from_to(user, 0, colon < 0 ? user.n : (size_t)colon), line;
        sv of = colon < 0 ? (sv){ 0 } : sv_skip(user, (size_t)colon + 1);

        if (name.n && (find_line(passwd, 0, name, &line) || find_line(passwd, 2, name, &line))) {
                if (!id_of(field(line, 2), &u.uid) || !id_of(field(line, 3), &u.gid))
                        return err_set(e, ERR_FAILED, "the image's /etc/passwd has no ids for '%.*s'", SV_ARG(name));
        } else if (name.n && !id_of(name, &u.uid)) {
                err_set(e, ERR_FAILED, "the image runs as the user '%.*s', whom its /etc/passwd does not have",
                        SV_ARG(name));
                err_hint(e, "name the user by number: envbuild: {user: \"1000:1000\"}");
                return -(int)e->code;
        }
        if (of.n && find_line(group, 0, of, &line) ? !id_of(field(line, 2), &u.gid) : of.n && !id_of(of, &u.gid))
                return err_set(e, ERR_FAILED,
                               "the image runs with the group '%.*s', which its /etc/group does not have", SV_ARG(of));
        *ret = u;
        return 0;
}

bool sandbox_user_known(uint32_t uid, sv passwd)
{
        uint32_t one;
        sv line;

        while (sv_line(&passwd, &line))
                if (id_of(field(line, 2), &one) && one == uid)
                        return true;
        return false;
}
