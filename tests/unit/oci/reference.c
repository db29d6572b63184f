#include <stdio.h>

#include "base/attr.h"
#include "base/cleanup.h"
#include "oci/reference.h"
#include "tests/unit/unit.h"

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const struct {
        const char *text;
        bool local;
        const char *want; /* registry|repository|tag, or NULL: refused */
} rows[] = {
        { "python", false, "docker.io|library/python|" },
        { "python:3.11", false, "docker.io|library/python|3.11" },
        { "team/train", false, "docker.io|team/train|" },
        { "docker.io/python", false, "docker.io|library/python|" },
        { "index.docker.io/python:3", false, "docker.io|library/python|3" },
        { "localhost/x", false, "localhost|x|" },
        { "localhost:5000/a/b:v1", false, "localhost:5000|a/b|v1" },
        { "localhost:5000/a/b", false, "localhost:5000|a/b|" },
        { "ghcr.io/o/r@sha256:" HEX, false, "ghcr.io|o/r|" },
        { "ghcr.io/o/r:t@sha256:" HEX, false, "ghcr.io|o/r|t" },
        { "Host/x", false, "Host|x|" },
        { "[::1]:5000/x:t", false, "[::1]:5000|x|t" },
        { "a__b/c--d.e_f", false, "docker.io|a__b/c--d.e_f|" },
        { "train:v1", true, "|train|v1" },
        { "train", true, "|train|" },
        { "team/train:v1", true, "|team/train|v1" },
        { "reg.example/train:v1", true, "reg.example|train|v1" },
        { "", false, NULL },
        { "Train", false, NULL },
        { "a___b", false, NULL },
        { "a..b", false, NULL },
        { "a.-b", false, NULL },
        { "-a", false, NULL },
        { "a-", false, NULL },
        { "a//b", false, NULL },
        { "a/", false, NULL },
        { "/a", false, NULL },
        { "host.x/", false, NULL },
        { "host.x:0/a", false, NULL },
        { "host.x:70000/a", false, NULL },
        { "host..x/a", false, NULL },
        { "a:", false, NULL },
        { "a:-t", false, NULL },
        { "a@sha256:12", false, NULL },
        { "a@md5:d41d8cd98f00b204e9800998ecf8427e", false, NULL },
        { "a@", false, NULL },
        { HEX, false, NULL },
        { HEX, true, NULL },
        { "docker://python", false, NULL },
        { "https://ghcr.io/x", false, NULL },
        { "a b", false, NULL },
        { "a\nb", false, NULL },
};

static void reference_rows(void **state)
{
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                AUTO(arena_done) struct arena a = { 0 };
                struct reference r;
                const char *why = NULL, *got = NULL;

                if (reference_parse(&a, sv_from(rows[i].text), rows[i].local, &r, &why))
                        got = arena_fmt(&a, "%.*s|%.*s|%.*s", SV_ARG(r.registry), SV_ARG(r.repository), SV_ARG(r.tag))
                                      .p;
                if (!got != !rows[i].want || (got && !sv_is(sv_from(got), rows[i].want)) || (!got && !why))
                        bad++, print_error("'%s': %s\n", rows[i].text,
                                           got   ? got
                                           : why ? why
                                                 : "refused without a reason");
        }
        assert_int_equal(bad, 0);
}

static void a_digest_is_kept(void **state)
{
        AUTO(arena_done) struct arena a = { 0 };
        struct reference r;
        const char *why;

        (void)state;
        assert_true(reference_parse(&a, SV("h.x/a@sha256:" HEX), false, &r, &why));
        assert_true(r.has_digest && r.digest.b[1] == 0x23);
        assert_true(reference_parse(&a, SV("h.x/a"), false, &r, &why));
        assert_false(r.has_digest);
}

static void long_names_and_tags_are_refused(void **state)
{
        AUTO(arena_done) struct arena a = { 0 };
        struct reference r;
        const char *why;
        char text[400];

        (void)state;
        snprintf(text, sizeof(text), "h.x/%0251d", 0);
        assert_true(reference_parse(&a, sv_from(text), false, &r, &why));
        snprintf(text, sizeof(text), "h.x/%0252d", 0);
        assert_false(reference_parse(&a, sv_from(text), false, &r, &why));
        snprintf(text, sizeof(text), "h.x/a:%0128d", 0);
        assert_true(reference_parse(&a, sv_from(text), false, &r, &why));
        snprintf(text, sizeof(text), "h.x/a:%0129d", 0);
        assert_false(reference_parse(&a, sv_from(text), false, &r, &why));
}

static void local_names_leave_latest_out(void **state)
{
        static const struct {
                const char *text, *name;
        } v[] = { { "train", "train" },
                  { "train:latest", "train" },
                  { "train:v1", "train:v1" },
                  { "h.x:5000/t/train:v1", "h.x:5000/t/train:v1" } };

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(v); i++) {
                AUTO(arena_done) struct arena a = { 0 };
                struct reference r;
                const char *why;
                assert_true(reference_parse(&a, sv_from(v[i].text), true, &r, &why));
                assert_true(sv_is(reference_local_name(&a, &r), v[i].name));
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(reference_rows),
                cmocka_unit_test(a_digest_is_kept),
                cmocka_unit_test(long_names_and_tags_are_refused),
                cmocka_unit_test(local_names_leave_latest_out),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
