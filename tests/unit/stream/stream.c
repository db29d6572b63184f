#include <fcntl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "stream/stream.h"
#include "tests/unit/unit.h"

#define ABC "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

static void a_hash_sees_what_passes(void **state)
{
        AUTO(buf_done) struct buf b = BUF_INIT(16);
        AUTO(hash_writer_done) struct hash_writer above = { 0 }, below = { 0 };
        struct buf_writer sink;
        struct mem_reader from;
        struct err e = { 0 };
        struct writer *w;
        uint64_t n = 0;

        (void)state;
        w = hash_writer_init(&above, hash_writer_init(&below, buf_writer_init(&sink, &b)));
        assert_int_equal(reader_copy(mem_reader_init(&from, SV("abc")), w, &n, &e), 0);
        assert_int_equal(writer_finish(w, &e), 0);
        assert_int_equal(n, 3);
        assert_int_equal(above.size, 3);
        assert_string_equal(sha256_hex(&above.digest).s, ABC);
        assert_string_equal(sha256_hex(&below.digest).s, ABC);
        assert_true(sv_is(buf_sv(&b), "abc"));
}

static void a_hash_may_be_the_end(void **state)
{
        AUTO(hash_writer_done) struct hash_writer h = { 0 };
        struct err e = { 0 };
        struct writer *w = hash_writer_init(&h, NULL);

        (void)state;
        assert_int_equal(writer_write(w, "ab", 2, &e), 0);
        assert_int_equal(writer_write(w, "c", 1, &e), 0);
        assert_int_equal(writer_finish(w, &e), 0);
        assert_string_equal(sha256_hex(&h.digest).s, ABC);
}

static void memory_has_a_ceiling(void **state)
{
        AUTO(buf_done) struct buf b = BUF_INIT(4);
        AUTO(err_done) struct err e = { 0 };
        struct buf_writer sink;
        struct writer *w = buf_writer_init(&sink, &b);

        (void)state;
        assert_int_equal(writer_write(w, "1234", 4, &e), 0);
        assert_int_equal(writer_write(w, "5", 1, &e), -ERR_LIMIT);
}

static void a_file_that_takes_nothing_is_an_error(void **state)
{
        AUTO(err_done) struct err e = { 0 };
        AUTO(close_fd) int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
        struct fd_writer sink;
        struct writer *w = fd_writer_init(&sink, fd, "/dev/full");

        (void)state;
        assert_true(fd >= 0);
        assert_int_equal(writer_write(w, "x", 1, &e), -ERR_IO);
        assert_int_equal(sink.size, 0);
        assert_non_null(e.hint); /* a full disk: what to do about it */
}

static void a_file_goes_out_and_comes_back(void **state)
{
        AUTO(buf_done) struct buf b = BUF_INIT(1 << 20);
        AUTO(err_done) struct err e = { 0 };
        struct buf_writer sink;
        struct fd_writer out;
        struct fd_reader in;
        struct mem_reader from;
        int fd[2];
        uint64_t n = 0;

        (void)state;
        assert_int_equal(pipe2(fd, O_CLOEXEC), 0);
        assert_int_equal(reader_copy(mem_reader_init(&from, SV("through a pipe")), fd_writer_init(&out, fd[1], "pipe"),
                                     NULL, &e),
                         0);
        assert_int_equal(out.size, 14);
        close(fd[1]);
        assert_int_equal(reader_copy(fd_reader_init(&in, fd[0], "pipe"), buf_writer_init(&sink, &b), &n, &e), 0);
        close(fd[0]);
        assert_int_equal(n, 14);
        assert_true(sv_is(buf_sv(&b), "through a pipe"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_hash_sees_what_passes),
                cmocka_unit_test(a_hash_may_be_the_end),
                cmocka_unit_test(memory_has_a_ceiling),
                cmocka_unit_test(a_file_that_takes_nothing_is_an_error),
                cmocka_unit_test(a_file_goes_out_and_comes_back),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
