#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/proc.h"
#include "ext/archive.h"
#include "tests/unit/unit.h"

/* A ustar header block for a member, as GNU tar would write it. */
static void header(struct buf *out, const char *name, char type, const char *link, size_t size)
{
        char h[512] = "";
        unsigned sum = 0;

        snprintf(h, 100, "%s", name);
        memcpy(h + 100, "0000755", 8);
        memcpy(h + 108, "0001750", 8);
        memcpy(h + 116, "0000144", 8);
        snprintf(h + 124, 12, "%011zo", size);
        memcpy(h + 136, "07346545000", 12); /* 1000000000 */
        memset(h + 148, ' ', 8);
        h[156] = type;
        snprintf(h + 157, 100, "%s", link);
        memcpy(h + 257, "ustar\00000", 8);
        for (size_t i = 0; i < sizeof(h); i++)
                sum += (unsigned char)h[i];
        snprintf(h + 148, 8, "%06o", sum);
        buf_add(out, (sv){ h, sizeof(h) });
}

static void data(struct buf *out, sv bytes)
{
        static const char zeros[1024];

        buf_add(out, bytes);
        buf_add(out, (sv){ zeros, (512 - bytes.n % 512) % 512 });
}

static void end(struct buf *out)
{
        static const char zeros[1024];
        buf_add(out, (sv){ zeros, sizeof(zeros) });
}

static struct archive_reader *open_tar(sv bytes)
{
        struct archive_opts o = { .flags = ARCHIVE_TAR | ARCHIVE_DECODE, .bytes = bytes };
        struct archive_reader *r = NULL;
        struct err e = { 0 };

        if (envbuild_archive_table.open(&o, &r, &e) < 0)
                fail_msg("%s", e.cause);
        return r;
}

static const struct archive_table *t = &envbuild_archive_table;

static void entries_come_as_written(void **state)
{
        AUTO(buf_done) struct buf tar = BUF_INIT(1 << 20);
        const struct archive_item *it;
        struct archive_reader *r;
        struct err e = { 0 };
        char text[16];
        size_t n;

        (void)state;
        header(&tar, "./d/", '5', "", 0);
        header(&tar, "../up", '0', "", 5);
        data(&tar, SV("hello"));
        header(&tar, "/abs", '2', "a/../b", 0);
        header(&tar, "hard", '1', "../up", 0);
        header(&tar, "h\xc3\xa9", '6', "", 0);
        end(&tar);
        r = open_tar(buf_sv(&tar));
        assert_int_equal(t->next(r, &it, &e), 1);
        assert_true(it->type == ARCHIVE_DIR && sv_is(it->path, "./d/") && it->mode == 0755 && it->uid == 1000 &&
                    it->gid == 100);
        assert_int_equal(it->mtime, 1000000000);
        assert_int_equal(t->next(r, &it, &e), 1);
        assert_true(it->type == ARCHIVE_FILE && sv_is(it->path, "../up") && it->size == 5);
        assert_int_equal(t->read(r, text, sizeof(text), &n, &e), 0);
        assert_true(n == 5 && memcmp(text, "hello", 5) == 0);
        assert_int_equal(t->read(r, text, sizeof(text), &n, &e), 0);
        assert_int_equal(n, 0);
        assert_int_equal(t->next(r, &it, &e), 1);
        assert_true(it->type == ARCHIVE_SYMLINK && sv_is(it->path, "/abs") && sv_is(it->link, "a/../b"));
        assert_int_equal(t->next(r, &it, &e), 1);
        assert_true(it->type == ARCHIVE_HARDLINK && sv_is(it->link, "../up"));
        assert_int_equal(t->next(r, &it, &e), 1);
        assert_true(it->type == ARCHIVE_FIFO && sv_is(it->path, "h\xc3\xa9"));
        assert_int_equal(t->next(r, &it, &e), 0);
        t->close(r);
}

/* "LEN key=value\n", LEN counting itself (two digits here). */
static void pax_of(struct buf *tar, const char *records)
{
        header(tar, "PaxHeaders/x", 'x', "", strlen(records));
        data(tar, sv_from(records));
}

static void pax_names_and_xattrs(void **state)
{
        AUTO(buf_done) struct buf tar = BUF_INIT(1 << 20);
        const struct archive_item *it;
        struct archive_reader *r;
        struct err e = { 0 };

        (void)state;
        pax_of(&tar, "13 path=\xc3\xa9/x\n"
                     "18 mtime=1000.500\n"
                     "15 uid=3000000\n"
                     "25 SCHILY.xattr.user.a=b\n");
        header(&tar, "short", '0', "", 0);
        end(&tar);
        r = open_tar(buf_sv(&tar));
        assert_int_equal(t->next(r, &it, &e), 1); /* in the C locale too */
        assert_true(sv_is(it->path, "\xc3\xa9/x"));
        assert_true(it->mtime == 1000 && it->mtime_ns == 500000000);
        assert_int_equal(it->uid, 3000000);
        assert_true(it->n_xattr == 1 && sv_is(it->xattr[0].name, "user.a") && sv_is(it->xattr[0].value, "b"));
        t->close(r);
}

static void an_empty_archive_is_one(void **state)
{
        AUTO(buf_done) struct buf tar = BUF_INIT(1 << 20);
        const struct archive_item *it;
        struct archive_reader *r;
        struct err e = { 0 };

        (void)state;
        r = open_tar(SV(""));
        assert_int_equal(t->next(r, &it, &e), 0);
        t->close(r);
        end(&tar);
        r = open_tar(buf_sv(&tar));
        assert_int_equal(t->next(r, &it, &e), 0);
        t->close(r);
}

/* Reads all; the code it ends with. */
static int drain(sv bytes, const struct archive_opts *opts)
{
        AUTO(err_done) struct err e = { 0 };
        struct archive_opts o = *opts;
        const struct archive_item *it;
        struct archive_reader *r = NULL;
        char text[100];
        size_t n = 1;
        int got;

        o.bytes = bytes;
        if (t->open(&o, &r, &e) < 0)
                return -(int)e.code;
        while ((got = t->next(r, &it, &e)) == 1)
                for (n = 1; n && e.code == ERR_NONE;)
                        if (t->read(r, text, sizeof(text), &n, &e) < 0)
                                break;
        t->close(r);
        return -(int)e.code;
}

static void damage_and_limits(void **state)
{
        AUTO(buf_done) struct buf tar = BUF_INIT(1 << 20);
        struct archive_opts plain = { .flags = ARCHIVE_TAR }, few = plain, small = plain;

        (void)state;
        few.max_items = 1;
        small.max_bytes = 899;
        header(&tar, "a", '0', "", 600);
        for (int i = 0; i < 60; i++)
                buf_add(&tar, SV("0123456789"));
        data(&tar, SV("")); /* 600 bytes, padded by the next two */
        buf_add(&tar, (sv){ (const char[424]){ "" }, 424 });
        header(&tar, "b", '0', "", 300);
        buf_add(&tar, (sv){ (const char[512]){ "" }, 512 });
        end(&tar);
        assert_int_equal(drain(buf_sv(&tar), &plain), 0);
        assert_int_equal(drain(buf_sv(&tar), &few), -ERR_LIMIT);
        assert_int_equal(drain(buf_sv(&tar), &small), -ERR_LIMIT);
        assert_int_equal(drain(sv_from_to(buf_sv(&tar), 0, 700), &plain), -ERR_INTEGRITY);
        assert_int_equal(drain(sv_from_to(buf_sv(&tar), 0, 100), &plain), -ERR_INTEGRITY);
        tar.p[1536 + 3] ^= 1; /* the name in the second header: its sum is wrong now */
        assert_int_equal(drain(buf_sv(&tar), &plain), -ERR_INTEGRITY);
        assert_int_equal(drain(SV("this is no archive of any kind"), &plain), -ERR_INTEGRITY);
}

static int failing_read(void *arg, void *p, size_t max, size_t *ret_n, struct err *e)
{
        int *calls = arg;

        if ((*calls)++)
                return err_set(e, ERR_NET, "the line is cut");
        assert_true(max >= 512);
        memset(p, 0, 512);
        *ret_n = 512;
        return 0;
}

static void a_readers_error_comes_through(void **state)
{
        AUTO(err_done) struct err e = { 0 };
        int calls = 0;
        struct archive_opts o = { .flags = ARCHIVE_TAR, .read = failing_read, .arg = &calls };
        const struct archive_item *it;
        struct archive_reader *r = NULL;
        int got;

        (void)state;
        got = t->open(&o, &r, &e);
        if (got == 0)
                got = t->next(r, &it, &e);
        t->close(r);
        assert_int_equal(got, -ERR_NET);
        assert_string_equal(e.cause, "the line is cut");
}

static void ar_archives(void **state)
{
        static const char text[] = "!<arch>\n"
                                   "debian-binary   1700000000  0     0     100644  4         `\n2.0\n"
                                   "data.tar        1700000000  0     0     100644  2         `\nab";
        struct archive_opts o = { .flags = ARCHIVE_AR, .bytes = { text, sizeof(text) - 1 } };
        const struct archive_item *it;
        struct archive_reader *r = NULL;
        struct err e = { 0 };

        (void)state;
        assert_int_equal(t->open(&o, &r, &e), 0);
        assert_int_equal(t->next(r, &it, &e), 1);
        assert_true(sv_is(it->path, "debian-binary") && it->size == 4);
        assert_int_equal(t->next(r, &it, &e), 1);
        assert_true(sv_is(it->path, "data.tar") && it->size == 2 && it->mode == 0644);
        assert_int_equal(t->next(r, &it, &e), 0);
        t->close(r);
}

static void the_linked_table_is_found(void **state)
{
        const struct archive_table *found = NULL;
        struct err e = { 0 };

        (void)state;
        assert_int_equal(archive_load(&found, &e), 0);
        assert_ptr_equal(found, t);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(entries_come_as_written),       cmocka_unit_test(pax_names_and_xattrs),
                cmocka_unit_test(an_empty_archive_is_one),       cmocka_unit_test(damage_and_limits),
                cmocka_unit_test(a_readers_error_comes_through), cmocka_unit_test(ar_archives),
                cmocka_unit_test(the_linked_table_is_found),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
