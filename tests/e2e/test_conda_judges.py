"""py-rattler as a judge: the same records for the same channel, over HTTP and shards; the same files in the prefix; our conda-meta is read. And
conda-lock: it reads the lock that we export.

By hand: ENVBUILD_PROGRAM=build/builder/cli/envbuild python3 -m pytest tests/e2e/test_conda_judges.py
CONDA_JUDGE_DIR=DIR keeps the channel (60 packages, 110 MB) and the tools; without it they are made anew. Other people's runtimes over a conda
image: test_judges.py.
"""
import json
import os
import pathlib
import shutil
import subprocess
import sys

import pytest

import conda_trees
from conda_world import World, conda_real, locked
from conftest import ROOT

TOOLS = ("py-rattler==0.28.0", "conda-lock==4.0.3")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    kept = os.environ.get("CONDA_JUDGE_DIR")
    return pathlib.Path(kept) if kept else tmp_path_factory.mktemp("judge")


@pytest.fixture(scope="module")
def rattler(folder):
    """A python that has the judges."""
    python = folder / "tools/bin/python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", folder / "tools"], check=True)
        subprocess.run([python, "-m", "pip", "install", "-q", "--disable-pip-version-check", *TOOLS], check=True)
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
    chosen = sorted(locked(w.lock(), "url"))
    assert len(chosen) >= 60 and chosen == urls


def ours(image):
    """As conda_trees.tree() lists a folder."""
    kinds = {"l": "link", "f": "file", "h": "file"}
    return {p: (kinds[n.kind], 0, n.link.encode(), 0) if n.kind == "l" else (kinds[n.kind], n.mode, n.data, n.time)
            for p, n in image.tree.items() if n.kind != "d"}


def test_same_tree(both):
    """Files, modes, links, contents; conda-meta but for what is of a machine or a moment."""
    w, _, prefix = both
    a, b = conda_trees.tree(prefix), ours(w.result)
    assert len(a) > 3000
    bad = conda_trees.compare(a, b)
    assert not bad, f"{len(bad)} differences\n" + "\n".join(bad[:40])
    late = [p for p in a if p.endswith((".py", ".pyc")) and p in b and a[p][3] != b[p][3] and "_sysconfigdata" not in p]
    assert not late, late[:20]


def test_same_origin(both):
    w, _, prefix = both
    paths = sorted((prefix / "conda-meta").glob("*.json"))
    assert len(paths) >= 60
    for path in paths:
        a, b = json.loads(path.read_text()), json.loads(w.result.tree[f"conda-meta/{path.name}"].data)
        assert (a["url"], a["fn"], a["channel"].rstrip("/")) == (b["url"], b["fn"], b["channel"].rstrip("/"))


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


def test_conda_lock_reads_our_export(both, rattler, tmp_path):
    w, urls, _ = both
    (tmp_path / "conda-lock.yml").write_text(w.env.run("export", "-f", "conda-lock").out)
    subprocess.run([rattler.parent / "conda-lock", "render", "-k", "explicit", "-p", "linux-64", "conda-lock.yml"], cwd=tmp_path, check=True,
                   capture_output=True)
    lines = (tmp_path / "conda-linux-64.lock").read_text().splitlines()
    assert "@EXPLICIT" in lines
    told = [line.partition("#") for line in lines if line.startswith("http")]
    assert sorted(url for url, _, _ in told) == urls and all(len(digest) in (32, 64) for _, _, digest in told)
    order = [url.rsplit("/", 1)[1].rsplit("-", 2)[0] for url, _, _ in told]
    assert order.index("python") < order.index("numpy") < order.index("pandas")


def test_conda_lock_reads_a_converted_lock(env, rattler):
    shutil.copyfile(ROOT / "tests/fuzz/corpus/conda_lock/all-keys", env.work / "theirs.yml")
    env.write("conda-lock.yml", env.run("export", "-f", "conda-lock", "theirs.yml").out)
    subprocess.run([rattler.parent / "conda-lock", "render", "-k", "explicit", "-p", "linux-64", "conda-lock.yml"], cwd=env.work, check=True,
                   capture_output=True)
    theirs = {x for x in (env.work / "conda-linux-64.lock").read_text().splitlines() if x.startswith("https://")}
    ours = env.run("export", "-f", "explicit", "--platform", "linux/amd64", "theirs.yml").out.splitlines()
    assert theirs and theirs == {x for x in ours if x.startswith("https://")}
