"""The source of a run: what is taken, what moves, what stands in the way; the working copy, the layer, and an image with it."""
import io
import json
import os
import pathlib
import random
import resource
import shutil
import signal
import socket
import subprocess
import tarfile
import time

import pytest

from registry_world import registries, registry  # noqa: F401
from test_judges import containers, podman_run  # noqa: F401

SNAPSHOT, APPEND = os.environ["SNAPSHOT"], os.environ["APPEND"]
ASAN = {"ASAN_OPTIONS": "detect_leaks=1", "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1", "PATH": os.environ["PATH"]}


class Taken:
    def __init__(self, p):
        assert "Sanitizer" not in p.stderr, p.stderr
        self.code, self.err = p.returncode, p.stderr
        lines = p.stdout.split("\n")
        self.faults = [x for x in lines if x.startswith("EB")]
        if self.code == 0:
            w = lines[0].split()
            self.digest, self.files, self.bytes, self.moved = w[0], int(w[1]), int(w[3]), int(w[6])


def take(tmp, src="src", store="store", code=0, **kw):
    env = {**ASAN, **kw.pop("env", {})}
    p = subprocess.run([SNAPSHOT, tmp / store, "take", src], cwd=tmp, capture_output=True, text=True, errors="surrogateescape", env=env, **kw)
    assert p.returncode == code, (p.returncode, p.stdout, p.stderr)
    return Taken(p)


def place(tmp, digest, to="copy"):
    subprocess.run([SNAPSHOT, tmp / "store", "place", digest, to], cwd=tmp, check=True, env=ASAN)
    return listing(tmp / to)


def listing(root):
    """Path to what it is, as a snapshot keeps it."""
    out, root = {}, os.fsencode(root)
    for at, folders, files in os.walk(root):
        for name in folders + files:
            p = os.path.join(at, name)
            rel = os.path.relpath(p, root)
            if os.path.islink(p):
                out[rel] = ("link", os.readlink(p))
            elif os.path.isdir(p):
                out[rel] = ("dir",) if not os.listdir(p) else None
            else:
                out[rel] = ("file", open(p, "rb").read(), os.stat(p).st_mode & 0o777)
    return {k: v for k, v in out.items() if v}


@pytest.fixture
def src(tmp_path):
    root = tmp_path / "src"
    (root / "pkg/empty").mkdir(parents=True)
    (root / "train.py").write_text("print('hi')\n")
    (root / "run.sh").write_text("#!/bin/sh\n")
    (root / "run.sh").chmod(0o700)
    (root / "pkg/a.py").write_text("a = 1\n")
    (root / "pkg-b").write_text("sorts between\n")
    os.symlink("a.py", root / "pkg/l.py")
    os.symlink("../pkg/a.py", root / "pkg/round.py")
    return root


def test_copy_is_the_source(tmp_path, src):
    names = [b"new\nline", b"\xff\xfe not utf-8", b"-dash", b" blank ", "é".encode(), b"back\\slash", b"%s"]
    for i, n in enumerate(names):
        with open(os.path.join(os.fsencode(src), n), "wb") as f:
            f.write(b"%d" % i)
    (src / "big").write_bytes(random.Random(1).randbytes(3_000_000))
    (src / "zero").write_bytes(b"")
    t = take(tmp_path)
    got = place(tmp_path, t.digest)
    want = {k: (*v[:2], 0o755 if v[2] & 0o100 else 0o644) if v[0] == "file" else v for k, v in listing(src).items()}
    assert got == {**want, b"outputs": ("link", b"../outputs"), b"logs": ("link", b"../logs")}
    assert t.files == len(want) - 1 and t.faults == []


def test_second_take_moves_what_changed(tmp_path, src):
    first = take(tmp_path)
    assert first.moved == 4 and take(tmp_path).moved == 0
    (src / "pkg/a.py").write_text("a = 2\n")
    second = take(tmp_path)
    assert second.moved == 1 and second.digest != first.digest
    (src / "pkg/a.py").write_text("a = 1\n")
    third = take(tmp_path)
    assert third.moved == 0 and third.digest == first.digest
    (src / "twin").write_text("a = 1\n")
    assert take(tmp_path).moved == 0, "the same content is there once"


def test_same_size_and_time_is_seen(tmp_path, src):
    """What git calls racily clean: written again within the tick of the clock, and its time set back."""
    seen = set()
    for i in range(20):
        (src / "train.py").write_text(f"print({i:2})\n")
        os.utime(src / "train.py", ns=(10**18, 10**18))
        seen.add(take(tmp_path).digest)
    assert len(seen) == 20


def test_same_on_any_machine(tmp_path, src):
    want = take(tmp_path).digest
    other = tmp_path / "elsewhere"
    other.mkdir()
    for p in sorted(src.rglob("*"), reverse=True):  # made in another order, under another mask, with other times
        to = other / p.relative_to(src)
        to.parent.mkdir(parents=True, exist_ok=True)
        if p.is_symlink():
            os.symlink(os.readlink(p), to)
        elif p.is_file():
            shutil.copy(p, to)
            to.chmod(0o711 if p.stat().st_mode & 0o100 else 0o640)
            os.utime(to, (5, 5))
        else:
            to.mkdir(exist_ok=True)
    old = os.umask(0o077)
    try:
        assert take(tmp_path, "elsewhere", "other-store", env={"TZ": "Asia/Tokyo", "LC_ALL": "C"}).digest == want
        os.symlink(src, tmp_path / "link")
        assert take(tmp_path, "link").digest == want
        got = place(tmp_path, want)
        assert got[b"train.py"][2] == 0o644 and got[b"run.sh"][2] == 0o755
        assert (tmp_path / "copy/pkg").stat().st_mode & 0o777 == 0o755
        tars = set()
        for tz in ("UTC", "Asia/Tokyo"):
            tars.add(subprocess.run([SNAPSHOT, tmp_path / "store", "tar", want, "/.envbuild/code", f".envbuild/tool={src}/run.sh"], check=True,
                                    capture_output=True, env={**ASAN, "TZ": tz}).stdout)
    finally:
        os.umask(old)
    assert len(tars) == 1
    with tarfile.open(fileobj=io.BytesIO(tars.pop())) as t:
        members = t.getmembers()
        assert all((m.uid, m.gid, m.mtime) == (0, 0, 0) for m in members)
        names = [m.name for m in members]
        assert names == sorted(names) and names[0] == ".envbuild" and ".envbuild/tool" in names and ".envbuild/code/pkg/empty" in names
        assert t.extractfile(".envbuild/code/pkg/a.py").read() == b"a = 1\n" and t.getmember(".envbuild/code/pkg/l.py").linkname == "a.py"


@pytest.mark.skipif(os.geteuid() != 0, reason="becomes another user")
def test_same_for_another_user(tmp_path, src):
    want = take(tmp_path).digest
    for p in [tmp_path, *tmp_path.parents]:
        if p != pathlib.Path("/") and not p.stat().st_mode & 0o001:
            p.chmod(p.stat().st_mode | 0o011)
    (src / "run.sh").chmod(0o755)
    (tmp_path / "theirs").mkdir()
    os.chown(tmp_path / "theirs", 65534, 65534)
    assert take(tmp_path, "src", "theirs", user=65534, group=65534, extra_groups=[]).digest == want
    (src / "secret").write_text("x")
    (src / "secret").chmod(0o600)
    (src / "closed").mkdir(mode=0o700)
    (src / "pkg/a.py").chmod(0)
    bad = take(tmp_path, "src", "theirs", code=2, user=65534, group=65534, extra_groups=[])
    assert sorted(x.split(":")[0] for x in bad.faults) == ["EB523 src/closed", "EB523 src/pkg/a.py", "EB523 src/secret"]


def test_which_files(tmp_path, src):
    def kept():
        return {os.fsdecode(k) for k in place(tmp_path, take(tmp_path).digest, f"copy{time.monotonic_ns()}")} - {"outputs", "logs"}

    base = kept()
    for d in ("outputs", "logs", ".git/info", "pkg/.git", "sub/outputs", "data"):
        (src / d).mkdir(parents=True)
        (src / d / "f.txt").write_text("x")
    (src / ".gitignore").write_text("*.txt\n!f.txt\ndata/\n")
    (src / "sub/.gitignore").write_text("/outputs/*\n")
    (src / "private").write_text("x")
    (src / ".git/info/exclude").write_text("private\n")
    assert kept() == base | {".gitignore", "sub/.gitignore"}
    (src / ".amlignore").write_text("pkg-b\n")
    (src / "sub/.amlignore").write_text("f.txt\n")
    assert kept() == base - {"pkg-b"} | {".gitignore", "sub/.gitignore", ".amlignore", "sub/.amlignore", "private", "data/f.txt"}
    os.unlink(src / ".amlignore")
    os.symlink("sub/.amlignore", src / ".amlignore")
    t = take(tmp_path)
    assert any(x.startswith("EB527 src/.amlignore") for x in t.faults)


def test_odd_things(tmp_path, src):
    os.mkfifo(src / "pipe")
    s = socket.socket(socket.AF_UNIX)
    os.chdir(src)
    s.bind("sock")
    os.chdir("/")
    t = take(tmp_path)
    assert sorted(x.split(":")[0] for x in t.faults) == ["EB524 src/pipe", "EB524 src/sock"]
    for target, name in (("/etc/passwd", "abs"), ("..", "up"), ("pkg/../..", "round"), ("../src/train.py", "back"), ("../../x", "pkg/two"), ("..", "pkg/fine"),
                         ("pkg/fine/../x", "through")):
        os.symlink(target, src / name)
    bad = take(tmp_path, code=2)
    assert sorted(x.split(":")[0] for x in bad.faults if x.startswith("EB522")) == [f"EB522 src/{n}" for n in ("abs", "back", "pkg/two", "round", "through", "up")]
    (src / ".gitignore").write_text("abs\nback\ntwo\nround\nthrough\nup\npipe\nsock\n")
    os.symlink("ring", src / "ring")
    os.symlink("nowhere", src / "dangling")
    assert take(tmp_path).faults == []


def test_no_such_source(tmp_path, src):
    assert "cannot read the source 'nothing'" in take(tmp_path, "nothing", code=1).err
    take(tmp_path, "src/train.py", code=1)


def test_deep(tmp_path, src):
    at = os.open(src, os.O_RDONLY)
    for _ in range(700):
        os.mkdir("d", dir_fd=at)
        below = os.open("d", os.O_RDONLY, dir_fd=at)
        os.close(at)
        at = below
    os.close(at)
    t = take(tmp_path, code=2, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (400, 400)))
    assert len(t.faults) == 1 and t.faults[0].startswith("EB526 ")
    subprocess.run(["rm", "-rf", src / "d"], check=True)
    for _ in range(20):
        src = src / ("n" * 180)
        src.mkdir()
    os.chdir(src)
    open("x" * 250, "w").close()
    os.chdir("/")
    assert "EB526 " in take(tmp_path, code=2).faults[0]


def test_secrets_and_limits(tmp_path, src):
    for n in (".env", "key.pem", "id_rsa", "id_rsa.pub", "credentials.json", "credentials.py", ".netrc", "env.py"):
        (src / n).write_text(n)
    t = take(tmp_path)
    assert sorted(x.split(":")[0].split("/")[1] for x in t.faults) == [".env", ".netrc", "credentials.json", "id_rsa", "key.pem"]
    assert all(x.startswith("EB521") for x in t.faults)
    for n in (".env", "key.pem", "id_rsa", "credentials.json", ".netrc"):
        os.unlink(src / n)
    for i in range(2001):
        (src / f"f{i}").write_text("x" * (i % 12))
    with open(src / "hole", "wb") as f:
        f.truncate(5 << 20)
    t = take(tmp_path)
    assert len(t.faults) == 1 and t.faults[0].startswith("EB520 src: the source has 20") and "hole (5.0 MB), " in t.faults[0]
    assert t.faults[0].count(" MB)") == 10


def test_changing_file(tmp_path, src):
    """One that grows all the time is told; its half is nowhere."""
    log = open(src / "grows", "wb", buffering=0)
    log.write(b"x" * 30_000_000)
    writer = subprocess.Popen(["sh", "-c", "while :; do echo more; done"], stdout=log)
    try:
        t = take(tmp_path, code=2)
    finally:
        writer.kill()
        writer.wait()
    assert [x.split(":")[0] for x in t.faults] == ["EB525 src/grows"]


def test_damaged_index(tmp_path, src):
    want = take(tmp_path).digest
    note = next((tmp_path / "store/trees").iterdir())
    text = note.read_bytes()
    for bad in (b"", text[:-1], text[:50], text.replace(b"train.py", b"trbin.py"), os.urandom(200)):
        note.write_bytes(bad)
        assert take(tmp_path).digest == want
    assert note.read_bytes()[40:-4] == text[40:-4]


def test_lost_file_comes_back(tmp_path, src):
    t = take(tmp_path)
    take(tmp_path)
    for p in (tmp_path / "store/code").iterdir():
        p.unlink()
    assert take(tmp_path).moved == t.moved
    assert place(tmp_path, t.digest)[b"train.py"][1] == b"print('hi')\n"


def test_killed_anywhere(tmp_path, src):
    """Whatever a kill leaves, each file of the store is what its name says, and the next one makes the same snapshot."""
    import hashlib
    for i in range(300):
        (src / f"f{i}").write_text(f"{i}" * 500)
    want = take(tmp_path, store="whole").digest
    rng = random.Random(3)
    ends = set()
    for _ in range(25):
        p = subprocess.Popen([SNAPSHOT, tmp_path / "store", "take", "src"], cwd=tmp_path, stdout=subprocess.DEVNULL, env=ASAN)
        try:
            p.wait(rng.random() * 0.25)
        except subprocess.TimeoutExpired:
            p.send_signal(signal.SIGKILL)
        ends.add(p.wait())
        code = tmp_path / "store/code"
        for f in code.iterdir() if code.is_dir() else ():
            assert hashlib.sha256(f.read_bytes()).hexdigest() == f.name
    assert -9 in ends
    assert take(tmp_path).digest == want
    assert place(tmp_path, want)[b"f299"][1] == b"299" * 500


def test_place_wants_an_empty_folder(tmp_path, src):
    t = take(tmp_path)
    (tmp_path / "full").mkdir()
    (tmp_path / "full/x").write_text("")
    p = subprocess.run([SNAPSHOT, tmp_path / "store", "place", t.digest, "full"], cwd=tmp_path, capture_output=True, text=True, env=ASAN)
    assert p.returncode == 2 and "is not empty" in p.stderr
    (tmp_path / "store/code" / "a1").write_text("")
    lists = [p for p in (tmp_path / "store/code").iterdir() if p.read_bytes().startswith(b"envbuild snapshot")]
    lists[0].write_bytes(lists[0].read_bytes().replace(b"train.py", b"tra/../y"))
    p = subprocess.run([SNAPSHOT, tmp_path / "store", "place", t.digest, "other"], cwd=tmp_path, capture_output=True, text=True, env=ASAN)
    assert p.returncode == 7 and not (tmp_path / "other").exists()


# --- an image with it

def append(env, image, name, src):
    p = subprocess.run([APPEND, env.cache, image, name, src], capture_output=True, text=True, env={**ASAN, **env.env})
    assert p.returncode == 0 and "Sanitizer" not in p.stderr, p.stderr
    return p.stdout.strip()


def test_image_with_source(env, definition, registry, src, tmp_path):
    definition()
    line = env.run("build", "-t", f"{registry.name}/team/train", "--push", "--sbom", "false", "--source", "false").line
    name, base = line.split("@")
    made = append(env, line, name, src)
    assert made == append(env, line, name, src) and made.split("@")[1] != base
    assert env.run("run", made, "--", "cat", "/.envbuild/code/pkg/a.py").out == "a = 1\n"
    assert env.run("run", made, "--", "env").out == env.run("run", line, "--", "env").out

    before = registry.requests()
    env.run("push", made, made)
    asked = [q for q in registry.asked_since(before) if q.path.startswith("/v2/team/train/")]
    doc = json.loads(registry.manifest("team/train", made.split("@")[1]))
    theirs = json.loads(registry.manifest("team/train", base))
    assert doc["layers"][:-1] == theirs["layers"] and doc["config"]["mediaType"].endswith("config.v1+json")
    new = {doc["layers"][-1]["digest"], doc["config"]["digest"]}
    puts = {q.path.split("digest=")[1].replace("%3A", ":") for q in asked if q.method == "PUT" and "/blobs/" in q.path}
    assert new <= puts and not puts & {x["digest"] for x in theirs["layers"]}
    config, old = (json.loads(registry.blob("team/train", d["config"]["digest"])) for d in (doc, theirs))
    assert config["rootfs"]["diff_ids"][:-1] == old["rootfs"]["diff_ids"] and config["history"][:-1] == old["history"]
    assert config["config"] == old["config"] and config["created"] == old["created"]


def test_source_on_a_sparse_image(env, definition, registry, src, tmp_path):
    """The base's layers are only in the registry: nothing of them is fetched for the push."""
    definition()
    line = env.run("build", "-t", f"{registry.name}/team/train", "--push").line
    name, base = line.split("@")
    layers = [x["digest"][7:] for x in json.loads(registry.manifest("team/train", base))["layers"]]
    for d in layers:
        os.unlink(env.cache / "oci/blobs/sha256" / d)
    made = append(env, line, name, src)
    before = registry.requests()
    env.run("push", made, made)
    assert not [q for q in registry.asked_since(before) if q.method == "GET" and any(d in q.path for d in layers)]
    assert not any((env.cache / "oci/blobs/sha256" / d).exists() for d in layers)
    registry.whole("team/train", made.split("@")[1])


@pytest.mark.skipif(not shutil.which("podman") or os.geteuid() != 0, reason="wants podman and root")
def test_podman_runs_it(env, definition, registry, src, containers):
    definition()
    line = env.run("build", "-t", f"{registry.name}/team/train", "--push").line
    made = append(env, line, line.split("@")[0], src)
    env.run("push", made, made)
    subprocess.run(["podman", "pull", "-q", "--tls-verify=false", made], env=containers, check=True, stdout=subprocess.DEVNULL)
    assert podman_run(containers, made, "cat", "/.envbuild/code/pkg/l.py") == "a = 1\n"
