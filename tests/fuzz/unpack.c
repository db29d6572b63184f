/* Layers from registries, unpacked for real: whatever the archive says, nothing outside of the folder changes. */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "sandbox/sandbox_priv.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void must(bool ok)
{
        if (!ok)
                abort();
}

/* Without the fsync of fs_write: this runs some thousand times. */
static bool make_file(const char *path, sv text)
{
        AUTO(close_fd) int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        return fd >= 0 && write(fd, text.p, text.n) == (ssize_t)text.n;
}

static void unpack(const char *dir, sv bytes)
{
        const struct archive_table *t = &envbuild_archive_table;
        struct archive_opts o = {
                .flags = ARCHIVE_TAR | ARCHIVE_DECODE, .max_items = 200, .max_bytes = (uint64_t)1 << 20, .bytes = bytes
        };
        AUTO(sandbox_grow_done) struct sandbox_grow g = { 0 };
        AUTO(err_done) struct err e = { 0 };
        struct archive_reader *r = NULL;
        const struct archive_item *it;

        must(sandbox_grow_open(&g, dir, &e) == 0);
        if (t->open(&o, &r, &e) < 0)
                return;
        while (t->next(r, &it, &e) == 1)
                if (sandbox_grow_add(&g, t, r, it, &e) < 0)
                        break;
        t->close(r);
        sandbox_grow_finish(&g, &e);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
        char top[] = "/tmp/envbuild-fuzz-XXXXXX";
        AUTO(buf_done) struct buf now = BUF_INIT(100);
        AUTO(err_done) struct err e = { 0 };
        AUTO(free_ptr) char **names = NULL;
        AUTO(free_ptr) char *in = NULL, *victim = NULL;
        struct stat st;
        size_t n_names = 0;

        must(mkdtemp(top) != NULL);
        in = fs_path("%s/in", top);
        victim = fs_path("%s/victim", top);
        must(mkdir(in, 0755) == 0 && make_file(victim, SV("untouched")));
        unpack(in, (sv){ (const char *)p, n });
        must(fs_list(top, &names, &n_names, &e) == 0 && n_names == 2);
        must(lstat(victim, &st) == 0 && st.st_mode == (S_IFREG | 0600) && st.st_nlink == 1);
        must(fs_read(victim, &now, &e) == 0 && sv_is(buf_sv(&now), "untouched"));
        must(fs_remove(top, &e) == 0);
        return 0;
}
