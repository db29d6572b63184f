/* layer_tree STORE TAR... - unpacks each tar as a layer and prints where it is, lowest first: what tests/corpus stacks and compares. */
#include <stdio.h>

#include "base/cleanup.h"
#include "sandbox/sandbox.h"

static int unpack(struct store *s, const char *path, struct err *e)
{
        AUTO(buf_done) struct buf tar = BUF_INIT((size_t)1 << 30);
        struct oci_desc layer = { .media_type = SV(OCI_LAYER) };
        bool there;

        if (fs_read(path, &tar, e) < 0 || store_put_bytes(s, STORE_BLOB, buf_sv(&tar), &layer.digest, e) < 0 ||
            sandbox_unpack(s, &layer, &layer.digest, NULL, e) < 0)
                return -(int)e->code;
        AUTO(free_ptr) char *at = store_unpacked(s, &layer.digest, &there);
        puts(at);
        return 0;
}

int main(int argc, char **argv)
{
        AUTO(err_done) struct err e = { 0 };
        AUTO(store_closep) struct store *s = NULL;

        if (argc < 3) {
                fputs("usage: layer_tree STORE TAR...\n", stderr);
                return 2;
        }
        if (store_open(argv[1], true, NULL, &s, &e) == 0)
                for (int i = 2; i < argc && e.code == ERR_NONE; i++)
                        unpack(s, argv[i], &e);
        if (e.code)
                fprintf(stderr, "%s\n", e.cause);
        return e.code ? 1 : 0;
}
