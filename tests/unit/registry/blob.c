#include "registry/blob.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "tests/unit/registry/fake_registry.h"
#include "tests/unit/unit.h"

/* So many bytes, none like its neighbours. */
static sv bytes_of(struct arena *a, size_t n)
{
        char *p = arena_alloc(a, n + 1, 1);

        for (size_t i = 0; i < n; i++)
                p[i] = (char)(i * 131 + (i >> 8) * 17);
        return (sv){ p, n };
}

static struct oci_desc desc_of(sv bytes)
{
        return (struct oci_desc){ .media_type = SV("a/b"), .digest = sha256_of(bytes), .size = bytes.n };
}

static int ensure(struct fake_test *t, sv bytes, const struct reg_repo *from, size_t n_from, enum reg_how *how,
                  uint64_t *sent)
{
        struct oci_desc d = desc_of(bytes);
        struct reg_bytes b = { .text = bytes };

        err_done(&t->e);
        return reg_blob_ensure(t->c, &t->repo, &d, &b, from, n_from, SV("numpy 2.1.0"), how, sent, &t->e);
}

static void says(const struct fake_test *t, const char *part)
{
        if (!(t->e.cause && strstr(t->e.cause, part)) && !(t->e.trail && strstr(t->e.trail, part)))
                fail_msg("'%s' '%s' does not say '%s'", t->e.cause ? t->e.cause : "", t->e.trail ? t->e.trail : "",
                         part);
}

static void what_is_there_is_not_sent(void **state)
{
        struct fake_test t;
        enum reg_how how = REG_SENT;
        uint64_t sent = 7;
        sv b;

        (void)state;
        fake_begin(&t, NULL);
        b = bytes_of(&t.a, 1000);
        fake_blob_add(&t.repo, b);
        assert_int_equal(ensure(&t, b, NULL, 0, &how, &sent), 0);
        assert_int_equal(how, REG_PRESENT);
        assert_int_equal(sent, 0);
        assert_int_equal(fake_count(""), 1);
        fake_end(&t);
}

static void a_blob_goes_in_one_put(void **state)
{
        struct fake_test t;
        enum reg_how how = REG_PRESENT;
        uint64_t sent = 0;
        sv b;

        (void)state;
        fake_begin(&t, NULL);
        b = bytes_of(&t.a, 100001);
        assert_int_equal(ensure(&t, b, NULL, 0, &how, &sent), 0);
        assert_int_equal(how, REG_SENT);
        assert_int_equal(sent, 100001);
        assert_true(fake_blob_has(&t.repo, b));
        assert_int_equal(fake_count(""), 3);                              /* HEAD, POST, PUT */
        assert_int_equal(ensure(&t, (sv){ 0 }, NULL, 0, &how, &sent), 0); /* the empty blob is one too */
        fake_end(&t);
}

static void another_repository_lends_it(void **state)
{
        struct fake_test t;
        struct reg_repo from[3];
        enum reg_how how = REG_SENT;
        sv b;

        (void)state;
        fake_begin(&t, NULL);
        b = bytes_of(&t.a, 1000);
        fake_blob_add(&t.other, b);
        from[0] = (struct reg_repo){ SV("elsewhere:5000"), SV("base/y") }; /* passed over */
        from[1] = (struct reg_repo){ SV("localhost:5000"), SV("none") };
        from[2] = t.other;
        assert_int_equal(ensure(&t, b, from, 3, &how, NULL), 0);
        assert_int_equal(how, REG_MOUNTED);
        assert_true(fake_blob_has(&t.repo, b));
        assert_int_equal(fake_count("mount="), 2);
        assert_int_equal(fake_count("PUT "), 0);
        fake_end(&t);
}

/* No: an upload is opened instead, and used. */
static void a_refused_mount_opens_the_upload(void **state)
{
        struct fake_test t;
        struct reg_repo from[2];
        enum reg_how how = REG_PRESENT;
        sv b;

        (void)state;
        fake_begin(&t, NULL);
        b = bytes_of(&t.a, 1000);
        from[0] = (struct reg_repo){ SV("localhost:5000"), SV("none") };
        from[1] = t.other;
        assert_int_equal(ensure(&t, b, from, 2, &how, NULL), 0);
        assert_int_equal(how, REG_SENT);
        assert_int_equal(fake_count("POST "), 2); /* both mounts */
        assert_int_equal(fake_count("DELETE "), 1);
        assert_int_equal(fake_sessions(), 0);
        fake_end(&t);
        /* A server that does not mount at all. */
        fake_begin(&t, &(struct fake_settings){ .no_mount = true });
        b = bytes_of(&t.a, 1000);
        assert_int_equal(ensure(&t, b, &t.other, 1, &how, NULL), 0);
        assert_int_equal(how, REG_SENT);
        fake_end(&t);
        /* And one that breaks over it. */
        fake_begin(&t, NULL);
        fake_fault(&(struct fake_fault){ .match = "mount=", .status = 500 });
        b = bytes_of(&t.a, 1000);
        assert_int_equal(ensure(&t, b, &t.other, 1, &how, NULL), 0);
        assert_int_equal(how, REG_SENT);
        fake_end(&t);
}

static void a_lost_answer_to_a_mount_is_looked_into(void **state)
{
        struct fake_test t;
        enum reg_how how = REG_PRESENT;
        sv b;

        (void)state;
        fake_begin(&t, NULL);
        fake_fault(&(struct fake_fault){ .match = "mount=", .after = true });
        b = bytes_of(&t.a, 1000);
        fake_blob_add(&t.other, b);
        assert_int_equal(ensure(&t, b, &t.other, 1, &how, NULL), 0);
        assert_int_equal(how, REG_MOUNTED);
        assert_int_equal(fake_count("PUT "), 0);
        fake_end(&t);
}

static void what_is_nowhere_is_said(void **state)
{
        struct fake_test t;
        struct oci_desc d;

        (void)state;
        fake_begin(&t, NULL);
        d = desc_of(SV("somewhere"));
        assert_int_equal(reg_blob_ensure(t.c, &t.repo, &d, NULL, &t.other, 1, SV("base layer 1"), NULL, NULL, &t.e),
                         -ERR_NOT_FOUND);
        says(&t, "base layer 1");
        says(&t, "localhost:5000/team/x");
        assert_int_equal(fake_sessions(), 0); /* the one that the mount opened is given back */
        fake_end(&t);
}

static void a_broken_upload_begins_anew(void **state)
{
        static const uint64_t cuts[] = { 0, 1, 4096, 50000, 100000, 100001 };

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(cuts); i++) {
                struct fake_test t;
                uint64_t sent = 0;
                sv b;

                fake_begin(&t, NULL);
                b = bytes_of(&t.a, 100001);
                fake_fault(&(struct fake_fault){ .match = "PUT ", .times = 2, .cut = cuts[i] });
                assert_int_equal(ensure(&t, b, NULL, 0, NULL, &sent), 0);
                assert_true(fake_blob_has(&t.repo, b));
                assert_int_equal(fake_count("POST "), 3); /* a session that broke is not used again */
                assert_true(sent >= 100001 + 2 * cuts[i]);
                fake_end(&t);
        }
}

static void a_lost_answer_is_looked_into(void **state)
{
        struct fake_test t;
        uint64_t sent = 0;
        sv b;

        (void)state;
        fake_begin(&t, NULL);
        b = bytes_of(&t.a, 5000);
        fake_fault(&(struct fake_fault){ .match = "PUT ", .times = 1, .after = true });
        assert_int_equal(ensure(&t, b, NULL, 0, NULL, &sent), 0);
        assert_int_equal(sent, 5000);
        assert_int_equal(fake_count("PUT "), 1);
        fake_end(&t);
}

static void servers_that_stumble_are_asked_again(void **state)
{
        static const long status[] = { 429, 500, 502, 503, 404, 400 };

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(status); i++) {
                struct fake_test t;
                sv b;

                fake_begin(&t, NULL);
                b = bytes_of(&t.a, 5000);
                fake_fault(&(struct fake_fault){ .match = "PUT ", .times = 3, .status = status[i] });
                assert_int_equal(ensure(&t, b, NULL, 0, NULL, NULL), 0);
                assert_true(fake_blob_has(&t.repo, b));
                fake_end(&t);
        }
}

static void there_is_an_end_to_it(void **state)
{
        struct fake_test t;
        sv b;

        (void)state;
        fake_begin(&t, NULL);
        b = bytes_of(&t.a, 5000);
        fake_fault(
                &(struct fake_fault){ .match = "PUT ",
                                      .status = 500,
                                      .body = "{\"errors\":[{\"code\":\"UNKNOWN\",\"message\":\"no space left\"}]}" });
        assert_int_equal(ensure(&t, b, NULL, 0, NULL, NULL), -ERR_NET);
        assert_int_equal(fake_count("PUT "), 5);
        says(&t, "no space left");
        says(&t, "numpy 2.1.0");
        fake_end(&t);
}

static void a_no_is_a_no(void **state)
{
        static const long status[] = { 403, 405 };

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(status); i++) {
                struct fake_test t;
                sv b;

                fake_begin(&t, NULL);
                b = bytes_of(&t.a, 5000);
                fake_fault(&(struct fake_fault){ .match = "POST ", .status = status[i] });
                assert_int_equal(ensure(&t, b, NULL, 0, NULL, NULL), status[i] == 403 ? -ERR_AUTH : -ERR_NET);
                assert_int_equal(fake_count("POST "), 1);
                says(&t, "numpy 2.1.0");
                fake_end(&t);
        }
}

/* Bytes that are not what they should be never become a blob: the last of them is not sent. */
static void wrong_bytes_are_not_stored(void **state)
{
        struct fake_test t;
        struct oci_desc d;
        struct reg_bytes b;
        uint64_t sent = 0;

        (void)state;
        fake_begin(&t, NULL);
        b = (struct reg_bytes){ .text = bytes_of(&t.a, 10000) };
        d = desc_of(b.text);
        d.digest.b[0] ^= 1;
        assert_int_equal(reg_blob_ensure(t.c, &t.repo, &d, &b, NULL, 0, SV("x"), NULL, &sent, &t.e), -ERR_INTEGRITY);
        assert_true(sent < 10000);
        assert_int_equal(fake_sessions(), 0); /* deleted */
        assert_int_equal(fake_count("PUT "), 1);
        err_done(&t.e);
        d = desc_of(b.text);
        d.size--;
        assert_int_equal(reg_blob_ensure(t.c, &t.repo, &d, &b, NULL, 0, SV("x"), NULL, NULL, &t.e), -ERR_INTEGRITY);
        says(&t, "10000 bytes, not 9999");
        assert_int_equal(fake_count("PUT "), 1);
        fake_end(&t);
}

static void a_file_is_sent_as_it_is(void **state)
{
        char path[] = "/tmp/eb-blob-XXXXXX";
        struct fake_test t;
        struct oci_desc d;
        struct reg_bytes b = { .path = path };
        sv bytes;
        int fd = mkstemp(path);

        (void)state;
        fake_begin(&t, NULL);
        bytes = bytes_of(&t.a, 70000);
        assert_int_equal(write(fd, bytes.p, bytes.n), 70000);
        d = desc_of(bytes);
        fake_fault(&(struct fake_fault){ .match = "PUT ", .times = 1, .cut = 5000 });
        assert_int_equal(reg_blob_ensure(t.c, &t.repo, &d, &b, NULL, 0, (sv){ 0 }, NULL, NULL, &t.e), 0);
        assert_true(fake_blob_has(&t.repo, bytes));
        assert_int_equal(ftruncate(fd, 10), 0);
        d.digest.b[0] ^= 1;
        assert_int_equal(reg_blob_ensure(t.c, &t.repo, &d, &b, NULL, 0, (sv){ 0 }, NULL, NULL, &t.e), -ERR_INTEGRITY);
        says(&t, path);
        close(fd);
        unlink(path);
        fake_end(&t);
}

static void a_server_that_stores_something_else_is_told_so(void **state)
{
        struct fake_test t;

        (void)state;
        fake_begin(&t, NULL);
        fake_fault(&(struct fake_fault){
                .match = "PUT ",
                .status = 201,
                .header = "Docker-Content-Digest: "
                          "sha256:1111111111111111111111111111111111111111111111111111111111111111" });
        assert_int_equal(ensure(&t, SV("abc"), NULL, 0, NULL, NULL), -ERR_INTEGRITY);
        says(&t, "stored sha256:1111");
        fake_end(&t);
}

static void a_location_may_be_anywhere(void **state)
{
        struct fake_test t;
        sv b;

        (void)state;
        fake_begin(&t, &(struct fake_settings){ .location = "http://localhost:5000" });
        b = bytes_of(&t.a, 1000);
        assert_int_equal(ensure(&t, b, NULL, 0, NULL, NULL), 0);
        fake_end(&t);
}

static void a_session_must_be_named(void **state)
{
        struct fake_test t;

        (void)state;
        fake_begin(&t, NULL);
        fake_fault(&(struct fake_fault){ .match = "POST ", .status = 202 });
        assert_int_equal(ensure(&t, SV("abc"), NULL, 0, NULL, NULL), -ERR_NET);
        says(&t, "no Location");
        fake_end(&t);
}

/* --- pieces */

static void pieces_where_the_server_wants_them(void **state)
{
        struct fake_test t;
        uint64_t sent = 0;
        sv b;

        (void)state;
        fake_begin(&t, &(struct fake_settings){ .max_body = 3 << 20 });
        b = bytes_of(&t.a, (10 << 20) + 5);
        assert_int_equal(ensure(&t, b, NULL, 0, NULL, &sent), 0);
        assert_true(fake_blob_has(&t.repo, b));
        assert_true(fake_count("PATCH ") > 2);
        fake_end(&t);
        /* Nothing is small enough for it. */
        fake_begin(&t, &(struct fake_settings){ .max_body = 100 });
        b = bytes_of(&t.a, 5 << 20);
        assert_int_equal(ensure(&t, b, NULL, 0, NULL, NULL), -ERR_NET);
        says(&t, "413");
        fake_end(&t);
}

static void pieces_where_the_user_wants_them(void **state)
{
        static const struct {
                const char *text;
                unsigned patches; /* of 100001 bytes */
        } rows[] = { { "50000", 2 }, { "100000", 1 }, { "100001", 0 }, { "64K", 1 }, { "1M", 0 } };

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                struct fake_test t;
                sv b;

                setenv("ENVBUILD_PUSH_CHUNK", rows[i].text, 1);
                fake_begin(&t, NULL);
                b = bytes_of(&t.a, 100001);
                assert_int_equal(ensure(&t, b, NULL, 0, NULL, NULL), 0);
                assert_int_equal(fake_count("PATCH "), rows[i].patches);
                assert_true(fake_blob_has(&t.repo, b));
                fake_end(&t);
        }
        unsetenv("ENVBUILD_PUSH_CHUNK");
}

static void a_size_that_is_none_is_said(void **state)
{
        static const char *const rows[] = { "x", "0", "-1", "1T", "M", "99999999999999999999G" };

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                struct fake_test t;

                setenv("ENVBUILD_PUSH_CHUNK", rows[i], 1);
                fake_begin(&t, NULL);
                assert_int_equal(ensure(&t, SV("abc"), NULL, 0, NULL, NULL), -ERR_USAGE);
                says(&t, "ENVBUILD_PUSH_CHUNK");
                fake_end(&t);
        }
        unsetenv("ENVBUILD_PUSH_CHUNK");
}

static void a_least_size_of_pieces_is_kept(void **state)
{
        struct fake_test t;
        sv b;

        (void)state;
        setenv("ENVBUILD_PUSH_CHUNK", "1000", 1);
        fake_begin(&t, &(struct fake_settings){ .begin_header = "OCI-Chunk-Min-Length: 40000" });
        b = bytes_of(&t.a, 100001);
        assert_int_equal(ensure(&t, b, NULL, 0, NULL, NULL), 0);
        assert_int_equal(fake_count("PATCH "), 2); /* 40000, 40000, and the rest in the PUT */
        fake_end(&t);
        unsetenv("ENVBUILD_PUSH_CHUNK");
}

/* Where the break fell decides: a border that both sides know is gone on from, anything else begins anew. */
static void a_break_between_pieces_is_gone_on_from(void **state)
{
        static const struct {
                struct fake_fault fault;
                unsigned posts;
        } rows[] = {
                { { .match = "PATCH ", .skip = 1, .times = 1, .drop = true }, 1 }, /* it did not arrive */
                { { .match = "PATCH ", .skip = 1, .times = 1, .after = true },
                  2 }, /* its answer did not: the state is lost */
                { { .match = "PATCH ", .skip = 1, .times = 1, .cut = 7000 }, 2 },   /* the middle of one */
                { { .match = "PATCH ", .skip = 1, .times = 1, .status = 503 }, 1 }, /* not looked at */
                { { .match = "PATCH ", .skip = 0, .times = 1, .drop = true }, 2 },  /* the first: nothing to lose */
        };

        (void)state;
        setenv("ENVBUILD_PUSH_CHUNK", "20000", 1);
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                struct fake_test t;
                sv b;

                fake_begin(&t, NULL);
                b = bytes_of(&t.a, 100001);
                fake_fault(&rows[i].fault);
                assert_int_equal(ensure(&t, b, NULL, 0, NULL, NULL), 0);
                assert_true(fake_blob_has(&t.repo, b));
                assert_int_equal(fake_count("POST "), rows[i].posts);
                fake_end(&t);
        }
        unsetenv("ENVBUILD_PUSH_CHUNK");
}

/* --- reading */

struct sink {
        struct buf b;
        struct buf_writer w;
};

static int get(struct fake_test *t, sv bytes, struct sink *s)
{
        struct oci_desc d = desc_of(bytes);

        *s = (struct sink){ .b.max = 1 << 24 };
        err_done(&t->e);
        return reg_blob_get(t->c, &t->repo, &d, 1 << 24, buf_writer_init(&s->w, &s->b), (sv){ 0 }, &t->e);
}

static void a_blob_is_read_and_checked(void **state)
{
        struct fake_test t;
        struct sink s;
        sv b;

        (void)state;
        fake_begin(&t, NULL);
        b = bytes_of(&t.a, 50001);
        fake_blob_add(&t.repo, b);
        assert_int_equal(get(&t, b, &s), 0);
        assert_true(sv_eq(buf_sv(&s.b), b));
        buf_done(&s.b);
        assert_int_equal(get(&t, SV("nothing of it"), &s), -ERR_NOT_FOUND);
        buf_done(&s.b);
        fake_end(&t);
}

static void a_broken_read_goes_on(void **state)
{
        for (int ranges = 0; ranges < 2; ranges++) {
                struct fake_settings set = { .no_ranges = !ranges };
                struct fake_test t;
                struct sink s;
                sv b;

                (void)state;
                fake_begin(&t, &set);
                b = bytes_of(&t.a, 50001);
                fake_blob_add(&t.repo, b);
                fake_fault(&(struct fake_fault){ .match = "GET ", .times = 3, .cut = 9000 });
                assert_int_equal(get(&t, b, &s), 0);
                assert_true(sv_eq(buf_sv(&s.b), b));
                buf_done(&s.b);
                fake_end(&t);
        }
}

static void wrong_bytes_are_not_believed(void **state)
{
        struct fake_test t;
        struct sink s;
        struct oci_desc d;
        sv b, text;

        (void)state;
        fake_begin(&t, NULL);
        b = bytes_of(&t.a, 500);
        d = desc_of(b);
        fake_fault(&(struct fake_fault){ .match = "GET ", .status = 200, .body = "something else" });
        assert_int_equal(get(&t, SV("something Else"), &s), -ERR_INTEGRITY);
        says(&t, "is sha256:");
        buf_done(&s.b);
        assert_int_equal(get(&t, SV("short"), &s), -ERR_INTEGRITY); /* more bytes than it has */
        says(&t, "more than its 5 bytes");
        buf_done(&s.b);
        err_done(&t.e);
        assert_int_equal(reg_blob_read(t.c, &t.repo, &d, 499, &t.a, &text, &t.e), -ERR_LIMIT);
        err_done(&t.e);
        d.size = 0; /* not known: the digest decides, and the ceiling */
        assert_int_equal(reg_blob_read(t.c, &t.repo, &d, 5, &t.a, &text, &t.e), -ERR_LIMIT);
        fake_end(&t);
}

static void a_small_one_is_read_twice_before_it_is_called_wrong(void **state)
{
        struct fake_test t;
        struct oci_desc d;
        sv text = { 0 };

        (void)state;
        fake_begin(&t, NULL);
        fake_blob_add(&t.repo, SV("{}"));
        d = desc_of(SV("{}"));
        fake_fault(&(struct fake_fault){ .match = "GET ", .times = 1, .status = 200, .body = "{ " });
        assert_int_equal(reg_blob_read(t.c, &t.repo, &d, 500, &t.a, &text, &t.e), 0);
        assert_true(sv_is(text, "{}"));
        fake_fault(&(struct fake_fault){ .match = "GET ", .status = 200, .body = "{ " });
        assert_int_equal(reg_blob_read(t.c, &t.repo, &d, 500, &t.a, &text, &t.e), -ERR_INTEGRITY);
        assert_int_equal(fake_count("GET "), 4);
        fake_end(&t);
}

static void a_place_that_gives_much_is_asked_again(void **state)
{
        struct fake_test t;
        struct sink s;
        sv b;

        (void)state;
        fake_begin(&t, NULL); /* every answer ends after 2 MiB: more of them than net tries */
        b = bytes_of(&t.a, 15 << 20);
        fake_blob_add(&t.repo, b);
        fake_fault(&(struct fake_fault){ .match = "GET ", .cut = 2 << 20 });
        assert_int_equal(get(&t, b, &s), 0);
        assert_true(sv_eq(buf_sv(&s.b), b));
        buf_done(&s.b);
        fake_end(&t);
        fake_begin(&t, NULL); /* it gives nothing: there is an end to it */
        fake_blob_add(&t.repo, SV("abc"));
        fake_fault(&(struct fake_fault){ .match = "GET ", .cut = 0 });
        assert_int_equal(get(&t, SV("abc"), &s), -ERR_NET);
        buf_done(&s.b);
        fake_end(&t);
}

/* The mirror breaks off for good: the registry goes on where it stopped. What the mirror sent is checked like all of it. */
static void another_place_goes_on(void **state)
{
        static const char conf[] =
                "[[registry]]\nprefix = \"localhost:5000/team\"\nlocation = \"localhost:5000/team\"\n"
                "[[registry.mirror]]\nlocation = \"localhost:5001/mirror\"\n";
        char path[] = "/tmp/eb-conf-XXXXXX";
        int fd = mkstemp(path);
        const struct reg_repo mirror = { SV("localhost:5001"), SV("mirror/x") };
        struct fake_settings set = { .registries_conf = path };
        struct fake_test t;
        struct sink s;
        sv b;

        (void)state;
        assert_int_equal(write(fd, conf, sizeof(conf) - 1), (ssize_t)sizeof(conf) - 1);
        close(fd);
        fake_begin(&t, &set);
        b = bytes_of(&t.a, 50001);
        fake_blob_add(&mirror, b);
        fake_blob_add(&t.repo, b);
        fake_fault(&(struct fake_fault){ .match = "GET /v2/mirror/x", .cut = 3000 });
        assert_int_equal(get(&t, b, &s), 0);
        assert_true(sv_eq(buf_sv(&s.b), b));
        assert_int_equal(fake_count("GET /v2/mirror/x"), 5);
        assert_int_equal(fake_count("GET /v2/team/x"), 1);
        assert_int_equal(fake_count(" range 15000-"), 1);
        buf_done(&s.b);
        fake_end(&t);
        fake_begin(&t, &set); /* it has nothing: the registry is asked */
        fake_blob_add(&t.repo, b = bytes_of(&t.a, 100));
        assert_int_equal(get(&t, b, &s), 0);
        buf_done(&s.b);
        fake_end(&t);
        fake_begin(&t, &set); /* it lies: that is the end of it, nothing is asked of others in silence */
        fake_blob_add(&t.repo, b = bytes_of(&t.a, 100));
        fake_fault(&(struct fake_fault){ .match = "GET /v2/mirror/x", .status = 200, .body = "lies" });
        assert_int_equal(get(&t, SV("lime"), &s), -ERR_INTEGRITY);
        buf_done(&s.b);
        fake_end(&t);
        unlink(path);
}

static void a_size_need_not_be_known(void **state)
{
        struct fake_test t;
        struct oci_desc d;
        sv b, text = { 0 };

        (void)state;
        fake_begin(&t, NULL);
        b = bytes_of(&t.a, 500);
        fake_blob_add(&t.repo, b);
        d = desc_of(b);
        d.size = 0;
        assert_int_equal(reg_blob_read(t.c, &t.repo, &d, 500, &t.a, &text, &t.e), 0);
        assert_true(sv_eq(text, b));
        fake_end(&t);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(what_is_there_is_not_sent),
                cmocka_unit_test(a_blob_goes_in_one_put),
                cmocka_unit_test(another_repository_lends_it),
                cmocka_unit_test(a_refused_mount_opens_the_upload),
                cmocka_unit_test(a_lost_answer_to_a_mount_is_looked_into),
                cmocka_unit_test(what_is_nowhere_is_said),
                cmocka_unit_test(a_broken_upload_begins_anew),
                cmocka_unit_test(a_lost_answer_is_looked_into),
                cmocka_unit_test(servers_that_stumble_are_asked_again),
                cmocka_unit_test(there_is_an_end_to_it),
                cmocka_unit_test(a_no_is_a_no),
                cmocka_unit_test(wrong_bytes_are_not_stored),
                cmocka_unit_test(a_file_is_sent_as_it_is),
                cmocka_unit_test(a_server_that_stores_something_else_is_told_so),
                cmocka_unit_test(a_location_may_be_anywhere),
                cmocka_unit_test(a_session_must_be_named),
                cmocka_unit_test(pieces_where_the_server_wants_them),
                cmocka_unit_test(pieces_where_the_user_wants_them),
                cmocka_unit_test(a_size_that_is_none_is_said),
                cmocka_unit_test(a_least_size_of_pieces_is_kept),
                cmocka_unit_test(a_break_between_pieces_is_gone_on_from),
                cmocka_unit_test(a_blob_is_read_and_checked),
                cmocka_unit_test(a_broken_read_goes_on),
                cmocka_unit_test(wrong_bytes_are_not_believed),
                cmocka_unit_test(a_small_one_is_read_twice_before_it_is_called_wrong),
                cmocka_unit_test(a_place_that_gives_much_is_asked_again),
                cmocka_unit_test(another_place_goes_on),
                cmocka_unit_test(a_size_need_not_be_known),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
