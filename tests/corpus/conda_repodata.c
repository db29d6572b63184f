/* tests/corpus/conda_repodata.c - every repodata of the corpus through the index, against a full parse. Usage: conda_repodata FOLDER… */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "stream/stream.h"
#include "tests/unit/catalog/conda_oracle.h"

enum { TEXT_MAX = 256 << 20 };

struct tally {
        size_t files, records, unjudged, bad;
};

static int read_text(const char *path, struct buf *b, struct err *e)
{
        AUTO(close_fd) int fd = -1;
        struct fd_reader file;
        struct buf_writer to;
        struct reader *zstd;
        int r;

        if (!sv_ends(sv_from(path), SV(".zst")))
                return fs_read(path, b, e);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return err_errno(e, "cannot read '%s'", path);
        zstd = zstd_reader_new(fd_reader_init(&file, fd, path));
        r = reader_copy(zstd, buf_writer_init(&to, b), NULL, e);
        decode_reader_free(zstd);
        return r;
}

static int compare(const char *path, struct tally *t, struct err *e)
{
        AUTO(buf_done) struct buf b = BUF_INIT(TEXT_MAX);
        AUTO(conda_whole_done) struct conda_whole repo = { .place = { .subdir = SV("any"),
                                                                      .base = SV("https://h/c/") } };
        struct oracle o = { 0 };
        sha256 source = { { 1 } };

        if (read_text(path, &b, e) < 0)
                return -(int)e->code;
        repo.text_size = b.n;
        if (buf_take(&b, &repo.text, e) < 0 || conda_whole_index(&repo, &source, NULL, e) < 0)
                return -(int)e->code;
        if (!oracle_read(&o, (sv){ repo.text, repo.text_size },
                         repo.place.subdir)) /* ext/json refuses a key that stands there twice */
                t->unjudged++;
        else if (!oracle_agrees(&o, &repo))
                err_set(e, ERR_FAILED, "%s", o.why);
        t->records += o.n;
        if (o.left_out)
                printf("%s: %zu records left out\n", path, o.left_out);
        arena_done(&o.a);
        return -(int)e->code;
}

static void walk(const char *path, struct tally *t)
{
        AUTO(err_done) struct err e = { 0 };
        AUTO(free_ptr) char **v = NULL;
        size_t n = 0;

        if (fs_is_dir(path)) {
                if (fs_list(path, &v, &n, &e) < 0)
                        t->bad++;
                for (size_t i = 0; i < n; i++) {
                        AUTO(free_ptr) char *one = fs_path("%s/%s", path, v[i]);
                        walk(one, t);
                }
        } else if (sv_starts(sv_basename(sv_from(path)), SV("repodata")) &&
                   (sv_ends(sv_from(path), SV(".json")) || sv_ends(sv_from(path), SV(".json.zst")))) {
                t->files++;
                t->bad += compare(path, t, &e) < 0;
        }
        if (e.cause)
                fprintf(stderr, "%s: %s\n", path, e.cause);
}

int main(int argc, char **argv)
{
        struct tally t = { 0 };

        for (int i = 1; i < argc; i++)
                walk(argv[i], &t);
        printf("%zu files, %zu records; %zu files differ, %zu cannot be judged\n", t.files, t.records, t.bad,
               t.unjudged);
        return t.files == 0 || t.bad || t.unjudged > 1;
}
