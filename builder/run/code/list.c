#include "run/code/list.h"

#include <stdlib.h>
#include <string.h>

#include "ext/hash.h"

#define HEAD "envbuild snapshot 1"

int run_file_cmp(const void *a, const void *b)
{
        return sv_cmp(((const struct run_file *)a)->path, ((const struct run_file *)b)->path);
}

const struct run_file *run_list_find(const struct run_snapshot *s, sv path)
{
        struct run_file key = { .path = path };

        return s->n ? bsearch(&key, s->v, s->n, sizeof(*s->v), run_file_cmp) : NULL;
}

bool run_path_is_reserved(sv path)
{
        return sv_is(path, "outputs") || sv_is(path, "logs");
}

static void end(struct buf *out)
{
        buf_byte(out, '\0');
}

void run_list_write(const struct run_snapshot *s, struct buf *out)
{
        buf_add(out, SV(HEAD));
        end(out);
        for (size_t i = 0; i < s->n; i++) {
                const struct run_file *f = &s->v[i];
                if (f->kind == RUN_FILE)
                        buf_fmt(out, "%c %s %llu ", f->executable ? 'x' : 'f', sha256_hex(&f->digest).s,
                                (unsigned long long)f->size);
                else
                        buf_add(out, f->kind == RUN_FILE_LINK ? SV("l ") : SV("d "));
                buf_add(out, f->path);
                end(out);
                if (f->kind == RUN_FILE_LINK) {
                        buf_add(out, f->target);
                        end(out);
                }
        }
}

static bool safe(sv path)
{
        sv rest = path, part;

        if (!path.n || path.n > RUN_PATH_MAX || path.p[path.n - 1] == '/')
                return false;
        while (sv_cut(&rest, '/', &part))
                if (!part.n || sv_is(part, ".") || sv_is(part, ".."))
                        return false;
        sv_cut(&path, '/', &part);
        return !run_path_is_reserved(part);
}

/* A number as it is written: no zeros before it. */
static bool number(sv text, uint64_t *ret)
{
        return sv_u64(text, ret) && (text.n == 1 || text.p[0] != '0');
}

static bool read_file(sv one, struct run_file *ret)
{
        sv part, size;

        ret->executable = one.p[0] == 'x';
        one = sv_skip(one, 2);
        if (!sv_cut(&one, ' ', &part) || part.n != 64 || !sha256_read(part, &ret->digest) ||
            !sv_cut(&one, ' ', &size) || !number(size, &ret->size))
                return false;
        ret->path = one;
        return true;
}

static bool read_record(sv *rest, struct run_file *ret)
{
        sv one;

        *ret = (struct run_file){ 0 };
        if (!sv_cut(rest, '\0', &one) || one.n < 3 || one.p[1] != ' ')
                return false;
        ret->path = sv_skip(one, 2);
        switch (one.p[0]) {
        case 'f':
        case 'x':
                ret->kind = RUN_FILE;
                return read_file(one, ret);
        case 'l':
                ret->kind = RUN_FILE_LINK;
                return sv_cut(rest, '\0', &ret->target) && ret->target.n && ret->target.n <= RUN_PATH_MAX;
        case 'd':
                ret->kind = RUN_FILE_DIR;
                return true;
        }
        return false;
}

/* Nothing may lie below what is no folder: a link there would lead who makes the copy elsewhere. */
static bool parents_are_folders(const struct run_snapshot *s)
{
        sv last = { 0 };

        for (size_t i = 0; i < s->n; i++) {
                sv dir = s->v[i].path;
                ptrdiff_t slash = sv_rfind(dir, '/');
                dir.n = slash < 0 ? 0 : (size_t)slash;
                if (sv_eq(dir, last))
                        continue;
                last = dir;
                for (; dir.n; dir.n = slash < 0 ? 0 : (size_t)slash) {
                        if (run_list_find(s, dir))
                                return false;
                        slash = sv_rfind(dir, '/');
                }
        }
        return true;
}

int run_list_parse(struct arena *a, sv text, struct run_snapshot *ret, struct err *e)
{
        struct run_snapshot s = { .digest = sha256_of(text) };
        struct run_file f;
        size_t cap = 0;
        sv rest = text, head;
        bool ok = text.n && text.p[text.n - 1] == '\0' && sv_cut(&rest, '\0', &head) && sv_is(head, HEAD);

        while (ok && rest.n) {
                ok = read_record(&rest, &f) && safe(f.path) && (!s.n || sv_cmp(s.v[s.n - 1].path, f.path) < 0) &&
                     s.bytes + f.size >= s.bytes;
                if (!ok)
                        break;
                *arena_push(a, s.v, s.n, cap) = f;
                s.files += f.kind != RUN_FILE_DIR;
                s.bytes += f.size;
        }
        if (!ok || !parents_are_folders(&s))
                return err_set(e, ERR_INTEGRITY, "the list of a snapshot is damaged at entry %zu", s.n + 1);
        *ret = s;
        return 0;
}
