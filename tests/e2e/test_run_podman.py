"""Runs in podman and docker: codes, logs, signals, cancel, timeout, kills of everybody in between, secrets; nothing is left at the engine."""
import contextlib
import json
import os
import pathlib
import re
import signal
import subprocess
import time

import pytest

from conftest import program
from container_world import ENGINES


def until(what, seconds=60):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = what()
        if value:
            return value
        time.sleep(0.02)
    raise AssertionError("waited in vain")


def alive(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1][0] not in "ZX"
    except OSError:
        return False


def with_id(id_):
    """Processes of this machine that have the run's id in their environment: argv of each."""
    found = {}
    for p in pathlib.Path("/proc").iterdir():
        if p.name.isdigit():
            with contextlib.suppress(OSError):
                if f"ENVBUILD_RUN_ID={id_}\0".encode() in (p / "environ").read_bytes() + b"\0" and alive(int(p.name)):
                    found[int(p.name)] = (p / "cmdline").read_bytes().split(b"\0")
    return found


class World:
    def __init__(self, env, engine):
        self.env, self.engine = env, engine
        self.runs = env.folder / "runs"

    def args(self, *command, flags=()):
        return ["run", self.env.image, "--on", "here", *flags, "--", *command]

    def sh(self, text, code=0, flags=(), **kw):
        r = self.env.run(*self.args("sh", "-c", text, flags=flags), code=code, **kw)
        self.look(r.err)
        return r

    def start(self, text, flags=(), **kw):
        """Started and left alone; its id."""
        r = self.env.run(*self.args("sh", "-c", text, flags=("--no-wait", *flags)), **kw)
        self.look(r.out + r.err)
        return self.id

    def look(self, text):
        found = re.search(r"\b([a-z0-9-]+-\d{8}-[a-z0-9]{6})\b", text)
        assert found, text
        self.id = found[1]
        self.dir = self.runs / self.id

    def record(self):
        return json.loads((self.dir / "run.json").read_text())

    def state(self):
        r = self.record()
        return r["state"], r.get("reason", ""), r.get("exit_code")

    def rank(self, n=0, attempt=1):
        path = self.dir / f"status/{attempt}/rank-{n}.json"
        return json.loads(path.read_text()) if path.exists() else {}

    def log(self, name="std_log.txt"):
        path = self.dir / "user_logs" / name
        return path.read_bytes() if path.exists() else b""

    def said(self, text, name="std_log.txt"):
        return until(lambda: text in self.log(name))

    def cancel(self):
        (self.dir / "status/cancel").write_text("")

    def over(self):
        return until(lambda: self.record()["state"] in ("Completed", "Failed", "Canceled") and self.record())

    def supervisor(self):
        return json.loads((self.dir / "status/1/supervisor.json").read_text())["pid"]

    def nothing_left(self):
        until(lambda: not with_id(self.id))
        assert self.engine.containers(self.id) == []


@pytest.fixture(scope="module", params=list(ENGINES))
def engine(request):
    with ENGINES[request.param]() as e:
        yield e


@pytest.fixture
def world(env, engine, definition):
    env.env.update(engine.env)
    env.env["ENVBUILD_RUNS_DIR"] = str(env.folder / "runs")
    config = env.home / ".config/envbuild/compute.d"
    config.mkdir(parents=True)
    (config / "here.yml").write_text(engine.profile)
    definition()
    env.image = env.run("build", "env.yml").line
    w = World(env, engine)
    yield w
    if getattr(w, "id", None):
        w.nothing_left()


# --- how it ends

@pytest.mark.parametrize("code", [0, 1, 7, 125, 126, 127, 137, 255])
def test_exit_code(world, code):
    world.sh(f"exit {code}", code=code)
    assert world.record()["state"] == ("Completed" if code == 0 else "Failed")
    assert world.rank()["exit_code"] == code and world.rank()["failed_start"] is False


@pytest.mark.parametrize("name", ["KILL", "SEGV"])
def test_signal(world, name):
    """As pid 1 of a container `kill -9 $$` would do nothing and the code would be 0."""
    number = getattr(signal, "SIG" + name).value
    world.sh(f"kill -{name} $$", code=128 + number)
    assert world.state()[:2] == ("Failed", "signal")


def test_not_found(world):
    r = world.env.run(*world.args("no-such-program"), code=127)
    world.look(r.err)
    assert b"no such program" in world.log() and world.rank()["failed_start"]


def test_what_the_engine_refuses(world):
    """create fails: that is not the command's code."""
    config = world.env.home / ".config/envbuild/compute.d/here.yml"
    config.write_text(world.engine.profile.replace("[--runtime, runc]", "[--runtime, runc, --no-such-option]") + (
        "" if "runtime_args" in world.engine.profile else "runtime_args: [--no-such-option]\n"))
    r = world.env.run(*world.args("true"), code=125)
    world.look(r.err)
    assert world.state()[:2] == ("Failed", "launch-failed")
    assert "no-such-option" in world.record()["message"]


def test_start_fails(world):
    """The container can be made but not started: its entrypoint is covered."""
    config = world.env.home / ".config/envbuild/compute.d/here.yml"
    config.write_text(re.sub(r"\[(.*)\]", r"[\1, --entrypoint, /etc/passwd]", world.engine.profile) if "runtime_args" in world.engine.profile else
                      world.engine.profile + "runtime_args: [--entrypoint, /etc/passwd]\n")
    r = world.env.run(*world.args("true"), code=125)
    world.look(r.err)
    assert world.state()[:2] == ("Failed", "launch-failed") and "rank 0 did not start" in world.record()["message"]


# --- what it sees

def test_environment_and_folders(world):
    text = ('echo "$STAGE $ENVBUILD_RUN_ID $HOME $(id -u)"; pwd; echo 1 > outputs/a; echo 2 > "logs/b c"; : > outputs/empty; ln -s a outputs/link;'
            "i=0; mkdir outputs/many; while [ $i -lt 1000 ]; do : > outputs/many/$i; i=$((i+1)); done")
    r = world.sh(text)
    assert r.out == f"dev {world.id} /root 0\n/mnt/run/code\n"
    assert (world.dir / "outputs/a").read_text() == "1\n" and (world.dir / "logs/b c").read_text() == "2\n"
    assert (world.dir / "outputs/empty").stat().st_size == 0 and os.readlink(world.dir / "outputs/link") == "a"
    assert len(os.listdir(world.dir / "outputs/many")) == 1000
    assert {p.stat().st_uid for p in (world.dir / "outputs").iterdir() if not p.is_symlink()} == {os.geteuid()}


def test_inputs_with_odd_names(world):
    """Commas and quotes are what --mount's own syntax is made of."""
    odd = world.env.folder / 'da,ta "x" y:z'
    odd.mkdir()
    (odd / "f").write_text("odd\n")
    job = world.env.write("job.yml", "type: command\ncommand: cat ${{inputs.data}}/f && ! touch ${{inputs.data}}/g 2>/dev/null\ninputs:\n  data: {type: uri_folder, path: " +
                          json.dumps(str(odd)) + f"}}\nenvironment: {{image: {world.env.image}}}\ncompute: here\n")
    r = world.env.run("run", job)
    world.look(r.err)
    assert r.out == "odd\n"


def test_limits(world):
    r = world.sh("cat /proc/mounts", flags=["--shm-size", "64m"])
    assert re.search(r"/dev/shm .*size=65536k", r.out)


def test_several_ranks(world):
    text = 'echo "$RANK of $WORLD_SIZE at $MASTER_ADDR"; exit $((RANK * 11))'
    r = world.sh(text, code=11, flags=["--distribution", "pytorch", "--processes", "2"])
    assert "rank 1" in r.err
    assert world.log("std_log_process_0.txt") == b"0 of 2 at 127.0.0.1\n" and world.log("std_log_process_1.txt") == b"1 of 2 at 127.0.0.1\n"


# --- logs

def test_log_bytes(world):
    r = world.sh("printf 'a\\000b\\n'; echo err >&2; printf end")
    assert world.log() == b"a\0b\nerr\nend" and r.out == "a\0b\nerr\nend"


def test_log_large(world):
    world.start("head -c 30000000 /dev/zero || dd if=/dev/zero bs=1000000 count=30; echo; echo end")
    world.over()
    assert world.state()[0] == "Completed" and world.log().endswith(b"\nend\n") and len(world.log()) >= 30000000


# --- cancel, timeout

TRAP = "trap 'sleep 0.3; echo saved > outputs/checkpoint; exit 9' TERM; echo ready; while :; do sleep 0.05; done"


def test_cancel(world):
    world.start(TRAP)
    world.said(b"ready")
    world.cancel()
    assert world.over()["state"] == "Canceled"
    assert (world.dir / "outputs/checkpoint").exists() and world.rank()["exit_code"] == 9


def test_cancel_ignored(world):
    world.start("trap '' TERM; echo ready; while :; do sleep 0.05; done", flags=["--grace", "1"])
    world.said(b"ready")
    world.cancel()
    assert world.over()["state"] == "Canceled" and world.rank()["signal"] == 9


def test_ctrl_c(world):
    p = world.env.popen(*world.args("sh", "-c", TRAP), start_new_session=True)
    assert p.stdout.readline() == "ready\n"
    os.killpg(p.pid, signal.SIGINT)
    out, err = p.communicate(timeout=60)
    assert p.returncode == 130, err
    world.look(err)
    assert world.record()["state"] == "Canceled" and (world.dir / "outputs/checkpoint").exists()


def test_timeout(world):
    world.sh("while :; do sleep 0.05; done", code=124, flags=["--timeout", "1"])
    assert world.state()[:2] == ("Failed", "timeout")


def test_out_of_memory(world):
    """Which no engine says with cgroup v1."""
    world.sh("echo ready; x=aaaaaaaaaaaaaaaa; while :; do x=$x$x; done; exit 3", code=None, flags=["--memory", "32m"])
    state, reason, code = world.state()
    assert (state, reason) == ("Failed", "oom") and code == 137


def test_no_orphan(world):
    world.sh("(setsid sleep 999 &); sleep 998 & exit 3", code=3)


# --- kills

def test_client_killed(world):
    """kill -9 of `start --attach`: the container goes on and says itself how it ends."""
    world.start("echo ready; while [ ! -e go ]; do sleep 0.05; done; echo done; exit 5")
    world.said(b"ready")
    clients = [pid for pid, argv in with_id(world.id).items() if b"start" in argv]
    assert clients
    for pid in clients:
        os.kill(pid, signal.SIGKILL)
    # and its successor, too
    waits = until(lambda: [pid for pid, argv in with_id(world.id).items() if argv[1:2] == [b"wait"]])
    for pid in waits:
        os.kill(pid, signal.SIGKILL)
    until(lambda: [pid for pid, argv in with_id(world.id).items() if argv[1:2] == [b"wait"] and pid not in waits])
    (world.dir / "code/go").write_text("")
    assert world.over()["exit_code"] == 5 and world.log() == b"ready\ndone\n"


def test_supervisor_killed(world):
    """The container is adopted by whoever asks next."""
    world.start("echo ready; while [ ! -e go ]; do sleep 0.05; done; echo done; exit 5")
    world.said(b"ready")
    os.kill(world.supervisor(), signal.SIGKILL)
    until(lambda: not alive(world.supervisor()))
    p = world.env.popen("runs", "wait", world.id)
    (world.dir / "code/go").write_text("")
    p.communicate(timeout=60)
    assert p.returncode == 5
    assert world.state() == ("Failed", "exit-code", 5) and world.log() == b"ready\ndone\n"


def test_supervisor_and_container_killed(world):
    world.start("echo ready; while :; do sleep 0.05; done")
    world.said(b"ready")
    os.kill(world.supervisor(), signal.SIGKILL)
    for name in world.engine.containers(world.id):
        world.engine.call("kill", "--signal", "KILL", name)
    world.env.run("runs", "wait", world.id, code=125)
    assert world.state()[:2] == ("Failed", "lost")


def test_cancel_without_supervisor(world):
    world.start(TRAP)
    world.said(b"ready")
    os.kill(world.supervisor(), signal.SIGKILL)
    until(lambda: not alive(world.supervisor()))
    world.env.run("runs", "cancel", world.id)
    world.env.run("runs", "wait", world.id, code=130)
    assert world.record()["state"] == "Canceled" and (world.dir / "outputs/checkpoint").exists()


def test_conmon_killed(world):
    """Who holds podman's container dies: the run does not hang, and nothing is left."""
    if world.engine.name != "podman":
        pytest.skip("podman's own")
    world.start("echo ready; while [ ! -e go ]; do sleep 0.05; done; exit 5", flags=["--grace", "1"])
    world.said(b"ready")
    name = world.engine.containers(world.id)[0]
    os.kill(world.engine.inspect(name)["State"]["ConmonPid"], signal.SIGKILL)
    (world.dir / "code/go").write_text("")
    assert world.over()["state"] == "Failed"
    assert world.rank()["exit_code"] == 5


# --- secrets

def test_secret(world):
    """It reaches the command, and nothing else: no argv while it runs, nothing that the engine says, no file but the command's own outputs."""
    secret = "geheim" + os.urandom(8).hex()
    world.start('echo "$TOKEN" > outputs/got; echo ready; while [ ! -e go ]; do sleep 0.05; done', flags=["--env-from-host", "TOKEN"],
                env={"TOKEN": secret})
    world.said(b"ready")
    assert (world.dir / "outputs/got").read_text() == secret + "\n"
    for p in pathlib.Path("/proc").iterdir():
        if p.name.isdigit():
            with contextlib.suppress(OSError):
                assert secret.encode() not in (p / "cmdline").read_bytes(), p
    assert secret not in json.dumps(world.engine.inspect(world.engine.containers(world.id)[0]))
    env_file = world.dir / "submit/rank.env"
    assert env_file.stat().st_mode & 0o777 == 0o600
    for path in world.dir.rglob("*"):
        if path.is_file() and not path.is_symlink() and path not in (env_file, world.dir / "outputs/got"):
            assert secret.encode() not in path.read_bytes(), path
    (world.dir / "code/go").write_text("")
    world.over()
    assert not env_file.exists()


# --- nothing of an engine

def test_engine_elsewhere(world):
    name = {"podman": "CONTAINER_HOST", "docker": "DOCKER_HOST"}[world.engine.name]
    if name == "CONTAINER_HOST":
        pytest.skip("podman would have to be given the image there first")
    r = subprocess.run([program(), *world.args("true", flags=["--render", str(world.env.folder / "r")])], cwd=world.env.work, capture_output=True, text=True,
                       env={**world.env.env, name: "tcp://192.0.2.1:2375"}, check=False)
    assert r.returncode != 0 and "another machine" in r.stderr


def test_render(world):
    """Nothing is asked of the engine, and what is written has no secret."""
    out = world.env.folder / "rendered"
    world.env.run(*world.args("echo", "two words", flags=["--render", str(out), "--memory", "1g", "--cpus", "2", "--gpus", "1"]))
    doc = json.loads(next(out.rglob("launch.json")).read_text())
    create = doc["before"][0]
    assert create[:2] == [world.engine.name, "create"] and create[-2:] == ["echo", "two words"]
    assert create[create.index("--memory") + 1] == "1073741824b" and create[create.index("--cpus") + 1] == "2"
    gpus = {"podman": ["--device", "nvidia.com/gpu=all"], "docker": ["--gpus", "all"]}[world.engine.name]
    assert create[create.index(gpus[0]):][:2] == gpus
    assert doc["launchers"][0]["argv"][:3] == [world.engine.name, "start", "--attach"]
    assert world.engine.containers() == []
