"""envbuild-rank alone: exit codes, logs, cancel, timeout, peers, orphans, records (docs/internals/run.md). No sleeps to wait for
something: files, lines and processes are waited for."""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import time

import pytest

RANK = os.environ["ENVBUILD_RANK"]


def until(what, seconds=20):
    """Wait for a condition; its value."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = what()
        if value:
            return value
        time.sleep(0.01)
    raise AssertionError("waited in vain")


class Run:
    """A run's folder and the ranks that are started in it."""

    def __init__(self, folder):
        self.dir = folder / "run"
        self.dir.mkdir()
        self.id = f"t-{folder.name[-20:]}-{os.getpid()}".lower().replace("_", "-")

    def argv(self, *command, rank=0, ranks=1, attempt=1, opts=()):
        return [RANK, "--dir", str(self.dir), "--attempt", str(attempt), "--rank", str(rank), "--ranks", str(ranks), "--run-id", self.id,
                "--cancel-every", "20", *map(str, opts), "--", *command]

    def start(self, *command, env=None, stdout=subprocess.PIPE, before=(), **kw):
        full = dict(os.environ, **(env or {}))
        return subprocess.Popen([*before, *self.argv(*command, **kw)], env=full, stdout=stdout, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)

    def run(self, *command, **kw):
        p = self.start(*command, **kw)
        out, err = p.communicate(timeout=60)
        return subprocess.CompletedProcess(p.args, p.returncode, out, err)

    def sh(self, text, **kw):
        return self.run("/bin/sh", "-c", text, **kw)

    def log(self, name="std_log.txt"):
        path = self.dir / "user_logs" / name
        return path.read_bytes() if path.exists() else b""

    def record(self, rank=0, attempt=1):
        path = self.dir / f"status/{attempt}/rank-{rank}.json"
        return json.loads(path.read_text()) if path.exists() else {}

    def cancel(self):
        (self.dir / "status").mkdir(exist_ok=True)
        (self.dir / "status/cancel").write_text("")

    def failed(self, attempt=1):
        path = self.dir / f"status/{attempt}/failed"
        return path.read_text() if path.exists() else None

    def processes(self):
        """Those that have the run's id in their environment."""
        found = []
        for p in pathlib.Path("/proc").iterdir():
            if p.name.isdigit():
                try:
                    if f"ENVBUILD_RUN_ID={self.id}\0".encode() in (p / "environ").read_bytes() + b"\0":
                        found.append(int(p.name))
                except OSError:
                    pass
        return found

    def temporaries(self):
        return [p for p in self.dir.rglob("*") if p.name.startswith(".") or p.name.endswith(".tmp")]


@pytest.fixture
def run(tmp_path):
    r = Run(tmp_path)
    yield r
    left = r.processes()
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    assert not left, "processes outlived their rank"


# --- how it ends

@pytest.mark.parametrize("code", [0, 1, 7, 124, 125, 126, 127, 137, 255])
def test_exit_code(run, code):
    r = run.sh(f"exit {code}")
    assert r.returncode == code
    rec = run.record()
    assert (rec["exit_code"], rec["signal"], rec["failed_start"], rec["stopped"], rec["timed_out"]) == (code, 0, False, "", False)
    assert run.failed() == (None if code == 0 else "rank 0\n")
    assert rec["start_us"] <= rec["end_us"] and rec["maxrss_kb"] > 0
    assert not run.temporaries()


@pytest.mark.parametrize("name", ["KILL", "SEGV", "TERM", "ABRT", "PIPE"])
def test_signal(run, name):
    number = getattr(signal, "SIG" + name).value
    assert run.sh(f"kill -{name} $$").returncode == 128 + number
    rec = run.record()
    assert (rec["exit_code"], rec["signal"], rec["stopped"]) == (128 + number, number, "")
    assert run.failed() == "rank 0\n"


def test_not_found(run):
    assert run.run("no-such-program").returncode == 127
    assert run.record()["failed_start"] and run.record()["exit_code"] == 127
    assert b"no such program on PATH" in run.log()
    assert run.failed() == "rank 0\n"


@pytest.mark.parametrize("what,code,says", [("data", 126, b"Permission denied"), ("text", 126, b"Exec format error"),
                                            ("lost", 127, b"interpreter"), ("folder", 126, b"Permission denied")])
def test_not_executable(run, tmp_path, what, code, says):
    path = tmp_path / what
    if what == "folder":
        path.mkdir()
    else:
        path.write_text("#!/no/such/interpreter\n" if what == "lost" else "hello\n")
        path.chmod(0o644 if what == "data" else 0o755)
    assert run.run(str(path)).returncode == code
    assert run.record()["failed_start"] and run.record()["exit_code"] == code
    assert says in run.log()


def test_own_failure_is_told_from_the_commands(run):
    """126 and 127 of a shell are the command's own."""
    assert run.sh("no-such-program").returncode == 127
    assert not run.record()["failed_start"]


def test_workdir_missing(run):
    r = run.run("true", opts=["--workdir", "/no/such"])
    assert r.returncode == 125 and b"cannot enter the working directory '/no/such'" in r.stderr
    assert run.record()["failed_start"] and run.record()["exit_code"] == 125


def test_usage(run):
    r = subprocess.run([RANK, "--dir", str(run.dir), "--", "true"], capture_output=True, check=False)
    assert r.returncode == 125 and b"--attempt" in r.stderr


def test_folder_cannot_be_written(run):
    shutil.rmtree(run.dir)
    run.dir.write_text("")
    r = run.sh("echo never > /dev/null")
    assert r.returncode == 125 and b"cannot make the folder" in r.stderr
    run.dir.unlink()
    run.dir.mkdir()


# --- what it sees

def test_environment(run, tmp_path):
    vars_ = tmp_path / "vars"
    vars_.write_bytes(b"A=file\0B=two words\nand a line\0PYTHONUNBUFFERED=0\0")
    r = run.run("/usr/bin/env", "-0", env={"A": "own", "C": "own"}, ranks=4, rank=3,
                opts=["--env-file", vars_, "--dist", "pytorch", "--nodes", "2", "--master", "n1", "--image", "r/e@sha256:0"])
    assert r.returncode == 0
    seen = dict(x.split("=", 1) for x in run.log("std_log_process_3.txt").decode().split("\0") if x)
    want = {"A": "file", "B": "two words\nand a line", "C": "own", "PYTHONUNBUFFERED": "1", "ENVBUILD_RUN_ID": run.id, "ENVBUILD_ATTEMPT": "1",
            "ENVBUILD_OUTPUTS": f"{run.dir}/outputs", "ENVBUILD_LOGS": f"{run.dir}/logs", "ENVBUILD_IMAGE": "r/e@sha256:0",
            "MASTER_ADDR": "n1", "WORLD_SIZE": "4", "RANK": "3", "LOCAL_RANK": "1", "NODE_RANK": "1", "LOCAL_WORLD_SIZE": "2"}
    assert {k: seen.get(k) for k in want} == want


def test_env_file_missing(run):
    r = run.run("true", opts=["--env-file", run.dir / "none"])
    assert r.returncode == 125 and b"cannot read" in r.stderr and run.record()["exit_code"] == 125


@pytest.mark.parametrize("home", [None, "/no/such/home"])
def test_home(run, home):
    env = {k: v for k, v in os.environ.items() if k != "HOME"}
    if home:
        env["HOME"] = home
    subprocess.run(run.argv("/bin/sh", "-c", 'echo "$HOME"; touch "$HOME/x"'), env=env, check=True)
    assert run.log() == f"{run.dir}/home\n".encode() and (run.dir / "home/x").exists()


def test_home_of_its_own(run, tmp_path):
    assert run.sh('echo "$HOME"', env={"HOME": str(tmp_path)}).returncode == 0
    assert run.log() == f"{tmp_path}\n".encode()


def test_path_first(run, tmp_path):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/python").write_text("#!/bin/sh\necho mine $@\n")
    (tmp_path / "bin/python").chmod(0o755)
    assert run.run("python", "x", opts=["--path-first", tmp_path / "bin"]).returncode == 0
    assert run.log() == b"mine x\n"


def test_stdin_is_empty_and_descriptors_pass(run):
    """Launchers hand sockets down (PMI_FD): they stay open. stdin is nobody's."""
    r, w = os.pipe()
    os.set_inheritable(w, True)
    p = subprocess.Popen(run.argv("/bin/sh", "-c", f"cat; echo through > /proc/self/fd/{w}"), pass_fds=[w], stdin=subprocess.PIPE)
    assert p.wait(20) == 0
    os.close(w)
    assert os.read(r, 100) == b"through\n" and run.log() == b""
    os.close(r)
    p.stdin.close()


def test_outputs_and_logs(run):
    text = "echo a > outputs/a; echo b > 'logs/b c'; : > outputs/empty; ln -s a outputs/link; echo x > outputs/model/m; pwd"
    assert run.sh(text, opts=["--outputs", "model,data"]).returncode == 0
    assert run.log() == f"{run.dir}/code\n".encode()
    assert (run.dir / "outputs/a").read_text() == "a\n" and (run.dir / "logs/b c").read_text() == "b\n"
    assert (run.dir / "outputs/empty").stat().st_size == 0 and os.readlink(run.dir / "outputs/link") == "a"
    assert (run.dir / "outputs/model/m").exists() and (run.dir / "outputs/data").is_dir()


def test_code_from(run, tmp_path):
    src = tmp_path / "src"
    (src / "pkg").mkdir(parents=True)
    (src / "outputs").mkdir()
    (src / "outputs/old").write_text("old")
    (src / "main.sh").write_text("#!/bin/sh\ncat pkg/data link; echo > outputs/new\n")
    (src / "main.sh").chmod(0o755)
    (src / "pkg/data").write_text("data\n")
    (src / "link").symlink_to("pkg/data")
    os.utime(src / "pkg/data", ns=(5_000_000_007, 5_000_000_007))
    assert run.run("./main.sh", opts=["--code-from", src]).returncode == 0
    assert run.log() == b"data\ndata\n"
    assert (run.dir / "code/pkg/data").stat().st_mtime_ns == 5_000_000_007
    assert sorted(os.listdir(run.dir / "outputs")) == ["new", "old"]
    # what is there is not made again
    (run.dir / "code/pkg/data").write_text("mine\n")
    assert run.run("cat", "pkg/data", opts=["--code-from", src], attempt=2).returncode == 0
    assert (run.dir / "user_logs/retry_001/std_log.txt").read_bytes() == b"mine\n"
    assert not run.temporaries()


def test_code_from_by_many(run, tmp_path):
    """Ranks that share a folder: one of them makes the copy, none sees half of it."""
    src = tmp_path / "src"
    src.mkdir()
    for i in range(50):
        (src / f"f{i}").write_text(str(i))
    ranks = [run.start("/bin/sh", "-c", "cat f* | wc -c", rank=i, ranks=4, opts=["--code-from", src]) for i in range(4)]
    assert [p.wait(30) for p in ranks] == [0] * 4
    for i in range(4):
        assert run.log(f"std_log_process_{i}.txt").strip() == b"90"
    assert not run.temporaries()


# --- logs

def test_log_bytes(run):
    """NUL bytes, a partial last line, both streams in the order in which they were written, what was there before."""
    assert run.sh("printf 'a\\000b\\n'; echo err >&2; printf end").returncode == 0
    assert run.log() == b"a\0b\nerr\nend"
    assert run.sh("printf again").returncode == 0
    assert run.log() == b"a\0b\nerr\nendagain"


def test_log_interleaved(run):
    assert run.sh("i=0; while [ $i -lt 500 ]; do echo o$i; echo e$i >&2; i=$((i+1)); done").returncode == 0
    assert run.log() == b"".join(b"o%d\ne%d\n" % (i, i) for i in range(500))


def test_log_large(run):
    """100 MB go past us, not through us."""
    r = run.sh("head -c 100000000 /dev/zero; echo; echo end")
    assert r.returncode == 0 and r.stdout == b""
    path = run.dir / "user_logs/std_log.txt"
    assert path.stat().st_size == 100000005
    path.unlink()


def test_console(run):
    r = run.sh("head -c 3000000 /dev/zero; echo out; echo err >&2; printf 'x\\000'", opts=["--console"])
    assert r.returncode == 0 and r.stdout == b"\0" * 3000000 + b"out\nerr\nx\0"
    assert run.log() == r.stdout


def test_console_is_live(run):
    p = run.start("/bin/sh", "-c", "echo first; while [ ! -e go ]; do sleep 0.05; done; echo last", opts=["--console"])
    assert p.stdout.readline() == b"first\n"
    (run.dir / "code/go").write_text("")
    assert p.communicate(timeout=20)[0] == b"last\n" and p.returncode == 0


def test_console_reader_gone(run):
    """Whoever read our stdout went away: the log is whole, the code the command's."""
    p = run.start("/bin/sh", "-c", "echo first; while [ ! -e go ]; do sleep 0.05; done; head -c 1000000 /dev/zero; exit 5", opts=["--console"])
    assert p.stdout.readline() == b"first\n"
    p.stdout.close()
    (run.dir / "code/go").write_text("")
    assert p.wait(20) == 5 and len(run.log()) == 1000006


def test_console_reader_stuck(run):
    """The command does not wait for it."""
    p = run.start("/bin/sh", "-c", "head -c 1000000 /dev/zero; touch done; exit 5", opts=["--console"])
    until((run.dir / "code/done").exists)
    assert p.communicate(timeout=30)[0] == b"\0" * 1000000 and p.returncode == 5


# --- cancel, timeout, signals

TRAP = "trap 'echo saving; sleep 0.3; echo saved > outputs/checkpoint; exit 9' TERM; echo ready; while :; do sleep 0.05; done"


def ready(run, name="std_log.txt"):
    return until(lambda: b"ready\n" in run.log(name))


def test_cancel_saves(run):
    p = run.start("/bin/sh", "-c", TRAP)
    ready(run)
    run.cancel()
    assert p.wait(20) == 9
    assert (run.dir / "outputs/checkpoint").exists()
    assert run.record()["stopped"] == "cancel" and run.record()["exit_code"] == 9 and run.failed() is None


def test_cancel_saves_behind_a_shell(run):
    """The shell in front dies of TERM at once; what it started has the rest of the grace."""
    p = run.start("/bin/sh", "-c", f'/bin/sh -c "{TRAP}"; echo never')
    ready(run)
    run.cancel()
    assert p.wait(20) == 143
    assert (run.dir / "outputs/checkpoint").exists() and b"never" not in run.log()
    assert run.record()["stopped"] == "cancel" and run.record()["signal"] == 15


def test_cancel_ignored(run):
    p = run.start("/bin/sh", "-c", "trap '' TERM; echo ready; while :; do sleep 0.05; done", opts=["--grace", "1"])
    ready(run)
    run.cancel()
    assert p.wait(20) == 137
    rec = run.record()
    assert rec["stopped"] == "cancel" and rec["signal"] == 9 and rec["end_us"] - rec["start_us"] >= 1000000


def test_cancel_before_start(run):
    run.cancel()
    assert run.sh("echo never").returncode == 143
    assert run.log() == b"" and run.record()["stopped"] == "cancel" and run.record()["exit_code"] == 143


def test_cancel_of_a_stopped_command(run):
    p = run.start("/bin/sh", "-c", "echo $$; echo ready; kill -STOP $$; echo never")
    ready(run)
    pid = int(run.log().split()[0])
    until(lambda: pathlib.Path(f"/proc/{pid}/stat").read_text().split(") ")[1][0] == "T")
    run.cancel()
    assert p.wait(20) == 143


def test_timeout(run):
    p = run.run("/bin/sh", "-c", "trap 'exit 0' TERM; while :; do sleep 0.05; done", opts=["--timeout", "1"])
    assert p.returncode == 124
    rec = run.record()
    assert rec["timed_out"] and rec["stopped"] == "timeout" and rec["exit_code"] == 0 and run.failed() is None
    assert 1000000 <= rec["end_us"] - rec["start_us"] < 10000000


def test_timeout_of_a_stopped_command_that_ignores_term(run):
    r = run.sh("trap '' TERM; kill -STOP $$; kill -STOP $$; kill -STOP $$; while :; do sleep 0.05; done", opts=["--timeout", "1", "--grace", "1"])
    assert r.returncode == 124 and run.record()["signal"] == 9


@pytest.mark.parametrize("name", ["TERM", "INT", "HUP", "USR1", "USR2"])
def test_signal_is_passed_on(run, name):
    p = run.start("/bin/sh", "-c", f"trap 'echo got {name}; exit 3' {name}; echo ready; while :; do sleep 0.05; done")
    ready(run)
    p.send_signal(getattr(signal, "SIG" + name))
    assert p.wait(20) == 3
    assert b"got " + name.encode() in run.log()
    assert run.record()["stopped"] == ("signal" if name == "TERM" else "")


def test_signal_it_dies_of(run):
    p = run.start("/bin/sh", "-c", "echo ready; while :; do sleep 0.05; done")
    ready(run)
    p.send_signal(signal.SIGINT)
    assert p.wait(20) == 130
    assert run.record()["stopped"] == "signal" and run.record()["signal"] == 2 and run.failed() is None


def test_signals_ignored_by_whoever_started_us(run):
    """srun's wrapper ignores TERM, Python PIPE; the command has them as they were born, and so have we."""
    p = run.start("/bin/sh", "-c", "echo ready; while :; do sleep 0.05; done", before=["/bin/sh", "-c", 'trap "" TERM PIPE; exec "$@"', "sh"])
    ready(run)
    p.send_signal(signal.SIGTERM)
    assert p.wait(20) == 143
    assert run.sh("yes | head -n 1; kill -PIPE $$").returncode == 141


def test_own_group_only(run):
    """Slurm signals every process itself; what we get is not passed on."""
    p = run.start("/bin/sh", "-c", "trap 'echo once' TERM; echo $$; echo ready; while [ ! -e go ]; do sleep 0.05; done; exit 6", opts=["--own-group-only"])
    ready(run)
    pid = int(run.log().split()[0])
    os.kill(pid, signal.SIGTERM)
    p.send_signal(signal.SIGTERM)
    until(lambda: b"once" in run.log())
    (run.dir / "code/go").write_text("")
    assert p.wait(20) == 6
    assert run.log().count(b"once") == 1 and run.record()["stopped"] == "signal"


def test_own_group_only_shell_dies_first(run):
    p = run.start("/bin/sh", "-c", f'/bin/sh -c "echo \\$\\$; {TRAP}"; :', opts=["--own-group-only"])
    ready(run)
    inner = int(run.log().split()[0])
    shell = int(pathlib.Path(f"/proc/{inner}/stat").read_text().rsplit(") ", 1)[1].split()[1])
    for pid in (shell, inner, p.pid):
        os.kill(pid, signal.SIGTERM)
    assert p.wait(20) == 143
    assert (run.dir / "outputs/checkpoint").exists() and run.record()["stopped"] == "signal"


# --- peers

def test_first_failure_is_one(run):
    ranks = [run.start("/bin/sh", "-c", f"while [ ! -e go ]; do sleep 0.01; done; exit {10 + i}", rank=i, ranks=8) for i in range(8)]
    until(lambda: all(run.record(i) for i in range(8)) and (run.dir / "code").exists())
    (run.dir / "code/go").write_text("")
    assert [p.wait(20) for p in ranks] == [10 + i for i in range(8)]
    first = run.failed()
    assert first in [f"rank {i}\n" for i in range(8)]
    assert not run.temporaries()


def test_peer_stops_the_rest(run):
    a = run.start("/bin/sh", "-c", TRAP, rank=0, ranks=2, opts=["--peer-grace", "0"])
    ready(run, "std_log_process_0.txt")
    b = run.start("/bin/sh", "-c", "exit 11", rank=1, ranks=2)
    assert b.wait(20) == 11 and a.wait(20) == 9
    assert run.failed() == "rank 1\n" and run.record(0)["stopped"] == "peer" and run.record(1)["stopped"] == ""
    assert (run.dir / "outputs/checkpoint").exists()


def test_peer_has_its_time(run):
    """It may end by itself before."""
    a = run.start("/bin/sh", "-c", "echo ready; while [ ! -e ../status/1/failed ]; do sleep 0.01; done; sleep 0.2; exit 0", rank=0, ranks=2)
    ready(run, "std_log_process_0.txt")
    assert run.sh("exit 11", rank=1, ranks=2).returncode == 11
    assert a.wait(20) == 0 and run.record(0)["stopped"] == ""


def test_peer_of_another_attempt(run):
    assert run.sh("exit 1", rank=0, ranks=2).returncode == 1
    assert run.sh("sleep 0.2", rank=0, ranks=2, attempt=2, opts=["--peer-grace", "0"]).returncode == 0
    assert run.failed(2) is None
    assert (run.dir / "user_logs/retry_001/std_log_process_0.txt").exists()


# --- nobody is left

@pytest.mark.parametrize("text", [
    "(setsid sleep 999 &); exit 3",
    "setsid sh -c '(setsid sleep 999 &) & exec sleep 998' & until pgrep -x sleep > /dev/null; do :; done; exit 3",
    "i=0; while [ $i -lt 50 ]; do setsid sleep 999 & i=$((i+1)); done; exit 3",
    "trap '' TERM HUP; sh -c 'trap \"\" TERM; while :; do sleep 1; done' & exit 3",
    "sleep 999 & kill -STOP $!; exit 3"])
def test_no_orphan(run, text):
    """The fixture looks for what is left."""
    assert run.sh(text).returncode == 3
    assert run.processes() == []
    assert run.record()["end_us"]


def test_fork_bomb(run):
    """50 that make another whenever one dies."""
    text = "b() { while :; do sleep 999; done; }; i=0; while [ $i -lt 50 ]; do (b & b & wait) & i=$((i+1)); done; echo ready; exit 4"
    assert run.sh(text).returncode == 4
    assert run.processes() == []


def test_orphans_are_reaped_meanwhile(run):
    p = run.start("/bin/sh", "-c", "for i in 1 2 3 4 5; do (setsid true &); done; echo ready; while [ ! -e go ]; do sleep 0.05; done")
    ready(run)

    def zombies():
        found = []
        for q in pathlib.Path("/proc").iterdir():
            try:
                fields = (q / "stat").read_text().rsplit(") ", 1)[1].split() if q.name.isdigit() else ["", "0"]
            except OSError:
                continue
            if fields[0] == "Z" and int(fields[1]) == p.pid:
                found.append(q.name)
        return found

    until(lambda: not zombies())
    (run.dir / "code/go").write_text("")
    assert p.wait(20) == 0


def test_killed_itself(run):
    """kill -9 of us: the command does not go on with nobody to write down how it ended; the record says that it did not end."""
    p = run.start("/bin/sh", "-c", "echo ready; exec sleep 999")
    ready(run)
    p.kill()
    assert p.wait(20) == -9
    until(lambda: not run.processes())
    assert run.record()["start_us"] and "end_us" not in run.record()


def test_pid_1(run):
    """In a pid namespace of its own: kill -9 $$ is what it is, orphans end, TERM arrives."""
    space = ["unshare", "--fork", "--pid", "--mount-proc", "--kill-child"]
    if subprocess.run([*space, "true"], capture_output=True, check=False).returncode:
        pytest.skip("no pid namespaces here")
    assert run.sh("(setsid sleep 999 &); kill -9 $$", before=space).returncode == 137
    assert run.record()["pid"] == 1 and run.record()["signal"] == 9
    p = run.start("/bin/sh", "-c", TRAP.replace("ready", "up; touch up"), before=space, attempt=2)
    until((run.dir / "code/up").exists)
    shim = until(lambda: [int(x) for x in pathlib.Path(f"/proc/{p.pid}/task/{p.pid}/children").read_text().split()])[0]
    os.kill(shim, signal.SIGTERM)
    assert p.wait(20) == 9 and run.record(attempt=2)["stopped"] == "signal"


# --- the record

def test_record_while_it_runs(run):
    p = run.start("/bin/sh", "-c", "echo ready; while [ ! -e go ]; do sleep 0.05; done")
    ready(run)
    rec = run.record()
    assert rec["pid"] == p.pid and rec["host"] == os.uname().nodename and rec["start_us"] and "end_us" not in rec
    (run.dir / "code/go").write_text("")
    assert p.wait(20) == 0 and run.record()["end_us"]


def test_termination_log(run, tmp_path):
    last = tmp_path / "last"
    last.write_text("x" * 10000)
    assert run.sh("exit 3", opts=["--termination-log", last]).returncode == 3
    assert json.loads(last.read_text()) == run.record()


@pytest.mark.skipif(os.geteuid() != 0, reason="mounts a small disk")
@pytest.mark.parametrize("how", ["bytes", "files"])
def test_disk_full(run, how):
    """The record was given its room before the command could take it."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k,nr_inodes=40", "tmpfs", str(run.dir)], check=True)
    try:
        fill = "cat /dev/zero > outputs/big" if how == "bytes" else "i=0; while touch outputs/$i; do i=$((i+1)); done"
        assert run.sh(f"{fill}; exit 9").returncode == 9
        assert run.record()["exit_code"] == 9 and run.record()["end_us"]
    finally:
        subprocess.run(["umount", str(run.dir)], check=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="mounts a small disk")
def test_disk_full_and_no_room(run):
    """Somebody took it: said where one can still say it, with how the command ended."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k,nr_inodes=40", "tmpfs", str(run.dir)], check=True)
    try:
        r = run.sh("rm ../status/1/.rank-0.end; cat /dev/zero > outputs/big; exit 9")
        assert r.returncode == 125 and b"ended with 9" in r.stderr and b"No space left" in r.stderr
    finally:
        subprocess.run(["umount", str(run.dir)], check=True)


def test_record_is_whole_whenever_looked_at(run):
    """kill -9 at any moment: what is there can be read."""
    for i in range(40):
        p = run.start("/bin/sh", "-c", "exit 3", attempt=i + 1)
        time.sleep(i * 0.0005)
        p.kill()
        p.wait(20)
        path = run.dir / f"status/{i + 1}/rank-0.json"
        if path.exists():
            json.loads(path.read_text())


def test_static_and_small():
    out = subprocess.run(["readelf", "-lW", RANK], capture_output=True, text=True, check=True).stdout
    assert "INTERP" not in out and "DYNAMIC" not in out
    size = sum(int(line.split()[4], 16) for line in out.splitlines() if line.split()[:1] == ["LOAD"])
    assert size < 900_000


def test_use_over_time(tmp_path):
    """Memory and processor time, of children too, while it runs."""
    r = Run(tmp_path)
    use = r.dir / "status/1/usage-0.jsonl"
    script = "x=bytearray(60_000_000); x[::4096]=b'1'*len(x[::4096]); print('ready', flush=True); import sys, time; exec('while True: pass')"
    p = subprocess.Popen(r.argv("sh", "-c", f'{shutil.which("python3")} -c "$SCRIPT"; :'), env=dict(os.environ, SCRIPT=script))
    until(lambda: use.exists() and use.read_text().endswith("\n"))
    line = json.loads(use.read_text().splitlines()[0])
    (r.dir / "status/cancel").write_text("")
    assert p.wait(timeout=60) == 128 + signal.SIGTERM
    assert line["rss_kb"] > 50_000 and line["cpu_ms"] > 0 and abs(line["t"] / 1e6 - time.time()) < 60
