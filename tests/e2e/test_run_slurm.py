"""Runs on a real Slurm (slurm_world.py): codes, cancel, timeouts, controllers and command lines that die in between, secrets, ranks that talk."""
import contextlib
import json
import os
import pathlib
import re
import signal
import subprocess
import textwrap

import pytest

from conftest import let_pass
from registry_world import registries, registry  # noqa: F401
from slurm_world import cluster, wait_for  # noqa: F401

HOST = "environment: {python: {user_managed_dependencies: true, interpreter_path: /usr/bin/python3}}\n"
FAULTS = ("before-token", "before-submit", "after-submit", "before-record", "after-record")


def of_run(id_):
    """Processes of this machine that have the run's id in their environment."""
    found = []
    for p in pathlib.Path("/proc").iterdir():
        if p.name.isdigit():
            with contextlib.suppress(OSError):
                if f"ENVBUILD_RUN_ID={id_}\0".encode() in (p / "environ").read_bytes() + b"\0":
                    found.append((p.name, (p / "cmdline").read_bytes().replace(b"\0", b" ")))
    return found


class Run:
    def __init__(self, runs, id_):
        self.runs, self.id, self.dir = runs, id_, runs.root / id_

    def record(self):
        return json.loads((self.dir / "run.json").read_text())

    def rank(self, n=0):
        path = self.dir / f"status/1/rank-{n}.json"
        return json.loads(path.read_text()) if path.exists() else {}

    def log(self, n=None):
        return (self.dir / "user_logs" / ("std_log.txt" if n is None else f"std_log_process_{n}.txt")).read_text()

    def events(self):
        return [json.loads(line)["to"] for line in (self.dir / "events.jsonl").read_text().splitlines()]

    def started(self, ranks=1):
        """Every rank has said something."""
        logs = self.dir / "user_logs"
        wait_for(lambda: [p for p in logs.iterdir() if p.stat().st_size] and len(list(logs.iterdir())) >= ranks, self.told)
        return self

    def wait(self, code):
        r = self.runs.env.run("runs", "wait", self.id, code=None, **self.runs.kw())
        assert r.code == code, f"{r.code}, not {code}\n{r.err}\n{self.told()}"
        return self

    def cancel(self):
        self.runs.env.run("runs", "cancel", self.id, **self.runs.kw())

    def jobs(self):
        """Of this run that the controller knows, by number."""
        return {n: state for n, (name, state) in self.runs.cluster.jobs().items() if name.startswith(self.id + ".")}

    def told(self):
        logs = [self.dir / "run.json", *(self.dir / "system_logs").iterdir(), *(self.dir / "user_logs").rglob("*.txt")]
        return "\n".join(f"--- {p}\n{p.read_text(errors='replace')[-3000:]}" for p in logs if p.is_file())


class Runs:
    """A user of the cluster with a profile `cluster`."""

    def __init__(self, env, cluster, root, popen=None):
        self.env, self.cluster, self.root, self.popen = env, cluster, root, popen or {}
        root.mkdir(parents=True)
        self.profile()

    def profile(self, name="cluster", more=""):
        text = f"type: slurm\nrun_root: '{self.root}'\nlost_after: 2\n{more}"
        self.env.write(f"../home/.config/envbuild/compute.d/{name}.yml", text)

    def kw(self, **more):
        return {**self.popen, "env": {**self.cluster.env, **more.pop("env", {})}, **more}

    def job(self, command, more=HOST, name="job.yml"):
        return self.env.write(name, "type: command\nname: t\ncommand: |\n" + textwrap.indent(command, "  ") + "\n" + more)

    def start(self, command, more=HOST, on="cluster", **kw):
        r = self.env.run("run", self.job(command, more), "--on", on, "--no-wait", **self.kw(**kw))
        return Run(self, r.line)

    def run(self, command, more=HOST, on="cluster", code=0, **kw):
        r = self.env.run("run", self.job(command, more), "--on", on, code=code, **self.kw(**kw))
        return self.found(), r

    def found(self):
        """The only one there is, or the newest."""
        return Run(self, max(self.root.glob("t-*"), key=lambda p: p.stat().st_ctime_ns).name)


@pytest.fixture
def runs(tmp_path, env, cluster):
    yield Runs(env, cluster, tmp_path / "shared runs")
    cluster.quiet()


@pytest.fixture(params=["root", "nobody"] if os.geteuid() == 0 else ["self"])
def user(request, tmp_path, env, cluster):
    (tmp_path / "one/runs").mkdir()
    popen = let_pass(env, "nobody") if request.param == "nobody" else {}
    r = Runs(env, cluster, tmp_path / "one/runs/of", popen)
    if popen:
        let_pass(env, "nobody")
    yield r
    cluster.quiet()


@pytest.fixture
def image(env, definition):
    definition()
    env.image = env.run("build", "env.yml").line
    return f"environment: {{image: '{env.image}'}}\n"


def test_codes(runs):
    """All at once; how each ended is read afterwards."""
    want = {c: (f"exit {c}", "exit-code" if c else "") for c in (0, 1, 7, 125, 126, 127, 137, 255)}
    want[139] = ("kill -SEGV $$", "signal")
    want[138] = ("kill -USR1 $$", "signal")
    made = [(runs.start(f"echo here\n{command}"), code, reason) for code, (command, reason) in want.items()]
    for run, code, reason in made:
        run.wait(code)
        r = run.record()
        assert (r["state"], r.get("reason", "")) == ("Failed" if code else "Completed", reason), r
        assert run.log() == "here\n"


def test_a_run_of_any_user(user):
    run, r = user.run("id -un; echo a > outputs/a; echo b > logs/b; pwd")
    name = "nobody" if user.popen else subprocess.check_output(["id", "-un"], text=True).strip()
    assert r.out.splitlines() == [name, str(run.dir / "code")]
    assert (run.dir / "outputs/a").read_text() == "a\n" and (run.dir / "logs/b").read_text() == "b\n"
    assert run.record()["state"] == "Completed" and run.record()["handle"].isdigit()
    user.run("exit 7", code=7)


def test_refused_by_slurm(runs):
    runs.profile(more="partition: nowhere\n")
    run, r = runs.run("true", code=125)
    assert "Invalid partition" in r.err
    assert run.record()["state"] == "Failed" and run.record()["reason"] == "launch-failed"
    assert not run.jobs()


def test_refused_by_us(runs):
    more = HOST + "resources: {docker_args: --privileged}\n"
    assert "docker" in runs.env.run("run", runs.job("true", more), "--on", "cluster", code=2, **runs.kw()).err
    runs.profile(more="sbatch_args: ['--export=ALL']\n")
    assert "--export=ALL" in runs.env.run("run", runs.job("true"), "--on", "cluster", code=2, **runs.kw()).err
    runs.profile(more="partitoin: x\n")
    assert "partition" in runs.env.run("run", runs.job("true"), "--on", "cluster", code=2, **runs.kw()).err


def test_a_failing_rank_is_named_and_a_lost_one_does_not_hang(runs):
    two = "distribution: {type: pytorch, process_count_per_instance: %d}\nresources: {instance_count: %d}\n"
    four = runs.start("echo r $RANK\n[ $RANK != 1 ] || exit 11\ntrap 'echo saved; exit 3' TERM\nsleep 120 & wait", HOST + two % (2, 2))
    four.started(4).wait(11)
    r = four.record()
    assert (r["state"], r["reason"], r["exit_code"], r["first_bad_rank"]) == ("Failed", "exit-code", 11, 1), r
    assert [four.rank(n)["stopped"] for n in range(4)] == ["peer", "", "peer", "peer"]
    assert all("saved" in four.log(n) for n in (0, 2, 3)), "they had their grace"
    # the shim itself is killed, as by an operating system that is out of memory: nobody wrote a record
    lost = runs.start("echo r $RANK\n[ $RANK != 0 ] || kill -9 $PPID\nsleep 120", HOST + two % (2, 1))
    lost.wait(137)
    r = lost.record()
    assert (r["state"], r["reason"], r["first_bad_rank"]) == ("Failed", "signal", 0) and "no record" in r["message"], r
    assert lost.rank(1)["stopped"] == "peer"


def test_cancel_saves_a_checkpoint(runs):
    run = runs.start("trap 'sleep 3; echo saved > outputs/checkpoint; exit 9' TERM\necho up\nsleep 300 & wait", HOST + "x-envbuild: {grace: 20}\n")
    run.started()
    run.cancel()
    run.cancel()
    run.wait(130)
    assert (run.dir / "outputs/checkpoint").read_text() == "saved\n"
    assert run.record()["state"] == "Canceled" and run.rank()["stopped"] == "cancel"
    run.cancel()
    assert run.record()["state"] == "Canceled"


def test_cancel_when_nobody_listens(runs):
    """envbuild-rank is stopped: grace and ten seconds later Slurm is told."""
    run = runs.start("echo up\nsleep 300", HOST + "x-envbuild: {grace: 1}\n").started()
    os.kill(run.rank()["pid"], signal.SIGSTOP)
    run.cancel()
    run.wait(130)
    assert (run.dir / "status/1/.scancel").exists() and run.record()["state"] == "Canceled"
    wait_for(lambda: not of_run(run.id), lambda: str(of_run(run.id)))


def test_cancel_while_it_waits(runs):
    runs.profile(more="sbatch_args: [--hold]\n")
    run = runs.start("touch ../ran")
    p = runs.env.popen("runs", "wait", run.id, **runs.kw())
    wait_for(lambda: run.record()["state"] == "Queued" and run.record().get("message"), run.told)
    assert "JobHeld" in run.record()["engine_state"] and "scontrol release" in run.record()["message"]
    run.cancel()
    p.communicate(timeout=60)
    assert p.returncode == 130 and not (run.dir / "ran").exists()
    wait_for(lambda: set(run.jobs().values()) <= {"CANCELLED"}, run.told)


def test_what_will_never_run_says_so(runs):
    run = runs.start("true", HOST + "resources: {instance_count: 9}\n")
    p = runs.env.popen("runs", "wait", run.id, **runs.kw())
    wait_for(lambda: "PartitionConfig" in run.record().get("message", ""), run.told)
    assert run.record()["state"] == "Queued"
    run.cancel()
    p.communicate(timeout=60)
    assert p.returncode == 130


def test_our_timeout(runs):
    run, r = runs.run("trap '' TERM\necho up\nsleep 300 & wait\nsleep 300", HOST + "limits: {timeout: 2}\nx-envbuild: {grace: 1}\n", code=124)
    assert run.record()["reason"] == "timeout" and run.rank()["timed_out"]
    assert not of_run(run.id)


def test_slurm_s_own_limit(runs):
    """A minute is the least that Slurm knows."""
    runs.profile(more="time: '1'\n")
    run = runs.start("trap 'echo told; exit 4' TERM\necho up\nwhile :; do sleep 1; done")
    run.wait(124)
    assert run.record()["reason"] == "timeout" and "TIMEOUT" in run.record()["engine_state"], run.record()
    assert run.rank()["stopped"] == "signal" and run.log().splitlines()[-1] == "told"


def test_scancel_by_somebody(runs):
    run = runs.start("trap 'echo told; exit 4' TERM\necho up\nwhile :; do sleep 1; done").started()
    runs.cluster.ask("scancel", run.record()["handle"])
    run.wait(130)
    assert run.record()["state"] == "Canceled" and "not by envbuild" in run.record()["message"]
    assert run.log().splitlines()[-1] == "told"


def test_the_controller_dies(runs):
    """It is not asked for what the ranks' records say; what it does not answer is no end."""
    gate = runs.root / "gate"
    os.mkfifo(gate)
    run = runs.start(f"echo up\nread x < '{gate}'\nexit 7").started()
    saved = runs.cluster.folder / "state/job_state"
    since = (run.dir / "status/1/rank-0.json").stat().st_mtime
    wait_for(lambda: saved.exists() and saved.stat().st_mtime > since, runs.cluster.told)
    runs.cluster.kill_controller()
    p = runs.env.popen("runs", "wait", run.id, **runs.kw())
    with pytest.raises(subprocess.TimeoutExpired):
        p.communicate(timeout=3)
    gate.write_text("go\n")
    p.communicate(timeout=60)
    assert p.returncode == 7
    runs.cluster.start_controller()
    runs.env.run("runs", "wait", run.id, code=7, **runs.kw())


def test_no_controller_at_submit(runs):
    runs.cluster.kill_controller()
    r = runs.env.run("run", runs.job("echo x >> outputs/ran\nexit 9"), "--on", "cluster", code=None, **runs.kw())
    assert r.code == 125 and "runs wait" in r.err, r.err
    runs.cluster.start_controller()
    run = runs.found()
    run.wait(9)
    assert (run.dir / "outputs/ran").read_text() == "x\n" and len(run.jobs()) == 1


@pytest.mark.parametrize("where", FAULTS)
def test_command_line_killed(runs, where):
    p = runs.env.popen("run", runs.job("echo x >> outputs/ran\nexit 9"), "--on", "cluster", **runs.kw(env={"ENVBUILD_FAULT": where}))
    p.communicate(timeout=60)
    assert p.returncode == -signal.SIGKILL
    run = runs.found()
    if where == "before-token":
        assert not run.jobs(), "nobody was asked"
        return
    run.wait(9)
    assert (run.dir / "outputs/ran").read_text() == "x\n" and len(run.jobs()) == 1
    assert run.record()["state"] == "Failed" and run.record()["exit_code"] == 9


def test_killed_and_forgotten(runs):
    """Killed before the handle was written; it ran, and Slurm forgot it: found by the job's own word."""
    p = runs.env.popen("run", runs.job("echo x >> outputs/ran\nexit 9"), "--on", "cluster", **runs.kw(env={"ENVBUILD_FAULT": "after-submit"}))
    p.communicate(timeout=60)
    run = runs.found()
    wait_for(lambda: (run.dir / "status/1/batch").exists(), run.told)
    runs.cluster.kill_controller()
    runs.cluster.start_controller(forget=True)
    assert not run.jobs()
    run.wait(9)
    assert (run.dir / "outputs/ran").read_text() == "x\n" and not run.jobs()


def test_submitted_twice_runs_once(runs):
    """As when sbatch was not heard and asked again: whichever job begins first is the run."""
    run = runs.start("echo x >> outputs/ran\nsleep 1\nexit 9")
    runs.cluster.ask("sbatch", str(run.dir / "submit/job.sbatch"))
    run.wait(9)
    wait_for(lambda: set(run.jobs().values()) <= {"FAILED"} and len(run.jobs()) == 2, run.told)
    assert (run.dir / "outputs/ran").read_text() == "x\n"


def test_forgotten_jobs(runs):
    over, under = runs.start("exit 7"), runs.start("echo up\nsleep 300").started()
    wait_for(lambda: (over.dir / "status/1/batch").exists(), over.told)
    runs.cluster.kill_controller()
    runs.cluster.start_controller(forget=True)
    over.wait(7)
    under.wait(125)
    assert under.record()["state"] == "Failed" and under.record()["reason"] == "lost"
    wait_for(lambda: not of_run(under.id), under.told)


def test_secrets(runs):
    of_us, of_job = "mine-" + os.urandom(8).hex(), "its-" + os.urandom(8).hex()
    more = HOST + "x-envbuild: {env_from_host: [HF_TOKEN]}\nenvironment_variables: {PLAIN: value}\n"
    gate = runs.root / "gate"
    os.mkfifo(gate)
    run = runs.start(f"printf %s \"$HF_TOKEN\" | sha256sum > outputs/sum\nenv | grep -v ^HF_TOKEN= > outputs/env\necho up\nread x < '{gate}'", more,
                     env={"HF_TOKEN": of_job, "MINE": of_us}).started()
    assert (run.dir / "submit/rank.env").stat().st_mode & 0o777 == 0o600
    told = runs.cluster.ask("scontrol", "show", "job", "-dd") + str([c for _, c in of_run(run.id)])
    told += subprocess.run(["ps", "axww", "-o", "args"], capture_output=True, text=True).stdout
    gate.write_text("go\n")
    run.wait(0)
    assert (run.dir / "outputs/sum").read_text().split()[0] == subprocess.run(["sha256sum"], input=of_job, capture_output=True,
                                                                             text=True).stdout.split()[0]
    seen = (run.dir / "outputs/env").read_text()
    assert "PLAIN=value" in seen and of_us not in seen and "MINE=" not in seen
    for path in run.dir.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            assert of_job.encode() not in data and of_us.encode() not in data, path
    assert of_job not in told and of_us not in told
    assert not (run.dir / "submit/rank.env").exists()


def test_nothing_is_left(runs):
    run, _ = runs.run("(setsid sleep 997 &)\n(sh -c 'setsid sleep 998 & exit' &)\nfor i in 1 2 3 4 5 6 7 8; do sleep 999 & done\nexit 0")
    wait_for(lambda: not of_run(run.id), lambda: str(of_run(run.id)))


JOB = """\
type: command
name: t
command: >-
  echo "C=${{inputs.C}} $GREETING" && cat data.txt > ${{outputs.model}}/copy.txt && cat "${{inputs.table}}" && cat "${{inputs.own}}" &&
  echo '{"loss": 0.5}' > outputs/metrics.json && echo event > logs/events.txt && ls
code: src
inputs: {C: 0.8, table: {type: uri_file, path: table.csv}, own: {type: uri_file, path: table.csv, mode: download}}
outputs: {model: {type: uri_folder}}
environment_variables: {GREETING: hello}
"""


def test_same_everywhere(runs, image):
    """One description: on this machine and on the cluster, with the nodes' python and in an image."""
    runs.env.write("src/data.txt", "data\n")
    runs.env.write("table.csv", "1,2\n")
    seen = {}
    runs.env.env["ENVBUILD_RUNS_DIR"] = str(runs.root)
    for name, on, more in (("process", "process", HOST), ("slurm", "cluster", HOST), ("local", "local", image), ("sandbox", "cluster", image)):
        runs.env.write(f"{name}.yml", JOB + more)
        r = runs.env.run("run", f"{name}.yml", "--on", on, **runs.kw())
        d = runs.found().dir
        tree = {str(p.relative_to(d)): p.read_text() for k in ("outputs", "logs", "user_logs") for p in sorted((d / k).rglob("*")) if p.is_file()}
        seen[name] = (r.out, tree)
    assert seen["process"][1]["outputs/model/copy.txt"] == "data\n" and seen["process"][0].startswith("C=0.8 hello\n1,2\n1,2\n")
    assert all(x == seen["process"] for x in seen.values()), seen


def test_in_an_image(runs, image):
    """Two nodes with two ranks each; layers are unpacked once; what only the image has is there, what the node has is not."""
    two = "distribution: {type: pytorch, process_count_per_instance: 2}\nresources: {instance_count: 2}\n"
    run, r = runs.run("cat /etc/os-release > outputs/$RANK\necho \"$RANK $LOCAL_RANK $NODE_RANK $WORLD_SIZE $MASTER_ADDR $STAGE\"\n"
                      "[ ! -e /proc/1/root/boot ]\nid -u\n(setsid sleep 996 &)", image + two)
    assert {(run.dir / f"outputs/{n}").read_text() for n in range(4)} == {'ID=debian\nVERSION_ID="12"\n'}
    for n in range(4):
        assert run.log(n).splitlines()[0] == f"{n} {n % 2} {n // 2} 4 127.0.0.1 dev"
    wait_for(lambda: not of_run(run.id), lambda: str(of_run(run.id)))
    assert run.record()["image"].startswith(runs.env.image.split("@")[0])
    runs.run("exit 11", image, code=11)
    assert runs.found().log() == ""


def test_cancel_in_an_image(runs, image):
    run = runs.start("trap 'sleep 2; echo saved > outputs/checkpoint; exit 9' TERM\necho up\nsleep 300 & wait", image + "x-envbuild: {grace: 20}\n")
    run.started().cancel()
    run.wait(130)
    assert (run.dir / "outputs/checkpoint").read_text() == "saved\n" and run.rank()["stopped"] == "cancel"


def test_scancel_in_an_image(runs, image):
    """Slurm signals everything at once: the sandbox must outlive that, or the command is killed instead of told."""
    run = runs.start("trap 'echo told; exit 4' TERM\necho up\nwhile :; do sleep 1; done", image).started()
    runs.cluster.ask("scancel", run.record()["handle"])
    run.wait(130)
    assert run.log().splitlines()[-1] == "told"


RENDEZVOUS = """
import json, os, socket, time
rank, world = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
at = (os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"]))
if rank == 0:
    s = socket.create_server(at)
    peers = [s.accept()[0] for _ in range(world - 1)]
    total = sum(int(p.makefile().readline()) for p in peers)
    for p in peers:
        p.sendall(f"{total}\\n".encode())
else:
    end = time.monotonic() + 30
    while True:
        try:
            s = socket.create_connection(at)
            break
        except OSError:
            assert time.monotonic() < end
            time.sleep(0.05)
    s.sendall(f"{rank}\\n".encode())
    total = int(s.makefile().readline())
names = ("RANK", "LOCAL_RANK", "NODE_RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE", "NNODES")
print(json.dumps([total, *(int(os.environ[n]) for n in names)]))
"""


def test_pytorch_style_rendezvous(runs):
    runs.env.write("src/rendezvous.py", RENDEZVOUS)
    run, _ = runs.run("/usr/bin/python3 rendezvous.py", HOST + "code: src\ndistribution: {type: pytorch, process_count_per_instance: 2}\n"
                      "resources: {instance_count: 2}\n")
    for n in range(4):
        assert json.loads(run.log(n)) == [6, n, n % 2, n // 2, 4, 2, 2]


def test_tensorflow_config(runs):
    run, _ = runs.run("echo $TF_CONFIG", HOST + "distribution: {type: tensorflow, worker_count: 3, parameter_server_count: 1}\n"
                      "resources: {instance_count: 2}\n")
    configs = [json.loads(run.log(n)) for n in range(4)]
    assert [c["task"] for c in configs] == [{"type": "worker", "index": n} for n in range(3)] + [{"type": "ps", "index": 0}]
    assert all(c["cluster"] == configs[0]["cluster"] for c in configs)
    addresses = configs[0]["cluster"]["worker"] + configs[0]["cluster"]["ps"]
    assert len(set(addresses)) == 4 and all(re.fullmatch(r"127\.0\.0\.1:\d+", a) for a in addresses)


def test_mpi_allreduce(runs):
    """A real MPI, its ranks wired up by Slurm's own PMIx. One node: two emulated nodes of one machine fight over PMIx' files."""
    if subprocess.run(["/usr/bin/python3", "-c", "import mpi4py"], capture_output=True).returncode:
        pytest.fail("python3-mpi4py is not installed (.ci/packages.test)")
    runs.env.write("src/sum.py", "from mpi4py import MPI\nc = MPI.COMM_WORLD\nprint(c.Get_rank(), c.Get_size(), c.allreduce(c.Get_rank() + 1))\n")
    run, _ = runs.run("export HOME=${HOME:-/tmp}\n/usr/bin/python3 sum.py", HOST + "code: src\ndistribution: {type: mpi, process_count_per_instance: 2}\n")
    assert {run.log(n).split()[-3:][0]: run.log(n).split()[-3:][1:] for n in range(2)} == {"0": ["2", "3"], "1": ["2", "3"]}


def test_sweep_of_folder_names(runs):
    """A run_root with a blank in it was in use all the time."""
    assert " " in str(runs.root)
    runs.root = runs.root / "100%"
    runs.root.mkdir()
    runs.profile()
    assert "%" in runs.env.run("run", runs.job("true"), "--on", "cluster", code=2, **runs.kw()).err


def rendered(runs, more, job=HOST):
    runs.profile(more=more)
    r = runs.env.run("run", runs.job("echo hi $RANK", job), "--on", "cluster", "--render", "out dir", **runs.kw())
    submit = runs.env.work / r.out.strip()
    return submit, (submit / "job.sbatch").read_text(), (submit / "rank.sh").read_text()


def test_render(runs):
    submit, batch, rank = rendered(runs, "partition: small\naccount: team\nqos: long\nconstraint: 'a&b'\nsbatch_args: [--exclusive]\n",
                                   HOST + "limits: {timeout: 7200}\nx-envbuild: {cpus: 4, gpus: 2, memory: 64Gi}\n")
    lines = batch.splitlines()
    for line in ('--partition="small"', '--account="team"', '--qos="long"', '--constraint="a&b"', "--exclusive", '--cpus-per-task="4"',
                 '--gpus-per-node="2"', "--mem=65536M", '--time="123"', "--export=NONE", "--no-requeue"):
        assert f"#SBATCH {line}" in lines, batch
    assert not runs.cluster.jobs() or not [n for n, _ in runs.cluster.jobs().values() if n.startswith(submit.parent.name)]
    for script in ("job.sbatch", "rank.sh"):
        assert subprocess.run(["sh", "-n", submit / script]).returncode == 0


def stub(folder, name, text):
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


@pytest.fixture
def registry_image(env, definition, registry):
    definition()
    return f"environment: {{image: '{env.run('build', 'env.yml', '-t', registry.name + '/team/train:1', '--push').line}'}}\n"


def test_apptainer_stub(runs, registry_image):
    """A stub: apptainer is in no Debian. That it is called with what its manual says, and that ranks are told which they are."""
    submit, batch, rank = rendered(runs, "mode: apptainer\n", registry_image)
    assert "apptainer pull" in batch and "docker://127.0.0.1:" in batch and "@sha256:" in batch
    bin_ = runs.env.folder / "bin"
    stub(bin_, "apptainer", 'env | grep ^APPTAINERENV_SLURM; printf "%s\\n" "$@"')
    out = subprocess.run(["sh", submit / "rank.sh"], env={"PATH": f"{bin_}:/usr/bin:/bin", "SLURM_PROCID": "3", "SLURM_LOCALID": "1",
                                                          "ENVBUILD_RANK_SIF": "/x.sif"}, capture_output=True, text=True).stdout.splitlines()
    assert out[:2] in (["APPTAINERENV_SLURM_PROCID=3", "APPTAINERENV_SLURM_LOCALID=1"], ["APPTAINERENV_SLURM_LOCALID=1", "APPTAINERENV_SLURM_PROCID=3"])
    words = out[2:]
    assert words[0] == "exec" and "--containall" in words and words.index("/x.sif") < words.index("/.envbuild/envbuild-rank")
    bind = words[words.index("--bind") + 1]
    assert bind.startswith(f"{submit.parent}:/mnt/run:rw,") and ":/.envbuild/envbuild-rank:ro" in bind


def test_pyxis_stub(runs, image, registry_image):
    """A stub: pyxis is in no Debian. That srun is called with what its manual says."""
    submit, batch, rank = rendered(runs, "mode: pyxis\n", registry_image)
    assert re.search(r"--container-image='127\.0\.0\.1:\d+#team/train@sha256:[0-9a-f]{64}'", batch)
    assert re.search(r"--container-mounts='[^']*:/mnt/run,[^']*:/\.envbuild/envbuild-rank:ro'", batch)
    assert "/bin/sh /mnt/run/submit/rank.sh" in batch and "/.envbuild/envbuild-rank --own-group-only" in rank
    runs.profile(more="mode: pyxis\n")
    err = runs.env.run("run", runs.job("true", image), "--on", "cluster", "--render", "o", code=2, **runs.kw()).err
    assert "registry" in err, "an image that is only here"
