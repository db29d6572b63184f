/* What the batch script, rank.sh and those who poll leave in status/<attempt>/ beside the ranks' records. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "run/target/slurm_ask.h"

static char *path_of(const struct run_record *r, const char *name)
{
        return fs_path("%.*s/status/%u/%s", SV_ARG(r->dir), r->attempt, name);
}

/* A word of a small file; empty: not there. The text is in b. */
static sv word_of(const struct run_record *r, const char *name, struct buf *b)
{
        AUTO(free_ptr) char *path = path_of(r, name);
        AUTO(err_done) struct err ignored = { 0 };

        return fs_read(path, b, &ignored) == 0 ? sv_trim(buf_sv(b)) : (sv){ 0 };
}

uint64_t slurm_mark_job(const struct run_record *r)
{
        AUTO(buf_done) struct buf b = BUF_INIT(64);
        uint64_t n;

        return sv_u64(word_of(r, "job", &b), &n) ? n : 0;
}

bool slurm_mark_batch(const struct run_record *r, int *ret)
{
        enum { HIGHEST = 255 };
        AUTO(buf_done) struct buf b = BUF_INIT(64);
        uint64_t n;

        if (!sv_u64(word_of(r, "batch", &b), &n) || n > HIGHEST)
                return false;
        *ret = (int)n;
        return true;
}

int slurm_mark_failed(const struct run_record *r)
{
        enum { HIGHEST = 1 << 20 };
        AUTO(buf_done) struct buf b = BUF_INIT(64);
        sv text = word_of(r, "failed", &b);
        uint64_t n;

        return sv_starts(text, SV("rank ")) && sv_u64(sv_skip(text, 5), &n) && n < HIGHEST ? (int)n : -1;
}

bool slurm_mark_lost(const struct run_record *r, int *ret_rank, int *ret_status)
{
        enum { HIGHEST = 1 << 20, STATUS_MAX = 255 };
        AUTO(buf_done) struct buf b = BUF_INIT(64);
        sv text = word_of(r, "lost", &b), head;
        uint64_t rank, status;

        if (!sv_cut(&text, ' ', &head) || !sv_u64(head, &rank) || rank > HIGHEST || !sv_u64(text, &status) ||
            status > STATUS_MAX)
                return false;
        *ret_rank = (int)rank;
        *ret_status = (int)status;
        return true;
}

static int64_t ms_of(struct timespec t)
{
        return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* What time it is where the folder is: what a file gets that is written now. */
static bool folder_now(const struct run_record *r, int64_t *ret)
{
        AUTO(free_ptr) char *path = path_of(r, ".now");
        AUTO(close_fd) int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
        struct stat st;

        if (fd < 0 || futimens(fd, NULL) < 0 || fstat(fd, &st) < 0)
                return false;
        *ret = ms_of(st.st_mtim);
        return true;
}

void slurm_mark_freshen(const struct run_record *r)
{
        slurm_mark_set(r, ".fresh");
        slurm_mark_clear(r, ".fresh");
}

static bool written(const struct run_record *r, const char *name, int64_t *ret)
{
        AUTO(free_ptr) char *path = path_of(r, name);
        struct stat st;

        if (stat(path, &st) < 0)
                return false;
        *ret = ms_of(st.st_mtim);
        return true;
}

int64_t slurm_mark_age(const struct run_record *r, const char *name)
{
        int64_t then, now;

        if (!written(r, name, &then) || !folder_now(r, &now))
                return -1;
        return now > then ? now - then : 0;
}

bool slurm_mark_set(const struct run_record *r, const char *name)
{
        AUTO(free_ptr) char *path = path_of(r, name);
        AUTO(close_fd) int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

        return fd >= 0;
}

void slurm_mark_clear(const struct run_record *r, const char *name)
{
        AUTO(free_ptr) char *path = path_of(r, name);

        unlink(path);
}

/* When a rank's record was written last. */
static int64_t last_record(const struct run_record *r)
{
        AUTO(free_ptr) char *dir = path_of(r, "");
        AUTO(free_ptr) char **name = NULL;
        AUTO(err_done) struct err ignored = { 0 };
        int64_t last = 0, t;
        size_t n = 0;

        if (fs_list(dir, &name, &n, &ignored) < 0)
                return 0;
        for (size_t i = 0; i < n; i++)
                if (name[i][0] != '.' && written(r, name[i], &t) && t > last)
                        last = t;
        return last;
}

int64_t slurm_mark_silence(const struct run_record *r)
{
        int64_t since = 0, last, now;

        if (slurm_mark_set(r, ".gone") || !written(r, ".gone", &since) || !folder_now(r, &now))
                return 0;
        last = last_record(r);
        if (last > since)
                since = last;
        return now > since ? now - since : 0;
}

static sv last_line(struct arena *a, const char *path)
{
        enum { TAIL = 4096, LONGEST = 400 };
        AUTO(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
        char text[TAIL];
        struct stat st;
        ssize_t n;
        sv line, rest;

        if (fd < 0 || fstat(fd, &st) < 0)
                return (sv){ 0 };
        n = pread(fd, text, sizeof(text), st.st_size > TAIL ? st.st_size - TAIL : 0);
        rest = sv_trim((sv){ text, n > 0 ? (size_t)n : 0 });
        line = sv_trim(sv_skip(rest, (size_t)(sv_rfind(rest, '\n') + 1)));
        return line.n && sv_utf8(line) ? arena_sv(a, sv_from_to(line, 0, line.n > LONGEST ? LONGEST : line.n))
                                       : (sv){ 0 };
}

sv slurm_mark_last_words(struct arena *a, const struct run_record *r, sv job)
{
        static const char *const logs[] = { "srun", "batch" };
        sv line = { 0 };

        for (size_t i = 0; i < ARRAY_LEN(logs) && !line.n; i++)
                line = last_line(a, run_path(a, r, "system_logs/%s-%.*s.log", logs[i], SV_ARG(job)).p);
        return line;
}
