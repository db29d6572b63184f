/* tests/fuzz/replay.c - runs a fuzz target over the files of its corpus, as an ordinary test. With clang and -Dfuzz=true the same target
 * is linked with libFuzzer instead. Usage: TARGET FILE-OR-FOLDER… */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/fs.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static int one(const char *path, struct err *e)
{
        AUTO(buf_done) struct buf b = BUF_INIT((size_t)16 << 20);

        if (fs_read(path, &b, e) < 0)
                return -(int)e->code;
        LLVMFuzzerTestOneInput((const uint8_t *)(b.p ? b.p : ""), b.n);
        return 0;
}

int main(int argc, char **argv)
{
        AUTO(err_done) struct err e = { 0 };
        size_t passed = 0, failed = 0;

        for (int i = 1; i < argc; i++) {
                AUTO(free_ptr) char **v = NULL;
                size_t n = 0;

                if (!fs_is_dir(argv[i])) {
                        failed += one(argv[i], &e) < 0;
                        passed++;
                        continue;
                }
                if (fs_list(argv[i], &v, &n, &e) < 0)
                        failed++;
                for (size_t k = 0; k < n; k++) {
                        AUTO(free_ptr) char *path = fs_path("%s/%s", argv[i], v[k]);
                        failed += one(path, &e) < 0;
                        passed++;
                }
        }
        if (e.cause)
                fprintf(stderr, "%s\n", e.cause);
        printf("%zu passed, %zu failed\n", passed - failed, failed);
        return failed || passed == 0;
}
