"""Many images to many places: registries of Debian's docker-registry, and local stores played by programs that keep what they are given."""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tarfile
import time

import pytest

from conftest import Env, sha256
from registry_world import registries, registry  # noqa: F401
from registry_proxy import Proxy
from test_curated import HOST

SENT = ("PUT", "PATCH", "POST")


@pytest.fixture
def folder(env):
    """Two definitions, one of them in a folder of its own, and what is none."""
    def write(path, name, pip, more=""):
        env.write(path, f"name: {name}\ndependencies:\n  - pip: {pip}\nenvbuild:\n  base: oci:{env.base}:base\n{more}")
    write("defs/one.yml", "one", '["PyJWT<2"]')
    write("defs/two/env.yml", "two", "[idna]")
    env.write("defs/README.txt", "not a definition\n")
    write("broken/env.yml", "broken", "[no-such-package]")
    env.write_definition = write
    return env.work / "defs"


def report(env, *args, code=0):
    r = env.run("prewarm", *args, "--json", code=code)
    doc = json.loads(r.out)
    doc["err"] = r.err
    return doc


def tags(registry, repo):
    """Without those under which docker-registry's clients keep what hangs on an image."""
    return [t for t in registry.tags(repo) if not t.startswith("sha256-")]


def states(doc):
    return {(im.get("name", im["set"]), at["at"]): at["state"] for im in doc["images"] for at in im["places"]}


def test_everything_everywhere_once(env, folder, registries):
    a, b = registries(), registries()
    to = ("--to", a.name, "--to", f"{b.name}/team/x")
    plan = report(env, folder, *to, "--dry-run")
    assert set(states(plan).values()) == {"missing"} and plan["dry-run"]
    assert not list(env.work.rglob("*.lock")) and [r for r in a.requests() if r.method in SENT] == []

    first = report(env, folder, *to)
    assert states(first) == {(n, at): "pushed" for n in ("one", "two") for at in (a.name, f"{b.name}/team/x")}
    for image in first["images"]:
        name = image["name"]
        assert a.digest(name, "latest") == b.digest(f"team/x/{name}", "latest") == image["digest"]
        a.whole(name, "latest")
        place = image["places"][0]
        assert place["reference"] == f"{a.name}/{name}:latest" and place["blobs"]["sent"] + place["blobs"]["mounted"] > 0
        assert image["build"]["layers"] > 0
    assert first["images"][0]["places"][0]["bytes"] > 1000

    asked = a.requests()
    again = report(env, folder, *to)
    assert set(states(again).values()) == {"there"} and [im.get("build") for im in again["images"]] == [None, None]
    assert [r.method for r in a.asked_since(asked)] == ["HEAD", "HEAD"], "one question an image"
    text = env.run("prewarm", folder, *to).out.splitlines()
    assert text[0].split() == ["IMAGE", "AT", "STATE", "BYTES", "TIME"]
    assert text[1].split()[:4] == ["one", a.name, "there", "-"]


def test_images_share_layers_by_mounting(env, folder, registry):
    """What the first image took there, the second mounts: the base and the empty venv."""
    one, two = (im["places"][0] for im in report(env, folder, "--to", registry.name)["images"])
    assert two["blobs"]["mounted"] >= 2 and two["bytes"] < one["bytes"]
    assert "mounted" in env.run("prewarm", folder, "--to", registry.name, "-t", "v2").out or tags(registry, "two") == ["latest", "v2"]


def test_another_machine_only_asks(env, folder, registry, tmp_path, index):
    """With the lock that a build left, an empty store is no reason to build."""
    env.run("prewarm", folder, "--to", registry.name)
    other = Env(tmp_path / "two")
    other.env["PIP_INDEX_URL"] = "http://127.0.0.1:9/simple/"
    shutil.copytree(folder, other.work / "defs")
    asked, indexed = registry.requests(), len(index.requests())
    assert set(states(report(other, "defs", "--to", registry.name)).values()) == {"there"}
    assert [r.method for r in registry.asked_since(asked)] == ["HEAD", "HEAD"] and len(index.requests()) == indexed


@pytest.mark.parametrize("half", [True, False])
def test_what_one_registry_has_is_not_made_for_the_other(env, folder, registries, tmp_path, index, half):
    """An empty store; with the lock's image half and without it."""
    a, b = registries(), registries()
    first = report(env, folder / "one.yml", "--to", a.name)
    other = Env(tmp_path / "two")
    other.env["PIP_INDEX_URL"] = index.url
    shutil.copytree(folder, other.work / "defs")
    if not half:
        lock = other.work / "defs/one.lock"
        lock.write_text(lock.read_text().split("\nimage:")[0] + "\n")
    asked = len(index.requests())
    assert [r for r in index.requests() if ".whl" in r]
    doc = report(other, "defs/one.yml", "--to", a.name, "--to", b.name)
    assert states(doc) == {("one", a.name): "there", ("one", b.name): "pushed"}
    assert [r for r in index.requests()[asked:] if ".whl" in r] == [] and doc["images"][0]["build"]["fetched"] == 0
    assert b.digest("one", "latest") == first["images"][0]["digest"]
    b.whole("one", "latest")


def test_a_moved_tag_is_moved_back(env, folder, registry):
    env.run("prewarm", folder / "one.yml", "--to", registry.name)
    env.write_definition("other.yml", "one", "[idna]")
    doc = report(env, "other.yml", "--to", registry.name)
    assert registry.digest("one", "latest") == doc["images"][0]["digest"]
    doc = report(env, folder / "one.yml", "--to", registry.name)
    assert states(doc) == {("one", registry.name): "pushed"} and doc["images"][0]["places"][0]["bytes"] == 0
    assert registry.digest("one", "latest") == doc["images"][0]["digest"]


def test_tags_and_platforms(env, folder, registry):
    env.write_definition("both.yml", "both", "[idna]", "  platforms: [linux/amd64, linux/arm64]\n")
    doc = report(env, "both.yml", "--to", registry.name, "-t", "v1", "-t", "2026")
    assert tags(registry, "both") == ["2026", "v1"]
    assert len(json.loads(registry.manifest("both", "v1"))["manifests"]) == 2
    one = report(env, "both.yml", "--to", f"{registry.name}/one", "--platform", HOST)
    assert "layers" in json.loads(registry.manifest("one/both", "latest")) and one["images"][0]["digest"] != doc["images"][0]["digest"]


def test_all_are_tried_and_all_faults_told(env, folder, registry):
    env.write_definition("defs/bad.yml", "bad", '["PyJWT=<2"]')
    args = (folder, env.work / "broken/env.yml", "nowhere.yml", "curated/nope", "--to", "127.0.0.1:9", "--to", registry.name)
    r = env.run("prewarm", *args, code=1)
    assert tags(registry, "one") == tags(registry, "two") == ["latest"]
    assert "'PyJWT=<2' is not a requirement" in r.err
    assert "no-such-package" in r.err and "there is no definition 'nowhere.yml'" in r.err and "there is no curated set 'nope'" in r.err
    assert r.err.count("cannot connect to '127.0.0.1'") == 2, "of two images, once each"
    doc = report(env, *args, code=1)
    assert doc["failed"] == len(doc["images"]) == 6
    assert [im["error"]["exit"] for im in doc["images"] if "error" in im] == [2, 3, 1, 1]
    assert [at["error"]["exit"] for im in doc["images"] for at in im["places"] if "error" in at] == [5, 5]


def test_the_exit_code_is_that_of_the_one_fault(env, folder, registry):
    assert report(env, folder, "--to", "127.0.0.1:9", code=5)["failed"] == 2
    env.run("prewarm", "broken/env.yml", folder, "--to", registry.name, code=3)
    env.run("lock", "defs/one.yml")
    env.write_definition("defs/one.yml", "one", "[requests]")
    assert "does not fit the definition" in env.run("prewarm", folder / "one.yml", "--locked", "--to", registry.name, code=4).err


def test_words(env, folder, registry):
    """A file named twice goes once; a lock beside its definition belongs to it, one alone is a set; two images cannot have one name."""
    env.run("build", "defs/one.yml")
    assert len(report(env, folder, folder / "one.yml", f"{folder}/", "--to", registry.name)["images"]) == 2
    (env.work / "locks").mkdir()
    shutil.copy(folder / "one.lock", env.work / "locks")
    assert states(report(env, "locks", "--to", registry.name)) == {("one", registry.name): "there"}
    env.write_definition("same.yml", "one", "[idna]")
    doc = report(env, folder / "one.yml", "same.yml", "--to", registry.name, code=2)
    assert "is the image of" in doc["images"][1]["places"][0]["error"]["cause"]
    (env.work / "empty").mkdir()
    assert "holds no definition" in env.run("prewarm", "empty", "--to", registry.name, code=2).err


@pytest.mark.parametrize("place", ["", "team", "team/x", "http://127.0.0.1:5000", "127.0.0.1:5000/x:v1", "127.0.0.1:5000/UPPER",
                                   "127.0.0.1:5000/x@sha256:" + "0" * 64, "containerd:team", "docker-daemon:a b"])
def test_no_place(env, folder, place):
    assert "is no registry" in env.run("prewarm", folder, "--to", place, code=2).err


def test_usage(env, folder):
    assert "--to REGISTRY" in env.run("prewarm", folder, code=2).err
    assert "curated/NAME" in env.run("prewarm", "--to", "127.0.0.1:5000", code=2).err
    assert "curated list" in env.run("curated", "push", "--to", "127.0.0.1:5000", code=2).err
    assert "cannot be the name of an image" in env.run("prewarm", folder / "one.yml", "--to", "127.0.0.1:5000", "-t", "a b", code=2).err


def test_curated_push(env, folder, registry):
    sets = env.folder / "sets"
    env.write_definition("../sets/small/env.yml", "small", "[idna]")
    line = env.run("build", sets / "small/env.yml").line
    env.env["ENVBUILD_CURATED"] = str(sets)
    before = sorted(sets.rglob("*"))
    env.run("curated", "push", "small", "--to", registry.name)
    assert f"small@{registry.digest('small', 'latest')}" == line
    assert states(report(env, "curated/small", "--to", registry.name)) == {("small", registry.name): "there"}
    assert sorted(sets.rglob("*")) == before


def test_two_hosts_at_once(env, folder, registry, tmp_path, index):
    """Two stores, two copies of the folder, one registry; and twice on one of the hosts."""
    env.write_definition("defs/three.yml", "three", "[big, wide, requests]")
    other = Env(tmp_path / "two")
    other.env["PIP_INDEX_URL"] = index.url
    shutil.copytree(folder, other.work / "defs")
    running = [e.popen("prewarm", "defs", "--to", registry.name, "--json") for e in (env, other, env)]
    done = [(p.communicate(timeout=300), p.returncode) for p in running]
    assert [code for _, code in done] == [0, 0, 0], done
    digests = [[im["digest"] for im in json.loads(out)["images"]] for (out, _), _ in done]
    assert digests[0] == digests[1] == digests[2]
    for name, digest in zip(("one", "three", "two"), digests[0]):
        assert registry.digest(name, "latest") == digest
        registry.whole(name, "latest")
    assert [p.read_bytes() for p in sorted(folder.glob("*.lock"))] == [p.read_bytes() for p in sorted((other.work / "defs").glob("*.lock"))]


def test_what_another_host_is_just_putting_there(env, folder, registry):
    """docker-registry refuses a manifest while a link that it needs is being written. Said for good, it is a fault."""
    proxy = Proxy(registry.port)
    body = json.dumps({"errors": [{"code": "DIGEST_INVALID", "message": "provided digest did not match uploaded content"},
                                  {"code": "MANIFEST_BLOB_UNKNOWN", "message": "blob unknown to registry"}]}).encode()
    try:
        rule = proxy.rule("status", "manifests/sha256", method="PUT", status=400, body=body, times=2)
        doc = report(env, folder / "one.yml", "--to", proxy.name)
        assert states(doc) == {("one", proxy.name): "pushed"} and rule.acted == 2
        assert registry.digest("one", "latest") == doc["images"][0]["digest"]
        proxy.rule("status", "manifests/sha256", method="PUT", status=400, body=body)
        doc = report(env, folder / "two/env.yml", "--to", proxy.name, code=5)
        assert "blob unknown to registry" in doc["images"][0]["places"][0]["error"]["cause"]
        assert tags(registry, "two") == []
    finally:
        proxy.close()


def test_a_tag_promises_all_that_belongs_to_the_image(env, folder, registry, tmp_path):
    """What hangs on an image is there before its tag: a run that was interrupted between them is finished by the next."""
    proxy = Proxy(registry.port)
    try:
        rule = proxy.rule("status", "manifests/sha256-", method="PUT", status=403)
        assert report(env, folder / "one.yml", "--to", proxy.name, code=6)["failed"] == 1 and rule.acted > 0
        assert tags(registry, "one") == []
    finally:
        proxy.close()
    doc = report(env, folder / "one.yml", "--to", registry.name)
    assert doc["images"][0]["places"][0]["blobs"]["sent"] == 0 and tags(registry, "one") == ["latest"]
    other = Env(tmp_path / "two")
    other.run("lock", "--from", f"{registry.name}/one:latest", "-o", "one.lock")
    assert (other.work / "one.lock").read_text() == (folder / "one.lock").read_text()
    assert env.run("prewarm", folder / "two/env.yml", "--to", registry.name, "--source", "false", "--sbom", "false").code == 0
    assert registry.tags("two") == ["latest"]


def test_a_registry_that_asks_who_we_are(env, folder, registries):
    closed = registries(users={"alice": "s3cret"})
    doc = report(env, folder / "one.yml", "--to", closed.name, code=6)
    assert "envbuild login" in doc["images"][0]["places"][0]["error"]["hint"]
    assert not list((env.cache / "oci/blobs/sha256").glob("*")) if (env.cache / "oci/blobs/sha256").exists() else True
    closed.login(env)
    assert states(report(env, folder / "one.yml", "--to", closed.name)) == {("one", closed.name): "pushed"}


# --- local stores

PROGRAM = """#!/bin/sh
# Plays {name}: keeps what it is given below its state, answers what it was told to.
state={state}
echo "{name} $*" >>"$state/calls"
{body}
"""
PODMAN = """case "$1 $2" in
"image inspect") for name; do :; done; cat "$state/id-$(echo "$name" | tr / _)" 2>/dev/null || exit 125 ;;
"load --quiet") cp "$4" "$state/image.tar" ;;
esac"""
DOCKER = PODMAN
CTR = """case "$2" in
list) echo "REF TYPE DIGEST"; name=${3#name==}; cat "$state/id-$(echo "$name" | tr / _)" 2>/dev/null ;;
import) cp "$3" "$state/image.tar" ;;
esac"""
SKOPEO = """case " $* " in
*" inspect "*) exit 1 ;;
*" copy "*) from=${4#oci:}; rm -rf "$state/layout"; cp -rL "$from" "$state/layout" ;;
esac"""


@pytest.fixture
def programs(env, tmp_path):
    """programs(podman=PODMAN, …): a PATH with these, and what little they need."""
    state, path = tmp_path / "state", tmp_path / "bin"

    def make(**bodies):
        for d in (state, path):
            shutil.rmtree(d, ignore_errors=True)
            d.mkdir()
        for tool in ("sh", "cp", "cat", "rm", "tr", "sleep"):
            (path / tool).symlink_to(shutil.which(tool))
        for name, body in bodies.items():
            (path / name).write_text(PROGRAM.format(name=name, state=state, body=body))
            (path / name).chmod(0o755)
        env.env["PATH"] = str(path)
        return state
    real = env.env["PATH"]
    yield make
    env.env["PATH"] = real


def check_archive(path, names):
    """An OCI layout with every name, and docker's own list; every blob is what it is called; skopeo reads both."""
    with tarfile.open(path) as t:
        files = {m.name: t.extractfile(m).read() for m in t if m.isfile()}
    for name, data in files.items():
        if name.startswith("blobs/"):
            assert name == "blobs/sha256/" + sha256(data)
    index = json.loads(files["index.json"])
    assert [d["annotations"]["io.containerd.image.name"] for d in index["manifests"]] == names
    manifest = json.loads(files["blobs/sha256/" + index["manifests"][0]["digest"][7:]])
    docker, = json.loads(files["manifest.json"])
    assert docker["RepoTags"] == names and docker["Config"] == "blobs/sha256/" + manifest["config"]["digest"][7:]
    assert docker["Layers"] == ["blobs/sha256/" + x["digest"][7:] for x in manifest["layers"]]
    assert json.loads(files["oci-layout"]) == {"imageLayoutVersion": "1.0.0"}
    out = subprocess.run(["skopeo", "inspect", "--config", f"docker-archive:{path}:{names[0]}"], capture_output=True, text=True)
    assert out.returncode == 0 and "rootfs" in json.loads(out.stdout), out.stderr
    return index["manifests"][0]["digest"], manifest["config"]["digest"]


@pytest.mark.parametrize("place, program, body, name", [
    ("containers-storage:", "podman", PODMAN, "localhost/one"), ("docker-daemon:", "docker", DOCKER, "one"),
    ("containerd:", "ctr", CTR, "docker.io/library/one"), ("containerd:registry.example/team/", "ctr", CTR, "registry.example/team/one")])
def test_into_a_local_store(env, folder, programs, place, program, body, name):
    state = programs(**{program: body})
    args = (folder / "one.yml", "--to", place, "-t", "latest", "-t", "v1")
    assert states(report(env, *args, "--dry-run")) == {("one", place): "missing"}
    assert not (state / "image.tar").exists()
    doc = report(env, *args)
    assert states(doc) == {("one", place): "loaded"} and doc["images"][0]["places"][0]["bytes"] > 1000
    names = [f"{name}:latest", f"{name}:v1"]
    manifest_id = check_archive(state / "image.tar", names)
    assert doc["images"][0]["digest"] == manifest_id[0]
    for n in names:
        (state / f"id-{n.replace('/', '_')}").write_text(manifest_id[0] if program == "ctr" else manifest_id[1].removeprefix("sha256:"))
    (state / "image.tar").unlink()
    assert states(report(env, *args)) == {("one", place): "there"} and not (state / "image.tar").exists()
    (state / f"id-{names[1].replace('/', '_')}").unlink()
    assert states(report(env, *args)) == {("one", place): "loaded"}, "a tag was missing"
    assert list(env.cache.glob("tmp/*")) == []


@pytest.mark.parametrize("place", ["containers-storage:", "docker-daemon:"])
def test_by_skopeo(env, folder, programs, place):
    state = programs(skopeo=SKOPEO)
    assert states(report(env, folder / "one.yml", "--to", place)) == {("one", place): "loaded"}
    name = {"containers-storage:": "localhost/one", "docker-daemon:": "one"}[place]
    assert f"{place}{name}:latest" in (state / "calls").read_text()
    layout = state / "layout"
    manifest, = json.loads((layout / "index.json").read_text())["manifests"]
    doc = json.loads((layout / "blobs/sha256" / manifest["digest"][7:]).read_bytes())
    for d in (doc["config"], *doc["layers"]):
        assert sha256((layout / "blobs/sha256" / d["digest"][7:]).read_bytes()) == d["digest"][7:]


def test_layers_of_a_registry_come_here_for_a_local_store(env, folder, programs, registry, tmp_path, index):
    """What a build leaves in the registry a local store cannot use: it is fetched, and no package is."""
    report(env, folder / "one.yml", "--to", registry.name)
    state = programs(podman=PODMAN)
    other = Env(tmp_path / "two")
    other.env.update(PIP_INDEX_URL=index.url, PATH=env.env["PATH"])
    shutil.copytree(folder, other.work / "defs")
    asked = len(index.requests())
    doc = report(other, "defs/one.yml", "--to", registry.name, "--to", "containers-storage:")
    assert states(doc) == {("one", registry.name): "there", ("one", "containers-storage:"): "loaded"}
    assert [r for r in index.requests()[asked:] if ".whl" in r] == []
    assert check_archive(state / "image.tar", ["localhost/one:latest"])[0] == registry.digest("one", "latest")


def test_what_a_local_store_says(env, folder, programs, registry):
    """Not there, refused: told, and the registry gets its image all the same."""
    programs(podman='[ "$1" = load ] || exit 125\necho "first line" >&2; echo "Error: no space left in the store" >&2; exit 125')
    places = ("--to", "containers-storage:", "--to", "containerd:", "--to", "docker-daemon:", "--to", registry.name)
    doc = report(env, folder / "one.yml", *places, code=1)
    causes = [at.get("error", {}).get("cause") for at in doc["images"][0]["places"]]
    assert causes == ["podman ended with status 125: Error: no space left in the store",
                      "the store of containerd needs ctr, which is not installed here",
                      "the store of docker-daemon needs docker or skopeo, which is not installed here", None]
    assert tags(registry, "one") == ["latest"] and "while loading 'localhost/one:latest'" in doc["err"]


def test_only_this_machine_s_platform_goes_to_a_local_store(env, folder, programs, registry):
    other = "linux/arm64" if HOST == "linux/amd64" else "linux/amd64"
    env.write_definition("both.yml", "both", "[idna]", f"  platforms: [{HOST}, {other}]\n")
    env.write_definition("other.yml", "other", "[idna]", f"  platforms: [{other}]\n")
    state = programs(podman=PODMAN)
    doc = report(env, "both.yml", "--to", "containers-storage:", "--to", registry.name)
    with tarfile.open(state / "image.tar") as t:
        digest = json.load(t.extractfile("index.json"))["manifests"][0]["digest"]
    children = {d["platform"]["architecture"]: d["digest"] for d in json.loads(registry.manifest("both", "latest"))["manifests"]}
    assert children[HOST.split("/")[1]] == digest and doc["images"][0]["digest"] == registry.digest("both", "latest")
    assert f"has nothing for {HOST}" in env.run("prewarm", "other.yml", "--to", "containers-storage:", code=2).err


def test_ctrl_c_ends_the_program_too(env, folder, programs):
    state = programs(podman='[ "$1" = load ] || exit 125\necho $$ >"$state/pid"; exec sleep 600')
    p = env.popen("prewarm", folder, "--to", "containers-storage:")
    end = time.monotonic() + 60
    while not (state / "pid").exists() or not (state / "pid").read_text().strip():
        assert time.monotonic() < end and p.poll() is None
        time.sleep(0.02)
    pid = int((state / "pid").read_text())
    p.send_signal(signal.SIGINT)
    p.communicate(timeout=60)
    assert p.returncode == 130
    assert not pathlib.Path(f"/proc/{pid}").exists() or "sleep" not in pathlib.Path(f"/proc/{pid}/cmdline").read_text()
    assert list(env.cache.glob("tmp/*")) == []
