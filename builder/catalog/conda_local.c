#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "catalog/conda_subdir.h"

/* A channel in a folder: repodata.json where it lies, else .zst, else shards, else .bz2. Its index is in the store, found again by path, size
 * and time of the file. */

enum { SHARDS_MAX = 64 << 20 };

static sha256 key_of(const char *path, const struct stat *st)
{
        AUTO(arena_done) struct arena a = { 0 };

        return page_key(SV("conda file"),
                        arena_fmt(&a, "%s\n%lld\n%llu\n%lld.%09ld", path, (long long)st->st_size,
                                  (unsigned long long)st->st_ino, (long long)st->st_mtim.tv_sec, st->st_mtim.tv_nsec));
}

static int open_plain(struct conda_subdir *s, const char *path, const struct stat *st, struct err *e)
{
        struct page_cache *c = &s->w->cache;
        sha256 key = key_of(path, st), before;
        struct conda_note n = { .form = CONDA_JSON };
        sv text;

        if (page_kept(c, &key, sizeof(n.index) * 2 + 2, s->a, &text) && !sha256_read(text, &n.index))
                n.index = (sha256){ 0 };
        before = n.index;
        s->repo.fd = open(path, O_RDONLY | O_CLOEXEC);
        if (s->repo.fd < 0)
                return err_errno(e, "cannot read '%s'", path);
        s->repo.text_size = (uint64_t)st->st_size;
        if (conda_whole_open_index(c->store, &key, &n.index, &s->repo, s->w->op, e) < 0)
                return err_while(e, "reading '%s'", path);
        if (!sha256_eq(&before, &n.index))
                page_keep(c, &key, sv_from(sha256_hex(&n.index).s));
        return 0;
}

static int open_packed(struct conda_subdir *s, const char *path, enum conda_form form, const struct stat *st,
                       struct err *e)
{
        struct page_cache *c = &s->w->cache;
        sha256 key = key_of(path, st), before;
        struct conda_note n = { 0 };
        bool kept = conda_note_get(c->store, &key, s->a, &n);

        before = n.index;
        if (!kept)
                n = (struct conda_note){ .form = form };
        if ((!kept && conda_unpack_file(c->store, path, form, &n.text, e) < 0) ||
            conda_whole_open_text(c->store, &n.text, &s->repo, e) < 0 ||
            conda_whole_open_index(c->store, &n.text, &n.index, &s->repo, s->w->op, e) < 0)
                return err_while(e, "reading '%s'", path);
        if (!kept || !sha256_eq(&before, &n.index))
                conda_note_put(c->keeper, &key, &n);
        return 0;
}

static int open_shards(struct conda_subdir *s, const char *path, struct err *e)
{
        AUTO(buf_done) struct buf b = BUF_INIT(SHARDS_MAX);

        if (fs_read(path, &b, e) < 0 || conda_subdir_sharded(s, buf_sv(&b), e) < 0)
                return err_while(e, "reading '%s'", path);
        return 0;
}

int conda_local_open(struct conda_subdir *s, const char *folder, struct err *e)
{
        static const struct {
                const char *file;
                enum conda_form form;
                bool shards;
        } forms[] = { { "repodata.json", CONDA_JSON, false },
                      { "repodata.json.zst", CONDA_ZST, false },
                      { "repodata_shards.msgpack.zst", CONDA_ZST, true },
                      { "repodata.json.bz2", CONDA_BZ2, false } };

        s->kind = CONDA_SUBDIR_ABSENT;
        for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
                AUTO(free_ptr) char *path = fs_path("%s/%s", folder, forms[i].file);
                struct stat st;
                int r;

                if (stat(path, &st) < 0 || !S_ISREG(st.st_mode))
                        continue;
                s->kind = forms[i].shards ? CONDA_SUBDIR_SHARDED : CONDA_SUBDIR_WHOLE;
                r = forms[i].shards               ? open_shards(s, path, e)
                    : forms[i].form == CONDA_JSON ? open_plain(s, path, &st, e)
                                                  : open_packed(s, path, forms[i].form, &st, e);
                return r;
        }
        return 0;
}
