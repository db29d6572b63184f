"""Layers that nobody makes again: a second machine builds from the lock, or from facts by key, and fetches no package (docs/internals/reuse.md)."""
import json
import re
import shutil
import subprocess
import sys

import pytest

from conda_world import World, make_package
from conftest import ROOT, Env
from registry_world import registries, registry  # noqa: F401

sys.path.insert(0, str(ROOT / "tests"))
from fake import debian  # noqa: E402

FACT = "application/vnd.envbuild.layer.v1+json"


class Machine(Env):
    """Another machine of the same user: an empty store, the definition's folder copied."""

    def __init__(self, folder, like):
        super().__init__(folder)
        for key in ("PIP_INDEX_URL", "ENVBUILD_RECIPES"):
            if key in like.env:
                self.env[key] = like.env[key]
        self.base = getattr(like, "base", None)
        shutil.rmtree(self.work)
        shutil.copytree(like.work, self.work)

    def settings(self, text):
        path = self.home / ".config/envbuild/config.yml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def blobs(self):
        return {p.name for p in (self.cache / "oci/blobs/sha256").iterdir()} if self.cache.exists() else set()


@pytest.fixture
def machine(tmp_path, env):
    made = []

    def make(like=env):
        made.append(Machine(tmp_path / f"machine{len(made)}", like))
        return made[-1]
    return make


def packages(index):
    """What was asked of the index besides pages."""
    return [r for r in index.requests() if ".whl 200" in r]


def doc(registry, repo, ref):
    return json.loads(registry.manifest(repo, ref))


def lock_keys(env, name="train"):
    """of → key, of the image half."""
    text = (env.work / f"{name}.lock").read_text().split("\nimage:\n")[1]
    return dict(re.findall(r'- of: "?([^"\n]+)"?\n      key: ([0-9a-f]{64})', text))


def pushed(env, registry, *options, name="train"):
    r = env.run("build", "env.yml", "-t", f"{registry.name}/team/{name}:v1", "--push", *options)
    assert "cannot be kept" not in r.err and "nothing is said" not in r.err, r.err
    return r.line


# ---- what a push leaves


def test_facts_are_published(env, definition, registry):
    definition('["PyJWT<2", requests, big]')
    line = pushed(env, registry)
    assert line.startswith(f"{registry.name}/team/train@sha256:")
    keys = lock_keys(env)
    worth = {of: k for of, k in keys.items() if not of.startswith("env ")}
    assert not [t for t in registry.tags("team/train") if t.startswith("lk-")], "facts never stand among an image's tags"
    assert registry.tags("team/train-layers") == sorted(f"lk-{k}" for k in worth.values())
    image = doc(registry, "team/train", "v1")
    for of, key in worth.items():
        fact = doc(registry, "team/train-layers", f"lk-{key}")
        assert fact["artifactType"] == FACT and fact["config"]["size"] == 2
        assert fact["annotations"]["dev.envbuild.key"] == key and fact["annotations"]["dev.envbuild.layer-format"] == "1"
        assert fact["layers"][0]["digest"] in [x["digest"] for x in image["layers"]]
        assert fact["layers"][1]["mediaType"] == "application/vnd.envbuild.paths.v1+jsonl"
        registry.whole("team/train-layers", f"lk-{key}")
        members = fact["layers"][2:]
        assert len(members) == (4 if of.startswith("bucket") else 0), "path lists of a bucket's members"
    assert len([r for r in registry.requests() if r.method == "POST" and "team/train-layers" in r.path and "mount=" in r.path]) >= 2
    before = registry.requests()
    assert pushed(env, registry) == line
    assert not [r for r in registry.asked_since(before) if "team/train-layers" in r.path], "nothing new: nothing is asked"


def test_read_only_repository_is_a_warning(env, definition, registries, registry):
    definition()
    closed = registries(users={"alice": "s3cret"})
    r = env.run("build", "env.yml", "-t", f"{registry.name}/team/train", "--push", "--cache-repo", f"{closed.name}/team/layers")
    assert r.line.startswith(registry.name)
    assert r.err.count("facts about the layers cannot be kept") == 1 and closed.name in r.err


# ---- the lock's image half


def test_locked_on_an_empty_machine(env, definition, registry, machine, index):
    definition('["PyJWT<2", requests, big]')
    line = pushed(env, registry)
    lock = (env.work / "train.lock").read_bytes()
    other, before, asked = machine(), registry.requests(), len(index.requests())
    r = other.run("build", "env.yml", "--locked", "-t", f"{registry.name}/team/train:v1", "--metadata-file", "m.json")
    assert r.line.split("@")[1] == line.split("@")[1]
    assert len(index.requests()) == asked, "the index is not asked for anything"
    mine = registry.asked_since(before)
    assert [x.method for x in mine] == ["HEAD"], "the whole image is there: one question"
    meta = json.loads((other.work / "m.json").read_text())
    assert (meta["layers.remote"], meta["fetched"]) == (meta["layers"], 0)
    assert (other.work / "train.lock").read_bytes() == lock
    # config and manifest are here, layers are not
    config = json.loads((other.cache / "oci/blobs/sha256" / line.split("sha256:")[1]).read_bytes())["config"]["digest"]
    assert config.split(":")[1] in other.blobs()
    # again: nobody is asked
    before = registry.requests()
    assert other.run("build", "env.yml", "--locked", "-t", f"{registry.name}/team/train:v1").line == r.line
    assert registry.asked_since(before) == []


def test_head_per_blob(env, definition, registry, machine, index):
    """The image is not in the target repository: its layers are looked for one by one, where the lock and the settings say."""
    definition('["PyJWT<2", requests, big]')
    line = pushed(env, registry)
    other, asked = machine(), len(index.requests())
    other.settings(f"cache:\n  repositories: [{registry.name}/team/train-layers]\n")
    lock = other.work / "train.lock"
    lock.write_text(lock.read_text().replace("      encodings:", f"      from: {registry.name}/team/train\n      encodings:", 1))  # of env
    before = registry.requests()
    text = (other.work / "train.lock").read_text()
    r = other.run("build", "env.yml", "--locked", "-t", f"{registry.name}/other/name")
    assert r.line.split("@")[1] == line.split("@")[1] and len(index.requests()) == asked
    mine = registry.asked_since(before)
    assert {x.method for x in mine} == {"HEAD"} and any("/blobs/" in x.path for x in mine)
    assert (other.work / "train.lock").read_text() == text
    # and the push of it sends no layer
    before = registry.requests()
    other.run("build", "env.yml", "--locked", "-t", f"{registry.name}/other/name", "--push")
    assert len(index.requests()) == asked
    mine = registry.asked_since(before)
    assert not [x for x in mine if x.method == "GET" and "/blobs/" in x.path], mine
    assert registry.digest("other/name", "latest") == line.split("@")[1]
    registry.whole("other/name", "latest")


def test_edited_image_half(env, definition, registry, machine):
    definition('["PyJWT<2", big]')
    pushed(env, registry)
    other = machine()
    lock = other.work / "train.lock"
    text = lock.read_text()
    diff = re.search(r"- of: big 1.0\n      key: \w+\n      diff_id: (sha256:\w+)", text)[1]
    lock.write_text(text.replace(diff, "sha256:" + "1" * 64))
    r = other.run("build", "env.yml", "--locked", "-t", f"{registry.name}/team/train:v1", code=7)
    assert "1" * 64 in r.err and diff in r.err, "both are named"


# ---- facts by key


def without_image_half(machine, name="train"):
    lock = machine.work / f"{name}.lock"
    lock.write_text(lock.read_text().split("\nimage:\n")[0] + "\n")


def test_by_key(env, definition, registry, machine, index):
    definition('["PyJWT<2", requests, big]')
    line = pushed(env, registry)
    whole = (env.work / "train.lock").read_text()
    other, asked, before = machine(), len(packages(index)), registry.requests()
    without_image_half(other)
    r = other.run("build", "env.yml", "-t", f"{registry.name}/team/train:v1")
    assert r.line.split("@")[1] == line.split("@")[1]
    assert len(packages(index)) == asked, "zero package bytes"
    mine = registry.asked_since(before)
    assert sum(x.bytes for x in mine if x.method == "GET") < 20_000, "small manifests and path lists, for an image of four million bytes"
    layers = [x["digest"] for x in doc(registry, "team/train", "v1")["layers"]]
    assert not [x for x in mine if any(d in x.path for d in layers) and x.method == "GET"], "no layer either"
    text = (other.work / "train.lock").read_text()
    assert text.count(f"from: {registry.name}/team/train-layers") == 2, "what was taken is pinned"
    assert re.sub(r"      from: .*\n", "", text) == whole


def test_one_package_changed(env, definition, registry, machine, index):
    definition('["PyJWT<2", requests, big, wide]')
    pushed(env, registry)
    other, asked = machine(), packages(index)
    without_image_half(other)
    definition_text = (other.work / "env.yml").read_text()
    other.write("env.yml", definition_text.replace("PyJWT<2", "PyJWT==2.0.0"))
    was = {x["digest"] for x in doc(registry, "team/train", "v1")["layers"]}
    other.run("build", "env.yml", "-t", f"{registry.name}/team/train:v2", "--push")
    new = packages(index)[len(asked):]
    assert new and not [r for r in new if "big" in r or "wide" in r], "only the bucket of the changed package"
    fresh = {x["digest"] for x in doc(registry, "team/train", "v2")["layers"]} - was
    assert len(fresh) == 1, "its bucket alone is new"
    registry.whole("team/train", "v2")


def test_dry_run_says_how(env, definition, registry, machine, index):
    definition('["PyJWT<2", requests, big]')
    pushed(env, registry)
    other, asked = machine(), len(packages(index))
    without_image_half(other)
    out = other.run("build", "env.yml", "--dry-run", "-t", f"{registry.name}/team/train:v1").out
    assert re.search(r"(?m)^mount +big 1.0", out) and "0 B of packages to fetch" in out
    out = other.run("build", "env.yml", "--dry-run").out
    assert re.search(r"(?m)^make .* big 1.0", out)
    assert len(packages(index)) == asked
    shutil.copy(env.work / "train.lock", other.work / "train.lock")
    out = other.run("build", "env.yml", "--locked", "--dry-run", "-t", f"{registry.name}/team/train:v1").out
    assert re.search(r"(?m)^registry +big 1.0", out) and not re.search(r"(?m)^make", out)
    layer = next(x for x in doc(registry, "team/train", "v1")["layers"] if x["size"] > 2_000_000)
    assert layer["digest"].split(":")[1] not in other.blobs()


# ---- who is believed


def test_a_definition_names_no_cache(env, definition, registry, machine):
    definition('["PyJWT<2"]', more=f"  cache: {{repositories: [{registry.name}/evil/layers]}}\n")
    r = env.run("build", "env.yml", code=2)
    assert "EB101" in r.err
    definition('["PyJWT<2"]')
    env.write("config.yml", f"cache: {{repositories: [{registry.name}/evil/layers]}}\n")
    env.write(".config/envbuild/config.yml", f"cache: {{repositories: [{registry.name}/evil/layers]}}\n")
    env.run("build", "env.yml")
    assert registry.requests() == [], "files beside the definition are nobody's settings"


def test_settings_have_lines(env, definition):
    definition()
    Machine.settings(env, "cache:\n  repositorys: [a/b]\n")
    r = env.run("build", "env.yml", code=2)
    assert "config.yml:2:3: error[EB140]" in r.err


def openssl(*args):
    subprocess.run(["openssl", *map(str, args)], check=True, capture_output=True)


def make_key(folder, name):
    openssl("genpkey", "-algorithm", "ed25519", "-out", folder / f"{name}.pem")
    openssl("pkey", "-in", folder / f"{name}.pem", "-pubout", "-out", folder / f"{name}.pub")
    return (folder / f"{name}.pub").read_text().splitlines()[1]


def test_only_signed_facts_exist(env, definition, registry, machine, index, tmp_path):
    mine, theirs = make_key(tmp_path, "mine"), make_key(tmp_path, "theirs")
    definition('["PyJWT<2", big]')
    pushed(env, registry)
    key = lock_keys(env)["big 1.0"]
    careful, asked = machine(), len(packages(index))
    careful.settings(f"cache: {{trust: [{mine}]}}\n")
    without_image_half(careful)
    careful.run("build", "env.yml", "-t", f"{registry.name}/team/train")
    assert len(packages(index)) > asked, "unsigned facts do not exist"
    # who publishes with the key makes them exist
    careful.settings(f"cache: {{trust: [{mine}], sign: {tmp_path}/mine.pem}}\n")
    careful.run("build", "env.yml", "-t", f"{registry.name}/team/train", "--push")
    assert "dev.envbuild.signature" in doc(registry, "team/train-layers", f"lk-{key}")["annotations"]
    other, asked = machine(), len(packages(index))
    other.settings(f"cache: {{trust: [{theirs}, {mine}]}}\n")
    without_image_half(other)
    other.run("build", "env.yml", "-t", f"{registry.name}/team/train")
    assert len(packages(index)) == asked
    third = machine()
    third.settings(f"cache: {{trust: [{theirs}]}}\n")
    without_image_half(third)
    third.run("build", "env.yml", "-t", f"{registry.name}/team/train")
    assert len(packages(index)) > asked


def replace(registry, repo, key, change):
    fact = doc(registry, repo, f"lk-{key}")
    change(fact)
    registry.put_manifest(repo, f"lk-{key}", fact)


def put_empty(registry, repo):
    return registry.put_blob(repo, b"{}")


HOSTILE = {
    "another key": lambda f: f["annotations"].update({"dev.envbuild.key": "2" * 64}),
    "no diff_id": lambda f: f["annotations"].pop("dev.envbuild.diff-id"),
    "another format": lambda f: f["annotations"].update({"dev.envbuild.layer-format": "9"}),
    "more annotations": lambda f: f["annotations"].update({"x": "y"}),
    "no path list": lambda f: f["layers"].pop(1),
    "another type": lambda f: f.update(artifactType="application/x"),
    "path list first": lambda f: f["layers"].reverse(),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_hostile_documents_are_passed_over(env, definition, registry, machine, index, what):
    definition('["PyJWT<2", big]')
    line = pushed(env, registry)
    replace(registry, "team/train-layers", lock_keys(env)["big 1.0"], HOSTILE[what])
    other, asked = machine(), len(packages(index))
    without_image_half(other)
    r = other.run("build", "env.yml", "-t", f"{registry.name}/team/train")
    assert r.line.split("@")[1] == line.split("@")[1]
    assert "is passed over" in r.err and [p for p in packages(index)[asked:] if "big" in p]
    assert not [p for p in packages(index)[asked:] if "jwt" in p.lower()], "the other facts are as good as before"


def test_a_path_list_that_is_none(env, definition, registry, machine, index):
    definition('["PyJWT<2", big]')
    line = pushed(env, registry)
    bad = registry.put_blob("team/train-layers", b'{"mode":420}\n')
    replace(registry, "team/train-layers", lock_keys(env)["big 1.0"], lambda f: f["layers"][1].update(bad))
    other, asked = machine(), len(packages(index))
    without_image_half(other)
    r = other.run("build", "env.yml", "-t", f"{registry.name}/team/train")
    assert r.line.split("@")[1] == line.split("@")[1]
    assert "cannot be used" in r.err and [p for p in packages(index)[asked:] if "big" in p]
    assert bad["digest"].split(":")[1] not in other.blobs()


def test_one_key_two_layers(env, definition, registry, machine):
    definition('["PyJWT<2", big]')
    pushed(env, registry)
    key = lock_keys(env)["big 1.0"]
    honest = doc(registry, "team/train-layers", f"lk-{key}")["annotations"]["dev.envbuild.diff-id"]
    replace(registry, "team/train-layers", key, lambda f: f["annotations"].update({"dev.envbuild.diff-id": "sha256:" + "3" * 64}))
    # against the lock
    other = machine()
    r = other.run("build", "env.yml", "--cache-repo", f"{registry.name}/team/train-layers", code=7)
    assert honest.split(":")[1] in r.err and "3" * 64 in r.err
    # two repositories
    env.run("build", "env.yml", "-t", f"{registry.name}/else/train", "--push")
    without_image_half(other)
    r = other.run("build", "env.yml", "--cache-repo", f"{registry.name}/team/train-layers", "--cache-repo", f"{registry.name}/else/train-layers",
                  code=7)
    assert honest.split(":")[1] in r.err and "3" * 64 in r.err
    # and who publishes notices
    r = env.run("build", "env.yml", "-t", f"{registry.name}/team/train:v2", "--push", code=7)
    assert honest.split(":")[1] in r.err and "3" * 64 in r.err


def test_a_lie_about_a_digest(env, definition, registry, machine):
    """Other bytes behind an honest diff_id: whoever verifies, or reads the layer, finds out."""
    definition('["PyJWT<2", big]')
    pushed(env, registry)
    key = lock_keys(env)["big 1.0"]
    honest = machine()
    without_image_half(honest)
    assert "2 of 3 layers made again, and found to be the same" in honest.run("build", "env.yml", "--verify", "-t", f"{registry.name}/team/train").err
    evil = registry.put_blob("team/train-layers", b"\x1f\x8b not what you think")
    replace(registry, "team/train-layers", key, lambda f: f["layers"][0].update(evil))
    other = machine()
    without_image_half(other)
    r = other.run("build", "env.yml", "--verify", "-t", f"{registry.name}/team/train", code=7)
    assert evil["digest"].split(":")[1] in r.err and "big 1.0" in r.err


def test_failures_of_a_cache_fail_no_build(env, definition, registries, index):
    definition('["PyJWT<2", big]')
    closed = registries(users={"alice": "s3cret"})
    dead = registries()
    dead.stop()
    r = env.run("build", "env.yml", "--cache-repo", f"{closed.name}/team/layers", "--cache-repo", f"{dead.name}/team/layers")
    assert r.line.startswith("train@")
    for name in (closed.name, dead.name):
        assert r.err.count(f"{name}/team/layers is not asked for layers any more") == 1
    assert env.run("build", "env.yml", "--cache-repo", "nonsense:tag", code=2).err.count("--cache-repo")


def test_a_signing_key_that_is_none(env, definition, registry):
    definition('["PyJWT<2"]')
    Machine.settings(env, "cache: {sign: nowhere.pem}\n")
    r = env.run("build", "env.yml", "-t", f"{registry.name}/team/train", "--push", code=1)
    assert "cache.sign" in r.err and "nowhere.pem" in r.err
    assert registry.tags("team/train") == [], "told before the push, not after it"


def test_packages_are_kept_on_request(env, definition):
    definition('["PyJWT<2"]')
    env.run("build", "env.yml")
    assert not list((env.cache / "packages").iterdir())
    Machine.settings(env, "cache: {keep-packages: true}\n")
    env.run("build", "env.yml", "--no-cache")
    assert len(list((env.cache / "packages").iterdir())) == 1


# ---- made anew


def test_no_cache_and_verify(env, definition, index):
    definition('["PyJWT<2", requests, big]')
    line = env.run("build", "env.yml").line
    asked = len(packages(index))
    assert env.run("build", "env.yml", "--no-cache").line == line
    assert len(packages(index)) == asked + 5
    asked = len(packages(index))
    assert env.run("build", "env.yml", "--locked", "--verify").line == line
    assert len(packages(index)) == asked + 5
    asked = len(packages(index))
    assert env.run("build", "env.yml", "--verify=1").line == line
    assert len(packages(index)) - asked in (1, 4), "one layer: big, or the bucket of four"
    env.run("build", "env.yml", "--verify=0", code=2)


def test_verify_finds_an_edited_digest(env, definition, registry, machine):
    definition('["PyJWT<2", big]')
    pushed(env, registry)
    evil = registry.put_blob("team/train", b"\x1f\x8b evil")
    other = machine()
    lock = other.work / "train.lock"
    text = lock.read_text()
    digest = re.search(r"- of: big 1.0\n.*\n.*\n +encodings: .*digest: (sha256:\w+), size: \d+", text)
    lock.write_text(text.replace(digest[1], evil["digest"]))
    r = other.run("build", "train.lock", "--verify", code=7)
    assert digest[1].split(":")[1] in r.err and evil["digest"].split(":")[1] in r.err


# ---- conda: scripts shape the config, disputed paths the last layer


@pytest.fixture
def conda(tmp_path, base_layout):
    w = World(tmp_path, base_layout)
    w.publish(make_package("foo", "1.0", "h1_0", {"share/foo": "x" * 100, "share/both": "foo\n", "etc/conda/activate.d/foo.sh": "export FOO=$CONDA_PREFIX/foo\n"}),
              make_package("bar", "2.0", "h1_0", {"share/bar": "y", "share/both": "bar\n"}, depends=["foo"]))
    w.define("bar")
    yield w
    w.close()


def test_conda_without_a_package(conda, registry, tmp_path):
    first = conda.env.run("build", "env.yml", "-t", f"{registry.name}/c/env", "--push")
    line = first.line
    assert "cannot be kept" not in first.err and "nothing is said" not in first.err, first.err
    name = next(p.name for p in conda.env.work.glob("*.lock"))
    for half in (True, False):
        other = Machine(tmp_path / f"other-{half}", conda.env)
        if not half:
            text = (other.work / name).read_text()
            (other.work / name).write_text(text.split("\nimage:\n")[0] + "\n")
        before = len(conda.server.paths(".conda")) + len(conda.server.paths(".tar.bz2"))
        r = other.run("build", "env.yml", *(["--locked"] if half else []), "-t", f"{registry.name}/c/env")
        assert r.line.split("@")[1] == line.split("@")[1]
        assert len(conda.server.paths(".conda")) + len(conda.server.paths(".tar.bz2")) == before, "zero package bytes: " + r.err


# ---- Debian: a base of packages, and layer os


@pytest.mark.skipif(bool(debian.MISSING), reason=f"not installed: {debian.MISSING}")
def test_recipe_without_a_package(registry, tmp_path):
    key = debian.Key(tmp_path)
    repo = debian.Repo(tmp_path, key)
    repo.deb("t", "app", "1.0-1", Depends="lib1 (>= 1)", files={"/usr/bin/app": "app\n", "/etc/app.conf": "c\n"})
    repo.deb("t", "lib1", "1.0-1", files={"/usr/lib/lib1": "1\n"})
    repo.publish("t")
    server = debian.Server(tmp_path)
    try:
        first = Env(tmp_path / "first")
        first.write("recipes/r.yml", f"recipe: 1\nname: r\nsuite: t\nversion: \"1\"\nmirror: {server.url}/debian\ncomponents: [main]\n"
                                     f"architectures: [amd64]\nkeys: {key.keyring}\npackages: [lib1]\n")
        first.env["ENVBUILD_RECIPES"] = str(first.work / "recipes")
        first.write("env.yml", "name: sys\ndependencies: []\nenvbuild:\n  base: recipe:r\n  apt: [app]\n  platforms: [linux/amd64]\n")
        line = first.run("build", "env.yml", "-t", f"{registry.name}/sys/env", "--push").line
        for half in (True, False):
            other = Machine(tmp_path / f"other-{half}", first)
            if not half:
                without_image_half(other, "sys")
            del server.log[:]
            r = other.run("build", "env.yml", *(["--locked"] if half else []), "-t", f"{registry.name}/sys/env")
            assert r.line.split("@")[1] == line.split("@")[1]
            assert not [p for p, _ in server.log if p.endswith(".deb")], server.log
        # one of them newer: the other's layer stays
        repo.deb("t", "app", "1.1-1", Depends="lib1 (>= 1)", files={"/usr/bin/app": "app 2\n"})
        repo.publish("t")
        other = Machine(tmp_path / "newer", first)
        without_image_half(other, "sys")
        del server.log[:]
        other.run("build", "env.yml", "--upgrade", "--upgrade-base", "-t", f"{registry.name}/sys/env:v2", "--push")
        old, new = (doc(registry, "sys/env", t) for t in ("latest", "v2"))
        assert len({x["digest"] for x in new["layers"]} - {x["digest"] for x in old["layers"]}) == 2, "its bucket, and os"
    finally:
        server.close()
        key.close()


# ---- what is elsewhere is fetched by who needs it


def test_run_fetches_layers(env, definition, registry, machine, index):
    definition('["PyJWT<2", big]')
    line = pushed(env, registry)
    other, asked = machine(), len(index.requests())
    name = other.run("build", "env.yml", "--locked", "-t", f"{registry.name}/team/train:v1").line
    assert other.run("run", name, "--", "python", "x").out.startswith("python /opt/env/bin/python")
    assert len(index.requests()) == asked
    assert {x["digest"].split(":")[1] for x in doc(registry, "team/train", "v1")["layers"]} <= other.blobs()


def test_run_notices_a_lie(env, definition, registry, machine):
    """The digest of a fact leads to other bytes than its diff_id says: nothing of them is run."""
    definition('["PyJWT<2", big]')
    pushed(env, registry)
    layers = doc(registry, "team/train", "v1")["layers"]
    small = min(layers, key=lambda x: x["size"])
    key = lock_keys(env)["big 1.0"]
    lie = {"digest": small["digest"], "size": small["size"]}
    registry.put_blob("team/train-layers", registry.blob("team/train", small["digest"]))
    replace(registry, "team/train-layers", key, lambda f: f["layers"][0].update(lie))
    other = machine()
    without_image_half(other)
    name = other.run("build", "env.yml", "--cache-repo", f"{registry.name}/team/train-layers").line
    r = other.run("run", name, "--", "python", "x", code=None)
    assert r.code in (7, 125) and "python /opt" not in r.out
    assert "sha256" in r.err


def test_the_codec_asked_for(env, definition, registry, machine, index):
    """A fact without the encoding is of no use; published, it has both."""
    definition('["PyJWT<2", big]')
    pushed(env, registry)
    key = lock_keys(env)["big 1.0"]
    other, asked = machine(), len(packages(index))
    without_image_half(other)
    other.run("build", "env.yml", "--compression", "zstd", "-t", f"{registry.name}/team/train:z", "--push")
    assert len(packages(index)) > asked
    types = [x["mediaType"].rsplit(".", 1)[1] for x in doc(registry, "team/train-layers", f"lk-{key}")["layers"]]
    assert types[:2] == ["tar+gzip", "tar+zstd"]
    third, asked = machine(), len(packages(index))
    without_image_half(third)
    third.run("build", "env.yml", "--compression", "zstd", "-t", f"{registry.name}/team/train:z")
    assert len(packages(index)) == asked
