/* What is kept of a repository, and why. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/attr.h"
#include "image/repository.h"

static sha256 d(unsigned char n)
{
        sha256 x = { 0 };

        x.b[0] = n;
        return x;
}

/* image 1 is locked by its manifest, 2 by its config (Docker's types), 3 by nothing; index 4 over 5 (tagged) and 6 (not); 7 and 8 hang on 1
 * and 3; 9 is nobody's; 10 and 11 are facts of keys 20 and 21; 12 hangs on an image that no tag shows. */
static void fill(struct repository *r, struct repository_item *v, sha256 *child)
{
        child[0] = d(5);
        child[1] = d(6);
        v[0] = (struct repository_item){ .digest = d(1), .kind = REPOSITORY_IMAGE, .created = 500 };
        v[1] = (struct repository_item){ .digest = d(2), .kind = REPOSITORY_IMAGE, .config = d(30), .created = 500 };
        v[2] = (struct repository_item){ .digest = d(3), .kind = REPOSITORY_IMAGE, .created = 500 };
        v[3] = (struct repository_item){ .digest = d(4), .kind = REPOSITORY_INDEX, .child = child, .n_child = 2 };
        v[4] = (struct repository_item){ .digest = d(5), .kind = REPOSITORY_IMAGE, .created = 500 };
        v[5] = (struct repository_item){ .digest = d(7), .kind = REPOSITORY_ATTACHED, .subject = d(1) };
        v[6] = (struct repository_item){ .digest = d(8), .kind = REPOSITORY_ATTACHED, .subject = d(3) };
        v[7] = (struct repository_item){ .digest = d(9), .kind = REPOSITORY_OTHER };
        v[8] = (struct repository_item){ .digest = d(10), .kind = REPOSITORY_FACT, .key = d(20) };
        v[9] = (struct repository_item){ .digest = d(11), .kind = REPOSITORY_FACT, .key = d(21) };
        v[10] = (struct repository_item){ .digest = d(12), .kind = REPOSITORY_ATTACHED, .subject = d(13) };
        *r = (struct repository){ .v = v, .n = 11 };
}

static void expect(const struct repository_item *v, size_t n, const char *kept)
{
        int bad = 0;

        for (size_t i = 0; i < n; i++)
                if (v[i].kept != (kept[i] == 'k') || v[i].kept != (v[i].why != NULL))
                        bad++, print_error("item %zu: kept %d, because '%s'\n", i, v[i].kept, v[i].why ? v[i].why : "");
        assert_int_equal(bad, 0);
}

static void locks_keep(void **state)
{
        sha256 image[] = { d(1), d(30) }, key[] = { d(20) }, child[2];
        struct repository_keep keep = { .image = image, .n_image = 2, .key = key, .n_key = 1 };
        struct repository_item v[11];
        struct repository r;

        (void)state;
        fill(&r, v, child);
        repository_judge(&r, &keep);
        expect(v, 11, "kk---k-kk-k");
}

static void an_index_keeps_what_is_below_it(void **state)
{
        sha256 image[] = { d(6) }, child[2];
        struct repository_keep keep = { .image = image, .n_image = 1 };
        struct repository_item v[11];
        struct repository r;

        (void)state;
        fill(&r, v, child);
        repository_judge(&r, &keep);
        expect(v, 11, "---kk--k--k");
        assert_string_equal(v[4].why, "below a kept index");
}

static void only_what_is_older_goes(void **state)
{
        struct repository_keep keep = { .before = 400 };
        struct repository_item v[11];
        struct repository r;
        sha256 child[2];

        (void)state;
        fill(&r, v, child);
        v[2].created = 300;
        repository_judge(&r, &keep);
        expect(v, 11, "kk-kkk-kkkk");
        assert_string_equal(v[0].why, "younger");
        assert_string_equal(v[3].why, "undated");
}

int main(void)
{
        const struct CMUnitTest tests[] = { cmocka_unit_test(locks_keep),
                                            cmocka_unit_test(an_index_keeps_what_is_below_it),
                                            cmocka_unit_test(only_what_is_older_goes) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
