"""Kubernetes' own API server 1.34 with its Job controller as the judge of what we submit and how we read it; the test plays the kubelet.

By hand: JUDGES_DIR=DIR ENVBUILD_PROGRAM=build/builder/cli/envbuild TARGET_RENDER=build/tests/target_render python3 -m pytest tests/e2e/test_run_kube_api.py
JUDGES_DIR holds kube-apiserver and kube-controller-manager (kube_world.py)."""
import json
import os
import subprocess

import pytest

import kube_world
from conftest import ROOT
from registry_world import registries, registry  # noqa: F401

pytestmark = pytest.mark.skipif(bool(kube_world.missing()), reason=f"not here: {', '.join(kube_world.missing())}")
RENDER = os.environ.get("TARGET_RENDER", str(ROOT / "build/tests/target_render"))
JOBS = {
    "single": {"command": "python t.py $(x) $$", "limits": {"timeout": 60}, "x-envbuild": {"gpus": 1, "cpus": 2, "memory": "4Gi", "env_from_host": ["TOKEN"]},
               "outputs": {"m": {"type": "uri_folder"}}, "environment_variables": {"A": "1"}, "tags": {"team": "a b"}},
    "processes": {"command": "x", "distribution": {"type": "pytorch", "process_count_per_instance": 4}},
    "indexed": {"command": "x", "distribution": {"type": "pytorch", "process_count_per_instance": 2}, "resources": {"instance_count": 2}},
    "tensorflow": {"command": "x", "distribution": {"type": "tensorflow", "worker_count": 2, "parameter_server_count": 1},
                   "resources": {"instance_count": 3}},
    "mpi": {"command": "x", "distribution": {"type": "mpi", "process_count_per_instance": 2}},
}


@pytest.fixture(scope="module")
def kube(tmp_path_factory):
    k = kube_world.Kube(tmp_path_factory.mktemp("kube") / "k")
    yield k
    k.close()


@pytest.mark.parametrize("name", JOBS)
@pytest.mark.parametrize("full", [False, True])
def test_taken(kube, tmp_path, name, full):
    job = {**JOBS[name], "code": "src", "environment": "azureml:x:1"}
    profile = {"type": "kubernetes", "namespace": "team", "outputs_pvc": "claim"}
    if full:
        profile |= {"queue": "q", "pull_secret": "reg", "node_selector": ["pool=gpu"], "tolerations": ["nvidia.com/gpu:NoSchedule", "a=b:NoExecute", "s"]}
    (tmp_path / "src").mkdir()
    (tmp_path / "p.yml").write_text(json.dumps(profile))
    (tmp_path / "j.yml").write_text(json.dumps(job))
    subprocess.run([RENDER, tmp_path / "p.yml", tmp_path / "j.yml", tmp_path], check=True, env={**os.environ, "TOKEN": "s3cret"})
    files = sorted((tmp_path / "submit").iterdir())
    assert files
    for f in files:
        kube.kubectl("apply", "--dry-run=server", "--validate=strict", "-f", f)


def test_the_judge_refuses(kube, tmp_path):
    good = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "x", "namespace": "team"},
            "spec": {"template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "m", "image": "a"}]}}}}
    kube.kubectl("apply", "--dry-run=server", "--validate=strict", "-f", "-", input=json.dumps(good))
    bad = json.loads(json.dumps(good))
    bad["spec"]["activeDeadlineSecs"] = 5
    assert kube.kubectl("apply", "--dry-run=server", "--validate=strict", "-f", "-", input=json.dumps(bad), code=None).returncode


# --- whole runs


@pytest.fixture
def user(env, definition, registry, kube):  # noqa: F811
    definition()
    env.image = env.run("build", "env.yml").line
    env.env |= {"KUBECONFIG": str(kube.config), "ENVBUILD_RUNS_DIR": str(env.folder / "runs")}
    at = env.home / ".config/envbuild/compute.d"
    at.mkdir(parents=True)
    (at / "k.yml").write_text(json.dumps({"type": "kubernetes", "context": "real", "namespace": "team", "image_repository": f"{registry.name}/team/runs"}))
    env.write("src/a.txt", "")
    yield env
    kube.kubectl("-n", "team", "delete", "jobs,pods,secrets,services", "--all", "--force", "--grace-period=0")


def submit(user, **job):
    user.write("job.yml", json.dumps({"code": "src", "environment": {"image": user.image}, "command": "true", **job}))
    user.run("run", "job.yml", "--on", "k", "--no-wait", env={"TOKEN": "s3cret"})
    return next(iter((user.folder / "runs").glob("*-*"))).name


def record(user, run):
    return json.loads((user.folder / "runs" / run / "run.json").read_text())


def pods(kube, n):
    return kube.wait(lambda: (p := [p["metadata"]["name"] for p in sorted(kube.get("pods"), key=lambda p: p["metadata"]["name"])]) and len(p) == n and p)


@pytest.mark.parametrize("code", [0, 11])
def test_ends(user, kube, code):
    run = submit(user, **{"x-envbuild": {"env_from_host": ["TOKEN"]}})
    pod, = pods(kube, 1)
    secret, = kube.get("secrets")
    assert secret["data"] == {"TOKEN": "czNjcmV0"} and secret["metadata"]["ownerReferences"][0]["name"] == run
    user.run("runs", "show", run)
    assert record(user, run)["state"] == "Queued"
    kube.play(pod, {"running": {"startedAt": "2026-11-24T10:00:00Z"}}, "Running")
    user.run("runs", "show", run)
    assert record(user, run)["state"] == "Running"
    kube.end(pod, code, rank=0)
    user.run("runs", "wait", run, code=code)
    assert record(user, run)["exit_code"] == code
    kube.wait(lambda: not kube.get("jobs") and not kube.get("secrets"))


def test_two_nodes_first_bad_rank(user, kube):
    run = submit(user, distribution={"type": "pytorch"}, resources={"instance_count": 2})
    names = pods(kube, 2)
    assert kube.get("services")[0]["spec"]["clusterIP"] == "None"
    for pod in names:
        kube.play(pod, {"running": {"startedAt": "2026-11-24T10:00:00Z"}}, "Running")
    kube.end(next(p for p in names if f"{run}-1-" in p), 11, rank=1)
    user.run("runs", "wait", run, code=11)
    assert record(user, run)["first_bad_rank"] == 1


def test_cancel(user, kube):
    run = submit(user)
    pods(kube, 1)
    user.run("runs", "cancel", run)
    user.run("runs", "wait", run, code=130)
    kube.wait(lambda: not kube.get("jobs"))
    user.run("runs", "cancel", run)


def test_second_create_is_the_first(user, kube):
    """kill -9 after the object was made, and before anybody wrote that down."""
    user.write("job.yml", json.dumps({"code": "src", "environment": {"image": user.image}, "command": "true"}))
    user.popen("run", "job.yml", "--on", "k", "--no-wait", env={"ENVBUILD_FAULT": "after-submit"}).communicate(timeout=120)
    run = next(iter((user.folder / "runs").glob("*-*"))).name
    pod, = pods(kube, 1)
    assert "handle" not in record(user, run)
    user.run("runs", "show", run)
    kube.end(pod, 7, rank=0)
    user.run("runs", "wait", run, code=7)


def test_no_record(user, kube):
    run = submit(user)
    pod, = pods(kube, 1)
    kube.end(pod, 9)
    user.run("runs", "wait", run, code=9)


def test_doctor(user):
    doc = json.loads(user.run("doctor", "--json", code=None).out)
    t = next(t for t in doc["targets"] if t["name"] == "k")
    assert t["works"] and "v1.34.4" in t["version"]
