/* envbuild login: a name and a password, tried at the registry, then kept where docker and podman keep theirs. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cli/app.h"
#include "cli/opts.h"
#include "cli/registry_name.h"
#include "registry/credentials.h"

enum { SECRET_MAX = 64 << 10 };

static void buf_wipe(struct buf *b)
{
        if (b->p)
                explicit_bzero(b->p, b->n);
        buf_done(b);
}

/* Up to the end of the line (or of the input) into out. */
static int read_line(int fd, bool to_end, struct app *app, struct buf *out, struct err *e)
{
        for (;;) {
                char c;
                ssize_t n = read(fd, &c, 1);

                if (n < 0 && errno == EINTR) {
                        if (op_check(&app->op, e) < 0)
                                return -(int)e->code;
                        continue;
                }
                if (n < 0)
                        return err_errno(e, "cannot read the password");
                if (n == 0 || (c == '\n' && !to_end))
                        return buf_check(out, e);
                buf_byte(out, c);
        }
}

/* A question on the terminal; hidden: the answer is not shown. */
static int ask(struct app *app, const char *question, bool hidden, struct buf *out, struct err *e)
{
        AUTO(close_fd) int fd = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
        struct termios was, quiet;
        int r;

        if (fd < 0 || tcgetattr(fd, &was) < 0) {
                err_set(e, ERR_USAGE, "there is no terminal to ask on");
                err_hint(e, "envbuild login HOST -u USER --password-stdin < FILE");
                return -(int)e->code;
        }
        progress_pause(app->progress);
        quiet = was;
        if (hidden)
                quiet.c_lflag &= ~(tcflag_t)ECHO;
        tcsetattr(fd, TCSAFLUSH, &quiet); /* before the question: what is typed after it counts */
        dprintf(fd, "%s: ", question);
        r = read_line(fd, false, app, out, e);
        tcsetattr(fd, TCSADRAIN, &was);
        if (hidden)
                dprintf(fd, "\n");
        return r;
}

static int get_username(struct app *app, const struct login_opts *o, sv *ret, struct err *e)
{
        AUTO(buf_done) struct buf line = BUF_INIT(SECRET_MAX);

        *ret = o->username;
        if (!ret->n && !o->password_stdin) {
                if (ask(app, "User name", false, &line, e) < 0)
                        return -(int)e->code;
                *ret = arena_sv(&app->arena, sv_trim(buf_sv(&line)));
        }
        if (!ret->n) {
                err_set(e, ERR_USAGE, "a login needs a user name");
                err_hint(e, "envbuild login HOST -u USER%s", o->password_stdin ? " --password-stdin" : "");
                return -(int)e->code;
        }
        if (sv_find(*ret, ':') >= 0)
                return err_set(e, ERR_USAGE, "a user name holds no ':'");
        return 0;
}

static int get_password(struct app *app, const struct login_opts *o, struct buf *out, struct err *e)
{
        if (o->password_stdin) {
                if (read_line(STDIN_FILENO, true, app, out, e) < 0)
                        return -(int)e->code;
                while (out->n && (out->p[out->n - 1] == '\n' || out->p[out->n - 1] == '\r'))
                        out->n--; /* of echo */
        } else if (ask(app, "Password", true, out, e) < 0) {
                return -(int)e->code;
        }
        return out->n ? 0 : err_set(e, ERR_USAGE, "the password is empty");
}

static int refuse_password(struct login_opts *o, sv registry, struct err *e)
{
        explicit_bzero((char *)o->password.p, o->password.n); /* at least ps shows it no longer */
        err_set(e, ERR_USAGE,
                "a password is not taken from the command line, which everybody on this machine can read");
        err_hint(e,
                 "envbuild login %.*s --password-stdin < FILE, or leave it away: it is asked for; and think about "
                 "changing the one you just typed",
                 SV_ARG(registry));
        return -(int)e->code;
}

int cmd_login(struct app *app, void *opts, int argc, char **argv, struct err *e)
{
        AUTO(buf_wipe) struct buf password = BUF_INIT(SECRET_MAX);
        struct login_opts *o = opts;
        struct reg_login l = { .from = SV("what you typed") };
        struct reg_client *c;
        sv registry, where;

        if (argc != 1)
                return err_set(e, ERR_USAGE, "login needs one registry: envbuild login HOST");
        if (registry_name(&app->arena, sv_from(argv[0]), &registry, e) < 0)
                return -(int)e->code;
        if (o->password.n)
                return refuse_password(o, registry, e);
        if (opts_registry(app, &o->registry, e) < 0 || image_ctx_registry(&app->image, &c, e) < 0 ||
            get_username(app, o, &l.username, e) < 0 || get_password(app, o, &password, e) < 0)
                return -(int)e->code;
        l.password = buf_sv(&password);
        if (reg_login_check(c, registry, &l, e) < 0 ||
            reg_login_keep(&app->image.registry, registry, &l, &app->op, &app->arena, &where, e) < 0)
                return -(int)e->code;
        printf("Logged in to %.*s as %.*s; kept %s %.*s\n", SV_ARG(registry), SV_ARG(l.username),
               sv_starts(where, SV("docker-credential-")) ? "by" : "(readable by you alone) in", SV_ARG(where));
        return 0;
}
