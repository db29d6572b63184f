"""One description with many values: which runs there are, how many at once, what the table says, how it is ended."""
import json
import re
import signal
import time

import pytest

JOB = """\
command: >-
  echo "lr=${{inputs.lr}} seed=$SEED" &&
  echo "{\\"loss\\": ${{inputs.lr}}$SEED}" > outputs/metrics.json && test $SEED != 2
inputs: {lr: 0}
environment_variables: {SEED: 0}
experiment_name: many
"""
SLEEP = """\
command: >-
  touch $MARKS/start-$SEED; while ! test -e $MARKS/go; do sleep 0.05; done; touch $MARKS/end-$SEED
environment_variables: {SEED: 0, MARKS: %s}
x-envbuild: {grace: 2}
"""


@pytest.fixture
def many(env):
    env.env["ENVBUILD_RUNS_DIR"] = str(env.folder / "runs")
    env.write("job.yml", JOB)
    marks = env.folder / "marks"
    marks.mkdir()
    env.write("sleep.yml", SLEEP % marks)
    env.marks = marks
    return env


def rows(text):
    return [re.split(r"\s{2,}", line.strip()) for line in text.splitlines()]


def records(env):
    return [json.loads(p.read_text()) for p in (env.folder / "runs").glob("*/run.json")]


def test_all_combinations(many):
    p = many.run("sweep", "job.yml", "--on", "process", "--set", "lr=0.1,0.01", "--set", "SEED=1..3", "--metric", "loss", code=1)
    table = rows(p.out)
    assert table[0] == ["lr", "SEED", "state", "exit", "time", "loss", "run"]
    assert [(r[0], r[1], r[2], r[3], r[5]) for r in table[1:]] == [
        ("0.1", "1", "Completed", "0", "0.11"), ("0.1", "2", "Failed", "1", "0.12"), ("0.1", "3", "Completed", "0", "0.13"),
        ("0.01", "1", "Completed", "0", "0.011"), ("0.01", "2", "Failed", "1", "0.012"), ("0.01", "3", "Completed", "0", "0.013")]
    for r in table[1:]:
        folder = many.folder / "runs" / r[6]
        assert (folder / "user_logs/std_log.txt").read_text() == f"lr={r[0]} seed={r[1]}\n"
        record = json.loads((folder / "run.json").read_text())
        tags = {t["name"]: t["value"] for t in record["spec"]["tags"]}
        assert tags == {"lr": r[0], "SEED": r[1]} and record["sweep"].startswith("sweep-")
    assert len({r["sweep"] for r in records(many)}) == 1


def test_completed_is_zero(many):
    p = many.run("sweep", "job.yml", "--on", "process", "--set", "SEED=3,4")
    assert [r[1] for r in rows(p.out)[1:]] == ["Completed"] * 2


def test_json_and_random(many):
    def run(seed):
        p = many.run("sweep", "job.yml", "--on", "process", "--set", "lr=1..50", "--set", "SEED=3..9", "--random", "3", "--seed", seed,
                     "--max-concurrent", "3", "--metric", "loss", "--json")
        return json.loads(p.out)
    one, again, other = run("500000"), run("500000"), run("6")
    assert [r["parameters"] for r in one["runs"]] == [r["parameters"] for r in again["runs"]]
    assert [r["parameters"] for r in one["runs"]] != [r["parameters"] for r in other["runs"]]
    assert len({tuple(r["parameters"].items()) for r in one["runs"]}) == 3
    for r in one["runs"]:
        assert r["state"] == "Completed" and r["exit_code"] == 0 and r["duration_us"] > 0
        assert r["metric"] == int(r["parameters"]["lr"] + r["parameters"]["SEED"])


@pytest.mark.parametrize("words, told", [
    (["job.yml", "--set", "rl=1"], "no input and no variable 'rl'"),
    (["job.yml"], "needs values"),
    (["job.yml", "--set", "lr=0..1.5"], "needs a step"),
    (["job.yml", "--set", "lr=1..9999", "--set", "SEED=1..9"], "--random"),
    ([], "needs the description"),
])
def test_refused_before_anything(many, words, told):
    p = many.run("sweep", *words, "--on", "process", code=None)
    assert p.code in (1, 2) and told in p.err
    assert not (many.folder / "runs").exists()


class Sweep:
    """One that goes on; it is told to end before the test is over, whatever happens."""

    def __init__(self, env, *words):
        self.env = env
        self.p = env.popen("sweep", *words)

    def wait_for(self, names, seconds=30):
        end = time.monotonic() + seconds
        while not all((self.env.marks / n).exists() for n in names):
            assert time.monotonic() < end and self.p.poll() is None, self.p.stderr.read() if self.p.poll() is not None else names
            time.sleep(0.02)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        (self.env.marks / "go").touch()
        if self.p.poll() is None:
            self.p.wait(60)
        self.p.stdout.close()
        self.p.stderr.close()


def test_so_many_at_once(many):
    with Sweep(many, "sleep.yml", "--on", "process", "--set", "SEED=1..5", "--max-concurrent", "2") as s:
        s.wait_for(["start-1", "start-2"])
        (many.marks / "go").touch()
        out, err = s.p.communicate(timeout=60)
        assert s.p.returncode == 0, err
        assert [r[1] for r in rows(out)[1:]] == ["Completed"] * 5
    times = [(r["started_us"], r["ended_us"]) for r in records(many)]
    assert max(sum(a <= t < b for a, b in times) for t, _ in times) == 2


def test_interrupt_ends_all(many):
    with Sweep(many, "sleep.yml", "--on", "process", "--set", "SEED=1..4", "--max-concurrent", "2") as s:
        s.wait_for(["start-1", "start-2"])
        s.p.send_signal(signal.SIGINT)
        out, err = s.p.communicate(timeout=60)
        assert s.p.returncode == 130, err
        assert [r[1] for r in rows(out)[1:]] == ["Canceled", "Canceled", "NotStarted", "NotStarted"]
        assert not (many.marks / "start-3").exists()
        assert {r["state"] for r in records(many)} == {"Canceled"}


def test_twice_leaves_them_alone(many):
    with Sweep(many, "sleep.yml", "--on", "process", "--set", "SEED=1..2", "--max-concurrent", "2") as s:
        s.wait_for(["start-1", "start-2"])
        s.p.send_signal(signal.SIGTERM)
        out, err = s.p.communicate(timeout=60)
        assert s.p.returncode == 143 and out == "" and "2 runs go on" in err
        assert {r["state"] for r in records(many)} <= {"Running", "Starting"}
        (many.marks / "go").touch()
        end = time.monotonic() + 30
        while {r["state"] for r in records(many)} != {"Completed"} and time.monotonic() < end:
            time.sleep(0.05)
        assert {r["state"] for r in records(many)} == {"Completed"}


def test_one_environment_for_all(many, definition):
    definition()
    many.write("src/data.txt", "data")
    many.write("job.yml", JOB + "environment: file:env.yml\ncode: src\n")
    p = many.run("sweep", "job.yml", "--set", "SEED=3,4", "--max-concurrent", "2", "--json")
    table = json.loads(p.out)
    assert [r["state"] for r in table["runs"]] == ["Completed"] * 2
    runs = records(many)
    assert {r["image"] for r in runs} == {table["image"]} and "@sha256:" in table["image"]
    assert len({r["snapshot"]["digest"] for r in runs}) == 1
