"""Locks in other tools' formats: written from ours, converted from theirs, read by pip. conda-lock reads them in test_conda_judges.py."""
import os
import pathlib
import re
import shutil
import subprocess
import sys

import pytest

from conda_world import World, made_python, make_package, python_package
from conftest import Index

CORPUS = pathlib.Path(__file__).resolve().parents[1] / "fuzz/corpus"


def test_requirements_are_what_pip_installs(env, definition, tmp_path):
    definition()
    env.run("lock", "env.yml")
    text = env.run("export", "--format", "requirements", "train.lock").out
    assert len(re.findall(r"^[a-z0-9-]+==\S+ --hash=sha256:[0-9a-f]{64}$", text, re.M)) == 4, text
    (tmp_path / "r.txt").write_text(text)
    pip = subprocess.run([sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--require-hashes", "-d", tmp_path / "wheels", "-r",
                          tmp_path / "r.txt", "--disable-pip-version-check"], capture_output=True, text=True, env={**os.environ, "PIP_CONFIG_FILE": os.devnull})
    assert pip.returncode == 0, pip.stderr
    assert len(list((tmp_path / "wheels").iterdir())) == 4


def test_environment_locks_to_the_same_versions(env, definition):
    definition()
    env.run("lock", "env.yml")
    text = env.run("export", "-f", "environment", "env.yml").out
    assert "- pip:\n  - idna==3.4\n" in text and "variables:\n  STAGE: dev\n" in text
    assert env.run("export", "-f", "environment").out == text, "env.yml of this folder"


def test_others_locks_are_converted_without_a_network(env):
    for name, corpus in (("conda-lock.yml", "conda_lock/all-keys"), ("pixi.lock", "pixi_lock/v6"), ("pins.txt", "conda_explicit/all-forms")):
        shutil.copyfile(CORPUS / corpus, env.work / name)
        out = env.run("export", "--offline", "-f", "explicit", "--platform", "linux/amd64", name).out
        lines = [x for x in out.splitlines() if not x.startswith("#")]
        assert lines[0] == "@EXPLICIT" and len(lines) > 2 and all(x.startswith(("https://", "file:///")) for x in lines[1:])
        assert "tk-1" not in out
        again = env.run("export", "--offline", "-f", "conda-lock", name).out
        env.write("x/" + name + ".yml", again)
        assert env.run("export", "--offline", "-f", "explicit", "--platform", "linux/amd64", "x/" + name + ".yml").out.splitlines()[2:] == \
            out.splitlines()[2:]


def test_what_cannot_be_taken_over_is_told_where_it_stands(env):
    text = (CORPUS / "pixi_lock/v6").read_text()
    env.write("pixi.lock", text.replace("- pypi: direct+https://x.example/idna-3.7-py3-none-any.whl", "- pypi: ./idna", 1))
    r = env.run("export", "-f", "conda-lock", "pixi.lock", code=2)
    assert re.search(r"pixi\.lock:\d+:\d+: error\[EB123\]", r.err) and not r.out
    assert "format" in env.run("export", "pixi.lock", code=2).err


# ---- with conda packages: what is written is taken as it is, and becomes the same lock


@pytest.fixture
def joint(tmp_path, base_layout):
    w = World(tmp_path, base_layout)
    (w.folder / "index").mkdir()
    index = Index(w.folder / "index", {"packages": {"old-app": {"1.0": {"requires": ["numpy<2"]}}}})
    w.env.env["PIP_INDEX_URL"] = index.url
    w.publish(made_python(depends=["libz >=1.2,<2", "__glibc >=2.17"]), make_package("libz", "1.3", "h7_1", constrains=["zz <0"]),
              python_package("numpy", "1.26.4", depends=["libz"]))
    w.define("python=3.11", "numpy", pip=["old-app"])
    w.env.run("lock", "env.yml")
    yield w
    index.close()
    w.close()


def packages(text):
    """name → the block of each package, without who asked for it."""
    blocks = [b for b in re.split(r"^    - kind: ", text.split("\nimage:")[0], flags=re.M)[1:]]
    return {re.search(r"name: (.*)", b)[1]: re.sub(r"\n      by: .*", "", b).strip() for b in blocks}


FIELDS = re.compile(r"(?:kind|name|version|build|url|sha256|md5|size|noarch|dists): .*")


@pytest.mark.parametrize("form,name", [("conda-lock", "conda-lock.yml"), ("explicit", "pins.txt")])
def test_what_is_written_locks_to_the_same_packages(joint, form, name):
    ours = packages(joint.lock())
    assert set(ours) == {"python", "libz", "numpy", "old-app"}
    text = joint.env.run("export", "-f", form, "train.lock").out
    joint.env.write(name, text)
    joint.env.run("lock", name, "--base", f"oci:{joint.base}:base")
    theirs = packages((joint.env.work / name).with_suffix(".lock").read_text())
    assert set(theirs) == set(ours) - ({"old-app"} if form == "explicit" else set())
    for package, block in theirs.items():
        assert FIELDS.findall(block) == FIELDS.findall(ours[package]), package


def test_explicit_lists_put_dependencies_first(joint):
    lines = joint.env.run("export", "-f", "explicit").out.splitlines()
    names = [re.sub(r"-[^-]+-[^-]+$", "", x.rsplit("/", 1)[1]) for x in lines if x.startswith("http")]
    assert names == ["libz", "python", "numpy"]
    assert [x for x in lines if x.startswith("# pip old-app @ http")]


def test_environment_pins_every_build(joint):
    text = joint.env.run("export", "-f", "environment").out
    assert f"- {joint.url}\n- nodefaults\n" in text
    assert "- libz=1.3=h7_1\n- numpy=1.26.4=pyh_0\n- python=3.11.9=h0_0_cpython\n- pip:\n  - old-app==1.0\n" in text
    joint.env.write("pinned/env.yml", text + f"envbuild: {{base: 'oci:{joint.base}:base'}}\n")
    joint.env.run("lock", "pinned/env.yml")
    assert packages((joint.env.work / "pinned/train.lock").read_text()) == packages(joint.lock())


def test_flags_add_packages_and_channels(joint):
    url = joint.another("more", make_package("extra", "2.0"), make_package("libz", "1.9"))
    joint.env.run("lock", "env.yml", "-c", url, "--conda", "extra")
    assert {"extra", "numpy"} <= set(packages(joint.lock()))
    assert f"channels: [{url}, {joint.url}]" in joint.lock().replace('"', "")
    assert "1.9" in packages(joint.lock())["libz"], "strict: the first channel that has a name supplies it"
    err = joint.env.run("lock", "env.yml", "--conda", f"{url}::extra", code=2).err
    assert "EB136" in err and "--conda" in err
