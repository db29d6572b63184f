#include "version/debian.h"

#include "base/attr.h"
#include "tests/unit/unit.h"

/* What `dpkg --compare-versions` (1.21.22) answers. */
static const struct {
        const char *a, *b;
        int order;
} cmp_rows[] = {
        { "1.0", "1.0-1", -1 },
        { "1.0", "0:1.0", 0 },
        { "1.0", "1.0~rc1", 1 },
        { "1.0-1", "1.0-0", 1 },
        { "1.0-1", "1.00", 1 },
        { "1.0-1", "1.00", 1 },
        { "1.0-0", "1.0~rc1", 1 },
        { "1.0-0", "1.0a", -1 },
        { "1.0-0", "1.0-1+deb12u1", -1 },
        { "1.0~rc1", "1.0~~", 1 },
        { "1.0~rc1", "1.0.1", -1 },
        { "1.0~rc1", "1.2.3-1", -1 },
        { "1.0~~", "1.0+b1", -1 },
        { "1.0~~", "2.7.2-linux-1", -1 },
        { "1.0~~", "3.13.5-2+deb13u1", -1 },
        { "1.0+b1", "1:0.5", -1 },
        { "1.0+b1", "1.0-1~deb12u1", 1 },
        { "1.0+b1", "00000000000000000000000000000001", 1 },
        { "1:0.5", "0:1.0", 1 },
        { "1:0.5", "1.0-1+deb12u1", 1 },
        { "1:0.5", "1.0-1", 1 },
        { "0:1.0", "1.00", 0 },
        { "0:1.0", "1.0-1+b2", -1 },
        { "0:1.0", "1:0.5", -1 },
        { "1.00", "1.0a", -1 },
        { "1.00", "9", -1 },
        { "1.00", "2.7.2-linux-1", -1 },
        { "1.0a", "1.0.1", -1 },
        { "1.0a", "10", -1 },
        { "1.0a", "10", -1 },
        { "1.0.1", "2.7.2-linux-1", -1 },
        { "1.0.1", "1.2.3~beta2-1", -1 },
        { "1.0.1", "20230311", -1 },
        { "2.7.2-linux-1", "1.0-1~deb12u1", 1 },
        { "2.7.2-linux-1", "1.2.3-1", 1 },
        { "2.7.2-linux-1", "1.", 1 },
        { "1.0-1~deb12u1", "1.0-1+deb12u1", -1 },
        { "1.0-1~deb12u1", "0", 1 },
        { "1.0-1~deb12u1", "1.0+z", -1 },
        { "1.0-1+deb12u1", "1.0-1+b2", 1 },
        { "1.0-1+deb12u1", "20240203+dfsg-1", -1 },
        { "1.0-1+deb12u1", "1.0~~", 1 },
        { "1.0-1+b2", "9", -1 },
        { "1.0-1+b2", "20230311", -1 },
        { "1.0-1+b2", "1.0a", -1 },
        { "9", "10", -1 },
        { "9", "3.13.5-2", 1 },
        { "9", "1.0-1+b2", 1 },
        { "10", "1.2.3~beta2-1", 1 },
        { "10", "3.13.5-2+deb13u1", 1 },
        { "10", "0", 1 },
        { "1.2.3~beta2-1", "1.2.3-1", -1 },
        { "1.2.3~beta2-1", "6.4+20221128+git-1", -1 },
        { "1.2.3~beta2-1", "6.4+20221128+git-1", -1 },
        { "1.2.3-1", "0", 1 },
        { "1.2.3-1", "1a", 1 },
        { "1.2.3-1", "99999999999999999999999999999999", -1 },
        { "0", "20240203+dfsg-1", -1 },
        { "0", "1.", -1 },
        { "0", "1.0-0", -1 },
        { "20240203+dfsg-1", "20230311", 1 },
        { "20240203+dfsg-1", "1.0-~", 1 },
        { "20240203+dfsg-1", "0:1.0", 1 },
        { "20230311", "3.13.5-2", 1 },
        { "20230311", "00000000000000000000000000000001", 1 },
        { "20230311", "1.0-1~deb12u1", 1 },
        { "3.13.5-2", "3.13.5-2+deb13u1", -1 },
        { "3.13.5-2", "99999999999999999999999999999999", -1 },
        { "3.13.5-2", "1.2.3~beta2-1", 1 },
        { "3.13.5-2+deb13u1", "6.4+20221128+git-1", -1 },
        { "3.13.5-2+deb13u1", "1.0.z", 1 },
        { "3.13.5-2+deb13u1", "3.13.5-2", 1 },
        { "6.4+20221128+git-1", "1a", 1 },
        { "6.4+20221128+git-1", "1.0+z", 1 },
        { "6.4+20221128+git-1", "1.0-~", 1 },
        { "1a", "1.", -1 },
        { "1a", "1.0", -1 },
        { "1a", "1.0", -1 },
        { "1.", "1.0-~", 1 },
        { "1.", "1.0-1", -1 },
        { "1.", "1.0+b1", -1 },
        { "1.0-~", "00000000000000000000000000000001", 1 },
        { "1.0-~", "1.0-0", -1 },
        { "1.0-~", "1.0.1", -1 },
        { "00000000000000000000000000000001", "99999999999999999999999999999999", -1 },
        { "00000000000000000000000000000001", "1.0~rc1", -1 },
        { "00000000000000000000000000000001", "9", -1 },
        { "99999999999999999999999999999999", "1.0.z", 1 },
        { "99999999999999999999999999999999", "1.0~~", 1 },
        { "99999999999999999999999999999999", "20240203+dfsg-1", 1 },
        { "1.0.z", "1.0+z", 1 },
        { "1.0.z", "1.0+b1", 1 },
        { "1.0.z", "1a", 1 },
        { "1.0+z", "1.0", 1 },
        { "1.0+z", "1:0.5", -1 },
        { "1.0+z", "1.0.z", -1 },
};

static int sign(int n)
{
        return (n > 0) - (n < 0);
}

static void versions_order_as_dpkg_says(void **state)
{
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(cmp_rows); i++) {
                sv a = sv_from(cmp_rows[i].a), b = sv_from(cmp_rows[i].b);
                if (sign(deb_version_cmp(a, b)) != cmp_rows[i].order ||
                    sign(deb_version_cmp(b, a)) != -cmp_rows[i].order)
                        bad++, print_error("row %zu: %s against %s\n", i, cmp_rows[i].a, cmp_rows[i].b);
        }
        assert_int_equal(bad, 0);
}

/* What `dpkg --validate-version` answers. */
static const struct {
        const char *text;
        bool valid;
} valid_rows[] = {
        { "1.0", true },    { "", false },     { "a1", false },          { "1:", false },           { "1:-1", false },
        { "x:1", false },   { "-1:1", false }, { "2147483647:1", true }, { "2147483648:1", false }, { "1.0-", false },
        { "1.0 1", false }, { "1_0", false },  { "1.0-1_2", false },     { "1-2-3", true },         { "1:2:3", true },
        { "0", true },      { "1.0~", true },  { "12:", false },
};

static void validity_is_dpkgs(void **state)
{
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(valid_rows); i++)
                if (deb_version_valid(sv_from(valid_rows[i].text)) != valid_rows[i].valid)
                        bad++, print_error("row %zu: '%s'\n", i, valid_rows[i].text);
        assert_int_equal(bad, 0);
}

static const struct {
        const char *version;
        enum deb_op op;
        const char *bound;
        bool match;
} match_rows[] = {
        { "1.0-1", DEB_ANY, "", true },    { "1.0-1", DEB_LT, "1.0-1", false }, { "1.0~rc1", DEB_LT, "1.0", true },
        { "1.0", DEB_LE, "1.0-0", true },  { "1.0-1", DEB_EQ, "1.0-01", true }, { "1.0-1", DEB_EQ, "1.0", false },
        { "1:0.1", DEB_GE, "99", true },   { "2", DEB_GE, "2", true },          { "2", DEB_GT, "2", false },
        { "2.0+b1", DEB_GT, "2.0", true },
};

static void relations_hold(void **state)
{
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(match_rows); i++)
                if (deb_version_match(sv_from(match_rows[i].version), match_rows[i].op, sv_from(match_rows[i].bound)) !=
                    match_rows[i].match)
                        bad++, print_error("row %zu\n", i);
        assert_int_equal(bad, 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(versions_order_as_dpkg_says),
                cmocka_unit_test(validity_is_dpkgs),
                cmocka_unit_test(relations_hold),
        };
        return cmocka_run_group_tests_name("debian versions", tests, NULL, NULL);
}
