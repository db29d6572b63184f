#include "base/cleanup.h"
#include "store/store_priv.h"

#define ORIGINS_MAX 16 /* of one blob: who knows more of them gains nothing */
#define TEXT_MAX    ((size_t)64 << 10)

/* One a line, so no line breaks in them; what a lock or a registry says of itself is no more than text. */
static bool valid(sv repo)
{
        for (size_t i = 0; i < repo.n; i++)
                if ((unsigned char)repo.p[i] <= ' ' || repo.p[i] == 127)
                        return false;
        return repo.n > 0 && repo.n <= 512;
}

void store_origin_list(struct store *s, const sha256 *blob, struct arena *a, sv **ret, size_t *ret_n)
{
        AUTO(buf_done) struct buf b = BUF_INIT(TEXT_MAX);
        AUTO(err_done) struct err none = { 0 }; /* a note that cannot be read is as none */
        size_t n = 0;
        sv rest, line;

        *ret = arena_array(a, sv, ORIGINS_MAX);
        *ret_n = 0;
        if (store_note_get(s, STORE_ORIGIN, blob, &b, &none) < 0)
                return;
        rest = arena_sv(a, buf_sv(&b));
        while (n < ORIGINS_MAX && sv_line(&rest, &line))
                if (valid(line))
                        (*ret)[n++] = line;
        *ret_n = n;
}

int store_origin_add(struct store *s, const sha256 *blob, sv repo, struct err *e)
{
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(buf_done) struct buf b = BUF_INIT(TEXT_MAX);
        size_t n = 0, kept = 1;
        sv *v;

        if (!valid(repo))
                return err_set(e, ERR_USAGE, "'%.*s' cannot be the name of a repository", SV_ARG(repo));
        store_origin_list(s, blob, &a, &v, &n);
        if (n && sv_eq(v[0], repo))
                return 0;
        buf_fmt(&b, "%.*s\n", SV_ARG(repo));
        for (size_t i = 0; i < n && kept < ORIGINS_MAX; i++)
                if (!sv_eq(v[i], repo)) {
                        buf_fmt(&b, "%.*s\n", SV_ARG(v[i]));
                        kept++;
                }
        return store_note_put(s, STORE_ORIGIN, blob, buf_sv(&b), e);
}
