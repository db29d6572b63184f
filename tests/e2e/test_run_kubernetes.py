"""Runs on Kubernetes, with a stub for kubectl (tests/fake/kubectl.py) whose pods are processes: what we do with a cluster's answers, and that a kill at any
step neither submits twice nor loses an exit code. Whether manifests are right: tests/corpus/k8s.py and test_run_kube_api.py."""
import json
import os
import pathlib
import re
import signal
import sys
import time

import pytest

from conftest import ROOT
from registry_world import registries, registry  # noqa: F401

FAKE = ROOT / "tests/fake/kubectl.py"


class Cluster:
    def __init__(self, env, registry):
        self.env, self.dir = env, env.folder / "kube"
        self.dir.mkdir()
        bin_ = env.folder / "bin"
        bin_.mkdir()
        (bin_ / "kubectl").write_text(f'#!/bin/sh\nexec {sys.executable} {FAKE} "$@"\n')
        (bin_ / "kubectl").chmod(0o755)
        program = pathlib.Path(os.environ.get("ENVBUILD_PROGRAM", ROOT / "build/builder/cli/envbuild"))
        env.env |= {"PATH": f"{bin_}:{env.env['PATH']}", "FAKE_KUBE": str(self.dir), "FAKE_CODE": str(env.work / "src"),
                    "FAKE_SHIM": str(program.parents[1] / "shim/envbuild-rank"), "ENVBUILD_RUNS_DIR": str(env.folder / "runs")}
        env.write("src/data.txt", "data\n")
        self.registry = registry
        self.profile()

    def profile(self, **keys):
        at = self.env.home / ".config/envbuild/compute.d"
        at.mkdir(parents=True, exist_ok=True)
        doc = {"type": "kubernetes", "namespace": "team", "image_repository": f"{self.registry.name}/team/runs", **keys}
        (at / "k.yml").write_text(json.dumps(doc))

    def run(self, *args, job=None, code=0, **kw):
        if job is not None:
            self.env.write("job.yml", json.dumps({"code": "src", "environment": {"image": self.env.image}, **job}))
            args = ("job.yml", *args)
        return self.env.run("run", *args, "--on", "k", code=code, **kw)

    def calls(self, verb):
        lines = (self.dir / "calls").read_text().splitlines() if (self.dir / "calls").exists() else []
        return [c for c in map(json.loads, lines) if verb in c]

    def created(self, kind):
        return [p for p in (self.dir / "objects").glob(f"{kind}-*.json")]

    def fail(self, *lines):
        (self.dir / "fail").write_text("\n".join(lines))

    @property
    def folder(self):
        return next(iter((self.env.folder / "runs").glob("*-*")))

    @property
    def record(self):
        return json.loads((self.folder / "run.json").read_text())


@pytest.fixture
def cluster(env, definition, registry):  # noqa: F811
    definition()
    env.image = env.run("build", "env.yml").line
    return Cluster(env, registry)


def test_complete(cluster):
    p = cluster.run(job={"command": 'echo "C=${{inputs.C}} $GREETING $(cat data.txt) $$" && printf half', "inputs": {"C": 0.8},
                         "environment_variables": {"GREETING": "$(NOT) $$ hello"}})
    assert re.match(r"C=0.8 \$\(NOT\) \$\$ hello data \d+\nhalf", p.out), p.out
    rec = cluster.record
    assert rec["state"] == "Completed" and "@sha256:" in rec["run_image"] and rec["run_image"].startswith(cluster.registry.name)
    assert (cluster.folder / "user_logs/std_log.txt").read_text() == p.out
    assert json.loads((cluster.folder / "status/1/rank-0.json").read_text())["exit_code"] == 0
    assert not cluster.created("Job"), "it was cleaned up"


@pytest.mark.parametrize("code", [0, 1, 7, 125, 126, 137, 255])
def test_exit_code(cluster, code):
    cluster.run(job={"command": f"echo said; exit {code}"}, code=code)
    assert cluster.record["state"] == ("Failed" if code else "Completed")
    assert (cluster.folder / "user_logs/std_log.txt").read_text() == "said\n"


def test_signal_and_timeout(cluster):
    cluster.run(job={"command": "kill -SEGV $$"}, code=139)
    cluster.env.run("runs", "rm", cluster.folder.name, code=None)
    cluster.run(job={"command": "exec sleep 100", "limits": {"timeout": 1}, "x-envbuild": {"grace": 1}}, code=124)


def test_nodes(cluster):
    """Rank 1 of 2x2 fails with 11 and takes the others along: it is named, and 11 is the exit code."""
    command = 'echo "$RANK/$WORLD_SIZE $LOCAL_RANK $NODE_RANK $MASTER_ADDR"; [ $RANK != 1 ] || { sleep 0.3; exit 11; }; sleep 1'
    cluster.run(job={"command": command, "distribution": {"type": "pytorch", "process_count_per_instance": 2}, "resources": {"instance_count": 2}},
                code=11)
    rec, logs = cluster.record, cluster.folder / "user_logs"
    assert rec["first_bad_rank"] == 1, rec
    name = rec["id"]
    said = "".join((logs / f"std_log_process_{r}.txt").read_text() for r in (0, 2))
    assert sorted(said.splitlines()) == [f"{r}/4 {r % 2} {r // 2} {name}-0.{name}" for r in range(4)]


def test_outputs_come_back(cluster):
    cluster.profile(outputs_pvc="claim")
    cluster.run(job={"command": "echo m > ${{outputs.model}}/m.txt && mkdir outputs/x && echo y > 'outputs/x/a b' && echo e > logs/events",
                     "outputs": {"model": {"type": "uri_folder"}}})
    assert (cluster.folder / "outputs/model/m.txt").read_text() == "m\n"
    assert (cluster.folder / "outputs/x/a b").read_text() == "y\n" and (cluster.folder / "logs/events").read_text() == "e\n"
    assert not cluster.created("Pod"), "the pod that held the claim is gone"


def test_outputs_without_a_claim(cluster):
    p = cluster.run(job={"command": "true", "outputs": {"model": {"type": "uri_folder"}}}, code=None)
    assert p.code != 0 and "outputs_pvc" in p.err
    assert not cluster.calls("create")


def test_secret(cluster):
    """It reaches the command and nothing else."""
    secret = "xyzzy-4711"
    p = cluster.run(job={"command": 'test "$HF_TOKEN" = "$(printf %s xyzzy-; printf 4711)" && echo same', "x-envbuild": {"env_from_host": ["HF_TOKEN"]}},
                    env={"HF_TOKEN": secret})
    assert p.out == "same\n"
    for path in [*cluster.folder.rglob("*"), cluster.dir / "calls"]:
        if path.is_file():
            assert secret not in path.read_text() and "eHl6enktNDcxMQ" not in path.read_text(), path
    assert not cluster.created("Secret")


def test_rendered(cluster):
    cluster.run("--render", "out", job={"command": "true", "x-envbuild": {"env_from_host": ["HF_TOKEN"]}}, env={"HF_TOKEN": "x"})
    at = next((cluster.env.work / "out").rglob("secret.json"))
    assert at.stat().st_mode & 0o777 == 0o600 and json.loads(at.read_text())["data"] == {"HF_TOKEN": "eA=="}
    assert json.loads((at.parent / "job.json").read_text())["kind"] == "Job"
    assert not cluster.calls("create")


def submitted(cluster, command="echo begun; trap 'echo saved; exit 3' TERM; sleep 60 & wait"):
    cluster.run("--no-wait", job={"command": command, "x-envbuild": {"grace": 5}})
    return cluster.folder.name


def wait_for(what, seconds=20):
    until = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < until, "it did not come to pass"
        time.sleep(0.05)


def test_cancel(cluster):
    name = submitted(cluster)
    wait_for(lambda: any("begun" in p.read_text() for p in (cluster.dir / "logs").glob("*")) if (cluster.dir / "logs").exists() else False)
    cluster.env.run("runs", "cancel", name)
    cluster.env.run("runs", "wait", name, code=130)
    assert cluster.record["state"] == "Canceled"
    assert (cluster.folder / "user_logs/std_log.txt").read_text() == "begun\nsaved\n", "what it said after TERM, too"
    assert json.loads((cluster.folder / "status/1/rank-0.json").read_text())["exit_code"] == 3
    assert not cluster.created("Job")
    cluster.env.run("runs", "cancel", name)


def test_cancel_of_several_in_a_pod(cluster):
    """The first process of such a pod is a shell: TERM goes on to every rank."""
    cluster.run("--no-wait", job={"command": "echo begun; trap 'echo saved $RANK; exit 0' TERM; sleep 60 & wait",
                                  "distribution": {"type": "pytorch", "process_count_per_instance": 2}, "x-envbuild": {"grace": 5}})
    name = cluster.folder.name
    wait_for(lambda: sum(p.read_text().count("begun") for p in (cluster.dir / "logs").glob("*")) == 2 if (cluster.dir / "logs").exists() else False)
    cluster.env.run("runs", "cancel", name)
    said = (cluster.folder / "user_logs/std_log_process_0.txt").read_text().splitlines()
    assert sorted(said) == ["begun", "begun", "saved 0", "saved 1"]
    assert sorted(p.name for p in (cluster.folder / "status/1").glob("rank-*")) == ["rank-0.json", "rank-1.json"]


def test_large_log(cluster):
    """More than one piece, all of it in a second or two, without an end of line at its end."""
    cluster.run(job={"command": "i=0; while [ $i -lt 120000 ]; do echo \"$i xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"; "
                                "i=$((i+1)); done; printf 'a\\000b'"})
    text = (cluster.folder / "user_logs/std_log.txt").read_bytes()
    lines = text.split(b"\n")
    assert [int(line.split()[0]) for line in lines[:-1]] == list(range(120000)) and lines[-1] == b"a\0b"


def test_log_while_it_runs(cluster):
    p = cluster.env.popen("run", "--on", "k", "--source", "src", cluster.env.image, "--", "sh", "-c", "echo early; while [ ! -e outputs/go ]; do sleep 0.1; done")
    assert p.stdout.readline() == "early\n"
    go = next((cluster.dir / "run").glob("*/run/outputs"))
    (go / "go").write_text("")
    assert p.wait(timeout=60) == 0, p.stderr.read()


def test_deleted_by_somebody(cluster):
    (cluster.dir / "hold").write_text("")
    name = submitted(cluster)
    cluster.created("Job")[0].unlink()
    cluster.env.run("runs", "wait", name, code=125)
    assert cluster.record["state"] == "Failed" and cluster.record["reason"] == "lost"


def test_silence_changes_nothing(cluster):
    (cluster.dir / "hold").write_text("")
    name = submitted(cluster)
    state = cluster.record["state"]
    cluster.fail("get 1 Error from server (InternalError): an error on the server has prevented the request from succeeding",
                 "get 1 Unable to connect to the server: net/http: TLS handshake timeout")
    for _ in range(2):
        cluster.env.run("runs", "show", name)
        assert cluster.record["state"] in (state, "Queued")


def test_refused(cluster):
    cluster.fail('create 9 The Job "x" is invalid: spec.template: Invalid value')
    p = cluster.run(job={"command": "true"}, code=None)
    assert p.code in (1, 125) and "is invalid" in p.err
    assert cluster.record["state"] == "Failed"


@pytest.mark.parametrize("where", ["before-submit", "after-submit", "before-record", "after-record"])
def test_killed(cluster, where):
    """kill -9 between any two steps: submitted once, and the exit code is there in the end."""
    cluster.env.write("job.yml", json.dumps({"code": "src", "environment": {"image": cluster.env.image}, "command": "echo once; exit 9"}))
    p = cluster.env.popen("run", "job.yml", "--on", "k", "--no-wait", env={"ENVBUILD_FAULT": where})
    p.communicate(timeout=120)
    assert p.returncode == -signal.SIGKILL
    cluster.env.run("runs", "wait", cluster.folder.name, code=9)
    assert cluster.record["exit_code"] == 9
    assert (cluster.folder / "user_logs/std_log.txt").read_text() == "once\n"
    jobs = {(cluster.dir / "run").iterdir().__next__().name} if (cluster.dir / "run").exists() else set()
    assert len(list((cluster.dir / "run").iterdir())) == 1, jobs
