"""Images of registries: as bases, pulled, looked at from afar, run."""
import json
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time

import pytest

from conftest import Env, base_files, make_layout, sha256
from registry_world import MANIFESTS, registries, registry  # noqa: F401
from registry import MockRegistry
from registry_proxy import Proxy

INDEX = MANIFESTS[1]
SLIM = {"Env": ["PATH=/usr/local/bin:/usr/bin:/bin", "PYTHON_VERSION=3.12.7"], "Cmd": ["python3"]}


@pytest.fixture
def base(registry, base_layout):
    """The made base as library/base:12 of a registry."""
    registry.push(base_layout, "library/base", "12")
    return registry


@pytest.fixture
def define(env):
    def make(base, pip='["PyJWT<2"]', more="", name="train"):
        return env.write("env.yml", f"name: {name}\ndependencies:\n  - pip: {pip}\nenvbuild:\n  base: {base}\n{more}")
    return make


@pytest.fixture
def mock():
    m = MockRegistry()
    yield m
    m.close()


def doc(env, digest):
    return json.loads((env.cache / "oci/blobs/sha256" / digest.removeprefix("sha256:")).read_bytes())


def have(env, digest):
    return (env.cache / "oci/blobs/sha256" / digest.removeprefix("sha256:")).exists()


def listed(env):
    """Names of index.json: what other tools see."""
    entries = json.loads((env.cache / "oci/index.json").read_text())["manifests"]
    return sorted(m["annotations"]["org.opencontainers.image.ref.name"] for m in entries)


def paths(requests, method="GET"):
    return [r.path for r in requests if r.method == method]


def blobs(requests):
    return [re.search(r"sha256:\w+", r.path)[0] for r in requests if "/blobs/" in r.path and r.method == "GET"]


def layers_of(registry, repo, ref):
    return [d["digest"] for d in json.loads(registry.manifest(repo, ref))["layers"]]


def mirror(env, registry, prefix="docker.io"):
    """docker.io is served from loopback."""
    conf = env.home / ".config/containers/registries.conf"
    conf.parent.mkdir(parents=True, exist_ok=True)
    conf.write_text(f'[[registry]]\nprefix = "{prefix}"\nlocation = "{registry.name}"\ninsecure = true\n')


def slim_layout(folder):
    """As python:3.12-slim: a python of its own in /usr/local."""
    files = base_files({"usr/local": ("dir", 0o755, 0, 0), "usr/local/bin": ("dir", 0o755, 0, 0),
                        "usr/local/bin/python3": ("link", "python3.12"), "usr/local/bin/python3.12": b'#!/bin/sh\necho "slim $0 $@"\n'})
    return make_layout(folder, files, SLIM)


# --- bases

def test_the_base_is_locked_by_digest(env, base, define):
    define(f"{base.name}/library/base:12")
    line = env.run("build", "env.yml").line
    lock = (env.work / "train.lock").read_text()
    manifest = json.loads(base.manifest("library/base", "12"))
    assert f"ref: {base.name}/library/base:12" in lock
    assert base.digest("library/base", "12") in lock and manifest["config"]["digest"] in lock and manifest["layers"][0]["digest"] in lock
    made = doc(env, line.split("@")[1])
    assert made["annotations"]["org.opencontainers.image.base.name"] == f"{base.name}/library/base:12"
    assert made["annotations"]["org.opencontainers.image.base.digest"] == base.digest("library/base", "12")
    assert made["layers"][0]["digest"] == manifest["layers"][0]["digest"]
    assert env.run("run", line, "--", "python", "-V").out == "python /opt/env/bin/python -V\n"


def test_a_known_base_is_not_downloaded(env, base, define):
    define(f"{base.name}/library/base:12")
    env.run("lock", "env.yml")
    layer, = layers_of(base, "library/base", "12")
    assert have(env, layer), "its facts were read from it"
    (env.cache / "oci/blobs/sha256" / layer.removeprefix("sha256:")).unlink()
    before = base.requests()
    define(f"{base.name}/library/base:12", name="second")
    line = env.run("build", "env.yml").line
    assert blobs(base.asked_since(before)) == [doc_config(base)], "manifest and config, no layer"
    assert listed(env) == [] and not have(env, layer)
    shown = env.run("inspect", "second").out
    assert "not here    1 layer," in shown and f"at {base.name}/library/base" in shown
    # what runs it fetches it, and then it is whole
    assert env.run("run", line, "--", "python", "-V").out == "python /opt/env/bin/python -V\n"
    assert listed(env) == ["second"] and have(env, layer)
    assert "not here" not in env.run("inspect", "second").out


def doc_config(registry, repo="library/base", ref="12"):
    return json.loads(registry.manifest(repo, ref))["config"]["digest"]


def test_a_lock_builds_elsewhere_without_the_base(env, base, define, tmp_path):
    define(f"{base.name}/library/base:12")
    line = env.run("build", "env.yml").line
    two = Env(tmp_path / "two")
    two.env["PIP_INDEX_URL"] = env.env["PIP_INDEX_URL"]
    for name in ("env.yml", "train.lock"):
        two.write(name, (env.work / name).read_text())
    before = base.requests()
    assert two.run("build", "--locked", "env.yml").line == line
    assert blobs(base.asked_since(before)) == [doc_config(base)]
    before = base.requests()
    assert two.run("build", "--locked", "env.yml").line == line
    assert base.asked_since(before) == [], "a warm build asks nobody"
    p = two.run("run", "--offline", line, "--", "true", code=125)
    layer, = layers_of(base, "library/base", "12")
    assert layer in p.err and "not in the store" in p.err
    two.run("run", line, "--", "true")


def test_a_moved_tag_does_not_matter_until_asked(env, base, define, tmp_path):
    define(f"{base.name}/library/base:12")
    first = env.run("build", "env.yml").line
    old = base.digest("library/base", "12")
    base.push(make_layout(tmp_path / "new", base_files({"etc/new": b"1"}), {"Env": ["PATH=/usr/bin"]}), "library/base", "12")
    new = base.digest("library/base", "12")
    assert new != old
    assert env.run("build", "env.yml").line == first
    define(f"{base.name}/library/base:12", pip='["PyJWT<2", idna]')  # resolved again: the base stays
    env.run("lock", "env.yml")
    assert old in (env.work / "train.lock").read_text()
    env.run("lock", "--upgrade-base", "env.yml")
    assert new in (env.work / "train.lock").read_text() and old not in (env.work / "train.lock").read_text()


def test_a_base_that_is_gone(env, base, define, tmp_path):
    define(f"{base.name}/library/base:12")
    env.run("lock", "env.yml")
    two = Env(tmp_path / "two")
    for name in ("env.yml", "train.lock"):
        two.write(name, (env.work / name).read_text())
    base.ask("DELETE", f"/v2/library/base/blobs/{doc_config(base)}")
    p = two.run("build", "--locked", "env.yml", code=1)
    assert "the config of the locked base" in p.err and "is gone" in p.err and "--upgrade-base" in p.err
    p = two.run("build", "--locked", "--offline", "env.yml", code=9)
    assert doc_config(base) in p.err


def test_digest_and_tag(env, base, define):
    digest = base.digest("library/base", "12")
    define(f"docker://{base.name}/library/base:nosuchtag@{digest}")
    line = env.run("build", "env.yml").line
    assert f"ref: {base.name}/library/base:nosuchtag@{digest}" in (env.work / "train.lock").read_text()
    assert doc(env, line.split("@")[1])["annotations"]["org.opencontainers.image.base.name"] == f"{base.name}/library/base:nosuchtag"
    define(f"{base.name}/library/base@{digest}")
    env.run("build", "--offline", "env.yml")  # all of it is here
    assert f"ref: {base.name}/library/base@{digest}" in (env.work / "train.lock").read_text()


def test_offline_names_what_is_missing(env, base, define):
    define(f"{base.name}/library/base:12")
    p = env.run("build", "--offline", "env.yml", code=9)
    assert f"{base.name}/library/base:12" in p.err


def test_python_of_a_slim_image(env, registry, define, tmp_path):
    registry.push(slim_layout(tmp_path / "slim"), "library/python", "3.12-slim")
    define(f"{registry.name}/library/python:3.12-slim")
    line = env.run("build", "env.yml").line
    lock = (env.work / "train.lock").read_text()
    assert "version: 3.12.7" in lock and "path: /usr/local/bin/python3.12" in lock
    assert env.run("run", line, "--", "python", "-V").out.startswith("slim /opt/env/bin/python")


def test_same_layers_another_python(env, registry, define, tmp_path):
    """Facts are known by layers; which python they mean hangs on the config, too."""
    layout = slim_layout(tmp_path / "slim")
    registry.push(layout, "library/python", "slim")
    define(f"{registry.name}/library/python:slim")
    env.run("lock", "env.yml")
    make_layout_config(layout, {"Env": ["PATH=/usr/bin"]})
    registry.push(layout, "library/python", "plain")
    define(f"{registry.name}/library/python:plain")
    env.run("lock", "env.yml")
    assert "path: /usr/bin/python3.11" in (env.work / "train.lock").read_text()


def make_layout_config(layout, config):
    """The same layers under another config."""
    blobs_dir = layout / "blobs/sha256"
    index = json.loads((layout / "index.json").read_text())
    manifest = json.loads((blobs_dir / index["manifests"][0]["digest"][7:]).read_bytes())
    was = json.loads((blobs_dir / manifest["config"]["digest"][7:]).read_bytes())

    def put(data):
        (blobs_dir / sha256(data)).write_bytes(data)
        return {"digest": "sha256:" + sha256(data), "size": len(data)}
    manifest["config"].update(put(json.dumps({**was, "config": config}).encode()))
    index["manifests"][0].update(put(json.dumps(manifest).encode()))
    (layout / "index.json").write_text(json.dumps(index))


@pytest.mark.parametrize("options", [("--format=v2s2",), ("--format=oci", "--dest-compress-format=zstd"), ("--dest-decompress",)], ids=["docker", "zstd", "plain"])
def test_types_of_bases(env, registry, define, base_layout, tmp_path, options):
    if options == ("--dest-decompress",):
        layout = make_layout(tmp_path / "plain", base_files(), {"Env": ["PATH=/usr/bin"]}, codec="none")
        put_layout(registry, layout, "library/base", "1")
    else:
        registry.push(base_layout, "library/base", "1", *options)
    define(f"{registry.name}/library/base:1")
    line = env.run("build", "env.yml").line
    made = doc(env, line.split("@")[1])
    assert all(d["mediaType"].startswith("application/vnd.oci.image.layer.v1.tar") for d in made["layers"])
    assert made["layers"][0]["digest"] == layers_of(registry, "library/base", "1")[0]
    assert env.run("run", line, "--", "python", "-V").out == "python /opt/env/bin/python -V\n"


def put_layout(registry, layout, repo, tag, change=lambda m: None, config=lambda c: None):
    """Blob by blob, as it is: skopeo would compress. change: of the manifest; config: of the config."""
    read = lambda d: (layout / "blobs/sha256" / d.removeprefix("sha256:")).read_bytes()  # noqa: E731
    manifest = json.loads(read(json.loads((layout / "index.json").read_text())["manifests"][0]["digest"]))
    c = json.loads(read(manifest["config"]["digest"]))
    config(c)
    manifest["config"].update(registry.put_blob(repo, json.dumps(c).encode()))
    for layer in manifest["layers"]:
        registry.put_blob(repo, read(layer["digest"]))
    change(manifest)
    return registry.put_manifest(repo, tag, manifest, manifest["mediaType"])


def put_index(registry, repo, tag, entries):
    return registry.put_manifest(repo, tag, {"schemaVersion": 2, "mediaType": INDEX, "manifests": entries}, INDEX)


@pytest.fixture
def multi(registry, base_layout, tmp_path):
    """An index of amd64, arm64 and an attestation, as buildkit writes them."""
    arm_layout = make_layout(tmp_path / "arm", {"etc/arm": b"1"})
    amd = put_layout(registry, base_layout, "multi", "amd")
    arm = put_layout(registry, arm_layout, "multi", "arm", config=lambda c: c.update(architecture="arm64"))
    proof = put_layout(registry, arm_layout, "multi", "proof", config=lambda c: c.update(architecture="unknown", os="unknown"))
    put_index(registry, "multi", "1", [
        {**proof, "platform": {"os": "unknown", "architecture": "unknown"}, "annotations": {"vnd.docker.reference.type": "attestation-manifest"}},
        {**arm, "platform": {"os": "linux", "architecture": "arm64", "variant": "v8"}},
        {**amd, "platform": {"os": "linux", "architecture": "amd64"}}])
    registry.amd, registry.arm = amd["digest"], arm["digest"]
    return registry


def test_platform_of_an_index(env, multi, define):
    define(f"{multi.name}/multi:1")
    env.run("lock", "env.yml")
    lock = (env.work / "train.lock").read_text()
    assert multi.amd in lock and multi.arm not in lock and multi.digest("multi", "1") not in lock


def test_platform_that_is_not_there(env, multi, define, registry):
    put_index(multi, "multi", "arm-only", [{"mediaType": MANIFESTS[0], "digest": multi.arm, "size": len(multi.manifest("multi", multi.arm)),
                                            "platform": {"os": "linux", "architecture": "arm64", "variant": "v8"}}])
    define(f"{multi.name}/multi:arm-only")
    p = env.run("build", "env.yml", code=1)
    assert "has no image for linux/amd64, only for linux/arm64/v8" in p.err
    define(f"{multi.name}/multi:arm")  # no index: the config says it
    p = env.run("build", "env.yml", code=1)
    assert "has no image for linux/amd64, only for linux/arm64" in p.err


def test_all_platforms_stand_on_one_index(env, multi, base_layout, tmp_path):
    """The tag moves while the first platform is looked at."""
    p = Proxy(multi.port)
    arm2 = put_layout(multi, make_layout(tmp_path / "arm2", {"etc/arm": b"2"}), "multi", "arm2", config=lambda c: c.update(architecture="arm64"))
    entries = json.loads(multi.manifest("multi", "1"))["manifests"]

    def move():
        put_index(multi, "multi", "1", [{**arm2, "platform": {"os": "linux", "architecture": "arm64"}}, *entries])
    p.rule("call", f"manifests/{multi.amd}", what=move, times=1)
    env.write("hello", "hello")
    env.write("env.yml", f"name: train\ndependencies: []\nenvbuild:\n  base: {p.name}/multi:1\n  files: {{/hello: hello}}\n"
                         "  platforms: [linux/amd64, linux/arm64]\n")
    env.run("lock", "env.yml")
    lock = (env.work / "train.lock").read_text()
    assert multi.amd in lock and multi.arm in lock and arm2["digest"] not in lock
    assert arm2["digest"] in json.dumps(json.loads(multi.manifest("multi", "1")))
    line = env.run("build", "env.yml").line
    assert {m["platform"]["architecture"] for m in doc(env, line.split("@")[1])["manifests"]} == {"amd64", "arm64"}
    p.close()


def test_certificates_are_added_to_a_base_from_afar(env, base, define, tmp_path):
    pem = tmp_path / "ca.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", str(tmp_path / "k"),
                    "-out", str(pem), "-days", "3", "-subj", "/CN=corp"], check=True, capture_output=True)
    env.write("corp.pem", pem.read_text())
    define(f"{base.name}/library/base:12", more="  certificates: [corp.pem]\n")
    env.run("lock", "env.yml")
    layer, = layers_of(base, "library/base", "12")
    (env.cache / "oci/blobs/sha256" / layer.removeprefix("sha256:")).unlink()
    line = env.run("build", "env.yml").line
    out = env.run("run", line, "--", "cat", "/etc/ssl/certs/ca-certificates.crt").out
    assert "BEGIN CERTIFICATE" in out


@pytest.mark.parametrize("what, code, text", [
    ("layer", 1, "is of a type that we cannot read: application/vnd.example.layer"),
    ("config", 1, "is not an image: its config is of the type application/vnd.cncf.helm.config.v1+json"),
    ("diff_id", 7, "has diff_id sha256:"),
    ("count", 7, "has 1 layers, but its config names 2"),
])
def test_what_is_no_base(env, registry, define, base_layout, what, code, text):
    def change(m):
        if what == "layer":
            m["layers"][0]["mediaType"] = "application/vnd.example.layer"
        if what == "config":
            m["config"]["mediaType"] = "application/vnd.cncf.helm.config.v1+json"

    def config(c):
        if what == "diff_id":
            c["rootfs"]["diff_ids"] = ["sha256:" + 64 * "0"]
        if what == "count":
            c["rootfs"]["diff_ids"] *= 2
    put_layout(registry, base_layout, "odd", "1", change, config)
    define(f"{registry.name}/odd:1")
    assert text in env.run("build", "env.yml", code=code).err


def test_a_lock_whose_layers_were_edited(env, base, define):
    define(f"{base.name}/library/base:12")
    env.run("lock", "env.yml")
    lock = env.work / "train.lock"
    text = lock.read_text()
    diff_id = re.search(r"diff_id: (sha256:\w+)", text)[1]
    lock.write_text(text.replace(diff_id, "sha256:" + 64 * "1"))
    p = env.run("build", "--locked", "env.yml", code=7)
    assert "are not those of its config" in p.err


def test_transports_that_are_no_bases(env, define):
    define("docker-daemon:ubuntu:24.04")
    p = env.run("build", "env.yml", code=2)
    assert "skopeo copy docker-daemon:ubuntu:24.04 oci:DIR:TAG" in p.err


# --- pull

def test_pull_and_run(env, base):
    name = f"{base.name}/library/base:12"
    line = env.run("pull", name).line
    assert line == f"{base.name}/library/base@{base.digest('library/base', '12')}"
    before = base.requests()
    assert env.run("run", name, "--", "echo", "hi").out == "hi\n"
    assert env.run("run", "--offline", line, "--", "echo", "hi").out == "hi\n"
    assert base.asked_since(before) == []
    assert listed(env) == [name]
    assert env.run("pull", name).line == line
    assert len(blobs(base.asked_since(before))) <= 1, "no layer twice"


def test_a_pulled_index_stays_one(env, multi):
    name = f"{multi.name}/multi:1"
    line = env.run("pull", name).line
    assert line == f"{multi.name}/multi@{multi.digest('multi', '1')}"
    assert have(env, multi.amd) and not have(env, multi.arm)
    assert listed(env) == [name]
    # others read it as it is
    p = subprocess.run(["skopeo", "inspect", "--raw", f"oci:{env.cache}/oci:{name}"], capture_output=True)
    if p.returncode == 0:  # names with a port are beyond old skopeos
        assert sha256(p.stdout) == multi.digest("multi", "1")[7:]
    assert env.run("run", line, "--", "echo", "hi").out == "hi\n"
    env.run("pull", "--platform", "linux/arm64", name)
    assert have(env, multi.arm)
    shown = env.run("inspect", "--platform", "linux/arm64", name).out
    assert "platform    linux/arm64" in shown and "platforms   linux/arm64/v8, linux/amd64\n" in shown


def test_pull_by_digest_moves_no_tag(env, base, tmp_path):
    name = f"{base.name}/library/base"
    old = base.digest("library/base", "12")
    base.push(make_layout(tmp_path / "new", base_files({"etc/new": b"1"})), "library/base", "latest")
    latest = env.run("pull", name).line
    by_digest = env.run("pull", f"{name}@{old}").line
    assert by_digest == f"{name}@{old}" and by_digest != latest
    assert latest.split("@")[1] in env.run("inspect", name).out
    assert listed(env) == [name, f"{name}@{old}"]


def test_pull_what_is_not_there(env, registry):
    p = env.run("pull", f"{registry.name}/no/such:1", code=1)
    assert "no/such" in p.err
    env.run("pull", code=2)
    env.run("pull", "UPPER", code=2)


def test_run_pulls_what_names_a_registry(env, base):
    assert env.run("run", f"{base.name}/library/base:12", "--", "echo", "hi").out == "hi\n"
    p = env.run("run", "nothing", "--", "true", code=125)
    assert "the store has no image 'nothing'" in p.err and "docker.io/library/nothing" in p.err


def test_damaged_layers_are_refused(env, base):
    layer, = layers_of(base, "library/base", "12")
    file = next(base.data.rglob(f"{layer[7:]}/data"))
    raw = bytearray(file.read_bytes())
    raw[len(raw) // 2] ^= 1
    file.write_bytes(raw)
    p = env.run("pull", f"{base.name}/library/base:12", code=7)
    assert layer[7:19] in p.err or "sha256" in p.err
    assert not have(env, layer) and listed(env) == []


def test_a_push_elsewhere_fetches_what_is_missing(env, base, registries, define):
    """The base's layers are not here: the same registry mounts them, another one gets them through the store."""
    define(f"{base.name}/library/base:12")
    env.run("lock", "env.yml")
    layer, = layers_of(base, "library/base", "12")
    (env.cache / "oci/blobs/sha256" / layer.removeprefix("sha256:")).unlink()
    line = env.run("build", "env.yml").line
    env.run("push", "train", f"{base.name}/team/train:1")
    assert not have(env, layer) and layer in base.whole("team/train", "1")
    other = registries()
    env.run("push", "train", f"{other.name}/team/train:1")
    assert layer in other.whole("team/train", "1") and other.digest("team/train", "1") == line.split("@")[1]
    # and from there it comes to somebody who has nothing
    two = Env(env.folder / "two")
    assert two.run("run", f"{other.name}/team/train:1", "--", "python", "-V").out == "python /opt/env/bin/python -V\n"


def test_the_next_repository_is_asked(env, base, registries, define):
    """A layer is known to be in three places: one lost it, one is down."""
    one, two = registries(), registries()
    define(f"{base.name}/library/base:12")
    line = env.run("build", "env.yml").line
    for r in (one, two):
        env.run("push", "train", f"{r.name}/team/train:1")
    layer, = layers_of(base, "library/base", "12")
    blob = env.cache / "oci/blobs/sha256" / layer.removeprefix("sha256:")
    blob.unlink()
    two.stop()
    assert one.ask("DELETE", f"/v2/team/train/blobs/{layer}").status == 202
    before = base.requests()
    assert env.run("run", line, "--", "python", "-V").out == "python /opt/env/bin/python -V\n"
    assert blobs(base.asked_since(before)) == [layer]
    # and when nobody has it, the one that was asked first is named
    blob.unlink()
    for f in (env.cache / "unpacked").iterdir():
        shutil.rmtree(f)
    base.ask("DELETE", f"/v2/library/base/blobs/{layer}")
    p = env.run("run", line, "--", "true", code=125)
    assert f"{base.name}/library/base" in p.err and layer in p.err


def test_foreign_addresses_of_the_network_are_not_asked(env, registry, base_layout, mock):
    """An image must not make us ask what only we can reach."""
    mock.checks = False
    blob = lambda d: (base_layout / "blobs/sha256" / d.removeprefix("sha256:")).read_bytes()  # noqa: E731
    manifest = json.loads(blob(json.loads((base_layout / "index.json").read_text())["manifests"][0]["digest"]))
    mock.repo("foreign").blobs[manifest["config"]["digest"]] = blob(manifest["config"]["digest"])
    manifest["layers"][0].update(mediaType="application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
                                 urls=["http://169.254.169.254/latest", "http://127.0.0.2/x", "http://user:word@127.0.0.1/x", "file:///etc/passwd"])
    mock.put("foreign", "1", manifest)
    p = env.run("pull", f"{mock.name}/foreign:1", code=5)
    assert "it is an address of a private network" in p.err and listed(env) == []


def test_what_was_pulled_is_pushed_as_it_is(env, multi, registries, base_layout):
    """An index with platforms that were not pulled; Docker's types."""
    multi.push(base_layout, "docker", "1", "--format=v2s2")
    other = registries()
    for repo in ("multi", "docker"):
        name, to = f"{multi.name}/{repo}:1", f"{other.name}/{repo}:1"
        env.run("pull", name)
        env.run("push", name, to)
        assert other.manifest(repo, "1") == multi.manifest(repo, "1")
        assert other.whole(repo, "1")


@pytest.fixture
def proxy(base):
    p = Proxy(base.port)
    yield p
    p.close()


def test_where_and_how_to_ask(env, registries, base_layout, define):
    """A registry whose certificate nobody vouches for: told by flag or by certs.d, by every command that reads from one."""
    r = registries(tls=True, users={"alice": "s3cret"})
    r.push(base_layout, "library/base", "12")
    name = f"{r.name}/library/base:12"
    define(name)
    commands = [("pull", name), ("inspect", f"docker://{name}"), ("run", name, "--", "true"), ("lock", "env.yml")]
    for verb, *words in commands:
        assert "certificate" in env.run(verb, *words, code=None).err
    for verb, *words in commands:
        p = env.run(verb, "--insecure", r.name, *words, code=None)
        assert p.code in (6, 125) and f"envbuild login {r.name}" in p.err
    r.login(env)
    r.trust(env)
    for verb, *words in commands:
        env.run(verb, *words)


def test_two_pulls_share_a_download(env, base, proxy):
    layer, = layers_of(base, "library/base", "12")
    proxy.rule("rate", f"blobs/{layer}", bytes_per_s=700_000)
    name = f"{proxy.name}/library/base:12"
    both = [env.popen("pull", name) for _ in range(2)]
    lines = {p.communicate(timeout=120)[0] for p in both}
    assert [p.returncode for p in both] == [0, 0] and lines == {f"{proxy.name}/library/base@{base.digest('library/base', '12')}\n"}
    assert len([q for q in proxy.log if layer in q.path]) == 1


def until_stalled(proxy, layer, p):
    """A pull in the middle of its layer."""
    while not [q for q in proxy.log if layer in q.path and q.down >= 65536]:
        assert p.poll() is None
        time.sleep(0.02)


def test_a_killed_pull_leaves_a_sound_store(env, base, proxy):
    layer, = layers_of(base, "library/base", "12")
    proxy.rule("stall", f"blobs/{layer}", after=100_000)
    p = env.popen("pull", f"{proxy.name}/library/base:12")
    until_stalled(proxy, layer, p)
    p.kill()
    p.communicate()
    assert listed(env) == [] and not have(env, layer)
    proxy.clear()
    line = env.run("pull", f"{proxy.name}/library/base:12").line
    assert have(env, layer) and "0 damaged" in env.run("cache", "verify").out
    assert env.run("run", line, "--", "echo", "hi").out == "hi\n"


def test_an_interrupted_pull_tidies_up(env, base, proxy):
    layer, = layers_of(base, "library/base", "12")
    proxy.rule("stall", f"blobs/{layer}", after=100_000)
    p = env.popen("pull", f"{proxy.name}/library/base:12")
    until_stalled(proxy, layer, p)
    p.send_signal(signal.SIGINT)
    out, err = p.communicate(timeout=20)
    assert p.returncode == 130 and out == "" and not have(env, layer)
    assert [f for f in (env.cache / "tmp").iterdir()] == []


def test_foreign_layers_come_from_their_urls(env, registry, base_layout, define, mock):
    """The registry does not hold them; another server does."""
    mock.checks = False
    blob = lambda d: (base_layout / "blobs/sha256" / d.removeprefix("sha256:")).read_bytes()  # noqa: E731
    manifest = json.loads(blob(json.loads((base_layout / "index.json").read_text())["manifests"][0]["digest"]))
    layer, config = manifest["layers"][0], manifest["config"]
    registry.put_blob("files", blob(layer["digest"]))
    mock.repo("foreign").blobs[config["digest"]] = blob(config["digest"])
    manifest["mediaType"], config["mediaType"] = MANIFESTS[2], "application/vnd.docker.container.image.v1+json"
    layer.update(mediaType="application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
                 urls=["ftp://127.0.0.1/nothing", f"{registry.url}/v2/nothing", f"{registry.url}/v2/files/blobs/{layer['digest']}"])
    mock.put("foreign", "1", manifest, MANIFESTS[2])
    assert env.run("run", f"{mock.name}/foreign:1", "--", "echo", "hi").out == "hi\n"
    two = Env(env.folder / "two")
    two.env["PIP_INDEX_URL"] = env.env["PIP_INDEX_URL"]
    define(f"{mock.name}/foreign:1")
    env.run("lock", "env.yml")
    for name in ("env.yml", "train.lock"):
        two.write(name, (env.work / name).read_text())
    line = two.run("build", "--locked", "env.yml").line  # no registry could give it to others: it comes along
    assert listed(two) == ["train"]
    assert two.run("run", line, "--", "python", "-V").out == "python /opt/env/bin/python -V\n"


# --- inspect

def test_inspect_from_afar(env, multi):
    before = multi.requests()
    shown = env.run("inspect", f"{multi.name}/multi:1").out
    assert f"digest      {multi.digest('multi', '1')}" in shown and "platforms   linux/arm64/v8, linux/amd64\n" in shown
    assert f"manifest    {multi.amd}" in shown and "platform    linux/amd64" in shown and "PATH=/usr/local/bin" in shown
    layer, = layers_of(multi, "multi", "amd")
    assert layer not in blobs(multi.asked_since(before))
    j = json.loads(env.run("inspect", "--json", "--platform", "linux/arm64", f"docker://{multi.name}/multi:1").out)
    assert j["manifest-digest"] == multi.arm and j["platforms"] == ["linux/arm64/v8", "linux/amd64"]
    assert not (env.cache / "oci/index.json").exists() or listed(env) == []
    shown = env.run("inspect", f"{multi.name}/multi:arm").out  # for another machine, and nobody asked for ours
    assert "platform    linux/arm64" in shown


def test_inspect_shows_what_a_terminal_may_see(env, registry, base_layout):
    def config(c):
        c["config"]["Env"] = ["A=\x1b[2Jx"]
        c["history"] = [{"created_by": "RUN \x1b]0;evil\x07" + 300 * "x"}]
    put_layout(registry, base_layout, "evil", "1", config=config)
    shown = env.run("inspect", f"{registry.name}/evil:1").out
    assert "\x1b" not in shown and "\x07" not in shown and "A=?[2Jx" in shown and max(map(len, shown.splitlines())) < 140


# --- short names, mirrors

def test_docker_hub_from_a_mirror(env, base, define):
    mirror(env, base)
    line = env.run("pull", "base:12").line
    assert line.startswith("docker.io/library/base@sha256:")
    assert "did you mean 'docker.io/library/base:12'?" in env.run("run", "base:12", "--", "true", code=125).err
    assert "docker.io/library/base:12" in env.run("inspect", "docker://base:12").out
    assert "docker.io/library/base:12" in env.run("inspect", "--offline", "base:12").out
    define("base:12")
    line = env.run("build", "env.yml").line
    assert "ref: docker.io/library/base:12" in (env.work / "train.lock").read_text()
    assert doc(env, line.split("@")[1])["annotations"]["org.opencontainers.image.base.name"] == "docker.io/library/base:12"


# --- what others push

def test_what_podman_and_buildah_push(env, registry, base_layout, tmp_path, request):
    """buildah's commit, podman's push: their config, their history, their types."""
    short = tempfile.mkdtemp(prefix="eb-")  # podman takes no long runroot
    request.addfinalizer(lambda: shutil.rmtree(short, ignore_errors=True))
    root = ["--root", str(tmp_path / "root"), "--runroot", short, "--storage-driver", "vfs"]
    e = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": str(tmp_path), "BUILDAH_ISOLATION": "chroot"}

    def call(*args):
        p = subprocess.run([*args], capture_output=True, text=True, env=e, stdin=subprocess.DEVNULL, timeout=300)
        return p if p.returncode == 0 else pytest.skip(f"{args[0]} does not work here: {p.stderr[-300:]}")
    for tool in ("buildah", "podman"):
        if not shutil.which(tool):
            pytest.skip(f"{tool} is not installed")
    registry.push(base_layout, "base", "1")
    made = call("buildah", *root, "from", "--tls-verify=false", f"docker://{registry.name}/base:1").stdout.strip()
    call("buildah", *root, "config", "--env", "MADE_BY=buildah", "--cmd", "sh", made)
    for form in ("oci", "docker"):
        call("buildah", *root, "commit", "--format", form, made, f"made:{form}")
        call("buildah", *root, "push", "--tls-verify=false", f"localhost/made:{form}", f"docker://{registry.name}/made:{form}")
        call("podman", *root, "push", "--tls-verify=false", f"localhost/made:{form}", f"docker://{registry.name}/made:podman-{form}")
        for tag in (form, f"podman-{form}"):
            out = env.run("run", f"{registry.name}/made:{tag}", "--", "sh", "-c", "echo $MADE_BY").out
            assert out == "buildah\n"
