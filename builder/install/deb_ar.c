#include "install/deb.h"

#include <string.h>

/* A member's header: name 16, date 12, uid 6, gid 6, mode 8, size 10, end 2. */
#define HEADER 60

static bool member(sv *rest, sv *ret_name, sv *ret_body)
{
        uint64_t size;

        if (rest->n < HEADER || memcmp(rest->p + 58, "`\n", 2) != 0 ||
            !sv_u64(sv_trim(sv_from_to(*rest, 48, 58)), &size) || size > rest->n - HEADER)
                return false;
        *ret_name = sv_trim(sv_from_to(*rest, 0, 16));
        if (ret_name->n && ret_name->p[ret_name->n - 1] == '/') /* GNU ar's spelling */
                ret_name->n--;
        *ret_body = sv_from_to(*rest, HEADER, HEADER + (size_t)size);
        *rest = sv_skip(*rest, HEADER + (size_t)size + (size & 1));
        return true;
}

static bool tar_name(sv name, const char *base)
{
        static const char *const ends[] = { "", ".gz", ".xz", ".zst", ".bz2", ".lzma" };
        size_t n = strlen(base);

        if (!sv_starts(name, sv_from(base)))
                return false;
        for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
                if (sv_is(sv_skip(name, n), ends[i]))
                        return true;
        return false;
}

int deb_split(sv bytes, struct deb_parts *ret, struct err *e)
{
        sv rest = bytes, name, body;
        struct deb_parts p = { 0 };
        bool data = false, control = false;

        if (!sv_starts(rest, SV("!<arch>\n")))
                return err_set(e, ERR_INTEGRITY, "not a .deb: no ar archive");
        rest = sv_skip(rest, 8);
        if (!member(&rest, &name, &body) || !sv_is(name, "debian-binary") || !sv_starts(body, SV("2.")))
                return err_set(e, ERR_INTEGRITY, "not a .deb of format 2");
        while (!data && rest.n) {
                if (!member(&rest, &name, &body))
                        return err_set(e, ERR_INTEGRITY, "a .deb is cut off or damaged");
                if (sv_starts(name, SV("_"))) /* reserved for local additions */
                        continue;
                if (!control && tar_name(name, "control.tar"))
                        control = true, p.control = body;
                else if (control && tar_name(name, "data.tar"))
                        data = true, p.data = body;
                else
                        return err_set(e, ERR_INTEGRITY,
                                       "a .deb has a member '%.*s' where its control.tar or data.tar belongs",
                                       SV_ARG(name));
        }
        if (!data)
                return err_set(e, ERR_INTEGRITY, "a .deb has no %s", control ? "data.tar" : "control.tar");
        *ret = p;
        return 0;
}
