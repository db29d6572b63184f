/* sandbox/inside.c - pid 1 of the namespaces: stacks the layers, starts bubblewrap, hands signals to the command itself, reaps.
 *
 * bubblewrap gets no --unshare-pid and no --die-with-parent. It hands no signal on; Ctrl-C, which the terminal sends to it as well, would
 * kill it and with it the command, that may want to clean up. Without these, bubblewrap's child is the command: its pid is known, and when
 * bubblewrap is gone it becomes our child. The guarantee they give is given by us: we die with the helper, and with us the namespace. */
#include "sandbox/sandbox_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/close_range.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "ext/json.h"

#define FILE_MAX ((size_t)4 << 20)
#define ARGS_MAX ((size_t)64 << 20)
#define INFO_MAX ((size_t)4096)

/* What docker leaves to a container's root. Inside the user namespace it reaches no further than the sandbox. */
static const char *const caps[] = { "CAP_CHOWN",       "CAP_DAC_OVERRIDE",    "CAP_FSETID",     "CAP_FOWNER",
                                    "CAP_MKNOD",       "CAP_NET_RAW",         "CAP_SETGID",     "CAP_SETUID",
                                    "CAP_SETFCAP",     "CAP_SETPCAP",         "CAP_SYS_CHROOT", "CAP_KILL",
                                    "CAP_AUDIT_WRITE", "CAP_NET_BIND_SERVICE" };

struct inside {
        const struct sandbox_order *o;
        const struct sandbox_space *space;
        const sigset_t *mask; /* the command's */
        struct arena arena;
        struct sandbox_user user;
        int root;        /* the stacked layers */
        int *source;     /* O_PATH of each bind's source: opened before anything is covered */
        int args;        /* bubblewrap's arguments */
        unsigned pty;    /* the number of the command's terminal */
        const char *pts; /* and the folder that it is in */
        int info[2], block[2];
        pid_t bwrap, command;
};

static int open_sources(struct inside *x, struct err *e)
{
        x->source = arena_array(&x->arena, int, x->o->n_bind);
        for (size_t i = 0; i < x->o->n_bind; i += 2)
                if ((x->source[i] = open(x->o->bind[i], O_PATH | O_CLOEXEC)) < 0)
                        return err_errno(e, "cannot bind '%s' into the sandbox", x->o->bind[i]);
        return 0;
}

/* Short names, since all options of a mount have one page: a hundred full paths are more. */
static int link_layers(struct inside *x, struct buf *options, struct err *e)
{
        buf_add(options, SV("lowerdir="));
        for (size_t i = x->o->n_layer; i-- > 0;) { /* overlay wants the topmost first */
                char name[16];
                snprintf(name, sizeof(name), "%zu", i + 1);
                if (symlink(x->o->layer[i], name) < 0)
                        return err_errno(e, "cannot make a link to '%s'", x->o->layer[i]);
                buf_fmt(options, "%s%s", name, i ? ":" : "");
        }
        buf_add(options, SV(",upperdir=u,workdir=w,userxattr"));
        return buf_check(options, e);
}

static int mount_overlay(struct inside *x, struct err *e)
{
        AUTO(buf_done) struct buf options = BUF_INIT(4000);

        if (link_layers(x, &options, e) < 0)
                return err_while(e, "stacking %zu layers", x->o->n_layer);
        if (mount("overlay", "r", "overlay", 0, options.p) < 0) {
                err_errno(e, "the kernel cannot stack the %zu layers", x->o->n_layer);
                err_hint(e, "overlay in a user namespace needs Linux 5.11, and unpacked layers on a local disk "
                            "(ENVBUILD_SCRATCH)");
                return -(int)e->code;
        }
        if ((x->root = open("r", O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
                return err_errno(e, "cannot open the stacked layers");
        return 0;
}

/* What the command writes is in memory and goes with the namespace. */
static int make_place(struct inside *x, struct err *e)
{
        static const char *const folders[] = { "u", "w", "r", "p", "t" };

        if (mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0 ||
            mount("envbuild", x->o->place, "tmpfs", 0, "mode=0755") < 0 || chdir(x->o->place) < 0) {
                err_errno(e, "cannot mount a file system in memory on '%s'", x->o->place);
                err_hint(e, "on Ubuntu, AppArmor may forbid it: sysctl kernel.apparmor_restrict_unprivileged_userns=0");
                return -(int)e->code;
        }
        for (size_t i = 0; i < ARRAY_LEN(folders); i++)
                if (mkdir(folders[i], 0755) < 0)
                        return err_errno(e, "cannot make a folder in '%s'", x->o->place);
        if (mount("proc", "p", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0) {
                err_errno(e, "cannot mount /proc in the sandbox");
                err_hint(e, "a container hides parts of its /proc, and so forbids a new one: start it with "
                            "--privileged or with "
                            "--security-opt systempaths=unconfined");
                return -(int)e->code;
        }
        return mount_overlay(x, e);
}

static int read_inside(struct inside *x, const char *path, struct buf *ret, struct err *e)
{
        AUTO(close_fd) int fd = sandbox_open_in(x->root, path, O_RDONLY | O_NONBLOCK);
        char name[64];
        struct stat st;

        if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
                return 0; /* an image may have none */
        snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
        return fs_read(name, ret, e) < 0 ? err_while(e, "reading the image's %s", path) : 0;
}

static int find_user(struct inside *x, struct err *e)
{
        AUTO(buf_done) struct buf passwd = BUF_INIT(FILE_MAX), group = BUF_INIT(FILE_MAX);

        if (read_inside(x, "/etc/passwd", &passwd, e) < 0 || read_inside(x, "/etc/group", &group, e) < 0)
                return -(int)e->code;
        if (sandbox_user_find(sv_from(x->o->user), buf_sv(&passwd), buf_sv(&group), &x->user, e) < 0)
                return -(int)e->code;
        return x->o->passwd ? sandbox_user_add(&x->arena, x->root, &x->user, buf_sv(&passwd), e) : 0;
}

/* Those of the host stay: a file system that was mounted nosuid may not be remounted without. */
static int make_read_only(int fd, struct err *e)
{
        static const struct {
                unsigned long of, to;
        } kept[] = { { ST_NOSUID, MS_NOSUID },   { ST_NODEV, MS_NODEV },           { ST_NOEXEC, MS_NOEXEC },
                     { ST_NOATIME, MS_NOATIME }, { ST_NODIRATIME, MS_NODIRATIME }, { ST_RELATIME, MS_RELATIME } };
        struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };
        unsigned long flags = MS_BIND | MS_REMOUNT | MS_RDONLY;
        AUTO(free_ptr) char *at = fs_path("/proc/self/fd/%d", fd);
        struct statvfs st;

        if (syscall(SYS_mount_setattr, fd, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr, sizeof(attr)) == 0)
                return 0;
        if (errno != ENOSYS || fstatvfs(fd, &st) < 0) /* before Linux 5.12 */
                return err_errno(e, "cannot make a mount read-only");
        for (size_t i = 0; i < ARRAY_LEN(kept); i++)
                if (st.f_flag & kept[i].of)
                        flags |= kept[i].to;
        return mount(NULL, at, NULL, flags, NULL) < 0 ? err_errno(e, "cannot make a mount read-only") : 0;
}

/* Through descriptors: no link of the image's gets a say in what is mounted where. */
static int bind_all(struct inside *x, struct err *e)
{
        for (size_t i = 0; i < x->o->n_bind; i += 2) {
                AUTO(close_fd) int to = -1;
                AUTO(free_ptr) char *from = fs_path("/proc/self/fd/%d", x->source[i]), *at = NULL;
                const char *point;
                struct stat st;

                if (fstat(x->source[i], &st) < 0)
                        return err_errno(e, "cannot bind '%s' into the sandbox", x->o->bind[i]);
                if (sandbox_point(&x->arena, x->root, x->o->bind[i + 1], S_ISDIR(st.st_mode), &point, e) < 0)
                        return err_while(e, "binding '%s' into the sandbox", x->o->bind[i]);
                to = sandbox_open_in(x->root, point, O_PATH);
                at = fs_path("/proc/self/fd/%d", to);
                if (to < 0 || mount(from, at, NULL, MS_BIND | MS_REC, NULL) < 0)
                        return err_errno(e, "cannot bind '%s' to '%s' in the sandbox", x->o->bind[i], point);
                close_fd(&x->source[i]);
                if (i < x->o->n_bind_rw)
                        continue;
                close_fd(&to); /* it is what was there before */
                if ((to = sandbox_open_in(x->root, point, O_PATH)) < 0 || make_read_only(to, e) < 0)
                        return err_while(e, "binding '%s' to '%s' read-only", x->o->bind[i], point);
        }
        return 0;
}

/* With all ids mapped the user may be another than who made these. */
static int own_all(struct inside *x, struct err *e)
{
        for (size_t i = 0; x->space->full && x->user.uid && i < x->o->n_own; i++) {
                AUTO(close_fd) int fd = sandbox_open_in(x->root, x->o->own[i], O_PATH | O_NOFOLLOW);
                if (fd < 0)
                        return err_errno(e, "cannot open '%s' in the sandbox", x->o->own[i]);
                if (sandbox_own(fd, &x->user, x->o->own[i], e) < 0)
                        return -(int)e->code;
        }
        return 0;
}

static void arg(struct buf *args, const char *text)
{
        buf_add(args, (sv){ text, strlen(text) + 1 });
}

static void arg2(struct buf *args, const char *a, const char *b)
{
        arg(args, a);
        arg(args, b);
}

static void arg_number(struct buf *args, const char *a, unsigned long n)
{
        char text[24];

        snprintf(text, sizeof(text), "%lu", n);
        arg2(args, a, text);
}

static int point(struct inside *x, const char *path, bool is_dir, const char **ret, struct err *e)
{
        return sandbox_point(&x->arena, x->root, path, is_dir, ret, e);
}

/* Ours, of the new pid namespace: bubblewrap's --proc would bind the host's, since it makes none itself. What root could change the host
 * with is read-only, as in docker's containers. */
static int proc_args(struct inside *x, struct buf *args, struct err *e)
{
        static const char *const fixed[] = { "bus", "fs", "irq", "sys", "sysrq-trigger" };
        const char *proc;

        if (point(x, "/proc", true, &proc, e) < 0)
                return -(int)e->code;
        arg2(args, "--bind", arena_fmt(&x->arena, "%s/p", x->o->place).p);
        arg(args, proc);
        for (size_t i = 0; i < ARRAY_LEN(fixed); i++) {
                arg2(args, "--ro-bind-try", arena_fmt(&x->arena, "%s/p/%s", x->o->place, fixed[i]).p);
                arg(args, arena_fmt(&x->arena, "%s/%s", proc, fixed[i]).p);
        }
        return 0;
}

/* Over bubblewrap's own devpts, which has no terminal in it. /dev/console is what stdio is, as in docker's containers. */
static void terminal_args(struct inside *x, struct buf *args, const char *dev)
{
        arg2(args, "--dev-bind", x->pts);
        arg(args, arena_fmt(&x->arena, "%s/pts", dev).p);
        arg2(args, "--dev-bind", arena_fmt(&x->arena, "%s/%u", x->pts, x->pty).p);
        arg(args, arena_fmt(&x->arena, "%s/console", dev).p);
}

static int mount_args(struct inside *x, struct buf *args, struct err *e)
{
        static const char *const host_files[] = { "/etc/resolv.conf", "/etc/hosts" };
        const char *root = arena_fmt(&x->arena, "%s/r", x->o->place).p, *dev, *tmp, *sys, *file;

        if (point(x, "/dev", true, &dev, e) < 0 || point(x, "/tmp", true, &tmp, e) < 0 ||
            point(x, "/sys", true, &sys, e) < 0)
                return -(int)e->code;
        arg2(args, "--bind", root);
        arg(args, "/");
        if (proc_args(x, args, e) < 0)
                return -(int)e->code;
        arg2(args, "--dev", dev);
        if (x->o->shm_size) {
                arg2(args, "--perms", "1777");
                arg2(args, "--size", x->o->shm_size);
                arg2(args, "--tmpfs", arena_fmt(&x->arena, "%s/shm", dev).p);
        }
        if (x->o->terminal)
                terminal_args(x, args, dev);
        arg2(args, "--ro-bind-try", "/sys");
        arg(args, sys);
        for (size_t i = 0; x->o->network && i < ARRAY_LEN(host_files); i++) {
                if (!fs_exists(host_files[i]))
                        continue;
                if (point(x, host_files[i], false, &file, e) < 0)
                        return -(int)e->code;
                arg2(args, "--ro-bind", host_files[i]);
                arg(args, file);
        }
        return 0;
}

/* /tmp is everybody's and empty, unless something is bound in it. */
static int tmp_args(struct inside *x, struct buf *args, struct err *e)
{
        const char *tmp;

        if (point(x, "/tmp", true, &tmp, e) < 0)
                return -(int)e->code;
        for (size_t i = 1; i < x->o->n_bind; i += 2) {
                const char *at;
                if (point(x, x->o->bind[i], true, &at, &(struct err){ 0 }) < 0)
                        continue;
                if (sv_starts(sv_from(at), sv_from(tmp)))
                        return 0;
        }
        arg2(args, "--perms", "1777");
        arg2(args, "--tmpfs", tmp);
        return 0;
}

/* The command gets a user namespace of its own, below ours: else it could go to the host by /proc/PID/root of bubblewrap, which stays
 * outside and has no more rights than the command. With all ids mapped it is the very user, and the maps are written by us. With one id
 * there is only one user, whatever he is called. */
static void user_args(struct inside *x, struct buf *args)
{
        arg(args, "--unshare-user");
        if (x->space->full) {
                arg_number(args, "--userns-block-fd", (unsigned long)x->block[0]);
        } else {
                arg_number(args, "--uid", x->user.uid);
                arg_number(args, "--gid", x->user.gid);
        }
        if (x->user.uid != 0)
                return;
        arg2(args, "--cap-drop", "ALL");
        for (size_t i = 0; i < ARRAY_LEN(caps); i++)
                arg2(args, "--cap-add", caps[i]);
}

static void env_args(const struct sandbox_order *o, struct buf *args)
{
        arg(args, "--clearenv");
        for (size_t i = 0; i < o->n_env; i++) {
                const char *eq = strchr(o->env[i], '=');
                if (!eq)
                        continue;
                arg(args, "--setenv");
                buf_add(args, (sv){ o->env[i], (size_t)(eq - o->env[i]) });
                buf_byte(args, '\0');
                arg(args, eq + 1);
        }
}

/* In a descriptor, as what we were told ourselves: command lines are public. */
static int write_args(struct inside *x, struct err *e)
{
        AUTO(buf_done) struct buf args = BUF_INIT(ARGS_MAX);
        const char *workdir;

        if (point(x, x->o->workdir, true, &workdir, e) < 0 || mount_args(x, &args, e) < 0 || tmp_args(x, &args, e) < 0)
                return -(int)e->code;
        if (!x->o->network)
                arg(&args, "--unshare-net");
        user_args(x, &args);
        arg_number(&args, "--info-fd", (unsigned long)x->info[1]);
        env_args(x->o, &args);
        arg2(&args, "--chdir", x->o->workdir[0] ? x->o->workdir : "/");
        if (buf_check(&args, e) < 0)
                return -(int)e->code;
        x->args = memfd_create("envbuild-bwrap", MFD_CLOEXEC);
        if (x->args < 0 || fs_write_all(x->args, args.p, args.n, "the arguments", e) < 0 ||
            lseek(x->args, 0, SEEK_SET) < 0)
                return err_errno(e, "cannot write bubblewrap's arguments");
        return 0;
}

static void keep_open(int fd)
{
        fcntl(fd, F_SETFD, 0);
}

/* With all ids mapped, bubblewrap itself runs as the user, who has no rights here but to make a namespace of his own. */
static bool become(const struct inside *x)
{
        const struct sandbox_user *u = &x->user;

        if (!x->space->full)
                return true;
        return setgroups(0, NULL) == 0 && setresgid(u->gid, u->gid, u->gid) == 0 &&
               setresuid(u->uid, u->uid, u->uid) == 0;
}

static _Noreturn void exec_bwrap(struct inside *x)
{
        static char *const env[] = { (char *)"PATH=/usr/local/bin:/usr/bin:/bin", NULL };
        const char **argv = arena_array(&x->arena, const char *, x->o->n_argv + 5);
        struct err e = { 0 };
        char args[16];
        size_t n = 0;

        snprintf(args, sizeof(args), "%d", x->args);
        argv[n++] = "bwrap";
        argv[n++] = "--args";
        argv[n++] = args;
        argv[n++] = "--";
        for (size_t i = 0; i < x->o->n_argv; i++)
                argv[n++] = x->o->argv[i];
        /* Nothing that somebody left open on the way here: a folder of the host's would be a way out. */
        (void)syscall(SYS_close_range, 3U, ~0U, CLOSE_RANGE_CLOEXEC);
        keep_open(x->args);
        keep_open(x->info[1]);
        if (x->space->full)
                keep_open(x->block[0]);
        if (x->o->terminal)
                sandbox_pty_step_forward();
        sigprocmask(SIG_SETMASK, x->mask, NULL);
        if (become(x))
                execve(x->o->bwrap, (char *const *)argv, env);
        err_errno(&e, "cannot start '%s'", x->o->bwrap);
        sandbox_report(&e, SANDBOX_FAILED);
}

/* bubblewrap writes {"child-pid": N} as soon as the process that becomes the command is there. */
static bool read_command_pid(struct inside *x)
{
        AUTO(buf_done) struct buf text = BUF_INIT(INFO_MAX);
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(err_done) struct err e = { 0 };
        struct js *doc;
        int64_t pid = 0;
        char c = 0;

        while (c != '}' && read(x->info[0], &c, 1) == 1)
                buf_byte(&text, c);
        if (js_parse(&a, buf_sv(&text), &doc, &e) < 0 || !js_int(js_get(doc, "child-pid"), &pid) || pid <= 1)
                return false;
        x->command = (pid_t)pid;
        return true;
}

static int code_of(int status)
{
        return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Reaps what ended. True when the command has, with *ret_status. */
static bool reap(struct inside *x, int *ret_status)
{
        int status;
        pid_t pid;

        while ((pid = waitpid(-1, &status, WNOHANG | (x->o->terminal ? WUNTRACED : 0))) > 0) {
                bool bwrap = pid == x->bwrap, command = pid == x->command;
                if (WIFSTOPPED(status)) {
                        if (bwrap || command)
                                sandbox_pty_tell(SANDBOX_STOPPED);
                        continue;
                }
                if (bwrap || command)
                        *ret_status = status;
                /* Ctrl-C; the command is our child now, unless bubblewrap had reaped it just before */
                if (command || (bwrap && WIFEXITED(status)))
                        return true;
        }
        return pid < 0 && errno == ECHILD;
}

/* What a terminal sends, it sends to the whole group in front, the command included. With one of our own we lead, and are in front of
 * nothing: what comes from it is that it was hung up. Ctrl-Z stopped bubblewrap and the command, so both go on. */
static void hand_on(const struct inside *x, const siginfo_t *info)
{
        if (info->si_signo == SIGCHLD || !x->command)
                return;
        if (x->o->terminal && info->si_signo == SIGCONT)
                kill(-x->bwrap, SIGCONT);
        else if (x->o->terminal || info->si_code != SI_KERNEL)
                kill(x->command, info->si_signo);
}

static _Noreturn void watch(struct inside *x, const sigset_t *all)
{
        siginfo_t info;
        int status = W_EXITCODE(SANDBOX_FAILED, 0);

        while (!reap(x, &status))
                if (sigwaitinfo(all, &info) > 0)
                        hand_on(x, &info);
        if (x->o->terminal && WIFSIGNALED(status) && WTERMSIG(status) == SIGINT)
                sandbox_pty_tell(SANDBOX_INTERRUPTED);
        _exit(code_of(status));
}

static int start(struct inside *x, struct err *e)
{
        x->bwrap = fork();
        if (x->bwrap < 0)
                return err_errno(e, "cannot start a process");
        if (x->bwrap == 0)
                exec_bwrap(x);
        close_fd(&x->info[1]);
        close_fd(&x->block[0]);
        if (!read_command_pid(x)) {
                x->command = 0; /* it told why on stderr; its status follows */
                return 0;
        }
        if (x->space->full && (sandbox_space_map_all("p", x->command, e) < 0 || write(x->block[1], "", 1) != 1))
                return err_errno(e, "cannot map the users of the sandbox");
        return 0;
}

/* Where it will be inside, in our mount namespace too: by the place it was opened at it is called inside, in /proc/self/fd/0. A host with
 * other terminals only may have no such place. */
static int make_terminal(struct inside *x, struct err *e)
{
        static const char usual[] = "/dev/pts";

        x->pts = fs_is_dir(usual) ? usual : arena_fmt(&x->arena, "%s/t", x->o->place).p;
        return sandbox_pty_make(x->pts, x->o->terminal, x->space->full ? &x->user.uid : NULL, &x->pty, e);
}

static int prepare(struct inside *x, struct err *e)
{
        if (open_sources(x, e) < 0 || make_place(x, e) < 0 || find_user(x, e) < 0 || bind_all(x, e) < 0 ||
            own_all(x, e) < 0)
                return -(int)e->code;
        if (x->o->terminal && make_terminal(x, e) < 0)
                return -(int)e->code;
        if (pipe2(x->info, O_CLOEXEC) < 0 || pipe2(x->block, O_CLOEXEC) < 0)
                return err_errno(e, "cannot make a pipe");
        return write_args(x, e);
}

_Noreturn void sandbox_inside(const struct sandbox_order *o, const struct sandbox_space *space, const sigset_t *mask)
{
        struct inside x = {
                .o = o, .space = space, .mask = mask, .root = -1, .args = -1, .info = { -1, -1 }, .block = { -1, -1 }
        };
        struct err e = { 0 };
        sigset_t all;
        int code;

        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0) {
                err_errno(&e, "cannot become root of the sandbox");
                sandbox_report(&e, SANDBOX_FAILED);
        }
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* changing ids takes it away */
        if (prepare(&x, &e) < 0)
                sandbox_report(&e, SANDBOX_FAILED);
        code = sandbox_find_command(x.root, o, &x.user);
        if (code) {
                struct err note = { .cause = (char *)(code == 127 ? "is not in the image"
                                                                  : "is in the image but may not be executed") };
                sandbox_report(&note, code);
        }
        if (start(&x, &e) < 0)
                sandbox_report(&e, SANDBOX_FAILED);
        sigfillset(&all);
        watch(&x, &all);
}
