#include "registry/push.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "tests/unit/registry/fake_registry.h"
#include "tests/unit/unit.h"

enum { LAYERS = 8 };

/* An image of a config and LAYERS layers, or an index over it. */
struct image {
        struct reg_push_blob blob[LAYERS + 1];
        struct reg_manifest manifest[2];
        sv tag[2];
        struct reg_push p;
        char text[LAYERS + 1][4096];
};

static void image_init(struct image *x, struct fake_test *t, size_t n_manifest)
{
        *x = (struct image){ 0 };
        for (size_t i = 0; i <= LAYERS; i++) {
                sv bytes = { x->text[i], 100 + i * 400 };

                memset(x->text[i], 'a' + (int)i, bytes.n);
                x->blob[i] = (struct reg_push_blob){
                        .desc = { .media_type = SV("a/b"), .digest = sha256_of(bytes), .size = bytes.n },
                        .bytes.text = bytes,
                        .subject = arena_fmt(&t->a, "layer %zu", i),
                };
        }
        for (size_t i = 0; i < n_manifest; i++) {
                sv text = arena_fmt(&t->a, "{\"n\":%zu,\"mediaType\":\"%s\"}", i,
                                    i + 1 == n_manifest && i ? OCI_INDEX : OCI_MANIFEST);

                x->manifest[i] = (struct reg_manifest){ .bytes = text,
                                                        .media_type = i + 1 == n_manifest && i ? SV(OCI_INDEX)
                                                                                               : SV(OCI_MANIFEST),
                                                        .digest = sha256_of(text) };
        }
        x->tag[0] = SV("v1");
        x->tag[1] = SV("latest");
        x->p = (struct reg_push){ .repo = t->repo,
                                  .blob = x->blob,
                                  .n_blob = LAYERS + 1,
                                  .manifest = x->manifest,
                                  .n_manifest = n_manifest,
                                  .tag = x->tag,
                                  .n_tag = 2 };
}

static void all_of_it_then_nothing(void **state)
{
        struct image *x = xcalloc(1, sizeof(*x));
        struct reg_push_count n = { 0 };
        struct fake_test t;
        unsigned before;

        (void)state;
        fake_begin(&t, NULL);
        image_init(x, &t, 1);
        assert_int_equal(reg_push(t.c, &x->p, &n, &t.e), 0);
        assert_int_equal(n.sent, LAYERS + 1);
        assert_true(n.bytes > 100 * LAYERS && !n.whole && n.present == 0);
        assert_true(sv_eq(fake_manifest(&t.repo, "v1"), x->manifest[0].bytes) && fake_manifest(&t.repo, "latest").n);
        before = fake_count("");
        assert_int_equal(reg_push(t.c, &x->p, &n, &t.e), 0);
        assert_true(n.whole && n.present == LAYERS + 1 && n.sent == 0 && n.bytes == 0);
        assert_int_equal(fake_count(""), before + 2); /* a HEAD a tag */
        x->p.n_tag = 0;
        assert_int_equal(reg_push(t.c, &x->p, &n, &t.e), 0);
        assert_true(n.whole);
        assert_int_equal(fake_count(""), before + 3);
        fake_end(&t);
        free(x);
}

static void one_missing_blob_is_one_put(void **state)
{
        struct image *x = xcalloc(1, sizeof(*x));
        struct reg_push_count n = { 0 };
        struct fake_test t;

        (void)state;
        fake_begin(&t, NULL);
        image_init(x, &t, 1);
        for (size_t i = 0; i < LAYERS; i++)
                fake_blob_add(&t.repo, x->blob[i].bytes.text);
        assert_int_equal(reg_push(t.c, &x->p, &n, &t.e), 0);
        assert_true(n.sent == 1 && n.present == LAYERS && n.bytes == x->blob[LAYERS].desc.size);
        assert_int_equal(fake_count("POST "), 1);
        fake_end(&t);
        free(x);
}

static void a_new_tag_is_only_a_tag(void **state)
{
        struct image *x = xcalloc(1, sizeof(*x));
        struct reg_push_count n = { 0 };
        struct fake_test t;

        (void)state;
        fake_begin(&t, NULL);
        image_init(x, &t, 1);
        fake_manifest_add(&t.repo, "other", OCI_MANIFEST, x->manifest[0].bytes);
        fake_manifest_add(&t.repo, "v1", OCI_MANIFEST, SV("{\"mediaType\":\"" OCI_MANIFEST "\"}"));
        assert_int_equal(reg_push(t.c, &x->p, &n, &t.e), 0);
        assert_false(n.whole);
        assert_int_equal(fake_count("/blobs/"), 0);
        assert_int_equal(fake_count("PUT "), 2);
        assert_true(sv_eq(fake_manifest(&t.repo, "v1"), x->manifest[0].bytes));
        fake_end(&t);
        /* It says no, since a blob is gone: all is looked at. */
        fake_begin(&t, NULL);
        image_init(x, &t, 1);
        fake_manifest_add(&t.repo, "other", OCI_MANIFEST, x->manifest[0].bytes);
        fake_fault(&(struct fake_fault){ .match = "PUT /v2/team/x/manifests/v1",
                                         .times = 1,
                                         .status = 400,
                                         .body = "{\"errors\":[{\"code\":\"MANIFEST_BLOB_UNKNOWN\"}]}" });
        assert_int_equal(reg_push(t.c, &x->p, &n, &t.e), 0);
        assert_int_equal(n.sent, LAYERS + 1);
        fake_end(&t);
        free(x);
}

/* v1 is an image of all of x's layers but the last. */
static void add_predecessor(struct image *x, struct fake_test *t)
{
        AUTO(buf_done) struct buf out = BUF_INIT(OCI_DOC_MAX);
        struct oci_desc layer[LAYERS - 1];
        struct oci_manifest m = { .config = x->blob[LAYERS].desc, .layer = layer, .n_layer = LAYERS - 1 };

        for (size_t i = 0; i < m.n_layer; i++)
                layer[i] = x->blob[i].desc;
        oci_manifest_write(&m, &out);
        fake_manifest_add(&t->repo, "v1", OCI_MANIFEST, arena_sv(&t->a, buf_sv(&out)));
}

static void what_a_tag_needed_is_not_asked_for(void **state)
{
        struct image *x = xcalloc(1, sizeof(*x));
        struct reg_push_count n = { 0 };
        struct fake_test t;

        (void)state;
        fake_begin(&t, NULL);
        image_init(x, &t, 1);
        add_predecessor(x, &t);
        assert_int_equal(reg_push(t.c, &x->p, &n, &t.e), 0);
        assert_true(n.sent == 1 && n.present == LAYERS && n.bytes == x->blob[LAYERS - 1].desc.size);
        assert_int_equal(fake_count("HEAD /v2/team/x/blobs/"), 1);
        assert_int_equal(fake_count("GET /v2/team/x/manifests/"), 1);
        fake_end(&t);
        /* They are gone, as the registry says when it sees our manifest. */
        fake_begin(&t, NULL);
        image_init(x, &t, 1);
        add_predecessor(x, &t);
        fake_fault(&(struct fake_fault){ .match = "PUT /v2/team/x/manifests/sha256:",
                                         .times = 1,
                                         .status = 400,
                                         .body = "{\"errors\":[{\"code\":\"MANIFEST_BLOB_UNKNOWN\"}]}" });
        assert_int_equal(reg_push(t.c, &x->p, &n, &t.e), 0);
        assert_int_equal(n.sent, LAYERS + 1);
        fake_end(&t);
        /* What no registry need hold is asked for. */
        fake_begin(&t, NULL);
        image_init(x, &t, 1);
        x->blob[0].desc.media_type = SV("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip");
        add_predecessor(x, &t);
        assert_int_equal(reg_push(t.c, &x->p, &n, &t.e), 0);
        assert_int_equal(fake_count("HEAD /v2/team/x/blobs/"), 2);
        fake_end(&t);
        free(x);
}

/* Others push the same image: the registry has the blobs, and for a moment does not know it. */
static void a_half_written_blob_is_looked_at_again(void **state)
{
        struct image *x = xcalloc(1, sizeof(*x));
        struct reg_push_count n = { 0 };
        struct fake_test t;

        (void)state;
        fake_begin(&t, NULL);
        image_init(x, &t, 1);
        fake_fault(&(struct fake_fault){ .match = "PUT /v2/team/x/manifests/sha256",
                                         .times = 2,
                                         .status = 400,
                                         .body = "{\"errors\":[{\"code\":\"MANIFEST_BLOB_UNKNOWN\"}]}" });
        assert_int_equal(reg_push(t.c, &x->p, &n, &t.e), 0);
        assert_true(n.sent == LAYERS + 1 && n.present == 0);
        assert_int_equal(fake_count("POST "), LAYERS + 1); /* each was sent once */
        assert_true(sv_eq(fake_manifest(&t.repo, "v1"), x->manifest[0].bytes));
        fake_end(&t);
        fake_begin(&t, NULL);
        image_init(x, &t, 1);
        fake_fault(&(struct fake_fault){ .match = "PUT /v2/team/x/manifests/sha256",
                                         .status = 400,
                                         .body = "{\"errors\":[{\"code\":\"MANIFEST_BLOB_UNKNOWN\"}]}" });
        assert_int_equal(reg_push(t.c, &x->p, &n, &t.e), -ERR_NET);
        assert_int_equal(fake_count("PUT /v2/team/x/manifests"), 5); /* not for ever */
        fake_end(&t);
        free(x);
}

static void children_come_first_and_tags_last(void **state)
{
        struct image *x = xcalloc(1, sizeof(*x));
        struct reg_push_count n = { 0 };
        struct fake_test t;

        (void)state;
        fake_begin(&t, NULL);
        image_init(x, &t, 2);
        fake_fault(&(struct fake_fault){ .match = "PUT /v2/team/x/manifests/sha256", .skip = 1, .status = 400 });
        assert_int_equal(reg_push(t.c, &x->p, &n, &t.e), -ERR_NET);
        assert_int_equal(fake_count("PUT /v2/team/x/manifests/v1"), 0); /* nothing is tagged */
        assert_true(fake_manifest(&t.repo, arena_fmt(&t.a, "sha256:%s", sha256_hex(&x->manifest[0].digest).s).p).n > 0);
        fake_end(&t);
        fake_begin(&t, NULL);
        image_init(x, &t, 2);
        assert_int_equal(reg_push(t.c, &x->p, &n, &t.e), 0);
        assert_true(sv_eq(fake_manifest(&t.repo, "v1"), x->manifest[1].bytes));
        fake_end(&t);
        free(x);
}

static void a_failing_blob_leaves_no_manifest(void **state)
{
        struct image *x = xcalloc(1, sizeof(*x));
        struct reg_push_count n = { 0 };
        struct fake_test t;

        (void)state;
        fake_begin(&t, NULL);
        image_init(x, &t, 1);
        x->blob[3].desc.digest.b[5] ^= 1;
        assert_int_equal(reg_push(t.c, &x->p, &n, &t.e), -ERR_INTEGRITY);
        assert_non_null(strstr(t.e.trail, "layer 3"));
        assert_int_equal(fake_count("PUT /v2/team/x/manifests"), 0);
        assert_int_equal(n.sent, 0); /* outputs change on success only */
        fake_end(&t);
        free(x);
}

struct shop {
        char path[32];
        unsigned asked;
};

static int fetch(void *arg, const struct reg_push_blob *b, char **ret_path, struct err *e)
{
        struct shop *s = arg;

        s->asked++;
        if (!s->path[0])
                return err_set(e, ERR_NOT_FOUND, "nobody has %.*s", SV_ARG(b->subject));
        *ret_path = xstrdup(s->path);
        return 0;
}

static void what_is_not_here_is_mounted_or_fetched(void **state)
{
        struct image *x = xcalloc(1, sizeof(*x));
        struct reg_push_count n = { 0 };
        struct shop shop = { .path = "/tmp/eb-push-XXXXXX" };
        int fd = mkstemp(shop.path);
        struct fake_test t;
        sv text;

        (void)state;
        fake_begin(&t, NULL);
        image_init(x, &t, 1);
        fake_blob_add(&t.other, x->blob[1].bytes.text);
        x->blob[1].bytes = (struct reg_bytes){ 0 };
        x->blob[1].from = &t.other;
        x->blob[1].n_from = 1;
        text = x->blob[2].bytes.text;
        assert_int_equal(write(fd, text.p, text.n), (ssize_t)text.n);
        x->blob[2].bytes = (struct reg_bytes){ 0 };
        x->p.fetch = fetch;
        x->p.arg = &shop;
        assert_int_equal(reg_push(t.c, &x->p, &n, &t.e), 0);
        assert_true(n.mounted == 1 && n.sent == LAYERS && shop.asked == 1);
        assert_int_equal(fake_count("mount="), 1); /* only the blob that names a source is asked for there */
        fake_end(&t);

        fake_begin(&t, NULL);
        image_init(x, &t, 1);
        x->blob[2].bytes = (struct reg_bytes){ 0 };
        x->p.fetch = fetch;
        x->p.arg = &shop;
        shop.path[0] = '\0';
        assert_int_equal(reg_push(t.c, &x->p, &n, &t.e), -ERR_NOT_FOUND);
        assert_non_null(strstr(t.e.cause, "nobody has layer 2"));
        fake_end(&t);
        close(fd);
        free(x);
}

static void interrupt(void *arg)
{
        atomic_store(&((struct fake_test *)arg)->op.signal, 2);
}

static void an_interrupt_ends_it(void **state)
{
        struct image *x = xcalloc(1, sizeof(*x));
        struct reg_push_count n = { 0 };
        struct fake_test t;

        (void)state;
        fake_begin(&t, NULL);
        image_init(x, &t, 1);
        fake_meanwhile("PUT ", 0, interrupt, &t);
        assert_int_equal(reg_push(t.c, &x->p, &n, &t.e), -ERR_CANCELLED);
        assert_int_equal(fake_count("/manifests/v1"), 1); /* the HEAD */
        fake_end(&t);
        free(x);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(all_of_it_then_nothing),
                cmocka_unit_test(one_missing_blob_is_one_put),
                cmocka_unit_test(a_new_tag_is_only_a_tag),
                cmocka_unit_test(what_a_tag_needed_is_not_asked_for),
                cmocka_unit_test(a_half_written_blob_is_looked_at_again),
                cmocka_unit_test(children_come_first_and_tags_last),
                cmocka_unit_test(a_failing_blob_leaves_no_manifest),
                cmocka_unit_test(what_is_not_here_is_mounted_or_fetched),
                cmocka_unit_test(an_interrupt_ends_it),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
