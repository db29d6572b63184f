"""The same packages on another base: what stays, what is made again, what is sent, and what is refused."""
import json
import pathlib
import re
import shutil
import sys

import pytest

from conda_world import World, made_python, make_package, python_package
from conftest import Env, base_files, make_layout, sha256
from registry_world import registries, registry  # noqa: F401  fixtures

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from fake import debian  # noqa: E402

CONFIG = {"Env": ["PATH=/usr/local/bin:/usr/bin:/bin"], "Cmd": ["sh"]}
DPKG = "Package: libc6\nStatus: install ok installed\nVersion: {}\n\nPackage: python{}-minimal\nStatus: install ok installed\nVersion: {}\n\n"


def status(libc="2.36-9+deb12u11", python="3.11.2-6+deb12u6"):
    return DPKG.format(libc, ".".join(python.split(".")[:2]), python).encode()


def newer(folder, extra=None, config=None):
    """The made base with its security updates."""
    return make_layout(folder, base_files({"var/lib/dpkg/status": status(), "etc/patched": b"yes\n", **(extra or {})}), config or CONFIG)


@pytest.fixture
def patched(tmp_path):
    return newer(tmp_path / "patched")


def doc(env, digest):
    return json.loads((env.cache / "oci/blobs/sha256" / digest.removeprefix("sha256:")).read_bytes())


def made_of(env, line):
    """Of an image of the store: for each of our layers what it is of → its digest; and the base's."""
    m = doc(env, line.split("@")[1])
    history = [h["created_by"] for h in doc(env, m["config"]["digest"])["history"] if not h.get("empty_layer")]
    assert len(history) == len(m["layers"])
    ours = {h.removeprefix("envbuild "): d["digest"] for h, d in zip(history, m["layers"]) if h.startswith("envbuild ")}
    return ours, [d["digest"] for h, d in zip(history, m["layers"]) if not h.startswith("envbuild ")]


def packages(layers):
    return {of: d for of, d in layers.items() if of not in ("last", "env venv", "env conda") and not of.startswith("os ")}


def sent(requests):
    """Digests of blobs that were uploaded, and of those that were mounted."""
    put = [re.search(r"digest=(sha256(?::|%3A)\w+)", r.path)[1].replace("%3A", ":") for r in requests if r.method == "PUT" and "/blobs/uploads/" in r.path]
    mount = [re.search(r"mount=(sha256(?::|%3A)\w+)", r.path)[1].replace("%3A", ":") for r in requests
             if r.method == "POST" and "mount=" in r.path and r.status == 201]
    return put, mount


# --- an image of the store

def test_package_layers_stay(env, index, definition, patched):
    definition(pip='["PyJWT<2", requests, wide]')
    first = env.run("build", "env.yml").line
    asked = len(index.requests())
    second = env.run("rebase", "train", "--base", f"oci:{patched}:base").line
    assert len(index.requests()) == asked, "nothing is resolved, nothing fetched"
    assert second.startswith("train@sha256:") and second != first
    (before, old), (after, new) = made_of(env, first), made_of(env, second)
    assert len(packages(before)) == 2 and packages(before) == packages(after)
    assert old != new and new == [d["digest"] for d in json.loads(blob_of(patched))["layers"]]
    assert env.run("run", "train", "--", "cat", "/etc/patched").out == "yes\n"
    assert env.run("run", second, "--", "python", "-V").out == "python /opt/env/bin/python -V\n"
    assert env.run("run", first, "--", "ls", "/etc/patched", code=None).code != 0, "the old image is as it was"


def blob_of(layout, tag="base"):
    entry, = [m for m in json.loads((layout / "index.json").read_text())["manifests"]]
    return (layout / "blobs/sha256" / entry["digest"].removeprefix("sha256:")).read_bytes()


def test_there_and_back_is_the_same_image(env, definition, patched):
    definition()
    first = env.run("build", "env.yml").line
    assert env.run("rebase", "train", "--base", f"oci:{patched}:base", "-t", "train:new").line.startswith("train:new@")
    assert env.run("rebase", "train:new", "--base", f"oci:{env.base}:base", "-t", "train").line == first


def test_offline(env, definition, patched):
    """All of it is here."""
    env.write("motd.txt", "hello\n")
    definition(more="  files: {/etc/motd: motd.txt}\n")
    env.run("build", "env.yml")
    one = env.run("--offline", "rebase", "train", "--base", f"oci:{patched}:base").line
    assert env.run("--offline", "rebase", "env.yml", "--base", f"oci:{patched}:base").line == one
    p = env.run("--offline", "rebase", "train", "--base", "127.0.0.1:9/base:1", code=9)
    assert "127.0.0.1:9/base:1" in p.err


def test_lock_of_the_new_image(env, definition, patched, index):
    definition()
    env.run("build", "env.yml")
    old = (env.work / "train.lock").read_text()
    second = env.run("rebase", "train", "--base", f"oci:{patched}:base", "-o", "new.lock").line
    assert (env.work / "train.lock").read_text() == old, "an image's rebase leaves the folder alone"
    new = (env.work / "new.lock").read_text()
    artifacts = lambda text: text[text.index("    artifacts:"):text.index("\nimage:")]  # noqa: E731
    assert artifacts(old) == artifacts(new)
    assert f"ref: oci:{patched}:base" in new and f"ref: oci:{env.base}:base" not in new
    assert second.split("@")[1] in new
    env.run("lock", "--from", second, "-o", "again.lock")
    assert (env.work / "again.lock").read_text() == new, "and the store knows it, too"
    two = Env(env.folder.parent / "two")
    shutil.copy(env.work / "new.lock", two.work / "train.lock")
    assert two.run("build", "train.lock").line == second, "the lock builds it anywhere"
    # nobody checked that the definition asks for this: it is resolved again, with what is locked
    shutil.copy(env.work / "new.lock", env.work / "train.lock")
    assert "does not fit the definition" in env.run("build", "--locked", "env.yml", code=4).err


def test_compression_is_the_image_s_own(env, definition, patched):
    definition()
    first = env.run("build", "--compression", "zstd", "env.yml").line
    second = env.run("rebase", first, "--base", f"oci:{patched}:base").line
    assert second.startswith("train@") and packages(made_of(env, first)[0]) == packages(made_of(env, second)[0])
    third = env.run("rebase", second, "--base", f"oci:{patched}:base", "--compression", "gzip").line
    assert packages(made_of(env, first)[0]).keys() == packages(made_of(env, third)[0]).keys()
    assert not set(packages(made_of(env, first)[0]).values()) & set(packages(made_of(env, third)[0]).values())


def test_files_come_out_of_the_image(env, definition, patched, tmp_path):
    env.write("motd.txt", "hello\n")
    env.write("empty", "")
    definition(more="  files: {/etc/motd: motd.txt, /etc/nothing: empty}\n")
    first = env.run("build", "env.yml").line
    for name in ("motd.txt", "empty"):
        (env.work / name).unlink()
    env.write("motd.txt", "another\n")
    (env.work / "env.yml").unlink()
    second = env.run("rebase", first, "--base", f"oci:{patched}:base").line
    assert env.run("run", second, "--", "cat", "/etc/motd", "/etc/patched", "/etc/nothing").out == "hello\nyes\n"


# --- a definition, a lock

def test_a_definition(env, index, definition, patched, base_layout):
    file = definition()
    first = env.run("build", "env.yml").line
    old = (env.work / "train.lock").read_text()
    asked = len(index.requests())
    p = env.run("rebase", "env.yml", "--base", f"oci:{patched}:base")
    second, new = p.line, (env.work / "train.lock").read_text()
    assert f"write base: oci:{patched}:base there" in p.err
    assert len(index.requests()) == asked
    assert packages(made_of(env, first)[0]) == packages(made_of(env, second)[0])
    changed = {line.split(":")[0].strip(" -") for line in set(old.splitlines()) ^ set(new.splitlines())}
    assert changed <= {"request", "ref", "manifest", "config", "diff_id", "digest", "base", "facts", "image-id", "gzip", "encodings", "size",
                       "{diff_id", "manifests", "key", "type", "python"}, changed
    assert env.run("build", "--locked", "env.yml", "--base", f"oci:{patched}:base").line == second
    assert "does not fit" in env.run("build", "--locked", "env.yml", code=4).err
    file.write_text(file.read_text().replace(str(base_layout), str(patched)))
    assert env.run("build", "--locked", "env.yml").line == second
    p = env.run("rebase", "env.yml", "--base", f"oci:{patched}:base")
    assert p.line == second and "write base" not in p.err
    assert (env.work / "train.lock").read_text() == new


def test_a_definition_that_was_edited(env, definition, patched):
    definition()
    env.run("lock", "env.yml")
    old = (env.work / "train.lock").read_text()
    definition(pip='["PyJWT<2"]')
    p = env.run("rebase", "env.yml", "--base", f"oci:{patched}:base", code=4)
    assert "does not fit the definition" in p.err and "envbuild lock" in p.err
    assert (env.work / "train.lock").read_text() == old
    (env.work / "train.lock").unlink()
    assert "there is no lock" in env.run("rebase", "env.yml", "--base", f"oci:{patched}:base", code=4).err


def test_a_lock_file(env, definition, patched):
    definition()
    first = env.run("build", "env.yml").line
    old = (env.work / "train.lock").read_text()
    second = env.run("rebase", "train.lock", "--base", f"oci:{patched}:base", "-o", "other.lock").line
    assert (env.work / "train.lock").read_text() == old
    assert env.run("build", "other.lock").line == second != first
    assert env.run("rebase", "train.lock", "--base", f"oci:{patched}:base").line == second
    assert (env.work / "train.lock").read_text() == (env.work / "other.lock").read_text()


# --- registries

@pytest.fixture
def bases(registry, base_layout, patched):
    """library/base:12 and its next release, 12.1."""
    registry.push(base_layout, "library/base", "12")
    registry.push(patched, "library/base", "12.1")
    return registry


def on(env, registry, more=""):
    return env.write("env.yml", "name: train\ndependencies:\n  - pip: [\"PyJWT<2\", requests, wide]\n"
                                f"envbuild:\n  base: {registry.name}/library/base:12\n{more}")


def test_a_push_of_a_few_bytes(env, bases):
    on(env, bases)
    old = env.run("build", "env.yml", "-t", f"{bases.name}/team/train:v1", "--push").line
    before = bases.requests()
    new = env.run("rebase", f"{bases.name}/team/train:v1", "--base", f"{bases.name}/library/base:12.1", "--push").line
    put, mount = sent(bases.asked_since(before))
    assert new.startswith(f"{bases.name}/team/train@sha256:") and new != old
    assert bases.digest("team/train", "v1") == new.split("@")[1], "the tag has moved"
    was, now = (json.loads(bases.manifest("team/train", x.split("@")[1])) for x in (old, new))
    base_layer = json.loads(bases.manifest("library/base", "12.1"))["layers"][0]["digest"]
    assert now["layers"][0]["digest"] == base_layer and [d["digest"] for d in now["layers"][1:]] == [d["digest"] for d in was["layers"][1:]]
    assert mount == [base_layer], "the new base is mounted from its repository"
    # besides the config: the lock and the SBOM that hang on the image, and their empty config
    kept = {d["digest"] for d in was["layers"]}
    assert now["config"]["digest"] in put and not kept & set(put)
    assert sum(len(bases.blob("team/train", d)) for d in put) < 64 << 10
    assert bases.whole("team/train", "v1")
    assert env.run("lock", "--from", new, "-o", "-").out.count(f"ref: {bases.name}/library/base:12.1") == 1


def test_from_the_registry_alone(env, bases, tmp_path, index):
    """Somebody who has neither the definition nor the store."""
    env.write("motd.txt", "hello\n")
    on(env, bases, "  files: {/etc/motd: motd.txt}\n")
    old = env.run("build", "env.yml", "-t", f"{bases.name}/team/train:v1", "--push").line
    two = Env(tmp_path / "two")
    two.env["PIP_INDEX_URL"] = index.url
    asked, before = len(index.requests()), bases.requests()
    new = two.run("rebase", f"{bases.name}/team/train:v1", "--base", f"{bases.name}/library/base:12.1", "-t", f"{bases.name}/team/train:v2",
                  "--push").line
    was, now = (json.loads(bases.manifest("team/train", x)) for x in ("v1", "v2"))
    same = [d["digest"] for d in was["layers"][1:-1]]
    assert [d["digest"] for d in now["layers"][1:-1]] == same and len(same) >= 3
    assert bases.digest("team/train", "v1") == old.split("@")[1], "the old tag is left alone"
    assert len(index.requests()) == asked, "zero package bytes from the index"
    got = {re.search(r"sha256:\w+", r.path)[0] for r in bases.asked_since(before) if r.method == "GET" and "/blobs/" in r.path}
    assert not got & set(same), "and none from the registry: only what the lock and the facts consist of, the new base and the last layer"
    # under another name, by digest: what the old repository says of its layers counts
    three = Env(tmp_path / "three")
    three.env["PIP_INDEX_URL"] = index.url
    moved = three.run("rebase", old, "--base", f"{bases.name}/library/base:12.1", "-t", f"{bases.name}/other/train", "--push").line
    assert moved.split("@")[1] == new.split("@")[1] and bases.whole("other/train", "latest")
    assert len(index.requests()) == asked
    p = two.run("run", new, "--", "cat", "/etc/motd", "/etc/patched")
    assert p.out == "hello\nyes\n"
    assert env.run("rebase", old, "--base", f"{bases.name}/library/base:12.1", "-t", f"{bases.name}/team/train:v2", "--push").line == new


def test_a_tag_that_moved(env, bases, patched):
    """The base's tag means something else by now: rebase takes that."""
    on(env, bases)
    env.run("build", "env.yml")
    before = (env.work / "train.lock").read_text()
    bases.push(patched, "library/base", "12")
    p = env.run("rebase", "env.yml", "--base", f"{bases.name}/library/base:12")
    after = (env.work / "train.lock").read_text()
    assert bases.digest("library/base", "12") in after and bases.digest("library/base", "12") not in before
    assert re.search("request: (.*)", before)[1] == re.search("request: (.*)", after)[1], "the definition asks for just this"
    assert "write base" not in p.err
    assert env.run("build", "--locked", "env.yml").line == p.line


def test_docker_s_media_types(env, bases):
    on(env, bases)
    env.run("build", "env.yml", "-t", f"{bases.name}/team/train:v1", "--push", "--format", "docker")
    shutil.rmtree(env.cache)
    env.run("rebase", f"{bases.name}/team/train:v1", "--base", f"{bases.name}/library/base:12.1", "--push", "--format", "docker")
    was = json.loads(bases.manifest("team/train", "v1"))
    assert was["mediaType"] == "application/vnd.docker.distribution.manifest.v2+json"
    assert was["layers"][0]["digest"] == json.loads(bases.manifest("library/base", "12.1"))["layers"][0]["digest"]


def test_two_platforms(env, registry, base_layout, patched, tmp_path):
    def push_index(layout, tag):
        """The same files for two machines."""
        registry.push(layout, "library/base", f"{tag}-amd64")
        amd = json.loads(registry.manifest("library/base", f"{tag}-amd64"))
        config = json.loads(registry.blob("library/base", amd["config"]["digest"]))
        config["architecture"] = "arm64"
        arm = {**amd, "config": {**amd["config"], **registry.put_blob("library/base", json.dumps(config).encode())}}
        entries = [{**registry.put_manifest("library/base", f"{tag}-{arch}", m), "platform": {"os": "linux", "architecture": arch}}
                   for arch, m in (("amd64", amd), ("arm64", arm))]
        registry.put_manifest("library/base", tag, {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json",
                                                    "manifests": entries}, "application/vnd.oci.image.index.v1+json")

    push_index(base_layout, "12")
    push_index(patched, "12.1")
    on(env, registry, "  platforms: [linux/amd64, linux/arm64]\n")
    old = env.run("build", "env.yml", "-t", f"{registry.name}/team/train", "--push").line
    new = env.run("rebase", f"{registry.name}/team/train", "--base", f"{registry.name}/library/base:12.1", "--push").line
    was, now = (json.loads(registry.manifest("team/train", x.split("@")[1]))["manifests"] for x in (old, new))
    assert [m["platform"]["architecture"] for m in now] == ["amd64", "arm64"]
    for a, b in zip(was, now):
        a, b = (json.loads(registry.manifest("team/train", x["digest"]))["layers"] for x in (a, b))
        assert a[0] != b[0] and a[1:] == b[1:]
    # one of them alone
    env.run("build", "--locked", "--platform", "linux/arm64", "-t", "arm", "env.yml")
    alone = env.run("rebase", "arm", "--base", f"{registry.name}/library/base:12.1", "-o", "arm.lock").line
    assert alone.split("@")[1] == now[1]["digest"]
    assert "linux/amd64" not in (env.work / "arm.lock").read_text()
    # a base for one of two
    p = env.run("rebase", f"{registry.name}/team/train", "--base", f"{registry.name}/library/base:12.1-amd64", code=3)
    assert "linux/arm64" in p.err and "for all platforms" in p.err


def test_short_names(env, bases):
    """What a lock calls docker.io/library/base:12 is "base" to people."""
    conf = env.home / ".config/containers/registries.conf"
    conf.parent.mkdir(parents=True)
    conf.write_text(f'[[registry]]\nprefix = "docker.io"\nlocation = "{bases.name}"\ninsecure = true\n')
    on(env, bases)
    (env.work / "env.yml").write_text((env.work / "env.yml").read_text().replace(f"{bases.name}/library/", ""))
    env.run("lock", "env.yml")
    for base in ("base:12.1", "base:12", "docker.io/library/base:12.1"):
        p = env.run("rebase", "env.yml", "--base", base)
        assert ("write base" in p.err) == (base != "base:12")


# --- other kinds of environments

def test_conda(tmp_path, base_layout):
    """A conda prefix brings its own python: the base's may be another, or none."""
    world = World(tmp_path, base_layout)
    try:
        world.publish(made_python(), python_package("tool"), make_package("big", "1.0", files={"share/big": bytes(range(256)) * 4096}))
        world.define("python", "tool", "big")
        first = world.build().line
        other = make_layout(tmp_path / "other", base_files({
            "var/lib/dpkg/status": status("2.41-12", "3.13.5-2"), "usr/bin/python3": ("link", "python3.13"), "usr/bin/python3.13": b"#!/bin/sh\n",
            "etc/patched": b"yes\n"}), CONFIG)
        fetched = len(world.server.paths(".conda"))
        for what in ("train", "env.yml"):
            second = world.env.run("rebase", what, "--base", f"oci:{other}:base").line
            a, b = made_of(world.env, first)[0], made_of(world.env, second)[0]
            assert packages(a) == packages(b) and packages(a) and a["env conda"] == b["env conda"]
            assert world.env.run("run", second, "--", "python", "-V").out == "python /opt/env/bin/python -V\n"
        assert len(world.server.paths(".conda")) == fetched
        assert '__glibc: "2.41"' in world.lock() and "python: {version: 3.11.9" in world.lock()
        assert world.build("--locked", "--base", f"oci:{other}:base").line == second
        assert "its glibc 2.36 is older than the glibc 2.41" in world.env.run("rebase", "train", "--base", f"oci:{base_layout}:base", code=3).err
        # declared lower than the base has it: that is what was assumed
        world.define("python", "tool", more='  virtual: {glibc: "2.17"}', name="low")
        env = world.env
        env.run("build", "env.yml", "--base", f"oci:{other}:base")
        env.run("rebase", "low", "--base", f"oci:{base_layout}:base", "-o", "low.lock")
        assert '__glibc: "2.17"' in world.lock(name="low")
    finally:
        world.close()


class Mirror:
    """Debian packages that have what a base is asked for."""

    def __init__(self, folder, env):
        self.key = debian.Key(folder)
        self.repo = debian.Repo(folder, self.key)
        self.repo.deb("t", "libc6", "2.36-9+deb12u10", files={"/usr/lib/libc.so": "1\n"})
        self.repo.deb("t", "python3-minimal", "3.11.2-1", Depends="python3.11-minimal", files={"/usr/bin/python3": ("->", "python3.11")})
        self.repo.deb("t", "python3.11-minimal", "3.11.2-6", Depends="libc6", files={"/usr/bin/python3.11": "#!/bin/sh\n"})
        self.repo.deb("t", "app", "1.0-1", Depends="lib1 (>= 1)", files={"/usr/bin/app": "app\n"})
        self.repo.deb("t", "lib1", "1.0-1", files={"/usr/lib/lib1": "1\n"})
        self.repo.publish("t")
        self.server = debian.Server(folder)
        for name, more in (("r", ""), ("plain", ", lib1")):
            env.write(f"recipes/{name}.yml", f"recipe: 1\nname: {name}\nsuite: t\nversion: \"1\"\nmirror: {self.server.url}/debian\ncomponents: [main]\n"
                                             f"architectures: [amd64]\nkeys: {self.key.keyring}\npackages: [python3-minimal{more}]\n")
        env.env["ENVBUILD_RECIPES"] = str(env.work / "recipes")

    def close(self):
        self.server.close()
        self.key.close()


@pytest.mark.skipif(bool(debian.MISSING), reason=f"not installed: {debian.MISSING}")
def test_a_recipe_is_refreshed(env, index, patched, tmp_path):
    mirror = Mirror(tmp_path, env)
    try:
        env.write("env.yml", "name: train\ndependencies:\n  - pip: [\"PyJWT<2\", wide]\n"
                             "envbuild:\n  base: recipe:r\n  apt: [app]\n  platforms: [linux/amd64]\n")
        first = env.run("build", "env.yml").line
        asked = len(index.requests())
        assert env.run("rebase", "train", "--base", "recipe:r").line == first, "nothing is newer"
        mirror.repo.deb("t", "lib1", "1.0-2", files={"/usr/lib/lib1": "patched\n"})
        mirror.repo.deb("t", "libc6", "2.36-9+deb12u11", files={"/usr/lib/libc.so": "patched\n"})
        mirror.repo.publish("t")
        assert env.run("build", "env.yml").line == first
        second = env.run("rebase", "train", "--base", "recipe:r", "-t", "new", "-o", "new.lock").line
        a, b = made_of(env, first)[0], made_of(env, second)[0]
        assert a["os r"] != b["os r"] and a.get("last") == b.get("last") and a["env venv"] == b["env venv"]
        wheels = {of: d for of, d in a.items() if "wide" in of or "pyjwt" in of}
        assert len(wheels) == 2 and wheels.items() <= b.items()
        text = (env.work / "new.lock").read_text()
        assert "version: 1.0-2" in text and "version: 2.36-9+deb12u11" in text and "env.yml: app" in text
        p = env.run("rebase", "env.yml", "--base", "recipe:r")
        assert p.line.split("@")[1] == second.split("@")[1] and "write base" not in p.err
        assert env.run("build", "--locked", "env.yml").line == p.line, "the same recipe: the definition asks for just this"
        # another recipe; apt's package is what the base has now
        third = env.run("rebase", "train", "--base", "recipe:plain", "-o", "third.lock").line
        assert wheels.items() <= made_of(env, third)[0].items()
        assert "recipe: plain" in (env.work / "third.lock").read_text() and "env.yml: app" in (env.work / "third.lock").read_text()
        assert "apt: needs a recipe" in env.run("rebase", "train", "--base", f"oci:{patched}:base", code=2).err
        assert len(index.requests()) == asked
        # off the recipe, and onto one
        env.write("env.yml", f"name: bare\ndependencies:\n  - pip: [\"PyJWT<2\", wide]\nenvbuild:\n  base: oci:{env.base}:base\n"
                             "  platforms: [linux/amd64]\n")
        old = env.run("build", "env.yml").line
        asked = len(index.requests())
        moved = env.run("rebase", "bare", "--base", "recipe:r", "-t", "moved").line
        assert packages(made_of(env, old)[0]).items() <= made_of(env, moved)[0].items()
        assert env.run("rebase", "moved", "--base", f"oci:{env.base}:base", "-t", "bare").line == old
        assert len(index.requests()) == asked
    finally:
        mirror.close()


# --- what cannot be

REFUSED = {
    "an older glibc": ({"var/lib/dpkg/status": status(libc="2.31-13")}, "its glibc 2.31 is older than the glibc 2.36"),
    "musl": ({"var/lib/dpkg/status": None, "lib/apk/db/installed": b"C:x\nP:musl\nV:1.2.4-r2\n"}, "its libc is musl"),
    "another python": ({"var/lib/dpkg/status": status(python="3.12.3-1"), "usr/bin/python3": ("link", "python3.12"), "usr/bin/python3.11": None,
                        "usr/bin/python3.12": b"#!/bin/sh\n"}, "its python is 3.12, and the packages were installed for 3.11"),
    "a python elsewhere": ({"usr/bin/python3": None, "usr/bin/python3.11": None, "usr/local/bin/python3": ("link", "python3.11"),
                            "usr/local/bin/python3.11": b"#!/bin/sh\n"}, "its python is /usr/local/bin/python3.11"),
    "no python": ({"usr/bin/python3": None, "usr/bin/python3.11": None}, "it has no python3"),
    "another root": ({"opt": ("link", "var/opt"), "var/opt": ("dir", 0o755, 0, 0)}, "its /opt is really /var/opt"),
    "folders": ({"bin": ("dir", 0o755, 0, 0), "bin/sh": b""}, "its /bin and /lib are folders"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_refused(env, definition, tmp_path, what):
    extra, text = REFUSED[what]
    files = base_files({"var/lib/dpkg/status": status(), **{k: v for k, v in extra.items() if v is not None}})
    files = {k: v for k, v in files.items() if extra.get(k, "") is not None}
    other = make_layout(tmp_path / "other", files, {"Env": ["PATH=/usr/local/bin:/usr/bin:/bin", "PYTHON_VERSION=3.11.9"]})
    definition()
    line = env.run("build", "env.yml").line
    lock = (env.work / "train.lock").read_text()
    for name in ("train", "env.yml"):
        p = env.run("rebase", name, "--base", f"oci:{other}:base", code=3)
        assert f"'train' cannot stand on 'oci:{other}:base'" in p.err and text in p.err, p.err
        assert f"envbuild build env.yml --base oci:{other}:base" in p.err and p.out == ""
    assert (env.work / "train.lock").read_text() == lock
    assert env.run("build", "--locked", "env.yml").line == line, "nothing was moved"


def test_all_reasons_at_once(env, definition):
    definition()
    env.run("build", "env.yml")
    p = env.run("rebase", "train", "--base", "scratch", code=3)
    assert "it has no libc" in p.err and "; it has no python3" in p.err


def test_a_layout_for_another_machine(env, definition, patched):
    definition()
    env.run("build", "env.yml")
    digest = sha256(blob_of(patched))
    m = json.loads(blob_of(patched))
    config = json.loads((patched / "blobs/sha256" / m["config"]["digest"][7:]).read_text())
    text = json.dumps({**config, "architecture": "s390x"}).encode()
    (patched / "blobs/sha256" / sha256(text)).write_bytes(text)
    m["config"] |= {"digest": "sha256:" + sha256(text), "size": len(text)}
    text = json.dumps(m).encode()
    (patched / "blobs/sha256" / sha256(text)).write_bytes(text)
    index = (patched / "index.json").read_text()
    index = json.loads(index.replace(digest, sha256(text)))
    index["manifests"][0]["size"] = len(text)
    (patched / "index.json").write_text(json.dumps(index))
    p = env.run("rebase", "train", "--base", f"oci:{patched}:base", code=3)
    assert "it is for linux/s390x, and the packages are for linux/amd64" in p.err


@pytest.mark.parametrize("args, code, text", [
    ([], 2, "rebase needs an image"),
    (["train"], 2, "rebase needs the new base"),
    (["train", "other", "--base", "scratch"], 2, "takes one image"),
    (["train", "--base", "x/y:1", "--sign", "k.pem"], 2, "--sign needs --push"),
    (["train", "--base", "x/y:1", "--format", "docker", "--compression", "zstd"], 2, "no name for layers"),
    (["nosuch", "--base", "scratch"], 1, "nosuch"),
    (["curated/minimal", "--base", "scratch"], 2, "shipped as it is"),
])
def test_usage(env, args, code, text):
    p = env.run("rebase", *args, code=code)
    assert text in p.err and p.out == ""


def test_a_push_that_has_no_name(env, definition, patched):
    definition()
    line = env.run("build", "env.yml").line
    for name, text in ((line, "needs to know where to"), ("train", "does not say which registry")):
        p = env.run("rebase", name, "--base", f"oci:{patched}:base", "--push", code=2)
        assert text in p.err


def test_apt_needs_a_recipe(env, definition, patched):
    definition()
    env.run("build", "env.yml")
    lock = env.work / "train.lock"
    lock.write_text(lock.read_text().replace("    artifacts:\n", "    artifacts:\n    - kind: deb\n      name: libgl1\n      version: 1.6.0-1\n"
                                             "      arch: amd64\n      url: pool/libgl1_1.6.0-1_amd64.deb\n"
                                             f"      sha256: {'0' * 64}\n      size: 1\n      by: [\"env.yml: libgl1\"]\n"))
    p = env.run("rebase", "train.lock", "--base", f"oci:{patched}:base", code=2)
    assert "apt: needs a recipe as base" in p.err
