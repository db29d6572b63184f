#include "catalog/conda_dists.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "tests/unit/unit.h"

static void gives(const char *paths, const char *want)
{
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(buf_done) struct buf b = BUF_INIT(4096);
        sv rest = sv_from(paths), one, *path = NULL, *dist;
        size_t n = 0, cap = 0, n_dist;

        while (sv_cut(&rest, '\n', &one))
                *arena_push(&a, path, n, cap) = one;
        conda_dists_of(path, n, &a, &dist, &n_dist);
        for (size_t i = 0; i < n_dist; i++)
                buf_fmt(&b, "%s%.*s", i ? ", " : "", SV_ARG(dist[i]));
        assert_string_equal(b.p ? b.p : "", want);
}

static void folders_in_site_packages_name_them(void **state)
{
        (void)state;
        gives("", "");
        gives("lib/python3.11/site-packages/numpy-1.26.4.dist-info/METADATA\n"
              "lib/python3.11/site-packages/numpy-1.26.4.dist-info/RECORD\n"
              "lib/python3.11/site-packages/numpy/__init__.py",
              "numpy 1.26.4");
        gives("site-packages/Foo_Bar-1.0.dist-info/METADATA", "foo-bar 1.0"); /* noarch python */
        gives("lib/python3.8/site-packages/old-2.0-py3.8.egg-info/PKG-INFO", "old 2.0");
        gives("site-packages/b-2.dist-info/RECORD\nsite-packages/a-1.dist-info/RECORD", "a 1, b 2");
        gives("site-packages/x-1-py3.8.egg-info", "x 1"); /* distutils' is a file */
        gives("site-packages/nameless.egg-info/PKG-INFO", "nameless");
}

static void other_folders_do_not(void **state)
{
        (void)state;
        gives("site-packages/setuptools/_vendor/wheel-0.43.dist-info/METADATA", ""); /* a copy of its own */
        gives("not-site-packages/x-1.dist-info/METADATA", "");
        gives("share/x-1.dist-info/METADATA", "");
        gives("site-packages/-1.dist-info/METADATA", "");
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(folders_in_site_packages_name_them),
                cmocka_unit_test(other_folders_do_not),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
