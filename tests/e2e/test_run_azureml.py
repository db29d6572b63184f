"""Runs on Azure ML, with a stub for az: what we hand over, and what we make of its answers. Nothing here has seen the real service."""
import json
import signal
import sys

import pytest

from registry_world import registries, registry  # noqa: F401

AZ = '''
import json, os, pathlib, shutil, sys
here, args = pathlib.Path(os.environ["FAKE_AZ"]), sys.argv[1:]
with (here / "calls").open("a") as f:
    f.write(json.dumps(args) + "\\n")
verb, value = args[2], lambda k: args[args.index(k) + 1]
if (here / "down").exists():
    sys.exit("ERROR: (ServiceUnavailable) try later")
if verb == "create":
    job = json.loads(pathlib.Path(value("--file")).read_text())
    (here / (job["name"] + ".job")).write_text(json.dumps({"name": job["name"], "status": "Queued"}))
    (here / "created").write_text(json.dumps(job))
    (here / "code").write_text(json.dumps(sorted(str(p.name) for p in (pathlib.Path(value("--file")).parent / job["code"]).rglob("*"))))
name = job["name"] if verb == "create" else value("--name")
path = here / (name + ".job")
if not path.exists():
    sys.exit("ERROR: (UserError) Job " + name + " was not found in the workspace")
if verb == "cancel":
    path.write_text(json.dumps({"name": name, "status": "Canceled"}))
elif verb == "download":
    shutil.copytree(here / "made", value("--download-path"))
elif (here / "answer").exists() and verb == "show" and json.loads(path.read_text())["status"] == "Queued":
    path.write_text(json.dumps({"name": name, **json.loads((here / "answer").read_text())}))
print(path.read_text())
'''
JOB = {"command": "python train.py --lr ${{inputs.lr}} --data ${{inputs.data}} --to ${{outputs.model}}", "code": "src", "experiment_name": "exp",
       "inputs": {"lr": 0.1, "data": {"type": "uri_folder", "path": "azureml:mnist:1", "mode": "ro_mount"}},
       "outputs": {"model": {"type": "uri_folder"}}, "environment_variables": {"A": "b c"}, "tags": {"team": "vision"},
       "distribution": {"type": "pytorch", "process_count_per_instance": 4}, "resources": {"instance_count": 2, "shm_size": "4g"},
       "limits": {"timeout": 60}, "identity": {"type": "user_identity"}}


@pytest.fixture
def az(env, definition, registry):  # noqa: F811
    definition()
    env.image = env.run("build", "env.yml").line
    env.az = env.folder / "az"
    (env.az / "made/artifacts/outputs").mkdir(parents=True)
    (env.az / "made/artifacts/outputs/m.txt").write_text("m\n")
    (env.az / "made/artifacts/user_logs").mkdir()
    (env.az / "made/artifacts/user_logs/std_log.txt").write_text("said\n")
    (env.az / "made/named-outputs/model").mkdir(parents=True)
    (env.az / "made/named-outputs/model/w").write_text("w\n")
    (env.az / "stub.py").write_text(AZ)
    (env.az / "bin").mkdir()
    (env.az / "bin/az").write_text(f'#!/bin/sh\nexec {sys.executable} {env.az}/stub.py "$@"\n')
    (env.az / "bin/az").chmod(0o755)
    env.env |= {"PATH": f"{env.az}/bin:{env.env['PATH']}", "FAKE_AZ": str(env.az), "ENVBUILD_RUNS_DIR": str(env.folder / "runs")}
    at = env.home / ".config/envbuild/compute.d"
    at.mkdir(parents=True)
    (at / "aml.yml").write_text(f"type: azureml\nworkspace: ws\nresource_group: rg\ncompute: gpu-cluster\nimage_repository: {registry.name}/team/runs\n")
    env.write("src/train.py", "")
    env.write("job.yml", json.dumps({**JOB, "environment": {"image": env.image}}))
    env.registry = registry
    return env


def answer(az, **doc):
    (az.az / "answer").write_text(json.dumps(doc))


def folder(az):
    return next(iter((az.folder / "runs").glob("*-*")))


def record(az):
    return json.loads((folder(az) / "run.json").read_text())


def created(az):
    return sum('"create"' in line for line in (az.az / "calls").read_text().splitlines())


def test_handed_over(az):
    answer(az, status="Completed")
    az.run("run", "job.yml", "--on", "aml")
    job = json.loads((az.az / "created").read_text())
    assert job["command"] == JOB["command"] and job["name"] == record(az)["id"]
    assert job["environment"]["image"].startswith(f"{az.registry.name}/team/runs@sha256:")
    assert job["inputs"] == {"lr": "0.1", "data": {"type": "uri_folder", "path": "azureml:mnist:1", "mode": "ro_mount"}}
    assert job["distribution"] == JOB["distribution"] and job["limits"] == {"timeout": 60} and job["identity"] == JOB["identity"]
    assert job["resources"] == {"instance_count": 2, "shm_size": "4g"} and job["compute"] == "azureml:gpu-cluster"
    assert job["tags"]["team"] == "vision" and job["tags"]["envbuild.lock"].startswith("sha256:")
    assert job["environment_variables"] == {"A": "b c"} and job["experiment_name"] == "exp"
    assert json.loads((az.az / "code").read_text()) == ["train.py"], "no links of ours"
    call = next(json.loads(c) for c in (az.az / "calls").read_text().splitlines() if '"create"' in c)
    assert call[-4:] == ["--workspace-name", "ws", "--resource-group", "rg"]
    at = folder(az)
    assert (at / "outputs/m.txt").read_text() == "m\n" and (at / "outputs/model/w").read_text() == "w\n"
    assert (at / "user_logs/std_log.txt").read_text() == "said\n" and record(az)["state"] == "Completed"


def test_failed(az):
    answer(az, status="Failed", error={"message": "Execution failed. User process 'python' exited with status code 11."})
    az.run("run", "job.yml", "--on", "aml", code=11)
    assert record(az)["exit_code"] == 11 and (folder(az) / "user_logs/std_log.txt").exists()


def test_cancel(az):
    az.run("run", "job.yml", "--on", "aml", "--no-wait")
    az.run("runs", "cancel", folder(az).name)
    az.run("runs", "wait", folder(az).name, code=130)
    assert record(az)["state"] == "Canceled"


def test_silence(az):
    az.run("run", "job.yml", "--on", "aml", "--no-wait")
    (az.az / "down").write_text("")
    az.run("runs", "show", folder(az).name)
    assert record(az)["state"] in ("Starting", "Queued")


@pytest.mark.parametrize("where", ["before-submit", "after-submit", "before-record"])
def test_killed(az, where):
    answer(az, status="Completed")
    p = az.popen("run", "job.yml", "--on", "aml", "--no-wait", env={"ENVBUILD_FAULT": where})
    p.communicate(timeout=120)
    assert p.returncode == -signal.SIGKILL
    az.run("runs", "wait", folder(az).name)
    assert created(az) == 1 and record(az)["state"] == "Completed"


def test_no_secret_goes_there(az):
    az.write("job.yml", json.dumps({**JOB, "environment": {"image": az.image}, "x-envbuild": {"env_from_host": ["TOKEN"]}}))
    p = az.run("run", "job.yml", "--on", "aml", code=None, env={"TOKEN": "xyzzy"})
    assert p.code != 0 and "Key Vault" in p.err and "xyzzy" not in p.err
    assert not (az.az / "created").exists()
