"""Locks in other tools' formats: written from ours, converted from theirs, read by pip and conda-lock where those are installed."""
import os
import pathlib
import re
import shutil
import subprocess
import sys

import pytest

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


@pytest.mark.skipif(not shutil.which("conda-lock"), reason="conda-lock is not installed")
def test_conda_lock_reads_it(env):
    shutil.copyfile(CORPUS / "conda_lock/all-keys", env.work / "theirs.yml")
    env.write("conda-lock.yml", env.run("export", "-f", "conda-lock", "theirs.yml").out)
    subprocess.run(["conda-lock", "render", "-k", "explicit", "-p", "linux-64", "conda-lock.yml"], cwd=env.work, check=True, capture_output=True)
    theirs = {x for x in (env.work / "conda-linux-64.lock").read_text().splitlines() if x.startswith("https://")}
    ours = env.run("export", "-f", "explicit", "--platform", "linux/amd64", "theirs.yml").out.splitlines()
    assert theirs == {x for x in ours if x.startswith("https://")}
