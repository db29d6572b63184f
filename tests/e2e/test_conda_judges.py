"""py-rattler as a judge: the same records for the same channel, over HTTP and shards; the same files in the prefix; our conda-meta is read.

By hand: ENVBUILD_PROGRAM=build/builder/cli/envbuild python3 -m pytest tests/e2e/test_conda_judges.py
CONDA_JUDGE_DIR=DIR keeps the channel (60 packages, 110 MB) and py-rattler; without it they are made anew. Other people's runtimes over a conda
image: test_judges.py.
"""
import json
import os
import pathlib
import stat
import subprocess
import sys

import pytest

from conda_world import World, conda_real
from conftest import ROOT

RATTLER = "py-rattler==0.28.0"
VARIES = {"link", "requested_spec", "requested_specs", "extracted_package_dir", "package_tarball_full_path", "installed_system_menus", "files"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    kept = os.environ.get("CONDA_JUDGE_DIR")
    return pathlib.Path(kept) if kept else tmp_path_factory.mktemp("judge")


@pytest.fixture(scope="module")
def rattler(folder):
    python = folder / "rattler/bin/python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", folder / "rattler"], check=True)
        subprocess.run([python, "-m", "pip", "install", "-q", "--disable-pip-version-check", RATTLER], check=True)
    return python


@pytest.fixture(scope="module")
def both(tmp_path_factory, folder, rattler, base_layout):
    """(the world with our image, URLs that rattler chose, its prefix)"""
    channel = conda_real.make(folder, ROOT / "tests/bench/requirements-conda.txt")
    names = sorted({p.name.rsplit("-", 2)[0] for p in channel.glob("*/*.conda")} - {"clobber", "cuda-thing", "mkl", "blas"})
    tmp = tmp_path_factory.mktemp("both")
    w = World(tmp, base_layout, channel.parent)
    w.define(*names)
    w.result = w.image()
    p = subprocess.run([rattler, ROOT / "tests/bench/rattler_install.py", w.url, tmp / "root", tmp / "cache", *names], capture_output=True, text=True,
                       check=False)
    assert p.returncode == 0, p.stderr
    yield w, json.loads(p.stdout), tmp / "root/opt/env"
    w.close()


def test_same_records(both):
    w, urls, _ = both
    ours = sorted(line.split("url: ")[1].strip() for line in w.lock().splitlines() if line.strip().startswith("url: "))
    assert len(ours) >= 60 and ours == urls


def facts(prefix):
    out = {}
    for at, dirs, names in os.walk(prefix):
        for n in [*names, *(d for d in dirs if os.path.islink(os.path.join(at, d)))]:
            full = os.path.join(at, n)
            st = os.lstat(full)
            out[os.path.relpath(full, prefix)] = (("l", os.readlink(full)) if stat.S_ISLNK(st.st_mode) else
                                                  ("f", stat.S_IMODE(st.st_mode) & 0o111, pathlib.Path(full).read_bytes()))
    return out


def entry_scripts(image):
    return {p["_path"] for path, n in image.tree.items() if path.startswith("conda-meta/") and path.endswith(".json")
            for p in json.loads(n.data)["paths_data"]["paths"] if p.get("path_type", "").endswith("entry_point")}


def test_same_files(both):
    w, _, prefix = both
    free = entry_scripts(w.result)
    theirs = {p: f for p, f in facts(prefix).items() if not p.startswith("conda-meta/")}
    ours = {p: ("l", n.link) if n.kind == "l" else ("f", n.mode & 0o111, n.data) for p, n in w.result.tree.items()
            if n.kind != "d" and not p.startswith("conda-meta/")}
    assert len(theirs) > 3000
    assert sorted(set(theirs) - set(ours)) == [] and sorted(set(ours) - set(theirs)) == []
    bad = [p for p in ours if p not in free and ours[p] != theirs[p]]
    assert not bad, [(p, ours[p][:2], theirs[p][:2]) for p in bad[:20]]
    for p in free:
        assert ours[p][2].splitlines()[0] == theirs[p][2].splitlines()[0] and ours[p][1] == theirs[p][1] == 0o111, p


def told(p):
    """Of a file whose prefix was replaced conda says the size before, rattler the size after."""
    return {k: v for k, v in p.items() if k not in {"original_path"} | ({"size_in_bytes"} if "sha256_in_prefix" in p else set()) and v is not None}


def test_same_conda_meta(both):
    w, _, prefix = both
    checked = 0
    for path in sorted((prefix / "conda-meta").glob("*.json")):
        ours, theirs = json.loads(w.result.tree[f"conda-meta/{path.name}"].data), json.loads(path.read_text())
        plain = lambda d: {k: v.rstrip("/") if k == "channel" else v for k, v in d.items()
                           if k not in VARIES | {"paths_data"} and v not in (None, [], "", {})}
        assert plain(ours) == plain(theirs), path.name
        assert sorted(ours["files"]) == sorted(theirs["files"]), path.name
        same = lambda d: {p["_path"]: told(p) for p in d["paths_data"]["paths"]}
        a, b = same(ours), same(theirs)
        assert a.keys() == b.keys(), path.name
        bad = [(a[k], b[k]) for k in a if a[k] != b[k] and not a[k].get("path_type", "").endswith("entry_point")]
        assert not bad, (path.name, bad[:3])
        checked += 1
    assert checked >= 60


def test_rattler_reads_our_records(both, rattler, tmp_path):
    w, _, _ = both
    (tmp_path / "conda-meta").mkdir()
    for p, n in w.result.tree.items():
        if p.startswith("conda-meta/") and n.kind == "f":
            (tmp_path / p).write_bytes(n.data)
    script = ("import os, sys, pathlib, rattler\nfor p in sorted(pathlib.Path(sys.argv[1]).glob('conda-meta/*.json')):\n"
              "    r = rattler.PrefixRecord.from_path(p)\n    print(r.name.normalized, r.version, len(r.files))\nsys.stdout.flush()\nos._exit(0)\n")
    p = subprocess.run([rattler, "-c", script, tmp_path], capture_output=True, text=True, check=False)
    assert p.returncode == 0, p.stderr
    told = {line.split()[0]: line.split()[1] for line in p.stdout.splitlines()}
    assert told == {k: v.split("=")[0] for k, v in w.result.packages.items()}
