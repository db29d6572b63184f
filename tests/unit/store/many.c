/* Many processes at once, and processes that are killed: the store stays valid, and what the survivors wrote is there. */
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "tests/unit/store/place.h"

#define WRITERS 6
#define ROUNDS  8
#define NAMES   4

/* One writer's step: an image, a name for it, a note, a claim and a lease. Half of what it writes, others write too. */
static int step(struct store *s, int writer, int i, struct err *e)
{
        AUTO(store_claim_drop) struct store_claim claim = { 0 };
        AUTO(store_lease_dropp) struct store_lease *lease = NULL;
        char content[64], name[64];
        struct oci_desc d;
        sha256 key;

        snprintf(content, sizeof(content), "layer %d of %d", i, i % 2 ? writer : -1);
        snprintf(name, sizeof(name), "image%d:v%d", i % 2 ? writer : 99, i % NAMES);
        key = sha256_of(sv_from(content));
        if (store_lease_take(s, &lease, e) < 0 || store_claim_take(s, &key, &claim, e) < 0 ||
            image_put(s, content, false, &d, e) < 0 || store_lease_add(lease, &d.digest, 1, e) < 0 ||
            store_note_put(s, STORE_FACT, &key, sv_from(content), e) < 0)
                return -(int)e->code;
        return store_ref_put(s, sv_from(name), &d, (sv){ 0 }, e);
}

/* Writes a byte after each step; n steps, or until it is killed when n < 0. */
static void writer(void **state, int number, int n, int tell)
{
        struct place *p = *state;
        struct store *s = NULL;
        struct err e = { 0 };

        if (store_open(p->path, true, NULL, &s, &e) < 0)
                _exit(1);
        for (int i = 0; n < 0 || i < n; i++)
                if (step(s, number, i, &e) < 0 || write(tell, "", 1) != 1)
                        _exit(1);
        store_close(s);
        _exit(42);
}

/* Everything that is there is what its name says, and index.json tells of every name. */
static void check(void **state)
{
        AUTO(store_closep) struct store *s = place_open(state);
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(free_ptr) char *text = NULL;
        struct store_damage *damage = NULL;
        struct store_ref *ref = NULL;
        struct oci_index x;
        struct err e = { 0 };
        size_t n_damage = 0, n_ref = 0;
        uint64_t checked = 0;

        assert_int_equal(store_verify(s, NULL, &a, &damage, &n_damage, &checked, &e), 0);
        assert_int_equal(n_damage, 0);
        assert_int_equal(store_ref_list(s, &a, &ref, &n_ref, &e), 0);
        text = index_text(s);
        assert_int_equal(oci_index_parse(&a, sv_from(text), "index.json", &x, &e), 0);
        assert_int_equal(x.n, n_ref);
        for (size_t i = 0; i < n_ref; i++) {
                assert_true(sv_eq(oci_desc_annotation(&x.v[i], OCI_REF_NAME), ref[i].name));
                assert_true(sha256_eq(&x.v[i].digest, &ref[i].desc.digest));
                assert_true(store_has(s, STORE_BLOB, &x.v[i].digest, NULL));
        }
}

static void writers_do_not_lose_each_others_names(void **state)
{
        AUTO(store_closep) struct store *s = place_open(state);
        AUTO(free_ptr) char *text = NULL;
        pid_t pid[WRITERS];
        int tell[2], status = 0;

        assert_int_equal(pipe2(tell, 0), 0);
        for (int i = 0; i < WRITERS; i++)
                if ((pid[i] = fork()) == 0)
                        writer(state, i, 2 * NAMES, tell[1]);
        for (int i = 0; i < WRITERS; i++) {
                assert_int_equal(waitpid(pid[i], &status, 0), pid[i]);
                assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 42);
        }
        close(tell[0]);
        close(tell[1]);
        text = index_text(s); /* before anybody opens the store again: the last of them left it right */
        for (int i = 0; i < WRITERS; i++)
                for (int k = 1; k < NAMES; k += 2) {
                        char name[64];
                        snprintf(name, sizeof(name), "\"image%d:v%d\"", i, k);
                        assert_non_null(strstr(text, name));
                }
        assert_non_null(strstr(text, "\"image99:v0\""));
        assert_int_equal(files_in(s, "tmp") + files_in(s, "claims") + files_in(s, "leases"), 0);
        check(state);
}

static void a_kill_leaves_a_valid_store(void **state)
{
        for (int round = 0; round < ROUNDS; round++) {
                pid_t victim, survivor;
                int victims[2], survivors[2], status = 0;
                char byte;

                assert_int_equal(pipe2(victims, 0), 0);
                assert_int_equal(pipe2(survivors, 0), 0);
                if ((victim = fork()) == 0)
                        writer(state, round % 3, -1, victims[1]);
                if ((survivor = fork()) == 0)
                        writer(state, 50, 6, survivors[1]);
                close(victims[1]);
                close(survivors[1]);
                for (int i = 0; i <= round % 4; i++) /* it is somewhere in its next step when the byte arrives */
                        assert_int_equal(read(victims[0], &byte, 1), 1);
                for (volatile int spin = 0; spin < round * 20000; spin++) /* and each round a little further into it */
                        ;
                kill(victim, SIGKILL);
                assert_int_equal(waitpid(victim, &status, 0), victim);
                assert_true(WIFSIGNALED(status));
                assert_int_equal(waitpid(survivor, &status, 0), survivor);
                assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 42);
                close(victims[0]);
                close(survivors[0]);
                check(state);
        }
}

#define row(f) cmocka_unit_test_setup_teardown(f, place_setup, place_teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
                row(writers_do_not_lose_each_others_names),
                row(a_kill_leaves_a_valid_store),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
