/* The table as the program gets it: from the module, which is not linked in here. argv[1]: the folder it was built in. */
#include <stdlib.h>

#include "base/cleanup.h"
#include "ext/archive.h"
#include "tests/unit/unit.h"

static const char *module_dir;

static void the_module_is_opened_when_needed(void **state)
{
        const struct archive_table *table = NULL;
        struct archive_opts o = { .flags = ARCHIVE_TAR };
        struct archive_reader *r = NULL;
        const struct archive_item *it;
        struct err e = { 0 };

        (void)state;
        setenv("ENVBUILD_LIBDIR", module_dir, 1);
        assert_int_equal(archive_load(&table, &e), 0);
        assert_int_equal(table->version, ARCHIVE_TABLE_VERSION);
        assert_int_equal(table->open(&o, &r, &e), 0);
        assert_int_equal(table->next(r, &it, &e), 0);
        table->close(r);
}

int main(int argc, char **argv)
{
        const struct CMUnitTest tests[] = { cmocka_unit_test(the_module_is_opened_when_needed) };

        module_dir = argc > 1 ? argv[1] : "";
        return cmocka_run_group_tests(tests, NULL, NULL);
}
