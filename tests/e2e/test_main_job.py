"""The main job as the README shows it, on Debian's and PyPI's own servers: a shipped definition is built and run."""
import pathlib
import re

import pytest

from conftest import ROOT, Env, let_pass

SCRIPT = """
import jwt
key = "secret"
token = jwt.encode({"user": 1}, key, algorithm="HS256")
print(jwt.decode(token, key)["user"])
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """One store for the module: the base is made once."""
    e = Env(tmp_path_factory.mktemp("main"))
    e.env["ENVBUILD_RECIPES"] = str(ROOT / "recipes")
    return e


def build(home, name, pip, base=""):
    home.write(f"{name}.yml", f"name: {name}\ndependencies:\n  - pip: {pip}\nvariables: {{STAGE: dev}}\n{base}")
    return home.run("build", f"{name}.yml").line


def test_the_session(home):
    line = build(home, "train", '["PyJWT<2", requests]')
    assert re.fullmatch(r"train@sha256:[0-9a-f]{64}", line)
    assert home.run("run", line, "--", "python", "-c", "import jwt; print(jwt.__version__)").out == "1.7.1\n"
    assert home.run("build", "train.yml").line == line
    assert home.run("run", line, "--", "sh", "-c", "echo $STAGE; dpkg --audit; python -c 'import ssl, ctypes.util; print(ctypes.util.find_library(\"c\"))'"
                    ).out == "dev\nlibc.so.6\n"


def test_the_error_that_started_this_project(home):
    """Without `algorithms` jwt.decode works below 2 and raises DecodeError from 2 on."""
    old = build(home, "old", '["PyJWT<2"]')
    new = build(home, "new", '["PyJWT>=2"]')
    (home.work / "job.py").write_text(SCRIPT)
    args = ("--volume", f"{home.work}:/job")
    assert home.run("run", *args, old, "--", "python", "/job/job.py").out == "1\n"
    r = home.run("run", *args, new, "--", "python", "/job/job.py", code=1)
    assert "DecodeError" in r.err


def test_the_shipped_definition(home):
    text = (ROOT / "curated/quickstart/env.yml").read_text()
    home.write("quickstart/env.yml", text)
    line = home.run("build", "quickstart/env.yml").line
    out = home.run("run", line, "--", "python", "-c", "import jwt, requests; print(jwt.__version__)").out
    assert out == "1.7.1\n"


def test_a_lock_of_both_platforms(home):
    """Nothing is run, so an image for another machine is made here too."""
    home.write("two.yml", "name: two\ndependencies:\n  - pip: [idna]\nenvbuild: {platforms: [linux/amd64, linux/arm64]}\n")
    home.run("lock", "two.yml")
    lock = pathlib.Path(home.work / "two.lock").read_text()
    assert "linux/arm64:" in lock and "_arm64.deb" in lock and "__archspec: 1=aarch64" in lock


def test_an_edited_recipe_is_resolved_again(home):
    """A recipe is part of what was asked for: the lock of its old text does not fit."""
    recipes = home.folder / "recipes"
    for path in (ROOT / "recipes").rglob("*"):
        if path.is_file():
            copy = recipes / path.relative_to(ROOT / "recipes")
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(path.read_bytes())
    own = {"ENVBUILD_RECIPES": str(recipes)}
    home.write("edited.yml", "name: edited\ndependencies:\n  - pip: [idna]\n")
    first = home.run("build", "edited.yml", env=own).line
    text = (recipes / "debian-13-python.yml").read_text()
    (recipes / "debian-13-python.yml").write_text(text.replace("files:\n", "files:\n- {path: /etc/made-here, text: \"yes\\n\"}\n"))
    assert "lock" in home.run("build", "edited.yml", "--locked", code=4, env=own).err
    second = home.run("build", "edited.yml", env=own).line
    assert second != first
    assert home.run("run", second, "--", "cat", "/etc/made-here").out == "yes\n"
