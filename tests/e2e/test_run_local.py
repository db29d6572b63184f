"""What holds for every run on this machine (specs: executors, §10), in the sandbox and on the bare machine: codes, logs, cancel, time, leftovers, outputs,
and kills of whoever looks after it."""
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import time

import pytest

from conftest import base_files, let_pass, make_layout

APPLETS = ("setsid", "dd", "seq", "printf", "wc", "head", "ps", "nproc", "df", "date", "usleep", "yes", "od", "grep", "cut", "test", "rm", "ln", "id")


@pytest.fixture(scope="session")
def layout(tmp_path_factory):
    files = base_files({f"usr/bin/{a}": ("link", "busybox") for a in APPLETS})
    return make_layout(tmp_path_factory.mktemp("local") / "layout", files, {"Env": ["PATH=/usr/local/bin:/usr/bin:/bin"], "Cmd": ["sh"]})


class Run:
    """One run's folder."""

    def __init__(self, env, run_id):
        self.env, self.id = env, run_id
        self.at = pathlib.Path(env.env["ENVBUILD_RUNS_DIR"]) / run_id

    @property
    def doc(self):
        return json.loads((self.at / "run.json").read_text())

    def log(self, rank=None):
        return (self.at / "user_logs" / ("std_log.txt" if rank is None else f"std_log_process_{rank}.txt")).read_bytes()

    def wait(self, code):
        self.env.run("runs", "wait", self.id, code=code)
        return self.doc

    def cancel(self):
        self.env.run("runs", "cancel", self.id)

    def until(self, what, seconds=60):
        end = time.monotonic() + seconds
        while not what(self):
            assert time.monotonic() < end, self.doc
            time.sleep(0.01)

    def until_file(self, name):
        self.until(lambda r: (r.at / name).exists())

    def supervisor(self):
        return json.loads((self.at / "status" / str(self.doc.get("attempt", 1)) / "supervisor.json").read_text())["pid"]

    def left(self):
        """Processes of the run, by their environment: what an orphan cannot take off."""
        found = []
        for p in pathlib.Path("/proc").iterdir():
            try:
                if p.name.isdigit() and f"ENVBUILD_RUN_ID={self.id}".encode() in (p / "environ").read_bytes().split(b"\0"):
                    found.append((p / "cmdline").read_bytes())
            except OSError:
                pass
        return found

    def clean(self):
        end = time.monotonic() + 10
        while self.left():
            assert time.monotonic() < end, self.left()
            time.sleep(0.02)
        assert not (self.at / "submit/rank.env").exists()
        return self


@pytest.fixture(params=["local", "process"])
def here(request, env, layout):
    env.env["ENVBUILD_RUNS_DIR"] = str(env.folder / "runs")
    env.target = request.param
    if env.target == "local":
        env.write("env.yml", f"name: small\nenvbuild:\n  base: oci:{layout}:base\n")
        env.image = env.run("build", "env.yml").line

    def start(command, code=None, n=1, grace=5, timeout=None, more="", wait=True, **kw):
        """Submits; waits when a code is given."""
        x = f"x-envbuild: {{grace: {grace}{kw.pop('x', '')}}}\n"
        text = f"type: command\nname: t\ncommand: {json.dumps(command)}\n{x}{more}"
        if env.target == "local":
            text += f"environment: {{image: {json.dumps(env.image)}}}\n"
        if n > 1:
            text += f"distribution: {{type: pytorch, process_count_per_instance: {n}}}\n"
        if timeout:
            text += f"limits: {{timeout: {timeout}}}\n"
        env.write("job.yml", text)
        r = Run(env, env.run("run", "job.yml", "--on", env.target, "--no-wait", **kw).line)
        if code is not None:
            r.wait(code)
            r.clean()
        return r

    env.start = start
    return env


@pytest.mark.parametrize("command,code,state,reason", [
    ("true", 0, "Completed", ""), ("exit 1", 1, "Failed", "exit-code"), ("exit 7", 7, "Failed", "exit-code"), ("exit 125", 125, "Failed", "exit-code"),
    ("exit 126", 126, "Failed", "exit-code"), ("exit 127", 127, "Failed", "exit-code"), ("exit 137", 137, "Failed", "exit-code"),
    ("exit 255", 255, "Failed", "exit-code"), ("kill -SEGV $$", 139, "Failed", "signal"), ("kill -KILL $$", 137, "Failed", "signal")])
def test_exit_codes(here, command, code, state, reason):
    doc = here.start(command, code).doc
    assert doc["state"] == state and doc.get("reason", "") == reason


def test_run_ends_with_the_command_s_code_and_shows_its_log(here):
    here.start("true", 0)
    r = here.run("run", "job.yml", "--on", here.target)
    assert r.code == 0
    here.write("job.yml", (here.work / "job.yml").read_text().replace('"true"', '"echo out; echo err >&2; exit 7"'))
    r = here.run("run", "job.yml", "--on", here.target, code=7)
    assert r.out == "out\nerr\n"


def test_a_command_that_is_not_there(here):
    args = ["run", "--on", here.target, "--no-wait", *([here.image] if here.target == "local" else [])]
    r = Run(here, here.run(*args, "--", "no-such-program").line)
    assert r.wait(127)["reason"] == "launch-failed"
    r = Run(here, here.run(*args, "--", "/etc/passwd").line)
    assert r.wait(126)["reason"] == "launch-failed"


def test_the_first_rank_that_fails_is_named(here):
    r = here.start('echo "rank $RANK of $WORLD_SIZE at $MASTER_ADDR"; [ $RANK = 1 ] && exit 11; sleep 0.5', 11, n=2)
    assert r.doc["first_bad_rank"] == 1
    assert r.log(1) == b"rank 1 of 2 at 127.0.0.1\n"


def test_logs_are_whole(here):
    """100 MB, NUL bytes, a last line without an end."""
    r = here.start("dd if=/dev/zero bs=1000000 count=100 2>/dev/null; printf 'no end'; printf '\\0\\0x'", 0)
    log = r.log()
    assert len(log) == 100_000_000 + 9 and log.endswith(b"no end\0\0x")


def test_logs_are_followed(here):
    r = here.start("echo first; while [ ! -e outputs/go ]; do sleep 0.02; done; printf last")
    p = here.popen("runs", "logs", "-f", r.id)
    assert p.stdout.readline() == "first\n"
    (r.at / "outputs/go").touch()
    out, err = p.communicate(timeout=60)
    assert out.startswith("last") and p.returncode == 0, err
    r.wait(0)


def test_cancel_lets_it_save(here):
    r = here.start("trap 'sleep 3; echo saved > outputs/checkpoint; exit 9' TERM; echo > outputs/ready; while :; do sleep 0.05; done", grace=20)
    r.until_file("outputs/ready")
    r.cancel()
    r.cancel()
    assert r.wait(130)["state"] == "Canceled"
    assert (r.at / "outputs/checkpoint").read_text() == "saved\n"
    r.cancel()
    assert r.clean().doc["state"] == "Canceled"


def test_cancel_that_is_ignored(here):
    r = here.start("trap '' TERM INT; echo > outputs/ready; while :; do sleep 0.05; done", grace=1)
    r.until_file("outputs/ready")
    begin = time.monotonic()
    r.cancel()
    assert r.wait(130)["state"] == "Canceled"
    assert time.monotonic() - begin < 10
    r.clean()


def test_cancel_of_one_that_is_over(here):
    r = here.start("exit 3", 3)
    r.cancel()
    assert r.doc["state"] == "Failed" and r.doc["exit_code"] == 3


def test_cancel_at_any_moment(here):
    """Before it has begun, while it begins, while it runs: it ends as cancelled, or had ended."""
    rng = random.Random(2)
    for _ in range(10):
        r = here.start("sleep 600", grace=2)
        time.sleep(rng.random() * 0.2)
        r.cancel()
        assert r.wait(130)["state"] == "Canceled"
        r.clean()


def test_timeout(here):
    begin = time.monotonic()
    r = here.start("sleep 600", 124, timeout=2)
    assert r.doc["reason"] == "timeout" and 2 <= time.monotonic() - begin < 20


def test_timeout_of_one_that_was_stopped(here):
    r = here.start("kill -STOP $$", 124, timeout=1, grace=1)
    assert r.doc["reason"] == "timeout"


@pytest.mark.parametrize("command", ["(setsid sleep 999 &)", "(setsid sh -c 'sleep 999 & sleep 999 &' &)", "i=0; while [ $i -lt 50 ]; do sleep 999 & i=$((i+1)); done",
                                     "(trap '' TERM HUP; setsid sh -c \"trap '' TERM; sleep 999\" &)"])
def test_nobody_is_left(here, command):
    here.start(command + "; echo > outputs/ready; exit 4", 4)


def test_outputs(here):
    r = here.start("cd outputs; echo x > 'with blank'; : > empty; ln -s empty link; echo y > \"$(printf 'line\\nend')\"; mkdir many; cd many; "
                   "for i in $(seq 10000); do : > $i; done; cd ..; mkdir closed; echo z > closed/z; echo event > ../logs/events", 0)
    out = r.at / "outputs"
    assert (out / "with blank").read_text() == "x\n" and (out / "empty").stat().st_size == 0 and os.readlink(out / "link") == "empty"
    assert (out / "line\nend").read_text() == "y\n" and len(list((out / "many").iterdir())) == 10000
    assert (r.at / "logs/events").read_text() == "event\n"


def test_inputs_and_variables(here):
    (here.work / "data").mkdir()
    (here.work / "data/x").write_text("content\n")
    r = here.start('cat "${{inputs.data}}/x"; echo $STAGE; (echo y > "${{inputs.data}}/x") 2>/dev/null && echo written; :', 0,
                   more=f"inputs: {{data: {{type: uri_folder, path: {here.work}/data}}}}\nenvironment_variables: {{STAGE: dev}}\n")
    assert r.log() == b"content\ndev\n" + (b"" if here.target == "local" else b"written\n")
    if here.target == "process":
        return
    r = here.start('cat "${{inputs.data}}/x"; pwd', 0,
                   more=f"inputs: {{data: {{type: uri_folder, path: {here.work}/data, mode: download}}}}\n")
    assert r.log() == b"content\n/mnt/run/code\n"


def test_what_a_rank_sees(here):
    r = here.start("id -u; test -w $HOME && echo home; df -P /dev/shm | grep -c shm; test -e /sys/kernel && echo sys", 0, more="resources: {shm_size: 16m}\n")
    assert r.log().decode().splitlines()[1:2] == ["home"]
    if here.target == "local":
        r = here.start("df -P -k /dev/shm; grep -c : /etc/passwd", 0, more="resources: {shm_size: 16m}\n")
        assert b" 16384 " in r.log()


@pytest.mark.skipif(os.geteuid() != 0, reason="mounts a file system")
def test_a_full_disk_is_said(here):
    disk = here.folder / "small"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "small", str(disk)], check=True)
    try:
        here.env["ENVBUILD_RUNS_DIR"] = str(disk)
        r = here.start("dd if=/dev/zero of=outputs/big bs=1000000 count=8; exit 0")
        here.run("runs", "wait", r.id, code=None)
        assert r.doc["state"] in ("Failed", "Completed"), "it is over, and run.json can be read"
        r = r.clean()
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


def test_the_command_line_may_die(here):
    """Killed with its terminal's group while it waits."""
    here.start("true", 0)
    here.write("job.yml", (here.work / "job.yml").read_text().replace('"true"', '"echo > outputs/ready; while [ ! -e outputs/go ]; do sleep 0.02; done; exit 6"'))
    p = here.popen("run", "job.yml", "--on", here.target, start_new_session=True)
    runs = pathlib.Path(here.env["ENVBUILD_RUNS_DIR"])
    end = time.monotonic() + 60
    while not (ready := list(runs.glob("*/outputs/ready"))):
        assert time.monotonic() < end and p.poll() is None
        time.sleep(0.01)
    os.killpg(p.pid, signal.SIGKILL)
    p.wait()
    p.communicate()
    r = Run(here, ready[0].parts[-3])
    (r.at / "outputs/go").touch()
    assert r.wait(6)["state"] == "Failed"
    r.clean()


@pytest.mark.parametrize("where", ["before-token", "before-submit", "after-submit", "before-record", "after-record"])
def test_it_is_submitted_once(here, where):
    here.start("true", 0)
    here.write("job.yml", (here.work / "job.yml").read_text().replace('"true"', '"echo x >> outputs/tries; exit 6"'))
    runs = pathlib.Path(here.env["ENVBUILD_RUNS_DIR"])
    before = set(runs.iterdir())
    here.run("run", "job.yml", "--on", here.target, "--no-wait", code=-9, env={"ENVBUILD_FAULT": where})
    (at,) = set(runs.iterdir()) - before
    r = Run(here, at.name)
    if where == "before-token":
        assert r.wait(125)["reason"] == "lost"
        assert not (at / "outputs/tries").exists()
        return
    assert r.wait(6)["exit_code"] == 6
    assert (at / "outputs/tries").read_text() == "x\n"
    r.clean()


@pytest.mark.parametrize("where", ["supervise-claimed", "supervise-launched", "supervise-ended"])
def test_a_supervisor_that_dies(here, where):
    r = here.start("sleep 0.3; exit 6", env={"ENVBUILD_FAULT": where}) if where != "supervise-claimed" else None
    if r:
        assert r.wait(6)["exit_code"] == 6
        r.clean()
        return
    here.start("true", 0)
    here.run("run", "job.yml", "--on", here.target, "--no-wait", code=None, env={"ENVBUILD_FAULT": where})
    runs = sorted(pathlib.Path(here.env["ENVBUILD_RUNS_DIR"]).iterdir(), key=lambda p: p.stat().st_ctime)
    assert Run(here, runs[-1].name).wait(125)["reason"] == "launch-failed"


def test_a_supervisor_that_dies_at_any_moment(here):
    rng = random.Random(1)
    for _ in range(20 if here.target == "local" else 40):
        r = here.start("sleep 0.05; exit 9", n=2)
        time.sleep(rng.random() * 0.15)
        try:
            os.kill(r.supervisor(), signal.SIGKILL)
        except ProcessLookupError:
            pass
        here.run("runs", "wait", r.id, code=None)
        doc = r.doc
        assert doc["state"] == "Failed" and (doc["reason"] == "lost" or doc["exit_code"] == 9), doc
        r.clean()


RENDEZVOUS = """
import os, socket
rank, size = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
where = (os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"]))
if rank == 0:
    with socket.create_server(where) as s:
        got = []
        for _ in range(size - 1):
            c, _ = s.accept()
            got.append(int(c.makefile().readline()))
            c.sendall(b"42\\n")
        print("sum", sum(got))
else:
    while True:
        try:
            c = socket.create_connection(where)
            break
        except ConnectionRefusedError:
            pass
    c.sendall(b"%d\\n" % rank)
    print("told", c.makefile().readline().strip())
"""


@pytest.mark.skipif(not os.path.exists("/usr/bin/python3"), reason="no python of the system to show to the sandbox")
def test_two_ranks_meet(here):
    (here.work / "src").mkdir()
    (here.work / "src/meet.py").write_text(RENDEZVOUS)
    mounts = "" if here.target == "process" else ", mounts: [{src: /usr, dst: /usr, ro: true}, {src: /usr/lib64, dst: /lib64, ro: true}, {src: /usr/lib, dst: /lib, ro: true}]"
    r = here.start("/usr/bin/python3 meet.py", 0, n=2, more="code: src\n", x=mounts)
    assert r.log(0) == b"sum 1\n" and r.log(1) == b"told 42\n"


@pytest.mark.skipif(not shutil.which("mpirun"), reason="no mpirun")
def test_mpi(here):
    if here.target == "local":
        r = here.start("true", more="distribution: {type: mpi, process_count_per_instance: 2}\n")
        assert r.wait(125)["reason"] == "launch-failed" and "mpirun" in r.doc["message"]
        r.clean()
        return
    r = here.start('echo "$OMPI_COMM_WORLD_RANK of $OMPI_COMM_WORLD_SIZE"', 0, more="distribution: {type: mpi, process_count_per_instance: 2}\n")
    assert [r.log(i) for i in (0, 1)] == [b"0 of 2\n", b"1 of 2\n"]
    r = here.start('[ $OMPI_COMM_WORLD_RANK = 0 ] || exit 11; sleep 1', 11, more="distribution: {type: mpi, process_count_per_instance: 2}\n")
    assert r.doc["first_bad_rank"] == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="becomes somebody else")
@pytest.mark.parametrize("who", ["nobody", "the image's"])
def test_of_another_user(env, layout, who):
    """An ordinary user's run; and root's in an image whose user is another: he may write the run's folder, and has a name."""
    env.env["ENVBUILD_RUNS_DIR"] = str(env.folder / "runs")
    env.write("env.yml", f"name: small\nenvbuild:\n  base: oci:{layout}:base\n" + ("  user: '4711:4711'\n" if who != "nobody" else ""))
    env.base = layout
    kw = let_pass(env, "nobody") if who == "nobody" else {}
    image = env.run("build", "env.yml", **kw).line
    r = env.run("run", "--on", "local", "-e", "STAGE=dev", image, "--", "sh", "-c", "id -u; id -un; echo $STAGE; echo x > outputs/x; mkdir code; echo y > y; exit 3", code=3, **kw)
    assert r.out.splitlines() == (["0", "root"] if who == "nobody" else ["4711", "envbuild"]) + ["dev"]
    (at,) = pathlib.Path(env.env["ENVBUILD_RUNS_DIR"]).iterdir()
    assert (at / "outputs/x").read_text() == "x\n"
    Run(env, at.name).clean()
