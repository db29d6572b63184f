#include "install/os_priv.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "install/soname.h"

/* /etc/ld.so.cache in the format "glibc-ld.so.cache1.1", as ldconfig writes it (glibc 2.33 and later; sysdeps/generic/dl-cache.h). */
#define MAGIC            "glibc-ld.so.cache1.1"
#define ENDIAN_LITTLE    2
#define EXTENSION_MAGIC  0xeaa42174u
#define TAG_GENERATOR    0u
#define TAG_HWCAPS       1u
#define HWCAP_EXTENSION  ((uint64_t)1 << 62)
#define FLAG_ELF_LIBC6   0x0003u
#define FLAG_X8664       0x0300u
#define FLAG_AARCH64     0x0a00u
#define HEADER_SIZE      48u
#define ENTRY_SIZE       24u
#define GENERATOR        "envbuild"

struct lib {
        sv soname, dir; /* dir as ld.so.conf has it: "/lib/x86_64-linux-gnu" */
        sv name;        /* the file found */
        sv hwcaps;      /* "x86-64-v3"; empty: for every machine */
        bool is_link;
        uint32_t flags;
        uint32_t order; /* of its folder */
};
struct cache {
        struct os *o;
        struct lib *v;
        size_t n, cap;
        sv dir[64], real[64];
        size_t n_dir;
};

/* _dl_cache_libcmp: runs of digits are numbers, and a digit sorts above everything else. */
static int libcmp(sv a, sv b)
{
        size_t i = 0, k = 0;

        while (i < a.n) {
                unsigned char x = (unsigned char)a.p[i], y = k < b.n ? (unsigned char)b.p[k] : 0;
                bool dx = x >= '0' && x <= '9', dy = y >= '0' && y <= '9';

                if (dx && dy) {
                        uint64_t m = 0, n = 0;
                        while (i < a.n && a.p[i] >= '0' && a.p[i] <= '9')
                                m = (m * 10 + (uint64_t)(a.p[i++] - '0')) & 0xffffffff;
                        while (k < b.n && b.p[k] >= '0' && b.p[k] <= '9')
                                n = (n * 10 + (uint64_t)(b.p[k++] - '0')) & 0xffffffff;
                        if (m != n)
                                return (int32_t)m < (int32_t)n ? -1 : 1;
                } else if (dx || dy) {
                        return dx ? 1 : -1;
                } else if (x != y) {
                        return (int)x - (int)y;
                } else {
                        i++, k++;
                }
        }
        return k < b.n ? -(int)(unsigned char)b.p[k] : 0;
}

/* --- which folders */

static void dir_add(struct cache *c, sv dir)
{
        sv real;

        while (dir.n > 1 && dir.p[dir.n - 1] == '/')
                dir.n--;
        if (dir.n < 2 || dir.p[0] != '/' || c->n_dir == sizeof(c->dir) / sizeof(c->dir[0]))
                return;
        real = os_resolve(c->o, os_real(c->o, dir));
        for (size_t i = 0; i < c->n_dir; i++)
                if (sv_eq(c->real[i], real))
                        return;
        if (real.n == 0)
                return;
        c->dir[c->n_dir] = dir;
        c->real[c->n_dir++] = real;
}

static void conf_read(struct cache *c, sv text, unsigned depth);

/* An include of all .conf files in a folder: the one pattern Debian has; in order of path. */
static void conf_include(struct cache *c, sv pattern, unsigned depth)
{
        struct os *o = c->o;
        sv dir = os_real(o, sv_from_to(pattern, 0, (size_t)(sv_rfind(pattern, '/') + 1)));

        if (!sv_ends(pattern, SV("/*.conf")) || depth > 4)
                return;
        for (sv last = { 0 };;) {
                const struct deb_text *next = NULL;

                for (size_t i = 0; i < o->in->n_deb; i++)
                        for (size_t k = 0; k < o->in->deb[i].n_text; k++) {
                                const struct deb_text *t = &o->in->deb[i].text[k];
                                if (sv_starts(t->path, dir) && sv_ends(t->path, SV(".conf")) && sv_cmp(t->path, last) > 0 &&
                                    (!next || sv_cmp(t->path, next->path) < 0))
                                        next = t;
                        }
                if (!next)
                        return;
                last = next->path;
                conf_read(c, next->text, depth + 1);
        }
}

static void conf_read(struct cache *c, sv text, unsigned depth)
{
        sv line;

        while (sv_line(&text, &line)) {
                ptrdiff_t hash = sv_find(line, '#');

                line = sv_trim(hash < 0 ? line : sv_from_to(line, 0, (size_t)hash));
                if (sv_starts(line, SV("include ")))
                        conf_include(c, sv_trim(sv_skip(line, 8)), depth);
                else if (line.n)
                        dir_add(c, line);
        }
}

/* --- which libraries */

static bool found_name(sv base)
{
        return (sv_starts(base, SV("lib")) || sv_starts(base, SV("ld-"))) && sv_find_sv(base, SV(".so")) >= 0;
}

static const struct deb_library *library_at(const struct os *o, sv path)
{
        const struct os_path *p = map_get(&o->shipped, path);
        struct deb_library key = { .path = path };

        for (size_t lo = 0, hi = p ? p->deb->n_lib : 0; lo < hi;) {
                size_t mid = (lo + hi) / 2;
                int d = sv_cmp(p->deb->lib[mid].path, key.path);

                if (d == 0)
                        return &p->deb->lib[mid];
                if (d < 0)
                        lo = mid + 1;
                else
                        hi = mid;
        }
        return NULL;
}

static uint32_t flags_of(uint16_t machine)
{
        return machine == ELF_X86_64 ? FLAG_ELF_LIBC6 | FLAG_X8664 : machine == ELF_AARCH64 ? FLAG_ELF_LIBC6 | FLAG_AARCH64 : 0;
}

/* A link that is the ".so" of a soname, for the linker, is found by its own name; any other stands for the library that it leads to. */
static bool counts_as_link(sv name, sv soname)
{
        return sv_ends(name, SV(".so")) && sv_starts(soname, sv_from_to(name, 0, name.n - 3));
}

static void lib_add(struct cache *c, const struct lib *l)
{
        for (size_t i = 0; i < c->n; i++) {
                struct lib *old = &c->v[i];

                if (old->order != l->order || !sv_eq(old->soname, l->soname) || !sv_eq(old->hwcaps, l->hwcaps))
                        continue;
                if ((!l->is_link && old->is_link) || (l->is_link == old->is_link && libcmp(old->name, l->name) < 0))
                        *old = *l;
                return;
        }
        *arena_push(c->o->a, c->v, c->n, c->cap) = *l;
}

static void look_at(struct cache *c, sv path, bool is_link)
{
        struct os *o = c->o;
        sv base = sv_basename(path), dir = sv_from_to(path, 0, path.n - base.n - 1), hwcaps = { 0 };
        struct lib l = { .name = base, .is_link = is_link };
        const struct deb_library *lib;
        ptrdiff_t at = sv_find_sv(dir, SV("/glibc-hwcaps/"));
        sv real;

        if (!found_name(base))
                return;
        if (at >= 0) {
                hwcaps = sv_skip(dir, (size_t)at + 14);
                dir = sv_from_to(dir, 0, (size_t)at);
        }
        while (l.order < c->n_dir && !sv_eq(c->real[l.order], dir))
                l.order++;
        if (l.order == c->n_dir || sv_find(hwcaps, '/') >= 0)
                return;
        real = is_link ? os_resolve(o, path) : path;
        lib = real.n ? library_at(o, real) : NULL;
        if (!lib || !(l.flags = flags_of(lib->machine)))
                return;
        l.soname = lib->soname.n ? lib->soname : base;
        l.dir = hwcaps.n ? arena_fmt(o->a, "%.*s/glibc-hwcaps/%.*s", SV_ARG(c->dir[l.order]), SV_ARG(hwcaps)) : c->dir[l.order];
        l.hwcaps = hwcaps;
        l.is_link = is_link && counts_as_link(base, l.soname);
        if (l.is_link)
                l.soname = base;
        lib_add(c, &l);
}

/* ldconfig makes the link that a library is found by when its package does not ship it. */
static void missing_links(struct cache *c)
{
        for (size_t i = 0; i < c->n; i++) {
                const struct lib *l = &c->v[i];
                sv real = arena_fmt(c->o->a, "%.*s/%.*s", SV_ARG(c->real[l->order]), SV_ARG(l->soname));

                if (!l->hwcaps.n && !l->is_link && !sv_eq(l->name, l->soname) && !map_get(&c->o->by_path, real))
                        os_link(c->o, real, l->name);
        }
}

static int entry_order(const void *a, const void *b)
{
        const struct lib *x = a, *y = b;
        int d = libcmp(y->soname, x->soname);

        if (d == 0)
                d = (x->flags < y->flags) - (x->flags > y->flags);
        if (d == 0 && !x->hwcaps.n != !y->hwcaps.n)
                d = x->hwcaps.n ? -1 : 1;
        if (d == 0)
                d = sv_cmp(x->hwcaps, y->hwcaps);
        return d ? d : (x->order > y->order) - (x->order < y->order);
}

/* --- the file */

static void put32(struct buf *b, uint32_t n)
{
        const char le[4] = { (char)n, (char)(n >> 8), (char)(n >> 16), (char)(n >> 24) };
        buf_add(b, (sv){ le, 4 });
}

struct strings {
        struct buf text;
        struct map at; /* text → offset + 1 */
        struct arena a;
        uint32_t base;
};

static uint32_t string_at(struct strings *s, sv text)
{
        uintptr_t at = (uintptr_t)map_get(&s->at, text);

        if (!at) {
                at = s->text.n + 1;
                map_put(&s->at, &s->a, arena_sv(&s->a, text), (void *)at);
                buf_add(&s->text, text);
                buf_byte(&s->text, '\0');
        }
        return s->base + (uint32_t)at - 1;
}

static void strings_done(struct strings *s)
{
        buf_done(&s->text);
        arena_done(&s->a);
}

static sv *hwcaps_of(struct cache *c, size_t *ret_n)
{
        sv *v = arena_array(c->o->a, sv, c->n + 1);
        size_t n = 0, kept = 0;

        for (size_t i = 0; i < c->n; i++)
                if (c->v[i].hwcaps.n)
                        v[n++] = c->v[i].hwcaps;
        if (n)
                qsort(v, n, sizeof(*v), sv_qsort);
        for (size_t i = 0; i < n; i++)
                if (kept == 0 || !sv_eq(v[kept - 1], v[i]))
                        v[kept++] = v[i];
        *ret_n = kept;
        return v;
}

static void write_entries(struct cache *c, struct strings *s, const sv *caps, size_t n_caps, struct buf *out)
{
        for (size_t i = 0; i < c->n; i++) {
                const struct lib *l = &c->v[i];
                sv file = l->hwcaps.n ? l->name : l->soname;
                AUTO(buf_done) struct buf path = BUF_INIT(8192);
                uint64_t hwcap = 0;

                buf_fmt(&path, "%.*s/%.*s", SV_ARG(l->dir), SV_ARG(file));
                for (size_t k = 0; k < n_caps; k++)
                        if (l->hwcaps.n && sv_eq(caps[k], l->hwcaps))
                                hwcap = HWCAP_EXTENSION | k;
                put32(out, l->flags);
                put32(out, string_at(s, l->soname));
                put32(out, string_at(s, buf_sv(&path)));
                put32(out, 0); /* osversion: not used any more */
                put32(out, (uint32_t)hwcap);
                put32(out, (uint32_t)(hwcap >> 32));
        }
}

/* Behind the strings, aligned to 4: a directory of sections, then the sections. */
static void write_extension(const uint32_t *cap_at, size_t n_caps, uint32_t at, struct buf *out)
{
        uint32_t sections = n_caps ? 2 : 1, body = at + 8 + 16 * sections;

        put32(out, EXTENSION_MAGIC);
        put32(out, sections);
        put32(out, TAG_GENERATOR), put32(out, 0);
        put32(out, body), put32(out, sizeof(GENERATOR) - 1);
        if (n_caps) {
                put32(out, TAG_HWCAPS), put32(out, 0);
                put32(out, body + (uint32_t)sizeof(GENERATOR) - 1), put32(out, (uint32_t)n_caps * 4);
        }
        buf_add(out, SV(GENERATOR));
        for (size_t i = 0; i < n_caps; i++)
                put32(out, cap_at[i]);
}

static void write_file(struct cache *c, struct buf *out)
{
        AUTO(strings_done) struct strings s = { .text = BUF_INIT(OS_TEXT_MAX), .base = HEADER_SIZE + (uint32_t)c->n * ENTRY_SIZE };
        AUTO(buf_done) struct buf entries = BUF_INIT(OS_TEXT_MAX);
        size_t n_caps;
        sv *caps = hwcaps_of(c, &n_caps);
        uint32_t *cap_at = arena_array(c->o->a, uint32_t, n_caps + 1), extension;

        write_entries(c, &s, caps, n_caps, &entries);
        for (size_t i = 0; i < n_caps; i++)
                cap_at[i] = string_at(&s, caps[i]);
        extension = (s.base + (uint32_t)s.text.n + 3) & ~3u;
        buf_add(out, SV(MAGIC));
        put32(out, (uint32_t)c->n);
        put32(out, (uint32_t)s.text.n);
        put32(out, ENDIAN_LITTLE); /* a byte and three of padding */
        put32(out, extension);
        put32(out, 0), put32(out, 0), put32(out, 0);
        buf_add(out, buf_sv(&entries));
        buf_add(out, buf_sv(&s.text));
        while (out->n < extension)
                buf_byte(out, '\0');
        write_extension(cap_at, n_caps, extension, out);
}

void os_ldcache(struct os *o)
{
        AUTO(buf_done) struct buf out = BUF_INIT(OS_TEXT_MAX);
        struct cache c = { .o = o };
        const struct deb_text *conf = os_text(o, SV("etc/ld.so.conf"));
        size_t n_made = o->n_made;

        if (!os_has_package(o, "libc-bin"))
                return;
        if (conf)
                conf_read(&c, conf->text, 0);
        dir_add(&c, arena_fmt(o->a, "/lib/%.*s", SV_ARG(o->triplet)));
        dir_add(&c, arena_fmt(o->a, "/usr/lib/%.*s", SV_ARG(o->triplet)));
        dir_add(&c, SV("/lib"));
        dir_add(&c, SV("/usr/lib"));
        for (size_t i = 0; i < o->n_list; i++)
                if (o->list[i].p->type == ENTRY_FILE || o->list[i].p->type == ENTRY_HARDLINK || o->list[i].p->type == ENTRY_SYMLINK)
                        look_at(&c, o->list[i].p->path, o->list[i].p->type == ENTRY_SYMLINK);
        for (size_t i = 0; i < n_made; i++)
                if (o->made[i]->entry.type == ENTRY_SYMLINK)
                        look_at(&c, o->made[i]->entry.path, true);
        missing_links(&c);
        if (c.n)
                qsort(c.v, c.n, sizeof(*c.v), entry_order);
        write_file(&c, &out);
        os_file(o, SV("etc/ld.so.cache"), 0644, arena_sv(o->a, buf_sv(&out)));
}
