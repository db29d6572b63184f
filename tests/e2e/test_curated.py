"""Curated sets: found, listed, shown and built as they are locked. Made ones on a made base and index; `-m full`: the shipped ones."""
import json
import os
import platform
import shutil

import pytest

from conftest import ROOT, Env

HOST = {"x86_64": "linux/amd64", "aarch64": "linux/arm64"}[platform.machine()]


@pytest.fixture
def sets(env):
    """A folder with two sets: one built, one that was never locked."""
    folder = env.folder / "sets"
    for name, pip in (("small", '["PyJWT<2"]'), ("bare", "[idna]")):
        (folder / name).mkdir(parents=True)
        (folder / name / "env.yml").write_text(
            f"name: {name}\ndependencies:\n  - pip: {pip}\nenvbuild:\n  base: oci:{env.base}:base\n"
            f"  labels: {{org.opencontainers.image.description: \"{name} things\"}}\n")
    env.line = env.run("build", folder / "small/env.yml").line
    env.env["ENVBUILD_CURATED"] = str(folder)
    return folder


def test_list(env, sets):
    shutil.rmtree(sets / "bare")
    out = env.run("curated", "list").out.splitlines()
    assert [line.split()[0] for line in out] == ["NAME", "datasci", "minimal", "quickstart", "sklearn", "small"]
    assert out[-1].endswith("small things")
    rows = {r["name"]: r for r in json.loads(env.run("curated", "list", "--json").out)}
    assert rows["small"]["platforms"] == [HOST] and rows["small"]["packages"] == 1
    assert rows["small"]["digest"] == env.line.split("@")[1]
    assert rows["sklearn"]["platforms"] == ["linux/amd64", "linux/arm64"]


def test_a_broken_set_hides_no_other(env, sets):
    r = env.run("curated", "list", code=4)
    assert "bare" in r.out and "small things" in r.out
    assert "the curated set 'bare' has no lock" in r.err and "env.yml makes it" in r.err
    assert [x.get("error") for x in json.loads(env.run("curated", "list", "--json", code=4).out) if x["name"] == "bare"] == [
        "the curated set 'bare' has no lock"]


def test_show(env, sets):
    out = env.run("curated", "show", "small").out
    assert f"digest       {env.line.split('@')[1]}" in out and "pyjwt 1.7.1" in out and "small things" in out
    assert env.run("curated", "show", "curated/small").out == out
    doc = json.loads(env.run("curated", "show", "small", "--json").out)
    assert [p["name"] for p in doc["platforms"][0]["packages"]] == ["pyjwt"]
    assert doc["definition"] == str(sets / "small/env.yml")
    assert "datasci, minimal, quickstart, sklearn, small" in env.run("curated", "show", "smal", code=1).err


def test_build_takes_the_lock_as_it_is(env, sets, tmp_path, index):
    """Another machine, a folder that nobody may write to: the same image, and not one new file."""
    other = Env(tmp_path / "two")
    other.env.update(PIP_INDEX_URL=index.url, ENVBUILD_CURATED=str(sets))
    before = {p: p.read_bytes() for p in sets.rglob("*") if p.is_file()}
    asked = len(index.requests())
    assert other.run("build", "curated/small").line == env.line
    assert [r for r in index.requests()[asked:] if "/simple/" in r] == [], "what is locked is not looked up"
    assert other.run("curated", "build", "small").line == env.line
    assert other.run("build", "curated/small", "-t", "mine").line == "mine@" + env.line.split("@")[1]
    assert {p: p.read_bytes() for p in sets.rglob("*") if p.is_file()} == before


def test_it_is_a_definition_wherever_one_is_taken(env, sets):
    assert env.run("run", "curated/small", "--", "echo", "ran").out == "ran\n"
    assert env.run("tree", "curated/small").out == "pyjwt 1.7.1\n"
    assert "pyjwt 1.7.1" in env.run("inspect", "curated/small").out
    assert "PyJWT<2" in env.run("why", "pyjwt", "curated/small").out
    assert env.run("lock", "curated/small").line == str(sets / "small/small.lock")


def test_nothing_adds_to_it(env, sets):
    for args in (("--pip", "idna"), ("-e", "A=b"), ("--base", "scratch"), ("--upgrade",), ("-r", sets / "bare/env.yml")):
        r = env.run("build", "curated/small", *args, code=2)
        assert "is taken as it is" in r.err and f"cp {sets / 'small/env.yml'} mine.yml" in r.err
    other = "linux/arm64" if HOST == "linux/amd64" else "linux/amd64"
    assert f"'curated/small' is not for {other}" in env.run("build", "curated/small", "--platform", other, code=2).err


def test_a_file_of_that_name_is_a_file(env, sets, definition):
    definition(name="own")
    (env.work / "curated").mkdir()
    shutil.move(env.work / "env.yml", env.work / "curated/small")
    assert env.run("build", "curated/small").line.startswith("own@")
    (env.work / "curated/small").unlink()
    (env.work / "curated/small").mkdir()
    assert env.run("build", "curated/small").line == env.line, "a folder is none"


def test_a_name_leads_nowhere_else(env, sets):
    for name in ("curated/../sets/small", "curated//small", "curated/Small"):
        env.run("build", name, code=None).code in (1, 2)
    assert env.run("build", "curated/nope", code=1).err.startswith("error: there is no curated set 'nope'")


def test_a_changed_definition_is_stale(env, sets):
    path = sets / "small/env.yml"
    path.write_text(path.read_text().replace("PyJWT<2", "PyJWT"))
    assert "does not fit the definition" in env.run("build", "curated/small", code=4).err


def test_platform_chooses_among_the_definition_s(env, definition, base_layout):
    """One lock for both; --platform neither resolves again nor makes it stale."""
    definition('[idna]', more="  platforms: [linux/amd64, linux/arm64]\n")
    env.run("lock")
    text = (env.work / "train.lock").read_text()
    one = env.run("build", "--platform", HOST)
    assert one.line.startswith("train@") and "linux/arm64:" in (env.work / "train.lock").read_text()
    assert text.split("request:")[1].split()[0] == (env.work / "train.lock").read_text().split("request:")[1].split()[0]
    assert env.run("build", "--platform", HOST, "--locked").line == one.line
    both = env.run("build", "--locked").line
    assert both != one.line
    assert "nothing for linux/riscv64" in env.run("build", "train.lock", "--platform", "linux/riscv64", code=2).err


def test_an_upgrade_that_changes_nothing_changes_nothing(env, definition):
    """The image half stays, also where the image is known already and nothing is built."""
    definition()
    line = env.run("build").line
    text = (env.work / "train.lock").read_text()
    assert "image:" in text
    assert "up to date" in env.run("lock", "--upgrade").err
    assert env.run("build", "--upgrade").line == line
    assert (env.work / "train.lock").read_text() == text


@pytest.mark.full
@pytest.mark.parametrize("name", sorted(p.parent.name for p in (ROOT / "curated").glob("*/env.yml")))
def test_shipped(tmp_path, name):
    """Built as it is locked, or, once Debian's mirrors have dropped what it names, with what is there today; then it keeps its promises."""
    home = Env(tmp_path / "home")
    r = home.run("build", f"curated/{name}", code=None)
    if r.code:
        assert r.code == 5, r.err
        copy = shutil.copytree(ROOT / "curated" / name, home.work / name)
        r = home.run("build", "--upgrade", "--upgrade-base", "--platform", HOST, copy / "env.yml")
    out = home.run("run", "--volume", f"{ROOT / 'curated' / name}:/set", r.line, "--", "python", "/set/test.py").out
    assert out.startswith(f"{name}: ")
    assert os.listdir(ROOT / "curated" / name) and r.line.startswith(f"{name}@")
