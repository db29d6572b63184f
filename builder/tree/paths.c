#include "tree/paths.h"

#include <stdlib.h>
#include <string.h>

#include "ext/json.h"

#define TARGET_MAX 4095

void paths_add(struct arena *a, struct paths *p, const struct entry *en)
{
        *arena_push(a, p->v, p->n, p->cap) = *en;
}

void paths_sort(struct paths *p)
{
        if (p->n)
                qsort(p->v, p->n, sizeof(*p->v), entry_cmp);
}

const struct entry *paths_find(const struct paths *p, sv path)
{
        struct entry want = { .path = path };

        return p->n ? bsearch(&want, p->v, p->n, sizeof(want), entry_cmp) : NULL;
}

static void write_line(const struct entry *en, struct buf *out)
{
        buf_byte(out, '{');
        if (en->gid)
                buf_fmt(out, "\"gid\":%u,", en->gid);
        buf_fmt(out, "\"mode\":%u,\"mtime\":%lld,\"path\":", en->mode, (long long)en->mtime);
        js_write_str(en->path, out);
        if (en->type == ENTRY_FILE)
                buf_fmt(out, ",\"sha256\":\"%s\",\"size\":%llu", sha256_hex(&en->sha256).s,
                        (unsigned long long)en->size);
        if (en->type == ENTRY_SYMLINK || en->type == ENTRY_HARDLINK) {
                buf_add(out, SV(",\"target\":"));
                js_write_str(en->target, out);
        }
        buf_fmt(out, ",\"type\":\"%c\"", en->type);
        if (en->uid)
                buf_fmt(out, ",\"uid\":%u", en->uid);
        buf_add(out, SV("}\n"));
}

void paths_write(const struct paths *p, struct buf *out)
{
        for (size_t i = 0; i < p->n; i++)
                write_line(&p->v[i], out);
}

/* Reading is strict: only the bytes that paths_write gives are a path list, so a digest names one list and no other. */
struct scan {
        struct arena *a;
        sv rest;
        bool bad;
        bool hashed; /* sha256 and size were there: a file */
};

static bool take(struct scan *s, sv text)
{
        if (s->bad || !sv_starts(s->rest, text))
                return false;
        s->rest = sv_skip(s->rest, text.n);
        return true;
}

static void expect(struct scan *s, sv text)
{
        if (!take(s, text))
                s->bad = true;
}

static uint64_t number(struct scan *s, uint64_t max)
{
        size_t n = 0;
        uint64_t v = 0;

        while (n < s->rest.n && s->rest.p[n] >= '0' && s->rest.p[n] <= '9')
                n++;
        if (!sv_u64(sv_from_to(s->rest, 0, n), &v) || v > max || (n > 1 && s->rest.p[0] == '0'))
                s->bad = true;
        s->rest = sv_skip(s->rest, n);
        return v;
}

/* One character after a backslash; 0 when there is no such escape. Control characters are the only \u00xx. */
static char escaped(struct scan *s)
{
        static const char from[] = "\"\\nrtbf", to[] = "\"\\\n\r\t\b\f";
        uint8_t c = 0;
        const char *at;

        if (take(s, SV("u00"))) {
                if (!hex_read(sv_from_to(s->rest, 0, 2), &c, 1) || !c || c >= 0x20 || strchr("\n\r\t\b\f", c))
                        return 0;
                s->rest = sv_skip(s->rest, 2);
                return (char)c;
        }
        at = s->rest.n && s->rest.p[0] ? strchr(from, s->rest.p[0]) : NULL;
        s->rest = sv_skip(s->rest, 1);
        return at ? to[at - from] : 0;
}

static sv unescape(struct scan *s, size_t n)
{
        char *out = arena_alloc(s->a, n + 1, 1);
        const char *end = s->rest.p + n;
        size_t k = 0;

        while (!s->bad && s->rest.p < end) {
                char c = s->rest.p[0];

                s->rest = sv_skip(s->rest, 1);
                if (c == '\\')
                        c = escaped(s);
                if (!c)
                        s->bad = true;
                out[k++] = c;
        }
        return (sv){ out, k };
}

static sv string(struct scan *s)
{
        size_t n = 0;
        bool escapes = false;
        sv text;

        expect(s, SV("\""));
        while (n < s->rest.n && s->rest.p[n] != '"') {
                if ((unsigned char)s->rest.p[n] < 0x20)
                        s->bad = true;
                if (s->rest.p[n] == '\\')
                        escapes = true, n++;
                n++;
        }
        if (s->bad || n >= s->rest.n) {
                s->bad = true;
                return (sv){ 0 };
        }
        if (escapes) {
                text = unescape(s, n);
        } else {
                text = sv_from_to(s->rest, 0, n);
                s->rest = sv_skip(s->rest, n);
        }
        expect(s, SV("\""));
        return text;
}

static void scan_file(struct scan *s, struct entry *en)
{
        s->hashed = true;
        expect(s, SV(",\"sha256\":\""));
        if (!hex_read(sv_from_to(s->rest, 0, 64), en->sha256.b, 32))
                s->bad = true;
        s->rest = sv_skip(s->rest, 64);
        expect(s, SV("\",\"size\":"));
        en->size = number(s, INT64_MAX);
}

static void scan_entry(struct scan *s, struct entry *en)
{
        expect(s, SV("{"));
        if (take(s, SV("\"gid\":"))) {
                en->gid = (uint32_t)number(s, UINT32_MAX);
                s->bad |= !en->gid;
                expect(s, SV(","));
        }
        expect(s, SV("\"mode\":"));
        en->mode = (uint32_t)number(s, 07777);
        expect(s, SV(",\"mtime\":"));
        en->mtime = (int64_t)number(s, INT64_MAX);
        expect(s, SV(",\"path\":"));
        en->path = string(s);
        if (sv_starts(s->rest, SV(",\"sha256\"")))
                scan_file(s, en);
        if (take(s, SV(",\"target\":"))) {
                en->target = string(s);
                s->bad |= !en->target.n; /* never written: the list would not be canonical */
        }
        expect(s, SV(",\"type\":\""));
        en->type = s->rest.n ? (enum entry_type)(unsigned char)s->rest.p[0] : 0;
        s->rest = sv_skip(s->rest, 1);
        expect(s, SV("\""));
        if (take(s, SV(",\"uid\":"))) {
                en->uid = (uint32_t)number(s, UINT32_MAX);
                s->bad |= !en->uid;
        }
        expect(s, SV("}"));
        s->bad |= s->rest.n != 0;
}

static const char *target_fault(const struct entry *en)
{
        const char *why = NULL;

        if (en->type == ENTRY_HARDLINK)
                return entry_path_layer(en->target, &why) ? NULL : why;
        if (!en->target.n || en->target.n > TARGET_MAX || sv_find(en->target, '\0') >= 0 || !sv_utf8(en->target))
                return "its target is not a text of 1 to 4095 bytes";
        return NULL;
}

/* What a line must be besides well formed. */
static const char *entry_fault(const struct entry *en, bool hashed)
{
        const char *why;

        if (!entry_path_layer(en->path, &why))
                return why;
        switch (en->type) {
        case ENTRY_FILE:
                return hashed && !en->target.n ? NULL : "a file has sha256, size and no target";
        case ENTRY_DIR:
                return !hashed && !en->target.n ? NULL : "a directory has neither sha256 nor target";
        case ENTRY_SYMLINK:
        case ENTRY_HARDLINK:
                return hashed ? "a link has no sha256" : target_fault(en);
        }
        return "its type is unknown";
}

static const char *line_fault(struct scan *s, struct entry *en, const struct paths *before)
{
        const char *why;

        scan_entry(s, en);
        if (s->bad)
                return "it is not in the canonical form";
        why = entry_fault(en, s->hashed);
        if (why)
                return why;
        if (before->n && sv_cmp(before->v[before->n - 1].path, en->path) >= 0)
                return "it is not sorted by path";
        return NULL;
}

int paths_parse(struct arena *a, sv text, struct paths *ret, struct err *e)
{
        struct paths p = { 0 };
        sv line;

        for (size_t no = 1; text.n; no++) {
                struct scan s = { .a = a };
                struct entry en = { 0 };
                const char *why;

                if (sv_find(text, '\n') < 0)
                        return err_set(e, ERR_INTEGRITY, "path list, line %zu: it has no end", no);
                sv_cut(&text, '\n', &line);
                s.rest = line;
                why = line_fault(&s, &en, &p);
                if (why)
                        return err_set(e, ERR_INTEGRITY, "path list, line %zu: %s", no, why);
                paths_add(a, &p, &en);
        }
        *ret = p;
        return 0;
}
