"""Runs that are kept: one description, several targets; flags, exit codes, what is on stdout, what is in the folder."""
import json
import os
import pathlib
import re

import pytest

JOB = """\
type: command
command: >-
  echo "C=${{inputs.C}} $GREETING" && pwd && cat data.txt > ${{outputs.model}}/copy.txt &&
  echo '{"loss": 0.5}' > outputs/metrics.json && echo event > logs/events.txt && ls
code: src
inputs: {C: 0.8}
outputs: {model: {type: uri_folder}}
environment_variables: {GREETING: hello}
experiment_name: same
"""


@pytest.fixture
def kept(env, definition):
    env.env["ENVBUILD_RUNS_DIR"] = str(env.folder / "runs")
    env.write("src/data.txt", "data\n")
    env.write("src/.amlignore", "*.tmp\n")
    env.write("src/left.tmp", "not taken\n")
    definition()
    env.image = env.run("build", "env.yml").line
    return env


def folder(env, text):
    found = re.search(r"(?:run|^)\s*([a-z0-9-]+-\d{8}-[a-z0-9]{6})", text, re.M)
    return pathlib.Path(env.env["ENVBUILD_RUNS_DIR"]) / found[1]


@pytest.mark.parametrize("target", ["process", "local"])
def test_same_outputs(kept, target):
    text = JOB if target == "process" else JOB + f"environment: {{image: {kept.image}}}\n"
    kept.write("job.yml", text)
    p = kept.run("run", "job.yml", "--on", target)
    at = folder(kept, p.err)
    assert p.out.startswith("C=0.8 hello\n"), p.out
    assert "left.tmp" not in p.out and "data.txt" in p.out
    assert (at / "outputs/model/copy.txt").read_text() == "data\n"
    assert json.loads((at / "outputs/metrics.json").read_text()) == {"loss": 0.5}
    assert (at / "logs/events.txt").read_text() == "event\n"
    assert (at / "user_logs/std_log.txt").read_text() == p.out
    record = json.loads((at / "run.json").read_text())
    assert record["state"] == "Completed" and record["experiment"] == "same"
    assert ("image" in record and record["image"].startswith(kept.image.split("@")[0])) == (target == "local")
    assert not (at / "submit/rank.env").exists(), "variables are gone when it is over"


@pytest.mark.parametrize("code", [0, 1, 7, 125, 137, 255])
def test_exit_code(kept, code):
    kept.run("run", "--on", "process", "--", "sh", "-c", f"exit {code}", code=code)


def test_render_submits_nothing(kept):
    p = kept.run("run", "--on", "process", "--source", "src", "--render", "out", "--", "touch", kept.work / "ran")
    rendered = pathlib.Path(kept.work / p.out.strip())
    assert rendered.is_dir() and any(rendered.iterdir())
    assert not (kept.work / "ran").exists()


def test_what_a_target_cannot_do_is_said_first(kept):
    assert "no file 'nope.yml'" in kept.run("run", "nope.yml", code=2).err
    assert "one machine" in kept.run("run", "--on", "process", "--nodes", "2", "--", "true", code=2).err
    err = kept.run("run", "--on", "proces", "--", "true", code=2).err
    assert "process" in err
    kept.write("bad.yml", "type: command\ncommand: echo ${{inputs.nope}}\nkommand: x\n")
    err = kept.run("run", "bad.yml", "--on", "process", code=2).err
    assert "bad.yml:2:" in err and "bad.yml:3:" in err, "all faults at once"


def test_no_wait_then_wait(kept):
    os.mkfifo(kept.work / "gate")
    run_id = kept.run("run", "--no-wait", "--on", "process", "--", "sh", "-c", f"read x < {kept.work}/gate; exit 9").line
    at = pathlib.Path(kept.env["ENVBUILD_RUNS_DIR"]) / run_id
    assert json.loads((at / "run.json").read_text())["state"] in ("Starting", "Running")
    (kept.work / "gate").write_text("go\n")
    kept.run("runs", "wait", run_id, code=9)
    assert json.loads((at / "run.json").read_text())["exit_code"] == 9
    assert run_id in kept.run("runs", "list").out


def test_secret_of_the_host(kept):
    secret = "s3cr3t-" + os.urandom(8).hex()
    p = kept.run("run", "--on", "process", "--env-from-host", "HF_TOKEN", "--", "sh", "-c", 'test "$HF_TOKEN" && printf %s "$HF_TOKEN" | wc -c',
                 env={"HF_TOKEN": secret})
    assert p.out.strip() == str(len(secret))
    for path in pathlib.Path(kept.env["ENVBUILD_RUNS_DIR"]).rglob("*"):
        if path.is_file():
            assert secret.encode() not in path.read_bytes(), path
    assert "HF_TOKEN" in kept.run("run", "--on", "process", "--env-from-host", "HF_TOKEN", "--", "true", code=2).err
