#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/pool.h"
#include "tests/unit/store/place.h"

static void one_of_two_gets_it(void **state)
{
        AUTO(store_closep) struct store *a = place_open(state), *b = place_open(state);
        AUTO(store_claim_drop) struct store_claim one = { 0 }, two = { 0 };
        struct err e = { 0 };
        sha256 key = sha256_of(SV("key")), other = sha256_of(SV("other"));

        assert_int_equal(store_claim_take(a, &key, &one, &e), 0);
        assert_int_equal(store_claim_take(b, &key, &two, &e), POOL_AGAIN);
        assert_int_equal(store_claim_take(a, &key, &two, &e), POOL_AGAIN); /* nor another thread of the same process */
        assert_int_equal(store_claim_take(b, &other, &two, &e), 0);
        store_claim_drop(&two);
        store_claim_drop(&one);
        assert_int_equal(files_in(a, "claims"), 0);
        assert_int_equal(store_claim_take(b, &key, &two, &e), 0);
        store_claim_drop(&two);
}

/* A dead one: what a killed process leaves is the file alone, so a file made by hand is one. */
static char *dead_claim(struct store *s, const sha256 *key)
{
        char *path = fs_path("%s/claims/%s", store_root(s), sha256_hex(key).s);
        struct err e = { 0 };

        assert_int_equal(fs_write(path, SV("elsewhere 1 2 3\n"), 0644, &e), 0);
        return path;
}

static void a_dead_one_is_taken_over_after_its_time(void **state)
{
        AUTO(store_closep) struct store *s = place_open(state);
        AUTO(store_claim_drop) struct store_claim c = { 0 };
        AUTO(free_ptr) char *path = NULL;
        sha256 key = sha256_of(SV("key"));
        struct timespec time[2] = { { 1000, 0 }, { 1000, 0 } };
        struct err e = { 0 };

        path = dead_claim(s, &key);
        assert_int_equal(store_claim_take(s, &key, &c, &e), POOL_AGAIN); /* 60 s are not over */
        s->times.claim_dead = 0;
        assert_int_equal(utimensat(AT_FDCWD, path, time, 0), 0);
        s->times.claim_dead = 3600000;
        assert_int_equal(store_claim_take(s, &key, &c, &e), POOL_AGAIN); /* its time changed, however old: it lives */
        s->times.claim_dead = 0;
        assert_int_equal(store_claim_take(s, &key, &c, &e), 0);
        assert_int_equal(files_in(s, "tmp"), 0);
        assert_int_equal(files_in(s, "claims"), 1);
}

/* A child that has ended: its number names nobody (it was reaped, and numbers do not come back so soon). */
static void one_whose_process_is_gone_is_not_waited_for(void **state)
{
        AUTO(store_closep) struct store *s = place_open(state);
        AUTO(store_claim_drop) struct store_claim c = { 0 };
        AUTO(free_ptr) char *path = NULL, *text = NULL, *alive = NULL;
        sha256 key = sha256_of(SV("key"));
        struct err e = { 0 };
        pid_t pid = fork();

        if (pid == 0)
                _exit(0);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
        path = dead_claim(s, &key);
        alive = fs_path("%s %ld 2 3\n", s->host, (long)getppid());
        assert_int_equal(fs_write(path, sv_from(alive), 0644, &e), 0);
        assert_int_equal(store_claim_take(s, &key, &c, &e), POOL_AGAIN);
        text = fs_path("%s %ld 2 3\n", s->host, (long)pid);
        assert_int_equal(fs_write(path, sv_from(text), 0644, &e), 0);
        assert_int_equal(store_claim_take(s, &key, &c, &e), 0);
}

static void who_lost_it_does_not_remove_the_heirs(void **state)
{
        AUTO(store_closep) struct store *s = place_open(state), *heir = place_open(state);
        AUTO(store_claim_drop) struct store_claim lost = { 0 }, ours = { 0 };
        struct err e = { 0 };
        sha256 key = sha256_of(SV("key"));

        assert_int_equal(store_claim_take(s, &key, &lost, &e), 0);
        heir->times.claim_dead = 0; /* as if the first had been stopped for a minute */
        assert_int_equal(store_claim_take(heir, &key, &ours, &e), 0);
        store_claim_drop(&lost);
        assert_int_equal(files_in(s, "claims"), 1);
        store_claim_drop(&ours);
        assert_int_equal(files_in(s, "claims"), 0);
}

/* Waits until the file's time is not `old`: the thread's work is the event. Bounded by the test's own time limit. */
static void wait_for_a_touch(const char *path, time_t old)
{
        struct stat st;

        do
                assert_int_equal(stat(path, &st), 0);
        while (st.st_mtim.tv_sec == old);
}

static void what_lives_is_touched(void **state)
{
        AUTO(store_closep) struct store *s = place_open(state);
        AUTO(store_claim_drop) struct store_claim c = { 0 };
        AUTO(store_lease_dropp) struct store_lease *lease = NULL;
        AUTO(free_ptr) char *folder = NULL, *path = NULL;
        AUTO(free_ptr) char **names = NULL;
        struct timespec time[2] = { { 1000, 0 }, { 1000, 0 } };
        struct err e = { 0 };
        sha256 key = sha256_of(SV("key"));
        size_t n = 0;

        s->times = (struct store_times){ .claim_touch = 1, .claim_dead = 60000, .lease_touch = 1 };
        assert_int_equal(store_claim_take(s, &key, &c, &e), 0);
        assert_int_equal(store_lease_take(s, &lease, &e), 0);
        assert_int_equal(utimensat(AT_FDCWD, c.path, time, 0), 0);
        wait_for_a_touch(c.path, 1000);
        folder = fs_path("%s/leases", store_root(s));
        assert_int_equal(fs_list(folder, &names, &n, &e), 0);
        assert_int_equal(n, 1);
        path = fs_path("%s/%s", folder, names[0]);
        assert_int_equal(utimensat(AT_FDCWD, path, time, 0), 0);
        wait_for_a_touch(path, 1000);
}

static void a_lease_names_what_is_used(void **state)
{
        AUTO(store_closep) struct store *s = place_open(state);
        AUTO(store_lease_dropp) struct store_lease *lease = NULL;
        AUTO(free_ptr) char *folder = fs_path("%s/leases", store_root(s)), *path = NULL, *want = NULL;
        AUTO(free_ptr) char **names = NULL;
        AUTO(buf_done) struct buf b = BUF_INIT(4096);
        sha256 d[2] = { sha256_of(SV("a")), sha256_of(SV("b")) };
        struct err e = { 0 };
        size_t n = 0;

        assert_int_equal(store_lease_take(s, &lease, &e), 0);
        assert_int_equal(store_lease_add(lease, d, 1, &e), 0);
        assert_int_equal(store_lease_add(lease, d + 1, 1, &e), 0);
        assert_int_equal(fs_list(folder, &names, &n, &e), 0);
        assert_int_equal(n, 1);
        path = fs_path("%s/%s", folder, names[0]);
        assert_int_equal(fs_read(path, &b, &e), 0);
        want = fs_path("%s\n%s\n", sha256_hex(&d[0]).s, sha256_hex(&d[1]).s);
        assert_string_equal(b.p, want);
        store_lease_drop(STEAL(lease));
        assert_int_equal(files_in(s, "leases"), 0);
}

#define row(f) cmocka_unit_test_setup_teardown(f, place_setup, place_teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
                row(one_of_two_gets_it),
                row(a_dead_one_is_taken_over_after_its_time),
                row(one_whose_process_is_gone_is_not_waited_for),
                row(who_lost_it_does_not_remove_the_heirs),
                row(what_lives_is_touched),
                row(a_lease_names_what_is_used),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
