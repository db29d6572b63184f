#include <string.h>

#include "base/cleanup.h"
#include "install/install.h"
#include "tests/unit/unit.h"

static void a_venv_is_three_links_and_a_file(void **state)
{
        static const struct {
                const char *path, *target;
                char type;
                uint32_t mode;
        } want[] = {
                { "srv", "", 'd', 0750 },
                { "srv/apps", "", 'd', 0755 },
                { "srv/apps/env/bin/python", "/usr/bin/python3.13", 'l', 0777 },
                { "srv/apps/env/bin/python3", "python", 'l', 0777 },
                { "srv/apps/env/bin/python3.13", "python", 'l', 0777 },
                { "srv/apps/env/pyvenv.cfg", "", 'f', 0644 },
        };
        struct entry parent[] = {
                { .path = SV("srv"), .type = ENTRY_DIR, .mode = 0750, .gid = 33, .mtime = ENTRY_MTIME_FLOOR },
                { .path = SV("srv/apps"), .type = ENTRY_DIR, .mode = 0755, .mtime = ENTRY_MTIME_FLOOR }
        };
        struct install_venv v = { .root = SV("srv/apps"),
                                  .prefix = SV("/apps/env"),
                                  .python = SV("/usr/bin/python3.13"),
                                  .python_version = SV("3.13.5"),
                                  .parent = parent,
                                  .n_parent = 2 };
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(entry_source_freep) struct entry_source *s = NULL;
        struct entry *entry, *en;
        struct content *content, c;
        struct err e = { 0 };
        size_t n;

        (void)state;
        install_venv(&a, &v, &entry, &content, &n);
        assert_int_equal(n, ARRAY_LEN(want));
        s = install_list(entry, content, n);
        for (int pass = 0; pass < 2; pass++) {
                for (size_t i = 0; i < n; i++) {
                        assert_int_equal(s->ops->next(s, &en, &c, &e), 1);
                        assert_ptr_equal(en, &entry[i]);
                        assert_true(sv_is(en->path, want[i].path) && sv_is(en->target, want[i].target));
                        assert_int_equal(en->type, want[i].type);
                        assert_int_equal(en->mode, want[i].mode);
                        assert_int_equal(en->mtime, ENTRY_MTIME_FLOOR);
                        assert_int_equal(c.kind, i + 1 == n ? CONTENT_BYTES : CONTENT_NONE);
                        assert_int_equal(c.n, en->size);
                }
                assert_true(sv_is((sv){ c.p, c.n },
                                  "home = /usr/bin\ninclude-system-site-packages = false\nversion = 3.13.5\n"));
                assert_int_equal(s->ops->next(s, &en, &c, &e), 0);
                assert_int_equal(s->ops->rewind(s, &e), 0);
        }
        assert_int_equal(entry[0].gid, 33);
}

int main(void)
{
        const struct CMUnitTest tests[] = { cmocka_unit_test(a_venv_is_three_links_and_a_file) };
        return cmocka_run_group_tests_name("venv", tests, NULL, NULL);
}
