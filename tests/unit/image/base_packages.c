#include "image/base_packages.h"

#include "base/cleanup.h"
#include "tests/unit/unit.h"

static void what_is_installed(void **state)
{
        static const char status[] =
                "Package: zlib1g\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1:1.3\n\n"
                "Package: gone\nStatus: deinstall ok config-files\nArchitecture: amd64\nVersion: 1\n\n"
                "Package: half\nStatus: install ok half-installed\nArchitecture: amd64\nVersion: 1\n\n"
                "Package: Bad Name\nStatus: install ok installed\nVersion: 1\n\n"
                "Package: no-version\nStatus: install ok installed\n\n"
                "Package: spaced\nStatus: install ok installed\nVersion: 1 2\n\n"
                "Package: held\nStatus: hold ok installed\nArchitecture: all\nVersion: 2-1\n";
        AUTO(arena_done) struct arena a = { 0 };
        struct sbom_deb *v;
        size_t n;

        (void)state;
        base_packages_read(&a, sv_from(status), &v, &n);
        assert_int_equal(n, 2);
        assert_true(sv_is(v[0].name, "held") && sv_is(v[0].version, "2-1") && sv_is(v[0].arch, "all"));
        assert_true(sv_is(v[1].name, "zlib1g") && sv_is(v[1].version, "1:1.3") && sv_is(v[1].arch, "amd64"));
        base_packages_read(&a, SV(""), &v, &n);
        assert_int_equal(n, 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = { cmocka_unit_test(what_is_installed) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
