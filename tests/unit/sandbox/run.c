/* Commands in images made of busybox, for real: as whoever runs the tests, and with "nobody" as argument, for root, as that user. */
#include <grp.h>
#include <pty.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/wait.h>

#include "tests/unit/sandbox/tar.h"

#define NOBODY 65534

static const char *const applets[] = { "sh",    "cat",   "ls",   "id", "env",   "echo", "sleep", "kill", "ip",
                                       "mount", "touch", "stat", "rm", "mkdir", "ps",   "grep",  "true", "readlink" };

struct image {
        struct place place;
        sha256 layer[2];
        int out; /* what the command writes to its stdout */
};

static int image_setup(void **state)
{
        struct buf tar = BUF_INIT(TAR_MAX), box = BUF_INIT(TAR_MAX), top = BUF_INIT(TAR_MAX);
        struct image *im;
        struct err e = { 0 };
        int r;

        if (place_setup(state) < 0 || fs_read("/bin/busybox", &box, &e) < 0)
                return -1;
        im = realloc(*state, sizeof(*im));
        *state = im;
        tar_add(&tar, "bin/busybox", '0', 0755, "", buf_sv(&box));
        for (size_t i = 0; i < ARRAY_LEN(applets); i++) {
                char name[32];
                snprintf(name, sizeof(name), "bin/%s", applets[i]);
                tar_add(&tar, name, '2', 0777, "busybox", (sv){ 0 });
        }
        tar_file(&tar, "etc/passwd", "root:x:0:0:root:/root:/bin/sh\nweb:x:33:34::/:/bin/sh\n");
        tar_file(&tar, "etc/data", "not a program");
        tar_add(&tar, "etc/resolv.conf", '2', 0777, "/nowhere/at/all", (sv){ 0 });
        tar_add(&tar, "bin/script", '0', 0755, "", SV("#!/bin/sh\necho script $1\n"));
        tar_add(&tar, "bin/lost", '0', 0755, "", SV("#!/no/such/interpreter\n"));
        tar_add(&tar, "tmp/", '5', 01777, "", (sv){ 0 });
        tar_file(&tar, "old/file", "x");
        tar_file(&tar, "opt/lower", "x");
        tar_file(&tar, "gone", "x");
        tar_add(&tar, "out", '2', 0777, "../../../../../../../../tmp", (sv){ 0 });
        tar_end(&tar);
        tar_file(&top, ".wh.gone", "");
        tar_file(&top, "opt/.wh..wh..opq", "");
        tar_file(&top, "opt/upper", "x");
        tar_end(&top);
        r = tar_unpack(im->place.store, buf_sv(&tar), &im->layer[0], &e) < 0 ||
            tar_unpack(im->place.store, buf_sv(&top), &im->layer[1], &e) < 0;
        if (r)
                print_error("%s\n", e.cause);
        buf_done(&tar);
        buf_done(&box);
        buf_done(&top);
        return -r;
}

/* Runs sh -c in the image with stdout and stderr in *out; the status. */
static int run(struct image *im, struct sandbox_run r, struct op *op, struct buf *out, struct err *e)
{
        static const char *const env[] = { "PATH=/bin", "SECRET=a b=c", NULL };
        AUTO(close_fd) int fd = open(im->place.path, O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);
        AUTO(free_ptr) char *name = fs_path("/proc/self/fd/%d", fd);
        int status = -1, old[2] = { dup(1), dup(2) };

        r.diff_id = im->layer;
        r.n_diff_id = 2;
        if (!r.env)
                r.env = env;
        fflush(NULL);
        dup2(fd, 1);
        dup2(fd, 2);
        sandbox_run(im->place.store, &r, op, &status, e);
        dup2(old[0], 1);
        dup2(old[1], 2);
        close(old[0]);
        close(old[1]);
        if (fs_read(name, out, &(struct err){ 0 }) < 0)
                fail_msg("no output");
        return status;
}

static void expect(struct image *im, const struct sandbox_run *r, int status, const char *text)
{
        AUTO(buf_done) struct buf out = BUF_INIT(1 << 20);
        AUTO(err_done) struct err e = { 0 };
        int got = run(im, *r, NULL, &out, &e);

        if (e.cause)
                fail_msg("%s (hint: %s)", e.cause, e.hint ? e.hint : "");
        if (text)
                assert_string_equal(out.p ? out.p : "", text);
        assert_int_equal(got, status);
}

#define SH(script) ((const char *const[]){ "sh", "-c", script, NULL })

static void the_image_is_what_a_command_sees(void **state)
{
        struct image *im = *state;

        expect(im, &(struct sandbox_run){ .argv = SH("ls -d /gone /opt/* 2>&1; cat /old/file") }, 0,
               "ls: /gone: No such file or directory\n/opt/upper\nx");
        expect(im, &(struct sandbox_run){ .argv = SH("id -u; id -g; pwd; echo $SECRET") }, 0, "0\n0\n/\na b=c\n");
        expect(im, &(struct sandbox_run){ .argv = (const char *const[]){ "env", NULL } }, 0,
               "PATH=/bin\nSECRET=a b=c\nPWD=/\n");
        expect(im, &(struct sandbox_run){ .argv = SH("pwd; ls -A; touch x && ls"), .workdir = "/new/place" }, 0,
               "/new/place\nx\n");
        expect(im,
               &(struct sandbox_run){
                       .argv = SH("stat -c %a /tmp; ls -A /tmp; ls /proc/1/comm /dev/null /dev/shm -d") },
               0, "1777\n/dev/null\n/dev/shm\n/proc/1/comm\n");
        expect(im, &(struct sandbox_run){ .argv = (const char *const[]){ "script", "arg", NULL } }, 0, "script arg\n");
}

static void what_is_bound_read_only_stays_as_it_is(void **state)
{
        struct image *im = *state;
        AUTO(free_ptr) char *dir = fs_path("%s/input", im->place.path), *file = fs_path("%s/x", dir);
        AUTO(err_done) struct err e = { 0 };
        const char *const ro[] = { dir, "/mnt/inputs/data", NULL };

        assert_int_equal(fs_mkdirs(dir, 0777, &e), 0);
        assert_int_equal(fs_write(file, SV("data\n"), 0666, &e), 0);
        expect(im,
               &(struct sandbox_run){ .argv = SH("cat /mnt/inputs/data/x; (echo y > /mnt/inputs/data/x) 2>/dev/null || "
                                                 "echo no; touch /mnt/inputs/data/y 2>/dev/null || echo no"),
                                      .bind_ro = ro },
               0, "data\nno\nno\n");
}

static void shared_memory_is_as_large_as_said(void **state)
{
        struct image *im = *state;

        expect(im,
               &(struct sandbox_run){ .argv = SH("stat -f -c '%b %s' /dev/shm; stat -c %a /dev/shm"),
                                      .shm_size = 8 << 20 },
               0, "2048 4096\n1777\n");
}

static void the_user_has_a_name(void **state)
{
        struct image *im = *state;

        expect(im, &(struct sandbox_run){ .argv = SH("id -un; id -u"), .user = "4711", .passwd = true }, 0,
               "envbuild\n4711\n");
        expect(im, &(struct sandbox_run){ .argv = SH("id -un"), .user = "33", .passwd = true }, 0, "web\n");
}

static void what_the_user_shall_own_is_his(void **state)
{
        struct image *im = *state;
        AUTO(free_ptr) char *dir = fs_path("%s/mine", im->place.path), *file = fs_path("%s/a/b", dir),
                            *sub = fs_path("%s/a", dir), *out = fs_path("%s/a/out", dir);
        AUTO(err_done) struct err e = { 0 };
        const char *const bind[] = { dir, "/mnt/run", NULL }, *const own[] = { "/mnt/run", NULL };

        assert_int_equal(fs_mkdirs(sub, 0755, &e), 0);
        assert_int_equal(fs_write(file, SV("data\n"), 0600, &e), 0);
        assert_true(symlink("/etc/passwd", out) == 0);
        expect(im,
               &(struct sandbox_run){
                       .argv = SH("cat /mnt/run/a/b; echo more >> /mnt/run/a/b; touch /mnt/run/c; id -u"),
                       .user = "33",
                       .bind = bind,
                       .own = own },
               0, "data\n33\n");
}

static void merged_layers_are_the_same_image(void **state)
{
        struct image *im = *state;
        AUTO(err_done) struct err e = { 0 };
        sha256 key;

        assert_false(sandbox_merged(im->place.store, im->layer, 2, &key));
        assert_int_equal(sandbox_merge(im->place.store, im->layer, 2, NULL, &e), 0);
        assert_true(sandbox_merged(im->place.store, im->layer, 2, &key));
        the_image_is_what_a_command_sees(state);
        expect(im,
               &(struct sandbox_run){ .argv = SH("rm /old/file /opt/upper; echo new > /etc/data; ls -A /opt /old") }, 0,
               "/old:\n\n/opt:\n");
        the_image_is_what_a_command_sees(state);
        assert_int_equal(sandbox_merge(im->place.store, im->layer, 2, NULL, &e), 0); /* again */
}

static void the_host_is_not_seen_in_proc(void **state)
{
        struct image *im = *state;

        AUTO(close_fd) int left = dup(STDIN_FILENO); /* not close-on-exec */
        /* nor by way of those who stand outside */
        expect(im,
               &(struct sandbox_run){ .argv = SH("for p in /proc/[0-9]*; do [ $p = /proc/$$ ] || ! ls $p/root/ $p/cwd/ "
                                                 ">/dev/null 2>&1 || echo $p is open; done; "
                                                 "cat /proc/1/environ 2>/dev/null; echo end") },
               0, "end\n");
        /* nor by a descriptor that was left open; 3 is ls's own, and bubblewrap leaves it a pipe */
        assert_true(left > 2);
        expect(im,
               &(struct sandbox_run){ .argv = SH("ls -l /proc/self/fd 2>/dev/null | grep -e '->' | grep -v pipe: | "
                                                 "grep -vc ' [0123] ->'") },
               1, "0\n");
        expect(im,
               &(struct sandbox_run){
                       .argv = SH("n=0; for p in /proc/[0-9]*; do n=$((n+1)); done; echo $n; cat /proc/1/comm") },
               0, "3\nenvbuild\n");
        expect(im,
               &(struct sandbox_run){ .argv = SH("echo x 2>/dev/null > /proc/sys/kernel/domainname || echo no; touch "
                                                 "/sys/x 2>/dev/null || echo no") },
               0, "no\nno\n");
        expect(im,
               &(struct sandbox_run){ .argv = SH("for p in /proc/[0-9]*; do n=$((n+1)); done; echo $n"),
                                      .user = "1000" },
               0, "3\n");
}

static void what_it_writes_is_gone_afterwards(void **state)
{
        struct image *im = *state;

        expect(im,
               &(struct sandbox_run){ .argv = SH("echo y > /old/file && rm -r /opt && mkdir /opt && touch /opt/n && "
                                                 "cat /old/file; ls /opt") },
               0, "y\nn\n");
        expect(im, &(struct sandbox_run){ .argv = SH("cat /old/file; ls /opt") }, 0, "xupper\n");
}

static void statuses(void **state)
{
        static const struct {
                const char *argv[4];
                int status;
        } rows[] = {
                { { "sh", "-c", "exit 7" }, 7 },
                { { "sh", "-c", "kill -9 $$" }, 137 },
                { { "sh", "-c", "kill -15 $$" }, 143 },
                { { "/bin/true" }, 0 },
                { { "no-such-command" }, 127 },
                { { "/no/such/command" }, 127 },
                { { "" }, 127 },
                { { "/etc/data" }, 126 },
                { { "/etc" }, 126 },
                { { "lost" }, 127 },
        };
        struct image *im = *state;
        int bad = 0;

        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                AUTO(buf_done) struct buf out = BUF_INIT(1 << 20);
                AUTO(err_done) struct err e = { 0 };
                int got = run(im, (struct sandbox_run){ .argv = rows[i].argv }, NULL, &out, &e);
                if (got != rows[i].status || e.code)
                        bad++, print_error("row %zu: %d %s %s\n", i, got, e.cause ? e.cause : "", out.p ? out.p : "");
        }
        assert_int_equal(bad, 0);
}

static void users(void **state)
{
        struct image *im = *state;
        AUTO(buf_done) struct buf out = BUF_INIT(1 << 20);
        AUTO(err_done) struct err e = { 0 };

        expect(im, &(struct sandbox_run){ .argv = SH("id -u; id -g"), .user = "1000:1001" }, 0, "1000\n1001\n");
        expect(im, &(struct sandbox_run){ .argv = SH("id -u; id -g"), .user = "web" }, 0, "33\n34\n");
        expect(im,
               &(struct sandbox_run){ .argv = SH("grep -c 'CapEff:.*0000000000000000' /proc/self/status"),
                                      .user = "web" },
               0, "1\n");
        if (geteuid() == 0) /* all ids are there: other people's files stay theirs */
                expect(im,
                       &(struct sandbox_run){ .argv = SH("stat -c %u /etc/data; touch /etc/x 2>/dev/null || echo no; "
                                                         "touch /tmp/x && stat -c %u /tmp/x"),
                                              .user = "1000" },
                       0, "0\nno\n1000\n");
        assert_int_equal(run(im, (struct sandbox_run){ .argv = SH("id"), .user = "someone" }, NULL, &out, &e), -1);
        assert_int_equal(e.code, ERR_FAILED);
        assert_non_null(strstr(e.cause, "'someone'"));
}

static void binds_lead_outside_and_links_do_not(void **state)
{
        struct image *im = *state;
        AUTO(free_ptr) char *dir = fs_path("%s/host", im->place.path), *file = fs_path("%s/f", dir),
                            *made = fs_path("%s/made", dir);
        AUTO(buf_done) struct buf out = BUF_INIT(1 << 20);
        AUTO(err_done) struct err e = { 0 };
        struct stat st;

        assert_int_equal(mkdir(dir, 0755), 0);
        assert_int_equal(fs_write(file, SV("of the host\n"), 0755, &e), 0);
        expect(im,
               &(struct sandbox_run){ .argv = SH("cat /work/in/f /etc/one; echo x > /work/in/made"),
                                      .bind = (const char *const[]){ dir, "/work/in", file, "/etc/one", NULL } },
               0, "of the host\nof the host\n");
        assert_int_equal(stat(made, &st), 0);
        assert_int_equal(st.st_uid, geteuid());
        /* "out" leads to the host's /tmp if anybody lets it: inside, it is the image's own */
        expect(im,
               &(struct sandbox_run){ .argv = SH("ls /tmp/envbuild-mark; cat /tmp/envbuild-mark/f"),
                                      .bind = (const char *const[]){ dir, "/out/envbuild-mark", NULL } },
               0, "f\nmade\nof the host\n");
        assert_false(fs_exists("/tmp/envbuild-mark"));
        /* a command that is only in what is bound */
        assert_int_equal(fs_write(file, SV("#!/bin/sh\necho bound\n"), 0755, &e), 0);
        expect(im,
               &(struct sandbox_run){ .argv = (const char *const[]){ "./f", NULL },
                                      .workdir = "/src",
                                      .bind = (const char *const[]){ dir, "/src", NULL } },
               0, "bound\n");
        assert_int_equal(run(im,
                             (struct sandbox_run){ .argv = SH("true"),
                                                   .bind = (const char *const[]){ "/no/such/source", "/x", NULL } },
                             NULL, &out, &e),
                         -1);
        assert_int_equal(e.code, ERR_NOT_FOUND);
}

static void the_network_is_the_hosts_or_none(void **state)
{
        struct image *im = *state;

        expect(im, &(struct sandbox_run){ .argv = SH("ip -o link | grep -c .") }, 0, "1\n");
        expect(im,
               &(struct sandbox_run){ .argv = SH("readlink /proc/self/ns/net > /dev/null; grep -q . /etc/hosts && echo "
                                                 "hosts; touch /etc/hosts 2>/dev/null || echo read-only"),
                                      .network = true },
               0, fs_exists("/etc/hosts") ? "hosts\nread-only\n" : "");
}

static void nothing_is_left_behind(void **state)
{
        struct image *im = *state;
        AUTO(free_ptr) char *tmp = fs_path("%s/store/tmp", im->place.path);
        AUTO(free_ptr) char **names = NULL;
        AUTO(buf_done) struct buf before = BUF_INIT(1 << 20), after = BUF_INIT(1 << 20);
        struct err e = { 0 };
        size_t n = 0;

        assert_int_equal(fs_read("/proc/self/mountinfo", &before, &e), 0);
        /* what it leaves running ends with it, though it holds no descriptor of ours open */
        expect(im, &(struct sandbox_run){ .argv = SH("sleep 1000 >/dev/null 2>&1 & echo started") }, 0, "started\n");
        assert_int_equal(fs_read("/proc/self/mountinfo", &after, &e), 0);
        assert_string_equal(before.p, after.p);
        assert_int_equal(fs_list(tmp, &names, &n, &e), 0);
        assert_int_equal(n, 0);
        assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* nor a child of ours */
}

/* The command tells when it is ready; then we get the signal, as from kill(1). */
static void signals_reach_the_command(void **state)
{
        struct image *im = *state;
        int ready[2], status = 0;
        char byte;
        pid_t pid;

        assert_int_equal(pipe2(ready, 0), 0);
        pid = fork();
        if (pid == 0) {
                AUTO(err_done) struct err e = { 0 };
                static const char *const env[] = { "PATH=/bin", NULL };
                struct sandbox_run r = { .diff_id = im->layer, .n_diff_id = 2, .env = env };
                int code = -1;
                dup2(ready[1], 1);
                close(ready[0]);
                close(ready[1]);
                r.argv = SH(
                        "trap 'echo term; exit 9' TERM; trap 'echo int' INT; echo ready; while :; do sleep 0.01; done");
                sandbox_run(im->place.store, &r, NULL, &code, &e);
                _exit(code);
        }
        close(ready[1]);
        for (const char *want = "ready\nint\nterm\n"; *want; want++) {
                assert_int_equal(read(ready[0], &byte, 1), 1);
                assert_int_equal(byte, *want);
                if (*want == '\n')
                        kill(pid, want[1] == 'i' ? SIGINT : want[1] == 't' ? SIGTERM : 0);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 9);
        close(ready[0]);
}

/* Ctrl-C is sent by the terminal to the whole group: bubblewrap dies of it, the command does as it likes. */
static void ctrl_c_is_the_commands(void **state)
{
        struct image *im = *state;
        char text[256];
        int terminal, status = 0;
        size_t n = 0;
        ssize_t got;
        pid_t pid = forkpty(&terminal, NULL, NULL, NULL);

        if (pid == 0) {
                AUTO(err_done) struct err e = { 0 };
                static const char *const env[] = { "PATH=/bin", NULL };
                struct sandbox_run r = { .diff_id = im->layer, .n_diff_id = 2, .env = env };
                int code = -1;
                r.argv = SH("n=0; trap 'n=1' INT; echo ready; while [ $n = 0 ]; do sleep 0.01; done; cat /etc/data; "
                            "exit 5");
                sandbox_run(im->place.store, &r, NULL, &code, &e);
                _exit(code);
        }
        assert_true(pid > 0);
        while ((got = read(terminal, text + n, sizeof(text) - 1 - n)) >
               0) { /* until nobody has the terminal any more */
                n += (size_t)got;
                text[n] = '\0';
                if (strstr(text, "ready\r\n") && !strchr(text, '^'))
                        assert_int_equal(write(terminal, "\003", 1), 1);
        }
        assert_non_null(strstr(text, "not a program"));
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 5);
        close(terminal);
}

/* Killed without a chance to do anything: nothing of it lives on. The command holds the pipe open as long as it lives. */
static void a_kill_ends_all_of_it(void **state)
{
        struct image *im = *state;
        int life[2], status = 0;
        char text[8];
        pid_t pid;

        assert_int_equal(pipe2(life, 0), 0);
        pid = fork();
        if (pid == 0) {
                AUTO(err_done) struct err e = { 0 };
                static const char *const env[] = { "PATH=/bin", NULL };
                struct sandbox_run r = { .diff_id = im->layer, .n_diff_id = 2, .env = env };
                int code = -1;
                dup2(life[1], 1);
                close(life[0]);
                close(life[1]);
                r.argv = SH("trap '' TERM INT HUP; sleep 1000 & echo ready; sleep 1000");
                sandbox_run(im->place.store, &r, NULL, &code, &e);
                _exit(code);
        }
        close(life[1]);
        assert_int_equal(read(life[0], text, 6), 6);
        kill(pid, SIGKILL);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(read(life[0], text, sizeof(text)), 0); /* the end: nobody has it open any more */
        close(life[0]);
}

static void a_deadline_ends_it(void **state)
{
        struct image *im = *state;
        AUTO(buf_done) struct buf out = BUF_INIT(1 << 20);
        AUTO(err_done) struct err e = { 0 };
        struct op op = { .deadline_ms = 1, .jobs = 1 };

        run(im, (struct sandbox_run){ .argv = (const char *const[]){ "sleep", "1000", NULL } }, &op, &out, &e);
        assert_int_equal(e.code, ERR_FAILED);
        assert_string_equal(e.cause, "the time limit is over");
}

static void hundreds_of_layers(void **state)
{
        enum { N = 300 };
        struct image *im = *state;
        static const char *const env[] = { "PATH=/bin", NULL };
        struct sandbox_run r = { .env = env, .argv = SH("ls /many | grep -c .") };
        sha256 v[N];
        struct err e = { 0 };
        int status = -1;

        v[0] = im->layer[0];
        for (int i = 1; i < N; i++) {
                AUTO(buf_done) struct buf tar = BUF_INIT(TAR_MAX);
                char name[32];
                snprintf(name, sizeof(name), "many/%d", i);
                tar_file(&tar, name, "x");
                tar_end(&tar);
                assert_int_equal(tar_unpack(im->place.store, buf_sv(&tar), &v[i], &e), 0);
        }
        r.diff_id = v;
        r.n_diff_id = N;
        fflush(NULL);
        AUTO(close_fd) int null = open("/dev/null", O_WRONLY | O_CLOEXEC), old = dup(1);
        r.argv = SH("test $(ls /many | grep -c .) = 299");
        dup2(null, 1);
        sandbox_run(im->place.store, &r, NULL, &status, &e);
        dup2(old, 1);
        if (e.cause)
                fail_msg("%s", e.cause);
        assert_int_equal(status, 0);
}

static void without_bubblewrap_it_says_what_to_do(void **state)
{
        struct image *im = *state;
        AUTO(err_done) struct err e = { 0 };
        AUTO(free_ptr) char *path = strdup(getenv("PATH") ? getenv("PATH") : "");
        struct sandbox_run r = { .diff_id = im->layer, .n_diff_id = 2, .argv = SH("true") };
        int status = -1;

        setenv("PATH", "/nonexistent", 1);
        assert_int_equal(sandbox_run(im->place.store, &r, NULL, &status, &e), -ERR_FAILED);
        setenv("PATH", path, 1);
        assert_string_equal(e.hint, "apt install bubblewrap");
}

static void a_layer_that_is_not_unpacked_is_an_error(void **state)
{
        struct image *im = *state;
        AUTO(err_done) struct err e = { 0 };
        sha256 other = sha256_of(SV("other"));
        struct sandbox_run r = { .diff_id = &other, .n_diff_id = 1, .argv = SH("true") };
        int status = -1;

        assert_int_equal(sandbox_run(im->place.store, &r, NULL, &status, &e), -ERR_NOT_FOUND);
}

#define in_image(f) cmocka_unit_test_setup_teardown(f, image_setup, place_teardown)

int main(int argc, char **argv)
{
        const struct CMUnitTest tests[] = {
                in_image(the_image_is_what_a_command_sees),
                in_image(merged_layers_are_the_same_image),
                in_image(what_is_bound_read_only_stays_as_it_is),
                in_image(shared_memory_is_as_large_as_said),
                in_image(the_user_has_a_name),
                in_image(what_the_user_shall_own_is_his),
                in_image(the_host_is_not_seen_in_proc),
                in_image(what_it_writes_is_gone_afterwards),
                in_image(statuses),
                in_image(users),
                in_image(binds_lead_outside_and_links_do_not),
                in_image(the_network_is_the_hosts_or_none),
                in_image(nothing_is_left_behind),
                in_image(signals_reach_the_command),
                in_image(ctrl_c_is_the_commands),
                in_image(a_kill_ends_all_of_it),
                in_image(a_deadline_ends_it),
                in_image(hundreds_of_layers),
                in_image(without_bubblewrap_it_says_what_to_do),
                in_image(a_layer_that_is_not_unpacked_is_an_error),
        };

        if (argc > 1 && strcmp(argv[1], SANDBOX_CHILD) == 0)
                return sandbox_child_main(argc, argv);
        if (argc > 1 && strcmp(argv[1], "nobody") == 0 && geteuid() == 0 &&
            (setgroups(0, NULL) < 0 || setresgid(NOBODY, NOBODY, NOBODY) < 0 || setresuid(NOBODY, NOBODY, NOBODY) < 0))
                return 1;
        return cmocka_run_group_tests(tests, NULL, NULL);
}
