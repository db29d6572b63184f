"""`envbuild run` on a terminal, as root and as an ordinary user: the command gets a terminal of its own, with job control, and the user's is
as it was when it is over. Nothing here waits for time to pass: what is read until it is there has a limit, and that is all."""
import fcntl
import os
import pathlib
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time

import pytest

from conftest import base_files, let_pass, make_layout, program

USERS = ["root", "nobody"] if os.geteuid() == 0 else ["self"]
LIMIT = 60  # seconds, for what takes one


def with_libraries(*programs):
    """The host's programs with what the dynamic linker needs for them."""
    files = {"lib": ("link", "usr/lib"), "lib64": ("link", "usr/lib64")}
    for p in programs:
        files[f"usr/bin/{p}"] = pathlib.Path(f"/bin/{p}").read_bytes()
        for lib in re.findall(r"(/\S+) \(0x", subprocess.run(["ldd", f"/bin/{p}"], stdout=subprocess.PIPE, text=True, check=True).stdout):
            files["usr/" + lib.removeprefix("/usr").lstrip("/")] = pathlib.Path(lib).read_bytes()
    return files


@pytest.fixture(scope="session")
def shell_layout(tmp_path_factory):
    """Busybox, and dash as sh."""
    files = base_files(with_libraries("dash"))
    files.update({f"usr/bin/{a}": ("link", "busybox") for a in ("stty", "tty", "wc", "dd")})
    files["usr/bin/sh"] = ("link", "dash")
    return make_layout(tmp_path_factory.mktemp("shell") / "layout", files, {"Env": ["PATH=/usr/local/bin:/usr/bin:/bin"], "Cmd": ["sh"]})


@pytest.fixture(params=USERS)
def user(request, env, shell_layout, definition):
    env.base = shell_layout
    definition(pip='["PyJWT<2"]')
    env.popen_user = let_pass(env, "nobody") if request.param == "nobody" else {}
    env.line = env.run("build", "env.yml", **env.popen_user).line
    return env


def own_terminal():
    """In the child: stdin is the terminal of its session, and its keys count, even if the tests were started in the background."""
    signal.signal(signal.SIGQUIT, signal.SIG_DFL)
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


class Terminal:
    """What a person sits at: a program leads a session on it. Both ends stay open here, so settings can be asked for at any time."""

    def __init__(self, user, argv, rows=30, cols=100, env=None, **stdio):
        self.master, self.slave = pty.openpty()
        self.size(rows, cols)
        self.found = self.settings()
        self.seen = ""
        where = {"stdin": self.slave, "stdout": self.slave, "stderr": self.slave, **stdio}
        self.proc = subprocess.Popen(argv, cwd=user.work, env={**user.env, "TERM": "xterm", **(env or {})}, start_new_session=True,
                                     preexec_fn=own_terminal if where["stdin"] == self.slave else None, **where, **user.popen_user)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.proc.poll() is None:
            self.proc.kill()
            self.proc.wait()
        for fd in (self.master, self.slave):
            if fd >= 0:
                os.close(fd)

    def settings(self):
        return termios.tcgetattr(self.slave)

    def raw(self):
        return not self.settings()[3] & termios.ICANON

    def size(self, rows, cols):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, cols, 0, 0))

    def _read(self, what):
        if not select.select([self.master], [], [], LIMIT)[0]:
            raise AssertionError(f"{what} does not come; there was {self.seen!r}")
        self.seen += os.read(self.master, 65536).decode()

    def until(self, what, count=1):
        """Reads until it is there that often (a regular expression); returns all that was read since the last time."""
        while len(re.findall(what, self.seen)) < count:
            self._read(what)
        last = list(re.finditer(what, self.seen))[count - 1].end()
        text, self.seen = self.seen[:last], self.seen[last:]
        return text

    def type(self, text):
        data = text.encode()
        while data:
            data = data[os.write(self.master, data[:1024]):]

    def end(self):
        """The exit code; until then it is read, so that nobody waits for room."""
        end = time.monotonic() + LIMIT
        while self.proc.poll() is None:
            assert time.monotonic() < end, f"it does not end; there was {self.seen!r}"
            if select.select([self.master], [], [], 0.05)[0]:
                self._read("more")
        while select.select([self.master], [], [], 0)[0]:
            self._read("more")
        assert "Sanitizer" not in self.seen, self.seen
        return self.proc.returncode


def run(user, *argv, options=(), **kw):
    return Terminal(user, [program(), "run", "--progress", "quiet", *options, user.line, "--", *argv], **kw)


def shell(user, **kw):
    """dash, at its prompt."""
    t = run(user, "dash", options=("-e", "PS1=ready> "), **kw)
    t.first = t.until("ready> ")
    return t


def line_of(pipe):
    assert select.select([pipe], [], [], LIMIT)[0], "nobody writes"
    return pipe.readline()


def helper_of(pid):
    return int(pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])


def test_dash(user):
    with shell(user) as t:
        assert t.raw(), "or Ctrl-C would not reach it"
        t.type("echo $((6*7))\n")
        assert "\r\n42\r\n" in t.until("ready> ")
        t.type("exit 3\n")
        assert t.end() == 3
        assert "tty" not in t.first + t.seen, "Cannot set tty process group"
        assert t.settings() == t.found


def test_its_names(user):
    with shell(user) as t:
        t.type("tty; readlink /proc/self/fd/0; for x in /dev/tty /dev/pts/0 /dev/console; do echo to $x > $x; done\n")
        out = t.until("console\r\nready> ")
        assert "\r\n/dev/pts/0\r\n/dev/pts/0\r\n" in out
        for name in ("/dev/tty", "/dev/pts/0", "/dev/console"):
            assert f"\r\nto {name}\r\n" in out
        t.type("[ -O /dev/pts/0 ] && echo it is mine; exit\n")
        assert t.end() == 0 and "\r\nit is mine\r\n" in t.seen


def test_it_belongs_to_the_image_s_user(user, definition):
    definition(pip='["PyJWT<2"]', more="  user: '1000:1000'\n")
    user.line = user.run("build", "env.yml", **user.popen_user).line
    with run(user, "sh", "-c", "stat -c '%u %a %n' /dev/pts/0 /dev/console; echo opened > /dev/pts/0; exec dash", options=("-e", "PS1=ready> ")) as t:
        out = t.until("ready> ")
        assert "1000 620 /dev/pts/0\r\n1000 620 /dev/console\r\nopened\r\n" in out and "tty" not in out
        t.type("exit\n")
        assert t.end() == 0


def test_ctrl_c_is_the_foreground_s(user):
    with shell(user) as t:
        t.type("cat\n")
        t.type("hello\n")
        t.until("hello", 2)
        t.type("\x03")
        t.until("ready> ")
        t.type("echo it was $?\n")
        t.until("it was 130")
        t.type("exit\n")
        assert t.end() == 0


def test_job_control_inside(user):
    with shell(user) as t:
        t.type("cat\nhello\n")
        t.until("hello", 2)
        t.type("\x1a")
        t.until("Stopped")
        t.until("ready> ")
        t.type("fg\nagain\n")
        t.until("again", 2)
        t.type("\x04")
        t.until("ready> ")
        t.type("exit 4\n")
        assert t.end() == 4


def test_ctrl_c_without_a_shell(user):
    """bubblewrap dies of it; the command does as it likes, and still has its terminal."""
    with run(user, "sh", "-c", "trap 'read x < /dev/tty; echo got $x; exit 5' INT; echo ready; while :; do sleep 0.01; done") as t:
        t.until("ready")
        t.type("\x03")
        t.type("a line\n")
        assert t.end() == 5 and "got a line" in t.seen
        assert t.settings() == t.found
    with run(user, "cat") as t:
        t.type("hello\n")
        t.until("hello", 2)
        t.type("\x1c")
        assert t.end() == 131


def test_window_size(user):
    with run(user, "sh", "-c", "stty size; trap 'echo; stty size' WINCH; echo ready; while :; do sleep 0.01; done") as t:
        assert "30 100\r\n" in t.until("ready")
        t.size(41, 123)
        t.until("41 123")
        t.type("\x03")
        assert t.end() == 130


def test_nothing_of_the_end_is_lost(user):
    with run(user, "sh", "-c", "dd if=/dev/zero bs=1000 count=300 2>/dev/null; echo the end") as t:
        assert t.end() == 0
        assert t.seen.count("\0") == 300_000 and t.seen.endswith("the end\r\n")


def test_a_long_paste(user):
    line = "x" * 99 + "\n"
    with run(user, "sh", "-c", "stty -echo; echo ready; wc -c") as t:
        t.until("ready")
        t.type(line * 2000)
        t.type("\x04")
        assert t.end() == 0 and "200000" in t.seen


def test_stderr_elsewhere(user):
    r, w = os.pipe()
    with run(user, "sh", "-c", "echo out; echo err >&2; [ -t 2 ] || echo no terminal", stderr=w) as t, os.fdopen(r) as err:
        os.close(w)
        assert t.end() == 0 and t.seen == "out\r\nno terminal\r\n"
        assert err.read().endswith("err\n")


def test_no_terminal_on_one_side(user):
    """As ever: in a pipe nothing of the user's terminal changes."""
    what = "sh", "-c", "[ -t 0 ]; echo in $?; [ -t 1 ]; echo out $?; exit 6"
    r, w = os.pipe()
    with run(user, *what, stdout=w) as t, os.fdopen(r) as out:
        os.close(w)
        assert t.end() == 6 and out.read() == "in 0\nout 1\n"
        assert t.seen == ""
    r, w = os.pipe()
    os.write(w, b"x\n")
    os.close(w)
    with run(user, *what, stdin=r) as t:
        os.close(r)
        assert t.end() == 6 and t.seen == "in 1\r\nout 0\r\n"


def test_a_window_that_takes_nothing(user):
    """What was written waits for it, but not against our will. Terminals hold less than 100 KB, so some of 400 KB is not taken."""
    r, w = os.pipe()
    script = "i=0; while [ $i -lt 400 ]; do dd if=/dev/zero bs=1000 count=1 2>/dev/null; i=$((i+1)); [ $i != 10 ] || echo far >&2; done"
    with run(user, "sh", "-c", script, stderr=w) as t, os.fdopen(r) as err:
        os.close(w)
        assert line_of(err) == "far\n"
        t.proc.terminate()
        assert t.proc.wait(LIMIT) == 143
        assert t.settings() == t.found


@pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_to_us(user, sig):
    with run(user, "cat") as t:
        t.type("hello\n")
        t.until("hello", 2)
        assert t.raw()
        t.proc.send_signal(sig)
        assert t.end() == 128 + sig
        assert t.settings() == t.found


def test_the_helper_is_killed(user):
    with run(user, "cat") as t:
        t.type("hello\n")
        t.until("hello", 2)
        os.kill(helper_of(t.proc.pid), signal.SIGKILL)
        assert t.end() == 137
        assert t.settings() == t.found


def test_we_are_killed(user):
    """The command holds stderr open as long as it lives."""
    r, w = os.pipe()
    with run(user, "sh", "-c", "trap '' TERM INT HUP; echo ready; while :; do sleep 0.1; done", stderr=w) as t, os.fdopen(r) as life:
        os.close(w)
        t.until("ready")
        t.proc.kill()
        t.proc.wait()
        life.read()


def test_the_terminal_goes_away(user):
    """A window that is closed."""
    r, w = os.pipe()
    with run(user, "sh", "-c", "trap 'echo hung up >&2; exit 7' HUP; echo ready; while :; do sleep 0.01; done", stderr=w) as t, os.fdopen(r) as err:
        os.close(w)
        t.until("ready")
        os.close(t.slave)
        os.close(t.master)
        t.slave = t.master = -1
        assert "hung up\n" in err.read()
        assert t.proc.wait(LIMIT) == 7


def test_before_the_command(user):
    with run(user, "no-such-program") as t:
        assert t.end() == 127 and "no-such-program" in t.seen
        assert t.settings() == t.found


@pytest.fixture
def outer(user):
    """A shell as people have it, that can run ours as its jobs."""
    with Terminal(user, ["bash", "--norc", "--noprofile", "-i"], env={"PS1": "outer> ", "TERM": "dumb", "RUN": f"{program()} run --progress quiet {user.line} --"}) as t:
        t.until("outer> ")
        yield t


CAT = "sh -c 'echo ready; exec cat'"


def test_ctrl_z_stops_us_and_fg_goes_on(outer):
    outer.type(f"$RUN {CAT}\nhello\n")
    outer.until("\nready")
    outer.until("hello", 2)
    outer.type("\x1a")
    outer.until("Stopped")
    outer.until("outer> ")
    outer.type("fg\n")
    outer.type("again\n")
    outer.until("again", 2)
    outer.type("\x04")
    outer.until("outer> ")
    outer.type("echo code $?; exit\n")
    outer.until("code 0")
    assert outer.end() == 0


def test_the_window_changes_while_we_are_stopped(outer):
    outer.type("$RUN sh -c 'echo ready; read x; stty size'\n")
    outer.until("\nready")
    outer.type("\x1a")
    outer.until("outer> ")
    outer.size(41, 123)
    outer.type("fg\n\n")
    outer.until("41 123")
    outer.until("outer> ")
    outer.type("exit\n")
    assert outer.end() == 0


def test_a_script_around_us_stops_too(outer):
    outer.type(f"""sh -c "$RUN {CAT}; echo script goes on"\n""")
    outer.until("\nready")
    outer.type("\x1a")
    outer.until("Stopped")
    outer.until("outer> ")
    outer.type("fg\nagain\n")
    outer.until("again", 2)
    outer.type("\x04")
    outer.until("\nscript goes on")
    outer.until("outer> ")
    outer.type("exit\n")
    assert outer.end() == 0


def test_ctrl_c_ends_a_script_around_us(outer):
    outer.type(f"""sh -c "for i in 1 2; do $RUN {CAT}; done; echo came to the end"\n""")
    outer.until("\nready")
    outer.type("\x03")
    out = outer.until("outer> ")
    assert "came" not in out and "ready" not in out
    outer.type("echo code $?; exit\n")
    outer.until("code 130")
    assert outer.end() == 0


def test_in_the_background(outer):
    """Stopped, it goes on there, and leaves the terminal to the shell; in front again it reads."""
    outer.type("$RUN sh -c 'echo ready; while read x; do echo got $x; done; echo no more'\n")
    outer.until("\nready")
    outer.type("one\n")
    outer.until("got one")
    outer.type("\x1a")
    outer.until("outer> ")
    outer.type("bg\n")
    outer.until("outer> ")
    outer.type("echo $((6*7))\n")
    outer.until("42\r\nouter> ")
    outer.type("fg\n")
    outer.type("two\n")
    outer.until("got two")
    outer.type("\x04")
    outer.until("\nno more")
    outer.until("outer> ")
    outer.type("exit\n")
    assert outer.end() == 0


def test_started_in_the_background(outer):
    """It must not touch the terminal, which is the shell's."""
    outer.type("$RUN sh -c 'echo out $((6*7))' & wait\n")
    outer.until("out 42")
    outer.until("outer> ")
    outer.type("exit\n")
    assert outer.end() == 0
