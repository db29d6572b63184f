"""The tree of a wheel equals pip's (but for what wheel_trees.py names). Without a network: wheels made here and those that Python ships.
`-m full` (by hand) downloads real ones; ENVBUILD_WHEELS=FOLDER compares every wheel in it."""
import ensurepip
import glob
import os
import shutil
import subprocess
import zipfile

import pytest
import wheel_trees

BUNDLED = sorted(glob.glob(os.path.join(os.path.dirname(ensurepip.__file__), "_bundled", "*.whl")) +
                 glob.glob("/usr/share/python-wheels/*.whl"))
GIVEN = sorted(glob.glob(os.path.join(os.environ.get("ENVBUILD_WHEELS", "/nonexistent"), "*.whl")))
REAL = ["numpy", "pandas", "requests", "PyJWT==1.7.1", "setuptools", "pip", "wheel", "ruff", "black", "jupyterlab", "notebook", "matplotlib",
        "cryptography", "protobuf", "google-cloud-core", "scikit-learn", "pyarrow", "grpcio", "debugpy", "mypy", "tornado", "psutil",
        "ipykernel", "uv", "greenlet", "pybind11", "cmake", "polars-runtime-32", "nodeenv", "jupyter_core"]

pytestmark = pytest.mark.skipif(not wheel_trees.WHEEL_TREE, reason="WHEEL_TREE names no program: run by meson test")


@pytest.fixture(autouse=True)
def no_trees_left(tmp_path):
    """pytest keeps the folders of its last runs, and these are large."""
    yield
    shutil.rmtree(tmp_path, ignore_errors=True)


INFO = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: %s\nTag: py3-none-any\n"


def make(folder, name, files, version="1.0", purelib="true", record=True, made_name=None):
    """A wheel of {path: text or (text, external mode)}."""
    path = os.path.join(folder, "%s-%s-py3-none-any.whl" % (name, version))
    info = "%s-%s.dist-info/" % (made_name or name, version)
    files = dict(files)
    files.setdefault(info + "METADATA", "Metadata-Version: 2.1\nName: %s\nVersion: %s\n" % (name, version))
    files.setdefault(info + "WHEEL", INFO % purelib)
    if record:
        files.setdefault(info + "RECORD", "".join('"%s",,\n' % f for f in files))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as z:
        for member, text in files.items():
            text, mode = text if isinstance(text, tuple) else (text, 0o100644)
            i = zipfile.ZipInfo(member, (2020, 1, 1, 0, 0, 0))
            i.external_attr = mode << 16
            i.compress_type = zipfile.ZIP_DEFLATED if len(text) > 20 else zipfile.ZIP_STORED
            z.writestr(i, text)
    return path


EP = "x-1.0.dist-info/entry_points.txt"
MADE = {
    "module": {"x.py": "a = 1\n"},
    "modes": {"x/run": ("#!/bin/sh\n", 0o100755), "x/group": ("", 0o100010), "x/odd": ("", 0o755), "x/link": ("run", 0o120777),
              "x/none": ("", 0), "x/setuid": ("", 0o104755)},
    "folders": {"x/": ("", 0o40755), "x/empty/": ("", 0o40755), "x/y.py": ""},
    "dots": {"./x/a.py": "1", "x//b.py": "2", "x/./c.py": "3"},
    "scheme": {"x-1.0.data/purelib/x/p.py": "p", "x-1.0.data/platlib/x/q.py": "q", "x-1.0.data/headers/sub/x.h": "h",
               "x-1.0.data/data/share/x/d": "d", "x-1.0.data/data/etc/x.conf": ("e", 0o100755), "x-1.0.data/scripts/s": "#!/bin/sh\n"},
    "platlib": {"x.so": b"\x7fELF"},
    "python scripts": {"x-1.0.data/scripts/" + n: t for n, t in {
        "a": "#!python\nprint(1)\n", "b": "#!pythonw -E -s\r\nprint(1)\r\n", "c": "#!python", "d": "#!/usr/bin/env python\n", "e": "",
        "f": "#!pytho", "g": "\n#!python\n", "h": "#!python\n" + "x = 1\n" * 99999, "sub/i": "#!python3\n"}.items()},
    "entry points": {EP: "[console_scripts]\na = x:main\nb.c = x.y:cls.method [extra, other]\nUPPER=x:main\n# no\n\n[gui_scripts]\n"
                         "w = x:gui\na = x:from_gui\n[other]\nk = not a reference\n", "x.py": ""},
    "entry points: odd spelling": {EP: "stray line\n[console_scripts]\r\n  a  =  x:main   # trailing words\r\nb=x:f[e]\n[console_scripts ]\nc = y:z\n"},
    "entry points: one name twice": {EP: "[console_scripts]\na = x:one\na = x:two\n"},
    "entry points: no function": {EP: "[console_scripts]\na = x\n"},
    "entry points: two colons": {EP: "[console_scripts]\na = x:y:z\n"},
    "entry points: no value": {EP: "[console_scripts]\na =\n"},
    "entry points: no equals sign": {EP: "[other]\nnothing\n"},
    "entry points: open bracket": {EP: "[console_scripts]\na = x:y [z\n"},
    "entry points: not UTF-8": {EP: b"[console_scripts]\na = x:\xff\n"},
    "wrappers": {EP: "[console_scripts]\na = x:main\n[gui_scripts]\ng = x:main\n", "x-1.0.data/scripts/a": "#!python\nold\n",
                 "x-1.0.data/scripts/a.exe": "MZ", "x-1.0.data/scripts/g-script.py": "#!python\n", "x-1.0.data/scripts/other.exe": "MZ"},
    "names": {"x/a,b.txt": "1", 'x/"q".txt': "2", "x/\u03b4\u03bf\u03ba.txt": "3", "x/a b.txt": "4", "x/back\\slash": "5"},
    "unknown scheme": {"x-1.0.data/lib/f": ""},
    "stray data file": {"x-1.0.data/f": ""},
    "up": {"x/../../y": ""},
    "absolute": {"/tmp/never": ""},
    "two folders": {"y-1.0.dist-info/METADATA": ""},
    "no WHEEL version": {"x-1.0.dist-info/WHEEL": "Root-Is-Purelib: true\n"},
    "format 2": {"x-1.0.dist-info/WHEEL": "Wheel-Version: 2.0\n"},
    "format 1.9": {"x-1.0.dist-info/WHEEL": "Wheel-Version: 1.9\nRoot-Is-Purelib: false\n"},
    "other metadata version": {"x-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: x\nVersion: 2.0\n"},
    "signed": {"x-1.0.dist-info/RECORD.jws": "{}", "x-1.0.dist-info/RECORD.p7s": "s"},
    "installed before": {"x-1.0.dist-info/INSTALLER": "conda\n", "x-1.0.dist-info/REQUESTED": ""},
}


@pytest.mark.parametrize("story", MADE)
def test_made(story, tmp_path):
    wheel = make(tmp_path, "x", MADE[story], purelib="false" if story == "platlib" else "true")
    assert wheel_trees.compare(wheel, str(tmp_path)) == []


def test_pip_names(tmp_path):
    for name, text in (("pip", "pip = pip:main\npip3 = pip:main\npip3.1 = pip:main\npipx = pip:other\n"),
                       ("setuptools", "easy_install = e:main\neasy_install-3.6 = e:main\n")):
        wheel = make(tmp_path, name, {name + "-1.0.dist-info/entry_points.txt": "[console_scripts]\n" + text})
        assert wheel_trees.compare(wheel, str(tmp_path)) == []


def test_no_record(tmp_path):
    assert wheel_trees.compare(make(tmp_path, "x", {"x.py": ""}, record=False), str(tmp_path)) == []


def test_names_are_normalised(tmp_path):
    wheel = make(tmp_path, "Some.Name", {"s.py": ""}, version="1.0.post1", made_name="some_name")
    assert wheel_trees.compare(wheel, str(tmp_path)) == []


def refused(wheel, tmp_path, text):
    tree, why = wheel_trees.our_tree(wheel, str(tmp_path))
    assert tree is None and text in why


def test_stricter_than_pip(tmp_path):
    """Where pip (or an older one) overwrites, guesses or follows, we refuse."""
    refused(make(tmp_path, "x", {"x-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: y\nVersion: 1.0\n"}), tmp_path, "not of 'x'")
    refused(make(tmp_path, "x", {"x/a.py": "1", "x-1.0.data/purelib/x/a.py": "2"}), tmp_path, "twice")
    refused(make(tmp_path, "x", {"x/a": "1", "x-1.0.data/purelib/x/a/b": "2"}), tmp_path, "below the file")
    refused(make(tmp_path, "x", {"x/y/../a.py": "1"}), tmp_path, "'..' part")
    refused(make(tmp_path, "x", {"x/.wh.a": "1"}), tmp_path, "unsafe path 'x/.wh.a'")
    refused(make(tmp_path, "x", {EP: "[console_scripts]\n../a = x:y\n"}), tmp_path, "cannot be a script's name")
    refused(make(tmp_path, "x", {EP: "[console_scripts]\na = x:y\n", "x-1.0.data/data/bin/a": ""}), tmp_path, "twice")


@pytest.mark.parametrize("wheel", BUNDLED + GIVEN, ids=os.path.basename)
def test_real(wheel, tmp_path):
    assert wheel_trees.compare(wheel, str(tmp_path)) == []


@pytest.mark.full
@pytest.mark.parametrize("name", REAL)
def test_downloaded(name, tmp_path):
    subprocess.run(wheel_trees.PIP + ["download", "--quiet", "--no-deps", "--only-binary", ":all:", "--dest", str(tmp_path), name], check=True)
    [wheel] = glob.glob(str(tmp_path / "*.whl"))
    assert wheel_trees.compare(wheel, str(tmp_path)) == []
