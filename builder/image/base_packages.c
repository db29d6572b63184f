#include "image/base_packages.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "ext/hash.h"
#include "pkg/control.h"

#define NOTE_MAX ((size_t)8 << 20)

static bool is_word(sv s)
{
        for (size_t i = 0; i < s.n; i++)
                if ((unsigned char)s.p[i] <= ' ' || (unsigned char)s.p[i] >= 127)
                        return false;
        return s.n > 0 && s.n <= 256;
}

static int by_name(const void *pa, const void *pb)
{
        const struct sbom_deb *a = pa, *b = pb;
        int r = sv_cmp(a->name, b->name);

        return r ? r : sv_cmp(a->arch, b->arch);
}

/* "install ok installed": half-installed packages and left-over settings are no packages. */
void base_packages_read(struct arena *a, sv dpkg_status, struct sbom_deb **ret, size_t *ret_n)
{
        struct sbom_deb *v = NULL;
        size_t n = 0, cap = 0;
        sv text;

        while (control_next(&dpkg_status, &text)) {
                struct sbom_deb d = { control_get(text, "Package"), control_get(text, "Version"),
                                      control_get(text, "Architecture") };
                if (sv_ends(control_get(text, "Status"), SV(" installed")) && deb_name_valid(d.name) &&
                    is_word(d.version) && (d.arch.n == 0 || is_word(d.arch)))
                        *arena_push(a, v, n, cap) = d;
        }
        if (n)
                qsort(v, n, sizeof(*v), by_name);
        *ret = v;
        *ret_n = n;
}

static sha256 note_key(const sha256 *diff_id, size_t n)
{
        AUTO(buf_done) struct buf b = BUF_INIT((size_t)1 << 20);

        buf_add(&b, SV("packages 1 of a base:"));
        for (size_t i = 0; i < n; i++)
                buf_fmt(&b, " %s", sha256_hex(&diff_id[i]).s);
        return sha256_of(buf_sv(&b));
}

void base_packages_keep(struct store *s, const sha256 *diff_id, size_t n, sv dpkg_status)
{
        AUTO(err_done) struct err ignored = { 0 }; /* an SBOM says less without it */
        AUTO(buf_done) struct buf b = BUF_INIT(NOTE_MAX);
        AUTO(arena_done) struct arena a = { 0 };
        sha256 key = note_key(diff_id, n);
        struct sbom_deb *v;
        size_t count;

        base_packages_read(&a, dpkg_status, &v, &count);
        for (size_t i = 0; i < count; i++)
                buf_fmt(&b, "%.*s %.*s %.*s\n", SV_ARG(v[i].name), SV_ARG(v[i].version), SV_ARG(v[i].arch));
        if (buf_check(&b, &ignored) == 0)
                store_note_put(s, STORE_TEXT, &key, buf_sv(&b), &ignored);
}

bool base_packages_find(struct store *s, const struct lock_platform *p, struct arena *a, struct sbom_deb **ret,
                        size_t *ret_n)
{
        AUTO(err_done) struct err ignored = { 0 };
        AUTO(buf_done) struct buf b = BUF_INIT(NOTE_MAX);
        sha256 *diff_id = arena_array(a, sha256, p->base.n_layer), key;
        struct sbom_deb *v = NULL;
        size_t n = 0, cap = 0;
        sv rest, line;

        for (size_t i = 0; i < p->base.n_layer; i++)
                diff_id[i] = p->base.layer[i].diff_id;
        key = note_key(diff_id, p->base.n_layer);
        if (!p->base.n_layer || store_note_get(s, STORE_TEXT, &key, &b, &ignored) < 0)
                return false;
        rest = arena_sv(a, buf_sv(&b));
        while (sv_line(&rest, &line)) {
                struct sbom_deb d = { 0 };
                if (sv_cut(&line, ' ', &d.name) && sv_cut(&line, ' ', &d.version)) {
                        d.arch = line;
                        *arena_push(a, v, n, cap) = d;
                }
        }
        *ret = v;
        *ret_n = n;
        return true;
}
