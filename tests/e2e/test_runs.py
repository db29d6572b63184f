"""`runs …`: over records made by hand, and over real runs of the target process."""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import time

import pytest
import runs_world
from conftest import program


@pytest.fixture
def root(env):
    folder = env.folder / "runs"
    folder.mkdir()
    env.env["ENVBUILD_RUNS_DIR"] = str(folder)
    return folder


def ids(out):
    return [line.split()[0] for line in out.splitlines()[1:]]


# --- list

def test_list_newest_first(env, root):
    for n, name in enumerate(["old", "mid", "new"]):
        runs_world.make(root, id=name, created_us=runs_world.NOW + n)
    runs_world.make(root, id="gone", archived=True)
    runs_world.make(root, id="other", spec={"experiment_name": "b"}, created_us=5)
    assert ids(env.run("runs", "list").out) == ["new", "mid", "old", "other"]
    assert ids(env.run("runs", "list", "--limit", "2").out) == ["new", "mid"]
    assert ids(env.run("runs", "list", "--experiment", "b").out) == ["other"]
    assert "gone" in ids(env.run("runs", "list", "--all").out)
    rows = json.loads(env.run("runs", "list", "--json").out)
    assert [r["id"] for r in rows] == ["new", "mid", "old", "other"] and rows[0]["state"] == "Completed"
    assert json.loads(env.run("runs", "list", "--json", "--experiment", "none").out) == []


def test_list_of_nothing(env, root):
    root.rmdir()
    assert ids(env.run("runs", "list").out) == []


@pytest.mark.parametrize("text, says", [("", "damaged"), ("{", "damaged"), ('{"format":9}', "newer envbuild"), ("[1]", "damaged"), (None, "cannot open")])
def test_list_survives_a_bad_record(env, root, text, says):
    runs_world.make(root, id="good")
    bad = runs_world.make(root, id="bad")
    (bad / "run.json").unlink()
    if text is not None:
        (bad / "run.json").write_text(text)
    os.utime(bad, (1, 1))
    r = env.run("runs", "list")
    assert ids(r.out) == ["good"] and says in r.err and "'bad'" in r.err
    env.run("runs", "show", "bad", code=1 if text is None else 7)
    env.run("runs", "rm", "bad")
    assert not bad.exists() and env.run("runs", "list").err == ""


def test_list_of_hostile_texts(env, root):
    runs_world.make(root, id="evil", spec={"experiment_name": "\x1b[2J\u202e"}, message='quote " and \\ and\nline', experiment="\x1b[2J\u202e")
    r = env.run("runs", "list")
    assert "\x1b" not in r.out and ids(r.out) == ["evil"]


# --- names

def test_names(env, root):
    runs_world.make(root, id="train-1", created_us=1)
    runs_world.make(root, id="train-12", created_us=2)
    assert env.run("runs", "show", "train-12").out.startswith("train-12 ")
    assert env.run("runs", "show", "train-1").out.startswith("train-1 ")  # a whole name wins over a longer one
    assert env.run("runs", "show", "@latest").out.startswith("train-12 ")
    r = env.run("runs", "show", "train", code=2)
    assert "train-1, train-12" in r.err or "train-12, train-1" in r.err
    assert "runs list" in env.run("runs", "show", "x", code=1).err
    env.run("runs", "show", "../runs/train-1", code=1)
    env.run("runs", "show", code=2)


# --- show

ADVICE = [
    ("ModuleNotFoundError: No module named 'yaml'\n", "PyYAML"),
    ("ModuleNotFoundError: No module named 'sklearn.svm'\n", "scikit-learn"),
    ("ModuleNotFoundError: No module named 'requests'\n", "requests"),
    ('jwt.exceptions.DecodeError: It is required that you pass in a value for the "algorithms" argument when calling decode().\n', "PyJWT<2"),
    ("ImportError: libGL.so.1: cannot open shared object file: No such file or directory\n", "opencv-python-headless"),
    ("RuntimeError: DataLoader worker (pid 3) is killed by signal: Bus error.\n", "shm_size"),
]


@pytest.mark.parametrize("log, says", ADVICE)
def test_show_advises(env, root, log, says):
    runs_world.make(root, id="f", state="Failed", reason="exit-code", exit_code=1, first_bad_rank=0, ranks=[{"exit_code": 1}], logs={0: "start\n" + log})
    out = env.run("runs", "show", "f").out
    assert says in out and "  | start\n" in out and "Failed: exit code 1" in out


def test_show_module_of_the_source(env, root):
    f = runs_world.make(root, id="f", state="Failed", reason="exit-code", exit_code=1, logs={0: "ModuleNotFoundError: No module named 'mine'\n"})
    (f / "code/src/mine").mkdir(parents=True)
    assert "PYTHONPATH=src/" in env.run("runs", "show", "f").out


def test_show_memory(env, root):
    runs_world.make(root, id="f", state="Failed", reason="signal", exit_code=137, term_signal=9, first_bad_rank=0, ranks=[{"signal": 9, "maxrss_kb": 4 << 20}])
    out = env.run("runs", "show", "f").out
    assert "memory" in out and "4096 MB" in out and "SIGKILL" in out


def test_show_ranks_and_the_first_bad_one(env, root):
    ranks = [{"exit_code": 143, "stopped": "peer"}, {"exit_code": 11}]
    runs_world.make(root, id="f", state="Failed", reason="exit-code", exit_code=11, first_bad_rank=1, ranks=ranks,
                    spec={"distribution": "pytorch", "per_node": 2}, logs={0: "zero\n", 1: "one \x1b[31mred\n"})
    out = env.run("runs", "show", "f").out
    assert "exit code 11 (rank 1)" in out and "(peer)" in out and "  | one ?[31mred\n" in out and "zero" not in out
    doc = json.loads(env.run("runs", "show", "f", "--json").out)
    assert [k["exit_code"] for k in doc["ranks"]] == [143, 11] and doc["state"] == "Failed"


def test_show_hides_secret_values(env, root):
    f = runs_world.make(root, id="f", spec={"environment_variables": [{"name": "API_TOKEN", "value": "s3cret"}, {"name": "LR", "value": "0.1"}]})
    out = env.run("runs", "show", "f").out
    page = env.run("runs", "show", "f", "--html", "-").out
    assert "s3cret" not in out + page and "LR=0.1" in out and "0.1" in page, (f / "run.json").read_text()


# --- html

HOSTILE = '<script>alert(1)</script><img src=x onerror=alert(2)> & "\' \x00\x1b[2J \u202eevil\n'


def hostile_run(root):
    spec = {"name": "t", "display_name": HOSTILE, "experiment_name": HOSTILE, "argv": ["a", HOSTILE.replace("\x00", "")],
            "environment_variables": [{"name": "A", "value": HOSTILE}], "tags": [{"name": HOSTILE, "value": HOSTILE}], "distribution": "pytorch", "per_node": 2}
    events = [{"t": runs_world.NOW + n * 1000000, "from": "x", "to": to, "why": HOSTILE} for n, to in enumerate(["Starting", "Queued", "Running", "Failed"], 1)]
    f = runs_world.make(root, id="f", state="Failed", reason="exit-code", exit_code=11, first_bad_rank=1, message=HOSTILE, spec=spec,
                        started_us=runs_world.NOW + 3000000, ended_us=runs_world.NOW + 8000000, engine_state=HOSTILE, image=HOSTILE,
                        ranks=[{"exit_code": 143, "stopped": "peer", "host": HOSTILE}, {"exit_code": 11}], events=events,
                        logs={0: HOSTILE * 5, 1: HOSTILE.encode() + b"\xff\xfe\x00 bytes </pre><script>x</script>\n"})
    use = "".join(json.dumps({"t": runs_world.NOW + n * 100000, "rss_kb": 1000 * (n % 17 + n), "cpu_ms": n * 90}) + "\n" for n in range(50))
    (f / "status/1/usage-1.jsonl").write_text(use)
    return f


def test_page_escapes_everything(env, root):
    hostile_run(root)
    env.run("runs", "show", "f", "--html", "page.html")
    page = (env.work / "page.html").read_bytes().decode()  # valid UTF-8
    assert "<script" not in page and "<img" not in page and "\x1b" not in page and "\x00" not in page and "\u202e" not in page
    assert page.count("<pre>") == page.count("</pre>") == 2
    assert "http://" not in page and "https://" not in page and "src=" not in page.replace("src=x", "")
    assert "default-src &#39;none&#39;" in page or "default-src 'none'" in page


def test_page_in_chromium(env, root):
    """By hand, where chromium is: the page has no script of its own and none of others; it is looked at in a picture."""
    chromium = shutil.which("chromium")
    if not chromium:
        pytest.skip("chromium is not installed")
    hostile_run(root)
    env.run("runs", "show", "f", "--html", "page.html")
    page = env.work / "page.html"
    base = [chromium, "--headless=new", "--no-sandbox", "--disable-gpu", f"--user-data-dir={env.folder}/chromium", "--virtual-time-budget=2000"]
    dom = subprocess.run([*base, "--dump-dom", page.as_uri()], capture_output=True, text=True, timeout=120)
    assert "<h2>States</h2>" in dom.stdout and "<script" not in dom.stdout and 'onerror="' not in dom.stdout
    shot = pathlib.Path(os.environ.get("RUNS_PAGE_PICTURE", env.folder / "page.png"))
    subprocess.run([*base, "--window-size=1200,2400", f"--screenshot={shot}", page.as_uri()], check=True, capture_output=True, timeout=120)
    assert shot.stat().st_size > 20000


# --- logs

def test_logs(env, root):
    runs_world.make(root, id="one", logs={0: "a\nb\nc"})
    assert env.run("runs", "logs", "one").out == "a\nb\nc"
    assert env.run("runs", "logs", "--tail", "2", "one").out == "b\nc"
    assert env.run("runs", "logs", "--tail", "9", "-f", "one").out == "a\nb\nc"
    two = {"distribution": "pytorch", "per_node": 2}
    runs_world.make(root, id="two", spec=two, ranks=[{}, {}], logs={0: "a\nb", 1: "x\n\ny\n"})
    assert env.run("runs", "logs", "two").out == "[0] a\n[1] x\n[1] \n[1] y\n[0] b\n"
    assert env.run("runs", "logs", "--rank", "1", "two").out == "x\n\ny\n"
    assert "0 to 1" in env.run("runs", "logs", "--rank", "2", "two", code=2).err
    runs_world.make(root, id="none")
    assert env.run("runs", "logs", "none").out == ""


def test_logs_of_100_mb(env, root):
    line = b"x" * 99 + b"\n"
    runs_world.make(root, id="big", logs={0: line * 1000000 + b"end\x00"})
    with subprocess.Popen([program(), "runs", "logs", "big"], env=env.env, stdout=subprocess.PIPE) as p:
        n, last = 0, b""
        while block := p.stdout.read(1 << 20):
            n, last = n + len(block), block
    assert p.returncode == 0 and n == 100000004 and last.endswith(b"end\x00")
    assert env.run("runs", "logs", "--tail", "2", "big").out == line.decode() + "end\x00"


# --- what is not ours to change, and what is

def test_archive_rm_download(env, root):
    f = runs_world.make(root, id="done", logs={0: "log\n"})
    (f / "outputs/a b").mkdir()
    (f / "outputs/a b/model.bin").write_bytes(b"\x00" * 70000)
    (f / "outputs/empty").write_bytes(b"")
    (f / "outputs/link").symlink_to("a b/model.bin")
    (f / "logs/events").write_text("e")
    assert env.run("runs", "download", "done").line == "done"
    got = env.work / "done"
    assert (got / "outputs/a b/model.bin").read_bytes() == b"\x00" * 70000 and os.readlink(got / "outputs/link") == "a b/model.bin"
    assert (got / "outputs/empty").exists() and (got / "logs/events").read_text() == "e" and (got / "user_logs/std_log.txt").read_text() == "log\n"
    env.run("runs", "download", "done", code=2)
    env.run("runs", "download", "done", "-o", "else/where")
    env.run("runs", "archive", "done")
    assert ids(env.run("runs", "list").out) == [] and ids(env.run("runs", "list", "--all").out) == ["done"]
    env.run("runs", "rm", "done")
    assert list(root.iterdir()) == []


def test_cancel_of_what_is_over(env, root):
    runs_world.make(root, id="done")
    assert "is over: Completed" in env.run("runs", "cancel", "done").err
    assert env.run("runs", "wait", "done").out == "done  Completed\n"
    runs_world.make(root, id="bad", state="Failed", reason="exit-code", exit_code=7)
    env.run("runs", "wait", "done", "bad", code=7)


def test_a_run_whose_maker_is_gone(env, root):
    """kill -9 before the engine was asked."""
    f = runs_world.make(root, id="lost", state="Preparing")
    doc = json.loads((f / "run.json").read_text())
    gone = subprocess.Popen(["true"])
    gone.wait()
    doc |= {"token": "", "handle": "", "maker": f"{os.uname().nodename}:{gone.pid}:12345"}
    (f / "run.json").write_text(json.dumps(doc))
    env.run("runs", "wait", "lost", code=125)
    assert "lost" in env.run("runs", "list").out and "before it submitted" in env.run("runs", "show", "lost").out


# --- real ones

def start(env, *args, command):
    r = env.run("run", "--on", "process", "--no-wait", *args, "--", "sh", "-c", command)
    return r.out.split()[-1]


def test_follow_sees_lines_at_once(env, root):
    """Each line when it is written, long before the run is over, and the end with the run's."""
    run = start(env, command="for i in 1 2 3; do echo line $i; while ! [ -e go$i ]; do sleep 0.02; done; done; printf 'no end'")
    p = env.popen("runs", "logs", "-f", run)
    for n in (1, 2, 3):
        assert p.stdout.readline() == f"line {n}\n"
        (root / run / f"code/go{n}").touch()
    out, err = p.communicate(timeout=60)
    assert out == "no end" and p.returncode == 0, err


def test_wait_gives_the_code_and_rm_refuses(env, root):
    run = start(env, command="while ! [ -e stop ]; do sleep 0.05; done; exit 7")
    assert "rm --force" in env.run("runs", "rm", run, code=2).err
    assert "goes on" in env.run("runs", "archive", run, code=2).err
    waiter = env.popen("runs", "wait", run)
    (root / run / "code/stop").touch()
    assert waiter.wait(60) == 7
    waiter.communicate()
    assert "Failed (7)" in env.run("runs", "list").out
    env.run("runs", "rm", run)
    assert not (root / run).exists()


def test_cancel_and_rm_force(env, root):
    run = start(env, command="sleep 600")
    env.run("runs", "cancel", run)
    env.run("runs", "cancel", run)
    env.run("runs", "wait", run, code=130)
    other = start(env, command="sleep 600")
    env.run("runs", "rm", "--force", other)
    assert not (root / other).exists()


def test_interrupted_wait_leaves_it_alone(env, root):
    run = start(env, command="echo up; while ! [ -e stop ]; do sleep 0.05; done")
    p = env.popen("runs", "logs", "-f", run)
    assert p.stdout.readline() == "up\n"
    p.send_signal(signal.SIGINT)
    assert p.wait(30) == 130
    p.communicate()
    assert json.loads((root / run / "run.json").read_text())["state"] in ("Running", "Starting")
    (root / run / "code/stop").touch()
    env.run("runs", "wait", run)


@pytest.mark.parametrize("where, code", [("before-token", 125), ("before-submit", 7), ("after-submit", 7), ("before-record", 7), ("after-record", 7)])
def test_killed_between_two_writes(env, root, where, code):
    """Whoever waits later has the code; the command ran once."""
    counted = env.folder / "count"
    p = env.popen("run", "--on", "process", "--no-wait", "--", "sh", "-c", f"echo x >> '{counted}'; exit 7", env={"ENVBUILD_FAULT": where})
    p.communicate()
    assert p.returncode == -signal.SIGKILL
    env.run("runs", "wait", "@latest", code=code)
    assert (counted.read_text() if counted.exists() else "") == ("x\n" if code == 7 else "")
    json.loads(env.run("runs", "show", "@latest", "--json").out)
    env.run("runs", "rm", "@latest")
    assert list(root.iterdir()) == []


def test_wait_again_after_the_supervisor_was_killed(env, root):
    """Its command goes with it or ends as it would; either way there is an end, and no second start."""
    counted = env.folder / "count"
    run = start(env, command=f"echo x >> '{counted}'; while ! [ -e stop ]; do sleep 0.05; done; exit 7")
    end = time.monotonic() + 30
    while not counted.exists() and time.monotonic() < end:
        time.sleep(0.02)
    pid = int(json.loads((root / run / "run.json").read_text())["handle"].split(":")[2])
    os.kill(pid, signal.SIGKILL)
    (root / run / "code/stop").touch()
    r = env.run("runs", "wait", run, code=None)
    assert r.code in (7, 125) and counted.read_text() == "x\n", r.out + r.err


def test_the_first_bad_rank_and_its_log(env, root):
    """Rank 1 of 3 fails with 11; what its peers say afterwards is not what is told."""
    r = env.run("run", "--on", "process", "--distribution", "pytorch", "--processes", "3", "--", "sh", "-c",
                "echo I am $RANK; [ $RANK = 1 ] && exit 11; until [ -e ../status/1/failed ]; do sleep 0.05; done; exit 3", code=11)
    assert sorted(r.out.splitlines()) == ["[0] I am 0", "[1] I am 1", "[2] I am 2"]
    out = env.run("runs", "show", "@latest").out
    assert "exit code 11 (rank 1)" in out and "  | I am 1\n" in out and "I am 0" not in out
    doc = json.loads(env.run("runs", "show", "@latest", "--json").out)
    assert doc["exit_code"] == 11 and doc["first_bad_rank"] == 1 and len(doc["ranks"]) == 3


def test_tried_again(env, root):
    """The second attempt's end is the run's; each attempt has a log of its own, and who follows sees both."""
    env.write("job.yml", "command: echo try $ENVBUILD_ATTEMPT; test $ENVBUILD_ATTEMPT = 2\ncompute: process\n"
                         "x-envbuild: {retry: {max: 2, on: [exit-code]}}\n")
    assert env.run("run", "job.yml").out == "try 1\ntry 2\n"
    assert "2 of 3" in env.run("runs", "show", "@latest").out
    assert [r["attempt"] for r in json.loads(env.run("runs", "list", "--json").out)] == [2]
    logs = sorted(p.read_text() for p in root.glob("*/user_logs/**/std_log.txt"))
    assert logs == ["try 1\n", "try 2\n"]
